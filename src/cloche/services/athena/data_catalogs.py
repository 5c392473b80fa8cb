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
    DataCatalog,
    data_catalog_of,
    data_catalogs,
    not_found,
)
from cloche.services.athena.errors import InvalidRequestException
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
    """Give the account's Glue Data Catalog a further name.

    Raises InvalidRequestException if the name is taken. AWS: Athena CreateDataCatalog.
    """
    if request["Name"].lower() == AWS_DATA_CATALOG.lower():
        raise InvalidRequestException(f"{request['Name']} is a reserved name.")
    _check(call, request)
    made = DataCatalog(
        request["Name"],
        request["Type"],
        request.get("Description"),
        dict(request.get("Parameters") or {}),
        checked_tags({}, request.get("Tags") or []),
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
    kinds = {each.name: each.value.kind for each in call.documents.iterate(data_catalogs, *where)}
    kinds[AWS_DATA_CATALOG] = "GLUE"
    limit = request.get("MaxResults", _LONGEST_PAGE)
    names, following = page_of_names(sorted(kinds), request.get("NextToken"), limit)
    summaries: Any = [
        {"CatalogName": name, "Type": kinds[name], "Status": "CREATE_COMPLETE"} for name in names
    ]
    answer: Any = {"DataCatalogsSummary": summaries, **following}
    return answer


@service.operation(resource=DATA_CATALOG)
def update_data_catalog(
    call: Call, request: shapes.UpdateDataCatalogInput
) -> shapes.UpdateDataCatalogOutput:
    """Replace a data catalog's description and parameters.

    Raises InvalidRequestException if there is none. AWS: Athena UpdateDataCatalog.
    """
    _check(call, request)
    name = request["Name"]

    def update(tx: Transaction) -> None:
        current = tx.get(data_catalogs, call.account_id, call.region, name)
        if current is None:
            raise not_found(name)
        changed = replace(
            current,
            kind=request["Type"],
            description=request.get("Description", current.description),
            parameters=dict(request.get("Parameters") or current.parameters),
        )
        tx.put(data_catalogs, call.account_id, call.region, name, changed)

    call.documents.transact(update)
    return {}


@service.operation(resource=DATA_CATALOG)
def delete_data_catalog(
    call: Call, request: shapes.DeleteDataCatalogInput
) -> shapes.DeleteDataCatalogOutput:
    """Forget a data catalog; the tables in it stay.

    Raises InvalidRequestException if there is none. AWS: Athena DeleteDataCatalog.
    """
    if request.get("DeleteCatalogOnly"):
        raise NotImplementedException("Cloche does not implement DeleteCatalogOnly of Athena yet.")
    name = request["Name"]
    deleted = call.documents.delete(data_catalogs, call.account_id, call.region, name)
    if deleted is None:
        raise not_found(name)
    return {"DataCatalog": deleted.shown()}


def _check(call: Call, request: Mapping[str, Any]) -> None:
    kind = request["Type"]
    if kind != "GLUE":
        raise NotImplementedException(
            f"Cloche does not implement data catalogs of Type {kind} in Athena yet."
        )
    parameters = request.get("Parameters") or {}
    unknown = sorted(parameters.keys() - {"catalog-id"})
    if unknown:
        raise InvalidRequestException(f"Unknown parameter {unknown[0]} for a catalog of type GLUE")
    if parameters.get("catalog-id", call.account_id) != call.account_id:
        raise NotImplementedException(
            "Cloche does not implement Glue catalogs of other accounts (catalog-id) in Athena yet."
        )
