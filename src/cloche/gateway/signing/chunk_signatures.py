"""The signatures of a body's chunks and of its trailer, each of which covers the one before."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from cloche.gateway.signing.canonical import EMPTY_SHA256
from cloche.gateway.signing.keys import is_same
from cloche.gateway.signing.s3_refusals import signature_mismatch
from cloche.gateway.signing.verification import Verified


class ChunkSignatures:
    """Verifies chunks in their order.

    Args:
        verified: the request whose body they are.
    """

    def __init__(self, verified: Verified) -> None:
        self._verified = verified
        self._previous = verified.signature

    def check_chunk(self, signature: str, chunk_sha256: str) -> None:
        """Verify the next chunk's signature by the hash of its bytes, in hexadecimal.

        Raises:
            SignatureDoesNotMatch: it is another.
        """
        self._check(signature, "AWS4-HMAC-SHA256-PAYLOAD", f"{EMPTY_SHA256}\n{chunk_sha256}")

    def check_trailer(self, signature: str, trailers: Mapping[str, str]) -> None:
        """Verify the trailer's signature.

        Raises:
            SignatureDoesNotMatch: it is another.
        """
        lines = "".join([f"{name}:{trailers[name]}\n" for name in sorted(trailers)])
        digest = sha256(lines.encode("latin-1")).hexdigest()
        self._check(signature, "AWS4-HMAC-SHA256-TRAILER", digest)

    def _check(self, signature: str, algorithm: str, digests: str) -> None:
        seed = self._verified
        text = f"{algorithm}\n{seed.timestamp}\n{seed.scope}\n{self._previous}\n{digests}"
        expected = seed.signing_key.sign(text)
        if not is_same(expected, signature):
            raise signature_mismatch(seed.access_key_id, signature, text, seed.canonical_request)
        self._previous = expected
