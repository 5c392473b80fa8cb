"""What operations give → XML text, by joining strings: no tree is built."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from cloche.gateway.protocols.shapes import Shape
from cloche.gateway.protocols.text_values import INTEGER_RANGES, compile_text_encoder

XmlEncoder = Callable[[Any], str]
"""Gives the elements of a value: one, or several for flattened lists and maps."""

XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_replace_special = re.compile(r'[&<>"\x00-\x1f\x7f-\x9f\u2028]').sub


def _escape_character(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character) or f"&#x{ord(character):X};"


def escape(text: str) -> str:
    """Text as it stands between tags; control characters are written as S3 writes them."""
    # Most text is plain, and this is the fastest way to know it.
    if text.isprintable() and "&" not in text and "<" not in text and ">" not in text:
        return text
    return _replace_special(_escape_character, text)


def escape_attribute(text: str) -> str:
    """Text as it stands in an attribute's double quotes."""
    return _replace_special(_escape_character, text)


class XmlCompiler:
    """Compiles the shapes of one operation.

    Args:
        has_milliseconds: write them in all timestamps, as S3 does.
    """

    def __init__(self, *, has_milliseconds: bool = False) -> None:
        self._has_milliseconds = has_milliseconds
        self._contents: dict[str, XmlEncoder] = {}

    def element(
        self, shape: Shape, name: str, namespace: str = "", only: frozenset[str] | None = None
    ) -> XmlEncoder:
        """A function that gives a value's element; it raises KeyError for unknown members.

        Args:
            shape: of the value.
            name: of the element.
            namespace: default namespace, where the shape names none.
            only: the members of a structure that stand in the body, all unless given.
        """
        opening = f"<{name}{_namespace_attribute(shape, namespace)}"
        start, end = f"{opening}>", f"</{name}>"
        if shape.kind == "structure":
            return self._structure(shape, opening, end, only)
        if shape.kind == "list":
            return self._list(shape, start, end)
        if shape.kind == "map":
            return self._map(shape, name, start, end)
        return self._scalar(shape, start, end)

    def contents(self, shape: Shape, only: frozenset[str] | None = None) -> XmlEncoder:
        """A function that gives the elements of a structure's members, without its own."""
        fields: dict[str, XmlEncoder] = {
            name: (
                self._member(name, member)
                if (only is None or name in only) and not member.traits.get("xmlAttribute")
                else _nothing
            )
            for name, member in shape.members.items()
        }
        return lambda value: "".join(
            [fields[name](item) for name, item in value.items() if item is not None]
        )

    def _shared_contents(self, shape: Shape) -> XmlEncoder:
        contents = self._contents
        name = shape.name
        if name not in contents:
            contents[name] = lambda value: contents[name](value)
            contents[name] = self.contents(shape)
        return contents[name]

    def _member(self, name: str, member: Shape) -> XmlEncoder:
        wire_name = member.wire_name or name
        if member.is_flattened and member.kind == "list":
            wire_name = member.entry_name(name)
        return self.element(member, wire_name)

    def _structure(
        self, shape: Shape, opening: str, end: str, only: frozenset[str] | None
    ) -> XmlEncoder:
        contents = self._shared_contents(shape) if only is None else self.contents(shape, only)
        attributes = [
            (name, member.wire_name or name)
            for name, member in shape.members.items()
            if member.traits.get("xmlAttribute")
        ]
        if not attributes:
            return lambda value: f"{opening}>{contents(value)}{end}"

        def encode(value: Mapping[str, Any]) -> str:
            given = "".join(
                f' {key}="{escape_attribute(str(value[name]))}"'
                for name, key in attributes
                if value.get(name) is not None
            )
            return f"{opening}{given}>{contents(value)}{end}"

        return encode

    def _list(self, shape: Shape, start: str, end: str) -> XmlEncoder:
        if shape.is_flattened:
            name = start[1:-1].partition(" ")[0]
            encode_item = self.element(shape.element, name)
            return lambda value: "".join([encode_item(item) for item in value if item is not None])
        encode_item = self.element(shape.element, shape.element.wire_name or "member")
        return lambda value: (
            start + "".join([encode_item(item) for item in value if item is not None]) + end
        )

    def _map(self, shape: Shape, name: str, start: str, end: str) -> XmlEncoder:
        entry_name = name if shape.is_flattened else "entry"
        encode_key = self.element(shape.key, shape.key.wire_name or "key")
        encode_value = self.element(shape.value, shape.value.wire_name or "value")

        def encode(value: Mapping[str, Any]) -> str:
            entries = "".join(
                [
                    f"<{entry_name}>{encode_key(key)}{encode_value(item)}</{entry_name}>"
                    for key, item in value.items()
                    if item is not None
                ]
            )
            return entries if shape.is_flattened else f"{start}{entries}{end}"

        return encode

    def _scalar(self, shape: Shape, start: str, end: str) -> XmlEncoder:
        if shape.kind in INTEGER_RANGES:
            return lambda value: f"{start}{value}{end}"
        if shape.kind in ("string", "character"):
            return _string_encoder(start, end)
        encode = compile_text_encoder(shape, "date-time", has_milliseconds=self._has_milliseconds)
        return lambda value: f"{start}{encode(value)}{end}"


def _nothing(_value: Any) -> str:
    return ""


def _string_encoder(start: str, end: str) -> XmlEncoder:
    def encode(value: str) -> str:
        # As `escape` does; written out because most of what is listed is text.
        if value.isprintable() and "&" not in value and "<" not in value and ">" not in value:
            return f"{start}{value}{end}"
        return f"{start}{escape(value)}{end}"

    return encode


def _namespace_attribute(shape: Shape, default: str) -> str:
    trait = shape.traits.get("xmlNamespace")
    uri, prefix = default, ""
    if isinstance(trait, str):
        uri = trait
    elif isinstance(trait, Mapping):
        namespace = cast("Mapping[str, str]", trait)
        uri, prefix = namespace["uri"], namespace.get("prefix", "")
    if not uri:
        return ""
    return f' xmlns{":" + prefix if prefix else ""}="{escape_attribute(uri)}"'
