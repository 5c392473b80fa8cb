from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

from cloche.core.documents import (
    Document,
    DocumentExists,
    Documents,
    InvalidDocumentName,
    RevisionConflict,
    Table,
    Transaction,
)
from tests.core.conftest import until


class Account(msgspec.Struct, frozen=True):
    balance: int
    opened_at: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    secret: bytes = b"\x00\xff"


accounts = Table("test.accounts", Account)
others = Table("test.others", Account)
HERE = ("123456789012", "us-east-1")


def test_keeps_typed_records(documents: Documents) -> None:
    record = Account(5, datetime(2024, 2, 29, 12, 30, 0, 123456, tzinfo=UTC), b"\x01")
    documents.put(accounts, *HERE, "a", record)
    assert documents.get(accounts, *HERE, "a") == record
    assert documents.get(accounts, *HERE, "b") is None
    assert documents.get(accounts, "", "", "a") is None
    assert documents.get(others, *HERE, "a") is None


def test_insert_refuses_a_name_that_is_taken(documents: Documents) -> None:
    documents.insert(accounts, *HERE, "a", Account(1))
    with pytest.raises(DocumentExists, match="'a'"):
        documents.insert(accounts, *HERE, "a", Account(2))
    assert documents.get(accounts, *HERE, "a") == Account(1)


def test_replace_refuses_what_was_changed_meanwhile(documents: Documents) -> None:
    documents.put(accounts, *HERE, "a", Account(1))
    read = documents.get_document(accounts, *HERE, "a")
    assert read is not None
    revision = documents.replace(accounts, *HERE, "a", Account(2), revision=read.revision)
    with pytest.raises(RevisionConflict):
        documents.replace(accounts, *HERE, "a", Account(3), revision=read.revision)
    assert documents.get_document(accounts, *HERE, "a") == Document(
        *HERE, "a", Account(2), revision
    )


def test_delete_returns_the_record(documents: Documents) -> None:
    documents.put(accounts, *HERE, "a", Account(1))
    assert documents.delete(accounts, *HERE, "a") == Account(1)
    assert documents.delete(accounts, *HERE, "a") is None


def test_scan_pages_through_a_prefix(documents: Documents) -> None:
    for n in range(25):
        documents.put(accounts, *HERE, f"user/{n:02}", Account(n))
    documents.put(accounts, *HERE, "usera", Account(0))
    page = documents.scan(accounts, *HERE, prefix="user/", limit=10)
    assert [document.value.balance for document in page] == list(range(10))
    following = documents.scan(accounts, *HERE, prefix="user/", after=page[-1].name, limit=100)
    assert [document.name for document in following] == [f"user/{n:02}" for n in range(10, 25)]
    everything = documents.iterate(accounts, *HERE, prefix="user/", page_size=10)
    assert [document.value.balance for document in everything] == list(range(25))


def test_scan_all_crosses_accounts(documents: Documents) -> None:
    for account in ("2", "1"):
        for region in ("b", "", "a"):
            documents.put(accounts, account, region, "x", Account(1))
    first = documents.scan_all(accounts, limit=4)
    rest = documents.scan_all(accounts, first[-1])
    assert [(document.account, document.region) for document in (*first, *rest)] == [
        *(("1", ""), ("1", "a"), ("1", "b")),
        *(("2", ""), ("2", "a"), ("2", "b")),
    ]


@pytest.mark.parametrize("name", ["", "\0", "a\0b", "\udc80", "x" * 2049])
def test_refuses_names_that_cannot_be(documents: Documents, name: str) -> None:
    with pytest.raises(InvalidDocumentName):
        documents.put(accounts, *HERE, name, Account(1))
    assert documents.get(accounts, *HERE, name) is None
    assert documents.delete(accounts, *HERE, name) is None
    if name:
        with pytest.raises(InvalidDocumentName):
            documents.scan(accounts, *HERE, prefix=name)


def test_a_transaction_is_all_or_nothing(documents: Documents) -> None:
    documents.put(accounts, *HERE, "a", Account(10))

    def move(tx: Transaction, amount: int) -> int:
        source = tx.get(accounts, *HERE, "a")
        assert source is not None
        tx.put(accounts, *HERE, "a", Account(source.balance - amount))
        tx.put(accounts, *HERE, "b", Account(amount))
        if amount > source.balance:
            raise ValueError("overdrawn")
        return source.balance - amount

    with pytest.raises(ValueError, match="overdrawn"):
        documents.transact(lambda tx: move(tx, 11))
    assert documents.get(accounts, *HERE, "b") is None
    assert documents.transact(lambda tx: move(tx, 4)) == 6
    assert documents.get(accounts, *HERE, "b") == Account(4)


def test_called_back_after_the_commit_only(documents: Documents) -> None:
    seen: list[object] = []

    def write(tx: Transaction, fails: bool) -> None:
        tx.put(accounts, *HERE, "a", Account(1))
        tx.after_commit(lambda: seen.append(documents.get(accounts, *HERE, "a")))
        if fails:
            raise LookupError

    with pytest.raises(LookupError):
        documents.transact(lambda tx: write(tx, fails=True))
    assert seen == []
    documents.transact(lambda tx: write(tx, fails=False))
    assert seen == [Account(1)]


def test_cached_reads_see_this_servers_writes_at_once(documents: Documents) -> None:
    assert documents.get_cached(accounts, *HERE, "a") is None
    documents.insert(accounts, *HERE, "a", Account(1))
    assert documents.get_cached(accounts, *HERE, "a") == Account(1)
    assert documents.get_cached(accounts, *HERE, "a") is documents.get_cached(accounts, *HERE, "a")
    documents.put(accounts, *HERE, "a", Account(2))
    assert documents.get_cached(accounts, *HERE, "a") == Account(2)
    documents.transact(lambda tx: tx.delete(accounts, *HERE, "a"))
    assert documents.get_cached(accounts, *HERE, "a") is None


def test_cached_reads_see_other_servers_writes_soon(
    open_documents: Callable[[], Documents],
) -> None:
    documents = open_documents()
    if not documents.is_shared:
        pytest.skip("there is no other server on a SQLite file")
    other = open_documents()
    assert other.get_cached(accounts, *HERE, "a") is None
    documents.put(accounts, *HERE, "a", Account(1))

    began = time.monotonic()
    until(lambda: other.get_cached(accounts, *HERE, "a") is not None)
    assert time.monotonic() - began < 2


def test_async_code_commits_without_blocking(documents: Documents) -> None:
    async def scenario() -> list[int]:
        def add(tx: Transaction, n: int) -> int:
            tx.insert(accounts, *HERE, f"{n}", Account(n))
            return n

        results = await asyncio.gather(
            *(documents.commit(lambda tx, n=n: add(tx, n)) for n in range(50))
        )
        with pytest.raises(DocumentExists):
            await documents.commit(lambda tx: add(tx, 7))
        with pytest.raises(RuntimeError, match="commit"):
            documents.put(accounts, *HERE, "x", Account(1))
        return results

    assert asyncio.run(scenario()) == list(range(50))
    assert len(documents.scan(accounts, *HERE)) == 50
