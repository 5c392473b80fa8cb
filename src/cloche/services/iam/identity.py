"""Who signs with a key, and what policies bind a principal: what the gateway asks of IAM.

All of it is asked for every request, so it reads through the documents' cache.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from cloche.core.dispatch import IdentityPolicies
from cloche.core.documents import Documents
from cloche.core.principals import Principal
from cloche.services.iam import entities
from cloche.services.iam.accounts import (
    AccountExists,
    AccountKey,
    create_account,
    ensure_root,
    list_accounts,
)
from cloche.services.iam.entities import Role, Use, User
from cloche.services.iam.identifiers import SESSION_KEY_PREFIX
from cloche.services.iam.managed import policy_text
from cloche.services.iam.service_sessions import create_session_for_service
from cloche.services.iam.sessions import Session, sessions

__all__ = [
    "AccountExists",
    "AccountKey",
    "Credential",
    "create_account",
    "create_session_for_service",
    "ensure_root",
    "find_credential",
    "list_accounts",
    "policies_of",
    "record_use",
]

_ALLOW_ALL = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
_ALLOW_NOTHING = '{"Version":"2012-10-17","Statement":[]}'
_USE_RECORDED_EVERY = timedelta(minutes=1)


class Credential(msgspec.Struct, frozen=True):
    """A key that can sign.

    Attributes:
        session_token: that must come with it; None for a long-term key.
        expires_at: seconds since 1970; None for a long-term key. It may be over already.
    """

    access_key_id: str
    secret_access_key: str
    session_token: str | None
    expires_at: float | None
    principal: Principal


def find_credential(documents: Documents, access_key_id: str) -> Credential | None:
    """The credential of an access key id.

    None if there is none, if the key is inactive, or if its user or role is gone: AWS answers
    InvalidClientTokenId to all of these.
    """
    if access_key_id.startswith(SESSION_KEY_PREFIX):
        session = documents.get_cached(sessions, "", "", access_key_id)
        return None if session is None else _of_session(documents, session)
    key = documents.get_cached(entities.access_keys, "", "", access_key_id)
    if key is None or not key.is_active:
        return None
    if not key.user_name:
        return _of_root(key.account_id, access_key_id, key.secret)
    else:
        user = _user(documents, key.account_id, key.user_name)
        if user is None:
            return None
        principal = Principal(
            kind="IAMUser",
            account_id=key.account_id,
            arn=f"arn:aws:iam::{key.account_id}:user{user.path}{user.name}",
            user_id=user.id,
            name=user.name,
            access_key_id=access_key_id,
            tags=user.tags,
        )
    return Credential(access_key_id, key.secret, None, None, principal)


@lru_cache(maxsize=1024)
def _of_root(account_id: str, access_key_id: str, secret: str) -> Credential:
    principal = Principal(
        kind="Root",
        account_id=account_id,
        arn=f"arn:aws:iam::{account_id}:root",
        user_id=account_id,
        access_key_id=access_key_id,
    )
    return Credential(access_key_id, secret, None, None, principal)


def _of_session(documents: Documents, session: Session) -> Credential | None:
    tags = session.tags
    if session.owner:
        owner = _owner(documents, session)
        if owner is None or owner.id != session.owner_id:
            return None
        overridden = {key.lower() for key, _ in tags}
        tags += tuple(pair for pair in owner.tags if pair[0].lower() not in overridden)
    principal = Principal(
        kind=session.kind,
        account_id=session.account_id,
        arn=session.arn,
        user_id=session.user_id,
        name=session.name,
        access_key_id=session.id,
        role_arn=session.role_arn,
        session_policies=session.policies,
        session_issued_at=session.issued_at,
        mfa_authenticated=session.mfa_authenticated,
        tags=tags,
    )
    return Credential(session.id, session.secret, session.token, session.expires_at, principal)


def _owner(documents: Documents, session: Session) -> Role | User | None:
    if session.kind == "AssumedRole":
        return _role(documents, session.account_id, session.owner)
    return _user(documents, session.account_id, session.owner)


def _user(documents: Documents, account_id: str, name: str) -> User | None:
    return documents.get_cached(entities.users, account_id, "", name.lower())


def _role(documents: Documents, account_id: str, name: str) -> Role | None:
    return documents.get_cached(entities.roles, account_id, "", name.lower())


def policies_of(documents: Documents, principal: Principal) -> IdentityPolicies:
    """The identity policies and the permissions boundary of a principal, as JSON texts."""
    account_id = principal.account_id
    if principal.kind == "IAMUser":
        return _of_user(documents, account_id, principal.name)
    if principal.kind == "AssumedRole":
        role = _role(documents, account_id, principal.role_arn.rpartition("/")[2])
        # A role of the same name made later is another one.
        if role is None or not principal.user_id.startswith(role.id + ":"):
            return IdentityPolicies()
        return IdentityPolicies(_texts(documents, role), _boundary(documents, role.boundary))
    if principal.kind == "FederatedUser":
        session = documents.get_cached(sessions, "", "", principal.access_key_id)
        if session is None:
            return IdentityPolicies()
        if session.owner:
            return _of_user(documents, account_id, session.owner)
        return IdentityPolicies((_ALLOW_ALL,))
    return IdentityPolicies()


def _of_user(documents: Documents, account_id: str, name: str) -> IdentityPolicies:
    user = _user(documents, account_id, name)
    if user is None:
        return IdentityPolicies()
    texts = _texts(documents, user)
    for group_name in user.groups:
        group = documents.get_cached(entities.groups, account_id, "", group_name.lower())
        if group is not None:
            texts.extend(_texts(documents, group))
    return IdentityPolicies(texts, _boundary(documents, user.boundary))


def _texts(documents: Documents, entity: User | Role | entities.Group) -> list[str]:
    return [*entity.policies.values(), *_managed_texts(documents, entity.attached)]


def _managed_texts(documents: Documents, arns: Iterable[str]) -> Iterable[str]:
    for arn in arns:
        text = policy_text(documents, arn)
        if text is not None:
            yield text


def _boundary(documents: Documents, arn: str) -> str | None:
    if not arn:
        return None
    return policy_text(documents, arn) or _ALLOW_NOTHING


async def record_use(
    documents: Documents, principal: Principal, service: str, region: str, now: datetime
) -> None:
    """Remember when and where a key or a role was last used; once a minute is enough."""
    if principal.kind == "AssumedRole":
        table, account_id = entities.role_uses, principal.account_id
        name = principal.role_arn.rpartition("/")[2].lower()
    elif principal.access_key_id and principal.session_issued_at is None:
        table, account_id, name = entities.access_key_uses, "", principal.access_key_id
    else:
        return
    last = documents.get_cached(table, account_id, "", name)
    if (
        last is not None
        and (last.service, last.region) == (service, region)
        and now - last.used_at < _USE_RECORDED_EVERY
    ):
        return
    use = Use(now.replace(microsecond=0), service, region)
    await documents.commit(lambda transaction: transaction.put(table, account_id, "", name, use))
