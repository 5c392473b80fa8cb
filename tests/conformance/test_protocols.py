"""AWS's protocol tests (`../shared/vectors/protocols`, see its NOTICE), turned round for a server.

Input: the request of a vector is parsed; what comes out must be the vector's parameters, or must
be what AWS's client turns into the very same request again. Output: the vector's result is
serialised and read by AWS's client, which must give the result back; where the client can't read
even the vector's own answer, it must make the same of ours. Errors: the vector's error is raised,
serialised and read by the client, which must give its code, message and members.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

import botocore.parsers
import pytest

from cloche.core.errors import AWSError
from cloche.gateway.protocols import compile_parser, compile_serializer, serialize_error
from tests.conformance import protocol_cases as vectors
from tests.conformance.protocol_cases import Case, comparable

pytestmark = pytest.mark.skipif(not vectors.VECTORS.is_dir(), reason=vectors.SKIP_REASON)

GOAL = 620
"""Of the 682 inputs and outputs, 637 of which can be turned round by the client alone."""

KNOWN_FAILURES: dict[str, str] = {}
"""Name of a case → why it fails. One that passes must be taken out."""

CLIENT_ERRS = {"RestJsonQueryPrecedence", "RestXmlQueryPrecedence"}
"""Where the client lets a map win over a member for the same query parameter, against the vector;
what is parsed must then give the vector's own query string again."""


def parses_input(case: Case) -> bool:
    operation, shape = case.operation, case.operation.input_shape
    request, body = vectors.http_request(case)
    if case.vector["serialized"].get("body") is None:
        body = vectors.compressed_body(case)
    parsed = compile_parser(operation, case.protocol)(request, body)
    if shape is None:
        return parsed == {}
    given = vectors.native(shape, case.vector["params"])
    parsed = vectors.as_a_client_gives(case, parsed, given)
    if comparable(parsed) == comparable(given):
        return True
    again = vectors.client_serialize(case, parsed)
    if case.id in CLIENT_ERRS:
        return again["query_string"] == sorted(parse_qsl(request.query_string))
    return again == vectors.client_serialize(case, given)


def serializes_output(case: Case) -> bool:
    shape = case.operation.output_shape
    given = vectors.native(shape, case.vector["result"])
    response = compile_serializer(case.operation, case.protocol)(given, vectors.REQUEST_ID)
    assert isinstance(response.body, bytes)
    answer = vectors.answer_of(response.status, response.headers, response.body)
    ours = vectors.client_reading(case, answer)
    return ours == comparable(given) or ours == vectors.client_reading(
        case, vectors.http_answer(case)
    )


def passes(case: Case) -> bool:
    try:
        return parses_input(case) if case.direction == "input" else serializes_output(case)
    except (AWSError, KeyError):
        return False


def test_inputs_and_outputs(record_property: Any, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [
        case
        for direction in ("input", "output")
        for case in vectors.cases(direction)
        if not case.is_error
    ]
    failed = {case.name for case in cases if not passes(case)}
    counts = Counter(f"{case.direction} {case.file}" for case in cases)
    passed = Counter(f"{case.direction} {case.file}" for case in cases if case.name not in failed)
    with capsys.disabled():
        print(f"\nprotocol vectors: {len(cases) - len(failed)} of {len(cases)} pass")  # noqa: T201
        for name in counts:
            print(f"  {name}: {passed[name]} of {counts[name]}")  # noqa: T201
    record_property("protocol_vectors_passed", len(cases) - len(failed))
    assert failed == set(KNOWN_FAILURES)
    assert len(cases) - len(failed) >= GOAL


def error_cases() -> list[Case]:
    return [case for case in vectors.cases("output") if case.is_error]


@pytest.mark.parametrize("case", error_cases(), ids=lambda case: case.name)
def test_errors(case: Case) -> None:
    service = case.operation.service_model
    (shape,) = (
        service.error_shapes if len(service.error_shapes) == 1 else case.operation.error_shapes
    )
    members = vectors.native(shape, case.vector["error"])
    message = case.vector.get("errorMessage", "")
    extra = {name: value for name, value in members.items() if name.lower() != "message"}
    error = type(shape.name, (AWSError,), {})(message, **extra)

    response = serialize_error(
        service, case.protocol, error, vectors.REQUEST_ID, query_mode=service.is_query_compatible
    )

    assert isinstance(response.body, bytes)
    if not service.is_query_compatible:  # the model then gives the query protocol's status
        assert response.status == case.vector["response"]["status_code"]
    answer = vectors.answer_of(response.status, response.headers, response.body)
    parsed = botocore.parsers.create_parser(case.protocol).parse(answer, None)
    assert parsed["Error"]["Code"] == case.vector["errorCode"]
    assert parsed["Error"].get("Message", "") == message
    assert comparable(vectors.client_parse(case, answer, shape)) == comparable(members)
