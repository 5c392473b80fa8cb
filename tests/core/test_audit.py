from __future__ import annotations

import pytest

from cloche.core.audit import is_data_event, is_read_only


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("GetObject", True),
        ("ListBuckets", True),
        ("DescribeTrails", True),
        ("HeadObject", True),
        ("LookupEvents", True),
        ("AssumeRole", True),
        ("CreateBucket", False),
        ("PutObject", False),
        ("DeleteObjects", False),
        ("InvokeEndpoint", False),
        ("StartLogging", False),
        ("TagResource", False),
    ],
)
def test_read_only_operations(operation: str, expected: bool) -> None:
    assert is_read_only(operation) is expected


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("s3", "GetObject", True),
        ("s3", "ListObjectsV2", True),
        ("s3", "CreateBucket", False),
        ("s3", "ListBuckets", False),
        ("kinesis", "PutRecords", True),
        ("kinesis", "CreateStream", False),
        ("iam", "GetUser", False),
        ("dynamodb", "GetItem", True),
    ],
)
def test_data_events(service: str, operation: str, expected: bool) -> None:
    assert is_data_event(service, operation) is expected
