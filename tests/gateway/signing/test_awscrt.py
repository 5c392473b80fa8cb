"""What AWS's own library in C signs is accepted."""

from __future__ import annotations

import datetime

import pytest
from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSignedBodyHeaderType,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.http import HttpHeaders, HttpRequest
from msgspec.structs import replace

from cloche.core.errors import AWSError
from cloche.gateway.http.messages import Request
from cloche.gateway.signing import Parsed, check, parse
from tests.gateway.signing.requests import (
    ACCESS_KEY_ID,
    SECRET,
    SIGNED_AT,
    Key,
    clock_at,
    request_to,
)

HOST = "localhost:4566"


def signed_by_awscrt(
    target: str, service: str, body_value: str | None, *, in_query: bool, token: str | None = None
) -> Request:
    headers = HttpHeaders([("Host", HOST), ("X-Amz-Meta-Name", "  a   value ")])
    if in_query:
        headers = HttpHeaders([("Host", HOST)])
    is_s3 = service == "s3"
    config = AwsSigningConfig(
        algorithm=AwsSigningAlgorithm.V4,
        signature_type=AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS
        if in_query
        else AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=AwsCredentialsProvider.new_static(ACCESS_KEY_ID, SECRET, token),
        region="us-west-2",
        service=service,
        date=datetime.datetime.fromtimestamp(SIGNED_AT, datetime.UTC),
        use_double_uri_encode=not is_s3,
        should_normalize_uri_path=not is_s3,
        signed_body_value=body_value,
        signed_body_header_type=AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256
        if is_s3 and not in_query
        else AwsSignedBodyHeaderType.NONE,
        expiration_in_seconds=60 if in_query else None,
    )
    request = HttpRequest("GET", target, headers)
    aws_sign_request(request, config).result(timeout=10)
    url = f"http://{HOST}{request.path}"
    return request_to("GET", url, dict(iter(request.headers)))


def parsed(request: Request) -> Parsed:
    found = parse(request)
    assert found is not None
    return found


TARGETS = [
    "/",
    "/bucket/a%20b%2B%C3%A9/x",
    "/a/./b//../c/?b=2&a=1&a=&c",
    "/tags/arn%3Aaws%3Asns%3A%2Fx?tagKeys=%C3%A9&tagKeys=a%20b",
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("service", ["s3", "sns"])
@pytest.mark.parametrize("in_query", [False, True])
@pytest.mark.parametrize("token", [None, "a/token+=="])
def test_signatures_of_awscrt(target: str, service: str, in_query: bool, token: str | None) -> None:
    payload = "UNSIGNED-PAYLOAD" if service == "s3" else None
    request = signed_by_awscrt(target, service, payload, in_query=in_query, token=token)
    key = Key(session_token=token)
    verified = check(parsed(request), key, clock_at())
    assert (verified.service, verified.region) == (service, "us-west-2")
    assert verified.is_presigned is in_query
    other = replace(request, raw_path=request.raw_path + "x")
    with pytest.raises(AWSError, match="signature we calculated does not match"):
        check(parsed(other), key, clock_at())
