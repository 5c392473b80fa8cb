"""From a Glue connection to the database that it leads to.

What a connection says and is not honoured is refused, by the name of the property alone: its value
may be a secret.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from cloche.engines.sql.remote import Encryption, RemoteDatabase, RemoteKind

_KINDS: dict[str, tuple[RemoteKind, int]] = {
    "postgresql": ("postgresql", 5432),
    "mysql": ("mysql", 3306),
}
# A path would be a socket of this machine, a comma would name several hosts.
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_OF_JDBC = frozenset({"JDBC_CONNECTION_URL", "USERNAME", "PASSWORD", "JDBC_ENFORCE_SSL"})
_OF_DATABASES = frozenset({"HOST", "PORT", "DATABASE", "USERNAME", "PASSWORD", "JDBC_ENFORCE_SSL"})
_MYSQL_MODES: dict[str, Encryption] = {
    "DISABLED": "disable",
    "PREFERRED": "prefer",
    "REQUIRED": "require",
    "VERIFY_CA": "verify-ca",
    "VERIFY_IDENTITY": "verify-full",
}
_POSTGRESQL_MODES: dict[str, Encryption] = {
    mode: mode for mode in ("disable", "prefer", "require", "verify-ca", "verify-full")
}
_LONGEST_WAIT = 60.0


class UnusableConnection(Exception):
    """A connection leads to nothing that can be queried.

    Attributes:
        is_not_built: whether AWS can and Cloche can't.
    """

    def __init__(self, message: str, *, is_not_built: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.is_not_built = is_not_built


def connection_kind(connection: Mapping[str, Any]) -> str:
    """Athena's ConnectionType of a connection: `POSTGRESQL` or `MYSQL`.

    Raises:
        UnusableConnection: it leads elsewhere.
    """
    kind: str = connection["ConnectionType"]
    if kind == "JDBC":
        url = connection["ConnectionProperties"].get("JDBC_CONNECTION_URL", "")
        kind = url.split(":")[1].upper() if url.count(":") > 1 else kind
    if kind.lower() not in _KINDS:
        raise UnusableConnection(
            f"Cloche does not query connections of type {kind} yet.", is_not_built=True
        )
    return kind


def remote_database(catalog: str, connection: Mapping[str, Any]) -> RemoteDatabase:
    """The database that a connection leads to.

    Args:
        catalog: the name under which statements know it.
        connection: Glue's Connection with its secrets.

    Raises:
        UnusableConnection: it lacks something, or has what is not honoured.
    """
    kind, default_port = _KINDS[connection_kind(connection).lower()]
    properties: Mapping[str, str] = connection["ConnectionProperties"]
    is_jdbc = connection["ConnectionType"] == "JDBC"
    unknown = sorted(properties.keys() - (_OF_JDBC if is_jdbc else _OF_DATABASES))
    if unknown:
        raise UnusableConnection(
            f"Cloche does not honour {unknown[0]} of connections in Athena yet.", is_not_built=True
        )
    parameters: dict[str, str] = {}
    if is_jdbc:
        parts = _url(properties["JDBC_CONNECTION_URL"])
        host, port = parts.hostname or "", _port(parts)
        database = unquote(parts.path.removeprefix("/"))
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    else:
        host, database = properties["HOST"], properties["DATABASE"]
        port = int(properties["PORT"]) if properties["PORT"].isdigit() else 0
    port = default_port if port is None else port
    _check(host, port, database, properties)
    encryption, seconds = _options(kind, parameters)
    if properties.get("JDBC_ENFORCE_SSL", "false").lower() == "true":
        encryption = "require" if encryption in ("disable", "prefer") else encryption
    if kind == "mysql" and host.lower() == "localhost":
        host = "127.0.0.1"  # the driver takes the name for a socket of this machine
    return RemoteDatabase(
        catalog=catalog,
        kind=kind,
        host=host,
        port=port,
        database=database,
        user=properties["USERNAME"],
        password=properties["PASSWORD"],
        encryption=encryption,
        connect_seconds=seconds,
    )


def _url(text: str) -> SplitResult:
    try:
        parts = urlsplit(text.removeprefix("jdbc:"))
        is_url = bool(parts.hostname) and parts.username is None and not parts.fragment
    except ValueError:
        is_url = False
        parts = urlsplit("")
    if not is_url:
        raise UnusableConnection(
            "JDBC_CONNECTION_URL is not of the form jdbc:postgresql://host:port/database."
        )
    return parts


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        return 0


def _check(host: str, port: int, database: str, properties: Mapping[str, str]) -> None:
    if _HOST.fullmatch(host) is None:
        raise UnusableConnection("The connection's host is not a host's name or address.")
    if _is_link_local(host):
        raise UnusableConnection(
            "The connection's host is a link-local address, at which machines keep what is theirs "
            "alone, such as credentials of a cloud's metadata service."
        )
    if not 0 < port < 65536:
        raise UnusableConnection("The connection's port is not a number from 1 to 65535.")
    if not database:
        raise UnusableConnection("The connection names no database.")
    for name in ("USERNAME", "PASSWORD"):
        if not properties.get(name):
            raise UnusableConnection(f"The connection has no {name}.")
    if "\0" in "".join((database, properties["USERNAME"], properties["PASSWORD"])):
        raise UnusableConnection("The connection's properties contain a NUL character.")


def _is_link_local(host: str) -> bool:
    """Whether it is an address of 169.254.0.0/16 or fe80::/10, in whichever way it is written."""
    try:
        # Also 2852039166 and 0xa9fea9fe, as the resolver of the machine reads them.
        address: IPv4Address | IPv6Address = IPv4Address(socket.inet_aton(host))
    except OSError:
        try:
            address = ip_address(host)
        except ValueError:
            return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_link_local


def _options(kind: RemoteKind, parameters: Mapping[str, str]) -> tuple[Encryption, float]:
    """What a URL's parameters ask for; all others are refused."""
    encryption: Encryption = "prefer"
    seconds = 10.0
    for name, value in parameters.items():
        match kind, name:
            case "postgresql", "sslmode" if value in _POSTGRESQL_MODES:
                encryption = _POSTGRESQL_MODES[value]
            case "postgresql", "ssl" if value in ("", "true"):
                encryption = "verify-full"
            case "postgresql", "ssl" if value == "false":
                encryption = "disable"
            case "mysql", "sslMode" if value.upper() in _MYSQL_MODES:
                encryption = _MYSQL_MODES[value.upper()]
            case "mysql", "useSSL" if value == "false":
                encryption = "disable"
            case "mysql", "useSSL" | "requireSSL" if value == "true":
                encryption = "require"
            case _, "connectTimeout" if value.isdigit() and int(value):
                # pgjdbc counts seconds, MySQL's driver milliseconds.
                given = int(value) if kind == "postgresql" else int(value) / 1000
                seconds = min(max(given, 0.1), _LONGEST_WAIT)
            case _:
                raise UnusableConnection(
                    f"Cloche does not honour the parameter {name} of JDBC_CONNECTION_URL, or its "
                    "value, in Athena yet.",
                    is_not_built=True,
                )
    return encryption, seconds
