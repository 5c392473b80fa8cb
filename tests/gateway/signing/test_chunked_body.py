from __future__ import annotations

import asyncio

import pytest

from cloche.core.errors import AWSError
from cloche.gateway.http.messages import Body, BodyTooLarge, Request
from cloche.gateway.signing import (
    DecodedBody,
    check_payload_sha256,
    decoded_body,
    errors,
    verify,
)
from tests.gateway.signing.chunks import split, unsigned_body
from tests.gateway.signing.requests import (
    Pieces,
    clock_at,
    credentials,
    digest,
    request_to,
    signed,
)

URL = "http://localhost:4566/bucket/key"
DATA = b"0123456789" * 5000


def streaming(mode: str, body: bytes, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = request_to("PUT", URL, {"x-amz-content-sha256": mode} | named)
    request.body = Pieces(split(body, 1000))
    return request


def read(body: Body, limit_bytes: int = 1 << 20) -> bytes:
    return asyncio.run(body.read(limit_bytes))


def test_a_plain_body_stays_as_it_is() -> None:
    request = signed("PUT", URL, service="s3", body=DATA)
    verified = verify(request, credentials(), clock_at())
    assert decoded_body(request, verified) is request.body
    assert decoded_body(request_to("PUT", URL), None) is not None


def test_an_anonymous_body_in_unsigned_chunks() -> None:
    encoded = unsigned_body(split(DATA, 8192), {"x-amz-checksum-crc32": "AAAAAA=="})
    request = streaming(
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        encoded,
        x_amz_decoded_content_length=str(len(DATA)),
        x_amz_trailer="X-Amz-Checksum-CRC32",
    )
    body = decoded_body(request, None)
    assert isinstance(body, DecodedBody)
    assert body.trailers == {}
    assert not body.awaits_continue
    assert read(body) == DATA
    assert body.trailers == {"x-amz-checksum-crc32": "AAAAAA=="}
    with pytest.raises(BodyTooLarge):
        read(decoded_body(request, None), len(DATA) - 1)


def test_a_body_that_ends_early_is_incomplete() -> None:
    encoded = unsigned_body(split(DATA, 8192))[:-2]
    request = streaming(
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER", encoded, x_amz_decoded_content_length=str(len(DATA))
    )
    with pytest.raises(errors.IncompleteBody):
        read(decoded_body(request, None))


@pytest.mark.parametrize(
    ("mode", "length", "status", "code"),
    [
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", None, 411, "MissingContentLength"),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "-1", 400, "InvalidRequest"),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "9" * 30, 400, "InvalidRequest"),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "1", 400, "InvalidRequest"),
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "1", 400, "InvalidArgument"),
    ],
)
def test_what_cannot_be_decoded_is_refused(
    mode: str, length: str | None, status: int, code: str
) -> None:
    headers = {} if length is None else {"x_amz_decoded_content_length": length}
    with pytest.raises(AWSError) as caught:
        decoded_body(streaming(mode, b"", **headers), None)
    assert (caught.value.status, caught.value.code) == (status, code)


def test_the_hash_of_a_body_is_compared() -> None:
    check_payload_sha256(digest(DATA), digest(DATA))
    with pytest.raises(errors.XAmzContentSHA256Mismatch):
        check_payload_sha256(digest(DATA), digest(b""))
