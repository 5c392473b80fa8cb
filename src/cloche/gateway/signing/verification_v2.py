"""Verification of S3's Signature Version 2; what is signed is told by `query_v2`."""

from __future__ import annotations

from collections import OrderedDict

from cloche.core.errors import AccessDenied
from cloche.gateway.signing import errors, header_v2, query_v2
from cloche.gateway.signing.keys import SigningKey, is_same
from cloche.gateway.signing.parsing import Parsed
from cloche.gateway.signing.payload import check_payload_sha256
from cloche.gateway.signing.refusals import REFUSALS
from cloche.gateway.signing.s3_refusals import with_members
from cloche.gateway.signing.timestamps import extended
from cloche.gateway.signing.verification import (
    Clock,
    Credential,
    Verified,
    check_skew,
    check_token,
    known_credential,
)

_REMEMBERED_URLS = 10_000
_NO_KEY = SigningKey(b"", b"")


class Version2Verifier:
    """Verifies headers and URLs, and remembers of URLs when it first did.

    `Expires` is an instant of the client's real time, and nothing tells when the URL was signed,
    so a clock that was advanced may have been so before or after. A URL is taken as signed no
    later than its first use here: it expires when real time reaches `Expires`, or when the clock,
    advanced after the first use, has gone on by what was left then. An advance between signing
    and the first use does not expire it.
    """

    def __init__(self) -> None:
        self._offsets: OrderedDict[str, float] = OrderedDict()

    def check(
        self,
        parsed: Parsed,
        credential: Credential | None,
        clock: Clock,
        resource: str,
        *,
        body_sha256: str | None = None,
    ) -> Verified:
        """Verify a signature.

        Args:
            parsed: the signature, of Version 2.
            credential: of `parsed.access_key_id`; None if there is no such key.
            clock: real time and Cloche's.
            resource: the request's path with the bucket in front, wherever that was named.
            body_sha256: hash of the body in hexadecimal, if the body was read. It is compared
                where `x-amz-content-sha256` tells one.

        Returns:
            What was signed; its date, region and scope are empty, for Version 2 has none.

        Raises:
            AWSError: the key, the token, the time, the body or the signature is not right.
        """
        refusals = REFUSALS["s3"]
        is_url = parsed.expires_at is not None
        if not is_url:
            check_skew(parsed, clock, refusals)
        credential = known_credential(parsed, credential, clock, refusals)
        date = parsed.timestamp if is_url else header_v2.date_line(parsed.request)
        texts = [
            query_v2.string_to_sign(parsed.request, name, date) for name in _spellings(resource)
        ]
        secret, signature = credential.secret_access_key, parsed.signature
        if not any(is_same(query_v2.sign(secret, text), signature) for text in texts):
            raise _mismatch(parsed, texts[0])
        check_token(parsed, credential, refusals)
        if is_url:
            self._check_expiry(parsed, clock)
        payload_sha256 = parsed.payload if parsed.payload_mode == "SHA256" else None
        if payload_sha256 is not None and body_sha256 is not None:
            check_payload_sha256(payload_sha256, body_sha256)
            payload_sha256 = None
        return Verified(
            access_key_id=parsed.access_key_id,
            date=parsed.date,
            region=parsed.region,
            service=parsed.service,
            scope=parsed.scope,
            timestamp=parsed.timestamp,
            signature=parsed.signature,
            signing_key=_NO_KEY,
            payload_mode=parsed.payload_mode,
            payload_sha256=payload_sha256,
            is_presigned=parsed.is_presigned,
            session_token=parsed.session_token,
            canonical_request=b"",
        )

    def _check_expiry(self, parsed: Parsed, clock: Clock) -> None:
        now, wall_now, expires_at = clock.time(), clock.wall_time(), parsed.expires_at or 0.0
        if wall_now <= expires_at:
            offset_seconds = self._offset_at_first_use(parsed.signature, now - wall_now)
            if now <= expires_at + offset_seconds:
                return
        members = {"Expires": extended(expires_at), "ServerTime": extended(now)}
        raise with_members(AccessDenied("Request has expired"), members)

    def _offset_at_first_use(self, signature: str, offset_seconds: float) -> float:
        """How far the clock was ahead of real time when the URL was first used."""
        if len(self._offsets) >= _REMEMBERED_URLS and signature not in self._offsets:
            self._offsets.popitem(last=False)
        return self._offsets.setdefault(signature, offset_seconds)


def _spellings(resource: str) -> tuple[str, ...]:
    """A resource as it may be signed: a bucket with a slash at its end, as by boto3, or without."""
    bucket = resource.removesuffix("/")
    return (f"{bucket}/", bucket) if bucket.count("/") == 1 else (resource,)


def _mismatch(parsed: Parsed, text: str) -> errors.SignatureDoesNotMatch:
    return errors.SignatureDoesNotMatch(
        AWSAccessKeyId=parsed.access_key_id,
        StringToSign=text,
        SignatureProvided=parsed.signature,
        StringToSignBytes=text.encode("utf-8", "surrogateescape").hex(" "),
    )
