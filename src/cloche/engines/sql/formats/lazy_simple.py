"""Delimited text as Hive's LazySimpleSerDe reads it: no quotes, what is wrong is NULL."""

from __future__ import annotations

from collections.abc import Sequence

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.formats.delimited import select_fields, select_typed
from cloche.engines.sql.formats.lines import is_plain
from cloche.engines.sql.formats.scan import Scan
from cloche.engines.sql.formats.sql_text import quoted
from cloche.engines.sql.formats.typed_text import delimited_value

_NULL = r"\N"
_NESTED = ("array", "map", "struct")


def select_lazy_simple(scan: Scan) -> str:
    """A SELECT over delimited text.

    Raises:
        QueryError: a property cannot be honoured.
    """
    separator = as_character(scan.option("field.delim", "serialization.format", default="\x01"))
    escape = as_character(scan.option("escape.delim"))
    null = scan.option("serialization.null.format", default=_NULL)
    types = scan.types()
    _check(scan, escape, nested=any(type.kind in _NESTED for type in types))
    count = len(scan.table.columns)
    takes_rest = scan.option("serialization.last.column.takes.rest").lower() == "true"
    # DuckDB's reader takes separators of four bytes at most, and none in what stands for NULL.
    is_simple = len(separator.encode()) <= 4 and separator not in null and not takes_rest
    fields = select_fields(
        scan,
        separator=separator,
        quote="",
        null=null,
        is_plain=lambda file: is_simple and is_plain(file, scan.check, forbidden=escape.encode()),
        split=lambda lines: split_lines(lines, separator, escape, null, count, takes_rest),
    )
    separators = (
        as_character(scan.option("collection.delim", "colelction.delim", default="\x02")),
        as_character(scan.option("mapkey.delim", default="\x03")),
        *(chr(n) for n in range(4, 9)),
    )
    values = [
        delimited_value(quoted(column.name.lower()), type, separators, null)
        for column, type in zip(scan.columns, types, strict=True)
    ]
    return select_typed(scan, fields, values)


def _check(scan: Scan, escape: str, *, nested: bool) -> None:
    if as_character(scan.option("line.delim", default="\n")) not in ("\n", "\r\n"):
        raise QueryError(ErrorKind.NOT_SUPPORTED, "Lines can only end with a newline")
    if scan.option("timestamp.formats"):
        raise QueryError(ErrorKind.NOT_SUPPORTED, "timestamp.formats is not supported")
    encoding = scan.option("serialization.encoding", default="UTF-8")
    if encoding.upper() not in ("UTF-8", "UTF8", "US-ASCII"):
        raise QueryError(ErrorKind.NOT_SUPPORTED, f"Encoding {encoding} is not supported")
    if escape and nested:
        raise QueryError(
            ErrorKind.NOT_SUPPORTED, "escape.delim with arrays, maps or structs is not supported"
        )


def as_character(text: str) -> str:
    r"""A separator as Hive writes it: itself, a number, or `\t` and `\u0001` as they are spelt."""
    if len(text) > 1 and text.isascii() and text.isdigit() and int(text) < 128:
        return chr(int(text))
    if len(text) == 1 and text.isdigit() and text in "123456789":
        return chr(int(text))
    spelt = {r"\t": "\t", r"\n": "\n", r"\r": "\r", r"\\": "\\"}
    if text in spelt:
        return spelt[text]
    if text.startswith(("\\u", "\\U")) and len(text) == 6:
        return chr(int(text[2:], 16))
    if text.startswith("\\") and text[1:].isdigit():
        return chr(int(text[1:], 8))
    return text


def split_lines(
    lines: Sequence[str],
    separator: str,
    escape: str,
    null: str,
    count: int,
    takes_rest: bool = False,
) -> list[list[str | None]]:
    """Columns of the fields of lines; those that are missing are None, others are left out."""
    columns: list[list[str | None]] = [[] for _ in range(count)]
    limit = count - 1 if takes_rest else -1
    for line in lines:
        if escape and escape in line:
            fields = _split_escaped(line, separator, escape, null)
        else:
            fields = [None if f == null else f for f in line.split(separator, limit)]
        for index, column in enumerate(columns):
            column.append(fields[index] if index < len(fields) else None)
    return columns


def _split_escaped(line: str, separator: str, escape: str, null: str) -> list[str | None]:
    raw: list[str] = [""]
    plain: list[str] = [""]
    at = 0
    while at < len(line):
        if line.startswith(escape, at) and at + 1 < len(line):
            raw[-1] += line[at : at + 2]
            plain[-1] += line[at + 1]
            at += 2
        elif line.startswith(separator, at):
            raw.append("")
            plain.append("")
            at += len(separator)
        else:
            raw[-1] += line[at]
            plain[-1] += line[at]
            at += 1
    # What stands for NULL is compared before escapes are taken away: `\N` begins with one.
    return [None if r == null else p for r, p in zip(raw, plain, strict=True)]
