"""Who calls."""

from __future__ import annotations

from typing import Literal

import msgspec

PrincipalKind = Literal[
    "Root", "IAMUser", "AssumedRole", "FederatedUser", "AWSService", "Anonymous"
]


class Principal(msgspec.Struct, frozen=True):
    """A caller whose signature was verified, or `Anonymous`.

    Attributes:
        kind: as CloudTrail's `userIdentity.type`.
        account_id: twelve digits; empty for an anonymous caller.
        arn: `arn:aws:iam::…:root`, `…:user/…`, `arn:aws:sts::…:assumed-role/role/session`; of an
            `AWSService` the resource for which it acts (`aws:SourceArn`), if any.
        user_id: AWS's unique id (`AIDA…`, `AROA…:session`, the account for root).
        name: the user's or the session's name; the service's for `AWSService`.
        access_key_id: of the key that signed.
        role_arn: the role behind an assumed-role session.
        session_policies: JSON texts that narrow a session, all of which must allow.
        session_issued_at: seconds since 1970, for temporary credentials.
        mfa_authenticated: whether the session was made with MFA.
        tags: principal tags, for `aws:PrincipalTag/…`.
    """

    kind: PrincipalKind
    account_id: str
    arn: str
    user_id: str
    name: str = ""
    access_key_id: str = ""
    role_arn: str = ""
    session_policies: tuple[str, ...] = ()
    session_issued_at: float | None = None
    mfa_authenticated: bool = False
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def is_root(self) -> bool:
        """Whether policies do not bind this principal within its own account."""
        return self.kind == "Root"


ANONYMOUS = Principal(kind="Anonymous", account_id="", arn="", user_id="")
