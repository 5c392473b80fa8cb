"""AWS's errors about signatures.

Where S3 or a REST service answers another status under the same code, a subclass with that code
says so; which class a request gets is decided in `s3_refusals` and `service_refusals`.
"""

from __future__ import annotations

from cloche.core.errors import AWSError

UNKNOWN_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - a message
EXPIRED_TOKEN = "The security token included in the request is expired"  # noqa: S105 - a message
SIGNATURE_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)


class SignatureDoesNotMatch(AWSError):
    """The signature is not that of this request under this key (S3, query services)."""

    status = 403
    default_message = SIGNATURE_MISMATCH


class InvalidAccessKeyId(AWSError):
    """S3 knows no such access key."""

    status = 403
    default_message = "The AWS Access Key Id you provided does not exist in our records."


class InvalidToken(AWSError):
    """S3: the session token is not that of the access key."""

    default_message = "The provided token is malformed or otherwise invalid."


class ExpiredTokenS3(AWSError):
    """S3's own form of `ExpiredToken`."""

    code = "ExpiredToken"
    default_message = "The provided token has expired."


class AuthorizationHeaderMalformed(AWSError):
    """S3: the `Authorization` header cannot be read."""


class AuthorizationQueryParametersError(AWSError):
    """S3: the parameters of a presigned URL cannot be read."""


class RequestTimeTooSkewed(AWSError):
    """S3: signed more than 15 minutes from now."""

    status = 403
    default_message = "The difference between the request time and the current time is too large."


class XAmzContentSHA256Mismatch(AWSError):
    """S3: the body is not the one whose hash was signed."""

    default_message = "The provided 'x-amz-content-sha256' header does not match what was computed."


class InvalidArgument(AWSError):
    """S3: a header's value is not permitted."""


class InvalidRequest(AWSError):
    """S3: the request cannot be served as it is."""


class MissingContentLength(AWSError):
    """S3: an aws-chunked body without the length of what it holds."""

    status = 411
    default_message = "You must provide the Content-Length HTTP header."


class IncompleteBody(AWSError):
    """S3: a body that ends early or whose chunks cannot be read."""

    default_message = "The request body terminated unexpectedly"


class InvalidChunkSizeError(AWSError):
    """S3: a short chunk that was not the last."""

    default_message = "Only the last chunk is allowed to have a size less than 8192 bytes"


class MalformedTrailerError(AWSError):
    """S3: the trailer is not what `x-amz-trailer` announced."""

    default_message = (
        "The request contained trailing data that was not well-formed or did not conform to our "
        "published schema."
    )


class InvalidClientTokenId(AWSError):
    """No such access key, or not with this session token (query services)."""

    status = 403
    default_message = UNKNOWN_TOKEN


class UnrecognizedClientException(AWSError):
    """No such access key, or not with this session token (JSON services)."""

    default_message = UNKNOWN_TOKEN


class UnrecognizedClientExceptionREST(UnrecognizedClientException):
    """The same with the status of REST services."""

    code = "UnrecognizedClientException"
    status = 403


class InvalidSignatureException(AWSError):
    """The signature is not that of this request under this key (JSON services)."""

    default_message = SIGNATURE_MISMATCH


class InvalidSignatureExceptionREST(InvalidSignatureException):
    """The same with the status of REST services."""

    code = "InvalidSignatureException"
    status = 403


class IncompleteSignature(AWSError):
    """The signature lacks a part or a part cannot be read (query services)."""


class IncompleteSignatureException(AWSError):
    """The signature lacks a part or a part cannot be read (JSON services)."""


class IncompleteSignatureExceptionREST(IncompleteSignatureException):
    """The same with the status of REST services."""

    code = "IncompleteSignatureException"
    status = 403


class MissingAuthenticationToken(AWSError):
    """There is no signature (query services)."""

    status = 403
    default_message = "Request is missing Authentication Token"


class MissingAuthenticationTokenException(AWSError):
    """There is no signature (JSON services)."""

    default_message = "Missing Authentication Token"


class MissingAuthenticationTokenExceptionREST(MissingAuthenticationTokenException):
    """The same with the status of REST services."""

    code = "MissingAuthenticationTokenException"
    status = 403


class ExpiredToken(AWSError):
    """The session token's time is over (query services)."""

    status = 403
    default_message = EXPIRED_TOKEN


class ExpiredTokenException(AWSError):
    """The session token's time is over (JSON services)."""

    default_message = EXPIRED_TOKEN


class ExpiredTokenExceptionREST(ExpiredTokenException):
    """The same with the status of REST services."""

    code = "ExpiredTokenException"
    status = 403


class RequestExpired(AWSError):
    """A presigned URL's time is over (all services but S3)."""

    default_message = "Request has expired."
