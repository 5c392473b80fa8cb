"""From a request to run a statement to the query that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from cloche.core.errors import NotImplementedException
from cloche.core.operations import Call
from cloche.engines.sql.engine import QueryError
from cloche.services.athena.data_catalog_records import AWS_DATA_CATALOG
from cloche.services.athena.errors import InvalidRequestException
from cloche.services.athena.query_records import Query
from cloche.services.athena.result_configurations import check_result_configuration, folder
from cloche.services.athena.statements.parsing import has_several_statements, parse_statement
from cloche.services.athena.statements.statement_types import Execute, Statement, StatementType
from cloche.services.athena.work_group_records import WorkGroup, find_work_group

_LONGEST_SQL_BYTES = 262_144
# Where the result goes, below the folder, by kind of statement; `.txt` for DDL and utilities.
_SUFFIXES = {"INSERT": "{}", "UNLOAD": "{}", "CREATE_TABLE_AS_SELECT": "tables/{}"}


def new_query(call: Call, request: Mapping[str, Any], query_id: str) -> Query:
    """The query that a request asks for.

    Raises:
        InvalidRequestException: it cannot be run.
        NotImplementedException: it asks for what Cloche does not do.
    """
    sql: str = request["QueryString"]
    if not sql.strip():
        raise InvalidRequestException("Query string is empty.")
    if len(sql.encode("utf-8", "surrogatepass")) > _LONGEST_SQL_BYTES:
        raise InvalidRequestException("Query string exceeds 262144 bytes.")
    if request.get("EngineConfiguration"):
        raise NotImplementedException(
            "Cloche does not implement EngineConfiguration of Athena's queries yet."
        )
    work_group = find_work_group(call, request.get("WorkGroup"))
    if work_group.state != "ENABLED":
        raise InvalidRequestException(f"WorkGroup {work_group.name} is disabled.")
    configuration = _result_configuration(request, work_group)
    output_folder = folder(configuration["OutputLocation"])
    kind, statement_type = _kind_of(sql)
    default = "{}.csv" if statement_type == "DML" else "{}.txt"
    configuration["OutputLocation"] = output_folder + _SUFFIXES.get(kind, default).format(query_id)
    context = request.get("QueryExecutionContext") or {}
    return Query(
        id=query_id,
        account=call.account_id,
        region=call.region,
        sql=sql,
        work_group=work_group.name,
        principal=call.principal,
        submitted_at=call.clock.time(),
        catalog=context.get("Catalog") or AWS_DATA_CATALOG,
        database=context.get("Database") or "",
        result_configuration=configuration,
        output_folder=output_folder,
        expected_bucket_owner=configuration.get("ExpectedBucketOwner", ""),
        parameters=tuple(request.get("ExecutionParameters") or ()),
        reuse_minutes=_reuse_minutes(request),
        scan_limit_bytes=work_group.configuration.get("BytesScannedCutoffPerQuery"),
        selected_engine_version=work_group.configuration["EngineVersion"]["SelectedEngineVersion"],
        statement_type=statement_type,
        substatement_type=kind,
        token=request.get("ClientRequestToken", ""),
    )


def _result_configuration(request: Mapping[str, Any], work_group: WorkGroup) -> dict[str, Any]:
    """Where the result goes: as the workgroup says where it is enforced or the request is silent.

    Raises:
        InvalidRequestException: nobody says it.
    """
    asked = dict(request.get("ResultConfiguration") or {})
    check_result_configuration(asked)
    own = work_group.result_configuration
    configuration = dict(own) if work_group.is_enforced and own else {**own, **asked}
    if not configuration.get("OutputLocation"):
        raise InvalidRequestException(
            "No output location provided. An output location is required either through the "
            "Workgroup result configuration setting or as an API input."
        )
    return configuration


def _kind_of(sql: str) -> tuple[str, StatementType]:
    """What a statement is; one that cannot be read fails later, when it is run.

    Raises:
        InvalidRequestException: there are several.
    """
    statement: Statement | None = None
    with suppress(QueryError):
        if has_several_statements(sql):
            raise InvalidRequestException(f"Only one sql statement is allowed. Got: {sql}")
        statement = parse_statement(sql)
    if statement is None:
        return "", "DML"
    if isinstance(statement, Execute):
        return "SELECT", "DML"
    return statement.kind, statement.type


def _reuse_minutes(request: Mapping[str, Any]) -> int | None:
    by_age = (request.get("ResultReuseConfiguration") or {}).get("ResultReuseByAgeConfiguration")
    if not by_age or not by_age.get("Enabled"):
        return None
    return by_age.get("MaxAgeInMinutes", 60)
