"""How a value of a request is compared with the values of a condition, for each type."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from cloche.core.authorization.patterns import (
    Context,
    Patterns,
    Wildcard,
    resolve,
    tokens_of,
)

Test = Callable[[str, Context], bool]

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def string_test(
    values: tuple[str, ...], *, has_variables: bool, has_wildcards: bool, ignores_case: bool
) -> Test:
    """Equality or likeness of texts; variables are replaced."""
    patterns = Patterns(
        values,
        has_variables=has_variables,
        has_wildcards=has_wildcards,
        ignores_case=ignores_case,
    )
    if ignores_case:
        return lambda value, context: patterns.matches(value.lower(), context)
    return patterns.matches


def arn_test(values: tuple[str, ...], has_variables: bool) -> Test:
    """Likeness of ARNs: each of the six parts is matched alone, so no star crosses a colon.

    Only the last part, the resource, may itself hold colons.
    """
    patterns = [_ArnPattern(value, has_variables) for value in values]
    return lambda value, context: any(pattern.matches(value, context) for pattern in patterns)


class _ArnPattern:
    __slots__ = ("_parts", "_template")

    def __init__(self, text: str, has_variables: bool) -> None:
        tokens = tokens_of(text, has_variables=has_variables, has_wildcards=False)
        is_constant = all(isinstance(token, str) for token in tokens)
        self._parts = _arn_parts(text, has_variables=has_variables) if is_constant else None
        self._template = None if is_constant else tokens_of(text, has_variables=has_variables)

    def matches(self, value: str, context: Context) -> bool:
        values = value.split(":", 5)
        if self._parts is not None:
            return _parts_match(self._parts, values, context)
        tokens = resolve(self._template or (), context)
        if tokens is None:
            return False
        # A value that a variable brings may hold colons, and its wildcards are only characters.
        literal = "".join(
            token.value if isinstance(token, Wildcard) else _escaped(token) for token in tokens
        )
        return _parts_match(_arn_parts(literal, has_variables=True), values, context)


def _escaped(text: str) -> str:
    return re.sub(r"[*?$]", r"${\g<0>}", text)


def _arn_parts(text: str, *, has_variables: bool) -> tuple[Patterns, ...]:
    return tuple(Patterns([part], has_variables=has_variables) for part in text.split(":", 5))


def _parts_match(parts: tuple[Patterns, ...], values: list[str], context: Context) -> bool:
    return len(parts) == len(values) and all(
        part.matches(value, context) for part, value in zip(parts, values, strict=True)
    )


def bool_test(values: tuple[str, ...]) -> Test:
    """`true` or `false`, in any case."""
    expected = frozenset(value.lower() for value in values)
    if not expected <= {"true", "false"}:
        raise ValueError("Syntax errors in policy.")
    return lambda value, _context: value.lower() in expected


def numeric_test(values: tuple[str, ...], comparison: str) -> Test:
    """Numbers; a value of the request that is no number matches nothing."""
    return _number_test([_required(_number, value) for value in values], _number, comparison)


def date_test(values: tuple[str, ...], comparison: str) -> Test:
    """Dates in W3C's forms of ISO 8601, or as seconds since 1970."""
    return _number_test([_required(_instant, value) for value in values], _instant, comparison)


def _number_test(
    expected: list[float], read: Callable[[str], float | None], comparison: str
) -> Test:
    compare = _COMPARISONS[comparison]

    def test(value: str, _context: Context) -> bool:
        number = read(value)
        return number is not None and any(compare(number, other) for other in expected)

    return test


def _required(read: Callable[[str], float | None], value: str) -> float:
    number = read(value)
    if number is None:
        raise ValueError("Syntax errors in policy.")
    return number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _instant(text: str) -> float | None:
    number = _number(text)
    # A bare year (`2026`) is a date; anything longer is a count of seconds.
    if number is not None and not (len(text) == 4 and text.isdigit()):
        return number
    padded = text + "-01-01"[-3 * (2 - text.count("-")) :] if _is_month_or_year(text) else text
    try:
        instant = datetime.fromisoformat(padded)
    except ValueError:
        return None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()


def _is_month_or_year(text: str) -> bool:
    return len(text) in (4, 7) and text.replace("-", "").isdigit()


def binary_test(values: tuple[str, ...]) -> Test:
    """Bytes, written in base 64 on both sides."""
    expected: set[bytes] = set()
    for value in values:
        content = _binary(value)
        if content is None:
            raise ValueError("Syntax errors in policy.")
        expected.add(content)
    return lambda value, _context: _binary(value) in expected


def _binary(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def ip_address_test(values: tuple[str, ...]) -> Test:
    """Addresses within ranges; an IPv4 address in IPv6 clothes counts as IPv4."""
    try:
        networks = [ipaddress.ip_network(value, strict=False) for value in values]
    except ValueError as error:
        raise ValueError("Invalid IP range in condition.") from error

    def test(value: str, _context: Context) -> bool:
        address = _address(value)
        return address is not None and any(address in network for network in networks)

    return test


@lru_cache(maxsize=1024)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
