"""Named queries: create, get, list, update, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.athena.errors import InvalidRequestException
from cloche.services.athena.named_query_records import (
    NamedQuery,
    Reference,
    named_queries,
    named_queries_by_work_group,
    named_query_tokens,
    not_found,
)
from cloche.services.athena.paging import page_of_documents
from cloche.services.athena.resources import work_group_of_named_queries
from cloche.services.athena.service import service
from cloche.services.athena.work_group_records import PRIMARY, WORK_GROUP, find_work_group

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import athena as shapes

_LONGEST_PAGE = 50


@service.operation(resource=work_group_of_named_queries)
def create_named_query(
    call: Call, request: shapes.CreateNamedQueryInput
) -> shapes.CreateNamedQueryOutput:
    """Save a query under a name, which need not be unique.

    The same ClientRequestToken gives the same query. Raises InvalidRequestException if there is
    no such workgroup. AWS: Athena CreateNamedQuery.
    """
    work_group = find_work_group(call, request.get("WorkGroup")).name
    made = NamedQuery(
        str(uuid4()),
        request["Name"],
        request["Database"],
        request["QueryString"],
        work_group,
        request.get("Description"),
        request.get("ClientRequestToken", ""),
    )
    where = (call.account_id, call.region)

    def insert(tx: Transaction) -> str:
        if made.token:
            earlier = _made_earlier(tx, call, made)
            if earlier is not None:
                return earlier
            tx.put(named_query_tokens, *where, made.token, Reference(made.id))
        tx.insert(named_queries, *where, made.id, made)
        tx.insert(
            named_queries_by_work_group, *where, f"{work_group}/{made.id}", Reference(made.id)
        )
        return made.id

    return {"NamedQueryId": call.documents.transact(insert)}


@service.operation(resource=work_group_of_named_queries)
def get_named_query(call: Call, request: shapes.GetNamedQueryInput) -> shapes.GetNamedQueryOutput:
    """A named query.

    Raises InvalidRequestException if there is none. AWS: Athena GetNamedQuery.
    """
    return {"NamedQuery": _find(call, request["NamedQueryId"]).shown()}


@service.operation(resource=work_group_of_named_queries)
def batch_get_named_query(
    call: Call, request: shapes.BatchGetNamedQueryInput
) -> shapes.BatchGetNamedQueryOutput:
    """Named queries; those that do not exist are told apart. AWS: Athena BatchGetNamedQuery."""
    found: list[Any] = []
    missing: list[Any] = []
    for named_query_id in request["NamedQueryIds"]:
        try:
            found.append(_find(call, named_query_id).shown())
        except InvalidRequestException as error:
            missing.append(
                {
                    "NamedQueryId": named_query_id,
                    "ErrorCode": "INVALID_INPUT",
                    "ErrorMessage": error.message,
                }
            )
    return {"NamedQueries": found, "UnprocessedNamedQueryIds": missing}


@service.operation(resource=WORK_GROUP)
def list_named_queries(
    call: Call, request: shapes.ListNamedQueriesInput
) -> shapes.ListNamedQueriesOutput:
    """Ids of a workgroup's named queries. AWS: Athena ListNamedQueries."""
    work_group = find_work_group(call, request.get("WorkGroup") or PRIMARY).name
    limit = request.get("MaxResults", _LONGEST_PAGE)
    token = request.get("NextToken")
    page, following = page_of_documents(
        call, named_queries_by_work_group, token, limit, prefix=f"{work_group}/"
    )
    answer: Any = {"NamedQueryIds": [document.value.id for document in page], **following}
    return answer


@service.operation(resource=work_group_of_named_queries)
def update_named_query(call: Call, request: shapes.UpdateNamedQueryInput) -> Empty:
    """Change a named query's name, text and description.

    Raises InvalidRequestException if there is none. AWS: Athena UpdateNamedQuery.
    """
    named_query_id = request["NamedQueryId"]

    def update(tx: Transaction) -> None:
        current = tx.get(named_queries, call.account_id, call.region, named_query_id)
        if current is None:
            raise not_found(named_query_id)
        changed = replace(
            current,
            name=request["Name"],
            sql=request["QueryString"],
            description=request.get("Description", current.description),
        )
        tx.put(named_queries, call.account_id, call.region, named_query_id, changed)

    call.documents.transact(update)
    return {}


@service.operation(resource=work_group_of_named_queries)
def delete_named_query(call: Call, request: shapes.DeleteNamedQueryInput) -> Empty:
    """Forget a named query.

    Raises InvalidRequestException if there is none. AWS: Athena DeleteNamedQuery.
    """
    named_query_id = request["NamedQueryId"]
    where = (call.account_id, call.region)

    def delete(tx: Transaction) -> None:
        deleted = tx.delete(named_queries, *where, named_query_id)
        if deleted is None:
            raise not_found(named_query_id)
        tx.delete(named_queries_by_work_group, *where, f"{deleted.work_group}/{deleted.id}")
        if deleted.token:
            tx.delete(named_query_tokens, *where, deleted.token)

    call.documents.transact(delete)
    return {}


def _find(call: Call, named_query_id: str) -> NamedQuery:
    found = call.documents.get(named_queries, call.account_id, call.region, named_query_id)
    if found is None:
        raise not_found(named_query_id)
    return found


def _made_earlier(tx: Transaction, call: Call, asked: NamedQuery) -> str | None:
    """The id of the query that the same token made.

    Raises:
        InvalidRequestException: it made another one.
    """
    where = (call.account_id, call.region)
    reference = tx.get(named_query_tokens, *where, asked.token)
    earlier = None if reference is None else tx.get(named_queries, *where, reference.id)
    if earlier is None:
        return None
    if replace(earlier, id=asked.id) != asked:
        raise InvalidRequestException("Idempotent parameters do not match")
    return earlier.id
