"""Managed policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.documents import Transaction
from cloche.core.operations import Call
from cloche.services.iam import entities, identifiers, show
from cloche.services.iam.access import arn_of, below
from cloche.services.iam.aws_managed import ACCOUNT, aws_managed_policies
from cloche.services.iam.documents_in import check_managed_policy
from cloche.services.iam.entities import Group, ManagedPolicy, PolicyVersion, User
from cloche.services.iam.errors import DeleteConflict, InvalidInput, NoSuchEntity
from cloche.services.iam.kinds import POLICIES
from cloche.services.iam.managed import find_policy, parse_policy_arn
from cloche.services.iam.paging import page
from cloche.services.iam.service import service
from cloche.services.iam.tags import merge_tags, read_tags, show_tag, without_tags
from cloche.services.iam.uses import count_uses, principals, uses_policy

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import iam as shapes

    from cloche.services.iam.entities import Role

POLICY_ARN = "{PolicyArn}"


def get_policy_of(call: Call, arn: str) -> ManagedPolicy:
    """A managed policy.

    Raises:
        NoSuchEntity: there is none of this ARN.
    """
    policy = find_policy(call.documents, arn)
    if policy is None:
        raise NoSuchEntity(f"Policy {arn} was not found.")
    return policy


def edit_policy(
    call: Call, arn: str, change: Callable[[ManagedPolicy], ManagedPolicy]
) -> ManagedPolicy:
    """Replace one of the account's policies by what `change` makes of it.

    Raises:
        NoSuchEntity: there is none of this ARN.
        InvalidInput: it is AWS's own.
    """
    account_id, _, name = own_policy(call, arn)

    def work(transaction: Transaction) -> ManagedPolicy:
        policy = find_policy(transaction, arn)
        if policy is None:
            raise NoSuchEntity(f"Policy {arn} was not found.")
        changed = change(policy)
        transaction.put(entities.policies, account_id, "", name.lower(), changed)
        return changed

    return call.documents.transact(work)


def own_policy(call: Call, arn: str) -> tuple[str, str, str]:
    """Account, path and name of a policy that the account may change.

    Raises:
        NoSuchEntity: it is of another account.
        InvalidInput: it is AWS's own.
    """
    account_id, path, name = parse_policy_arn(arn)
    if account_id == ACCOUNT:
        raise InvalidInput(f"Policy {arn} is managed by AWS and cannot be changed.")
    if account_id != call.account_id:
        raise NoSuchEntity(f"Policy {arn} was not found.")
    return account_id, path, name


@service.operation(resource=arn_of(POLICIES, "PolicyName"))
def create_policy(call: Call, request: shapes.CreatePolicyRequest) -> shapes.CreatePolicyResponse:
    """Create a managed policy with its first version.

    Raises EntityAlreadyExists if the name is taken, in any case, MalformedPolicyDocument for a
    document that IAM refuses. AWS: IAM CreatePolicy.
    """
    check_managed_policy(request["PolicyDocument"])
    now = call.clock.now().replace(microsecond=0)
    policy = ManagedPolicy(
        name=request["PolicyName"],
        path=request.get("Path", "/"),
        id=identifiers.unique_id(identifiers.POLICY_PREFIX),
        created_at=now,
        updated_at=now,
        versions=(PolicyVersion(id="v1", text=request["PolicyDocument"], created_at=now),),
        description=request.get("Description"),
        tags=read_tags(request.get("Tags", [])),
    )
    POLICIES.create(call, policy)
    return {"Policy": show.policy(POLICIES.arn(call.account_id, policy), policy, 0, 0)}


@service.operation(resource=POLICY_ARN)
def get_policy(call: Call, request: shapes.GetPolicyRequest) -> shapes.GetPolicyResponse:
    """Describe a managed policy. AWS: IAM GetPolicy."""
    arn = request["PolicyArn"]
    policy = get_policy_of(call, arn)
    counts = count_uses(call.documents, call.account_id)
    return {"Policy": show.policy(arn, policy, counts.attachments[arn], counts.boundaries[arn])}


@service.operation(resource=below(POLICIES))
def list_policies(call: Call, request: shapes.ListPoliciesRequest) -> shapes.ListPoliciesResponse:
    """List managed policies, the account's and AWS's, by name. AWS: IAM ListPolicies."""
    attachments, boundaries = count_uses(call.documents, call.account_id)
    usage = request.get("PolicyUsageFilter")
    prefix = request.get("PathPrefix", "/")

    def is_wanted(arn: str, policy: ManagedPolicy) -> bool:
        uses = 0
        if usage != "PermissionsBoundary":
            uses += attachments[arn]
        if usage != "PermissionsPolicy":
            uses += boundaries[arn]
        if uses == 0 and (request.get("OnlyAttached") or usage is not None):
            return False
        return policy.path.startswith(prefix)

    found = page(
        (one for one in _in_scope(call, request.get("Scope", "All")) if is_wanted(*one)),
        request,
        key=lambda one: f"{one[1].name}\n{one[0]}",
        show=lambda one: show.policy(*one, attachments[one[0]], boundaries[one[0]], is_full=False),
    )
    return {"Policies": found.items, **found.position}


def _in_scope(call: Call, scope: str) -> Iterator[tuple[str, ManagedPolicy]]:
    if scope != "AWS":
        for policy in POLICIES.below(call.documents, call.account_id):
            yield POLICIES.arn(call.account_id, policy), policy
    if scope != "Local":
        yield from aws_managed_policies().items()


@service.operation(resource=POLICY_ARN)
def list_entities_for_policy(
    call: Call, request: shapes.ListEntitiesForPolicyRequest
) -> shapes.ListEntitiesForPolicyResponse:
    """List who uses a managed policy. AWS: IAM ListEntitiesForPolicy."""
    arn = request["PolicyArn"]
    get_policy_of(call, arn)
    prefix, usage = request.get("PathPrefix", "/"), request.get("PolicyUsageFilter")
    wanted = request.get("EntityFilter")
    found = page(
        (
            (_noun(entity), entity)
            for entity in principals(call.documents, call.account_id)
            if uses_policy(entity, arn, usage)
            and entity.path.startswith(prefix)
            and wanted in (None, _noun(entity))
        ),
        request,
        key=lambda one: f"{one[0]}\n{one[1].name}",
        show=lambda one: one,
    )

    def named(noun: str) -> list[Any]:
        return [
            {f"{noun}Name": entity.name, f"{noun}Id": entity.id}
            for kind, entity in found.items
            if kind == noun
        ]

    return {
        "PolicyGroups": named("Group"),
        "PolicyUsers": named("User"),
        "PolicyRoles": named("Role"),
        **found.position,
    }


def _noun(entity: User | Group | Role) -> str:
    if isinstance(entity, User):
        return "User"
    return "Group" if isinstance(entity, Group) else "Role"


@service.operation(resource=POLICY_ARN)
def delete_policy(call: Call, request: shapes.DeletePolicyRequest) -> Empty:
    """Delete a managed policy with its only version.

    Raises DeleteConflict if it is used or has further versions. AWS: IAM DeletePolicy.
    """
    arn = request["PolicyArn"]
    account_id, _, name = own_policy(call, arn)

    def work(transaction: Transaction) -> None:
        policy = find_policy(transaction, arn)
        if policy is None:
            raise NoSuchEntity(f"Policy {arn} was not found.")
        counts = count_uses(transaction, account_id)
        if counts.attachments[arn] or counts.boundaries[arn]:
            raise DeleteConflict("Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise DeleteConflict(
                "This policy has more than one version. Before you delete a policy, you must"
                " delete the policy's versions. The default version is deleted with the policy."
            )
        transaction.delete(entities.policies, account_id, "", name.lower())

    call.documents.transact(work)
    return {}


@service.operation(resource=POLICY_ARN)
def tag_policy(call: Call, request: shapes.TagPolicyRequest) -> Empty:
    """Add tags to a managed policy. AWS: IAM TagPolicy."""
    tags = read_tags(request["Tags"])
    edit_policy(
        call,
        request["PolicyArn"],
        lambda policy: replace(policy, tags=merge_tags(policy.tags, tags)),
    )
    return {}


@service.operation(resource=POLICY_ARN)
def untag_policy(call: Call, request: shapes.UntagPolicyRequest) -> Empty:
    """Remove tags from a managed policy. AWS: IAM UntagPolicy."""
    keys = request["TagKeys"]
    edit_policy(
        call,
        request["PolicyArn"],
        lambda policy: replace(policy, tags=without_tags(policy.tags, keys)),
    )
    return {}


@service.operation(resource=POLICY_ARN)
def list_policy_tags(
    call: Call, request: shapes.ListPolicyTagsRequest
) -> shapes.ListPolicyTagsResponse:
    """List a managed policy's tags. AWS: IAM ListPolicyTags."""
    policy = get_policy_of(call, request["PolicyArn"])
    found = page(policy.tags, request, key=lambda pair: pair[0], show=show_tag)
    return {"Tags": found.items, **found.position}
