"""Partitions: added, dropped, renamed, moved, and found in S3."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from cloche.core.errors import AWSError
from cloche.engines.sql.engine import Filter
from cloche.services.athena.failures import ddl_failed
from cloche.services.athena.session import Session, split_location
from cloche.services.athena.statements.catalog_changes import load, task_failed
from cloche.services.athena.statements.cursor import TableName
from cloche.services.athena.statements.statement_types import (
    AddPartitions,
    DropPartitions,
    PartitionCondition,
    PartitionSpec,
    RenamePartition,
    RepairTable,
)
from cloche.services.athena.statements.text_results import Lines
from cloche.services.athena.tables.hive_tables import NULL_PARTITION, partition_path
from cloche.services.athena.tables.pruning import keeps
from cloche.services.glue import catalog

_BATCH = 100


def add_partitions(session: Session, statement: AddPartitions) -> None:
    """ADD PARTITION.

    Raises:
        QueryFailed: there is such a partition already, or no such table or key.
    """
    schema, table = _load(session, statement.table)
    session.check_glue("BatchCreatePartition", schema, table["Name"])
    inputs = [
        partition_input(table, _values(table, each.spec), each.location)
        for each in statement.partitions
    ]
    _create(session, schema, table, inputs, if_not_exists=statement.if_not_exists)


def drop_partitions(session: Session, statement: DropPartitions) -> None:
    """DROP PARTITION of all that meet the conditions; their files stay.

    Raises:
        QueryFailed: there is none, or no such table or key.
    """
    schema, table = _load(session, statement.table)
    session.check_glue("BatchDeletePartition", schema, table["Name"])
    existing = [
        tuple(each["Values"])
        for each in catalog.iterate_partitions(*session.where, schema, table["Name"])
    ]
    for conditions in statement.partitions:
        meets = _condition(table, conditions)
        dropped = [values for values in existing if meets(values)]
        if not dropped and not statement.if_exists:
            shown = ", ".join(f"{c.column} {c.operator} {c.value}" for c in conditions)
            raise ddl_failed(f"SemanticException [Error 10006]: Partition not found ({shown})")
        for start in range(0, len(dropped), _BATCH):
            catalog.delete_partitions(
                *session.where,
                schema,
                table["Name"],
                dropped[start : start + _BATCH],
                events=session.events,
            )
        existing = [values for values in existing if values not in set(dropped)]


def rename_partition(session: Session, statement: RenamePartition) -> None:
    """Give a partition other values; its files stay where they are.

    Raises:
        QueryFailed: there is none, or one of the new values already.
    """
    schema, table = _load(session, statement.table)
    session.check_glue("UpdatePartition", schema, table["Name"])
    old, new = _values(table, statement.old), _values(table, statement.new)
    current = _partition(session, schema, table, old)
    try:
        catalog.update_partition(
            *session.where,
            schema,
            table["Name"],
            old,
            {**_input_of(current), "Values": new},
            session.now,
            events=session.events,
        )
    except AWSError as error:
        raise task_failed(f"{error.code}(message:{error.message})") from None


def set_partition_location(
    session: Session, schema: str, table: Mapping[str, Any], spec: PartitionSpec, location: str
) -> None:
    """Give a partition another place.

    Raises:
        QueryFailed: there is no such partition.
    """
    session.check_glue("UpdatePartition", schema, table["Name"])
    values = _values(table, spec)
    current = _input_of(_partition(session, schema, table, values))
    current["StorageDescriptor"] = {
        **(current.get("StorageDescriptor") or {}),
        "Location": location,
    }
    catalog.update_partition(
        *session.where,
        schema,
        table["Name"],
        values,
        current,
        session.now,
        events=session.events,
    )


def repair_table(session: Session, statement: RepairTable) -> Lines:
    """MSCK REPAIR TABLE: adds the partitions whose folders are there, tells of those that are not.

    Raises:
        QueryFailed: there is no such table, or it has no partitions.
    """
    schema, table = _load(session, statement.table)
    name = table["Name"]
    session.check_glue("BatchCreatePartition", schema, name)
    keys = [key["Name"].lower() for key in table["PartitionKeys"]]
    bucket, prefix = split_location(table["StorageDescriptor"]["Location"])
    folders: dict[tuple[str, ...], str] = session.objects.wait(
        _folders(session, bucket, prefix, keys)
    )
    known = {
        tuple(each["Values"]): (each.get("StorageDescriptor") or {}).get("Location")
        for each in catalog.iterate_partitions(*session.where, schema, name)
    }
    base = table["StorageDescriptor"]["Location"].rstrip("/")
    added = sorted(folders.keys() - known.keys())
    gone = sorted(
        values
        for values, location in known.items()
        if values not in folders and (location or base).startswith(f"{base}/")
    )
    inputs = [
        partition_input(table, values, f"s3://{bucket}/{folders[values]}") for values in added
    ]
    _create(session, schema, table, inputs, if_not_exists=True)
    return Lines([], _repair_lines(name, keys, added, gone))


def partition_input(
    table: Mapping[str, Any], values: Sequence[str], location: str | None = None
) -> dict[str, Any]:
    """Glue's PartitionInput, stored as its table is, in its usual place unless said otherwise."""
    descriptor = table["StorageDescriptor"]
    keys = [key["Name"].lower() for key in table["PartitionKeys"]]
    if location is None:
        path = partition_path(dict(zip(keys, values, strict=True)))
        location = f"{descriptor['Location'].rstrip('/')}/{path}/"
    return {
        "Values": list(values),
        "StorageDescriptor": {**descriptor, "Location": location},
    }


def _create(
    session: Session,
    schema: str,
    table: Mapping[str, Any],
    inputs: Sequence[Mapping[str, Any]],
    *,
    if_not_exists: bool,
) -> None:
    for start in range(0, len(inputs), _BATCH):
        failures = catalog.create_partitions(
            *session.where,
            schema,
            table["Name"],
            inputs[start : start + _BATCH],
            session.now,
            if_not_exists=if_not_exists,
            events=session.events,
        )
        for values, error in failures:
            raise task_failed(f"{error.code}(message:{error.message} {'/'.join(values)})")


async def _folders(
    session: Session, bucket: str, prefix: str, keys: Sequence[str]
) -> dict[tuple[str, ...], str]:
    """Values and prefixes of folders that are named `key=value` for each key in turn."""
    found: dict[tuple[str, ...], str] = {(): prefix}
    for key in keys:
        listed = await asyncio.gather(
            *(session.objects.folders(bucket, each) for each in found.values())
        )
        deeper: dict[tuple[str, ...], str] = {}
        for (values, folder), names in zip(found.items(), listed, strict=True):
            for name in names:
                own, equals, value = name.partition("=")
                if equals and own.lower() == key:
                    deeper[(*values, unquote(value))] = f"{folder}{name}/"
        found = deeper
    return found


def _repair_lines(
    name: str,
    keys: Sequence[str],
    added: Sequence[tuple[str, ...]],
    gone: Sequence[tuple[str, ...]],
) -> list[str]:
    def shown(values: Sequence[str]) -> str:
        return f"{name}:{partition_path(dict(zip(keys, values, strict=True)))}"

    lines: list[str] = []
    if added:
        lines.append("\t".join(["Partitions not in metastore:", *map(shown, added)]))
    if gone:
        lines.append("\t".join(["Partitions missing from filesystem:", *map(shown, gone)]))
    lines += [f"Repair: Added partition to metastore {shown(values)}" for values in added]
    return lines


def _load(session: Session, name: TableName) -> tuple[str, dict[str, Any]]:
    schema, table = load(session, name)
    _check_partitioned(schema, table)
    return schema, table


def _check_partitioned(schema: str, table: Mapping[str, Any]) -> None:
    if not table.get("PartitionKeys"):
        raise ddl_failed(
            f"SemanticException [Error 10241]: Table {schema}.{table['Name']} "
            "is not a partitioned table"
        )


def _values(table: Mapping[str, Any], spec: PartitionSpec) -> list[str]:
    """Values in the order of the table's keys.

    Raises:
        QueryFailed: a key is missing, or is none of the table's.
    """
    keys = [key["Name"].lower() for key in table["PartitionKeys"]]
    given = dict(spec)
    if sorted(given) != sorted(keys) or len(spec) != len(keys):
        raise ddl_failed(
            "SemanticException partition spec "
            f"{{{', '.join(f'{k}={v}' for k, v in spec)}}} doesn't contain all and only the "
            f"partition columns {', '.join(keys)}"
        )
    return [given[key] or NULL_PARTITION for key in keys]


def _partition(
    session: Session, schema: str, table: Mapping[str, Any], values: Sequence[str]
) -> dict[str, Any]:
    try:
        return catalog.get_partition(*session.where, schema, table["Name"], values)
    except AWSError:
        raise ddl_failed(
            f"SemanticException [Error 10006]: Partition not found {'/'.join(values)}"
        ) from None


def with_partition(
    session: Session, schema: str, table: Mapping[str, Any], spec: PartitionSpec
) -> dict[str, Any]:
    """The table with the columns that one of its partitions has.

    Raises:
        QueryFailed: there is no such partition.
    """
    _check_partitioned(schema, table)
    session.check_glue("GetPartition", schema, table["Name"])
    found = _partition(session, schema, table, _values(table, spec))
    columns = (found.get("StorageDescriptor") or {}).get("Columns")
    descriptor = dict(table["StorageDescriptor"])
    return {
        **table,
        "StorageDescriptor": {**descriptor, **({"Columns": columns} if columns else {})},
    }


def _input_of(partition: Mapping[str, Any]) -> dict[str, Any]:
    shown_only = ("DatabaseName", "TableName", "CreationTime", "CatalogId")
    return {name: value for name, value in partition.items() if name not in shown_only}


def _condition(
    table: Mapping[str, Any], conditions: Sequence[PartitionCondition]
) -> Callable[[Sequence[str]], bool]:
    keys = [key["Name"].lower() for key in table["PartitionKeys"]]
    types = [key["Type"] for key in table["PartitionKeys"]]
    filters: list[tuple[int, Filter]] = []
    for each in conditions:
        if each.column not in keys:
            raise ddl_failed(
                f"SemanticException [Error 10002]: Invalid column reference {each.column}"
            )
        operator: Any = each.operator
        filters.append((keys.index(each.column), Filter(each.column, operator, (each.value,))))

    def meets(values: Sequence[str]) -> bool:
        return all(
            keeps(None if values[index] == NULL_PARTITION else values[index], each, types[index])
            for index, each in filters
        )

    return meets
