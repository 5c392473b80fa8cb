"""The interface of an object engine.

An engine keeps immutable bodies and one record for each version of each key. It knows nothing of
HTTP, signatures, policies or bucket settings: the S3 service decides and passes what it decided
(the versioning state, a condition to check at the moment of the commit, properties to keep).

Every method that changes something returns when the change survives a crash of the machine.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

VersioningState = Literal["Unversioned", "Enabled", "Suspended"]

NULL_VERSION = "null"


class Part(msgspec.Struct, frozen=True):
    """A part of a multipart upload, or of an object made by one.

    Attributes:
        number: 1 to 10,000.
        size_bytes: length.
        etag: MD5 in hexadecimal, without quotes.
        last_modified: seconds since 1970.
        checksums: by algorithm in lower case (`crc32`, …), base64.
    """

    number: int
    size_bytes: int
    etag: str
    last_modified: float
    checksums: dict[str, str] = {}


class ObjectRecord(msgspec.Struct, frozen=True):
    """One version of one key.

    Attributes:
        version_id: `null` unless it was written while versioning was enabled.
        is_latest: whether it is the key's current version.
        is_delete_marker: has no body.
        size_bytes: of the body.
        etag: without quotes; `md5-N` for N parts.
        last_modified: seconds since 1970.
        properties: what the service keeps with it: headers, user metadata, checksums, tags, ACL.
        parts: the parts that it was made of, if it was; left out in listings.
        location: where the engine keeps the body; opaque outside the engine.
    """

    bucket: str
    key: str
    version_id: str
    is_latest: bool
    is_delete_marker: bool
    size_bytes: int
    etag: str
    last_modified: float
    properties: dict[str, Any] = {}
    parts: tuple[Part, ...] = ()
    location: str = ""


class Upload(msgspec.Struct, frozen=True):
    """A multipart upload that was begun.

    Attributes:
        initiated_at: seconds since 1970.
        properties: to be given to the object at completion.
    """

    bucket: str
    key: str
    upload_id: str
    initiated_at: float
    properties: dict[str, Any] = {}


class Staged(Protocol):
    """A body that was received whole and belongs to no key yet; dropped if it never does.

    Attributes:
        size_bytes: its length.
        digests: raw digests by algorithm name, `md5` always among them.
    """

    size_bytes: int
    digests: dict[str, bytes]


class FileSlice(msgspec.Struct, frozen=True):
    """Bytes of a file, to be sent without passing through Python where possible."""

    path: Path
    offset: int
    length: int


ObjectBody = bytes | FileSlice | AsyncIterator[bytes]
"""A body as the engine has it at hand: in memory, in a file, or from elsewhere."""

Condition = Callable[[ObjectRecord | None], None]
"""Called with the key's current record in the moment of the commit; raises to refuse it."""


class Listing(msgspec.Struct, frozen=True):
    """A page of a listing.

    Attributes:
        records: in key order; versions of a key newest first.
        common_prefixes: in order, each counted as one entry of the page.
        next_key: where the next page starts (last key or prefix returned); None at the end.
        next_version_id: with `next_key` in version listings.
    """

    records: Sequence[ObjectRecord]
    common_prefixes: Sequence[str]
    next_key: str | None = None
    next_version_id: str | None = None


class UploadListing(msgspec.Struct, frozen=True):
    """A page of the multipart uploads in progress, in key and then time order."""

    uploads: Sequence[Upload]
    common_prefixes: Sequence[str]
    next_key: str | None = None
    next_upload_id: str | None = None


class UploadNotFound(LookupError):
    """No such multipart upload, or it was completed or aborted."""


class BucketNotFound(LookupError):
    """The bucket was never created here, or was deleted while the request was under way."""


class PartNotFound(LookupError):
    """A part that an upload is to be completed with was not uploaded."""


class BucketNotEmpty(Exception):
    """The bucket still has versions."""


class PutWithoutLength(Exception):
    """The body ended before, or went on after, the length that was announced."""


class ObjectStore(Protocol):
    """Bodies and records by bucket, key and version."""

    async def create_bucket(self, bucket: str) -> None:
        """Make room for a bucket; nothing happens if it is there."""
        ...

    async def delete_bucket(self, bucket: str) -> None:
        """Remove an empty bucket and its unfinished uploads.

        Raises:
            BucketNotEmpty: a version or a delete marker is left.
        """
        ...

    async def stage(
        self,
        body: bytes | AsyncIterable[bytes],
        *,
        algorithms: Collection[str] = ("md5",),
        size_bytes: int | None = None,
    ) -> Staged:
        """Take a body in, in one pass that also computes the digests.

        Args:
            body: the bytes, or their pieces as they come.
            algorithms: of md5, sha1, sha256, sha512, crc32, crc32c, crc64nvme, xxhash64, xxhash3,
                xxhash128; md5 is always computed.
            size_bytes: length if it is known, by which the engine chooses memory or file.
        """
        ...

    async def stage_copy(
        self,
        source: ObjectRecord,
        *,
        start: int = 0,
        length: int | None = None,
        algorithms: Collection[str] = ("md5",),
    ) -> Staged:
        """Stage bytes of an object that is here already (CopyObject, UploadPartCopy).

        The engine shares the bytes where it can; it need not read them if the whole object is
        taken and no digest but md5 of a single-part source is asked for.
        """
        ...

    async def discard(self, staged: Staged) -> None:
        """Drop a staged body that will not be used."""
        ...

    async def put(
        self,
        bucket: str,
        key: str,
        staged: Staged,
        *,
        versioning: VersioningState,
        properties: dict[str, Any],
        etag: str | None = None,
        condition: Condition | None = None,
    ) -> ObjectRecord:
        """Make a staged body the key's current version.

        Unversioned and Suspended replace the `null` version; Enabled adds one with a new id.
        `etag` is the MD5 of the body unless given.
        """
        ...

    async def head(
        self, bucket: str, key: str, version_id: str | None = None
    ) -> ObjectRecord | None:
        """The current version (which may be a delete marker) or the one named; None if none."""
        ...

    async def read(
        self, record: ObjectRecord, start: int = 0, length: int | None = None
    ) -> ObjectBody:
        """The bytes of a version, which stay readable for a while though it is replaced."""
        ...

    async def delete(
        self,
        bucket: str,
        key: str,
        *,
        versioning: VersioningState,
        version_id: str | None = None,
        condition: Condition | None = None,
    ) -> ObjectRecord | None:
        """Delete a key as S3 does.

        With a version id: that version is gone for good, and the next older one becomes current.
        Without: Unversioned removes the object; Enabled adds a delete marker; Suspended replaces
        the `null` version by a delete marker. Returns the marker that was made, or the version
        that was removed, or None where there was nothing.
        """
        ...

    async def update_properties(
        self,
        bucket: str,
        key: str,
        version_id: str | None,
        change: Callable[[ObjectRecord], dict[str, Any]],
    ) -> ObjectRecord | None:
        """Replace a version's properties (tags, ACL) by what `change` makes of them, atomically."""
        ...

    async def list(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: str = "",
        max_keys: int = 1000,
    ) -> Listing:
        """Current versions that are not delete markers, in the order of their keys in UTF-8.

        Keys come after `after` (exclusive), which may be a common prefix: all keys under it
        are then skipped.
        """
        ...

    async def list_versions(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        key_marker: str = "",
        version_id_marker: str | None = None,
        max_keys: int = 1000,
    ) -> Listing:
        """All versions and delete markers, after the marker."""
        ...

    async def create_upload(self, bucket: str, key: str, properties: dict[str, Any]) -> Upload:
        """Begin a multipart upload."""
        ...

    async def get_upload(self, bucket: str, key: str, upload_id: str) -> Upload:
        """An upload in progress.

        Raises:
            UploadNotFound: it is not, or belongs to another key.
        """
        ...

    async def put_part(
        self, upload: Upload, number: int, staged: Staged, checksums: dict[str, str]
    ) -> Part:
        """Keep a staged body as a part, in place of an earlier one of the same number."""
        ...

    async def list_parts(
        self, upload: Upload, *, after: int = 0, max_parts: int = 1000
    ) -> Sequence[Part]:
        """Parts with a number above `after`, in order; one more than `max_parts` if there is."""
        ...

    async def list_uploads(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        key_marker: str = "",
        upload_id_marker: str = "",
        max_uploads: int = 1000,
    ) -> UploadListing:
        """Uploads in progress."""
        ...

    async def complete_upload(
        self,
        upload: Upload,
        numbers: Sequence[int],
        *,
        versioning: VersioningState,
        properties: dict[str, Any],
        etag: str,
        condition: Condition | None = None,
    ) -> ObjectRecord:
        """Make an object of the parts named, in that order, and forget the upload."""
        ...

    async def abort_upload(self, upload: Upload) -> None:
        """Forget an upload and its parts."""
        ...

    def local_path(self, record: ObjectRecord) -> Path | None:
        """The file that holds exactly this version's bytes, for engines that read files themselves.

        None where there is no such file.
        """
        ...

    async def close(self) -> None:
        """Finish what is under way; afterwards nothing else may be called."""
        ...
