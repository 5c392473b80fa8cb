"""The index: what the journal's entries have made of buckets, keys and uploads so far.

Applying the same entries to the same state gives the same state: the number of the last frame
applied is kept in the transaction that applied it, and a restart goes on behind it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter

import msgspec

from cloche.engines.objects.filesystem.bodies import is_file
from cloche.engines.objects.filesystem.buffers import Buffer
from cloche.engines.objects.filesystem.entries import (
    AbortUpload,
    CompleteUpload,
    CreateBucket,
    CreateUpload,
    DeleteBucket,
    Entry,
    PutPart,
    PutVersion,
    RemoveVersion,
    ReplaceProperties,
    StoredRecord,
)
from cloche.engines.objects.filesystem.queries import (
    Bucket,
    Buckets,
    Queries,
    Version,
    decode_record,
    encode_record,
)
from cloche.engines.objects.filesystem.recent import Recent
from cloche.engines.objects.store import NULL_VERSION, BucketNotFound, Part

_Place = tuple[int, bytes]
_Page = tuple[str, int, bytes, bytes, int]
"""Bucket, how many changes it had seen, and the range."""

_RECENT_VERSIONS = 4096
"""Their parts count as well."""
_RECENT_PAGES_RECORDS = 8192
_RECENT_BODIES_BYTES = 8 * 1024 * 1024
_ENTRY_BYTES = 250
"""What keeping a body takes beside its bytes."""
_INSERT_OBJECT = "INSERT INTO objects VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_UPDATE_OBJECT = (
    "UPDATE objects SET sequence = ?3, record = ?4, parts = ?5 WHERE bucket = ?1 AND key = ?2"
)


class Index(Queries):
    """The writer's connection: one transaction at a time, by whoever holds the committer's gate.

    Attributes:
        newest_dead_file: the newest row of `dead_files`.
        newest_dead_body: the newest row of `dead_bodies`.
    """

    def __init__(self, connection: sqlite3.Connection, buckets: Buckets) -> None:
        super().__init__(connection, buckets)
        buckets.load(connection)
        self._recent_versions = Recent[tuple[str, str], Version](_RECENT_VERSIONS)
        self._recent_pages = Recent[_Page, list[StoredRecord]](_RECENT_PAGES_RECORDS)
        self._changes = Counter[str]()
        self._recent_bodies = Recent[str, bytes](_RECENT_BODIES_BYTES)
        self.newest_dead_file = self._newest("dead_files")
        self.newest_dead_body = self._newest("dead_bodies")

    def _newest(self, table: str) -> int:
        query = f"SELECT coalesce(max(id), 0) FROM {table}"  # noqa: S608  # one of two names
        (number,) = self.connection.execute(query).fetchone()
        return number

    def begin(self) -> None:
        """Begin a transaction."""
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self, applied: int | None = None) -> None:
        """Make the transaction visible to readers."""
        if applied is not None:
            self.connection.execute("UPDATE state SET applied = ?", (applied,))
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Forget the transaction."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self._recent_versions.clear()
        self._recent_pages.clear()
        self._recent_bodies.clear()  # locations are given again
        self.buckets.load(self.connection)

    def note_checkpoint(self, number: int) -> None:
        """Say that everything through this frame needs the journal no more."""
        self.connection.execute("UPDATE state SET checkpointed = ?", (number,))

    def forget_dead_files(self, through: int) -> None:
        """Say that the dead files up to this row were removed."""
        self.connection.execute("DELETE FROM dead_files WHERE id <= ?", (through,))

    def remove_dead_bodies(self, through: int) -> None:
        """Remove the dead bodies up to this row."""
        self.begin()
        try:
            self.connection.execute(
                "DELETE FROM bodies WHERE id IN (SELECT body FROM dead_bodies WHERE id <= ?)",
                (through,),
            )
            self.connection.execute("DELETE FROM dead_bodies WHERE id <= ?", (through,))
            self.commit()
        except BaseException:
            self.rollback()  # left open, it would stand in the way of every change
            raise

    def is_empty(self, bucket: str) -> bool:
        """Whether a bucket has no version and no delete marker."""
        query = (
            "SELECT EXISTS (SELECT 1 FROM objects WHERE bucket = ?1)"
            " OR EXISTS (SELECT 1 FROM versions WHERE bucket = ?1)"
        )
        (found,) = self.connection.execute(query, (self.bucket(bucket).id,)).fetchone()
        return not found

    def bucket(self, name: str) -> Bucket:
        """A bucket.

        Raises:
            BucketNotFound: it was deleted in the meantime.
        """
        bucket = self.buckets.get(name)
        if bucket is None:
            raise BucketNotFound(name)
        return bucket

    def current(self, bucket: str, key: str) -> Version | None:
        """A key's current version, which may be a delete marker."""
        found = self._recent_versions.get((bucket, key))
        if found is None:
            found = super().current(bucket, key)
            if found is not None:
                size = 1 + len(found.record.parts)
                self._recent_versions.keep((bucket, key), found, size)
        return found

    def page(self, bucket: str, start: bytes, end: bytes, limit: int) -> list[StoredRecord]:
        """The current versions of the first keys of a range; a page of old is of other changes."""
        key = (bucket, self._changes[bucket], start, end, limit)
        found = self._recent_pages.get(key)
        if found is None:
            found = super().page(bucket, start, end, limit)
            self._recent_pages.keep(key, found, 1 + len(found))
        return found

    def body(self, location: str) -> bytes | None:
        """A body that is kept in the index. No location is ever given to a second body."""
        found = self._recent_bodies.get(location)
        if found is None:
            found = super().body(location)
            if found is not None:
                self._recent_bodies.keep(location, found, len(found) + _ENTRY_BYTES)
        return found

    def apply(self, entry: Entry, sequence: int, body: Buffer = b"") -> None:
        """Make the change that an entry tells of. `body` is the one that came with it, if any."""
        match entry:
            case PutVersion(record=changed) | CompleteUpload(record=changed):
                self._recent_versions.drop((changed.bucket, changed.key))
                self._changes[changed.bucket] += 1
            case RemoveVersion() | ReplaceProperties():
                self._recent_versions.drop((entry.bucket, entry.key))
                self._changes[entry.bucket] += 1
            case CreateBucket() | DeleteBucket():
                self._recent_versions.clear()
                self._recent_pages.clear()
            case CreateUpload() | PutPart() | AbortUpload():
                pass
        self._apply(entry, sequence, body)

    def _apply(self, entry: Entry, sequence: int, body: Buffer) -> None:
        match entry:
            case PutVersion():
                self._put_version(entry.record, sequence, body)
            case RemoveVersion():
                self._remove_version(entry)
            case ReplaceProperties():
                self._replace_properties(entry)
            case PutPart():
                self._put_part(entry, sequence, body)
            case CompleteUpload():
                self._complete_upload(entry, sequence)
            case CreateUpload(upload):
                self.connection.execute(
                    "INSERT INTO uploads VALUES (?, ?, ?, ?, ?)",
                    (
                        sequence,
                        self.bucket(upload.bucket).id,
                        upload.key.encode(),
                        upload.upload_id,
                        msgspec.msgpack.encode(upload),
                    ),
                )
            case AbortUpload(upload_id):
                self._forget_upload(self._upload_number(upload_id))
            case CreateBucket(name):
                self.connection.execute("INSERT INTO buckets (name) VALUES (?)", (name,))
                self.buckets.load(self.connection)
            case DeleteBucket(name):
                self._delete_bucket(name)

    def _put_version(
        self, record: StoredRecord, sequence: int, body: Buffer = b"", parts: bytes | None = None
    ) -> None:
        bucket = self.bucket(record.bucket)
        place = (bucket.id, record.key.encode())
        if record.is_delete_marker:
            self._retire_current(bucket, place, record.version_id)
            self.connection.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", place)
            self._keep_version(bucket, place, sequence, record, None)
        else:
            row = (*place, sequence, encode_record(record), parts)
            if self.connection.execute(_INSERT_OBJECT, row).rowcount == 0:
                self._retire_current(bucket, place, record.version_id)
                self.connection.execute(_UPDATE_OBJECT, row)
            elif bucket.has_versions and record.version_id == NULL_VERSION:
                self._remove_null(place)
        if body:
            self._keep_body(sequence, body)

    def _retire_current(self, bucket: Bucket, place: _Place, version_id: str) -> None:
        """Make way for a version with this id: it replaces the one that has it, if one has."""
        row = self.connection.execute(
            "SELECT sequence, record, parts FROM objects WHERE bucket = ? AND key = ?", place
        ).fetchone()
        if row is not None:
            sequence, encoded, parts = row
            record = decode_record(encoded)
            if record.version_id == version_id:
                self._trash(record.location)
                return
            self._keep_version(bucket, place, sequence, record, parts)
        if version_id == NULL_VERSION and bucket.has_versions:
            self._remove_null(place)

    def _remove_null(self, place: _Place) -> None:
        row = self.connection.execute(
            "SELECT sequence, record FROM versions"
            " WHERE bucket = ? AND key = ? AND version_id = 'null'",
            place,
        ).fetchone()
        if row is not None:
            self._trash(decode_record(row[1]).location)
            self._drop_version(place, row[0])

    def _keep_version(
        self,
        bucket: Bucket,
        place: _Place,
        sequence: int,
        record: StoredRecord,
        parts: bytes | None,
    ) -> None:
        if not bucket.has_versions:
            self.connection.execute(
                "UPDATE buckets SET has_versions = 1 WHERE id = ?", (bucket.id,)
            )
            bucket.has_versions = True
        record = msgspec.structs.replace(record, is_latest=False)
        self.connection.execute(
            "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)",
            (*place, sequence, record.version_id, encode_record(record), parts),
        )

    def _drop_version(self, place: _Place, sequence: int) -> None:
        self.connection.execute(
            "DELETE FROM versions WHERE bucket = ? AND key = ? AND sequence = ?",
            (*place, sequence),
        )

    def _remove_version(self, entry: RemoveVersion) -> None:
        bucket = self.bucket(entry.bucket)
        place = (bucket.id, entry.key.encode())
        row = self.connection.execute(
            "SELECT sequence, record FROM objects WHERE bucket = ? AND key = ?", place
        ).fetchone()
        if row is not None and row[0] == entry.sequence:
            self.connection.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", place)
            self._trash(decode_record(row[1]).location)
            row = None
        else:
            old = self.connection.execute(
                "SELECT record FROM versions WHERE bucket = ? AND key = ? AND sequence = ?",
                (*place, entry.sequence),
            ).fetchone()
            self._trash(decode_record(old[0]).location)
            self._drop_version(place, entry.sequence)
        if row is None and bucket.has_versions:
            self._promote_newest(place)

    def _promote_newest(self, place: _Place) -> None:
        """Let the newest version become the current one, now that the current one is gone."""
        row = self.connection.execute(
            "SELECT sequence, record, parts FROM versions WHERE bucket = ? AND key = ?"
            " ORDER BY sequence DESC LIMIT 1",
            place,
        ).fetchone()
        if row is None:
            return
        record = decode_record(row[1])
        if record.is_delete_marker:
            return
        self._drop_version(place, row[0])
        record = msgspec.structs.replace(record, is_latest=True)
        self.connection.execute(
            "INSERT INTO objects VALUES (?, ?, ?, ?, ?)",
            (*place, row[0], encode_record(record), row[2]),
        )

    def _replace_properties(self, entry: ReplaceProperties) -> None:
        place = (self.bucket(entry.bucket).id, entry.key.encode(), entry.sequence)
        for table in ("objects", "versions"):
            where = f"{table} WHERE bucket = ? AND key = ? AND sequence = ?"
            row = self.connection.execute(f"SELECT record FROM {where}", place).fetchone()  # noqa: S608
            if row is not None:
                record = msgspec.structs.replace(decode_record(row[0]), properties=entry.properties)
                self.connection.execute(
                    f"UPDATE {table} SET record = ?"  # noqa: S608  # one of two names
                    " WHERE bucket = ? AND key = ? AND sequence = ?",
                    (encode_record(record), *place),
                )

    def _put_part(self, entry: PutPart, sequence: int, body: Buffer) -> None:
        upload = self._upload_number(entry.upload_id)
        row = self.connection.execute(
            "SELECT location FROM parts WHERE upload = ? AND number = ?",
            (upload, entry.part.number),
        ).fetchone()
        if row is not None:
            self._trash(row[0])
        self.connection.execute(
            "REPLACE INTO parts VALUES (?, ?, ?, ?)",
            (upload, entry.part.number, msgspec.msgpack.encode(entry.part), entry.location),
        )
        if body:
            self._keep_body(sequence, body)

    def _complete_upload(self, entry: CompleteUpload, sequence: int) -> None:
        upload = self._upload_number(entry.upload_id)
        by_number = {stored.part.number: stored.part for stored in self.parts(upload)}
        parts: list[Part] = [by_number[number] for number in entry.numbers]
        self._forget_upload(upload, kept=entry.record.location)
        self._put_version(entry.record, sequence, parts=msgspec.msgpack.encode(parts))

    def _forget_upload(self, upload: int, kept: str = "") -> None:
        for _, location in self.parts(upload):
            if location != kept:
                self._trash(location)
        self.connection.execute("DELETE FROM parts WHERE upload = ?", (upload,))
        self.connection.execute("DELETE FROM uploads WHERE id = ?", (upload,))

    def _upload_number(self, upload_id: str) -> int:
        (number,) = self.connection.execute(
            "SELECT id FROM uploads WHERE upload_id = ?", (upload_id,)
        ).fetchone()
        return number

    def _delete_bucket(self, name: str) -> None:
        bucket = self.bucket(name)
        uploads = self.connection.execute("SELECT id FROM uploads WHERE bucket = ?", (bucket.id,))
        for (number,) in uploads.fetchall():
            self._forget_upload(number)
        self.connection.execute("DELETE FROM buckets WHERE id = ?", (bucket.id,))
        self.buckets.load(self.connection)

    def _keep_body(self, sequence: int, body: Buffer) -> None:
        self.connection.execute("INSERT INTO bodies VALUES (?, ?)", (sequence, body))

    def _trash(self, location: str) -> None:
        if not location:
            return
        if is_file(location):
            cursor = self.connection.execute(
                "INSERT INTO dead_files (location) VALUES (?)", (location,)
            )
            self.newest_dead_file = cursor.lastrowid or 0
        else:
            cursor = self.connection.execute(
                "INSERT INTO dead_bodies (body) VALUES (?)", (int(location),)
            )
            self.newest_dead_body = cursor.lastrowid or 0
