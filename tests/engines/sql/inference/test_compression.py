from __future__ import annotations

import bz2
import gzip

import pyarrow as pa
import pytest

from cloche.engines.sql.inference.compression import CorruptFile
from tests.engines.sql.inference.files import columns, inferred

ROWS = 120_000
TEXT = ("id,value\n" + "".join(f"{n:07d},{n * 7919 % 100_003}.5\n" for n in range(ROWS))).encode()


def zstd(content: bytes) -> bytes:
    return pa.compress(content, codec="zstd", asbytes=True)


def raw_snappy(content: bytes) -> bytes:
    return pa.compress(content, codec="snappy", asbytes=True)


def framed_snappy(content: bytes) -> bytes:
    chunks = [b"\xff\x06\x00\x00sNaPpY"]
    for at in range(0, len(content), 65536):
        packed = b"\0\0\0\0" + raw_snappy(content[at : at + 65536])
        chunks.append(b"\x00" + len(packed).to_bytes(3, "little") + packed)
    return b"".join(chunks)


def hadoop_snappy(content: bytes) -> bytes:
    blocks: list[bytes] = []
    for at in range(0, len(content), 262144):
        block = content[at : at + 262144]
        packed = raw_snappy(block)
        blocks.append(len(block).to_bytes(4, "big") + len(packed).to_bytes(4, "big") + packed)
    return b"".join(blocks)


@pytest.mark.parametrize(
    ("pack", "name", "expected"),
    [
        (gzip.compress, "a.csv.gz", "gzip"),
        (bz2.compress, "a.csv.bz2", "bzip2"),
        (zstd, "a.csv.zst", "zstd"),
        (framed_snappy, "a.csv.snappy", "snappy"),
        (hadoop_snappy, "a.csv.snappy", "snappy"),
    ],
)
@pytest.mark.parametrize("rows", [3, ROWS])
def test_compressed_text(pack: object, name: str, expected: str, rows: int) -> None:
    content = b"".join(TEXT.splitlines(keepends=True)[: rows + 1])
    found = inferred(pack(content), name=name)  # type: ignore[operator]
    assert found.compression == expected
    assert columns(found) == {"id": "bigint", "value": "double"}
    assert abs(found.record_count - rows) <= rows * 0.1


def test_members_of_gzip_follow_each_other() -> None:
    found = inferred(gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"))
    assert found.record_count == 2


@pytest.mark.parametrize("head", [b"\x1f\x8b\x08broken", b"BZh9broken", b"\x28\xb5\x2f\xfdbroken"])
def test_what_cannot_be_unpacked_is_corrupt(head: bytes) -> None:
    with pytest.raises(CorruptFile):
        inferred(head)
