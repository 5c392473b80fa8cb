"""Functions of texts with a syntax or types of their own."""

from __future__ import annotations

import re
from typing import Any

from cloche.engines.sql.engine import ErrorKind
from cloche.engines.sql.trino.calls import special
from cloche.engines.sql.trino.casts import CastError, coerce, java_text
from cloche.engines.sql.trino.expressions import Expressions
from cloche.engines.sql.trino.operators import concatenate
from cloche.engines.sql.trino.special.conditions import Nodes, expect
from cloche.engines.sql.trino.types import BIGINT, UNKNOWN, VARCHAR
from cloche.engines.sql.trino.values import Scope, Value, literal


@special("concat")
def _concat(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 1000, node)
    value = c.expression(nodes[0], scope)
    for other in nodes[1:]:
        value = concatenate(value, c.expression(other, scope))
    return value


@special("trim_from")
def _trim(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    given = c.expression(node.this, scope)
    value = coerce(given, VARCHAR)
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(
        str(node.args.get("position") or "").upper(), "trim"
    )
    characters = node.args.get("expression")
    set_of = c.expression(characters, scope).sql if characters else r"E' \t\n\r\f\v'"
    kind = given.type if given.type.base == "varchar" else VARCHAR
    return Value(f"{name}({value}, {set_of})", kind)


@special("substring_from")
def _substring(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    parts = [node.this, node.args["start"]]
    parts += [node.args["length"]] if node.args.get("length") else []
    return c.call("substr", parts, node, scope)


@special("position")
def _position(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    inner = c.expression(node.args["substr"], scope)
    outer = c.expression(node.this, scope)
    return Value(
        f"CAST(strpos({coerce(outer, VARCHAR)}, {coerce(inner, VARCHAR)}) AS BIGINT)", BIGINT
    )


@special("normalize")
def _normalize(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    if nodes:
        value, form = c.expression(nodes[0], scope), "NFC"
    else:
        value, form = c.expression(node.this, scope), (node.args.get("form") or node).name or "NFC"
        form = node.args["form"].name.upper() if node.args.get("form") else "NFC"
    if form not in {"NFC", "NFD", "NFKC", "NFKD"}:
        raise c.source.error(ErrorKind.INVALID_FUNCTION_ARGUMENT, f"Invalid form {form}", node)
    return Value(f"py_normalize({coerce(value, VARCHAR)}, '{form}')", VARCHAR)


_PIECE = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")


@special("format")
def _format(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    """Java's Formatter: the template must be a constant, for its types to be checked."""
    expect(c, nodes, 2, 1000, node)
    template = c.expression(nodes[0], scope).text
    if template is None:
        c.source.unsupported("format with a template that is no constant", node)
    values = [c.expression(n, scope) for n in nodes[1:]]
    pieces: list[str] = []
    at = following = 0
    for match in _PIECE.finditer(template):
        if match.start() > at:
            pieces.append(literal(template[at : match.start()]))
        at = match.end()
        if match[5] in "%n":
            pieces.append("'%'" if match[5] == "%" else r"E'\n'")
            continue
        index = int(match[1]) - 1 if match[1] else following
        following += 0 if match[1] else 1
        if index >= len(values):
            message = f"Format specifier '{match[0]}'"
            raise c.source.error(ErrorKind.INVALID_FUNCTION_ARGUMENT, message, node)
        pieces.append(_formatted(c, match, values[index], node))
    if "%" in _PIECE.sub("", template):
        c.source.unsupported(f"the template {template!r}", node)
    if at < len(template):
        pieces.append(literal(template[at:]))
    return Value(f"({' || '.join(pieces) or literal('')})", VARCHAR)


def _formatted(c: Expressions, match: re.Match[str], value: Value, node: Any) -> str:
    flags, width, precision, kind = match[2], match[3], match[4], match[5]
    if kind in "sS" and not set(flags) - {"-"}:
        try:
            text = f"coalesce({java_text(value) if value.type != UNKNOWN else 'NULL'}, 'null')"
        except CastError:
            c.source.unsupported(f"format of {value.type}", node)
        text = f"left({text}, {precision})" if precision else text
        text = f"upper({text})" if kind == "S" else text
        if not width:
            return text
        pad = "rpad" if "-" in flags else "lpad"
        return (
            f"CASE WHEN length({text}) >= {width} THEN {text} ELSE {pad}({text}, {width}, ' ') END"
        )
    if kind == "d" and value.type.is_integer and not set(flags) - set("-+ 0,"):
        if "," in flags:
            if width or set(flags) - {","}:
                c.source.unsupported(f"format {match[0]}", node)
            return f"format('{{:,}}', {value.sql})"
        return f"printf('%{flags}{width or ''}d', CAST({value.sql} AS BIGINT))"
    if (
        kind in "fe"
        and value.type.is_number
        and not value.type.is_integer
        and not set(flags) - set("-+ 0,")
    ):
        number = f"CAST({value.sql} AS DOUBLE)"
        digits = precision or "6"
        if value.type.base != "decimal":
            number = f"round({number}, {digits})" if kind == "f" else number
        elif kind == "f":
            number = f"CAST(CAST({value.sql} AS DECIMAL(38,{digits})) AS DOUBLE)"
        if "," in flags:
            if width or set(flags) - {","} or kind != "f":
                c.source.unsupported(f"format {match[0]}", node)
            return f"format('{{:,.{digits}f}}', {number})"
        return f"printf('%{flags}{width or ''}.{digits}{kind}', {number})"
    if kind in "xX" and value.type.is_integer and not set(flags) - {"0"}:
        return f"printf('%{flags}{width or ''}{kind}', CAST({value.sql} AS BIGINT))"
    if kind in "bB" and value.type.base == "boolean" and not flags and not width:
        text = f"CAST(coalesce({value.sql}, false) AS VARCHAR)"
        return f"upper({text})" if kind == "B" else text
    c.source.unsupported(f"format {match[0]} of {value.type}", node)
