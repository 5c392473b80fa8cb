"""Pages of keys, versions and uploads, by seeking in the index.

Whatever shares a common prefix is passed over by one seek, so that a page costs what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

from cloche.engines.objects.filesystem.entries import sequence_of
from cloche.engines.objects.filesystem.queries import Queries, decode_record, decode_upload
from cloche.engines.objects.store import (
    NULL_VERSION,
    Listing,
    ObjectRecord,
    Upload,
    UploadListing,
)

_AFTER_ALL_KEYS = b"\xff"
_ROWS_BEFORE_A_SEEK = 6

_OBJECTS = "SELECT key, record FROM objects WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key"
_VERSIONS = (
    "SELECT key, record, sequence, 1 FROM objects WHERE bucket = ?1 AND key >= ?2 AND key < ?3"
    " UNION ALL"
    " SELECT key, record, sequence, 0 FROM versions WHERE bucket = ?1 AND key >= ?2 AND key < ?3"
    " ORDER BY 1, 3 DESC"
)
_REST_OF_A_KEY = (
    "SELECT key, record, sequence, 1 FROM objects"
    " WHERE bucket = ?1 AND key = ?2 AND sequence < ?3"
    " UNION ALL"
    " SELECT key, record, sequence, 0 FROM versions"
    " WHERE bucket = ?1 AND key = ?2 AND sequence < ?3"
    " ORDER BY 3 DESC"
)
_UPLOADS = (
    "SELECT key, record, id FROM uploads WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key, id"
)
_REST_OF_UPLOADS = (
    "SELECT key, record, id FROM uploads WHERE bucket = ? AND key = ? AND id > ? ORDER BY id"
)

_Row = TypeVar("_Row", bound=tuple[Any, ...])


@dataclass(slots=True)
class _Page(Generic[_Row]):
    """A page being filled; `last` is the row or prefix that it ends with, if there is more."""

    limit: int
    rows: list[_Row] = field(default_factory=list[_Row])
    common_prefixes: list[str] = field(default_factory=list[str])
    last: _Row | str | None = None
    is_truncated: bool = False

    @property
    def is_full(self) -> bool:
        return len(self.rows) + len(self.common_prefixes) >= self.limit


class _Grouping:
    """What a delimiter makes of keys under a prefix."""

    def __init__(self, prefix: str, delimiter: str) -> None:
        self.prefix = prefix.encode()
        self.delimiter = delimiter.encode()
        self.end = _after_prefix(self.prefix)

    def common_prefix(self, key: bytes) -> bytes | None:
        """The common prefix that a key is hidden behind, if it is."""
        if not self.delimiter:
            return None
        at = key.find(self.delimiter, len(self.prefix))
        return key[: at + len(self.delimiter)] if at >= 0 else None

    def start_after(self, after: str) -> bytes:
        """The first key that may follow a page that ended with this key or common prefix."""
        marker = after.encode()
        if not marker or marker < self.prefix:
            return self.prefix
        if self.common_prefix(marker) == marker:
            return _after_prefix(marker)
        return marker + b"\0"


def _after_prefix(prefix: bytes) -> bytes:
    """The least byte string above all that begin with a prefix (UTF-8 has no byte 255)."""
    return prefix[:-1] + bytes((prefix[-1] + 1,)) if prefix else _AFTER_ALL_KEYS


def _fill(
    page: _Page[_Row],
    grouping: _Grouping,
    start: bytes,
    open_rows: Callable[[bytes], Iterator[_Row]],
) -> None:
    """Fill a page with rows (their first column is the key) and common prefixes."""
    rows = open_rows(start)
    hidden_behind, skipped = b"", 0
    while True:
        row = next(rows, None)
        if row is None:
            return
        key: bytes = row[0]
        if hidden_behind and key.startswith(hidden_behind):
            skipped += 1
            if skipped == _ROWS_BEFORE_A_SEEK:
                rows = open_rows(_after_prefix(hidden_behind))
            continue
        if page.is_full:
            page.is_truncated = True
            return
        common_prefix = grouping.common_prefix(key)
        if common_prefix is None:
            page.rows.append(row)
            page.last = row
        else:
            hidden_behind, skipped = common_prefix, 0
            page.common_prefixes.append(common_prefix.decode())
            page.last = page.common_prefixes[-1]


def list_objects(
    queries: Queries, bucket: str, prefix: str, delimiter: str, after: str, max_keys: int
) -> Listing:
    """Current versions that are not delete markers."""
    known = queries.buckets.get(bucket)
    if known is None or max_keys <= 0:
        return Listing([], [])
    grouping = _Grouping(prefix, delimiter)
    start = grouping.start_after(after)
    if not delimiter:
        records = queries.page(bucket, start, grouping.end, max_keys + 1)
        page_records = records[:max_keys]
        is_truncated = len(records) > max_keys
        return Listing(page_records, [], page_records[-1].key if is_truncated else None)

    def open_rows(start: bytes) -> Iterator[tuple[bytes, bytes]]:
        return queries.connection.execute(_OBJECTS, (known.id, start, grouping.end))

    page = _Page[tuple[bytes, bytes]](max_keys)
    _fill(page, grouping, start, open_rows)
    records = [decode_record(row[1]) for row in page.rows]
    return Listing(records, page.common_prefixes, _last_key(page)[0])


def _last_key(page: _Page[_Row]) -> tuple[str | None, _Row | None]:
    """Where the next page starts: a key or prefix, and the row if it was one."""
    if not page.is_truncated or page.last is None:
        return None, None
    if isinstance(page.last, str):
        return page.last, None
    return page.last[0].decode(), page.last


_VersionRow = tuple[bytes, bytes, int, int]


def list_versions(
    queries: Queries,
    bucket: str,
    prefix: str,
    delimiter: str,
    key_marker: str,
    version_id_marker: str | None,
    max_keys: int,
) -> Listing:
    """All versions and delete markers."""
    known = queries.buckets.get(bucket)
    if known is None or max_keys <= 0:
        return Listing([], [])
    grouping = _Grouping(prefix, delimiter)
    execute = queries.connection.execute

    def open_rows(start: bytes) -> Iterator[_VersionRow]:
        return execute(_VERSIONS, (known.id, start, grouping.end))

    page = _Page[_VersionRow](max_keys)
    marker = key_marker.encode()
    start = grouping.start_after(key_marker)
    if version_id_marker and marker and grouping.prefix <= marker < grouping.end:
        sequence = _marker_sequence(queries, bucket, key_marker, version_id_marker)

        def open_rest(start: bytes) -> Iterator[_VersionRow]:
            if start != marker:
                return open_rows(start)
            rest = execute(_REST_OF_A_KEY, (known.id, marker, sequence))
            return _chain(rest, lambda: open_rows(marker + b"\0"))

        _fill(page, grouping, marker, open_rest)
    else:
        _fill(page, grouping, start, open_rows)
    key, row = _last_key(page)
    version_id = decode_record(row[1]).version_id if row is not None else None
    is_continued = version_id_marker is not None
    records = _versions(page.rows, queries, bucket, key_marker if is_continued else "")
    return Listing(records, page.common_prefixes, key, version_id)


def _chain(first: Iterator[_Row], then: Callable[[], Iterator[_Row]]) -> Iterator[_Row]:
    yield from first
    yield from then()


def _marker_sequence(queries: Queries, bucket: str, key: str, version_id: str) -> int:
    """Where a version is, or was: everything older comes after it."""
    found = queries.version(bucket, key, version_id)
    if found is not None:
        return found.sequence
    sequence = None if version_id == NULL_VERSION else sequence_of(version_id)
    return sequence if sequence is not None else (1 << 63) - 1


def _versions(
    rows: list[_VersionRow], queries: Queries, bucket: str, continued_key: str
) -> list[ObjectRecord]:
    """Records of rows; the newest of a key is its latest, be it a delete marker."""
    records: list[ObjectRecord] = []
    previous_key: str | None = None
    for _, encoded, sequence, is_current in rows:
        record: ObjectRecord = decode_record(encoded)
        if not is_current and record.key != previous_key:
            is_latest = True
            if record.key == continued_key:
                newest = queries.current(bucket, record.key)
                is_latest = newest is not None and newest.sequence == sequence
            record = msgspec.structs.replace(record, is_latest=is_latest)
        previous_key = record.key
        records.append(record)
    return records


_UploadRow = tuple[bytes, bytes, int]


def list_uploads(
    queries: Queries,
    bucket: str,
    prefix: str,
    delimiter: str,
    key_marker: str,
    upload_id_marker: str,
    max_uploads: int,
) -> UploadListing:
    """Uploads in progress."""
    known = queries.buckets.get(bucket)
    if known is None or max_uploads <= 0:
        return UploadListing([], [])
    grouping = _Grouping(prefix, delimiter)
    execute = queries.connection.execute

    def open_rows(start: bytes) -> Iterator[_UploadRow]:
        return execute(_UPLOADS, (known.id, start, grouping.end))

    page = _Page[_UploadRow](max_uploads)
    marker = key_marker.encode()
    start = grouping.start_after(key_marker)
    row = execute("SELECT id FROM uploads WHERE upload_id = ?", (upload_id_marker,)).fetchone()
    if row is not None and marker and grouping.prefix <= marker < grouping.end:
        number: int = row[0]

        def open_rest(start: bytes) -> Iterator[_UploadRow]:
            if start != marker:
                return open_rows(start)
            rest = execute(_REST_OF_UPLOADS, (known.id, marker, number))
            return _chain(rest, lambda: open_rows(marker + b"\0"))

        _fill(page, grouping, marker, open_rest)
    else:
        _fill(page, grouping, start, open_rows)
    uploads: list[Upload] = [decode_upload(encoded) for _, encoded, _ in page.rows]
    key, last = _last_key(page)
    upload_id = decode_upload(last[1]).upload_id if last is not None else None
    return UploadListing(uploads, page.common_prefixes, key, upload_id)
