"""What operations give → answers: one compiled serializer for each operation and protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloche.gateway.http.messages import Response, ResponseBody
from cloche.gateway.protocols.bodies import BodyEncoder, compile_body_encoder, media_type
from cloche.gateway.protocols.event_output import EventStreamEncoder, initial_response
from cloche.gateway.protocols.event_stream import CONTENT_TYPE as EVENT_STREAM
from cloche.gateway.protocols.rest_output import Headers, RestOutput
from cloche.gateway.protocols.s3_answers import location_document, root_name
from cloche.gateway.protocols.shapes import (
    OperationTraits,
    ProtocolName,
    Shape,
    operation_traits,
)
from cloche.gateway.protocols.xml_output import (
    XML_DECLARATION,
    XmlCompiler,
    escape,
    escape_attribute,
)

Serializer = Callable[[Mapping[str, Any], str], Response]
"""Takes an operation's output and the request's id; `x-amzn-requestid` is the gateway's to add.

A KeyError means that the operation gave a member that the model does not have.
"""

_BodyWriter = Callable[[Mapping[str, Any], Headers], ResponseBody]


def compile_serializer(operation_model: Any, protocol: ProtocolName) -> Serializer:
    """Compile the serializer of a `botocore.model.OperationModel` for a protocol."""
    operation = operation_traits(operation_model)
    if protocol in ("query", "ec2"):
        return _query_serializer(operation, is_ec2=protocol == "ec2")
    if protocol in ("rest-json", "rest-xml"):
        return _rest_serializer(operation, protocol)
    return _rpc_serializer(operation, protocol)


def rpc_headers(protocol: ProtocolName, json_version: str) -> Headers:
    """Headers of the JSON and CBOR protocols' answers and errors."""
    if protocol == "json":
        return [("content-type", f"application/x-amz-json-{json_version}")]
    return [("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]


def _rpc_serializer(operation: OperationTraits, protocol: ProtocolName) -> Serializer:
    headers = rpc_headers(protocol, operation.service.json_version)
    shape = operation.output
    stream = None if shape is None else shape.event_stream_member()
    if shape is None:
        if protocol != "json":
            return lambda _output, _request_id: Response(200, headers[1:])
        body = b"{}"
        return lambda _output, _request_id: Response(200, headers.copy(), body)
    if stream is not None:
        return _rpc_stream_serializer(shape, stream, protocol)
    encode = compile_body_encoder(shape, protocol)
    return lambda output, _request_id: Response(200, headers.copy(), encode(output))


def _rpc_stream_serializer(shape: Shape, stream: str, protocol: ProtocolName) -> Serializer:
    only = frozenset(name for name in shape.members if name != stream)
    encode = compile_body_encoder(shape, protocol, only)
    events = EventStreamEncoder(shape.members[stream], protocol)
    headers = [("content-type", EVENT_STREAM)]
    if protocol != "json":
        headers.append(("smithy-protocol", "rpc-v2-cbor"))

    def serialize(output: Mapping[str, Any], _request_id: str) -> Response:
        members = {name: value for name, value in output.items() if name != stream}
        first = initial_response(encode(members), protocol)
        return Response(200, headers.copy(), events.frames(output[stream], first))

    return serialize


def _query_serializer(operation: OperationTraits, *, is_ec2: bool) -> Serializer:
    shape = operation.output
    encode = None if shape is None else XmlCompiler().contents(shape)
    namespace = operation.service.xml_namespace
    attribute = f' xmlns="{escape_attribute(namespace)}"' if namespace else ""
    start = f"{XML_DECLARATION}<{operation.name}Response{attribute}>"
    end = f"</{operation.name}Response>"
    opening = closing = ""
    if shape is not None and not is_ec2:
        wrapper = shape.traits.get("resultWrapper") or f"{operation.name}Result"
        opening, closing = f"<{wrapper}>", f"</{wrapper}>"

    def serialize(output: Mapping[str, Any], request_id: str) -> Response:
        result = "" if encode is None else f"{opening}{encode(output)}{closing}"
        identity = escape(request_id)
        if is_ec2:
            text = f"{start}<requestId>{identity}</requestId>{result}{end}"
        else:
            text = (
                f"{start}{result}<ResponseMetadata><RequestId>{identity}</RequestId>"
                f"</ResponseMetadata>{end}"
            )
        return Response(200, [("content-type", "text/xml;charset=UTF-8")], text.encode())

    return serialize


def _rest_serializer(operation: OperationTraits, protocol: ProtocolName) -> Serializer:
    shape, status = operation.output, operation.status
    if shape is None:
        return lambda _output, _request_id: Response(status)
    bindings = RestOutput(shape)
    write_body = _body_writer(operation, shape, bindings, protocol)

    def serialize(output: Mapping[str, Any], _request_id: str) -> Response:
        code, headers = bindings.write(output, status)
        return Response(code, headers, write_body(output, headers))

    return serialize


def _body_writer(
    operation: OperationTraits, shape: Shape, bindings: RestOutput, protocol: ProtocolName
) -> _BodyWriter:
    if operation.service.is_s3 and operation.name == "GetBucketLocation":
        return _location_writer(operation.service.xml_namespace)
    if shape.payload is not None:
        return _payload_writer(operation, shape.payload, shape.members[shape.payload], protocol)
    if operation.method == "HEAD" or not bindings.body_members:
        return _empty_writer(frozenset(shape.members))
    encode = _rest_encoder(operation, shape, bindings.body_members, protocol)
    content_type = media_type(protocol)

    def write(output: Mapping[str, Any], headers: Headers) -> ResponseBody:
        headers.append(("content-type", content_type))
        return encode(output)

    return write


def _empty_writer(known: frozenset[str]) -> _BodyWriter:
    def write(output: Mapping[str, Any], _headers: Headers) -> ResponseBody:
        for name in output:
            if name not in known:
                raise KeyError(name)
        return b""

    return write


def _location_writer(namespace: str) -> _BodyWriter:
    def write(output: Mapping[str, Any], headers: Headers) -> ResponseBody:
        headers.append(("content-type", "application/xml"))
        return location_document(output.get("LocationConstraint") or "", namespace)

    return write


def _rest_encoder(
    operation: OperationTraits, shape: Shape, only: frozenset[str] | None, protocol: ProtocolName
) -> BodyEncoder:
    is_s3 = operation.service.is_s3
    root = shape.wire_name or shape.name
    if is_s3:
        root = root_name(operation.name, root)
    elif only is not None:
        root = shape.wire_name or f"{operation.name}Response"
    return compile_body_encoder(
        shape,
        protocol,
        only,
        root=root,
        namespace=operation.service.xml_namespace,
        has_milliseconds=is_s3,
    )


def _payload_writer(
    operation: OperationTraits, name: str, payload: Shape, protocol: ProtocolName
) -> _BodyWriter:
    if payload.is_event_stream:
        events = EventStreamEncoder(payload, protocol)

        def write_events(output: Mapping[str, Any], headers: Headers) -> ResponseBody:
            headers.append(("content-type", EVENT_STREAM))
            return events.frames(output[name])

        return write_events
    if payload.kind in ("blob", "string"):
        default_type = "application/octet-stream" if payload.kind == "blob" else "text/plain"
        return _raw_writer(name, default_type)
    encode = _rest_encoder(operation, payload, None, protocol)
    content_type = media_type(protocol)

    def write(output: Mapping[str, Any], headers: Headers) -> ResponseBody:
        value = output.get(name)
        if value is None or operation.method == "HEAD":
            return b""
        headers.append(("content-type", content_type))
        return encode(value)

    return write


def _raw_writer(name: str, default_type: str) -> _BodyWriter:
    """Bytes, files and streams go out as they are."""

    def write(output: Mapping[str, Any], headers: Headers) -> ResponseBody:
        value: Any = output.get(name)
        if value is None:
            return b""
        if not any(key == "content-type" for key, _ in headers):
            headers.append(("content-type", default_type))
        return value.encode() if isinstance(value, str) else value

    return write
