"""Signatures of functions as text, and which one of them a call means.

A line is `name(type, type…) type = DuckDB's SQL`, in which `$1` is the first argument, `$*` all.
`T`, `K`, `V`, `U`, `S`, `R` stand for any type, `N` for a numeric one; `decimal`, `timestamp` and
`timestamptz` for any precision; `function(T, U)` for a lambda from T to U; `…` after the last type
for one or more of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cloche.engines.sql.trino.types import (
    TIMESTAMP_ZONE,
    UNKNOWN,
    Type,
    as_decimal,
    coerces,
    common,
    parse_type,
)

VARIABLES = frozenset({"T", "K", "V", "U", "S", "R", "N"})
_LOOSE = {
    "decimal": "decimal",
    "timestamp": "timestamp",
    "timestamptz": TIMESTAMP_ZONE,
    "time": "time",
    "char": "char",
}
_LINE = re.compile(r"(?P<name>\w+)\((?P<arguments>.*?)\)\s+(?P<result>\S.*?)\s+=\s+(?P<sql>.+)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A type in a signature."""

    base: str
    items: tuple[Pattern, ...] = ()
    type: Type | None = None

    def __str__(self) -> str:
        if self.type is not None:
            return str(self.type)
        return f"{self.base}({', '.join(map(str, self.items))})" if self.items else self.base


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function."""

    name: str
    arguments: tuple[Pattern, ...]
    result: Pattern
    sql: str
    variadic: bool = False

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.arguments)) + ("..." if self.variadic else "")
        return f"{self.name}({inner})"

    def patterns(self, count: int) -> tuple[Pattern, ...] | None:
        """Of so many arguments; None if it takes not as many."""
        if not self.variadic:
            return self.arguments if count == len(self.arguments) else None
        extra = count - len(self.arguments)
        if extra < 0:
            return None
        return (*self.arguments, *([self.arguments[-1]] * extra))


def _split(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            yield text[start:index].strip()
            start = index + 1
    if text[start:].strip():
        yield text[start:].strip()


@lru_cache(maxsize=1024)
def read_pattern(text: str) -> Pattern:
    """A type in a signature's line."""
    if text in VARIABLES or text in _LOOSE:
        return Pattern(_LOOSE.get(text, text))
    head, opening, rest = text.partition("(")
    if opening and head in {"array", "map", "function", "row"}:
        return Pattern(head, tuple(read_pattern(part) for part in _split(rest[:-1])))
    return Pattern(head, type=parse_type(text))


def read_signatures(table: str) -> dict[str, list[Signature]]:
    """All lines of a table, by name."""
    found: dict[str, list[Signature]] = {}
    for line in table.splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        head, _, sql = text.partition(" = ")
        name, _, rest = head.partition("(")
        inner, result = _closing(rest)
        variadic = inner.endswith("...")
        arguments = tuple(read_pattern(part) for part in _split(inner.removesuffix("...")))
        one = Signature(name, arguments, read_pattern(result.strip()), sql.strip(), variadic)
        found.setdefault(name, []).append(one)
    return found


def _closing(text: str) -> tuple[str, str]:
    depth = 1
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[:index], text[index + 1 :]
    raise ValueError(text)


Bindings = dict[str, Type]


def bind(pattern: Pattern, type: Type, bindings: Bindings) -> int | None:
    """How far a type is from a pattern (0 is exact); None if it doesn't fit. Notes variables."""
    if pattern.base == "function":
        return 0
    if pattern.base in VARIABLES:
        return _bind_variable(pattern.base, type, bindings)
    if type == UNKNOWN:
        return 1
    if pattern.items:
        if pattern.base != type.base or len(pattern.items) != len(type.items):
            return None
        costs = [bind(p, t, bindings) for p, t in zip(pattern.items, type.items, strict=True)]
        return None if None in costs else sum(c for c in costs if c is not None)
    if pattern.type is None:
        return _bind_loose(pattern.base, type, bindings)
    if pattern.type == type or pattern.type.base == type.base == "varchar":
        return 0
    return _distance(type, pattern.type) if coerces(type, pattern.type) else None


_STEPS = ("tinyint", "smallint", "integer", "bigint", "decimal", "real", "double")


def _distance(source: Type, target: Type) -> int:
    if source.base in _STEPS and target.base in _STEPS:
        return 1 + 2 * abs(_STEPS.index(target.base) - _STEPS.index(source.base))
    return 2


def _bind_variable(name: str, type: Type, bindings: Bindings) -> int | None:
    if name == "N" and not type.is_number and type != UNKNOWN:
        return None
    before = bindings.get(name)
    if before is None or before == UNKNOWN:
        bindings[name] = type
        return 0
    merged = common(before, type)
    if merged is None:
        return None
    bindings[name] = merged
    return 0 if merged == before == type else 1


def _bind_loose(base: str, type: Type, bindings: Bindings) -> int | None:
    if base == "decimal" and type.is_integer:
        bindings.setdefault(base, as_decimal(type))
        return 20
    if type.base == base:
        before = bindings.get(base)
        bindings[base] = (common(before, type) if before else None) or type
        return 0
    wanted = Type(base, (0,)) if base != "decimal" else Type(base, (1, 0))
    if base != "char" and type.base != "decimal" and coerces(type, wanted):
        bindings.setdefault(base, Type(base, type.numbers or (3,), zone=type.zone))
        return 2
    return None


def fill(pattern: Pattern, bindings: Bindings) -> Type:
    """The type that a pattern is, its variables known."""
    if pattern.type is not None:
        return pattern.type
    if pattern.items:
        names = (None,) * len(pattern.items) if pattern.base == "row" else ()
        return Type(pattern.base, (), tuple(fill(i, bindings) for i in pattern.items), names)
    return bindings.get(pattern.base) or Type(
        pattern.base if pattern.base not in VARIABLES else "unknown",
        {"decimal": (38, 0)}.get(pattern.base, (3,) if pattern.base not in VARIABLES else ()),
    )


def choose(
    candidates: Sequence[Signature], types: Sequence[Type | None]
) -> tuple[Signature, Bindings] | None:
    """The nearest of some signatures; None if no one fits. A type of None is a lambda."""
    best: tuple[int, Signature, Bindings] | None = None
    for candidate in candidates:
        patterns = candidate.patterns(len(types))
        if patterns is None:
            continue
        bindings: Bindings = {}
        total = 0
        for pattern, type in zip(patterns, types, strict=True):
            if (type is None) != (pattern.base == "function"):
                break
            cost = 0 if type is None else bind(pattern, type, bindings)
            if cost is None:
                break
            total += cost
        else:
            if best is None or total < best[0]:
                best = (total, candidate, bindings)
    return (best[1], best[2]) if best else None
