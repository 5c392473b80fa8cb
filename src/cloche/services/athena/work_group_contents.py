"""What belongs to a workgroup: named queries, prepared statements and query executions."""

from __future__ import annotations

from typing import Any

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.athena.named_query_records import named_queries, named_queries_by_work_group
from cloche.services.athena.prepared_statement_records import prepared_statements
from cloche.services.athena.query_records import queries_by_work_group


def has_contents(tx: Transaction, call: Call, name: str) -> bool:
    """Whether something belongs to a workgroup that must not be lost; executions may be."""
    tables: list[Any] = [named_queries_by_work_group, prepared_statements]
    return any(
        tx.scan(table, call.account_id, call.region, f"{name}/", limit=1) for table in tables
    )


def delete_contents(tx: Transaction, call: Call, name: str) -> None:
    """Forget all that belongs to a workgroup; query executions stay, but are listed no more."""
    where = (call.account_id, call.region)
    for entry in tx.scan(named_queries_by_work_group, *where, f"{name}/", limit=100_000):
        tx.delete(named_queries, *where, entry.value.id)
        tx.delete(named_queries_by_work_group, *where, entry.name)
    for statement in tx.scan(prepared_statements, *where, f"{name}/", limit=100_000):
        tx.delete(prepared_statements, *where, statement.name)
    for query in tx.scan(queries_by_work_group, *where, f"{name}/", limit=100_000):
        tx.delete(queries_by_work_group, *where, query.name)
