"""URLs of Signature Version 2 against botocore's signer, without a server."""

from __future__ import annotations

from unittest.mock import patch

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from msgspec.structs import replace

from cloche.core.clock import Clock
from cloche.core.errors import AWSError
from cloche.gateway.http.messages import Request
from cloche.gateway.signing import Verified, Version2Verifier, parse
from tests.gateway.signing.requests import ACCESS_KEY_ID, SECRET, SIGNED_AT, Key, request_to

URL = "http://localhost:4566/bucket/a%20key/%C3%A9"
PATH = "/bucket/a%20key/%C3%A9"


def signed(
    method: str = "GET",
    url: str = URL,
    headers: dict[str, str] | None = None,
    token: str | None = None,
    expires: int = 60,
) -> Request:
    """What botocore signs; nothing of it but the URL is sent."""
    request = AWSRequest(method=method, url=url, headers=headers or {})
    signer = botocore.auth.HmacV1QueryAuth(Credentials(ACCESS_KEY_ID, SECRET, token), expires)
    with patch.object(botocore.auth.time, "time", lambda: SIGNED_AT):
        signer.add_auth(request)
    return request_to(method, request.url)


def check(
    request: Request,
    path: str = PATH,
    clock: Clock | None = None,
    key: Key | None = Key(),  # noqa: B008 - frozen
    verifier: Version2Verifier | None = None,
) -> Verified:
    parsed = parse(request)
    assert parsed is not None
    clock = clock or Clock(wall_time=lambda: SIGNED_AT)
    return (verifier or Version2Verifier()).check(parsed, key, clock, path)


def refused(request: Request, path: str = PATH, **options: object) -> AWSError:
    with pytest.raises(AWSError) as caught:
        check(request, path, **options)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "POST"])
def test_what_botocore_signs_is_accepted(method: str) -> None:
    verified = check(signed(method))
    assert (verified.access_key_id, verified.service) == (ACCESS_KEY_ID, "s3")
    assert verified.is_presigned
    assert refused(replace(signed(method), method="PATCH")).code == "SignatureDoesNotMatch"


def test_subresources_in_any_order() -> None:
    query = "versionId=a%2Fb&uploads&prefix=x&response-content-type=text%2Fplain%3B%20a%3Db&acl"
    assert check(signed(url=f"{URL}?{query}"))


def test_headers_may_stand_in_the_query() -> None:
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg==",
        "X-Amz-Acl": " public-read ",
        "x-amz-meta-b": "1",
        "x-amz-meta-a": "a, b",
    }
    request = signed("PUT", headers=headers)
    assert check(request)
    parsed = parse(request)
    assert parsed is not None
    assert parsed.request.headers["x-amz-meta-a"] == "a, b"
    assert parsed.request.headers["content-type"] == "text/plain; charset=utf-8"
    sent = replace(request, headers=request.headers | {"content-type": "text/html"})
    assert refused(sent).code == "SignatureDoesNotMatch"


def test_a_session_token_is_signed() -> None:
    request = signed(token="a/token+=")
    assert check(request, key=Key(session_token="a/token+=")).session_token == "a/token+="
    assert refused(request, key=Key(session_token="other")).code == "InvalidToken"
    assert refused(signed(), key=Key(session_token="other")).code == "InvalidAccessKeyId"


@pytest.mark.parametrize(
    "added",
    [
        "acl",
        "retention",
        "%72etention",
        "legal-hold=",
        "versionId=null",
        "%76ersionId=null",
        "response-content-type=text%2Fhtml",
        "x-amz-acl=public-read",
        "X-Amz-Meta-A=b",
        "X-Amz-Date=20150830T123600Z",
        "content-type=text%2Fhtml",
    ],
)
def test_nothing_that_matters_can_be_added(added: str) -> None:
    request = signed()
    for query in (f"{request.query_string}&{added}", f"{added}&{request.query_string}"):
        assert refused(replace(request, query_string=query)).code == "SignatureDoesNotMatch"


def test_headers_cannot_be_added() -> None:
    request = signed("PUT")
    for name in ("x-amz-acl", "x-amz-copy-source", "content-type", "x-amz-content-sha256"):
        changed = replace(request, headers=request.headers | {name: "0" * 64})
        assert refused(changed).code == "SignatureDoesNotMatch"


def test_another_resource_key_or_time_is_refused() -> None:
    request = signed()
    error = refused(request, path="/other/key")
    assert (error.status, error.code) == (403, "SignatureDoesNotMatch")
    assert error.members["StringToSign"].endswith("\n/other/key")
    assert refused(request, key=Key("another")).code == "SignatureDoesNotMatch"
    assert refused(request, key=None).code == "InvalidAccessKeyId"
    expires = str(int(SIGNED_AT) + 60)
    later = request.query_string.replace(expires, str(int(SIGNED_AT) + 9999))
    assert later != request.query_string
    assert refused(replace(request, query_string=later)).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("expires", ["", "&Expires=", "&Expires=soon", "&Expires=-1"])
def test_expires_has_to_be_a_time(expires: str) -> None:
    error = refused(request_to("GET", f"{URL}?AWSAccessKeyId=A&Signature=b{expires}"))
    assert (error.status, error.code) == (403, "AccessDenied")


def test_a_url_expires_by_real_time() -> None:
    request = signed()
    assert check(request, clock=Clock(wall_time=lambda: SIGNED_AT + 60))
    error = refused(request, clock=Clock(wall_time=lambda: SIGNED_AT + 61))
    assert (error.status, error.code, error.message) == (403, "AccessDenied", "Request has expired")
    assert error.members["Expires"] == "2015-08-30T12:37:00Z"


def test_a_url_expires_by_advances_after_its_first_use() -> None:
    clock, verifier = Clock(wall_time=lambda: SIGNED_AT), Version2Verifier()
    clock.advance(1_000_000)
    assert check(signed(), clock=clock, verifier=verifier)
    clock.advance(59)
    assert check(signed(), clock=clock, verifier=verifier)
    clock.advance(2)
    assert refused(signed(), clock=clock, verifier=verifier).message == "Request has expired"


def test_chunks_cannot_be_signed() -> None:
    request = signed("PUT")
    name, value = "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    assert refused(replace(request, headers=request.headers | {name: value})).code == (
        "InvalidRequest"
    )


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("partNumber=1&uploadId=abc", "partNumber=1%26uploadId=abc"),
        (
            "response-content-type=text%2Fplain&versionId=abc",
            "response-content-type=text%2Fplain%26versionId=abc",
        ),
    ],
)
def test_a_value_is_no_further_parameter(given: str, sent: str) -> None:
    request = signed(url=f"{URL}?{given}")
    assert check(request)
    other = replace(request, query_string=request.query_string.replace(given, sent))
    assert other.query_string != request.query_string
    assert refused(other).code in ("AccessDenied", "SignatureDoesNotMatch")


def test_a_header_in_the_query_hides_no_other() -> None:
    headers = {"x-amz-meta-a": "1", "x-amz-storage-class": "STANDARD_IA"}
    request = signed("PUT", headers=headers)
    assert check(request)
    whole = "x-amz-meta-a=1&x-amz-storage-class=STANDARD_IA"
    folded = "x-amz-meta-a=1%0Ax-amz-storage-class:STANDARD_IA"
    assert whole in request.query_string
    other = replace(request, query_string=request.query_string.replace(whole, folded))
    assert refused(other).code == "InvalidArgument"
    spaced = replace(request, query_string=request.query_string + "&x-amz-meta-b%20c=1")
    assert refused(spaced).code == "InvalidArgument"
