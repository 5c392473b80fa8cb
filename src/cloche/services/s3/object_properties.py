"""What is kept with an object beside its bytes, and how it is answered.

An object's properties are a dict: `answer` holds members of GetObject's output as they came,
`checksums` and `checksum_type` its checksum, `tags`, `acl` and `owner` what differs from the
default (none, private, the bucket's owner).
"""

from __future__ import annotations

from collections.abc import Mapping
from email.header import Header, decode_header, make_header
from typing import Any

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectRecord
from cloche.services.s3.bucket_records import Bucket, buckets
from cloche.services.s3.canned_acls import requested_acl
from cloche.services.s3.encryption import encryption_of
from cloche.services.s3.errors import (
    InvalidRedirectLocation,
    InvalidStorageClass,
    KeyTooLongError,
    MetadataTooLarge,
    NotImplementedS3,
)
from cloche.services.s3.tags import read_tagging_header

Properties = dict[str, Any]

MAX_KEY_BYTES = 1024
_MAX_METADATA_BYTES = 2048
_DEFAULT_CONTENT_TYPE = "binary/octet-stream"
_HEADERS = ("CacheControl", "ContentDisposition", "ContentLanguage", "Expires")
_STORAGE_CLASSES = frozenset(
    {
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "DEEP_ARCHIVE",
        "GLACIER_IR",
    }
)
_NOT_BUILT = frozenset(
    {
        "SSECustomerAlgorithm",
        "SSECustomerKey",
        "SSECustomerKeyMD5",
        "CopySourceSSECustomerAlgorithm",
        "CopySourceSSECustomerKey",
        "CopySourceSSECustomerKeyMD5",
        "ObjectLockMode",
        "ObjectLockRetainUntilDate",
        "ObjectLockLegalHoldStatus",
        "ObjectLockEventHold",
        "ObjectLockEventHoldDurationDays",
        "ObjectLockEventHoldDurationYears",
        "WriteOffsetBytes",
    }
)
_ENCRYPTION_MEMBERS = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")


def refuse_unbuilt(request: Mapping[str, Any]) -> None:
    """Refuse customer keys, object lock and appending.

    Raises:
        NotImplementedS3: the request asks for one of them.
    """
    if not _NOT_BUILT.isdisjoint(request):
        member = min(_NOT_BUILT.intersection(request))
        raise NotImplementedS3(
            f"A header you provided implies functionality that is not implemented: {member}"
        )
    if request.get("RequestPayer", "requester") != "requester":
        raise NotImplementedS3(Header="x-amz-request-payer")


def check_key(key: str) -> None:
    """Refuse a key that is too long to be one.

    Raises:
        KeyTooLongError: it has more than 1,024 bytes.
    """
    if len(key) > MAX_KEY_BYTES // 4 and len(key.encode()) > MAX_KEY_BYTES:
        raise KeyTooLongError(Size=str(len(key.encode())), MaxSizeAllowed=str(MAX_KEY_BYTES))


def new_properties(call: Call, bucket: Bucket, request: Mapping[str, Any]) -> Properties:
    """The properties of an object that is written from the members of a request.

    Raises:
        AWSError: a member breaks the rules, or asks for what is not built.
    """
    refuse_unbuilt(request)
    check_key(request["Key"])
    properties = ownership(call, bucket, request)
    properties["answer"] = {
        **described(request),
        **placed(request),
        **encryption_of(bucket, request),
    }
    tagging = request.get("Tagging")
    if tagging:
        properties["tags"] = read_tagging_header(tagging)
    return properties


def described(request: Mapping[str, Any]) -> dict[str, Any]:
    """The members that describe the content: headers and user metadata."""
    answer: dict[str, Any] = {"ContentType": request.get("ContentType") or _DEFAULT_CONTENT_TYPE}
    for member in _HEADERS:
        if member in request:
            answer[member] = request[member]
    encoding = _without_aws_chunked(request.get("ContentEncoding"))
    if encoding:
        answer["ContentEncoding"] = encoding
    metadata = request.get("Metadata")
    if metadata:
        answer["Metadata"] = _checked_metadata(metadata)
    return answer


def placed(request: Mapping[str, Any]) -> dict[str, Any]:
    """Storage class and redirection, which a copy does not take over.

    Raises:
        InvalidStorageClass: there is no such class.
        InvalidRedirectLocation: it is neither a path nor a URL.
    """
    answer: dict[str, Any] = {}
    storage_class = request.get("StorageClass", "STANDARD")
    if storage_class not in _STORAGE_CLASSES:
        raise InvalidStorageClass(StorageClassRequested=storage_class)
    if storage_class != "STANDARD":
        answer["StorageClass"] = storage_class
    location = request.get("WebsiteRedirectLocation")
    if location:
        if not location.startswith(("/", "http://", "https://")):
            raise InvalidRedirectLocation
        answer["WebsiteRedirectLocation"] = location
    return answer


def _without_aws_chunked(encoding: str | None) -> str | None:
    if encoding is None or "aws-chunked" not in encoding:
        return encoding
    kept = [item.strip() for item in encoding.split(",")]
    return ",".join(item for item in kept if item and item != "aws-chunked")


def _checked_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    kept = {key: _decoded(value) for key, value in metadata.items()}
    size = sum(len(key) + len(value.encode()) for key, value in kept.items())
    if size > _MAX_METADATA_BYTES:
        raise MetadataTooLarge(Size=str(size), MaxSizeAllowed=str(_MAX_METADATA_BYTES))
    return kept


def _decoded(value: str) -> str:
    """A value of user metadata, whose RFC 2047 encoding S3 undoes before it stores it."""
    if "=?" in value:
        try:
            return str(make_header(decode_header(value)))
        except (LookupError, ValueError):
            return value
    if not value.isascii():  # bytes that are no UTF-8 are replaced
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value


def _encoded(value: str) -> str:
    """A value of user metadata as S3 answers it."""
    return value if value.isascii() else Header(value, "utf-8", maxlinelen=10_000).encode()


def ownership(call: Call, bucket: Bucket, request: Mapping[str, Any]) -> Properties:
    """Owner and ACL of an object that the caller writes, as far as they are not the default."""
    acl = requested_acl(request)
    properties: Properties = {}
    if not bucket.has_acls:
        return properties
    if acl is not None and acl != "private":
        properties["acl"] = acl
    writer = call.principal.account_id
    gives_away = (
        bucket.object_ownership == "BucketOwnerPreferred" and acl == "bucket-owner-full-control"
    )
    if writer != bucket.owner and call.principal.kind != "AWSService" and not gives_away:
        properties["owner"] = writer
    return properties


async def remember_strangers(call: Call, bucket: Bucket, properties: Properties) -> None:
    """Note on the bucket that it may hold objects of other accounts, before the first is there."""
    if "owner" not in properties or bucket.may_hold_others_objects:
        return

    def mark(transaction: Transaction) -> None:
        current = transaction.get(buckets, "", "", bucket.name)
        if current is not None:
            marked = replace(current, may_hold_others_objects=True)
            transaction.put(buckets, "", "", bucket.name, marked)

    await call.documents.commit(mark)


def answer_of(bucket: Bucket, record: ObjectRecord) -> dict[str, Any]:
    """The members by which GetObject and HeadObject tell of an object."""
    properties = record.properties
    answer: dict[str, Any] = {
        **properties.get("answer", {}),
        "ETag": f'"{record.etag}"',
        "LastModified": last_modified(record),
        "AcceptRanges": "bytes",
    }
    metadata = answer.get("Metadata")
    if metadata:
        answer["Metadata"] = {key: _encoded(value) for key, value in metadata.items()}
    if bucket.versioning != "Unversioned":
        answer["VersionId"] = record.version_id
    tags = properties.get("tags")
    if tags:
        answer["TagCount"] = len(tags)
    return answer


def checksum_of(record: ObjectRecord) -> dict[str, str]:
    """The members that tell an object's checksum, if it has one."""
    checksums: dict[str, str] = record.properties.get("checksums", {})
    if not checksums:
        return {}
    return {**checksums, "ChecksumType": record.properties.get("checksum_type", "FULL_OBJECT")}


def encryption_answer(record_properties: Properties) -> dict[str, Any]:
    """The members by which a write tells of the object's encryption."""
    answer = record_properties["answer"]
    return {member: answer[member] for member in _ENCRYPTION_MEMBERS if member in answer}


def last_modified(record: ObjectRecord) -> Any:
    """When a version was written, in whole seconds since 1970 as S3 has it."""
    return int(record.last_modified)


def storage_class(record: ObjectRecord) -> str:
    """The storage class that was asked for."""
    return record.properties.get("answer", {}).get("StorageClass", "STANDARD")
