"""Whether a bucket policy lets the public in.

Source: "The meaning of 'public'" in "Blocking public access to your Amazon S3 storage": a policy
is public unless each of its Allow statements names fixed principals, or limits everyone by fixed
values of certain condition keys.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network
from typing import Any, cast

import msgspec

_LIMITING_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpcarn",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
_LIMITING_OPERATORS = frozenset(
    {"stringequals", "stringlike", "stringequalsignorecase", "arnequals", "arnlike"}
)
_WIDEST_IPV4_BITS = 8
_WIDEST_IPV6_BITS = 32


@lru_cache(maxsize=1024)
def is_public_policy(text: str) -> bool:
    """Whether a bucket policy, valid JSON or empty, grants anything to everyone."""
    if not text:
        return False
    statements = _list(msgspec.json.decode(text)["Statement"])
    return any(_is_public(statement) for statement in statements)


def _is_public(statement: dict[str, Any]) -> bool:
    if statement["Effect"] != "Allow":
        return False
    if "NotPrincipal" not in statement and not _is_everyone(statement.get("Principal")):
        return False
    conditions: dict[str, dict[str, Any]] = statement.get("Condition", {})
    return not any(
        _is_limiting(operator, key, _list(values))
        for operator, tests in conditions.items()
        for key, values in tests.items()
    )


def _is_everyone(principal: Any) -> bool:
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    return "*" in _list(cast("Any", named))


def _is_limiting(operator: str, key: str, values: list[Any]) -> bool:
    lower_operator = operator.lower().rpartition(":")[2]
    if key.lower() == "aws:sourceip":
        return lower_operator == "ipaddress" and all(_is_narrow(str(value)) for value in values)
    if key.lower() not in _LIMITING_KEYS or lower_operator not in _LIMITING_OPERATORS:
        return False
    return not any(_is_open(key.lower(), str(value)) for value in values)


def _is_open(key: str, value: str) -> bool:
    """Whether a value is not fixed: a wildcard or a variable, but for what narrows it anyway."""
    if "${" in value:
        return True
    if key == "aws:userid" and value.endswith(":*"):
        return "*" in value[:-2] or "?" in value
    if key.endswith("arn") and value.count(":") >= 5:
        return any(character in value.split(":", 5)[4] for character in "*?") or not any(
            value.split(":", 5)[index] for index in (4, 5)
        )
    return "*" in value or "?" in value


def _is_narrow(block: str) -> bool:
    network = ip_network(block, strict=False)
    widest = _WIDEST_IPV4_BITS if network.version == 4 else _WIDEST_IPV6_BITS
    return network.prefixlen >= widest


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]
