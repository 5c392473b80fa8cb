"""Functions whose types or SQL a signature's line can't tell."""

from cloche.engines.sql.trino.special import (
    aggregates,
    collections,
    conditions,
    json,
    numbers,
    regexes,
    texts,
    times,
)


def install() -> None:
    """Importing the modules has registered them; this is for the importer to have a use of it."""
    for module in (aggregates, collections, conditions, json, numbers, regexes, texts, times):
        assert module.__name__  # noqa: S101
