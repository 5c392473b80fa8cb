"""Whether policies and ACLs together allow one action on one bucket or object.

Source: "How Amazon S3 authorizes a request" in the S3 user guide: the caller's account must allow
it, the bucket's owner must not deny it, and the owner of the resource must allow it, by belonging
to the same account, by the bucket policy, or by an ACL.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from cloche.core.authorization.authorize import denial
from cloche.core.authorization.context import RequestContext
from cloche.core.authorization.evaluate import AccessRequest, Decision, PolicySet, evaluate
from cloche.core.dispatch import IdentityPolicies
from cloche.core.errors import AccessDenied, AWSError
from cloche.core.operations import Call
from cloche.core.principals import ANONYMOUS, Principal
from cloche.engines.objects.store import ObjectRecord
from cloche.services.iam.identity import policies_of
from cloche.services.s3.bucket_records import Bucket
from cloche.services.s3.canned_acls import acl_allows, is_public
from cloche.services.s3.policy_publicity import is_public_policy


class Ask(msgspec.Struct, frozen=True):
    """One action on one resource.

    Attributes:
        action: without `s3:`.
        resource: ARN.
        permission: that would do in an ACL; empty if none would.
        record: the object, where its own ACL decides.
        asks_bucket_acl: the bucket's ACL decides.
    """

    action: str
    resource: str
    permission: str = ""
    record: ObjectRecord | None = None
    asks_bucket_acl: bool = True


class Reach(IntEnum):
    """How far an ACL's grant reaches a caller."""

    NONE = 0
    ACCOUNT = 1
    EVERYONE = 2


def is_unquestioned(principal: Principal, bucket: Bucket) -> bool:
    """Whether nothing that is kept could refuse the caller anything in the bucket."""
    return (
        principal.kind == "Root"
        and principal.account_id == bucket.owner
        and not bucket.policy
        and not bucket.may_hold_others_objects
    )


def identity_policies(call: Call) -> IdentityPolicies:
    """What binds the caller."""
    if call.principal.kind in ("Root", "Anonymous", "AWSService"):
        return IdentityPolicies()
    return policies_of(call.documents, call.principal)


def decide(
    call: Call,
    bucket: Bucket,
    ask: Ask,
    policies: IdentityPolicies,
    context: RequestContext,
) -> Decision:
    """Decide about one action."""
    principal = call.principal
    request = AccessRequest(principal, f"s3:{ask.action}", ask.resource, context)
    decision = evaluate(
        request,
        PolicySet(
            identity=policies.policies,
            boundary=policies.boundary,
            sessions=principal.session_policies,
            resource=bucket.policy or None,
            resource_account=bucket.owner,
        ),
    )
    if decision.verdict == "explicitDeny":
        return decision
    if decision.is_allowed and not _is_of_another(bucket, ask) and not _is_shut_out(call, bucket):
        return decision
    reach = acl_reach(bucket, ask, principal)
    if reach is Reach.NONE:
        return Decision("implicitDeny", decision.kind)
    is_own_account = principal.account_id == bucket.owner
    if principal.kind == "Anonymous" or (reach is Reach.EVERYONE and is_own_account):
        return Decision("allowed", "resource-based policy")
    return evaluate(
        request,
        PolicySet(
            identity=policies.policies,
            boundary=policies.boundary,
            sessions=principal.session_policies,
        ),
    )


def acl_reach(bucket: Bucket, ask: Ask, principal: Principal) -> Reach:
    """What the ACL that matters grants the caller."""
    if not (ask.permission and bucket.has_acls) or principal.kind == "AWSService":
        return Reach.NONE
    acl, owner = bucket.acl, bucket.owner
    if not ask.asks_bucket_acl:
        if ask.record is None:
            return Reach.NONE
        acl, owner = object_acl(bucket, ask.record), object_owner(bucket, ask.record)
    if bucket.blocks.IgnorePublicAcls and is_public(acl):
        acl = "private"
    if acl_allows(acl, ask.permission, ANONYMOUS, owner, bucket.owner):
        return Reach.EVERYONE
    granted = acl_allows(acl, ask.permission, principal, owner, bucket.owner)
    return Reach.ACCOUNT if granted else Reach.NONE


def object_owner(bucket: Bucket, record: ObjectRecord) -> str:
    """The account that an object belongs to; where ACLs don't count, the bucket's."""
    return record.properties.get("owner", bucket.owner) if bucket.has_acls else bucket.owner


def object_acl(bucket: Bucket, record: ObjectRecord) -> str:
    """The canned ACL of an object."""
    return record.properties.get("acl", "private") if bucket.has_acls else "private"


def refusal(call: Call, bucket: Bucket, ask: Ask, decision: Decision) -> AWSError:
    """The error for a refused action: with reasons only for the bucket's own account."""
    principal = call.principal
    if principal.kind == "Anonymous" or principal.account_id != bucket.owner:
        return AccessDenied("Access Denied")
    return denial(call, f"s3:{ask.action}", ask.resource, decision)


def _is_of_another(bucket: Bucket, ask: Ask) -> bool:
    """Whether the object belongs to another account, to which the bucket policy doesn't extend."""
    return (
        ask.record is not None
        and not ask.asks_bucket_acl
        and bool(ask.permission)
        and object_owner(bucket, ask.record) != bucket.owner
    )


def _is_shut_out(call: Call, bucket: Bucket) -> bool:
    """Whether RestrictPublicBuckets keeps a public policy from letting the caller in."""
    principal = call.principal
    return (
        bucket.blocks.RestrictPublicBuckets
        and principal.kind != "AWSService"
        and principal.account_id != bucket.owner
        and is_public_policy(bucket.policy)
    )
