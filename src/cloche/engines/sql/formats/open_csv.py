"""CSV as Athena's OpenCSVSerde reads it: all is text, and a number that is none is an error."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.formats.delimited import select_fields, select_typed
from cloche.engines.sql.formats.hive_types import HiveType
from cloche.engines.sql.formats.lazy_simple import as_character
from cloche.engines.sql.formats.lines import is_plain
from cloche.engines.sql.formats.scan import Scan
from cloche.engines.sql.formats.sql_text import quoted
from cloche.engines.sql.formats.typed_text import failing, simple_value

_FIELD_MAXIMUM = 2**31 - 1


def select_open_csv(scan: Scan) -> str:
    """A SELECT over CSV.

    Raises:
        QueryError: a property cannot be honoured, or a column is of a type that CSV has none of.
    """
    separator = as_character(scan.option("separatorChar", default=","))
    quote = as_character(scan.option("quoteChar", default='"'))
    escape = as_character(scan.option("escapeChar", default="\\"))
    if any(len(character) > 1 for character in (separator, quote, escape)):
        raise QueryError(ErrorKind.NOT_SUPPORTED, "OpenCSVSerde's characters are single ones")
    own = [column.name.lower() for column in scan.table.columns]
    forbidden = b"" if escape == quote else escape.encode()
    # Each row knows its file, which an error then names.
    fields = select_fields(
        replace(scan, located=True),
        separator=separator,
        quote=quote,
        null=None,
        is_plain=lambda file: is_plain(file, scan.check, forbidden=forbidden, quote=quote.encode()),
        split=lambda lines: split_csv(lines, separator, quote, escape, len(own)),
    )
    values = [
        _value(quoted(column.name.lower()), type, own.index(column.name.lower()))
        for column, type in zip(scan.columns, scan.types(), strict=True)
    ]
    return select_typed(scan, fields, values)


def split_csv(
    lines: Sequence[str], separator: str, quote: str, escape: str, count: int
) -> list[list[str | None]]:
    """Columns of the fields of lines; a quoted field ends with its line, as in Hive."""
    csv.field_size_limit(_FIELD_MAXIMUM)
    columns: list[list[str | None]] = [[] for _ in range(count)]
    for line in lines:
        reader = csv.reader(
            [line],
            delimiter=separator,
            quotechar=quote or None,
            escapechar=escape if escape and escape != quote else None,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        )
        fields = next(reader, None) or [""]
        for index, column in enumerate(columns):
            column.append(fields[index] if index < len(fields) else None)
    return columns


def _value(text: str, type: HiveType, position: int) -> str:
    match type.kind:
        case "string" | "varchar" | "char":
            return simple_value(text, type)
        case "timestamp":
            number = f"make_timestamp(TRY_CAST({text} AS BIGINT) * 1000)"
        case "date":
            number = f"(DATE '1970-01-01' + TRY_CAST({text} AS INTEGER))"
        case "boolean" | "tinyint" | "smallint" | "int" | "bigint" | "float" | "double" | "decimal":
            number = simple_value(text, type)
        case kind:
            raise QueryError(
                ErrorKind.NOT_SUPPORTED, f"Type {kind} is not supported by OpenCSVSerde"
            )
    rest = f"' for field {position}: not of type {type}"
    failed = failing("Error parsing field value '", text, rest)
    return f"CASE WHEN {text} IS NOT NULL THEN coalesce({number}, {failed}) END"
