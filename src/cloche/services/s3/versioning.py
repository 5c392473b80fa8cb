"""Versioning of a bucket's objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectRecord
from cloche.services.s3.bucket_errors import IllegalVersioningConfigurationException
from cloche.services.s3.bucket_records import Bucket, change_bucket, load_bucket
from cloche.services.s3.errors import MalformedXML, NotImplementedS3
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes


@service.operation
def get_bucket_versioning(
    call: Call, request: shapes.GetBucketVersioningRequest
) -> shapes.GetBucketVersioningOutput:
    """Whether versioning is on; nothing if it never was. AWS: S3 GetBucketVersioning."""
    state = load_bucket(call, request).versioning
    return {} if state == "Unversioned" else {"Status": state}


@service.operation
def put_bucket_versioning(call: Call, request: shapes.PutBucketVersioningRequest) -> Empty:
    """Enable or suspend versioning.

    Raises IllegalVersioningConfigurationException for any other status; MFA delete answers 501.
    AWS: S3 PutBucketVersioning.
    """
    configuration: Any = request.get("VersioningConfiguration")
    if configuration is None:
        raise MalformedXML
    if configuration.get("MFADelete", "Disabled") != "Disabled":
        raise NotImplementedS3("MFA delete is not built.")
    status = configuration.get("Status")
    if status not in ("Enabled", "Suspended"):
        raise IllegalVersioningConfigurationException
    change_bucket(call, request, lambda bucket: replace(bucket, versioning=status))
    return {}


def written_version(bucket: Bucket, record: ObjectRecord) -> dict[str, str]:
    """The member by which a write tells the id of its version; none while that is `null`.

    Reads do tell `null` where versioning is suspended. Source: the sample responses of PutObject
    in the S3 API reference.
    """
    return {"VersionId": record.version_id} if bucket.versioning == "Enabled" else {}
