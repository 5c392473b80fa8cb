"""What is kept of connections, secrets included: one document each, by name."""

from __future__ import annotations

from typing import Any

import msgspec

from cloche.core.documents import Documents, Reader, Table
from cloche.services.glue.errors import EntityNotFoundException
from cloche.services.glue.keys import key_of
from cloche.services.glue.tag_records import taggable

SECRETS = frozenset(
    {
        "PASSWORD",
        "KAFKA_CLIENT_KEYSTORE_PASSWORD",
        "KAFKA_CLIENT_KEY_PASSWORD",
        "KAFKA_SASL_PLAIN_PASSWORD",
        "KAFKA_SASL_SCRAM_PASSWORD",
    }
)


class Connection(msgspec.Struct, frozen=True):
    """A connection.

    Attributes:
        input: Glue's ConnectionInput.
        created_at: seconds since 1970.
        updated_at: seconds since 1970.
        updated_by: ARN of who made or last changed it.
    """

    name: str
    input: dict[str, Any]
    created_at: float
    updated_at: float
    updated_by: str

    @property
    def schema_version(self) -> int:
        """2 where it says how to sign in by an AuthenticationConfiguration."""
        return 2 if self.input.get("AuthenticationConfiguration") else 1


connections = Table("glue.connections", Connection)


def find_connection(reader: Reader, account: str, region: str, name: str) -> Connection:
    """The record of a connection.

    Raises:
        EntityNotFoundException: there is none.
    """
    found = reader.get(connections, account, region, key_of(name))
    if found is None:
        raise EntityNotFoundException(f"Connection {name} not found.")
    return found


def connection(documents: Documents, account: str, region: str, name: str) -> dict[str, Any]:
    """Glue's Connection with its secrets, for those who connect.

    USERNAME and PASSWORD are among its ConnectionProperties whichever way they were given.

    Raises:
        EntityNotFoundException: there is none.
    """
    record = find_connection(documents, account, region, name)
    given = record.input.get("AuthenticationConfiguration") or {}
    credentials = given.get("BasicAuthenticationCredentials") or {}
    signed_in = {key.upper(): value for key, value in credentials.items()}
    shown = shown_connection(record)
    return {**shown, "ConnectionProperties": {**shown["ConnectionProperties"], **signed_in}}


def shown_connection(record: Connection, *, hides_secrets: bool = False) -> dict[str, Any]:
    """Glue's Connection of a record; an AuthenticationConfiguration's password is never in it."""
    properties = record.input["ConnectionProperties"]
    if hides_secrets:
        properties = {name: value for name, value in properties.items() if name not in SECRETS}
    shown = {
        **record.input,
        "ConnectionProperties": properties,
        "CreationTime": record.created_at,
        "LastUpdatedTime": record.updated_at,
        "LastUpdatedBy": record.updated_by,
        "Status": "READY",
        "ConnectionSchemaVersion": record.schema_version,
    }
    if authentication := record.input.get("AuthenticationConfiguration"):
        kind = authentication["AuthenticationType"]
        shown["AuthenticationConfiguration"] = {"AuthenticationType": kind}
    return shown


def _exists(reader: Reader, account: str, region: str, name: str) -> bool:
    return reader.get(connections, account, region, key_of(name)) is not None


taggable["connection"] = _exists
