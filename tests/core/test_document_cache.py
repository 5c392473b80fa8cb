from __future__ import annotations

from cloche.core.document_cache import DocumentCache

KEY = ("t", "", "", "a")


def test_reads_once_until_written() -> None:
    cache = DocumentCache(None)
    values = iter([1, 2])
    assert [cache.get(KEY, lambda: next(values)) for _ in range(3)] == [1, 1, 1]
    cache.drop([KEY])
    assert [cache.get(KEY, lambda: next(values)) for _ in range(2)] == [2, 2]


def test_keeps_absence_too() -> None:
    cache = DocumentCache(None)
    values = iter([None])
    assert [cache.get(KEY, lambda: next(values)) for _ in range(2)] == [None, None]


def test_does_not_keep_what_was_read_before_a_write() -> None:
    cache = DocumentCache(None)

    def read_while_another_writes() -> str:
        cache.drop([KEY])
        return "old"

    assert cache.get(KEY, read_while_another_writes) == "old"
    assert cache.get(KEY, lambda: "new") == "new"


def test_believes_nothing_beyond_its_lifetime() -> None:
    cache = DocumentCache(0.0)
    values = iter([1, 2])
    assert [cache.get(KEY, lambda: next(values)) for _ in range(2)] == [1, 2]


def test_is_bounded() -> None:
    cache = DocumentCache(None, limit_entries=10)
    for n in range(100):
        cache.get(("t", "", "", f"{n}"), lambda: 1)
    reads: list[int] = []
    for n in range(100):
        cache.get(("t", "", "", f"{99 - n}"), lambda: reads.append(1))
    assert len(reads) == 90
