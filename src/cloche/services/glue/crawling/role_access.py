"""What a crawler may do: calls in the name of its role, and objects read when that may."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from uuid import uuid4

from cloche.core.errors import AWSError
from cloche.core.job_call import JobFailed
from cloche.core.operations import Server
from cloche.core.principals import Principal
from cloche.engines.objects.store import FileSlice, ObjectRecord, ObjectStore
from cloche.services.iam.identity import find_credential
from cloche.services.iam.service_sessions import create_session_for_service

SERVICE_PRINCIPAL = "glue.amazonaws.com"
SESSION_NAME = "AWS-Crawler"

_SESSION_SECONDS = 12 * 3600
_BUFFER_BYTES = 256 * 1024


class ListedObject(NamedTuple):
    """An object as a listing has it."""

    key: str
    size_bytes: int


class RoleAccess:
    """Calls as a role, from a thread.

    Args:
        server: the server.
        loop: the server's.
        principal: the role's session.
        region: of the calls.
    """

    def __init__(
        self, server: Server, loop: asyncio.AbstractEventLoop, principal: Principal, region: str
    ) -> None:
        self._server = server
        self._loop = loop
        self._principal = principal
        self._region = region
        self.store = server.engine(ObjectStore)

    def run(self, work: Any) -> Any:
        """What a coroutine returns that runs on the server's loop."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except CancelledError as error:
            raise JobFailed("the server stopped") from error

    def invoke(self, service: str, operation: str, request: dict[str, Any]) -> Any:
        """Call an operation, with the role's permissions.

        Raises:
            AWSError: what it raises.
        """
        return self.run(
            self._server.dispatcher.invoke(
                self._principal,
                self._region,
                service,
                operation,
                request,
                request_id=str(uuid4()),
            )
        )

    def list_objects(self, bucket: str, prefix: str) -> Iterator[ListedObject]:
        """All objects with a prefix, read page by page.

        Raises:
            AWSError: the role may not, or there is no such bucket.
        """
        request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
        while True:
            page = self.invoke("s3", "ListObjectsV2", request)
            for entry in page["Contents"]:
                yield ListedObject(entry["Key"], entry["Size"])
            if not page.get("NextContinuationToken"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def open_object(self, bucket: str, key: str) -> ObjectFile | None:
        """An object to be read; None if it is gone.

        Raises:
            AWSError: the role may not.
        """
        try:
            self.invoke("s3", "HeadObject", {"Bucket": bucket, "Key": key})
        except AWSError as error:
            if error.code in ("NoSuchKey", "404", "NotFound"):
                return None
            raise
        record = self.run(self.store.head(bucket, key))
        return None if record is None or record.is_delete_marker else ObjectFile(self, record)


class ObjectFile:
    """An object as inference reads it: parts of it, never the whole in memory."""

    def __init__(self, access: RoleAccess, record: ObjectRecord) -> None:
        self._access = access
        self._record = record

    @property
    def name(self) -> str:
        """Last part of its key."""
        return self._record.key.rpartition("/")[2]

    @property
    def size_bytes(self) -> int:
        """Its length."""
        return self._record.size_bytes

    def head(self, limit_bytes: int) -> bytes:
        """Its first bytes."""
        return self.read(0, min(limit_bytes, self.size_bytes))

    def open(self) -> BinaryIO:
        """The object as a file."""
        path: Path | None = self._access.store.local_path(self._record)
        if path is not None:
            return path.open("rb")
        return io.BufferedReader(_Ranges(self), _BUFFER_BYTES)

    def read(self, start: int, length: int) -> bytes:
        """Some of its bytes."""
        return self._access.run(_read(self._access.store, self._record, start, length))


class _Ranges(io.RawIOBase):
    """An object as a file, each read of which is one of a range."""

    def __init__(self, file: ObjectFile) -> None:
        super().__init__()
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), max(0, self._file.size_bytes - self._at))
        content = self._file.read(self._at, length) if length else b""
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


async def _read(store: ObjectStore, record: ObjectRecord, start: int, length: int) -> bytes:
    if not length:
        return b""
    body = await store.read(record, start, length)
    if isinstance(body, bytes):
        return body
    if isinstance(body, FileSlice):
        return await asyncio.to_thread(_read_slice, body)
    return b"".join([piece async for piece in body])


def _read_slice(body: FileSlice) -> bytes:
    with body.path.open("rb") as file:
        file.seek(body.offset)
        return file.read(body.length)


def take_role(
    server: Server, loop: asyncio.AbstractEventLoop, role_arn: str, region: str, crawler_arn: str
) -> RoleAccess:
    """Take on a crawler's role; blocks.

    Raises:
        JobFailed: Glue may not.
    """
    try:
        session = create_session_for_service(
            server,
            role_arn,
            SERVICE_PRINCIPAL,
            SESSION_NAME,
            _SESSION_SECONDS,
            source_arn=crawler_arn,
        )
    except AWSError as error:
        raise JobFailed(
            f"Service is unable to assume role {role_arn}. Please verify the role's TrustPolicy:"
            f" {error.message}"
        ) from error
    credential = find_credential(server.documents, session.id)
    if credential is None:
        raise JobFailed(f"Service is unable to assume role {role_arn}: it was deleted.")
    return RoleAccess(server, loop, credential.principal, region)
