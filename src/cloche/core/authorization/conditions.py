"""Conditions: the operators of IAM's condition blocks over the keys of a request.

Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Set operators for
multi-valued keys". Names of operators and keys are read without regard to case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

from cloche.core.authorization.operands import (
    Test,
    arn_test,
    binary_test,
    bool_test,
    date_test,
    ip_address_test,
    numeric_test,
    string_test,
)
from cloche.core.authorization.patterns import Context

Quantifier = Literal["", "forallvalues", "foranyvalue"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key.

    Attributes:
        operator: as the policy writes it.
        key: the condition key in lower case.
        written_key: as the policy writes it.
        values: the policy's values.
        test: whether one value of the request matches any of the policy's values.
        is_negated: of the `Not` operators.
        is_if_exists: holds too when the request lacks the key.
        quantifier: `ForAllValues:` or `ForAnyValue:`, in lower case without the colon.
        null: for `Null`, whether the key must be absent; otherwise None.
    """

    operator: str
    key: str
    written_key: str
    values: tuple[str, ...]
    test: Test
    is_negated: bool
    is_if_exists: bool
    quantifier: Quantifier
    null: bool | None

    def holds(self, context: Context) -> bool:
        """Whether a request with these keys satisfies the condition."""
        values = context.get(self.key)
        if self.null is not None:
            return (not values) == self.null
        if not values:
            return self._holds_without_key()
        test, is_negated = self.test, self.is_negated
        if len(values) == 1:
            return test(values[0], context) != is_negated
        if self.quantifier == "foranyvalue":
            return any(test(value, context) != is_negated for value in values)
        if self.quantifier == "forallvalues" or is_negated:
            return all(test(value, context) != is_negated for value in values)
        return any(test(value, context) for value in values)

    def _holds_without_key(self) -> bool:
        if self.quantifier == "forallvalues" or self.is_if_exists:
            return True
        return self.is_negated and not self.quantifier


@dataclass(frozen=True, slots=True)
class _Operator:
    make: Callable[[tuple[str, ...], bool], Test]
    is_negated: bool = False


def _strings(
    *, has_wildcards: bool = False, ignores_case: bool = False
) -> Callable[[tuple[str, ...], bool], Test]:
    return lambda values, has_variables: string_test(
        values,
        has_variables=has_variables,
        has_wildcards=has_wildcards,
        ignores_case=ignores_case,
    )


def _compared(
    make: Callable[[tuple[str, ...], str], Test], comparison: str
) -> Callable[[tuple[str, ...], bool], Test]:
    return lambda values, _has_variables: make(values, comparison)


def _plain(make: Callable[[tuple[str, ...]], Test]) -> Callable[[tuple[str, ...], bool], Test]:
    return lambda values, _has_variables: make(values)


_OPERATORS: dict[str, _Operator] = {
    "stringequals": _Operator(_strings()),
    "stringnotequals": _Operator(_strings(), is_negated=True),
    "stringequalsignorecase": _Operator(_strings(ignores_case=True)),
    "stringnotequalsignorecase": _Operator(_strings(ignores_case=True), is_negated=True),
    "stringlike": _Operator(_strings(has_wildcards=True)),
    "stringnotlike": _Operator(_strings(has_wildcards=True), is_negated=True),
    "bool": _Operator(_plain(bool_test)),
    "binaryequals": _Operator(_plain(binary_test)),
    "ipaddress": _Operator(_plain(ip_address_test)),
    "notipaddress": _Operator(_plain(ip_address_test), is_negated=True),
    "arnequals": _Operator(arn_test),
    "arnlike": _Operator(arn_test),
    "arnnotequals": _Operator(arn_test, is_negated=True),
    "arnnotlike": _Operator(arn_test, is_negated=True),
}
for _name, _comparison, _is_negated in (
    ("equals", "==", False),
    ("notequals", "==", True),
    ("lessthan", "<", False),
    ("lessthanequals", "<=", False),
    ("greaterthan", ">", False),
    ("greaterthanequals", ">=", False),
):
    _OPERATORS["numeric" + _name] = _Operator(_compared(numeric_test, _comparison), _is_negated)
    _OPERATORS["date" + _name] = _Operator(_compared(date_test, _comparison), _is_negated)


def parse_conditions(block: Any, *, has_variables: bool) -> tuple[Condition, ...]:
    """Read a Condition block.

    Raises:
        ValueError: with AWS's wording, for an unknown operator or a value of the wrong form.
    """
    if not isinstance(block, dict):
        raise ValueError("Syntax errors in policy.")
    conditions: list[Condition] = []
    for operator, keys in cast("dict[str, Any]", block).items():
        if not isinstance(keys, dict):
            raise ValueError("Syntax errors in policy.")
        for key, value in cast("dict[str, Any]", keys).items():
            conditions.append(_condition(operator, key, _values(value), has_variables))
    return tuple(conditions)


def _condition(operator: str, key: str, values: tuple[str, ...], has_variables: bool) -> Condition:
    name = operator.lower()
    quantifier: Quantifier = ""
    for prefix in ("forallvalues", "foranyvalue"):
        if name.startswith(prefix + ":"):
            quantifier, name = cast("Quantifier", prefix), name[len(prefix) + 1 :]
    if ":" not in key:
        raise ValueError("Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    if name == "null":
        return _null_condition(operator, key, values, quantifier)
    is_if_exists = name.endswith("ifexists")
    known = _OPERATORS.get(name.removesuffix("ifexists"))
    if known is None:
        raise ValueError(f"Invalid Condition type : {operator}.")
    return Condition(
        operator=operator,
        key=key.lower(),
        written_key=key,
        values=values,
        test=known.make(values, has_variables),
        is_negated=known.is_negated,
        is_if_exists=is_if_exists,
        quantifier=quantifier,
        null=None,
    )


def _null_condition(
    operator: str, key: str, values: tuple[str, ...], quantifier: Quantifier
) -> Condition:
    expected = {value.lower() for value in values}
    if len(expected) != 1 or not expected <= {"true", "false"}:
        raise ValueError("Syntax errors in policy.")
    return Condition(
        operator=operator,
        key=key.lower(),
        written_key=key,
        values=values,
        test=lambda _value, _context: False,
        is_negated=False,
        is_if_exists=False,
        quantifier=quantifier,
        null=expected == {"true"},
    )


def _values(value: Any) -> tuple[str, ...]:
    listed = cast("list[Any]", value) if isinstance(value, list) else [value]
    return tuple(_value_text(item) for item in listed)


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError("Syntax errors in policy.")
