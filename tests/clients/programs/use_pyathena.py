"""Queries through PyAthena's cursors and SQLAlchemy; run by test_athena_clients.py."""

from __future__ import annotations

import os
import sys
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

import sqlalchemy
from pyathena import connect
from pyathena.async_cursor import AsyncCursor
from pyathena.cursor import DictCursor
from pyathena.error import OperationalError
from pyathena.pandas.cursor import PandasCursor


def main(bucket: str, database: str) -> None:
    """Make a table, read it by each cursor, and have it reflected."""
    staging = f"s3://{bucket}/staging/"

    def cursor(**options: Any) -> Any:
        return connect(s3_staging_dir=staging, schema_name=database, poll_interval=0.02).cursor(
            **options
        )

    cursor().execute(f"CREATE DATABASE {database}")
    cursor().execute(
        "CREATE TABLE t WITH (partitioned_by = ARRAY['p']) AS SELECT * FROM (VALUES"
        " (1, 'x', DECIMAL '1.50', DATE '2020-01-01', 'a'), (2, NULL, NULL, NULL, 'b')"
        ") t(i, s, d, day, p)"
    )
    rows = [(1, "x", Decimal("1.50"), date(2020, 1, 1), "a"), (2, None, None, None, "b")]
    plain = cursor().execute("SELECT * FROM t ORDER BY i")
    assert plain.fetchall() == rows
    assert [column[1] for column in plain.description] == [
        "integer",
        "varchar",
        "decimal",
        "date",
        "varchar",
    ]
    made = cursor(cursor=DictCursor).execute("SELECT i FROM t WHERE s IS NOT NULL")
    assert made.fetchall() == [{"i": 1}]
    nested = "SELECT ARRAY[1, 2] AS a, CAST(ROW(1, 'x') AS ROW(n integer, v varchar)) AS r"
    assert cursor().execute(nested).fetchone()[0] == [1, 2]
    for unload in (False, True):
        frame = cursor(cursor=PandasCursor, unload=unload).execute("SELECT * FROM t").as_pandas()
        assert sorted(frame["i"]) == [1, 2]
    _, future = cursor(cursor=AsyncCursor).execute("SELECT count(*) FROM t")
    assert future.result().fetchall() == [(2,)]
    many = cursor().execute("SELECT x FROM unnest(sequence(1, 2500)) t(x) ORDER BY x").fetchall()
    assert [row[0] for row in many] == list(range(1, 2501))
    named = cursor().execute("SELECT i FROM t WHERE s = %(s)s", {"s": "x"})
    assert named.fetchall() == [(1,)]
    numbered = cursor().execute(
        "SELECT i FROM t WHERE i = ? AND s = ?", ["1", "'x'"], paramstyle="qmark"
    )
    assert numbered.fetchall() == [(1,)]
    assert cursor().execute("SHOW TABLES").fetchall() == [("t",)]
    try:
        cursor().execute("SELECT nope FROM t")
    except OperationalError as error:
        assert "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved" in str(error)
    else:
        raise AssertionError("a column that is not there was read")
    reflect(database, staging)


def reflect(database: str, staging: str) -> None:
    """The table is what SQLAlchemy sees of it."""
    key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    engine = sqlalchemy.create_engine(
        f"awsathena+rest://{key}:{quote_plus(secret)}@athena.us-east-1.amazonaws.com/{database}"
        f"?s3_staging_dir={quote_plus(staging)}&poll_interval=0.02"
        f"&endpoint_url={quote_plus(os.environ['AWS_ENDPOINT_URL'])}"
    )
    assert sqlalchemy.inspect(engine).get_table_names() == ["t"]
    table = sqlalchemy.Table("t", sqlalchemy.MetaData(), autoload_with=engine)
    assert [column.name for column in table.columns] == ["i", "s", "d", "day", "p"]
    with engine.connect() as connection:
        found = connection.execute(sqlalchemy.select(table.c.i).where(table.c.p == "b"))
        assert found.fetchall() == [(2,)]


main(*sys.argv[1:])
