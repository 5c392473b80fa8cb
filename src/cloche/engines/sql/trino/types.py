"""Names of types: Trino's, Hive's, DuckDB's and Arrow's."""

from __future__ import annotations

import pyarrow as pa


def hive_type_to_duckdb(type: str) -> str:
    """DuckDB's type for a column that a Hive table declares."""
    return {"string": "VARCHAR", "int": "INTEGER"}.get(type.lower(), type.upper())


def duckdb_type_to_trino(type: str) -> str:
    """Trino's name of a DuckDB type."""
    return type.lower()


def arrow_type_to_trino(type: pa.DataType) -> str:
    """Trino's name of an Arrow type."""
    return str(type)
