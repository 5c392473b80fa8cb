"""What is kept of the catalog: databases, tables, their archived versions, partitions.

Tables belong to a database's id and partitions to a table's id, both never used again: what was in
a dropped table is out of sight at once and can be removed in pieces (`orphans`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from cloche.core.documents import Table as DocumentTable


class Database(msgspec.Struct, frozen=True):
    """A database.

    Attributes:
        id: of this one, and not of a later one of the same name.
        input: Glue's DatabaseInput.
        created_at: seconds since 1970.
    """

    id: str
    name: str
    input: dict[str, Any]
    created_at: float


class PartitionIndex(msgspec.Struct, frozen=True):
    """An index of a table's partitions over some of its partition keys."""

    name: str
    keys: tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    """A table, or a version of it.

    Attributes:
        id: of this table through all its versions, and not of a later one of the same name.
        input: Glue's TableInput.
        version: counted from 0.
        created_by: ARN of who made it; may be empty.
        updated_at: when this version was made.
    """

    id: str
    name: str
    input: dict[str, Any]
    version: int
    created_at: float
    updated_at: float
    created_by: str = ""
    indexes: tuple[PartitionIndex, ...] = ()

    @property
    def partition_keys(self) -> list[dict[str, Any]]:
        """Columns by which it is partitioned."""
        return self.input.get("PartitionKeys") or []


class Partition(msgspec.Struct, frozen=True):
    """A partition.

    Attributes:
        values: one for each partition key of the table.
        input: Glue's PartitionInput without the values.
    """

    values: tuple[str, ...]
    input: dict[str, Any]
    created_at: float


databases = DocumentTable("glue.databases", Database)
tables = DocumentTable("glue.tables", Table)
table_versions = DocumentTable("glue.table_versions", Table)
partitions = DocumentTable("glue.partitions", Partition)


def storable(value: Any) -> Any:
    """A request's value as it can be kept: instants as seconds, without members that are None."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, Mapping):
        return {key: storable(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value
