"""DuckDB as SQL engine."""

from cloche.engines.sql.duckdb.engine import DuckDBEngine

__all__ = ["DuckDBEngine"]
