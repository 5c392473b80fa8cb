"""CopyObject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectRecord, ObjectStore
from cloche.services.s3.bucket_records import Bucket, find_bucket, load_bucket
from cloche.services.s3.checksums import (
    DEFAULT_ALGORITHM,
    FULL_OBJECT,
    MEMBERS,
    encoded,
    known_algorithm,
)
from cloche.services.s3.conditions import check_copy_source, write_condition
from cloche.services.s3.copy_sources import CopySource, parse_copy_source
from cloche.services.s3.encryption import encryption_of
from cloche.services.s3.errors import (
    InvalidArgument,
    InvalidRequest,
    MethodNotAllowed,
    NotImplementedS3,
)
from cloche.services.s3.finding import check_readable, find_version
from cloche.services.s3.object_events import tell_created
from cloche.services.s3.object_properties import (
    check_key,
    checksum_of,
    described,
    encryption_answer,
    last_modified,
    ownership,
    placed,
    refuse_unbuilt,
    remember_strangers,
)
from cloche.services.s3.receiving import MAX_REQUEST_BYTES, storing
from cloche.services.s3.service import service
from cloche.services.s3.tags import read_tagging_header
from cloche.services.s3.versioning import written_version

if TYPE_CHECKING:
    from aws_shapes import s3 as shapes

_NOT_COPIED = frozenset(
    {
        "StorageClass",
        "WebsiteRedirectLocation",
        "ServerSideEncryption",
        "SSEKMSKeyId",
        "BucketKeyEnabled",
    }
)
_CHANGES = (
    "StorageClass",
    "ServerSideEncryption",
    "SSEKMSKeyId",
    "SSEKMSEncryptionContext",
    "BucketKeyEnabled",
    "WebsiteRedirectLocation",
)


class Source(NamedTuple):
    """What is copied: as it was named, its bucket, and the version that was found."""

    named: CopySource
    bucket: Bucket
    record: ObjectRecord

    def members(self) -> dict[str, str]:
        """The version that was copied, if its bucket ever had versioning."""
        if self.bucket.versioning == "Unversioned":
            return {}
        return {"CopySourceVersionId": self.record.version_id}


async def find_source(call: Call, request: Mapping[str, Any]) -> Source:
    """The object that a request copies from, if its conditions hold.

    Raises:
        NoSuchKey: there is none, or it was deleted.
        InvalidRequest: a delete marker is named by its id.
        InvalidObjectState: it is archived.
        PreconditionFailed: a condition does not hold.
    """
    named = parse_copy_source(request["CopySource"])
    bucket = find_bucket(call, named.bucket)
    try:
        record = await find_version(call, bucket, named.key, named.version_id)
    except MethodNotAllowed as error:
        raise InvalidRequest(
            "The source of a copy request may not specifically refer to a delete marker by "
            "version id."
        ) from error
    check_readable(record)
    check_copy_source(request, record)
    return Source(named, bucket, record)


@service.operation(action="s3:PutObject", resource="arn:{partition}:s3:::{Bucket}/{Key}")
async def copy_object(call: Call, request: shapes.CopyObjectRequest) -> shapes.CopyObjectOutput:
    """Copy an object that is here already. AWS: S3 CopyObject."""
    refuse_unbuilt(request)
    if "AnnotationDirective" in request:
        raise NotImplementedS3
    check_key(request["Key"])
    bucket = load_bucket(call, request)
    replaces_metadata = _directive(request, "MetadataDirective", "metadata")
    replaces_tags = _directive(request, "TaggingDirective", "tagging")
    condition = write_condition(request)
    source = await find_source(call, request)
    _check_copy(request, source, replaces_metadata=replaces_metadata)
    kept = source.record.properties
    properties = ownership(call, bucket, request)
    content = described(request) if replaces_metadata else _content(kept)
    properties["answer"] = {**content, **placed(request), **encryption_of(bucket, request)}
    tags = read_tagging_header(request.get("Tagging", "")) if replaces_tags else kept.get("tags")
    if tags:
        properties["tags"] = tags
    algorithms = _algorithms(request, source.record)
    store = call.engine(ObjectStore)
    staged = await store.stage_copy(source.record, algorithms=("md5", *algorithms))
    properties["checksums"] = {
        f"Checksum{name.upper()}": encoded(staged.digests[name]) for name in algorithms
    } or kept["checksums"]
    properties["checksum_type"] = FULL_OBJECT
    await remember_strangers(call, bucket, properties)
    async with storing(call, request, staged):
        record = await store.put(
            bucket.name,
            request["Key"],
            staged,
            versioning=bucket.versioning,
            properties=properties,
            condition=condition,
        )
    await tell_created(call, bucket, record, "CopyObject")
    answer: Any = {
        "CopyObjectResult": {
            "ETag": f'"{record.etag}"',
            "LastModified": last_modified(record),
            **checksum_of(record),
        },
        **source.members(),
        **written_version(bucket, record),
        **encryption_answer(properties),
    }
    return answer


def _content(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What describes the source's content, which its copy has too."""
    answer: Mapping[str, Any] = properties.get("answer", {})
    return {member: value for member, value in answer.items() if member not in _NOT_COPIED}


def _directive(request: Mapping[str, Any], member: str, word: str) -> bool:
    """Whether a directive says to replace.

    Raises:
        InvalidArgument: it says neither COPY nor REPLACE.
    """
    directive = request.get(member, "COPY")
    if directive not in ("COPY", "REPLACE"):
        raise InvalidArgument(
            f"Unknown {word} directive.",
            ArgumentName=f"x-amz-{word}-directive",
            ArgumentValue=directive,
        )
    return directive == "REPLACE"


def _check_copy(request: Mapping[str, Any], source: Source, *, replaces_metadata: bool) -> None:
    named = source.named
    is_itself = (named.bucket, named.key, named.version_id) == (
        request["Bucket"],
        request["Key"],
        None,
    )
    if is_itself and not replaces_metadata and not any(name in request for name in _CHANGES):
        raise InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself "
            "without changing the object's metadata, storage class, website redirect location "
            "or encryption attributes."
        )
    if source.record.size_bytes > MAX_REQUEST_BYTES:
        raise InvalidRequest(
            "The specified copy source is larger than the maximum allowable size for a copy "
            f"source: {MAX_REQUEST_BYTES}"
        )


def _algorithms(request: Mapping[str, Any], source: ObjectRecord) -> list[str]:
    """The checksums to compute: none if those of the source stay true."""
    wanted = request.get("ChecksumAlgorithm")
    if wanted is not None:
        return [known_algorithm(wanted).lower()]
    properties = source.properties
    checksums: dict[str, str] = properties.get("checksums", {})
    if checksums and properties["checksum_type"] == FULL_OBJECT:
        return []
    return [MEMBERS[member].lower() for member in checksums] or [DEFAULT_ALGORITHM.lower()]
