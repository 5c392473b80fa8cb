"""Unique ids and keys with AWS's prefixes.

An access key id tells its account, as AWS's do: after the prefix stand ten bytes in base 32, of
which the first six hold the account id above seven random bits.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import string

_BASE_32 = string.ascii_uppercase + "234567"
_SECRET_CHARACTERS = string.ascii_letters + string.digits + "+/"
_ACCOUNT_BITS = 40

USER_PREFIX = "AIDA"
GROUP_PREFIX = "AGPA"
ROLE_PREFIX = "AROA"
POLICY_PREFIX = "ANPA"
INSTANCE_PROFILE_PREFIX = "AIPA"
ACCESS_KEY_PREFIX = "AKIA"
SESSION_KEY_PREFIX = "ASIA"


def unique_id(prefix: str) -> str:
    """A new id of 21 characters, such as `AROA…`."""
    return prefix + "".join(secrets.choice(_BASE_32) for _ in range(17))


def access_key_id(prefix: str, account_id: str) -> str:
    """A new access key id of 20 characters that tells its account."""
    head = 1 << 47 | int(account_id) << 7 | secrets.randbits(7)
    return prefix + base64.b32encode(head.to_bytes(6, "big") + secrets.token_bytes(4)).decode()


def account_of_access_key(key_id: str) -> str | None:
    """The account that an access key id of this form tells; None if it is of another form."""
    if len(key_id) != 20:
        return None
    try:
        content = base64.b32decode(key_id[4:])
    except binascii.Error:
        return None
    account = int.from_bytes(content[:6], "big") >> 7 & (1 << _ACCOUNT_BITS) - 1
    return f"{account:012d}" if account < 10**12 else None


def secret_access_key() -> str:
    """A new secret of 40 characters."""
    return "".join(secrets.choice(_SECRET_CHARACTERS) for _ in range(40))


def session_token(minimum_characters: int = 0) -> str:
    """A new session token of 256 characters or more; it stands for nothing but itself."""
    characters = max(256, minimum_characters)
    return base64.b64encode(secrets.token_bytes(-(-characters * 3 // 4) + 2)).decode()[:characters]
