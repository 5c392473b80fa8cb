"""JSON, an object a line, as the OpenX and Hive SerDes read it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa

from cloche.engines.sql.engine import DataFile, ErrorKind, QueryError
from cloche.engines.sql.formats.decompression import compression_of
from cloche.engines.sql.formats.hive_types import HiveType
from cloche.engines.sql.formats.lines import check_whole, header_lines, read_lines
from cloche.engines.sql.formats.opening import is_local
from cloche.engines.sql.formats.scan import LOCATION, Scan
from cloche.engines.sql.formats.sql_text import listed, literal, quoted
from cloche.engines.sql.formats.typed_text import failing, milliseconds

NORMALIZE = "cloche_normalized_json"
"""The SQL function that is `normalized`."""

_DUCKDB_COMPRESSIONS = {"none": "uncompressed", "gzip": "gzip", "zstd": "zstd"}
_EXACT_DIGITS = 18

# What DuckDB would read otherwise than Hive: keys with capitals, numbers whose text or digits
# count. A line in which one may be is brought into a plain form first.
_CAPITAL_KEY = r'[A-Z][^"]*"\s*:'
_SPELT_NUMBER = r"[0-9.]{16}|[0-9]\.[0-9]*0\s*[,}\]]|[0-9.][eE][-+0-9]"


@dataclass(frozen=True, slots=True)
class KeyRules:
    """How keys are matched with columns.

    Attributes:
        ignores_case: whether all keys are taken in lower case.
        has_dots: whether dots in keys stand for underscores.
        renamed: columns by the keys that stand for them.
    """

    ignores_case: bool = True
    has_dots: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])

    def apply(self, key: str) -> str:
        """The column or field that a key is for."""
        key = key.lower() if self.ignores_case else key
        key = self.renamed.get(key, key)
        return key.replace(".", "_") if self.has_dots else key


def normalized(line: str, rules: KeyRules) -> str:
    """A line with its keys by the rules, and with numbers as strings where digits would be lost.

    A line that is no JSON comes back as it is.
    """

    def renamed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {rules.apply(key): value for key, value in pairs}

    def whole(digits: str) -> int | str:
        return digits if len(digits) > _EXACT_DIGITS else int(digits)

    try:
        value = json.loads(line, object_pairs_hook=renamed, parse_float=str, parse_int=whole)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return line


def select_json_lines(scan: Scan) -> str:
    """A SELECT over JSON.

    Raises:
        QueryError: a property cannot be honoured.
    """
    if header_lines(scan):
        raise QueryError(
            ErrorKind.NOT_SUPPORTED, "skip.header.line.count is not supported with JSON"
        )
    is_openx = "openx" in scan.table.serde.lower()
    ignores = scan.option("ignore.malformed.json").lower() == "true"
    text = _normalizing(scan, _key_rules(scan))
    types = scan.types()
    # Each row knows its file, which an error then names.
    source = " UNION ALL ".join(_sources(replace(scan, located=True), ignores))
    place = f", {quoted(LOCATION)}"
    fields = ", ".join(
        f"{json.dumps(c.name.lower())}: {json.dumps(_read_as(scan, c.type, type, is_openx))}"
        for c, type in zip(scan.columns, types, strict=True)
    )
    row = f"json_transform(line, {literal('{' + fields + '}')})" if scan.columns else "NULL"
    outputs = [
        _output(scan, column.name.lower(), column.type, type, is_openx)
        for column, type in zip(scan.columns, types, strict=True)
    ]
    outputs = outputs or ["NULL AS nothing"]
    shown = place if scan.located else ""
    return (
        f"SELECT {', '.join(outputs)}{shown} FROM (SELECT {row} AS fields, line{place} FROM "
        f"(SELECT {_checked(text, ignores)} AS line{place} FROM ({source})))"
    )


def _key_rules(scan: Scan) -> KeyRules:
    prefix = "mapping."
    ignores_case = scan.option("case.insensitive", default="true").lower() != "false"
    renamed = {
        key.lower() if ignores_case else key: name[len(prefix) :].lower()
        for name, key in scan.table.serde_properties.items()
        if name.lower().startswith(prefix)
    }
    has_dots = scan.option("dots.in.keys").lower() == "true"
    return KeyRules(ignores_case, has_dots, renamed)


def _normalizing(scan: Scan, rules: KeyRules) -> str:
    """An expression of a line whose keys are names of columns."""
    call = f"{NORMALIZE}(line, {literal(json.dumps(asdict(rules)))})"
    if rules.renamed or rules.has_dots:
        return call
    needed = [_CAPITAL_KEY] if rules.ignores_case else []
    if any(kind in column.type for column in scan.columns for kind in _WITH_SPELLING):
        needed.append(_SPELT_NUMBER)
    if not needed:
        return "line"
    return f"CASE WHEN regexp_matches(line, {literal('|'.join(needed))}) THEN {call} ELSE line END"


_WITH_SPELLING = ("string", "char", "decimal")


def _checked(text: str, ignores: bool) -> str:
    is_object = "starts_with(ltrim(line), '{')"
    if ignores:
        return f"CASE WHEN {is_object} AND json_valid(line) THEN {text} END"
    failed = failing("Row is not a valid JSON object: ", "left(line, 100)")
    return f"CASE WHEN {is_object} THEN {text} ELSE {failed} END"


def _sources(scan: Scan, ignores: bool) -> Iterator[str]:
    """Parts of a UNION with the column `line`."""
    by_compression: dict[str, list[DataFile]] = defaultdict(list)
    for file in scan.files:
        compression = compression_of(file) if is_local(file) else ""
        by_compression[compression if compression in _DUCKDB_COMPRESSIONS else ""].append(file)
    for compression, files in by_compression.items():
        if not compression:
            place = f", {quoted(LOCATION)}" if scan.located else ""
            yield f"SELECT {_valid(ignores)} AS line{place} FROM {_stream(scan.of(files))}"
            continue
        for file in files:
            scan.count(file.size_bytes)
            check_whole(file, scan.check)
        place = f", filename AS {quoted(LOCATION)}" if scan.located else ""
        chosen = literal(_DUCKDB_COMPRESSIONS[compression])
        yield (
            f"SELECT CAST(json AS VARCHAR) AS line{place} FROM read_json_objects("
            f"{listed(file.location for file in files)}, format = 'newline_delimited', "
            f"compression = {chosen}, ignore_errors = {str(ignores).lower()}, "
            f"hive_partitioning = false, filename = {str(scan.located).lower()})"
        )


def _valid(ignores: bool) -> str:
    """An expression of a line; one that is no JSON is an error, as DuckDB's reader has it."""
    failed = failing("Malformed JSON: ", "left(line, 100)")
    return "line" if ignores else f"CASE WHEN json_valid(line) THEN line ELSE {failed} END"


def _stream(scan: Scan) -> str:
    schema = pa.schema([("line", pa.string())])

    def read(file: DataFile) -> Iterator[pa.RecordBatch]:
        scan.count(file.size_bytes)
        for lines in read_lines(file):
            filled = [line for line in lines if not line.isspace() and line]
            yield pa.RecordBatch.from_arrays([pa.array(filled, pa.string())], schema=schema)

    return scan.stream(schema, read)


def _read_as(scan: Scan, declared: str, type: HiveType, is_openx: bool) -> str:
    """DuckDB's type that a column is taken from JSON as."""
    if type.kind in ("binary", "char", "varchar") or (is_openx and type.kind == "timestamp"):
        return "VARCHAR"
    if "binary" in declared.lower():
        raise QueryError(ErrorKind.NOT_SUPPORTED, "binary within a type is not supported in JSON")
    return scan.duckdb_type(declared)


def _output(scan: Scan, name: str, declared: str, type: HiveType, is_openx: bool) -> str:
    text = f"fields.{quoted(name)}"
    match type.kind:
        case "binary":
            value = f"from_base64({text})"
        case "char" | "varchar":
            value = f"left({text}, {type.numbers[0]})" if type.numbers else text
        case "timestamp" if is_openx:
            value = milliseconds(_openx_timestamp(text))
        case "timestamp":
            value = milliseconds(text)
        case _:
            value = text
    if not is_openx and type.kind not in ("array", "map", "struct", "string", "char", "varchar"):
        value = _or_error(name, value, type)
    return f"CAST({value} AS {scan.duckdb_type(declared)}) AS {quoted(name)}"


def _or_error(name: str, value: str, type: HiveType) -> str:
    """Hive's JSON SerDe takes no value that is not of its column's type."""
    given = f"json_extract_string(line, {literal('$.' + json.dumps(name, ensure_ascii=False))})"
    failed = failing(f"Error parsing field value for column {name} of type {type}: ", given)
    is_wrong = f"{value} IS NULL AND {given} IS NOT NULL"
    return f"CASE WHEN {is_wrong} THEN {failed} ELSE {value} END"


def _openx_timestamp(text: str) -> str:
    """Seconds or milliseconds since 1970, or a time as ISO 8601 or SQL write it."""
    return (
        f"CASE WHEN regexp_full_match({text}, '-?[0-9]{{1,10}}') "
        f"THEN make_timestamp(CAST({text} AS BIGINT) * 1000000) "
        f"WHEN regexp_full_match({text}, '-?[0-9]{{11,15}}') "
        f"THEN make_timestamp(CAST({text} AS BIGINT) * 1000) "
        f"WHEN regexp_full_match({text}, '-?[0-9]+\\.[0-9]+') "
        f"THEN make_timestamp(CAST(CAST({text} AS DECIMAL(20,6)) * 1000000 AS BIGINT)) "
        f"ELSE TRY_CAST({text} AS TIMESTAMP) END"
    )
