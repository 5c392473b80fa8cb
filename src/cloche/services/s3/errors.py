"""S3's errors, with S3's wording.

Members such as `BucketName` and `Key` are given where an error is raised; they come out beside
`Code` and `Message` in the answer's XML. Source: "Error responses" of the S3 API reference and
the answers of S3 itself where that page is silent.
"""

from __future__ import annotations

from cloche.core.errors import AccessDenied, AWSError, NotImplementedS3

__all__ = ["AccessDenied", "NotImplementedS3"]


class NotFound(AWSError):
    """The base of all 404 errors."""

    status = 404


class Conflict(AWSError):
    """The base of all 409 errors."""

    status = 409


class NoSuchBucket(NotFound):
    """No bucket has the name."""

    default_message = "The specified bucket does not exist"


class NoSuchKey(NotFound):
    """The key has no current version."""

    default_message = "The specified key does not exist."


class NoSuchVersion(NotFound):
    """The key has no version of that id."""

    default_message = "The specified version does not exist."


class NoSuchUpload(NotFound):
    """The multipart upload is not, or no longer, in progress."""

    default_message = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may "
        "have been aborted or completed."
    )


class NoSuchBucketPolicy(NotFound):
    """The bucket has no policy."""

    default_message = "The bucket policy does not exist"


class NoSuchCORSConfiguration(NotFound):
    """The bucket has no CORS rules."""

    default_message = "The CORS configuration does not exist"


class NoSuchTagSet(NotFound):
    """The bucket has no tags."""

    default_message = "The TagSet does not exist"


class NoSuchLifecycleConfiguration(NotFound):
    """The bucket has no lifecycle rules."""

    default_message = "The lifecycle configuration does not exist"


class NoSuchWebsiteConfiguration(NotFound):
    """The bucket is no website."""

    default_message = "The specified bucket does not have a website configuration"


class NoSuchConfiguration(NotFound):
    """The bucket has no analytics, inventory, metrics or tiering configuration of that id."""

    default_message = "The specified configuration does not exist."


class NoSuchPublicAccessBlockConfiguration(NotFound):
    """Nothing was said about public access to the bucket."""

    default_message = "The public access block configuration was not found"


class NoSuchObjectLockConfiguration(NotFound):
    """The object has no retention or legal hold."""

    default_message = "The specified object does not have a ObjectLock configuration"


class ObjectLockConfigurationNotFoundError(NotFound):
    """The bucket has no object lock."""

    default_message = "Object Lock configuration does not exist for this bucket"


class OwnershipControlsNotFoundError(NotFound):
    """Nothing was said about the ownership of the bucket's objects."""

    default_message = "The bucket ownership controls were not found"


class ReplicationConfigurationNotFoundError(NotFound):
    """The bucket is not replicated."""

    default_message = "The replication configuration was not found"


class ServerSideEncryptionConfigurationNotFoundError(NotFound):
    """The bucket has no default encryption."""

    default_message = "The server side encryption configuration was not found"


class BucketAlreadyExists(Conflict):
    """Another account has a bucket of the name."""

    default_message = (
        "The requested bucket name is not available. The bucket namespace is shared by all users "
        "of the system. Please select a different name and try again."
    )


class BucketAlreadyOwnedByYou(Conflict):
    """The caller has a bucket of the name."""

    default_message = (
        "Your previous request to create the named bucket succeeded and you already own it."
    )


class BucketNotEmpty(Conflict):
    """The bucket to delete has objects, versions or delete markers."""

    default_message = "The bucket you tried to delete is not empty"


class ConditionalRequestConflict(Conflict):
    """A conditional write met a concurrent one."""

    default_message = (
        "The conditional request cannot succeed due to a conflicting operation against this "
        "resource."
    )


class PreconditionFailed(AWSError):
    """A condition of the request does not hold."""

    status = 412
    default_message = "At least one of the pre-conditions you specified did not hold"


class NotModified(AWSError):
    """The client's copy is current; the answer has no body."""

    status = 304
    default_message = "Not Modified"


class MethodNotAllowed(AWSError):
    """The version is a delete marker."""

    status = 405
    default_message = "The specified method is not allowed against this resource."


class MissingContentLength(AWSError):
    """The body's length is not announced."""

    status = 411
    default_message = "You must provide the Content-Length HTTP header."


class InvalidRange(AWSError):
    """The range lies beyond the object's end."""

    status = 416
    default_message = "The requested range is not satisfiable"


class InvalidPartNumber(AWSError):
    """The object has no part of that number."""

    status = 416
    default_message = "The requested partnumber is not satisfiable"


class InvalidRequest(AWSError):
    """The request contradicts itself or the state of things."""

    default_message = "Invalid Request"


class InvalidArgument(AWSError):
    """A parameter has a value that it cannot have."""

    default_message = "Invalid Argument"


class InvalidBucketName(AWSError):
    """The name breaks the rules for bucket names."""

    default_message = "The specified bucket is not valid."


class InvalidLocationConstraint(AWSError):
    """No such region."""

    default_message = "The specified location-constraint is not valid"


class IllegalLocationConstraintException(AWSError):
    """The region asked for is not the one that the request was sent to."""


class InvalidBucketAclWithObjectOwnership(AWSError):
    """An ACL was given together with an ownership that disables ACLs."""

    default_message = (
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
    )


class AccessControlListNotSupported(AWSError):
    """The bucket's ownership setting disables ACLs."""

    default_message = "The bucket does not allow ACLs"


class InvalidDigest(AWSError):
    """Content-MD5 is no MD5."""

    default_message = "The Content-MD5 you specified was invalid."


class BadDigest(AWSError):
    """The body is not what its digest says."""

    default_message = "The Content-MD5 you specified did not match what we received."


class XAmzContentSHA256Mismatch(AWSError):
    """The body is not what was signed."""

    default_message = "The provided 'x-amz-content-sha256' header does not match what was computed."


class IncompleteBody(AWSError):
    """The body is shorter or longer than announced."""

    default_message = "The request body terminated unexpectedly"


class EntityTooLarge(AWSError):
    """The body is larger than one request may carry."""

    default_message = "Your proposed upload exceeds the maximum allowed size"


class EntityTooSmall(AWSError):
    """A part other than the last is under 5 MiB."""

    default_message = "Your proposed upload is smaller than the minimum allowed size"


class InvalidPart(AWSError):
    """A part to complete with is not there or is another."""

    default_message = (
        "One or more of the specified parts could not be found.  The part may not have been "
        "uploaded, or the specified entity tag may not match the part's entity tag."
    )


class InvalidPartOrder(AWSError):
    """The parts to complete with are not in ascending order."""

    default_message = (
        "The list of parts was not in ascending order. Parts must be ordered by part number."
    )


class InvalidStorageClass(AWSError):
    """No such storage class."""

    default_message = "The storage class you specified is not valid"


class InvalidEncryptionAlgorithmError(AWSError):
    """No such server-side encryption."""

    default_message = "The Encryption request you specified is not valid. Supported value: AES256."


class InvalidTag(AWSError):
    """A tag breaks the rules for tags."""

    default_message = "The TagValue you have provided is invalid"


class BadRequest(AWSError):
    """More tags than an object may have."""

    default_message = "Object tags cannot be greater than 10"


class KeyTooLongError(AWSError):
    """The key has more than 1,024 bytes in UTF-8."""

    default_message = "Your key is too long"


class MetadataTooLarge(AWSError):
    """User metadata exceed 2 KB."""

    default_message = "Your metadata headers exceed the maximum allowed metadata size"


class MalformedXML(AWSError):
    """The body does not conform to the schema."""

    default_message = (
        "The XML you provided was not well-formed or did not validate against our published schema"
    )


class MalformedACLError(AWSError):
    """The access control list does not conform to the schema."""

    default_message = (
        "The XML you provided was not well-formed or did not validate against our published schema"
    )


class MalformedPolicy(AWSError):
    """The bucket policy breaks the rules for policies."""

    default_message = "Policies must be valid JSON and the first byte must be '{'"


class InvalidObjectState(AWSError):
    """The object is archived and can't be read until it is restored."""

    status = 403
    default_message = "The operation is not valid for the object's storage class"


class InvalidRedirectLocation(AWSError):
    """An object's redirection leads neither to a path nor to a URL."""

    default_message = (
        "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."
    )
