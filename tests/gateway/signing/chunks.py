"""Bodies in aws-chunked encoding, written after S3's documentation for the tests of this folder."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

from cloche.gateway.signing import Verified

EMPTY = sha256(b"").hexdigest()


def split(data: bytes, chunk_bytes: int) -> list[bytes]:
    return [data[start : start + chunk_bytes] for start in range(0, len(data), chunk_bytes)]


def unsigned_body(chunks: Sequence[bytes], trailers: dict[str, str] | None = None) -> bytes:
    """Chunks without signatures, and a trailer."""
    encoded = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
    lines = [f"{name}:{value}\r\n".encode() for name, value in (trailers or {}).items()]
    return b"".join([*encoded, b"0\r\n", *lines, b"\r\n"])


def signed_body(
    key: bytes, seed: Verified, chunks: Sequence[bytes], trailers: dict[str, str] | None = None
) -> bytes:
    """Signed chunks, and a signed trailer unless it is None."""
    previous = seed.signature
    parts: list[bytes] = []

    def sign(algorithm: str, digests: str) -> str:
        nonlocal previous
        text = f"{algorithm}\n{seed.timestamp}\n{seed.scope}\n{previous}\n{digests}"
        previous = hmac.new(key, text.encode(), sha256).hexdigest()
        return previous

    for chunk in [*chunks, b""]:
        digests = f"{EMPTY}\n{sha256(chunk).hexdigest()}"
        signature = sign("AWS4-HMAC-SHA256-PAYLOAD", digests)
        head = f"{len(chunk):x};chunk-signature={signature}\r\n".encode()
        parts.append(head + chunk + (b"\r\n" if chunk else b""))
    if trailers is not None:
        lines = "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items()))
        signature = sign("AWS4-HMAC-SHA256-TRAILER", sha256(lines.encode()).hexdigest())
        parts += [f"{name}:{value}\r\n".encode() for name, value in trailers.items()]
        parts.append(f"x-amz-trailer-signature:{signature}\r\n".encode())
    return b"".join([*parts, b"\r\n"])
