"""The query parameters by which a URL is signed."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from cloche.gateway.signing.canonical import ALGORITHM, printable
from cloche.gateway.signing.refusals import Refusals

MAX_EXPIRES_SECONDS = 604_800
DEFAULT_EXPIRES_SECONDS = 900
"""How long a URL without X-Amz-Expires is valid; S3 does not accept one."""

_ALGORITHM_4A = "AWS4-ECDSA-P256-SHA256"
_SIGNATURE_NAMES = frozenset({"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"})
_REQUIRED = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-Date",
)
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_LARGEST_INTEGER = 2**63 - 1


def parameters(query_string: str) -> dict[str, str]:
    """The `X-Amz-` parameters of a signed URL, decoded; empty if the URL is not signed.

    Of parameters that come twice the first counts.
    """
    found: dict[str, str] = {}
    for pair in query_string.split("&"):
        if pair.startswith("X-Amz-"):
            name, _, value = pair.partition("=")
            if "%" in value or "+" in value:
                value = unquote_plus(value)
            found.setdefault(name, printable(value))
    return found if not _SIGNATURE_NAMES.isdisjoint(found) else {}


def is_version_2(query_string: str) -> bool:
    """Whether a URL is signed with Signature Version 2."""
    if "Signature=" not in query_string or "AWSAccessKeyId=" not in query_string:
        return False
    names = {pair.partition("=")[0] for pair in query_string.split("&")}
    return "Signature" in names and "AWSAccessKeyId" in names


def check_parameters(found: dict[str, str], refusals: Refusals, *, is_s3: bool) -> None:
    """Make sure that all is there that a signed URL needs.

    Raises:
        AWSError: a parameter is missing or empty, or the algorithm is not ours.
    """
    missing = [name for name in _REQUIRED if not found.get(name)]
    if is_s3 and not found.get("X-Amz-Expires"):
        missing.append("X-Amz-Expires")
    if missing:
        raise refusals.missing_parameters(missing)
    algorithm = found["X-Amz-Algorithm"]
    if algorithm == _ALGORITHM_4A:
        raise refusals.unsupported(algorithm)
    if algorithm != ALGORITHM:
        raise refusals.malformed_parameter(f'X-Amz-Algorithm only supports "{ALGORITHM}"')


def expires_seconds(text: str | None, refusals: Refusals) -> int:
    """How long a signed URL is valid.

    Raises:
        AWSError: that is not a number of seconds up to a week.
    """
    if text is None:
        return DEFAULT_EXPIRES_SECONDS
    seconds = int(text) if _INTEGER.fullmatch(text) else _LARGEST_INTEGER + 1
    if seconds > _LARGEST_INTEGER:
        raise refusals.malformed_parameter("X-Amz-Expires should be a number")
    if seconds < 0:
        raise refusals.malformed_parameter("X-Amz-Expires must be non-negative")
    if seconds > MAX_EXPIRES_SECONDS:
        raise refusals.malformed_parameter(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
            "must be less than 604800 seconds"
        )
    return seconds
