"""Regular expressions: DuckDB's engine where it means what Java's does, Python's otherwise."""

from __future__ import annotations

import re
from typing import Any

from cloche.engines.sql.trino.calls import special
from cloche.engines.sql.trino.casts import coerce
from cloche.engines.sql.trino.expressions import Expressions
from cloche.engines.sql.trino.special.conditions import Nodes, expect
from cloche.engines.sql.trino.types import BIGINT, BOOLEAN, UNKNOWN, VARCHAR, array
from cloche.engines.sql.trino.values import Scope, Value, literal

_BEYOND_RE2 = re.compile(r"&&|\(\?(?:[=!>]|<[=!])|\\[1-9]|\\k<|\\[ZGRhHvVX]|[*+?}]\+|\\Q")
_REFUSED = re.compile(r"\\p\{(?:java|Is|In|block|script)|\(\?[a-zA-Z]*[dUu][a-zA-Z]*[):]")
_MAYBE_ABSENT = re.compile(r"\)(?:[?*]|\{0)|\|")


class _Pattern:
    """A pattern as an argument."""

    def __init__(self, c: Expressions, node: Any, scope: Scope) -> None:
        value = c.expression(node, scope)
        if not value.type.is_text and value.type != UNKNOWN:
            raise c.source.mismatch(f"a pattern is expected, not {value.type}", node)
        text = value.text
        if text is not None and _REFUSED.search(text):
            c.source.unsupported(f"the regular expression {text!r}", node)
        self.text = text
        self.is_simple = text is None or not _BEYOND_RE2.search(text)
        groups = re.sub(r"\\.|\[[^\]]*\]", "", text or "")
        self.groups = len(re.findall(r"\((?!\?)|\(\?<[A-Za-z]", groups))
        self.sql = coerce(value, VARCHAR)
        self.may_be_absent = text is None or bool(_MAYBE_ABSENT.search(text))
        if text is not None and self.is_simple:
            self.sql = literal(re.sub(r"\(\?<([A-Za-z]\w*)>", r"(?P<\1>", text))


def _parts(c: Expressions, nodes: Nodes, scope: Scope) -> tuple[str, _Pattern]:
    value = c.expression(nodes[0], scope)
    if not value.type.is_text and value.type != UNKNOWN:
        raise c.source.mismatch(
            f"Unexpected parameters ({value.type}, …) for a regular expression", nodes[0]
        )
    return coerce(value, VARCHAR), _Pattern(c, nodes[1], scope)


@special("regexp_like")
def _like(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    text, pattern = _parts(c, nodes, scope)
    name = "regexp_matches" if pattern.is_simple else "py_regexp_like"
    return Value(f"{name}({text}, {pattern.sql})", BOOLEAN)


@special("regexp_extract")
def _extract(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 3, node)
    text, pattern = _parts(c, nodes, scope)
    group = c.expression(nodes[2], scope) if len(nodes) == 3 else Value("0", BIGINT, 0)
    number = group.constant
    simple = pattern.is_simple and isinstance(number, int) and 0 <= number <= pattern.groups
    if simple and (group.constant == 0 or (pattern.text is not None and not pattern.may_be_absent)):
        return Value(f"trino_regexp_extract({text}, {pattern.sql}, {group.sql})", VARCHAR)
    return Value(f"py_regexp_extract({text}, {pattern.sql}, {group.sql})", VARCHAR)


@special("regexp_extract_all")
def _extract_all(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 3, node)
    text, pattern = _parts(c, nodes, scope)
    group = c.expression(nodes[2], scope) if len(nodes) == 3 else Value("0", BIGINT, 0)
    simple = pattern.is_simple and pattern.text is not None and group.constant == 0
    name = "regexp_extract_all" if simple else "py_regexp_extract_all"
    return Value(f"{name}({text}, {pattern.sql}, {group.sql})", array(VARCHAR))


@special("regexp_replace")
def _replace(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 3, node)
    if len(nodes) == 3 and type(nodes[2]).__name__ == "Lambda":
        c.source.unsupported("regexp_replace with a lambda", node)
    text, pattern = _parts(c, nodes, scope)
    value = c.expression(nodes[2], scope) if len(nodes) == 3 else Value("''", VARCHAR, "")
    constant = value.text
    if pattern.is_simple and constant is not None and pattern.text != "":
        made = _for_re2(constant)
        if made is not None:
            return Value(f"regexp_replace({text}, {pattern.sql}, {literal(made)}, 'g')", VARCHAR)
    return Value(f"py_regexp_replace({text}, {pattern.sql}, {coerce(value, VARCHAR)})", VARCHAR)


def _for_re2(replacement: str) -> str | None:
    """A replacement with `$1` as RE2 writes it; None if it has something else."""
    made, at = "", 0
    while at < len(replacement):
        character = replacement[at]
        if character == "$":
            if not replacement[at + 1 : at + 2].isdigit() or replacement[at + 2 : at + 3].isdigit():
                return None
            made += "\\" + replacement[at + 1]
            at += 2
        elif character == "\\":
            return None
        else:
            made += character
            at += 1
    return made


@special("regexp_split")
def _split(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    text, pattern = _parts(c, nodes, scope)
    return Value(f"py_regexp_split({text}, {pattern.sql})", array(VARCHAR))


@special("regexp_count")
def _count(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 2, node)
    text, pattern = _parts(c, nodes, scope)
    if pattern.is_simple and pattern.text is not None:
        return Value(f"CAST(len(regexp_extract_all({text}, {pattern.sql})) AS BIGINT)", BIGINT)
    return Value(f"py_regexp_count({text}, {pattern.sql})", BIGINT)


@special("regexp_position")
def _position(c: Expressions, nodes: Nodes, node: Any, scope: Scope) -> Value:
    expect(c, nodes, 2, 4, node)
    text, pattern = _parts(c, nodes, scope)
    rest = [c.expression(n, scope).sql for n in nodes[2:]] + ["1", "1"]
    return Value(f"py_regexp_position({text}, {pattern.sql}, {rest[0]}, {rest[1]})", BIGINT)
