"""JSON bodies: types, wording, and the fast way's equality with the closures."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloche.core.errors import AWSError, SerializationException
from cloche.gateway.protocols import compile_parser, compile_serializer
from cloche.gateway.protocols.faults import ParseError
from cloche.gateway.protocols.json_input import compile_json_decoder, decode_json
from cloche.gateway.protocols.shapes import operation_traits
from cloche.gateway.protocols.typed_json import compile_typed_decoder
from tests.gateway.protocols.wire import REQUEST_ID, Request, as_json, model, structure

SHAPES: dict[str, Any] = {
    "Input": structure(
        text="String",
        number="Integer",
        big="Long",
        real="Double",
        flag="Boolean",
        blob="Blob",
        time="Timestamp",
        iso={"shape": "Timestamp", "timestampFormat": "iso8601"},
        http={"shape": "Timestamp", "timestampFormat": "rfc822"},
        texts="Strings",
        map="StringMap",
        inner="Inner",
        choice="Choice",
        document="Document",
        renamed={"shape": "String", "locationName": "other"},
        sparse="Sparse",
    ),
    "Inner": structure(inner="Inner", name="String"),
    "Choice": {**structure(a="String", b="Integer"), "union": True},
    "Document": {"type": "structure", "members": {}, "document": True},
    "Sparse": {"type": "list", "member": {"shape": "String"}, "sparse": True},
}
OPERATION = model({**SHAPES, "Output": SHAPES["Input"]})
PARSE = compile_parser(OPERATION, "json")
SERIALIZE = compile_serializer(OPERATION, "json")


def parse(body: bytes) -> dict[str, Any]:
    return PARSE(Request(), body)


@pytest.mark.parametrize(
    ("body", "parsed"),
    [
        (b"", {}),
        (b"{}", {}),
        (b'{"unknown":[1],"text":null}', {}),
        (b'{"blob":"Zg=="}', {"blob": b"f"}),
        (
            b'{"number":2147483647,"big":9223372036854775807}',
            {"number": 2**31 - 1, "big": 2**63 - 1},
        ),
        (b'{"number":1.0}', {"number": 1}),
        (b'{"real":1,"flag":true}', {"real": 1.0, "flag": True}),
        (b'{"real":"-Infinity"}', {"real": -math.inf}),
        (b'{"time":1.5}', {"time": datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)}),
        (
            b'{"iso":"2019-12-16T23:48:18.123Z"}',
            {"iso": datetime(2019, 12, 16, 23, 48, 18, 123000, UTC)},
        ),
        (
            b'{"http":"Mon, 16 Dec 2019 23:48:18 GMT"}',
            {"http": datetime(2019, 12, 16, 23, 48, 18, tzinfo=UTC)},
        ),
        (b'{"choice":{"b":1,"a":null,"__type":"x"}}', {"choice": {"b": 1}}),
        (b'{"document":[1,{"a":null}]}', {"document": [1, {"a": None}]}),
        (b'{"other":"x","renamed":"y"}', {"renamed": "x"}),
        (b'{"sparse":["a",null]}', {"sparse": ["a", None]}),
    ],
)
def test_values(body: bytes, parsed: dict[str, Any]) -> None:
    assert parse(body) == parsed


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("text", 1, "NUMBER_VALUE can not be converted to a String"),
        ("text", True, "TRUE_VALUE can not be converted to a String"),
        ("text", ["a"], "Start of list found where not expected"),
        ("text", {}, "Start of structure or map found where not expected."),
        ("number", "1", "STRING_VALUE can not be converted to an Integer"),
        ("number", True, "TRUE_VALUE can not be converted to an Integer"),
        ("number", 1.5, "NUMBER_VALUE can not be converted to an Integer"),
        ("number", 2**31, "Numeric value (2147483648) out of range"),
        ("number", -(2**31) - 1, "Numeric value (-2147483649) out of range"),
        ("big", 2**63, "Numeric value (9223372036854775808) out of range"),
        ("real", "1.5", "STRING_VALUE can not be converted to a Double"),
        ("real", False, "FALSE_VALUE can not be converted to a Double"),
        ("flag", "true", "STRING_VALUE can not be converted to a Boolean"),
        ("flag", 0, "NUMBER_VALUE can not be converted to a Boolean"),
        ("blob", "x", "Invalid base64 in binary value"),
        ("blob", "Zg==\n", "Invalid base64 in binary value"),
        ("blob", "Zm-_", "Invalid base64 in binary value"),
        ("blob", "\u00e4", "Invalid base64 in binary value"),
        ("blob", 1, "NUMBER_VALUE can not be converted to a Blob"),
        (
            "time", "2019-12-16T23:48:18Z",
            "STRING_VALUE can not be converted to milliseconds since epoch",
        ),
        ("time", 1e300, "Timestamp out of range"),
        ("iso", 1576540098, "NUMBER_VALUE can not be converted to a Timestamp"),
        ("iso", "2019-12-16T23:48:18+01:00", "Invalid timestamp: 2019-12-16T23:48:18+01:00"),
        ("iso", "2019-02-30T23:48:18Z", "Invalid timestamp: 2019-02-30T23:48:18Z"),
        ("http", "Mon, 16 Foo 2019", "Invalid timestamp: Mon, 16 Foo 2019"),
        ("http", "Mon, 16 Foo 2019 0:0:0 GMT", "Invalid timestamp: Mon, 16 Foo 2019 0:0:0 GMT"),
        ("texts", "a", "STRING_VALUE can not be converted to a List"),
        ("texts", ["a", None], "NULL_VALUE can not be converted to a String"),
        ("map", {"a": None}, "NULL_VALUE can not be converted to a String"),
        ("map", [], "Start of list found where not expected"),
        ("inner", "a", "STRING_VALUE can not be converted to an Object"),
        ("choice", {}, "Exactly one known member of a union must be set"),
        ("choice", {"a": "x", "b": 1}, "Exactly one known member of a union must be set"),
        ("choice", {"c": 1}, "Exactly one known member of a union must be set"),
    ],
)  # fmt: skip
def test_wrong_values(member: str, value: Any, message: str) -> None:
    with pytest.raises(SerializationException) as raised:
        parse(as_json({member: value}))
    assert raised.value.message == message


@pytest.mark.parametrize(
    "body",
    [b"[]", b"null", b'"a"', b"{", b"{]", b'{"text":"\xff"}', b'{"text":"\\ud800"}', b"{} {}",
     b'{"number":1e999}', b'{"real":NaN}', b"{'text':1}", b'{"text":"a",}', b"\xef\xbb\xbf{}"],
)  # fmt: skip
def test_what_is_no_json_object(body: bytes) -> None:
    with pytest.raises(SerializationException):
        parse(body)


def test_answers() -> None:
    output = {
        "text": "a",
        "number": None,
        "real": math.nan,
        "blob": b"f",
        "time": datetime(2019, 12, 16, 23, 48, 18, 123456, UTC),
        "iso": datetime(2019, 12, 16, 23, 48, 18, tzinfo=UTC),
        "renamed": "x",
        "document": {"a": [None]},
    }
    response = SERIALIZE(output, REQUEST_ID)
    assert response.headers == [("content-type", "application/x-amz-json-1.1")]
    assert isinstance(response.body, bytes)
    assert decode_json(response.body) == {
        "text": "a",
        "real": "NaN",
        "blob": "Zg==",
        "time": 1576540098.123,
        "iso": "2019-12-16T23:48:18Z",
        "other": "x",
        "document": {"a": [None]},
    }


def test_unknown_members_of_answers_are_not_left_out_silently() -> None:
    with pytest.raises(KeyError):
        SERIALIZE({"txt": "a"}, REQUEST_ID)


def test_content_type_of_rest_json() -> None:
    rest = compile_parser(OPERATION, "rest-json")
    for content_type in ("application/json", "application/json; charset=utf-8", ""):
        assert rest(Request(headers={"content-type": content_type}), b'{"text":"a"}') == {
            "text": "a"
        }
    with pytest.raises(AWSError) as raised:
        rest(Request(headers={"content-type": "text/plain"}), b'{"text":"a"}')
    assert (raised.value.status, raised.value.code) == (415, "UnsupportedMediaTypeException")
    with pytest.raises(AWSError) as raised:
        rest(Request(headers={"accept": "text/html, image/png"}), b"{}")
    assert (raised.value.status, raised.value.code) == (406, "NotAcceptableException")


TYPABLE = operation_traits(
    model(
        {
            "Input": structure(
                text="String", number="Integer", real="Double", flag="Boolean", blob="Blob",
                texts="Strings", map="StringMap", items="Items",
            ),
            "Items": {"type": "list", "member": {"shape": "Item"}},
            "Item": structure(blob="Blob", big="Long"),
        }
    )
).input  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "Zg==", "Zg", "Zh==", "NaN", "Infinity", "a", "ä", "Zm9v\n"])
)
MEMBERS = st.sampled_from(
    ["text", "number", "real", "flag", "blob", "texts", "map", "items", "big", "x"]
)
BODIES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.dictionaries(MEMBERS, BODIES, max_size=3))
def test_the_fast_way_equals_the_closures(value: dict[str, Any]) -> None:
    assert TYPABLE is not None
    walk = compile_json_decoder(TYPABLE)
    typed = compile_typed_decoder(TYPABLE, None, walk)
    assert typed is not None
    assert _outcome(typed, as_json(value)) == _outcome(
        lambda body: walk(decode_json(body)), as_json(value)
    )


def _outcome(decode: Any, body: bytes) -> Any:
    try:
        result = decode(body)
    except ParseError as error:
        return error.message
    return repr(result)
