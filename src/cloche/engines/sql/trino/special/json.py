"""JSON: the functions of Presto's paths, and those of SQL/JSON."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from cloche.engines.sql.engine import ErrorKind
from cloche.engines.sql.trino.calls import special
from cloche.engines.sql.trino.casts import cast, coerce
from cloche.engines.sql.trino.expressions import Expressions
from cloche.engines.sql.trino.special.conditions import Nodes, expect
from cloche.engines.sql.trino.types import BIGINT, BOOLEAN, JSON, UNKNOWN, VARCHAR
from cloche.engines.sql.trino.values import Scope, Value, literal

_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_$][\w$-]*|\d+)|\[\s*(?P<index>\d+)\s*\]|\[\s*(?P<quoted>\"(?:[^\"\\]|\\.)*\"|'[^']*')\s*\]"
    r"|\[\s*(?P<bare>[A-Za-z_][\w ]*)\s*\]"
)


def _document(c: Expressions, node: Any, scope: Scope) -> str:
    """A JSON argument; a text that is no JSON is NULL to these functions."""
    value = c.expression(node, scope)
    if value.type == JSON:
        return value.sql
    if value.type.is_text or value.type == UNKNOWN:
        return f"trino_json_valid({coerce(value, VARCHAR)})"
    raise c.source.mismatch(f"JSON or varchar is expected, not {value.type}", node)


def _path(c: Expressions, node: Any, scope: Scope) -> str:
    """A path of Presto's JSON functions as DuckDB writes it."""
    text = c.expression(node, scope).text
    if text is None:
        c.source.unsupported("a JSON path that is no constant", node)
    body = text.strip()
    made, at = "$", 1
    if not body.startswith("$"):
        body = "$." + body if body and body[0] not in ".[" else "$" + body
    while at < len(body):
        match = _STEP.match(body, at)
        if match is None:
            if re.search(r"\*|\.\.|\?|:|@", body):
                c.source.unsupported(f"the JSON path {text!r}", node)
            raise c.source.error(
                ErrorKind.INVALID_FUNCTION_ARGUMENT, f"Invalid JSON path: '{text}'", node
            )
        at = match.end()
        if match["index"] is not None:
            made += f"[{int(match['index'])}]"
            continue
        name = match["name"] or match["bare"] or match["quoted"][1:-1]
        if '"' in name or "\\" in name:
            c.source.unsupported(f"the JSON path {text!r}", node)
        made += f'."{name}"'
    return literal(made)


@special("json_extract")
def _extract(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    return Value(
        f"json_extract({_document(c, nodes[0], scope)}, {_path(c, nodes[1], scope)})", JSON
    )


@special("json_extract_scalar")
def _scalar(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    document, path = _document(c, nodes[0], scope), _path(c, nodes[1], scope)
    return Value(f"trino_json_scalar({document}, {path})", VARCHAR)


@special("json_size")
def _size(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    document, path = _document(c, nodes[0], scope), _path(c, nodes[1], scope)
    return Value(f"trino_json_size(json_extract({document}, {path}))", BIGINT)


# ── SQL/JSON ──────────────────────────────────────────────────────────────────────────────────


def _conditions(node: Any) -> tuple[str, str]:
    """ON EMPTY and ON ERROR."""
    found = node.args.get("on_condition")
    parts: list[str] = []
    for key in ("empty", "error"):
        value = found.args.get(key) if found is not None else None
        text = value if isinstance(value, str) else ("NULL ON" if value is None else "DEFAULT")
        parts.append(text.partition(" ON")[0].strip().upper())
    return parts[0], parts[1]


def _call(c: Expressions, input: Any, path: Any, function: str, options: str, scope: Scope) -> str:
    value = c.expression(input, scope)
    text = c.expression(path, scope).text
    if text is None:
        raise c.source.error(ErrorKind.SYNTAX_ERROR, "a JSON path is a constant", path)
    document = f"CAST({value.sql} AS VARCHAR)" if value.type == JSON else coerce(value, VARCHAR)
    if not value.type.is_text and value.type not in (JSON, UNKNOWN):
        raise c.source.mismatch(f"Cannot read input of type {value.type} as JSON", input)
    return f"py_sql_json({document}, {literal(text)}, '{function}', {literal(options)})"


@special("json_query")
def _query(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    if nodes:
        return Value(_call(c, nodes[0], nodes[1], "query", "|KEEP|NULL|NULL", scope), VARCHAR)
    if not node.args.get("json_query"):
        c.source.unsupported("the operator ->", node)
    option = (node.args["option"].name if node.args.get("option") else "").upper()
    wrapper = ""
    if option.startswith("WITH "):
        wrapper = (
            "CONDITIONAL"
            if "UNCONDITIONAL" not in option and "CONDITIONAL" in option
            else "UNCONDITIONAL"
        )
    quote = node.args.get("quote")
    quotes = (
        "OMIT" if quote is not None and quote.args.get("option", "").upper() == "OMIT" else "KEEP"
    )
    empty, error = _conditions(node)
    return Value(
        _call(c, node.this, node.expression, "query", f"{wrapper}|{quotes}|{empty}|{error}", scope),
        VARCHAR,
    )


@special("json_exists")
def _exists(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    sql = _call(c, nodes[0], nodes[1], "exists", "||FALSE|FALSE", scope)
    return Value(f"CAST({sql} AS BOOLEAN)", BOOLEAN)


@special("json_value")
def _value(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    if nodes:
        input, path, returning = nodes[0], nodes[1], None
    else:
        input, path, returning = node.this, node.args["path"], node.args.get("returning") or None
    empty, error = _conditions(node) if not nodes else ("NULL", "NULL")
    if "DEFAULT" in (empty, error):
        c.source.unsupported("DEFAULT in json_value", node)
    sql = _call(c, input, path, "value", f"||{empty}|{error}", scope)
    if returning is None:
        return Value(sql, VARCHAR)
    target = c.read_type(returning)
    made = cast(Value(sql, VARCHAR), target)
    return Value(made if error == "ERROR" else f"TRY({made})", target)


def _json_item(c: Expressions, node: Any, scope: Scope) -> str:
    value = c.expression(node, scope)
    if value.type == UNKNOWN:
        return "CAST('null' AS JSON)"
    return f"coalesce({cast(value, JSON)}, CAST('null' AS JSON))"


@special("json_object")
def _object(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    if nodes or node.args.get("null_handling") or node.args.get("unique_keys"):
        c.source.unsupported("this form of json_object", node)
    parts: list[str] = []
    for pair in node.expressions:
        if not isinstance(pair, exp.JSONKeyValue):
            c.source.unsupported("this form of json_object", node)
        parts += [c.expression(pair.this, scope).sql, _json_item(c, pair.expression, scope)]
    return Value(f"CAST(json_object({', '.join(parts)}) AS VARCHAR)", VARCHAR)


@special("json_array")
def _array(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    # NULLs are absent unless the call says otherwise.
    values = [c.expression(n, scope) for n in nodes]
    items = [cast(v, JSON) for v in values if v.type != UNKNOWN]
    inner = f"list_filter([{', '.join(items)}], lambda e: e IS NOT NULL)" if items else "[]"
    return Value(f"CAST(to_json({inner}) AS VARCHAR)", VARCHAR)
