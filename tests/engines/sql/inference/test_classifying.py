from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloche.engines.sql.inference.compression import CorruptFile
from tests.engines.sql.inference.files import BytesFile, inferred

BEGINNINGS = [
    b"",
    b"PAR1",
    b"ORC",
    b"Obj\x01",
    b"\x1f\x8b\x08",
    b"BZh9",
    b"\x28\xb5\x2f\xfd",
    b"\xff\x06\x00\x00sNaPpY",
    b"{",
    b"[",
    b"\xef\xbb\xbf",
]


@settings(max_examples=300)
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=100), st.sampled_from(["a", "a.snappy"]))
def test_any_bytes_are_of_a_format_or_corrupt(start: bytes, rest: bytes, name: str) -> None:
    try:
        inferred(start + rest, name=name)
    except CorruptFile:
        return


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert inferred(b"\xef\xbb\xbfid,name\n1,x\n").columns[0].name == "id"


def test_text_that_is_no_utf_8_is_unknown() -> None:
    assert inferred("näme,id\nä,1\n".encode("latin-1")).classification == "UNKNOWN"


def test_a_character_that_the_samples_end_cuts_is_no_error() -> None:
    text = "id,name\n" + "1,é\n" * 300_000
    for shift in range(2):
        assert inferred("x" * shift + text).classification == "csv"


@pytest.mark.parametrize("schema", ["int", {"type": "array", "items": "long"}])
def test_avro_without_a_record(schema: Any) -> None:
    target = io.BytesIO()
    value: Any = 1 if schema == "int" else [1]
    fastavro.writer(target, schema, [value])
    found = inferred(target.getvalue())
    assert [column.name for column in found.columns] == ["value"]


def test_little_is_read_of_what_its_first_bytes_tell() -> None:
    file = BytesFile(b"PAR1" + bytes(5_000_000))
    with pytest.raises(CorruptFile):
        inferred_of(file)
    assert max(file.heads) <= 4


def inferred_of(file: BytesFile) -> Any:
    from cloche.engines.sql.inference.classifying import infer

    return infer(file)
