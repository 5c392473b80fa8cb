"""Temporary credentials: kept until a day after they expire, found by their access key id."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from cloche.core.documents import Documents, Transaction
from cloche.core.principals import PrincipalKind
from cloche.core.tables import Table
from cloche.services.iam import identifiers
from cloche.services.iam.entities import Tags

_KEPT_AFTER_EXPIRY_SECONDS = 86400.0
_SWEPT_AT_ONCE = 100


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Temporary credentials and for whom they stand.

    Attributes:
        id: the access key id, `ASIA…`.
        owner: name of the role, or of the user that asked; empty for root.
        owner_id: unique id of that role or user; the session is void when it is gone.
        policies: session policies, JSON texts, each of which must allow.
        transitive_tag_keys: tags that go on to further sessions.
        issued_at: seconds since 1970, as is `expires_at`.
    """

    id: str
    secret: str
    token: str
    account_id: str
    kind: PrincipalKind
    arn: str
    user_id: str
    name: str
    owner: str
    owner_id: str
    issued_at: float
    expires_at: float
    role_arn: str = ""
    policies: tuple[str, ...] = ()
    tags: Tags = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str = ""
    mfa_authenticated: bool = False

    @property
    def expiration(self) -> datetime:
        """When it ends."""
        return datetime.fromtimestamp(int(self.expires_at), UTC)


class Expiry(msgspec.Struct, frozen=True):
    """An entry of the list of sessions by the time they end, which is its name."""

    session_id: str


sessions = Table("sts.sessions", Session)
session_expiries = Table("sts.session_expiries", Expiry)


class SessionKey(msgspec.Struct, frozen=True):
    """The three parts of new temporary credentials."""

    id: str
    secret: str
    token: str


def new_session_key(account_id: str, minimum_token_characters: int = 0) -> SessionKey:
    """Make up credentials."""
    return SessionKey(
        identifiers.access_key_id(identifiers.SESSION_KEY_PREFIX, account_id),
        identifiers.secret_access_key(),
        identifiers.session_token(minimum_token_characters),
    )


def keep_session(documents: Documents, session: Session) -> None:
    """Keep a new session, and drop some of those that ended more than a day before it began.

    Each new session sweeps up to a hundred old ones, so that they never pile up.
    """

    def work(transaction: Transaction) -> None:
        sweep_sessions(transaction, session.issued_at)
        transaction.insert(sessions, "", "", session.id, session)
        name = _expiry_name(session.expires_at, session.id)
        transaction.insert(session_expiries, "", "", name, Expiry(session.id))

    documents.transact(work)


def sweep_sessions(transaction: Transaction, now: float) -> int:
    """Delete up to a hundred sessions that ended more than a day ago; say how many."""
    limit = _expiry_name(now - _KEPT_AFTER_EXPIRY_SECONDS, "")
    swept = 0
    for document in transaction.scan(session_expiries, "", "", limit=_SWEPT_AT_ONCE):
        if document.name >= limit:
            break
        transaction.delete(sessions, "", "", document.value.session_id)
        transaction.delete(session_expiries, "", "", document.name)
        swept += 1
    return swept


def _expiry_name(instant: float, session_id: str) -> str:
    return f"{int(max(instant, 0)):015d}/{session_id}"
