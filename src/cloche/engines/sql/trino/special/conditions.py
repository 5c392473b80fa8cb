"""IF, COALESCE, NULLIF, TRY, greatest and least, ROW, typeof, and what the session knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from cloche.engines.sql.engine import ErrorKind
from cloche.engines.sql.trino.calls import special
from cloche.engines.sql.trino.casts import coerce
from cloche.engines.sql.trino.expressions import Expressions
from cloche.engines.sql.trino.nodes import cases
from cloche.engines.sql.trino.operators import comparable, compare, never_nan
from cloche.engines.sql.trino.types import UNKNOWN, VARCHAR, Type
from cloche.engines.sql.trino.values import USER_VARIABLE, Scope, Value, literal

Nodes = Sequence[exp.Expr]


def expect(c: Expressions, nodes: Nodes, low: int, high: int, node: Any) -> None:
    """Refuse a call with too few or too many arguments."""
    if not low <= len(nodes) <= high:
        message = f"Incorrect number of parameters for function {node.name}: {len(nodes)}"
        raise c.source.error(ErrorKind.SYNTAX_ERROR, message, node)


@special("if")
def _if(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 3, node)
    condition = c.boolean(nodes[0], scope, "IF condition").sql
    values = [c.expression(n, scope) for n in nodes[1:]]
    if len(values) == 1:
        values.append(Value("NULL", UNKNOWN))
    return cases(c, [condition], values, node)


@special("coalesce")
def _coalesce(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 1000, node)
    values = [c.expression(n, scope) for n in nodes]
    target = c.common_type(values, "All COALESCE operands", node)
    return Value(f"coalesce({_joined(values, target)})", target)


def _joined(values: Sequence[Value], target: Type) -> str:
    return ", ".join(coerce(v, target) if target != UNKNOWN else v.sql for v in values)


@special("nullif")
def _nullif(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    a, b = (c.expression(n, scope) for n in nodes)
    left, right = comparable("=", a, b)
    if left == a.sql and never_nan(a):
        return Value(f"nullif({left}, {right})", a.type)
    return Value(f"CASE WHEN {compare('=', a, b).sql} THEN NULL ELSE {a.sql} END", a.type)


@special("try")
def _try(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 1, node)
    value = c.expression(nodes[0], scope)
    return Value(f"TRY({value.sql})", value.type)


def _extreme(name: str) -> Any:
    def compile(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
        expect(c, nodes, 1, 1000, node)
        values = [c.expression(n, scope) for n in nodes]
        target = c.common_type(values, f"All arguments of {name}", node)
        if target == UNKNOWN:
            return Value("NULL", UNKNOWN)
        made = [coerce(v, target) for v in values]
        # DuckDB leaves NULLs out; in Trino one of them is the answer.
        missing = [m for m, v in zip(made, values, strict=True) if v.constant is None]
        call = f"{name}({', '.join(made)})"
        if not missing:
            return Value(call, target)
        nulls = " OR ".join(f"{m} IS NULL" for m in missing)
        return Value(f"CASE WHEN {nulls} THEN NULL ELSE {call} END", target)

    return compile


special("greatest")(_extreme("greatest"))
special("least")(_extreme("least"))


@special("row")
def _row(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    return c.row_of(nodes, scope)


@special("typeof")
def _typeof(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 1, node)
    value = c.expression(nodes[0], scope)
    return Value(literal(str(value.type)), VARCHAR, str(value.type))


@special("fail")
def _fail(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 1, node)
    message = coerce(c.expression(nodes[0], scope), VARCHAR)
    sql = f"CAST(concat('!GENERIC_USER_ERROR: ', {message}) AS TINYINT)"
    return Value(sql, UNKNOWN)


@special("current_user")
def _user(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    return Value(f"getvariable('{USER_VARIABLE}')", VARCHAR)


@special("version")
def _version(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    return Value("'Athena engine version 3'", VARCHAR)


@special("current_catalog")
def _catalog(c: Any, nodes: Nodes, node: Any, scope: Scope) -> Value:
    return Value(literal(c.session["catalog"]), VARCHAR)


@special("current_schema")
def _schema(c: Any, nodes: Nodes, node: Any, scope: Scope) -> Value:
    return Value(literal(c.session["schema"]), VARCHAR)
