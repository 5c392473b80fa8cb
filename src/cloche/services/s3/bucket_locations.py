"""Which region a bucket is created in.

Source: "CreateBucket" in the S3 API reference, of LocationConstraint.
"""

from __future__ import annotations

from cloche.services.s3.errors import (
    IllegalLocationConstraintException,
    InvalidLocationConstraint,
)

DEFAULT_REGION = "us-east-1"

_REGIONS = frozenset(
    """
    af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1
    ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5
    ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 cn-north-1 cn-northwest-1 eu-central-1
    eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1
    me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-2 us-gov-east-1 us-gov-west-1 us-west-1
    us-west-2
    """.split()  # noqa: SIM905 - a list of these would be forty lines
)


def requested_region(endpoint_region: str, location_constraint: str) -> str:
    """The region for a new bucket.

    Args:
        endpoint_region: the region that the request was signed for.
        location_constraint: empty for none.

    Raises:
        InvalidLocationConstraint: no such region, or us-east-1, which is never named.
        IllegalLocationConstraintException: another than the endpoint's; only that of us-east-1
            creates buckets elsewhere.
    """
    is_default_endpoint = endpoint_region in ("", DEFAULT_REGION)
    if not location_constraint:
        if is_default_endpoint:
            return DEFAULT_REGION
        raise IllegalLocationConstraintException(
            "The unspecified location constraint is incompatible for the region specific endpoint "
            "this request was sent to."
        )
    region = "eu-west-1" if location_constraint == "EU" else location_constraint
    if region not in _REGIONS and (is_default_endpoint or region != endpoint_region):
        raise InvalidLocationConstraint(LocationConstraint=location_constraint)
    if not is_default_endpoint and region != endpoint_region:
        raise IllegalLocationConstraintException(
            f"The {location_constraint} location constraint is incompatible for the region "
            "specific endpoint this request was sent to."
        )
    return region
