"""ARNs of the catalog's resources.

A policy must allow a call on what it acts on and on all that stands above it: a table, its
database and the catalog. Source: service authorization reference, "AWS Glue".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.core.arns import format_arn
from cloche.core.operations import Call
from cloche.services.glue.keys import folded


def catalog_id(call: Call, request: Mapping[str, Any]) -> str:
    """The account whose catalog a request is about; the caller's unless it says otherwise."""
    return request.get("CatalogId") or call.account_id


def arn(call: Call, account: str, resource: str) -> str:
    """An ARN of Glue in the call's region."""
    return format_arn("glue", call.region, account, resource)


def catalog_arns(call: Call, request: Mapping[str, Any]) -> list[str]:
    """The catalog."""
    return [arn(call, catalog_id(call, request), "catalog")]


def database_arns(call: Call, request: Mapping[str, Any]) -> list[str]:
    """The catalog and a database, or all where none is named."""
    account = catalog_id(call, request)
    return [*catalog_arns(call, request), arn(call, account, f"database/{_database(request)}")]


def table_arns(call: Call, request: Mapping[str, Any]) -> list[str]:
    """The catalog, a database and tables, or all of them where none is named."""
    account, database = catalog_id(call, request), _database(request)
    tables = [arn(call, account, f"table/{database}/{name}") for name in _tables(request)]
    return [*database_arns(call, request), *tables]


def database_with_contents_arns(call: Call, request: Mapping[str, Any]) -> list[str]:
    """The catalog, a database and all that is in it, which goes with it."""
    account, database = catalog_id(call, request), _database(request)
    return [
        *database_arns(call, request),
        arn(call, account, f"table/{database}/*"),
        arn(call, account, f"userDefinedFunction/{database}/*"),
    ]


def function_arns(call: Call, request: Mapping[str, Any]) -> list[str]:
    """The catalog, a database and a user-defined function."""
    account, database = catalog_id(call, request), _database(request)
    given = request.get("FunctionInput") or {}
    name = request.get("FunctionName") or given.get("FunctionName") or "*"
    resource = f"userDefinedFunction/{database}/{name}"
    return [*database_arns(call, request), arn(call, account, resource)]


def connection_arns(call: Call, request: Mapping[str, Any]) -> list[str]:
    """The catalog and connections, or all where none is named."""
    account = catalog_id(call, request)
    given = request.get("ConnectionInput") or {}
    name = request.get("Name") or request.get("ConnectionName") or given.get("Name") or "*"
    names = request.get("ConnectionNameList") or [name]
    return [
        *catalog_arns(call, request),
        *(arn(call, account, f"connection/{each}") for each in names),
    ]


def _database(request: Mapping[str, Any]) -> str:
    given = request.get("DatabaseInput") or {}
    is_of_database = "DatabaseName" not in request and "TableInput" not in request
    name = request.get("DatabaseName") or (request.get("Name") if is_of_database else None)
    return folded(name or given.get("Name") or "*")


def _tables(request: Mapping[str, Any]) -> list[str]:
    given = request.get("TableInput") or {}
    if names := request.get("TablesToDelete"):
        return [folded(each) for each in names]
    name = request.get("TableName") or request.get("Name") or given.get("Name")
    return [folded(name or "*")]
