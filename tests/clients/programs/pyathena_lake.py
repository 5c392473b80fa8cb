"""What PyAthena's programs share: how they connect, and the table that they all read."""

from __future__ import annotations

import functools
import os
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from pyarrow import fs
from pyathena import connect
from pyathena.connection import Connection

# pyarrow's own S3 client takes an endpoint as an argument only, and ArrowCursor gives it none.
fs.S3FileSystem = functools.partial(  # type: ignore[misc]
    fs.S3FileSystem, endpoint_override=os.environ["AWS_ENDPOINT_URL"]
)

TYPES = (
    ("flag", "boolean", True),
    ("tiny", "tinyint", -128),
    ("small", "smallint", 32767),
    ("whole", "integer", -2147483648),
    ("big", "bigint", 9223372036854775807),
    ("single", "real", 0.5),
    ("double", "double", 0.25),
    ("exact", "decimal(20, 3)", Decimal("12345678901234567.890")),
    ("word", "varchar", "naïve, \"quoted\" and 'so'\non"),
    ("bytes", "varbinary", b"\x00\xff'"),
    ("day", "date", date(1969, 12, 31)),
    ("moment", "timestamp(3)", datetime(2024, 2, 29, 23, 59, 58, 125000)),
    ("numbers", "array(integer)", [1, None, 3]),
    ("counts", "map(varchar, integer)", {"a": 1}),
    ("pair", "row(x integer, y varchar)", {"x": 7, "y": "seven"}),
)
"""Name, type and the value in the first row of each column; the second row has only NULLs."""

_LITERALS = {
    "flag": "true",
    "exact": "'12345678901234567.890'",
    "word": "'naïve, \"quoted\" and ''so''\non'",
    "bytes": "X'00ff27'",
    "day": "'1969-12-31'",
    "moment": "'2024-02-29 23:59:58.125'",
    "numbers": "ARRAY[1, NULL, 3]",
    "counts": "MAP(ARRAY['a'], ARRAY[1])",
    "pair": "ROW(7, 'seven')",
}
NOON = time(12, 34, 56, 789000)
"""What `TIME '12:34:56.789'` is; a table cannot keep it."""


def connection(bucket: str, database: str, **options: Any) -> Connection[Any]:
    """A connection that asks often for the state of its queries."""
    return connect(
        s3_staging_dir=f"s3://{bucket}/staging/",
        schema_name=database,
        poll_interval=0.02,
        **options,
    )


def make_table(opened: Connection[Any], database: str) -> None:
    """Make the database and its table `kinds`, a row of values and a row of NULLs."""
    values = [
        f"CAST({_LITERALS.get(name, value)} AS {kind}) AS {name}" for name, kind, value in TYPES
    ]
    nothing = [f"CAST(NULL AS {kind})" for _, kind, _ in TYPES]
    with opened.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {database}")
        cursor.execute(
            f"CREATE TABLE kinds AS SELECT 1 AS id, {', '.join(values)}"
            f" UNION ALL SELECT 2, {', '.join(nothing)}"
        )
        assert cursor.rowcount == 2
