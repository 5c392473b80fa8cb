from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.engines.sql.inference.classifying import infer
from cloche.engines.sql.inference.json_paths import NotAJsonPath, parse_json_path
from tests.engines.sql.inference.files import BytesFile, columns, inferred


def test_lines_of_objects() -> None:
    found = inferred(
        '{"id": 1, "Name": "a", "at": 3000000000}\n{"id": 2, "x": 1.5, "ok": true, "n": null}\n'
    )
    assert found.classification == "json"
    assert columns(found) == {
        "id": "int",
        "name": "string",
        "at": "bigint",
        "x": "double",
        "ok": "boolean",
        "n": "string",
    }
    assert found.serde_parameters == {"paths": "Name,at,id,n,ok,x"}
    assert found.record_count == 2


def test_names_that_differ_in_case_are_one_column() -> None:
    found = inferred('{"Id": 1, "Name": "x"}\n{"id": 2.5, "name": "y"}\n{"ID": 3, "n": 1}\n')
    assert columns(found) == {"id": "double", "name": "string", "n": "int"}
    assert found.serde_parameters == {"paths": "Id,Name,n"}
    nested = inferred('{"o": [{"A": 1}]}\n{"o": [{"a": 2.5, "b": {"C": 1, "c": "x"}}]}\n')
    assert columns(nested) == {"o": "array<struct<A:double,b:struct<C:string>>>"}


def test_nested_values_are_merged() -> None:
    found = inferred(
        '{"a": {"b": 1, "c": [1, 2.5]}, "d": []}\n{"a": {"b": 5000000000, "e": [{"f": 1}]}}\n'
        '{"d": [{"g": "x"}, {"h": false}]}'
    )
    assert columns(found) == {
        "a": "struct<b:bigint,c:array<double>,e:array<struct<f:int>>>",
        "d": "array<struct<g:string,h:boolean>>",
    }


def test_values_of_no_common_type_are_strings() -> None:
    assert columns(inferred('{"a": 1, "b": {"c": 1}}{"a": "x", "b": [1]}')) == {
        "a": "string",
        "b": "string",
    }


def test_names_that_no_type_can_have() -> None:
    found = inferred('{"a:b": 1, "c": {"x,y": 1}, "d": {}, "e": [{"": 1}]}')
    assert columns(found) == {"a:b": "int", "c": "string", "d": "string", "e": "array<string>"}


def test_an_object_over_several_lines() -> None:
    assert columns(inferred(json.dumps({"a": {"b": [1]}}, indent=2))) == {
        "a": "struct<b:array<int>>"
    }


def test_an_array_at_the_top_is_one_column() -> None:
    assert columns(inferred('[{"a": 1}, {"a": 2, "b": "x"}]')) == {
        "array": "array<struct<a:int,b:string>>"
    }


def test_a_path_into_an_array_at_the_top() -> None:
    found = inferred('[{"a": 1}, {"a": 2, "b": "x"}]', parse_json_path("$[*]"))
    assert columns(found) == {"a": "int", "b": "string"}
    assert found.parameters["jsonPath"] == "$[*]"
    assert found.record_count == 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$.records", {"a": "int"}),
        ("$.records[*]", {"a": "int"}),
        ("$['records'][1]", {"a": "int"}),
        ("$.other.b", {"b": "string"}),
        ("$.other", {"b": "string", "c": "int"}),
        ("$.*.c", {"c": "int"}),
    ],
)
def test_paths(path: str, expected: dict[str, str]) -> None:
    document = '{"records": [{"a": 1}, {"a": 2}], "other": {"b": "x", "c": 3}}'
    assert columns(inferred(document, parse_json_path(path))) == expected


@pytest.mark.parametrize("path", ["", "records", "$.", "$..a", "$[", "$[a]", "$.a b", "$[?(@.x)]"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(NotAJsonPath):
        parse_json_path(path)


@pytest.mark.parametrize(
    "text",
    ['{"a": 1', '{"a": 1}\n{"a" 2}\n', "[1, 2", '{"a": NaN}', "{}", "[" * 5000, '{"a": 1} x'],
)
def test_what_is_no_json(text: str) -> None:
    assert inferred(text).classification == "UNKNOWN"


def test_more_is_read_where_the_first_object_is_large() -> None:
    records = [{"number": number, "text": "x" * 1000} for number in range(3000)]
    file = BytesFile(json.dumps({"Records": records}).encode())
    assert columns(infer(file)) == {"records": "array<struct<number:int,text:string>>"}
    assert max(file.heads) == 16 * 1024 * 1024


def test_a_large_file_is_known_by_its_beginning() -> None:
    lines = "".join(f'{{"n": {number:07d}1}}\n'.replace(": 0", ": 1") for number in range(200_000))
    file = BytesFile(lines.encode())
    found = infer(file)
    assert columns(found) == {"n": "int"}
    assert max(file.heads) == 1024 * 1024
    assert abs(found.record_count - 200_000) < 2000


values: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc:<>, "), inner),
    max_leaves=10,
)
records = st.lists(
    st.dictionaries(st.text("abcd", min_size=1, max_size=3), values, min_size=1), min_size=1
)


@given(records)
def test_any_records_are_json(found: list[dict[str, Any]]) -> None:
    text = "\n".join(json.dumps(record) for record in found)
    answer = inferred(text)
    assert answer.classification == "json"
    assert answer.record_count == len(found)
    assert {column.name for column in answer.columns} == {name for each in found for name in each}
