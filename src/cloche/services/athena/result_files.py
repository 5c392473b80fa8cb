"""Result files: written while a query runs, as large as they may become, and stored at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from cloche.services.athena.failures import QueryFailed
from cloche.services.athena.result_configurations import bucket_and_key
from cloche.services.athena.result_metadata import encode_metadata
from cloche.services.athena.session import Session
from cloche.services.s3.errors import InvalidBucketName, NoSuchBucket

_MEMORY_BYTES = 4 << 20


class ResultBody:
    """Text of a result, in memory until it is large.

    Attributes:
        size_bytes: so far.
    """

    def __init__(self, session: Session) -> None:
        self.size_bytes = 0
        self._session = session
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._path: Path | None = None

    def write(self, piece: bytes) -> None:
        """Add to it."""
        self.size_bytes += len(piece)
        if self._file is not None:
            self._file.write(piece)
            return
        self._pieces.append(piece)
        if self.size_bytes > _MEMORY_BYTES:
            self._path = self._session.folder / "result"
            self._file = self._path.open("wb")
            self._file.writelines(self._pieces)
            self._pieces.clear()

    def whole(self) -> bytes | Path:
        """All of it, or the file that it is in."""
        if self._file is not None and self._path is not None:
            self._file.flush()
            return self._path
        return b"".join(self._pieces)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def check_output(session: Session) -> None:
    """Refuse a query whose result could not be stored, before it runs.

    Raises:
        QueryFailed: the bucket does not exist, has another owner, or may not be written to.
    """
    query = session.query
    bucket_name, key = bucket_and_key(query.output_folder)
    try:
        bucket = session.objects.bucket(bucket_name)
        is_allowed = session.objects.is_allowed("PutObject", bucket_name, f"{key}{query.id}.csv")
    except (NoSuchBucket, InvalidBucketName):
        raise _output_failed(
            f"Unable to verify/create output bucket {bucket_name}. The S3 location provided to "
            "save your query results is invalid. Please check your S3 location is correct and "
            "is in the same region and try again.",
            1306,
        ) from None
    expected = query.expected_bucket_owner
    if expected and expected != bucket.owner:
        raise _output_failed(
            f"Unable to verify/create output bucket {bucket_name}: "
            f"its owner is not the expected bucket owner {expected}.",
            1501,
        )
    if not is_allowed:
        raise _output_failed(
            f"Access denied when writing output to url: {query.output_folder}{query.id}.csv . "
            "Please ensure you are allowed to access the S3 bucket. If you are encrypting query "
            "results with KMS key, please ensure you are allowed to access your KMS key",
            1501,
        )


def store_result(
    session: Session,
    body: ResultBody,
    columns: Sequence[dict[str, Any]],
    location: str,
    *,
    content_type: str,
) -> None:
    """Store a result and the file that describes its columns.

    Raises:
        QueryFailed: the bucket is gone.
    """
    bucket, key = bucket_and_key(location)
    objects = session.objects

    async def store() -> None:
        await asyncio.gather(
            objects.write(bucket, key, body.whole(), content_type),
            objects.write(
                bucket, f"{key}.metadata", encode_metadata(columns), "application/octet-stream"
            ),
        )

    try:
        objects.wait(store())
    except NoSuchBucket:
        raise _output_failed(f"Unable to verify/create output bucket {bucket}", 401) from None


def _output_failed(reason: str, type: int) -> QueryFailed:
    return QueryFailed(reason, type=type)
