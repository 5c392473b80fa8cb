"""Checksums: what a client announces, what is kept, and those of multipart objects.

An object's checksum is kept by the member name of the model (`ChecksumCRC32`), base64. A part's
is kept by the algorithm's name in lower case, as the engine's interface says.

Source: "Checking object integrity" in the S3 user guide.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import xxhash
from awscrt import checksums as crt

from cloche.engines.objects.store import Part
from cloche.services.s3.errors import (
    BadDigest,
    InvalidDigest,
    InvalidRequest,
    XAmzContentSHA256Mismatch,
)

DEFAULT_ALGORITHM = "CRC64NVME"
COMPOSITE = "COMPOSITE"
FULL_OBJECT = "FULL_OBJECT"

DIGEST_BYTES = {
    "CRC32": 4,
    "CRC32C": 4,
    "CRC64NVME": 8,
    "SHA1": 20,
    "SHA256": 32,
    "SHA512": 64,
    "MD5": 16,
    "XXHASH64": 8,
    "XXHASH3": 8,
    "XXHASH128": 16,
}
MEMBERS = {f"Checksum{algorithm}": algorithm for algorithm in DIGEST_BYTES}
_TRAILERS = {f"x-amz-checksum-{algorithm.lower()}": algorithm for algorithm in DIGEST_BYTES}

_COMBINE: dict[str, Callable[[int, int, int], int]] = {
    "CRC32": crt.combine_crc32,
    "CRC32C": crt.combine_crc32c,
    "CRC64NVME": crt.combine_crc64nvme,
}


def known_algorithm(name: str) -> str:
    """An algorithm by the name that a request gives, in upper case.

    Raises:
        InvalidRequest: there is none of that name.
    """
    algorithm = name.upper()
    if algorithm not in DIGEST_BYTES:
        raise InvalidRequest(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid "
            "types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, "
            "XXHASH128]"
        )
    return algorithm


def announced_checksum(
    request: Mapping[str, Any], headers: Mapping[str, str]
) -> tuple[str, str | None] | None:
    """The algorithm that a body's checksum is given in, and its value unless a trailer has it.

    None if the request gives none. `ChecksumAlgorithm` without a checksum is an error only if no
    trailer is announced either.

    Raises:
        InvalidRequest: two checksums, or an unknown algorithm.
    """
    found = [(MEMBERS[member], request[member]) for member in MEMBERS.keys() & request.keys()]
    if len(found) > 1:
        raise InvalidRequest(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    trailer = _announced_trailer(headers)
    named = request.get("ChecksumAlgorithm")
    algorithm = None if named is None else known_algorithm(named)
    if found:
        found_algorithm, value = found[0]
        if algorithm is not None and algorithm != found_algorithm:
            raise InvalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")
        _decoded(found_algorithm, value)
        return found_algorithm, value
    if trailer is not None:
        return trailer, None
    if algorithm is not None:
        raise InvalidRequest(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
            "x-amz-trailer headers were found."
        )
    return None


def _announced_trailer(headers: Mapping[str, str]) -> str | None:
    trailer = headers.get("x-amz-trailer")
    if trailer is None:
        return None
    algorithm = _TRAILERS.get(trailer.strip().lower())
    if algorithm is None:
        raise InvalidRequest("The value specified in the x-amz-trailer header is not supported")
    return algorithm


def trailing_checksum(algorithm: str, trailers: Mapping[str, str]) -> str:
    """The checksum that came behind the body.

    Raises:
        InvalidRequest: the trailer that was announced did not come, or is no checksum.
    """
    value = trailers.get(f"x-amz-checksum-{algorithm.lower()}")
    if value is None:
        raise InvalidRequest("The x-amz-trailer header names a trailer that is missing.")
    _decoded(algorithm, value)
    return value


def _decoded(algorithm: str, value: str) -> bytes:
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != DIGEST_BYTES[algorithm]:
        raise InvalidRequest(f"Value for x-amz-checksum-{algorithm.lower()} header is invalid.")
    return digest


def check_checksum(algorithm: str, announced: str, digest: bytes) -> None:
    """Compare a body's digest with the announced one.

    Raises:
        BadDigest: they differ.
    """
    if base64.b64encode(digest).decode() != announced:
        raise BadDigest(f"The {algorithm} you specified did not match the calculated checksum.")


def decoded_md5(value: str) -> bytes:
    """The digest in a Content-MD5 header.

    Raises:
        InvalidDigest: it is no base64 of sixteen bytes.
    """
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != DIGEST_BYTES["MD5"]:
        error = InvalidDigest()
        error.members["Content-MD5"] = value
        raise error
    return digest


def encoded(digest: bytes) -> str:
    """A digest as the wire has it."""
    return base64.b64encode(digest).decode()


def default_type(algorithm: str) -> str:
    """The kind of checksum that a multipart object gets unless the request says."""
    return FULL_OBJECT if algorithm == DEFAULT_ALGORITHM else COMPOSITE


def checked_type(algorithm: str, kind: str | None) -> str:
    """The kind of checksum for a multipart upload.

    Raises:
        InvalidRequest: the algorithm has no checksum of that kind.
    """
    if kind is None:
        return default_type(algorithm)
    possible = {COMPOSITE} if algorithm not in _COMBINE else {COMPOSITE, FULL_OBJECT}
    if algorithm == DEFAULT_ALGORITHM:
        possible = {FULL_OBJECT}
    if kind not in possible:
        raise InvalidRequest(
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum "
            "algorithm."
        )
    return kind


def combined_checksum(algorithm: str, kind: str, parts: Sequence[Part]) -> str | None:
    """The checksum of an object made of parts; None if a part was stored without one."""
    digests: list[bytes] = []
    for part in parts:
        value = part.checksums.get(algorithm.lower())
        if value is None:
            return None
        digests.append(base64.b64decode(value))
    if kind == COMPOSITE:
        return f"{encoded(_digest(algorithm, b''.join(digests)))}-{len(parts)}"
    combine = _COMBINE[algorithm]
    checksum = 0
    for part, digest in zip(parts, digests, strict=True):
        checksum = combine(checksum, int.from_bytes(digest, "big"), part.size_bytes)
    return encoded(checksum.to_bytes(DIGEST_BYTES[algorithm], "big"))


def multipart_etag(parts: Sequence[Part]) -> str:
    """The ETag of an object made of parts: the MD5 of their MD5s, and how many there are."""
    joined = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"


_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda data: crt.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: crt.crc32c(data).to_bytes(4, "big"),
    "CRC64NVME": lambda data: crt.crc64nvme(data).to_bytes(8, "big"),
    "SHA1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
    "SHA512": lambda data: hashlib.sha512(data).digest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "XXHASH64": lambda data: xxhash.xxh64(data).digest(),
    "XXHASH3": lambda data: xxhash.xxh3_64(data).digest(),
    "XXHASH128": lambda data: xxhash.xxh3_128(data).digest(),
}


def _digest(algorithm: str, data: bytes) -> bytes:
    return _DIGESTS[algorithm](data)


def check_content_sha256(signed: str, digest: bytes) -> None:
    """Compare a body's SHA-256 with the one in `x-amz-content-sha256`.

    Raises:
        XAmzContentSHA256Mismatch: they differ.
    """
    if digest.hex() != signed:
        raise XAmzContentSHA256Mismatch(
            ClientComputedContentSHA256=signed, S3ComputedContentSHA256=digest.hex()
        )
