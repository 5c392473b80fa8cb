"""XML as a tree of small elements, read by expat with everything dangerous turned off."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.shapes import MAXIMUM_DEPTH

MAXIMUM_ELEMENTS = 150_000
"""Of a document; CompleteMultipartUpload with 10,000 parts and their checksums has half as many."""
_NOT_WELL_FORMED = "The XML you provided was not well-formed"


class Element:
    """An element, by its name without a namespace's prefix.

    Attributes:
        name: without prefix.
        attributes: by their names without prefix.
        children: in their order.
        texts: the text directly inside, in pieces.
    """

    __slots__ = ("attributes", "children", "name", "texts")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element] = []
        self.texts: list[str] = []

    @property
    def text(self) -> str:
        """The text directly inside."""
        return "".join(self.texts)

    def child_map(self) -> dict[str, list[Element]]:
        """The children by name."""
        result: dict[str, list[Element]] = {}
        for child in self.children:
            result.setdefault(child.name, []).append(child)
        return result


def parse_xml(body: bytes) -> Element:
    """Read an XML document in UTF-8.

    Raises:
        ParseError: not well-formed, nested too deeply, or with a document type: without one no
            entity can be declared, so none can expand or reach a file.
    """
    builder = _Builder()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.refuse_doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise ParseError(_NOT_WELL_FORMED) from error
    if builder.root is None:
        raise ParseError(_NOT_WELL_FORMED)
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._count = 0
        self._open: list[Element] = []

    def refuse_doctype(self, *_declaration: Any) -> None:
        raise ParseError("A document type is not allowed")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if attributes:
            attributes = {local_name(key): value for key, value in attributes.items()}
        self._count += 1
        if self._count > MAXIMUM_ELEMENTS:
            raise ParseError("The body has too many elements")
        element = Element(local_name(name), attributes)
        if self._open:
            if len(self._open) >= MAXIMUM_DEPTH:
                raise ParseError("The body is nested too deeply")
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def text(self, data: str) -> None:
        self._open[-1].texts.append(data)


def local_name(name: str) -> str:
    """The name without a namespace's prefix."""
    return name.rpartition(":")[2]
