"""Data catalogs: create, get, list, update, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.documents import DocumentExists, Transaction
from cloche.core.errors import NotImplementedException
from cloche.core.operations import Call
from cloche.services.athena.data_catalog_records import (
    AWS_DATA_CATALOG,
    FEDERATED,
    DataCatalog,
    data_catalog_of,
    data_catalogs,
    not_found,
)
from cloche.services.athena.errors import InvalidRequestException
from cloche.services.athena.federation.registering import checked_connection_type
from cloche.services.athena.paging import page_of_names
from cloche.services.athena.service import service
from cloche.services.athena.tag_rules import checked_tags

if TYPE_CHECKING:
    from aws_shapes import athena as shapes

DATA_CATALOG = "arn:{partition}:athena:{region}:{account}:datacatalog/{Name}"

_LONGEST_PAGE = 50


@service.operation(resource=DATA_CATALOG)
def create_data_catalog(
    call: Call, request: shapes.CreateDataCatalogInput
) -> shapes.CreateDataCatalogOutput:
    """Give the account's Glue Data Catalog a further name, or a name to a database elsewhere.

    A federated catalog is there when this answers, as there is nothing to be made: AWS makes a
    Lambda function for it. Raises InvalidRequestException if the name is taken, or the connection
    leads to nothing that can be queried. AWS: Athena CreateDataCatalog.
    """
    if request["Name"].lower() == AWS_DATA_CATALOG.lower():
        raise InvalidRequestException(f"{request['Name']} is a reserved name.")
    made = DataCatalog(
        request["Name"],
        request["Type"],
        request.get("Description"),
        dict(request.get("Parameters") or {}),
        checked_tags({}, request.get("Tags") or []),
        _checked_connection_type(call, request),
    )
    try:
        call.documents.insert(data_catalogs, call.account_id, call.region, made.name, made)
    except DocumentExists:
        raise InvalidRequestException(f"DataCatalog {made.name} already exists") from None
    return {"DataCatalog": made.shown()}


@service.operation(resource=DATA_CATALOG)
def get_data_catalog(
    call: Call, request: shapes.GetDataCatalogInput
) -> shapes.GetDataCatalogOutput:
    """A data catalog.

    Raises InvalidRequestException if there is none. AWS: Athena GetDataCatalog.
    """
    return {"DataCatalog": data_catalog_of(call, request["Name"]).shown()}


@service.operation
def list_data_catalogs(
    call: Call, request: shapes.ListDataCatalogsInput
) -> shapes.ListDataCatalogsOutput:
    """The account's data catalogs by name. AWS: Athena ListDataCatalogs."""
    where = (call.account_id, call.region)
    found = {each.name: each.value for each in call.documents.iterate(data_catalogs, *where)}
    found[AWS_DATA_CATALOG] = data_catalog_of(call, AWS_DATA_CATALOG)
    limit = request.get("MaxResults", _LONGEST_PAGE)
    names, following = page_of_names(sorted(found), request.get("NextToken"), limit)
    summaries: Any = [_summary(found[name]) for name in names]
    answer: Any = {"DataCatalogsSummary": summaries, **following}
    return answer


@service.operation(resource=DATA_CATALOG)
def update_data_catalog(
    call: Call, request: shapes.UpdateDataCatalogInput
) -> shapes.UpdateDataCatalogOutput:
    """Replace a data catalog's description and parameters.

    Raises InvalidRequestException if there is none. AWS: Athena UpdateDataCatalog.
    """
    name = request["Name"]
    connection_type = None
    if request["Type"] != FEDERATED or request.get("Parameters"):
        connection_type = _checked_connection_type(call, request)

    def update(tx: Transaction) -> None:
        current = tx.get(data_catalogs, call.account_id, call.region, name)
        if current is None:
            raise not_found(name)
        if current.kind != request["Type"]:
            raise InvalidRequestException("The type of a data catalog cannot be changed.")
        changed = replace(
            current,
            description=request.get("Description", current.description),
            parameters=dict(request.get("Parameters") or current.parameters),
            connection_type=connection_type or current.connection_type,
        )
        tx.put(data_catalogs, call.account_id, call.region, name, changed)

    call.documents.transact(update)
    return {}


@service.operation(resource=DATA_CATALOG)
def delete_data_catalog(
    call: Call, request: shapes.DeleteDataCatalogInput
) -> shapes.DeleteDataCatalogOutput:
    """Forget a data catalog; the tables in it stay, and so does a federated one's connection.

    Raises InvalidRequestException if there is none, or for DeleteCatalogOnly of one that is not
    federated. AWS: Athena DeleteDataCatalog.
    """
    name, only = request["Name"], request.get("DeleteCatalogOnly", False)

    def delete(tx: Transaction) -> DataCatalog:
        found = tx.delete(data_catalogs, call.account_id, call.region, name)
        if found is None:
            raise not_found(name)
        if only and found.kind != FEDERATED:
            raise InvalidRequestException(
                "DeleteCatalogOnly is only supported for data catalogs of type FEDERATED."
            )
        return found

    deleted = call.documents.transact(delete)
    shown = deleted.shown()
    if deleted.kind == FEDERATED:
        shown["Status"] = "DELETE_COMPLETE"
    return {"DataCatalog": shown}


def _summary(found: DataCatalog) -> dict[str, Any]:
    shown = found.shown()
    names = {"CatalogName": "Name", "Type": "Type", "Status": "Status"}
    summary = {name: shown[member] for name, member in names.items()}
    if found.connection_type is not None:
        summary["ConnectionType"] = found.connection_type
    return summary


def _checked_connection_type(call: Call, request: Mapping[str, Any]) -> str | None:
    """Whether a catalog can be made of a request; the type of its connection if it has one."""
    kind = request["Type"]
    parameters = request.get("Parameters") or {}
    if kind == FEDERATED:
        return checked_connection_type(call, request["Name"], parameters)
    if kind != "GLUE":
        raise NotImplementedException(
            f"Cloche does not implement data catalogs of Type {kind} in Athena yet."
        )
    unknown = sorted(parameters.keys() - {"catalog-id"})
    if unknown:
        raise InvalidRequestException(f"Unknown parameter {unknown[0]} for a catalog of type GLUE")
    if parameters.get("catalog-id", call.account_id) != call.account_id:
        raise NotImplementedException(
            "Cloche does not implement Glue catalogs of other accounts (catalog-id) in Athena yet."
        )
    return None
