"""Temporary credentials as STS answers them, and the MFA code that may be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from cloche.core.errors import AccessDenied
from cloche.services.iam.sessions import Session

if TYPE_CHECKING:
    from aws_shapes import sts as shapes

TOKEN_LIMIT_CHARACTERS = 4096


def show_credentials(session: Session) -> shapes.Credentials:
    """The credentials of a session."""
    return {
        "AccessKeyId": session.id,
        "SecretAccessKey": session.secret,
        "SessionToken": session.token,
        "Expiration": session.expiration,
    }


class TokenSize(TypedDict):
    """The members of an answer that tell how long the token is."""

    SessionTokenSize: int
    SessionTokenUtilization: int


def token_size(session: Session) -> TokenSize:
    """The length of a session's token, and how much that is of what it may be at most."""
    size = len(session.token)
    return {
        "SessionTokenSize": size,
        "SessionTokenUtilization": -(-size * 100 // TOKEN_LIMIT_CHARACTERS),
    }


def refuse_mfa(request: Mapping[str, Any]) -> None:
    """Refuse an MFA code: there are no MFA devices yet, so none is right.

    Raises:
        AccessDenied: a code or a device is given.
    """
    if request.get("SerialNumber") or request.get("TokenCode"):
        raise AccessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code.")
