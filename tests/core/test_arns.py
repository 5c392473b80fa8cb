from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloche.core.arns import Arn, InvalidArn, format_arn, parse_arn, partition_of


@pytest.mark.parametrize(
    ("text", "resource_type", "resource_id"),
    [
        ("arn:aws:iam::123456789012:user/path/bob", "user", "path/bob"),
        ("arn:aws:s3:::bucket/key:with/both", "bucket", "key:with/both"),
        ("arn:aws:sns:us-east-1:123456789012:topic", "", "topic"),
        ("arn:aws:logs:eu-west-1:123456789012:log-group:name:*", "log-group", "name:*"),
        ("arn:aws-cn:rds:cn-north-1:123456789012:db:x", "db", "x"),
    ],
)
def test_takes_apart_and_puts_together(text: str, resource_type: str, resource_id: str) -> None:
    arn = parse_arn(text)
    assert str(arn) == text
    assert (arn.resource_type, arn.resource_id) == (resource_type, resource_id)
    assert format_arn(arn.service, arn.region, arn.account_id, arn.resource) == text


@pytest.mark.parametrize(
    "text",
    ["", "arn", "arn:aws:s3:::", "arn::s3:::b", "arn:aws::::b", "ARN:aws:s3:::b", "arn:aws:s3::b"],
)
def test_refuses_what_is_none(text: str) -> None:
    with pytest.raises(InvalidArn):
        parse_arn(text)


@given(st.text())
def test_any_text_is_an_arn_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidArn):
        assert str(parse_arn(text)) == text


def test_partitions() -> None:
    assert [
        partition_of(region) for region in ("", "us-east-1", "cn-north-1", "us-gov-west-1")
    ] == [
        "aws",
        "aws",
        "aws-cn",
        "aws-us-gov",
    ]
    assert format_arn("s3", "", "", "b", partition="aws-cn") == "arn:aws-cn:s3:::b"
    assert Arn("aws", "s3", "", "", "b").resource_id == "b"
