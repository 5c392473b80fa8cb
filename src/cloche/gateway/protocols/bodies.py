"""Body codecs by protocol, for whole bodies and for the payloads of events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloche.gateway.protocols.cbor_input import compile_cbor_decoder, decode_cbor
from cloche.gateway.protocols.cbor_output import compile_cbor_encoder
from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.json_input import check_depth, compile_json_decoder, decode_json
from cloche.gateway.protocols.json_output import compile_json_encoder, encode_json
from cloche.gateway.protocols.shapes import ProtocolName, Shape
from cloche.gateway.protocols.typed_json import compile_typed_decoder
from cloche.gateway.protocols.xml_input import XmlDecoder, compile_xml_decoder
from cloche.gateway.protocols.xml_output import XML_DECLARATION, XmlCompiler
from cloche.gateway.protocols.xml_tree import parse_xml

BodyDecoder = Callable[[bytes], Any]
BodyEncoder = Callable[[Any], bytes]

_MEDIA_TYPES = {
    "json": "application/json",
    "rest-json": "application/json",
    "rest-xml": "application/xml",
    "smithy-rpc-v2-cbor": "application/cbor",
    "query": "text/xml",
    "ec2": "text/xml",
}


def media_type(protocol: ProtocolName) -> str:
    """Content type of a protocol's structures; that of a whole JSON-RPC body names its version."""
    return _MEDIA_TYPES[protocol]


def compile_body_decoder(
    shape: Shape,
    protocol: ProtocolName,
    only: frozenset[str] | None = None,
    *,
    root: str = "",
) -> BodyDecoder:
    """A function that reads a body that is not empty; it raises ParseError.

    Args:
        shape: of the body.
        protocol: any but the form protocols.
        only: the members of a structure that stand in the body, all unless given.
        root: name that an XML body's root element must have; any will do unless given.
    """
    if protocol == "smithy-rpc-v2-cbor":
        decode_item = compile_cbor_decoder(shape)
        return lambda data: decode_item(decode_cbor(data))
    if protocol == "rest-xml":
        return _xml_decoder(compile_xml_decoder(shape, only), root)
    decode_value = compile_json_decoder(shape, only)
    if not shape.nests_without_bound():
        typed = compile_typed_decoder(shape, only, decode_value)
        return typed or (lambda data: decode_value(decode_json(data)))

    def decode_bounded(data: bytes) -> Any:
        value = decode_json(data)
        check_depth(value)
        return decode_value(value)

    return decode_bounded


def _xml_decoder(decode_element: XmlDecoder, root: str) -> BodyDecoder:
    def decode(data: bytes) -> Any:
        element = parse_xml(data)
        if root and element.name != root:
            raise ParseError(f"The root element is {element.name[:64]} instead of {root}")
        return decode_element(element)

    return decode


def compile_body_encoder(
    shape: Shape,
    protocol: ProtocolName,
    only: frozenset[str] | None = None,
    *,
    root: str = "",
    namespace: str = "",
    has_milliseconds: bool = False,
) -> BodyEncoder:
    """A function that writes a body.

    Args:
        shape: of the body.
        protocol: any but the form protocols.
        only: the members of a structure that stand in the body, all unless given.
        root: name of the XML root element, the shape's unless given.
        namespace: of the XML root element, where the shape has none.
        has_milliseconds: write them in all timestamps in XML.
    """
    if protocol == "smithy-rpc-v2-cbor":
        return _cbor_encoder(shape)
    if protocol != "rest-xml":
        convert = compile_json_encoder(shape, only)
        return lambda value: encode_json(convert(value))
    compiler = XmlCompiler(has_milliseconds=has_milliseconds)
    name = root or shape.wire_name or shape.name
    encode = compiler.element(shape, name, namespace, only)
    return lambda value: (XML_DECLARATION + encode(value)).encode()


def _cbor_encoder(shape: Shape) -> BodyEncoder:
    encode = compile_cbor_encoder(shape)

    def encode_body(value: Any) -> bytes:
        out = bytearray()
        encode(out, value)
        return bytes(out)

    return encode_body
