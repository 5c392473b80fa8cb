"""CREATE TABLE … AS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloche.core.errors import AWSError
from cloche.engines.sql.engine import Column
from cloche.engines.sql.formats.writing import FileLayout
from cloche.services.athena.failures import QueryFailed, not_built
from cloche.services.athena.publishing import spare_table
from cloche.services.athena.query_records import Outcome, Query
from cloche.services.athena.session import Session
from cloche.services.athena.statements.creating import table_exists
from cloche.services.athena.statements.destinations import (
    DEFAULT_DELIMITER,
    Destination,
    Properties,
    check_is_empty,
    chosen_format,
    file_names,
    invalid_property,
    split_columns,
)
from cloche.services.athena.statements.iceberg_writing import create_iceberg_table_as
from cloche.services.athena.statements.partitions import partition_input
from cloche.services.athena.statements.query_columns import check_columns
from cloche.services.athena.statements.selecting import executing
from cloche.services.athena.statements.statement_types import CreateTableAs
from cloche.services.athena.statements.written_rows import (
    MANIFEST_SUFFIX,
    Written,
    objects_of,
    partition_values,
    publish_rows,
    shown_columns,
    write_rows,
)
from cloche.services.athena.tables.hive_tables import NULL_PARTITION
from cloche.services.athena.tables.resolving import check_schema, find_table
from cloche.services.athena.work_group_records import work_groups
from cloche.services.glue import catalog


def create_table_as(
    session: Session, statement: CreateTableAs, parameters: tuple[str, ...]
) -> Outcome:
    """Make a table of a query's rows; it is there with all of them or not at all.

    Raises:
        QueryError: the query cannot be run, or its rows cannot be written as asked.
        QueryFailed: the name is taken, or the caller may not.
    """
    schema = session.schema_of(statement.table)
    name = statement.table.name
    check_schema(session, schema)
    session.check_glue("CreateTable", schema, name)
    if find_table(session, schema, name) is not None:
        if statement.if_not_exists:
            return Outcome(state="SUCCEEDED", update_count=0)
        raise QueryFailed(
            f"TABLE_ALREADY_EXISTS: Table 'awsdatacatalog.{schema}.{name}' already exists",
            type=1006,
        )
    if str(statement.properties.get("table_type", "")).upper() == "ICEBERG":
        return create_iceberg_table_as(session, statement, parameters, schema)
    planned = _planned(session, statement)
    sql = statement.sql
    if not statement.has_data:
        sql = f"SELECT * FROM ({sql}) LIMIT 0"  # noqa: S608 - it is the caller's own SQL
    with executing(session, sql, parameters) as execution:
        check_columns(execution.columns, statement.sql)
        destination = planned.destination(execution.columns)
        written = write_rows(session, execution, destination)
    return _publish(session, schema, name, planned.location, destination, written)


class _Planned:
    """What the properties say, before the query's columns are known."""

    def __init__(
        self, location: str, bucket: str, prefix: str, names: str, properties: Properties
    ) -> None:
        self.location = location
        self._names = names
        self._bucket = bucket
        self._prefix = prefix
        self._format, self._compression, self._level = chosen_format(properties, "PARQUET")
        self._delimiter = properties.text("field_delimiter") or DEFAULT_DELIMITER
        self._partitioned_by = properties.names("partitioned_by")
        self._bucketed_by = properties.names("bucketed_by")
        self._bucket_count = properties.number("bucket_count") or 0
        properties.end()
        if bool(self._bucketed_by) != bool(self._bucket_count):
            raise invalid_property("bucket_count", self._bucket_count)

    def destination(self, columns: Sequence[Column]) -> Destination:
        """Where and how rows of these columns are written."""
        own, partition_columns = split_columns(columns, self._partitioned_by)
        for name in self._bucketed_by:
            if name not in [column.name for column in own]:
                raise invalid_property("bucketed_by", name)
        layout = FileLayout(
            format=self._format,
            compression=self._compression,
            level=self._level,
            columns=own,
            partition_columns=partition_columns,
            delimiter=self._delimiter,
            bucket_columns=self._bucketed_by,
            bucket_count=self._bucket_count,
            name=self._names,
        )
        return Destination(bucket=self._bucket, prefix=self._prefix, layout=layout)


def _planned(session: Session, statement: CreateTableAs) -> _Planned:
    properties = Properties(statement.properties)
    if (properties.text("table_type") or "HIVE").upper() != "HIVE":
        raise not_built("CREATE TABLE AS of Iceberg tables")
    if (is_external := properties.text("is_external") or "true").lower() != "true":
        raise invalid_property("is_external", is_external)  # what is not Iceberg's is external
    external = properties.text("external_location")
    query = session.query
    if external is None:
        location = f"{query.output_folder}tables/{query.id}/"
    elif _is_enforced(session, query):
        raise QueryFailed(
            "The Create Table As Select query failed because it was submitted with an "
            "'external_location' property to an Athena Workgroup that enforces a centralized "
            "output location for all queries. Please remove the 'external_location' property "
            "and resubmit the query.",
            type=1101,
        )
    else:
        location = external
    bucket, prefix = session.check_writable(location)
    shown = f"table '{statement.table.name}'"
    check_is_empty(session, location, shown)
    return _Planned(location, bucket, prefix, file_names(session), properties)


def _is_enforced(session: Session, query: Query) -> bool:
    found = session.documents.get_cached(work_groups, query.account, query.region, query.work_group)
    return (
        found is not None
        and found.is_enforced
        and bool(found.result_configuration.get("OutputLocation"))
    )


def _publish(
    session: Session,
    schema: str,
    name: str,
    location: str,
    destination: Destination,
    written: Written,
) -> Outcome:
    partitions = partition_values(written) if destination.layout.partition_columns else []
    table = _table_input(session, name, location, destination)

    def register() -> None:
        try:
            catalog.create_table(
                *session.where,
                schema,
                table,
                session.now,
                created_by=session.query.principal.arn,
                events=session.events,
            )
        except AWSError:
            spare_table(session)
            raise table_exists(name) from None
        inputs = [
            partition_input(table, [NULL_PARTITION if v is None else v for v in values])
            for values in partitions
        ]
        if inputs:
            catalog.create_partitions(
                *session.where, schema, name, inputs, session.now, events=session.events
            )

    manifest = f"{session.query.output_folder}tables/{session.query.id}{MANIFEST_SUFFIX}"
    objects = objects_of(written, destination)
    return publish_rows(
        session, written, objects, manifest, register, table=(schema, name, location)
    )


def _table_input(
    session: Session, name: str, location: str, destination: Destination
) -> dict[str, Any]:
    classes = destination.classes
    serde: dict[str, str] = {"serialization.format": "1"}
    if destination.layout.format == "TEXTFILE":
        serde = {
            "field.delim": destination.layout.delimiter,
            "serialization.format": destination.layout.delimiter,
        }
    return {
        "Name": name,
        "Owner": "hadoop",
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": shown_columns(destination.layout.partition_columns),
        "Parameters": {
            "EXTERNAL": "TRUE",
            "has_encrypted_data": "false",
            "transient_lastDdlTime": str(int(session.now)),
            **_compression_parameters(destination),
        },
        "StorageDescriptor": {
            "Columns": shown_columns(destination.layout.columns),
            "Location": location,
            "InputFormat": classes.input_format,
            "OutputFormat": classes.output_format,
            "Compressed": False,
            "NumberOfBuckets": destination.layout.bucket_count or -1,
            "SerdeInfo": {"SerializationLibrary": classes.serde, "Parameters": serde},
            "BucketColumns": list(destination.layout.bucket_columns),
            "SortColumns": [],
            "Parameters": {},
            "StoredAsSubDirectories": False,
        },
    }


def _compression_parameters(destination: Destination) -> dict[str, str]:
    name = {"PARQUET": "parquet.compression", "ORC": "orc.compress"}.get(
        destination.layout.format, "write.compression"
    )
    return {name: destination.layout.compression}
