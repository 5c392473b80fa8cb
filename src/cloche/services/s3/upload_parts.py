"""UploadPart, UploadPartCopy and ListParts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectStore, Part, Staged, Upload, UploadNotFound
from cloche.services.s3.bucket_records import load_bucket
from cloche.services.s3.byte_ranges import ByteRange, read_copy_range
from cloche.services.s3.checksums import announced_checksum, encoded
from cloche.services.s3.copying import find_source
from cloche.services.s3.errors import InvalidRequest, NoSuchUpload
from cloche.services.s3.object_parts import check_part_number, checksum_members_of, part_members
from cloche.services.s3.object_properties import encryption_answer, refuse_unbuilt
from cloche.services.s3.paging import page_size
from cloche.services.s3.receiving import MAX_REQUEST_BYTES, receive, storing
from cloche.services.s3.service import service
from cloche.services.s3.uploads import (
    declared_algorithm,
    find_upload,
    upload_checksum,
    upload_members,
)

if TYPE_CHECKING:
    from aws_shapes import s3 as shapes

_OBJECT = "arn:{partition}:s3:::{Bucket}/{Key}"


@service.operation(action="s3:PutObject", resource=_OBJECT)
async def upload_part(call: Call, request: shapes.UploadPartRequest) -> shapes.UploadPartOutput:
    """Store a part of an upload. AWS: S3 UploadPart."""
    refuse_unbuilt(request)
    check_part_number(request["PartNumber"])
    bucket = load_bucket(call, request)
    upload = await find_upload(call, bucket, request)
    _check_algorithm(call, upload, request)
    algorithm = upload_checksum(upload)[0]
    received = await receive(call, request, algorithm=algorithm)
    checksums = {name.lower(): digest for name, digest in received.digests.items()}
    async with storing(call, request, received.staged):
        part = await call.engine(ObjectStore).put_part(
            upload, request["PartNumber"], received.staged, checksums
        )
    answered = received.announced or algorithm
    answer: Any = {
        "ETag": f'"{part.etag}"',
        f"Checksum{answered}": received.digests[answered],
        **encryption_answer(upload.properties),
    }
    return answer


@service.operation(action="s3:PutObject", resource=_OBJECT)
async def upload_part_copy(
    call: Call, request: shapes.UploadPartCopyRequest
) -> shapes.UploadPartCopyOutput:
    """Store bytes of an object that is here already as a part. AWS: S3 UploadPartCopy."""
    refuse_unbuilt(request)
    check_part_number(request["PartNumber"])
    bucket = load_bucket(call, request)
    upload = await find_upload(call, bucket, request)
    source = await find_source(call, request)
    size_bytes = source.record.size_bytes
    header = request.get("CopySourceRange")
    taken = ByteRange(0, size_bytes) if header is None else read_copy_range(header, size_bytes)
    if taken.length > MAX_REQUEST_BYTES:
        raise InvalidRequest(
            "The specified copy source is larger than the maximum allowable size for a copy "
            f"source: {MAX_REQUEST_BYTES}"
        )
    algorithm = upload_checksum(upload)[0].lower()
    staged: Staged = await call.engine(ObjectStore).stage_copy(
        source.record, start=taken.start, length=taken.length, algorithms=("md5", algorithm)
    )
    checksums = {algorithm: encoded(staged.digests[algorithm])}
    async with storing(call, request, staged):
        part = await call.engine(ObjectStore).put_part(
            upload, request["PartNumber"], staged, checksums
        )
    answer: Any = {
        "CopyPartResult": {
            "ETag": f'"{part.etag}"',
            "LastModified": part.last_modified,
            **_shown_checksums(upload, part),
        },
        **source.members(),
        **encryption_answer(upload.properties),
    }
    return answer


@service.operation(action="s3:ListMultipartUploadParts", resource=_OBJECT)
async def list_parts(call: Call, request: shapes.ListPartsRequest) -> shapes.ListPartsOutput:
    """A page of the parts that were uploaded so far. AWS: S3 ListParts."""
    refuse_unbuilt(request)
    bucket = load_bucket(call, request)
    upload = await find_upload(call, bucket, request)
    limit = page_size(request, "MaxParts", "max-parts")
    marker = request.get("PartNumberMarker", 0)
    try:
        found = await call.engine(ObjectStore).list_parts(upload, after=marker, max_parts=limit)
    except UploadNotFound as error:
        raise NoSuchUpload(UploadId=upload.upload_id) from error
    page = found[:limit]
    output: Any = {
        "Bucket": bucket.name,
        "Key": upload.key,
        "UploadId": upload.upload_id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else 0,
        "MaxParts": limit,
        "IsTruncated": bool(page) and len(found) > limit,
        "Parts": [part_members(part) for part in page],
        **upload_members(bucket, upload),
    }
    return output


def _check_algorithm(call: Call, upload: Upload, request: shapes.UploadPartRequest) -> None:
    """Refuse a part whose checksum is of another kind than its upload's."""
    declared = declared_algorithm(upload)
    announced = announced_checksum(request, {} if call.http is None else call.http.headers)
    if declared is None or announced is None or announced[0] == declared:
        return
    raise InvalidRequest(
        f"Checksum Type mismatch occurred, expected checksum Type: {declared.lower()}, actual "
        f"checksum Type: {announced[0].lower()}"
    )


def _shown_checksums(upload: Upload, part: Part) -> dict[str, str]:
    return {} if declared_algorithm(upload) is None else checksum_members_of(part.checksums)
