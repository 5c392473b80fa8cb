"""Connections: create, get, list, update, delete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from msgspec.structs import replace

from cloche.core.documents import Document, DocumentExists, Transaction
from cloche.core.operations import Call
from cloche.services.glue import tag_records
from cloche.services.glue.arns import arn, connection_arns
from cloche.services.glue.catalog_records import storable
from cloche.services.glue.connection_records import (
    Connection,
    connections,
    find_connection,
    shown_connection,
)
from cloche.services.glue.encryption_records import keeps_passwords_encrypted
from cloche.services.glue.errors import (
    AlreadyExistsException,
    EntityNotFoundException,
    GlueError,
    InvalidInputException,
)
from cloche.services.glue.keys import key_of
from cloche.services.glue.paging import read_page, with_token
from cloche.services.glue.refusals import account_of, not_implemented, refuse
from cloche.services.glue.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes

_PAGE = 100
_NOT_HONOURED = ("ValidateCredentials", "ValidateForComputeEnvironments")
_AUTHENTICATION_NOT_HONOURED = (
    "SecretArn",
    "KmsKeyArn",
    "OAuth2Properties",
    "CustomAuthenticationCredentials",
)
_DATABASES = frozenset({"POSTGRESQL", "MYSQL"})
_JDBC_URL = re.compile(r"jdbc:[a-z0-9:]+:.+", re.DOTALL)
# `//user:password@host`, and Oracle's `thin:user/password@host`, whose `thin:@host` has neither.
_SIGNED_IN = re.compile(r"jdbc:(?:[a-z0-9]+:)++(?://)?[^@?;/][^@?;]*@", re.DOTALL)
_CREDENTIAL = re.compile(
    r"[?&;,(]\s*(?:user|username|uid|[^=?&;,(]*(?:password\d?|passwd|pwd|secret|token))\s*=",
    re.IGNORECASE,
)


@service.operation(resource=connection_arns)
def create_connection(
    call: Call, request: shapes.CreateConnectionRequest
) -> shapes.CreateConnectionResponse:
    """Make a connection.

    Raises AlreadyExistsException if the name is taken, InvalidInputException if its properties
    don't do. AWS: Glue CreateConnection.
    """
    account = account_of(call, request)
    given = _checked(request["ConnectionInput"])
    tags = tag_records.checked(request.get("Tags") or {})
    now = call.clock.time()
    name: str = given["Name"]
    made = Connection(name, given, now, now, call.principal.arn)

    def insert(tx: Transaction) -> None:
        try:
            tx.insert(connections, account, call.region, key_of(name), made)
        except DocumentExists:
            raise AlreadyExistsException("Connection already exists.") from None
        tag_records.tag_in(tx, account, call.region, arn(call, account, f"connection/{name}"), tags)

    call.documents.transact(insert)
    return {"CreateConnectionStatus": "READY"}


@service.operation(resource=connection_arns)
def get_connection(
    call: Call, request: shapes.GetConnectionRequest
) -> shapes.GetConnectionResponse:
    """A connection; its passwords only where neither the request nor the settings hide them.

    Raises EntityNotFoundException if there is none. AWS: Glue GetConnection.
    """
    account = account_of(call, request)
    refuse(request, "ApplyOverrideForComputeEnvironment")
    found = find_connection(call.documents, account, call.region, request["Name"])
    shown: Any = shown_connection(found, hides_secrets=_hides_secrets(call, request))
    return {"Connection": shown}


@service.operation(resource=connection_arns)
def get_connections(
    call: Call, request: shapes.GetConnectionsRequest
) -> shapes.GetConnectionsResponse:
    """Connections by name, of a type or with match criteria. AWS: Glue GetConnections."""
    account = account_of(call, request)
    page, token = read_page(
        call.documents,
        connections,
        account,
        call.region,
        "",
        request.get("NextToken"),
        request.get("MaxResults", _PAGE),
        _filter(request.get("Filter") or {}),
    )
    hides = _hides_secrets(call, request)
    shown: list[Any] = [shown_connection(each.value, hides_secrets=hides) for each in page]
    answer: Any = {"ConnectionList": shown}
    return with_token(answer, token)


@service.operation(resource=connection_arns)
def update_connection(call: Call, request: shapes.UpdateConnectionRequest) -> Empty:
    """Replace a connection's definition.

    Raises EntityNotFoundException if there is none, InvalidInputException for another name.
    AWS: Glue UpdateConnection.
    """
    account = account_of(call, request)
    given = _checked(request["ConnectionInput"])
    name = request["Name"]
    if given["Name"] != name:
        raise InvalidInputException("The name of a connection cannot be changed.")

    def change(tx: Transaction) -> None:
        found = find_connection(tx, account, call.region, name)
        changed = replace(
            found, input=given, updated_at=call.clock.time(), updated_by=call.principal.arn
        )
        tx.put(connections, account, call.region, key_of(name), changed)

    call.documents.transact(change)
    return {}


@service.operation(resource=connection_arns)
def delete_connection(call: Call, request: shapes.DeleteConnectionRequest) -> Empty:
    """Forget a connection.

    Raises EntityNotFoundException if there is none. AWS: Glue DeleteConnection.
    """
    account = account_of(call, request)
    call.documents.transact(lambda tx: _delete(tx, call, account, request["ConnectionName"]))
    return {}


@service.operation(resource=connection_arns)
def batch_delete_connection(
    call: Call, request: shapes.BatchDeleteConnectionRequest
) -> shapes.BatchDeleteConnectionResponse:
    """Forget connections; those that are not there are told. AWS: Glue BatchDeleteConnection."""
    account = account_of(call, request)

    def delete(tx: Transaction) -> tuple[list[str], dict[str, Any]]:
        succeeded: list[str] = []
        errors: dict[str, Any] = {}
        for name in request["ConnectionNameList"]:
            try:
                _delete(tx, call, account, name)
                succeeded.append(name)
            except GlueError as error:
                errors[name] = error.detail()
        return succeeded, errors

    succeeded, errors = call.documents.transact(delete)
    return {"Succeeded": succeeded, "Errors": errors}


def _delete(tx: Transaction, call: Call, account: str, name: str) -> None:
    if tx.delete(connections, account, call.region, key_of(name)) is None:
        raise EntityNotFoundException(f"Connection {name} not found.")
    tag_records.forget_in(tx, account, call.region, arn(call, account, f"connection/{name}"))


def _hides_secrets(call: Call, request: Mapping[str, Any]) -> bool:
    account = account_of(call, request)
    is_asked = bool(request.get("HidePassword"))
    return is_asked or keeps_passwords_encrypted(call.documents, account, call.region)


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """A ConnectionInput as it is kept.

    Raises:
        InvalidInputException: it lacks where to connect to, or what to sign in with.
        NotImplementedException: it asks for what is not done, as for a secret of Secrets Manager.
    """
    refuse(given, *_NOT_HONOURED, where="ConnectionInput.")
    properties, kind = given["ConnectionProperties"], given["ConnectionType"]
    refuse(properties, "SECRET_ID", where="ConnectionProperties.")
    authentication = given.get("AuthenticationConfiguration") or {}
    _check_authentication(authentication)
    if kind == "JDBC":
        url = properties.get("JDBC_CONNECTION_URL", "")
        if not _JDBC_URL.fullmatch(url):
            raise InvalidInputException(
                "A JDBC connection needs a JDBC_CONNECTION_URL such as "
                "jdbc:postgresql://host:5432/database."
            )
        _check_keeps_no_secret(url)
        if not (authentication or {"USERNAME", "PASSWORD"} <= properties.keys()):
            raise InvalidInputException("A JDBC connection needs USERNAME and PASSWORD.")
    if kind in _DATABASES and not {"HOST", "PORT", "DATABASE"} <= properties.keys():
        raise InvalidInputException(f"A {kind} connection needs HOST, PORT and DATABASE.")
    # What was asked of the call and not done is no part of the connection.
    return {name: value for name, value in storable(given).items() if name not in _NOT_HONOURED}


def _check_keeps_no_secret(url: str) -> None:
    """A URL is shown to whoever may see the connection, also where passwords are hidden.

    Raises:
        InvalidInputException: it says whom to sign in as, or with what.
    """
    if _SIGNED_IN.match(url) or _CREDENTIAL.search(unquote(url)):
        raise InvalidInputException(
            "JDBC_CONNECTION_URL must not contain a user name or a password, which are not hidden "
            "there: use USERNAME and PASSWORD."
        )


def _check_authentication(given: Mapping[str, Any]) -> None:
    if not given:
        return
    refuse(given, *_AUTHENTICATION_NOT_HONOURED, where="AuthenticationConfiguration.")
    if given.get("AuthenticationType") != "BASIC":
        kind = given.get("AuthenticationType")
        raise not_implemented(f"AuthenticationType {kind} of connections")
    credentials = given.get("BasicAuthenticationCredentials") or {}
    if not {"Username", "Password"} <= credentials.keys():
        raise InvalidInputException("BASIC authentication needs a Username and a Password.")


def _filter(wanted: Mapping[str, Any]) -> Any:
    """Whether a connection is of the type and has all match criteria that are asked for."""
    criteria = set(wanted.get("MatchCriteria") or ())
    kind = wanted.get("ConnectionType")
    version = wanted.get("ConnectionSchemaVersion")

    def test(document: Document[Connection]) -> bool:
        given = document.value.input
        return (
            kind in (None, given["ConnectionType"])
            and criteria <= set(given.get("MatchCriteria") or ())
            and version in (None, document.value.schema_version)
        )

    return test if wanted else None
