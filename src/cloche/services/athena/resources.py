"""ARNs for permissions, where the request names the resource only by an id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.core.arns import format_arn
from cloche.core.operations import Call
from cloche.services.athena.named_query_records import named_queries
from cloche.services.athena.query_records import queries
from cloche.services.athena.work_group_records import PRIMARY


def work_group_of_named_queries(call: Call, request: Mapping[str, Any]) -> list[str]:
    """ARNs of the workgroups of named queries."""
    ids = request.get("NamedQueryIds") or [request.get("NamedQueryId") or ""]
    return _arns(call, request, named_queries, ids)


def work_group_of_queries(call: Call, request: Mapping[str, Any]) -> list[str]:
    """ARNs of the workgroups of query executions."""
    ids = request.get("QueryExecutionIds") or [request.get("QueryExecutionId") or ""]
    return _arns(call, request, queries, ids)


def _arns(call: Call, request: Mapping[str, Any], table: Any, ids: list[str]) -> list[str]:
    names: dict[str, None] = {}
    for each in ids:
        record = call.documents.get_cached(table, call.account_id, call.region, each)
        named = request.get("WorkGroup") or PRIMARY
        names[named if record is None else record.work_group] = None
    return [format_arn("athena", call.region, call.account_id, f"workgroup/{n}") for n in names]
