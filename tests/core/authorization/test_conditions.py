from __future__ import annotations

from typing import Any

import pytest

from cloche.core.authorization.conditions import parse_conditions

CONTEXT: dict[str, tuple[str, ...]] = {
    "aws:username": ("jane",),
    "aws:sourceip": ("203.0.113.9",),
    "aws:currenttime": ("2026-05-01T12:00:00Z",),
    "aws:epochtime": ("1777636800",),
    "aws:securetransport": ("true",),
    "aws:tagkeys": ("team", "cost"),
    "aws:sourcearn": ("arn:aws:sns:us-east-1:111122223333:news",),
    "s3:max-keys": ("10",),
    "x:binary": ("QmluYXJ5",),
    "x:ipv6": ("2001:db8::7",),
    "x:mapped": ("::ffff:10.0.0.1",),
    "x:empty": (),
}


def holds(operator: str, key: str, value: Any) -> bool:
    [condition] = parse_conditions({operator: {key: value}}, has_variables=True)
    return condition.holds(CONTEXT)


@pytest.mark.parametrize(
    ("operator", "key", "value", "expected"),
    [
        ("StringEquals", "aws:username", "jane", True),
        ("StringEquals", "AWS:UserName", ["john", "jane"], True),
        ("StringEquals", "aws:username", "Jane", False),
        ("StringEquals", "aws:username", "ja*", False),
        ("StringEquals", "aws:username", "${aws:username}", True),
        ("stringequals", "aws:username", "jane", True),
        ("StringNotEquals", "aws:username", ["john", "jane"], False),
        ("StringNotEquals", "aws:username", ["john", "joan"], True),
        ("StringEqualsIgnoreCase", "aws:username", "JANE", True),
        ("StringNotEqualsIgnoreCase", "aws:username", "JANE", False),
        ("StringLike", "aws:username", "j?n*", True),
        ("StringNotLike", "aws:username", "j*", False),
        ("StringEquals", "x:absent", "a", False),
        ("StringNotEquals", "x:absent", "a", True),
        ("StringNotLike", "x:absent", "*", True),
        ("StringEqualsIfExists", "x:absent", "a", True),
        ("StringEqualsIfExists", "aws:username", "a", False),
        ("NumericLessThanEquals", "s3:max-keys", 10, True),
        ("NumericLessThan", "s3:max-keys", "10", False),
        ("NumericGreaterThan", "s3:max-keys", "9.5", True),
        ("NumericGreaterThanEquals", "s3:max-keys", ["11", "10"], True),
        ("NumericEquals", "s3:max-keys", "10.0", True),
        ("NumericNotEquals", "s3:max-keys", "10", False),
        ("NumericEquals", "aws:username", "10", False),
        ("DateGreaterThan", "aws:CurrentTime", "2026-04-30T00:00:00Z", True),
        ("DateGreaterThan", "aws:CurrentTime", "2026-05", True),
        ("DateLessThan", "aws:CurrentTime", "2026", False),
        ("DateLessThan", "aws:EpochTime", "2026-05-01T12:00:01Z", True),
        ("DateLessThanEquals", "aws:CurrentTime", "1777636800", True),
        ("DateEquals", "aws:CurrentTime", "2026-05-01T14:00:00+02:00", True),
        ("DateNotEquals", "aws:CurrentTime", "2026-05-01T12:00:00Z", False),
        ("Bool", "aws:SecureTransport", True, True),
        ("Bool", "aws:SecureTransport", "False", False),
        ("BoolIfExists", "aws:MultiFactorAuthPresent", "true", True),
        ("Bool", "aws:MultiFactorAuthPresent", "false", False),
        ("BinaryEquals", "x:binary", "QmluYXJ5", True),
        ("BinaryEquals", "x:binary", "QmluYXJ=", False),
        ("IpAddress", "aws:SourceIp", "203.0.113.0/24", True),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "203.0.113.9"], True),
        ("NotIpAddress", "aws:SourceIp", ["10.0.0.0/8", "203.0.113.9"], False),
        ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", True),
        ("IpAddress", "aws:SourceIp", "2001:db8::/32", False),
        ("IpAddress", "x:ipv6", "2001:DB8::/32", True),
        ("IpAddress", "x:mapped", "10.0.0.0/8", True),
        ("IpAddress", "aws:username", "0.0.0.0/0", False),
        ("ArnEquals", "aws:SourceArn", "arn:aws:sns:*:111122223333:n*", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:us-east-1:*:news", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:s*:news", False),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:*", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:${x:absent, '111122223333'}:news", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:${x:absent, '*'}:news", False),
        ("ArnNotLike", "aws:SourceArn", "arn:aws:sns:*:*:news", False),
        ("ArnNotEquals", "aws:SourceArn", "arn:aws:sqs:*:*:*", True),
        ("Null", "aws:username", "false", True),
        ("Null", "aws:username", "true", False),
        ("Null", "x:absent", True, True),
        ("Null", "x:empty", "true", True),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["team", "cost", "x"], True),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["team"], False),
        ("ForAllValues:StringEquals", "x:absent", "a", True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["cost"], True),
        ("ForAnyValue:StringEquals", "x:absent", "a", False),
        ("ForAnyValue:StringEqualsIfExists", "x:absent", "a", True),
        ("ForAnyValue:StringNotEquals", "aws:TagKeys", ["team"], True),
        ("ForAnyValue:StringNotEquals", "aws:TagKeys", ["team", "cost"], False),
        ("ForAnyValue:StringNotEquals", "x:absent", "a", False),
        ("ForAllValues:StringNotLike", "aws:TagKeys", ["t*"], False),
        ("ForAllValues:StringNotLike", "aws:TagKeys", ["x*"], True),
        ("ForAnyValue:StringLike", "aws:TagKeys", "co*", True),
    ],
)
def test_operators(operator: str, key: str, value: Any, expected: bool) -> None:
    assert holds(operator, key, value) is expected


@pytest.mark.parametrize(
    "block",
    [
        [],
        {"StringEquals": "aws:username"},
        {"StringSimilar": {"aws:username": "a"}},
        {"StringEquals": {"username": "a"}},
        {"StringEquals": {"aws:username": {"a": 1}}},
        {"StringEquals": {"aws:username": None}},
        {"NumericEquals": {"s3:max-keys": "ten"}},
        {"DateEquals": {"aws:CurrentTime": "yesterday"}},
        {"Bool": {"aws:SecureTransport": "maybe"}},
        {"IpAddress": {"aws:SourceIp": "300.0.0.1"}},
        {"BinaryEquals": {"x:binary": "%%%"}},
        {"Null": {"aws:username": "perhaps"}},
    ],
)
def test_malformed_conditions_are_refused(block: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_conditions(block, has_variables=True)
