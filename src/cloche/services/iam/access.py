"""What IAM's permission check knows beyond that of other services: ARNs and condition keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.core.authorization.authorize import check
from cloche.core.dispatch import IdentityPolicies
from cloche.core.operations import Call, Operation, ResourceOf
from cloche.services.iam.entities import Role, User
from cloche.services.iam.errors import InvalidClientTokenId
from cloche.services.iam.identity import policies_of
from cloche.services.iam.kinds import ROLES, USERS, Entity, Kind


def authorize(call: Call, operation: Operation, request: Mapping[str, Any]) -> None:
    """Check a call to IAM, with `iam:PolicyARN`, `iam:PermissionsBoundary` and resource tags.

    Raises:
        InvalidClientTokenId: the credentials are of GetSessionToken without MFA, or of
            GetFederationToken, with which AWS lets nobody call IAM.
        AccessDenied: the policies don't allow it.
    """
    principal = call.principal
    is_temporary = principal.session_issued_at is not None
    if principal.kind == "FederatedUser" or (
        is_temporary and principal.kind != "AssumedRole" and not principal.mfa_authenticated
    ):
        raise InvalidClientTokenId
    policies = IdentityPolicies() if principal.is_root else policies_of(call.documents, principal)
    check(
        call,
        operation,
        request,
        policies.policies,
        policies.boundary,
        keys={} if principal.is_root else _keys(call, request),
    )


def _keys(call: Call, request: Mapping[str, Any]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for member, key in (
        ("PolicyArn", "iam:policyarn"),
        ("PermissionsBoundary", "iam:permissionsboundary"),
        ("AWSServiceName", "iam:awsservicename"),
    ):
        if request.get(member):
            keys[key] = request[member]
    entity = _entity(call, request)
    if entity is not None:
        if entity.boundary:
            keys.setdefault("iam:permissionsboundary", entity.boundary)
        for tag_key, value in entity.tags:
            keys[f"aws:resourcetag/{tag_key.lower()}"] = value
            keys[f"iam:resourcetag/{tag_key.lower()}"] = value
    return keys


def _entity(call: Call, request: Mapping[str, Any]) -> User | Role | None:
    if request.get("RoleName"):
        return ROLES.find(call.documents, call.account_id, request["RoleName"])
    if request.get("UserName"):
        return USERS.find(call.documents, call.account_id, request["UserName"])
    return None


def arn_of(kind: Kind[Any], member: str) -> ResourceOf:
    """The ARN of the entity that a member names: its path is known only to the store.

    A user's name may be left out by the user itself. A name that doesn't exist stands with the
    path that the request gives, or `/`.
    """

    def resource(call: Call, request: Mapping[str, Any]) -> list[str]:
        name = request.get(member)
        if name is None:
            return [call.principal.arn]
        entity: Entity | None = kind.find(call.documents, call.account_id, name)
        if entity is not None:
            return [kind.arn(call.account_id, entity)]
        path = request.get("Path", "/")
        return [f"arn:aws:iam::{call.account_id}:{kind.noun}{path}{name}"]

    return resource


def arns_of_renamed(kind: Kind[Any], member: str, new_member: str) -> ResourceOf:
    """The ARN of the entity that a member names, and the one that it is to have."""

    def resources(call: Call, request: Mapping[str, Any]) -> list[str]:
        name = request[member]
        entity: Entity | None = kind.find(call.documents, call.account_id, name)
        old_path, old_name = ("/", name) if entity is None else (entity.path, entity.name)
        path, name = request.get("NewPath") or old_path, request.get(new_member) or old_name
        prefix = f"arn:aws:iam::{call.account_id}:{kind.noun}"
        return list(dict.fromkeys((f"{prefix}{old_path}{old_name}", f"{prefix}{path}{name}")))

    return resources


def below(kind: Kind[Any]) -> str:
    """The resource of a listing: everything of a kind below the path that is asked for."""
    return "arn:{partition}:iam::{account}:" + kind.noun + "/"
