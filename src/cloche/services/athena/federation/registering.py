"""What a data catalog of Type FEDERATED may be made of."""

from __future__ import annotations

from collections.abc import Mapping

from cloche.core.arns import InvalidArn, parse_arn
from cloche.core.errors import AWSError, NotImplementedException
from cloche.core.operations import Call
from cloche.services.athena.errors import AccessDeniedException, InvalidRequestException
from cloche.services.athena.federation.catalogs import (
    CONNECTION,
    ConnectionDenied,
    check_connection,
    connection_name,
)
from cloche.services.athena.federation.connections import (
    UnusableConnection,
    connection_kind,
    remote_database,
)
from cloche.services.glue import catalog

_NEW_CONNECTION = ("connection-type", "connection-properties")


def checked_connection_type(call: Call, name: str, parameters: Mapping[str, str]) -> str:
    """The ConnectionType of a catalog that is to be made.

    Raises:
        InvalidRequestException: it names no connection, or one that leads to nothing that can be
            queried.
        AccessDeniedException: the caller may not use the connection.
        NotImplementedException: it asks for what Cloche does not do.
    """
    _refuse(parameters)
    arn = parameters.get(CONNECTION)
    if arn is None:
        raise InvalidRequestException(
            "A data catalog of type FEDERATED needs the parameter connection-arn."
        )
    connection = _connection_name(call, arn)
    try:
        check_connection(call.server, call.principal, call.region, arn)
        found = catalog.connection(call.documents, call.account_id, call.region, connection)
        remote_database(name.lower(), found)
        return connection_kind(found)
    except ConnectionDenied as error:
        raise AccessDeniedException(error.message) from None
    except UnusableConnection as error:
        if error.is_not_built:
            raise NotImplementedException(error.message) from None
        raise InvalidRequestException(error.message) from None
    except AWSError as error:
        raise InvalidRequestException(error.message) from None


def _refuse(parameters: Mapping[str, str]) -> None:
    if any(name in parameters for name in _NEW_CONNECTION):
        if CONNECTION in parameters:
            raise InvalidRequestException(
                "Specify either connection-arn, or connection-type and connection-properties."
            )
        raise NotImplementedException(
            "Cloche does not implement connection-type and connection-properties of data catalogs "
            "yet, whose password is a secret of Secrets Manager: make a connection with Glue's "
            "CreateConnection and name its ARN in connection-arn."
        )
    if "lambda-role-arn" in parameters:
        raise NotImplementedException(
            "Cloche does not implement lambda-role-arn of data catalogs: it runs no function for "
            "them."
        )
    unknown = sorted(parameters.keys() - {CONNECTION})
    if unknown:
        raise InvalidRequestException(
            f"Unknown parameter {unknown[0]} for a catalog of type FEDERATED"
        )


def _connection_name(call: Call, arn: str) -> str:
    try:
        parts = parse_arn(arn)
    except InvalidArn:
        parts = None
    name = connection_name(arn) if parts is not None and parts.service == "glue" else ""
    if parts is None or not name:
        raise InvalidRequestException(f"{arn} is not the ARN of a Glue connection.")
    if (parts.account_id, parts.region) != (call.account_id, call.region):
        raise NotImplementedException(
            "Cloche does not implement connections of other accounts and regions in Athena yet."
        )
    return name
