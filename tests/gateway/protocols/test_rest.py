"""Paths, query strings, headers and forms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cloche.core.errors import AWSError
from cloche.gateway.protocols import compile_parser, compile_serializer
from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.rest_input import compile_path_matcher, split_header_list
from cloche.gateway.service_models import service_model
from tests.gateway.protocols.wire import REQUEST_ID, Request, model, structure


def at(location: str, name: str, shape: str = "String", **traits: Any) -> dict[str, Any]:
    return {"shape": shape, "location": location, "locationName": name, **traits}


SHAPES: dict[str, Any] = {
    "Input": structure(
        name=at("uri", "Name"),
        rest=at("uri", "Rest"),
        count=at("querystring", "count", "Integer"),
        items=at("querystring", "item", "Strings"),
        all=at("querystring", "", "StringMap"),
        when=at("header", "X-When", "Timestamp"),
        list=at("header", "X-List", "Strings"),
        dates=at("header", "X-Dates", "Timestamps"),
        meta=at("headers", "X-Meta-", "StringMap"),
        json=at("header", "X-Json", jsonvalue=True),
        body="String",
    ),
    "Timestamps": {"type": "list", "member": {"shape": "Timestamp"}},
    "Output": structure(
        status={"shape": "Integer", "location": "statusCode"},
        list=at("header", "X-List", "Strings"),
        text=at("header", "X-Text"),
        meta=at("headers", "X-Meta-", "StringMap"),
    ),
}
OPERATION = model(
    SHAPES, protocol="rest-json", http={"method": "PUT", "requestUri": "/a/{Name}/b/{Rest+}?x=y"}
)
PARSE = compile_parser(OPERATION, "rest-json")
PATH = "/a/n/b/r"


@pytest.mark.parametrize(
    ("request_", "parsed"),
    [
        (Request("/a/x%2Fy%20z/b/c/d//e%3F"), {"name": "x/y z", "rest": "c/d//e?"}),
        (Request(PATH, "count=3&item=a&item=b+c"), {"count": 3, "items": ["a", "b c"]}),
        (Request(PATH, headers={"x-list": 'a, "b,\\"c", d'}), {"list": ["a", 'b,"c', "d"]}),
        (Request(PATH, headers={"x-meta-a": "1", "x-metab": "2"}), {"meta": {"a": "1"}}),
        (Request(PATH, headers={"x-json": "eyJhIjoxfQ=="}), {"json": '{"a":1}'}),
        (
            Request(PATH, headers={"x-when": "Sunday, 06-Nov-94 08:49:37 GMT"}),
            {"when": datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)},
        ),
        (
            Request(PATH, headers={"x-when": "Sun Nov  6 08:49:37 1994"}),
            {"when": datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)},
        ),
    ],
)
def test_places(request_: Request, parsed: dict[str, Any]) -> None:
    result = PARSE(request_, b"")
    if "name" not in parsed:
        del result["name"], result["rest"]
    result.pop("all", None)
    assert result == parsed


def test_a_map_holds_all_parameters_but_the_signature() -> None:
    result = PARSE(Request(PATH, "count=3&b=c&X-Amz-Signature=s&X-Amz-Date=d"), b"")
    assert result["all"] == {"count": "3", "b": "c"}


@pytest.mark.parametrize(
    "request_",
    [
        Request(PATH, "count=x"),
        Request(PATH, "count=2147483648"),
        Request(PATH, "count=1_0"),
        Request(PATH, "count=%31%ff"),
        Request(PATH, "count=%3"),
        Request("/a/%ff/b/c"),
        Request("/a/n"),
        Request(PATH, headers={"x-when": "yesterday"}),
        Request(PATH, headers={"x-list": '"a'}),
        Request(PATH, headers={"x-dates": "Mon, 16 Dec 2019 23:48:18 GMT, Mon"}),
        Request(PATH, headers={"x-json": "e30"}),
        Request(PATH, headers={"x-json": "e3s="}),
    ],
)
def test_places_that_cannot_be_read(request_: Request) -> None:
    with pytest.raises(AWSError) as raised:
        PARSE(request_, b"")
    assert (raised.value.code, raised.value.status) == ("SerializationException", 400)


def test_paths() -> None:
    match = compile_path_matcher("/v1/{Name}/x")
    assert match("/v1/a/x") == match("/v1/a/x/") == {"Name": "a"}
    assert match("/v1/a/b/x") is None
    assert compile_path_matcher("/{Bucket}")("/b/") == {"Bucket": "b"}
    assert compile_path_matcher("/{Key+}/tags")("/a/b/tags") == {"Key": "a/b"}
    assert compile_path_matcher("/{Bucket}/{Key+}")("/b/k/") == {"Bucket": "b", "Key": "k/"}


def test_header_lists() -> None:
    assert split_header_list("a,b , c") == ["a", "b", "c"]
    assert split_header_list('"a\\\\b"') == ["a\\b"]
    with pytest.raises(ParseError):
        split_header_list('"a" b')


def test_headers_of_answers_cannot_end_their_line() -> None:
    serialize = compile_serializer(OPERATION, "rest-json")
    output = {
        "status": 202,
        "text": "a\r\nset-cookie: b",
        "list": ["a", 'b,"'],
        "meta": {"x\n": "y\n"},
    }
    response = serialize(output, REQUEST_ID)
    assert response.status == 202
    assert response.headers == [
        ("x-text", "a  set-cookie: b"),
        ("x-list", 'a, "b,\\""'),
        ("x-meta-x ", "y "),
    ]


def test_s3_names_the_argument_that_is_wrong() -> None:
    parse = compile_parser(service_model("s3").operation_model("ListObjectsV2"), "rest-xml")
    with pytest.raises(AWSError) as raised:
        parse(Request("/bucket", "list-type=2&max-keys=x"), b"")
    assert raised.value.code == "InvalidArgument"
    assert raised.value.members == {"ArgumentName": "max-keys", "ArgumentValue": "x"}


def test_conditions_that_are_no_dates_are_ignored() -> None:
    parse = compile_parser(service_model("s3").operation_model("GetObject"), "rest-xml")
    headers = {"if-modified-since": "yesterday", "if-none-match": '"a"'}
    assert parse(Request("/b/k", headers=headers), b"") == {
        "Bucket": "b",
        "Key": "k",
        "IfNoneMatch": '"a"',
    }


def test_streaming_bodies_are_passed_through() -> None:
    parse = compile_parser(service_model("s3").operation_model("PutObject"), "rest-xml")
    assert parse.streaming_member == "Body"

    class Stream:
        def __aiter__(self) -> Any:
            raise AssertionError("the parser reads no stream")

    stream: Any = Stream()
    headers = {"content-encoding": "gzip", "x-amz-meta-colour": "red"}
    assert parse(Request("/bucket/a%2Fb", headers=headers), stream) == {
        "Bucket": "bucket",
        "Key": "a/b",
        "ContentEncoding": "gzip",
        "Metadata": {"colour": "red"},
        "Body": stream,
    }


def form(service: str, name: str, protocol: Any, body: bytes, query: str = "") -> dict[str, Any]:
    parse = compile_parser(service_model(service).operation_model(name), protocol)
    return parse(Request(query_string=query), body)


def test_forms() -> None:
    assert form("iam", "ListUsers", "query", b"", "Action=ListUsers&MaxItems=5") == {"MaxItems": 5}
    tags = b"Tags.member.10.Key=c&Tags.member.2.Key=b&Tags.member.1.Key=a%20+b&Tags.member.x.Key=d"
    parsed = form("iam", "TagUser", "query", tags)
    assert parsed == {"Tags": [{"Key": "a  b"}, {"Key": "b"}, {"Key": "c"}]}
    assert form("iam", "TagUser", "query", b"Tags=") == {"Tags": []}
    instances = form("ec2", "DescribeVolumes", "ec2", b"VolumeId.1=a&VolumeId.2=b&DryRun=True")
    assert instances == {"VolumeIds": ["a", "b"], "DryRun": True}
    start = b"StartTime=2019-12-16T22:48:18-01:00"
    parsed = form("cloudwatch", "GetMetricStatistics", "query", start)
    assert parsed == {"StartTime": datetime(2019, 12, 16, 23, 48, 18, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("protocol", "service", "name", "body", "code"),
    [
        ("query", "iam", "ListUsers", b"MaxItems=x", "MalformedInput"),
        ("query", "iam", "ListUsers", b"MaxItems=%zz", "MalformedQueryString"),
        ("query", "iam", "ListUsers", b"\xff=1", "MalformedQueryString"),
        ("ec2", "ec2", "DescribeVolumes", b"MaxResults=x", "InvalidParameterValue"),
        ("query", "sns", "Publish", b"MessageAttributes.entry.1.Name=a", "MalformedInput"),
    ],
)
def test_bad_forms(protocol: Any, service: str, name: str, body: bytes, code: str) -> None:
    with pytest.raises(AWSError) as raised:
        form(service, name, protocol, body)
    assert (raised.value.code, raised.value.status) == (code, 400)
