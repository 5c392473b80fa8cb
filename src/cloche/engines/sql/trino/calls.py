"""Calls of functions: plain ones, aggregates, and either over a window."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.trino.casts import CastError, coerce
from cloche.engines.sql.trino.functions import AGGREGATES, SCALARS, WINDOWS
from cloche.engines.sql.trino.signatures import Bindings, Pattern, Signature, bind, choose, fill
from cloche.engines.sql.trino.types import UNKNOWN, VARCHAR, Type
from cloche.engines.sql.trino.values import Scope, Source, Value

# A text's length bounds what these make of it: of a varchar(3) a varchar(3).
_KEEP_LENGTH = frozenset(
    ("lower", "upper", "reverse", "trim", "ltrim", "rtrim", "substr", "substring")
)
_ARGUMENT = re.compile(r"\$(\d+|\*|D|O)|§")


@dataclass(slots=True)
class Modifiers:
    """What stands with a call of an aggregate.

    Attributes:
        suffix: FILTER and OVER, as SQL.
    """

    distinct: bool = False
    order: list[exp.Expr] = field(default_factory=list)
    filter: exp.Expr | None = None
    over: str = ""
    nulls: str = ""


class Calls(ABC):
    """Compiles calls; expressions and queries are compiled by the classes built upon it.

    Attributes:
        source: the statement's text.
        zone: of the session.
    """

    source: Source
    zone: str

    @abstractmethod
    def expression(self, node: exp.Expr, scope: Scope) -> Value:
        """Compile an expression."""

    @abstractmethod
    def lambda_value(self, node: exp.Expr, types: Sequence[Type], scope: Scope) -> Value:
        """Compile a lambda whose arguments have these types."""

    @abstractmethod
    def order_by(self, nodes: Sequence[exp.Expr], scope: Scope) -> str:
        """Compile sort keys within an aggregate or window."""

    def coerced(self, value: Value, target: Type, node: exp.Expr) -> str:
        """A value as another type, which it must coerce to."""
        try:
            return coerce(value, target)
        except CastError as error:
            raise self.source.mismatch(str(error), node) from None

    def call(self, name: str, nodes: Sequence[exp.Expr], node: exp.Expr, scope: Scope) -> Value:
        """A call of a function that is no aggregate."""
        special = SPECIAL.get(name)
        if special is not None:
            return special(self, nodes, node, scope)
        candidates = SCALARS.get(name)
        if candidates is None:
            if name in AGGREGATES or name in SPECIAL_AGGREGATES:
                return self.aggregate(name, nodes, node, scope, Modifiers())
            if name in WINDOWS:
                raise self.source.error(
                    ErrorKind.SYNTAX_ERROR, f"Window function {name} requires an OVER clause", node
                )
            raise self.source.error(
                ErrorKind.FUNCTION_NOT_FOUND, f"Function '{name}' not registered", node
            )
        signature, arguments, result = self.arguments(name, candidates, nodes, node, scope)
        sql = substitute(signature.sql, [a.sql for a in arguments])
        return Value(sql, self.in_zone(result, arguments))

    def in_zone(self, result: Type, arguments: Sequence[Value]) -> Type:
        """A result's type in the zone of the first argument that has one, or the session's."""
        if result.base != "timestamp with time zone":
            return result
        for argument in arguments:
            if argument.type.base == result.base:
                return result.at(argument.type.zone)
        return result.at(self.zone)

    def arguments(
        self,
        name: str,
        candidates: Sequence[Signature],
        nodes: Sequence[exp.Expr],
        node: exp.Expr,
        scope: Scope,
    ) -> tuple[Signature, list[Value], Type]:
        """The signature that a call means, its arguments coerced, and its type."""
        values = [None if isinstance(n, exp.Lambda) else self.expression(n, scope) for n in nodes]
        chosen = choose(candidates, [v.type if v else None for v in values])
        if chosen is None:
            raise self.no_signature(name, candidates, values, node)
        signature, bindings = chosen
        patterns = signature.patterns(len(nodes)) or ()
        lambdas: dict[int, Value] = {}
        for index, (pattern, value) in enumerate(zip(patterns, values, strict=True)):
            if value is None:
                lambdas[index] = self._lambda(nodes[index], pattern, bindings, scope)
        made = [
            lambdas[index]
            if value is None
            else self._argument(value, pattern, bindings, nodes[index])
            for index, (pattern, value) in enumerate(zip(patterns, values, strict=True))
        ]
        result = fill(signature.result, bindings)
        first = values[0].type if values and values[0] else UNKNOWN
        if name in _KEEP_LENGTH and result == VARCHAR and first.base == "varchar":
            result = first
        return signature, made, result

    def _lambda(self, node: exp.Expr, pattern: Pattern, bindings: Bindings, scope: Scope) -> Value:
        types = [fill(item, bindings) for item in pattern.items[:-1]]
        made = self.lambda_value(node, types, scope)
        wanted = pattern.items[-1]
        fits = bind(wanted, made.type, bindings)
        result = fill(wanted, bindings)
        if fits is None:
            raise self.source.mismatch(
                f"Expected a lambda that returns {wanted}, not {made.type}", node
            )
        if made.type == result or result == UNKNOWN:
            return made
        return self.lambda_as(made, result, node)

    def lambda_as(self, made: Value, result: Type, node: exp.Expr) -> Value:
        """A lambda whose result is another type."""
        head, _, body = made.sql.partition(": ")
        return Value(f"{head}: {self.coerced(Value(body, made.type), result, node)}", result)

    def _argument(
        self, value: Value, pattern: Pattern, bindings: Bindings, node: exp.Expr
    ) -> Value:
        target = fill(pattern, bindings)
        if target == UNKNOWN or (pattern.base == "decimal" and value.type.base == "decimal"):
            return value
        return Value(self.coerced(value, target, node), target, value.constant)

    def no_signature(
        self,
        name: str,
        candidates: Sequence[Signature],
        values: Sequence[Value | None],
        node: exp.Expr,
    ) -> QueryError:
        """The error for arguments that no signature takes."""
        types = ", ".join(str(v.type) if v else "function" for v in values)
        expected = ", ".join(map(str, candidates))
        message = f"Unexpected parameters ({types}) for function {name}. Expected: {expected}"
        return self.source.error(ErrorKind.FUNCTION_NOT_FOUND, message, node)

    # ── Aggregates and windows ────────────────────────────────────────────────────────────────

    def aggregate(
        self,
        name: str,
        nodes: Sequence[exp.Expr],
        node: exp.Expr,
        scope: Scope,
        modifiers: Modifiers,
    ) -> Value:
        """A call of an aggregate or window function."""
        if len(nodes) == 1 and isinstance(nodes[0], exp.Order):
            ordered = nodes[0]
            modifiers.order = list(ordered.expressions)
            nodes = [ordered.this]
        elif nodes and isinstance(nodes[-1], exp.Order):
            modifiers.order = list(nodes[-1].expressions)
            nodes = [*nodes[:-1], nodes[-1].this]
        if len(nodes) == 1 and isinstance(nodes[0], exp.Star):
            nodes = []
        if len(nodes) == 1 and isinstance(nodes[0], exp.Distinct):
            modifiers.distinct = True
            nodes = list(nodes[0].expressions)
        if modifiers.nulls and name not in WINDOWS:
            message = f"Cannot specify null treatment clause for {name} function"
            raise self.source.error(ErrorKind.SYNTAX_ERROR, message, node)
        special = SPECIAL_AGGREGATES.get(name)
        if special is not None:
            return special(self, nodes, node, scope, modifiers)
        candidates = AGGREGATES.get(name) or (WINDOWS.get(name) if modifiers.over else None)
        if candidates is None:
            raise self.source.error(
                ErrorKind.FUNCTION_NOT_FOUND, f"Function '{name}' not registered", node
            )
        signature, arguments, result = self.arguments(name, candidates, nodes, node, scope)
        sql = self.aggregate_sql(signature.sql, [a.sql for a in arguments], node, scope, modifiers)
        return Value(sql, self.in_zone(result, arguments))

    def aggregate_sql(
        self,
        template: str,
        arguments: Sequence[str],
        node: exp.Expr,
        scope: Scope,
        modifiers: Modifiers,
    ) -> str:
        """A template of an aggregate with its arguments and what stands with it."""
        if modifiers.distinct and "$D" not in template:
            self.source.unsupported("DISTINCT in this aggregate", node)
        if modifiers.order and "$O" not in template:
            modifiers.order = []  # The order of its input changes nothing.
        order = f" ORDER BY {self.order_by(modifiers.order, scope)}" if modifiers.order else ""
        suffix = ""
        if modifiers.filter is not None:
            suffix += f" FILTER (WHERE {self.expression(modifiers.filter, scope).sql})"
        suffix += f" OVER ({modifiers.over})" if modifiers.over else ""
        if modifiers.nulls:
            template = template.replace(")", f" {modifiers.nulls})", 1)
        if "§" not in template:
            template += "§"
        return substitute(
            template, arguments, "DISTINCT " if modifiers.distinct else "", order, suffix
        )


def substitute(
    template: str,
    arguments: Sequence[str],
    distinct: str = "",
    order: str = "",
    suffix: str = "",
) -> str:
    """A template with its `$1`, `$*`, `$D`, `$O` and `§` filled in."""

    def replaced(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return suffix
        if name == "*":
            return ", ".join(arguments)
        if name == "D":
            return distinct
        if name == "O":
            return order
        return arguments[int(name) - 1]

    return _ARGUMENT.sub(replaced, template)


Special = Callable[[Any, Sequence[exp.Expr], Any, Scope], Value]
SpecialAggregate = Callable[[Any, Sequence[exp.Expr], Any, Scope, Modifiers], Value]

SPECIAL: dict[str, Special] = {}
"""Functions whose types or SQL a signature's line can't tell; `special` fills it."""

SPECIAL_AGGREGATES: dict[str, SpecialAggregate] = {}
"""As `SPECIAL`, for aggregates."""


def special(name: str) -> Callable[[Special], Special]:
    """Register a function in `SPECIAL`."""

    def register(function: Special) -> Special:
        SPECIAL[name] = function
        return function

    return register


def special_aggregate(name: str) -> Callable[[SpecialAggregate], SpecialAggregate]:
    """Register a function in `SPECIAL_AGGREGATES`."""

    def register(function: SpecialAggregate) -> SpecialAggregate:
        SPECIAL_AGGREGATES[name] = function
        return function

    return register
