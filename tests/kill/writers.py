"""Clients that write until their server is gone, and remember what it had confirmed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

MIB = 1024 * 1024
BUCKET = "kept"
PART_BYTES = 5 * MIB


def content(key: str, size_bytes: int) -> bytes:
    """Bytes that belong to a name, the same each time."""
    return random.Random(key).randbytes(size_bytes)


@dataclass
class Upload:
    """A multipart upload: what was confirmed of it."""

    key: str
    upload_id: str
    etags: dict[int, str] = field(default_factory=dict)
    is_asked_to_complete: bool = False


@dataclass
class Ledger:
    """What was confirmed, in all rounds; each name is written by one thread only.

    Attributes:
        objects: their sizes by key.
        attempted: sizes of all objects whose writing was begun.
        rewritten: by key, the numbers confirmed last and begun last.
        deleted: keys of objects that were confirmed to be gone.
        users: names of IAM users.
        uploads: by key.
    """

    objects: dict[str, int] = field(default_factory=dict)
    attempted: dict[str, int] = field(default_factory=dict)
    rewritten: dict[str, tuple[int, int]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    uploads: dict[str, Upload] = field(default_factory=dict)


class Writers:
    """Sixteen threads that write; `run` ends when they have found their server gone.

    Args:
        round_number: makes the names of this round.
    """

    def __init__(self, ledger: Ledger, s3: Any, iam: Any, round_number: int) -> None:
        self._ledger, self._s3, self._iam = ledger, s3, iam
        self._round = round_number
        self._confirmed = 0
        self._lock = threading.Lock()
        self._reached = threading.Event()
        self._target = 0
        self.refusals: list[ClientError] = []

    def run(self, confirmations: int, kill: Callable[[], None]) -> None:
        """Write, and call `kill` once so many writes were confirmed."""
        self._target = confirmations
        kinds = [self._small] * 4 + [self._rewriting] * 2 + [self._deleting] * 2
        kinds += [self._large] * 3 + [self._in_parts] * 3 + [self._users] * 2
        threads = [
            threading.Thread(target=self._until_gone, args=(kind, f"r{self._round}-t{index:02}"))
            for index, kind in enumerate(kinds)
        ]
        for thread in threads:
            thread.start()
        is_reached = self._reached.wait(60)
        kill()
        for thread in threads:
            thread.join()
        assert not self.refusals, self.refusals[0]
        assert is_reached, f"only {self._confirmed} of {confirmations} writes in 60 seconds"

    def _until_gone(self, kind: Callable[[str], Iterator[None]], name: str) -> None:
        try:
            for _ in kind(name):
                with self._lock:
                    self._confirmed += 1
                    if self._confirmed >= self._target:
                        self._reached.set()
        except BotoCoreError:
            return  # the server is gone
        except ClientError as refusal:
            self.refusals.append(refusal)

    def _put(self, key: str, size_bytes: int) -> None:
        self._ledger.attempted[key] = size_bytes
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=content(key, size_bytes))
        self._ledger.objects[key] = size_bytes

    def _small(self, name: str) -> Iterator[None]:
        for number in count():
            self._put(f"small/{name}/{number:05}", number * 97 % 20_000)
            yield

    def _large(self, name: str) -> Iterator[None]:
        for number in count():
            self._put(f"large/{name}/{number:05}", MIB)
            yield

    def _rewriting(self, name: str) -> Iterator[None]:
        key = f"rewritten/{name}"
        for number in count(1):
            confirmed = self._ledger.rewritten.get(key, (0, 0))[0]
            self._ledger.rewritten[key] = confirmed, number
            self._s3.put_object(Bucket=BUCKET, Key=key, Body=content(f"{key}#{number}", 3_000))
            self._ledger.rewritten[key] = number, number
            yield

    def _deleting(self, name: str) -> Iterator[None]:
        for number in count():
            key = f"deleted/{name}/{number:05}"
            self._put(key, 1_000)
            yield
            del self._ledger.objects[key]  # from here on it may be there or not
            self._s3.delete_object(Bucket=BUCKET, Key=key)
            self._ledger.deleted.add(key)
            yield

    def _in_parts(self, name: str) -> Iterator[None]:
        for number in count():
            key = f"parts/{name}/{number:05}"
            place = {"Bucket": BUCKET, "Key": key}
            upload_id = self._s3.create_multipart_upload(**place)["UploadId"]
            upload = self._ledger.uploads[key] = Upload(key, upload_id)
            yield
            for part in (1, 2):
                body = content(f"{key}#{part}", part_size(part))
                answer = self._s3.upload_part(
                    **place, UploadId=upload_id, PartNumber=part, Body=body
                )
                upload.etags[part] = answer["ETag"]
                yield
            if number % 3 == 2:
                continue  # to be completed after the restart
            upload.is_asked_to_complete = True
            complete(self._s3, upload)
            del self._ledger.uploads[key]
            self._ledger.objects[key] = -1
            yield

    def _users(self, name: str) -> Iterator[None]:
        for number in count():
            user = f"{name}-{number}"
            self._iam.create_user(UserName=user, Tags=[{"Key": "made-as", "Value": user}])
            self._ledger.users.add(user)
            yield


def part_size(part: int) -> int:
    """Bytes of a part: the last may be smaller than S3's least size."""
    return PART_BYTES if part == 1 else 12_345


def complete(s3: Any, upload: Upload) -> None:
    """Complete an upload of the parts that were confirmed."""
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(upload.etags.items())]
    s3.complete_multipart_upload(
        Bucket=BUCKET,
        Key=upload.key,
        UploadId=upload.upload_id,
        MultipartUpload={"Parts": parts},
    )
