"""Hive tables: the partitions that are asked for, and their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cloche.engines.sql.engine import Column, ErrorKind, FileTable, Filter, QueryError
from cloche.services.athena.session import Session
from cloche.services.athena.tables.files import Folder, files_in
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
        files=files_in(session, folders),
        input_format=descriptor.get("InputFormat") or "",
        serde=serde.get("SerializationLibrary") or "",
        serde_properties=serde.get("Parameters") or {},
        properties=table.get("Parameters") or {},
    )


def partitions_of(
    session: Session, table: Mapping[str, Any], filters: Sequence[Filter]
) -> Iterable[Folder]:
    """The partitions that may meet the conditions."""
    keys = table["PartitionKeys"]
    if is_projected(table):
        for location, values in projected_partitions(table, filters, session.now):
            yield Folder(location, values)
        return
    names = [key["Name"].lower() for key in keys]
    types = {key["Name"].lower(): key["Type"] for key in keys}
    session.check_glue("GetPartitions", table["DatabaseName"], table["Name"])
    own_format = (table.get("StorageDescriptor") or {}).get("InputFormat")
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
        if descriptor.get("InputFormat") not in (None, "", own_format):
            raise QueryError(
                ErrorKind.NOT_SUPPORTED,
                f"Partition {'/'.join(partition['Values'])} of {table['Name']} has another file "
                "format than its table",
            )
        if not _is_read_alike(descriptor, table.get("StorageDescriptor") or {}):
            raise QueryError(
                ErrorKind.NOT_SUPPORTED,
                f"Partition {'/'.join(partition['Values'])} of {table['Name']} has another SerDe, "
                "or other delimiters, than its table",
            )
        yield Folder(descriptor.get("Location") or _default_location(table, values), values)


_DELIMITERS = {
    "field.delim": "\x01",
    "escape.delim": None,
    "separatorChar": ",",
    "quoteChar": '"',
    "escapeChar": "\\",
}
"""Parameters of SerDes that tell where a value ends, and what they are unless given."""


def _is_read_alike(partition: Mapping[str, Any], table: Mapping[str, Any]) -> bool:
    """Whether a partition's SerDe reads what the table's does, as far as it says which."""
    own, of_table = partition.get("SerdeInfo") or {}, table.get("SerdeInfo") or {}
    library = own.get("SerializationLibrary")
    if not library:
        return True
    if library != of_table.get("SerializationLibrary"):
        return False
    given, usual = own.get("Parameters") or {}, of_table.get("Parameters") or {}
    return all(
        given.get(name, default) == usual.get(name, default)
        for name, default in _DELIMITERS.items()
    )


def _folders(
    session: Session,
    table: Mapping[str, Any],
    descriptor: Mapping[str, Any],
    filters: Sequence[Filter],
) -> list[Folder]:
    if table.get("PartitionKeys"):
        return list(partitions_of(session, table, filters))
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
