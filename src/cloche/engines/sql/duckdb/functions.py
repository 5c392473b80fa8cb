"""Functions in Python that readers of formats use in their SQL."""

from __future__ import annotations

import json
from functools import lru_cache

import duckdb
import pyarrow as pa
from duckdb.func import PythonUDFType
from duckdb.sqltypes import VARCHAR

from cloche.engines.sql.formats.json_lines import NORMALIZE, KeyRules, normalized


def register_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Make them known to a new database."""
    connection.create_function(
        NORMALIZE, _normalize, [VARCHAR, VARCHAR], VARCHAR, type=PythonUDFType.ARROW
    )


def _normalize(lines: pa.ChunkedArray, rules: pa.ChunkedArray) -> pa.Array:
    if not len(lines):
        return pa.array([], pa.string())
    chosen = _rules(rules[0].as_py())
    return pa.array([normalized(line, chosen) for line in lines.to_pylist()], pa.string())


@lru_cache(maxsize=64)
def _rules(text: str) -> KeyRules:
    return KeyRules(**json.loads(text))
