from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from tests.services.s3.expectations import refused


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_keeps_the_checksum_that_came_behind_the_body(s3: Any, bucket: str, algorithm: str) -> None:
    member = f"Checksum{algorithm}"
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"body", ChecksumAlgorithm=algorithm)
    found = s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert found["Body"].read() == b"body"
    assert found[member] == put[member]
    assert found["ChecksumType"] == "FULL_OBJECT"
    attributes = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["Checksum"])
    assert attributes["Checksum"][member] == put[member]


def test_refuses_a_wrong_checksum(s3: Any, bucket: str) -> None:
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"body", ChecksumSHA256=wrong)
    with refused("InvalidRequest", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"body", ChecksumSHA256="short")
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key="key")


def test_checksums_come_only_when_asked_for(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    assert "ChecksumCRC32" not in s3.head_object(Bucket=bucket, Key="key")
    ranged = s3.get_object(Bucket=bucket, Key="key", Range="bytes=0-1", ChecksumMode="ENABLED")
    assert "ChecksumCRC32" not in ranged
