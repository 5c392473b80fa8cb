"""Signing keys, and signatures made with them."""

from __future__ import annotations

import hmac
from functools import lru_cache


# The access key's id is part of the cache's key, so that no two principals share an entry.
@lru_cache(maxsize=1024)
def signing_key(
    access_key_id: str, secret_access_key: str, date: str, region: str, service: str
) -> bytes:
    """The key for one day, region and service, derived from a secret access key."""
    key = b"AWS4" + secret_access_key.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode("utf-8", "surrogateescape"), "sha256")
    return key


def sign(key: bytes, text: str) -> str:
    """The signature of a string to sign, in hexadecimal."""
    return hmac.digest(key, text.encode("utf-8", "surrogateescape"), "sha256").hex()


def is_same(expected: str, provided: str) -> bool:
    """Whether two signatures or tokens are the same, compared in constant time."""
    return hmac.compare_digest(
        expected.encode("utf-8", "surrogateescape"), provided.encode("utf-8", "surrogateescape")
    )
