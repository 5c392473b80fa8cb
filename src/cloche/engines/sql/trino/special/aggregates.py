"""Aggregates whose types or SQL a signature's line can't tell."""
# ruff: noqa: E501 - templates of SQL read better whole

from __future__ import annotations

from typing import Any

from sqlglot import exp

from cloche.engines.sql.trino.calls import Modifiers, special, special_aggregate
from cloche.engines.sql.trino.casts import coerce
from cloche.engines.sql.trino.expressions import SPECIAL_NODES, Expressions
from cloche.engines.sql.trino.functions import AGGREGATES
from cloche.engines.sql.trino.operators import average_of_decimals
from cloche.engines.sql.trino.special.conditions import Nodes, expect
from cloche.engines.sql.trino.types import (
    BIGINT,
    DOUBLE,
    VARCHAR,
    array,
    decimal,
    map_of,
    to_duckdb_type,
)
from cloche.engines.sql.trino.values import Scope, Value


def _from_table(
    c: Expressions, name: str, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers
) -> Value:
    signature, arguments, result = c.arguments(name, AGGREGATES[name], nodes, node, scope)
    sql = c.aggregate_sql(signature.sql, [a.sql for a in arguments], node, scope, modifiers)
    return Value(sql, result)


def _filled(
    c: Expressions, template: str, values: list[str], node: Any, scope: Scope, modifiers: Modifiers
) -> str:
    return c.aggregate_sql(template, values, node, scope, modifiers)


@special_aggregate("sum")
def _sum(c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    expect(c, nodes, 1, 1, node)
    value = c.expression(nodes[0], scope)
    if value.type.base != "decimal":
        return _from_table(c, "sum", nodes, node, scope, modifiers)
    result = decimal(38, value.type.numbers[1])
    return Value(_filled(c, "sum($D$1)", [value.sql], node, scope, modifiers), result)


@special_aggregate("avg")
def _avg(c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    expect(c, nodes, 1, 1, node)
    value = c.expression(nodes[0], scope)
    if value.type.base == "interval day to second":
        sql = "trino_interval(CAST(avg($D(epoch_us($1)))§ AS BIGINT))"
        return Value(_filled(c, sql, [value.sql], node, scope, modifiers), value.type)
    if value.type.base != "decimal":
        return _from_table(c, "avg", nodes, node, scope, modifiers)
    template = average_of_decimals("sum($D$1)§", "count($D$1)§", value.type)
    return Value(_filled(c, template, [value.sql], node, scope, modifiers), value.type)


@special_aggregate("map_agg")
def _map_agg(c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    """Of a key that comes twice the first stays."""
    expect(c, nodes, 2, 2, node)
    key, value = (c.expression(n, scope) for n in nodes)
    template = "trino_first_entries(list(struct_pack(key := $1, value := $2)$O)§)"
    sql = _filled(c, template, [key.sql, value.sql], node, scope, modifiers)
    return Value(sql, map_of(key.type, value.type))


@special_aggregate("multimap_agg")
def _multimap(c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    expect(c, nodes, 2, 2, node)
    key, value = (c.expression(n, scope) for n in nodes)
    d = c.lambda_depth
    same = (
        f"list_transform(list_filter(a{d}, lambda e{d}: e{d}.key = k{d}), lambda e{d}: e{d}.value)"
    )
    keys = f"trino_distinct(list_transform(list_filter(a{d}, lambda e{d}: e{d}.key IS NOT NULL), lambda e{d}: e{d}.key))"
    inner = f"map_from_entries(list_transform({keys}, lambda k{d}: struct_pack(key := k{d}, value := {same})))"
    template = (
        f"list_transform([list(struct_pack(key := $1, value := $2)$O)§], lambda a{d}: {inner})[1]"
    )
    kind = map_of(key.type, array(value.type))
    return Value(_filled(c, template, [key.sql, value.sql], node, scope, modifiers), kind)


@special_aggregate("histogram")
def _histogram(
    c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers
) -> Value:
    expect(c, nodes, 1, 1, node)
    value = c.expression(nodes[0], scope)
    d = c.lambda_depth
    entry = f"struct_pack(key := m{d}.key, value := CAST(m{d}.value AS BIGINT))"
    template = (
        f"map_from_entries(list_transform(map_entries(histogram($1)§), lambda m{d}: {entry}))"
    )
    return Value(
        _filled(c, template, [value.sql], node, scope, modifiers), map_of(value.type, BIGINT)
    )


@special_aggregate("approx_percentile")
def _percentile(
    c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers
) -> Value:
    expect(c, nodes, 2, 3, node)
    value = c.expression(nodes[0], scope)
    if len(nodes) == 3:
        c.source.unsupported("approx_percentile with weights", node)
    share = c.expression(nodes[1], scope)
    kind = value.type
    if not kind.is_number:
        raise c.source.mismatch(
            f"Unexpected parameters ({kind}, {share.type}) for function approx_percentile", node
        )
    if kind.base == "decimal":
        kind = DOUBLE
    elif kind.is_integer:
        kind = BIGINT
    is_many = share.type.base == "array"
    shares = f"CAST({share.sql} AS DOUBLE{'[]' if is_many else ''})"
    argument = f"CAST({value.sql} AS {to_duckdb_type(kind)})"
    # Exact, which an approximation may be; DuckDB's sketch interpolates between values.
    template = "quantile_disc($1, $2)"
    result = array(kind) if is_many else kind
    return Value(_filled(c, template, [argument, shares], node, scope, modifiers), result)


@special_aggregate("listagg")
def _listagg_call(
    c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers
) -> Value:
    return SPECIAL_NODES["listagg"](c, node, scope, modifiers)


def _listagg(c: Expressions, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    if (
        node.args.get("on_overflow") is not None
        and type(node.args["on_overflow"]).__name__ != "Var"
    ):
        c.source.unsupported("ON OVERFLOW TRUNCATE", node)
    inner = node.this
    if isinstance(inner, exp.Order):
        modifiers.order = list(inner.expressions)
        inner = inner.this
    if isinstance(inner, exp.Distinct):
        modifiers.distinct = True
        inner = inner.expressions[0]
    value = c.expression(inner, scope)
    if not value.type.is_text:
        raise c.source.mismatch(f"listagg of {value.type}; cast it to varchar", node)
    separator = node.args.get("separator")
    between = c.expression(separator, scope).sql if separator is not None else "''"
    template = "string_agg($D$1, $2$O)"
    return Value(
        _filled(c, template, [coerce(value, VARCHAR), between], node, scope, modifiers), VARCHAR
    )


SPECIAL_NODES["listagg"] = _listagg


@special_aggregate("numeric_histogram")
def _numeric(c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    expect(c, nodes, 2, 2, node)
    buckets, value = (c.expression(n, scope) for n in nodes)
    d = c.lambda_depth
    flat = "py_numeric_histogram(CAST($1 AS BIGINT), list(CAST($2 AS DOUBLE))§)"
    pairs = f"list_transform(range(1, len(f{d}) // 2 + 1), lambda i{d}: struct_pack(key := f{d}[i{d} * 2 - 1], value := f{d}[i{d} * 2]))"
    template = f"list_transform([{flat}], lambda f{d}: map_from_entries({pairs}))[1]"
    sql = _filled(c, template, [buckets.sql, value.sql], node, scope, modifiers)
    return Value(sql, map_of(DOUBLE, DOUBLE))


@special_aggregate("approx_most_frequent")
def _frequent(c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    expect(c, nodes, 3, 3, node)
    buckets, value = c.expression(nodes[0], scope), c.expression(nodes[1], scope)
    d = c.lambda_depth
    ranked = f"list_sort(list_transform(map_entries(histogram($2)§), lambda m{d}: struct_pack(n := -CAST(m{d}.value AS BIGINT), k := m{d}.key)))"
    entry = f"struct_pack(key := m{d}.k, value := -m{d}.n)"
    template = f"map_from_entries(list_transform({ranked}[1:$1], lambda m{d}: {entry}))"
    sql = _filled(c, template, [buckets.sql, value.sql], node, scope, modifiers)
    return Value(sql, map_of(value.type, BIGINT))


@special_aggregate("reduce_agg")
def _reduce(c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    expect(c, nodes, 4, 4, node)
    value, start = c.expression(nodes[0], scope), c.expression(nodes[1], scope)
    d = c.lambda_depth
    state, item = Value(f"x{d}.s", start.type), Value(f"y{d}.t", value.type)
    step = c.lambda_body(nodes[2], [state, item], scope)
    kind, kept = to_duckdb_type(start.type), to_duckdb_type(value.type)
    first = f"struct_pack(s := CAST($2 AS {kind}), t := CAST(NULL AS {kept}))"
    fold = f"lambda x{d}, y{d}: struct_pack(s := CAST({step.sql} AS {kind}), t := CAST(NULL AS {kept}))"
    rows = f"list(struct_pack(s := CAST(NULL AS {kind}), t := CAST($1 AS {kept})))§"
    template = f"list_reduce({rows}, {fold}, {first}).s"
    return Value(_filled(c, template, [value.sql, start.sql], node, scope, modifiers), start.type)


def _refused(c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    c.source.unsupported(f"aggregate {node.name.lower()}", node)


for _name in (
    "checksum",
    "approx_set",
    "merge",
    "entropy",
    "map_union",
    "kurtosis",
    "tdigest_agg",
    "qdigest_agg",
):
    special_aggregate(_name)(_refused)


@special_aggregate("map_union")
def _map_union(
    c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers
) -> Value:
    expect(c, nodes, 1, 1, node)
    value = c.expression(nodes[0], scope)
    if value.type.base != "map":
        raise c.source.mismatch(f"a map is expected, not {value.type}", node)
    template = "trino_first_entries(flatten(list(map_entries($1))§))"
    return Value(_filled(c, template, [value.sql], node, scope, modifiers), value.type)


@special_aggregate("entropy")
def _entropy(c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    """Of counts: log2(sum) - sum(x log2 x) / sum."""
    expect(c, nodes, 1, 1, node)
    value = c.expression(nodes[0], scope)
    part = "sum(CASE WHEN $1 > 0 THEN $1 * log2($1) ELSE 0 END)§"
    template = (
        f"CASE WHEN coalesce(sum($1)§, 0) = 0 THEN 0e0 ELSE log2(sum($1)§) - {part} / sum($1)§ END"
    )
    return Value(
        _filled(c, template, [f"CAST({value.sql} AS DOUBLE)"], node, scope, modifiers), DOUBLE
    )


@special_aggregate("kurtosis")
def _kurtosis(c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    expect(c, nodes, 1, 1, node)
    value = c.expression(nodes[0], scope)
    return Value(
        _filled(c, "kurtosis($1)", [f"CAST({value.sql} AS DOUBLE)"], node, scope, modifiers), DOUBLE
    )


@special_aggregate("skewness")
def _skewness(c: Expressions, nodes: Nodes, node: Any, scope: Scope, modifiers: Modifiers) -> Value:
    """Of the population, as Trino has it; DuckDB's corrects for samples."""
    expect(c, nodes, 1, 1, node)
    value = c.expression(nodes[0], scope)
    n = "CAST(count($1)§ AS DOUBLE)"
    template = f"skewness($1)§ * ({n} - 2) / sqrt({n} * ({n} - 1))"
    return Value(
        _filled(c, template, [f"CAST({value.sql} AS DOUBLE)"], node, scope, modifiers), DOUBLE
    )


@special("grouping")
def _grouping(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    made = ", ".join(c.expression(n, scope).sql for n in nodes)
    return Value(f"grouping({made})", BIGINT)
