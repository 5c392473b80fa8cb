"""Files that a query has written appear in S3 and in the catalog together, or not at all.

What is about to be published is kept with the job before the first object is written, so that
after a crash, a failure or a cancellation all of it is taken back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from cloche.core.errors import AWSError
from cloche.services.athena.session import Session, split_location
from cloche.services.glue import catalog
from cloche.services.s3.errors import NoSuchBucket

_WRITES_AT_ONCE = 8


class NewObject(NamedTuple):
    """An object to write.

    Attributes:
        body: bytes, or the file that has them.
    """

    bucket: str
    key: str
    body: bytes | Path

    @property
    def url(self) -> str:
        """As Athena shows it."""
        return f"s3://{self.bucket}/{self.key}"


class Publication(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a query is about to make.

    Attributes:
        objects: bucket and key of each.
        table: database, name and location of a table that did not exist before.
        partitions: database, table and values of partitions that did not exist before.
    """

    objects: tuple[tuple[str, str], ...] = ()
    table: tuple[str, str, str] | None = None
    partitions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


def publish(
    session: Session,
    objects: Sequence[NewObject],
    register: Callable[[], None],
    *,
    table: tuple[str, str, str] | None = None,
    partitions: Sequence[tuple[str, str, tuple[str, ...]]] = (),
) -> None:
    """Write objects, then register what the catalog is to know of them.

    Raises:
        JobInterrupted: the query is to stop; nothing was written.
        Exception: what went wrong; everything was taken back.
    """
    session.call.check()
    named = tuple((each.bucket, each.key) for each in objects)
    publication = Publication(named, table, tuple(partitions))
    session.call.save({"publication": msgspec.to_builtins(publication)})
    session.published = publication
    try:
        session.objects.wait(_write(session, objects))
        register()
    except BaseException:
        take_back(session)
        raise


def spare_table(session: Session) -> None:
    """Leave the table where it is when all is taken back: somebody else has made it meanwhile."""
    session.published = replace(session.published, table=None)


def take_back(session: Session) -> None:
    """Remove what this attempt has published."""
    publication, session.published = session.published, None
    if publication is not None:
        _remove(session, publication)
    if session.uploads:
        _remove(session, Publication(tuple(session.uploads)))
        session.uploads.clear()


def roll_back(session: Session) -> None:
    """Remove what an earlier attempt has published, or a part of it."""
    kept = session.call.job.checkpoint.get("publication")
    if kept is not None:
        _remove(session, msgspec.convert(kept, Publication))


async def _write(session: Session, objects: Sequence[NewObject]) -> None:
    gate = asyncio.Semaphore(_WRITES_AT_ONCE)

    async def write(each: NewObject) -> None:
        async with gate:
            await session.objects.write(
                each.bucket, each.key, each.body, "application/octet-stream"
            )

    await asyncio.gather(*map(write, objects))


def _remove(session: Session, publication: Publication) -> None:
    """Remove what was published, and nothing that others have made in its place since."""
    if publication.table is not None:
        database, name, location = publication.table
        found = catalog.find_table(*session.where, database, name)
        if found is not None and found["StorageDescriptor"].get("Location") == location:
            with suppress(AWSError):
                catalog.delete_table(*session.where, database, name, events=session.events)
    by_bucket: dict[str, list[str]] = {}
    for bucket, key in publication.objects:
        by_bucket.setdefault(bucket, []).append(key)
    session.objects.wait(_delete(session, by_bucket))
    for database, table, values in publication.partitions:
        with suppress(AWSError):
            if _is_empty(session, database, table, values):
                catalog.delete_partitions(
                    *session.where, database, table, [values], events=session.events
                )


async def _delete(session: Session, by_bucket: dict[str, list[str]]) -> None:
    for bucket, keys in by_bucket.items():
        with suppress(NoSuchBucket):
            await session.objects.take_back(bucket, keys)


def _is_empty(session: Session, database: str, table: str, values: tuple[str, ...]) -> bool:
    """Whether a partition has no files; another query may have put some there meanwhile."""
    found = catalog.get_partition(*session.where, database, table, values)
    bucket, prefix = split_location(found["StorageDescriptor"]["Location"])

    async def list_one() -> bool:
        page = await session.objects.store.list(bucket, prefix=prefix, max_keys=1)
        return not page.records

    return session.objects.wait(list_one())
