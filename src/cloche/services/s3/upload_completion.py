"""CompleteMultipartUpload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectRecord, ObjectStore, Part, Upload, UploadNotFound
from cloche.services.s3.bucket_records import Bucket, load_bucket
from cloche.services.s3.checksums import (
    MEMBERS,
    combined_checksum,
    multipart_etag,
)
from cloche.services.s3.conditions import write_condition
from cloche.services.s3.errors import (
    BadDigest,
    EntityTooSmall,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    MalformedXML,
    NoSuchUpload,
)
from cloche.services.s3.object_events import tell_created
from cloche.services.s3.object_parts import MAX_PART_NUMBER
from cloche.services.s3.object_properties import checksum_of, encryption_answer, refuse_unbuilt
from cloche.services.s3.receiving import translated
from cloche.services.s3.service import service
from cloche.services.s3.uploads import find_upload, object_properties, upload_checksum
from cloche.services.s3.versioning import written_version

if TYPE_CHECKING:
    from aws_shapes import s3 as shapes

MIN_PART_BYTES = 5 * 1024**2


@service.operation(action="s3:PutObject", resource="arn:{partition}:s3:::{Bucket}/{Key}")
async def complete_multipart_upload(
    call: Call, request: shapes.CompleteMultipartUploadRequest
) -> shapes.CompleteMultipartUploadOutput:
    """Make an object of an upload's parts. AWS: S3 CompleteMultipartUpload.

    A repeated request is answered again while the object is still the one that it made.
    Difference from AWS: the parts' checksums may be left out of the request.
    """
    refuse_unbuilt(request)
    bucket = load_bucket(call, request)
    named = _named_parts(request)
    condition = write_condition(request)
    try:
        upload = await find_upload(call, bucket, request)
    except NoSuchUpload:
        made = await _made_before(call, request, named)
        if made is None:
            raise
        return _answer(call, bucket, made)
    parts = _chosen(upload, named, await _all_parts(call, upload))
    algorithm, kind = upload_checksum(upload)
    properties = object_properties(upload)
    checksum = combined_checksum(algorithm, kind, parts)
    if checksum is not None:
        properties["checksums"] = {f"Checksum{algorithm}": checksum}
        properties["checksum_type"] = kind
    _check_whole(request, parts, properties)
    try:
        record = await call.engine(ObjectStore).complete_upload(
            upload,
            [part.number for part in parts],
            versioning=bucket.versioning,
            properties=properties,
            etag=multipart_etag(parts),
            condition=condition,
        )
    except LookupError as error:
        raise translated(error, request) from error
    await tell_created(call, bucket, record, "CompleteMultipartUpload")
    return _answer(call, bucket, record)


def _named_parts(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts that the request names.

    Raises:
        MalformedXML: it names none, or one without number or ETag.
        InvalidPartOrder: their numbers do not rise.
    """
    named: list[dict[str, Any]] = (request.get("MultipartUpload") or {}).get("Parts") or []
    if not named or len(named) > MAX_PART_NUMBER:
        raise MalformedXML
    if any("PartNumber" not in part or "ETag" not in part for part in named):
        raise MalformedXML
    numbers = [part["PartNumber"] for part in named]
    if any(second <= first for first, second in pairwise(numbers)):
        raise InvalidPartOrder(UploadId=request["UploadId"])
    return named


async def _made_before(
    call: Call, request: Mapping[str, Any], named: Sequence[Mapping[str, Any]]
) -> ObjectRecord | None:
    """The current object, if this very request has made it before."""
    record = await call.engine(ObjectStore).head(request["Bucket"], request["Key"])
    if record is None or record.properties.get("upload_id") != request["UploadId"]:
        return None
    made = [(part.number, part.etag) for part in record.parts]
    asked = [(part["PartNumber"], part["ETag"].strip('"')) for part in named]
    return record if made == asked else None


async def _all_parts(call: Call, upload: Upload) -> dict[int, Part]:
    try:
        parts = await call.engine(ObjectStore).list_parts(upload, max_parts=MAX_PART_NUMBER)
    except UploadNotFound as error:
        raise NoSuchUpload(UploadId=upload.upload_id) from error
    return {part.number: part for part in parts}


def _chosen(
    upload: Upload, named: Sequence[Mapping[str, Any]], stored: Mapping[int, Part]
) -> list[Part]:
    """The stored parts that are named.

    Raises:
        InvalidPart: one was not uploaded, or has another ETag or checksum.
        EntityTooSmall: one before the last has under 5 MiB.
    """
    parts: list[Part] = []
    for each in named:
        number, etag = each["PartNumber"], each["ETag"].strip('"')
        part = stored.get(number)
        if part is None or part.etag != etag or not _has_checksums(each, part):
            raise InvalidPart(UploadId=upload.upload_id, PartNumber=number, ETag=etag)
        parts.append(part)
    for part in parts[:-1]:
        if part.size_bytes < MIN_PART_BYTES:
            raise EntityTooSmall(
                ProposedSize=part.size_bytes,
                MinSizeAllowed=MIN_PART_BYTES,
                PartNumber=part.number,
                ETag=part.etag,
            )
    return parts


def _has_checksums(named: Mapping[str, Any], part: Part) -> bool:
    return all(
        part.checksums.get(MEMBERS[member].lower()) == named[member]
        for member in MEMBERS.keys() & named.keys()
    )


def _check_whole(
    request: Mapping[str, Any], parts: Sequence[Part], properties: Mapping[str, Any]
) -> None:
    """Compare what the request says of the whole object with what it is.

    Raises:
        InvalidRequest: its size or the type of its checksum is another.
        BadDigest: its checksum is another.
    """
    size_bytes = sum(part.size_bytes for part in parts)
    announced = request.get("MpuObjectSize")
    if announced is not None and announced != size_bytes:
        raise InvalidRequest(
            f"The provided 'x-amz-mp-object-size' header value {announced} does not match what "
            f"was computed: {size_bytes}"
        )
    kind = properties.get("checksum_type")
    if request.get("ChecksumType", kind) != kind:
        raise InvalidRequest(
            f"The upload was created using the {kind} checksum mode. The complete request must "
            "use the same checksum mode."
        )
    checksums: Mapping[str, str] = properties.get("checksums", {})
    for member in MEMBERS.keys() & request.keys():
        computed = checksums.get(member, "")
        if request[member] not in (computed, computed.partition("-")[0]):
            raise BadDigest(
                f"The {MEMBERS[member]} you specified did not match the calculated checksum."
            )


def _answer(call: Call, bucket: Bucket, record: ObjectRecord) -> Any:
    key = quote(record.key)
    location = f"/{bucket.name}/{key}"
    if call.http is not None:
        scheme = "https" if call.http.is_secure else "http"
        location = f"{scheme}://{call.http.host}{location}"
    return {
        "Location": location,
        "Bucket": bucket.name,
        "Key": record.key,
        "ETag": f'"{record.etag}"',
        **checksum_of(record),
        **encryption_answer(record.properties),
        **written_version(bucket, record),
    }
