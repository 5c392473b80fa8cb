"""Amazon S3: buckets and their configuration, objects as streams."""

from cloche.services.s3 import (
    absent_configurations,
    access,
    bucket_cors,
    bucket_encryption,
    bucket_policy,
    bucket_tagging,
    buckets,
    notifications,
    ownership_controls,
    public_access_block,
    request_payment,
    versioning,
)
from cloche.services.s3.service import service

__all__ = [
    "absent_configurations",
    "access",
    "bucket_cors",
    "bucket_encryption",
    "bucket_policy",
    "bucket_tagging",
    "buckets",
    "notifications",
    "ownership_controls",
    "public_access_block",
    "request_payment",
    "service",
    "versioning",
]
