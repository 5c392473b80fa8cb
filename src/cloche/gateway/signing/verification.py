"""Verification of AWS Signature Version 4.

`parse` reads a signature and costs next to nothing; `check` verifies it when the key is known
and, for services that do not send its hash, the body is read. `verify` does both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from cloche.gateway.http.messages import Request
from cloche.gateway.signing.canonical import (
    EMPTY_SHA256,
    canonical_path,
    canonical_query,
    canonical_request,
    string_to_sign,
)
from cloche.gateway.signing.keys import SigningKey, is_same, signing_key
from cloche.gateway.signing.parsing import Parsed, parse
from cloche.gateway.signing.payload import PayloadMode, check_payload_sha256
from cloche.gateway.signing.refusals import REFUSALS, S3_SIGNING_NAMES, Family, Refusals
from cloche.gateway.signing.s3_refusals import MAX_SKEW_SECONDS


class Clock(Protocol):
    """What verification needs of `core.clock`; all in seconds since 1970."""

    def time(self) -> float:
        """Cloche's time."""
        ...

    def wall_time(self) -> float:
        """Real time, which is what clients sign with."""
        ...

    def from_wall(self, wall_time: float, /) -> float:
        """What Cloche's time was at an instant of real time."""
        ...


class Credential(Protocol):
    """What is known of an access key that is in use."""

    @property
    def secret_access_key(self) -> str:
        """The secret."""
        ...

    @property
    def session_token(self) -> str | None:
        """The token that must come with it; None for long-term keys."""
        ...

    @property
    def expires_at(self) -> float | None:
        """The end of temporary credentials in Cloche's time; None for long-term keys."""
        ...


class Verified(msgspec.Struct, frozen=True):
    """A signature that is right.

    Attributes:
        access_key_id: of the key that signed.
        region: from the credential scope, as are `date` and `service` (the signing name).
        scope: `date/region/service/aws4_request`.
        timestamp: when it was signed, in ISO 8601's basic format.
        signature: the seed of the chunks' signatures.
        signing_key: for the chunks' signatures.
        payload_mode: what is known of the body.
        payload_sha256: with `SHA256`, the hash in hexadecimal that the body must have: whoever
            reads the body compares it (`check_payload_sha256`). None in the other modes, and
            where the hash was compared already.
        is_presigned: signed in the query string.
        session_token: of temporary credentials.
        canonical_request: what was signed, for the errors of chunks.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    scope: str
    timestamp: str
    signature: str
    signing_key: SigningKey
    payload_mode: PayloadMode
    payload_sha256: str | None
    is_presigned: bool
    session_token: str | None
    canonical_request: bytes

    def __repr__(self) -> str:
        return f"Verified({self.access_key_id!r}, {self.scope!r}, {self.timestamp!r})"


def verify(
    request: Request,
    credentials: Callable[[str], Credential | None],
    clock: Clock,
    *,
    body_sha256: str | None = None,
    family: Family | None = None,
) -> Verified | None:
    """Verify the signature of a request; see `parse` and `check`.

    Returns:
        None if the request bears no signature.
    """
    parsed = parse(request, family)
    if parsed is None:
        return None
    credential = credentials(parsed.access_key_id)
    return check(parsed, credential, clock, body_sha256=body_sha256, family=family)


def check(
    parsed: Parsed,
    credential: Credential | None,
    clock: Clock,
    *,
    body_sha256: str | None = None,
    family: Family | None = None,
    takes_unsigned_body: bool = False,
) -> Verified:
    """Verify a signature of Version 4; those of Version 2 are refused (see `Version2Verifier`).

    Args:
        parsed: the signature.
        credential: of `parsed.access_key_id`; None if there is no such key.
        clock: real time and Cloche's.
        body_sha256: hash of the body in hexadecimal, if the body was read. Where it is needed
            (`parsed.needs_body`) and not given, the body counts as empty.
        family: how errors are named, if that is known better than from the request alone.
        takes_unsigned_body: whether the operation, of another service than S3, lets clients
            leave the body out of the signature (`UNSIGNED-PAYLOAD`).

    Raises:
        AWSError: the key, the token, the time, the body or the signature is not right.
    """
    refusals = REFUSALS[family or parsed.family]
    if parsed.is_version_2:
        raise refusals.unsupported("AWS")
    _check_time(parsed, clock, refusals)
    credential = known_credential(parsed, credential, clock, refusals)
    payload = _payload(parsed, body_sha256, takes_unsigned_body)
    canonical = _canonical_request(parsed, payload)
    text = string_to_sign(parsed.timestamp, parsed.scope, canonical)
    key = signing_key(
        parsed.access_key_id,
        credential.secret_access_key,
        parsed.date,
        parsed.region,
        parsed.service,
    )
    if not is_same(key.sign(text), parsed.signature):
        raise refusals.mismatch(parsed.access_key_id, parsed.signature, text, canonical)
    check_token(parsed, credential, refusals)
    if parsed.payload_mode == "SHA256" and body_sha256 is not None:
        check_payload_sha256(payload, body_sha256)
    is_body_checked = parsed.payload_mode != "SHA256" or body_sha256 is not None
    return _verified(parsed, key, canonical, None if is_body_checked else payload)


def _canonical_request(parsed: Parsed, payload: str) -> bytes:
    request = parsed.request
    return canonical_request(
        request.method,
        canonical_path(request.raw_path, is_s3=parsed.service in S3_SIGNING_NAMES),
        canonical_query(request.query_string, is_presigned=parsed.is_presigned),
        request.headers,
        parsed.signed_headers,
        payload,
    )


def _verified(
    parsed: Parsed, key: SigningKey, canonical: bytes, payload_sha256: str | None
) -> Verified:
    return Verified(
        access_key_id=parsed.access_key_id,
        date=parsed.date,
        region=parsed.region,
        service=parsed.service,
        scope=parsed.scope,
        timestamp=parsed.timestamp,
        signature=parsed.signature,
        signing_key=key,
        payload_mode=parsed.payload_mode,
        payload_sha256=payload_sha256,
        is_presigned=parsed.is_presigned,
        session_token=parsed.session_token,
        canonical_request=canonical,
    )


def _check_time(parsed: Parsed, clock: Clock, refusals: Refusals) -> None:
    """Refuse what was not signed just now, or a URL whose time is over.

    Signatures are made with real time, so the skew is judged by it. How long a URL lasts is
    judged by Cloche's time, which may be moved forward.
    """
    if not parsed.is_presigned:
        check_skew(parsed, clock, refusals)
        return
    now = clock.wall_time()
    if parsed.signed_at - now > MAX_SKEW_SECONDS:
        raise refusals.not_yet_valid(parsed.timestamp, parsed.expires_seconds, now)
    expires_at = clock.from_wall(parsed.signed_at) + parsed.expires_seconds
    if expires_at < clock.time() or not parsed.expires_seconds:
        raise refusals.expired(parsed.expires_seconds, expires_at, clock.time())


def check_skew(parsed: Parsed, clock: Clock, refusals: Refusals) -> None:
    """Refuse what was not signed just now.

    Raises:
        AWSError: it was signed more than 15 minutes from now.
    """
    now = clock.wall_time()
    if abs(parsed.signed_at - now) > MAX_SKEW_SECONDS:
        raise refusals.too_skewed(parsed.timestamp, now)


def known_credential(
    parsed: Parsed, credential: Credential | None, clock: Clock, refusals: Refusals
) -> Credential:
    """The credential if there is one and its time is not over.

    Raises:
        AWSError: there is none that can be used.
    """
    if credential is None or (credential.session_token and not parsed.session_token):
        raise refusals.unknown_key(parsed.access_key_id)
    if credential.expires_at is not None and credential.expires_at <= clock.time():
        raise refusals.expired_token(parsed.session_token or "")
    return credential


def check_token(parsed: Parsed, credential: Credential, refusals: Refusals) -> None:
    """Compare the session token that came with the one of the key.

    Raises:
        AWSError: it is another, or there should be none.
    """
    provided = parsed.session_token or ""
    if not is_same(credential.session_token or "", provided):
        raise refusals.wrong_token(provided)


def _payload(parsed: Parsed, body_sha256: str | None, takes_unsigned_body: bool) -> str:
    """The last line of the canonical request.

    S3 takes the header's word and compares it with the body later, under an error of its own; for
    other services a body other than the one signed is a wrong signature, whatever the header says.
    """
    if parsed.payload is None:
        return body_sha256 or EMPTY_SHA256
    if parsed.service in S3_SIGNING_NAMES:
        return parsed.payload
    if parsed.payload_mode == "SHA256":
        return body_sha256 or parsed.payload
    if parsed.payload_mode == "UNSIGNED-PAYLOAD" and takes_unsigned_body:
        return parsed.payload
    return body_sha256 or EMPTY_SHA256
