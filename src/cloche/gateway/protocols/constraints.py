"""The constraints that the model puts on single values, with AWS's words for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloche.gateway.protocols.patterns import compile_pattern
from cloche.gateway.protocols.shapes import Shape
from cloche.gateway.protocols.text_values import FLOAT_KINDS, INTEGER_RANGES

_SIZED = frozenset(("string", "blob", "list", "map"))


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint.

    Attributes:
        text: what a value must do.
        is_satisfied: whether a value does.
    """

    text: str
    is_satisfied: Callable[[Any], bool]


def constraints_of(shape: Shape) -> list[Constraint]:
    """The constraints of a shape itself, in the order in which AWS lists them.

    A pattern that Python can't read is left out.
    """
    constraints: list[Constraint] = []
    lowest, highest = shape.traits.get("min"), shape.traits.get("max")
    if shape.kind in _SIZED:
        constraints += _length_constraints(lowest, highest)
    elif shape.kind in INTEGER_RANGES or shape.kind in FLOAT_KINDS:
        constraints += _range_constraints(lowest, highest)
    if shape.kind == "string":
        constraints += _string_constraints(shape)
    return constraints


def _length_constraints(lowest: Any, highest: Any) -> list[Constraint]:
    constraints: list[Constraint] = []
    if highest is not None:
        text = f"Member must have length less than or equal to {highest}"
        most = int(highest)
        constraints.append(Constraint(text, lambda value: len(value) <= most))
    if lowest is not None:
        text = f"Member must have length greater than or equal to {lowest}"
        least = int(lowest)
        constraints.append(Constraint(text, lambda value: len(value) >= least))
    return constraints


def _range_constraints(lowest: Any, highest: Any) -> list[Constraint]:
    constraints: list[Constraint] = []
    if highest is not None:
        text = f"Member must have value less than or equal to {highest}"
        constraints.append(Constraint(text, lambda value: value <= float(highest)))
    if lowest is not None:
        text = f"Member must have value greater than or equal to {lowest}"
        constraints.append(Constraint(text, lambda value: value >= float(lowest)))
    return constraints


def _string_constraints(shape: Shape) -> list[Constraint]:
    constraints: list[Constraint] = []
    pattern = shape.traits.get("pattern")
    if pattern is not None:
        satisfies = compile_pattern(pattern)
        if satisfies is not None:
            text = f"Member must satisfy regular expression pattern: {pattern}"
            constraints.append(Constraint(text, satisfies))
    enum = shape.traits.get("enum")
    if enum:
        values = frozenset(enum)
        text = f"Member must satisfy enum value set: [{', '.join(enum)}]"
        constraints.append(Constraint(text, values.__contains__))
    return constraints


def compile_test(shape: Shape, constraints: list[Constraint]) -> Callable[[Any], bool]:
    """One test for all constraints of a shape: most values pass, and soon."""
    tests = [constraint.is_satisfied for constraint in constraints]
    lowest, highest = shape.traits.get("min"), shape.traits.get("max")
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2 and shape.kind in _SIZED and lowest is not None and highest is not None:
        least, most = int(lowest), int(highest)
        return lambda value: least <= len(value) <= most
    return lambda value: all(test(value) for test in tests)
