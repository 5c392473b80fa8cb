"""The index's tables.

`objects` holds what a listing shows: each key's current version, unless that is a delete marker.
`versions` holds all other versions, so that a listing never walks over them, nor over the delete
markers of keys that are gone. A key that is not in `objects` has either no versions at all or a
delete marker as its newest one in `versions`.

A `sequence` is the number of the journal's frame times 65536 plus the entry's place in it: it
grows with every change. Keys are kept in UTF-8, whose byte order is S3's listing order.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (
    applied INTEGER NOT NULL,
    checkpointed INTEGER NOT NULL
);
INSERT INTO state SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM state);
CREATE TABLE IF NOT EXISTS buckets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    has_versions INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS objects (
    bucket INTEGER NOT NULL,
    key BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    record BLOB NOT NULL,
    parts BLOB,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS versions (
    bucket INTEGER NOT NULL,
    key BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    version_id TEXT NOT NULL,
    record BLOB NOT NULL,
    parts BLOB,
    PRIMARY KEY (bucket, key, sequence DESC)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS null_versions ON versions (bucket, key) WHERE version_id = 'null';
CREATE TABLE IF NOT EXISTS bodies (
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS uploads (
    id INTEGER PRIMARY KEY,
    bucket INTEGER NOT NULL,
    key BLOB NOT NULL,
    upload_id TEXT NOT NULL UNIQUE,
    record BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (bucket, key, id);
CREATE TABLE IF NOT EXISTS parts (
    upload INTEGER NOT NULL,
    number INTEGER NOT NULL,
    record BLOB NOT NULL,
    location TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    location TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS dead_bodies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    body INTEGER NOT NULL
);
"""
_FORMAT = 1
_MEBIBYTE = 1024 * 1024


class UnknownFormat(Exception):
    """The directory was written by a later version of the program."""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The one connection that changes the index; makes the tables on the first start.

    A commit is not synced (the journal is what is durable); a checkpoint is.

    Raises:
        UnknownFormat: the file is of a later format.
    """
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > _FORMAT:
        raise UnknownFormat(f"{path} has format {found}; this version knows up to {_FORMAT}")
    connection.execute("PRAGMA page_size = 4096")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA cache_size = -{16 * 1024}")
    connection.executescript(_SCHEMA)
    connection.execute(f"PRAGMA user_version = {_FORMAT}")
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that sees what is committed."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA mmap_size = {256 * _MEBIBYTE}")
    return connection


def open_for_checkpoints(path: Path) -> sqlite3.Connection:
    """A connection that moves what is committed into the main file, and syncs it."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA busy_timeout = 1000")
    return connection
