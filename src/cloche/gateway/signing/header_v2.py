"""`Authorization` headers of S3 that are signed with Signature Version 2.

`AWS <access key>:<signature>`, as boto3 writes it with `signature_version="s3"`. What is signed
is what `query_v2` tells of URLs, with the date in place of `Expires`. The body is not signed, but
a `Content-MD5` or an `x-amz-content-sha256` that tells of it is.

Source: "Signing and authenticating REST requests" in the S3 user guide.
"""

from __future__ import annotations

from cloche.gateway.http.messages import Request
from cloche.gateway.signing.errors import InvalidArgument
from cloche.gateway.signing.refusals import family_of
from cloche.gateway.signing.timestamps import parse_http_date

_NO_SPACE = "Authorization header is invalid -- one and only one ' ' (space) required"
_NO_PAIR = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"


def is_version_2(authorization: str) -> bool:
    """Whether a header is of Signature Version 2."""
    return authorization.startswith("AWS ") or authorization == "AWS"


def is_of_s3(request: Request) -> bool:
    """Whether a request with such a header can be meant for S3, which alone accepts it."""
    query = request.query_string
    family = family_of("", request.headers, query)
    if family == "query" and request.raw_path == "/":
        return "Action=" not in query and (request.method != "POST" or bool(query))
    return family in ("s3", "query")  # an object's content may be a form


def read_authorization(authorization: str) -> tuple[str, str]:
    """Take a header apart into the access key and the signature, in base64.

    Raises:
        InvalidArgument: it is not of the form above.
    """
    parts = authorization.split(" ")
    if len(parts) != 2 or not parts[1]:
        raise _malformed(authorization, _NO_SPACE)
    access_key_id, _, signature = parts[1].partition(":")
    if not access_key_id or not signature or ":" in signature:
        raise _malformed(authorization, _NO_PAIR)
    return access_key_id, signature


def _malformed(authorization: str, message: str) -> InvalidArgument:
    return InvalidArgument(message, ArgumentName="Authorization", ArgumentValue=authorization)


def date_of(request: Request) -> tuple[str, float | None]:
    """When a request was signed: as its headers have it, and in seconds since 1970.

    Returns:
        None for the seconds if there is no date, or none since 1970.
    """
    headers = request.headers
    text = headers.get("x-amz-date")
    if text is None:
        text = headers.get("date", "")
    seconds = parse_http_date(text)
    return text, seconds if seconds is not None and seconds >= 0 else None


def date_line(request: Request) -> str:
    """The date as it is signed: empty where `x-amz-date`, signed with its like, tells it."""
    return "" if "x-amz-date" in request.headers else request.headers.get("date", "").strip()
