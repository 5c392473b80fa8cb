from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from cloche.core.clock import Clock
from cloche.core.documents import Documents
from cloche.engines.documents.postgresql import PostgreSQLDocuments
from cloche.engines.documents.sqlite import SQLiteDocuments
from tests.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]


class Wall:
    """Real time that a test moves."""

    def __init__(self, time: float = 1_700_000_000.0) -> None:
        self.time = time

    def __call__(self) -> float:
        return self.time


def until(condition: Callable[[], bool]) -> None:
    """Block until something that nothing tells of has happened."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def unreadable(postgresql_url: str) -> Generator[None]:
    """For as long as the context lasts, the store answers everything with an error."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE documents RENAME TO hidden")
        try:
            yield
        finally:
            connection.execute("ALTER TABLE hidden RENAME TO documents")


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def clock(wall: Wall) -> Clock:
    return Clock(wall_time=wall)


@pytest.fixture(params=["sqlite", "postgresql"])
def open_documents(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], Documents]]:
    """Opens the same store again and again; a second time at once only where it is shared."""
    opened: list[Documents] = []
    url: str = "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")

    def open_again() -> Documents:
        engine = PostgreSQLDocuments(url) if url else SQLiteDocuments(tmp_path)
        opened.append(Documents(engine))
        return opened[-1]

    yield open_again
    for documents in opened:
        documents.close()


@pytest.fixture
def documents(open_documents: Callable[[], Documents]) -> Documents:
    return open_documents()
