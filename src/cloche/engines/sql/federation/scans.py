"""From a table elsewhere and what a statement wants of it to the SQL that fetches its rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from cloche.engines.sql.engine import Column, ErrorKind, Filter, QueryError
from cloche.engines.sql.federation.conditions import DIALECTS, conditions_sql
from cloche.engines.sql.federation.transfers import Transfer, failing
from cloche.engines.sql.formats.sql_text import quoted
from cloche.engines.sql.remote import RemoteColumn, RemoteTable


@dataclass(frozen=True, slots=True)
class RemoteScan:
    """Rows of a table elsewhere.

    Attributes:
        sql: in the database's dialect; its columns are `c0`, `c1`, ….
        schema: of what comes, under the same names.
        outputs: DuckDB's SQL of the columns, made of those.
        columns: the same in Trino's types.
    """

    sql: str
    schema: pa.Schema
    outputs: tuple[str, ...]
    columns: tuple[Column, ...]


def scan_of(
    table: RemoteTable,
    names: Collection[str] | None,
    filters: Sequence[Filter],
    limit: int | None,
    *,
    is_utc: bool,
) -> RemoteScan:
    """What fetches the columns that a statement uses, of rows that may meet its conditions.

    Args:
        table: the table.
        names: of columns, in lower case; others than the table's are ignored; None is all.
        filters: conditions that all hold.
        limit: how many rows are enough, whichever.
        is_utc: whether the session's time zone is UTC.

    Raises:
        QueryError: all columns are wanted, and one cannot be read; or names of columns are the
            same but for their case.
    """
    used = [each for each in table.columns if names is None or each.name in names]
    _check(table, used, wants_all=names is None)
    dialect = DIALECTS[table.database.kind]
    pairs = [(each, _transfer(table, each)) for each in table.columns]
    by_name = {column.name: transfer for column, transfer in pairs if transfer is not None}
    fetched: list[str] = []
    fields: list[pa.Field] = []
    outputs: list[str] = []
    columns: list[Column] = []
    for column in used:
        transfer = by_name.get(column.name)
        if transfer is None:
            message = unreadable(table, column)
            outputs.append(
                f"CAST({failing('NOT_SUPPORTED', message)} AS VARCHAR) AS {quoted(column.name)}"
            )
            columns.append(Column(column.name, "varchar"))
            continue
        name = f"c{len(fields)}"
        fetched.append(f"{transfer.fetch} AS {name}")
        fields.append(pa.field(name, transfer.transport))
        outputs.append(f"{transfer.restore.format(quoted(name))} AS {quoted(column.name)}")
        columns.append(Column(column.name, transfer.type))
    if not fields:
        fetched.append("1 AS c0")
        fields.append(pa.field("c0", pa.int32()))
        outputs.append('"c0" AS "c0"' if not outputs else '"c0" AS "$row"')
    conditions = conditions_sql(
        table.database.kind,
        by_name.items(),
        filters,
        is_sorted_by_code_point=table.is_sorted_by_code_point,
        is_utc=is_utc,
    )
    sql = (
        f"SELECT {', '.join(fetched)} FROM {dialect.name(table.schema)}.{dialect.name(table.name)}"
    )
    if conditions:
        sql += f" WHERE {' AND '.join(conditions)}"
    if limit is not None:
        sql += f" LIMIT {limit:d}"
    return RemoteScan(sql, pa.schema(fields), tuple(outputs), tuple(columns))


def unreadable(table: RemoteTable, column: RemoteColumn) -> str:
    """Why a column cannot be read."""
    kind = column.remote_type.partition("|")[0]
    place = f"{table.database.catalog}.{table.schema}.{table.name}"
    return f"Column {column.name} of {place} has the type {kind}, which cannot be read"


def _check(table: RemoteTable, used: Sequence[RemoteColumn], *, wants_all: bool) -> None:
    names: set[str] = set()
    for column in used:
        if column.name in names:
            raise QueryError(
                ErrorKind.NOT_SUPPORTED,
                f"Columns of {table.database.catalog}.{table.schema}.{table.name} have the same "
                f"name but for its case: {column.name}",
            )
        names.add(column.name)
        if wants_all and not column.type:
            raise QueryError(ErrorKind.NOT_SUPPORTED, unreadable(table, column))


def _transfer(table: RemoteTable, column: RemoteColumn) -> Transfer | None:
    """How a column comes over, its name filled in."""
    dialect = DIALECTS[table.database.kind]
    found: Transfer | None = dialect.transfer(column.remote_type)
    if found is None:
        return None
    name = dialect.name(column.remote_name)
    return replace(
        found,
        fetch=found.fetch.format(name),
        compared=found.compared.format(name),
        is_unicode=column.is_unicode,
    )
