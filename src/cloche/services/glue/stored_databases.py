"""Databases as they are kept: what operations, Athena and crawlers stand on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from cloche.core.arns import format_arn
from cloche.core.documents import DocumentExists, Documents, Reader, Transaction
from cloche.core.events import EventBus
from cloche.services.glue import orphans
from cloche.services.glue.catalog_records import Database, databases, storable
from cloche.services.glue.change_events import tell_database_change
from cloche.services.glue.errors import AlreadyExistsException, EntityNotFoundException
from cloche.services.glue.keys import folded, key_of
from cloche.services.glue.tag_records import forget_in, tag_in, taggable

EVERYBODY: list[dict[str, Any]] = [
    {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
]
"""Who has what permissions on new tables: whom IAM allows, and nobody else decides."""


def find_database(reader: Reader, account: str, region: str, name: str) -> Database:
    """The record of a database.

    Raises:
        EntityNotFoundException: there is none.
    """
    found = reader.get(databases, account, region, key_of(folded(name)))
    if found is None:
        raise EntityNotFoundException(f"Database {folded(name)} not found.")
    return found


def get_database(documents: Documents, account: str, region: str, name: str) -> dict[str, Any]:
    """Glue's Database.

    Raises:
        EntityNotFoundException: there is none.
    """
    return shown_database(account, find_database(documents, account, region, name))


def list_databases(documents: Documents, account: str, region: str) -> list[dict[str, Any]]:
    """All databases, by name."""
    found = documents.iterate(databases, account, region)
    return [shown_database(account, each.value) for each in found]


def create_database(
    documents: Documents,
    account: str,
    region: str,
    database_input: Mapping[str, Any],
    now: float,
    *,
    events: EventBus | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Make a database.

    Raises:
        AlreadyExistsException: the name is taken.
    """
    name = folded(database_input["Name"])
    database = Database(uuid4().hex, name, {**storable(database_input), "Name": name}, now)

    def insert(tx: Transaction) -> None:
        try:
            tx.insert(databases, account, region, key_of(name), database)
        except DocumentExists:
            raise AlreadyExistsException("Database already exists.") from None
        tag_in(tx, account, region, database_arn(account, region, name), tags or {})
        tell_database_change(tx, events, account, region, name, "CreateDatabase")

    documents.transact(insert)


def update_database(
    documents: Documents, account: str, region: str, database_input: Mapping[str, Any]
) -> None:
    """Replace the definition of the database of the same name.

    Raises:
        EntityNotFoundException: there is none.
    """
    name = folded(database_input["Name"])

    def change(tx: Transaction) -> None:
        database = find_database(tx, account, region, name)
        changed = replace(database, input={**storable(database_input), "Name": name})
        tx.put(databases, account, region, key_of(name), changed)

    documents.transact(change)


def delete_database(
    documents: Documents,
    account: str,
    region: str,
    name: str,
    *,
    events: EventBus | None = None,
) -> None:
    """Drop a database with its tables, their partitions, and its functions.

    Raises:
        EntityNotFoundException: there is none.
    """

    def drop(tx: Transaction) -> str:
        database = find_database(tx, account, region, name)
        tx.delete(databases, account, region, key_of(database.name))
        forget_in(tx, account, region, database_arn(account, region, database.name))
        orphans.leave(tx, account, region, database.id, is_database=True)
        tell_database_change(tx, events, account, region, database.name, "DeleteDatabase")
        return database.id

    orphans.remove(documents, account, region, documents.transact(drop))


def database_arn(account: str, region: str, name: str) -> str:
    """The ARN of a database, given its name as it is kept."""
    return format_arn("glue", region, account, f"database/{name}")


def _exists(reader: Reader, account: str, region: str, name: str) -> bool:
    return reader.get(databases, account, region, key_of(name)) is not None


taggable["database"] = _exists


def shown_database(account: str, database: Database) -> dict[str, Any]:
    """Glue's Database of a record."""
    return {
        "CreateTableDefaultPermissions": EVERYBODY,
        **database.input,
        "CreateTime": database.created_at,
        "CatalogId": account,
    }
