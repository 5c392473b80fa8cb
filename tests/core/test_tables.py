from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cloche.core import tables
from cloche.core.tables import NAME_LIMIT_BYTES, Table, UnreadableDocument, is_storable


class Thing(msgspec.Struct, frozen=True):
    name: str
    size_bytes: int = 0


@pytest.fixture(autouse=True)
def _no_table_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_tables", {})


def test_reads_what_it_writes() -> None:
    things = Table("test.samples", Thing)
    assert things.encode(Thing("é", 3)) == '{"name":"é","size_bytes":3}'.encode()
    assert things.decode(things.encode(Thing("é", 3)), 1) == Thing("é", 3)
    assert tables.known_tables() == {"test.samples": things}


def test_members_with_defaults_need_no_upgrade() -> None:
    assert Table("test.samples", Thing).decode(b'{"name":"a","gone":1}', 1) == Thing("a", 0)


def test_old_records_are_upgraded_step_by_step() -> None:
    def rename(members: dict[str, Any]) -> dict[str, Any]:
        return {"name": members["title"], "size": members["size"]}

    def scale(members: dict[str, Any]) -> dict[str, Any]:
        return {"name": members["name"], "size_bytes": members["size"] * 1024}

    things = Table("test.samples", Thing, version=3, upgrades={1: rename, 2: scale})
    assert things.decode(b'{"title":"a","size":2}', 1) == Thing("a", 2048)
    assert things.decode(b'{"name":"a","size":2}', 2) == Thing("a", 2048)
    assert things.decode(b'{"name":"a","size_bytes":2}', 3) == Thing("a", 2)


def test_records_of_a_newer_version_are_refused() -> None:
    with pytest.raises(UnreadableDocument, match="newer version of Cloche"):
        Table("test.samples", Thing).decode(b'{"name":"a"}', 2)


@pytest.mark.parametrize("value", [b"", b"{", b"{}", b'{"name":1}', b"\xff"])
def test_records_that_do_not_fit_are_refused(value: bytes) -> None:
    with pytest.raises(UnreadableDocument, match=r"test\.samples"):
        Table("test.samples", Thing).decode(value, 1)


def test_mistakes_in_a_table_are_found_at_once() -> None:
    Table("test.samples", Thing)
    with pytest.raises(ValueError, match="already"):
        Table("test.samples", Thing)
    with pytest.raises(ValueError, match="not a table name"):
        Table("Things", Thing)
    with pytest.raises(ValueError, match="no upgrade from version 2"):
        Table("test.others", Thing, version=3, upgrades={1: dict})


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("a/ü/😀\n", True),
        ("\0", False),
        ("a\0ü", False),
        ("\ud800", False),
        ("x" * NAME_LIMIT_BYTES, True),
        ("x" * (NAME_LIMIT_BYTES + 1), False),
        ("é" * (NAME_LIMIT_BYTES // 2), True),
        ("é" * (NAME_LIMIT_BYTES // 2 + 1), False),
    ],
)
def test_keys_are_any_text_but_nul(text: str, fits: bool) -> None:
    assert is_storable(text) == fits
