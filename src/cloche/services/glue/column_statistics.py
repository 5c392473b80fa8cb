"""Statistics of the columns of tables and partitions: set, get, delete."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloche.core.documents import Reader, Transaction
from cloche.core.operations import Call
from cloche.services.glue.arns import table_arns
from cloche.services.glue.catalog_records import Table, partitions, storable
from cloche.services.glue.column_statistics_records import (
    ColumnStatistics,
    column_statistics,
    statistics_owner,
)
from cloche.services.glue.errors import (
    EntityNotFoundException,
    GlueError,
    InvalidInputException,
)
from cloche.services.glue.keys import key_of
from cloche.services.glue.refusals import account_of
from cloche.services.glue.service import service
from cloche.services.glue.stored_partitions import check_values, partition_not_found
from cloche.services.glue.stored_tables import load_table

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes


@service.operation(resource=table_arns)
def update_column_statistics_for_table(
    call: Call, request: shapes.UpdateColumnStatisticsForTableRequest
) -> shapes.UpdateColumnStatisticsForTableResponse:
    """Set statistics of columns; those that can't be set are told, the others are set.

    Raises EntityNotFoundException if there is no such table. AWS: Glue
    UpdateColumnStatisticsForTable.
    """
    return _update(call, request, None)


@service.operation(resource=table_arns)
def update_column_statistics_for_partition(
    call: Call, request: shapes.UpdateColumnStatisticsForPartitionRequest
) -> shapes.UpdateColumnStatisticsForPartitionResponse:
    """Set statistics of a partition's columns; those that can't be set are told.

    Raises EntityNotFoundException if there is no such partition. AWS: Glue
    UpdateColumnStatisticsForPartition.
    """
    return _update(call, request, request["PartitionValues"])


@service.operation(resource=table_arns)
def get_column_statistics_for_table(
    call: Call, request: shapes.GetColumnStatisticsForTableRequest
) -> shapes.GetColumnStatisticsForTableResponse:
    """Statistics of columns; those that have none are told.

    Raises EntityNotFoundException if there is no such table. AWS: Glue
    GetColumnStatisticsForTable.
    """
    return _get(call, request, None)


@service.operation(resource=table_arns)
def get_column_statistics_for_partition(
    call: Call, request: shapes.GetColumnStatisticsForPartitionRequest
) -> shapes.GetColumnStatisticsForPartitionResponse:
    """Statistics of a partition's columns; those that have none are told.

    Raises EntityNotFoundException if there is no such partition. AWS: Glue
    GetColumnStatisticsForPartition.
    """
    return _get(call, request, request["PartitionValues"])


@service.operation(resource=table_arns)
def delete_column_statistics_for_table(
    call: Call, request: shapes.DeleteColumnStatisticsForTableRequest
) -> Empty:
    """Forget the statistics of a column.

    Raises EntityNotFoundException if it has none. AWS: Glue DeleteColumnStatisticsForTable.
    """
    return _delete(call, request, None)


@service.operation(resource=table_arns)
def delete_column_statistics_for_partition(
    call: Call, request: shapes.DeleteColumnStatisticsForPartitionRequest
) -> Empty:
    """Forget the statistics of a partition's column.

    Raises EntityNotFoundException if it has none. AWS: Glue DeleteColumnStatisticsForPartition.
    """
    return _delete(call, request, request["PartitionValues"])


def _update(call: Call, request: Mapping[str, Any], values: Sequence[str] | None) -> Any:
    account = account_of(call, request)

    def update(tx: Transaction) -> list[Any]:
        table, owner = _owner(tx, call, request, values)
        errors: list[Any] = []
        for each in request["ColumnStatisticsList"]:
            try:
                given = _checked(table, each)
                record = ColumnStatistics(each["ColumnName"], given)
                key = key_of(*owner, each["ColumnName"].lower())
                tx.put(column_statistics, account, call.region, key, record)
            except GlueError as error:
                errors.append({"ColumnStatistics": each, "Error": error.detail()})
        return errors

    errors = call.documents.transact(update)
    return {"Errors": errors}


def _get(call: Call, request: Mapping[str, Any], values: Sequence[str] | None) -> Any:
    account = account_of(call, request)
    _, owner = _owner(call.documents, call, request, values)
    found: list[Any] = []
    errors: list[Any] = []
    for name in request["ColumnNames"]:
        key = key_of(*owner, name.lower())
        record = call.documents.get(column_statistics, account, call.region, key)
        if record is None:
            errors.append({"ColumnName": name, "Error": _not_found(name).detail()})
        else:
            found.append(_converted(record.input, base64.b64decode))
    return {"ColumnStatisticsList": found, "Errors": errors}


def _delete(call: Call, request: Mapping[str, Any], values: Sequence[str] | None) -> Any:
    account, name = account_of(call, request), request["ColumnName"]

    def delete(tx: Transaction) -> None:
        _, owner = _owner(tx, call, request, values)
        key = key_of(*owner, name.lower())
        if tx.delete(column_statistics, account, call.region, key) is None:
            raise _not_found(name)

    call.documents.transact(delete)
    return {}


def _owner(
    reader: Reader, call: Call, request: Mapping[str, Any], values: Sequence[str] | None
) -> tuple[Table, tuple[str, ...]]:
    """The table, and what the keys of the statistics begin with."""
    account = account_of(call, request)
    _, table = load_table(
        reader, account, call.region, request["DatabaseName"], request["TableName"]
    )
    if values is not None:
        check_values(table, values)
        if reader.get(partitions, account, call.region, key_of(table.id, *values)) is None:
            raise partition_not_found(values)
    return table, statistics_owner(table.id, values)


def _checked(table: Table, given: Mapping[str, Any]) -> dict[str, Any]:
    """Statistics as they are kept.

    Raises:
        InvalidInputException: the table has no such column, or they are of another type than said.
    """
    storage = table.input.get("StorageDescriptor") or {}
    columns = [*(storage.get("Columns") or ()), *table.partition_keys]
    if all(column["Name"].lower() != given["ColumnName"].lower() for column in columns):
        raise InvalidInputException(f"Column {given['ColumnName']} is not in the table.")
    data = given["StatisticsData"]
    member = f"{data['Type'].capitalize()}ColumnStatisticsData"
    if {name for name, value in data.items() if value is not None} != {"Type", member}:
        raise InvalidInputException(
            f"Statistics of type {data['Type']} must have {member} and nothing else."
        )
    return storable(_converted(given, lambda value: base64.b64encode(value).decode()))


def _converted(given: Mapping[str, Any], convert: Any) -> dict[str, Any]:
    """Statistics with the bytes of decimal bounds turned into text, or back."""
    data = dict(given["StatisticsData"])
    decimals = data.get("DecimalColumnStatisticsData")
    if decimals is not None:
        data["DecimalColumnStatisticsData"] = {
            name: {**value, "UnscaledValue": convert(value["UnscaledValue"])}
            if name in ("MinimumValue", "MaximumValue") and value is not None
            else value
            for name, value in decimals.items()
        }
    return {**given, "StatisticsData": data}


def _not_found(name: str) -> EntityNotFoundException:
    return EntityNotFoundException(f"Column statistics of {name} not found.")
