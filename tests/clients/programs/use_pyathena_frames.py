"""PyAthena's cursors of pandas, Arrow and Polars, plain and by UNLOAD; run by test_pyathena.py."""

from __future__ import annotations

import sys
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
from pyathena.arrow.async_cursor import AsyncArrowCursor
from pyathena.arrow.cursor import ArrowCursor
from pyathena.connection import Connection
from pyathena.pandas.async_cursor import AsyncPandasCursor
from pyathena.pandas.cursor import PandasCursor
from pyathena.polars.async_cursor import AsyncPolarsCursor
from pyathena.polars.cursor import PolarsCursor
from pyathena_lake import TYPES, connection, make_table

MANY = "SELECT x, CAST(x AS varchar) AS s FROM unnest(sequence(1, 5000)) t(x)"


def plain(opened: Connection[Any]) -> None:
    """Frames that are read from the CSV result have the columns' types."""
    chosen = "id, whole, exact, word, bytes, day, moment"
    query = f"SELECT {chosen} FROM kinds ORDER BY id"
    of = {name: value for name, _, value in TYPES}
    frame = opened.cursor(PandasCursor).execute(query).as_pandas()
    assert frame["id"].dtype == "Int64" and frame["moment"].dtype.kind == "M"
    assert frame["exact"].tolist() == [of["exact"], None]
    assert frame["bytes"].tolist() == [of["bytes"], None]
    assert frame["word"][0] == of["word"] and pd.isna(frame["word"][1])
    assert frame["moment"][0] == of["moment"] and pd.isna(frame["moment"][1])
    table = opened.cursor(ArrowCursor).execute(query).as_arrow()
    assert table.schema.field("whole").type == pa.int32()
    assert table["whole"].to_pylist() == [of["whole"], None]
    assert table["moment"].to_pylist()[0] == of["moment"]
    polars = opened.cursor(PolarsCursor).execute(query).as_polars()
    assert polars.schema["whole"] == pl.Int32 and polars.schema["exact"] == pl.Decimal(20, 3)
    assert polars["exact"].to_list() == [of["exact"], None]
    assert polars["word"][0] == of["word"]


def unloaded(opened: Connection[Any]) -> None:
    """Frames that are read from the Parquet files of an UNLOAD keep all that is within a value."""
    query = "SELECT * FROM kinds ORDER BY id"
    of = {name: value for name, _, value in TYPES}
    cursor = opened.cursor(ArrowCursor, unload=True).execute(query)
    described = {each[0]: each[1:6] for each in cursor.description}
    assert described["exact"] == ("decimal", None, None, 20, 3)
    assert described["small"][0] == "smallint" and described["day"][0] == "date"
    first, second = cursor.as_arrow().to_pylist()
    assert {**first, "counts": dict(first["counts"])} == {"id": 1, **of}
    assert second == {"id": 2, **dict.fromkeys(of)}
    frame = opened.cursor(PandasCursor, unload=True).execute(query).as_pandas()
    assert list(frame["numbers"][0])[::2] == [1, 3] and frame["pair"][0] == of["pair"]
    assert frame["exact"][0] == of["exact"] and frame["moment"][0] == of["moment"]
    polars = opened.cursor(PolarsCursor, unload=True).execute(query).as_polars()
    assert polars["numbers"].to_list() == [[1, None, 3], None]
    assert polars["pair"].to_list()[0] == of["pair"]
    empty = opened.cursor(PolarsCursor, unload=True)
    texts = "SELECT * FROM (VALUES (1, ''), (2, NULL)) t(n, s) ORDER BY n"
    assert empty.execute(texts).fetchall() == [(1, ""), (2, None)]
    for year in (1, 1600, 9999):
        far = datetime(year, 1, 1)
        cursor.execute(f"SELECT TIMESTAMP '{far:%Y}-01-01 00:00:00' AS t".replace("'1-", "'0001-"))
        assert cursor.fetchone()[0] == far


def in_chunks(opened: Connection[Any]) -> None:
    """Chunks have all rows, in order, and the size that was asked for."""
    chunks = opened.cursor(PandasCursor).execute(f"{MANY} ORDER BY x", chunksize=1500).as_pandas()
    sizes = []
    for chunk in chunks:
        assert chunk["x"].iloc[0] == sum(sizes) + 1
        sizes.append(len(chunk))
    assert sizes == [1500, 1500, 1500, 500]
    cursor = opened.cursor(PolarsCursor).execute(f"{MANY} ORDER BY x", chunksize=1500)
    found = [value for chunk in cursor.iter_chunks() for value in chunk["x"].to_list()]
    assert found == list(range(1, 5001))
    for unload in (False, True):
        frame = opened.cursor(PandasCursor, unload=unload).execute(MANY).as_pandas()
        assert frame["x"].sum() == 12502500 and set(frame["s"]) == {str(x) for x in frame["x"]}


def in_the_background(opened: Connection[Any]) -> None:
    """The same by futures."""
    query = "SELECT CAST(1.50 AS decimal(5, 2)) AS a"
    for unload in (False, True):
        _, future = opened.cursor(AsyncPandasCursor, unload=unload).execute(query)
        assert future.result().as_pandas()["a"].tolist() == [Decimal("1.50")]
        _, future = opened.cursor(AsyncArrowCursor, unload=unload).execute(query)
        assert [str(value) for value in future.result().as_arrow()["a"].to_pylist()] == ["1.50"]
        _, future = opened.cursor(AsyncPolarsCursor, unload=unload).execute(query)
        assert future.result().as_polars()["a"].to_list() == [Decimal("1.50")]


def what_has_no_rows(opened: Connection[Any]) -> None:
    """Statements without a result give empty frames, and writes the number of their rows."""
    for cursor_class in (PandasCursor, ArrowCursor, PolarsCursor):
        for unload in (False, True):
            cursor = opened.cursor(cursor_class, unload=unload)
            assert cursor.execute("SELECT id FROM kinds WHERE id < 0").fetchall() == []
            assert cursor.execute("SHOW COLUMNS IN kinds").fetchone()[0].strip() == "id"
            cursor.execute("INSERT INTO kinds (id) VALUES (9)")
            assert cursor.rowcount == 1 and cursor.fetchall() == []


def main(bucket: str, database: str) -> None:
    """Run all of them on one table."""
    opened = connection(bucket, database)
    make_table(opened, database)
    plain(opened)
    unloaded(opened)
    in_chunks(opened)
    in_the_background(opened)
    what_has_no_rows(opened)


main(*sys.argv[1:])
