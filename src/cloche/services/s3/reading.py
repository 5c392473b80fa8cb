"""GetObject, HeadObject and GetObjectAttributes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime, formatdate
from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectRecord, ObjectStore
from cloche.services.s3.attributes import described_attributes
from cloche.services.s3.bucket_records import Bucket, load_bucket
from cloche.services.s3.byte_ranges import ByteRange, read_range
from cloche.services.s3.conditions import check_read
from cloche.services.s3.errors import InvalidRequest, NoSuchKey
from cloche.services.s3.finding import check_readable, find_version, version_members
from cloche.services.s3.object_parts import part_checksums, part_range
from cloche.services.s3.object_properties import (
    answer_of,
    checksum_of,
    last_modified,
    refuse_unbuilt,
)
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import s3 as shapes

_OBJECT = "arn:{partition}:s3:::{Bucket}/{Key}"
_OVERRIDES = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
)


@service.operation(resource=_OBJECT)
async def get_object(call: Call, request: shapes.GetObjectRequest) -> shapes.GetObjectOutput:
    """An object's bytes, or a range of them. AWS: S3 GetObject."""
    bucket = load_bucket(call, request)
    record = await _find(call, bucket, request)
    check_readable(record)
    output: Any
    output, start, length = _answer(call, bucket, request, record)
    try:
        output["Body"] = await call.engine(ObjectStore).read(record, start, length)
    except FileNotFoundError as error:
        raise NoSuchKey(Key=record.key) from error
    return output


@service.operation(action="s3:GetObject", resource=_OBJECT)
async def head_object(call: Call, request: shapes.HeadObjectRequest) -> shapes.HeadObjectOutput:
    """What GetObject would say, without the bytes. AWS: S3 HeadObject."""
    bucket = load_bucket(call, request)
    record = await _find(call, bucket, request)
    output: Any = _answer(call, bucket, request, record)[0]
    return output


@service.operation(resource=_OBJECT)
async def get_object_attributes(
    call: Call, request: shapes.GetObjectAttributesRequest
) -> shapes.GetObjectAttributesOutput:
    """An object's size, ETag, checksums and parts. AWS: S3 GetObjectAttributes."""
    refuse_unbuilt(request)
    bucket = load_bucket(call, request)
    record = await find_version(call, bucket, request["Key"], request.get("VersionId"))
    output: Any = {
        "LastModified": last_modified(record),
        **version_members(bucket, record),
        **described_attributes(request, record),
    }
    return output


async def _find(call: Call, bucket: Bucket, request: Mapping[str, Any]) -> ObjectRecord:
    refuse_unbuilt(request)
    if request.get("Range") is not None and request.get("PartNumber") is not None:
        raise InvalidRequest("Cannot specify both Range header and partNumber query parameter")
    record = await find_version(call, bucket, request["Key"], request.get("VersionId"))
    if (
        "IfMatch" in request
        or "IfNoneMatch" in request
        or "IfModifiedSince" in request
        or ("IfUnmodifiedSince" in request)
    ):
        check_read(request, record, _not_modified_headers(bucket, record))
    return record


def _not_modified_headers(bucket: Bucket, record: ObjectRecord) -> dict[str, str]:
    headers = {
        "etag": f'"{record.etag}"',
        "last-modified": formatdate(record.last_modified, usegmt=True),
    }
    cache_control = record.properties.get("answer", {}).get("CacheControl")
    if cache_control is not None:
        headers["cache-control"] = cache_control
    if bucket.versioning != "Unversioned":
        headers["x-amz-version-id"] = record.version_id
    return headers


def _answer(
    call: Call, bucket: Bucket, request: Mapping[str, Any], record: ObjectRecord
) -> tuple[dict[str, Any], int, int]:
    """The output without a body, and which bytes of the object are its body."""
    output = answer_of(bucket, record)
    _override(call, request, output)
    selected = _selected(request, record)
    wants_checksums = request.get("ChecksumMode", "").upper() == "ENABLED"
    if request.get("PartNumber") is not None and record.parts:
        output["PartsCount"] = len(record.parts)
        if wants_checksums:
            output.update(part_checksums(record, request["PartNumber"]))
    elif wants_checksums and selected is None:
        output.update(checksum_of(record))
    if selected is None:
        output["ContentLength"] = record.size_bytes
        return output, 0, record.size_bytes
    call.answer.status = 206
    output["ContentRange"] = selected.content_range(record.size_bytes)
    output["ContentLength"] = selected.length
    return output, selected.start, selected.length


def _selected(request: Mapping[str, Any], record: ObjectRecord) -> ByteRange | None:
    """The part of an object that is asked for; None for all of it."""
    if request.get("PartNumber") is not None:
        return part_range(record, request["PartNumber"])
    header = request.get("Range")
    return None if header is None else read_range(header, record.size_bytes)


def _override(call: Call, request: Mapping[str, Any], output: dict[str, Any]) -> None:
    """Answer with the headers that `response-…` parameters ask for."""
    for member in _OVERRIDES:
        value = request.get(f"Response{member}")
        if value is None:
            continue
        if call.principal.kind == "Anonymous":
            raise InvalidRequest(
                "Request specific response headers cannot be used for anonymous GET requests."
            )
        is_instant = isinstance(value, datetime)
        output[member] = format_datetime(value, usegmt=True) if is_instant else value
