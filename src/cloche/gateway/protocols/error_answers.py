"""Errors → answers, as each protocol shapes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from cloche.core.errors import AWSError
from cloche.gateway.http.messages import Response
from cloche.gateway.protocols.cbor_output import (
    CborEncoder,
    append_map,
    compile_cbor_encoder,
    encode_string,
    encode_text,
)
from cloche.gateway.protocols.event_output import error_members
from cloche.gateway.protocols.json_output import compile_json_encoder, encode_json
from cloche.gateway.protocols.rest_output import Headers, RestOutput, clean_header
from cloche.gateway.protocols.serializing import rpc_headers
from cloche.gateway.protocols.shapes import ProtocolName, ServiceTraits, Shape, service_traits
from cloche.gateway.protocols.xml_output import (
    XML_DECLARATION,
    XmlCompiler,
    escape,
    escape_attribute,
)

_MESSAGES = ("message", "Message", "errorMessage")


def serialize_error(
    service_model: Any,
    protocol: ProtocolName,
    error: AWSError,
    request_id: str,
    *,
    query_mode: bool = False,
    is_head: bool = False,
) -> Response:
    """The answer that tells a client of an error.

    Args:
        service_model: a `botocore.model.ServiceModel`, where the error's members and status are.
        protocol: that the request came in.
        error: a modelled exception by its code or its shape's name, or any other.
        request_id: for the bodies that hold it.
        query_mode: the request said `x-amzn-query-mode: true`, and so wants the code that the
            service had when it spoke query, in a header.
        is_head: the request was a HEAD: no body.
    """
    catalog = _Catalog.of(service_model)
    known = _KnownError(catalog, error)
    if protocol in ("query", "ec2"):
        response = _query_error(known, request_id, is_ec2=protocol == "ec2")
    elif protocol == "rest-xml":
        response = _xml_error(known, request_id)
    elif protocol == "rest-json":
        response = _rest_json_error(known)
    else:
        response = _rpc_error(known, protocol)
        if query_mode and catalog.service.is_query_compatible:
            text = f"{known.query_code};{known.fault}"
            response.headers.append(("x-amzn-query-error", clean_header(text)))
    for name, value in error.headers.items():
        response.headers.append((name.lower(), clean_header(value)))
    if is_head:
        response.body = b""
    return response


class _Catalog:
    """A service's exceptions by code and by shape name."""

    _known: ClassVar[WeakKeyDictionary[Any, _Catalog]] = WeakKeyDictionary()

    def __init__(self, service_model: Any) -> None:
        self.service: ServiceTraits = service_traits(service_model)
        self.shapes: dict[str, Shape] = {}
        shapes = [Shape(model) for model in service_model.error_shapes]
        for shape in shapes:
            self.shapes.setdefault(_modelled_code(shape), shape)
        for shape in shapes:
            self.shapes[shape.name] = shape

    @classmethod
    def of(cls, service_model: Any) -> _Catalog:
        catalog = cls._known.get(service_model)
        if catalog is None:
            catalog = cls._known[service_model] = cls(service_model)
        return catalog


def _error_trait(shape: Shape | None) -> Mapping[str, Any]:
    return shape.traits.get("error", {}) if shape is not None else {}


def _modelled_code(shape: Shape) -> str:
    return _error_trait(shape).get("code") or shape.name


class _KnownError:
    """An error with what the model says of it.

    Attributes:
        code: as the protocol's errors name it.
        query_code: as the query protocol names it.
        status: HTTP status.
        fault: `Sender` or `Receiver`.
        shape: of the modelled exception, or None.
        members: the modelled members' values.
    """

    def __init__(self, catalog: _Catalog, error: AWSError) -> None:
        self.service = catalog.service
        self.error = error
        self.shape = shape = catalog.shapes.get(error.code)
        trait = _error_trait(shape)
        self.code: str = error.code if shape is None else _modelled_code(shape)
        # botocore's model of SQS has lost its codes: its errors may bring them along.
        self.query_code: str = getattr(error, "query_code", "") or self.code
        if shape is not None and catalog.service.is_query_compatible:
            self.code = shape.name
        default = 500 if shape is not None and shape.is_fault else error.status
        self.status: int = trait.get("httpStatusCode") or default
        self.fault = "Sender" if self.status < 500 else "Receiver"
        self.members = {} if shape is None else error_members(error, shape)

    def json_members(self, only: frozenset[str] | None = None) -> dict[str, Any]:
        """The body's members as JSON, with the message where the model has no member for it."""
        if self.shape is None:
            return {"message": self.error.message} if self.error.message else {}
        body = compile_json_encoder(self.shape, only)(self.members)
        if self.error.message and not any(name in self.shape.members for name in _MESSAGES):
            body["message"] = self.error.message
        return body


def _rpc_error(known: _KnownError, protocol: ProtocolName) -> Response:
    headers = rpc_headers(protocol, known.service.json_version)
    if protocol == "json":
        body = encode_json({"__type": known.code, **known.json_members()})
        return Response(known.status, headers, body)
    return Response(known.status, headers, _cbor_body(known))


def _cbor_body(known: _KnownError) -> bytes:
    entries: list[tuple[bytes, CborEncoder, Any]] = [
        (encode_text("__type"), encode_string, known.code)
    ]
    shape, message = known.shape, known.error.message
    for name, value in known.members.items():
        if shape is not None and value is not None:
            entries.append((encode_text(name), compile_cbor_encoder(shape.members[name]), value))
    if message and not any(name in known.members for name in _MESSAGES):
        entries.append((encode_text("message"), encode_string, message))
    out = bytearray()
    append_map(out, entries)
    return bytes(out)


def _rest_json_error(known: _KnownError) -> Response:
    headers: Headers = [
        ("content-type", "application/json"),
        ("x-amzn-errortype", clean_header(known.code)),
    ]
    only = None
    if known.shape is not None:
        bindings = RestOutput(known.shape)
        only = bindings.body_members
        headers += bindings.write(known.members, known.status)[1]
    return Response(known.status, headers, encode_json(known.json_members(only)))


def _xml_members(known: _KnownError, only: frozenset[str] | None = None) -> str:
    """The modelled members' elements, without those that all errors have."""
    if known.shape is None:
        return ""
    members = {
        name: value
        for name, value in known.members.items()
        if name not in ("Code", "code", "Type", *_MESSAGES)
    }
    return XmlCompiler().contents(known.shape, only)(members)


def _message_element(known: _KnownError) -> str:
    message = known.error.message
    return f"<Message>{escape(message)}</Message>" if message else ""


def _query_error(known: _KnownError, request_id: str, *, is_ec2: bool) -> Response:
    code, message = escape(known.query_code), _message_element(known)
    details = _xml_members(known)
    identity = escape(request_id)
    if is_ec2:
        text = (
            f"<Response><Errors><Error><Code>{code}</Code>{message}{details}"
            f"</Error></Errors><RequestID>{identity}</RequestID></Response>"
        )
    else:
        text = _error_response(known, code, message, details, identity)
    headers = [("content-type", "text/xml;charset=UTF-8")]
    return Response(known.status, headers, (XML_DECLARATION + text).encode())


def _error_response(
    known: _KnownError, code: str, message: str, details: str, identity: str
) -> str:
    namespace = known.service.xml_namespace
    attribute = f' xmlns="{escape_attribute(namespace)}"' if namespace else ""
    return (
        f"<ErrorResponse{attribute}><Error><Type>{known.fault}</Type><Code>{code}</Code>"
        f"{message}{details}</Error><RequestId>{identity}</RequestId>"
        "</ErrorResponse>"
    )


def _xml_error(known: _KnownError, request_id: str) -> Response:
    code, message = escape(known.query_code), _message_element(known)
    identity = escape(request_id)
    headers: Headers = [("content-type", "application/xml")]
    only = None
    if known.shape is not None:
        bindings = RestOutput(known.shape)
        only = bindings.body_members
        headers += bindings.write(known.members, known.status)[1]
    if known.service.is_s3:
        text = (
            f"<Error><Code>{code}</Code>{message}{_s3_details(known)}"
            f"<RequestId>{identity}</RequestId><HostId>{identity}</HostId></Error>"
        )
    else:
        text = _error_response(known, code, message, _xml_members(known, only), identity)
    return Response(known.status, headers, (XML_DECLARATION + text).encode())


def _s3_details(known: _KnownError) -> str:
    """S3's errors carry members that its model does not have (`Key`, `BucketName`, `Resource`)."""
    return "".join(
        f"<{name}>{escape(str(value))}</{name}>"
        for name, value in known.error.members.items()
        if value is not None
    )
