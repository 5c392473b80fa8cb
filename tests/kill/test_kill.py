"""The server is killed in the middle of sixteen writers: what it had confirmed is there."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.kill.server_process import ServerProcess
from tests.kill.writers import BUCKET, Ledger, Upload, Writers, complete, content, part_size

ROUNDS = int(os.environ.get("CLOCHE_KILL_ROUNDS", "2"))


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path / "data").start()
    yield running
    running.kill()


@pytest.mark.kill
@pytest.mark.timeout(60 + 60 * ROUNDS)
def test_what_was_confirmed_outlives_kill_9(process: ServerProcess) -> None:
    ledger, lot = Ledger(), random.Random()
    process.client("s3").create_bucket(Bucket=BUCKET)
    for round_number in range(ROUNDS):
        writers = Writers(ledger, process.client("s3"), process.client("iam"), round_number)
        writers.run(lot.randint(20, 600), process.kill)
        process.start()
        s3 = process.client("s3")
        check_uploads(s3, ledger)
        check_objects(s3, ledger)
        check_users(process.client("iam"), ledger)


def check_objects(s3: Any, ledger: Ledger) -> None:
    listed = {
        each["Key"]: each
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        for each in page.get("Contents", ())
    }
    assert not ledger.objects.keys() - listed.keys()
    assert not ledger.deleted & listed.keys()
    assert not {key for key, (number, _) in ledger.rewritten.items() if number} - listed.keys()
    in_threads(lambda key: check_object(s3, ledger, key, listed[key]), listed)


def check_object(s3: Any, ledger: Ledger, key: str, listed: dict[str, Any]) -> None:
    """A listed object is whole, and is what one of its writers sent."""
    answer = s3.get_object(Bucket=BUCKET, Key=key)
    body = answer["Body"].read()
    assert len(body) == listed["Size"], key
    assert answer["ETag"] == listed["ETag"], key
    if key.startswith("parts/"):
        parts = [content(f"{key}#{part}", part_size(part)) for part in (1, 2)]
        digests = b"".join(md5(part).digest() for part in parts)
        assert body == b"".join(parts), key
        assert answer["ETag"] == f'"{md5(digests).hexdigest()}-2"'
        return
    assert answer["ETag"] == f'"{md5(body).hexdigest()}"', key
    if key.startswith("rewritten/"):
        confirmed, begun = ledger.rewritten[key]
        numbers = range(max(confirmed, 1), begun + 1)
        assert body in [content(f"{key}#{number}", 3_000) for number in numbers], key
    else:
        assert body == content(key, ledger.attempted[key]), key


def check_uploads(s3: Any, ledger: Ledger) -> None:
    """Uploads that were begun are listed with their parts, and can be completed."""
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=BUCKET)
    listed = {each["UploadId"] for page in pages for each in page.get("Uploads", ())}
    in_threads(lambda upload: check_upload(s3, upload, listed), list(ledger.uploads.values()))
    for key, upload in list(ledger.uploads.items()):
        if len(upload.etags) == 2:
            ledger.objects[key] = -1
        else:
            s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload.upload_id)
        del ledger.uploads[key]


def check_upload(s3: Any, upload: Upload, listed: set[str]) -> None:
    place = {"Bucket": BUCKET, "Key": upload.key}
    if upload.is_asked_to_complete and upload.upload_id not in listed:
        s3.head_object(**place)  # the answer was lost, not what was done
        return
    assert upload.upload_id in listed, upload.key
    parts = s3.list_parts(**place, UploadId=upload.upload_id).get("Parts", [])
    found = {part["PartNumber"]: (part["ETag"], part["Size"]) for part in parts}
    for number, etag in upload.etags.items():
        assert found[number] == (etag, part_size(number)), upload.key
        assert etag == f'"{md5(content(f"{upload.key}#{number}", part_size(number))).hexdigest()}"'
    if len(upload.etags) == 2:
        complete(s3, upload)


def check_users(iam: Any, ledger: Ledger) -> None:
    listed = {
        each["UserName"]
        for page in iam.get_paginator("list_users").paginate()
        for each in page["Users"]
    }
    assert not ledger.users - listed

    def check(name: str) -> None:
        tags = iam.get_user(UserName=name)["User"]["Tags"]
        assert tags == [{"Key": "made-as", "Value": name}]

    in_threads(check, listed)


def md5(data: bytes) -> Any:
    return hashlib.md5(data, usedforsecurity=False)


def in_threads(work: Any, items: Iterable[Any]) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(work, items):
            pass
