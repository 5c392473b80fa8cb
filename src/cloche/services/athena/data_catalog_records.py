"""What is kept about a data catalog, and which one a name means."""

from __future__ import annotations

from typing import Any

import msgspec

from cloche.core.documents import Documents, Table
from cloche.core.operations import Call
from cloche.services.athena.errors import InvalidRequestException

AWS_DATA_CATALOG = "AwsDataCatalog"
FEDERATED = "FEDERATED"


class DataCatalog(msgspec.Struct, frozen=True):
    """A data catalog.

    Attributes:
        kind: `GLUE`, the account's own Glue Data Catalog under a further name, or `FEDERATED`, a
            database elsewhere.
        parameters: as given (`catalog-id`, `connection-arn`).
        tags: by key.
        connection_type: of a federated one, `POSTGRESQL` or `MYSQL`.
    """

    name: str
    kind: str
    description: str | None = None
    parameters: dict[str, str] = {}
    tags: dict[str, str] = {}
    connection_type: str | None = None

    def shown(self) -> Any:
        """As `DataCatalog` in the model."""
        shown: dict[str, Any] = {
            "Name": self.name,
            "Type": self.kind,
            "Parameters": self.parameters,
            "Status": "CREATE_COMPLETE",
        }
        if self.description is not None:
            shown["Description"] = self.description
        if self.connection_type is not None:
            shown["ConnectionType"] = self.connection_type
        return shown


data_catalogs = Table("athena.data_catalogs", DataCatalog)


def find_data_catalog(documents: Documents, account: str, region: str, name: str) -> DataCatalog:
    """The catalog of a name; in any case of letters where none is spelt just so.

    Raises:
        InvalidRequestException: there is none.
    """
    if name.lower() == AWS_DATA_CATALOG.lower():
        return DataCatalog(AWS_DATA_CATALOG, "GLUE", parameters={"catalog-id": account})
    found = documents.get_cached(data_catalogs, account, region, name)
    if found is not None:
        return found
    # In a statement a name has no case.
    for each in documents.iterate(data_catalogs, account, region):
        if each.name.lower() == name.lower():
            return each.value
    raise not_found(name)


def data_catalog_of(call: Call, name: str) -> DataCatalog:
    """The catalog that a call names.

    Raises:
        InvalidRequestException: there is none.
    """
    return find_data_catalog(call.documents, call.account_id, call.region, name)


def not_found(name: str) -> InvalidRequestException:
    """The error for a data catalog that does not exist."""
    return InvalidRequestException(f"DataCatalog {name} was not found")
