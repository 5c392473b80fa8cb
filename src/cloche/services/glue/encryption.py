"""A catalog's encryption settings: kept and answered.

Nothing is encrypted on disk. What they say of passwords has an effect nonetheless: where passwords
may leave the catalog only encrypted, they don't leave it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.services.glue.arns import catalog_arns
from cloche.services.glue.catalog_records import storable
from cloche.services.glue.encryption_records import SETTINGS, encryption_settings
from cloche.services.glue.errors import InvalidInputException
from cloche.services.glue.refusals import account_of
from cloche.services.glue.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes

_DEFAULT: Any = {
    "EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"},
    "ConnectionPasswordEncryption": {"ReturnConnectionPasswordEncrypted": False},
}


@service.operation(resource=catalog_arns)
def get_data_catalog_encryption_settings(
    call: Call, request: shapes.GetDataCatalogEncryptionSettingsRequest
) -> shapes.GetDataCatalogEncryptionSettingsResponse:
    """The settings as they were put. AWS: Glue GetDataCatalogEncryptionSettings."""
    account = account_of(call, request)
    found: Any = call.documents.get(encryption_settings, account, call.region, SETTINGS)
    settings: Any = {**_DEFAULT, **(found or {})}
    return {"DataCatalogEncryptionSettings": settings}


@service.operation(resource=catalog_arns, does="stored")
def put_data_catalog_encryption_settings(
    call: Call, request: shapes.PutDataCatalogEncryptionSettingsRequest
) -> Empty:
    """Replace the settings.

    Raises InvalidInputException for encrypted passwords without a key. AWS: Glue
    PutDataCatalogEncryptionSettings.
    """
    account = account_of(call, request)
    given = storable(request["DataCatalogEncryptionSettings"])
    passwords = given.get("ConnectionPasswordEncryption") or {}
    if passwords.get("ReturnConnectionPasswordEncrypted") and not passwords.get("AwsKmsKeyId"):
        raise InvalidInputException("AwsKmsKeyId must be given to encrypt connection passwords.")
    call.documents.put(encryption_settings, account, call.region, SETTINGS, given)
    return {}
