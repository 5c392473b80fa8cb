"""Taking in the body of PutObject and UploadPart, and holding it to all that announced it."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from cloche.core.errors import AWSError
from cloche.core.operations import Call
from cloche.engines.objects.store import (
    BucketNotFound,
    ObjectStore,
    PartNotFound,
    PutWithoutLength,
    Staged,
    UploadNotFound,
)
from cloche.services.s3.bucket_records import no_such_bucket
from cloche.services.s3.checksums import (
    DEFAULT_ALGORITHM,
    announced_checksum,
    check_checksum,
    check_content_sha256,
    decoded_md5,
    encoded,
    trailing_checksum,
)
from cloche.services.s3.errors import (
    BadDigest,
    EntityTooLarge,
    IncompleteBody,
    InvalidPart,
    MissingContentLength,
    NoSuchUpload,
)

MAX_REQUEST_BYTES = 5 * 1024**3
_SMALL_BYTES = 256 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Received(NamedTuple):
    """A body that came as it was announced.

    Attributes:
        digests: base64 by algorithm in upper case, those that S3 keeps.
        announced: the algorithm that the client gave a checksum in.
    """

    staged: Staged
    digests: dict[str, str]
    announced: str | None


@asynccontextmanager
async def storing(call: Call, request: Mapping[str, Any], staged: Staged) -> AsyncIterator[None]:
    """Drop a staged body if it does not come to be stored, and say why as S3 says it."""
    try:
        yield
    except (AWSError, LookupError) as error:
        await call.engine(ObjectStore).discard(staged)
        if isinstance(error, AWSError):
            raise
        raise translated(error, request) from error


def translated(error: LookupError, request: Mapping[str, Any]) -> AWSError | LookupError:
    """What a client is told if the store misses something that was there a moment ago."""
    if isinstance(error, BucketNotFound):
        return no_such_bucket(request["Bucket"])
    if isinstance(error, UploadNotFound):
        return NoSuchUpload(UploadId=request["UploadId"])
    if isinstance(error, PartNotFound):
        return InvalidPart(UploadId=request["UploadId"])
    return error


async def receive(
    call: Call, request: Mapping[str, Any], *, algorithm: str | None = None
) -> Received:
    """Stage a request's body.

    Args:
        call: whose HTTP headers announce length and digests.
        request: has `Body`, `ContentMD5` and the `Checksum…` members.
        algorithm: to compute a checksum by besides the announced one; CRC64NVME if neither.

    Raises:
        BadDigest: the body is not what its MD5 or checksum says.
        XAmzContentSHA256Mismatch: it is not what was signed.
        IncompleteBody: it has another length than announced.
        EntityTooLarge: it has more than 5 GiB.
    """
    headers: Mapping[str, str] = {} if call.http is None else call.http.headers
    announced = announced_checksum(request, headers)
    content_md5 = request.get("ContentMD5")
    expected_md5 = None if content_md5 is None else decoded_md5(content_md5)
    signed_sha256 = headers.get("x-amz-content-sha256", "").lower()
    kept = {algorithm or (DEFAULT_ALGORITHM if announced is None else announced[0])}
    if announced is not None:
        kept.add(announced[0])
    algorithms = {name.lower() for name in kept}
    is_signed = _SHA256.fullmatch(signed_sha256) is not None
    if is_signed:
        algorithms.add("sha256")
    body: Any = request.get("Body", b"")
    staged = await _stage(call, body, _announced_length(headers), algorithms)
    try:
        digests = staged.digests
        if expected_md5 is not None and digests["md5"] != expected_md5:
            raise BadDigest(
                ExpectedDigest=content_md5,
                CalculatedDigest=base64.b64encode(digests["md5"]).decode(),
            )
        if is_signed:
            check_content_sha256(signed_sha256, digests["sha256"])
        if announced is not None:
            name, value = announced
            if value is None:
                value = trailing_checksum(name, getattr(body, "trailers", {}))
            check_checksum(name, value, digests[name.lower()])
    except AWSError:
        await call.engine(ObjectStore).discard(staged)
        raise
    encoded_digests = {name: encoded(digests[name.lower()]) for name in kept}
    return Received(staged, encoded_digests, None if announced is None else announced[0])


def _announced_length(headers: Mapping[str, str]) -> int | None:
    """The length that the headers announce, without aws-chunked encoding.

    Raises:
        MissingContentLength: the body comes in chunks and nothing says its length.
        EntityTooLarge: it is too much for one request.
    """
    text = headers.get("x-amz-decoded-content-length") or headers.get("content-length")
    if text is None:
        if "transfer-encoding" in headers:
            raise MissingContentLength
        return None
    length = int(text) if text.isdecimal() else 0
    if length > MAX_REQUEST_BYTES:
        raise EntityTooLarge(ProposedSize=length, MaxSizeAllowed=MAX_REQUEST_BYTES)
    return length


async def _stage(call: Call, body: Any, length: int | None, algorithms: set[str]) -> Staged:
    if not isinstance(body, bytes):
        if length is None:
            body = _limited(body)
        elif length <= _SMALL_BYTES:
            body = await _read_small(body, length)
    try:
        return await call.engine(ObjectStore).stage(
            bytes(body) if isinstance(body, bytearray | memoryview) else body,
            algorithms=algorithms,
            size_bytes=length,
        )
    except PutWithoutLength as error:
        raise IncompleteBody from error


async def _read_small(body: Any, length: int) -> bytes:
    pieces: list[bytes] = []
    received = 0
    async for piece in body:
        pieces.append(piece)
        received += len(piece)
        if received > length:
            raise IncompleteBody
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _limited(body: Any) -> AsyncIterator[bytes]:
    """The body's pieces, while they are no more than they may be."""
    received = 0
    async for piece in body:
        received += len(piece)
        if received > MAX_REQUEST_BYTES:
            raise EntityTooLarge(ProposedSize=received, MaxSizeAllowed=MAX_REQUEST_BYTES)
        yield piece
