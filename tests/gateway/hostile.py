"""Requests that are signed as they should be and otherwise wrong."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit

import botocore.auth
import httpx
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Signer:
    """Makes requests with valid signatures, whatever is in them."""

    def __init__(self, endpoint_url: str, key: Mapping[str, str]) -> None:
        self._url = endpoint_url
        self._credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def signed_headers(
        self, method: str, target: str, body: bytes, headers: Mapping[str, str], service: str = "s3"
    ) -> dict[str, str]:
        """All headers of a request.

        Args:
            method: HTTP's.
            target: path and query as they are to be sent.
            body: what is signed.
            headers: further ones; `content-length` is sent as given and not signed.
            service: as it is named in signatures.
        """
        unsigned = {name: value for name, value in headers.items() if name == "content-length"}
        more = {name: value for name, value in headers.items() if name not in unsigned}
        url = self._url + (canonical(target) if service == "s3" else target)
        request = AWSRequest(method, url, headers=more, data=body)
        kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        signer = kind(self._credentials, service, "us-east-1")
        request.context["payload_signing_enabled"] = True
        signer.add_auth(request)
        return {"host": urlsplit(self._url).netloc, **dict(request.headers.items()), **unsigned}

    def presigned(self, method: str, target: str) -> str:
        """Path and query of a presigned URL of S3."""
        request = AWSRequest(method, self._url + target)
        botocore.auth.S3SigV4QueryAuth(self._credentials, "s3", "us-east-1", expires=60).add_auth(
            request
        )
        return str(request.url).removeprefix(self._url)

    def head(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The request's head as S3 gets it."""
        lines = [f"{method} {target} HTTP/1.1"]
        signed = {"connection": "close", **self.signed_headers(method, target, body, headers)}
        lines += [f"{name}: {value}" for name, value in signed.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")

    def send(
        self,
        method: str,
        target: str,
        body: bytes,
        *,
        service: str = "s3",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request with a well-formed head."""
        signed = self.signed_headers(method, target, body, headers or {}, service)
        return httpx.request(method, self._url + target, content=body, headers=signed, timeout=20)


def canonical(target: str) -> str:
    """The target as S3 signs it: its path encoded once, in the one way that signatures know."""
    path, mark, query = target.partition("?")
    # An encoded slash stays one, or a path would be signed like another.
    parts = re.split("%2[fF]", path)
    return "%2F".join(quote(unquote_to_bytes(part), safe="/~") for part in parts) + mark + query


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: 0 if nothing came.
        body: as far as it came.
        is_closed: the server ended the connection.
    """

    status: int
    body: bytes
    is_closed: bool


def exchange(port: int, data: bytes, *, finish: bool = False) -> Answer:
    """Send bytes and read what the server says, until it closes or has answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        try:
            client.sendall(data)
            if finish:
                client.shutdown(socket.SHUT_WR)
            return read_answer(client)
        except (ConnectionResetError, BrokenPipeError):
            return Answer(0, b"", True)


def read_answer(client: socket.socket) -> Answer:
    """Read one answer, and whether the connection ends within half a second after it."""
    received = b""
    try:
        while not _is_whole(received):
            chunk = client.recv(65_536)
            if not chunk:
                return Answer(_status(received), received, True)
            received += chunk
        client.settimeout(1.5)
        while chunk := client.recv(65_536):
            received += chunk
    except TimeoutError:
        return Answer(_status(received), received, False)
    except ConnectionResetError:
        pass
    return Answer(_status(received), received, True)


def _status(received: bytes) -> int:
    return int(received[9:12]) if received.startswith(b"HTTP/1.1 ") else 0


def _is_whole(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if end and line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return bool(end) and body.endswith(b"0\r\n\r\n")
