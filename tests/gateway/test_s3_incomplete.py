"""Each of S3's operations without what it needs, and with what it cannot use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloche.gateway.service_models import service_model
from tests.gateway.asking import Asker
from tests.live_server import LiveServer

MODEL = service_model("s3")
BUCKET = "incomplete"
NONSENSE = b"""
    <Rule/><Rules/><Object/><Part/><TagSet><Tag/></TagSet><CORSRule/><QueueConfiguration/>
    <AccessControlList><Grant/></AccessControlList><Owner/><Status/><LocationConstraint/>
"""
POLICIES = [
    b"{}",
    b"[]",
    b"null",
    b'{"Statement": 1}',
    b'{"Statement": [1]}',
    b'{"Statement": [{"Effect": "Allow", "Principal": 5, "Action": 7, "Resource": {}}]}',
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path_factory.mktemp("incomplete")).start()
    yield server
    server.stop()


@pytest.fixture
def asker(live: LiveServer) -> Asker:
    s3 = live.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"content")
    return Asker(live)


def members(operation: Any, location: str) -> dict[str, Any]:
    """Members of an operation's input that stand there, by their names there."""
    shape = operation.input_shape
    return {
        member.serialization["name"]: member
        for member in (shape.members.values() if shape else ())
        if member.serialization.get("location") == location
    }


def root_name(operation: Any) -> str:
    """Name of the document that an operation takes."""
    shape = operation.input_shape
    payload = shape.serialization.get("payload") if shape else None
    return shape.members[payload].serialization.get("name", payload) if payload else "None"


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_operation_refuses_and_does_not_fail(asker: Asker, name: str) -> None:
    operation: Any = MODEL.operation_model(name)
    uri = operation.http["requestUri"].replace("{Bucket}", BUCKET).replace("{Key+}", "key")
    root = root_name(operation).encode()
    bodies = [b"", b"<a/>", b"<%b/>" % root, b"<%b>%b</%b>" % (root, NONSENSE, root), *POLICIES]
    if operation.http["method"] not in ("PUT", "POST"):
        bodies = [b""]
    numbers = "&".join(f"{each}=1" for each in members(operation, "querystring"))
    everything = (uri + ("&" if "?" in uri else "?") + numbers).rstrip("&?")
    ones = dict.fromkeys(members(operation, "header").keys() - {"Content-Length"}, "1")
    for body in bodies:  # the asker refuses answers of 500
        asker.ask_signed("s3", operation.http["method"], uri, {}, body)
        asker.ask_signed("s3", operation.http["method"], everything, {}, body)
        asker.ask_signed("s3", operation.http["method"], uri, ones, body)
