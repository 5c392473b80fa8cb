"""Whatever bytes come in, a request is read or refused with one of AWS's 4xx errors."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloche.core.errors import AWSError
from cloche.gateway.protocols import compile_parser, compile_validator
from cloche.gateway.protocols.event_stream import FrameDecoder, encode_frame, encode_text_headers
from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.service_models import service_model
from tests.gateway.protocols.wire import Request, client_request, values

OPERATIONS = [
    ("kinesis", "PutRecords", "json"),
    ("dynamodb", "PutItem", "json"),
    ("bedrock-runtime", "Converse", "rest-json"),
    ("cloudwatch", "PutMetricData", "json"),
    ("cloudwatch", "PutMetricData", "query"),
    ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor"),
    ("iam", "CreateRole", "query"),
    ("ec2", "RunInstances", "ec2"),
    ("lambda", "CreateFunction", "rest-json"),
    ("s3", "DeleteObjects", "rest-xml"),
    ("s3", "ListObjectsV2", "rest-xml"),
    ("s3", "GetObject", "rest-xml"),
    ("cloudfront", "CreateDistribution", "rest-xml"),
]
NAMES = [f"{service}-{name}-{protocol}" for service, name, protocol in OPERATIONS]

many = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)


def read(parse: Any, validate: Any, request: Request, body: bytes) -> None:
    try:
        parsed = parse(request, body)
        assert isinstance(parsed, dict)
        if validate is not None:
            validate(parsed)
    except AWSError as error:
        assert 400 <= error.status < 500
        assert error.code


def mutated(data: st.DataObject, original: bytes) -> bytes:
    """Bytes with a few places changed, cut out, repeated or filled with noise."""
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(changed)))
        end = data.draw(st.integers(start, min(len(changed), start + 8)))
        noise = data.draw(
            st.binary(max_size=6)
            | st.sampled_from([b"null", b"-1", b"1e999", b"<", b"&", b"%ff", b"=", b'"', b"\xff"])
        )
        changed[start:end] = noise
    return bytes(changed)


@pytest.mark.parametrize(("service", "name", "protocol"), OPERATIONS, ids=NAMES)
def test_any_bytes(service: str, name: str, protocol: Any) -> None:
    operation = service_model(service).operation_model(name)
    parse, validate = compile_parser(operation, protocol), compile_validator(operation, protocol)

    @many
    @given(
        st.text(max_size=30),
        st.text(max_size=30),
        st.dictionaries(
            st.sampled_from(
                ["content-encoding", "content-type", "accept", "range", "x-amz-meta-a"]
            ),
            st.text(max_size=20) | st.just("gzip"),
            max_size=3,
        ),
        st.binary(max_size=60),
    )
    def check(path: str, query: str, headers: dict[str, str], body: bytes) -> None:
        read(parse, validate, Request(path, query, headers), body)

    check()


@pytest.mark.parametrize(("service", "name", "protocol"), OPERATIONS, ids=NAMES)
def test_changed_requests(service: str, name: str, protocol: Any) -> None:
    operation = service_model(service).operation_model(name)
    parse, validate = compile_parser(operation, protocol), compile_validator(operation, protocol)
    shape = operation.input_shape

    @many
    @given(st.data())
    def check(data: st.DataObject) -> None:
        parameters = data.draw(values(shape))
        request, body = client_request(operation, protocol, parameters)
        if data.draw(st.booleans()):
            request.raw_path = mutated(data, request.raw_path.encode()).decode(errors="replace")
        if data.draw(st.booleans()):
            query = mutated(data, request.query_string.encode())
            request.query_string = query.decode(errors="replace")
        for header in list(request.headers):
            if data.draw(st.booleans()):
                value = mutated(data, request.headers[header].encode())
                request.headers[header] = value.decode("latin-1")
        read(parse, validate, request, mutated(data, body))

    check()


@many
@given(st.binary(max_size=80))
def test_any_frames(data: bytes) -> None:
    for stream in (data, encode_frame(data, b"x"), encode_frame(encode_text_headers({}), data)):
        decoder = FrameDecoder()
        try:
            for start in range(0, len(stream), 7):
                decoder.feed(stream[start : start + 7])
        except ParseError as error:
            assert error.message


DEEP = 100_000


@pytest.mark.parametrize(
    ("service", "name", "protocol", "body"),
    [
        ("dynamodb", "PutItem", "json", b'{"Item":{"a":' + b'{"L":[' * DEEP),
        ("dynamodb", "PutItem", "json", b'{"Item":{"a":' + b'{"L":[' * 90 + b"]}" * 90 + b"}}"),
        ("kinesis", "PutRecords", "json", b"[" * DEEP),
        ("kinesis", "PutRecords", "json", b'{"x":' * 400 + b"1" + b"}" * 400),
        ("bedrock-runtime", "Converse", "rest-json", b'{"a":' * DEEP),
        ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor", b"\x81" * DEEP),
        ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor", b"\x9f" * DEEP),
        ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor", b"\xc1" * DEEP),
        ("s3", "DeleteObjects", "rest-xml", b"<a>" * DEEP),
        ("iam", "CreateRole", "query", b"a." * DEEP + b"=1"),
        ("ec2", "RunInstances", "ec2", b"&".join(b"a." * 100 for _ in range(1000))),
    ],
)
def test_deep_nesting(service: str, name: str, protocol: Any, body: bytes) -> None:
    operation = service_model(service).operation_model(name)
    request = Request("/model/m/converse" if "json" in protocol else "/bucket", "delete")
    request.query_string = "" if protocol in ("query", "ec2") else "delete"
    read(compile_parser(operation, protocol), None, request, body)


XML_BOMB = b"""<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><Delete>&c;</Delete>"""


@pytest.mark.parametrize(
    "body",
    [
        XML_BOMB,
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Delete/>',
        b"<Delete>&undefined;</Delete>",
        b'<?xml version="1.0" encoding="utf-7"?><Delete>',
        b"<Delete>\xff</Delete>",
    ],
)
def test_dangerous_xml_is_refused(body: bytes) -> None:
    operation = service_model("s3").operation_model("DeleteObjects")
    with pytest.raises(AWSError) as raised:
        compile_parser(operation, "rest-xml")(Request("/bucket", "delete"), body)
    assert raised.value.code == "MalformedXML"


def test_compressed_bodies() -> None:
    operation = service_model("cloudwatch").operation_model("PutMetricData")
    parse = compile_parser(operation, "json")
    request = Request(headers={"content-encoding": "gzip"})
    assert parse(request, gzip.compress(b'{"Namespace":"a"}')) == {"Namespace": "a"}
    for body, code in (
        (b"no gzip", "SerializationException"),
        (gzip.compress(b'{"Namespace":"a"}')[:-9], "SerializationException"),
        (gzip.compress(bytes(65 * 1024 * 1024)), "RequestEntityTooLargeException"),
    ):
        with pytest.raises(AWSError) as raised:
            parse(request, body)
        assert raised.value.code == code
