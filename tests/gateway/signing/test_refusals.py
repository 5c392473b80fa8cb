from __future__ import annotations

import pytest

from cloche.core.errors import NotImplementedException
from cloche.gateway.http.messages import Request
from tests.gateway.signing.requests import refused, request_to, signed, with_headers

URL = "http://localhost:4566"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def edited(
    old: str, new: str, service: str = "s3", headers: dict[str, str] | None = None
) -> Request:
    request = signed("GET", f"{URL}/bucket", service=service, headers=headers)
    authorization = request.headers["authorization"]
    assert old in authorization
    return with_headers(request, authorization=authorization.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Credential=", "Credentials=", "the authorization header requires three components: "
         "Credential, SignedHeaders, and Signature."),
        ("SignedHeaders=host", "x=", "the authorization header requires three components: "
         "Credential, SignedHeaders, and Signature."),
        ("/eu-central-1/", "/", 'the Credential is mal-formed; expecting '
         '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'),
        ("/20150830/", "/2015083/", 'incorrect date format "2015083". This date in the credential '
         'must be in the format "yyyyMMdd".'),
        ("/aws4_request", "/aws4_reques", 'incorrect terminal "aws4_reques". This endpoint uses '
         '"aws4_request".'),
        ("/20150830/", "/20150831/", 'Invalid credential date "20150831". This date is not the '
         'same as X-Amz-Date: "20150830".'),
    ],
)  # fmt: skip
def test_s3_says_what_is_malformed(old: str, new: str, message: str) -> None:
    error = refused(edited(old, new))
    assert (error.status, error.code) == (400, "AuthorizationHeaderMalformed")
    assert error.message == f"The authorization header is malformed; {message}"


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("Signature=", "Signatures=", "IncompleteSignature",
         "Authorization header requires 'Signature' parameter. (Hashed with SHA-256"),
        ("/eu-central-1/", "/", "IncompleteSignature", "Credential must have exactly 5 "
         "slash-delimited elements, e.g. keyid/date/region/service/term, got "
         "'AKIDEXAMPLE/20150830/sts/aws4_request'"),
        ("/20150830/", "/20150831/", "SignatureDoesNotMatch", "Date in Credential scope does not "
         "match YYYYMMDD from ISO-8601 version of date from HTTP: '20150831' != '20150830', from "
         "'20150830T123600Z'."),
        ("/aws4_request", "/aws4", "SignatureDoesNotMatch", "Credential should be scoped with a "
         "valid terminator: 'aws4_request', not 'aws4'."),
        ("host;", "", "SignatureDoesNotMatch", "'Host' or ':authority' must be a 'SignedHeader' in "
         "the AWS Authorization."),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "IncompleteSignature", "Unsupported AWS "
         "'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now)."),
        ("AWS4-HMAC-SHA256", "Bearer", "MissingAuthenticationToken",
         "Request is missing Authentication Token"),
    ],
)  # fmt: skip
def test_other_services_say_what_is_malformed(old: str, new: str, code: str, message: str) -> None:
    error = refused(edited(old, new, service="sts", headers=FORM))
    assert error.code == code
    assert error.message.startswith(message)


def test_what_is_neither_date_nor_hash_is_refused() -> None:
    s3 = signed("GET", f"{URL}/bucket", service="s3")
    error = refused(with_headers(s3, x_amz_date=None))
    assert (error.status, error.code) == (403, "AccessDenied")
    assert error.message == "AWS authentication requires a valid Date or x-amz-date header"
    error = refused(with_headers(s3, x_amz_date="2015-08-30T12:36:00Z"))
    assert error.message == "AWS authentication requires a valid Date or x-amz-date header"
    error = refused(with_headers(s3, x_amz_content_sha256=None))
    assert (error.code, error.message) == (
        "InvalidRequest",
        "Missing required header for this request: x-amz-content-sha256",
    )
    error = refused(with_headers(s3, x_amz_content_sha256="0"))
    assert (error.code, error.members["ArgumentValue"]) == ("InvalidArgument", "0")
    other = signed("GET", f"{URL}/", headers=FORM)
    error = refused(with_headers(other, x_amz_date="2015"))
    assert (error.code, error.message) == (
        "IncompleteSignature",
        "Date must be in ISO-8601 'basic format'. Got '2015'. "
        "See http://en.wikipedia.org/wiki/ISO_8601",
    )
    error = refused(with_headers(other, x_amz_date=None))
    assert error.code == "IncompleteSignature"
    error = refused(with_headers(other, x_amz_content_sha256="STREAMING-AWS4-HMAC-SHA256-EVENTS"))
    assert isinstance(error, NotImplementedException)


def test_s3_wants_all_of_its_headers_signed() -> None:
    request = signed("PUT", f"{URL}/bucket/key", service="s3")
    error = refused(with_headers(request, x_amz_acl="public-read", x_amz_meta_a="1"))
    assert (error.status, error.code) == (403, "AccessDenied")
    assert error.message == "There were headers present in the request which were not signed"
    assert error.members == {"HeadersNotSigned": "x-amz-acl, x-amz-meta-a"}
    error = refused(edited("host;", ""))
    assert error.members == {"HeadersNotSigned": "host"}


def test_other_mechanisms_are_not_supported() -> None:
    error = refused(request_to("GET", f"{URL}/bucket", {"authorization": "AWS4-HMAC-SHA1 x"}))
    assert (error.status, error.code) == (400, "InvalidRequest")
    assert error.message == (
        "The authorization mechanism you have provided is not supported. "
        "Please use AWS4-HMAC-SHA256."
    )


def test_other_schemes_are_not_supported() -> None:
    error = refused(request_to("GET", f"{URL}/bucket", {"authorization": "Bearer token"}))
    assert (error.code, error.message) == ("InvalidArgument", "Unsupported Authorization Type")
