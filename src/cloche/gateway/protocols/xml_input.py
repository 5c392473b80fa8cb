"""XML bodies → what operations take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.shapes import Shape
from cloche.gateway.protocols.text_values import compile_text_decoder
from cloche.gateway.protocols.xml_tree import Element, local_name

XmlDecoder = Callable[[Element], Any]
Field = Callable[[dict[str, list[Element]]], Any]
"""Takes an element's children by name; None where the member is absent."""


def compile_xml_decoder(shape: Shape, only: frozenset[str] | None = None) -> XmlDecoder:
    """A function that turns an element into a value of the shape.

    Args:
        shape: of the value.
        only: the members of a structure that stand in the body, all unless given.
    """
    compiler = _Compiler()
    return compiler.compile(shape) if only is None else compiler.structure(shape, only)


class _Compiler:
    def __init__(self) -> None:
        self._structures: dict[str, XmlDecoder] = {}

    def compile(self, shape: Shape) -> XmlDecoder:
        if shape.kind == "structure":
            return self._shared_structure(shape)
        if shape.kind == "list":
            decode_item = self.compile(shape.element)
            return lambda element: [decode_item(child) for child in element.children]
        if shape.kind == "map":
            decode_entry = self._entry(shape)
            return lambda element: dict(decode_entry(child) for child in element.children)
        return _scalar_decoder(shape)

    def _shared_structure(self, shape: Shape) -> XmlDecoder:
        structures = self._structures
        name = shape.name
        if name not in structures:
            structures[name] = lambda element: structures[name](element)
            structures[name] = self.structure(shape, None)
        return structures[name]

    def structure(self, shape: Shape, only: frozenset[str] | None) -> XmlDecoder:
        fields: list[tuple[str, Field]] = []
        attributes: list[tuple[str, str]] = []
        wire_names = {member.wire_name for member in shape.members.values()}
        for name, member in shape.members.items():
            if only is not None and name not in only:
                continue
            if member.traits.get("xmlAttribute"):
                attributes.append((name, local_name(member.wire_name or name)))
            else:
                # A structure's own name is that of its root element only: inside of another
                # structure, clients may use the member's.
                alias = name if member.kind == "structure" and name not in wire_names else None
                fields.append((name, self._field(name, member, alias)))
        return _structure_decoder(fields, attributes, shape.is_union)

    def _field(self, name: str, member: Shape, alias: str | None) -> Field:
        wire_name = member.wire_name or name
        if member.is_flattened and member.kind == "list":
            entry_name = member.entry_name(name)
            decode_item = self.compile(member.element)
            # Some clients go by the member's name where the model names the entries.
            return lambda children: (
                [decode_item(child) for child in children.get(entry_name, ())]
                or [decode_item(child) for child in children.get(wire_name, ())]
                or None
            )
        if member.is_flattened and member.kind == "map":
            decode_entry = self._entry(member)
            return lambda children: (
                dict(decode_entry(child) for child in children.get(wire_name, ())) or None
            )
        return _single_field(wire_name, alias or wire_name, self.compile(member))

    def _entry(self, shape: Shape) -> Callable[[Element], tuple[str, Any]]:
        key_name, value_name = shape.key.wire_name or "key", shape.value.wire_name or "value"
        decode_key, decode_value = self.compile(shape.key), self.compile(shape.value)

        def decode(element: Element) -> tuple[str, Any]:
            children = element.child_map()
            keys, values = children.get(key_name, ()), children.get(value_name, ())
            if len(keys) != 1 or len(values) != 1:
                raise ParseError("A map's entry needs one key and one value")
            return decode_key(keys[0]), decode_value(values[0])

        return decode


def _scalar_decoder(shape: Shape) -> XmlDecoder:
    if shape.kind == "string":
        return lambda element: element.text
    decode = compile_text_decoder(shape, "date-time", is_lenient=True)
    return lambda element: decode(element.text.strip())


def _single_field(wire_name: str, alias: str, decode: XmlDecoder) -> Field:
    def read(children: dict[str, list[Element]]) -> Any:
        found = children.get(wire_name) or children.get(alias)
        if found is None:
            return None
        if len(found) > 1:
            raise ParseError(f"{wire_name} is given more than once")
        return decode(found[0])

    return read


def _structure_decoder(
    fields: list[tuple[str, Field]], attributes: list[tuple[str, str]], is_union: bool
) -> XmlDecoder:
    def decode(element: Element) -> dict[str, Any]:
        children = element.child_map()
        result: dict[str, Any] = {}
        for name, read in fields:
            value = read(children)
            if value is not None:
                result[name] = value
        for name, key in attributes:
            if key in element.attributes:
                result[name] = element.attributes[key]
        if is_union and len(result) != 1:
            raise ParseError("Exactly one known member of a union must be set")
        return result

    return decode
