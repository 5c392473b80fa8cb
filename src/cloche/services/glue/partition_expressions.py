"""GetPartitions' expressions: conditions on partition keys, in SQL's words.

Comparisons, BETWEEN, IN, LIKE and IS NULL on one key each, joined by AND, OR and NOT. As in SQL a
comparison with NULL is neither true nor false, and a partition is found only by what is true.
Source: Glue's API reference, GetPartitions.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cloche.services.glue.errors import invalid_expression
from cloche.services.glue.like_patterns import like_test
from cloche.services.glue.partition_tokens import Token, Tokens
from cloche.services.glue.partition_values import NULL_PARTITION, Reader, reader_of

Test = Callable[[Sequence[str]], "bool | None"]

_DEPTH_LIMIT = 100
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class PartitionExpression:
    """A condition on a table's partition keys.

    Attributes:
        leading: values that the first partition keys must have as text; what has other ones need
            not be looked at.
    """

    __slots__ = ("_test", "leading")

    def __init__(self, test: Test, leading: tuple[str, ...]) -> None:
        self._test = test
        self.leading = leading

    def __call__(self, values: Sequence[str]) -> bool:
        """Whether a partition of these values meets it."""
        return self._test(values) is True


def parse_expression(text: str, keys: Sequence[Mapping[str, Any]]) -> PartitionExpression:
    """Read an expression on partition keys (Glue's Columns).

    Raises:
        InvalidInputException: it is not one, or doesn't fit the keys and their types.
    """
    parser = _Parser(Tokens(text), keys)
    test = parser.alternatives(0)
    parser.tokens.expect_end()
    return PartitionExpression(test, parser.leading())


class _Parser:
    """Reads by descent; each method leaves off behind what it has read."""

    def __init__(self, tokens: Tokens, keys: Sequence[Mapping[str, Any]]) -> None:
        self.tokens = tokens
        self._positions = {str(key["Name"]).lower(): index for index, key in enumerate(keys)}
        self._types = [str(key.get("Type") or "string") for key in keys]
        self._fixed: dict[int, str] = {}
        self._is_conjunction = True

    def leading(self) -> tuple[str, ...]:
        """Values that the expression fixes for the first keys."""
        if not self._is_conjunction:
            return ()
        found: list[str] = []
        while len(found) in self._fixed:
            found.append(self._fixed[len(found)])
        return tuple(found)

    def alternatives(self, depth: int) -> Test:
        if depth > _DEPTH_LIMIT:
            raise invalid_expression("It is nested too deeply.")
        tests = [self._conjunction(depth)]
        while self.tokens.take_word("OR"):
            self._is_conjunction = False
            tests.append(self._conjunction(depth))
        return tests[0] if len(tests) == 1 else _any(tests)

    def _conjunction(self, depth: int) -> Test:
        tests = [self._negation(depth)]
        while self.tokens.take_word("AND"):
            tests.append(self._negation(depth))
        return tests[0] if len(tests) == 1 else _all(tests)

    def _negation(self, depth: int) -> Test:
        negations = 0
        while self.tokens.take_word("NOT"):
            self._is_conjunction = False
            negations += 1
        test = self._condition(depth)
        return _not(test) if negations % 2 else test

    def _condition(self, depth: int) -> Test:
        if self.tokens.take_symbol("("):
            test = self.alternatives(depth + 1)
            self.tokens.expect_symbol(")")
            return test
        if self.tokens.is_literal():
            return self._mirrored_comparison()
        key = self._key()
        if self.tokens.take_word("IS"):
            is_negated = self.tokens.take_word("NOT")
            self.tokens.expect_word("NULL")
            return _is_null(key, is_negated=is_negated)
        is_negated = self.tokens.take_word("NOT")
        test = self._word_condition(key)
        if test is not None:
            return _not(test) if is_negated else test
        if is_negated:
            raise self.tokens.unexpected()
        return self._comparison(key)

    def _word_condition(self, key: int) -> Test | None:
        if self.tokens.take_word("BETWEEN"):
            low = self._literal(key)
            self.tokens.expect_word("AND")
            high = self._literal(key)
            return self._compared(key, lambda value: low <= value <= high)
        if self.tokens.take_word("IN"):
            return self._membership(key)
        if self.tokens.take_word("LIKE"):
            return self._likeness(key)
        return None

    def _membership(self, key: int) -> Test:
        self.tokens.expect_symbol("(")
        members = {self._literal(key)}
        while self.tokens.take_symbol(","):
            members.add(self._literal(key))
        self.tokens.expect_symbol(")")
        return self._compared(key, lambda value: value in members)

    def _likeness(self, key: int) -> Test:
        pattern = self.tokens.take_text()
        escape = self.tokens.take_text() if self.tokens.take_word("ESCAPE") else ""
        return _tested(key, str, like_test(pattern, escape))

    def _comparison(self, key: int) -> Test:
        symbol = self.tokens.take_one_of(_COMPARISONS)
        token = self.tokens.peek()
        constant = self._literal(key)
        compare = _COMPARISONS[symbol]
        if compare is operator.eq and self._reader(key) is str:
            self._fixed.setdefault(key, token.text)
        return self._compared(key, lambda value: compare(value, constant))

    def _mirrored_comparison(self) -> Test:
        literal = self.tokens.take_literal()
        symbol = self.tokens.take_one_of(_COMPARISONS)
        key = self._key()
        constant = self._value(key, literal)
        compare = _COMPARISONS[_MIRRORED.get(symbol, symbol)]
        return self._compared(key, lambda value: compare(value, constant))

    def _key(self) -> int:
        token = self.tokens.take_name()
        position = self._positions.get(token.text.lower())
        if position is None:
            raise invalid_expression(f"{token.text} is not a partition key of the table.")
        return position

    def _literal(self, key: int) -> Any:
        return self._value(key, self.tokens.take_literal())

    def _value(self, key: int, token: Token) -> Any:
        try:
            return self._reader(key)(token.text)
        except ValueError:
            raise invalid_expression(
                f"{token.text!r} is no value of type {self._types[key]}."
            ) from None

    def _reader(self, key: int) -> Reader:
        return reader_of(self._types[key])

    def _compared(self, key: int, compare: Callable[[Any], bool]) -> Test:
        return _tested(key, self._reader(key), compare)


def _tested(key: int, read: Reader, compare: Callable[[Any], bool]) -> Test:
    def test(values: Sequence[str]) -> bool | None:
        text = values[key]
        if text == NULL_PARTITION:
            return None
        try:
            return compare(read(text))
        except ValueError:
            return None  # what is no value of the key's type is NULL, as for Hive

    return test


def _is_null(key: int, *, is_negated: bool) -> Test:
    return lambda values: (values[key] == NULL_PARTITION) is not is_negated


def _not(test: Test) -> Test:
    def negated(values: Sequence[str]) -> bool | None:
        found = test(values)
        return None if found is None else not found

    return negated


def _all(tests: Sequence[Test]) -> Test:
    def test(values: Sequence[str]) -> bool | None:
        result: bool | None = True
        for each in tests:
            found = each(values)
            if found is False:
                return False
            if found is None:
                result = None
        return result

    return test


def _any(tests: Sequence[Test]) -> Test:
    def test(values: Sequence[str]) -> bool | None:
        result: bool | None = False
        for each in tests:
            found = each(values)
            if found is True:
                return True
            if found is None:
                result = None
        return result

    return test
