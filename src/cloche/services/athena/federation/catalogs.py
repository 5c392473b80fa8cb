"""Which database stands behind a federated data catalog, and who may reach it."""

from __future__ import annotations

from cloche.core.arns import format_arn, parse_arn
from cloche.core.errors import AWSError
from cloche.core.operations import Server
from cloche.core.principals import Principal
from cloche.engines.sql.remote import RemoteDatabase
from cloche.services.athena.data_catalog_records import DataCatalog
from cloche.services.athena.federation.connections import UnusableConnection, remote_database
from cloche.services.athena.permissions import denial_of
from cloche.services.glue import catalog

CONNECTION = "connection-arn"


class ConnectionDenied(Exception):
    """The caller may not use a connection.

    Attributes:
        message: AWS's sentence.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def connection_name(arn: str) -> str:
    """The name in a connection's ARN; empty if it is none."""
    kind, _, name = parse_arn(arn).resource.partition("/")
    return name if kind == "connection" else ""


def check_connection(server: Server, principal: Principal, region: str, arn: str) -> None:
    """Refuse a caller that may not use a connection.

    Raises:
        ConnectionDenied: it may not.
    """
    if principal.is_root:
        return
    for each in (format_arn("glue", region, principal.account_id, "catalog"), arn):
        message = denial_of(server, principal, region, "glue:GetConnection", each)
        if message is not None:
            raise ConnectionDenied(message)


def database_of(
    server: Server, principal: Principal, account: str, region: str, found: DataCatalog
) -> RemoteDatabase:
    """The database behind a federated catalog.

    Raises:
        ConnectionDenied: the caller may not use its connection.
        UnusableConnection: the connection is gone, or leads to nothing that can be queried.
    """
    arn = found.parameters[CONNECTION]
    check_connection(server, principal, region, arn)
    try:
        connection = catalog.connection(server.documents, account, region, connection_name(arn))
    except AWSError as error:
        raise UnusableConnection(error.message) from None
    return remote_database(found.name.lower(), connection)
