"""Signing keys, and signatures made with them."""

from __future__ import annotations

import hmac
from functools import lru_cache
from hashlib import sha256

import msgspec

_BLOCK_BYTES = 64
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))


class SigningKey(msgspec.Struct, frozen=True):
    """A key for HMAC-SHA256, padded as RFC 2104 has it.

    Two plain hashes over the padded key take a third of the time that OpenSSL 3 takes to set up
    an HMAC.

    Attributes:
        inner: the key padded for the inner hash.
        outer: the key padded for the outer hash.
    """

    inner: bytes
    outer: bytes

    def sign(self, text: str) -> str:
        """The signature of a string to sign, in hexadecimal."""
        inner = sha256(self.inner + text.encode("utf-8", "surrogateescape")).digest()
        return sha256(self.outer + inner).hexdigest()

    def __repr__(self) -> str:
        return "SigningKey()"


# The access key's id is part of the cache's key, so that no two principals share an entry.
@lru_cache(maxsize=1024)
def signing_key(
    access_key_id: str, secret_access_key: str, date: str, region: str, service: str
) -> SigningKey:
    """The key for one day, region and service, derived from a secret access key."""
    key = b"AWS4" + secret_access_key.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode("utf-8", "surrogateescape"), "sha256")
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    return SigningKey(padded.translate(_INNER_PAD), padded.translate(_OUTER_PAD))


def is_same(expected: str, provided: str) -> bool:
    """Whether two signatures or tokens are the same, compared in constant time."""
    if expected.isascii() and provided.isascii():
        return hmac.compare_digest(expected, provided)
    return hmac.compare_digest(
        expected.encode("utf-8", "surrogateescape"), provided.encode("utf-8", "surrogateescape")
    )
