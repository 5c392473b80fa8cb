"""A parsed query and its way to DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.trino.grammar import parse_query
from cloche.engines.sql.trino.references import Relation, TableUse


class Statement:
    """A parsed query.

    Attributes:
        uses: each distinct table reference once; names of WITH are no tables.
    """

    def __init__(self, query: exp.Query, catalog: str, schema: str) -> None:
        self._query = query
        self._catalog = catalog
        self._schema = schema
        names = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
        self._tables = {
            id(table): self._use(table)
            for table in query.find_all(exp.Table)
            if isinstance(table.this, exp.Identifier)
            and (table.db or table.name.lower() not in names)
        }
        self.uses: tuple[TableUse, ...] = tuple(dict.fromkeys(self._tables.values()))

    def _use(self, table: exp.Table) -> TableUse:
        return TableUse(
            (table.catalog or self._catalog).lower(),
            (table.db or self._schema).lower(),
            table.name.lower(),
        )

    def to_duckdb(self, relations: Mapping[TableUse, Relation]) -> str:
        """SQL text for DuckDB, in which the relations stand for the tables."""
        for table in list(self._query.find_all(exp.Table)):
            use = self._tables.get(id(table))
            if use is not None:
                stand_in = exp.to_table(relations[use].name)
                stand_in.set("alias", table.args.get("alias") or exp.TableAlias(this=table.this))
                table.replace(stand_in)
        return self._query.sql("duckdb")


def parse(
    sql: str,
    *,
    catalog: str,
    schema: str,
    parameters: Sequence[str] = (),
    dialect: str = "trino",
) -> Statement:
    """Parse one query.

    Args:
        sql: its text.
        catalog: of table names that have none.
        schema: as `catalog`.
        parameters: SQL literals for each `?`.
        dialect: only Trino's.

    Raises:
        QueryError: it is no query in this dialect; line and column tell where.
    """
    if dialect != "trino":
        raise QueryError(ErrorKind.NOT_SUPPORTED, f"dialect {dialect} is not supported")
    return Statement(parse_query(sql), catalog, schema)
