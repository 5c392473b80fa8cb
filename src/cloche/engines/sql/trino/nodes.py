"""One function for each kind of node of sqlglot's that an expression can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp

from cloche.engines.sql.engine import ErrorKind
from cloche.engines.sql.trino.calls import SPECIAL, Modifiers
from cloche.engines.sql.trino.casts import coerce
from cloche.engines.sql.trino.expressions import (
    ARGUMENTS,
    HANDLERS,
    SPECIAL_NODES,
    USUAL_ARGUMENTS,
    Expressions,
    Handler,
)
from cloche.engines.sql.trino.literals import interval_literal, number_literal, typed_literal
from cloche.engines.sql.trino.operators import (
    ARITHMETIC,
    COMPARISONS,
    OperatorError,
    arithmetic,
    comparable,
    compare,
    concatenate,
    never_nan,
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
    array,
    common,
    row,
)
from cloche.engines.sql.trino.values import Scope, Value, literal

_USUAL = USUAL_ARGUMENTS
# What the grammar's nodes may carry, each of which is honoured; `safe` and `typed` are sqlglot's
# notes of the dialect, not of the text.
_ARGUMENTS: dict[type, frozenset[str]] = {
    exp.Literal: _USUAL | {"is_string"},
    exp.Identifier: _USUAL | {"quoted"},
    exp.Column: _USUAL | {"table", "db", "catalog"},
    exp.Div: _USUAL | {"typed", "safe"},
    exp.DPipe: _USUAL | {"safe"},
    exp.UnicodeString: _USUAL | {"escape"},
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


# ── Nodes ────────────────────────────────────────────────────────


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
    if value.type.items or not all(never_nan(item) for item in items):
        # NaN equals nothing. A NULL within a row or an array may leave it unknown.
        equals = (compare("=", value, item).sql for item in items)
        return Value(f"({' OR '.join(equals)})", BOOLEAN)
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
    mark = c.expression(escape, scope).sql
    checked = f"trino_like_escaped({right}, {mark})"
    return Value(f"({left} {word} {checked} ESCAPE {mark})", BOOLEAN)


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
    sides: list[tuple[str, str]] = []
    for branch in node.args["ifs"]:
        if operand is None:
            conditions.append(c.boolean(branch.this, scope, "CASE WHEN clause").sql)
        else:
            sides.append(comparable("=", operand, c.expression(branch.this, scope)))
    simple = ""
    if operand is not None and all(left == operand.sql for left, _ in sides):
        # The operand is evaluated once, which random() may tell.
        simple, conditions = operand.sql, [right for _, right in sides]
    elif operand is not None:
        conditions = [f"{left} = {right}" for left, right in sides]
    values = [c.expression(branch.args["true"], scope) for branch in node.args["ifs"]]
    default = node.args.get("default")
    values.append(c.expression(default, scope) if default else Value("NULL", UNKNOWN))
    return cases(c, conditions, values, node, simple)


def cases(
    c: Expressions,
    conditions: Sequence[str],
    values: Sequence[Value],
    node: exp.Expr,
    operand: str = "",
) -> Value:
    """`CASE … WHEN … THEN … ELSE … END` of values of a common type."""
    target = c.common_type(values, "All CASE results", node)
    made = [coerce(v, target) if target != UNKNOWN else v.sql for v in values]
    branches = " ".join(f"WHEN {w} THEN {t}" for w, t in zip(conditions, made, strict=False))
    return Value(f"CASE {operand} {branches} ELSE {made[-1]} END", target)


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
    mark = node.args["escape"].name if node.args.get("escape") else "\\"
    sign = re.escape(mark)
    text = re.sub(
        rf"{sign}({sign}|\+([0-9A-Fa-f]{{6}})|([0-9A-Fa-f]{{4}}))",
        lambda m: mark if m[1] == mark else chr(int(m[2] or m[3], 16)),
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


_HANDLERS: dict[type, Handler] = {
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

HANDLERS.update(_HANDLERS)
ARGUMENTS.update(_ARGUMENTS)
