"""Partitions: create, get, list, update, delete, one or many at once."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloche.core.documents import Document
from cloche.core.operations import Call
from cloche.services.glue import stored_partitions
from cloche.services.glue.arns import table_arns
from cloche.services.glue.catalog_records import Partition, partitions
from cloche.services.glue.errors import InvalidInputException
from cloche.services.glue.keys import key_of, prefix_of
from cloche.services.glue.paging import read_page, with_token
from cloche.services.glue.partition_expressions import PartitionExpression, parse_expression
from cloche.services.glue.refusals import account_of, refuse
from cloche.services.glue.service import service
from cloche.services.glue.stored_partitions import (
    Failures,
    check_values,
    needed_values,
    raise_first,
    shown_partition,
)
from cloche.services.glue.stored_tables import load_table

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes

_PAGE = 1000


@service.operation(resource=table_arns)
def create_partition(call: Call, request: shapes.CreatePartitionRequest) -> Empty:
    """Add a partition.

    Raises EntityNotFoundException if there is no such table, AlreadyExistsException if there is a
    partition of these values. AWS: Glue CreatePartition.
    """
    raise_first(_create(call, request, [request["PartitionInput"]], "CreatePartition"))
    return {}


@service.operation(resource=table_arns)
def batch_create_partition(
    call: Call, request: shapes.BatchCreatePartitionRequest
) -> shapes.BatchCreatePartitionResponse:
    """Add partitions; those that can't be added are told, the others are added.

    Raises EntityNotFoundException if there is no such table. AWS: Glue BatchCreatePartition.
    """
    inputs = request["PartitionInputList"]
    return _answer(_create(call, request, inputs, "BatchCreatePartition"))


@service.operation(resource=table_arns)
def get_partition(call: Call, request: shapes.GetPartitionRequest) -> shapes.GetPartitionResponse:
    """A partition.

    Raises EntityNotFoundException if there is none. AWS: Glue GetPartition.
    """
    found: Any = stored_partitions.get_partition(*_table(call, request), request["PartitionValues"])
    return {"Partition": found}


@service.operation(resource=table_arns)
def batch_get_partition(
    call: Call, request: shapes.BatchGetPartitionRequest
) -> shapes.BatchGetPartitionResponse:
    """Partitions of some values; those that are not there are left out.

    Raises EntityNotFoundException if there is no such table. AWS: Glue BatchGetPartition.
    """
    refuse(request, "QuerySessionContext")
    documents, account, region, *_ = _table(call, request)
    owner, table = load_table(*_table(call, request))
    found: list[Any] = []
    for each in request["PartitionsToGet"]:
        check_values(table, each["Values"])
        key = key_of(table.id, *each["Values"])
        partition = documents.get(partitions, account, region, key)
        if partition is not None:
            found.append(shown_partition(account, owner.name, table.name, partition))
    return {"Partitions": found, "UnprocessedKeys": []}


@service.operation(resource=table_arns)
def get_partitions(
    call: Call, request: shapes.GetPartitionsRequest
) -> shapes.GetPartitionsResponse:
    """Partitions in the order of their values, or those that meet an expression.

    Raises EntityNotFoundException if there is no such table, InvalidInputException if the
    expression can't be read or doesn't fit the partition keys. AWS: Glue GetPartitions.
    """
    refuse(request, "TransactionId", "QueryAsOfTime")
    account = account_of(call, request)
    owner, table = load_table(*_table(call, request))
    expression = request.get("Expression")
    meets = parse_expression(expression, table.partition_keys) if expression else None
    page, token = read_page(
        call.documents,
        partitions,
        account,
        call.region,
        prefix_of(table.id, *needed_values(table, meets)),
        request.get("NextToken"),
        request.get("MaxResults", _PAGE),
        _test(meets, request.get("Segment")),
    )
    shown = [shown_partition(account, owner.name, table.name, each.value) for each in page]
    if request.get("ExcludeColumnSchema"):
        for each in shown:
            each.get("StorageDescriptor", {}).pop("Columns", None)
    answer: Any = {"Partitions": shown}
    return with_token(answer, token)


@service.operation(resource=table_arns)
def update_partition(call: Call, request: shapes.UpdatePartitionRequest) -> Empty:
    """Replace a partition, also by one of other values.

    Raises EntityNotFoundException if there is none, AlreadyExistsException if there is one of the
    new values. AWS: Glue UpdatePartition.
    """
    stored_partitions.update_partition(
        *_table(call, request),
        request["PartitionValueList"],
        _checked(request["PartitionInput"]),
        call.clock.time(),
        events=call.server.events,
    )
    return {}


@service.operation(resource=table_arns)
def batch_update_partition(
    call: Call, request: shapes.BatchUpdatePartitionRequest
) -> shapes.BatchUpdatePartitionResponse:
    """Replace partitions; those that can't be replaced are told.

    Raises EntityNotFoundException if there is no such table. AWS: Glue BatchUpdatePartition.
    """
    changes = [
        (each["PartitionValueList"], _checked(each["PartitionInput"]))
        for each in request["Entries"]
    ]
    failures = stored_partitions.update_partitions(
        *_table(call, request), changes, events=call.server.events
    )
    answer: Any = {
        "Errors": [
            {"PartitionValueList": values, "ErrorDetail": error.detail()}
            for values, error in failures
        ]
    }
    return answer


@service.operation(resource=table_arns)
def delete_partition(call: Call, request: shapes.DeletePartitionRequest) -> Empty:
    """Drop a partition.

    Raises EntityNotFoundException if there is none. AWS: Glue DeletePartition.
    """
    raise_first(
        stored_partitions.delete_partitions(
            *_table(call, request),
            [request["PartitionValues"]],
            events=call.server.events,
            change="DeletePartition",
        )
    )
    return {}


@service.operation(resource=table_arns)
def batch_delete_partition(
    call: Call, request: shapes.BatchDeletePartitionRequest
) -> shapes.BatchDeletePartitionResponse:
    """Drop partitions; those that are not there are told, the others are dropped.

    Raises EntityNotFoundException if there is no such table. AWS: Glue BatchDeletePartition.
    """
    values = [each["Values"] for each in request["PartitionsToDelete"]]
    return _answer(
        stored_partitions.delete_partitions(
            *_table(call, request), values, events=call.server.events
        )
    )


def _create(
    call: Call, request: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]], change: str
) -> Failures:
    return stored_partitions.create_partitions(
        *_table(call, request),
        [_checked(each) for each in inputs],
        call.clock.time(),
        events=call.server.events,
        change=change,
    )


def _table(call: Call, request: Mapping[str, Any]) -> tuple[Any, str, str, str, str]:
    """The first arguments of what is done to a table's partitions."""
    account = account_of(call, request)
    return call.documents, account, call.region, request["DatabaseName"], request["TableName"]


def _checked(partition_input: Mapping[str, Any]) -> Mapping[str, Any]:
    storage = partition_input.get("StorageDescriptor") or {}
    refuse(storage, "SchemaReference", where="StorageDescriptor.")
    return partition_input


def _answer(failures: Failures) -> Any:
    errors = [
        {"PartitionValues": values, "ErrorDetail": error.detail()} for values, error in failures
    ]
    return {"Errors": errors}


def _test(
    meets: PartitionExpression | None, segment: Mapping[str, Any] | None
) -> Callable[[Document[Partition]], bool] | None:
    """Whether a partition is asked for: by the expression, and by its segment of all partitions."""
    if segment is None:
        return None if meets is None else lambda document: meets(document.value.values)
    number, total = segment["SegmentNumber"], segment["TotalSegments"]
    if number >= total:
        raise InvalidInputException("SegmentNumber must be less than TotalSegments.")

    def test(document: Document[Partition]) -> bool:
        is_inside = zlib.crc32(document.name.encode()) % total == number
        return is_inside and (meets is None or meets(document.value.values))

    return test
