"""Multipart uploads as a whole: begin, abort, list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.engines.objects.store import BucketNotFound, ObjectStore, Upload, UploadNotFound
from cloche.services.s3.bucket_records import Bucket, load_bucket, no_such_bucket
from cloche.services.s3.canned_acls import canonical_user_id, owner
from cloche.services.s3.checksums import (
    DEFAULT_ALGORITHM,
    FULL_OBJECT,
    checked_type,
    known_algorithm,
)
from cloche.services.s3.errors import InvalidRequest, NoSuchUpload, NotImplementedS3
from cloche.services.s3.object_properties import (
    encryption_answer,
    new_properties,
    refuse_unbuilt,
    remember_strangers,
)
from cloche.services.s3.paging import Encoding, page_size
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes

_OBJECT = "arn:{partition}:s3:::{Bucket}/{Key}"
_ABOUT_UPLOAD = "upload"


@service.operation(action="s3:PutObject", resource=_OBJECT)
async def create_multipart_upload(
    call: Call, request: shapes.CreateMultipartUploadRequest
) -> shapes.CreateMultipartUploadOutput:
    """Begin a multipart upload. AWS: S3 CreateMultipartUpload."""
    bucket = load_bucket(call, request)
    properties = new_properties(call, bucket, request)
    checksum = _checksum(request)
    about: dict[str, Any] = {
        "initiator": _initiator(call),
        "initiator_name": call.principal.name or call.account_id,
        **checksum,
    }
    await remember_strangers(call, bucket, properties)
    try:
        upload = await call.engine(ObjectStore).create_upload(
            bucket.name, request["Key"], {**properties, _ABOUT_UPLOAD: about}
        )
    except BucketNotFound as error:
        raise no_such_bucket(bucket.name) from error
    answer: Any = {
        "Bucket": bucket.name,
        "Key": upload.key,
        "UploadId": upload.upload_id,
        **encryption_answer(properties),
        **checksum,
    }
    return answer


def _initiator(call: Call) -> str:
    """The id of who begins an upload: root's is the account's canonical one, others' their ARN."""
    if call.principal.is_root:
        return canonical_user_id(call.account_id)
    return call.principal.arn or "anonymous"


@service.operation(resource=_OBJECT)
async def abort_multipart_upload(call: Call, request: shapes.AbortMultipartUploadRequest) -> Empty:
    """Forget an upload and its parts. AWS: S3 AbortMultipartUpload.

    The condition on the time it was begun is for directory buckets: 501.
    """
    refuse_unbuilt(request)
    if "IfMatchInitiatedTime" in request:
        raise NotImplementedS3
    bucket = load_bucket(call, request)
    upload = await find_upload(call, bucket, request)
    try:
        await call.engine(ObjectStore).abort_upload(upload)
    except UploadNotFound as error:
        raise NoSuchUpload(UploadId=upload.upload_id) from error
    return {}


@service.operation(action="s3:ListBucketMultipartUploads", resource="arn:{partition}:s3:::{Bucket}")
async def list_multipart_uploads(
    call: Call, request: shapes.ListMultipartUploadsRequest
) -> shapes.ListMultipartUploadsOutput:
    """A page of the uploads in progress. AWS: S3 ListMultipartUploads.

    As in AWS, `UploadIdMarker` counts only beside `KeyMarker`.
    """
    refuse_unbuilt(request)
    bucket = load_bucket(call, request)
    encoding = Encoding(request)
    limit = page_size(request, "MaxUploads", "max-uploads")
    key_marker = request.get("KeyMarker", "")
    upload_marker = request.get("UploadIdMarker", "") if key_marker else ""
    page = await call.engine(ObjectStore).list_uploads(
        bucket.name,
        prefix=request.get("Prefix", ""),
        delimiter=request.get("Delimiter", ""),
        key_marker=key_marker,
        upload_id_marker=upload_marker,
        max_uploads=limit,
    )
    output: Any = {
        "Bucket": bucket.name,
        "Prefix": encoding(request.get("Prefix", "")),
        "KeyMarker": encoding(key_marker),
        "UploadIdMarker": upload_marker,
        "MaxUploads": limit,
        "IsTruncated": page.next_key is not None,
        "NextKeyMarker": encoding(page.next_key or ""),
        "NextUploadIdMarker": page.next_upload_id or "",
        "Uploads": [_entry(bucket, upload, encoding) for upload in page.uploads],
        "CommonPrefixes": encoding.common_prefixes(page.common_prefixes),
        **encoding.members(),
    }
    delimiter = request.get("Delimiter")
    if delimiter:
        output["Delimiter"] = encoding(delimiter)
    return output


def _entry(bucket: Bucket, upload: Upload, encoding: Encoding) -> dict[str, Any]:
    return {
        "UploadId": upload.upload_id,
        "Key": encoding(upload.key),
        "Initiated": upload.initiated_at,
        **upload_members(bucket, upload),
    }


async def find_upload(call: Call, bucket: Bucket, request: Mapping[str, Any]) -> Upload:
    """The upload that a request names.

    Raises:
        NoSuchUpload: it is not in progress, or is of another key.
    """
    upload_id: str = request["UploadId"]
    try:
        return await call.engine(ObjectStore).get_upload(bucket.name, request["Key"], upload_id)
    except UploadNotFound as error:
        raise NoSuchUpload(UploadId=upload_id) from error


def upload_members(bucket: Bucket, upload: Upload) -> dict[str, Any]:
    """Who an upload belongs to, and what it was begun with, as listings have it."""
    properties = upload.properties
    about = properties[_ABOUT_UPLOAD]
    members: dict[str, Any] = {
        "StorageClass": properties["answer"].get("StorageClass", "STANDARD"),
        "Owner": owner(properties.get("owner", bucket.owner)),
        "Initiator": {"ID": about["initiator"], "DisplayName": about["initiator_name"]},
    }
    if "ChecksumAlgorithm" in about:
        members["ChecksumAlgorithm"] = about["ChecksumAlgorithm"]
        members["ChecksumType"] = about["ChecksumType"]
    return members


def declared_algorithm(upload: Upload) -> str | None:
    """The checksum algorithm that an upload was begun with; None if with none."""
    return upload.properties[_ABOUT_UPLOAD].get("ChecksumAlgorithm")


def upload_checksum(upload: Upload) -> tuple[str, str]:
    """Algorithm and type of the checksum that the finished object gets."""
    about = upload.properties[_ABOUT_UPLOAD]
    algorithm = about.get("ChecksumAlgorithm", DEFAULT_ALGORITHM)
    return algorithm, about.get("ChecksumType", FULL_OBJECT)


def object_properties(upload: Upload) -> dict[str, Any]:
    """The properties of the finished object, its checksum excepted."""
    properties = {name: value for name, value in upload.properties.items() if name != _ABOUT_UPLOAD}
    return properties | {"upload_id": upload.upload_id}


def _checksum(request: Mapping[str, Any]) -> dict[str, str]:
    name = request.get("ChecksumAlgorithm")
    kind = request.get("ChecksumType")
    if name is None:
        if kind is not None:
            raise InvalidRequest(
                "The x-amz-checksum-type header can only be used with the "
                "x-amz-checksum-algorithm header."
            )
        return {}
    algorithm = known_algorithm(name)
    return {"ChecksumAlgorithm": algorithm, "ChecksumType": checked_type(algorithm, kind)}
