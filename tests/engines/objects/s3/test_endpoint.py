"""The URL of the endpoint, and other writers there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest

from cloche.engines.objects.s3 import S3ObjectStore
from cloche.engines.objects.s3.endpoint import RECORDS_BUCKET, Endpoint
from cloche.engines.objects.store import BucketNotFound, ObjectRecord
from tests.live_server import LiveServer


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/",
        "http:///prefix",
        "http://key:a/secret@host/prefix-",
        "http://host/Upper",
        "http://host/a/b",
    ],
)
def test_urls_that_mean_nothing_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        Endpoint(url, 1)


def test_names_of_buckets() -> None:
    endpoint = Endpoint("http://key:se%2Fcret@host:9000/prefix-/", 1)
    assert endpoint.name("bucket") == "prefix-bucket"
    assert endpoint.s3.meta.endpoint_url == "http://host:9000"
    with pytest.raises(BucketNotFound):
        endpoint.name(RECORDS_BUCKET)


def test_a_condition_is_asked_again_if_another_writes_meanwhile(
    server: LiveServer, tmp_path: Path
) -> None:
    other = server.client("s3")
    secret = quote(server.root["SecretAccessKey"], safe="")
    url = f"http://{server.root['AccessKeyId']}:{secret}@127.0.0.1:{server.port}/race-"
    seen: list[str | None] = []

    def condition(record: ObjectRecord | None) -> None:
        seen.append(None if record is None else record.etag)
        if len(seen) < 3:
            other.put_object(Bucket="race-bucket", Key="key", Body=str(len(seen)).encode())

    async def main() -> ObjectRecord:
        store = S3ObjectStore(url, tmp_path, now=lambda: 1.0)
        await store.create_bucket("bucket")
        staged = await store.stage(b"body")
        record = await store.put(
            "bucket", "key", staged, versioning="Unversioned", properties={}, condition=condition
        )
        await store.close()
        return record

    record = asyncio.run(main())
    assert len(seen) == 3 and seen[0] is None and len(set(seen)) == 3
    answer = other.get_object(Bucket="race-bucket", Key="key")
    assert (answer["Body"].read(), answer["ETag"]) == (b"body", f'"{record.etag}"')
