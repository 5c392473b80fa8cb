"""What GetObjectAttributes tells of an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.engines.objects.store import ObjectRecord
from cloche.services.s3.errors import InvalidArgument
from cloche.services.s3.object_parts import checksum_members_of
from cloche.services.s3.object_properties import checksum_of, storage_class
from cloche.services.s3.paging import page_size

_ATTRIBUTES = frozenset({"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"})


def described_attributes(request: Mapping[str, Any], record: ObjectRecord) -> dict[str, Any]:
    """The attributes that a request asks for.

    Raises:
        InvalidArgument: it asks for one that there is not.
    """
    named = request.get("ObjectAttributes", ())
    asked = set(named)
    if not asked or asked - _ATTRIBUTES:
        raise InvalidArgument(
            "Invalid attribute name specified.",
            ArgumentName="x-amz-object-attributes",
            ArgumentValue=",".join(named),
        )
    described: dict[str, Any] = {}
    checksums = checksum_of(record)
    if "ETag" in asked:
        described["ETag"] = record.etag
    if "Checksum" in asked and checksums:
        described["Checksum"] = checksums
    if "ObjectParts" in asked and record.parts:
        described["ObjectParts"] = _parts(request, record)
    if "StorageClass" in asked:
        described["StorageClass"] = storage_class(record)
    if "ObjectSize" in asked:
        described["ObjectSize"] = record.size_bytes
    return described


def _parts(request: Mapping[str, Any], record: ObjectRecord) -> dict[str, Any]:
    limit = page_size(request, "MaxParts", "max-parts")
    marker: int = request.get("PartNumberMarker", 0)
    rest = [part for part in record.parts if part.number > marker]
    page = rest[:limit]
    parts: dict[str, Any] = {
        "TotalPartsCount": len(record.parts),
        "PartNumberMarker": marker,
        "MaxParts": limit,
        "IsTruncated": len(rest) > len(page),
        "Parts": [
            {
                "PartNumber": part.number,
                "Size": part.size_bytes,
                **checksum_members_of(part.checksums),
            }
            for part in page
        ],
    }
    if page:
        parts["NextPartNumberMarker"] = page[-1].number
    return parts
