"""SHOW and DESCRIBE of one table, in Hive's layouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.services.athena.failures import ddl_failed, not_built
from cloche.services.athena.federation.metadata import as_glue_table
from cloche.services.athena.federation.tables import federated_table
from cloche.services.athena.session import Session
from cloche.services.athena.statements.catalog_changes import load
from cloche.services.athena.statements.partitions import with_partition
from cloche.services.athena.statements.statement_types import ShowOfTable
from cloche.services.athena.statements.table_ddl import table_ddl
from cloche.services.athena.statements.text_results import Lines
from cloche.services.athena.tables.hive_tables import partition_path, partitions_of
from cloche.services.athena.tables.presto_views import is_view, read_view

_DESCRIBED = ["col_name", "data_type", "comment"]
_BLANK = "\t \t "
_WIDTH = 20


def show_of_table(session: Session, statement: ShowOfTable) -> Lines:
    """SHOW COLUMNS, PARTITIONS, TBLPROPERTIES, CREATE TABLE, CREATE VIEW, or DESCRIBE.

    Raises:
        QueryFailed: there is no such table, or nothing of the kind about it.
        QueryError: the same of a table of a federated catalog.
    """
    kind = statement.kind
    federated = session.federated_catalog(statement.table.catalog)
    if federated is None:
        schema, table = load(session, statement.table)
    elif kind in ("SHOW_CREATE_TABLE", "SHOW_CREATE_VIEW"):
        raise not_built(f"{kind.replace('_', ' ')} of federated data sources")
    else:
        schema = statement.table.schema or session.schema
        name = statement.table.name
        table = as_glue_table(federated_table(session, federated, schema, name))
    if kind == "SHOW_COLUMNS":
        names = [each["Name"] for each in (*_columns(table), *_keys(table))]
        return Lines(["field"], [f"{name:<{_WIDTH}}" for name in names])
    if kind == "SHOW_PARTITIONS":
        return _partitions(session, schema, table)
    if kind == "SHOW_TBLPROPERTIES":
        return _properties(table, statement.name)
    if kind == "SHOW_CREATE_TABLE":
        return _create_table(statement, table)
    if kind == "SHOW_CREATE_VIEW":
        return _create_view(schema, table)
    if statement.partition:
        table = with_partition(session, schema, table, statement.partition)
    return _describe(table, statement)


def _columns(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((table.get("StorageDescriptor") or {}).get("Columns") or ())


def _keys(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(table.get("PartitionKeys") or ())


def _partitions(session: Session, schema: str, table: Mapping[str, Any]) -> Lines:
    if not table.get("PartitionKeys"):
        raise ddl_failed(
            f"SemanticException [Error 10241]: Table {schema}.{table['Name']} "
            "is not a partitioned table"
        )
    return Lines(
        ["partition"],
        (partition_path(folder.values) for folder in partitions_of(session, table, ())),
    )


def _properties(table: Mapping[str, Any], name: str | None) -> Lines:
    parameters = table.get("Parameters") or {}
    columns = ["prpt_name", "prpt_value"]
    if name is None:
        return Lines(columns, [f"{key}\t{parameters[key]}" for key in sorted(parameters)])
    if name not in parameters:
        absent = f"Table {table['DatabaseName']}.{table['Name']} does not have property: {name}"
        return Lines(columns, [absent])
    return Lines(columns, [f"{name}\t{parameters[name]}"])


def _create_table(statement: ShowOfTable, table: Mapping[str, Any]) -> Lines:
    if is_view(table):
        raise ddl_failed("SemanticException it is a view: use SHOW CREATE VIEW")
    name = statement.table
    shown = f"{name.schema}.{name.name}" if name.schema else name.name
    return Lines(["createtab_stmt"], table_ddl(shown, table))


def _create_view(schema: str, table: Mapping[str, Any]) -> Lines:
    if not is_view(table):
        raise ddl_failed("SemanticException it is no view: use SHOW CREATE TABLE")
    view = read_view(table)
    text = f"CREATE VIEW {schema}.{table['Name']} AS\n{view.sql}"
    return Lines(["Create View"], text.split("\n"))


def _describe(table: Mapping[str, Any], statement: ShowOfTable) -> Lines:
    if statement.partition and statement.is_extended:
        raise not_built("DESCRIBE FORMATTED … PARTITION")
    columns, keys = _columns(table), _keys(table)
    if statement.name is not None:
        found = [each for each in (*columns, *keys) if each["Name"].lower() == statement.name]
        if not found:
            raise ddl_failed(
                f"SemanticException [Error 10002]: Invalid column reference {statement.name}"
            )
        return Lines(_DESCRIBED, [_row(found[0])])
    lines: list[str] = []
    if statement.is_formatted:
        lines += [_heading(), _BLANK, *map(_row, columns)]
    else:
        lines += map(_row, (*columns, *keys))
    if keys:
        lines += [_BLANK, "# Partition Information\t \t ", _heading(), _BLANK, *map(_row, keys)]
    if statement.is_formatted:
        lines += _details(table)
    elif statement.is_extended:
        lines += [_BLANK, f"Detailed Table Information\t{_in_one_line(table)}\t"]
    return Lines(_DESCRIBED, lines)


def _row(column: Mapping[str, Any]) -> str:
    values = (column["Name"], column.get("Type") or "", column.get("Comment") or "")
    return "\t".join(f"{value:<{_WIDTH}}" for value in values)


def _heading() -> str:
    return f"# {'col_name':<{_WIDTH}}\t{'data_type':<{_WIDTH}}\t{'comment':<{_WIDTH}}"


def _in_one_line(table: Mapping[str, Any]) -> str:
    """The metastore's own record of a table, as Hive prints it."""
    descriptor = table.get("StorageDescriptor") or {}
    serde = descriptor.get("SerdeInfo") or {}

    def schema(columns: list[Mapping[str, Any]]) -> str:
        fields = (
            f"FieldSchema(name:{each['Name']}, type:{each.get('Type')}, "
            f"comment:{each.get('Comment') or 'null'})"
            for each in columns
        )
        return f"[{', '.join(fields)}]"

    def mapped(values: Mapping[str, Any] | None) -> str:
        return f"{{{', '.join(f'{key}={value}' for key, value in sorted((values or {}).items()))}}}"

    return (
        f"Table(tableName:{table['Name']}, dbName:{table['DatabaseName']}, "
        f"owner:{table.get('Owner') or 'null'}, createTime:{int(table.get('CreateTime') or 0)}, "
        f"lastAccessTime:{int(table.get('LastAccessTime') or 0)}, "
        f"retention:{table.get('Retention') or 0}, "
        f"sd:StorageDescriptor(cols:{schema([*_columns(table), *_keys(table)])}, "
        f"location:{descriptor.get('Location')}, inputFormat:{descriptor.get('InputFormat')}, "
        f"outputFormat:{descriptor.get('OutputFormat')}, "
        f"compressed:{str(bool(descriptor.get('Compressed'))).lower()}, "
        f"numBuckets:{descriptor.get('NumberOfBuckets', -1)}, "
        f"serdeInfo:SerDeInfo(name:{serde.get('Name') or 'null'}, "
        f"serializationLib:{serde.get('SerializationLibrary')}, "
        f"parameters:{mapped(serde.get('Parameters'))}), "
        f"bucketCols:[{', '.join(descriptor.get('BucketColumns') or ())}]), "
        f"partitionKeys:{schema(_keys(table))}, parameters:{mapped(table.get('Parameters'))}, "
        f"viewOriginalText:{table.get('ViewOriginalText') or 'null'}, "
        f"tableType:{table.get('TableType')})"
    )


def _details(table: Mapping[str, Any]) -> list[str]:
    descriptor = table.get("StorageDescriptor") or {}
    serde = descriptor.get("SerdeInfo") or {}

    def pair(name: str, value: object) -> str:
        return f"{name + ':':<{_WIDTH}}\t{value!s:<{_WIDTH}}\t "

    def parameter(name: str, value: object) -> str:
        return f"\t{name:<{_WIDTH}}\t{value!s:<{_WIDTH}}"

    lines = [
        _BLANK,
        "# Detailed Table Information\t \t ",
        pair("Database", table["DatabaseName"]),
        pair("Owner", table.get("Owner") or ""),
        pair("Location", descriptor.get("Location") or ""),
        pair("Table Type", table.get("TableType") or ""),
        "Table Parameters:\t \t ",
    ]
    lines += [parameter(*each) for each in sorted((table.get("Parameters") or {}).items())]
    lines += [
        _BLANK,
        "# Storage Information\t \t ",
        pair("SerDe Library", serde.get("SerializationLibrary") or ""),
        pair("InputFormat", descriptor.get("InputFormat") or ""),
        pair("OutputFormat", descriptor.get("OutputFormat") or ""),
        pair("Compressed", "Yes" if descriptor.get("Compressed") else "No"),
        pair("Num Buckets", descriptor.get("NumberOfBuckets", -1)),
        pair("Bucket Columns", f"[{', '.join(descriptor.get('BucketColumns') or ())}]"),
        "Storage Desc Params:\t \t ",
    ]
    lines += [parameter(*each) for each in sorted((serde.get("Parameters") or {}).items())]
    return lines
