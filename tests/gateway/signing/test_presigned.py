from __future__ import annotations

import pytest
from msgspec.structs import replace

from cloche.core.errors import AWSError
from cloche.gateway.http.messages import Request
from cloche.gateway.signing import verify
from tests.gateway.signing.requests import (
    SIGNED_AT,
    Key,
    clock_at,
    credentials,
    digest,
    request_to,
    signed,
)

URL = "http://localhost:4566/bucket/a%20key"


def refused(request: Request, at: float = SIGNED_AT, **keys: Key) -> AWSError:
    with pytest.raises(AWSError) as caught:
        verify(request, credentials(**keys), clock_at(at))
    return caught.value


def with_query(request: Request, old: str, new: str) -> Request:
    assert old in request.query_string
    return replace(request, query_string=request.query_string.replace(old, new))


def test_what_botocore_presigns_is_accepted() -> None:
    request = signed(
        "GET", f"{URL}?versionId=null&response-content-type=a%2Fb", service="s3", expires=60
    )
    verified = verify(request, credentials(), clock_at())
    assert verified is not None
    assert verified.is_presigned
    assert verified.payload_mode == "UNSIGNED-PAYLOAD"


def test_a_presigned_call_of_another_service_signs_its_body() -> None:
    url = "http://localhost:4566/?Action=GetCallerIdentity&Version=2011-06-15"
    request = signed("GET", url, service="sts", expires=60, headers={"x-k8s-aws-id": "cluster"})
    verified = verify(request, credentials(), clock_at())
    assert verified is not None
    assert (verified.service, verified.is_presigned) == ("sts", True)
    with pytest.raises(AWSError) as caught:
        verify(request, credentials(), clock_at(), body_sha256=digest(b"body"))
    assert caught.value.code == "SignatureDoesNotMatch"


def test_a_url_expires() -> None:
    request = signed("GET", URL, service="s3", expires=60)
    assert verify(request, credentials(), clock_at(SIGNED_AT + 60)) is not None
    error = refused(request, at=SIGNED_AT + 61)
    assert (error.status, error.code, error.message) == (403, "AccessDenied", "Request has expired")
    assert error.members == {
        "X-Amz-Expires": "60",
        "Expires": "2015-08-30T12:37:00Z",
        "ServerTime": "2015-08-30T12:37:01Z",
    }
    error = refused(signed("GET", "http://localhost:4566/?Action=x", expires=60), at=SIGNED_AT + 61)
    assert (error.status, error.code) == (400, "RequestExpired")


def test_a_url_outlives_the_skew_of_headers() -> None:
    request = signed("GET", URL, service="s3", expires=604800)
    assert verify(request, credentials(), clock_at(SIGNED_AT + 604800)) is not None


def test_advancing_the_clock_expires_a_url() -> None:
    clock = clock_at()
    request = signed("GET", URL, service="s3", expires=3600)
    clock.advance(3599)
    assert verify(request, credentials(), clock) is not None
    clock = clock_at(SIGNED_AT + 10)
    clock.advance(3600)
    with pytest.raises(AWSError) as caught:
        verify(request, credentials(), clock)
    assert caught.value.message == "Request has expired"


def test_a_url_signed_after_an_advance_lives_as_long_as_any() -> None:
    wall_time = SIGNED_AT - 10
    clock = clock_at()
    clock.wall_time = lambda: wall_time
    clock.advance(86400)
    wall_time = SIGNED_AT + 30
    assert verify(signed("GET", URL, service="s3", expires=60), credentials(), clock) is not None
    wall_time = SIGNED_AT + 61
    with pytest.raises(AWSError):
        verify(signed("GET", URL, service="s3", expires=60), credentials(), clock)


def test_a_url_of_the_future_is_not_yet_valid() -> None:
    request = signed("GET", URL, service="s3", expires=60)
    assert verify(request, credentials(), clock_at(SIGNED_AT - 900)) is not None
    error = refused(request, at=SIGNED_AT - 901)
    assert (error.code, error.message) == ("AccessDenied", "Request is not yet valid")
    assert error.members == {
        "X-Amz-Date": "1440938160000",
        "Expires": "2015-08-30T12:37:00Z",
        "ServerTime": "2015-08-30T12:20:59Z",
    }


def test_a_token_is_in_the_query() -> None:
    request = signed("GET", URL, service="s3", expires=60, token="the/token+==")
    assert "x-amz-security-token" not in request.headers
    key = Key(session_token="the/token+==")
    assert verify(request, credentials(AKIDEXAMPLE=key), clock_at()) is not None
    assert refused(request, AKIDEXAMPLE=Key(session_token="x")).code == "InvalidToken"


@pytest.mark.parametrize(
    "name", ["Algorithm", "Credential", "Signature", "Date", "SignedHeaders", "Expires"]
)
def test_all_parameters_must_be_there(name: str) -> None:
    request = signed("GET", URL, service="s3", expires=60)
    pairs = [pair for pair in request.query_string.split("&") if f"X-Amz-{name}=" not in pair]
    request = replace(request, query_string="&".join(pairs), headers={"host": "localhost:4566"})
    error = refused(request)
    assert (error.status, error.code) == (400, "AuthorizationQueryParametersError")
    assert error.message == (
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
        "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Expires=60", "Expires=604801", "X-Amz-Expires must be less than a week (in seconds); "
         "that is, the given X-Amz-Expires must be less than 604800 seconds"),
        ("Expires=60", "Expires=-1", "X-Amz-Expires must be non-negative"),
        ("Expires=60", "Expires=1h", "X-Amz-Expires should be a number"),
        ("Expires=60", "Expires=9223372036854775808", "X-Amz-Expires should be a number"),
        ("Algorithm=AWS4-HMAC-SHA256", "Algorithm=x",
         'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'),
        ("Date=20150830T123600Z", "Date=2015-08-30T12:36:00Z",
         "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""),
        ("%2F20150830%2F", "%2F20150831%2F", 'Invalid credential date "20150831". This date is not '
         'the same as X-Amz-Date: "20150830".'),
        ("%2F20150830%2F", "%2F2015%2F", "Error parsing the X-Amz-Credential parameter; incorrect "
         'date format "2015". This date in the credential must be in the format "yyyyMMdd".'),
        ("%2Faws4_request", "", "Error parsing the X-Amz-Credential parameter; the Credential is "
         'mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'),
    ],
)  # fmt: skip
def test_parameters_must_be_well_formed(old: str, new: str, message: str) -> None:
    error = refused(with_query(signed("GET", URL, service="s3", expires=60), old, new))
    assert (error.status, error.code, error.message) == (
        400,
        "AuthorizationQueryParametersError",
        message,
    )


def test_a_url_that_is_valid_for_no_time_has_expired() -> None:
    error = refused(signed("GET", URL, service="s3", expires=0))
    assert (error.status, error.message) == (403, "Request has expired")


def test_unsigned_headers_are_refused_but_for_the_payloads_hash() -> None:
    request = signed("PUT", URL, service="s3", expires=60)
    request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
    assert verify(request, credentials(), clock_at()) is not None
    request.headers["x-amz-content-sha256"] = digest(b"")
    assert refused(request).code == "SignatureDoesNotMatch"
    del request.headers["x-amz-content-sha256"]
    request.headers["x-amz-acl"] = "public-read"
    assert refused(request).members == {"HeadersNotSigned": "x-amz-acl"}


def test_the_payloads_hash_may_be_in_the_query() -> None:
    """As the SDK for JavaScript presigns."""
    url = f"{URL}?X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"
    request = signed("PUT", url, service="s3", expires=60)
    assert verify(request, credentials(), clock_at()) is not None


def test_two_mechanisms_are_one_too_many() -> None:
    request = signed("GET", URL, service="s3", expires=60)
    request.headers["authorization"] = "AWS4-HMAC-SHA256 a"
    error = refused(request)
    assert (error.status, error.code) == (400, "InvalidArgument")
    assert error.message.startswith("Only one auth mechanism allowed")


@pytest.mark.parametrize(
    "query",
    [
        "AWSAccessKeyId=AKID&Signature=abc%3D&SignatureVersion=2&SignatureMethod=HmacSHA256",
        "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential=a%2F20150830%2Fs3%2Faws4_request"
        "&X-Amz-Signature=1&X-Amz-SignedHeaders=host&X-Amz-Date=20150830T123600Z&X-Amz-Expires=1",
    ],
)
def test_other_versions_are_not_supported(query: str) -> None:
    error = refused(request_to("GET", f"{URL}?{query}"))
    assert error.code == "InvalidRequest"
    assert error.message.endswith("Please use AWS4-HMAC-SHA256.")


def test_a_query_that_only_looks_signed_is_anonymous() -> None:
    for query in (
        "X-Amz-Expires=60",
        "prefix=X-Amz-Signature=1",
        "Signature=1",
        "a=AWSAccessKeyId=Signature=",
    ):
        assert verify(request_to("GET", f"{URL}?{query}"), credentials(), clock_at()) is None


def test_what_is_obeyed_has_to_be_signed() -> None:
    request = signed("GET", URL, service="sts", expires=60)
    for name in ("x-amz-target", "x-amz-account-id", "x-amz-anything"):
        error = refused(replace(request, headers=request.headers | {name: "x"}))
        assert error.code in ("InvalidSignatureException", "SignatureDoesNotMatch")
        assert error.message == f"'{name}' must be a 'SignedHeader' in the AWS Authorization."
    sent = replace(request, headers=request.headers | {"x-amz-user-agent": "x"})
    assert verify(sent, credentials(), clock_at()) is not None
