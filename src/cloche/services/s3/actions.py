"""Which IAM actions an operation needs, and which ACL permission would do instead.

Source: "Required permissions for Amazon S3 API operations" and "Mapping of ACL permissions and
access policy permissions" in the S3 user guide.
"""

from __future__ import annotations

from typing import NamedTuple


class BucketRule(NamedTuple):
    """What an operation on a bucket needs.

    Attributes:
        action: IAM action, without `s3:`.
        permission: of the bucket's ACL; empty if no ACL can grant it.
    """

    action: str
    permission: str = ""


class ObjectRule(NamedTuple):
    """What an operation on an object needs.

    Attributes:
        actions: IAM actions, without `s3:`, all of them.
        version_actions: the same where a version is named.
        permission: of an ACL; empty if no ACL can grant it.
        asks_bucket_acl: the ACL is the bucket's, since the object is being written.
    """

    actions: tuple[str, ...]
    version_actions: tuple[str, ...]
    permission: str = ""
    asks_bucket_acl: bool = False


def _read(action: str, permission: str = "") -> ObjectRule:
    verb, noun = action.split("Object")
    return ObjectRule((action,), (f"{verb}ObjectVersion{noun}",), permission)


_WRITE = ObjectRule(("PutObject",), ("PutObject",), "WRITE", asks_bucket_acl=True)

OBJECT_RULES: dict[str, ObjectRule] = {
    "GetObject": _read("GetObject", "READ"),
    "HeadObject": _read("GetObject", "READ"),
    "GetObjectAttributes": ObjectRule(
        ("GetObject", "GetObjectAttributes"),
        ("GetObjectVersion", "GetObjectVersionAttributes"),
        "READ",
    ),
    "GetObjectAcl": _read("GetObjectAcl", "READ_ACP"),
    "GetObjectRetention": ObjectRule(("GetObjectRetention",), ("GetObjectRetention",)),
    "GetObjectLegalHold": ObjectRule(("GetObjectLegalHold",), ("GetObjectLegalHold",)),
    "PutObjectAcl": _read("PutObjectAcl", "WRITE_ACP"),
    "GetObjectTagging": _read("GetObjectTagging"),
    "PutObjectTagging": _read("PutObjectTagging"),
    "DeleteObjectTagging": _read("DeleteObjectTagging"),
    "PutObject": _WRITE,
    "CopyObject": _WRITE,
    "CreateMultipartUpload": _WRITE,
    "UploadPart": _WRITE,
    "UploadPartCopy": _WRITE,
    "CompleteMultipartUpload": _WRITE,
    "AbortMultipartUpload": ObjectRule(
        ("AbortMultipartUpload",), ("AbortMultipartUpload",), "WRITE", asks_bucket_acl=True
    ),
    "ListParts": ObjectRule(
        ("ListMultipartUploadParts",), ("ListMultipartUploadParts",), "WRITE", asks_bucket_acl=True
    ),
    "DeleteObject": ObjectRule(
        ("DeleteObject",), ("DeleteObjectVersion",), "WRITE", asks_bucket_acl=True
    ),
}

COPY_SOURCE_RULE = OBJECT_RULES["GetObject"]

BUCKET_RULES: dict[str, BucketRule] = {
    "HeadBucket": BucketRule("ListBucket", "READ"),
    "ListObjects": BucketRule("ListBucket", "READ"),
    "ListObjectsV2": BucketRule("ListBucket", "READ"),
    "ListObjectVersions": BucketRule("ListBucketVersions", "READ"),
    "ListMultipartUploads": BucketRule("ListBucketMultipartUploads", "READ"),
    "GetBucketAcl": BucketRule("GetBucketAcl", "READ_ACP"),
    "PutBucketAcl": BucketRule("PutBucketAcl", "WRITE_ACP"),
    "DeleteBucketCors": BucketRule("PutBucketCORS"),
    "GetBucketCors": BucketRule("GetBucketCORS"),
    "PutBucketCors": BucketRule("PutBucketCORS"),
    "DeleteBucketEncryption": BucketRule("PutEncryptionConfiguration"),
    "GetBucketEncryption": BucketRule("GetEncryptionConfiguration"),
    "PutBucketEncryption": BucketRule("PutEncryptionConfiguration"),
    "DeleteBucketOwnershipControls": BucketRule("PutBucketOwnershipControls"),
    "DeleteBucketTagging": BucketRule("PutBucketTagging"),
    "DeletePublicAccessBlock": BucketRule("PutBucketPublicAccessBlock"),
    "GetPublicAccessBlock": BucketRule("GetBucketPublicAccessBlock"),
    "PutPublicAccessBlock": BucketRule("PutBucketPublicAccessBlock"),
    "GetBucketNotificationConfiguration": BucketRule("GetBucketNotification"),
    "PutBucketNotificationConfiguration": BucketRule("PutBucketNotification"),
    "GetBucketAccelerateConfiguration": BucketRule("GetAccelerateConfiguration"),
    "GetBucketLifecycleConfiguration": BucketRule("GetLifecycleConfiguration"),
    "DeleteBucketLifecycle": BucketRule("PutLifecycleConfiguration"),
    "GetBucketReplication": BucketRule("GetReplicationConfiguration"),
    "DeleteBucketReplication": BucketRule("PutReplicationConfiguration"),
    "GetObjectLockConfiguration": BucketRule("GetBucketObjectLockConfiguration"),
}
for _kind in ("Analytics", "IntelligentTiering", "Inventory", "Metrics"):
    BUCKET_RULES[f"GetBucket{_kind}Configuration"] = BucketRule(f"Get{_kind}Configuration")
    BUCKET_RULES[f"ListBucket{_kind}Configurations"] = BucketRule(f"Get{_kind}Configuration")
    BUCKET_RULES[f"DeleteBucket{_kind}Configuration"] = BucketRule(f"Put{_kind}Configuration")

OWNER_KEEPS = frozenset({"GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"})
"""What root of the bucket's account may do even where the bucket's policy denies it."""


def bucket_rule(operation: str) -> BucketRule:
    """The rule of an operation on a bucket; most actions are named as their operation."""
    return BUCKET_RULES.get(operation) or BucketRule(operation)


OBJECT_ACTIONS = frozenset(
    action.lower()
    for rule in OBJECT_RULES.values()
    for action in (*rule.actions, *rule.version_actions)
)
"""Actions that apply to objects, in lower case."""

BUCKET_ACTIONS = frozenset(rule.action.lower() for rule in BUCKET_RULES.values()) | {
    "createbucket",
    "deletebucket",
    "deletebucketpolicy",
    "getbucketlocation",
    "getbucketpolicy",
    "getbucketpolicystatus",
    "getbuckettagging",
    "getbucketversioning",
    "putbucketpolicy",
    "putbuckettagging",
    "putbucketversioning",
}
"""Actions that apply to buckets, in lower case."""
