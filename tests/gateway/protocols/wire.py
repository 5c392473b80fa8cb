"""What the protocols' tests share: small models, requests, values of shapes, AWS's client."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import botocore.parsers
import botocore.serialize
from botocore.awsrequest import HeadersDict
from botocore.model import OperationModel, ServiceModel
from hypothesis import strategies as st

from cloche.gateway.http.messages import Response

REQUEST_ID = "6f1a2b3c-0000-4000-8000-000000000000"


@dataclass
class Request:
    raw_path: str = "/"
    query_string: str = ""
    headers: dict[str, str] = field(default_factory=dict[str, str])


def model(shapes: dict[str, Any], *, protocol: str = "json", **operation: Any) -> OperationModel:
    """An operation `Do` from the shape `Input` to `Output`, as far as there are any."""
    description = {
        "metadata": {
            "protocol": protocol,
            "protocols": [protocol],
            "apiVersion": "2020-01-01",
            "endpointPrefix": "test",
            "jsonVersion": "1.1",
            "targetPrefix": "Test",
            "xmlNamespace": "https://example.com/",
            "serviceId": operation.pop("service_id", "Test"),
        },
        "operations": {
            "Do": {
                "name": "Do",
                "http": {"method": "POST", "requestUri": "/"},
                **({"input": {"shape": "Input"}} if "Input" in shapes else {}),
                **({"output": {"shape": "Output"}} if "Output" in shapes else {}),
                **operation,
            }
        },
        "shapes": {
            "String": {"type": "string"},
            "Integer": {"type": "integer"},
            "Long": {"type": "long"},
            "Double": {"type": "double"},
            "Boolean": {"type": "boolean"},
            "Blob": {"type": "blob"},
            "Timestamp": {"type": "timestamp"},
            "Strings": {"type": "list", "member": {"shape": "String"}},
            "StringMap": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "String"}},
            **shapes,
        },
    }
    return ServiceModel(description, service_name="test").operation_model("Do")


def structure(**members: Any) -> dict[str, Any]:
    """A structure; a member is the name of its shape, or a reference with traits."""
    return {
        "type": "structure",
        "members": {
            name: {"shape": member} if isinstance(member, str) else member
            for name, member in members.items()
        },
    }


def client_request(
    operation: OperationModel, protocol: str, parameters: dict[str, Any]
) -> tuple[Request, bytes]:
    """The request that AWS's client makes of parameters."""
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    made = serializer.serialize_to_request(parameters, operation)
    path, _, fixed = made["url_path"].partition("?")
    query = urlencode(made["query_string"] or {}, doseq=True)
    body = made["body"]
    data = urlencode(body).encode() if isinstance(body, dict) else body
    headers = {name.lower(): str(value) for name, value in made["headers"].items()}
    return Request(path, "&".join(filter(None, (fixed, query))), headers), data


def client_answer(operation: OperationModel, protocol: str, response: Response) -> dict[str, Any]:
    """What AWS's client makes of an answer."""
    assert isinstance(response.body, bytes)
    answer = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": response.body,
        "context": {"operation_name": operation.name},
    }
    shape = operation.output_shape if response.status < 300 else None
    parsed = botocore.parsers.create_parser(protocol).parse(answer, shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


PLAIN_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=8
)
KEYS = st.text(st.characters(codec="ascii", categories=("Ll", "Nd")), min_size=1, max_size=6)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(
    lambda value: value.replace(microsecond=0, tzinfo=UTC)
)
_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": PLAIN_TEXT,
    "character": PLAIN_TEXT,
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "blob": st.binary(max_size=8),
    "timestamp": TIMES,
}


def values(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a botocore shape."""
    if shape.type_name == "structure":
        return _structures(shape, depth)
    if shape.type_name == "list":
        return st.lists(values(shape.member, depth + 1), min_size=1, max_size=2)
    if shape.type_name == "map":
        return st.dictionaries(KEYS, values(shape.value, depth + 1), min_size=1, max_size=2)
    enum = shape.metadata.get("enum")
    if enum:
        return st.sampled_from(enum)
    location = shape.serialization.get("location")
    if shape.type_name == "string" and (location or shape.metadata.get("idempotencyToken")):
        return KEYS
    return _SCALARS[shape.type_name]


def _structures(shape: Any, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    members = {
        name: member
        for name, member in shape.members.items()
        if depth < 4 or name in shape.metadata.get("required", [])
    }
    if shape.metadata.get("union"):
        return st.sampled_from(sorted(shape.members)).flatmap(
            lambda name: values(shape.members[name], depth + 1).map(lambda value: {name: value})
        )
    always = {
        name
        for name, member in members.items()
        if member.serialization.get("location") == "uri"
        or name in shape.metadata.get("required", [])
    }
    # A few members of the many that some structures have, so that examples stay small.
    return (
        st.sets(st.sampled_from(sorted(members)), max_size=4).flatmap(
            lambda chosen: st.fixed_dictionaries(
                {name: values(members[name], depth + 1) for name in sorted(chosen | always)}
            )
        )
        if members
        else st.just({})
    )
