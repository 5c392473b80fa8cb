"""Requests signed by botocore, and what verifies them, for the tests of this folder."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from msgspec.structs import replace

from cloche.core.clock import Clock
from cloche.core.errors import AWSError
from cloche.gateway.http.messages import BodyTooLarge, Request
from cloche.gateway.signing import Verified, verify

ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SIGNED_AT = 1_440_938_160.0
"""2015-08-30T12:36:00Z"""


@dataclass(frozen=True)
class Key:
    secret_access_key: str = SECRET
    session_token: str | None = None
    expires_at: float | None = None


class Pieces:
    """A body that comes in the pieces given."""

    awaits_continue = False

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = list(pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece

    async def read(self, limit_bytes: int) -> bytes:
        body = b"".join(self._pieces)
        if len(body) > limit_bytes:
            raise BodyTooLarge
        return body

    def hold(self, size_bytes: int) -> None:
        """As a body without a budget."""


def clock_at(wall_time: float = SIGNED_AT) -> Clock:
    return Clock(wall_time=lambda: wall_time)


def credentials(**keys: Key) -> Callable[[str], Key | None]:
    return ({ACCESS_KEY_ID: Key()} | keys).get


def request_to(
    method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> Request:
    """A request as the HTTP server would give it."""
    parts = urlsplit(url)
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    return Request(
        method=method,
        raw_path=parts.path,
        query_string=parts.query,
        headers={"host": parts.netloc} | lower,
        body=Pieces([body]),
    )


@contextmanager
def signing_at(wall_time: float):
    """Let botocore sign as if it were another time."""
    moment = datetime.datetime.fromtimestamp(wall_time, datetime.UTC)
    with patch.object(botocore.auth, "get_current_datetime", lambda: moment):
        yield


def signed(
    method: str,
    url: str,
    *,
    service: str = "sts",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    secret: str = SECRET,
    token: str | None = None,
    at: float = SIGNED_AT,
    expires: int | None = None,
    context: dict[str, Any] | None = None,
    access_key_id: str = ACCESS_KEY_ID,
) -> Request:
    """A request signed by botocore; in the query string if `expires` is given."""
    key = Credentials(access_key_id, secret, token)
    aws_request = AWSRequest(method=method, url=url, headers=headers or {}, data=body)
    aws_request.context.update(context or {})
    signer: botocore.auth.SigV4Auth
    if expires is None:
        kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        signer = kind(key, service, "eu-central-1")
    else:
        query_kind = (
            botocore.auth.S3SigV4QueryAuth if service == "s3" else botocore.auth.SigV4QueryAuth
        )
        signer = query_kind(key, service, "eu-central-1", expires=expires)
    with signing_at(at):
        signer.add_auth(aws_request)
    return request_to(method, aws_request.url, dict(aws_request.headers.items()), body)


def digest(body: bytes) -> str:
    return sha256(body).hexdigest()


def accepted(request: Request, body: bytes = b"", **keys: Key) -> Verified:
    verified = verify(request, credentials(**keys), clock_at(), body_sha256=digest(body))
    assert verified is not None
    return verified


def refused(request: Request, body: bytes = b"", at: float = SIGNED_AT, **keys: Key) -> AWSError:
    with pytest.raises(AWSError) as caught:
        verify(request, credentials(**keys), clock_at(at), body_sha256=digest(body))
    return caught.value


def with_headers(request: Request, **headers: str | None) -> Request:
    """The request with headers put in, or taken out where None."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value for name, value in request.headers.items() if name not in names}
    added = {name: value for name, value in names.items() if value is not None}
    return replace(request, headers=kept | added)
