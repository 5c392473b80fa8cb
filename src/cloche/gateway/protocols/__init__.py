"""AWS's wire protocols, server side, compiled from botocore's service models.

`compile_parser`, `compile_validator` and `compile_serializer` make one function for each
operation and protocol, `serialize_error` answers what went wrong. No other part of the gateway
knows a protocol.
"""

from cloche.gateway.protocols.error_answers import serialize_error
from cloche.gateway.protocols.event_input import EventStreamDecoder
from cloche.gateway.protocols.parsing import ParsedHttp, Parser, compile_parser
from cloche.gateway.protocols.serializing import Serializer, compile_serializer
from cloche.gateway.protocols.shapes import ProtocolName
from cloche.gateway.protocols.validation import Validator, compile_validator

__all__ = [
    "EventStreamDecoder",
    "ParsedHttp",
    "Parser",
    "ProtocolName",
    "Serializer",
    "Validator",
    "compile_parser",
    "compile_serializer",
    "compile_validator",
    "serialize_error",
]
