"""The files under the locations of a table and its partitions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cloche.engines.objects.store import BucketNotFound, ObjectRecord
from cloche.engines.sql.engine import DataFile, ErrorKind, QueryError, Storage
from cloche.services.athena.failures import permission_denied
from cloche.services.athena.session import Session, split_location
from cloche.services.s3.decisions import is_unquestioned
from cloche.services.s3.errors import InvalidBucketName, NoSuchBucket

_LISTINGS_AT_ONCE = 16
# From so many folders on, one listing of what is above them all is cheaper than one of each.
_MANY_FOLDERS = 200


class Folder(NamedTuple):
    """A location and the values of the partition that is there.

    Attributes:
        storage: of the partition, where it is not its table's.
    """

    location: str
    values: Mapping[str, str | None]
    storage: Storage | None = None


class _Place(NamedTuple):
    bucket: str
    prefix: str
    values: Mapping[str, str | None]
    storage: Storage | None


def files_in(session: Session, folders: Sequence[Folder]) -> tuple[DataFile, ...]:
    """The files in folders and the folders below; hidden and empty ones are left out.

    Raises:
        QueryError: a bucket does not exist.
        QueryFailed: the caller may not list or read.
    """
    places = [_Place(*split_location(each.location), each.values, each.storage) for each in folders]
    for bucket in sorted({place.bucket for place in places}):
        _check_listable(session, bucket)
    found: list[tuple[_Place, list[ObjectRecord]]] = session.objects.wait(_list(session, places))
    _check_readable(session, found)
    kept = [
        (place, record)
        for place, records in found
        for record in records
        if is_visible(record, place.prefix)
    ]
    return tuple(
        DataFile(
            location=str(path_of(session, record)),
            object_url=f"s3://{record.bucket}/{record.key}",
            size_bytes=record.size_bytes,
            partition=place.values,
            storage=place.storage,
        )
        for place, record in kept
    )


def is_visible(record: ObjectRecord, prefix: str) -> bool:
    """Whether an object is data: not empty, and no part of its path begins with `_` or `.`."""
    if record.size_bytes == 0 or record.key.endswith("/"):
        return False
    parts = record.key[len(prefix) :].split("/")
    return not any(part[:1] in ("_", ".") for part in parts)


def _check_listable(session: Session, bucket: str) -> None:
    try:
        is_allowed = session.objects.is_allowed("ListObjectsV2", bucket)
    except (NoSuchBucket, InvalidBucketName):
        raise QueryError(
            ErrorKind.GENERIC_USER_ERROR, f"The specified bucket does not exist: {bucket}"
        ) from None
    if not is_allowed:
        raise permission_denied(f"Permission denied on S3 path: s3://{bucket}", is_s3=True)


def _check_readable(session: Session, found: Sequence[tuple[_Place, list[ObjectRecord]]]) -> None:
    for place, records in found:
        bucket = session.objects.bucket(place.bucket)
        if is_unquestioned(session.query.principal, bucket):
            continue
        for record in records:
            if is_visible(record, place.prefix) and not session.objects.is_allowed(
                "GetObject", record.bucket, record.key
            ):
                raise permission_denied(
                    f"Permission denied on S3 path: s3://{record.bucket}/{record.key}", is_s3=True
                )


async def _list(
    session: Session, places: Sequence[_Place]
) -> list[tuple[_Place, list[ObjectRecord]]]:
    common = _common_prefix(places) if len(places) >= _MANY_FOLDERS else None
    if common is not None:
        return await _list_together(session, places, *common)
    gate = asyncio.Semaphore(_LISTINGS_AT_ONCE)

    async def list_one(place: _Place) -> tuple[_Place, list[ObjectRecord]]:
        async with gate:
            with suppress(BucketNotFound):
                return place, await session.objects.list(place.bucket, place.prefix)
        return place, []

    return list(await asyncio.gather(*map(list_one, places)))


def _common_prefix(places: Sequence[_Place]) -> tuple[str, str] | None:
    """Bucket and folder that all places are under; None if there is none worth a listing."""
    if len({place.bucket for place in places}) != 1:
        return None
    first, last = min(p.prefix for p in places), max(p.prefix for p in places)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    common = first[:length] if length is not None else first
    folder = common[: common.rfind("/") + 1]
    return (places[0].bucket, folder) if folder else None


async def _list_together(
    session: Session, places: Sequence[_Place], bucket: str, prefix: str
) -> list[tuple[_Place, list[ObjectRecord]]]:
    by_prefix: dict[str, tuple[_Place, list[ObjectRecord]]] = {
        place.prefix: (place, []) for place in places
    }
    for record in await session.objects.list(bucket, prefix):
        end = len(record.key)
        while (end := record.key.rfind("/", len(prefix) - 1, end)) >= 0:
            entry = by_prefix.get(record.key[: end + 1])
            if entry is not None:
                entry[1].append(record)
                break
    return list(by_prefix.values())


def path_of(session: Session, record: ObjectRecord) -> Path:
    """Where the engine reads an object: its own file, or a copy where it has none."""
    path = session.objects.store.local_path(record)
    return path if path is not None else _copied(session, record)


def _copied(session: Session, record: ObjectRecord) -> Path:
    session.copies += 1
    copy = session.folder / f"copy-{session.copies}"

    async def read() -> bytes:
        return await session.objects.read(record, 0, record.size_bytes)

    copy.write_bytes(session.objects.wait(read()))
    return copy
