"""What the compiler hands about: typed SQL, names in scope, and errors with their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NoReturn

from sqlglot import exp

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.trino.grammar import place
from cloche.engines.sql.trino.types import Type

NOW_VARIABLE = "trino_now"
USER_VARIABLE = "trino_user"
"""Variables of a DuckDB connection that SQL reads; see `set_session`."""

Constant = str | int | float | Decimal | bool | bytes


@dataclass(frozen=True, slots=True)
class Value:
    """An expression in DuckDB's SQL, with its type in Trino.

    Attributes:
        constant: what it is, where the statement says it as a literal.
        is_aggregate: whether an aggregate is in it.
    """

    sql: str
    type: Type
    constant: Constant | None = None

    @property
    def text(self) -> str | None:
        """The constant, if it is a text."""
        return self.constant if isinstance(self.constant, str) else None


@dataclass(frozen=True, slots=True)
class Field:
    """A column that can be named.

    Attributes:
        name: as an expression names it; None is an unnamed one.
        relation: the parts of the qualified name of its table, lower case, last first.
        hidden: not a part of `*`.
    """

    name: str | None
    value: Value
    relation: tuple[str, ...] = ()
    hidden: bool = False

    def answers(self, qualifier: Sequence[str], name: str) -> bool:
        """Whether `qualifier.name` (lower case) names it."""
        if self.name is None or self.name.lower() != name:
            return False
        return tuple(reversed(qualifier)) == self.relation[: len(qualifier)]


@dataclass(frozen=True, slots=True)
class Stored:
    """A WITH query: its name in DuckDB's SQL, and its columns with their names there."""

    name: str
    columns: tuple[Field, ...]


@dataclass(slots=True)
class Scope:
    """Names that expressions of one query block see.

    Attributes:
        aliases: output columns, which ORDER BY sees first.
        stored: queries of WITH by lower-case name.
    """

    fields: list[Field] = field(default_factory=list)
    parent: Scope | None = None
    stored: Mapping[str, Stored] = field(default_factory=dict)
    aliases: list[Field] = field(default_factory=list)
    variables: Mapping[str, Value] = field(default_factory=dict)

    def child(self, fields: Sequence[Field] = ()) -> Scope:
        """The scope of a query within."""
        return Scope(list(fields), self, self.stored, [], self.variables)

    def with_variables(self, variables: Mapping[str, Value]) -> Scope:
        """The same scope, within a lambda."""
        merged = {**self.variables, **variables}
        return Scope(self.fields, self.parent, self.stored, self.aliases, merged)


class Source:
    """The text that is compiled, for the places of errors."""

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def error(self, kind: ErrorKind, message: str, node: exp.Expr | None = None) -> QueryError:
        """An error at a node."""
        parts = node.walk() if node is not None else ()
        starts = [part.meta["start"] for part in parts if "start" in part.meta]
        line, column = place(self.sql, min(starts)) if starts else (1, 1)
        return QueryError(kind, message, line=line, column=column)

    def mismatch(self, message: str, node: exp.Expr | None = None) -> QueryError:
        """A TYPE_MISMATCH."""
        return self.error(ErrorKind.TYPE_MISMATCH, message, node)

    def unsupported(self, what: str, node: exp.Expr | None = None) -> NoReturn:
        """Raise NOT_SUPPORTED."""
        raise self.error(ErrorKind.NOT_SUPPORTED, f"{what} is not supported", node)


def literal(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def failing(kind: ErrorKind, message_sql: str, duckdb_type: str = "TINYINT") -> str:
    """SQL that fails when it is evaluated; TRY catches it, `query_error` reads it.

    DuckDB's own error() is volatile, which TRY refuses.
    """
    return f"CAST(CAST(concat('!{kind.value}: ', {message_sql}) AS TINYINT) AS {duckdb_type})"
