"""The dialect of Athena engine version 3 (Trino), for DuckDB."""

from cloche.engines.sql.trino.references import Relation, TableUse
from cloche.engines.sql.trino.session import prepare, query_error
from cloche.engines.sql.trino.statement import Statement, parse
from cloche.engines.sql.trino.text import formatter
from cloche.engines.sql.trino.types import (
    arrow_type_to_trino,
    duckdb_type_to_trino,
    hive_type_to_duckdb,
)

__all__ = [
    "Relation",
    "Statement",
    "TableUse",
    "arrow_type_to_trino",
    "duckdb_type_to_trino",
    "formatter",
    "hive_type_to_duckdb",
    "parse",
    "prepare",
    "query_error",
]
