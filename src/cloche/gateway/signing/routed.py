"""What of a signature can be judged only when the request is routed."""

from __future__ import annotations

from cloche.gateway.signing.parsing import Parsed
from cloche.gateway.signing.refusals import REFUSALS, S3_SIGNING_NAMES, Family

_SEVERAL_NAMES = {
    "s3": S3_SIGNING_NAMES,
    "s3control": frozenset({"s3", "s3express", "s3-outposts"}),
}
"""The services that take further signing names than their model says, by boto3's names.

From the endpoint rules in botocore; no other service has any.
"""


def check_service(parsed: Parsed, service: str, signing_name: str, family: Family) -> None:
    """Make sure that a request was signed for the service that it is routed to.

    Headers such as `x-amz-target` choose a service too. Without this, one that nobody signed
    could turn a signed request into another. Chunks are S3's alone: no other service would
    verify their signatures.

    Args:
        parsed: the signature.
        service: boto3's name.
        signing_name: of that service, as its model has it.
        family: how its errors are named.

    Raises:
        AWSError: it was signed for another, or its body is in chunks and this is not S3.
    """
    if parsed.service != signing_name and parsed.service not in _SEVERAL_NAMES.get(service, ()):
        raise REFUSALS[family].wrong_service(
            parsed.service, signing_name, is_presigned=parsed.is_presigned
        )
    if parsed.payload_mode.startswith("STREAMING-") and service != "s3":
        raise REFUSALS[family].malformed_payload_hash(parsed.payload or "")
