"""The errors of all services but S3 for signatures that they refuse.

Texts are the same throughout; the codes and statuses are those of the protocol.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from cloche.core.errors import AWSError
from cloche.gateway.signing import errors
from cloche.gateway.signing.timestamps import basic, parse_basic

_SKEW_MINUTES = 15


class Codes(NamedTuple):
    """The classes by which a protocol's services name the reasons."""

    missing: type[AWSError]
    incomplete: type[AWSError]
    mismatch: type[AWSError]
    unknown_key: type[AWSError]
    expired_token: type[AWSError]


JSON_CODES = Codes(
    errors.MissingAuthenticationTokenException,
    errors.IncompleteSignatureException,
    errors.InvalidSignatureException,
    errors.UnrecognizedClientException,
    errors.ExpiredTokenException,
)
REST_JSON_CODES = Codes(
    errors.MissingAuthenticationTokenExceptionREST,
    errors.IncompleteSignatureExceptionREST,
    errors.InvalidSignatureExceptionREST,
    errors.UnrecognizedClientExceptionREST,
    errors.ExpiredTokenExceptionREST,
)
QUERY_CODES = Codes(
    errors.MissingAuthenticationToken,
    errors.IncompleteSignature,
    errors.SignatureDoesNotMatch,
    errors.InvalidClientTokenId,
    errors.ExpiredToken,
)


class ServiceRefusals:
    """See `refusals.Refusals`.

    Args:
        codes: the protocol's.
    """

    def __init__(self, codes: Codes) -> None:
        self._codes = codes

    def missing(self) -> AWSError:
        """See `Refusals`."""
        return self._codes.missing()

    def unsupported(self, authorization: str) -> AWSError:
        """See `Refusals`."""
        mechanism = authorization.split(None, 1)[0]
        if mechanism.startswith("AWS"):
            return self._codes.incomplete(
                f"Unsupported AWS 'algorithm': '{mechanism}' (only AWS4-HMAC-SHA256 for now)."
            )
        return self._codes.missing()

    def two_mechanisms(self, authorization: str) -> AWSError:
        """See `Refusals`."""
        return self._codes.mismatch(
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP "
            "header."
        )

    def missing_components(self, authorization: str, problems: Sequence[str]) -> AWSError:
        """See `Refusals`."""
        digest = b64encode(sha256(authorization.encode("utf-8", "surrogateescape")).digest())
        return self._codes.incomplete(
            f"{' '.join(problems)} (Hashed with SHA-256 and encoded with Base64) "
            f"Authorization={digest.decode()}"
        )

    def missing_parameters(self, names: Sequence[str]) -> AWSError:
        """See `Refusals`."""
        sentences = [f"AWS query-string parameters must include '{name}'." for name in names]
        return self._codes.incomplete(
            f"{' '.join(sentences)} Re-examine the query-string parameters."
        )

    def malformed_credential(self, credential: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        return self._codes.incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            f"keyid/date/region/service/term, got '{credential}'"
        )

    def malformed_credential_date(self, date: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        return self._codes.mismatch(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{date}'."
        )

    def wrong_terminator(self, terminator: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        return self._codes.mismatch(
            "Credential should be scoped with a valid terminator: 'aws4_request', not "
            f"'{terminator}'."
        )

    def wrong_service(self, service: str, expected: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        return self._codes.mismatch(
            f"Credential should be scoped to correct service: '{expected}'."
        )

    def wrong_credential_date(self, date: str, timestamp: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        return self._codes.mismatch(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{date}' != '{timestamp[:8]}', from '{timestamp}'."
        )

    def missing_date(self, authorization: str) -> AWSError:
        """See `Refusals`."""
        problem = (
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
        return self.missing_components(authorization, [problem])

    def malformed_date(self, text: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        return self._codes.incomplete(
            f"Date must be in ISO-8601 'basic format'. Got '{text}'. "
            "See http://en.wikipedia.org/wiki/ISO_8601"
        )

    def malformed_parameter(self, message: str) -> AWSError:
        """See `Refusals`."""
        return self._codes.incomplete(message)

    def unsigned_headers(self, names: Sequence[str]) -> AWSError:
        """See `Refusals`."""
        name = "'Host' or ':authority'" if names[0] == "host" else f"'{names[0]}'"
        return self._codes.mismatch(f"{name} must be a 'SignedHeader' in the AWS Authorization.")

    def missing_payload_hash(self) -> AWSError:
        """See `Refusals`."""
        return self._codes.incomplete("The request requires an 'X-Amz-Content-SHA256' header.")

    def malformed_payload_hash(self, value: str) -> AWSError:
        """See `Refusals`."""
        return self._codes.mismatch(f"'{value}' is not a valid value of 'X-Amz-Content-SHA256'.")

    def too_skewed(self, timestamp: str, now: float) -> AWSError:
        """See `Refusals`."""
        if (parse_basic(timestamp) or 0.0) < now:
            return self._codes.mismatch(
                f"Signature expired: {timestamp} is now earlier than "
                f"{basic(now - _SKEW_MINUTES * 60)} ({basic(now)} - {_SKEW_MINUTES} min.)"
            )
        return self._codes.mismatch(
            f"Signature not yet current: {timestamp} is still later than "
            f"{basic(now + _SKEW_MINUTES * 60)} ({basic(now)} + {_SKEW_MINUTES} min.)"
        )

    def not_yet_valid(self, timestamp: str, expires_seconds: int, now: float) -> AWSError:
        """See `Refusals`."""
        return self.too_skewed(timestamp, now)

    def expired(self, expires_seconds: int, expired_at: float, now: float) -> AWSError:
        """See `Refusals`."""
        return errors.RequestExpired()

    def unknown_key(self, access_key_id: str) -> AWSError:
        """See `Refusals`."""
        return self._codes.unknown_key()

    def expired_token(self, token: str) -> AWSError:
        """See `Refusals`."""
        return self._codes.expired_token()

    def wrong_token(self, token: str) -> AWSError:
        """See `Refusals`."""
        return self._codes.unknown_key()

    def mismatch(
        self, access_key_id: str, signature: str, string_to_sign: str, canonical_request: bytes
    ) -> AWSError:
        """See `Refusals`."""
        canonical = canonical_request.decode("utf-8", "replace")
        return self._codes.mismatch(
            f"{errors.SIGNATURE_MISMATCH}\n\nThe Canonical String for this request should have "
            f"been\n'{canonical}'\n\nThe String-to-Sign should have been\n'{string_to_sign}'\n"
        )
