"""Whatever a client sends is accepted, anonymous, or refused by an error of AWS's."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cloche.core.errors import AWSError
from cloche.gateway.http.messages import Request
from cloche.gateway.signing import Family, family_of, parse, verify
from tests.gateway.signing.requests import (
    SIGNED_AT,
    Key,
    Pieces,
    clock_at,
    credentials,
    digest,
    signed,
)

URL = "http://localhost:4566"

HEADER_TEXT = st.binary(max_size=40).map(lambda value: value.decode("utf-8", "surrogateescape"))
TARGET_TEXT = st.text(st.characters(max_codepoint=255), max_size=40)
FRAGMENTS = st.sampled_from(
    [
        "AWS4-HMAC-SHA256", "AWS", " ", ",", "=", "/", ";", "Credential=", "SignedHeaders=", "host",
        "Signature=", "AKIDEXAMPLE", "20150830", "eu-central-1", "s3", "sts", "aws4_request", "x",
        "Credential=AKIDEXAMPLE/20150830/eu-central-1/s3/aws4_request", "x-amz-date", "\t",
        "0" * 64,
        "SignedHeaders=host;x-amz-date", "\udc80", "é",
    ]
)  # fmt: skip
AUTHORIZATION = st.one_of(HEADER_TEXT, st.lists(FRAGMENTS, max_size=12).map("".join))
DATES = st.one_of(
    st.just("20150830T123600Z"),
    st.sampled_from(
        [
            "20159999T999999Z", "00000101T000000Z", "Sun, 30 Aug 2015 12:36:00 GMT",
            "Sun, 30 Aug 99999 12:36:00 +9999", "1 Jan 1", "Mon, 1 Jan 0001 00:00:00 +2359",
        ]
    ),
    HEADER_TEXT,
)  # fmt: skip
PAYLOADS = st.one_of(
    st.sampled_from(
        ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-", "0" * 64]
    ),
    HEADER_TEXT,
)
HEADERS = st.fixed_dictionaries(
    {"host": HEADER_TEXT},
    optional={
        "authorization": AUTHORIZATION,
        "x-amz-date": DATES,
        "date": DATES,
        "x-amz-content-sha256": PAYLOADS,
        "x-amz-security-token": HEADER_TEXT,
        "x-amz-target": HEADER_TEXT,
        "content-type": HEADER_TEXT,
    },
)
VALUES = st.one_of(
    TARGET_TEXT,
    st.sampled_from(
        [
            "AWS4-HMAC-SHA256", "AKIDEXAMPLE%2F20150830%2Feu-central-1%2Fs3%2Faws4_request", "host",
            "20150830T123600Z", "60", "-1", "%00", "%ff", "%F0%9F", "9" * 30,
        ]
    ),
)  # fmt: skip
NAMES = st.sampled_from(
    [
        "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature",
        "X-Amz-SignedHeaders", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "AWSAccessKeyId",
        "Signature", "x", "",
    ]
)  # fmt: skip
QUERIES = st.one_of(
    TARGET_TEXT,
    st.lists(st.tuples(NAMES, VALUES).map("=".join), max_size=9).map("&".join),
)


def shown(error: AWSError) -> str:
    """All that an error says, which every encoder must be able to encode."""
    return "".join([error.code, error.message, *map(str, error.members.values())])


@settings(derandomize=True, deadline=None, max_examples=1000)
@given(HEADERS, TARGET_TEXT, QUERIES, st.sampled_from(["s3", "json", "query", None]))
def test_anything_in_a_request(
    headers: dict[str, str], path: str, query: str, family: Family | None
) -> None:
    request = Request("GET", "/" + path, query, headers, Pieces([]))
    try:
        verified = verify(
            request, credentials(), clock_at(), body_sha256=digest(b""), family=family
        )
    except AWSError as error:
        shown(error).encode()
        assert error.code
        return
    assert verified is None


@settings(derandomize=True, deadline=None)
@given(HEADER_TEXT, HEADERS, QUERIES)
def test_every_request_has_a_family(name: str, headers: dict[str, str], query: str) -> None:
    assert family_of(name, headers, query) in {"s3", "json", "rest-json", "query"}


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=50), st.sampled_from(["s3", "sts", "lambda"]))
def test_any_token_and_key_of_a_temporary_credential(token: str, service: str) -> None:
    request = signed("GET", f"{URL}/x", service=service, token="t")
    request.headers["x-amz-security-token"] = token
    key = Key(session_token="t", expires_at=SIGNED_AT + 1)
    try:
        verify(request, credentials(AKIDEXAMPLE=key), clock_at(), body_sha256=digest(b""))
    except AWSError:
        return
    assert token.strip() == "t"


S3_PUT = signed(
    "PUT",
    f"{URL}/bucket/some%20key/x.bin?partNumber=1&uploadId=a%2Fb",
    service="s3",
    headers={"x-amz-meta-name": "a value", "Content-Type": "text/plain"},
    body=b"data",
)
S3_URL = signed("GET", f"{URL}/bucket/some%20key?versionId=1", service="s3", expires=60)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STS_POST = signed("POST", f"{URL}/", headers=FORM, body=b"Action=GetCallerIdentity")
LAMBDA_GET = signed(
    "GET", f"{URL}/2015-03-31/functions/arn%3Aaws/versions?a=1&b=2", service="lambda"
)
BODIES = {id(S3_PUT): b"data", id(STS_POST): b"Action=GetCallerIdentity"}
SIGNED = st.sampled_from([S3_PUT, S3_URL, STS_POST, LAMBDA_GET])
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def is_refused(request: Request, body: bytes) -> bool:
    try:
        verified = verify(request, credentials(), clock_at(), body_sha256=digest(body))
    except AWSError:
        return True
    return verified is None


def change(text: str, index: int, letter: str) -> str:
    """One character replaced, outside escapes: in them the case of a digit means nothing."""
    index %= len(text)
    assume(text[index] != letter and "%" not in text[max(0, index - 2) : index + 1])
    return text[:index] + letter + text[index + 1 :]


@settings(derandomize=True, deadline=None, max_examples=500)
@given(SIGNED, st.data())
def test_any_change_of_a_signed_request_is_refused(request: Request, data: st.DataObject) -> None:
    body = BODIES.get(id(request), b"")
    assert not is_refused(request, body)
    parsed = parse(request)
    assert parsed is not None
    fields = ["method", "path", "header", "authorization", "query", "body"]
    field = data.draw(st.sampled_from(fields))
    index, letter = data.draw(st.integers(0, 10_000)), data.draw(st.sampled_from(LETTERS))
    if field == "method":
        request = replace(request, method=change(request.method, index, letter))
    elif field == "path":
        request = replace(request, raw_path=change(request.raw_path, index, letter))
    elif field == "query":
        assume(request.query_string)
        request = replace(request, query_string=change(request.query_string, index, letter))
    elif field == "body":
        assume(parsed.payload_mode == "SHA256")
        body += letter.encode()
    else:
        names = sorted(parsed.signed_headers) if field == "header" else ["authorization"]
        name = data.draw(st.sampled_from(names))
        assume(name in request.headers)
        value = change(request.headers[name], index, letter)
        if name == "authorization":
            # The case of signed headers' names means nothing.
            assume(value.lower() != request.headers[name].lower())
        request = replace(request, headers=request.headers | {name: value})
    assert is_refused(request, body)


def test_a_header_that_is_taken_away_is_missed() -> None:
    for request in (S3_PUT, STS_POST):
        for name in request.headers:
            kept = {other: value for other, value in request.headers.items() if other != name}
            assert is_refused(replace(request, headers=kept), BODIES[id(request)]), name
