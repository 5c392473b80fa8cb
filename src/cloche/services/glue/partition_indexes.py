"""Partition indexes: create, list, delete.

They are recorded and answered; what finds partitions fast is the order in which they are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.glue.arns import table_arns
from cloche.services.glue.catalog_records import PartitionIndex, Table, tables
from cloche.services.glue.errors import EntityNotFoundException
from cloche.services.glue.keys import key_of
from cloche.services.glue.partition_index_rules import checked_indexes
from cloche.services.glue.refusals import account_of
from cloche.services.glue.service import service
from cloche.services.glue.stored_tables import load_table

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes


@service.operation(resource=table_arns, does="stored")
def create_partition_index(call: Call, request: shapes.CreatePartitionIndexRequest) -> Empty:
    """Add an index to a table.

    Raises AlreadyExistsException if there is such an index, InvalidInputException for keys that
    the table isn't partitioned by. AWS: Glue CreatePartitionIndex.
    """
    given = request["PartitionIndex"]
    _change(call, request, lambda table: checked_indexes([given], table.input, table.indexes))
    return {}


@service.operation(resource=table_arns, does="stored")
def delete_partition_index(call: Call, request: shapes.DeletePartitionIndexRequest) -> Empty:
    """Take an index from a table.

    Raises EntityNotFoundException if there is none. AWS: Glue DeletePartitionIndex.
    """
    name = request["IndexName"]

    def without(table: Table) -> tuple[PartitionIndex, ...]:
        kept = tuple(index for index in table.indexes if index.name != name)
        if len(kept) == len(table.indexes):
            raise EntityNotFoundException(f"Index {name} not found.")
        return kept

    _change(call, request, without)
    return {}


@service.operation(resource=table_arns)
def get_partition_indexes(
    call: Call, request: shapes.GetPartitionIndexesRequest
) -> shapes.GetPartitionIndexesResponse:
    """A table's indexes, on one page. AWS: Glue GetPartitionIndexes."""
    account = account_of(call, request)
    _, table = load_table(
        call.documents, account, call.region, request["DatabaseName"], request["TableName"]
    )
    types = {str(key["Name"]).lower(): key.get("Type", "string") for key in table.partition_keys}
    return {
        "PartitionIndexDescriptorList": [
            {
                "IndexName": index.name,
                "Keys": [{"Name": key, "Type": types[key]} for key in index.keys],
                "IndexStatus": "ACTIVE",
            }
            for index in table.indexes
        ]
    }


def _change(
    call: Call, request: Any, change: Callable[[Table], tuple[PartitionIndex, ...]]
) -> None:
    account = account_of(call, request)

    def apply(tx: Transaction) -> None:
        owner, table = load_table(
            tx, account, call.region, request["DatabaseName"], request["TableName"]
        )
        changed = replace(table, indexes=change(table))
        tx.put(tables, account, call.region, key_of(owner.id, table.name), changed)

    call.documents.transact(apply)
