"""The credential of a signature and the headers that it covers, as the client wrote them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from cloche.gateway.http.messages import Request
from cloche.gateway.signing.canonical import ALGORITHM, printable
from cloche.gateway.signing.refusals import (
    REFUSALS,
    S3_SIGNING_NAMES,
    Family,
    Refusals,
    family_of,
)

_TERMINATOR = "aws4_request"
_CACHED_CHARACTERS = 1024
_COMPONENTS = ("Credential", "SignedHeaders", "Signature")
_REGULAR = re.compile(ALGORITHM + r" +Credential=([!-+\--~]+)[ ,]+SignedHeaders=([!-+\--~]+)[ ,]+")
_SEPARATORS = re.compile(r"[\s,]+")
_CREDENTIAL_DATE = re.compile(r"[0-9]{8}")


class Scope(NamedTuple):
    """A credential, taken apart.

    Attributes:
        text: the scope as it is signed, `date/region/service/aws4_request`.
        signed_headers: lower-case names in order.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str
    text: str
    signed_headers: tuple[str, ...]


def read_authorization(
    authorization: str, request: Request, family: Family | None
) -> tuple[Scope, str]:
    """Take an `Authorization` header apart into its scope and its signature.

    Raises:
        AWSError: it is not of Signature Version 4, or malformed.
    """
    head, _, signature = authorization.rpartition("Signature=")
    scope = _regular_scope(head) if len(head) <= _CACHED_CHARACTERS else None
    if scope is None or not signature:
        return _irregular_scope(authorization, request, family)
    return scope, printable(signature)


def refusals_for(service: str, request: Request, family: Family | None) -> Refusals:
    """The errors for a request that is not routed yet."""
    return REFUSALS[family or family_of(service, request.headers, request.query_string)]


@lru_cache(maxsize=4096)
def _regular_scope(head: str) -> Scope | None:
    """The scope in a header as every SDK writes it, up to the signature; None for all others.

    Cached, because a client's headers differ in the signature alone.
    """
    match = _REGULAR.fullmatch(head)
    scope = match and _scope(match[1], match[2])
    if not scope or scope.terminator != _TERMINATOR or not _CREDENTIAL_DATE.fullmatch(scope.date):
        return None
    return scope


def _scope(credential: str, signed_headers: str) -> Scope | None:
    parts = credential.split("/")
    if len(parts) != 5 or not all(parts):
        return None
    names = tuple(sorted({name for name in signed_headers.lower().split(";") if name}))
    return Scope(*parts, text="/".join(parts[1:]), signed_headers=names)


def _irregular_scope(
    authorization: str, request: Request, family: Family | None
) -> tuple[Scope, str]:
    """Read a header in another order, or say what is wrong with it."""
    authorization = printable(authorization)
    mechanism, _, rest = authorization.partition(" ")
    if mechanism != ALGORITHM:
        raise refusals_for("", request, family).unsupported(authorization)
    components: dict[str, str] = {}
    for component in _SEPARATORS.split(rest):
        name, is_pair, value = component.partition("=")
        if is_pair:
            components.setdefault(name, value)
    missing = [name for name in _COMPONENTS if not components.get(name)]
    if missing:
        problems = [f"Authorization header requires '{name}' parameter." for name in missing]
        refusals = refusals_for(service_of(components.get("Credential", "")), request, family)
        raise refusals.missing_components(authorization, problems)
    credential = components["Credential"]
    refusals = refusals_for(service_of(credential), request, family)
    scope = checked_scope(credential, components["SignedHeaders"], refusals, is_presigned=False)
    return scope, components["Signature"]


def service_of(credential: str) -> str:
    """The signing name in a credential that may lack parts, so that errors are the service's."""
    parts = credential.split("/")
    if not S3_SIGNING_NAMES.isdisjoint(parts):
        return "s3"
    return parts[3] if len(parts) > 3 else ""


def checked_scope(
    credential: str, signed_headers: str, refusals: Refusals, *, is_presigned: bool
) -> Scope:
    """Take a credential apart.

    Raises:
        AWSError: it is not of the form `key/date/region/service/aws4_request`.
    """
    scope = _scope(credential, signed_headers)
    if scope is None:
        raise refusals.malformed_credential(credential, is_presigned=is_presigned)
    if not _CREDENTIAL_DATE.fullmatch(scope.date):
        raise refusals.malformed_credential_date(scope.date, is_presigned=is_presigned)
    if scope.terminator != _TERMINATOR:
        raise refusals.wrong_terminator(scope.terminator, is_presigned=is_presigned)
    return scope
