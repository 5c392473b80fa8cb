"""Verification of S3's URLs of Signature Version 2; what is signed is told by `query_v2`."""

from __future__ import annotations

from collections import OrderedDict

from cloche.core.errors import AccessDenied
from cloche.gateway.signing import errors, query_v2
from cloche.gateway.signing.keys import SigningKey, is_same
from cloche.gateway.signing.parsing import Parsed
from cloche.gateway.signing.refusals import REFUSALS
from cloche.gateway.signing.s3_refusals import with_members
from cloche.gateway.signing.timestamps import extended
from cloche.gateway.signing.verification import (
    Clock,
    Credential,
    Verified,
    check_token,
    known_credential,
)

_REMEMBERED_URLS = 10_000
_NO_KEY = SigningKey(b"", b"")


class URLVerifier:
    """Verifies URLs and remembers when it first did.

    `Expires` is an instant of the client's real time, and nothing tells when the URL was signed,
    so a clock that was advanced may have been so before or after. A URL is taken as signed no
    later than its first use here: it expires when real time reaches `Expires`, or when the clock,
    advanced after the first use, has gone on by what was left then. An advance between signing
    and the first use does not expire it.
    """

    def __init__(self) -> None:
        self._offsets: OrderedDict[str, float] = OrderedDict()

    def check(
        self, parsed: Parsed, credential: Credential | None, clock: Clock, resource: str
    ) -> Verified:
        """Verify the signature of a URL.

        Args:
            parsed: the signature, which has `expires_at`.
            credential: of `parsed.access_key_id`; None if there is no such key.
            clock: real time and Cloche's.
            resource: the request's path with the bucket in front, wherever that was named.

        Returns:
            What was signed; its date, region and scope are empty, for Version 2 has none.

        Raises:
            AWSError: the key, the token, the time or the signature is not right.
        """
        refusals = REFUSALS["s3"]
        credential = known_credential(parsed, credential, clock, refusals)
        text = query_v2.string_to_sign(parsed.request, resource, parsed.timestamp)
        if not is_same(query_v2.sign(credential.secret_access_key, text), parsed.signature):
            raise _mismatch(parsed, text)
        check_token(parsed, credential, refusals)
        self._check_time(parsed, clock)
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
            payload_sha256=parsed.payload if parsed.payload_mode == "SHA256" else None,
            is_presigned=True,
            session_token=parsed.session_token,
            canonical_request=b"",
        )

    def _check_time(self, parsed: Parsed, clock: Clock) -> None:
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


def _mismatch(parsed: Parsed, text: str) -> errors.SignatureDoesNotMatch:
    return errors.SignatureDoesNotMatch(
        AWSAccessKeyId=parsed.access_key_id,
        StringToSign=text,
        SignatureProvided=parsed.signature,
        StringToSignBytes=text.encode("utf-8", "surrogateescape").hex(" "),
    )
