"""CREATE TABLE with columns, and CREATE TABLE … AS."""

from __future__ import annotations

from typing import Any

from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.services.athena.statements.cursor import Cursor, TableName
from cloche.services.athena.statements.formats import (
    FORMATS,
    IGNORE_KEY_OUTPUT,
    LAZY_SIMPLE,
    OPENX_JSON,
    Format,
)
from cloche.services.athena.statements.hive_types import parse_type
from cloche.services.athena.statements.properties import with_properties
from cloche.services.athena.statements.statement_types import (
    ColumnDefinition,
    CreateTable,
    CreateTableAs,
)

_DELIMITERS = {
    ("FIELDS", "TERMINATED", "BY"): "field.delim",
    ("ESCAPED", "BY"): "escape.delim",
    ("COLLECTION", "ITEMS", "TERMINATED", "BY"): "collection.delim",
    ("MAP", "KEYS", "TERMINATED", "BY"): "mapkey.delim",
    ("LINES", "TERMINATED", "BY"): "line.delim",
    ("NULL", "DEFINED", "AS"): "serialization.null.format",
}


def parse_create_table(cursor: Cursor) -> CreateTable:
    """The rest of `CREATE [EXTERNAL] TABLE`, read in Hive's way.

    Raises:
        QueryError: it is not one.
    """
    is_external = cursor.accept("EXTERNAL")
    cursor.expect("TABLE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    table = cursor.table_name()
    columns: list[ColumnDefinition] = []
    if cursor.accept_symbol("("):
        columns = column_definitions(cursor)
    clauses = _Clauses(cursor)
    clauses.read()
    cursor.end()
    return clauses.statement(
        table, is_external=is_external, if_not_exists=if_not_exists, columns=columns
    )


def column_definitions(cursor: Cursor) -> list[ColumnDefinition]:
    """`name type [COMMENT text], …)`, the opening parenthesis being behind.

    Raises:
        QueryError: that is not next, or a name comes twice.
    """
    found: list[ColumnDefinition] = []
    while True:
        column = column_definition(cursor)
        if any(column.name == other.name for other in found):
            raise QueryError(
                ErrorKind.SYNTAX_ERROR, f"Duplicate column name {column.name} in the definition"
            )
        found.append(column)
        if not cursor.accept_symbol(","):
            break
    cursor.expect_symbol(")")
    return found


def column_definition(cursor: Cursor) -> ColumnDefinition:
    """`name type [COMMENT text]`.

    Raises:
        QueryError: that is not next.
    """
    name = cursor.identifier()
    cursor.accept_symbol(":")
    kind = parse_type(cursor)
    comment = cursor.string() if cursor.accept("COMMENT") else None
    return ColumnDefinition(name, kind, comment)


def parse_create_table_as(cursor: Cursor) -> CreateTableAs:
    """The rest of `CREATE TABLE … [WITH (…)] AS query`, read in Trino's way.

    Raises:
        QueryError: it is not one.
    """
    cursor.expect("TABLE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    table = cursor.table_name()
    properties = with_properties(cursor)
    cursor.expect("AS")
    # Spaces in the place of what comes before keep the places of errors.
    start = cursor.token.start
    end = len(cursor.sql) if cursor.tokens[-1].kind != "end" else cursor.tokens[-2].end
    has_data = True
    last = [token.keyword for token in cursor.tokens[-4:-1]]
    if last[-3:] == ["WITH", "NO", "DATA"]:
        has_data, end = False, cursor.tokens[-4].start
    elif last[-2:] == ["WITH", "DATA"]:
        end = cursor.tokens[-3].start
    return CreateTableAs(
        kind="CREATE_TABLE_AS_SELECT",
        type="DML",
        table=table,
        if_not_exists=if_not_exists,
        properties=properties,
        sql=blanked(cursor.sql, start, end),
        has_data=has_data,
    )


def blanked(sql: str, start: int, end: int) -> str:
    """A part of a statement, all before it made spaces, so that places in it stay."""
    before = "".join("\n" if character == "\n" else " " for character in sql[:start])
    return before + sql[start:end]


class _Clauses:
    """What stands after the columns, in any order."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.comment: str | None = None
        self.partition_columns: list[ColumnDefinition] = []
        self.transforms: list[str] = []
        self.bucket_columns: list[str] = []
        self.sort_columns: list[str] = []
        self.bucket_count = 0
        self.format: Format | None = None
        self.serde = ""
        self.serde_properties: dict[str, str] = {}
        self.location: str | None = None
        self.properties: dict[str, str] = {}
        self.storage_clauses: list[str] = []

    def read(self) -> None:
        """Read all clauses that are there."""
        while self._read_one():
            pass

    def _read_one(self) -> bool:
        cursor = self.cursor
        if cursor.accept("COMMENT"):
            self.comment = cursor.string()
        elif cursor.accept("PARTITIONED", "BY"):
            cursor.expect_symbol("(")
            self._partitions()
        elif cursor.accept("CLUSTERED", "BY"):
            self.storage_clauses.append("CLUSTERED BY")
            self._buckets()
        elif cursor.accept("ROW", "FORMAT"):
            self.storage_clauses.append("ROW FORMAT")
            self._row_format()
        elif cursor.accept("WITH", "SERDEPROPERTIES"):
            self.storage_clauses.append("WITH SERDEPROPERTIES")
            self.serde_properties.update(cursor.properties())
        elif cursor.accept("STORED", "AS"):
            # An Iceberg table's files are Parquet anyway.
            if cursor.token.keyword != "PARQUET":
                self.storage_clauses.append(f"STORED AS {cursor.token.keyword}")
            self._stored_as()
        elif cursor.accept("LOCATION"):
            self.location = cursor.string()
        elif cursor.accept("TBLPROPERTIES"):
            self.properties.update(cursor.properties())
        else:
            return False
        return True

    def _partitions(self) -> None:
        """Hive's typed columns, or Iceberg's columns and transforms."""
        cursor = self.cursor
        following = cursor.peek()
        if following.kind == "symbol" and following.text in ",)(":
            self._transforms()
            return
        self.partition_columns = column_definitions(cursor)

    def _transforms(self) -> None:
        cursor = self.cursor
        while True:
            start = cursor.token.start
            cursor.identifier()
            if cursor.token.text == "(":
                cursor.skip_group()
            self.transforms.append(cursor.sql[start : cursor.tokens[cursor.index - 1].end])
            if not cursor.accept_symbol(","):
                break
        cursor.expect_symbol(")")

    def _buckets(self) -> None:
        cursor = self.cursor
        self.bucket_columns = cursor.names()
        if cursor.accept("SORTED", "BY"):
            cursor.expect_symbol("(")
            while True:
                self.sort_columns.append(cursor.identifier())
                cursor.accept("ASC")
                if not cursor.accept_symbol(","):
                    break
            cursor.expect_symbol(")")
        cursor.expect("INTO")
        self.bucket_count = cursor.integer()
        cursor.expect("BUCKETS")

    def _row_format(self) -> None:
        cursor = self.cursor
        if cursor.accept("SERDE"):
            self.serde = cursor.string()
            return
        cursor.expect("DELIMITED")
        self.serde = LAZY_SIMPLE
        while words := next((each for each in _DELIMITERS if cursor.sees(*each)), None):
            cursor.accept(*words)
            self.serde_properties[_DELIMITERS[words]] = cursor.string()
        if "field.delim" in self.serde_properties:
            self.serde_properties["serialization.format"] = self.serde_properties["field.delim"]

    def _stored_as(self) -> None:
        cursor = self.cursor
        if cursor.accept("INPUTFORMAT"):
            input_format = cursor.string()
            cursor.expect("OUTPUTFORMAT")
            self.format = Format(input_format, cursor.string(), "", "")
            return
        known = FORMATS.get(cursor.token.keyword)
        if known is None:
            raise cursor.unexpected(", ".join(f"'{name}'" for name in FORMATS))
        cursor.take()
        self.format = known

    def statement(
        self,
        table: TableName,
        *,
        is_external: bool,
        if_not_exists: bool,
        columns: list[ColumnDefinition],
    ) -> CreateTable:
        """What was read."""
        chosen = self.format or FORMATS["TEXTFILE"]
        serde = self.serde or chosen.serde or LAZY_SIMPLE
        if serde == OPENX_JSON and self.format is None:
            chosen = chosen._replace(output_format=IGNORE_KEY_OUTPUT)
        serde_properties: dict[str, Any] = dict(self.serde_properties)
        if not serde_properties:
            serde_properties["serialization.format"] = "1"
        twice = {c.name for c in columns} & {c.name for c in self.partition_columns}
        if twice:
            raise QueryError(
                ErrorKind.SYNTAX_ERROR,
                f"Column repeated in partitioning columns: {sorted(twice)[0]}",
            )
        return CreateTable(
            kind="CREATE_TABLE",
            table=table,
            is_external=is_external,
            if_not_exists=if_not_exists,
            columns=tuple(columns),
            comment=self.comment,
            partition_columns=tuple(self.partition_columns),
            partition_transforms=tuple(self.transforms),
            bucket_columns=tuple(self.bucket_columns),
            sort_columns=tuple(self.sort_columns),
            bucket_count=self.bucket_count,
            input_format=chosen.input_format,
            output_format=chosen.output_format,
            serde=serde,
            serde_properties=serde_properties,
            location=self.location,
            properties=self.properties,
            storage_clauses=tuple(self.storage_clauses),
        )
