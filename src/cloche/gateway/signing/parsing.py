"""Reading a request's signature, before anything is known of the key or the body.

The result tells the access key, region and service, so that a request can be routed while its
body is still on the way.
"""

from __future__ import annotations

import msgspec

from cloche.gateway.http.messages import Request
from cloche.gateway.signing import header_v2, presigned, query_v2
from cloche.gateway.signing.canonical import printable
from cloche.gateway.signing.payload import PayloadMode, payload_mode
from cloche.gateway.signing.refusals import REFUSALS, Family, Refusals, family_of
from cloche.gateway.signing.scopes import (
    Scope,
    checked_scope,
    read_authorization,
    refusals_for,
    service_of,
)
from cloche.gateway.signing.timestamps import basic, parse_basic, parse_http_date

_MAY_BE_UNSIGNED = frozenset(
    {"x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-user-agent"}
)
"""Headers that change nothing of what a presigned URL does."""


class Parsed(msgspec.Struct, frozen=True):
    """A signature that was read and not yet verified.

    Attributes:
        request: the request that bears it.
        family: by which errors are named, unless the caller knows better.
        access_key_id: of the key that is said to have signed.
        region: from the credential scope, as are `date` and `service` (the signing name).
        scope: `date/region/service/aws4_request`.
        signed_headers: lower-case names in order.
        signature: lower-case hexadecimal.
        timestamp: when it was signed, in ISO 8601's basic format.
        signed_at: the same in seconds since 1970, real time.
        payload: the value of `x-amz-content-sha256`; None where the hash of the body is signed
            without being sent.
        payload_mode: what that says of the body.
        is_presigned: signed in the query string.
        expires_seconds: how long a presigned URL is valid.
        session_token: of temporary credentials.
        is_version_2: whether it is of Signature Version 2, which has no date, region, scope and
            signed headers: these are empty. `timestamp` is the date or `Expires` as it was sent.
        expires_at: end of a URL of Version 2, in seconds since 1970, real time; its `signed_at`
            is not known.
    """

    request: Request
    family: Family
    access_key_id: str
    date: str
    region: str
    service: str
    scope: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    signed_at: float
    payload: str | None
    payload_mode: PayloadMode
    is_presigned: bool
    expires_seconds: int
    session_token: str | None
    is_version_2: bool = False
    expires_at: float | None = None

    @property
    def needs_body(self) -> bool:
        """Whether only the hash of the body tells if the signature is right."""
        return self.payload is None

    def __repr__(self) -> str:
        return f"Parsed({self.access_key_id!r}, {self.scope!r}, {self.timestamp!r})"


def parse(request: Request, family: Family | None = None) -> Parsed | None:
    """Read the signature of a request.

    Args:
        request: signed or not; its body is not read.
        family: how errors are named; guessed from the request if it is not known yet.

    Returns:
        None if the request bears no signature.

    Raises:
        AWSError: the signature is incomplete or malformed, or of another kind than
            Signature Version 4 with HMAC, or S3's Version 2.
    """
    authorization = request.headers.get("authorization", "")
    query = request.query_string
    if "X-Amz-" in query:
        parameters = presigned.parameters(query)
        if parameters:
            return _parse_presigned(request, parameters, authorization, family)
    if not authorization or authorization.isspace():
        if presigned.is_version_2(query):
            return _parse_url_v2(request, family)
        return None
    if header_v2.is_version_2(authorization):
        return _parse_header_v2(request, authorization, family)
    scope, signature = read_authorization(authorization, request, family)
    family = family or family_of(scope.service, request.headers, query)
    return _parse_header(request, scope, signature, family)


def _parse_header(request: Request, scope: Scope, signature: str, family: Family) -> Parsed:
    refusals = REFUSALS[family]
    timestamp, signed_at = _date_of_headers(request, refusals)
    if timestamp[:8] != scope.date:
        raise refusals.wrong_credential_date(scope.date, timestamp, is_presigned=False)
    payload = _header(request, "x-amz-content-sha256")
    if payload is None and family == "s3":
        raise refusals.missing_payload_hash()
    mode: PayloadMode = "SHA256" if payload is None else payload_mode(payload, refusals)
    _check_signed_headers(request, scope.signed_headers, refusals, family, is_presigned=False)
    return Parsed(
        request=request,
        family=family,
        access_key_id=scope.access_key_id,
        date=scope.date,
        region=scope.region,
        service=scope.service,
        scope=scope.text,
        signed_headers=scope.signed_headers,
        signature=signature,
        timestamp=timestamp,
        signed_at=signed_at,
        payload=payload,
        payload_mode=mode,
        is_presigned=False,
        expires_seconds=0,
        session_token=_header(request, "x-amz-security-token"),
    )


def _header(request: Request, name: str) -> str | None:
    value = request.headers.get(name)
    return None if value is None else printable(value)


def _date_of_headers(request: Request, refusals: Refusals) -> tuple[str, float]:
    text = _header(request, "x-amz-date")
    if text is not None:
        seconds = parse_basic(text)
        if seconds is not None:
            return text, seconds
    else:
        text = _header(request, "date")
        if text is None:
            raise refusals.missing_date(_header(request, "authorization") or "")
        seconds = parse_http_date(text)
        if seconds is not None:
            return basic(seconds), seconds
    raise refusals.malformed_date(text, is_presigned=False)


def _parse_presigned(
    request: Request, parameters: dict[str, str], authorization: str, family: Family | None
) -> Parsed:
    credential = parameters.get("X-Amz-Credential", "")
    family = family or family_of(service_of(credential), request.headers, request.query_string)
    refusals = REFUSALS[family]
    if authorization:
        raise refusals.two_mechanisms(printable(authorization))
    presigned.check_parameters(parameters, refusals, is_s3=family == "s3")
    names = parameters["X-Amz-SignedHeaders"]
    scope = checked_scope(credential, names, refusals, is_presigned=True)
    timestamp, signed_at = _date_of_parameters(parameters, scope, refusals)
    expires_seconds = presigned.expires_seconds(parameters.get("X-Amz-Expires"), refusals)
    payload = _header(request, "x-amz-content-sha256")
    if payload is None:
        payload = parameters.get("X-Amz-Content-Sha256")
    if payload is None and family == "s3":
        payload = "UNSIGNED-PAYLOAD"
    mode: PayloadMode = "SHA256" if payload is None else payload_mode(payload, refusals)
    _check_signed_headers(request, scope.signed_headers, refusals, family, is_presigned=True)
    return Parsed(
        request=request,
        family=family,
        access_key_id=scope.access_key_id,
        date=scope.date,
        region=scope.region,
        service=scope.service,
        scope=scope.text,
        signed_headers=scope.signed_headers,
        signature=parameters["X-Amz-Signature"],
        timestamp=timestamp,
        signed_at=signed_at,
        payload=payload,
        payload_mode=mode,
        is_presigned=True,
        expires_seconds=expires_seconds,
        session_token=parameters.get("X-Amz-Security-Token")
        or _header(request, "x-amz-security-token"),
    )


def _parse_url_v2(request: Request, family: Family | None) -> Parsed:
    found = query_v2.read(request) if family in (None, "s3") else None
    if found is None:
        raise refusals_for("", request, family).unsupported("AWS")
    return _parsed_v2(
        found.request,
        found.access_key_id,
        found.signature,
        found.expires,
        expires_at=float(found.expires),
    )


def _parse_header_v2(request: Request, authorization: str, family: Family | None) -> Parsed:
    authorization = printable(authorization)
    if family not in (None, "s3") or not header_v2.is_of_s3(request):
        raise refusals_for("", request, family).unsupported(authorization)
    refusals = REFUSALS["s3"]
    if presigned.is_version_2(request.query_string):
        raise refusals.two_mechanisms(authorization)
    access_key_id, signature = header_v2.read_authorization(authorization)
    text, seconds = header_v2.date_of(request)
    if seconds is None:
        raise refusals.missing_date(authorization)
    return _parsed_v2(request, access_key_id, signature, printable(text), signed_at=seconds)


def _parsed_v2(
    request: Request,
    access_key_id: str,
    signature: str,
    timestamp: str,
    *,
    signed_at: float = 0.0,
    expires_at: float | None = None,
) -> Parsed:
    payload = _header(request, "x-amz-content-sha256") or "UNSIGNED-PAYLOAD"
    mode = payload_mode(payload, REFUSALS["s3"])
    if mode.startswith("STREAMING-AWS4"):
        raise REFUSALS["s3"].unsupported("AWS")  # chunks are signed with a key of Version 4
    return Parsed(
        request=request,
        family="s3",
        access_key_id=access_key_id,
        date="",
        region="",
        service="s3",
        scope="",
        signed_headers=(),
        signature=signature,
        timestamp=timestamp,
        signed_at=signed_at,
        payload=payload,
        payload_mode=mode,
        is_presigned=expires_at is not None,
        expires_seconds=0,
        session_token=_header(request, "x-amz-security-token"),
        is_version_2=True,
        expires_at=expires_at,
    )


def _date_of_parameters(
    parameters: dict[str, str], scope: Scope, refusals: Refusals
) -> tuple[str, float]:
    timestamp = parameters["X-Amz-Date"]
    seconds = parse_basic(timestamp)
    if seconds is None:
        raise refusals.malformed_date(timestamp, is_presigned=True)
    if timestamp[:8] != scope.date:
        raise refusals.wrong_credential_date(scope.date, timestamp, is_presigned=True)
    return timestamp, seconds


def _check_signed_headers(
    request: Request,
    signed_headers: tuple[str, ...],
    refusals: Refusals,
    family: Family,
    *,
    is_presigned: bool,
) -> None:
    """Refuse a signature that leaves out what it must cover.

    That is the host, `x-amz-target`, which chooses the operation, and every `x-amz-*` header of
    S3 and of presigned URLs, for they are obeyed. The payload's hash is covered without being
    named, as the last line of the canonical request.
    """
    unsigned = [] if "host" in signed_headers or ":authority" in signed_headers else ["host"]
    if family == "s3":
        unsigned += [
            name
            for name in request.headers
            if name.startswith("x-amz-")
            and name not in signed_headers
            and not (is_presigned and name == "x-amz-content-sha256")
        ]
    elif is_presigned:
        unsigned += [
            name
            for name in request.headers
            if name.startswith("x-amz-")
            and name not in signed_headers
            and name not in _MAY_BE_UNSIGNED
        ]
    elif "x-amz-target" in request.headers and "x-amz-target" not in signed_headers:
        unsigned.append("x-amz-target")
    if unsigned:
        raise refusals.unsigned_headers(unsigned)
