"""The shared protocol vectors, turned round for a server."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import botocore.parsers
import botocore.serialize
from botocore.awsrequest import HeadersDict
from botocore.model import OperationModel, ServiceModel

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "protocols"
REQUEST_ID = "6f1a2b3c-0000-4000-8000-000000000000"
SKIP_REASON = "the shared vectors are not here"


@dataclass
class Case:
    direction: str
    file: str
    number: int
    id: str
    protocol: str
    operation: OperationModel
    vector: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.direction}/{self.file}/{self.number}/{self.id}"

    @property
    def is_error(self) -> bool:
        return "error" in self.vector or "errorCode" in self.vector


@dataclass
class Request:
    raw_path: str
    query_string: str
    headers: dict[str, str]


def cases(direction: str) -> Iterator[Case]:
    for path in sorted((VECTORS / direction).glob("*.json")):
        number = 0
        for suite in json.loads(path.read_text()):
            for vector in suite["cases"]:
                number += 1
                operation = _operation(suite, vector["given"])
                protocol = suite["metadata"]["protocol"]
                yield Case(direction, path.stem, number, vector["id"], protocol, operation, vector)


def _operation(suite: dict[str, Any], given: dict[str, Any]) -> OperationModel:
    metadata = {
        "apiVersion": "2020-01-08",
        "xmlNamespace": "https://example.com/",
        "endpointPrefix": "test",
        "serviceId": "Test",
        "jsonVersion": "1.1",
        "targetPrefix": "Test",
        **suite["metadata"],
    }
    if metadata["protocol"] == "rest-xml":
        del metadata["xmlNamespace"]
    if metadata["protocol"] == "query" and "output" in given:
        wrapper = f"{given['name']}Result"
        given = {**given, "output": {**given["output"], "resultWrapper": wrapper}}
    description = {
        "metadata": metadata,
        "operations": {given["name"]: given},
        "shapes": suite["shapes"],
    }
    return ServiceModel(description, service_name="test").operation_model(given["name"])


def http_request(case: Case) -> tuple[Request, bytes]:
    """The request that a client would have sent."""
    serialized = case.vector["serialized"]
    path, _, query = serialized["uri"].partition("?")
    headers = {name.lower(): value for name, value in serialized.get("headers", {}).items()}
    body = serialized.get("body") or ""
    data = base64.b64decode(body) if case.protocol == "smithy-rpc-v2-cbor" else body.encode()
    return Request(path, query, headers), data


def http_answer(case: Case) -> dict[str, Any]:
    """The answer that the vector holds, as botocore's parsers take it."""
    response = case.vector["response"]
    body = response.get("body") or ""
    data = base64.b64decode(body) if case.protocol == "smithy-rpc-v2-cbor" else body.encode()
    return answer_of(response["status_code"], response.get("headers", {}).items(), data)


def answer_of(status: int, headers: Any, body: bytes) -> dict[str, Any]:
    return {
        "status_code": status,
        "headers": HeadersDict(headers),
        "body": body,
        "context": {"operation_name": "test"},
    }


def client_parse(case: Case, answer: dict[str, Any], shape: Any = None) -> dict[str, Any]:
    parser = botocore.parsers.create_parser(case.protocol)
    return parser.parse(answer, case.operation.output_shape if shape is None else shape)


def client_serialize(case: Case, parameters: dict[str, Any]) -> dict[str, Any]:
    serializer = botocore.serialize.create_serializer(case.protocol, include_validation=False)
    return comparable_request(
        case.protocol, serializer.serialize_to_request(parameters, case.operation)
    )


def comparable_request(protocol: str, request: dict[str, Any]) -> dict[str, Any]:
    """A serialised request without what is free: order, spelling of numbers, one-item lists."""
    body = request["body"]
    if protocol == "smithy-rpc-v2-cbor" and body:
        body = botocore.parsers.create_parser(protocol)._initial_body_parse(body)
    elif isinstance(body, bytes) and protocol in ("json", "rest-json") and body[:1] == b"{":
        body = json.loads(body)
    elif isinstance(body, bytes) and protocol == "rest-xml" and body[:1] == b"<":
        body = _sorted_tree(ElementTree.fromstring(body))  # noqa: S314 - the client's own output
    pairs: list[tuple[str, str]] = []
    for name, value in dict(request["query_string"] or {}).items():
        values = value if isinstance(value, list) else [value]
        pairs += [(name, str(item)) for item in values]
    return {**request, "body": comparable(body), "query_string": sorted(pairs)}


def _sorted_tree(node: ElementTree.Element) -> Any:
    children = sorted((_sorted_tree(child) for child in node), key=repr)
    return node.tag, sorted(node.attrib.items()), node.text or "", children


def comparable(value: Any) -> Any:
    """NaN equal to itself, timestamps as seconds, blobs as bytes, nothing that is null."""
    if isinstance(value, dict):
        return {
            key: comparable(item)
            for key, item in value.items()
            if item is not None and key != "ResponseMetadata"
        }
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def native(shape: Any, value: Any) -> Any:
    """A vector's value as an operation has it: datetimes, bytes and floats."""
    if value is None or shape is None:
        return value
    kind = shape.type_name
    if kind == "structure" and not shape.is_document_type:
        return {
            name: native(shape.members[name], item)
            for name, item in value.items()
            if item is not None and name in shape.members
        }
    if kind == "list":
        return [native(shape.member, item) for item in value]
    if kind == "map":
        return {key: native(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return datetime.fromtimestamp(value, UTC)
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    if kind in ("float", "double"):
        return float(value)
    return value


def as_a_client_gives(case: Case, parsed: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Parameters without what a client adds by itself and what only a server is given.

    A client fills in idempotency tokens. A server puts all query parameters in a map that is
    bound to the query string, a client those that are bound to nothing else.
    """
    shape = case.operation.input_shape
    members = shape.members
    bound = {
        member.serialization.get("name", name)
        for name, member in members.items()
        if member.serialization.get("location") == "querystring" and member.type_name != "map"
    }
    result: dict[str, Any] = {}
    for name, value in parsed.items():
        member = members[name]
        if name not in given and member.metadata.get("idempotencyToken"):
            continue
        if member.serialization.get("location") == "querystring" and member.type_name == "map":
            kept = {key: item for key, item in value.items() if key in given.get(name, bound)}
            value = {key: item for key, item in kept.items() if name in given or key not in bound}
            if not value:
                continue
        result[name] = value
    return result


def client_reading(case: Case, answer: dict[str, Any]) -> Any:
    """What botocore makes of an answer, or why it can't."""
    try:
        parsed = client_parse(case, answer)
    except botocore.parsers.ResponseParserError as error:
        return str(error)
    return comparable(native(case.operation.output_shape, comparable(parsed)))


def compressed_body(case: Case) -> bytes:
    """The body of a vector that only says that it is compressed."""
    serializer = botocore.serialize.create_serializer(case.protocol, include_validation=False)
    parameters = native(case.operation.input_shape, case.vector["params"])
    body = serializer.serialize_to_request(parameters, case.operation)["body"]
    data = urlencode(body).encode() if isinstance(body, dict) else body
    return gzip.compress(data)
