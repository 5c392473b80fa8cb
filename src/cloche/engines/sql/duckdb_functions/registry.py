"""Puts macros and Python functions into a DuckDB database, once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from cloche.engines.sql.duckdb_functions import binary, json_texts, numbers, regexes, texts
from cloche.engines.sql.duckdb_functions.macros import statements

Function = tuple[Callable[..., Any], Sequence[str], str]

_lock = threading.Lock()

_ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "FLOAT": pa.float32(),
    "BOOLEAN": pa.bool_(),
    "BLOB": pa.binary(),
    "VARCHAR[]": pa.list_(pa.string()),
    "BIGINT[]": pa.list_(pa.int64()),
    "DOUBLE[]": pa.list_(pa.float64()),
    "BIGINT[][]": pa.list_(pa.list_(pa.int64())),
}


def functions() -> dict[str, Function]:
    """All Python functions: what a row calls, DuckDB's types of its arguments, its own."""
    found: dict[str, Function] = {}
    for module in (binary, json_texts, numbers, regexes, texts):
        found.update(module.FUNCTIONS)
    return found


def _over_columns(
    function: Callable[..., Any], count: int, result: pa.DataType
) -> Callable[..., pa.Array]:
    """A function of values as one of Arrow columns; a NULL argument gives NULL."""

    def over_columns(*columns: Any) -> pa.Array:
        lists = [column.to_pylist() for column in columns]
        made = [
            None if any(value is None for value in row) else function(*row)
            for row in zip(*lists, strict=True)
        ]
        return pa.array(made, type=result)

    # DuckDB counts the parameters of what it is given.
    by_count: dict[int, Callable[..., pa.Array]] = {
        1: lambda a: over_columns(a),
        2: lambda a, b: over_columns(a, b),
        3: lambda a, b, c: over_columns(a, b, c),
        4: lambda a, b, c, d: over_columns(a, b, c, d),
    }
    return by_count[count]


# The database refers to a function as long as it lives, and does not keep it: the connection that
# made it does, which is gone after its query.
_made: dict[str, Callable[..., pa.Array]] = {}


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Create them in a new database."""
    with _lock:
        for name, (function, arguments, result) in functions().items():
            if name not in _made:
                _made[name] = _over_columns(function, len(arguments), _ARROW[result])
    for name, (_, arguments, result) in functions().items():
        connection.create_function(  # pyright: ignore[reportCallIssue]
            name,
            _made[name],
            [duckdb.type(a) for a in arguments],
            duckdb.type(result),
            type="arrow",  # pyright: ignore[reportArgumentType]
            null_handling="special",  # pyright: ignore[reportArgumentType]
        )
    for statement in statements():
        connection.execute(statement)
