from __future__ import annotations

import json
from typing import Any

from tests.services.s3.expectations import refused


def block(s3: Any, bucket: str, flag: str) -> None:
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={flag: True})


def open_policy(bucket: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{bucket}",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def test_puts_gets_and_deletes(s3: Any, bucket: str) -> None:
    with refused("NoSuchPublicAccessBlockConfiguration", 404):
        s3.get_public_access_block(Bucket=bucket)
    block(s3, bucket, "BlockPublicAcls")
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": False,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    }
    s3.delete_public_access_block(Bucket=bucket)
    with refused("NoSuchPublicAccessBlockConfiguration"):
        s3.get_public_access_block(Bucket=bucket)


def test_blocks_public_acls(s3: Any, bucket: str) -> None:
    block(s3, bucket, "BlockPublicAcls")
    with refused("AccessDenied", 403):
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    with refused("AccessDenied", 403):
        s3.put_object(Bucket=bucket, Key="k", ACL="public-read")
    s3.put_object(Bucket=bucket, Key="k", ACL="bucket-owner-read")


def test_ignores_public_acls(s3: Any, bucket: str, anonymous: Any) -> None:
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    anonymous.head_bucket(Bucket=bucket)
    block(s3, bucket, "IgnorePublicAcls")
    with refused("403"):
        anonymous.head_bucket(Bucket=bucket)


def test_blocks_public_policies(s3: Any, bucket: str) -> None:
    block(s3, bucket, "BlockPublicPolicy")
    with refused("AccessDenied", 403):
        s3.put_bucket_policy(Bucket=bucket, Policy=open_policy(bucket))


def test_restricts_buckets_with_public_policies(
    s3: Any, bucket: str, anonymous: Any, stranger: Any
) -> None:
    s3.put_bucket_policy(Bucket=bucket, Policy=open_policy(bucket))
    anonymous.head_bucket(Bucket=bucket)
    block(s3, bucket, "RestrictPublicBuckets")
    for client in (anonymous, stranger):
        with refused("403"):
            client.head_bucket(Bucket=bucket)
    s3.head_bucket(Bucket=bucket)
