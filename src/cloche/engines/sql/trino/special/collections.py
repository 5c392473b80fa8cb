"""Arrays and maps with lambdas of several arguments, and other shapes a line can't tell."""
# ruff: noqa: E501 - templates of SQL read better whole

from __future__ import annotations

from typing import Any

from cloche.engines.sql.trino.calls import special
from cloche.engines.sql.trino.casts import cast, coerce
from cloche.engines.sql.trino.expressions import Expressions
from cloche.engines.sql.trino.special.conditions import Nodes, expect
from cloche.engines.sql.trino.special.numbers import table_call
from cloche.engines.sql.trino.types import (
    BOOLEAN,
    DATE,
    UNKNOWN,
    VARCHAR,
    YEAR_MONTH,
    Type,
    array,
    common,
    map_of,
    row,
    to_duckdb_type,
)
from cloche.engines.sql.trino.values import Scope, Value


def array_argument(c: Expressions, node: Any, scope: Scope) -> Value:
    """An argument that must be an array."""
    value = c.expression(node, scope)
    if value.type.base != "array":
        raise c.source.mismatch(f"an array is expected, not {value.type}", node)
    return value


def map_argument(c: Expressions, node: Any, scope: Scope) -> Value:
    """An argument that must be a map."""
    value = c.expression(node, scope)
    if value.type.base != "map":
        raise c.source.mismatch(f"a map is expected, not {value.type}", node)
    return value


@special("array_sort")
def _array_sort(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    """With a comparator: an element's place is the number of those that come before it."""
    if len(nodes) != 2:
        return table_call(c, "array_sort", nodes, node, scope)
    value = array_argument(c, nodes[0], scope)
    d = c.lambda_depth
    item = value.type.items[0]
    mine, other = Value(f"a{d}[i{d}]", item), Value(f"a{d}[j{d}]", item)
    order = c.lambda_body(nodes[1], [other, mine], scope).sql
    before = f"({order}) < 0 OR (({order}) = 0 AND j{d} < i{d})"
    rank = f"len(list_filter(range(1, len(a{d}) + 1), lambda j{d}: {before}))"
    ranked = f"list_transform(range(1, len(a{d}) + 1), lambda i{d}: struct_pack(r := {rank}, v := a{d}[i{d}]))"
    sorted_ = f"list_transform(list_sort({ranked}), lambda e{d}: e{d}.v)"
    return Value(f"list_transform([{value.sql}], lambda a{d}: {sorted_})[1]", value.type)


@special("reduce")
def _reduce(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    """State and elements go through DuckDB's reduce as the two fields of one struct."""
    expect(c, nodes, 4, 4, node)
    value, start = array_argument(c, nodes[0], scope), c.expression(nodes[1], scope)
    d, item = c.lambda_depth, value.type.items[0]
    state = start.type
    step = start
    for _ in range(4):
        step = c.lambda_body(nodes[2], [Value(f"x{d}.s", state), Value(f"y{d}.t", item)], scope)
        merged = common(state, step.type)
        if merged is None:
            raise c.source.mismatch(f"the lambda returns {step.type}, the state is {state}", node)
        if merged == state or (merged.base == state.base == "decimal"):
            break
        state = merged
    kind, kept = to_duckdb_type(state), to_duckdb_type(item)
    first = f"struct_pack(s := CAST({coerce(start, state)} AS {kind}), t := CAST(NULL AS {kept}))"
    elements = f"list_transform({value.sql}, lambda e{d}: struct_pack(s := CAST(NULL AS {kind}), t := CAST(e{d} AS {kept})))"
    stepped = step.sql if step.type == UNKNOWN else coerce(step, state)
    fold = (
        f"lambda x{d}, y{d}: struct_pack(s := CAST({stepped} AS {kind}), t := CAST(NULL AS {kept}))"
    )
    reduced = Value(f"struct_extract(list_reduce({elements}, {fold}, {first}), 's')", state)
    return c.lambda_body(nodes[3], [reduced], scope)


@special("zip")
def _zip(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 5, node)
    values = [array_argument(c, n, scope) for n in nodes]
    d = c.lambda_depth
    fields = ", ".join(f"field{i} := z{d}[{i + 1}]" for i in range(len(values)))
    zipped = f"list_zip({', '.join(v.sql for v in values)})"
    sql = f"list_transform({zipped}, lambda z{d}: struct_pack({fields}))"
    return Value(sql, array(row(*((None, v.type.items[0]) for v in values))))


@special("zip_with")
def _zip_with(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 3, 3, node)
    a, b = (array_argument(c, n, scope) for n in nodes[:2])
    d = c.lambda_depth
    sides = [Value(f"z{d}[1]", a.type.items[0]), Value(f"z{d}[2]", b.type.items[0])]
    body = c.lambda_body(nodes[2], sides, scope)
    return Value(
        f"list_transform(list_zip({a.sql}, {b.sql}), lambda z{d}: {body.sql})", array(body.type)
    )


def _entry(d: int, kind: Type) -> list[Value]:
    return [Value(f"m{d}.key", kind.items[0]), Value(f"m{d}.value", kind.items[1])]


@special("map_filter")
def _map_filter(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    value, d = map_argument(c, nodes[0], scope), c.lambda_depth
    body = c.lambda_body(nodes[1], _entry(d, value.type), scope)
    if body.type not in (BOOLEAN, UNKNOWN):
        raise c.source.mismatch(f"the lambda must return boolean, not {body.type}", node)
    kept = f"list_filter(map_entries({value.sql}), lambda m{d}: {body.sql})"
    return Value(f"map_from_entries({kept})", value.type)


def _transformed(c: Expressions, nodes: Nodes, node: Any, scope: Scope, *, keys: bool) -> Value:
    expect(c, nodes, 2, 2, node)
    value, d = map_argument(c, nodes[0], scope), c.lambda_depth
    body = c.lambda_body(nodes[1], _entry(d, value.type), scope)
    key, item = (body.sql, f"m{d}.value") if keys else (f"m{d}.key", body.sql)
    entries = f"list_transform(map_entries({value.sql}), lambda m{d}: struct_pack(key := {key}, value := {item}))"
    old_key, old_value = value.type.items
    kind = map_of(body.type, old_value) if keys else map_of(old_key, body.type)
    return Value(f"map_from_entries({entries})", kind)


@special("transform_keys")
def _transform_keys(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    return _transformed(c, nodes, node, scope, keys=True)


@special("transform_values")
def _transform_values(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    return _transformed(c, nodes, node, scope, keys=False)


@special("map_zip_with")
def _map_zip_with(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 3, 3, node)
    a, b, d = map_argument(c, nodes[0], scope), map_argument(c, nodes[1], scope), c.lambda_depth
    key = common(a.type.items[0], b.type.items[0])
    if key is None:
        raise c.source.mismatch(f"the maps' keys differ: {a.type}, {b.type}", node)
    pair = f"p{d}"
    arguments = [
        Value(f"k{d}", key),
        Value(f"{pair}.a[k{d}]", a.type.items[1]),
        Value(f"{pair}.b[k{d}]", b.type.items[1]),
    ]
    body = c.lambda_body(nodes[2], arguments, scope)
    keys = f"trino_distinct(list_concat(map_keys({pair}.a), map_keys({pair}.b)))"
    entries = f"list_transform({keys}, lambda k{d}: struct_pack(key := k{d}, value := {body.sql}))"
    sql = f"list_transform([struct_pack(a := {a.sql}, b := {b.sql})], lambda {pair}: map_from_entries({entries}))[1]"
    return Value(
        f"CASE WHEN {a.sql} IS NULL OR {b.sql} IS NULL THEN NULL ELSE {sql} END",
        map_of(key, body.type),
    )


def _entries_argument(c: Expressions, node: Any, scope: Scope) -> tuple[Value, Type, Type]:
    value = array_argument(c, node, scope)
    item = value.type.items[0]
    if item.base != "row" or len(item.items) != 2:
        raise c.source.mismatch(
            f"an array of rows of two fields is expected, not {value.type}", node
        )
    return value, item.items[0], item.items[1]


@special("map_from_entries")
def _map_from_entries(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 1, node)
    value, key, item = _entries_argument(c, nodes[0], scope)
    first, second = value.type.items[0].field_names()
    d = c.lambda_depth
    entries = f'list_transform({value.sql}, lambda m{d}: struct_pack(key := m{d}."{first}", value := m{d}."{second}"))'
    return Value(f"map_from_entries({entries})", map_of(key, item))


@special("multimap_from_entries")
def _multimap_from_entries(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 1, 1, node)
    value, key, item = _entries_argument(c, nodes[0], scope)
    first, second = value.type.items[0].field_names()
    d = c.lambda_depth
    same = f'list_transform(list_filter(a{d}, lambda e{d}: e{d}."{first}" = k{d}), lambda e{d}: e{d}."{second}")'
    keys = f'trino_distinct(list_transform(a{d}, lambda e{d}: e{d}."{first}"))'
    entries = f"list_transform({keys}, lambda k{d}: struct_pack(key := k{d}, value := {same}))"
    sql = f"list_transform([{value.sql}], lambda a{d}: map_from_entries({entries}))[1]"
    return Value(sql, map_of(key, array(item)))


@special("combinations")
def _combinations(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    value, size, d = (
        array_argument(c, nodes[0], scope),
        c.expression(nodes[1], scope),
        c.lambda_depth,
    )
    places = f"py_combinations(len(a{d}), {size.sql})"
    inner = f"list_transform({places}, lambda p{d}: list_transform(p{d}, lambda i{d}: a{d}[i{d}]))"
    return Value(f"list_transform([{value.sql}], lambda a{d}: {inner})[1]", array(value.type))


@special("sequence")
def _sequence(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 3, node)
    first, last = c.expression(nodes[0], scope), c.expression(nodes[1], scope)
    if first.type.base not in {"date", "timestamp"}:
        return table_call(c, "sequence", nodes, node, scope)
    kind = common(first.type, last.type)
    if kind is None:
        raise c.source.mismatch(f"sequence of {first.type} and {last.type}", node)
    if len(nodes) == 3:
        step = c.expression(nodes[2], scope)
        if not step.type.base.startswith("interval"):
            raise c.source.mismatch(f"an interval is expected, not {step.type}", nodes[2])
        interval = step.sql
        if step.type.base == YEAR_MONTH:
            return Value(
                _by_months(first.sql, last.sql, interval, kind, c.lambda_depth), array(kind)
            )
    else:
        interval = f"CASE WHEN {first.sql} <= {last.sql} THEN to_days(1) ELSE to_days(-1) END"
    made = f"generate_series(CAST({first.sql} AS TIMESTAMP), CAST({last.sql} AS TIMESTAMP), {interval})"
    if kind == DATE:
        d = c.lambda_depth
        made = f"list_transform({made}, lambda t{d}: CAST(t{d} AS DATE))"
    return Value(made, array(kind))


def _by_months(first: str, last: str, step: str, kind: Type, d: int) -> str:
    """Each from the first: a month's end that was clipped once isn't clipped for good."""
    count = f"date_sub('month', CAST({first} AS TIMESTAMP), CAST({last} AS TIMESTAMP)) // trino_nonzero(trino_months({step}))"
    one = f"{first} + to_months(CAST(t{d} * trino_months({step}) AS INTEGER))"
    if kind == DATE:
        one = f"CAST({one} AS DATE)"
    return f"list_transform(range(0, {count} + 1), lambda t{d}: {one})"


@special("array_join")
def _array_join(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 3, node)
    value, d = array_argument(c, nodes[0], scope), c.lambda_depth
    item = value.type.items[0]
    text = value.sql
    if not item.is_text and item != UNKNOWN:
        text = f"list_transform({text}, lambda e{d}: {cast(Value(f'e{d}', item), VARCHAR)})"
    separator = c.expression(nodes[1], scope).sql
    if len(nodes) == 3:
        missing = c.expression(nodes[2], scope).sql
        text = f"list_transform({text}, lambda e{d}: coalesce(e{d}, {missing}))"
    return Value(f"array_to_string({text}, {separator})", VARCHAR)


@special("element_at")
def _element_at(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    value, index = c.expression(nodes[0], scope), c.expression(nodes[1], scope)
    if value.type.base == "map":
        if common(value.type.items[0], index.type) is None:
            raise c.source.mismatch(f"the key is {value.type.items[0]}, not {index.type}", node)
        return Value(f"({value.sql})[{coerce(index, value.type.items[0])}]", value.type.items[1])
    if value.type.base == "array" and index.type.is_integer:
        if isinstance(index.constant, int) and index.constant:
            return Value(f"({value.sql})[{index.sql}]", value.type.items[0])
        return Value(f"trino_element_at({value.sql}, {index.sql})", value.type.items[0])
    raise c.source.mismatch(
        f"Unexpected parameters ({value.type}, {index.type}) for function element_at", node
    )
