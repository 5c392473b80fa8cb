"""Requests from the command to the server: health, and the signed requests of administration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urlsplit

from cloche.cli.output import CommandError

TIMEOUT_SECONDS = 30.0


class NoAnswer(Exception):
    """Nothing listens there, or what does isn't HTTP."""


class Credentials(TypedDict):
    """A key and its account."""

    account_id: str
    access_key_id: str
    secret_access_key: str


def read_credentials(data_directory: Path) -> Credentials | None:
    """The root key that the server made at its first start; None before that."""
    try:
        text = (data_directory / "credentials.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return json.loads(text)


def is_healthy(url: str) -> bool:
    """Whether a server answers there."""
    try:
        status, body = _exchange(url, "GET", "/health", b"", {}, timeout_seconds=2.0)
    except NoAnswer:
        return False
    return status == 200 and json.loads(body).get("status") == "ok"


def call(
    url: str,
    credentials: Credentials,
    region: str,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Call the server's administration, signed with the root key.

    Raises:
        CommandError: the server refuses, or can't be reached.
    """
    content = b"" if body is None else json.dumps(body).encode()
    headers = _signed_headers(url, credentials, region, method, path, content)
    try:
        status, answer = _exchange(url, method, path, content, headers, TIMEOUT_SECONDS)
    except NoAnswer as error:
        raise CommandError(
            f"The server at {url} doesn't answer: {error}.", "See `cloche logs`."
        ) from error
    if status != 200:
        raise CommandError(f"The server refused {method} {path} ({status}): {_message(answer)}")
    return json.loads(answer)


def _signed_headers(
    url: str, credentials: Credentials, region: str, method: str, path: str, content: bytes
) -> dict[str, str]:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as BotocoreCredentials

    key = BotocoreCredentials(credentials["access_key_id"], credentials["secret_access_key"])
    headers = {"content-type": "application/json"}
    request = AWSRequest(method=method, url=url + path, data=content, headers=headers)
    SigV4Auth(key, "cloche", region).add_auth(request)
    return dict(request.headers.items())


def _exchange(
    url: str,
    method: str,
    path: str,
    content: bytes,
    headers: dict[str, str],
    timeout_seconds: float,
) -> tuple[int, bytes]:
    # Imported here, since it takes longer than all else that a command does at its start.
    import http.client

    address = urlsplit(url)
    connection = http.client.HTTPConnection(
        address.hostname or "127.0.0.1", address.port, timeout=timeout_seconds
    )
    try:
        connection.request(method, path, body=content, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(str(error) or type(error).__name__) from error
    finally:
        connection.close()


def _message(answer: bytes) -> str:
    try:
        values = json.loads(answer)
    except ValueError:
        return answer.decode("utf-8", errors="replace")[:500]
    return values.get("message") or values.get("Message") or str(values)
