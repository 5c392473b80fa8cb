"""Databases elsewhere whose tables a query may name: what a service says of them, and asks.

A service says where a database is and how to sign in. The engine reads what is in it from the
database's own catalog, and fetches rows while a query runs. Names are folded to lower case, as
Trino's are; types are Trino's.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

RemoteKind = Literal["postgresql", "mysql"]
Encryption = Literal["disable", "prefer", "require", "verify-ca", "verify-full"]


class RemoteDatabase(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """Where a database is. Its password is in no representation of it.

    Attributes:
        catalog: the name under which statements and messages know it.
        database: of PostgreSQL the one that is connected to; of MySQL the one at the start.
        encryption: libpq's word for what is asked of TLS.
        connect_seconds: how long a connection may take to be made.
    """

    catalog: str
    kind: RemoteKind
    host: str
    port: int
    database: str
    user: str
    password: str
    encryption: Encryption = "prefer"
    connect_seconds: float = 10.0

    def __repr__(self) -> str:
        return f"RemoteDatabase({self.catalog!r}, {self.kind}://{self.place})"

    @property
    def place(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"


class RemoteColumn(msgspec.Struct, frozen=True):
    """A column of a table elsewhere.

    Attributes:
        name: lower case.
        remote_name: as the database spells it.
        remote_type: in the database's words, domains resolved.
        type: in Trino's names; empty where there is none for it, and the column can't be read.
        comment: empty if there is none.
        is_unicode: whether its encoding has every character, so that any text can be compared
            with it there.
    """

    name: str
    remote_name: str
    remote_type: str
    type: str
    is_nullable: bool = True
    comment: str = ""
    is_unicode: bool = False


class RemoteTable(msgspec.Struct, frozen=True):
    """A table, or a view, elsewhere.

    Attributes:
        schema: as the database spells it.
        name: as `schema`.
        is_sorted_by_code_point: whether its database can compare texts as Trino does.
    """

    database: RemoteDatabase
    schema: str
    name: str
    columns: tuple[RemoteColumn, ...]
    is_view: bool = False
    is_sorted_by_code_point: bool = False


class RemoteCatalog(Protocol):
    """Reads what databases have. All of it blocks, for a bounded time.

    Everything raises `QueryError` where the database cannot be reached or refuses.
    """

    def schemas(self, database: RemoteDatabase) -> list[str]:
        """Names of schemas that the user may use, in lower case and in order."""
        ...

    def tables(self, database: RemoteDatabase, schema: str) -> list[RemoteTable]:
        """Tables and views of a schema, by name; none where there is no such schema."""
        ...

    def find_table(self, database: RemoteDatabase, schema: str, name: str) -> RemoteTable | None:
        """A table by its name in lower case; None if there is none."""
        ...
