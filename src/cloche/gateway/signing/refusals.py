"""How each family of services refuses a signature.

The checks are the same for all of AWS; codes, statuses, texts and members are not. A family's
`Refusals` has one method for each reason and returns the error to raise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from cloche.core.errors import AWSError
from cloche.gateway.signing.s3_refusals import S3Refusals
from cloche.gateway.signing.service_refusals import (
    JSON_CODES,
    QUERY_CODES,
    REST_JSON_CODES,
    ServiceRefusals,
)

Family = Literal["s3", "json", "rest-json", "query"]
"""S3; JSON and CBOR over one path; REST with JSON; query, EC2 and the other XML services."""

S3_SIGNING_NAMES = frozenset({"s3", "s3express", "s3-object-lambda", "s3-outposts"})
_XML_SIGNING_NAMES = frozenset({"cloudfront", "route53"})


class Refusals(Protocol):
    """The errors of one family."""

    def missing(self) -> AWSError:
        """There is no signature and the operation needs one."""
        ...

    def unsupported(self, authorization: str) -> AWSError:
        """Signed, but not with Signature Version 4; the header, or the algorithm of a URL."""
        ...

    def two_mechanisms(self, authorization: str) -> AWSError:
        """Signed in the header and in the query string."""
        ...

    def missing_components(self, authorization: str, problems: Sequence[str]) -> AWSError:
        """The header lacks parts; `problems` are sentences."""
        ...

    def missing_parameters(self, names: Sequence[str]) -> AWSError:
        """A presigned URL lacks parameters."""
        ...

    def malformed_credential(self, credential: str, *, is_presigned: bool) -> AWSError:
        """A credential that has not five parts, or an empty one."""
        ...

    def malformed_credential_date(self, date: str, *, is_presigned: bool) -> AWSError:
        """A credential's date that is not eight digits."""
        ...

    def wrong_terminator(self, terminator: str, *, is_presigned: bool) -> AWSError:
        """A credential that does not end in `aws4_request`."""
        ...

    def wrong_service(self, service: str, expected: str, *, is_presigned: bool) -> AWSError:
        """A credential for another service than the one that is asked."""
        ...

    def wrong_credential_date(self, date: str, timestamp: str, *, is_presigned: bool) -> AWSError:
        """A credential of another day than the request."""
        ...

    def missing_date(self, authorization: str) -> AWSError:
        """Neither `x-amz-date` nor `date`."""
        ...

    def malformed_date(self, text: str, *, is_presigned: bool) -> AWSError:
        """A date that cannot be read."""
        ...

    def malformed_parameter(self, message: str) -> AWSError:
        """A parameter of a presigned URL that is not what it must be."""
        ...

    def unsigned_headers(self, names: Sequence[str]) -> AWSError:
        """Headers that had to be signed."""
        ...

    def missing_payload_hash(self) -> AWSError:
        """No `x-amz-content-sha256` where there must be one."""
        ...

    def malformed_payload_hash(self, value: str) -> AWSError:
        """An `x-amz-content-sha256` that is neither a hash nor a word that we know."""
        ...

    def too_skewed(self, timestamp: str, now: float) -> AWSError:
        """Signed more than 15 minutes before or after `now`, in seconds since 1970."""
        ...

    def not_yet_valid(self, timestamp: str, expires_seconds: int, now: float) -> AWSError:
        """A presigned URL of the future."""
        ...

    def expired(self, expires_seconds: int, expired_at: float, now: float) -> AWSError:
        """A presigned URL whose time is over."""
        ...

    def unknown_key(self, access_key_id: str) -> AWSError:
        """No such access key."""
        ...

    def expired_token(self, token: str) -> AWSError:
        """Temporary credentials whose time is over."""
        ...

    def wrong_token(self, token: str) -> AWSError:
        """A session token that is not that of the access key."""
        ...

    def mismatch(
        self, access_key_id: str, signature: str, string_to_sign: str, canonical_request: bytes
    ) -> AWSError:
        """The signature is another."""
        ...


REFUSALS: Mapping[Family, Refusals] = {
    "s3": S3Refusals(),
    "json": ServiceRefusals(JSON_CODES),
    "rest-json": ServiceRefusals(REST_JSON_CODES),
    "query": ServiceRefusals(QUERY_CODES),
}


def family_of(signing_name: str, headers: Mapping[str, str], query_string: str) -> Family:
    """The family that a request seems to belong to, before it is routed.

    Args:
        signing_name: from the credential scope; empty if there is none that can be read.
        headers: of the request, by lower-case name.
        query_string: of the request, without the question mark.
    """
    if signing_name in S3_SIGNING_NAMES:
        return "s3"
    if "x-amz-target" in headers or "smithy-protocol" in headers:
        return "json"
    content_type = headers.get("content-type", "")
    if (
        content_type.startswith("application/x-www-form-urlencoded")
        or query_string.startswith("Action=")
        or "&Action=" in query_string
        or signing_name in _XML_SIGNING_NAMES
    ):
        return "query"
    return "rest-json" if signing_name else "s3"


def missing_authentication(family: Family) -> AWSError:
    """The error for an anonymous request to an operation that needs a signature."""
    return REFUSALS[family].missing()
