"""Columns of results as Athena describes them."""

from __future__ import annotations

import re
from typing import Any

_SIZED = re.compile(r"(decimal|varchar|char)\((\d+)(?:,\s*(\d+))?\)")
_CASE_SENSITIVE = frozenset({"varchar", "char", "json", "string"})
_LONGEST = 2147483647
# Precision by type, as Athena tells it.
_PRECISIONS = {
    "boolean": 0,
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 17,
    "double": 17,
    "float": 17,
    "date": 0,
    "time": 3,
    "timestamp": 3,
    "timestamp with time zone": 3,
    "varchar": _LONGEST,
    "char": 1,
    "varbinary": 1073741824,
}
# What the API calls a type that Trino calls otherwise.
_NAMES = {"real": "float", "unknown": "unknown"}


def column_info(name: str, trino_type: str) -> dict[str, Any]:
    """`ColumnInfo` of a result's column, from its type in Trino's names."""
    base, precision, scale = _of_type(trino_type)
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": base,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": base in _CASE_SENSITIVE,
    }


def text_column(name: str) -> dict[str, Any]:
    """`ColumnInfo` of a column of a DDL statement's result."""
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": "string",
        "Precision": 0,
        "Scale": 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": False,
    }


def _of_type(trino_type: str) -> tuple[str, int, int]:
    lowered = trino_type.lower()
    sized = _SIZED.fullmatch(lowered)
    if sized is not None:
        return sized[1], int(sized[2]), int(sized[3] or 0)
    if lowered.startswith(("array", "map", "row")):
        return lowered.partition("(")[0], 0, 0
    base = re.sub(r"\(\d+\)", "", lowered)
    return _NAMES.get(base, base), _PRECISIONS.get(base, 0), 0
