from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.engines.sql.inference.csv_format import (
    LAZY_SIMPLE_SERDE,
    OPEN_CSV_SERDE,
    CSVOptions,
)
from tests.engines.sql.inference.files import columns, inferred


@pytest.mark.parametrize("delimiter", [",", "|", "\t", ";", "\x01"])
def test_delimiter_header_and_types(delimiter: str) -> None:
    text = "ID,Name,Score,Active,Day\n1,a,1.5,true,2024-01-01\n2,b,2,false,2024-01-02\n"
    found = inferred(text.replace(",", delimiter))
    assert found.classification == "csv"
    assert columns(found) == {
        "id": "bigint",
        "name": "string",
        "score": "double",
        "active": "boolean",
        "day": "string",
    }
    assert found.serde == LAZY_SIMPLE_SERDE
    assert found.serde_parameters == {"field.delim": delimiter}
    assert found.parameters["delimiter"] == delimiter
    assert found.parameters["skip.header.line.count"] == "1"
    assert found.parameters["areColumnsQuoted"] == "false"
    assert found.record_count == 2


def test_a_first_row_like_the_others_is_no_header() -> None:
    found = inferred("a,b\nc,d\ne,f\n")
    assert columns(found) == {"col0": "string", "col1": "string"}
    assert "skip.header.line.count" not in found.parameters
    assert found.record_count == 3


def test_a_first_row_with_a_number_is_no_header() -> None:
    assert columns(inferred("a,1\nb,2\n")) == {"col0": "string", "col1": "bigint"}


def test_a_header_cell_of_150_characters_is_none() -> None:
    assert "skip.header.line.count" not in inferred(f"{'a' * 150},b\n1,2\n").parameters
    assert "skip.header.line.count" in inferred(f"{'a' * 149},b\n1,2\n").parameters


def test_a_trailing_delimiter_leaves_an_empty_last_column() -> None:
    found = inferred("a,b,\n1,2,\n3,4,\n")
    assert columns(found) == {"a": "bigint", "b": "bigint", "col2": "string"}


def test_empty_cells_have_any_type() -> None:
    assert columns(inferred("a,b,c\n1,,x\n,2.5,\n")) == {
        "a": "bigint",
        "b": "double",
        "c": "string",
    }


def test_quoted_cells_are_read_with_open_csv() -> None:
    found = inferred('id,text\n1,"a, ""b"""\n2,"c"\n')
    assert columns(found) == {"id": "bigint", "text": "string"}
    assert found.serde == OPEN_CSV_SERDE
    assert found.serde_parameters == {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\\"}
    assert found.parameters["areColumnsQuoted"] == "true"


def test_open_csv_cannot_read_empty_numbers() -> None:
    assert columns(inferred('id,n,text\n1,,"a"\n2,3,"b"\n')) == {
        "id": "bigint",
        "n": "string",
        "text": "string",
    }


def test_numbers_beyond_64_bits_are_double() -> None:
    text = f"a,b\n{2**63 - 1},{2**63}\n"
    assert columns(inferred(text)) == {"a": "bigint", "b": "double"}


@pytest.mark.parametrize("text", ["one line, two cells", "a\nb\nc\n", "", "x, y\nno\nno\nno\n"])
def test_what_is_no_csv(text: str) -> None:
    assert inferred(text).classification == "UNKNOWN"


def test_a_header_that_a_classifier_gives() -> None:
    options = CSVOptions(header=("When", "What"), contains_header="ABSENT", is_custom=True)
    found = inferred("1,2\n3,4\n", options)
    assert columns(found) == {"when": "bigint", "what": "bigint"}
    assert "skip.header.line.count" not in found.parameters


def test_a_header_that_a_classifier_gives_is_found_in_the_file() -> None:
    options = CSVOptions(header=("a", "b"), is_custom=True)
    found = inferred("A,B\nx,y\n", options)
    assert columns(found) == {"a": "string", "b": "string"}
    assert found.parameters["skip.header.line.count"] == "1"


def test_a_header_of_another_width_does_not_fit() -> None:
    options = CSVOptions(header=("a", "b", "c"), is_custom=True)
    assert columns(inferred("x,y\n1,2\n", options)) == {"x": "bigint", "y": "bigint"}  # built-in


def test_options_of_a_classifier() -> None:
    options = CSVOptions(
        delimiter="^",
        quote="'",
        contains_header="PRESENT",
        types=("timestamp",),
        serde="LazySimpleSerDe",
        is_custom=True,
    )
    found = inferred("t^v\n2024-01-01^'x^y'\n", options)
    assert columns(found) == {"t": "timestamp", "v": "string"}
    assert found.serde == LAZY_SIMPLE_SERDE


def test_a_single_column_has_to_be_allowed() -> None:
    assert inferred("a\n1\n2\n", CSVOptions(is_custom=True)).classification == "UNKNOWN"
    allowed = CSVOptions(allows_single_column=True, is_custom=True)
    assert columns(inferred("a\n1\n2\n", allowed)) == {"a": "bigint"}


def test_the_records_of_a_large_file_are_estimated() -> None:
    rows = "".join(f"{number:08d},{number:08d}\n" for number in range(200_000))
    found = inferred(rows)
    assert abs(found.record_count - 200_000) < 1000


names = st.text("abcdefgh_ é", min_size=1, max_size=10).filter(lambda name: name.strip())


@given(
    header=st.lists(names, min_size=2, max_size=5, unique_by=lambda name: name.strip().lower()),
    rows=st.integers(1, 5),
    delimiter=st.sampled_from([",", "|", "\t", ";"]),
)
def test_what_csv_writes_is_found_again(header: list[str], rows: int, delimiter: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([[number] * len(header) for number in range(rows)])
    found = inferred(text.getvalue())
    assert [column.name for column in found.columns] == [name.strip().lower() for name in header]
    assert {column.type for column in found.columns} == {"bigint"}
    assert found.record_count == rows


@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    inferred(text.encode(errors="ignore"))
