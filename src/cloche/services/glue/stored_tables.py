"""Tables as they are kept: what operations, Athena and crawlers stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from cloche.core.documents import DocumentExists, Documents, Reader, Transaction
from cloche.core.events import EventBus
from cloche.services.glue import orphans
from cloche.services.glue.catalog_records import (
    Database,
    PartitionIndex,
    Table,
    partitions,
    storable,
    table_versions,
    tables,
)
from cloche.services.glue.change_events import tell_database_change, tell_table_change
from cloche.services.glue.errors import (
    AlreadyExistsException,
    ConcurrentModificationException,
    EntityNotFoundException,
    InvalidInputException,
)
from cloche.services.glue.keys import folded, key_of, prefix_of
from cloche.services.glue.stored_databases import find_database

_STORAGE_DEFAULTS: dict[str, Any] = {
    "Compressed": False,
    "NumberOfBuckets": 0,
    "SortColumns": [],
    "StoredAsSubDirectories": False,
}

_TABLE_INPUT_MEMBERS = (
    "Name",
    "Description",
    "Owner",
    "LastAccessTime",
    "LastAnalyzedTime",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
    "TargetTable",
)


def table_input_of(table: Mapping[str, Any]) -> dict[str, Any]:
    """What of a table as it is shown may be given to make or change one."""
    return {name: table[name] for name in _TABLE_INPUT_MEMBERS if table.get(name) is not None}


def load_table(
    reader: Reader, account: str, region: str, database: str, name: str
) -> tuple[Database, Table]:
    """The records of a table and of its database.

    Raises:
        EntityNotFoundException: there is no such database or table.
    """
    owner = find_database(reader, account, region, database)
    found = reader.get(tables, account, region, key_of(owner.id, folded(name)))
    if found is None:
        raise EntityNotFoundException(f"Table {folded(name)} not found.")
    return owner, found


def get_table(
    documents: Documents, account: str, region: str, database: str, name: str
) -> dict[str, Any]:
    """Glue's Table.

    Raises:
        EntityNotFoundException: there is no such database or table.
    """
    owner, table = load_table(documents, account, region, database, name)
    return shown_table(account, owner.name, table)


def find_table(
    documents: Documents, account: str, region: str, database: str, name: str
) -> dict[str, Any] | None:
    """Glue's Table; None if there is none, or no such database."""
    try:
        return get_table(documents, account, region, database, name)
    except EntityNotFoundException:
        return None


def list_tables(
    documents: Documents, account: str, region: str, database: str
) -> list[dict[str, Any]]:
    """All tables of a database, by name.

    Raises:
        EntityNotFoundException: there is no such database.
    """
    owner = find_database(documents, account, region, database)
    found = documents.iterate(tables, account, region, prefix_of(owner.id))
    return [shown_table(account, owner.name, each.value) for each in found]


def create_table(
    documents: Documents,
    account: str,
    region: str,
    database: str,
    table_input: Mapping[str, Any],
    now: float,
    *,
    created_by: str = "",
    indexes: Sequence[PartitionIndex] = (),
    events: EventBus | None = None,
) -> None:
    """Make a table.

    Raises:
        EntityNotFoundException: there is no such database.
        AlreadyExistsException: the name is taken.
        InvalidInputException: partition keys have parameters.
    """
    settings = _settings(table_input)
    name: str = settings["Name"]
    table = Table(uuid4().hex, name, settings, 0, now, now, created_by, tuple(indexes))

    def insert(tx: Transaction) -> None:
        owner = find_database(tx, account, region, database)
        try:
            tx.insert(tables, account, region, key_of(owner.id, name), table)
        except DocumentExists:
            raise AlreadyExistsException("Table already exists.") from None
        tell_database_change(tx, events, account, region, owner.name, "CreateTable", [name])

    documents.transact(insert)


def update_table(
    documents: Documents,
    account: str,
    region: str,
    database: str,
    table_input: Mapping[str, Any],
    now: float,
    *,
    version_id: str | None = None,
    skip_archive: bool = False,
    events: EventBus | None = None,
) -> None:
    """Replace a table's definition by a new version.

    Args:
        documents: where it is kept.
        account: the catalog's.
        region: the catalog's.
        database: name of the database.
        table_input: the whole new definition, under the table's name.
        now: when.
        version_id: the version that it must still be at.
        skip_archive: don't keep the version before.
        events: where to tell it.

    Raises:
        EntityNotFoundException: there is no such database or table.
        ConcurrentModificationException: it is at another version.
        InvalidInputException: it has partitions, and the partition keys would change in number;
            an index would lose a key; or partition keys have parameters.
    """
    settings = _settings(table_input)

    def change(tx: Transaction) -> None:
        owner, table = load_table(tx, account, region, database, settings["Name"])
        if version_id is not None and version_id != str(table.version):
            raise ConcurrentModificationException(
                "Update table failed due to concurrent modifications."
            )
        _check_partition_keys(tx, account, region, table, settings)
        if not skip_archive:
            archived = key_of(table.id, version_key(table.version))
            tx.put(table_versions, account, region, archived, table)
        changed = replace(table, input=settings, version=table.version + 1, updated_at=now)
        tx.put(tables, account, region, key_of(owner.id, table.name), changed)
        tell_table_change(tx, events, account, region, owner.name, table.name, "UpdateTable")

    documents.transact(change)


def delete_table(
    documents: Documents,
    account: str,
    region: str,
    database: str,
    name: str,
    *,
    events: EventBus | None = None,
) -> None:
    """Drop a table with its versions and partitions.

    Raises:
        EntityNotFoundException: there is no such database or table.
    """

    def drop(tx: Transaction) -> str:
        owner, table_id = drop_table(tx, account, region, database, name)
        names = [folded(name)]
        tell_database_change(tx, events, account, region, owner.name, "DeleteTable", names)
        return table_id

    orphans.remove(documents, account, region, documents.transact(drop))


def drop_table(
    tx: Transaction, account: str, region: str, database: str, name: str
) -> tuple[Database, str]:
    """Drop a table within a transaction; its id is what `orphans.remove` then needs.

    Raises:
        EntityNotFoundException: there is no such database or table.
    """
    owner, table = load_table(tx, account, region, database, name)
    tx.delete(tables, account, region, key_of(owner.id, table.name))
    orphans.leave(tx, account, region, table.id, is_database=False)
    return owner, table.id


def _settings(table_input: Mapping[str, Any]) -> dict[str, Any]:
    """A TableInput as it is kept."""
    settings: dict[str, Any] = {**storable(table_input), "Name": folded(table_input["Name"])}
    if any(key.get("Parameters") for key in settings.get("PartitionKeys") or ()):
        raise InvalidInputException("Parameters not supported for partition columns")
    return settings


def _check_partition_keys(
    tx: Transaction, account: str, region: str, table: Table, settings: Mapping[str, Any]
) -> None:
    """Keep the keys of indexes, and as many keys as the table's partitions have values."""
    keys = settings.get("PartitionKeys") or ()
    names = {str(key["Name"]).lower() for key in keys}
    for index in table.indexes:
        if not names.issuperset(index.keys):
            raise InvalidInputException(
                f"The partition keys of the index {index.name} cannot be removed."
            )
    if len(keys) == len(table.partition_keys):
        return
    if tx.scan(partitions, account, region, prefix_of(table.id), limit=1):
        raise InvalidInputException(
            "The number of partition keys cannot be changed while the table has partitions."
        )


def version_key(version: int) -> str:
    """A version's number as part of a key, newest first."""
    return f"{10**12 - version:013d}"


def version_number(version_id: str) -> int:
    """The number of a version.

    Raises:
        InvalidInputException: it is no number.
    """
    if not (version_id.isascii() and version_id.isdigit() and len(version_id) <= 12):
        raise InvalidInputException(f"Version Id {version_id} is not valid.")
    return int(version_id)


def shown_table(account: str, database: str, table: Table) -> dict[str, Any]:
    """Glue's Table of a record."""
    shown: dict[str, Any] = {
        "Retention": 0,
        "PartitionKeys": [],
        **table.input,
        "DatabaseName": database,
        "CreateTime": table.created_at,
        "UpdateTime": table.updated_at,
        "IsRegisteredWithLakeFormation": False,
        "IsMultiDialectView": False,
        "CatalogId": account,
        "VersionId": str(table.version),
    }
    complete_storage(shown)
    if table.created_by:
        shown["CreatedBy"] = table.created_by
    return shown


def complete_storage(shown: dict[str, Any]) -> None:
    """Add what Glue tells of a StorageDescriptor even if nobody said it."""
    if "StorageDescriptor" in shown:
        shown["StorageDescriptor"] = {**_STORAGE_DEFAULTS, **shown["StorageDescriptor"]}
