"""CloudTrail's errors."""

from __future__ import annotations

from cloche.core.errors import AWSError


class CloudTrailARNInvalidException(AWSError):
    """An ARN is not one of a trail."""


class InsightNotEnabledException(AWSError):
    """Insights are not enabled on the trail; they never are."""


class InsufficientS3BucketPolicyException(AWSError):
    """The bucket's policy does not let CloudTrail write to it."""


class InvalidEventSelectorsException(AWSError):
    """Event selectors are not what they must be."""


class InvalidHomeRegionException(AWSError):
    """A trail can be changed only from the region in which it was made."""


class InvalidLookupAttributesException(AWSError):
    """Attributes to look events up by are not what they must be."""


class InvalidNextTokenException(AWSError):
    """The token was not given by a former page, or the request has changed since."""


class InvalidParameterCombinationException(AWSError):
    """Parameters exclude each other."""


class InvalidS3BucketNameException(AWSError):
    """No bucket can have this name."""


class InvalidS3PrefixException(AWSError):
    """The prefix is too long."""


class InvalidTagParameterException(AWSError):
    """A tag key is given twice, or is not permitted."""


class InvalidTimeRangeException(AWSError):
    """The end is before the start."""


class InvalidTrailNameException(AWSError):
    """No trail can have this name."""


class MaximumNumberOfTrailsExceededException(AWSError):
    """The account has as many trails in the region as it may have."""


class OrganizationsNotInUseException(AWSError):
    """The account is not a member of an organization; none ever is."""

    status = 404


class ResourceNotFoundException(AWSError):
    """There is no trail of this ARN."""


class S3BucketDoesNotExistException(AWSError):
    """There is no such bucket."""

    status = 404


class TagsLimitExceededException(AWSError):
    """A trail would have more than 50 tags."""


class TrailAlreadyExistsException(AWSError):
    """The name is taken."""


class TrailNotFoundException(AWSError):
    """There is no such trail."""

    status = 404
