"""Versions of tables: the current one and those that were archived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.glue.arns import table_arns
from cloche.services.glue.catalog_records import Table, table_versions
from cloche.services.glue.errors import EntityNotFoundException, GlueError, InvalidInputException
from cloche.services.glue.keys import key_of, prefix_of
from cloche.services.glue.paging import read_page, token_after, with_token
from cloche.services.glue.refusals import account_of
from cloche.services.glue.service import service
from cloche.services.glue.stored_tables import (
    load_table,
    shown_table,
    version_key,
    version_number,
)

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes

_PAGE = 100


@service.operation(resource=table_arns)
def get_table_version(
    call: Call, request: shapes.GetTableVersionRequest
) -> shapes.GetTableVersionResponse:
    """A version of a table, the current one unless another is named.

    Raises EntityNotFoundException if there is no such table or version. AWS: Glue GetTableVersion.
    """
    account = account_of(call, request)
    database, name = request["DatabaseName"], request["TableName"]
    owner, table = load_table(call.documents, account, call.region, database, name)
    version_id = request.get("VersionId")
    number = table.version if version_id is None else version_number(version_id)
    found: Table | None = table
    if number != table.version:
        key = key_of(table.id, version_key(number))
        found = call.documents.get(table_versions, account, call.region, key)
    if found is None:
        raise _not_found(version_id)
    return {"TableVersion": _shown(account, owner.name, found)}


@service.operation(resource=table_arns)
def get_table_versions(
    call: Call, request: shapes.GetTableVersionsRequest
) -> shapes.GetTableVersionsResponse:
    """Versions of a table, newest first.

    Raises EntityNotFoundException if there is no such table. AWS: Glue GetTableVersions.
    """
    account = account_of(call, request)
    database, name = request["DatabaseName"], request["TableName"]
    owner, table = load_table(call.documents, account, call.region, database, name)
    token, limit = request.get("NextToken"), request.get("MaxResults", _PAGE)
    shown: list[Any] = []
    if token is None:
        # The current version stands where it would stand were it archived: before all others.
        shown.append(_shown(account, owner.name, table))
        token = token_after(key_of(table.id, version_key(table.version)))
        limit -= 1
    page, token = read_page(
        call.documents,
        table_versions,
        account,
        call.region,
        prefix_of(table.id),
        token,
        max(limit, 1),
    )
    if limit == 0 and page:
        token, page = token_after(key_of(table.id, version_key(table.version))), []
    shown += [_shown(account, owner.name, each.value) for each in page]
    answer: Any = {"TableVersions": shown}
    return with_token(answer, token)


@service.operation(resource=table_arns)
def delete_table_version(call: Call, request: shapes.DeleteTableVersionRequest) -> Empty:
    """Forget an archived version.

    Raises EntityNotFoundException if there is none, InvalidInputException for the current one.
    AWS: Glue DeleteTableVersion.
    """
    account = account_of(call, request)
    database, name = request["DatabaseName"], request["TableName"]

    def delete(tx: Transaction) -> None:
        _, table = load_table(tx, account, call.region, database, name)
        _delete(tx, account, call.region, table, request["VersionId"])

    call.documents.transact(delete)
    return {}


@service.operation(resource=table_arns)
def batch_delete_table_version(
    call: Call, request: shapes.BatchDeleteTableVersionRequest
) -> shapes.BatchDeleteTableVersionResponse:
    """Forget archived versions; those that can't be are told.

    Raises EntityNotFoundException if there is no such table. AWS: Glue BatchDeleteTableVersion.
    """
    account = account_of(call, request)
    database, name = request["DatabaseName"], request["TableName"]

    def delete(tx: Transaction) -> list[Any]:
        _, table = load_table(tx, account, call.region, database, name)
        errors: list[Any] = []
        for version_id in request["VersionIds"]:
            try:
                _delete(tx, account, call.region, table, version_id)
            except GlueError as error:
                told = {"TableName": table.name, "VersionId": version_id}
                errors.append({**told, "ErrorDetail": error.detail()})
        return errors

    errors = call.documents.transact(delete)
    return {"Errors": errors}


def _delete(tx: Transaction, account: str, region: str, table: Table, version_id: str) -> None:
    number = version_number(version_id)
    if number == table.version:
        raise InvalidInputException("The current version of a table cannot be deleted.")
    key = key_of(table.id, version_key(number))
    if tx.delete(table_versions, account, region, key) is None:
        raise _not_found(version_id)


def _not_found(version_id: str | None) -> EntityNotFoundException:
    return EntityNotFoundException(f"Version {version_id} not found.")


def _shown(account: str, database: str, table: Table) -> Any:
    return {"Table": shown_table(account, database, table), "VersionId": str(table.version)}
