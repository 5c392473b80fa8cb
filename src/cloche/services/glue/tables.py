"""Tables: create, get, list, update, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cloche.core.documents import Document, Transaction
from cloche.core.operations import Call
from cloche.services.glue import orphans, stored_tables
from cloche.services.glue.arns import table_arns
from cloche.services.glue.catalog_records import Table, tables
from cloche.services.glue.change_events import tell_database_change
from cloche.services.glue.errors import GlueError, InvalidInputException
from cloche.services.glue.keys import folded, prefix_of
from cloche.services.glue.name_patterns import name_test
from cloche.services.glue.paging import read_page, with_token
from cloche.services.glue.partition_index_rules import checked_indexes
from cloche.services.glue.refusals import account_of, not_implemented, refuse
from cloche.services.glue.service import service
from cloche.services.glue.stored_databases import find_database
from cloche.services.glue.stored_tables import drop_table, shown_table

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes

_PAGE = 100
_FORMERLY_GOVERNED = ("TransactionId", "QueryAsOfTime")


@service.operation(resource=table_arns)
def create_table(call: Call, request: shapes.CreateTableRequest) -> Empty:
    """Make a table.

    Raises EntityNotFoundException if there is no such database, AlreadyExistsException if the name
    is taken. AWS: Glue CreateTable.
    """
    account = account_of(call, request)
    refuse(request, "TransactionId", "OpenTableFormatInput", "Name")
    given = _checked(request)
    stored_tables.create_table(
        call.documents,
        account,
        call.region,
        request["DatabaseName"],
        given,
        call.clock.time(),
        created_by=call.principal.arn,
        indexes=checked_indexes(request.get("PartitionIndexes") or [], given),
        events=call.server.events,
    )
    return {}


@service.operation(resource=table_arns)
def get_table(call: Call, request: shapes.GetTableRequest) -> shapes.GetTableResponse:
    """A table as it is now.

    Raises EntityNotFoundException if there is no such database or table. AWS: Glue GetTable.
    """
    account = account_of(call, request)
    refuse(request, *_FORMERLY_GOVERNED)
    found: Any = stored_tables.get_table(
        call.documents, account, call.region, request["DatabaseName"], request["Name"]
    )
    return {"Table": _wanted(found, request.get("AttributesToGet"))}


@service.operation(resource=table_arns)
def get_tables(call: Call, request: shapes.GetTablesRequest) -> shapes.GetTablesResponse:
    """Tables of a database by name, or those whose names match a regular expression.

    Raises EntityNotFoundException if there is no such database, InvalidInputException for what is
    no regular expression. AWS: Glue GetTables.
    """
    account = account_of(call, request)
    refuse(request, *_FORMERLY_GOVERNED)
    database = find_database(call.documents, account, call.region, request["DatabaseName"])
    page, token = read_page(
        call.documents,
        tables,
        account,
        call.region,
        prefix_of(database.id),
        request.get("NextToken"),
        request.get("MaxResults", _PAGE),
        _name_test(request.get("Expression")),
    )
    attributes = request.get("AttributesToGet")
    answer: Any = {
        "TableList": [
            _wanted(shown_table(account, database.name, each.value), attributes) for each in page
        ]
    }
    return with_token(answer, token)


@service.operation(resource=table_arns)
def update_table(call: Call, request: shapes.UpdateTableRequest) -> Empty:
    """Replace a table's definition, which makes a new version and keeps the one before.

    Raises EntityNotFoundException if there is no such database or table,
    ConcurrentModificationException if it is no longer at VersionId. AWS: Glue UpdateTable.
    """
    account = account_of(call, request)
    refuse(request, "TransactionId", "ViewUpdateAction", "Force", "UpdateOpenTableFormatInput")
    given = _checked(request)
    name = request.get("Name")
    if name is not None and folded(name) != folded(given["Name"]):
        raise InvalidInputException("The name of a table cannot be changed.")
    stored_tables.update_table(
        call.documents,
        account,
        call.region,
        request["DatabaseName"],
        given,
        call.clock.time(),
        version_id=request.get("VersionId"),
        skip_archive=bool(request.get("SkipArchive")),
        events=call.server.events,
    )
    return {}


@service.operation(resource=table_arns)
def delete_table(call: Call, request: shapes.DeleteTableRequest) -> Empty:
    """Drop a table with its versions and partitions.

    Raises EntityNotFoundException if there is no such database or table. AWS: Glue DeleteTable.
    """
    account = account_of(call, request)
    refuse(request, "TransactionId")
    stored_tables.delete_table(
        call.documents,
        account,
        call.region,
        request["DatabaseName"],
        request["Name"],
        events=call.server.events,
    )
    return {}


@service.operation(resource=table_arns)
def batch_delete_table(
    call: Call, request: shapes.BatchDeleteTableRequest
) -> shapes.BatchDeleteTableResponse:
    """Drop tables; those that are not there are told, the others are dropped.

    Raises EntityNotFoundException if there is no such database. AWS: Glue BatchDeleteTable.
    """
    account = account_of(call, request)
    refuse(request, "TransactionId")
    database = request["DatabaseName"]

    def drop(tx: Transaction) -> tuple[list[str], list[Any]]:
        owner = find_database(tx, account, call.region, database)
        dropped: dict[str, str] = {}
        errors: list[Any] = []
        for name in request["TablesToDelete"]:
            try:
                _, table_id = drop_table(tx, account, call.region, database, name)
                dropped[folded(name)] = table_id
            except GlueError as error:
                errors.append({"TableName": name, "ErrorDetail": error.detail()})
        if dropped:
            events, change = call.server.events, "BatchDeleteTable"
            names = list(dropped)
            tell_database_change(tx, events, account, call.region, owner.name, change, names)
        return list(dropped.values()), errors

    dropped, errors = call.documents.transact(drop)
    for table_id in dropped:
        orphans.remove(call.documents, account, call.region, table_id)
    return {"Errors": errors}


def _checked(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """A request's TableInput, without what is not done."""
    given: Mapping[str, Any] | None = request.get("TableInput")
    if given is None:
        raise InvalidInputException("TableInput must be given.")
    refuse(given, "TargetTable", "FederatedTable", "ViewDefinition", where="TableInput.")
    storage = given.get("StorageDescriptor") or {}
    refuse(storage, "SchemaReference", where="StorageDescriptor.")
    return given


def _name_test(expression: str | None) -> Callable[[Document[Table]], bool] | None:
    """Whether a document is of a table whose name matches a pattern; None for all tables."""
    if not expression:
        return None
    matches = name_test(expression)
    return lambda document: matches(document.value.name)


def _wanted(table: dict[str, Any], attributes: list[str] | None) -> Any:
    """A table with the attributes that are asked for; all of them by default."""
    if attributes and "LATEST_ICEBERG_METADATA" in attributes:
        raise not_implemented("LATEST_ICEBERG_METADATA")
    if not attributes or "DEFAULT" in attributes:
        return table
    members = {"NAME": ("Name", "DatabaseName", "CatalogId"), "TABLE_TYPE": ("TableType",)}
    kept = [member for each in attributes for member in members[each]]
    return {"Name": table["Name"], **{name: table[name] for name in kept if name in table}}
