"""Tables of data catalogs, as Athena shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloche.core.errors import AWSError
from cloche.core.operations import Call
from cloche.services.athena.data_catalog_records import FEDERATED, data_catalog_of
from cloche.services.athena.databases import CATALOG
from cloche.services.athena.errors import InvalidRequestException, metadata_exception
from cloche.services.athena.federation import metadata
from cloche.services.athena.paging import page_of_names
from cloche.services.athena.service import service
from cloche.services.glue import catalog
from cloche.services.glue.errors import GlueError

if TYPE_CHECKING:
    from aws_shapes import athena as shapes

_LONGEST_PAGE = 50


@service.operation(resource=CATALOG)
def get_table_metadata(
    call: Call, request: shapes.GetTableMetadataInput
) -> shapes.GetTableMetadataOutput:
    """Columns, partition keys and parameters of a table.

    Raises MetadataException if there is none. AWS: Athena GetTableMetadata.
    """
    data_catalog = data_catalog_of(call, request["CatalogName"])
    database, name = request["DatabaseName"].lower(), request["TableName"].lower()
    if data_catalog.kind == FEDERATED:
        return {"TableMetadata": _shown(metadata.table(call, data_catalog, database, name))}
    try:
        table = catalog.get_table(call.documents, call.account_id, call.region, database, name)
    except AWSError as error:
        raise metadata_exception(call, error) from None
    return {"TableMetadata": _shown(table)}


@service.operation(resource=CATALOG)
def list_table_metadata(
    call: Call, request: shapes.ListTableMetadataInput
) -> shapes.ListTableMetadataOutput:
    """Tables of a database by name, those whose name matches the expression.

    Raises MetadataException if there is no such database. AWS: Athena ListTableMetadata.
    """
    data_catalog = data_catalog_of(call, request["CatalogName"])
    database = request["DatabaseName"].lower()
    try:
        if data_catalog.kind == FEDERATED:
            listed = metadata.tables(call, data_catalog, database)
        else:
            listed = catalog.list_tables(call.documents, call.account_id, call.region, database)
    except GlueError as error:
        raise metadata_exception(call, error) from None
    matches = _pattern(request.get("Expression")).fullmatch
    found = {table["Name"]: table for table in listed if matches(table["Name"])}
    limit = request.get("MaxResults", _LONGEST_PAGE)
    names, following = page_of_names(sorted(found), request.get("NextToken"), limit)
    answer: Any = {"TableMetadataList": [_shown(found[name]) for name in names], **following}
    return answer


def _pattern(expression: str | None) -> re.Pattern[str]:
    if not expression:
        return re.compile(".*", re.DOTALL)
    try:
        # A lone `*` stands for anything, as in Hive's patterns.
        return re.compile(re.sub(r"(?<![.\])])\*", ".*", expression), re.IGNORECASE)
    except re.error:
        raise InvalidRequestException(f"Invalid expression: {expression}") from None


def _shown(table: Mapping[str, Any]) -> Any:
    descriptor = table.get("StorageDescriptor") or {}
    shown: dict[str, Any] = {
        "Name": table["Name"],
        "TableType": table.get("TableType") or "",
        "Columns": _columns(descriptor.get("Columns")),
        "PartitionKeys": _columns(table.get("PartitionKeys")),
        "Parameters": _parameters(table, descriptor),
    }
    for member in ("CreateTime", "LastAccessTime"):
        if table.get(member) is not None:
            shown[member] = table[member]
    return shown


def _parameters(table: Mapping[str, Any], descriptor: Mapping[str, Any]) -> dict[str, str]:
    """The table's, and what its storage descriptor says, which wins; an empty text is told too."""
    parameters = dict(table.get("Parameters") or {})
    serde = descriptor.get("SerdeInfo") or {}
    told = {
        "inputformat": descriptor.get("InputFormat"),
        "location": descriptor.get("Location"),
        "outputformat": descriptor.get("OutputFormat"),
        "serde.serialization.lib": serde.get("SerializationLibrary"),
    }
    parameters.update({name: value for name, value in told.items() if value is not None})
    of_serde = serde.get("Parameters") or {}
    parameters.update({f"serde.param.{name}": value for name, value in of_serde.items()})
    return parameters


def _columns(columns: Any) -> list[dict[str, Any]]:
    """Those that a table has; Iceberg keeps in the catalog what it once had, too."""
    return [
        {member: column[member] for member in ("Name", "Type", "Comment") if member in column}
        for column in columns or ()
        if (column.get("Parameters") or {}).get("iceberg.field.current") != "false"
    ]
