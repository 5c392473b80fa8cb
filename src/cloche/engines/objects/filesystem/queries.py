"""Point reads of the index."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from cloche.engines.objects.filesystem.entries import StoredRecord, sequence_of
from cloche.engines.objects.store import NULL_VERSION, Part, Upload, UploadNotFound

encode_record = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(StoredRecord).decode
decode_upload = msgspec.msgpack.Decoder(Upload).decode
_decode_records = msgspec.msgpack.Decoder(list[StoredRecord]).decode
decode_part = msgspec.msgpack.Decoder(Part).decode
decode_parts = msgspec.msgpack.Decoder(tuple[Part, ...]).decode

_RECORDS_AS_ONE_ROW = (
    "SELECT count(*), CAST(group_concat(record, '') AS BLOB) FROM (SELECT record FROM objects"
    " WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?)"
)
"""A page in one row: sqlite3 lets go of the interpreter's lock for each row, and on a busy server
waits to have it back for longer than the row took. (The order of an inner query with a limit is
the order in which its rows are joined, and blobs are joined byte by byte.)"""
_CURRENT = "SELECT sequence, record, parts FROM objects WHERE bucket = ? AND key = ?"
_NEWEST = (
    "SELECT sequence, record, parts FROM versions WHERE bucket = ? AND key = ?"
    " ORDER BY sequence DESC LIMIT 1"
)
_BY_SEQUENCE = (
    "SELECT sequence, record, parts FROM versions WHERE bucket = ? AND key = ? AND sequence = ?"
)
_NULL = (
    "SELECT sequence, record, parts FROM versions"
    " WHERE bucket = ? AND key = ? AND version_id = 'null'"
)


@dataclass(slots=True)
class Bucket:
    """A bucket as the index knows it.

    Attributes:
        has_versions: whether there ever was a version that is not in `objects`.
    """

    id: int
    has_versions: bool


class Buckets(dict[str, Bucket]):
    """All buckets by name, in memory."""

    def load(self, connection: sqlite3.Connection) -> None:
        """Take over what is in the database."""
        rows = connection.execute("SELECT name, id, has_versions FROM buckets").fetchall()
        self.clear()
        self.update({name: Bucket(number, bool(versions)) for name, number, versions in rows})


class Version(NamedTuple):
    """A version and where it is in time."""

    sequence: int
    record: StoredRecord


class StoredPart(NamedTuple):
    """A part of an upload and where its bytes are."""

    part: Part
    location: str


class Queries:
    """Reads by one connection: of a reader, or of the writer amid its transaction."""

    def __init__(self, connection: sqlite3.Connection, buckets: Buckets) -> None:
        self.connection = connection
        self.buckets = buckets

    def page(self, bucket: str, start: bytes, end: bytes, limit: int) -> list[StoredRecord]:
        """The current versions of the first keys of a range, in their order.

        Args:
            bucket: one that is there.
            start: the first key that may be among them.
            end: the first that may not.
            limit: how many at most.
        """
        place = (self.buckets[bucket].id, start, end, limit)
        count, joined = self.connection.execute(_RECORDS_AS_ONE_ROW, place).fetchone()
        if not count:
            return []
        array_32 = b"\xdd" + count.to_bytes(4, "big")
        return _decode_records(array_32 + joined)

    def current(self, bucket: str, key: str) -> Version | None:
        """A key's current version, which may be a delete marker."""
        known = self.buckets.get(bucket)
        if known is None:
            return None
        place = (known.id, key.encode())
        row = self.connection.execute(_CURRENT, place).fetchone()
        if row is not None:
            return _version(row)
        if not known.has_versions:
            return None
        row = self.connection.execute(_NEWEST, place).fetchone()
        return _version(row, is_latest=True) if row is not None else None

    def version(self, bucket: str, key: str, version_id: str) -> Version | None:
        """The version with an id."""
        current = self.current(bucket, key)
        if current is None or current.record.version_id == version_id:
            return current
        place = (self.buckets[bucket].id, key.encode())
        if version_id == NULL_VERSION:
            row = self.connection.execute(_NULL, place).fetchone()
        else:
            sequence = sequence_of(version_id)
            if sequence is None:
                return None
            row = self.connection.execute(_BY_SEQUENCE, (*place, sequence)).fetchone()
        if row is None:
            return None
        found = _version(row)
        return found if found.record.version_id == version_id else None

    def body(self, location: str) -> bytes | None:
        """A body that is kept in the index."""
        row = self.connection.execute("SELECT body FROM bodies WHERE id = ?", (int(location),))
        found = row.fetchone()
        return found[0] if found is not None else None

    def upload(self, bucket: str, key: str, upload_id: str) -> tuple[int, Upload]:
        """An upload with its number.

        Raises:
            UploadNotFound: there is none, or it belongs to another key.
        """
        row = self.connection.execute(
            "SELECT id, record FROM uploads WHERE upload_id = ?", (upload_id,)
        ).fetchone()
        if row is not None:
            upload = decode_upload(row[1])
            if (upload.bucket, upload.key) == (bucket, key):
                return row[0], upload
        raise UploadNotFound(upload_id)

    def parts(self, upload: int, after: int = 0, limit: int = -1) -> list[StoredPart]:
        """An upload's parts in the order of their numbers."""
        rows = self.connection.execute(
            "SELECT record, location FROM parts WHERE upload = ? AND number > ?"
            " ORDER BY number LIMIT ?",
            (upload, after, limit),
        )
        return [StoredPart(decode_part(record), location) for record, location in rows]

    def state(self) -> tuple[int, int]:
        """The number of the last frame that was applied, and of the last checkpoint."""
        return self.connection.execute("SELECT applied, checkpointed FROM state").fetchone()

    def dead_files(self, through: int, limit: int) -> list[tuple[int, str]]:
        """Rows and locations of files that no version has any more, oldest first."""
        return self.connection.execute(
            "SELECT id, location FROM dead_files WHERE id <= ? ORDER BY id LIMIT ?",
            (through, limit),
        ).fetchall()

    def dead_bodies(self, through: int, limit: int) -> list[tuple[int, int]]:
        """Rows and ids of bodies in the index that no version has any more, oldest first."""
        return self.connection.execute(
            "SELECT id, body FROM dead_bodies WHERE id <= ? ORDER BY id LIMIT ?", (through, limit)
        ).fetchall()


def _version(row: tuple[int, bytes, bytes | None], *, is_latest: bool = False) -> Version:
    sequence, encoded, parts = row
    record = decode_record(encoded)
    if parts is not None:
        record = msgspec.structs.replace(record, parts=decode_parts(parts))
    if is_latest:
        record = msgspec.structs.replace(record, is_latest=True)
    return Version(sequence, record)
