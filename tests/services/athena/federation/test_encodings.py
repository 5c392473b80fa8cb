"""Texts of databases and columns in other encodings than Unicode's."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from tests.services.athena.federation.conftest import Remote


def _database(remote: Remote, url: str, encoding: str) -> Iterator[tuple[Remote, str]]:
    """A database of an encoding with a table of texts, and the catalog that leads to it."""
    name = f"d{uuid4().hex[:10]}"
    remote.run(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'")
    base, _, options = url.partition("?")
    own = f"{base.rpartition('/')[0]}/{name}?{options}"
    with psycopg.connect(own, autocommit=True, client_encoding="UTF8") as connection:
        connection.execute("CREATE TABLE x (a text)")
        connection.execute("INSERT INTO x VALUES ('é'), ('e'), ('été')")
        connection.execute("GRANT SELECT ON x TO PUBLIC")
    jdbc = f"jdbc:postgresql://127.0.0.1:{remote.port}/{name}"
    yield remote, remote.register(name, JDBC_CONNECTION_URL=jdbc)
    remote.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def latin(postgresql: Remote, postgresql_server: str) -> Iterator[tuple[Remote, str]]:
    """A database in LATIN1."""
    yield from _database(postgresql, postgresql_server, "LATIN1")


@pytest.fixture
def undeclared(postgresql: Remote, postgresql_server: str) -> Iterator[tuple[Remote, str]]:
    """A database in SQL_ASCII."""
    yield from _database(postgresql, postgresql_server, "SQL_ASCII")


def test_texts_of_a_latin1_database_are_read(latin: tuple[Remote, str]) -> None:
    remote, catalog = latin
    place = f"{catalog}.public.x"
    rows = remote.lake.rows
    assert rows(f"SELECT upper(a) FROM {place} ORDER BY 1") == [["E"], ["É"], ["ÉTÉ"]]
    assert rows(f"SELECT a FROM {place} WHERE a = 'é'") == [["é"]]
    assert rows(f"SELECT a FROM {place} WHERE a = 'ż' OR a = 'e'") == [["e"]]
    assert rows(f"SELECT a FROM {place} WHERE a = 'ż'") == []
    assert rows(f"SELECT a FROM {place} WHERE a IN ('ż', 'é')") == [["é"]]
    assert rows(f"SELECT a FROM {place} WHERE a LIKE '_t_'") == [["été"]]
    assert rows(f"SELECT a FROM {place} WHERE a > 'f' ORDER BY 1") == [["é"], ["été"]]


def test_a_database_of_no_known_encoding_is_refused(undeclared: tuple[Remote, str]) -> None:
    remote, catalog = undeclared
    reason = remote.lake.fail(f"SELECT a FROM {catalog}.public.x")
    assert reason.startswith("NOT_SUPPORTED: ")
    assert "SQL_ASCII" in reason


@pytest.mark.parametrize("charset", ["latin1", "ascii", "utf8mb3", "utf8mb4"])
def test_texts_that_a_column_lacks_are_looked_for(mariadb: Remote, charset: str) -> None:
    mariadb.run(
        f"CREATE TABLE {mariadb.own('x')} (a varchar(20) CHARACTER SET {charset}); "
        f"INSERT INTO {mariadb.own('x')} VALUES ('e')"
    )
    place, rows = mariadb.table("x"), mariadb.lake.rows
    mariadb.fetched()
    assert rows(f"SELECT a FROM {place} WHERE a = 'ż'") == []
    assert ("WHERE" in "".join(mariadb.fetched())) == (charset == "utf8mb4")
    assert rows(f"SELECT a FROM {place} WHERE a IN ('ż😀', 'e')") == [["e"]]
    assert rows(f"SELECT a FROM {place} WHERE a LIKE 'ż%'") == []
    mariadb.fetched()
    assert rows(f"SELECT a FROM {place} WHERE a = 'e'") == [["e"]]
    assert "WHERE" in "".join(mariadb.fetched())
