"""URLs of S3 that are signed with Signature Version 2, which boto3 still makes by default.

`AWSAccessKeyId`, `Signature` and `Expires` stand in the query string; for the form in a header
see `header_v2`. The query services' own Version 2 (with `SignatureVersion`) is refused.

What is signed is the method, `content-md5`, `content-type`, `Expires`, all `x-amz-` headers and
the resource. The host is not, so the resource has the bucket in front wherever that was named.
Headers may stand in the query string instead, and count as headers then.

Source: "Signing and authenticating REST requests" in the S3 user guide. Cloche signs more
parameters than that lists, namely all that choose an operation (`retention`, `attributes`, …),
lest a URL be turned into one for another operation.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from urllib.parse import unquote_plus

import msgspec
from msgspec import structs

from cloche.core.errors import AccessDenied
from cloche.gateway.http.messages import Request
from cloche.gateway.signing.canonical import printable
from cloche.gateway.signing.errors import InvalidArgument

_NAMES = (
    "abac accelerate acl analytics annotation annotationName attributes cors "
    "defaultObjectAcl delete encryption id intelligent-tiering inventory legal-hold "
    "lifecycle location logging metadataAnnotationTable metadataConfiguration "
    "metadataInventoryTable metadataJournalTable metadataTable metrics notification "
    "object-lock ownershipControls partNumber policy policyStatus publicAccessBlock "
    "renameObject replication requestPayment response-cache-control "
    "response-content-disposition response-content-encoding response-content-language "
    "response-content-type response-expires restore retention select select-type session "
    "storageClass tagging torrent uploadId uploads versionId versioning versions website"
)
SUBRESOURCES = frozenset(_NAMES.split())
"""The query parameters that belong to the resource."""

_MISSING = (
    "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
)
_SECONDS = re.compile(r"[0-9]{1,12}")
_HEADERS = ("content-md5", "content-type")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def check_header(name: str, value: str) -> None:
    """Refuse what can be no header: line breaks would hide one in the value of another.

    Raises:
        InvalidArgument: the name is no token of RFC 9110, or the value has control characters.
    """
    if not _TOKEN.fullmatch(name) or _CONTROL.search(value):
        raise InvalidArgument(
            "A header in the query string is malformed.",
            ArgumentName=printable(name),
            ArgumentValue=printable(value),
        )


class QuerySignature(msgspec.Struct, frozen=True):
    """A signature of Version 2 as the query string has it.

    Attributes:
        request: with the headers that stood in the query string.
        access_key_id: of the key that is said to have signed.
        signature: base64.
        expires: seconds since 1970 as it was signed, in the real time of the client.
    """

    request: Request
    access_key_id: str
    signature: str
    expires: str


def read(request: Request) -> QuerySignature | None:
    """Read a URL's signature.

    Returns:
        None if this is not S3's kind of Version 2.

    Raises:
        AccessDenied: there is no `Expires`, or it is not a time.
        InvalidArgument: a header that stands in the query string could not have come as one.
    """
    found: dict[str, str] = {}
    for name, value in _parameters(request.query_string):
        found.setdefault(name, value or "")
    if "SignatureVersion" in found or not found.keys() >= {"AWSAccessKeyId", "Signature"}:
        return None
    expires = found.get("Expires", "")
    if not (found["AWSAccessKeyId"] and found["Signature"] and expires):
        raise AccessDenied(_MISSING)
    if not _SECONDS.fullmatch(expires):
        raise AccessDenied(f"Invalid date (should be seconds since epoch): {printable(expires)}")
    headers = {
        name.lower(): value
        for name, value in reversed(found.items())
        if name.lower().startswith("x-amz-") or name.lower() in _HEADERS
    }
    for name, value in headers.items():
        check_header(name, value)
    return QuerySignature(
        structs.replace(request, headers=headers | request.headers),
        printable(found["AWSAccessKeyId"]),
        printable(found["Signature"]),
        expires,
    )


def string_to_sign(request: Request, resource: str, date: str) -> str:
    """The string to sign.

    Args:
        request: with the headers that stood in the query string.
        resource: the path as it was sent, with the bucket in front if the host named it.
        date: `Expires` as it was sent, or the date of a request that is signed in a header.

    Raises:
        AccessDenied: it would be that of another request too.
    """
    headers = request.headers
    lines = [request.method, *(headers.get(name, "").strip() for name in _HEADERS), date]
    lines += [
        f"{name}:{headers[name].strip()}" for name in sorted(headers) if name.startswith("x-amz-")
    ]
    # Names are compared as the router decodes them, or an escape would hide a parameter.
    named = [pair for pair in _parameters(request.query_string) if pair[0] in SUBRESOURCES]
    _check_meaning(named)
    named.sort(key=lambda pair: pair[0])
    query = "&".join([name if value is None else f"{name}={value}" for name, value in named])
    lines.append(f"{resource}?{query}" if query else resource)
    return "\n".join(lines)


def _check_meaning(signed: list[tuple[str, str | None]]) -> None:
    """Refuse a value that reads as a further parameter, since values are signed decoded.

    Else who has a URL with `partNumber=1&uploadId=x` could send `partNumber=1%26uploadId=x`.
    """
    for name, value in signed:
        for part in (value or "").split("&")[1:]:
            if part.partition("=")[0] in SUBRESOURCES:
                raise AccessDenied(f"The value of {name} cannot be signed with Version 2.")


def sign(secret_access_key: str, text: str) -> str:
    """The signature of a string to sign, in base64."""
    data = text.encode("utf-8", "surrogateescape")
    return b64encode(hmac.digest(secret_access_key.encode(), data, hashlib.sha1)).decode()


def _parameters(query_string: str) -> list[tuple[str, str | None]]:
    """Names and values as the router decodes them; None for a name without an equals sign."""
    pairs: list[tuple[str, str | None]] = []
    for part in query_string.split("&"):
        if part:
            name, separator, value = part.partition("=")
            pairs.append((unquote_plus(name), unquote_plus(value) if separator else None))
    return pairs
