"""Databases of data catalogs, as Athena shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloche.core.errors import AWSError
from cloche.core.operations import Call
from cloche.services.athena.data_catalog_records import FEDERATED, data_catalog_of
from cloche.services.athena.errors import MetadataException, metadata_exception
from cloche.services.athena.federation import metadata
from cloche.services.athena.paging import page_of_names
from cloche.services.athena.service import service
from cloche.services.glue import catalog

if TYPE_CHECKING:
    from aws_shapes import athena as shapes

CATALOG = "arn:{partition}:athena:{region}:{account}:datacatalog/{CatalogName}"

_LONGEST_PAGE = 50


@service.operation(resource=CATALOG)
def get_database(call: Call, request: shapes.GetDatabaseInput) -> shapes.GetDatabaseOutput:
    """A database.

    Raises MetadataException if there is none. AWS: Athena GetDatabase.
    """
    data_catalog = data_catalog_of(call, request["CatalogName"])
    name = request["DatabaseName"].lower()
    if data_catalog.kind == FEDERATED:
        for each in metadata.databases(call, data_catalog):
            if each["Name"] == name:
                return {"Database": _shown(each)}
        raise MetadataException(f"Database {name} not found.")
    try:
        found = catalog.get_database(call.documents, call.account_id, call.region, name)
    except AWSError as error:
        raise metadata_exception(call, error) from None
    return {"Database": _shown(found)}


@service.operation(resource=CATALOG)
def list_databases(call: Call, request: shapes.ListDatabasesInput) -> shapes.ListDatabasesOutput:
    """Databases of a catalog by name. AWS: Athena ListDatabases."""
    data_catalog = data_catalog_of(call, request["CatalogName"])
    if data_catalog.kind == FEDERATED:
        listed = metadata.databases(call, data_catalog)
    else:
        listed = catalog.list_databases(call.documents, call.account_id, call.region)
    found = {each["Name"]: each for each in listed}
    limit = request.get("MaxResults", _LONGEST_PAGE)
    names, following = page_of_names(sorted(found), request.get("NextToken"), limit)
    answer: Any = {"DatabaseList": [_shown(found[name]) for name in names], **following}
    return answer


def _shown(database: Mapping[str, Any]) -> Any:
    shown: dict[str, Any] = {"Name": database["Name"]}
    for member in ("Description", "Parameters"):
        if database.get(member):
            shown[member] = database[member]
    return shown
