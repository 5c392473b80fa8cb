"""ListObjects, ListObjectsV2 and ListObjectVersions."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.engines.objects.store import NULL_VERSION, ObjectRecord, ObjectStore
from cloche.services.s3.bucket_records import Bucket, load_bucket
from cloche.services.s3.canned_acls import owner
from cloche.services.s3.decisions import object_owner
from cloche.services.s3.errors import InvalidArgument
from cloche.services.s3.finding import check_version_id
from cloche.services.s3.object_properties import last_modified, refuse_unbuilt
from cloche.services.s3.paging import Encoding, page_size
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import s3 as shapes

_NOTHING: Mapping[str, Any] = {}
_BUCKET = "arn:{partition}:s3:::{Bucket}"


@service.operation(action="s3:ListBucket", resource=_BUCKET)
async def list_objects(call: Call, request: shapes.ListObjectsRequest) -> shapes.ListObjectsOutput:
    """A page of a bucket's objects, the old way. AWS: S3 ListObjects."""
    bucket, encoding, limit = _opened(call, request)
    delimiter = request.get("Delimiter", "")
    marker = request.get("Marker", "")
    page = await call.engine(ObjectStore).list(
        bucket.name,
        prefix=request.get("Prefix", ""),
        delimiter=delimiter,
        after=marker,
        max_keys=limit,
    )
    output: Any = {
        **_echoed(request, bucket, encoding, limit),
        "Marker": encoding(marker),
        "IsTruncated": page.next_key is not None,
        "Contents": _entries(bucket, page.records, encoding, has_owner=True),
        "CommonPrefixes": encoding.common_prefixes(page.common_prefixes),
    }
    if delimiter and page.next_key is not None:
        output["NextMarker"] = encoding(page.next_key)
    return output


@service.operation(action="s3:ListBucket", resource=_BUCKET)
async def list_objects_v2(
    call: Call, request: shapes.ListObjectsV2Request
) -> shapes.ListObjectsV2Output:
    """A page of a bucket's objects. AWS: S3 ListObjectsV2."""
    bucket, encoding, limit = _opened(call, request)
    token = request.get("ContinuationToken")
    start_after = request.get("StartAfter")
    page = await call.engine(ObjectStore).list(
        bucket.name,
        prefix=request.get("Prefix", ""),
        delimiter=request.get("Delimiter", ""),
        after=start_after or "" if token is None else _read_token(token),
        max_keys=limit,
    )
    has_owner = request.get("FetchOwner", False)
    output: Any = {
        **_echoed(request, bucket, encoding, limit),
        "IsTruncated": page.next_key is not None,
        "KeyCount": len(page.records) + len(page.common_prefixes),
        "Contents": _entries(bucket, page.records, encoding, has_owner=has_owner),
        "CommonPrefixes": encoding.common_prefixes(page.common_prefixes),
    }
    if token is not None:
        output["ContinuationToken"] = token
    if start_after is not None:
        output["StartAfter"] = encoding(start_after)
    if page.next_key is not None:
        output["NextContinuationToken"] = _token(page.next_key)
    return output


@service.operation(action="s3:ListBucketVersions", resource=_BUCKET)
async def list_object_versions(
    call: Call, request: shapes.ListObjectVersionsRequest
) -> shapes.ListObjectVersionsOutput:
    """A page of all versions and delete markers. AWS: S3 ListObjectVersions."""
    bucket, encoding, limit = _opened(call, request)
    key_marker = request.get("KeyMarker", "")
    version_marker = _version_marker(request)
    page = await call.engine(ObjectStore).list_versions(
        bucket.name,
        prefix=request.get("Prefix", ""),
        delimiter=request.get("Delimiter", ""),
        key_marker=key_marker,
        version_id_marker=version_marker,
        max_keys=limit,
    )
    output: Any = {
        **_echoed(request, bucket, encoding, limit),
        "KeyMarker": encoding(key_marker),
        "VersionIdMarker": version_marker or "",
        "IsTruncated": page.next_key is not None,
        "Versions": [
            _version(bucket, record, encoding)
            for record in page.records
            if not record.is_delete_marker
        ],
        "DeleteMarkers": [
            _delete_marker(bucket, record, encoding)
            for record in page.records
            if record.is_delete_marker
        ],
        "CommonPrefixes": encoding.common_prefixes(page.common_prefixes),
    }
    if page.next_key is not None:
        output["NextKeyMarker"] = encoding(page.next_key)
        if page.next_version_id is not None:
            output["NextVersionIdMarker"] = page.next_version_id
    return output


def _opened(call: Call, request: Mapping[str, Any]) -> tuple[Bucket, Encoding, int]:
    """The bucket, how names are encoded, and the page's size.

    `OptionalObjectAttributes` may ask for `RestoreStatus`, which no object here has.
    """
    refuse_unbuilt(request)
    for attribute in request.get("OptionalObjectAttributes", ()):
        if attribute != "RestoreStatus":
            raise InvalidArgument(
                "Invalid attribute name specified",
                ArgumentName="x-amz-optional-object-attributes",
                ArgumentValue=attribute,
            )
    encoding = Encoding(request)
    limit = page_size(request, "MaxKeys", "max-keys")
    return load_bucket(call, request), encoding, limit


def _echoed(
    request: Mapping[str, Any], bucket: Bucket, encoding: Encoding, limit: int
) -> dict[str, Any]:
    """What a listing repeats of its request."""
    echoed: dict[str, Any] = {
        "Name": bucket.name,
        "Prefix": encoding(request.get("Prefix", "")),
        "MaxKeys": limit,
        **encoding.members(),
    }
    delimiter = request.get("Delimiter", "")
    if delimiter:
        echoed["Delimiter"] = encoding(delimiter)
    return echoed


def _entries(
    bucket: Bucket, records: Sequence[ObjectRecord], encoding: Encoding, *, has_owner: bool
) -> list[dict[str, Any]]:
    """What is said of each object; written for pages of a thousand."""
    is_plain = encoding.kind is None
    entries: list[dict[str, Any]] = []
    for record in records:
        properties = record.properties
        entry: dict[str, Any] = {
            "Key": record.key if is_plain else encoding(record.key),
            "LastModified": int(record.last_modified),
            "ETag": f'"{record.etag}"',
            "Size": record.size_bytes,
            "StorageClass": properties.get("answer", _NOTHING).get("StorageClass", "STANDARD"),
        }
        checksums = properties.get("checksums")
        if checksums:
            entry["ChecksumAlgorithm"] = _algorithms(*checksums)
            entry["ChecksumType"] = properties["checksum_type"]
        if has_owner:
            entry["Owner"] = owner(object_owner(bucket, record))
        entries.append(entry)
    return entries


@lru_cache(maxsize=256)
def _algorithms(*members: str) -> tuple[str, ...]:
    """`CRC32` and the like, from the members that hold the checksums."""
    return tuple(member.removeprefix("Checksum") for member in members)


def _version(bucket: Bucket, record: ObjectRecord, encoding: Encoding) -> dict[str, Any]:
    (entry,) = _entries(bucket, (record,), encoding, has_owner=True)
    entry["VersionId"] = record.version_id
    entry["IsLatest"] = record.is_latest
    return entry


def _delete_marker(bucket: Bucket, record: ObjectRecord, encoding: Encoding) -> dict[str, Any]:
    return {
        "Key": encoding(record.key),
        "VersionId": record.version_id,
        "IsLatest": record.is_latest,
        "LastModified": last_modified(record),
        "Owner": owner(object_owner(bucket, record)),
    }


def _version_marker(request: Mapping[str, Any]) -> str | None:
    marker: str | None = request.get("VersionIdMarker")
    if marker is None:
        return None
    if not request.get("KeyMarker"):
        if not marker:
            return None
        raise InvalidArgument(
            "A version-id marker cannot be specified without a key marker.",
            ArgumentName="version-id-marker",
            ArgumentValue=marker,
        )
    if not marker:
        raise InvalidArgument(
            "A version-id marker cannot be empty.",
            ArgumentName="version-id-marker",
            ArgumentValue=marker,
        )
    if marker != NULL_VERSION:
        check_version_id(marker)
    return marker


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _read_token(token: str) -> str:
    try:
        key = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        key = ""
    if not key:
        raise InvalidArgument(
            "The continuation token provided is incorrect",
            ArgumentName="continuation-token",
            ArgumentValue=token,
        )
    return key
