"""PyAthena's cursors whose rows are Python's values; run by test_pyathena.py."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from pyathena.async_cursor import AsyncCursor, AsyncDictCursor
from pyathena.connection import Connection
from pyathena.cursor import Cursor, DictCursor
from pyathena.error import DatabaseError, OperationalError
from pyathena.s3fs.async_cursor import AsyncS3FSCursor
from pyathena.s3fs.cursor import S3FSCursor
from pyathena_lake import NOON, TYPES, connection, make_table

ENDLESS = "SELECT sum(a * b * random()) FROM unnest(sequence(1, 10000)) s(a), {0} t(b), {0} u(c)"
ENDLESS = ENDLESS.format("unnest(sequence(1, 10000))")


def values_of_each_type(opened: Connection[Any], cursor_class: type[Any]) -> None:
    """Each type's value is Python's, and a NULL is None."""
    cursor = opened.cursor(cursor_class).execute("SELECT * FROM kinds ORDER BY id")
    hints = {name: kind for name, kind, _ in TYPES if "(" in kind and kind[:3] in ("arr", "map")}
    hints["pair"] = "row(x integer, y varchar)"
    described = {each[0]: each[1] for each in cursor.description}
    assert described["pair"] == "row" and described["exact"] == "decimal"
    cursor.execute("SELECT * FROM kinds ORDER BY id", result_set_type_hints=hints)
    first, second = cursor.fetchall()
    assert first == (1, *(value for *_, value in TYPES))
    assert second == (2, *(None for _ in TYPES))
    cursor.execute(
        "SELECT TIME '12:34:56.789', TIMESTAMP '2024-02-29 01:02:03.004 UTC',"
        " CAST(MAP(ARRAY['k'], ARRAY[ARRAY[1]]) AS JSON), '', CAST(NULL AS varchar), 'NULL'"
    )
    moment = datetime(2024, 2, 29, 1, 2, 3, 4000, tzinfo=UTC)
    *typed, empty, nothing, word = cursor.fetchone()
    assert typed == [NOON, moment, {"k": [1]}]
    assert (empty, word) == ("", "NULL")
    # S3FSCursor's reader of CSV does tell NULL from '', as ours is written.
    assert nothing is None


def parameters(opened: Connection[Any]) -> None:
    """By name, put into the text by PyAthena, and by place, sent as ExecutionParameters."""
    cursor = opened.cursor()
    named = {"word": "it's 100%", "day": datetime(2024, 1, 2, 3, 4, 5, 678000), "none": None}
    cursor.execute("SELECT %(word)s, %(day)s, %(none)s, %(list)s", {**named, "list": ["a"]})
    assert cursor.fetchone()[:3] == tuple(named.values())
    cursor.execute(
        "SELECT id FROM kinds WHERE id = ? AND flag = ?", ["1", "true"], paramstyle="qmark"
    )
    assert cursor.fetchall() == [(1,)]
    cursor.execute("SELECT ?", ["'a ?'"], paramstyle="qmark")
    assert cursor.fetchall() == [("a ?",)]
    cursor.executemany(
        "INSERT INTO kinds (id, word) VALUES (%(id)d, %(word)s)",
        [{"id": 3, "word": "three"}, {"id": 4, "word": "o'four"}],
    )
    assert cursor.rowcount == 2
    cursor.execute("SELECT word FROM kinds WHERE id > 2 ORDER BY id")
    assert cursor.fetchall() == [("three",), ("o'four",)]


def pages(opened: Connection[Any]) -> None:
    """More rows than a page has come once and in order; DictCursor's are dicts."""
    cursor = opened.cursor(DictCursor)
    cursor.execute("SELECT x FROM unnest(sequence(1, 2500)) t(x) ORDER BY x")
    assert cursor.fetchmany(2) == [{"x": 1}, {"x": 2}]
    assert [row["x"] for row in cursor] == list(range(3, 2501))


def callbacks_and_reuse(opened: Connection[Any]) -> None:
    """The id is told at the start; a result is reused when that is asked for, and only then."""
    started: list[str] = []
    cursor = opened.cursor().execute("SELECT 42", on_start_query_execution=started.append)
    assert started == [cursor.query_id]
    again = "SELECT count(*) FROM kinds WHERE id < 99"
    for is_reused in (False, True):
        cursor.execute(again, result_reuse_enable=True, result_reuse_minutes=60)
        assert bool(cursor.reused_previous_result) is is_reused
        assert cursor.fetchone() == (4,)
    cursor.execute(again)
    assert not cursor.reused_previous_result
    # PyAthena's own cache finds the query among those that were run.
    cursor.execute(again, cache_size=50)
    first = cursor.query_id
    cursor.execute(again, cache_size=50)
    assert cursor.query_id == first


def cancelling(opened: Connection[Any]) -> None:
    """A query that would not end is ended, from another thread and through a future."""
    is_started = threading.Event()
    # The first look at its state is the first moment at which the cursor knows its query's id.
    cursor = opened.cursor(on_poll=lambda _: is_started.set())
    stopper = threading.Thread(target=lambda: (is_started.wait(30), cursor.cancel()))
    stopper.start()
    with pytest.raises(OperationalError):
        cursor.execute(ENDLESS)
    stopper.join()
    shown = opened.client.get_query_execution(QueryExecutionId=cursor.query_id)
    assert shown["QueryExecution"]["Status"]["State"] == "CANCELLED"
    background = opened.cursor(AsyncCursor)
    query_id, future = background.execute(ENDLESS)
    background.cancel(query_id).result()
    assert future.result().state == "CANCELLED"


def in_the_background(opened: Connection[Any]) -> None:
    """Cursors that answer with a future; a failure is told by its state and reason."""
    wanted: Any
    for cursor_class, wanted in (
        (AsyncCursor, (1,)),
        (AsyncDictCursor, {"id": 1}),
        (AsyncS3FSCursor, (1,)),
    ):
        cursor = opened.cursor(cursor_class)
        _, future = cursor.execute("SELECT id FROM kinds WHERE flag")
        assert future.result().fetchall() == [wanted]
        query_id, future = cursor.execute("SELECT nope FROM kinds")
        failed = future.result()
        assert failed.state == "FAILED"
        assert "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved" in (
            failed.state_change_reason
        )
        assert cursor.query_execution(query_id).result().query == "SELECT nope FROM kinds"


def errors_and_metadata(opened: Connection[Any], database: str) -> None:
    """What isn't there is an error that drivers know; what is there is listed and described."""
    cursor = opened.cursor()
    for wrong in ("SELECT nope FROM kinds", "SELECT * FROM nope", "SELEC 1", "SELECT 1/0"):
        with pytest.raises(DatabaseError):
            cursor.execute(wrong)
    with pytest.raises(OperationalError) as raised:
        cursor.get_table_metadata("nope")
    assert "Error Code: EntityNotFoundException" in str(raised.value)
    assert database in [each.name for each in cursor.list_databases("AwsDataCatalog")]
    assert [each.name for each in cursor.list_table_metadata()] == ["kinds"]
    assert cursor.get_table_metadata("kinds").columns[0].type == "int"
    assert cursor.execute("SHOW TABLES").fetchall() == [("kinds",)]


def main(bucket: str, database: str) -> None:
    """Run all of them on one table."""
    opened = connection(bucket, database)
    make_table(opened, database)
    for cursor_class in (Cursor, S3FSCursor):
        values_of_each_type(opened, cursor_class)
    parameters(opened)
    pages(opened)
    callbacks_and_reuse(opened)
    cancelling(opened)
    in_the_background(opened)
    errors_and_metadata(opened, database)


main(*sys.argv[1:])
