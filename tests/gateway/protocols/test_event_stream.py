"""Event streams, read and written by AWS's client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import botocore.parsers
import pytest
from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from cloche.core.errors import AWSError, SerializationException
from cloche.gateway.protocols import EventStreamDecoder, compile_serializer
from cloche.gateway.protocols.event_stream import (
    FrameDecoder,
    encode_frame,
    encode_header,
    encode_header_value,
    encode_text_headers,
)
from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.service_models import service_model
from tests.gateway.protocols.wire import REQUEST_ID, model, structure


class ResourceInUseException(AWSError):
    pass


class Gone(AWSError):
    pass


async def give(*events: Any) -> AsyncIterator[Any]:
    for event in events:
        if isinstance(event, AWSError):
            raise event
        yield event


def frames(
    service: str, name: str, protocol: Any, output: dict[str, Any]
) -> tuple[Any, list[bytes]]:
    serialize = compile_serializer(service_model(service).operation_model(name), protocol)
    response = serialize(output, REQUEST_ID)
    assert dict(response.headers)["content-type"] == "application/vnd.amazon.eventstream"

    async def collect() -> list[bytes]:
        body: Any = response.body
        return [frame async for frame in body]

    return response, asyncio.run(collect())


def client_events(service: str, name: str, protocol: str, response: Any, data: list[bytes]) -> Any:
    """The output that AWS's client gives, with its events in a list, and the error at its end."""
    operation = service_model(service).operation_model(name)

    class Raw:
        def stream(self) -> Any:
            return iter(data)

        def close(self) -> None:
            pass

    answer = {
        "status_code": 200,
        "headers": HeadersDict(response.headers),
        "body": Raw(),
        "context": {"operation_name": name},
    }
    return botocore.parsers.create_parser(protocol).parse(answer, operation.output_shape)


def test_kinesis_over_json() -> None:
    record = {
        "SequenceNumber": "1",
        "Data": b"x",
        "PartitionKey": "k",
        "ApproximateArrivalTimestamp": datetime(2020, 1, 1, tzinfo=UTC),
    }
    event = {
        "SubscribeToShardEvent": {
            "Records": [record], "ContinuationSequenceNumber": "1", "MillisBehindLatest": 0,
        }
    }  # fmt: skip
    events = give(event, ResourceInUseException("taken"))
    response, data = frames("kinesis", "SubscribeToShard", "json", {"EventStream": events})
    parsed = client_events("kinesis", "SubscribeToShard", "json", response, data)
    stream = iter(parsed["EventStream"])
    assert next(stream) == event
    with pytest.raises(Exception, match=r"ResourceInUseException.*taken"):
        next(stream)


def test_rest_json_payloads_and_unmodelled_errors() -> None:
    name = "InvokeEndpointWithResponseStream"
    events = give({"PayloadPart": {"Bytes": b"\x00\xff"}}, Gone("it is gone"))
    output = {"Body": events, "ContentType": "text/plain"}
    response, data = frames("sagemaker-runtime", name, "rest-json", output)
    assert ("x-amzn-sagemaker-content-type", "text/plain") in response.headers
    parsed = client_events("sagemaker-runtime", name, "rest-json", response, data)
    stream = iter(parsed["Body"])
    assert next(stream) == {"PayloadPart": {"Bytes": b"\x00\xff"}}
    with pytest.raises(Exception, match=r"Gone.*it is gone"):
        next(stream)


def test_s3_select() -> None:
    given_events = [
        {"Records": {"Payload": b"1,2\n"}},
        {"Stats": {"Details": {"BytesScanned": 4, "BytesProcessed": 4, "BytesReturned": 4}}},
        {"End": {}},
    ]
    output = {"Payload": give(*given_events)}
    response, data = frames("s3", "SelectObjectContent", "rest-xml", output)
    parsed = client_events("s3", "SelectObjectContent", "rest-xml", response, data)
    assert list(parsed["Payload"]) == given_events


SHAPES: dict[str, Any] = {
    "Input": structure(stream="Stream"),
    "Stream": {**structure(data="Data", note="Note"), "eventstream": True},
    "Data": {
        **structure(
            id={"shape": "Long", "eventheader": True}, bytes={"shape": "Blob", "eventpayload": True}
        ),
        "event": True,
    },
    "Note": {**structure(text="String"), "event": True},
}


def message(headers: dict[str, str], payload: bytes, **typed: tuple[Any, str]) -> bytes:
    encoded = encode_text_headers({":message-type": "event", **headers})
    for name, (value, kind) in typed.items():
        encoded += encode_header(name, encode_header_value(value, kind))
    return encode_frame(encoded, payload)


def read_events(*chunks: bytes) -> list[Any]:
    decoder = EventStreamDecoder(model(SHAPES, protocol="rest-json"), "rest-json")

    async def collect() -> list[Any]:
        return [event async for event in decoder.events(give(*chunks))]

    return asyncio.run(collect())


def test_events_of_a_client() -> None:
    data = message({":event-type": "data"}, b"abc", id=(7, "long"))
    note = message({":event-type": "note"}, b'{"text":"a"}')
    unknown = message({":event-type": "other"}, b"")
    stream = data + note + unknown
    wanted = [{"data": {"id": 7, "bytes": b"abc"}}, {"note": {"text": "a"}}]
    assert read_events(stream) == wanted
    assert read_events(*(stream[i : i + 1] for i in range(len(stream)))) == wanted


@pytest.mark.parametrize(
    "stream",
    [
        message({":event-type": "note"}, b'{"text":1}'),
        message({":event-type": "note"}, b"{"),
        message({":event-type": "note"}, b"{}")[:-1],
        message({":event-type": "note"}, b"{}")[:-1] + b"\x00",
        encode_frame(encode_text_headers({":message-type": "exception"}), b""),
        b"\x00" * 16,
    ],
)
def test_streams_that_cannot_be_read(stream: bytes) -> None:
    with pytest.raises(SerializationException):
        read_events(stream)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=9), max_size=3),
    st.binary(max_size=50),
    st.integers(1, 40),
)
def test_frames_are_those_of_the_client(headers: dict[str, str], payload: bytes, size: int) -> None:
    frame = encode_frame(encode_text_headers(headers), payload)
    (theirs,) = list(_client_messages(frame))
    assert (theirs.headers, theirs.payload) == (headers, payload)
    decoder = FrameDecoder()
    found = [m for i in range(0, len(frame), size) for m in decoder.feed(frame[i : i + size])]
    assert [(m.headers, m.payload) for m in found] == [(headers, payload)]
    assert decoder.is_empty


def _client_messages(data: bytes) -> Any:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return buffer


def test_header_types() -> None:
    given_values: dict[str, tuple[Any, str]] = {
        "t": (True, "boolean"), "f": (False, "boolean"), "b": (-1, "byte"), "s": (-2, "short"),
        "i": (-3, "integer"), "l": (-4, "long"), "x": (b"\xff", "blob"), "u": ("ä", "string"),
        "d": (datetime(2020, 1, 1, tzinfo=UTC), "timestamp"),
    }  # fmt: skip
    headers = b"".join(
        encode_header(name, encode_header_value(*value)) for name, value in given_values.items()
    ) + encode_header("id", b"\x09" + bytes(range(16)))
    (found,) = FrameDecoder().feed(encode_frame(headers, b""))
    wanted = {name: value for name, (value, _) in given_values.items()}
    assert found.headers == {**wanted, "id": UUID(bytes=bytes(range(16)))}


@pytest.mark.parametrize("headers", [b"\x01a\x0b", b"\x01a\x07\xff\xff", b"\x09a", b"\x00\x00"])
def test_broken_headers(headers: bytes) -> None:
    with pytest.raises(ParseError):
        FrameDecoder().feed(encode_frame(headers, b""))
