"""Prepared statements: create, get, list, update, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.documents import DocumentExists, Transaction
from cloche.core.operations import Call
from cloche.services.athena.errors import InvalidRequestException, ResourceNotFoundException
from cloche.services.athena.paging import page_of_documents
from cloche.services.athena.prepared_statement_records import (
    PreparedStatement,
    find_prepared_statement,
    prepared_statements,
)
from cloche.services.athena.service import service
from cloche.services.athena.work_group_records import WORK_GROUP, find_work_group

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import athena as shapes

_LONGEST_PAGE = 50


@service.operation(resource=WORK_GROUP)
def create_prepared_statement(call: Call, request: shapes.CreatePreparedStatementInput) -> Empty:
    """Keep a statement for `EXECUTE`.

    Raises InvalidRequestException if the name is taken. AWS: Athena CreatePreparedStatement.
    """
    made = PreparedStatement(
        request["StatementName"],
        find_work_group(call, request["WorkGroup"]).name,
        request["QueryStatement"],
        call.clock.time(),
        request.get("Description"),
    )
    key = f"{made.work_group}/{made.name}"
    try:
        call.documents.insert(prepared_statements, call.account_id, call.region, key, made)
    except DocumentExists:
        raise InvalidRequestException(
            f"Prepared Statement {made.name} already exists in WorkGroup {made.work_group}"
        ) from None
    return {}


@service.operation(resource=WORK_GROUP)
def get_prepared_statement(
    call: Call, request: shapes.GetPreparedStatementInput
) -> shapes.GetPreparedStatementOutput:
    """A prepared statement.

    Raises ResourceNotFoundException if there is none. AWS: Athena GetPreparedStatement.
    """
    work_group = find_work_group(call, request["WorkGroup"]).name
    return {"PreparedStatement": _find(call, work_group, request["StatementName"]).shown()}


@service.operation(resource=WORK_GROUP)
def batch_get_prepared_statement(
    call: Call, request: shapes.BatchGetPreparedStatementInput
) -> shapes.BatchGetPreparedStatementOutput:
    """Prepared statements; those that do not exist are told apart.

    AWS: Athena BatchGetPreparedStatement.
    """
    work_group = find_work_group(call, request["WorkGroup"]).name
    found: list[Any] = []
    missing: list[Any] = []
    for name in request["PreparedStatementNames"]:
        try:
            found.append(_find(call, work_group, name).shown())
        except ResourceNotFoundException as error:
            missing.append(
                {
                    "StatementName": name,
                    "ErrorCode": "STATEMENT_NOT_FOUND",
                    "ErrorMessage": error.message,
                }
            )
    return {"PreparedStatements": found, "UnprocessedPreparedStatementNames": missing}


@service.operation(resource=WORK_GROUP)
def list_prepared_statements(
    call: Call, request: shapes.ListPreparedStatementsInput
) -> shapes.ListPreparedStatementsOutput:
    """Names of a workgroup's prepared statements. AWS: Athena ListPreparedStatements."""
    work_group = find_work_group(call, request["WorkGroup"]).name
    limit = request.get("MaxResults", _LONGEST_PAGE)
    token = request.get("NextToken")
    page, following = page_of_documents(
        call, prepared_statements, token, limit, prefix=f"{work_group}/"
    )
    summaries: Any = [
        {"StatementName": each.value.name, "LastModifiedTime": each.value.modified_at}
        for each in page
    ]
    answer: Any = {"PreparedStatements": summaries, **following}
    return answer


@service.operation(resource=WORK_GROUP)
def update_prepared_statement(call: Call, request: shapes.UpdatePreparedStatementInput) -> Empty:
    """Replace a prepared statement's text.

    Raises ResourceNotFoundException if there is none. AWS: Athena UpdatePreparedStatement.
    """
    work_group = find_work_group(call, request["WorkGroup"]).name
    name = request["StatementName"]

    def update(tx: Transaction) -> None:
        current = find_prepared_statement(tx, call.account_id, call.region, work_group, name)
        if current is None:
            raise _not_found(work_group, name)
        changed = replace(
            current,
            sql=request["QueryStatement"],
            description=request.get("Description", current.description),
            modified_at=call.clock.time(),
        )
        key = f"{work_group}/{name}"
        tx.put(prepared_statements, call.account_id, call.region, key, changed)

    call.documents.transact(update)
    return {}


@service.operation(resource=WORK_GROUP)
def delete_prepared_statement(call: Call, request: shapes.DeletePreparedStatementInput) -> Empty:
    """Forget a prepared statement.

    Raises ResourceNotFoundException if there is none. AWS: Athena DeletePreparedStatement.
    """
    work_group = find_work_group(call, request["WorkGroup"]).name
    name = request["StatementName"]
    key = f"{work_group}/{name}"
    if call.documents.delete(prepared_statements, call.account_id, call.region, key) is None:
        raise _not_found(work_group, name)
    return {}


def _find(call: Call, work_group: str, name: str) -> PreparedStatement:
    found = find_prepared_statement(call.documents, call.account_id, call.region, work_group, name)
    if found is None:
        raise _not_found(work_group, name)
    return found


def _not_found(work_group: str, name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(
        f"PreparedStatement {name} was not found in workGroup {work_group}", ResourceName=name
    )
