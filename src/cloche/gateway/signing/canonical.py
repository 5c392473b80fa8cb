"""The canonical request and the string to sign of Signature Version 4.

Paths and query strings are text in which each character stands for one byte (ISO 8859-1), header
values are UTF-8 with lone bytes escaped: both as `gateway.http` gives them. Differences in
spelling that mean the same (`%2f` and `%2F`, `%41` and `A`) have one canonical form.

Source: "Create a signed AWS API request" in the IAM user guide, "Authenticating Requests" in the
S3 API reference, and the SigV4 test suite.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = sha256(b"").hexdigest()

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_HEX_DIGITS = "0123456789abcdefABCDEF"

_ENCODED = {chr(byte): f"%{byte:02X}" for byte in range(256)}
"""What each character becomes where it may not stand for itself."""

_RECODED = _ENCODED | {
    f"%{high}{low}": chr(int(high + low, 16))
    if chr(int(high + low, 16)) in _UNRESERVED
    else f"%{high}{low}".upper()
    for high in _HEX_DIGITS
    for low in _HEX_DIGITS
}
"""The same, and what each escape that is there already becomes."""

_RECODED_QUERY = _RECODED | {"+": "%20"}

_CANONICAL_ESCAPE = r"%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF])"
_IS_CANONICAL_PATH = re.compile(rf"(?:[A-Za-z0-9\-._~/]++|{_CANONICAL_ESCAPE})*+")
_IS_CANONICAL_QUERY = re.compile(rf"(?:[A-Za-z0-9\-._~&=]++|{_CANONICAL_ESCAPE})*+")
_RESERVED_IN_PATH = re.compile(r"[^A-Za-z0-9\-._~/]")
_TOKENS_IN_PATH = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~/]")
_TOKENS_IN_QUERY = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~&=]")


def canonical_request(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    signed_headers: Sequence[str],
    payload_hash: str,
) -> bytes:
    """The canonical request.

    Args:
        method: in upper case.
        path: canonical, from `canonical_path`.
        query: canonical, from `canonical_query`.
        headers: of the request, by lower-case name.
        signed_headers: lower-case names in order.
        payload_hash: hexadecimal SHA-256 of the body, or the word that stands in its place.
    """
    lines = canonical_headers(headers, signed_headers)
    names = ";".join(signed_headers)
    text = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{payload_hash}"
    return text.encode("utf-8", "surrogateescape")


def string_to_sign(timestamp: str, scope: str, request: bytes) -> str:
    """The string to sign for a canonical request; `timestamp` in ISO 8601's basic format."""
    return f"{ALGORITHM}\n{timestamp}\n{scope}\n{sha256(request).hexdigest()}"


def canonical_path(raw_path: str, *, is_s3: bool) -> str:
    """The path as it is signed.

    S3 signs the path as it is sent; every other service normalises it and encodes it once more.
    """
    if raw_path == "/" or not raw_path:
        return "/"
    path = _as_bytes_text(raw_path)
    if is_s3:
        if _IS_CANONICAL_PATH.fullmatch(path):
            return path
        return _TOKENS_IN_PATH.sub(_recode, path)
    if "//" in path or "/." in path:
        path = _normalise(path)
    return _RESERVED_IN_PATH.sub(_encode, path)


def canonical_query(query_string: str, *, is_presigned: bool = False) -> str:
    """The query string as it is signed: encoded anew, in order, without the signature itself."""
    if not query_string:
        return ""
    query = _as_bytes_text(query_string)
    if not _IS_CANONICAL_QUERY.fullmatch(query):
        query = _TOKENS_IN_QUERY.sub(_recode_query, query)
    pairs: list[tuple[str, str]] = []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if pair and not (is_presigned and name == "X-Amz-Signature"):
            pairs.append((name, value.replace("=", "%3D")))
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def canonical_headers(headers: Mapping[str, str], signed_headers: Sequence[str]) -> str:
    """The signed headers, one a line, white space folded.

    A header that is signed but absent counts as empty. Clients of HTTP/2 may sign `:authority`,
    which the server keeps as `host`.
    """
    if ":authority" in signed_headers:
        headers = {**headers, ":authority": headers.get("host", "")}
    lines = "".join([f"{name}:{headers.get(name, '')}\n" for name in signed_headers])
    if (
        "  " in lines
        or ": " in lines
        or " \n" in lines
        or "\t" in lines
        or "\r" in lines
        or lines.count("\n") != len(signed_headers)
    ):
        return "".join([f"{name}:{_fold(headers.get(name, ''))}\n" for name in signed_headers])
    return lines


def printable(text: str) -> str:
    """Text that an error may show: what cannot be printed is replaced."""
    if text.isprintable():
        return text
    return "".join([character if character.isprintable() else "\ufffd" for character in text])


def _fold(value: str) -> str:
    folded = b" ".join(value.encode("utf-8", "surrogateescape").split())
    return folded.decode("utf-8", "surrogateescape")


def _normalise(path: str) -> str:
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if segments:
                segments.pop()
        elif segment and segment != ".":
            segments.append(segment)
    end = "/" if segments and path.endswith("/") else ""
    return "/" + "/".join(segments) + end


def _as_bytes_text(text: str) -> str:
    """Text of one character a byte, also where somebody decoded it otherwise."""
    if text.isascii() or max(text) <= "\xff":
        return text
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _encode(match: re.Match[str]) -> str:
    return _ENCODED[match[0]]


def _recode(match: re.Match[str]) -> str:
    return _RECODED[match[0]]


def _recode_query(match: re.Match[str]) -> str:
    return _RECODED_QUERY[match[0]]
