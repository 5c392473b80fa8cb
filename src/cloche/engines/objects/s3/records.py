"""What Cloche knows of an object beyond its bytes, and where the endpoint keeps it.

Each object has an id in its user metadata (`cloche-id`), new with each write, and its description
beside it (`cloche-description`, JSON in base64) if that is short. Long descriptions, those of
objects made of parts, and all that were changed later are an object of their own in the bucket of
records, under `objects/<bucket>/<id>`, which wins. A new object's long description is written
before the object, so a crash between the two leaves nothing but a few unused bytes.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from botocore.exceptions import ClientError

from cloche.engines.objects.s3.endpoint import Endpoint, code_of
from cloche.engines.objects.store import Part

_ID = "cloche-id"
_DESCRIPTION = "cloche-description"
_MAX_METADATA_BYTES = 1800
_DELETED_AT_ONCE = 1000

_T = TypeVar("_T")


class Description(msgspec.Struct, frozen=True):
    """See `store.ObjectRecord`."""

    etag: str
    last_modified: float
    properties: dict[str, Any]
    parts: tuple[Part, ...] = ()


class Records:
    """The bucket of records."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._s3 = endpoint.s3

    def get(self, name: str, kind: type[_T]) -> tuple[_T, str] | None:
        """A record and its ETag; None if there is none."""
        try:
            answer = self._s3.get_object(Bucket=self._endpoint.records_bucket, Key=name)
        except ClientError as error:
            if code_of(error) == "NoSuchKey":
                return None
            raise
        return msgspec.json.decode(answer["Body"].read(), type=kind), answer["ETag"]

    def put(self, name: str, record: msgspec.Struct, **condition: str) -> None:
        """Write a record."""
        self._s3.put_object(
            Bucket=self._endpoint.records_bucket,
            Key=name,
            Body=msgspec.json.encode(record),
            **condition,
        )

    def delete(self, name: str) -> None:
        """Remove a record, if there is one."""
        self._s3.delete_object(Bucket=self._endpoint.records_bucket, Key=name)

    def delete_all(self, prefix: str) -> None:
        """Remove all records whose names begin so."""
        names = list(self._names(prefix))
        for start in range(0, len(names), _DELETED_AT_ONCE):
            listed = [{"Key": name} for name in names[start : start + _DELETED_AT_ONCE]]
            self._s3.delete_objects(
                Bucket=self._endpoint.records_bucket, Delete={"Objects": listed, "Quiet": True}
            )

    def _names(self, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._endpoint.records_bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                yield entry["Key"]


def new_id() -> str:
    """An id that no write had."""
    return secrets.token_hex(16)


def record_name(bucket: str, object_id: str) -> str:
    """The name of the record with an object's description."""
    return f"objects/{bucket}/{object_id}"


def metadata(object_id: str, description: Description | None) -> dict[str, str] | None:
    """User metadata of an object; None if the description is too long for it."""
    if description is None:
        return {_ID: object_id}
    text = base64.b64encode(msgspec.json.encode(description)).decode()
    return {_ID: object_id, _DESCRIPTION: text} if len(text) <= _MAX_METADATA_BYTES else None


def object_id_in(found: dict[str, str]) -> str | None:
    """The id in user metadata; None if Cloche did not write the object."""
    return found.get(_ID)


def description_in(found: dict[str, str]) -> Description | None:
    """The description in user metadata, if there is one."""
    text = found.get(_DESCRIPTION)
    return None if text is None else msgspec.json.decode(base64.b64decode(text), type=Description)
