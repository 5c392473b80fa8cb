"""Functions of bytes: hashes, checksums, byte orders, addresses."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import struct
import zlib

import xxhash

from cloche.engines.sql.duckdb_functions.failures import invalid


def _hmac(algorithm: str, data: bytes, key: bytes) -> bytes:
    return hmac.new(key, data, algorithm).digest()


def _big_endian(format: str, data: bytes) -> int:
    size = struct.calcsize(format)
    if len(data) != size:
        raise invalid(f"expected {size}-byte input, but got instead: {len(data)}")
    return struct.unpack(format, data)[0]


def _shift_left(number: int, shift: int) -> int:
    made = (number << shift) & 0xFFFFFFFFFFFFFFFF
    return made - (1 << 64) if made >> 63 else made


def _from_utf8(data: bytes, replacement: str) -> str:
    """A text, each run of bytes that is none replaced (by nothing, by one character)."""
    if len(replacement) > 1:
        raise invalid("Replacement character string must empty or a single character")
    if replacement == "\ufffd":
        return data.decode("utf-8", "replace")
    made, at = "", 0
    while at < len(data):
        try:
            return made + data[at:].decode("utf-8")
        except UnicodeDecodeError as error:
            made += data[at : at + error.start].decode("utf-8") + replacement
            at += error.end
    return made


def _address(text: str) -> str:
    try:
        made = ipaddress.ip_address(text.strip())
    except ValueError:
        raise invalid(f"Cannot cast value to IPADDRESS: {text}", "INVALID_CAST_ARGUMENT") from None
    mapped = made.ipv4_mapped if isinstance(made, ipaddress.IPv6Address) else None
    return str(mapped or made)


def _network_contains(network: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        raise invalid(f"Invalid CIDR: {network}") from None


FUNCTIONS = {
    "py_from_utf8": (_from_utf8, ["BLOB", "VARCHAR"], "VARCHAR"),
    "py_sha512": (lambda data: hashlib.sha512(data).digest(), ["BLOB"], "BLOB"),
    "py_xxhash64": (lambda data: xxhash.xxh64_digest(data), ["BLOB"], "BLOB"),
    "py_crc32": (lambda data: zlib.crc32(data), ["BLOB"], "BIGINT"),
    "py_hmac": (_hmac, ["VARCHAR", "BLOB", "BLOB"], "BLOB"),
    "py_to_big_endian_64": (lambda n: struct.pack(">q", n), ["BIGINT"], "BLOB"),
    "py_to_big_endian_32": (lambda n: struct.pack(">i", n), ["BIGINT"], "BLOB"),
    "py_from_big_endian_64": (lambda d: _big_endian(">q", d), ["BLOB"], "BIGINT"),
    "py_from_big_endian_32": (lambda d: _big_endian(">i", d), ["BLOB"], "BIGINT"),
    "py_to_ieee754_64": (lambda x: struct.pack(">d", x), ["DOUBLE"], "BLOB"),
    "py_to_ieee754_32": (lambda x: struct.pack(">f", x), ["DOUBLE"], "BLOB"),
    "py_from_ieee754_64": (lambda d: _big_endian(">d", d), ["BLOB"], "DOUBLE"),
    "py_from_ieee754_32": (lambda d: _big_endian(">f", d), ["BLOB"], "DOUBLE"),
    "py_reverse_bytes": (lambda data: data[::-1], ["BLOB"], "BLOB"),
    "py_shift_left": (_shift_left, ["BIGINT", "BIGINT"], "BIGINT"),
    "py_ip_of": (_address, ["VARCHAR"], "VARCHAR"),
    "py_network_contains": (_network_contains, ["VARCHAR", "VARCHAR"], "BOOLEAN"),
}
