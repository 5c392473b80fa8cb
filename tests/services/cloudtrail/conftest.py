from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.core.conftest import until
from tests.live_server import LiveServer

ACCOUNT = "000000000000"
ROUND_SECONDS = 300


def refused(code: str, operation: Callable[..., Any], **request: Any) -> str:
    """The message with which a call is refused."""
    with pytest.raises(ClientError) as raised:
        operation(**request)
    error = raised.value.response["Error"]
    assert error["Code"] == code
    return error["Message"]


def delivery_policy(bucket: str, *, prefix: str = "", source_arn: str | None = None) -> str:
    """The bucket policy that AWS's user guide gives for CloudTrail."""
    service = {"Service": "cloudtrail.amazonaws.com"}
    source = {} if source_arn is None else {"aws:SourceArn": source_arn}
    folder = f"{prefix}/AWSLogs" if prefix else "AWSLogs"
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "AWSCloudTrailAclCheck20150319",
                    "Effect": "Allow",
                    "Principal": service,
                    "Action": "s3:GetBucketAcl",
                    "Resource": f"arn:aws:s3:::{bucket}",
                    "Condition": {"StringEquals": source},
                },
                {
                    "Sid": "AWSCloudTrailWrite20150319",
                    "Effect": "Allow",
                    "Principal": service,
                    "Action": "s3:PutObject",
                    "Resource": f"arn:aws:s3:::{bucket}/{folder}/{ACCOUNT}/*",
                    "Condition": {
                        "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **source}
                    },
                },
            ],
        }
    )


@dataclass
class Trails:
    """Trails of a server, and what they deliver.

    Attributes:
        bucket: that lets CloudTrail write.
    """

    server: LiveServer
    bucket: str = field(default_factory=lambda: f"trail-{uuid4().hex[:12]}")

    def __post_init__(self) -> None:
        self.cloudtrail = self.server.client("cloudtrail")
        self.s3 = self.server.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)
        self.allow()

    def allow(self, **options: Any) -> None:
        """Put the bucket policy that lets CloudTrail write."""
        policy = delivery_policy(self.bucket, **options)
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=policy)

    def create(self, name: str = "", *, is_logging: bool = True, **settings: Any) -> str:
        """Make a trail and return its ARN."""
        name = name or f"trail-{uuid4().hex[:12]}"
        made = self.cloudtrail.create_trail(Name=name, S3BucketName=self.bucket, **settings)
        if is_logging:
            self.cloudtrail.start_logging(Name=name)
        return made["TrailARN"]

    def round(self) -> None:
        """Let five minutes pass and the delivery that is then due end."""
        runtime = self.server.runtime
        kind = f"cloudtrail.delivery.{runtime.audit.log_id}"

        def next_run() -> float:
            job = runtime.jobs.get(kind, "", "", "all-trails")
            assert job is not None
            return job.run_at if job.state == "Queued" else 0.0

        self.server.advance(ROUND_SECONDS)
        until(lambda: next_run() > runtime.clock.time())

    def object_keys(self) -> list[str]:
        """Keys of all objects in the bucket."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket)
        return [each["Key"] for each in listed.get("Contents", [])]

    def records(self) -> list[dict[str, Any]]:
        """All records in the bucket, in the order of the keys."""
        found: list[dict[str, Any]] = []
        for key in self.object_keys():
            body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            found += json.loads(gzip.decompress(body))["Records"]
        return found


@pytest.fixture
def trails(server: LiveServer) -> Trails:
    """A new bucket on the shared server, and trails to it."""
    return Trails(server)


@pytest.fixture
def fresh_trails(fresh_server: LiveServer) -> Trails:
    """As `trails`, on a server of the test's own."""
    return Trails(fresh_server)
