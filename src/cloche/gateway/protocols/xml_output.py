"""What operations give → XML text, by joining strings: no tree is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from cloche.gateway.protocols.shapes import Shape
from cloche.gateway.protocols.text_values import INTEGER_RANGES, compile_text_encoder
from cloche.gateway.protocols.xml_structures import (
    Member,
    StructureEncoder,
    XmlEncoder,
    escape,
    escape_attribute,
)

__all__ = ["XML_DECLARATION", "XmlCompiler", "XmlEncoder", "escape", "escape_attribute"]

XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


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

    def contents(self, shape: Shape, only: frozenset[str] | None = None) -> StructureEncoder:
        """A function that gives the elements of a structure's members, without its own."""
        members = {
            name: (
                self._member(name, member)
                if (only is None or name in only) and not member.traits.get("xmlAttribute")
                else Member(_nothing)
            )
            for name, member in shape.members.items()
        }
        return StructureEncoder(members)

    def _shared_contents(self, shape: Shape) -> XmlEncoder:
        contents = self._contents
        name = shape.name
        if name not in contents:
            contents[name] = lambda value: contents[name](value)
            contents[name] = self.contents(shape)
        return contents[name]

    def _member(self, name: str, member: Shape) -> Member:
        wire_name = member.wire_name or name
        if member.is_flattened and member.kind == "list":
            wire_name = member.entry_name(name)
        encode = self.element(member, wire_name)
        start = f"<{wire_name}{_namespace_attribute(member, '')}>"
        kind = self._inlined(member)
        return Member(encode, start, f"</{wire_name}>", kind) if kind else Member(encode)

    def _inlined(self, shape: Shape) -> str:
        """How a scalar may stand in a structure's f-string; nothing if it may not."""
        if shape.kind in INTEGER_RANGES:
            return "integer"
        if shape.kind in ("string", "character"):
            return "text"
        is_date_time = (
            shape.kind == "timestamp" and shape.timestamp_format("date-time") == "date-time"
        )
        return "milliseconds" if is_date_time and self._has_milliseconds else ""

    def _structure(
        self, shape: Shape, opening: str, end: str, only: frozenset[str] | None
    ) -> XmlEncoder:
        contents = self._shared_contents(shape) if only is None else self.contents(shape, only)
        start = f"{opening}>"
        attributes = [
            (name, member.wire_name or name)
            for name, member in shape.members.items()
            if member.traits.get("xmlAttribute")
        ]
        if not attributes:
            return lambda value: f"{start}{contents(value)}{end}"

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
            if shape.element.kind == "string":
                return _strings(encode_item)
            if shape.element.kind == "structure" and not _has_attributes(shape.element):
                return self._structures(shape.element, name)
            return lambda value: "".join([encode_item(item) for item in value if item is not None])
        encode_item = self.element(shape.element, shape.element.wire_name or "member")
        return lambda value: (
            start + "".join([encode_item(item) for item in value if item is not None]) + end
        )

    def _structures(self, shape: Shape, name: str) -> XmlEncoder:
        """What gives the elements of a flattened list of structures."""
        contents = self._shared_contents(shape)
        start, end = f"<{name}{_namespace_attribute(shape, '')}>", f"</{name}>"
        if isinstance(contents, StructureEncoder):
            return lambda value: contents.elements(start, value, end)
        return lambda value: "".join(
            [f"{start}{contents(item)}{end}" for item in value if item is not None]
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


def _strings(encode_item: XmlEncoder) -> XmlEncoder:
    """What gives the elements of a flattened list of strings.

    A tuple is remembered: each of a thousand keys tells of the same checksum algorithms.
    """

    def encode(value: Sequence[Any]) -> str:
        return "".join([encode_item(item) for item in value if item is not None])

    encode_tuple = lru_cache(maxsize=64)(encode)

    def encode_any(value: Sequence[Any]) -> str:
        if type(value) is tuple:
            return encode_tuple(cast("tuple[Any, ...]", value))
        return encode(value)

    return encode_any


def _has_attributes(shape: Shape) -> bool:
    return any(member.traits.get("xmlAttribute") for member in shape.members.values())


def _nothing(_value: Any) -> str:
    return ""


def _string_encoder(start: str, end: str) -> XmlEncoder:
    return lambda value: f"{start}{escape(value)}{end}"


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
