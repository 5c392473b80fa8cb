"""What AWS's client writes is read, and what is written AWS's client reads, for real services."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.model import OperationModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloche.gateway.protocols import compile_parser, compile_serializer
from cloche.gateway.service_models import service_model
from tests.gateway.protocols.wire import (
    REQUEST_ID,
    client_answer,
    client_request,
    values,
)

OPERATIONS = [
    ("kinesis", "PutRecords", "json"),
    ("kinesis", "GetRecords", "json"),
    ("dynamodb", "PutItem", "json"),
    ("glue", "CreateTable", "json"),
    ("sagemaker", "CreateTrainingJob", "json"),
    ("stepfunctions", "DescribeExecution", "json"),
    ("cloudwatch", "PutMetricData", "json"),
    ("cloudwatch", "PutMetricData", "query"),
    ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor"),
    ("cloudwatch", "GetMetricData", "json"),
    ("cloudwatch", "GetMetricData", "query"),
    ("cloudwatch", "GetMetricData", "smithy-rpc-v2-cbor"),
    ("iam", "CreateRole", "query"),
    ("sts", "AssumeRole", "query"),
    ("sns", "Publish", "query"),
    ("ec2", "RunInstances", "ec2"),
    ("ec2", "DescribeVolumes", "ec2"),
    ("lambda", "CreateFunction", "rest-json"),
    ("lambda", "ListFunctions", "rest-json"),
    ("kinesisvideo", "CreateStream", "rest-json"),
    ("s3", "DeleteObjects", "rest-xml"),
    ("s3", "ListObjectsV2", "rest-xml"),
    ("s3", "ListObjectVersions", "rest-xml"),
    ("s3", "PutBucketCors", "rest-xml"),
    ("s3", "GetBucketAcl", "rest-xml"),
    ("s3", "CompleteMultipartUpload", "rest-xml"),
    ("s3", "CopyObject", "rest-xml"),
]
NAMES = [f"{service}-{name}-{protocol}" for service, name, protocol in OPERATIONS]

few = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)


def operation_of(service: str, name: str) -> OperationModel:
    return service_model(service).operation_model(name)


def tidy(shape: Any, value: Any) -> Any:
    """A comparable value, without what not every protocol can carry: empty structures."""
    if shape.type_name == "structure":
        members = {
            name: tidy(shape.members[name], item)
            for name, item in value.items()
            if item is not None
        }
        return {name: item for name, item in members.items() if item not in ({}, [])}
    if shape.type_name == "list":
        items = [tidy(shape.member, item) for item in value]
        return [item for item in items if item != {}]
    if shape.type_name == "map":
        return {key: tidy(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return value.timestamp()
    if shape.type_name == "blob" and isinstance(value, str):
        return value.encode()
    return value


@pytest.mark.parametrize(("service", "name", "protocol"), OPERATIONS, ids=NAMES)
def test_what_a_client_writes_is_read(service: str, name: str, protocol: Any) -> None:
    operation = operation_of(service, name)
    parse = compile_parser(operation, protocol)
    shape = operation.input_shape

    @few
    @given(values(shape))
    def check(parameters: dict[str, Any]) -> None:
        request, body = client_request(operation, protocol, parameters)
        parsed = parse(request, body)
        assert tidy(shape, parsed) == tidy(shape, parameters)

    check()


@pytest.mark.parametrize(("service", "name", "protocol"), OPERATIONS, ids=NAMES)
def test_what_is_written_a_client_reads(service: str, name: str, protocol: Any) -> None:
    operation = operation_of(service, name)
    serialize = compile_serializer(operation, protocol)
    shape = operation.output_shape
    if shape is None:
        pytest.skip("the operation has no output")

    @few
    @given(values(shape))
    def check(output: dict[str, Any]) -> None:
        parsed = client_answer(operation, protocol, serialize(output, REQUEST_ID))
        assert tidy(shape, parsed) == tidy(shape, output)

    check()


@few
@given(st.data())
def test_many_operations_compile_and_read(data: st.DataObject) -> None:
    service = data.draw(st.sampled_from(["sagemaker", "glue", "athena", "events", "logs", "sqs"]))
    model = service_model(service)
    operation = model.operation_model(data.draw(st.sampled_from(sorted(model.operation_names))))
    shape = operation.input_shape
    if shape is None:
        return
    parameters = data.draw(values(shape))
    request, body = client_request(operation, "json", parameters)
    parsed = compile_parser(operation, "json")(request, body)
    assert tidy(shape, parsed) == tidy(shape, parameters)
