"""Bucket policies: put, get, delete, and whether they let the public in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.authorization.context import RequestContext
from cloche.core.authorization.evaluate import AccessRequest, PolicySet, evaluate
from cloche.core.errors import AccessDenied
from cloche.core.operations import Call
from cloche.services.s3.bucket_records import Bucket, change_bucket, load_bucket
from cloche.services.s3.condition_keys import condition_keys
from cloche.services.s3.errors import MalformedPolicy, NoSuchBucketPolicy
from cloche.services.s3.policy_publicity import is_public_policy
from cloche.services.s3.policy_rules import check_policy
from cloche.services.s3.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import s3 as shapes


@service.operation
def get_bucket_policy(
    call: Call, request: shapes.GetBucketPolicyRequest
) -> shapes.GetBucketPolicyOutput:
    """The policy as it was put.

    Raises NoSuchBucketPolicy if there is none. AWS: S3 GetBucketPolicy.
    """
    return {"Policy": _policy(load_bucket(call, request))}


@service.operation
def get_bucket_policy_status(
    call: Call, request: shapes.GetBucketPolicyStatusRequest
) -> shapes.GetBucketPolicyStatusOutput:
    """Whether the policy lets the public in.

    Raises NoSuchBucketPolicy if there is none. AWS: S3 GetBucketPolicyStatus.
    """
    policy = _policy(load_bucket(call, request))
    return {"PolicyStatus": {"IsPublic": is_public_policy(policy)}}


@service.operation
def put_bucket_policy(call: Call, request: shapes.PutBucketPolicyRequest) -> Empty:
    """Replace the policy.

    Raises MalformedPolicy if S3 would refuse it; AccessDenied if it is public and
    BlockPublicPolicy is set, or if it would keep the caller, unless it is root, from putting
    another one and ConfirmRemoveSelfBucketAccess is not given. AWS: S3 PutBucketPolicy.
    """
    text = _text(request.get("Policy"))
    check_policy(text, request["Bucket"])
    if not request.get("ConfirmRemoveSelfBucketAccess"):
        _refuse_lockout(call, load_bucket(call, request), text)

    def change(bucket: Bucket) -> Bucket:
        if bucket.blocks.BlockPublicPolicy and is_public_policy(text):
            raise AccessDenied("Access Denied")
        return replace(bucket, policy=text)

    change_bucket(call, request, change)
    call.answer.status = 204
    return {}


@service.operation
def delete_bucket_policy(call: Call, request: shapes.DeleteBucketPolicyRequest) -> Empty:
    """Remove the policy, if there is one. AWS: S3 DeleteBucketPolicy."""
    change_bucket(call, request, lambda bucket: replace(bucket, policy=""))
    return {}


def _policy(bucket: Bucket) -> str:
    if not bucket.policy:
        raise NoSuchBucketPolicy(BucketName=bucket.name)
    return bucket.policy


def _text(policy: Any) -> str:
    if isinstance(policy, bytes):
        try:
            return policy.decode()
        except UnicodeDecodeError as error:
            raise MalformedPolicy from error
    return policy or ""


def _refuse_lockout(call: Call, bucket: Bucket, text: str) -> None:
    if call.principal.is_root:
        return
    context = RequestContext(call, {}, condition_keys(call, {}, bucket, None))
    asked = AccessRequest(
        call.principal, "s3:PutBucketPolicy", f"arn:aws:s3:::{bucket.name}", context
    )
    decision = evaluate(asked, PolicySet(resource=text, resource_account=bucket.owner))
    if decision.verdict == "explicitDeny":
        raise AccessDenied(
            "This policy would keep you from changing it in the future; confirm by "
            "x-amz-confirm-remove-self-bucket-access."
        )
