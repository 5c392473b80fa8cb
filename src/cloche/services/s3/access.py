"""Access control lists of buckets and objects, as far as canned ones can say them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.operations import Call
from cloche.engines.objects.store import ObjectRecord, ObjectStore
from cloche.services.s3.acl_rules import check_acl
from cloche.services.s3.authorization import missing_key_error
from cloche.services.s3.bucket_errors import MissingSecurityHeader, UnexpectedContent
from cloche.services.s3.bucket_records import Bucket, change_bucket, load_bucket
from cloche.services.s3.canned_acls import acl_grants, acl_of_policy, owner, requested_acl
from cloche.services.s3.decisions import object_acl, object_owner
from cloche.services.s3.errors import NotImplementedS3
from cloche.services.s3.finding import find_version
from cloche.services.s3.notifications import notify
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes


@service.operation
def get_bucket_acl(call: Call, request: shapes.GetBucketAclRequest) -> shapes.GetBucketAclOutput:
    """The grants of a bucket's ACL. AWS: S3 GetBucketAcl."""
    bucket = load_bucket(call, request)
    acl = bucket.acl if bucket.has_acls else "private"
    return _show(acl, bucket.owner, bucket.owner)


@service.operation
def put_bucket_acl(call: Call, request: shapes.PutBucketAclRequest) -> Empty:
    """Replace a bucket's ACL by a canned one, named or spelt out. AWS: S3 PutBucketAcl."""
    bucket = load_bucket(call, request)
    acl = _asked(request, bucket, bucket.owner, for_bucket=True)

    def change(bucket: Bucket) -> Bucket:
        check_acl(bucket, acl)
        return replace(bucket, acl=acl) if bucket.has_acls else bucket

    change_bucket(call, request, change)
    return {}


@service.operation
async def get_object_acl(
    call: Call, request: shapes.GetObjectAclRequest
) -> shapes.GetObjectAclOutput:
    """The grants of an object's ACL. AWS: S3 GetObjectAcl."""
    _refuse_other_payers(request)
    bucket = load_bucket(call, request)
    record = await find_version(call, bucket, request["Key"], request.get("VersionId"))
    _answer_version(call, bucket, record)
    return _show(object_acl(bucket, record), object_owner(bucket, record), bucket.owner)


@service.operation
async def put_object_acl(
    call: Call, request: shapes.PutObjectAclRequest
) -> shapes.PutObjectAclOutput:
    """Replace an object's ACL by a canned one, named or spelt out. AWS: S3 PutObjectAcl."""
    _refuse_other_payers(request)
    bucket = load_bucket(call, request)
    record = await find_version(call, bucket, request["Key"], request.get("VersionId"))
    acl = _asked(request, bucket, object_owner(bucket, record), for_bucket=False)
    check_acl(bucket, acl)
    if bucket.has_acls:
        changed = await call.engine(ObjectStore).update_properties(
            bucket.name,
            record.key,
            record.version_id,
            lambda current: {**current.properties, "acl": acl},
        )
        if changed is None:
            raise missing_key_error(call, bucket, record.key)
    _answer_version(call, bucket, record)
    await notify(call, bucket, "Object ACL Updated", {"object": _event_object(bucket, record)})
    return {}


def _asked(request: Mapping[str, Any], bucket: Bucket, account_id: str, *, for_bucket: bool) -> str:
    acl = requested_acl(request, for_bucket=for_bucket)
    policy = request.get("AccessControlPolicy")
    if acl is not None and policy:
        raise UnexpectedContent
    if acl is not None:
        return acl
    if policy is None:
        raise MissingSecurityHeader(MissingHeaderName="x-amz-acl")
    return acl_of_policy(policy, account_id, bucket.owner, for_bucket=for_bucket)


def _refuse_other_payers(request: Mapping[str, Any]) -> None:
    """Nobody is charged: `x-amz-request-payer` may say that the requester would pay, no more."""
    if request.get("RequestPayer", "requester") != "requester":
        raise NotImplementedS3(Header="x-amz-request-payer")


def _answer_version(call: Call, bucket: Bucket, record: ObjectRecord) -> None:
    if bucket.versioning != "Unversioned":
        call.answer.headers["x-amz-version-id"] = record.version_id


def _event_object(bucket: Bucket, record: ObjectRecord) -> dict[str, Any]:
    shown: dict[str, Any] = {"key": record.key, "etag": record.etag}
    if bucket.versioning != "Unversioned":
        shown["version-id"] = record.version_id
    return shown


def _show(acl: str, account_id: str, bucket_owner: str) -> Any:
    return {"Owner": owner(account_id), "Grants": acl_grants(acl, account_id, bucket_owner)}
