"""What is inferred of a file: its format, how tables over it are read, its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import BinaryIO, Protocol

import msgspec

from cloche.engines.sql.engine import Column
from cloche.engines.sql.inference.compression import Compression
from cloche.engines.sql.inference.hive_types import Array, Map, Struct, Type, render

_LONGEST_NAME = 250

UNKNOWN_FORMAT = "UNKNOWN"

TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"


class SampledFile(Protocol):
    """A file of which parts are read."""

    @property
    def name(self) -> str:
        """Last part of its path."""
        ...

    @property
    def size_bytes(self) -> int:
        """Its length."""
        ...

    def head(self, limit_bytes: int) -> bytes:
        """Its first bytes."""
        ...

    def open(self) -> BinaryIO:
        """The file, to be read at any place; closed by the caller."""
        ...


class Inferred(msgspec.Struct, frozen=True):
    """A file's format and schema.

    Attributes:
        classification: `csv`, `json`, `parquet`, `orc`, `avro`, what a classifier calls it, or
            `UNKNOWN`.
        columns: types in Hive's names.
        compression: of the file as a whole.
        input_format: Hive's class.
        output_format: Hive's class.
        serde: Hive's class.
        serde_parameters: of the SerDe.
        parameters: of the table: `delimiter`, `skip.header.line.count`, ….
        record_count: of the file; estimated where only its beginning was read.
        open_types: of columns in which something was always null or empty: their types with `void`
            or `struct<>` there, which what other files have takes the place of.
        gaps: columns of numbers with empty cells, which OpenCSVSerDe cannot read as numbers.
    """

    classification: str
    columns: tuple[Column, ...] = ()
    compression: Compression = "none"
    input_format: str = ""
    output_format: str = ""
    serde: str = ""
    serde_parameters: Mapping[str, str] = {}
    parameters: Mapping[str, str] = {}
    record_count: int = 0
    open_types: Mapping[str, str] = {}
    gaps: tuple[str, ...] = ()

    @property
    def compatibility(self) -> tuple[object, ...]:
        """Equal for files that one table can be over, whatever their columns.

        For CSV it does not matter whether any cell of a file is quoted.
        """
        if self.classification == "csv":
            quote = self.serde_parameters.get("quoteChar", '"')
            header = self.parameters.get("skip.header.line.count")
            return ("csv", self.compression, self.parameters.get("delimiter"), quote, header)
        serde = {
            name: value
            for name, value in self.serde_parameters.items()
            if name not in ("paths", "avro.schema.literal")
        }
        kept = {
            name: value for name, value in self.parameters.items() if name != "avro.schema.literal"
        }
        return (
            self.classification,
            self.compression,
            self.serde,
            *sorted(serde.items()),
            *sorted(kept.items()),
        )


def as_columns(fields: Iterable[tuple[str, Type]]) -> tuple[Column, ...]:
    """Columns of fields: lower-case names, of which none comes twice."""
    taken: set[str] = set()
    columns: list[Column] = []
    for name, type_ in fields:
        base = unique = name.strip().lower()[:_LONGEST_NAME] or f"col{len(columns)}"
        number = 1
        while unique in taken:
            unique = f"{base}_{number}"
            number += 1
        taken.add(unique)
        columns.append(Column(unique, render(type_)))
    return tuple(columns)


def open_types(fields: Iterable[tuple[str, Type]], columns: Iterable[Column]) -> dict[str, str]:
    """`Inferred.open_types` of fields and the columns that they are."""
    pairs = zip(fields, columns, strict=True)
    found = {column.name: _sketched(type_) for (_, type_), column in pairs}
    return {name: type_ for name, type_ in found.items() if "void" in type_ or "<>" in type_}


def _sketched(type_: Type) -> str:
    """A type as text, in which what is unknown stays so."""
    match type_:
        case Array(element):
            return f"array<{_sketched(element)}>"
        case Map(key, value):
            return f"map<{_sketched(key)},{_sketched(value)}>"
        case Struct(fields):
            return f"struct<{','.join(f'{name}:{_sketched(each)}' for name, each in fields)}>"
        case _:
            return type_
