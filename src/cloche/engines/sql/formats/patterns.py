"""Lines that a regular expression takes apart: Hive's RegexSerDe and Glue's GrokSerDe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import regex

from cloche.engines.sql.engine import DataFile, ErrorKind, QueryError
from cloche.engines.sql.formats.delimited import select_typed
from cloche.engines.sql.formats.grok import NotAGrokPattern, compile_grok
from cloche.engines.sql.formats.lines import header_lines, read_lines
from cloche.engines.sql.formats.opening import bad_data
from cloche.engines.sql.formats.scan import Scan
from cloche.engines.sql.formats.sql_text import quoted
from cloche.engines.sql.formats.typed_text import simple_value

_LINE_SECONDS = 5.0

Match = Callable[[str], Sequence[str | None]]
"""The fields of a line, for each of the columns that are read."""


def select_patterns(scan: Scan) -> str:
    """A SELECT over lines; a line that doesn't match is a row of NULLs.

    Raises:
        QueryError: the expression cannot be used.
    """
    match = _grok_match(scan) if "grok" in scan.table.serde.lower() else _regex_match(scan)
    skipped = header_lines(scan)
    names = [column.name.lower() for column in scan.columns]
    schema = pa.schema([pa.field(name, pa.string()) for name in names or ["nothing"]])

    def read(file: DataFile) -> Iterator[pa.RecordBatch]:
        scan.count(file.size_bytes)
        for lines in read_lines(file, skipped):
            yield pa.RecordBatch.from_arrays(_columns(scan, file, lines, match), schema=schema)

    relation = scan.stream(schema, read)
    values = [
        simple_value(quoted(name), type) for name, type in zip(names, scan.types(), strict=True)
    ]
    return select_typed(scan, f"SELECT * FROM {relation}", values)


def _columns(scan: Scan, file: DataFile, lines: Sequence[str], match: Match) -> list[pa.Array]:
    if not scan.columns:
        return [pa.nulls(len(lines), pa.string())]
    rows: list[Sequence[str | None]] = []
    for number, line in enumerate(lines):
        if number % 256 == 0:
            scan.check()
        try:
            rows.append(match(line))
        except TimeoutError as error:
            raise bad_data(file, f"the expression takes too long for {line[:100]!r}") from error
    return [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]


def _regex_match(scan: Scan) -> Match:
    text = scan.option("input.regex")
    if not text:
        raise QueryError(ErrorKind.HIVE_BAD_DATA, "This table does not have input.regex set")
    flags = 0
    if scan.option("input.regex.case.insensitive").lower() == "true":
        flags = regex.IGNORECASE
    pattern = java_pattern(text, flags)
    position = {column.name: n for n, column in enumerate(scan.table.columns, start=1)}
    wanted = [position[column.name] for column in scan.columns]
    groups = [n if n <= pattern.groups else None for n in wanted]
    nothing = (None,) * len(groups)

    def match(line: str) -> Sequence[str | None]:
        found = pattern.fullmatch(line, timeout=_LINE_SECONDS)
        if found is None:
            return nothing
        return [None if n is None else found[n] for n in groups]

    return match


def _grok_match(scan: Scan) -> Match:
    text = scan.option("input.format")
    if not text:
        raise QueryError(ErrorKind.HIVE_BAD_DATA, "This table does not have input.format set")
    try:
        grok = compile_grok(text, scan.option("input.grokCustomPatterns"))
    except NotAGrokPattern as error:
        raise QueryError(
            ErrorKind.HIVE_BAD_DATA, f"Invalid Grok pattern {text!r}: {error}"
        ) from error
    # Parts of a pattern that exclude one another may have fields of the same name.
    places: dict[str, list[int]] = {column.name.lower(): [] for column in scan.columns}
    for place, (name, _) in enumerate(grok.fields):
        places.setdefault(name.lower(), []).append(place)
    wanted = [places[column.name.lower()] for column in scan.columns]
    nothing = (None,) * len(wanted)

    def match(line: str) -> Sequence[str | None]:
        found = grok.match(line, _LINE_SECONDS)
        if found is None:
            return nothing
        return [next((found[n] for n in group if found[n] is not None), None) for group in wanted]

    return match


_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)


def java_pattern(text: str, flags: int = 0) -> regex.Pattern[str]:
    r"""Java's regular expression; `\Q…\E` and `(?<name>…)` are known.

    Raises:
        QueryError: it is not one.
    """
    spelt = _QUOTED.sub(lambda found: regex.escape(found[1]), text)
    try:
        return regex.compile(spelt, flags | regex.VERSION0)
    except regex.error as error:
        raise QueryError(
            ErrorKind.HIVE_BAD_DATA, f"Invalid regular expression {text!r}: {error}"
        ) from error
