"""Whom a statement of a resource or trust policy names, and how directly."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from hashlib import sha256

from cloche.core.authorization.policy import PrincipalElement
from cloche.core.principals import Principal


class Grant(IntEnum):
    """How directly an Allow names a caller; more direct is greater.

    Attributes:
        NONE: not at all.
        ACCOUNT: the caller's account, which leaves the decision to the account's own policies.
        ROLE: the role behind a session; boundaries and session policies still narrow it.
        DIRECT: the user, the session, the service, or everyone. Nothing else need allow it.
    """

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    DIRECT = 3


@lru_cache(maxsize=1024)
def canonical_user_id(account_id: str) -> str:
    """S3's canonical id of an account: 64 hexadecimal digits, always the same for an account."""
    return sha256(f"canonical user of {account_id}".encode()).hexdigest()


class PrincipalMatcher:
    """A compiled Principal or NotPrincipal element."""

    __slots__ = ("_aws", "_canonical_users", "_is_everyone", "_is_negated", "_services")

    def __init__(self, element: PrincipalElement, *, is_negated: bool) -> None:
        self._is_everyone = element.is_everyone
        self._is_negated = is_negated
        self._aws = frozenset(element.aws)
        self._services = frozenset(element.services)
        self._canonical_users = frozenset(element.canonical_users)

    def grant(self, principal: Principal) -> Grant:
        """How directly the element names the caller; for NotPrincipal, all or nothing."""
        grant = self._named(principal)
        if self._is_negated:
            return Grant.DIRECT if grant is Grant.NONE else Grant.NONE
        return grant

    def _named(self, principal: Principal) -> Grant:
        if self._is_everyone:
            return Grant.DIRECT
        if principal.kind == "AWSService":
            return Grant.DIRECT if principal.name in self._services else Grant.NONE
        if principal.kind == "Anonymous":
            return Grant.NONE
        if self._aws:
            grant = self._named_by_arn(principal)
            if grant is not Grant.NONE:
                return grant
        if self._canonical_users and canonical_user_id(principal.account_id) in (
            self._canonical_users
        ):
            return Grant.ACCOUNT
        return Grant.NONE

    def _named_by_arn(self, principal: Principal) -> Grant:
        named = self._aws
        if principal.arn in named or (principal.user_id in named and not principal.is_root):
            return Grant.DIRECT
        role_id = principal.user_id.partition(":")[0]
        if principal.role_arn and (principal.role_arn in named or role_id in named):
            return Grant.ROLE
        account_id = principal.account_id
        if account_id in named or f"arn:aws:iam::{account_id}:root" in named:
            return Grant.DIRECT if principal.is_root else Grant.ACCOUNT
        return Grant.NONE
