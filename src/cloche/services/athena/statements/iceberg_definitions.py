"""What Iceberg tables of Athena cannot have, and definitions that ask for it.

Sources: "Supported data types" and "Create Iceberg tables" in Athena's user guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cloche.services.athena.failures import ddl_failed
from cloche.services.athena.statements.statement_types import ColumnDefinition, CreateTable

# Columns of these names would hide those by which files and changed rows are found.
_HIDDEN = frozenset({"$path", "$file", "$row", "$change", "$file_modified_time"})
_MISSING_TYPE = re.compile(
    r"(?:^|[<,:])\s*(tinyint|smallint|char|varchar|uniontype|void)\b(?!\s*:)"
)


def check_definition(statement: CreateTable) -> None:
    """Refuse a CREATE TABLE of which an Iceberg table would not keep all.

    Raises:
        QueryFailed: it has a clause, a column or a type of Hive's alone.
    """
    if statement.is_external:
        raise ddl_failed(
            "SemanticException Iceberg tables are not external: use CREATE TABLE, not "
            "CREATE EXTERNAL TABLE"
        )
    if statement.storage_clauses:
        raise ddl_failed(
            f"SemanticException {statement.storage_clauses[0]} is not supported for Iceberg tables"
        )
    if statement.partition_columns:
        raise ddl_failed(
            "SemanticException partition columns of an Iceberg table are named without types"
        )
    check_columns_of_iceberg(statement.columns)


def check_columns_of_iceberg(columns: Iterable[ColumnDefinition]) -> None:
    """Refuse columns that an Iceberg table cannot have.

    Raises:
        QueryFailed: the name of one is taken, or Iceberg has not its type.
    """
    for column in columns:
        check_name(column.name)
        found = _MISSING_TYPE.search(column.type.lower())
        if found:
            raise ddl_failed(
                f"SemanticException Iceberg tables do not support the type {found[1]}: "
                f"column {column.name}"
            )


def check_name(name: str) -> None:
    """Refuse the name of a column that each Iceberg table has hidden.

    Raises:
        QueryFailed: it is one.
    """
    if name.lower() in _HIDDEN:
        raise ddl_failed(f"SemanticException Column name {name} is reserved in Iceberg tables")
