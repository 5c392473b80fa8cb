"""INSERT INTO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloche.core.errors import AWSError
from cloche.engines.sql.engine import Column, ErrorKind, QueryError
from cloche.engines.sql.formats.choosing import is_self_describing
from cloche.engines.sql.formats.writing import FileLayout
from cloche.services.athena.failures import not_built
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.session import Session, split_location
from cloche.services.athena.statements.catalog_changes import load
from cloche.services.athena.statements.conforming_rows import conforming
from cloche.services.athena.statements.destinations import (
    DEFAULT_DELIMITER,
    Destination,
    file_names,
)
from cloche.services.athena.statements.formats import FORMATS, LAZY_SIMPLE
from cloche.services.athena.statements.iceberg_writing import insert_into_iceberg
from cloche.services.athena.statements.partitions import partition_input
from cloche.services.athena.statements.selecting import executing
from cloche.services.athena.statements.statement_types import Insert
from cloche.services.athena.statements.written_rows import (
    MANIFEST_SUFFIX,
    Written,
    objects_of,
    partition_values,
    publish_rows,
    write_rows,
)
from cloche.services.athena.tables.hive_tables import NULL_PARTITION
from cloche.services.athena.tables.iceberg_tables import is_iceberg
from cloche.services.athena.tables.partition_storage import Storages
from cloche.services.athena.tables.presto_views import is_view
from cloche.services.athena.tables.projection import is_projected
from cloche.services.athena.tables.types import hive_to_trino
from cloche.services.glue import catalog

_FORMATS = {
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe": "PARQUET",
    "org.apache.hadoop.hive.ql.io.orc.OrcSerde": "ORC",
    "org.apache.hadoop.hive.serde2.avro.AvroSerDe": "AVRO",
    "org.openx.data.jsonserde.JsonSerDe": "JSON",
    "org.apache.hive.hcatalog.data.JsonSerDe": "JSON",
    "org.apache.hadoop.hive.serde2.JsonSerDe": "JSON",
    LAZY_SIMPLE: "TEXTFILE",
}
_COMPRESSION_PARAMETERS = (
    "write.compression",
    "parquet.compression",
    "orc.compress",
    "avro.output.codec",
)


def insert(session: Session, statement: Insert, parameters: tuple[str, ...]) -> Outcome:
    """Add a query's rows to a table; all of them or none.

    Raises:
        QueryError: the query cannot be run, or its rows do not fit the table.
        QueryFailed: there is no such table, or the caller may not.
    """
    schema, table = load(session, statement.table)
    if is_iceberg(table):
        return insert_into_iceberg(session, statement, parameters, schema, table)
    destination = _destination(session, table)
    layout = destination.layout
    columns = (*layout.columns, *layout.partition_columns)
    types = {column.name: hive_to_trino(column.type) for column in columns}
    sql = conforming(session, statement, parameters, types)
    with executing(session, sql, parameters) as execution:
        written = write_rows(session, execution, destination)
    return _publish(session, schema, table, destination, written)


def _destination(session: Session, table: Mapping[str, Any]) -> Destination:
    if is_view(table):
        raise QueryError(ErrorKind.NOT_SUPPORTED, "Inserting into views is not supported")
    descriptor = table["StorageDescriptor"]
    if descriptor.get("BucketColumns"):
        raise QueryError(
            ErrorKind.NOT_SUPPORTED, "Writing to bucketed Hive tables is not supported"
        )
    if is_projected(table) and "storage.location.template" in table["Parameters"]:
        raise not_built("INSERT INTO tables with a storage.location.template")
    serde = descriptor.get("SerdeInfo") or {}
    name = _FORMATS.get(serde.get("SerializationLibrary") or LAZY_SIMPLE)
    if name is None or descriptor.get("InputFormat") not in (None, FORMATS[name].input_format):
        raise not_built(f"INSERT INTO tables of {serde.get('SerializationLibrary')}")
    bucket, prefix = session.check_writable(descriptor["Location"])
    properties: Mapping[str, str] = serde.get("Parameters") or {}
    layout = FileLayout(
        format=name,
        compression=_compression(table, name),
        columns=_columns(descriptor.get("Columns")),
        partition_columns=_columns(table.get("PartitionKeys")),
        delimiter=properties.get("field.delim") or DEFAULT_DELIMITER,
        null_text=properties.get("serialization.null.format", r"\N"),
        name=file_names(session),
    )
    return Destination(bucket=bucket, prefix=prefix, layout=layout)


def _compression(table: Mapping[str, Any], name: str) -> str:
    parameters = table.get("Parameters") or {}
    for parameter in _COMPRESSION_PARAMETERS:
        if parameters.get(parameter):
            return str(parameters[parameter]).upper()
    return {"PARQUET": "GZIP", "ORC": "ZLIB"}.get(name, "GZIP" if name == "JSON" else "NONE")


def _columns(columns: Any) -> tuple[Column, ...]:
    return tuple(
        Column(each["Name"].lower(), (each.get("Type") or "string").lower())
        for each in columns or ()
    )


def _publish(
    session: Session,
    schema: str,
    table: Mapping[str, Any],
    destination: Destination,
    written: Written,
) -> Outcome:
    places: dict[tuple[str | None, ...], tuple[str, str]] = {}
    added: list[list[str]] = []
    for values in partition_values(written) if destination.layout.partition_columns else ():
        texts = [NULL_PARTITION if value is None else value for value in values]
        location = _existing_location(session, schema, table, texts)
        if location is None:
            location = partition_input(table, texts)["StorageDescriptor"]["Location"]
            added.append(texts)
        places[values] = split_location(location)
    objects = objects_of(written, destination, places or None)
    if is_projected(table):
        added = []
    if added:
        session.check_glue("BatchCreatePartition", schema, table["Name"])

    def register() -> None:
        if added:
            catalog.create_partitions(
                *session.where,
                schema,
                table["Name"],
                [partition_input(table, values) for values in added],
                session.now,
                if_not_exists=True,
                events=session.events,
            )

    manifest = f"{session.query.output_folder}{session.query.id}{MANIFEST_SUFFIX}"
    created: Sequence[Any] = [(schema, table["Name"], tuple(values)) for values in added]
    return publish_rows(session, written, objects, manifest, register, partitions=created)


def _existing_location(
    session: Session, schema: str, table: Mapping[str, Any], values: Sequence[str]
) -> str | None:
    try:
        found = catalog.get_partition(*session.where, schema, table["Name"], values)
    except AWSError:
        return None
    storage = Storages(table).of(found, "/".join(values))
    is_same_way = storage is None or (
        storage.serde == table["StorageDescriptor"]["SerdeInfo"].get("SerializationLibrary")
        and is_self_describing(storage.serde)
    )
    if not is_same_way:
        raise QueryError(
            ErrorKind.NOT_SUPPORTED,
            f"Partition {'/'.join(values)} of {schema}.{table['Name']} is not stored as its table",
        )
    location: str | None = (found.get("StorageDescriptor") or {}).get("Location")
    return location
