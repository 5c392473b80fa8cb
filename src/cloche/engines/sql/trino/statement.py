"""A parsed query and its way to DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from cloche.engines.sql.engine import Column, ErrorKind, QueryError
from cloche.engines.sql.trino import special as _special
from cloche.engines.sql.trino.changes import ChangeCompiler, RowChange, row_change
from cloche.engines.sql.trino.grammar import parse_change, parse_query, readable
from cloche.engines.sql.trino.queries import Compiler
from cloche.engines.sql.trino.references import Relation, TableUse
from cloche.engines.sql.trino.uses import table_uses

_special.install()


class Statement:
    """A parsed query, or a parsed change of rows as the query that finds them.

    Attributes:
        uses: each distinct table reference once; names of WITH are no tables.
        columns: of the result, types in Trino's names; known after `to_duckdb`.
    """

    def __init__(
        self,
        sql: str,
        query: exp.Expr,
        catalog: str,
        schema: str,
        change: RowChange | None = None,
        now: float | None = None,
    ) -> None:
        self._sql = sql
        self._query = query
        self._change = change
        self._catalog = catalog
        self._schema = schema
        self._tables = table_uses(sql, query, catalog, schema, now)
        if change is not None:
            target = id(change.target)
            self._tables[target] = replace(self._tables[target], is_changed=True)
        self.uses: tuple[TableUse, ...] = tuple(dict.fromkeys(self._tables.values()))
        self.columns: tuple[Column, ...] = ()

    def to_duckdb(
        self,
        relations: Mapping[TableUse, Relation],
        *,
        time_zone: str = "UTC",
        shown: bool = True,
    ) -> str:
        """SQL text for DuckDB, in which the relations stand for the tables.

        Values of `timestamp with time zone` in a zone other than UTC, and of `char(n)`, come out
        as text in Trino's form; `columns` tells all types.

        Args:
            relations: what stands for each of `uses`.
            time_zone: of the session.
            shown: false for a view's query, whose SQL and columns stand for a relation: values
                are left as they are kept, and the types tell their zones.

        Raises:
            QueryError: an unknown column or function, types that don't fit, or what we can't run.
        """
        kind = Compiler if self._change is None else ChangeCompiler
        compiler = kind(self._sql, self._tables, relations, time_zone, self._catalog, self._schema)
        try:
            if isinstance(compiler, ChangeCompiler) and self._change is not None:
                sql, columns = compiler.changes(self._change)
            else:
                sql, columns = compiler.statement(self._query, shown=shown)
        except RecursionError:
            raise QueryError(
                ErrorKind.NOT_SUPPORTED, "the statement is nested too deeply"
            ) from None
        self.columns = tuple(
            Column(name, str(type) if shown else type.zoned_name) for name, type in columns
        )
        return sql


def parse(
    sql: str,
    *,
    catalog: str,
    schema: str,
    parameters: Sequence[str] = (),
    dialect: str = "trino",
    is_change: bool = False,
    now: float | None = None,
) -> Statement:
    """Parse one query, or one UPDATE, DELETE or MERGE.

    Args:
        sql: its text.
        catalog: of table names that have none.
        schema: as `catalog`.
        parameters: SQL literals for each `?`.
        dialect: only Trino's.
        is_change: whether it is no query but a change of rows.
        now: what `current_timestamp` is in time travel, in seconds since 1970.

    Raises:
        QueryError: it is no such statement in this dialect; line and column tell where.
    """
    if dialect != "trino":
        raise QueryError(ErrorKind.NOT_SUPPORTED, f"dialect {dialect} is not supported")
    sql = readable(sql)
    if is_change:
        changing = parse_change(sql)
        _bind(changing, parameters)
        change = row_change(sql, changing)
        return Statement(sql, change.select, catalog, schema, change, now)
    query = parse_query(sql)
    _bind(query, parameters)
    return Statement(sql, query, catalog, schema, now=now)


def _bind(query: exp.Expr, parameters: Sequence[str]) -> None:
    """Put the parameters in the place of `?`."""
    places = [n for n in query.find_all(exp.Placeholder, bfs=False) if not n.this]
    if len(places) != len(parameters):
        message = (
            f"Incorrect number of parameters: expected {len(places)} but found {len(parameters)}"
        )
        raise QueryError(ErrorKind.SYNTAX_ERROR, message, line=1, column=1)
    for node, text in zip(places, parameters, strict=True):
        made = parse_query(f"SELECT {text}")
        others = [k for k, v in made.args.items() if v and k != "expressions"]
        if not isinstance(made, exp.Select) or len(made.expressions) != 1 or others:
            raise QueryError(ErrorKind.SYNTAX_ERROR, f"a parameter is no literal: {text}")
        value = made.expressions[0]
        if isinstance(value, exp.Column):
            # Athena takes a bare word for text; awswrangler sends `Washington`.
            value = exp.Literal.string(text)
        for part in value.walk():
            part.meta.pop("start", None)
        node.replace(exp.paren(value, copy=False))
