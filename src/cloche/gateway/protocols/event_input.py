"""Frames that a client streams → events as dicts with one member, the event's name."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any

from cloche.core.errors import SerializationException
from cloche.gateway.protocols.bodies import compile_body_decoder
from cloche.gateway.protocols.event_stream import FrameDecoder, Message
from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.shapes import ProtocolName, Shape, operation_traits

EventReader = Callable[[Message], dict[str, Any]]


class EventStreamDecoder:
    """Reads the events of one operation's input stream."""

    def __init__(self, operation_model: Any, protocol: ProtocolName) -> None:
        operation = operation_traits(operation_model)
        member = operation.input.event_stream_member() if operation.input else None
        if operation.input is None or member is None:
            raise ValueError(f"{operation.name} takes no event stream")
        events = operation.input.members[member].members
        self._events = {name: _event_reader(event, protocol) for name, event in events.items()}
        self._initial = compile_body_decoder(operation.input, protocol)

    def event(self, message: Message) -> dict[str, Any]:
        """What a message says; events that the model does not know give an empty dict.

        Raises:
            ParseError: the message does not fit the model.
        """
        name = message.headers.get(":event-type")
        if message.headers.get(":message-type") != "event" or not isinstance(name, str):
            raise ParseError("The message is no event")
        if name == "initial-request":
            return {name: self._initial(message.payload) if message.payload else {}}
        reader = self._events.get(name)
        return {} if reader is None else {name: reader(message)}

    async def events(self, body: AsyncIterable[bytes]) -> AsyncIterator[dict[str, Any]]:
        """The events of a request's body, as they come in.

        Raises:
            SerializationException: the body is no event stream, or ends within a message.
        """
        decoder = FrameDecoder()
        try:
            async for chunk in body:
                for message in decoder.feed(chunk):
                    event = self.event(message)
                    if event:
                        yield event
            if not decoder.is_empty:
                raise ParseError("The event stream was truncated")
        except ParseError as error:
            raise SerializationException(error.message) from error


def _event_reader(shape: Shape, protocol: ProtocolName) -> EventReader:
    in_headers = [key for key, member in shape.members.items() if member.traits.get("eventheader")]
    read_payload = _payload_reader(shape, protocol)

    def read(message: Message) -> dict[str, Any]:
        event: dict[str, Any] = {
            key: message.headers[key] for key in in_headers if key in message.headers
        }
        if message.payload:
            event.update(read_payload(message.payload))
        return event

    return read


def _payload_reader(shape: Shape, protocol: ProtocolName) -> Callable[[bytes], dict[str, Any]]:
    for key, member in shape.members.items():
        if member.traits.get("eventpayload"):
            if member.kind == "blob":
                return lambda payload: {key: payload}
            if member.kind == "string":
                return lambda payload: {key: _text(payload)}
            decode = compile_body_decoder(member, protocol)
            return lambda payload: {key: decode(payload)}
    return compile_body_decoder(shape, protocol)


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise ParseError("Invalid UTF-8 in event") from error
