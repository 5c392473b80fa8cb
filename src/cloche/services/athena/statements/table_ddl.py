"""The CREATE EXTERNAL TABLE that would make a table again, as SHOW CREATE TABLE writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloche.services.athena.statements.formats import LAZY_SIMPLE

_DELIMITERS = (
    ("field.delim", "FIELDS TERMINATED BY"),
    ("escape.delim", "ESCAPED BY"),
    ("collection.delim", "COLLECTION ITEMS TERMINATED BY"),
    ("mapkey.delim", "MAP KEYS TERMINATED BY"),
    ("line.delim", "LINES TERMINATED BY"),
    ("serialization.null.format", "NULL DEFINED AS"),
)
# Hive says these by other clauses.
_SAID_OTHERWISE = frozenset({"EXTERNAL", "comment"})


def table_ddl(name: str, table: Mapping[str, Any]) -> list[str]:
    """Its lines."""
    descriptor = table["StorageDescriptor"]
    parameters = table.get("Parameters") or {}
    lines = [f"CREATE EXTERNAL TABLE `{name}`("]
    lines += _columns(descriptor.get("Columns") or ())
    if parameters.get("comment"):
        lines.append(f"COMMENT {_quoted(parameters['comment'])}")
    if table.get("PartitionKeys"):
        lines += ["PARTITIONED BY ( ", *_columns(table["PartitionKeys"])]
    if descriptor.get("BucketColumns"):
        lines += [
            "CLUSTERED BY ( ",
            ", \n".join(f"  {each}" for each in descriptor["BucketColumns"]) + ") ",
            f"INTO {descriptor['NumberOfBuckets']} BUCKETS",
        ]
    lines += _row_format(descriptor.get("SerdeInfo") or {})
    lines += [
        "STORED AS INPUTFORMAT ",
        f"  {_quoted(descriptor.get('InputFormat') or '')} ",
        "OUTPUTFORMAT ",
        f"  {_quoted(descriptor.get('OutputFormat') or '')}",
        "LOCATION",
        f"  {_quoted(descriptor.get('Location') or '')}",
    ]
    shown = {key: parameters[key] for key in parameters if key not in _SAID_OTHERWISE}
    if shown:
        lines += ["TBLPROPERTIES (", *_properties(shown)]
        lines[-1] += ")"
    return [each for line in lines for each in line.split("\n")]


def _columns(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    lines: list[str] = []
    for column in columns:
        line = f"  `{column['Name']}` {column.get('Type') or 'string'}"
        if column.get("Comment"):
            line += f" COMMENT {_quoted(column['Comment'])}"
        lines.append(line)
    return [*(f"{line}, " for line in lines[:-1]), f"{lines[-1] if lines else ''})"]


def _row_format(serde: Mapping[str, Any]) -> list[str]:
    library = serde.get("SerializationLibrary") or LAZY_SIMPLE
    parameters: Mapping[str, str] = serde.get("Parameters") or {}
    known = {key for key, _ in _DELIMITERS} | {"serialization.format"}
    if library == LAZY_SIMPLE and parameters.keys() <= known and "field.delim" in parameters:
        clauses = [
            f"  {words} {_quoted(parameters[key])} "
            for key, words in _DELIMITERS
            if key in parameters
        ]
        return ["ROW FORMAT DELIMITED ", *clauses]
    lines = ["ROW FORMAT SERDE ", f"  {_quoted(library)} "]
    shown = {key: value for key, value in parameters.items() if key != "serialization.format"}
    if shown:
        lines += ["WITH SERDEPROPERTIES ( ", *_properties(shown)]
        lines[-1] += ") "
    return lines


def _properties(properties: Mapping[str, Any]) -> list[str]:
    lines = [f"  {_quoted(key)}={_quoted(str(properties[key]))}" for key in sorted(properties)]
    return [*(f"{line}, " for line in lines[:-1]), lines[-1]]


_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def _quoted(text: str) -> str:
    escaped = "".join(
        _ESCAPES.get(each) or (each if each >= " " else f"\\u{ord(each):04X}") for each in text
    )
    return f"'{escaped}'"
