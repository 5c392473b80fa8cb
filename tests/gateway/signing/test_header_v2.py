"""`Authorization` headers of Signature Version 2 against botocore's signer, without a server."""

from __future__ import annotations

from email.utils import formatdate
from unittest.mock import patch

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from msgspec.structs import replace

from cloche.core.clock import Clock
from cloche.core.errors import AWSError
from cloche.gateway.http.messages import Request
from cloche.gateway.signing import Verified, Version2Verifier, check, parse
from tests.gateway.signing.requests import (
    ACCESS_KEY_ID,
    SECRET,
    SIGNED_AT,
    Key,
    digest,
    request_to,
    with_headers,
)

URL = "http://localhost:4566/bucket/a%20key/%C3%A9"
PATH = "/bucket/a%20key/%C3%A9"
NO_DATE = "AWS authentication requires a valid Date or x-amz-date header"
NO_PAIR = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"
NO_SPACE = "Authorization header is invalid -- one and only one ' ' (space) required"


def signed(
    method: str = "GET",
    url: str = URL,
    headers: dict[str, str] | None = None,
    token: str | None = None,
    auth_path: str | None = None,
) -> Request:
    request = AWSRequest(method=method, url=url, headers=headers or {}, auth_path=auth_path)
    signer = botocore.auth.HmacV1Auth(Credentials(ACCESS_KEY_ID, SECRET, token))
    with patch.object(botocore.auth, "formatdate", lambda **_: formatdate(SIGNED_AT, usegmt=True)):
        signer.add_auth(request)
    return request_to(method, url, dict(request.headers.items()))


def sent(authorization: str, **headers: str) -> Request:
    return request_to("PUT", URL, {"authorization": authorization, **headers})


def accepted(
    request: Request,
    path: str = PATH,
    *,
    at: float = SIGNED_AT,
    key: Key | None = Key(),  # noqa: B008 - frozen
    body: bytes | None = None,
) -> Verified:
    parsed = parse(request)
    assert parsed is not None
    body_sha256 = None if body is None else digest(body)
    clock = Clock(wall_time=lambda: at)
    return Version2Verifier().check(parsed, key, clock, path, body_sha256=body_sha256)


def refused(request: Request, path: str = PATH, **options: object) -> AWSError:
    with pytest.raises(AWSError) as caught:
        accepted(request, path, **options)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "POST"])
def test_what_botocore_signs_is_accepted(method: str) -> None:
    verified = accepted(signed(method))
    assert (verified.access_key_id, verified.service) == (ACCESS_KEY_ID, "s3")
    assert (verified.is_presigned, verified.payload_mode) == (False, "UNSIGNED-PAYLOAD")
    assert refused(replace(signed(method), method="PATCH")).code == "SignatureDoesNotMatch"


def test_headers_are_signed() -> None:
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg==",
        "X-Amz-Acl": " public-read ",
        "x-amz-meta-b": "1, 2,3",
        "x-amz-meta-a": "Grüße, café",
    }
    request = signed("PUT", headers=headers)
    assert accepted(request)
    for name in ("content-type", "content-md5", "date", "x-amz-acl", "x-amz-meta-a"):
        changed = with_headers(request, **{name: formatdate(SIGNED_AT + 1, usegmt=True)})
        assert refused(changed).code == "SignatureDoesNotMatch"
    assert refused(with_headers(request, x_amz_meta_c="1")).code == "SignatureDoesNotMatch"
    assert accepted(with_headers(request, user_agent="another"))


def test_the_resource_is_signed() -> None:
    query = "versionId=a%2Fb&uploads&prefix=x&response-content-type=text%2Fplain%3B%20a%3Db&acl"
    request = signed(url=f"{URL}?{query}")
    assert accepted(request)
    assert accepted(replace(request, query_string=f"{query}&marker=1"))
    for added in ("policy", "%70olicy", "retention", "versionId=b"):
        changed = replace(request, query_string=f"{added}&{query}")
        assert refused(changed).code == "SignatureDoesNotMatch"
    error = refused(request, "/other/key")
    assert error.members["StringToSign"].split("\n/")[1].startswith("other/key?acl&response")
    in_host = signed(url="http://bucket.localhost:4566/a%20key/%C3%A9", auth_path=PATH)
    assert accepted(in_host)


def test_a_bucket_may_end_in_a_slash() -> None:
    url = "http://localhost:4566/bucket"
    for request in (signed(url=url), signed(url=url, auth_path="/bucket/"), signed(url=f"{url}/")):
        for path in ("/bucket", "/bucket/"):
            assert accepted(request, path)
    for path in ("/", "/bucket/key", "/bucket/key/", "/bucket//"):
        assert refused(signed(url=url), path).code == "SignatureDoesNotMatch"
    assert refused(signed(url=f"{url}/key"), "/bucket/key/").code == "SignatureDoesNotMatch"
    assert accepted(signed(url="http://localhost:4566/"), "/")


def test_headers_in_the_query_do_not_count() -> None:
    request = signed("PUT", f"{URL}?x-amz-acl=public-read")
    assert accepted(request)
    parsed = parse(request)
    assert parsed is not None and "x-amz-acl" not in parsed.request.headers


def test_the_date_line_is_empty_beside_x_amz_date() -> None:
    headers = {"x-amz-date": formatdate(SIGNED_AT, usegmt=True)}
    with patch.object(botocore.auth.HmacV1Auth, "_get_date", lambda _: ""):
        request = signed("PUT", headers=headers)
    assert accepted(request)
    assert accepted(with_headers(request, date="Thu, 01 Jan 1970 00:00:00 GMT"))
    assert accepted(with_headers(request, date=None))
    changed = with_headers(request, x_amz_date=formatdate(SIGNED_AT + 1, usegmt=True))
    assert refused(changed).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"date": ""},
        {"date": "Bad Date"},
        {"date": "Tue, 07 Jul 1950 21:53:04 GMT"},
        {"date": formatdate(SIGNED_AT, usegmt=True), "x-amz-date": ""},
        {"date": formatdate(SIGNED_AT, usegmt=True), "x-amz-date": "Bad Date"},
        {"x-amz-date": "Tue, 07 Jul 1950 21:53:04 GMT"},
    ],
)
def test_a_date_has_to_be_one(headers: dict[str, str]) -> None:
    error = refused(sent(f"AWS {ACCESS_KEY_ID}:c2ln", **headers))
    assert (error.status, error.code, error.message) == (403, "AccessDenied", NO_DATE)


@pytest.mark.parametrize(
    "date", ["Wed, 07 Jul 2010 21:53:04 GMT", "Sun, 07 Jul 2030 21:53:04 GMT",
             "Tue, 07 Jul 9999 21:53:04 GMT", "20100707T215304Z"],
)  # fmt: skip
def test_a_clock_that_is_wrong_is_refused(date: str) -> None:
    error = refused(sent(f"AWS {ACCESS_KEY_ID}:c2ln", **{"x-amz-date": date}))
    assert (error.status, error.code) == (403, "RequestTimeTooSkewed")
    assert error.members["RequestTime"] == date


def test_a_clock_may_be_wrong_by_a_quarter_of_an_hour() -> None:
    for seconds in (-900, 0, 900):
        assert accepted(signed(), at=SIGNED_AT + seconds)
    for seconds in (-901, 901):
        assert refused(signed(), at=SIGNED_AT + seconds).code == "RequestTimeTooSkewed"


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("AWS HAHAHA", NO_PAIR),
        ("AWS :c2ln", NO_PAIR),
        (f"AWS {ACCESS_KEY_ID}:", NO_PAIR),
        ("AWS a:b:c", NO_PAIR),
        ("AWS", NO_SPACE),
        ("AWS ", NO_SPACE),
        ("AWS  a:b", NO_SPACE),
        ("AWS a: b", NO_SPACE),
    ],
)
def test_what_is_malformed_is_refused(authorization: str, message: str) -> None:
    error = refused(sent(authorization, date=formatdate(SIGNED_AT, usegmt=True)))
    assert (error.status, error.code, error.message) == (400, "InvalidArgument", message)
    assert error.members == {"ArgumentName": "Authorization", "ArgumentValue": authorization}


def test_keys_and_tokens() -> None:
    error = refused(signed(), key=None)
    assert (error.status, error.code) == (403, "InvalidAccessKeyId")
    assert error.members == {"AWSAccessKeyId": ACCESS_KEY_ID}
    error = refused(signed(), key=Key("another"))
    assert (error.status, error.code) == (403, "SignatureDoesNotMatch")
    assert error.members["StringToSign"].startswith("GET\n\n\nSun, 30 Aug 2015 12:36:00 GMT\n/")
    request = signed(token="a/token+=")
    assert accepted(request, key=Key(session_token="a/token+=")).session_token == "a/token+="
    assert refused(request, key=Key(session_token="other")).code == "InvalidToken"
    assert refused(signed(), key=Key(session_token="other")).code == "InvalidAccessKeyId"
    over = Key(session_token="a/token+=", expires_at=SIGNED_AT)
    assert refused(request, key=over).code == "ExpiredToken"


def test_the_body_counts_only_where_its_hash_is_given() -> None:
    assert accepted(signed("PUT"), body=b"anything")
    request = signed("PUT", headers={"x-amz-content-sha256": digest(b"data")})
    assert accepted(request, body=b"data").payload_sha256 is None
    assert accepted(request).payload_sha256 == digest(b"data")
    assert refused(request, body=b"other").code == "XAmzContentSHA256Mismatch"
    name = "x-amz-content-sha256"
    request = signed("PUT", headers={name: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"})
    assert refused(request).code == "InvalidRequest"


def test_one_mechanism_at_a_time() -> None:
    for query in ("AWSAccessKeyId=A&Signature=b&Expires=1", "X-Amz-Signature=b"):
        error = refused(signed(url=f"{URL}?{query}"))
        assert error.message.startswith("Only one auth mechanism allowed")


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("/", {"x-amz-target": "DynamoDB_20120810.ListTables"}),
        ("/", {"content-type": "application/x-www-form-urlencoded"}),
        ("/?Action=ListUsers&Version=2010-05-08", {}),
    ],
)
def test_it_is_for_s3_alone(url: str, headers: dict[str, str]) -> None:
    error = refused(signed("POST", f"http://localhost:4566{url}", headers))
    assert error.code.startswith("IncompleteSignature")
    assert error.message.startswith("Unsupported AWS 'algorithm': 'AWS'")


def test_an_object_may_be_a_form() -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert accepted(signed("PUT", headers=headers))
    assert accepted(signed("POST", "http://bucket.localhost/?delete", headers), "/")


def test_the_check_of_version_4_refuses_it() -> None:
    parsed = parse(signed())
    assert parsed is not None and parsed.is_version_2
    with pytest.raises(AWSError) as caught:
        check(parsed, Key(), Clock(wall_time=lambda: SIGNED_AT))
    assert caught.value.code == "InvalidRequest"
    with pytest.raises(AWSError):
        check(parsed, Key(), Clock(wall_time=lambda: SIGNED_AT), family="json")
