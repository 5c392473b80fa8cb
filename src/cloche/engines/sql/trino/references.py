"""What a statement needs from outside: the tables that it names, and what stands for them."""

from __future__ import annotations

from dataclasses import dataclass

from cloche.engines.sql.engine import Column, Filter


@dataclass(frozen=True, slots=True)
class TableUse:
    """One table reference of a statement; catalog, schema and name are lower case.

    Attributes:
        filters: conditions that every row needed of it meets.
        timestamp: of `FOR TIMESTAMP AS OF`, ISO 8601 in UTC.
        version: of `FOR VERSION AS OF`.
        columns: those that the statement uses, lower case; None is all.
        limit: how many rows it needs at most, whichever; None is all.
        is_changed: whether it is what the statement changes.
    """

    catalog: str
    schema: str
    name: str
    filters: tuple[Filter, ...] = ()
    timestamp: str | None = None
    version: str | None = None
    columns: tuple[str, ...] | None = None
    limit: int | None = None
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """The DuckDB relation that stands for a table.

    Attributes:
        name: as SQL text, quoted and qualified as needed.
        columns: with types in Trino's names; hidden ones such as `$path` too, if it has them.
    """

    name: str
    columns: tuple[Column, ...]
