"""How a request's body is covered by its signature: `x-amz-content-sha256`."""

from __future__ import annotations

import re
from typing import Literal

from cloche.core.errors import NotImplementedException
from cloche.gateway.signing.errors import XAmzContentSHA256Mismatch
from cloche.gateway.signing.keys import is_same
from cloche.gateway.signing.refusals import Refusals

PayloadMode = Literal[
    "SHA256",
    "UNSIGNED-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
]
"""`SHA256`: the hash of the whole body is signed. The others are the header's own words."""

_WORDS: dict[str, PayloadMode] = {
    "UNSIGNED-PAYLOAD": "UNSIGNED-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SIGNED_EVENTS = "STREAMING-AWS4-HMAC-SHA256-EVENTS"


def payload_mode(value: str, refusals: Refusals) -> PayloadMode:
    """What a value of `x-amz-content-sha256` says of the body.

    Raises:
        AWSError: it says nothing that we know.
    """
    word = _WORDS.get(value)
    if word is not None:
        return word
    if _SHA256.fullmatch(value):
        return "SHA256"
    if value == _SIGNED_EVENTS:
        raise NotImplementedException("Event streams with signed events are not supported.")
    raise refusals.malformed_payload_hash(value)


def check_payload_sha256(declared: str, computed: str) -> None:
    """Compare the hash that was signed with that of the body that came, both in hexadecimal.

    Raises:
        XAmzContentSHA256Mismatch: they differ.
    """
    if not is_same(declared, computed):
        raise XAmzContentSHA256Mismatch(
            ClientComputedContentSHA256=declared, S3ComputedContentSHA256=computed
        )
