"""Configurations that no bucket has yet: asked for, they are truly absent.

What would put one answers 501, so these answers are never wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.core.errors import AWSError
from cloche.core.operations import Call
from cloche.services.s3.bucket_records import load_bucket
from cloche.services.s3.errors import (
    InvalidRequest,
    NoSuchConfiguration,
    NoSuchLifecycleConfiguration,
    NoSuchWebsiteConfiguration,
    ObjectLockConfigurationNotFoundError,
    ReplicationConfigurationNotFoundError,
)
from cloche.services.s3.service import service

_NOT_FOUND: dict[str, type[AWSError]] = {
    "GetBucketWebsite": NoSuchWebsiteConfiguration,
    "GetBucketLifecycleConfiguration": NoSuchLifecycleConfiguration,
    "GetBucketReplication": ReplicationConfigurationNotFoundError,
    "GetObjectLockConfiguration": ObjectLockConfigurationNotFoundError,
    "GetBucketAnalyticsConfiguration": NoSuchConfiguration,
    "GetBucketIntelligentTieringConfiguration": NoSuchConfiguration,
    "GetBucketInventoryConfiguration": NoSuchConfiguration,
    "GetBucketMetricsConfiguration": NoSuchConfiguration,
}
_EMPTY = (
    "GetBucketLogging",
    "GetBucketAccelerateConfiguration",
    "DeleteBucketWebsite",
    "DeleteBucketLifecycle",
    "DeleteBucketReplication",
)
_LISTS = (
    "ListBucketAnalyticsConfigurations",
    "ListBucketIntelligentTieringConfigurations",
    "ListBucketInventoryConfigurations",
    "ListBucketMetricsConfigurations",
)
_OF_LOCKED_OBJECTS = ("GetObjectRetention", "GetObjectLegalHold")
_DELETES_BY_ID = (
    "DeleteBucketAnalyticsConfiguration",
    "DeleteBucketIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration",
    "DeleteBucketMetricsConfiguration",
)


def _refuse(name: str, error: type[AWSError]) -> None:
    def operation(call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        raise error(BucketName=load_bucket(call, request).name)

    service.operation(name=name)(operation)


def _answer(name: str, answer: dict[str, Any]) -> None:
    def operation(call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        load_bucket(call, request)
        return answer

    service.operation(name=name)(operation)


def _refuse_without_lock(name: str) -> None:
    def operation(call: Call, request: Mapping[str, Any]) -> dict[str, Any]:
        load_bucket(call, request)
        raise InvalidRequest("Bucket is missing Object Lock Configuration")

    service.operation(name=name)(operation)


for _name, _error in _NOT_FOUND.items():
    _refuse(_name, _error)
for _name in _DELETES_BY_ID:
    _refuse(_name, NoSuchConfiguration)
for _name in _EMPTY:
    _answer(_name, {})
for _name in _OF_LOCKED_OBJECTS:
    _refuse_without_lock(_name)
for _name in _LISTS:
    _answer(_name, {"IsTruncated": False})
