"""What operations give → status and headers of the REST protocols."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cloche.gateway.protocols.shapes import Shape
from cloche.gateway.protocols.text_values import (
    TextEncoder,
    compile_text_encoder,
    encode_json_header,
)

Headers = list[tuple[str, str]]
HeaderWriter = Callable[[Headers, Any], None]

_LINE_BREAKS = re.compile(r"[\r\n\0]")


class RestOutput:
    """The members of an output that don't stand in the body.

    Attributes:
        body_members: names of the members that do.
    """

    def __init__(self, output_shape: Shape) -> None:
        self._status_member: str | None = None
        self._writers: dict[str, HeaderWriter] = {}
        names: list[str] = []
        for name, member in output_shape.members.items():
            if member.location == "statusCode":
                self._status_member = name
            elif member.location == "header":
                self._writers[name] = _header_writer(member, (member.wire_name or name).lower())
            elif member.location == "headers":
                self._writers[name] = _prefix_writer((member.wire_name or "").lower())
            else:
                names.append(name)
        self.body_members = frozenset(names)

    def write(self, output: Mapping[str, Any], status: int) -> tuple[int, Headers]:
        """Status and headers for an output; `status` is what the model gives."""
        headers: Headers = []
        writers = self._writers
        if writers:
            for name, value in output.items():
                if name in writers and value is not None:
                    writers[name](headers, value)
        if self._status_member is not None:
            status = output.get(self._status_member) or status
        return status, headers


def clean_header(value: str) -> str:
    """A header's value that can't end its line: a space stands for each line break."""
    return value if value.isprintable() else _LINE_BREAKS.sub(" ", value)


def _encoder(shape: Shape) -> TextEncoder:
    if shape.traits.get("jsonvalue"):
        return encode_json_header
    return compile_text_encoder(shape, "http-date")


def _header_writer(member: Shape, name: str) -> HeaderWriter:
    if member.kind == "list":
        encode_item = _encoder(member.element)
        is_text = member.element.kind == "string"

        def write_list(headers: Headers, value: Any) -> None:
            items = [encode_item(item) for item in value if item is not None]
            if items:
                text = ", ".join([_quote(item) for item in items] if is_text else items)
                headers.append((name, clean_header(text)))

        return write_list
    if member.kind == "string" and not member.traits.get("jsonvalue"):

        def write_text(headers: Headers, value: str) -> None:
            headers.append((name, value if value.isprintable() else clean_header(value)))

        return write_text
    encode = _encoder(member)

    def write(headers: Headers, value: Any) -> None:
        headers.append((name, encode(value)))

    return write


def _prefix_writer(prefix: str) -> HeaderWriter:
    def write(headers: Headers, value: Any) -> None:
        for key, item in value.items():
            if item is not None:
                headers.append((clean_header(f"{prefix}{key}"), clean_header(item)))

    return write


def _quote(item: str) -> str:
    if '"' in item or "," in item:
        escaped = item.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return item
