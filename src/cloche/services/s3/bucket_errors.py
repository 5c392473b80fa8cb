"""Errors of bucket configurations alone."""

from __future__ import annotations

from cloche.core.errors import AWSError


class IllegalVersioningConfigurationException(AWSError):
    """The versioning state is neither Enabled nor Suspended."""

    default_message = "The Versioning element must be specified"


class MissingSecurityHeader(AWSError):
    """An ACL is to be put and none is given."""

    default_message = "Your request was missing a required header"


class UnexpectedContent(AWSError):
    """An ACL is given both as a header and as a body."""

    default_message = "This request does not support content"


class UnresolvableGrantByEmailAddress(AWSError):
    """A grantee is named by an e-mail address that is no account's."""

    default_message = "The email address you provided does not match any account on record."


class PolicyTooLarge(AWSError):
    """A bucket policy has more than 20 KB."""

    default_message = "Policy exceeds the maximum allowed document size."


class AccessForbidden(AWSError):
    """No CORS rule allows the request."""

    status = 403
    default_message = (
        "CORSResponse: This CORS request is not allowed. This is usually because the evalution of "
        "Origin, request method / Access-Control-Request-Method or "
        "Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
    )
