"""Functions of decimals, whose precision follows from that of the argument."""

from __future__ import annotations

from typing import Any

from cloche.engines.sql.trino.calls import SPECIAL, special, substitute
from cloche.engines.sql.trino.expressions import Expressions
from cloche.engines.sql.trino.functions import SCALARS
from cloche.engines.sql.trino.operators import arithmetic
from cloche.engines.sql.trino.special.conditions import Nodes, expect
from cloche.engines.sql.trino.types import decimal, to_duckdb_type
from cloche.engines.sql.trino.values import Scope, Value


def table_call(c: Expressions, name: str, nodes: Nodes, node: Any, scope: Scope) -> Value:
    """The call as the table of functions tells it."""
    signature, arguments, result = c.arguments(name, SCALARS[name], nodes, node, scope)
    return Value(substitute(signature.sql, [a.sql for a in arguments]), result)


def _whole(name: str, function: str) -> None:
    @special(name)
    def compile(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
        if len(nodes) == 1:
            value = c.expression(nodes[0], scope)
            if value.type.base == "decimal":
                precision, scale = value.type.numbers
                result = decimal(precision - scale + min(scale, 1), 0)
                return Value(f"CAST({function}({value.sql}) AS {to_duckdb_type(result)})", result)
        return table_call(c, name, nodes, node, scope)


_whole("ceil", "ceil")
_whole("ceiling", "ceil")
_whole("floor", "floor")


@special("round")
def _round(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 2, node)
    value = c.expression(nodes[0], scope)
    if value.type.base != "decimal":
        return table_call(c, "round", nodes, node, scope)
    precision, scale = value.type.numbers
    if len(nodes) == 1:
        result = decimal(precision - scale + min(scale, 1), 0)
        return Value(f"CAST({value.sql} AS {to_duckdb_type(result)})", result)
    digits = c.expression(nodes[1], scope)
    result = decimal(precision + 1, scale)
    if not isinstance(digits.constant, int):
        c.source.unsupported("round of a decimal to digits that are no constant", node)
    rounded = f"round({value.sql}, {digits.constant})" if digits.constant < scale else value.sql
    return Value(f"CAST({rounded} AS {to_duckdb_type(result)})", result)


@special("truncate")
def _truncate(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 2, node)
    value = c.expression(nodes[0], scope)
    if value.type.base != "decimal":
        return table_call(c, "truncate", nodes, node, scope)
    precision, scale = value.type.numbers
    if len(nodes) == 1:
        result = decimal(max(precision - scale, 1), 0)
        return Value(f"CAST(trunc({value.sql}) AS {to_duckdb_type(result)})", result)
    digits = c.expression(nodes[1], scope)
    if not isinstance(digits.constant, int):
        c.source.unsupported("truncate to digits that are no constant", node)
    if digits.constant >= scale:
        return value
    power = 10 ** abs(digits.constant)
    wide = f"CAST({value.sql} AS DECIMAL(38,{scale}))"
    if digits.constant >= 0:
        inner = (
            f"trunc({wide} * {power}) * CAST('{1 / power:.{digits.constant}f}' AS "
            f"DECIMAL({digits.constant + 1},{digits.constant}))"
        )
        return Value(f"CAST({inner} AS {to_duckdb_type(value.type)})", value.type)
    inner = f"(CAST(trunc({wide}) AS HUGEINT) // {power}) * {power}"
    return Value(f"CAST({inner} AS {to_duckdb_type(value.type)})", value.type)


@special("mod")
def _mod(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    return arithmetic("%", c.expression(nodes[0], scope), c.expression(nodes[1], scope))


@special("checksum")
def _unsupported(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    c.source.unsupported(f"function {node.name.lower()}", node)


for _name in (
    *("approx_set", "merge", "empty_approx_set", "tdigest_agg", "qdigest_agg", "value_at_quantile"),
    *("murmur3", "spooky_hash_v2_32", "spooky_hash_v2_64", "make_set_digest", "to_geometry"),
    *("beta_cdf", "inverse_beta_cdf", "bing_tile", "classify", "regress", "learn_classifier"),
):
    SPECIAL[_name] = _unsupported
