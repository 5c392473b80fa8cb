"""Whether CloudTrail may write to a bucket.

AWS asks the bucket's policy for `s3:GetBucketAcl` on the bucket and `s3:PutObject` on the objects
of the account, each with the trail's ARN as `aws:SourceArn`, when a trail is made or changed.
"""

from __future__ import annotations

from cloche.core.authorization.evaluate import AccessRequest, PolicySet, evaluate
from cloche.core.operations import Call
from cloche.core.principals import Principal
from cloche.services.cloudtrail.errors import (
    InsufficientS3BucketPolicyException,
    InvalidS3BucketNameException,
    InvalidS3PrefixException,
    S3BucketDoesNotExistException,
)
from cloche.services.cloudtrail.trail_records import Trail
from cloche.services.s3.bucket_names import is_valid_bucket_name
from cloche.services.s3.bucket_records import Bucket, find_bucket
from cloche.services.s3.errors import NoSuchBucket

SERVICE_NAME = "cloudtrail.amazonaws.com"
DELIVERY_ACL = "bucket-owner-full-control"

_LONGEST_PREFIX = 200


def delivery_principal(trail: Trail) -> Principal:
    """CloudTrail as it acts for a trail."""
    return Principal("AWSService", trail.account_id, trail.arn, "", name=SERVICE_NAME)


def check_destination(call: Call, trail: Trail) -> None:
    """Refuse a trail that could not deliver.

    Raises:
        InvalidS3BucketNameException: no bucket can have the name.
        InvalidS3PrefixException: the prefix is too long.
        S3BucketDoesNotExistException: there is no such bucket.
        InsufficientS3BucketPolicyException: its policy does not let CloudTrail in.
    """
    if not is_valid_bucket_name(trail.bucket):
        raise InvalidS3BucketNameException(f"Bucket name {trail.bucket} is invalid!")
    if len(trail.prefix) > _LONGEST_PREFIX:
        raise InvalidS3PrefixException(
            f"S3 prefix is longer than maximum length: {_LONGEST_PREFIX}. "
            f"Specified prefix length: {len(trail.prefix)}."
        )
    try:
        bucket = find_bucket(call, trail.bucket)
    except NoSuchBucket:
        raise S3BucketDoesNotExistException(f"S3 bucket {trail.bucket} does not exist!") from None
    arn = f"arn:aws:s3:::{bucket.name}"
    objects = f"{arn}/{folder(trail)}"
    if not _allows(trail, bucket, "s3:GetBucketAcl", arn) or not _allows(
        trail, bucket, "s3:PutObject", f"{objects}CloudTrail/log"
    ):
        raise InsufficientS3BucketPolicyException(
            f"Incorrect S3 bucket policy is detected for bucket: {trail.bucket}"
        )


def folder(trail: Trail) -> str:
    """The beginning of the keys of all of a trail's objects."""
    return (
        f"{trail.prefix}/AWSLogs/{trail.account_id}/"
        if trail.prefix
        else (f"AWSLogs/{trail.account_id}/")
    )


def _allows(trail: Trail, bucket: Bucket, action: str, resource: str) -> bool:
    context = {
        "aws:sourcearn": (trail.arn,),
        "aws:sourceaccount": (trail.account_id,),
        "aws:principalservicename": (SERVICE_NAME,),
        "aws:principalisawsservice": ("true",),
        "aws:securetransport": ("true",),
        "s3:x-amz-acl": (DELIVERY_ACL,),
    }
    request = AccessRequest(delivery_principal(trail), action, resource, context)
    policies = PolicySet(resource=bucket.policy or None, resource_account=bucket.owner)
    return evaluate(request, policies).is_allowed
