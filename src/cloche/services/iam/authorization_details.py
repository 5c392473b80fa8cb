"""Everything at once: GetAccountAuthorizationDetails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cloche.core.operations import Call
from cloche.services.iam import show
from cloche.services.iam.attachments import show_attached
from cloche.services.iam.aws_managed import aws_managed_policies
from cloche.services.iam.entities import Group, ManagedPolicy, Role, User
from cloche.services.iam.instance_profiles import profiles_of_role
from cloche.services.iam.kinds import GROUPS, POLICIES, ROLES, USERS
from cloche.services.iam.paging import page
from cloche.services.iam.roles import last_use
from cloche.services.iam.service import service
from cloche.services.iam.tags import show_tags
from cloche.services.iam.uses import Counts, count_uses

if TYPE_CHECKING:
    from aws_shapes import iam as shapes

_Item = tuple[str, str, User | Group | Role | ManagedPolicy]
_LISTS = {
    "User": "UserDetailList",
    "Role": "RoleDetailList",
    "Group": "GroupDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}


@service.operation
def get_account_authorization_details(
    call: Call, request: shapes.GetAccountAuthorizationDetailsRequest
) -> shapes.GetAccountAuthorizationDetailsResponse:
    """List users, groups, roles and policies with all their relations.

    AWS's own policies are listed where something uses them. AWS: IAM
    GetAccountAuthorizationDetails.
    """
    counts = count_uses(call.documents, call.account_id)
    wanted = request.get("Filter") or list(_LISTS)
    found = page(
        (item for item in _items(call, counts) if item[0] in wanted),
        request,
        key=lambda item: f"{item[0]}\n{item[1]}",
        show=lambda item: (_LISTS[item[0]], _show(call, counts, item[1], item[2])),
    )
    response: dict[str, list[Any]] = {name: [] for name in _LISTS.values()}
    for name, detail in found.items:
        response[name].append(detail)
    shown: Any = {**response, **found.position}
    return shown


def _items(call: Call, counts: Counts) -> Iterator[_Item]:
    account_id, documents = call.account_id, call.documents
    for user in USERS.below(documents, account_id):
        yield "User", USERS.arn(account_id, user), user
    for group in GROUPS.below(documents, account_id):
        yield "Group", GROUPS.arn(account_id, group), group
    for role in ROLES.below(documents, account_id):
        yield "Role", ROLES.arn(account_id, role), role
    for policy in POLICIES.below(documents, account_id):
        yield "LocalManagedPolicy", POLICIES.arn(account_id, policy), policy
    for arn, policy in aws_managed_policies().items():
        if counts.attachments[arn] or counts.boundaries[arn]:
            yield "AWSManagedPolicy", arn, policy


def _show(
    call: Call, counts: Counts, arn: str, entity: User | Group | Role | ManagedPolicy
) -> dict[str, Any]:
    if isinstance(entity, ManagedPolicy):
        return _show_policy(counts, arn, entity)
    attached = [show_attached(one) for one in entity.attached]
    inline = [
        {"PolicyName": name, "PolicyDocument": show.document(text)}
        for name, text in entity.policies.items()
    ]
    account_id = call.account_id
    if isinstance(entity, Group):
        return {
            **show.group(account_id, entity),
            "GroupPolicyList": inline,
            "AttachedManagedPolicies": attached,
        }
    if isinstance(entity, User):
        return {
            **show.user(account_id, entity),
            "UserPolicyList": inline,
            "GroupList": list(entity.groups),
            "AttachedManagedPolicies": attached,
            "Tags": show_tags(entity.tags),
        }
    shown: dict[str, Any] = dict(show.role(account_id, entity))
    for member in ("Description", "MaxSessionDuration"):
        shown.pop(member, None)
    return {
        **shown,
        "RolePolicyList": inline,
        "AttachedManagedPolicies": attached,
        "Tags": show_tags(entity.tags),
        "RoleLastUsed": last_use(call, entity),
        "InstanceProfileList": [
            show.instance_profile(account_id, profile, entity)
            for profile in profiles_of_role(call.documents, account_id, entity.name)
        ],
    }


def _show_policy(counts: Counts, arn: str, policy: ManagedPolicy) -> dict[str, Any]:
    shown: dict[str, Any] = dict(
        show.policy(arn, policy, counts.attachments[arn], counts.boundaries[arn])
    )
    del shown["Tags"]
    shown["PolicyVersionList"] = [
        {
            "VersionId": version.id,
            "IsDefaultVersion": version.id == policy.default_version_id,
            "CreateDate": version.created_at,
            "Document": show.document(version.text),
        }
        for version in policy.versions
    ]
    return shown
