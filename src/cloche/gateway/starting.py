"""Opens what a server keeps its state in; whatever is in the way is told as a `StartError`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from cloche.core.configuration import Settings
from cloche.core.documents import DocumentEngine, UnreadableDocument
from cloche.engines.audit.sqlite import AuditLogUnavailable, SQLiteEventStore
from cloche.engines.errors import StartError
from cloche.engines.objects.store import ObjectStore
from cloche.engines.sql.engine import SqlEngine
from cloche.services.iam.accounts import AccountExists, UnusableKey

__all__ = [
    "StartError",
    "check_database",
    "check_object_endpoint",
    "explained",
    "open_audit_log",
    "open_documents",
    "open_objects",
    "open_sql",
]

ENDPOINT_SECONDS = 5.0
DATABASE_SECONDS = 5

_UPGRADE = "Upgrade Cloche; CLOCHE_DATA or --data names another directory."
_RESTORE = "Restore it from a copy; CLOCHE_DATA or --data names another directory."


@contextmanager
def explained() -> Generator[None]:
    """Raise a StartError in place of what a server's parts raise while it starts."""
    try:
        yield
    except UnreadableDocument as error:
        raise StartError(f"{error}.", _UPGRADE) from error
    except (AccountExists, UnusableKey) as error:
        raise StartError(
            str(error), "Let CLOCHE_ROOT_ACCESS_KEY_ID name another key, or unset it."
        ) from error


def open_documents(settings: Settings) -> DocumentEngine:
    """The engine that the settings ask for."""
    if settings.database_url:
        with _library("psycopg", "PostgreSQL", "postgresql"):
            from cloche.engines.documents.postgresql import PostgreSQLDocuments
        return PostgreSQLDocuments(settings.database_url)
    from cloche.engines.documents.sqlite import SQLiteDocuments

    with _usable(settings.data_directory / "documents.sqlite"):
        return SQLiteDocuments(settings.data_directory)


def open_audit_log(directory: Path, clock_time: Callable[[], float]) -> SQLiteEventStore:
    """The log of calls in a data directory."""
    path = directory / "audit.sqlite"
    try:
        return SQLiteEventStore(path, clock_time)
    except AuditLogUnavailable as error:
        raise StartError(
            f"{path}: {error}.", "Move it away, and a new log of calls is begun."
        ) from error


def open_objects(settings: Settings, now: Callable[[], float]) -> ObjectStore:
    """The store of objects that the settings ask for."""
    if settings.object_store_url:
        return _open_endpoint(settings, now)
    from cloche.engines.objects.filesystem.journal import JournalDamaged
    from cloche.engines.objects.filesystem.locking import DirectoryInUse
    from cloche.engines.objects.filesystem.schema import UnknownFormat
    from cloche.engines.objects.filesystem.store import FileSystemObjectStore

    directory = settings.data_directory / "objects"
    try:
        with _usable(directory / "index.sqlite"):
            return FileSystemObjectStore(directory, now=now)
    except DirectoryInUse as error:
        raise StartError(f"{error}.", "End it; `cloche status` shows the server.") from error
    except UnknownFormat as error:
        raise StartError(f"{error}.", _UPGRADE) from error
    except JournalDamaged as error:
        raise StartError(f"The journal of objects is damaged: {error}.", _RESTORE) from error


def _open_endpoint(settings: Settings, now: Callable[[], float]) -> ObjectStore:
    try:
        with _library("boto3", "An object store", "s3"):
            from cloche.engines.objects.s3 import S3ObjectStore

            return S3ObjectStore(
                settings.object_store_url, settings.data_directory / "staged", now=now
            )
    except ValueError as error:
        raise StartError(
            f"The URL of the object store is {error}.", "Correct CLOCHE_OBJECT_STORE_URL."
        ) from error


def check_object_endpoint(url: str) -> None:
    """See whether an object endpoint answers anything at all; blocks.

    Raises:
        StartError: it does not, within five seconds.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    parts = urlsplit(url)
    # Without the key, which stands before the host.
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    try:
        urlopen(f"{address}/", timeout=ENDPOINT_SECONDS).close()  # noqa: S310  # settings allow http(s) alone
    except HTTPError:
        return  # it refuses what is not signed, and so is there
    except (OSError, HTTPException, ValueError) as error:
        cause = getattr(error, "reason", None) or error
        raise StartError(
            f"The object store at {address} doesn't answer: {cause}.",
            "Start it, or let CLOCHE_OBJECT_STORE_URL name another endpoint.",
        ) from error


def open_sql(settings: Settings) -> SqlEngine:
    """The engine that runs SQL, in this process."""
    from cloche.engines.sql.duckdb import DuckDBEngine

    directory = settings.data_directory
    # Objects have files of their own, or are copied into the folder of the job that reads them.
    readable = [directory / "objects", directory / "jobs"]
    return DuckDBEngine(directory / "sql", readable, memory_bytes=settings.sql_memory)


def check_database(url: str) -> None:
    """See whether a database answers; blocks.

    Raises:
        StartError: it does not, within five seconds.
    """
    with _library("psycopg", "PostgreSQL", "postgresql"):
        from cloche.engines.documents.postgresql import check_connection
    check_connection(url, DATABASE_SECONDS)


@contextmanager
def _library(name: str, purpose: str, extra: str) -> Generator[None]:
    try:
        yield
    except (ImportError, RuntimeError) as error:
        raise StartError(
            f"{purpose} can't be used without {name}: {error}.",
            f"Install it: pip install 'cloche[{extra}]'",
        ) from error


@contextmanager
def _usable(path: Path) -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StartError(f"{path} can't be used: {error}.", _RESTORE) from error
