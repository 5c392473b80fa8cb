"""Expressions: sqlglot's nodes → typed SQL of DuckDB."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from sqlglot import exp

from cloche.engines.sql.engine import ErrorKind
from cloche.engines.sql.trino.calls import SPECIAL, Calls, Modifiers
from cloche.engines.sql.trino.casts import CastError, cast, coerce
from cloche.engines.sql.trino.literals import interval_literal, number_literal, typed_literal
from cloche.engines.sql.trino.operators import (
    ARITHMETIC,
    COMPARISONS,
    OperatorError,
    arithmetic,
    comparable,
    compare,
    concatenate,
)
from cloche.engines.sql.trino.types import (
    BOOLEAN,
    DAY_SECOND,
    JSON,
    UNKNOWN,
    VARBINARY,
    VARCHAR,
    YEAR_MONTH,
    Type,
    TypeNameError,
    array,
    common,
    parse_type,
    quoted,
    row,
    to_duckdb_type,
)
from cloche.engines.sql.trino.values import Field, Scope, Value, literal

_USUAL = frozenset({"this", "expression", "expressions"})
# What the grammar's nodes may carry, each of which is honoured; `safe` and `typed` are sqlglot's
# notes of the dialect, not of the text.
_ARGUMENTS: dict[type, frozenset[str]] = {
    exp.Literal: _USUAL | {"is_string"},
    exp.Identifier: _USUAL | {"quoted"},
    exp.Column: _USUAL | {"table", "db", "catalog"},
    exp.Div: _USUAL | {"typed", "safe"},
    exp.DPipe: _USUAL | {"safe"},
    exp.Like: _USUAL | {"negate"},
    exp.Between: _USUAL | {"low", "high", "symmetric"},
    exp.In: _USUAL | {"query"},
    exp.Cast: _USUAL | {"to", "safe", "format"},
    exp.TryCast: _USUAL | {"to", "safe", "format"},
    exp.Case: _USUAL | {"ifs", "default"},
    exp.Array: _USUAL | {"value_constructor", "bracket_notation"},
    exp.Bracket: _USUAL | {"offset"},
    exp.Interval: _USUAL | {"unit"},
    exp.ParseJSON: _USUAL | {"is_literal"},
    exp.Window: _USUAL | {"partition_by", "order", "spec", "alias", "over"},
    exp.GroupConcat: _USUAL | {"separator", "on_overflow"},
    exp.Subquery: _USUAL | {"order", "limit", "offset", "with_"},
    exp.Select: frozenset(exp.Select.arg_types),
    exp.AtTimeZone: _USUAL | {"zone"},
    exp.Trim: _USUAL | {"position"},
    exp.StrPosition: _USUAL | {"substr"},
    exp.Substring: _USUAL | {"start", "length"},
    exp.Normalize: _USUAL | {"form"},
    exp.JSONExtract: _USUAL | {"json_query", "option", "quote", "on_condition", "only_json_types"},
    exp.JSONValue: _USUAL | {"path", "returning", "on_condition"},
    exp.JSONObject: _USUAL | {"null_handling", "unique_keys"},
}


class Expressions(Calls):
    """Compiles expressions.

    Attributes:
        lambda_depth: how many lambdas are around, for the names of their arguments.
    """

    lambda_depth = 0

    @abstractmethod
    def subquery(self, node: exp.Expr, scope: Scope) -> tuple[str, list[Field]]:
        """Compile a query within an expression."""

    def expression(self, node: exp.Expr, scope: Scope) -> Value:
        """Compile an expression.

        Raises:
            QueryError: Trino wouldn't run it, or we can't.
        """
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            self.refuse_unknown(node)
            try:
                return handler(self, node, scope)
            except (OperatorError, CastError, TypeNameError) as error:
                raise self.source.mismatch(str(error), node) from None
        self.source.unsupported(f"{type(node).__name__.upper()} in an expression", node)

    def refuse_unknown(self, node: exp.Expr) -> None:
        """Refuse what the grammar reads and nothing here honours."""
        known = _ARGUMENTS.get(type(node), _USUAL)
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


# ── One function for each kind of node ────────────────────────────────────────────────────────


def _literal(c: Expressions, node: Any, scope: Scope) -> Value:
    if node.is_string:
        return Value(literal(node.this), Type("varchar", (len(node.this),)), node.this)
    return number_literal(node.this)


def _negative(c: Expressions, node: Any, scope: Scope) -> Value:
    if isinstance(node.this, exp.Literal) and not node.this.is_string:
        return number_literal("-" + node.this.this)
    value = c.expression(node.this, scope)
    if not value.type.is_number and value.type.base not in {DAY_SECOND, YEAR_MONTH}:
        raise OperatorError(f"Cannot negate {value.type}")
    return Value(f"(-{value.sql})", value.type)


def _logical(operator: str) -> Callable[[Expressions, Any, Scope], Value]:
    def compile(c: Expressions, node: Any, scope: Scope) -> Value:
        # Long chains lean to one side: a loop, not a recursion for each.
        parts: list[exp.Expr] = []
        while isinstance(node, exp.And if operator == "AND" else exp.Or):
            parts.append(node.expression)
            node = node.this
        parts.append(node)
        made = [
            c.boolean(p, scope, f"Logical expression term of {operator}").sql
            for p in reversed(parts)
        ]
        return Value(f"({f' {operator} '.join(made)})", BOOLEAN)

    return compile


def _not(c: Expressions, node: Any, scope: Scope) -> Value:
    return Value(
        f"(NOT {c.boolean(node.this, scope, 'Value of logical NOT expression').sql})", BOOLEAN
    )


def _compare(c: Expressions, node: Any, scope: Scope) -> Value:
    operator = COMPARISONS[type(node)]
    quantified = _quantifier(node.expression)
    if quantified is not None:
        return _quantified(c, node, operator, quantified, scope)
    a, b = c.expression(node.this, scope), c.expression(node.expression, scope)
    return compare(operator, a, b)


def _quantifier(node: Any) -> tuple[str, exp.Expr] | None:
    """`ANY (query)` and `ALL (query)`; sqlglot takes some of them for functions."""
    if isinstance(node, exp.Any | exp.All):
        return ("ANY" if isinstance(node, exp.Any) else "ALL"), node.this
    if isinstance(node, exp.Anonymous) and len(node.expressions) == 1:
        word = {"all": "ALL", "any": "ANY", "some": "ANY"}.get(node.name.lower())
        if word and isinstance(node.expressions[0], exp.Values | exp.Query):
            return word, node.expressions[0]
    return None


def _quantified(
    c: Expressions, node: Any, operator: str, quantified: tuple[str, exp.Expr], scope: Scope
) -> Value:
    word, query = quantified
    value = c.expression(node.this, scope)
    sql, fields = c.subquery(query, scope)
    if len(fields) != 1:
        raise c.source.mismatch(
            f"Multiple columns returned by subquery are not yet supported. Found {len(fields)}",
            node,
        )
    left, _ = comparable(operator, value, Value("x", fields[0].value.type))
    return Value(f"({left} {operator} {word} ({sql}))", BOOLEAN)


def _distinct_from(c: Expressions, node: Any, scope: Scope) -> Value:
    word = "IS NOT DISTINCT FROM" if isinstance(node, exp.NullSafeEQ) else "IS DISTINCT FROM"
    a, b = c.expression(node.this, scope), c.expression(node.expression, scope)
    left, right = comparable(word, a, b)
    return Value(f"({left} {word} {right})", BOOLEAN)


def _between(c: Expressions, node: Any, scope: Scope) -> Value:
    value = c.expression(node.this, scope)
    low, high = c.expression(node.args["low"], scope), c.expression(node.args["high"], scope)
    if node.args.get("symmetric"):
        c.source.unsupported("BETWEEN SYMMETRIC", node)
    first, bottom = comparable(">=", value, low)
    second, top = comparable("<=", value, high)
    if first == second:
        return Value(f"({first} BETWEEN {bottom} AND {top})", BOOLEAN)
    return Value(f"({first} >= {bottom} AND {second} <= {top})", BOOLEAN)


def _in(c: Expressions, node: Any, scope: Scope) -> Value:
    value = c.expression(node.this, scope)
    query = node.args.get("query")
    if query is not None:
        sql, fields = c.subquery(query, scope)
        if value.type.base == "row" and len(fields) == len(value.type.items) > 1:
            names = ", ".join(f"field{i} := q.c{i}" for i in range(len(fields)))
            columns = ", ".join(f"c{i}" for i in range(len(fields)))
            sql = f"SELECT struct_pack({names}) FROM ({sql}) AS q({columns})"
            return Value(f"({value.sql} IN ({sql}))", BOOLEAN)
        if len(fields) != 1:
            raise c.source.mismatch(
                "Multiple columns returned by subquery are not yet supported", node
            )
        left, _ = comparable("=", value, Value("x", fields[0].value.type))
        return Value(f"({left} IN ({sql}))", BOOLEAN)
    if not node.expressions:
        c.source.unsupported("this form of IN", node)
    items = [c.expression(item, scope) for item in node.expressions]
    sides = [comparable("=", value, item) for item in items]
    if len({left for left, _ in sides}) == 1:
        return Value(f"({sides[0][0]} IN ({', '.join(right for _, right in sides)}))", BOOLEAN)
    return Value(f"({' OR '.join(f'{left} = {right}' for left, right in sides)})", BOOLEAN)


def _is(c: Expressions, node: Any, scope: Scope) -> Value:
    right = node.expression
    if not isinstance(right, exp.Null):
        c.source.unsupported("IS with something other than NULL", node)
    return Value(f"({c.expression(node.this, scope).sql} IS NULL)", BOOLEAN)


def _like(c: Expressions, node: Any, scope: Scope, escape: exp.Expr | None = None) -> Value:
    a, b = c.expression(node.this, scope), c.expression(node.expression, scope)
    for value in (a, b):
        if not value.type.is_text and value.type != UNKNOWN:
            raise OperatorError(
                f"Left side of LIKE expression must evaluate to a varchar (actual: {value.type})"
            )
    left, right = coerce(a, VARCHAR), coerce(b, VARCHAR)
    word = "NOT LIKE" if node.args.get("negate") else "LIKE"
    if escape is None:
        return Value(f"({left} {word} {right})", BOOLEAN)
    return Value(f"({left} {word} {right} ESCAPE {c.expression(escape, scope).sql})", BOOLEAN)


def _escape(c: Expressions, node: Any, scope: Scope) -> Value:
    c.refuse_unknown(node.this)
    return _like(c, node.this, scope, node.expression)


def _arithmetic(c: Expressions, node: Any, scope: Scope) -> Value:
    a, b = c.expression(node.this, scope), c.expression(node.expression, scope)
    return arithmetic(ARITHMETIC[type(node)], a, b)


def _concat(c: Expressions, node: Any, scope: Scope) -> Value:
    return concatenate(c.expression(node.this, scope), c.expression(node.expression, scope))


def _cast(c: Expressions, node: Any, scope: Scope) -> Value:
    target = c.read_type(node.args["to"])
    if node.args.get("format"):
        c.source.unsupported("CAST with FORMAT", node)
    if isinstance(node.this, exp.Literal) and node.this.is_string:
        made = typed_literal(node.this.this, target, c.zone, written=node.args["to"])
        if made is not None:
            return (
                made if not isinstance(node, exp.TryCast) else Value(f"TRY({made.sql})", made.type)
            )
    value = c.cast_to(node.this, target, scope)
    return Value(f"TRY({value.sql})", value.type) if isinstance(node, exp.TryCast) else value


def _case(c: Expressions, node: Any, scope: Scope) -> Value:
    operand = c.expression(node.this, scope) if node.this else None
    conditions: list[str] = []
    for branch in node.args["ifs"]:
        if operand is None:
            conditions.append(c.boolean(branch.this, scope, "CASE WHEN clause").sql)
        else:
            conditions.append(compare("=", operand, c.expression(branch.this, scope)).sql)
    values = [c.expression(branch.args["true"], scope) for branch in node.args["ifs"]]
    default = node.args.get("default")
    values.append(c.expression(default, scope) if default else Value("NULL", UNKNOWN))
    return cases(c, conditions, values, node)


def cases(
    c: Expressions, conditions: Sequence[str], values: Sequence[Value], node: exp.Expr
) -> Value:
    """`CASE WHEN … THEN … ELSE … END` of values of a common type."""
    target = c.common_type(values, "All CASE results", node)
    made = [coerce(v, target) if target != UNKNOWN else v.sql for v in values]
    branches = " ".join(f"WHEN {w} THEN {t}" for w, t in zip(conditions, made, strict=False))
    return Value(f"CASE {branches} ELSE {made[-1]} END", target)


def _array(c: Expressions, node: Any, scope: Scope) -> Value:
    values = [c.expression(n, scope) for n in node.expressions]
    item = c.common_type(values, "All ARRAY elements", node)
    made = ", ".join(coerce(v, item) if item != UNKNOWN else v.sql for v in values)
    return Value(f"[{made}]", array(item))


def _subscript(c: Expressions, node: Any, scope: Scope) -> Value:
    value = c.expression(node.this, scope)
    index = c.expression(node.expressions[0], scope)
    kind = value.type
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
        c.source.unsupported("a slice", node)
    if kind.base == "array" and index.type.is_integer:
        return Value(f"trino_subscript({value.sql}, {index.sql})", kind.items[0])
    if kind.base == "map" and common(kind.items[0], index.type) is not None:
        key = coerce(index, kind.items[0])
        return Value(f"trino_map_subscript({value.sql}, {key})", kind.items[1])
    if (
        kind.base == "row"
        and isinstance(index.constant, int)
        and 0 < index.constant <= len(kind.items)
    ):
        name = kind.field_names()[index.constant - 1]
        return Value(
            f"struct_extract({value.sql}, {literal(name)})", kind.items[index.constant - 1]
        )
    raise OperatorError(f"Cannot apply operator: {kind}[{index.type}]")


def _interval(c: Expressions, node: Any, scope: Scope) -> Value:
    return interval_literal(node)


def _hex(c: Expressions, node: Any, scope: Scope) -> Value:
    digits = node.this.replace(" ", "")
    try:
        made = bytes.fromhex(digits)
    except ValueError:
        raise c.source.error(
            ErrorKind.SYNTAX_ERROR, "Binary literal must contain an even number of digits", node
        ) from None
    return Value(f"unhex('{digits}')", VARBINARY, made)


def _unicode(c: Expressions, node: Any, scope: Scope) -> Value:
    import re

    text = re.sub(
        r"\\(\\|\+([0-9A-Fa-f]{6})|([0-9A-Fa-f]{4}))",
        lambda m: "\\" if m[1] == "\\" else chr(int(m[2] or m[3], 16)),
        node.this,
    )
    return Value(literal(text), Type("varchar", (len(text),)), text)


def _json_literal(c: Expressions, node: Any, scope: Scope) -> Value:
    return Value(f"trino_json_parse({c.expression(node.this, scope).sql})", JSON)


def _call(c: Expressions, node: Any, scope: Scope) -> Value:
    name = node.name.lower()
    return c.call(name, node.expressions, node, scope)


def _modified(c: Expressions, node: Any, scope: Scope) -> Value:
    """A call with FILTER, WITHIN GROUP, IGNORE NULLS or OVER."""
    modifiers = Modifiers()
    inner: Any = node
    while True:
        if isinstance(inner, exp.Filter):
            modifiers.filter = inner.expression.this
        elif isinstance(inner, exp.IgnoreNulls):
            modifiers.nulls = "IGNORE NULLS"
        elif isinstance(inner, exp.RespectNulls):
            pass
        elif isinstance(inner, exp.WithinGroup):
            modifiers.order = list(inner.expression.expressions)
        elif isinstance(inner, exp.Window):
            modifiers.over = c.window(inner, scope)
        else:
            break
        inner = inner.this
    if isinstance(inner, exp.GroupConcat):
        return SPECIAL_NODES["listagg"](c, inner, scope, modifiers)
    if not isinstance(inner, exp.Anonymous):
        c.source.unsupported("OVER or FILTER with this expression", node)
    return c.aggregate(inner.name.lower(), inner.expressions, inner, scope, modifiers)


def _listagg(c: Expressions, node: Any, scope: Scope) -> Value:
    return SPECIAL_NODES["listagg"](c, node, scope, Modifiers())


def _special_node(name: str) -> Callable[[Expressions, Any, Scope], Value]:
    """A node of its own for what is a function with a syntax of its own."""

    def compile(c: Expressions, node: Any, scope: Scope) -> Value:
        return SPECIAL[name](c, [], node, scope)

    return compile


def _subquery(c: Expressions, node: Any, scope: Scope) -> Value:
    sql, fields = c.subquery(node, scope)
    if len(fields) == 1:
        return Value(f"({sql})", fields[0].value.type)
    names = ", ".join(f"field{i} := q.c{i}" for i in range(len(fields)))
    columns = ", ".join(f"c{i}" for i in range(len(fields)))
    packed = f"(SELECT struct_pack({names}) FROM ({sql}) AS q({columns}))"
    return Value(packed, row(*((f.name, f.value.type) for f in fields)))


def _exists(c: Expressions, node: Any, scope: Scope) -> Value:
    sql, _ = c.subquery(node.this, scope)
    return Value(f"EXISTS ({sql})", BOOLEAN)


def _at_time_zone(c: Expressions, node: Any, scope: Scope) -> Value:
    return SPECIAL["at_timezone"](c, [node.this, node.args["zone"]], node, scope)


SPECIAL_NODES: dict[str, Callable[[Any, Any, Scope, Modifiers], Value]] = {}
"""Nodes with a syntax of their own that are aggregates; `special` fills it."""

_HANDLERS: dict[type, Callable[[Any, Any, Scope], Value]] = {
    exp.Literal: _literal,
    exp.Boolean: lambda c, n, s: Value("true" if n.this else "false", BOOLEAN, bool(n.this)),
    exp.Null: lambda c, n, s: Value("NULL", UNKNOWN),
    exp.Column: lambda c, n, s: c.name(n, s),
    exp.Identifier: lambda c, n, s: c.name(n, s),
    exp.Dot: lambda c, n, s: c.name(n, s),
    exp.Paren: lambda c, n, s: c.expression(n.this, s),
    exp.Neg: _negative,
    exp.And: _logical("AND"),
    exp.Or: _logical("OR"),
    exp.Not: _not,
    **dict.fromkeys(COMPARISONS, _compare),
    exp.NullSafeEQ: _distinct_from,
    exp.NullSafeNEQ: _distinct_from,
    exp.Between: _between,
    exp.In: _in,
    exp.Is: _is,
    exp.Like: _like,
    exp.Escape: _escape,
    **dict.fromkeys(ARITHMETIC, _arithmetic),
    exp.DPipe: _concat,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Case: _case,
    exp.Array: _array,
    exp.Bracket: _subscript,
    exp.Tuple: lambda c, n, s: c.row_of(n.expressions, s),
    exp.Interval: _interval,
    exp.HexString: _hex,
    exp.UnicodeString: _unicode,
    exp.ParseJSON: _json_literal,
    exp.Anonymous: _call,
    exp.Window: _modified,
    exp.Filter: _modified,
    exp.IgnoreNulls: _modified,
    exp.RespectNulls: _modified,
    exp.WithinGroup: _modified,
    exp.GroupConcat: _listagg,
    exp.Subquery: _subquery,
    exp.Select: _subquery,
    exp.Exists: _exists,
    exp.AtTimeZone: _at_time_zone,
    exp.CurrentDate: _special_node("current_date"),
    exp.CurrentTime: _special_node("current_time"),
    exp.CurrentTimestamp: _special_node("now"),
    exp.Localtime: _special_node("localtime"),
    exp.Localtimestamp: _special_node("localtimestamp"),
    exp.CurrentUser: _special_node("current_user"),
    exp.CurrentCatalog: _special_node("current_catalog"),
    exp.CurrentSchema: _special_node("current_schema"),
    exp.Extract: _special_node("extract"),
    exp.Trim: _special_node("trim_from"),
    exp.StrPosition: _special_node("position"),
    exp.Substring: _special_node("substring_from"),
    exp.Normalize: _special_node("normalize"),
    exp.JSONExtract: _special_node("json_query"),
    exp.JSONValue: _special_node("json_value"),
    exp.JSONObject: _special_node("json_object"),
}

__all__ = ["Decimal", "Expressions", "to_duckdb_type"]
