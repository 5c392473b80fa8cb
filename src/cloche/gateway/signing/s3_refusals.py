"""S3's errors for signatures that it refuses, with the members that it sends."""

from __future__ import annotations

from collections.abc import Sequence

from cloche.core.errors import AccessDenied, AWSError
from cloche.gateway.signing import errors
from cloche.gateway.signing.timestamps import extended, parse_basic

MAX_SKEW_SECONDS = 900

_PAYLOAD_HASHES = (
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER "
    "or a valid sha256 value."
)
_CREDENTIAL_FORM = (
    'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
)


def _hexadecimal(data: bytes) -> str:
    """Bytes as S3 prints them in its errors: pairs of digits, spaced."""
    return data.hex(" ")


def signature_mismatch(
    access_key_id: str, signature: str, string_to_sign: str, canonical_request: bytes
) -> AWSError:
    """What S3 tells a client whose signature is wrong: the strings that it signed itself."""
    return errors.SignatureDoesNotMatch(
        AWSAccessKeyId=access_key_id,
        StringToSign=string_to_sign,
        SignatureProvided=signature,
        StringToSignBytes=_hexadecimal(string_to_sign.encode("utf-8", "surrogateescape")),
        CanonicalRequest=canonical_request.decode("utf-8", "replace"),
        CanonicalRequestBytes=_hexadecimal(canonical_request),
    )


def with_members(error: AWSError, members: dict[str, str]) -> AWSError:
    """An error with members whose names are no Python identifiers."""
    error.members.update(members)
    return error


def _malformed(detail: str, *, is_presigned: bool) -> AWSError:
    if is_presigned:
        return errors.AuthorizationQueryParametersError(
            f"Error parsing the X-Amz-Credential parameter; {detail}"
        )
    return errors.AuthorizationHeaderMalformed(f"The authorization header is malformed; {detail}")


class S3Refusals:
    """See `refusals.Refusals`."""

    def missing(self) -> AWSError:
        """See `Refusals`."""
        return AccessDenied("Access Denied")

    def unsupported(self, authorization: str) -> AWSError:
        """See `Refusals`."""
        if authorization.startswith("AWS"):
            return errors.InvalidRequest(
                "The authorization mechanism you have provided is not supported. "
                "Please use AWS4-HMAC-SHA256."
            )
        return errors.InvalidArgument(
            "Unsupported Authorization Type",
            ArgumentName="Authorization",
            ArgumentValue=authorization,
        )

    def two_mechanisms(self, authorization: str) -> AWSError:
        """See `Refusals`."""
        return errors.InvalidArgument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature "
            "query string parameter or the Authorization header should be specified",
            ArgumentName="Authorization",
            ArgumentValue=authorization,
        )

    def missing_components(self, authorization: str, problems: Sequence[str]) -> AWSError:
        """See `Refusals`."""
        return errors.AuthorizationHeaderMalformed(
            "The authorization header is malformed; the authorization header requires three "
            "components: Credential, SignedHeaders, and Signature."
        )

    def missing_parameters(self, names: Sequence[str]) -> AWSError:
        """See `Refusals`."""
        return errors.AuthorizationQueryParametersError(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, "
            "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
            "X-Amz-Expires parameters."
        )

    def malformed_credential(self, credential: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        return _malformed(_CREDENTIAL_FORM, is_presigned=is_presigned)

    def malformed_credential_date(self, date: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        detail = (
            f'incorrect date format "{date}". This date in the credential must be in the format '
            '"yyyyMMdd".'
        )
        return _malformed(detail, is_presigned=is_presigned)

    def wrong_terminator(self, terminator: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        detail = f'incorrect terminal "{terminator}". This endpoint uses "aws4_request".'
        return _malformed(detail, is_presigned=is_presigned)

    def wrong_service(self, service: str, expected: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        detail = f'incorrect service "{service}". This endpoint belongs to "{expected}".'
        return _malformed(detail, is_presigned=is_presigned)

    def wrong_credential_date(self, date: str, timestamp: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        detail = (
            f'Invalid credential date "{date}". This date is not the same as X-Amz-Date: '
            f'"{timestamp[:8]}".'
        )
        if is_presigned:
            return errors.AuthorizationQueryParametersError(detail)
        return _malformed(detail, is_presigned=False)

    def missing_date(self, authorization: str) -> AWSError:
        """See `Refusals`."""
        return AccessDenied("AWS authentication requires a valid Date or x-amz-date header")

    def malformed_date(self, text: str, *, is_presigned: bool) -> AWSError:
        """See `Refusals`."""
        if not is_presigned:
            return self.missing_date("")
        return errors.AuthorizationQueryParametersError(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        )

    def malformed_parameter(self, message: str) -> AWSError:
        """See `Refusals`."""
        return errors.AuthorizationQueryParametersError(message)

    def unsigned_headers(self, names: Sequence[str]) -> AWSError:
        """See `Refusals`."""
        return AccessDenied(
            "There were headers present in the request which were not signed",
            HeadersNotSigned=", ".join(names),
        )

    def missing_payload_hash(self) -> AWSError:
        """See `Refusals`."""
        return errors.InvalidRequest(
            "Missing required header for this request: x-amz-content-sha256"
        )

    def malformed_payload_hash(self, value: str) -> AWSError:
        """See `Refusals`."""
        return errors.InvalidArgument(
            _PAYLOAD_HASHES, ArgumentName="x-amz-content-sha256", ArgumentValue=value
        )

    def too_skewed(self, timestamp: str, now: float) -> AWSError:
        """See `Refusals`."""
        return errors.RequestTimeTooSkewed(
            RequestTime=timestamp,
            ServerTime=extended(now),
            MaxAllowedSkewMilliseconds=str(MAX_SKEW_SECONDS * 1000),
        )

    def not_yet_valid(self, timestamp: str, expires_seconds: int, now: float) -> AWSError:
        """See `Refusals`."""
        signed_at = parse_basic(timestamp) or 0.0
        members = {
            "X-Amz-Date": str(round(signed_at * 1000)),
            "Expires": extended(signed_at + expires_seconds),
            "ServerTime": extended(now),
        }
        return with_members(AccessDenied("Request is not yet valid"), members)

    def expired(self, expires_seconds: int, expired_at: float, now: float) -> AWSError:
        """See `Refusals`."""
        members = {
            "X-Amz-Expires": str(expires_seconds),
            "Expires": extended(expired_at),
            "ServerTime": extended(now),
        }
        return with_members(AccessDenied("Request has expired"), members)

    def unknown_key(self, access_key_id: str) -> AWSError:
        """See `Refusals`."""
        return errors.InvalidAccessKeyId(AWSAccessKeyId=access_key_id)

    def expired_token(self, token: str) -> AWSError:
        """See `Refusals`."""
        return with_members(errors.ExpiredTokenS3(), {"Token-0": token})

    def wrong_token(self, token: str) -> AWSError:
        """See `Refusals`."""
        return with_members(errors.InvalidToken(), {"Token-0": token})

    def mismatch(
        self, access_key_id: str, signature: str, string_to_sign: str, canonical_request: bytes
    ) -> AWSError:
        """See `Refusals`."""
        return signature_mismatch(access_key_id, signature, string_to_sign, canonical_request)
