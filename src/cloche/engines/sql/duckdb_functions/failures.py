"""Errors that functions raise while a query runs, in the form that `query_error` reads."""

from __future__ import annotations


def invalid(message: str, kind: str = "INVALID_FUNCTION_ARGUMENT") -> ValueError:
    """An error of a kind with a message for the user."""
    return ValueError(f"!{kind}: {message}")
