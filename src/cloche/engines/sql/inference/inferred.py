"""What is inferred of a file: its format, how tables over it are read, its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import BinaryIO, Protocol

import msgspec

from cloche.engines.sql.engine import Column
from cloche.engines.sql.inference.compression import Compression
from cloche.engines.sql.inference.hive_types import Type, render

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

    @property
    def compatibility(self) -> tuple[object, ...]:
        """Equal for files that one table can be over, whatever their columns."""
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
