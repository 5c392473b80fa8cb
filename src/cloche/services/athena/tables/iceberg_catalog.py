"""The Data Catalog as pyiceberg's catalog: tables are made and changed by one atomic swap."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NoReturn

from pyiceberg.catalog import MetastoreCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, ValidationError
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.types import IcebergType, ListType, MapType, NestedField, StructType

from cloche.core.errors import AWSError
from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.services.athena.session import Session
from cloche.services.athena.tables.iceberg_files import ObjectsIO
from cloche.services.glue import catalog

_NAMES = {
    "long": "bigint",
    "timestamptz": "timestamp",
    "uuid": "string",
    "time": "string",
}


_SHOWN = (
    "format",
    "optimize_rewrite_data_file_threshold",
    "optimize_rewrite_delete_file_threshold",
    "optimize_rewrite_max_data_file_size_bytes",
    "optimize_rewrite_min_data_file_size_bytes",
    "vacuum_max_metadata_files_to_keep",
    "vacuum_max_snapshot_age_seconds",
    "vacuum_min_snapshots_to_keep",
    "write_compression",
)
"""Properties that the catalog tells too, as SHOW TBLPROPERTIES shows them from there."""
_METADATA_KEPT = 64
_UUID = re.compile(r"[0-9a-f-]{36}(?=\.metadata\.json)|[0-9a-f-]{36}(?=\.gz\.metadata\.json)")


class ConcurrentCommit(Exception):
    """Somebody else has changed the table since it was loaded."""


class ServiceCatalog(MetastoreCatalog):
    """Loads tables, makes them and commits to them; all else of a catalog is DDL's.

    Args:
        session: in whose name.
        is_retried: whether pyiceberg is to try again a commit that somebody else came before; a
            statement whose rows depend on what was read must be run again instead.
    """

    def __init__(self, session: Session, *, is_retried: bool = True) -> None:
        super().__init__("athena")
        self._session = session
        self._is_retried = is_retried

    def table_of(self, table: Mapping[str, Any]) -> Table:
        """A table of the Data Catalog.

        Raises:
            QueryError: its metadata is not there.
        """
        name = (table["DatabaseName"], table["Name"])
        location = table["Parameters"].get("metadata_location")
        if not location:
            raise QueryError(
                ErrorKind.GENERIC_USER_ERROR,
                f"ICEBERG_INVALID_METADATA: Table {'.'.join(name)} has no metadata_location",
            )
        io = ObjectsIO(self._session)
        return Table(name, _metadata(io, location), location, io, self)

    def load_table(self, identifier: Any) -> Table:
        """A table by its name.

        Raises:
            NoSuchTableError: there is none.
        """
        found = catalog.find_table(*self._session.where, *identifier)
        if found is None:
            raise NoSuchTableError(".".join(identifier))
        return self.table_of(found)

    def commit_table(self, table: Table, requirements: Any, updates: Any) -> CommitTableResponse:
        """Swap the table's metadata, if nobody else has meanwhile.

        Raises:
            CommitFailedException: somebody has.
            ConcurrentCommit: somebody has, and it is not to be tried again.
        """
        try:
            return self._commit(table, requirements, updates)
        except CommitFailedException as error:
            if self._is_retried:
                raise
            raise ConcurrentCommit(str(error)) from None

    def _commit(self, table: Table, requirements: Any, updates: Any) -> CommitTableResponse:
        database, name = table.name()
        session = self._session
        current = catalog.find_table(*session.where, database, name)
        loaded = None if current is None else self.table_of(current)
        staged = self._update_and_stage_table(loaded, table.name(), requirements, updates)
        if loaded is not None and staged.metadata == loaded.metadata:
            return _response(loaded)
        # All that a query writes has its id in the name, by which it is found after a crash.
        staged.metadata_location = _UUID.sub(session.query.id, staged.metadata_location)
        self._write_metadata(staged.metadata, staged.io, staged.metadata_location)
        made = _table_input(name, staged, current, loaded)
        try:
            if current is None:
                catalog.create_table(
                    *session.where,
                    database,
                    made,
                    session.now,
                    created_by=session.query.principal.arn,
                    events=session.events,
                )
            else:
                catalog.update_table(
                    *session.where,
                    database,
                    made,
                    session.now,
                    version_id=current["VersionId"],
                    skip_archive=True,
                    events=session.events,
                )
        except AWSError as error:
            staged.io.delete(staged.metadata_location)
            raise CommitFailedException(error.message) from None
        # From here on what was written is the table's, whatever comes.
        session.uploads.clear()
        return _response(staged)

    def _load_file_io(self, properties: Any = None, location: str | None = None) -> ObjectsIO:
        return ObjectsIO(self._session)

    def _refuse(self, *_arguments: Any, **_named: Any) -> NoReturn:
        raise NotImplementedError

    create_table = register_table = drop_table = purge_table = rename_table = _refuse
    create_namespace = drop_namespace = list_tables = list_namespaces = list_views = _refuse
    load_namespace_properties = update_namespace_properties = drop_view = _refuse
    table_exists = view_exists = namespace_exists = load_view = _refuse
    register_view = create_view = _refuse


_parsed: OrderedDict[tuple[str, str, float], TableMetadata] = OrderedDict()
_lock = threading.Lock()


def _metadata(io: ObjectsIO, location: str) -> TableMetadata:
    """A table's metadata; parsed once, as it never changes at its place.

    Raises:
        QueryError: it is not there, or cannot be read.
        QueryFailed: the caller may not read it.
    """
    file = io.new_input(location)
    record = io.record_of(location)
    key = (location, record.etag, record.last_modified)
    with _lock:
        if key in _parsed:
            _parsed.move_to_end(key)
            return _parsed[key]
    try:
        made = FromInputFile.table_metadata(file)
    except (ValueError, ValidationError):
        raise QueryError(
            ErrorKind.GENERIC_USER_ERROR,
            f"ICEBERG_INVALID_METADATA: {location} is no metadata of an Iceberg table",
        ) from None
    with _lock:
        _parsed[key] = made
        if len(_parsed) > _METADATA_KEPT:
            _parsed.popitem(last=False)
    return made


def _response(table: Table) -> CommitTableResponse:
    members: dict[str, Any] = {
        "metadata": table.metadata,
        "metadata-location": table.metadata_location,
    }
    return CommitTableResponse(**members)


def _table_input(
    name: str, staged: Table, current: Mapping[str, Any] | None, loaded: Table | None
) -> dict[str, Any]:
    parameters = dict((current or {}).get("Parameters") or {})
    for key in _SHOWN:
        parameters.pop(key, None)
        if key in staged.properties:
            parameters[key] = staged.properties[key]
    parameters |= {"table_type": "ICEBERG", "metadata_location": staged.metadata_location}
    if loaded is not None:
        parameters["previous_metadata_location"] = loaded.metadata_location
    made: dict[str, Any] = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "StorageDescriptor": {
            "Columns": [_column(field) for field in staged.schema().fields],
            "Location": staged.location(),
        },
    }
    description = staged.properties.get("comment") or (current or {}).get("Description")
    if description:
        made["Description"] = description
    return made


def _column(field: NestedField) -> dict[str, Any]:
    column: dict[str, Any] = {
        "Name": field.name,
        "Type": hive_type(field.field_type),
        "Parameters": {
            "iceberg.field.id": str(field.field_id),
            "iceberg.field.optional": str(field.optional).lower(),
            "iceberg.field.current": "true",
        },
    }
    if field.doc:
        column["Comment"] = field.doc
    return column


def hive_type(iceberg_type: IcebergType) -> str:
    """An Iceberg type in Hive's names."""
    if isinstance(iceberg_type, StructType):
        fields = (f"{each.name}:{hive_type(each.field_type)}" for each in iceberg_type.fields)
        return f"struct<{','.join(fields)}>"
    if isinstance(iceberg_type, ListType):
        return f"array<{hive_type(iceberg_type.element_type)}>"
    if isinstance(iceberg_type, MapType):
        return f"map<{hive_type(iceberg_type.key_type)},{hive_type(iceberg_type.value_type)}>"
    text = str(iceberg_type).replace(" ", "")
    return "binary" if text.startswith("fixed") else _NAMES.get(text, text)
