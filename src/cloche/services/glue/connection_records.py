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

    Raises:
        EntityNotFoundException: there is none.
    """
    return shown_connection(find_connection(documents, account, region, name))


def shown_connection(record: Connection, *, hides_secrets: bool = False) -> dict[str, Any]:
    """Glue's Connection of a record."""
    properties = record.input["ConnectionProperties"]
    if hides_secrets:
        properties = {name: value for name, value in properties.items() if name not in SECRETS}
    return {
        **record.input,
        "ConnectionProperties": properties,
        "CreationTime": record.created_at,
        "LastUpdatedTime": record.updated_at,
        "LastUpdatedBy": record.updated_by,
        "Status": "READY",
        "ConnectionSchemaVersion": 1,
    }


def _exists(reader: Reader, account: str, region: str, name: str) -> bool:
    return reader.get(connections, account, region, key_of(name)) is not None


taggable["connection"] = _exists
