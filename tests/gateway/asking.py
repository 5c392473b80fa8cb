"""Asks an application as the HTTP server would, with valid signatures or none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloche.gateway.administration import Administration
from cloche.gateway.application import Application
from cloche.gateway.http.messages import BodyTooLarge, Request, Response
from tests.live_server import LiveServer

HOST = "127.0.0.1:4566"


class Whole:
    """A body that is there already."""

    awaits_continue = False

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content

    async def read(self, limit_bytes: int) -> bytes:
        if len(self._content) > limit_bytes:
            raise BodyTooLarge
        return self._content


class Asker:
    """Asks an application as the HTTP server would."""

    def __init__(self, live: LiveServer) -> None:
        self._live = live
        self._application = Application(live.runtime, Administration(live.runtime))
        self._credentials = Credentials(live.root["AccessKeyId"], live.root["SecretAccessKey"])

    def ask(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Response:
        path, _, query = target.partition("?")
        lower = {"host": HOST, **{name.lower(): value for name, value in headers.items()}}
        if body:
            lower.setdefault("content-length", str(len(body)))
        request = Request(method, path, query, lower, Whole(body))
        response = self._live.run(self._answer(request))
        assert response.status < 500 or response.status == 501, (method, target, headers, body)
        return response

    async def _answer(self, request: Request) -> Response:
        response = await asyncio.wait_for(self._application(request), 20)
        if isinstance(response.body, AsyncIterator):
            async for _ in response.body:
                pass
        return response

    def ask_signed(
        self, service: str, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> Response:
        request = AWSRequest(method, f"http://{HOST}{target}", headers=dict(headers), data=body)
        request.context["payload_signing_enabled"] = True
        kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        kind(self._credentials, service, "us-east-1").add_auth(request)
        response = self.ask(method, target, dict(request.headers.items()), body)
        mismatch = b"signature we calculated does not match"
        assert mismatch not in as_bytes(response), (method, target, headers)
        return response


def as_bytes(response: Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""
