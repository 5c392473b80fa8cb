"""The dialect of Athena engine version 3 (Trino), for DuckDB."""

from cloche.engines.sql.trino.references import Relation, TableUse
from cloche.engines.sql.trino.session import (
    install_in,
    is_of_statement,
    query_error,
    set_session,
)
from cloche.engines.sql.trino.statement import Statement, parse
from cloche.engines.sql.trino.text import column_formatter, formatter
from cloche.engines.sql.trino.types import (
    TypeNameError,
    arrow_type_to_trino,
    duckdb_type_to_trino,
    hive_type_to_duckdb,
    hive_type_to_trino,
)

__all__ = [
    "Relation",
    "Statement",
    "TableUse",
    "TypeNameError",
    "arrow_type_to_trino",
    "column_formatter",
    "duckdb_type_to_trino",
    "formatter",
    "hive_type_to_duckdb",
    "hive_type_to_trino",
    "install_in",
    "is_of_statement",
    "parse",
    "query_error",
    "set_session",
]
