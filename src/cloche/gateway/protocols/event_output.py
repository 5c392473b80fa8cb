"""Event streams that operations give → frames."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from cloche.core.errors import AWSError
from cloche.gateway.protocols.bodies import BodyEncoder, compile_body_encoder, media_type
from cloche.gateway.protocols.event_stream import (
    encode_frame,
    encode_header,
    encode_header_value,
    encode_text_headers,
)
from cloche.gateway.protocols.shapes import ProtocolName, Shape

EventEncoder = Callable[[Mapping[str, Any]], bytes]


class EventStreamEncoder:
    """Encodes the events of one stream: each a dict with one member, the event's name."""

    def __init__(self, shape: Shape, protocol: ProtocolName) -> None:
        self._events: dict[str, EventEncoder] = {}
        self._errors: dict[str, tuple[Shape, BodyEncoder]] = {}
        self._media_type = media_type(protocol)
        for name, member in shape.members.items():
            if member.is_exception:
                self._errors[name] = member, compile_body_encoder(member, protocol)
            else:
                self._events[name] = _event_encoder(name, member, protocol)

    def event(self, event: Mapping[str, Any]) -> bytes:
        """The frame of an event; KeyError if the model has no such event."""
        ((name, value),) = event.items()
        return self._events[name](value)

    def error(self, error: AWSError) -> bytes:
        """The frame of an error, after which the stream ends."""
        for name, (shape, encode) in self._errors.items():
            if error.code in (name, shape.name):
                headers = {
                    ":message-type": "exception",
                    ":exception-type": name,
                    ":content-type": self._media_type,
                }
                return encode_frame(
                    encode_text_headers(headers), encode(error_members(error, shape))
                )
        headers = {
            ":message-type": "error",
            ":error-code": error.code,
            ":error-message": error.message,
        }
        return encode_frame(encode_text_headers(headers), b"")

    async def frames(
        self, events: AsyncIterator[Mapping[str, Any]], first: bytes = b""
    ) -> AsyncIterator[bytes]:
        """The frames of a stream; an AWSError raised by it becomes its last frame."""
        if first:
            yield first
        try:
            async for event in events:
                yield self.event(event)
        except AWSError as error:
            yield self.error(error)


def initial_response(payload: bytes, protocol: ProtocolName) -> bytes:
    """The frame that carries the members beside the stream, where there are no headers for them."""
    headers = {
        ":message-type": "event",
        ":event-type": "initial-response",
        ":content-type": media_type(protocol),
    }
    return encode_frame(encode_text_headers(headers), payload)


def error_members(error: AWSError, shape: Shape) -> dict[str, Any]:
    """An error's members by their names in the model, the message among them."""
    members = {name: value for name, value in error.members.items() if name in shape.members}
    for name in ("message", "Message", "errorMessage"):
        if name in shape.members and error.message:
            members.setdefault(name, error.message)
    return members


def _event_encoder(name: str, shape: Shape, protocol: ProtocolName) -> EventEncoder:
    payload_member = next(
        (key for key, member in shape.members.items() if member.traits.get("eventpayload")), None
    )
    in_headers = {
        key: member.kind
        for key, member in shape.members.items()
        if member.traits.get("eventheader")
    }
    content_type, encode_payload = _payload_encoder(shape, payload_member, in_headers, protocol)
    fixed = {":message-type": "event", ":event-type": name}
    if content_type:
        fixed[":content-type"] = content_type
    fixed_headers = encode_text_headers(fixed)

    def encode(event: Mapping[str, Any]) -> bytes:
        headers = fixed_headers + b"".join(
            encode_header(key, encode_header_value(event[key], kind))
            for key, kind in in_headers.items()
            if event.get(key) is not None
        )
        return encode_frame(headers, encode_payload(event))

    return encode


def _payload_encoder(
    shape: Shape, payload_member: str | None, in_headers: Mapping[str, str], protocol: ProtocolName
) -> tuple[str, BodyEncoder]:
    """The payload's content type and what writes it; an event with no payload has neither."""
    if payload_member is None:
        only = frozenset(key for key in shape.members if key not in in_headers)
        if not only:
            return "", lambda _event: b""
        encode_rest = compile_body_encoder(shape, protocol, only)
        return media_type(protocol), lambda event: encode_rest(
            {key: value for key, value in event.items() if key in only}
        )
    payload = shape.members[payload_member]
    if payload.kind == "blob":
        return "application/octet-stream", lambda event: event.get(payload_member) or b""
    if payload.kind == "string":
        return "text/plain", lambda event: (event.get(payload_member) or "").encode()
    encode = compile_body_encoder(payload, protocol)
    return media_type(protocol), lambda event: encode(event.get(payload_member) or {})
