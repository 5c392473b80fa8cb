"""What a statement that runs may see and do, as its caller."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from cloche.core.arns import format_arn
from cloche.core.authorization.authorize import denial_message
from cloche.core.authorization.context import RequestContext
from cloche.core.authorization.evaluate import AccessRequest, PolicySet, evaluate
from cloche.core.documents import Documents
from cloche.core.events import EventBus
from cloche.core.job_call import JobCall
from cloche.core.operations import Call, Server
from cloche.engines.sql.engine import ErrorKind, QueryError
from cloche.services.athena.data_catalog_records import AWS_DATA_CATALOG, find_data_catalog
from cloche.services.athena.errors import InvalidRequestException
from cloche.services.athena.failures import permission_denied
from cloche.services.athena.objects import Objects
from cloche.services.athena.query_records import Query
from cloche.services.athena.result_configurations import bucket_and_key
from cloche.services.athena.statements.cursor import TableName
from cloche.services.s3.errors import InvalidBucketName, NoSuchBucket

CATALOG = AWS_DATA_CATALOG.lower()
DEFAULT_SCHEMA = "default"


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

    def schema_of(self, table: TableName) -> str:
        """The database of a table.

        Raises:
            QueryError: there is no such catalog.
        """
        self.check_catalog(table.catalog or self.query.catalog)
        return table.schema or self.schema

    def check_catalog(self, name: str) -> None:
        """Refuse a catalog that does not exist.

        Raises:
            QueryError: it doesn't.
        """
        if not name or name.lower() == CATALOG:
            return
        try:
            find_data_catalog(*self.where, name)
        except InvalidRequestException:
            raise QueryError(
                ErrorKind.CATALOG_NOT_FOUND, f"Catalog '{name}' does not exist"
            ) from None

    def check_glue(self, action: str, database: str = "", table: str = "") -> None:
        """Refuse what the caller may not do in the Data Catalog.

        Raises:
            QueryFailed: it may not.
        """
        principal = self.query.principal
        if principal.is_root or (action, database, table) in self._checked:
            return
        region, account = self.query.region, self.query.account
        names = ["catalog"]
        if database:
            names.append(f"database/{database}")
        if table:
            names.append(f"table/{database}/{table}")
        policies = self.server.dispatcher.policies_of(principal)
        call = Call(self.server, "glue", action, principal, region, str(uuid4()))
        for name in names:
            arn = format_arn("glue", region, account, name)
            decision = evaluate(
                AccessRequest(principal, f"glue:{action}", arn, RequestContext(call, {})),
                PolicySet(
                    identity=policies.policies,
                    boundary=policies.boundary,
                    sessions=principal.session_policies,
                ),
            )
            if not decision.is_allowed:
                message = denial_message(principal.arn, f"glue:{action}", arn, decision)
                raise permission_denied(f"Insufficient permissions to execute the query. {message}")
        self._checked.add((action, database, table))

    def check_writable(self, location: str) -> tuple[str, str]:
        """Bucket and key prefix of a folder that the query is to write to.

        Raises:
            QueryFailed: there is no such bucket, or the caller may not write there.
            QueryError: it is no S3 location.
        """
        bucket, prefix = split_location(location)
        try:
            is_allowed = self.objects.is_allowed("PutObject", bucket, f"{prefix}{self.query.id}")
        except (NoSuchBucket, InvalidBucketName):
            raise QueryError(
                ErrorKind.GENERIC_USER_ERROR, f"The bucket of {location} does not exist"
            ) from None
        if not is_allowed:
            raise permission_denied(f"Access Denied: cannot write to {location}", is_s3=True)
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
