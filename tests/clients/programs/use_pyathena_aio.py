"""PyAthena's cursors of asyncio; run by test_pyathena.py."""

from __future__ import annotations

import asyncio
import inspect
import sys
from typing import Any

import pytest
from pyathena import aio_connect
from pyathena.aio.arrow.cursor import AioArrowCursor
from pyathena.aio.cursor import AioCursor, AioDictCursor
from pyathena.aio.pandas.cursor import AioPandasCursor
from pyathena.aio.polars.cursor import AioPolarsCursor
from pyathena.aio.s3fs.cursor import AioS3FSCursor
from pyathena.error import DatabaseError
from pyathena_lake import connection, make_table

CURSORS: tuple[tuple[type[Any], dict[str, Any]], ...] = (
    (AioCursor, {}),
    (AioDictCursor, {}),
    (AioS3FSCursor, {}),
    (AioPandasCursor, {}),
    (AioPandasCursor, {"unload": True}),
    (AioArrowCursor, {}),
    (AioArrowCursor, {"unload": True}),
    (AioPolarsCursor, {}),
    (AioPolarsCursor, {"unload": True}),
)


async def rows(cursor: Any) -> list[Any]:
    """All that is left; some cursors have it at once, others fetch it."""
    found = cursor.fetchall()
    return await found if inspect.isawaitable(found) else found


async def use(opened: Any, cursor_class: type[Any], options: dict[str, Any]) -> None:
    """Rows, an error, and a query that is ended while it runs."""
    cursor = opened.cursor(cursor_class, **options)
    await cursor.execute("SELECT id FROM kinds ORDER BY id")
    found = await rows(cursor)
    assert [row["id"] if isinstance(row, dict) else row[0] for row in found] == [1, 2]
    await cursor.execute("SELECT x FROM unnest(sequence(1, 1500)) t(x)")
    assert len(await rows(cursor)) == 1500
    with pytest.raises(DatabaseError):
        await cursor.execute("SELECT nope FROM kinds")


async def cancel(opened: Any) -> None:
    """A query that would not end is ended."""
    cursor = opened.cursor()
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    many = "unnest(sequence(1, 10000))"
    endless = f"SELECT sum(a * b * random()) FROM {many} s(a), {many} t(b), {many} u(c)"
    loop = asyncio.get_running_loop()

    def tell(query_id: str) -> None:
        loop.call_soon_threadsafe(started.set_result, query_id)

    running = asyncio.create_task(cursor.execute(endless, on_start_query_execution=tell))
    await started
    await cursor.cancel()
    with pytest.raises(DatabaseError):
        await running


async def use_all(bucket: str, database: str) -> None:
    """Each cursor at the same time as the others."""
    async with await aio_connect(
        s3_staging_dir=f"s3://{bucket}/staging/", schema_name=database, poll_interval=0.02
    ) as opened:
        await asyncio.gather(*(use(opened, *each) for each in CURSORS))
        await cancel(opened)


def main(bucket: str, database: str) -> None:
    """Make the table and read it."""
    make_table(connection(bucket, database), database)
    asyncio.run(use_all(bucket, database))


main(*sys.argv[1:])
