"""The permission check of every call to S3.

The bucket's own root, in a bucket without a policy, may do everything: that is decided without
looking further. All else goes through policies and ACLs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from functools import lru_cache
from typing import Any

from cloche.core.authorization.authorize import denial
from cloche.core.authorization.context import RequestContext
from cloche.core.authorization.evaluate import AccessRequest, PolicySet, evaluate
from cloche.core.dispatch import IdentityPolicies
from cloche.core.errors import AccessDenied, AWSError
from cloche.core.operations import Call, Operation
from cloche.engines.objects.store import BucketNotFound, ObjectRecord, ObjectStore
from cloche.services.s3.acl_rules import check_requested_acl
from cloche.services.s3.actions import (
    COPY_SOURCE_RULE,
    OBJECT_RULES,
    OWNER_KEEPS,
    ObjectRule,
    bucket_rule,
)
from cloche.services.s3.bucket_records import Bucket, find_bucket, load_bucket
from cloche.services.s3.condition_keys import condition_keys
from cloche.services.s3.copy_sources import parse_copy_source
from cloche.services.s3.decisions import (
    Ask,
    decide,
    identity_policies,
    is_unquestioned,
    object_owner,
    refusal,
)
from cloche.services.s3.errors import NoSuchKey

_ACL_IS_OF_OBJECT = frozenset({"READ", "READ_ACP", "WRITE_ACP"})


def authorize(
    call: Call, operation: Operation, request: Mapping[str, Any]
) -> Awaitable[None] | None:
    """Refuse a call that policies and ACLs don't allow.

    Raises:
        NoSuchBucket: the bucket that it names does not exist.
        AccessDenied: it is not allowed, or the bucket has another owner than expected.
        NoSuchKey: it is not allowed, but the caller may see that the object does not exist.
    """
    if "Bucket" not in request or operation.name == "CreateBucket":
        _check_account(call, operation, request)
        return None
    bucket = load_bucket(call, request)
    if (
        is_unquestioned(call.principal, bucket)
        and "CopySource" not in request
        and "ACL" not in request
    ):
        return None
    return _check(call, operation, request, bucket)


async def authorize_key(
    call: Call, bucket: Bucket, key: str, version_id: str | None = None
) -> None:
    """Refuse the deletion of one key of a DeleteObjects request.

    Raises:
        AccessDenied: the caller may not delete it.
    """
    if is_unquestioned(call.principal, bucket):
        return
    request: dict[str, Any] = {"Bucket": bucket.name, "Key": key}
    if version_id is not None:
        request["VersionId"] = version_id
    await _check_object(call, request, bucket, OBJECT_RULES["DeleteObject"])


def missing_key_error(
    call: Call, bucket: Bucket, key: str, *, error: type[AWSError] = NoSuchKey
) -> AWSError:
    """What to tell of a key that does not exist: only who may list the bucket may know it.

    Args:
        call: the call.
        bucket: the bucket that the key is not in.
        key: the key.
        error: for those who may.
    """
    if is_unquestioned(call.principal, bucket):
        return error(Key=key)
    ask = Ask("ListBucket", f"arn:aws:s3:::{bucket.name}", "READ")
    request = {"Bucket": bucket.name}
    context = RequestContext(call, request, condition_keys(call, request, bucket, None))
    decision = decide(call, bucket, ask, identity_policies(call), context)
    return error(Key=key) if decision.is_allowed else refusal(call, bucket, ask, decision)


async def _check(
    call: Call, operation: Operation, request: Mapping[str, Any], bucket: Bucket
) -> None:
    check_requested_acl(bucket, request)
    principal = call.principal
    name = operation.name
    if name in OWNER_KEEPS and principal.is_root and principal.account_id == bucket.owner:
        return
    rule = OBJECT_RULES.get(name)
    if rule is not None:
        if "CopySource" in request:
            await _check_copy_source(call, request)
        await _check_object(call, request, bucket, rule)
    elif name != "DeleteObjects":
        _check_bucket(call, name, request, bucket)


async def _check_copy_source(call: Call, request: Mapping[str, Any]) -> None:
    source = parse_copy_source(request["CopySource"])
    bucket = find_bucket(call, source.bucket)
    expected = request.get("ExpectedSourceBucketOwner")
    if expected is not None and expected != bucket.owner:
        raise AccessDenied("Access Denied")
    if is_unquestioned(call.principal, bucket):
        return
    read: dict[str, Any] = {"Bucket": source.bucket, "Key": source.key}
    if source.version_id is not None:
        read["VersionId"] = source.version_id
    await _check_object(call, read, bucket, COPY_SOURCE_RULE)


async def _check_object(
    call: Call, request: Mapping[str, Any], bucket: Bucket, rule: ObjectRule
) -> None:
    if is_unquestioned(call.principal, bucket):
        return
    policies = identity_policies(call)
    key: str = request["Key"]
    needs_record = _needs_record(call, bucket, rule, policies)
    record = await _find(call, bucket, request) if needs_record else None
    context = RequestContext(call, request, condition_keys(call, request, bucket, record))
    for action in _object_actions(call, request, rule):
        ask = Ask(
            action,
            f"arn:aws:s3:::{bucket.name}/{key}",
            _permission(call, bucket, rule, record),
            record,
            rule.asks_bucket_acl,
        )
        decision = decide(call, bucket, ask, policies, context)
        if decision.is_allowed:
            continue
        is_missing = needs_record and (record is None or record.is_delete_marker)
        if (
            is_missing
            and rule.permission in _ACL_IS_OF_OBJECT
            and decision.verdict == "implicitDeny"
        ):
            raise missing_key_error(call, bucket, key)
        raise refusal(call, bucket, ask, decision)


def _object_actions(call: Call, request: Mapping[str, Any], rule: ObjectRule) -> list[str]:
    """The actions of a rule, and those for the tags and the ACL that are written with an object.

    A service that delivers gives an ACL too, but the policies that AWS's guides have for it
    (CloudTrail's, for one) grant `s3:PutObject` alone.
    """
    actions = list(rule.version_actions if "VersionId" in request else rule.actions)
    if actions == ["PutObject"]:
        if "Tagging" in request:
            actions.append("PutObjectTagging")
        if "ACL" in request and call.principal.kind != "AWSService":
            actions.append("PutObjectAcl")
    return actions


def _permission(call: Call, bucket: Bucket, rule: ObjectRule, record: ObjectRecord | None) -> str:
    """The ACL permission that would do; a bucket's WRITE lets others delete only what is theirs."""
    if rule is not OBJECT_RULES["DeleteObject"] or call.principal.account_id == bucket.owner:
        return rule.permission
    is_own = record is None or object_owner(bucket, record) == call.principal.account_id
    return rule.permission if is_own else ""


def _needs_record(call: Call, bucket: Bucket, rule: ObjectRule, policies: IdentityPolicies) -> bool:
    """Whether the decision may depend on the object itself: its owner, its ACL or its tags."""
    is_stranger = call.principal.account_id != bucket.owner
    if bucket.has_acls and (is_stranger or bucket.may_hold_others_objects):
        asks_object = not rule.asks_bucket_acl or rule is OBJECT_RULES["DeleteObject"]
        if rule.permission and asks_object:
            return True
    texts = (bucket.policy, policies.boundary or "", *policies.policies)
    return any(_mentions_existing_tags(text) for text in (*texts, *call.principal.session_policies))


@lru_cache(maxsize=4096)
def _mentions_existing_tags(text: str) -> bool:
    return "existingobjecttag" in text.lower()


async def _find(call: Call, bucket: Bucket, request: Mapping[str, Any]) -> ObjectRecord | None:
    store = call.engine(ObjectStore)
    try:
        return await store.head(bucket.name, request["Key"], request.get("VersionId"))
    except BucketNotFound:
        return None


def _check_bucket(call: Call, name: str, request: Mapping[str, Any], bucket: Bucket) -> None:
    if is_unquestioned(call.principal, bucket):
        return
    rule = bucket_rule(name)
    ask = Ask(rule.action, f"arn:aws:s3:::{bucket.name}", rule.permission)
    context = RequestContext(call, request, condition_keys(call, request, bucket, None))
    decision = decide(call, bucket, ask, identity_policies(call), context)
    if not decision.is_allowed:
        raise refusal(call, bucket, ask, decision)


def _check_account(call: Call, operation: Operation, request: Mapping[str, Any]) -> None:
    """Check what concerns no bucket that exists, where only the caller's own policies count."""
    principal = call.principal
    if principal.is_root:
        return
    if principal.kind == "Anonymous":
        raise AccessDenied("Access Denied")
    policies = identity_policies(call)
    resource = f"arn:aws:s3:::{request['Bucket']}" if "Bucket" in request else "*"
    context = RequestContext(call, request, condition_keys(call, request, None, None))
    policy_set = PolicySet(
        identity=policies.policies, boundary=policies.boundary, sessions=principal.session_policies
    )
    for action in _account_actions(operation.name, request):
        asked = AccessRequest(principal, f"s3:{action}", resource, context)
        decision = evaluate(asked, policy_set)
        if not decision.is_allowed:
            raise denial(call, f"s3:{action}", resource, decision)


def _account_actions(name: str, request: Mapping[str, Any]) -> list[str]:
    if name == "ListBuckets":
        return ["ListAllMyBuckets"]
    actions = [name]
    if name == "CreateBucket":
        if "ACL" in request:
            actions.append("PutBucketAcl")
        if "ObjectOwnership" in request:
            actions.append("PutBucketOwnershipControls")
        if (request.get("CreateBucketConfiguration") or {}).get("Tags"):
            actions.append("TagResource")
    return actions
