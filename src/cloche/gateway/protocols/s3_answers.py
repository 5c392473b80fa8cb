"""Where S3's documents differ from what its model says."""

from __future__ import annotations

from cloche.gateway.protocols.xml_output import XML_DECLARATION, escape, escape_attribute

_ROOT_NAMES = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CopyObject": "CopyObjectResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
    "UploadPartCopy": "CopyPartResult",
}


def root_name(operation: str, default: str) -> str:
    """Name of an answer's root element, which some SDKs look for."""
    return _ROOT_NAMES.get(operation, default)


def location_document(location: str, namespace: str) -> bytes:
    """GetBucketLocation's answer: the location is the root element's own text."""
    text = (
        f'{XML_DECLARATION}<LocationConstraint xmlns="{escape_attribute(namespace)}">'
        f"{escape(location)}</LocationConstraint>"
    )
    return text.encode()
