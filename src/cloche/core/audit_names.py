"""How CloudTrail names services, operations and callers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cloche.core.principals import Principal

_EVENT_SOURCES = {
    "cloudwatch": "monitoring",
    "elbv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "iot-data": "iotdata",
    "opensearch": "es",
    "redshift-data": "redshift-data",
    "s3control": "s3",
    "sagemaker-a2i-runtime": "sagemaker",
    "sagemaker-featurestore-runtime": "sagemaker",
    "sagemaker-metrics": "sagemaker",
    "sagemaker-runtime": "sagemaker",
    "ses": "email",
    "stepfunctions": "states",
}
_S3_EVENT_NAMES = {
    "DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock",
    "GetBucketLifecycleConfiguration": "GetBucketLifecycle",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "ListObjectsV2": "ListObjects",
    "PutBucketLifecycleConfiguration": "PutBucketLifecycle",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}


def timestamp(seconds: float) -> str:
    """Seconds since 1970 as `2026-07-01T12:00:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def event_source(service: str) -> str:
    """`eventSource` of a service as boto3 names it.

    >>> event_source("s3"), event_source("cloudwatch")
    ('s3.amazonaws.com', 'monitoring.amazonaws.com')
    """
    return f"{_EVENT_SOURCES.get(service, service)}.amazonaws.com"


def event_name(service: str, operation: str) -> str:
    """`eventName` of an operation; S3's differ from its model's in some places."""
    return _S3_EVENT_NAMES.get(operation, operation) if service == "s3" else operation


def user_identity(principal: Principal) -> dict[str, Any]:
    """`userIdentity` of a principal."""
    if principal.kind == "Anonymous":
        return {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
    if principal.kind == "AWSService":
        return {"type": "AWSService", "invokedBy": principal.name}
    identity: dict[str, Any] = {
        "type": principal.kind,
        "principalId": principal.user_id,
        "arn": principal.arn,
        "accountId": principal.account_id,
        "accessKeyId": principal.access_key_id,
    }
    if principal.kind == "IAMUser":
        identity["userName"] = principal.name
    if principal.session_issued_at is not None:
        identity["sessionContext"] = _session_context(principal, principal.session_issued_at)
    return identity


def _session_context(principal: Principal, issued_at: float) -> dict[str, Any]:
    context: dict[str, Any] = {}
    if principal.role_arn:
        context["sessionIssuer"] = {
            "type": "Role",
            "principalId": principal.user_id.partition(":")[0],
            "arn": principal.role_arn,
            "accountId": principal.role_arn.split(":")[4],
            "userName": principal.role_arn.rpartition("/")[2],
        }
    context["attributes"] = {
        "creationDate": timestamp(issued_at),
        "mfaAuthenticated": str(principal.mfa_authenticated).lower(),
    }
    return context


def user_name(identity: Mapping[str, Any]) -> str:
    """What LookupEvents calls `Username`: a user's or a session's name, `root`, or nothing."""
    if identity["type"] == "Root":
        return "root"
    if "userName" in identity:
        return identity["userName"]
    return identity.get("principalId", "").partition(":")[2]
