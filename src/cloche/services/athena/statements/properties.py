"""`WITH (name = value, …)` of CTAS and UNLOAD, in Trino's way."""

from __future__ import annotations

from cloche.services.athena.statements.cursor import Cursor


def with_properties(cursor: Cursor) -> dict[str, str | list[str]]:
    """The properties, if there are any; arrays as lists, numbers and booleans as text.

    Raises:
        QueryError: they are not what they must be.
    """
    found: dict[str, str | list[str]] = {}
    if not cursor.accept("WITH"):
        return found
    cursor.expect_symbol("(")
    while True:
        name = cursor.identifier()
        cursor.expect_symbol("=")
        found[name] = _value(cursor)
        if not cursor.accept_symbol(","):
            break
    cursor.expect_symbol(")")
    return found


def _value(cursor: Cursor) -> str | list[str]:
    if cursor.accept("ARRAY"):
        cursor.expect_symbol("[")
        values: list[str] = []
        while cursor.token.text != "]":
            values.append(cursor.string())
            if not cursor.accept_symbol(","):
                break
        cursor.expect_symbol("]")
        return values
    token = cursor.token
    if token.kind == "number" or token.keyword in ("TRUE", "FALSE"):
        return cursor.take().text.lower()
    return cursor.string()
