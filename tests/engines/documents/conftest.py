from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from cloche.core.documents import DocumentEngine
from cloche.engines.documents.postgresql import PostgreSQLDocuments
from cloche.engines.documents.sqlite import SQLiteDocuments
from tests.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]


class Store(Protocol):
    """A store that can be opened again and again, as by a server that is restarted."""

    def open(self) -> DocumentEngine: ...


class _Opener:
    def __init__(self, make: Callable[[], DocumentEngine]) -> None:
        self._make = make
        self.opened: list[DocumentEngine] = []

    def open(self) -> DocumentEngine:
        self.opened.append(self._make())
        return self.opened[-1]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[_Opener]:
    if request.param == "sqlite":
        opener = _Opener(lambda: SQLiteDocuments(tmp_path))
    else:
        url: str = request.getfixturevalue("postgresql_url")
        opener = _Opener(lambda: PostgreSQLDocuments(url))
    yield opener
    for engine in opener.opened:
        engine.close()


@pytest.fixture
def engine(store: Store) -> DocumentEngine:
    return store.open()
