"""Pieces of DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str | None) -> str:
    """A string, or NULL."""
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def listed(texts: Iterable[str]) -> str:
    """A list of strings."""
    return "[" + ", ".join(literal(text) for text in texts) + "]"
