"""Macros and vectorised Python functions for DuckDB, where its own functions don't do."""

from cloche.engines.sql.duckdb_functions.registry import install

__all__ = ["install"]
