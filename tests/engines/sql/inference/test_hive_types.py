from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.engines.sql.inference.hive_types import (
    Array,
    Map,
    NotAType,
    Struct,
    Type,
    merge,
    parse,
    render,
)

primitives = st.sampled_from(
    ["int", "bigint", "double", "string", "boolean", "decimal(10,2)", "date", "varchar(5)"]
)


def _structs(inner: Any) -> Any:
    names = st.text("abcXYZ_ 1", min_size=1, max_size=5).map(lambda name: name.strip() or "x")
    fields = st.lists(st.tuples(names, inner), min_size=1, max_size=3)
    return fields.map(lambda found: Struct(tuple(dict(found).items())))


types: Any = st.recursive(
    primitives,
    lambda inner: inner.map(Array) | st.builds(Map, primitives, inner) | _structs(inner),
    max_leaves=8,
)


@given(types)
def test_what_is_rendered_is_parsed_again(type_: Type) -> None:
    assert parse(render(type_)) == type_


@given(types, types)
def test_merging_takes_no_side(one: Type, other: Type) -> None:
    def shape(type_: Type) -> Any:
        return parse(render(type_))

    def names(type_: Any) -> Any:
        if isinstance(type_, Struct):
            return {name: names(each) for name, each in type_.fields}
        if isinstance(type_, Array | Map):
            return (type(type_), *map(names, type_))
        return type_

    assert names(shape(merge(one, other))) == names(shape(merge(other, one)))
    assert merge(one, one) == one


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("int", "bigint", "bigint"),
        ("bigint", "double", "double"),
        ("float", "double", "double"),
        ("int", "string", "string"),
        ("boolean", "int", "string"),
        ("date", "timestamp", "timestamp"),
        ("decimal(10,2)", "decimal(5,4)", "decimal(12,4)"),
        ("array<int>", "array<double>", "array<double>"),
        ("struct<a:int>", "struct<b:int>", "struct<a:int,b:int>"),
        ("struct<a:int>", "array<int>", "string"),
    ],
)
def test_merging(one: str, other: str, expected: str) -> None:
    assert render(merge(parse(one), parse(other))) == expected


@pytest.mark.parametrize(
    "text", ["", "array<>", "array<int", "struct<a>", "map<int>", "int>", "x<y>"]
)
def test_what_is_no_type(text: str) -> None:
    with pytest.raises(NotAType):
        parse(text)


@given(st.text("abint<>,:() ", max_size=30))
def test_any_text_is_a_type_or_refused(text: str) -> None:
    try:
        render(parse(text))
    except NotAType:
        return
