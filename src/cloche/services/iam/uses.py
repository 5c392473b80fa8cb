"""Which users, groups and roles have a managed policy attached or as their boundary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from cloche.core.documents import Documents, Transaction
from cloche.services.iam import entities
from cloche.services.iam.entities import Group, Role, User

_ALL = 100_000


class Counts(NamedTuple):
    """How often each policy is attached, and is a boundary, by ARN."""

    attachments: Counter[str]
    boundaries: Counter[str]


def principals(source: Documents | Transaction, account_id: str) -> Iterator[User | Group | Role]:
    """All users, groups and roles of an account."""
    for user in source.scan(entities.users, account_id, "", limit=_ALL):
        yield user.value
    for group in source.scan(entities.groups, account_id, "", limit=_ALL):
        yield group.value
    for role in source.scan(entities.roles, account_id, "", limit=_ALL):
        yield role.value


def count_uses(source: Documents | Transaction, account_id: str) -> Counts:
    """Count the uses of all policies in an account."""
    counts = Counts(Counter(), Counter())
    for entity in principals(source, account_id):
        counts.attachments.update(entity.attached)
        if not isinstance(entity, Group) and entity.boundary:
            counts.boundaries[entity.boundary] += 1
    return counts


def uses_policy(entity: User | Group | Role, arn: str, usage: str | None) -> bool:
    """Whether an entity uses a policy.

    Args:
        entity: a user, group or role.
        arn: the policy's.
        usage: `PermissionsPolicy` or `PermissionsBoundary`; None for both.
    """
    if usage != "PermissionsBoundary" and arn in entity.attached:
        return True
    is_boundary = not isinstance(entity, Group) and entity.boundary == arn
    return usage != "PermissionsPolicy" and is_boundary
