"""Requests → what operations take: one compiled parser for each operation and protocol."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any, Protocol

from cloche.gateway.protocols.bodies import compile_body_decoder
from cloche.gateway.protocols.faults import (
    NotAcceptableException,
    ParseError,
    RequestEntityTooLargeException,
    UnsupportedMediaTypeException,
    fault_of,
)
from cloche.gateway.protocols.form_input import compile_form_decoder, parse_form
from cloche.gateway.protocols.rest_input import RestInput
from cloche.gateway.protocols.shapes import (
    OperationTraits,
    ProtocolName,
    Shape,
    operation_traits,
)

MAXIMUM_UNPACKED_BYTES = 64 * 1024 * 1024
"""What a compressed body may unpack to."""


class ParsedHttp(Protocol):
    """What parsers read of a request: `gateway.http.messages.Request` fits."""

    raw_path: str
    query_string: str
    headers: dict[str, str]


InputBody = bytes | AsyncIterable[bytes]
_Reader = Callable[[ParsedHttp, InputBody], dict[str, Any]]


class Parser:
    """Reads the requests of one operation in one protocol.

    Attributes:
        streaming_member: input member whose value is the body as it was given, unread: a
            streaming blob or an event stream. None if the body must be given as bytes.
    """

    def __init__(
        self,
        read: _Reader,
        protocol: ProtocolName,
        *,
        is_s3: bool,
        streaming_member: str | None,
    ) -> None:
        self._read = read
        self._protocol = protocol
        self._is_s3 = is_s3
        self.streaming_member = streaming_member

    def __call__(self, request: ParsedHttp, body: InputBody) -> dict[str, Any]:
        """Read a request.

        Args:
            request: its path, query string and headers.
            body: all of it, or any stream where `streaming_member` is set.

        Raises:
            AWSError: the request cannot be read; the error that AWS gives for it.
        """
        try:
            return self._read(request, body)
        except ParseError as error:
            raise fault_of(error, self._protocol, is_s3=self._is_s3) from error


def compile_parser(operation_model: Any, protocol: ProtocolName) -> Parser:
    """Compile the parser of a `botocore.model.OperationModel` for a protocol."""
    operation = operation_traits(operation_model)
    shape = operation.input
    streaming_member = None if shape is None else shape.event_stream_member()
    if shape is None:
        read = _no_input
    elif protocol in ("rest-json", "rest-xml"):
        payload = shape.members.get(shape.payload or "")
        if payload is not None and payload.is_streaming:
            streaming_member = shape.payload
        read = _rest_reader(operation, shape, protocol)
    elif streaming_member is not None:
        read = _stream_reader(streaming_member)
    elif protocol in ("query", "ec2"):
        read = _form_reader(shape, is_ec2=protocol == "ec2")
    else:
        read = _document_reader(shape, protocol)
    return Parser(read, protocol, is_s3=operation.service.is_s3, streaming_member=streaming_member)


def _no_input(*_request: Any) -> dict[str, Any]:
    return {}


def _stream_reader(member: str) -> _Reader:
    return lambda _request, body: {member: body}


def _form_reader(shape: Shape, *, is_ec2: bool) -> _Reader:
    decode = compile_form_decoder(shape, is_ec2=is_ec2)

    def read(request: ParsedHttp, body: InputBody) -> dict[str, Any]:
        data = unpacked(body, request.headers)
        return decode(parse_form(data, request.query_string))

    return read


def _document_reader(shape: Shape, protocol: ProtocolName) -> _Reader:
    decode = compile_body_decoder(shape, protocol)

    def read(request: ParsedHttp, body: InputBody) -> dict[str, Any]:
        data = unpacked(body, request.headers)
        return decode(data) if data else {}

    return read


def _rest_reader(operation: OperationTraits, shape: Shape, protocol: ProtocolName) -> _Reader:
    bindings = RestInput(operation, shape)
    read_body = _payload_reader(shape, protocol, is_s3=operation.service.is_s3)
    must_accept_json = (
        protocol == "rest-json"
        and not _has_header(shape, "accept")
        and _answers_json(operation.output)
    )

    takes_encoding = _has_header(shape, "content-encoding") and not _is_raw(shape)

    def read(request: ParsedHttp, body: InputBody) -> dict[str, Any]:
        headers = request.headers
        if must_accept_json:
            _check_accept(headers.get("accept", ""))
        bound = _unpacked_headers(headers) if takes_encoding else headers
        result = bindings.read(request.raw_path, request.query_string, bound)
        read_body(headers, body, result)
        return result

    return read


_PayloadReader = Callable[[Mapping[str, str], InputBody, dict[str, Any]], None]


def _payload_reader(shape: Shape, protocol: ProtocolName, *, is_s3: bool) -> _PayloadReader:
    name = shape.payload
    if name is None:
        return _members_reader(shape, protocol)
    payload = shape.members[name]
    if payload.is_streaming or payload.is_event_stream:
        return lambda _headers, body, result: result.update({name: body})
    if payload.kind in ("blob", "string"):
        return _text_reader(name, is_blob=payload.kind == "blob")
    # S3 holds documents to its schema, where other services leave the root's name open.
    root = (payload.wire_name or payload.name) if is_s3 else ""
    decode = compile_body_decoder(payload, protocol, root=root)
    must_be_json = protocol == "rest-json" and not _has_header(shape, "content-type")

    def read(headers: Mapping[str, str], body: InputBody, result: dict[str, Any]) -> None:
        data = unpacked(body, headers)
        if data:
            if must_be_json:
                _check_content_type(headers)
            result[name] = decode(data)

    return read


def _members_reader(shape: Shape, protocol: ProtocolName) -> _PayloadReader:
    only = frozenset(name for name, member in shape.members.items() if member.location is None)
    if not only:
        return lambda _headers, _body, _result: None
    decode = compile_body_decoder(shape, protocol, only)
    must_be_json = protocol == "rest-json" and not _has_header(shape, "content-type")

    def read(headers: Mapping[str, str], body: InputBody, result: dict[str, Any]) -> None:
        data = unpacked(body, headers)
        if data:
            if must_be_json:
                _check_content_type(headers)
            result.update(decode(data))

    return read


def _text_reader(name: str, *, is_blob: bool) -> _PayloadReader:
    def read(_headers: Mapping[str, str], body: InputBody, result: dict[str, Any]) -> None:
        data = _bytes(body)
        if not data:
            return
        try:
            result[name] = data if is_blob else data.decode()
        except UnicodeDecodeError as error:
            raise ParseError("Invalid UTF-8 in the body") from error

    return read


def _is_raw(shape: Shape) -> bool:
    """Whether the body is handed on as it is, so that its encoding is the client's affair."""
    return shape.payload is not None and shape.members[shape.payload].kind in ("blob", "string")


def _has_header(shape: Shape, header: str) -> bool:
    return any(
        member.location == "header" and (member.wire_name or name).lower() == header
        for name, member in shape.members.items()
    )


def _answers_json(output: Shape | None) -> bool:
    if output is None or output.payload is None:
        return output is not None
    return output.members[output.payload].kind == "structure"


def _check_content_type(headers: Mapping[str, str]) -> None:
    """Refuse a body that says it is something else; older SDKs don't say what theirs is."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in ("application/json", ""):
        raise UnsupportedMediaTypeException("The content type must be application/json")


def _check_accept(accept: str) -> None:
    if not accept:
        return
    for item in accept.split(","):
        media_type = item.partition(";")[0].strip().lower()
        if media_type in ("application/json", "application/*", "*/*", "*"):
            return
    raise NotAcceptableException("The answer is application/json, which is not accepted")


def _bytes(body: InputBody) -> bytes:
    if isinstance(body, bytes):
        return body
    raise TypeError("this operation's body must be read before it is parsed")


def unpacked(body: InputBody, headers: Mapping[str, str]) -> bytes:
    """The body as it was before the client compressed it.

    Raises:
        ParseError: it is not what its `content-encoding` says.
        RequestEntityTooLargeException: it unpacks to more than `MAXIMUM_UNPACKED_BYTES`.
    """
    data = _bytes(body)
    if not data or not _is_packed(headers):
        return data
    unpacker = zlib.decompressobj(wbits=31)
    try:
        result = unpacker.decompress(data, MAXIMUM_UNPACKED_BYTES)
    except zlib.error as error:
        raise ParseError("The body is not compressed as its content-encoding says") from error
    if unpacker.unconsumed_tail:
        raise RequestEntityTooLargeException("The unpacked body is too large")
    if not unpacker.eof:
        raise ParseError("The compressed body was truncated")
    return result


def _is_packed(headers: Mapping[str, str]) -> bool:
    encoding = headers.get("content-encoding")
    return encoding is not None and encoding.rpartition(",")[2].strip().lower() == "gzip"


def _unpacked_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers of the body as it was before the client compressed it."""
    if not _is_packed(headers):
        return headers
    result = dict(headers)
    encoding = result.pop("content-encoding").rpartition(",")[0].strip()
    return {**result, "content-encoding": encoding} if encoding else result
