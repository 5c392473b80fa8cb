"""Requests and answers, apart from the protocol version that carried them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from cloche.engines.objects.store import FileSlice


class Body(Protocol):
    """A request's body as it comes in; the client is held back until it is read."""

    @property
    def awaits_continue(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends the body."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def read(self, limit_bytes: int) -> bytes:
        """All of it.

        Raises:
            BodyTooLarge: it has more than `limit_bytes`.
            BodiesTooMany: there is no memory for it now.
            BodyIncomplete: the client went away, sent less than it had announced, or sends so
                slowly that others might have to wait for the memory.
        """
        ...

    def hold(self, size_bytes: int) -> None:
        """Say how much of it is kept in memory by now, until the request is answered.

        Raises:
            BodiesTooMany: there is no memory for so much now.
        """
        ...


class BodyTooLarge(Exception):
    """A body is longer than what may be held in memory."""


class BodiesTooMany(Exception):
    """The bodies of all connections together take what memory there is for them."""


class BodyIncomplete(Exception):
    """The connection ended, or stalled, within a body."""


class Request(msgspec.Struct):
    """A request.

    Attributes:
        method: upper case.
        raw_path: path as it came, still percent-encoded, without the query.
        query_string: as it came, without the question mark.
        headers: lower-case names; values that came several times are joined by a comma. With
            HTTP/2, `host` holds `:authority`.
        body: as a stream.
        source_ip: the client's address.
        http_version: `1.1`, `1.0` or `2`.
        is_secure: came over TLS.
    """

    method: str
    raw_path: str
    query_string: str
    headers: dict[str, str]
    body: Body
    source_ip: str = "127.0.0.1"
    http_version: str = "1.1"
    is_secure: bool = False

    @property
    def host(self) -> str:
        """Name and port that the client addressed."""
        return self.headers.get("host", "")


ResponseBody = bytes | FileSlice | AsyncIterator[bytes]


class Response(msgspec.Struct):
    """An answer.

    Attributes:
        status: HTTP status.
        headers: lower-case names; `content-length` is added for bytes and files.
        body: bytes, part of a file, or an iterator (chunked unless `content-length` is given).
    """

    status: int = 200
    headers: list[tuple[str, str]] = []
    body: ResponseBody = b""
