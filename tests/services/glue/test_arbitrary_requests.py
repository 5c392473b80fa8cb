"""Arbitrary requests of the model's shapes: done, or refused with one of AWS's errors."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloche.core.dispatch import load_service
from tests.live_server import LiveServer

ROUNDS = 40
DATABASE = "database"

# Texts by members' names; others get any of `ANY`.
TEXTS = {
    "CatalogId": ["000000000000", "000000000000", "111111111111", "x"],
    "DatabaseName": [DATABASE, DATABASE, DATABASE, "other", "Database"],
    "TableName": ["t", "t", "T", "u"],
    "Name": ["t", "u", DATABASE, "int"],
    "Type": ["int", "string", "date", "array<int>", ""],
    "Expression": ["a = 1", "a = 'x' or b > 2", "*", "(", "t.*", "a in ('1')"],
    "VersionId": ["0", "1", "2", "x"],
    "ResourceArn": ["arn:aws:glue:us-east-1:000000000000:database/database", "arn:aws:glue:x:y:z"],
    "PolicyInJson": ["{}", '{"Version": "2012-10-17", "Statement": []}'],
    "NextToken": ["", "AAAA", "w6Q=", "?"],
}
ANY = ["a", "b", "1", "2013-01-09", "ä/😀", "s3://lake/x", " ", "x" * 300]


class Maker:
    """Makes values of shapes."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def value(self, shape: Any, name: str = "", depth: int = 0) -> Any:
        match shape.type_name:
            case "structure":
                return self._structure(shape, depth)
            case "list":
                count = self._random.choice([0, 1, 1, 2, 2, 3])
                return [self.value(shape.member, name, depth + 1) for _ in range(count)]
            case "map":
                count = self._random.choice([0, 1, 2])
                pairs = ((self.value(shape.key), self.value(shape.value)) for _ in range(count))
                return dict(pairs)
            case "string":
                return self._random.choice(shape.enum or TEXTS.get(name) or ANY)
            case "boolean":
                return self._random.random() < 0.3
            case "integer" | "long":
                return self._random.choice([0, 1, 2, 5, 100])
            case "double" | "float":
                return self._random.choice([0.0, -1.5])
            case "timestamp":
                return datetime.fromtimestamp(self._random.choice([0, 1_700_000_000]), UTC)
            case _:
                return b"\x00\xff"

    def _structure(self, shape: Any, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, member in shape.members.items():
            is_required = name in shape.required_members
            if is_required or (depth < 5 and self._random.random() < 0.35):
                made[name] = self.value(member, name, depth + 1)
        return made


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    live = LiveServer(tmp_path_factory.mktemp("arbitrary")).start()
    yield live.client("glue", parameter_validation=False)
    live.stop()


def operations() -> list[str]:
    service = load_service("glue")
    assert service is not None
    return sorted(service.operations)


@pytest.mark.parametrize("operation", operations())
def test_arbitrary_requests_are_done_or_refused(glue: Any, operation: str) -> None:
    keys = [{"Name": "a", "Type": "int"}, {"Name": "b", "Type": "string"}]
    wire_names = {name: python for python, name in glue.meta.method_to_api_mapping.items()}
    call = getattr(glue, wire_names[operation])
    shape = glue.meta.service_model.operation_model(operation).input_shape
    for seed in range(ROUNDS):
        # What the requests before have dropped is there again.
        for create in (
            lambda: glue.create_database(DatabaseInput={"Name": DATABASE}),
            lambda: glue.create_table(
                DatabaseName=DATABASE, TableInput={"Name": "t", "PartitionKeys": keys}
            ),
        ):
            if seed % 10 == 0:
                tolerated(create)
        request = Maker(seed).value(shape)
        code = tolerated(lambda request=request: call(**request))
        assert code not in ("InternalFailure", "500"), request


def tolerated(call: Any) -> str:
    """The code with which a call is refused, if it is."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""
