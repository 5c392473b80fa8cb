"""Expressions: sqlglot's nodes → typed SQL of DuckDB."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp

from cloche.engines.sql.engine import ErrorKind
from cloche.engines.sql.trino.calls import Calls, Modifiers
from cloche.engines.sql.trino.casts import CastError, cast
from cloche.engines.sql.trino.literals import typed_literal
from cloche.engines.sql.trino.operators import (
    OperatorError,
)
from cloche.engines.sql.trino.types import (
    BOOLEAN,
    UNKNOWN,
    Type,
    TypeNameError,
    common,
    parse_type,
    quoted,
    row,
)
from cloche.engines.sql.trino.values import Field, Scope, Value, literal

Handler = Callable[[Any, Any, Scope], Value]

HANDLERS: dict[type, Handler] = {}
"""What compiles each kind of node; `nodes` fills it."""

ARGUMENTS: dict[type, frozenset[str]] = {}
"""What a kind of node may carry, all of it honoured; `nodes` fills it."""

USUAL_ARGUMENTS = frozenset({"this", "expression", "expressions"})

SPECIAL_NODES: dict[str, Callable[[Any, Any, Scope, Modifiers], Value]] = {}
"""Nodes with a syntax of their own that are aggregates; `special` fills it."""


class Expressions(Calls):
    """Compiles expressions.

    Attributes:
        lambda_depth: how many lambdas are around, for the names of their arguments.
    """

    lambda_depth = 0

    @abstractmethod
    def subquery(self, node: exp.Expr, scope: Scope) -> tuple[str, list[Field]]:
        """Compile a query within an expression."""

    @abstractmethod
    def window(self, node: Any, scope: Scope) -> str:
        """Compile what stands in OVER (…)."""

    def expression(self, node: exp.Expr, scope: Scope) -> Value:
        """Compile an expression.

        Raises:
            QueryError: Trino wouldn't run it, or we can't.
        """
        handler = HANDLERS.get(type(node))
        if handler is not None:
            self.refuse_unknown(node)
            try:
                return handler(self, node, scope)
            except (OperatorError, CastError, TypeNameError) as error:
                raise self.source.mismatch(str(error), node) from None
        self.source.unsupported(f"{type(node).__name__.upper()} in an expression", node)

    def refuse_unknown(self, node: exp.Expr) -> None:
        """Refuse what the grammar reads and nothing here honours."""
        known = ARGUMENTS.get(type(node), USUAL_ARGUMENTS)
        for key, value in node.args.items():
            if value and key not in known:
                shown = f"{key.upper()} of {type(node).__name__.upper()}"
                self.source.unsupported(shown, node)

    # ── Names ─────────────────────────────────────────────────────────────────────────────────

    def parts(self, node: exp.Expr) -> list[exp.Identifier] | None:
        """`a.b.c` as a list of its names; None if it is something else."""
        if isinstance(node, exp.Identifier):
            return [node]
        if isinstance(node, exp.Column):
            return [p for p in node.parts if isinstance(p, exp.Identifier)]
        if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
            left = self.parts(node.this)
            return [*left, node.expression] if left else None
        return None

    def name(self, node: exp.Expr, scope: Scope) -> Value:
        """A column, a field of a column's row, or a lambda's argument."""
        identifiers = self.parts(node)
        if not identifiers:
            base = self.expression(node.this, scope)
            return self.field(base, node.expression.name, node)
        names = [i.name.lower() for i in identifiers]
        found = self.lookup(names, scope, node)
        if found is None:
            shown = ".".join(i.name for i in identifiers)
            message = f"Column '{shown}' cannot be resolved"
            raise self.source.error(ErrorKind.COLUMN_NOT_FOUND, message, node)
        value, rest = found
        for name in rest:
            value = self.field(value, name, node)
        return value

    def lookup(
        self, names: list[str], scope: Scope, node: exp.Expr
    ) -> tuple[Value, list[str]] | None:
        """What the names mean, and those that are left over as fields of a row."""
        if names[0] in scope.variables:
            return scope.variables[names[0]], names[1:]
        level: Scope | None = scope
        while level is not None:
            if len(names) == 1:
                for alias in level.aliases:
                    if alias.name and alias.name.lower() == names[0]:
                        return alias.value, []
            for count in range(min(3, len(names) - 1), -1, -1):
                found = [f for f in level.fields if f.answers(names[:count], names[count])]
                if len(found) > 1:
                    shown = ".".join(names)
                    message = f"Column '{shown}' is ambiguous"
                    raise self.source.error(ErrorKind.SYNTAX_ERROR, message, node)
                if found:
                    return found[0].value, names[count + 1 :]
            level = level.parent
        return None

    def field(self, value: Value, name: str, node: exp.Expr) -> Value:
        """A field of a row."""
        if value.type.base == "row":
            for index, stored in enumerate(value.type.field_names()):
                if (value.type.names[index] or "").lower() == name.lower():
                    sql = f"struct_extract({value.sql}, {literal(stored)})"
                    return Value(sql, value.type.items[index])
        message = f"Column '{name}' cannot be resolved"
        raise self.source.error(ErrorKind.COLUMN_NOT_FOUND, message, node)

    def lambda_value(self, node: exp.Expr, types: Sequence[Type], scope: Scope) -> Value:
        """A lambda with arguments of these types; its type is that of its result."""
        if not isinstance(node, exp.Lambda):
            raise self.source.mismatch("Expected a lambda", node)
        names = [p.name.lower() for p in node.expressions]
        if len(names) != len(types):
            message = f"Expected a lambda that takes {len(types)} argument(s) but got {len(names)}"
            raise self.source.mismatch(message, node)
        depth = self.lambda_depth
        made = [Value(f"l{depth}_{index}", type) for index, type in enumerate(types)]
        body = self.lambda_body(node, made, scope)
        return Value(f"lambda {', '.join(v.sql for v in made)}: {body.sql}", body.type)

    def lambda_body(self, node: exp.Expr, values: Sequence[Value], scope: Scope) -> Value:
        """What a lambda makes of values; lambdas within have names of their own."""
        if not isinstance(node, exp.Lambda) or len(node.expressions) != len(values):
            raise self.source.mismatch(f"Expected a lambda of {len(values)} argument(s)", node)
        named = {p.name.lower(): v for p, v in zip(node.expressions, values, strict=True)}
        self.lambda_depth += 1
        try:
            return self.expression(node.this, scope.with_variables(named))
        finally:
            self.lambda_depth -= 1

    # ── Types ─────────────────────────────────────────────────────────────────────────────────

    def read_type(self, node: exp.Expr) -> Type:
        """The type that a CAST names."""
        return parse_type(node.sql("trino"))

    def common_type(self, values: Sequence[Value], what: str, node: exp.Expr) -> Type:
        """The type that all values coerce to."""
        result = UNKNOWN
        for value in values:
            merged = common(result, value.type)
            if merged is None:
                message = f"{what} must be the same type or coercible to a common type. "
                message += f"Cannot find common type between {result} and {value.type}"
                raise self.source.mismatch(message, node)
            result = merged
        return result

    def boolean(self, node: exp.Expr, scope: Scope, what: str) -> Value:
        """A condition."""
        value = self.expression(node, scope)
        if value.type == UNKNOWN:
            return Value("CAST(NULL AS BOOLEAN)", BOOLEAN)
        if value.type != BOOLEAN:
            message = f"{what} must evaluate to a boolean: actual type {value.type}"
            raise self.source.mismatch(message, node)
        return value

    def order_by(self, nodes: Sequence[exp.Expr], scope: Scope) -> str:
        """Sort keys within an aggregate or a window."""
        return ", ".join(
            self.expression(n.this, scope).sql + direction(n) if isinstance(n, exp.Ordered) else ""
            for n in nodes
        )

    def row_of(self, nodes: Sequence[exp.Expr], scope: Scope) -> Value:
        """`ROW(…)` and `(a, b)`."""
        values = [self.expression(n, scope) for n in nodes]
        made = ", ".join(f"field{i} := {v.sql}" for i, v in enumerate(values))
        return Value(f"struct_pack({made})", row(*((None, v.type) for v in values)))

    def cast_rows(self, node: exp.Expr, target: Type, scope: Scope) -> Value | None:
        """CAST of a ROW that is written out: field by field, which is what people mean."""
        if target.base != "row" or not _is_row(node):
            return None
        inner = list(node.expressions)
        if len(inner) != len(target.items):
            raise CastError(f"Cannot cast row of {len(inner)} fields to {target}")
        made = ", ".join(
            f"{quoted(name)} := {self.cast_to(part, kind, scope).sql}"
            for part, name, kind in zip(inner, target.field_names(), target.items, strict=True)
        )
        return Value(f"struct_pack({made})", target)

    def cast_to(self, node: exp.Expr, target: Type, scope: Scope) -> Value:
        """CAST."""
        written_out = self.cast_rows(node, target, scope)
        if written_out is not None:
            return written_out
        value = self.expression(node, scope)
        if target.base == "timestamp with time zone":
            target = self.zone_of_cast(value, target)
        return Value(cast(value, target), target)

    def zone_of_cast(self, value: Value, target: Type) -> Type:
        """The zone of a cast's result."""
        if value.type.base == target.base:
            return target.at(value.type.zone)
        if value.text is not None:
            literal_type = typed_literal(value.text, target, self.zone).type
            return literal_type
        return target.at(self.zone)


def direction(node: exp.Expr) -> str:
    """`DESC NULLS FIRST` of a sort key; NULLs are last where nothing is said, either way."""
    nulls = " NULLS FIRST" if node.args.get("nulls_first") else " NULLS LAST"
    return (" DESC" if node.args.get("desc") else " ASC") + nulls


def _is_row(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() == "row"
    return isinstance(node, exp.Tuple)
