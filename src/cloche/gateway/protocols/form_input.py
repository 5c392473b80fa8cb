"""Form bodies of the query and EC2 protocols → what operations take.

`Tags.member.1.Key=a` becomes a tree of the name's segments first; one closure for each shape
then reads its node.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from cloche.gateway.protocols.faults import MalformedQueryString, ParseError
from cloche.gateway.protocols.shapes import MAXIMUM_DEPTH, Shape
from cloche.gateway.protocols.text_values import compile_text_decoder

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_INDEX = re.compile(r"[0-9]{1,10}")


class Node:
    """A name's segment: its own text, if the name ends here, and the segments after it."""

    __slots__ = ("children", "text")

    def __init__(self) -> None:
        self.text: str | None = None
        self.children: dict[str, Node] = {}

    def indexed(self) -> list[Node]:
        """The children whose names are numbers, in the numbers' order."""
        numbered = [
            (int(name), node) for name, node in self.children.items() if _INDEX.fullmatch(name)
        ]
        if len(numbered) > 1:
            numbered.sort(key=lambda item: item[0])
        return [node for _, node in numbered]


FormDecoder = Callable[[Node], Any]
"""Gives None where the value is absent."""


def unquote(text: str) -> str:
    """Undo percent-encoding.

    Raises:
        ParseError: a lone percent sign, or bytes that are no UTF-8.
    """
    if "%" not in text:
        return text
    if _BAD_ESCAPE.search(text) is not None:
        raise ParseError("Invalid percent-encoding")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeError as error:
        raise ParseError("Invalid UTF-8 in percent-encoded text") from error


def parse_pairs(text: str) -> list[tuple[str, str]]:
    """Names and values of a form or a query string, in their order.

    Raises:
        ParseError: bad percent-encoding.
    """
    pairs: list[tuple[str, str]] = []
    is_plain = "%" not in text
    for part in text.replace("+", " ").split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((name, value) if is_plain else (unquote(name), unquote(value)))
    return pairs


def parse_form(body: bytes, query_string: str) -> Node:
    """The tree of all parameters of a query request, in the body or in the URL.

    Raises:
        MalformedQueryString: not readable as a form.
        ParseError: a name with too many segments.
    """
    try:
        pairs = parse_pairs(body.decode())
        if query_string:
            pairs = parse_pairs(query_string) + pairs
    except (UnicodeDecodeError, ParseError) as error:
        raise MalformedQueryString("The query string is malformed.") from error
    root = Node()
    for name, value in pairs:
        segments = name.split(".")
        if len(segments) > MAXIMUM_DEPTH:
            raise ParseError("The parameters are nested too deeply")
        node = root
        for segment in segments:
            child = node.children.get(segment)
            if child is None:
                child = node.children[segment] = Node()
            node = child
        node.text = value
    return root


def compile_form_decoder(shape: Shape, *, is_ec2: bool) -> FormDecoder:
    """A function that reads a structure from a form's tree."""
    decode = _Compiler(is_ec2).compile(shape)
    return lambda node: decode(node) or {}


class _Compiler:
    def __init__(self, is_ec2: bool) -> None:
        self._is_ec2 = is_ec2
        self._structures: dict[str, FormDecoder] = {}

    def compile(self, shape: Shape) -> FormDecoder:
        if shape.kind == "structure":
            return self._structure(shape)
        if shape.kind == "list":
            return self._list(shape)
        if shape.kind == "map":
            return self._map(shape)
        decode = compile_text_decoder(shape, "date-time", is_lenient=True)
        return lambda node: None if node.text is None else decode(node.text)

    def _structure(self, shape: Shape) -> FormDecoder:
        structures = self._structures
        name = shape.name
        if name not in structures:
            structures[name] = lambda node: structures[name](node)
            structures[name] = self._structure_decoder(shape)
        return structures[name]

    def _structure_decoder(self, shape: Shape) -> FormDecoder:
        fields: dict[str, list[tuple[str, FormDecoder]]] = {}
        for name, member in shape.members.items():
            decode = self.compile(member)
            for wire_name in self._wire_names(name, member):
                fields.setdefault(wire_name, []).append((name, decode))

        def decode_structure(node: Node) -> dict[str, Any] | None:
            result: dict[str, Any] = {}
            for segment, child in node.children.items():
                for name, decode_member in fields.get(segment, ()):
                    value = decode_member(child)
                    if value is not None:
                        result[name] = value
            # `Name=` gives an empty structure, as `List=` gives an empty list.
            return result if result or node.children or node.text is not None else None

        return decode_structure

    def _wire_names(self, name: str, member: Shape) -> set[str]:
        if self._is_ec2:
            query_name = member.traits.get("queryName")
            if query_name:
                return {query_name}
            wire_name = member.wire_name or name
            return {wire_name, wire_name[:1].upper() + wire_name[1:]}
        if member.kind == "list" and member.is_flattened:
            return {member.wire_name or name, member.element.wire_name or name}
        return {member.wire_name or name}

    def _list(self, shape: Shape) -> FormDecoder:
        decode_item = self.compile(shape.element)
        wrapper = shape.element.wire_name or "member"
        is_flat = self._is_ec2 or shape.is_flattened

        def decode(node: Node) -> list[Any] | None:
            if node.text == "" and not node.children:
                return []
            inner = node if is_flat else node.children.get(wrapper) or node.children.get("member")
            if inner is None:
                return None
            items = [decode_item(child) for child in inner.indexed()]
            return [item for item in items if item is not None]

        return decode

    def _map(self, shape: Shape) -> FormDecoder:
        key_name, value_name = shape.key.wire_name or "key", shape.value.wire_name or "value"
        decode_key, decode_value = self.compile(shape.key), self.compile(shape.value)
        is_flat = shape.is_flattened

        def decode(node: Node) -> dict[str, Any] | None:
            if node.text == "" and not node.children:
                return {}
            inner = node if is_flat else node.children.get("entry")
            if inner is None:
                return None
            result: dict[str, Any] = {}
            for entry in inner.indexed():
                key_node, value_node = entry.children.get(key_name), entry.children.get(value_name)
                if key_node is None or value_node is None or key_node.text is None:
                    raise ParseError("A map's entry needs a key and a value")
                value = decode_value(value_node)
                if value is None:
                    raise ParseError("A map's entry needs a key and a value")
                result[decode_key(key_node)] = value
            return result

        return decode
