"""Constraints of the model, in AWS's words."""

from __future__ import annotations

from typing import Any

import pytest

from cloche.core.errors import AWSError
from cloche.gateway.protocols import compile_validator
from cloche.gateway.protocols.patterns import compile_pattern
from cloche.gateway.service_models import service_model
from tests.gateway.protocols.wire import model, structure

SHAPES: dict[str, Any] = {
    "Input": {
        **structure(
            Name="Name", Size="Size", Mode="Mode", Data="Data", Names="Names", Tags="Tags",
            Items="Items", ByName="ByName", Secret="Secret", Node="Node", Secrets="Secrets",
        ),
        "required": ["Name"],
    },
    "Name": {"type": "string", "min": 1, "max": 4, "pattern": "[a-z]*"},
    "Size": {"type": "integer", "min": 1, "max": 10},
    "Mode": {"type": "string", "enum": ["ON", "OFF"]},
    "Data": {"type": "blob", "max": 2},
    "Names": {"type": "list", "member": {"shape": "Name"}, "max": 2},
    "Tags": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Mode"}},
    "Items": {"type": "list", "member": {"shape": "Item"}},
    "ByName": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "Item"}},
    "Item": {**structure(Key="Name"), "required": ["Key"]},
    "Secret": {"type": "string", "max": 1, "sensitive": True},
    "Secrets": {"type": "list", "member": {"shape": "Secret"}},
    "Node": structure(Name="Name", Next="Node"),
}  # fmt: skip
LENGTHS = "Member must have length less than or equal to 4, Member must have length greater than or"
NAME = f"{LENGTHS} equal to 1, Member must satisfy regular expression pattern: [a-z]*"


def failures(request: dict[str, Any], service: str = "", name: str = "") -> str:
    operation = service_model(service).operation_model(name) if service else model(SHAPES)
    validate = compile_validator(operation, "json")
    assert validate is not None
    with pytest.raises(AWSError) as raised:
        validate(request)
    assert raised.value.code == "ValidationException"
    return raised.value.message


@pytest.mark.parametrize(
    ("request_", "failure"),
    [
        ({}, "Value null at 'name' failed to satisfy constraint: Member must not be null"),
        (
            {"Name": "abcde"},
            "Value 'abcde' at 'name' failed to satisfy constraint: "
            "Member must have length less than or equal to 4",
        ),
        (
            {"Name": "A"},
            "Value 'A' at 'name' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-z]*",
        ),
        (
            {"Size": 11},
            "Value '11' at 'size' failed to satisfy constraint: "
            "Member must have value less than or equal to 10",
        ),
        (
            {"Mode": "on"},
            "Value 'on' at 'mode' failed to satisfy constraint: "
            "Member must satisfy enum value set: [ON, OFF]",
        ),
        (
            {"Data": b"abc"},
            "Value 'java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]' at 'data' failed to satisfy "
            "constraint: Member must have length less than or equal to 2",
        ),
        (
            {"Names": ["a", "b", "c"]},
            "Value '[a, b, c]' at 'names' failed to satisfy constraint: "
            "Member must have length less than or equal to 2",
        ),
        (
            {"Names": ["A"]},
            f"Value '[A]' at 'names' failed to satisfy constraint: "
            f"Member must satisfy constraint: [{NAME}]",
        ),
        (
            {"Tags": {"A": "ON"}},
            f"Value '{{A=ON}}' at 'tags' failed to satisfy constraint: "
            f"Map keys must satisfy constraint: [{NAME}]",
        ),
        (
            {"Tags": {"a": "on"}},
            "Value '{a=on}' at 'tags' failed to satisfy constraint: Map value must satisfy "
            "constraint: [Member must satisfy enum value set: [ON, OFF]]",
        ),
        (
            {"Items": [{"Key": "a"}, {}]},
            "Value null at 'items.2.member.key' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            {"ByName": {"x": {}}},
            "Value null at 'byName.x.member.key' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            {"Node": {"Next": {"Next": {"Name": "A"}}}},
            "Value 'A' at 'node.next.next.name' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-z]*",
        ),
        (
            {"Secret": "hunter2"},
            "Value at 'secret' failed to satisfy constraint: "
            "Member must have length less than or equal to 1",
        ),
        (
            {"Secrets": ["hunter2"]},
            "Value at 'secrets' failed to satisfy constraint: Member must satisfy constraint: "
            "[Member must have length less than or equal to 1]",
        ),
    ],
)
def test_wording(request_: dict[str, Any], failure: str) -> None:
    given = {"Name": "a", **request_} if request_ else {}
    assert failures(given) == f"1 validation error detected: {failure}"


def test_all_that_is_wrong_is_said_at_once() -> None:
    message = failures({"Name": "ABCDE", "Size": 0})
    assert message.startswith("3 validation errors detected: Value 'ABCDE' at 'name'")
    assert message.count("; Value ") == 2


def test_what_kinesis_says() -> None:
    assert failures({"StreamName": "a b", "ShardCount": 1}, "kinesis", "CreateStream") == (
        "1 validation error detected: Value 'a b' at 'streamName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    )


def test_what_satisfies_passes() -> None:
    validate = compile_validator(model(SHAPES), "json")
    assert validate is not None
    validate(
        {
            "Name": "a",
            "Size": 10,
            "Mode": "OFF",
            "Names": ["a", None],
            "Tags": {"a": "ON"},
            "Node": {"Next": {}},
        }
    )


def test_errors_by_service_and_protocol() -> None:
    for service, name, protocol, code in (
        ("iam", "CreateUser", "query", "ValidationError"),
        ("logs", "CreateLogGroup", "json", "InvalidParameterException"),
        ("cloudwatch", "PutDashboard", "query", "ValidationError"),
        ("cloudwatch", "PutDashboard", "json", "ValidationException"),
    ):
        operation: Any = service_model(service).operation_model(name)
        protocol_name: Any = protocol
        validate = compile_validator(operation, protocol_name)
        assert validate is not None
        with pytest.raises(AWSError) as raised:
            validate({})
        assert raised.value.code == code


def test_s3_checks_for_itself() -> None:
    assert compile_validator(service_model("s3").operation_model("PutObject"), "rest-xml") is None


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("[a-z]+", "abc\n", False),
        ("^[a-z]+$", "abc\n", False),
        ("^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "my_model", False),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*", "a\U0001f600\n", True),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "ä 1", True),
        (r"[\p{Print}&&[^|:/]]+", "a|b", False),
        (r"[\x{61}]+", "aa", True),
    ],
)
def test_patterns(pattern: str, text: str, matches: bool) -> None:
    satisfies = compile_pattern(pattern)
    assert satisfies is not None
    assert satisfies(text) is matches


def test_patterns_that_do_not_end_are_stopped() -> None:
    satisfies = compile_pattern("(a|a)*b")
    assert satisfies is not None
    assert satisfies("a" * 4000) is False


def test_patterns_that_python_cannot_read_are_left_out() -> None:
    assert compile_pattern(r"[\p{all}]*") is None
