"""Athena's errors."""

from __future__ import annotations

from typing import Any

from cloche.core.errors import AWSError
from cloche.core.operations import Call


class InvalidRequestException(AWSError):
    """Something is wrong with the request."""

    def __init__(self, message: str, *, code: str = "INVALID_INPUT", **members: Any) -> None:
        super().__init__(message, AthenaErrorCode=code, **members)


class ResourceNotFoundException(AWSError):
    """A resource does not exist."""


class MetadataException(AWSError):
    """What a data catalog was asked for, it does not have."""


class AccessDeniedException(AWSError):
    """The caller may not do what the operation needs."""


class TooManyRequestsException(AWSError):
    """There are as many queries as there may be."""


def metadata_exception(call: Call, error: AWSError) -> MetadataException:
    """What the Data Catalog answered, in the words in which Athena passes it on.

    Drivers read the catalog's own error out of the parentheses at the end: SQLAlchemy's dialect
    knows by `EntityNotFoundException` that a table is not there.
    """
    return MetadataException(
        f"{error.message} (Service: AmazonDataCatalog; Status Code: {error.status}; "
        f"Error Code: {error.code}; Request ID: {call.request_id}; Proxy: null)"
    )
