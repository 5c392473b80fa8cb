"""Where results go and how: what a workgroup and a request may say of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cloche.core.errors import NotImplementedException
from cloche.services.athena.errors import InvalidRequestException

_LOCATION = re.compile(r"s3://([^/]+)(?:/.*)?", re.DOTALL)


def check_result_configuration(configuration: Mapping[str, Any] | None) -> None:
    """Refuse what cannot be done with results.

    Raises:
        InvalidRequestException: the location is none.
        NotImplementedException: it asks for what Cloche does not do.
    """
    if not configuration:
        return
    location = configuration.get("OutputLocation")
    if location and _LOCATION.fullmatch(location) is None:
        raise InvalidRequestException(f"outputLocation is not a valid S3 path. Provided {location}")
    encryption = configuration.get("EncryptionConfiguration") or {}
    option = encryption.get("EncryptionOption", "SSE_S3")
    if option == "SSE_S3" and "KmsKey" in encryption:
        raise InvalidRequestException("KmsKey is not allowed with SSE_S3 encryption")
    if option == "CSE_KMS":
        raise NotImplementedException(
            f"Cloche does not implement EncryptionOption {option} of Athena's results yet."
        )


def object_encryption(configuration: Mapping[str, Any]) -> dict[str, str]:
    """The members of PutObject by which what a query writes is encrypted as is asked for."""
    encryption = configuration.get("EncryptionConfiguration") or {}
    option = encryption.get("EncryptionOption")
    if option is None:
        return {}
    if option == "SSE_S3":
        return {"ServerSideEncryption": "AES256"}
    key = {"SSEKMSKeyId": encryption["KmsKey"]} if "KmsKey" in encryption else {}
    return {"ServerSideEncryption": "aws:kms", **key}


def bucket_and_key(location: str) -> tuple[str, str]:
    """Bucket and key of an S3 URL, of `s3`, `s3a` or `s3n`.

    Raises:
        ValueError: it is none.
    """
    scheme, separator, rest = location.partition("://")
    bucket, _, key = rest.partition("/")
    if not separator or scheme.lower() not in ("s3", "s3a", "s3n") or not bucket:
        raise ValueError(f"{location!r} is not an S3 location")
    return bucket, key


def folder(location: str) -> str:
    """A location with a slash at its end."""
    return location if location.endswith("/") else f"{location}/"
