"""Databases: create, get, list, update, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.services.glue import stored_databases, tag_records
from cloche.services.glue.arns import (
    database_arns,
    database_with_contents_arns,
)
from cloche.services.glue.catalog_records import databases
from cloche.services.glue.errors import InvalidInputException
from cloche.services.glue.keys import folded
from cloche.services.glue.paging import read_page, with_token
from cloche.services.glue.refusals import account_of, not_implemented, refuse
from cloche.services.glue.service import service
from cloche.services.glue.stored_databases import EVERYBODY, shown_database

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes

_PAGE = 100


@service.operation(resource=database_arns)
def create_database(call: Call, request: shapes.CreateDatabaseRequest) -> Empty:
    """Make a database.

    Raises AlreadyExistsException if the name is taken. AWS: Glue CreateDatabase.
    """
    account = account_of(call, request)
    given = request["DatabaseInput"]
    _check(given)
    stored_databases.create_database(
        call.documents,
        account,
        call.region,
        given,
        call.clock.time(),
        events=call.server.events,
        tags=tag_records.checked(request.get("Tags") or {}),
    )
    return {}


@service.operation(resource=database_arns)
def get_database(call: Call, request: shapes.GetDatabaseRequest) -> shapes.GetDatabaseResponse:
    """A database.

    Raises EntityNotFoundException if there is none. AWS: Glue GetDatabase.
    """
    account = account_of(call, request)
    found: Any = stored_databases.get_database(
        call.documents, account, call.region, request["Name"]
    )
    return {"Database": found}


@service.operation(resource=database_arns)
def get_databases(call: Call, request: shapes.GetDatabasesRequest) -> shapes.GetDatabasesResponse:
    """Databases by name; those that others share are none. AWS: Glue GetDatabases."""
    account = account_of(call, request)
    if request.get("ResourceShareType") in ("FOREIGN", "FEDERATED"):
        return {"DatabaseList": []}
    page, token = read_page(
        call.documents,
        databases,
        account,
        call.region,
        "",
        request.get("NextToken"),
        request.get("MaxResults", _PAGE),
    )
    wanted = request.get("AttributesToGet")
    shown: list[Any] = [shown_database(account, each.value) for each in page]
    if wanted:  # NAME and TARGET_DATABASE, which no database here has
        shown = [{"Name": each["Name"], "CatalogId": each["CatalogId"]} for each in shown]
    answer: Any = {"DatabaseList": shown}
    return with_token(answer, token)


@service.operation(resource=database_arns)
def update_database(call: Call, request: shapes.UpdateDatabaseRequest) -> Empty:
    """Replace a database's definition.

    Raises EntityNotFoundException if there is none, InvalidInputException for another name.
    AWS: Glue UpdateDatabase.
    """
    account = account_of(call, request)
    given = request["DatabaseInput"]
    _check(given)
    name = folded(request["Name"])
    if folded(given["Name"]) != name:
        raise InvalidInputException("The name of a database cannot be changed.")

    stored_databases.update_database(call.documents, account, call.region, given)
    return {}


@service.operation(resource=database_with_contents_arns)
def delete_database(call: Call, request: shapes.DeleteDatabaseRequest) -> Empty:
    """Drop a database with its tables, their partitions, and its functions.

    Raises EntityNotFoundException if there is none. AWS: Glue DeleteDatabase.
    """
    account = account_of(call, request)
    stored_databases.delete_database(
        call.documents, account, call.region, request["Name"], events=call.server.events
    )
    return {}


def _check(database_input: Mapping[str, Any]) -> None:
    refuse(database_input, "TargetDatabase", "FederatedDatabase", where="DatabaseInput.")
    permissions = database_input.get("CreateTableDefaultPermissions")
    if permissions is not None and permissions != EVERYBODY:
        raise not_implemented("CreateTableDefaultPermissions other than IAM's")
