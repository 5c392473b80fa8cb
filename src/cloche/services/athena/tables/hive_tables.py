"""Hive tables: the partitions that are asked for, and their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cloche.engines.sql.engine import Column, ErrorKind, FileTable, Filter, QueryError
from cloche.services.athena.session import Session
from cloche.services.athena.tables.bucket_pruning import files_of_buckets
from cloche.services.athena.tables.files import Folder, files_in
from cloche.services.athena.tables.partition_storage import Storages
from cloche.services.athena.tables.projection import is_projected, projected_partitions
from cloche.services.athena.tables.pruning import kept
from cloche.services.glue import catalog

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def hive_table(session: Session, table: Mapping[str, Any], filters: Sequence[Filter]) -> FileTable:
    """A table's files, of the partitions that may meet the conditions.

    Raises:
        QueryError: the table has no location, or its partitions cannot be worked out.
        QueryFailed: the caller may not read them.
    """
    descriptor = table.get("StorageDescriptor") or {}
    serde = descriptor.get("SerdeInfo") or {}
    keys = table.get("PartitionKeys") or []
    folders = _folders(session, table, descriptor, filters)
    return FileTable(
        columns=_columns(descriptor.get("Columns")),
        partition_columns=_columns(keys),
        files=files_of_buckets(table, files_in(session, folders), filters),
        input_format=descriptor.get("InputFormat") or "",
        serde=serde.get("SerializationLibrary") or "",
        serde_properties=serde.get("Parameters") or {},
        properties=table.get("Parameters") or {},
    )


def partitions_of(
    session: Session,
    table: Mapping[str, Any],
    filters: Sequence[Filter],
    storages: Storages | None = None,
) -> Iterable[Folder]:
    """The partitions that may meet the conditions.

    Args:
        session: in whose name.
        table: as in the catalog.
        filters: the conditions.
        storages: where their files are to be read, to tell how they are stored.

    Raises:
        QueryError: a partition cannot be read as its table says.
    """
    keys = table["PartitionKeys"]
    if is_projected(table):
        for location, values in projected_partitions(table, filters, session.now):
            yield Folder(location, values)
        return
    names = [key["Name"].lower() for key in keys]
    types = {key["Name"].lower(): key["Type"] for key in keys}
    session.check_glue("GetPartitions", table["DatabaseName"], table["Name"])
    for partition in catalog.iterate_partitions(
        *session.where, table["DatabaseName"], table["Name"]
    ):
        values = {
            name: None if value == NULL_PARTITION else value
            for name, value in zip(names, partition["Values"], strict=True)
        }
        if not kept(values, filters, types):
            continue
        descriptor = partition.get("StorageDescriptor") or {}
        location = descriptor.get("Location") or _default_location(table, values)
        storage = storages.of(partition, partition_path(values)) if storages else None
        yield Folder(location, values, storage)


def _folders(
    session: Session,
    table: Mapping[str, Any],
    descriptor: Mapping[str, Any],
    filters: Sequence[Filter],
) -> list[Folder]:
    if table.get("PartitionKeys"):
        return list(partitions_of(session, table, filters, Storages(table)))
    if not descriptor.get("Location"):
        raise QueryError(
            ErrorKind.GENERIC_USER_ERROR,
            f"HIVE_INVALID_METADATA: Table {table['DatabaseName']}.{table['Name']} has no location",
        )
    return [Folder(descriptor["Location"], {})]


def _default_location(table: Mapping[str, Any], values: Mapping[str, str | None]) -> str:
    base = table["StorageDescriptor"]["Location"].rstrip("/")
    return f"{base}/{partition_path(values)}/"


def partition_path(values: Mapping[str, str | None]) -> str:
    """`year=2020/month=1`, escaped as Hive does."""
    return "/".join(f"{_escaped(k)}={_escaped(v)}" for k, v in values.items())


_UNSAFE = frozenset("\"#%'*/:=?\\{[]^\x7f") | {chr(code) for code in range(1, 32)}


def _escaped(text: str | None) -> str:
    if text is None or text == "":
        return NULL_PARTITION
    return "".join(f"%{ord(each):02X}" if each in _UNSAFE else each for each in text)


def _columns(columns: Any) -> tuple[Column, ...]:
    return tuple(Column(each["Name"], each.get("Type") or "string") for each in columns or ())
