"""The endpoint that keeps the objects: its client, bucket names and errors."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import ClientError

from cloche.engines.objects.store import (
    BucketNotEmpty,
    BucketNotFound,
    UploadNotFound,
    VersioningState,
)

RECORDS_BUCKET = "cloche--records"
"""Where what does not fit into an object's metadata is kept; no bucket may be called so."""
_PREFIX = re.compile(r"[a-z0-9.-]{0,40}")
_STRIPES = 256
_LOST_RACES = frozenset(
    {"PreconditionFailed", "ConditionalRequestConflict", "OperationAborted", "412", "409"}
)


class Endpoint:
    """A client of the endpoint; its methods block and may be called from any thread.

    Args:
        url: `http[s]://[key:secret@]host[:port]/[prefix of bucket names]`; without a key in it,
            the usual places of AWS credentials are searched. The region is `AWS_REGION` or
            us-east-1. Characters of the key that mean something in URLs are percent-encoded.
        connections: kept open at most.

    Raises:
        ValueError: this is no such URL.
        RuntimeError: boto3 is not installed.
    """

    def __init__(self, url: str, connections: int) -> None:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        self.prefix = parts.path.strip("/")
        is_whole = parts.scheme in ("http", "https") and parts.hostname
        if not is_whole or not _PREFIX.fullmatch(self.prefix):
            raise ValueError("not of the form http[s]://[key:secret@]host[:port]/[prefix]")
        self.s3 = _client(f"{parts.scheme}://{host}", parts.username, parts.password, connections)
        self._versioning: dict[str, VersioningState] = {}
        self._versioning_lock = threading.Lock()
        self._locks = [threading.Lock() for _ in range(_STRIPES)]
        self._has_records_bucket = False

    def name(self, bucket: str) -> str:
        """What a bucket is called at the endpoint.

        Raises:
            BucketNotFound: the name is reserved.
        """
        if bucket == RECORDS_BUCKET:
            raise BucketNotFound(bucket)
        return f"{self.prefix}{bucket}"

    @property
    def records_bucket(self) -> str:
        """The bucket of records, made on first use."""
        name = f"{self.prefix}{RECORDS_BUCKET}"
        if not self._has_records_bucket:
            self.make_bucket(name)
            self._has_records_bucket = True
        return name

    def make_bucket(self, name: str) -> None:
        """Make a bucket if it is not there."""
        region = self.s3.meta.region_name
        place = {} if region == "us-east-1" else {"LocationConstraint": region}
        options: dict[str, Any] = {"CreateBucketConfiguration": place} if place else {}
        try:
            self.s3.create_bucket(Bucket=name, **options)
        except ClientError as error:
            if code_of(error) != "BucketAlreadyOwnedByYou":
                raise

    def lock(self, *subject: str) -> threading.Lock:
        """A lock that whoever changes this thing holds; few things share one."""
        return self._locks[hash(subject) % _STRIPES]

    def set_versioning(self, bucket: str, state: VersioningState) -> None:
        """Switch the bucket's versioning to what a call needs; remembered, so asked for once.

        A bucket that had versioning and is now called unversioned is suspended, which replaces
        the `null` version just so.
        """
        with self._versioning_lock:
            known = self._versioning.get(bucket)
            if known == state:
                return
            name = self.name(bucket)
            if state == "Unversioned":
                answer = self.s3.get_bucket_versioning(Bucket=name)
                if answer.get("Status") == "Enabled":
                    self._put_versioning(name, "Suspended")
            else:
                self._put_versioning(name, state)
            self._versioning[bucket] = state

    def forget(self, bucket: str) -> None:
        """Forget a bucket that was deleted."""
        self._versioning.pop(bucket, None)

    def _put_versioning(self, name: str, status: str) -> None:
        self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})


def _client(url: str, key: str | None, secret: str | None, connections: int) -> Any:
    try:
        from boto3.session import Session  # type: ignore[import-untyped]
    except ImportError as error:
        raise RuntimeError(
            "Objects on another S3 endpoint need boto3: pip install 'cloche[s3]'"
        ) from error
    from botocore.config import Config

    session: Any = Session()
    return session.client(
        "s3",
        endpoint_url=url,
        region_name=os.environ.get("AWS_REGION") or "us-east-1",
        aws_access_key_id=unquote(key) if key else None,
        aws_secret_access_key=unquote(secret) if secret else None,
        config=Config(
            max_pool_connections=connections,
            retries={"mode": "standard", "max_attempts": 4},
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def code_of(error: ClientError) -> str:
    """The error's code; the status where there is none, as in answers to HEAD."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """The HTTP status."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_lost_race(error: ClientError) -> bool:
    """Whether the key changed between looking and writing."""
    return code_of(error) in _LOST_RACES


@contextmanager
def translated() -> Generator[None]:
    """Raise the interface's errors in place of the endpoint's."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code == "NoSuchBucket":
            raise BucketNotFound from error
        if code == "NoSuchUpload":
            raise UploadNotFound from error
        if code == "BucketNotEmpty":
            raise BucketNotEmpty from error
        raise


def content_md5(digest: bytes) -> str:
    """A digest as the header has it."""
    return base64.b64encode(digest).decode()


def hashed(*parts: str) -> str:
    """A name of fixed length for something whose own name is too long or odd."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
