from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import generate_shapes
import pytest
from botocore.loaders import Loader


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("build")
    generate_shapes.generate(["s3", "lambda", "kinesis", "dynamodb"], target)
    return target / "aws_shapes"


@lru_cache
def statements(stub: Path) -> list[ast.stmt]:
    return ast.parse(stub.read_text(encoding="utf-8")).body


def members(stub: Path, name: str) -> dict[str, str]:
    """Members of a typed dict and their annotations, whichever syntax it has."""
    for node in statements(stub):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return {
                statement.target.id: ast.unparse(statement.annotation)
                for statement in node.body
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
            }
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            assert isinstance(node.value, ast.Call)
            dictionary = node.value.args[1]
            assert isinstance(dictionary, ast.Dict)
            return {
                ast.literal_eval(key): ast.unparse(value)
                for key, value in zip(dictionary.keys, dictionary.values, strict=True)
                if key is not None
            }
    raise AssertionError(f"no {name} in {stub.name}")


def test_every_structure_of_the_model_has_a_typed_dict(stubs: Path) -> None:
    model = Loader().load_service_model("s3", "service-2")
    structures = {name for name, shape in model["shapes"].items() if shape["type"] == "structure"}
    for name in structures:
        assert set(members(stubs / "s3.pyi", name)) == set(model["shapes"][name]["members"])


def test_required_members_and_types_follow_the_model(stubs: Path) -> None:
    request = members(stubs / "s3.pyi", "PutObjectRequest")
    assert request["Bucket"] == "str"
    assert request["Metadata"] == "typing.NotRequired[dict[str, str]]"
    assert request["Expires"] == "typing.NotRequired[datetime.datetime]"
    assert request["ContentLength"] == "typing.NotRequired[int]"


def test_streams_differ_by_direction(stubs: Path) -> None:
    assert "RequestBody" in members(stubs / "s3.pyi", "PutObjectRequest")["Body"]
    assert "ResponseBody" in members(stubs / "s3.pyi", "GetObjectOutput")["Body"]
    events = members(stubs / "kinesis.pyi", "SubscribeToShardOutput")["EventStream"]
    assert events == "typing.AsyncIterator[SubscribeToShardEventStream]"


def test_recursive_shapes_and_keyword_modules_are_written(stubs: Path) -> None:
    value = members(stubs / "dynamodb.pyi", "AttributeValue")
    assert value["L"] == "typing.NotRequired[list[AttributeValue]]"
    assert value["B"] == "typing.NotRequired[bytes]"
    assert (stubs / "lambda_.pyi").exists()


def test_a_member_named_as_a_keyword_gets_the_functional_syntax() -> None:
    model = {
        "operations": {},
        "shapes": {
            "Range": {
                "type": "structure",
                "members": {"from": {"shape": "Text"}, "list": {"shape": "Anything"}},
                "required": ["from"],
            },
            "Text": {"type": "string"},
            "Anything": {"type": "structure", "members": {}, "document": True},
        },
    }
    text = generate_shapes.Writer("example", model).text()
    assert (
        'Range = typing.TypedDict("Range", '
        '{"from": str, "list": typing.NotRequired[typing.Any]})' in text
    )
    assert "class Anything" not in text


def test_folder_names_and_service_names_match() -> None:
    for service in ("s3", "redshift-data", "lambda"):
        assert generate_shapes.service_name(generate_shapes.module_name(service)) == service
