"""What readers that stream Arrow batches share."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from cloche.engines.sql.engine import Column
from cloche.engines.sql.formats.hive_types import parse_hive_type
from cloche.engines.sql.formats.scan import LOCATION, Scan
from cloche.engines.sql.formats.sql_text import quoted
from cloche.engines.sql.formats.typed_text import milliseconds


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of a table's columns.

    Raises:
        QueryError: a column's type is none of Hive's.
    """
    return pa.schema([pa.field(c.name.lower(), parse_hive_type(c.type).arrow) for c in columns])


def select_from_stream(scan: Scan, relation: str) -> str:
    """A SELECT of the scan's columns over a relation that has them in Arrow's types."""
    outputs: list[str] = []
    for column in scan.columns:
        name = quoted(column.name.lower())
        value = milliseconds(name) if column.type.lower() == "timestamp" else name
        outputs.append(f"CAST({value} AS {scan.duckdb_type(column.type)}) AS {name}")
    outputs = outputs or ["NULL AS nothing"]
    if scan.located:
        outputs.append(quoted(LOCATION))
    return f"SELECT {', '.join(outputs)} FROM {relation}"
