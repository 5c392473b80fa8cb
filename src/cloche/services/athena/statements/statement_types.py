"""Statements, parsed."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from cloche.services.athena.statements.cursor import TableName

StatementType = Literal["DDL", "DML", "UTILITY"]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Any statement.

    Attributes:
        kind: as Athena's SubstatementType calls it.
        type: as Athena's StatementType.
    """

    kind: str
    type: StatementType = "DDL"


class QueryStatement(Statement, frozen=True, kw_only=True):
    """SELECT, VALUES, WITH or TABLE; EXPLAIN of one.

    Attributes:
        sql: for the engine, without `EXPLAIN` and its options.
        explain: `""`, `logical`, `distributed`, … `analyze`.
        explain_format: `TEXT`, `JSON`, `GRAPHVIZ`.
    """

    sql: str
    explain: str = ""
    explain_format: str = "TEXT"


class NotBuilt(Statement, frozen=True, kw_only=True):
    """A statement that Athena has and Cloche does not run yet."""

    what: str


class ColumnDefinition(NamedTuple):
    """A column of a table, type in Hive's names."""

    name: str
    type: str
    comment: str | None = None

    def shown(self) -> dict[str, str]:
        """As Glue's `Column`."""
        shown = {"Name": self.name, "Type": self.type}
        if self.comment is not None:
            shown["Comment"] = self.comment
        return shown


class CreateDatabase(Statement, frozen=True, kw_only=True):
    """CREATE DATABASE."""

    name: str
    if_not_exists: bool
    comment: str | None
    location: str | None
    properties: dict[str, str]


class DropDatabase(Statement, frozen=True, kw_only=True):
    """DROP DATABASE."""

    name: str
    if_exists: bool
    is_cascade: bool


class AlterDatabase(Statement, frozen=True, kw_only=True):
    """ALTER DATABASE … SET DBPROPERTIES."""

    name: str
    properties: dict[str, str]


class CreateTable(Statement, frozen=True, kw_only=True):
    """CREATE [EXTERNAL] TABLE with columns.

    Attributes:
        partition_columns: of a Hive table.
        partition_transforms: of an Iceberg table, as written (`day(ts)`).
        serde_properties: of the SerDe, those of ROW FORMAT DELIMITED among them.
        storage_clauses: those written that only a Hive table can have.
    """

    table: TableName
    is_external: bool
    if_not_exists: bool
    columns: tuple[ColumnDefinition, ...]
    comment: str | None
    partition_columns: tuple[ColumnDefinition, ...]
    partition_transforms: tuple[str, ...]
    bucket_columns: tuple[str, ...]
    sort_columns: tuple[str, ...]
    bucket_count: int
    input_format: str
    output_format: str
    serde: str
    serde_properties: dict[str, str]
    location: str | None
    properties: dict[str, str]
    storage_clauses: tuple[str, ...] = ()


class CreateView(Statement, frozen=True, kw_only=True):
    """CREATE [OR REPLACE] VIEW.

    Attributes:
        sql: the query as it stands.
        query: the query in its place, all before it made spaces.
    """

    view: TableName
    is_replacing: bool
    sql: str
    query: str


class DropTable(Statement, frozen=True, kw_only=True):
    """DROP TABLE or DROP VIEW."""

    table: TableName
    if_exists: bool
    is_view: bool


PartitionSpec = tuple[tuple[str, str], ...]
"""Names and values as text."""


class PartitionCondition(NamedTuple):
    """A condition of `DROP PARTITION (year < 2020)`."""

    column: str
    operator: str
    value: str


class AddedPartition(NamedTuple):
    """A partition of ADD PARTITION."""

    spec: PartitionSpec
    location: str | None


class AddPartitions(Statement, frozen=True, kw_only=True):
    """ALTER TABLE … ADD PARTITION."""

    table: TableName
    if_not_exists: bool
    partitions: tuple[AddedPartition, ...]


class DropPartitions(Statement, frozen=True, kw_only=True):
    """ALTER TABLE … DROP PARTITION."""

    table: TableName
    if_exists: bool
    partitions: tuple[tuple[PartitionCondition, ...], ...]


class RenamePartition(Statement, frozen=True, kw_only=True):
    """ALTER TABLE … PARTITION … RENAME TO PARTITION …."""

    table: TableName
    old: PartitionSpec
    new: PartitionSpec


class SetLocation(Statement, frozen=True, kw_only=True):
    """ALTER TABLE … [PARTITION …] SET LOCATION."""

    table: TableName
    partition: PartitionSpec
    location: str


class SetProperties(Statement, frozen=True, kw_only=True):
    """ALTER TABLE … SET or UNSET TBLPROPERTIES."""

    table: TableName
    properties: dict[str, str]
    removed: tuple[str, ...] = ()


class AddColumns(Statement, frozen=True, kw_only=True):
    """ALTER TABLE … ADD or REPLACE COLUMNS."""

    table: TableName
    columns: tuple[ColumnDefinition, ...]
    is_replacing: bool


class ChangeColumn(Statement, frozen=True, kw_only=True):
    """ALTER TABLE … CHANGE COLUMN.

    Attributes:
        after: name of the column before it, empty for the first, None to stay.
    """

    table: TableName
    old_name: str
    column: ColumnDefinition
    after: str | None


class DropColumn(Statement, frozen=True, kw_only=True):
    """ALTER TABLE … DROP COLUMN."""

    table: TableName
    column: str


class RepairTable(Statement, frozen=True, kw_only=True):
    """MSCK REPAIR TABLE."""

    table: TableName


class Show(Statement, frozen=True, kw_only=True):
    """SHOW DATABASES, TABLES or VIEWS.

    Attributes:
        schema: where to look; empty for the session's.
        catalog: as `schema`.
        pattern: Hive's (`a*|b*`) or, with `is_like`, SQL's; None for all.
    """

    schema: str = ""
    catalog: str = ""
    pattern: str | None = None
    is_like: bool = False


class ShowOfTable(Statement, frozen=True, kw_only=True):
    """SHOW COLUMNS, PARTITIONS, TBLPROPERTIES, CREATE TABLE or CREATE VIEW; DESCRIBE.

    Attributes:
        name: of the property, of the column or partition that is described.
        is_extended: DESCRIBE EXTENDED or FORMATTED.
    """

    table: TableName
    name: str | None = None
    partition: PartitionSpec = ()
    is_extended: bool = False
    is_formatted: bool = False


class CreateTableAs(Statement, frozen=True, kw_only=True):
    """CREATE TABLE … AS.

    Attributes:
        properties: of WITH, values as text or lists of text.
        sql: the query.
    """

    table: TableName
    if_not_exists: bool
    properties: dict[str, str | list[str]]
    sql: str
    has_data: bool


class Insert(Statement, frozen=True, kw_only=True):
    """INSERT INTO.

    Attributes:
        columns: empty for all in order.
        sql: the query.
    """

    table: TableName
    columns: tuple[str, ...]
    sql: str


class ChangeRows(Statement, frozen=True, kw_only=True):
    """UPDATE, DELETE or MERGE.

    Attributes:
        sql: the whole statement.
        is_of_all: DELETE without a condition.
    """

    table: TableName
    sql: str
    is_of_all: bool = False


class Optimize(Statement, frozen=True, kw_only=True):
    """OPTIMIZE … REWRITE DATA USING BIN_PACK.

    Attributes:
        condition: a query for `"$file"` of the rows that meet the condition; empty for all.
    """

    table: TableName
    condition: str = ""


class Vacuum(Statement, frozen=True, kw_only=True):
    """VACUUM."""

    table: TableName


class Unload(Statement, frozen=True, kw_only=True):
    """UNLOAD."""

    sql: str
    location: str
    properties: dict[str, str | list[str]]


class Prepare(Statement, frozen=True, kw_only=True):
    """PREPARE name FROM statement."""

    name: str
    sql: str


class Execute(Statement, frozen=True, kw_only=True):
    """EXECUTE name USING values."""

    name: str
    parameters: tuple[str, ...]


class Deallocate(Statement, frozen=True, kw_only=True):
    """DEALLOCATE PREPARE name."""

    name: str
