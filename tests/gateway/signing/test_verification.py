from __future__ import annotations

from typing import Any

import pytest

from cloche.core.errors import AWSError
from cloche.gateway.signing import check, errors, missing_authentication, parse, verify
from cloche.gateway.signing.keys import signing_key
from tests.gateway.signing.requests import (
    ACCESS_KEY_ID,
    SIGNED_AT,
    Key,
    accepted,
    clock_at,
    credentials,
    digest,
    refused,
    request_to,
    signed,
    with_headers,
)

URL = "http://localhost:4566"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.ListShards"}
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"


@pytest.mark.parametrize(
    ("method", "url", "service", "headers", "body"),
    [
        ("POST", f"{URL}/", "sts", FORM, BODY),
        ("POST", f"{URL}/", "kinesis", JSON, b"{}"),
        (
            "GET",
            f"{URL}/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax/versions?a=1&b",
            "lambda",
            {},
            b"",
        ),
        (
            "GET",
            f"{URL}/tags/arn%3Aaws%3Abatch%2Fx//y?tagKeys=b&tagKeys=a&tagKeys=",
            "batch",
            {},
            b"",
        ),
        ("PUT", f"{URL}/bucket/a%20b-%C3%A9//../c", "s3", {"x-amz-meta-a": "a  b"}, b"data"),
        ("GET", f"{URL}/bucket?list-type=2&prefix=a%2Fb%2B&delimiter=%2F", "s3", {}, b""),
        ("PUT", f"{URL}/bucket/key", "s3", {"x-amz-meta-name": "Grüße"}, b"data"),
    ],
)
def test_what_botocore_signs_is_accepted(
    method: str, url: str, service: str, headers: dict[str, str], body: bytes
) -> None:
    request = signed(method, url, service=service, headers=headers, body=body)
    verified = accepted(request, body)
    assert (verified.access_key_id, verified.service) == (ACCESS_KEY_ID, service)
    assert (verified.date, verified.region) == ("20150830", "eu-central-1")
    assert not verified.is_presigned


def test_an_unsigned_request_is_anonymous() -> None:
    assert verify(request_to("GET", f"{URL}/"), credentials(), clock_at()) is None
    assert (
        verify(request_to("GET", f"{URL}/", {"authorization": ""}), credentials(), clock_at())
        is None
    )


def test_a_signature_can_be_read_before_the_body_and_checked_after_it() -> None:
    parsed = parse(signed("POST", f"{URL}/", headers=FORM, body=BODY))
    assert parsed is not None
    assert (parsed.service, parsed.region, parsed.family) == ("sts", "eu-central-1", "query")
    assert parsed.needs_body
    assert check(parsed, Key(), clock_at(), body_sha256=digest(BODY)).payload_sha256 is None
    with pytest.raises(errors.SignatureDoesNotMatch):
        check(parsed, Key(), clock_at(), body_sha256=digest(BODY + b" "))
    with pytest.raises(errors.SignatureDoesNotMatch):
        check(parsed, Key(), clock_at())


def test_s3_leaves_the_hash_to_whoever_reads_the_body() -> None:
    request = signed("PUT", f"{URL}/bucket/key", service="s3", body=b"data")
    verified = verify(request, credentials(), clock_at())
    assert verified is not None
    assert (verified.payload_mode, verified.payload_sha256) == ("SHA256", digest(b"data"))
    error = refused(request, b"other")
    assert isinstance(error, errors.XAmzContentSHA256Mismatch)
    assert error.members == {
        "ClientComputedContentSHA256": digest(b"data"),
        "S3ComputedContentSHA256": digest(b"other"),
    }


def test_other_services_may_send_the_hash_too() -> None:
    headers = JSON | {"X-Amz-Content-SHA256": digest(BODY)}
    request = signed("POST", f"{URL}/", service="kinesis", headers=headers, body=BODY)
    assert accepted(request, BODY).payload_sha256 is None
    verified = verify(request, credentials(), clock_at())
    assert verified is not None
    assert verified.payload_sha256 == digest(BODY)
    assert isinstance(refused(request, b"other"), errors.InvalidSignatureException)


def test_an_unsigned_payload_is_for_operations_that_take_one() -> None:
    context: dict[str, Any] = {"payload_signing_enabled": False}
    request = signed("PUT", f"{URL}/x", service="mediastore", body=b"data", context=context)
    assert request.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    parsed = parse(request)
    assert parsed is not None
    for body_sha256 in (digest(b"data"), digest(b""), None):
        with pytest.raises(errors.InvalidSignatureException):
            check(parsed, Key(), clock_at(), body_sha256=body_sha256)
        verified = check(
            parsed, Key(), clock_at(), body_sha256=body_sha256, takes_unsigned_body=True
        )
        assert (verified.payload_mode, verified.payload_sha256) == ("UNSIGNED-PAYLOAD", None)


@pytest.mark.parametrize(
    "word", ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]
)
def test_chunks_are_for_s3(word: str) -> None:
    headers = FORM | {"X-Amz-Content-SHA256": word}
    request = signed("POST", f"{URL}/", headers=headers, body=BODY)
    assert refused(request, BODY).code == "SignatureDoesNotMatch"
    parsed = parse(request)
    assert parsed is not None
    with pytest.raises(errors.SignatureDoesNotMatch):
        check(parsed, Key(), clock_at(), takes_unsigned_body=True)
    request = signed("PUT", f"{URL}/b/k", service="s3express", headers=headers)
    assert accepted(request).payload_mode == word


@pytest.mark.parametrize(
    ("headers", "service", "unknown", "mismatch", "missing"),
    [
        (FORM, "sts", (403, "InvalidClientTokenId"), (403, "SignatureDoesNotMatch"),
         (403, "MissingAuthenticationToken")),
        (JSON, "kinesis", (400, "UnrecognizedClientException"), (400, "InvalidSignatureException"),
         (400, "MissingAuthenticationTokenException")),
        ({}, "lambda", (403, "UnrecognizedClientException"), (403, "InvalidSignatureException"),
         (403, "MissingAuthenticationTokenException")),
        ({}, "cloudfront", (403, "InvalidClientTokenId"), (403, "SignatureDoesNotMatch"),
         (403, "MissingAuthenticationToken")),
        ({}, "s3", (403, "InvalidAccessKeyId"), (403, "SignatureDoesNotMatch"),
         (403, "AccessDenied")),
    ],
)  # fmt: skip
def test_each_family_has_its_codes(
    headers: dict[str, str],
    service: str,
    unknown: tuple[int, str],
    mismatch: tuple[int, str],
    missing: tuple[int, str],
) -> None:
    request = signed("POST", f"{URL}/", service=service, headers=headers, access_key_id="AKIDOTHER")
    error = refused(request)
    assert (error.status, error.code) == unknown
    request = signed("POST", f"{URL}/", service=service, headers=headers, secret="other")
    error = refused(request)
    assert (error.status, error.code) == mismatch
    assert error.message.startswith("The request signature we calculated does not match")
    parsed = parse(request)
    assert parsed is not None
    error = missing_authentication(parsed.family)
    assert (error.status, error.code) == missing


def test_s3_tells_what_it_signed() -> None:
    request = signed("GET", f"{URL}/bucket?acl", service="s3", secret="other")
    error = refused(request)
    canonical = error.members["CanonicalRequest"]
    assert canonical.startswith("GET\n/bucket\nacl=\nhost:localhost:4566\nx-amz-content-sha256:")
    assert bytes.fromhex(error.members["CanonicalRequestBytes"]).decode() == canonical
    text = error.members["StringToSign"]
    assert text.startswith(
        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/eu-central-1/s3/aws4_request\n"
    )
    assert bytes.fromhex(error.members["StringToSignBytes"]).decode() == text
    assert error.members["AWSAccessKeyId"] == ACCESS_KEY_ID
    assert request.headers["authorization"].endswith(error.members["SignatureProvided"])
    error = refused(signed("GET", f"{URL}/", service="s3", access_key_id="AKIDOTHER"))
    assert error.members == {"AWSAccessKeyId": "AKIDOTHER"}


@pytest.mark.parametrize("seconds", [-900, 0, 900])
def test_a_clock_may_be_wrong_by_a_quarter_of_an_hour(seconds: int) -> None:
    request = signed("POST", f"{URL}/", at=SIGNED_AT + seconds)
    assert accepted(request)


def test_a_clock_that_is_more_wrong_is_refused() -> None:
    error = refused(signed("GET", f"{URL}/", service="s3"), at=SIGNED_AT + 901)
    assert (error.status, error.code) == (403, "RequestTimeTooSkewed")
    assert error.members == {
        "RequestTime": "20150830T123600Z",
        "ServerTime": "2015-08-30T12:51:01Z",
        "MaxAllowedSkewMilliseconds": "900000",
    }
    error = refused(signed("POST", f"{URL}/", headers=FORM), at=SIGNED_AT + 901)
    assert error.code == "SignatureDoesNotMatch"
    assert error.message == (
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z "
        "(20150830T125101Z - 15 min.)"
    )
    error = refused(signed("POST", f"{URL}/", service="kinesis", headers=JSON), at=SIGNED_AT - 901)
    assert error.code == "InvalidSignatureException"
    assert error.message == (
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z "
        "(20150830T122059Z + 15 min.)"
    )


def test_an_advanced_clock_is_no_skew() -> None:
    clock = clock_at()
    clock.advance(7 * 86400)
    assert verify(signed("POST", URL), credentials(), clock) is not None


def test_temporary_credentials() -> None:
    key = Key(session_token="the/token==", expires_at=SIGNED_AT + 60)
    request = signed("GET", f"{URL}/bucket", service="s3", token="the/token==")
    assert accepted(request, AKIDEXAMPLE=key).session_token == "the/token=="
    without = signed("GET", f"{URL}/bucket", service="s3")
    assert refused(without, AKIDEXAMPLE=key).code == "InvalidAccessKeyId"
    error = refused(signed("GET", f"{URL}/", service="s3", token="x"), AKIDEXAMPLE=key)
    assert (error.status, error.code, error.members) == (400, "InvalidToken", {"Token-0": "x"})
    assert refused(request).code == "InvalidToken"
    wrong = signed("POST", f"{URL}/", headers=FORM, token="x")
    assert refused(wrong, AKIDEXAMPLE=key).code == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("headers", "service", "status", "code"),
    [
        ({}, "s3", 400, "ExpiredToken"),
        (FORM, "sts", 403, "ExpiredToken"),
        (JSON, "kinesis", 400, "ExpiredTokenException"),
        ({}, "lambda", 403, "ExpiredTokenException"),
    ],
)
def test_temporary_credentials_end_by_the_clock(
    headers: dict[str, str], service: str, status: int, code: str
) -> None:
    clock = clock_at()
    key = Key(session_token="token", expires_at=SIGNED_AT + 3600)
    request = signed("POST", f"{URL}/", service=service, headers=headers, token="token")
    assert verify(request, credentials(AKIDEXAMPLE=key), clock) is not None
    clock.advance(3600)
    with pytest.raises(AWSError) as caught:
        verify(request, credentials(AKIDEXAMPLE=key), clock)
    assert (caught.value.status, caught.value.code) == (status, code)


def test_the_date_header_will_do() -> None:
    request = signed("GET", f"{URL}/", headers={"Date": "any"})
    assert "x-amz-date" not in request.headers
    assert accepted(request).timestamp == "20150830T123600Z"


def test_a_signed_authority_is_the_host() -> None:
    request = signed("GET", f"{URL}/", headers={":authority": "localhost:4566", "Host": ""})
    request = with_headers(request, host="localhost:4566", **{":authority": None})
    request.headers["authorization"] = request.headers["authorization"].replace(";host", "")
    canonical = "GET\n/\n\n:authority:localhost:4566\nx-amz-date:20150830T123600Z\n\n"
    error = refused(request)
    assert canonical in error.message
    key = signing_key(ACCESS_KEY_ID, Key().secret_access_key, "20150830", "eu-central-1", "sts")
    text = error.message.partition("The String-to-Sign should have been\n'")[2].rstrip("'\n")
    head = request.headers["authorization"].rpartition("=")[0]
    request.headers["authorization"] = f"{head}={key.sign(text)}"
    assert accepted(request)


def test_every_order_and_separator_of_the_header_is_read() -> None:
    request = signed("GET", f"{URL}/")
    mechanism, *components = request.headers["authorization"].split(" ")
    components = [component.rstrip(",") for component in components]
    for text in (",".join(components), " ".join(components), " , ".join(reversed(components))):
        assert accepted(with_headers(request, authorization=f"{mechanism} {text}"))


def test_nothing_shows_a_secret() -> None:
    key = Key(session_token="secret-token")
    request = signed("GET", f"{URL}/bucket", service="s3", token="secret-token")
    parsed = parse(request)
    verified = accepted(request, AKIDEXAMPLE=key)
    shown = f"{parsed!r} {verified!r} {verified.signing_key!r}"
    assert "secret-token" not in shown
    assert repr(verified.signing_key.inner)[2:-1] not in shown
    assert verified.signature not in shown


def test_a_secret_that_changed_is_not_taken_from_the_cache() -> None:
    request = signed("POST", f"{URL}/", headers=FORM)
    assert accepted(request)
    assert refused(request, AKIDEXAMPLE=Key("other")).code == "SignatureDoesNotMatch"


def test_the_target_has_to_be_signed() -> None:
    target = {"x-amz-target": "CloudTrail_20131101.LookupEvents"}
    request = signed("POST", "http://localhost:4566/", service="cloudtrail", headers=target)
    assert verify(request, credentials(), clock_at()) is not None
    unsigned = signed("POST", "http://localhost:4566/", service="cloudtrail")
    unsigned.headers |= target
    assert refused(unsigned).code == "InvalidSignatureException"
