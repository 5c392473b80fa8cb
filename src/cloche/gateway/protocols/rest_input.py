"""Paths, query strings and headers of the REST protocols → what operations take."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.form_input import parse_pairs, unquote
from cloche.gateway.protocols.shapes import OperationTraits, Shape
from cloche.gateway.protocols.text_values import (
    TextDecoder,
    compile_text_decoder,
    decode_json_header,
)

PathMatcher = Callable[[str], dict[str, str] | None]
QueryParameters = dict[str, list[str]]
ParameterReader = Callable[[QueryParameters], Any]
HeaderReader = Callable[[Mapping[str, str]], Any]

_LABEL = re.compile(r"\{([^}+]+)(\+?)\}")
_HEADER_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^",][^,]*?|))\s*(?:,|$)')
_SIGNATURE_PARAMETERS = frozenset(
    f"X-Amz-{name}"
    for name in (
        "Algorithm",
        "Credential",
        "Date",
        "Expires",
        "SignedHeaders",
        "Signature",
        "Security-Token",
    )
)

_IGNORED_WHEN_INVALID = frozenset(("if-modified-since", "if-unmodified-since"))
"""Conditions that HTTP (RFC 9110, 13.1.3 and 13.1.4) has a server ignore if they are no dates."""


def compile_path_matcher(path: str) -> PathMatcher:
    """A function that gives a raw path's labels, still percent-encoded, or None.

    A slash at the end is optional where the model's path doesn't end in a greedy label.
    """
    pattern: list[str] = []
    position = 0
    for label in _LABEL.finditer(path):
        pattern.append(re.escape(path[position : label.start()]))
        pattern.append(f"(?P<_{len(pattern)}>{'.+' if label[2] else '[^/]+'})")
        position = label.end()
    rest = path[position:]
    is_open = bool(pattern) and not rest and path.endswith("+}")
    pattern.append(re.escape(rest.rstrip("/")) + ("" if is_open else "/?"))
    match_path = re.compile("".join(pattern), re.DOTALL).fullmatch
    names = [label[1] for label in _LABEL.finditer(path)]

    def match(raw_path: str) -> dict[str, str] | None:
        found = match_path(raw_path)
        return None if found is None else dict(zip(names, found.groups(), strict=True))

    return match


class RestInput:
    """The members of an operation's input that don't stand in the body."""

    def __init__(self, operation: OperationTraits, input_shape: Shape) -> None:
        self._match = compile_path_matcher(operation.path)
        self._labels: list[tuple[str, str, TextDecoder]] = []
        self._parameters: list[tuple[str, ParameterReader]] = []
        self._headers: dict[str, tuple[str, HeaderReader]] = {}
        self._prefixes: list[tuple[str, HeaderReader]] = []
        for name, member in input_shape.members.items():
            wire_name = member.wire_name or name
            if member.location == "uri":
                self._labels.append((name, wire_name, _decoder(member, wire_name, "date-time")))
            elif member.location == "querystring":
                self._parameters.append((name, _parameter_reader(member, wire_name)))
            elif member.location == "header":
                header = wire_name.lower()
                self._headers[header] = (name, _header_reader(member, header))
            elif member.location == "headers":
                self._prefixes.append((name, _prefix_reader((member.wire_name or "").lower())))

    def read(
        self,
        raw_path: str,
        query_string: str,
        headers: Mapping[str, str],
    ) -> dict[str, Any]:
        """The members' values.

        Raises:
            ParseError: one of them can't be read; it names which.
        """
        result: dict[str, Any] = {}
        if self._labels:
            found = self._match(raw_path)
            if found is None:
                raise ParseError("The path does not fit the operation", ("path", raw_path))
            for name, label, decode in self._labels:
                result[name] = decode(_unquote_label(label, found[label]))
        if self._parameters and query_string:
            parameters = parse_query(query_string)
            for name, read_parameter in self._parameters:
                value = read_parameter(parameters)
                if value is not None:
                    result[name] = value
        # Far fewer headers come than an operation of S3 knows.
        for header in headers.keys() & self._headers.keys():
            name, read_header = self._headers[header]
            value = read_header(headers)
            if value is not None:
                result[name] = value
        for name, read_headers in self._prefixes:
            value = read_headers(headers)
            if value is not None:
                result[name] = value
        return result


def parse_query(query_string: str) -> QueryParameters:
    """All values of each parameter of a query string."""
    parameters: QueryParameters = {}
    if query_string:
        try:
            pairs = parse_pairs(query_string)
        except ParseError as error:
            raise ParseError(error.message, ("query", query_string)) from error
        for name, value in pairs:
            parameters.setdefault(name, []).append(value)
    return parameters


def _unquote_label(label: str, text: str) -> str:
    try:
        return unquote(text)
    except ParseError as error:
        raise ParseError(error.message, (label, text)) from error


def _decoder(shape: Shape, name: str, default_format: Any) -> TextDecoder:
    """A scalar decoder whose errors name the parameter."""
    if shape.kind in ("string", "character") and not shape.traits.get("jsonvalue"):
        return str
    decode = (
        decode_json_header
        if shape.traits.get("jsonvalue")
        else compile_text_decoder(shape, default_format)
    )

    def decode_named(text: str) -> Any:
        try:
            return decode(text)
        except ParseError as error:
            raise ParseError(error.message, (name, text)) from error

    return decode_named


def _parameter_reader(member: Shape, name: str) -> ParameterReader:
    if member.kind == "map":
        return _parameter_map_reader(member)
    if member.kind == "list":
        decode_item = _decoder(member.element, name, "date-time")

        def read_all(parameters: QueryParameters) -> list[Any] | None:
            found = parameters.get(name)
            return None if found is None else [decode_item(text) for text in found]

        return read_all
    decode = _decoder(member, name, "date-time")

    def read(parameters: QueryParameters) -> Any:
        found = parameters.get(name)
        return None if found is None else decode(found[0])

    return read


def _parameter_map_reader(member: Shape) -> ParameterReader:
    """All parameters, those bound to other members too, but for the signature's."""
    holds_lists = member.value.kind == "list"

    def read(parameters: QueryParameters) -> dict[str, Any] | None:
        found = {
            name: list(values) if holds_lists else values[0]
            for name, values in parameters.items()
            if name not in _SIGNATURE_PARAMETERS
        }
        return found or None

    return read


def _header_reader(member: Shape, name: str) -> HeaderReader:
    if member.kind == "list":
        decode_item = _decoder(member.element, name, "http-date")
        is_dates = (
            member.element.kind == "timestamp"
            and member.element.timestamp_format("http-date") == "http-date"
        )
        split = _split_dates if is_dates else split_header_list

        def read_list(headers: Mapping[str, str]) -> list[Any] | None:
            found = headers.get(name)
            return [decode_item(text) for text in split(found)] if found else None

        return read_list
    decode = _decoder(member, name, "http-date")
    is_ignorable = name in _IGNORED_WHEN_INVALID

    def read(headers: Mapping[str, str]) -> Any:
        found = headers.get(name)
        if found is None:
            return None
        try:
            return decode(found)
        except ParseError:
            if is_ignorable:
                return None
            raise

    return read


def _prefix_reader(prefix: str) -> HeaderReader:
    start = len(prefix)

    def read(headers: Mapping[str, str]) -> dict[str, str] | None:
        found = {
            name[start:]: value
            for name, value in headers.items()
            if name.startswith(prefix) and len(name) > start
        }
        return found or None

    return read


def split_header_list(text: str) -> list[str]:
    """The items of a comma-separated header, with quotes and backslashes undone.

    Raises:
        ParseError: a quote that isn't closed, or text after one.
    """
    items: list[str] = []
    position = 0
    while position < len(text):
        match = _HEADER_ITEM.match(text, position)
        if match is None:
            raise ParseError("Invalid list in header", ("header", text))
        quoted, plain = match.groups()
        items.append(plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        position = match.end()
    return items


def _split_dates(text: str) -> list[str]:
    """HTTP dates hold a comma each; the second one stands between two dates."""
    parts = text.split(",")
    return [",".join(parts[i : i + 2]).strip() for i in range(0, len(parts), 2)]
