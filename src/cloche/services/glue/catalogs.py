"""Catalogs: an account's own, which is the only one here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.services.glue.arns import arn, catalog_arns
from cloche.services.glue.errors import EntityNotFoundException, InvalidInputException
from cloche.services.glue.refusals import account_of
from cloche.services.glue.service import service
from cloche.services.glue.stored_databases import EVERYBODY

if TYPE_CHECKING:
    from aws_shapes import glue as shapes


@service.operation(resource=catalog_arns)
def get_catalog(call: Call, request: shapes.GetCatalogRequest) -> shapes.GetCatalogResponse:
    """An account's catalog.

    Raises EntityNotFoundException for any other. AWS: Glue GetCatalog.
    """
    return {"Catalog": _shown(call, account_of(call, request))}


@service.operation(resource=catalog_arns)
def get_catalogs(call: Call, request: shapes.GetCatalogsRequest) -> shapes.GetCatalogsResponse:
    """The catalogs below the account's own, which are none, and itself with IncludeRoot.

    Raises EntityNotFoundException if the parent is another. AWS: Glue GetCatalogs.
    """
    parent = request.get("ParentCatalogId", call.account_id)
    if parent != call.account_id:
        raise EntityNotFoundException(f"Catalog {parent} not found.")
    if request.get("NextToken"):
        raise InvalidInputException("Invalid NextToken.")
    return {"CatalogList": [_shown(call, parent)] if request.get("IncludeRoot") else []}


@service.operation(resource=catalog_arns)
def get_catalog_import_status(
    call: Call, request: shapes.GetCatalogImportStatusRequest
) -> shapes.GetCatalogImportStatusResponse:
    """That nothing is left to import: Athena never had a catalog of its own here.

    AWS: Glue GetCatalogImportStatus.
    """
    account_of(call, request)
    return {"ImportStatus": {"ImportCompleted": True}}


def _shown(call: Call, account: str) -> Any:
    return {
        "CatalogId": account,
        "Name": account,
        "ResourceArn": arn(call, account, "catalog"),
        "CreateTableDefaultPermissions": EVERYBODY,
        "CreateDatabaseDefaultPermissions": EVERYBODY,
    }
