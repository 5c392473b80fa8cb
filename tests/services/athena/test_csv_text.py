from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloche.services.athena.csv_text import Row, decode_rows, encode_row, encode_rows

VALUES = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ROWS = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(VALUES, min_size=width, max_size=width), max_size=8)
)


@given(ROWS)
def test_rows_are_read_back(rows: list[Row]) -> None:
    text = b"".join(map(encode_row, rows))
    assert decode_rows(text, 1000, is_end=True) == (rows, len(text))


@given(ROWS.filter(bool))
def test_columns_are_written_as_rows(rows: list[Row]) -> None:
    assert encode_rows(list(zip(*rows, strict=True))) == b"".join(map(encode_row, rows))


@given(ROWS, st.integers(0, 60))
def test_a_row_that_is_cut_is_left_for_later(rows: list[Row], cut: int) -> None:
    text = b"".join(map(encode_row, rows))
    first, taken = decode_rows(text[:cut], 1000, is_end=cut >= len(text))
    rest, _ = decode_rows(text[taken:], 1000, is_end=True)
    assert first + rest == rows


@given(ROWS, st.integers(1, 3))
def test_pages_are_the_whole(rows: list[Row], limit: int) -> None:
    text = b"".join(map(encode_row, rows))
    found: list[Row] = []
    position = 0
    while position < len(text):
        page, taken = decode_rows(text[position:], limit, is_end=True)
        assert 0 < len(page) <= limit
        found += page
        position += taken
    assert found == rows
