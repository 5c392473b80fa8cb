"""CSV as Glue's classifiers see it: delimiter, quotes, header, types.

A file is CSV if it has at least two rows and two columns. Its first row is a header if all its
cells are text that may name a column and the rows after it are not all text.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from cloche.engines.sql.inference.hive_types import merge
from cloche.engines.sql.inference.inferred import (
    TEXT_INPUT,
    TEXT_OUTPUT,
    Inferred,
    as_columns,
    open_types,
)
from cloche.engines.sql.inference.text_samples import TextSample

DELIMITERS = (",", "|", "\t", ";", "\x01")
LAZY_SIMPLE_SERDE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPEN_CSV_SERDE = "org.apache.hadoop.hive.serde2.OpenCSVSerde"

CUSTOM_TYPES = {
    "BINARY": "binary",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DECIMAL": "decimal",
    "DOUBLE": "double",
    "FLOAT": "float",
    "INT": "int",
    "LONG": "bigint",
    "SHORT": "smallint",
    "STRING": "string",
    "TIMESTAMP": "timestamp",
}

_LONGEST_HEADER_CELL = 150
_LEAST_REGULAR_SHARE = 0.9
_INTEGER = re.compile(r"[+-]?\d{1,19}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COLUMN_NAME = re.compile(r"[^\x00-\x1f\x7f]+")
_NUMBERS = ("bigint", "double", "boolean")


class CSVOptions(msgspec.Struct, frozen=True):
    """What a classifier says of its files; what it leaves out is found in them.

    Attributes:
        header: names of the columns.
        types: Hive types of the columns, in order.
    """

    delimiter: str | None = None
    quote: str | None = None
    contains_header: Literal["UNKNOWN", "PRESENT", "ABSENT"] = "UNKNOWN"
    header: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    trims: bool = True
    allows_single_column: bool = False
    serde: Literal["OpenCSVSerDe", "LazySimpleSerDe", "None"] = "None"
    is_custom: bool = False


BUILT_IN = CSVOptions()


class _Rows(NamedTuple):
    delimiter: str
    rows: list[list[str]]
    width: int


def infer_csv(sample: TextSample, options: CSVOptions = BUILT_IN) -> Inferred | None:
    """Format and columns of a CSV file; None if it is none."""
    quote = options.quote or '"'
    found = _find_rows(sample, options, quote)
    if found is None:
        return None
    rows = [_trimmed(row) for row in found.rows] if options.trims else found.rows
    has_header = _has_header(rows, found.width, options)
    data = rows[1:] if has_header else rows
    types = _types(data, found.width)
    names = _names(rows[0] if has_header else [], found.width, options.header)
    if options.header and found.width != len(options.header):
        return None
    is_quoted = _is_quoted(sample, found.delimiter, quote)
    serde = _serde(options, is_quoted)
    gaps = _gaps(types, data)
    if serde == OPEN_CSV_SERDE:
        types = ["string" if at in gaps else type_ for at, type_ in enumerate(types)]
        gaps = set()
    types = [*options.types[: found.width], *types[len(options.types) :]]
    fields = list(zip(names, types, strict=True))
    columns = as_columns(fields)
    return Inferred(
        classification="csv",
        columns=columns,
        compression=sample.compression,
        input_format=TEXT_INPUT,
        output_format=TEXT_OUTPUT,
        serde=serde,
        serde_parameters=_serde_parameters(serde, found.delimiter, quote),
        parameters={
            "delimiter": found.delimiter,
            "columnsOrdered": "true",
            "areColumnsQuoted": "true" if is_quoted else "false",
            **({"skip.header.line.count": "1"} if has_header else {}),
        },
        record_count=sample.estimate(len(data)),
        open_types=open_types(fields, columns),
        gaps=tuple(columns[at].name for at in sorted(gaps)),
    )


def infer_csv_like(sample: TextSample, known: Inferred) -> Inferred | None:
    """A CSV file of one row beside another one, which tells what that row is; None if it can't be.

    Args:
        sample: the file's beginning.
        known: what was inferred of the other.
    """
    has_header = "skip.header.line.count" in known.parameters
    options = CSVOptions(
        delimiter=known.parameters["delimiter"],
        quote=known.serde_parameters.get("quoteChar"),
        contains_header="PRESENT" if has_header else "ABSENT",
        serde="OpenCSVSerDe" if known.serde == OPEN_CSV_SERDE else "LazySimpleSerDe",
        is_custom=True,
    )
    found = infer_csv(sample, options)
    if found is None or len(found.columns) != len(known.columns):
        return None
    if has_header and [each.name for each in found.columns] != [
        each.name for each in known.columns
    ]:
        return None
    return found


def _find_rows(sample: TextSample, options: CSVOptions, quote: str) -> _Rows | None:
    """The rows by the delimiter that makes them most regular, and then widest."""
    candidates = (options.delimiter,) if options.delimiter else DELIMITERS
    best: tuple[float, int] = (0.0, 0)
    found: _Rows | None = None
    for delimiter in candidates:
        if delimiter not in sample.text and not options.allows_single_column:
            continue
        rows = _read(sample, delimiter, quote)
        if not rows:
            continue
        width, count = Counter(map(len, rows)).most_common(1)[0]
        score = (count / len(rows), width)
        narrowest = 1 if options.allows_single_column else 2
        if width >= narrowest and score[0] >= _LEAST_REGULAR_SHARE and score > best:
            best, found = score, _Rows(delimiter, rows, width)
    if found is None or (len(found.rows) < 2 and not options.is_custom):
        return None
    return found


def _read(sample: TextSample, delimiter: str, quote: str) -> list[list[str]]:
    reader = csv.reader(
        io.StringIO(sample.text, newline=""), delimiter=delimiter, quotechar=quote, strict=False
    )
    try:
        rows = [row for row in reader if row and any(row)]
    except csv.Error:  # a cell of more than 128 KiB
        return []
    if not sample.is_whole and len(rows) > 1:
        rows.pop()
    return rows


def _trimmed(row: list[str]) -> list[str]:
    return [cell.strip() for cell in row]


def _has_header(rows: Sequence[Sequence[str]], width: int, options: CSVOptions) -> bool:
    if options.contains_header != "UNKNOWN":
        return options.contains_header == "PRESENT"
    first = rows[0]
    if options.header and [_plain(cell) for cell in first] == list(map(_plain, options.header)):
        return True
    if len(rows) < 2 or len(first) != width or not _may_be_header(first):
        return False
    return any(type_ in _NUMBERS for type_ in _types(rows[1:], width))


def _plain(cell: str) -> str:
    return cell.strip().lower()


def _may_be_header(cells: Sequence[str]) -> bool:
    *others, last = cells
    named = [*others, last] if last else others  # a trailing delimiter leaves an empty cell
    return all(
        len(cell) < _LONGEST_HEADER_CELL
        and _COLUMN_NAME.fullmatch(cell) is not None
        and type_of(cell) == "string"
        for cell in named
    )


def type_of(cell: str) -> str:
    """The type of one cell; empty cells are of all types."""
    if not cell:
        return "void"
    if _INTEGER.fullmatch(cell) and -(2**63) <= int(cell) < 2**63:
        return "bigint"
    if _NUMBER.fullmatch(cell):
        return "double"
    if cell.lower() in ("true", "false"):
        return "boolean"
    return "string"


def _types(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    return [_column_type({row[at].strip() for row in rows if at < len(row)}) for at in range(width)]


def _column_type(cells: set[str]) -> str:
    found = "void"
    for cell in cells:
        found = str(merge(found, type_of(cell)))
        if found == "string":
            break
    return found


def _names(first: Sequence[str], width: int, given: Sequence[str]) -> list[str]:
    cells = given or first
    return [
        cells[at].strip() if at < len(cells) and cells[at].strip() else f"col{at}"
        for at in range(width)
    ]


def _is_quoted(sample: TextSample, delimiter: str, quote: str) -> bool:
    """Whether any cell begins with a quote."""
    if quote not in sample.text:
        return False
    start = f"(?:^|{re.escape(delimiter)}) *{re.escape(quote)}"
    return re.search(start, sample.text, re.MULTILINE) is not None


def _serde(options: CSVOptions, is_quoted: bool) -> str:
    if options.serde == "OpenCSVSerDe":
        return OPEN_CSV_SERDE
    if options.serde == "LazySimpleSerDe":
        return LAZY_SIMPLE_SERDE
    return OPEN_CSV_SERDE if is_quoted or options.quote else LAZY_SIMPLE_SERDE


def _gaps(types: list[str], rows: Sequence[Sequence[str]]) -> set[int]:
    """Columns of numbers, or of nothing yet, with empty cells."""
    return {
        at
        for at, type_ in enumerate(types)
        if type_ in (*_NUMBERS, "void")
        and any(at >= len(row) or not row[at].strip() for row in rows)
    }


def _serde_parameters(serde: str, delimiter: str, quote: str) -> dict[str, str]:
    if serde == OPEN_CSV_SERDE:
        return {"separatorChar": delimiter, "quoteChar": quote, "escapeChar": "\\"}
    return {"field.delim": delimiter}
