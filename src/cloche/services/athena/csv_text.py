"""Athena's CSV: every value is quoted, NULL is nothing at all; and text files of DDL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

Row = list[str | None]

_VALUE = re.compile(rb'"((?:[^"]|"")*)"|([^",\n]*)')


def encode_row(values: Iterable[str | None]) -> bytes:
    """A row with its line end."""
    quoted = ["" if value is None else '"' + value.replace('"', '""') + '"' for value in values]
    return (",".join(quoted) + "\n").encode("utf-8", "surrogatepass")


def encode_rows(columns: Sequence[Sequence[str | None]]) -> bytes:
    """Rows of which the columns are given."""
    quoted = [
        ["" if value is None else '"' + value.replace('"', '""') + '"' for value in column]
        for column in columns
    ]
    lines = map(",".join, zip(*quoted, strict=True))
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def decode_rows(text: bytes, limit: int, *, is_end: bool) -> tuple[list[Row], int]:
    """Rows from the beginning of a text, at most `limit`, and how many bytes they take.

    Args:
        text: from the beginning of a row.
        limit: of rows.
        is_end: whether nothing follows; otherwise a row without its line end is left out.
    """
    rows: list[Row] = []
    position = 0
    size = len(text)
    while len(rows) < limit and position < size:
        row: Row = []
        at = position
        while True:
            match = _VALUE.match(text, at)
            if match is None:  # a quote that is not closed: the value goes on in the next piece
                return rows, position
            quoted = match[1]
            plain = match[2]
            if quoted is not None:
                row.append(quoted.replace(b'""', b'"').decode("utf-8", "surrogatepass"))
            else:
                row.append(plain.decode("utf-8", "surrogatepass") if plain else None)
            at = match.end()
            if at >= size:
                if not is_end:
                    return rows, position
                break
            separator = text[at]
            at += 1
            if separator == 0x0A:
                break
            if separator != 0x2C:
                # An opening quote whose end has not come yet looks like an empty value.
                return rows, position
        rows.append(row)
        position = at
    return rows, position


def decode_lines(text: bytes, limit: int, *, is_end: bool) -> tuple[list[Row], int]:
    """As `decode_rows`, of a text file: a line is a row of one value."""
    rows: list[Row] = []
    position = 0
    while len(rows) < limit and position < len(text):
        end = text.find(b"\n", position)
        if end < 0:
            if not is_end:
                break
            end = len(text)
        rows.append([text[position:end].decode("utf-8", "surrogatepass")])
        position = min(end + 1, len(text))
    return rows, position
