"""Partitions as they are kept: what operations, Athena and crawlers stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cloche.core.documents import DocumentExists, Documents, Transaction
from cloche.core.events import EventBus
from cloche.services.glue.catalog_records import (
    Partition,
    Table,
    partitions,
    storable,
)
from cloche.services.glue.change_events import tell_table_change
from cloche.services.glue.column_statistics_records import remove_statistics
from cloche.services.glue.errors import (
    AlreadyExistsException,
    EntityNotFoundException,
    GlueError,
    InvalidInputException,
)
from cloche.services.glue.keys import key_of, prefix_of
from cloche.services.glue.partition_expressions import PartitionExpression, parse_expression
from cloche.services.glue.stored_tables import complete_storage, load_table

Failures = list[tuple[list[str], GlueError]]

_AT_ONCE = 500
"""Partitions in one transaction, which others wait for."""


def iterate_partitions(
    documents: Documents, account: str, region: str, database: str, table: str
) -> Iterator[dict[str, Any]]:
    """Glue's Partitions of a table, in the order of their values, read page by page.

    Raises:
        EntityNotFoundException: there is no such database or table.
    """
    owner, record = load_table(documents, account, region, database, table)
    found = documents.iterate(partitions, account, region, prefix_of(record.id))
    return (shown_partition(account, owner.name, record.name, each.value) for each in found)


def list_partitions(
    documents: Documents,
    account: str,
    region: str,
    database: str,
    table: str,
    expression: str | None = None,
) -> list[dict[str, Any]]:
    """Glue's Partitions of a table that meet an expression, in the order of their values.

    Raises:
        EntityNotFoundException: there is no such database or table.
        InvalidInputException: the expression cannot be read, or does not fit the partition keys.
    """
    owner, record = load_table(documents, account, region, database, table)
    meets = parse_expression(expression, record.partition_keys) if expression else None
    prefix = prefix_of(record.id, *(needed_values(record, meets)))
    return [
        shown_partition(account, owner.name, record.name, each.value)
        for each in documents.iterate(partitions, account, region, prefix)
        if meets is None or meets(each.value.values)
    ]


def get_partition(
    documents: Documents,
    account: str,
    region: str,
    database: str,
    table: str,
    values: Sequence[str],
) -> dict[str, Any]:
    """Glue's Partition of some values.

    Raises:
        EntityNotFoundException: there is no such database, table or partition.
        InvalidInputException: the table has more or fewer partition keys.
    """
    owner, record = load_table(documents, account, region, database, table)
    check_values(record, values)
    found = documents.get(partitions, account, region, key_of(record.id, *values))
    if found is None:
        raise partition_not_found(values)
    return shown_partition(account, owner.name, record.name, found)


def create_partitions(
    documents: Documents,
    account: str,
    region: str,
    database: str,
    table: str,
    inputs: Sequence[Mapping[str, Any]],
    now: float,
    *,
    if_not_exists: bool = False,
    events: EventBus | None = None,
    change: str = "BatchCreatePartition",
) -> Failures:
    """Add partitions; those that can't be added are told with the reason, the others are added.

    Args:
        documents: where they are kept.
        account: the catalog's.
        region: the catalog's.
        database: name of the database.
        table: name of the table.
        inputs: Glue's PartitionInputs.
        now: when.
        if_not_exists: leave those that are there already as they are, without an error.
        events: where to tell it.
        change: name of the operation.

    Raises:
        EntityNotFoundException: there is no such database or table.
    """
    given = [(list(each.get("Values") or ()), _settings(each)) for each in inputs]

    def add(tx: Transaction, record: Table, index: int) -> None:
        values, settings = given[index]
        partition = Partition(tuple(values), settings, now)
        try:
            tx.insert(partitions, account, region, key_of(record.id, *values), partition)
        except DocumentExists:
            if not if_not_exists:
                raise AlreadyExistsException("Partition already exists.") from None

    named = [values for values, _ in given]
    return _each(documents, account, region, database, table, named, add, events, change)


def delete_partitions(
    documents: Documents,
    account: str,
    region: str,
    database: str,
    table: str,
    values: Sequence[Sequence[str]],
    *,
    events: EventBus | None = None,
    change: str = "BatchDeletePartition",
) -> Failures:
    """Drop partitions; those that can't be dropped are told with the reason.

    Raises:
        EntityNotFoundException: there is no such database or table.
    """

    def drop(tx: Transaction, record: Table, index: int) -> None:
        key = key_of(record.id, *values[index])
        if tx.delete(partitions, account, region, key) is None:
            raise partition_not_found(values[index])
        remove_statistics(tx, account, region, record.id, values[index])

    return _each(documents, account, region, database, table, values, drop, events, change)


def update_partitions(
    documents: Documents,
    account: str,
    region: str,
    database: str,
    table: str,
    changes: Sequence[tuple[Sequence[str], Mapping[str, Any]]],
    *,
    events: EventBus | None = None,
    change: str = "BatchUpdatePartition",
) -> Failures:
    """Replace partitions, each named by its values before; those that can't be are told.

    Raises:
        EntityNotFoundException: there is no such database or table.
    """

    def update(tx: Transaction, record: Table, index: int) -> None:
        before, given = changes[index]
        after = list(given.get("Values") or before)
        check_values(record, after)
        old_key, new_key = key_of(record.id, *before), key_of(record.id, *after)
        old = tx.get(partitions, account, region, old_key)
        if old is None:
            raise partition_not_found(before)
        if new_key != old_key:
            if tx.get(partitions, account, region, new_key) is not None:
                raise AlreadyExistsException("Partition already exists.")
            tx.delete(partitions, account, region, old_key)
            remove_statistics(tx, account, region, record.id, before)
        new = Partition(tuple(after), _settings(given), old.created_at)
        tx.put(partitions, account, region, new_key, new)

    named = [values for values, _ in changes]
    return _each(documents, account, region, database, table, named, update, events, change)


def update_partition(
    documents: Documents,
    account: str,
    region: str,
    database: str,
    table: str,
    values: Sequence[str],
    partition_input: Mapping[str, Any],
    now: float,
    *,
    events: EventBus | None = None,
) -> None:
    """Replace a partition, and its values where the input has other ones.

    Raises:
        EntityNotFoundException: there is no such database, table or partition.
        AlreadyExistsException: there is a partition of the new values already.
        InvalidInputException: the table has more or fewer partition keys.
    """
    del now  # a partition's only time is that of its creation
    changes = [(values, partition_input)]
    raise_first(
        update_partitions(
            documents,
            account,
            region,
            database,
            table,
            changes,
            events=events,
            change="UpdatePartition",
        )
    )


def raise_first(failures: Failures) -> None:
    """Raise the error of a batch of one, if it has one."""
    if failures:
        raise failures[0][1]


def check_values(table: Table, values: Sequence[str]) -> None:
    """Refuse values that are more or fewer than a table's partition keys.

    Raises:
        InvalidInputException: they are, or the table has none.
    """
    if not values or len(values) != len(table.partition_keys):
        raise InvalidInputException(
            "The number of partition keys do not match the number of partition values"
        )


def needed_values(table: Table, meets: PartitionExpression | None) -> tuple[str, ...]:
    """Values of the first keys with which all partitions that an expression is true for begin."""
    # The last key's value ends a document's name: it is no prefix of it with more to come.
    return meets.leading[: len(table.partition_keys) - 1] if meets else ()


def partition_not_found(values: Sequence[str]) -> EntityNotFoundException:
    """The error for values that no partition has."""
    return EntityNotFoundException(f"Partition [{', '.join(values)}] not found")


def shown_partition(
    account: str, database: str, table: str, partition: Partition
) -> dict[str, Any]:
    """Glue's Partition of a record."""
    shown = {
        **partition.input,
        "Values": list(partition.values),
        "DatabaseName": database,
        "TableName": table,
        "CreationTime": partition.created_at,
        "CatalogId": account,
    }
    complete_storage(shown)
    return shown


def _settings(partition_input: Mapping[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = storable(partition_input)
    settings.pop("Values", None)
    return settings


def _each(
    documents: Documents,
    account: str,
    region: str,
    database: str,
    table: str,
    named: Sequence[Sequence[str]],
    work: Callable[[Transaction, Table, int], None],
    events: EventBus | None,
    change: str,
) -> Failures:
    """Do something to each of some partitions; what fails is told.

    Up to `_AT_ONCE` of them, more than a request of the API can have, are one transaction.
    """

    def run(tx: Transaction, start: int) -> Failures:
        owner, record = load_table(tx, account, region, database, table)
        failures: Failures = []
        done: list[Sequence[str]] = []
        for index in range(start, min(start + _AT_ONCE, len(named))):
            try:
                check_values(record, named[index])
                work(tx, record, index)
                done.append(named[index])
            except GlueError as error:
                failures.append((list(named[index]), error))
        if done:
            tell_table_change(tx, events, account, region, owner.name, record.name, change, done)
        return failures

    failures: Failures = []
    for start in range(0, max(len(named), 1), _AT_ONCE):
        failures += documents.transact(lambda tx, start=start: run(tx, start))
    return failures
