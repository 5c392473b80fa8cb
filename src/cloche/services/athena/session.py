"""What a statement that runs may see and do, as its caller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cloche.core.arns import format_arn
from cloche.core.documents import Documents
from cloche.core.events import EventBus
from cloche.core.job_call import JobCall
from cloche.core.operations import Server
from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.engines.sql.remote import RemoteDatabase
from cloche.services.athena.data_catalog_records import (
    AWS_DATA_CATALOG,
    FEDERATED,
    DataCatalog,
    find_data_catalog,
)
from cloche.services.athena.errors import InvalidRequestException
from cloche.services.athena.failures import permission_denied
from cloche.services.athena.federation.catalogs import ConnectionDenied, database_of
from cloche.services.athena.federation.connections import UnusableConnection
from cloche.services.athena.objects import Objects
from cloche.services.athena.permissions import denial_of
from cloche.services.athena.query_records import Query
from cloche.services.athena.result_configurations import bucket_and_key
from cloche.services.athena.statements.cursor import TableName
from cloche.services.s3.errors import InvalidBucketName, NoSuchBucket

CATALOG = AWS_DATA_CATALOG.lower()
DEFAULT_SCHEMA = "default"
_INSUFFICIENT = "Insufficient permissions to execute the query."


class Session:
    """A query under way.

    Attributes:
        query: what was asked.
        objects: S3 as the caller may use it.
        call: of its job: it tells when to stop and has a folder.
        now: seconds since 1970, the same for the whole statement.
        began_at: when it got its turn, where it had to wait for it.
        copies: objects that were copied into its folder, as they have no file of their own.
        uploads: bucket and key of objects that it has written before anything refers to them.
        published: what it has published, to be taken back should it not end well.
    """

    def __init__(self, server: Server, query: Query, objects: Objects, call: JobCall) -> None:
        self.server = server
        self.query = query
        self.objects = objects
        self.call = call
        self.now = server.clock.time()
        self.began_at: float | None = None
        self.published: Any = None
        self.copies = 0
        self.uploads: list[tuple[str, str]] = []
        self._checked: set[tuple[str, str, str]] = set()
        self._remote_databases: dict[str, RemoteDatabase] = {}

    @property
    def documents(self) -> Documents:
        """The metadata store."""
        return self.server.documents

    @property
    def events(self) -> EventBus:
        """Told of changes."""
        return self.server.events

    @property
    def where(self) -> tuple[Documents, str, str]:
        """Documents, account and region, as the catalog's functions want them."""
        return self.documents, self.query.account, self.query.region

    @property
    def schema(self) -> str:
        """Where names without a schema are looked up."""
        # awswrangler names the database in backticks.
        return self.query.database.strip('`"').lower() or DEFAULT_SCHEMA

    @property
    def folder(self) -> Path:
        """A folder of its own on this machine."""
        self.call.folder.mkdir(parents=True, exist_ok=True)
        return self.call.folder

    def remove_folder(self) -> None:
        """Remove what it has written on this machine."""
        self.call.remove_folder()

    @property
    def catalog(self) -> str:
        """Where names without a catalog are looked up, in lower case."""
        return self.query.catalog.strip('`"').lower() or CATALOG

    def schema_of(self, table: TableName) -> str:
        """The database of a table of the Data Catalog, which a statement may change.

        Raises:
            QueryError: there is no such catalog, or it can only be read.
        """
        self.check_own_catalog(table.catalog)
        return table.schema or self.schema

    def check_own_catalog(self, name: str = "") -> None:
        """Refuse a catalog that does not exist, or that is not the Data Catalog.

        Args:
            name: the query's own if it is empty.

        Raises:
            QueryError: it doesn't, or it can only be read.
        """
        if self.federated_catalog(name) is not None:
            raise QueryError(
                ErrorKind.NOT_SUPPORTED,
                f"Catalog '{name or self.catalog}' is a federated data source: it can be queried, "
                "and not be written to or changed",
            )

    def federated_catalog(self, name: str = "") -> str | None:
        """The name of a catalog in lower case if it is federated, None if it is the Data Catalog.

        Args:
            name: the query's own if it is empty.

        Raises:
            QueryError: there is none.
        """
        name = name or self.catalog
        if name.lower() == CATALOG:
            return None
        return name.lower() if self._data_catalog(name).kind == FEDERATED else None

    def remote_database(self, catalog: str) -> RemoteDatabase:
        """The database behind a federated catalog.

        Raises:
            QueryError: its connection is gone, or leads to nothing that can be queried.
            QueryFailed: the caller may not use it.
        """
        if catalog not in self._remote_databases:
            found = self._data_catalog(catalog)
            principal, account = self.query.principal, self.query.account
            region = self.query.region
            self._check("athena:GetDataCatalog", "athena", f"datacatalog/{found.name}")
            try:
                made = database_of(self.server, principal, account, region, found)
            except ConnectionDenied as error:
                raise permission_denied(f"{_INSUFFICIENT} {error.message}") from None
            except UnusableConnection as error:
                message = f"Catalog '{catalog}': {error.message}"
                raise QueryError(ErrorKind.NOT_SUPPORTED, message) from None
            self._remote_databases[catalog] = made
        return self._remote_databases[catalog]

    def _data_catalog(self, name: str) -> DataCatalog:
        try:
            return find_data_catalog(*self.where, name)
        except InvalidRequestException:
            raise QueryError(
                ErrorKind.CATALOG_NOT_FOUND, f"Catalog '{name}' does not exist"
            ) from None

    def check_glue(self, action: str, database: str = "", table: str = "") -> None:
        """Refuse what the caller may not do in the Data Catalog.

        Raises:
            QueryFailed: it may not.
        """
        if (action, database, table) in self._checked:
            return
        names = ["catalog"]
        if database:
            names.append(f"database/{database}")
        if table:
            names.append(f"table/{database}/{table}")
        for name in names:
            self._check(f"glue:{action}", "glue", name)
        self._checked.add((action, database, table))

    def _check(self, action: str, service: str, resource: str) -> None:
        principal, region = self.query.principal, self.query.region
        if principal.is_root:
            return
        arn = format_arn(service, region, self.query.account, resource)
        message = denial_of(self.server, principal, region, action, arn)
        if message is not None:
            raise permission_denied(f"{_INSUFFICIENT} {message}")

    def check_writable(self, location: str) -> tuple[str, str]:
        """Bucket and key prefix of a folder that the query is to write to.

        Raises:
            QueryFailed: there is no such bucket, or the caller may not write there.
            QueryError: it is no S3 location.
        """
        return self._check_location(location, "PutObject", "write to")

    def check_removable(self, location: str) -> tuple[str, str]:
        """Bucket and key prefix of a folder in which the query is to delete.

        Raises:
            QueryFailed: there is no such bucket, or the caller may not delete there.
            QueryError: it is no S3 location.
        """
        return self._check_location(location, "DeleteObject", "delete in")

    def _check_location(self, location: str, operation: str, verb: str) -> tuple[str, str]:
        bucket, prefix = split_location(location)
        try:
            is_allowed = self.objects.is_allowed(operation, bucket, f"{prefix}{self.query.id}")
        except (NoSuchBucket, InvalidBucketName):
            raise QueryError(
                ErrorKind.GENERIC_USER_ERROR, f"The bucket of {location} does not exist"
            ) from None
        if not is_allowed:
            raise permission_denied(f"Access Denied: cannot {verb} {location}", is_s3=True)
        return bucket, prefix


def split_location(location: str) -> tuple[str, str]:
    """Bucket and key prefix of a folder; the prefix is empty or ends with a slash.

    Raises:
        QueryError: it is no S3 location.
    """
    try:
        bucket, prefix = bucket_and_key(location)
    except ValueError as error:
        raise QueryError(ErrorKind.GENERIC_USER_ERROR, str(error)) from None
    return bucket, f"{prefix}/" if prefix and not prefix.endswith("/") else prefix
