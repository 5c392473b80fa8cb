"""Policy documents as structs, read from their JSON text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import msgspec

from cloche.core.authorization.conditions import Condition, parse_conditions
from cloche.core.errors import AWSError

Effect = Literal["Allow", "Deny"]

VERSIONS = ("2008-10-17", "2012-10-17")
_POLICY_MEMBERS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_MEMBERS = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
_PRINCIPAL_MEMBERS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})


class MalformedPolicyDocument(AWSError):
    """The text is not a policy, or not one that may stand where it was put."""

    default_message = "Syntax errors in policy."


@dataclass(frozen=True, slots=True)
class PrincipalElement:
    """Whom a statement names.

    Attributes:
        is_everyone: `"*"` or `{"AWS": "*"}`.
        aws: account ids, ARNs and unique ids.
        services: such as `sagemaker.amazonaws.com`.
        federated: identity providers.
        canonical_users: S3's canonical user ids.
    """

    is_everyone: bool = False
    aws: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical_users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; the `is_not_…` flags stand for NotPrincipal, NotAction and NotResource."""

    sid: str
    effect: Effect
    principal: PrincipalElement | None
    is_not_principal: bool
    actions: tuple[str, ...]
    is_not_action: bool
    resources: tuple[str, ...]
    is_not_resource: bool
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document; without a Version it is of 2008-10-17 and has no variables."""

    version: str
    id: str
    statements: tuple[Statement, ...]

    @property
    def has_variables(self) -> bool:
        """Whether `${…}` is replaced in this policy."""
        return self.version == "2012-10-17"


def parse_policy(text: str) -> Policy:
    """Read a policy document.

    Raises:
        MalformedPolicyDocument: it is not JSON, is nested too deeply, or has unknown or
            contradictory elements.
    """
    try:
        document: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MalformedPolicyDocument("This policy contains invalid Json") from error
    members = _object(document, _POLICY_MEMBERS)
    version = members.get("Version", VERSIONS[0])
    if version not in VERSIONS:
        raise MalformedPolicyDocument
    statements = members.get("Statement")
    if statements is None:
        raise MalformedPolicyDocument
    listed = cast("list[Any]", statements) if isinstance(statements, list) else [statements]
    has_variables = version == VERSIONS[1]
    return Policy(
        version=version,
        id=_text(members.get("Id", "")),
        statements=tuple(_statement(statement, has_variables) for statement in listed),
    )


def _statement(document: Any, has_variables: bool) -> Statement:
    members = _object(document, _STATEMENT_MEMBERS)
    effect = members.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedPolicyDocument
    principal, is_not_principal = _one_of(members, "Principal", "NotPrincipal")
    actions, is_not_action = _one_of(members, "Action", "NotAction")
    resources, is_not_resource = _one_of(members, "Resource", "NotResource")
    try:
        conditions = parse_conditions(members.get("Condition", {}), has_variables=has_variables)
    except ValueError as error:
        raise MalformedPolicyDocument(str(error)) from error
    return Statement(
        sid=_text(members.get("Sid", "")),
        effect=effect,
        principal=None if principal is None else _principal(principal),
        is_not_principal=is_not_principal,
        actions=_texts(actions),
        is_not_action=is_not_action,
        resources=_texts(resources),
        is_not_resource=is_not_resource,
        conditions=conditions,
    )


def _principal(value: Any) -> PrincipalElement:
    if isinstance(value, str):
        if value != "*":
            raise MalformedPolicyDocument
        return PrincipalElement(is_everyone=True)
    members = _object(value, _PRINCIPAL_MEMBERS)
    if not members:
        raise MalformedPolicyDocument
    aws = _texts(members.get("AWS"))
    return PrincipalElement(
        is_everyone="*" in aws,
        aws=tuple(name for name in aws if name != "*"),
        services=_texts(members.get("Service")),
        federated=_texts(members.get("Federated")),
        canonical_users=_texts(members.get("CanonicalUser")),
    )


def _one_of(members: Mapping[str, Any], positive: str, negative: str) -> tuple[Any, bool]:
    if positive in members and negative in members:
        raise MalformedPolicyDocument
    if negative in members:
        return members[negative], True
    return members.get(positive), False


def _object(value: Any, allowed: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedPolicyDocument
    members = cast("dict[str, Any]", value)
    if not allowed.issuperset(members):
        raise MalformedPolicyDocument
    return members


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MalformedPolicyDocument
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(_text(item) for item in cast("list[Any]", value))
    return (_text(value),)
