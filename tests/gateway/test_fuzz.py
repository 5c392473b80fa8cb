"""Arbitrary requests through the whole application: refused as AWS refuses, never failing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import cbor2
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cloche.gateway.service_models import service_model
from tests.gateway.asking import Asker
from tests.live_server import LiveServer

BUCKET = "fuzzed"
fuzz = settings(
    derandomize=True,
    deadline=None,
    max_examples=300,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    live = LiveServer(tmp_path_factory.mktemp("fuzzed")).start()
    s3 = live.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"content")
    yield Asker(live)
    live.stop()


METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH"])
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=12)
HEADER_VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
NUMBERS = st.one_of(st.integers(-(2**70), 2**70).map(str), st.sampled_from(["0", "1", "1000", ""]))


def query_names() -> list[str]:
    """All parameters that S3's routes know."""
    names = {"X-Amz-Expires", "x-id", "nonsense"}
    model = service_model("s3")
    for operation in map(model.operation_model, model.operation_names):
        uri: str = operation.http["requestUri"]
        names.update(part.partition("=")[0] for part in uri.partition("?")[2].split("&"))
        names.update(shape_names(operation, "querystring"))
    return sorted(names - {"", "x-id"})


def header_names() -> list[str]:
    """All headers that S3's operations know, and those of HTTP itself."""
    names = {"Range", "If-Match", "Origin", "Access-Control-Request-Method", "Content-Encoding"}
    model = service_model("s3")
    for operation in map(model.operation_model, model.operation_names):
        names.update(shape_names(operation, "header"))
    return sorted(names - {"x-amz-security-token", "Content-Length", "Expect"})


def shape_names(operation: Any, location: str) -> set[str]:
    members = operation.input_shape.members.values() if operation.input_shape else ()
    return {
        member.serialization["name"]
        for member in members
        if member.serialization.get("location") == location
    }


KEYS = st.one_of(st.just("key"), TEXTS.map(lambda text: quote(text, safe="/~")))
S3_PATHS = st.one_of(
    st.just("/"),
    st.sampled_from([f"/{BUCKET}", f"/{BUCKET}/", "/absent", "/A_B", "/absent/key"]),
    KEYS.map(lambda key: f"/{BUCKET}/{key}"),
)
QUERIES = st.lists(
    st.tuples(st.sampled_from(query_names()), st.one_of(TEXTS, NUMBERS)), max_size=4, unique_by=repr
).map(lambda pairs: "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in pairs))
S3_HEADERS = st.dictionaries(
    st.sampled_from(header_names()), st.one_of(HEADER_VALUES, NUMBERS), max_size=4
)
XML_NAMES = st.sampled_from(
    [
        "Delete",
        "Object",
        "Key",
        "Tagging",
        "TagSet",
        "Tag",
        "Value",
        "Part",
        "ETag",
        "PartNumber",
        "CompleteMultipartUpload",
        "VersioningConfiguration",
        "Status",
        "CORSConfiguration",
        "CORSRule",
        "AllowedMethod",
        "AllowedOrigin",
        "MaxAgeSeconds",
        "AccessControlPolicy",
        "Id",
        "PublicAccessBlockConfiguration",
        "BlockPublicAcls",
        "NotificationConfiguration",
        "Event",
        "QueueConfiguration",
        "Queue",
        "Filter",
        "CreateBucketConfiguration",
        "Owner",
        "ID",
        "Rule",
    ]
)
XML_TREES: st.SearchStrategy[str] = st.recursive(
    st.one_of(TEXTS.map(lambda text: text.replace("<", "").replace("&", "&amp;")), NUMBERS),
    lambda inner: st.builds(
        lambda name, children: f"<{name}>{''.join(children)}</{name}>",
        XML_NAMES,
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)
BODIES = st.one_of(
    st.just(b""),
    st.binary(max_size=60),
    XML_TREES.map(str.encode),
    st.sampled_from([b"{}", b'{"Version":"2012-10-17","Statement":[]}', b"null", b"[]"]),
)


@fuzz
@given(METHODS, S3_PATHS, QUERIES, S3_HEADERS, BODIES)
@example("GET", f"/{BUCKET}/key", "partNumber=99999999999999999999", {}, b"")
@example("PUT", f"/{BUCKET}/key", "", {"x-amz-copy-source": "%00"}, b"")
@example("GET", f"/{BUCKET}", "list-type=2&continuation-token=%F0%9F", {}, b"")
def test_s3_routes(
    asker: Asker, method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    target = f"{path}?{query}" if query else path
    asker.ask_signed("s3", method, target, headers, body)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        TEXTS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def requests_of(service: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """Operations of a service with members that they know, of any value."""
    model = service_model(service)

    def request(name: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
        shape: Any = model.operation_model(name).input_shape
        members = st.sampled_from(sorted(shape.members)) if shape and shape.members else TEXTS
        return st.tuples(st.just(name), st.dictionaries(members, VALUES, max_size=4))

    return st.sampled_from(sorted(model.operation_names)).flatmap(request)


@fuzz
@given(requests_of("cloudtrail"), st.one_of(st.none(), st.binary(max_size=40)))
def test_json_service(
    asker: Asker, request_: tuple[str, dict[str, Any]], other_body: bytes | None
) -> None:
    name, parameters = request_
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": f"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{name}",
    }
    body = msgspec.json.encode(parameters) if other_body is None else other_body
    asker.ask_signed("cloudtrail", "POST", "/", headers, body)


@fuzz
@given(
    st.sampled_from(["iam", "sts"]).flatmap(
        lambda service: st.tuples(st.just(service), requests_of(service))
    ),
    st.lists(st.tuples(TEXTS, TEXTS), max_size=2),
)
def test_query_service(
    asker: Asker, request_: tuple[str, tuple[str, dict[str, Any]]], more: list[tuple[str, str]]
) -> None:
    service, (name, parameters) = request_
    fields = [("Action", name), ("Version", service_model(service).api_version), *more]
    for member, value in parameters.items():
        fields += [(member, str(value)), (f"{member}.member.1", str(value))]
        fields += [(f"{member}.member.1.Key", "key"), (f"{member}.member.999999999", "far")]
    body = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in fields)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    asker.ask_signed(service, "POST", "/", headers, body.encode("utf-8", "replace"))


@fuzz
@given(requests_of("cloudwatch"), st.one_of(st.none(), st.binary(max_size=40)))
def test_cbor_service(
    asker: Asker, request_: tuple[str, dict[str, Any]], other_body: bytes | None
) -> None:
    name, parameters = request_
    headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
    body = cbor2.dumps(parameters) if other_body is None else other_body
    target = f"/service/GraniteServiceVersion20100801/operation/{name}"
    asker.ask_signed("monitoring", "POST", target, headers, body)


GARBAGE_HEADERS = st.dictionaries(
    st.one_of(
        st.sampled_from(
            [
                "authorization",
                "x-amz-target",
                "x-amz-date",
                "content-type",
                "smithy-protocol",
                "host",
                "x-amz-content-sha256",
                "x-amz-decoded-content-length",
                "content-encoding",
            ]
        ),
        st.from_regex(r"\A[a-z-]{1,12}\Z"),
    ),
    st.one_of(
        st.text(st.characters(min_codepoint=1, max_codepoint=0xFF), max_size=60),
        st.sampled_from(
            [
                "AWS4-HMAC-SHA256 Credential=a/20130524/us-east-1/s3/aws4_request,"
                "SignedHeaders=host,Signature=00",
                "AWS a:b",
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                "aws-chunked",
                "rpc-v2-cbor",
                "application/x-amz-json-1.0",
            ]
        ),
    ),
    max_size=6,
)


@fuzz
@given(
    st.one_of(METHODS, st.text("ABCDEFGHIJ", min_size=1, max_size=8)),
    st.one_of(S3_PATHS, TEXTS.map(lambda text: f"/{text}")),
    st.one_of(QUERIES, TEXTS, st.just("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=")),
    GARBAGE_HEADERS,
    BODIES,
)
def test_unsigned_garbage(
    asker: Asker, method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    response = asker.ask(method, f"{path}?{query}", headers, body)
    # Health, metrics and preflights are open; all else asks for a signature or a policy.
    assert response.status >= 400 or method == "OPTIONS" or path.startswith(("/health", "/metrics"))
