from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.core.tables import is_storable
from cloche.services.glue.errors import InvalidInputException
from cloche.services.glue.keys import key_of, prefix_of

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
pairs = st.tuples(texts, texts)


@given(pairs, pairs)
def test_keys_are_ordered_as_their_parts_and_none_is_taken_for_another(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    keys = sorted((key_of(*one).encode(), key_of(*other).encode()))
    parts = sorted((one, other), key=lambda pair: [part.encode() for part in pair])
    assert keys == [key_of(*pair).encode() for pair in parts]
    assert (key_of(*one) == key_of(*other)) == (one == other)


@given(pairs, texts)
def test_prefix_is_of_the_keys_that_have_these_parts_first_and_no_others(
    pair: tuple[str, str], first: str
) -> None:
    assert key_of(*pair).startswith(prefix_of(first)) == (pair[0] == first)


@given(texts, texts, st.integers(1, 3000))
def test_keys_are_storable_whatever_their_length(one: str, other: str, length: int) -> None:
    long = "ä" * length
    keys = {key_of("id", long, one), key_of("id", long, other), key_of("id", long + "a", one)}
    assert len(keys) == (3 if one != other else 2)
    assert all(is_storable(key) for key in keys)
    assert all(key.startswith(prefix_of("id", long)) for key in keys if long + "a" not in key)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidInputException):
        key_of("id", "\ud800")
