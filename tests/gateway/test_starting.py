"""What keeps a server from starting is told as a cause and a hint."""

from __future__ import annotations

import os
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cloche.gateway.starting import StartError
from tests.live_server import LiveServer
from tests.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]


def not_started(data: Path, **settings: str) -> StartError:
    """The error of a server that does not start."""
    with pytest.raises(StartError) as caught:
        LiveServer(data, **settings).start()
    assert caught.value.hint
    return caught.value


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as other:
        return other.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_a_data_directory_in_use(tmp_path: Path) -> None:
    first = LiveServer(tmp_path).start()
    try:
        assert "in use by another Cloche server" in str(not_started(tmp_path))
    finally:
        first.stop()


@pytest.mark.parametrize("name", ["documents.sqlite", "audit.sqlite", "objects/index.sqlite"])
def test_a_damaged_file(tmp_path: Path, name: str) -> None:
    LiveServer(tmp_path).start().stop()
    for file in tmp_path.glob(f"{name}*"):
        file.write_bytes(os.urandom(8192))
    error = not_started(tmp_path)
    assert str(tmp_path) in str(error)
    assert "not a database" in str(error)


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("documents.sqlite", "UPDATE schema_version SET version = 99"),
        ("documents.sqlite", "UPDATE documents SET version = 99"),
        ("objects/index.sqlite", "PRAGMA user_version = 99"),
    ],
)
def test_data_of_a_newer_version(tmp_path: Path, name: str, statement: str) -> None:
    LiveServer(tmp_path).start().stop()
    connection = sqlite3.connect(tmp_path / name)
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert "pgrade Cloche" in not_started(tmp_path).hint


def test_objects_that_another_process_holds(tmp_path: Path) -> None:
    import fcntl

    LiveServer(tmp_path).start().stop()
    with (tmp_path / "objects" / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "objects is open in another process" in str(not_started(tmp_path))


def test_a_database_that_is_not_there(tmp_path: Path, closed_port: int) -> None:
    url = f"postgresql://me:secret@127.0.0.1:{closed_port}/x"
    error = not_started(tmp_path, database_url=url)
    assert str(closed_port) in str(error)
    assert "refused" in str(error)
    assert "secret" not in str(error)
    assert "\n" not in str(error)
    assert "CLOCHE_DATABASE_URL" in error.hint


def test_a_database_that_says_nothing(tmp_path: Path, silent_port: int) -> None:
    url = f"postgresql://127.0.0.1:{silent_port}/x?connect_timeout=2"
    assert "timeout" in str(not_started(tmp_path, database_url=url))


def test_a_database_of_another_encoding(tmp_path: Path, postgresql_server: str) -> None:
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    url = postgresql_server.replace("/postgres?", "/latin?")
    error = not_started(tmp_path, database_url=url)
    assert "LATIN1" in str(error)


def test_a_library_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "cloche.engines.documents.postgresql", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = not_started(tmp_path, database_url="postgresql://db/x")
    assert "pip install 'cloche[postgresql]'" in error.hint
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "boto3.session", None)
    url = "http://a:b@127.0.0.1:1/"
    monkeypatch.setattr("cloche.gateway.starting.check_object_endpoint", lambda url: None)
    error = not_started(tmp_path, object_store_url=url)
    assert "pip install 'cloche[s3]'" in error.hint


def test_an_object_endpoint_that_is_not_there(tmp_path: Path, closed_port: int) -> None:
    url = f"http://key:secret@127.0.0.1:{closed_port}/prefix"
    error = not_started(tmp_path, object_store_url=url)
    assert f"http://127.0.0.1:{closed_port}" in str(error)
    assert "refused" in str(error)
    assert "secret" not in str(error)
    assert "CLOCHE_OBJECT_STORE_URL" in error.hint


def test_an_object_endpoint_that_says_nothing(
    tmp_path: Path, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloche.gateway.starting.ENDPOINT_SECONDS", 0.2)
    error = not_started(tmp_path, object_store_url=f"http://127.0.0.1:{silent_port}")
    assert "timed out" in str(error)


def test_a_url_that_is_no_endpoint(tmp_path: Path) -> None:
    error = not_started(tmp_path, object_store_url="http://127.0.0.1/Not A Prefix")
    assert "CLOCHE_OBJECT_STORE_URL" in error.hint


@pytest.mark.parametrize("key_id", ["ASIAAAAAAAAAAAAAAAAA", "a/b", "a b", "a,b"])
def test_a_root_key_that_could_not_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key_id: str
) -> None:
    monkeypatch.setenv("CLOCHE_ROOT_ACCESS_KEY_ID", key_id)
    monkeypatch.setenv("CLOCHE_ROOT_SECRET_ACCESS_KEY", "s")
    error = not_started(tmp_path)
    assert repr(key_id) in str(error)
    assert "CLOCHE_ROOT_ACCESS_KEY_ID" in error.hint


def test_a_root_key_of_another_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = LiveServer(tmp_path).start()
    other = server.new_account("other")
    server.stop()
    monkeypatch.setenv("CLOCHE_ROOT_ACCESS_KEY_ID", other["AccessKeyId"])
    monkeypatch.setenv("CLOCHE_ROOT_SECRET_ACCESS_KEY", "s")
    error = not_started(tmp_path)
    assert "already" in str(error)
    assert "CLOCHE_ROOT_ACCESS_KEY_ID" in error.hint


def writer_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "documents-writer"]


def test_nothing_stays_open(tmp_path: Path) -> None:
    LiveServer(tmp_path).start().stop()
    audit = tmp_path / "audit.sqlite"
    whole = audit.read_bytes()
    for file in tmp_path.glob("audit.sqlite-*"):
        file.unlink()
    audit.write_bytes(os.urandom(8192))
    before = writer_threads()
    not_started(tmp_path)
    assert writer_threads() == before
    audit.write_bytes(whole)
    LiveServer(tmp_path).start().stop()
