from __future__ import annotations

from typing import Any

import pytest

from cloche.services.s3.errors import NoSuchBucket, NoSuchKey
from cloche.services.s3.objects_for_services import read_object, write_object
from tests.live_server import LiveServer


@pytest.mark.parametrize("size_bytes", [0, 5, 200_000])
def test_writes_and_reads(server: LiveServer, s3: Any, bucket: str, size_bytes: int) -> None:
    body = b"x" * size_bytes
    server.run(write_object(server.runtime, bucket, "logs/1", body, "text/plain"))
    assert server.run(read_object(server.runtime, bucket, "logs/1")) == body
    found = s3.get_object(Bucket=bucket, Key="logs/1", ChecksumMode="ENABLED")
    assert (found["Body"].read(), found["ContentType"]) == (body, "text/plain")
    assert found["ServerSideEncryption"] == "AES256"


def test_says_what_is_missing(server: LiveServer, bucket: str) -> None:
    with pytest.raises(NoSuchKey):
        server.run(read_object(server.runtime, bucket, "none"))
    with pytest.raises(NoSuchBucket):
        server.run(write_object(server.runtime, f"{bucket}-none", "key", b"", "text/plain"))
