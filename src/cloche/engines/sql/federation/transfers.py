"""How values of a type come over: what is asked for, and what is made of it here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from cloche.engines.sql.formats.sql_text import literal

Comparable = Literal[
    "",
    "boolean",
    "integer",
    "decimal",
    "double",
    "text",
    "padded text",
    "inexact text",
    "uuid",
    "date",
    "timestamp",
    "instant",
]
"""How constants are compared with a column elsewhere, so that no row is lost; empty: they aren't.

`text` is compared by its bytes; `padded text` without trailing spaces; `inexact text` is equal to
more than it is here, as in collations that know no case.
"""

TEXT = pa.string()


@dataclass(frozen=True, slots=True)
class Transfer:
    """How values of a column come over.

    Attributes:
        type: in Trino's names.
        transport: what they come as.
        fetch: the other database's SQL; `{}` stands for the column.
        restore: DuckDB's SQL that makes them what the type keeps; `{}` stands for the value.
        comparable: how conditions on the column may be written in the other database's SQL.
        compared: what stands for the column in those.
        is_unicode: whether texts with other characters than ASCII's may be in those.
    """

    type: str
    transport: pa.DataType = TEXT
    fetch: str = "{}"
    restore: str = "{}"
    comparable: Comparable = ""
    compared: str = "{}"
    is_unicode: bool = False


def failing(kind: str, message: str) -> str:
    """DuckDB's SQL that fails once it is evaluated."""
    return f"CAST({literal(f'!{kind}: {message}')} AS TINYINT)"


def decimal_transport(precision: int, scale: int) -> pa.DataType:
    """Arrow's decimal."""
    return pa.decimal128(precision, scale)


def decimal_from_text(precision: int, scale: int) -> str:
    """Restores a decimal from its text; one that would have to be rounded fails."""
    digits = f"length(rtrim(split_part({{0}}, '.', 2), '0')) > {scale}"
    message = f"a number has more digits than decimal({precision},{scale}) holds"
    bad = failing("NUMERIC_VALUE_OUT_OF_RANGE", message)
    kind = f"DECIMAL({precision},{scale})"
    return f"CASE WHEN {digits} THEN CAST({bad} AS {kind}) ELSE CAST({{0}} AS {kind}) END"


def finite(kind: str) -> str:
    """Restores a date or time that may be infinite elsewhere, which Trino has not."""
    bad = failing("NOT_SUPPORTED", "an infinite date or time cannot be read")
    # The cast goes by text: a number never becomes a date.
    return (
        f"CASE WHEN NOT isfinite({{0}}) THEN CAST(CAST({bad} AS VARCHAR) AS {kind}) ELSE {{0}} END"
    )
