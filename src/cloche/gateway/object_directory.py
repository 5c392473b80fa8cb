"""Keeps servers on one database from having different objects.

Buckets are documents, and so common to all servers on a database; the bodies of objects are in one
server's data directory unless CLOCHE_OBJECT_STORE_URL names an endpoint that all share. The first
data directory that is used with a database is therefore the only one.
"""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import msgspec

from cloche.core.documents import Documents, Table, Transaction
from cloche.engines.errors import StartError


class ObjectsElsewhere(StartError):
    """The objects of this database are in another data directory."""

    hint = "Use that directory, or let CLOCHE_OBJECT_STORE_URL name a shared endpoint."


class ObjectDirectory(msgspec.Struct, frozen=True):
    """Where a database's objects are.

    Attributes:
        id: drawn by lot by the first server, and kept in the directory.
        path: for the error's message.
    """

    id: str
    path: str


_directories = Table("gateway.object_directory", ObjectDirectory)


def claim_object_directory(documents: Documents, data_directory: Path) -> None:
    """Make this directory the database's, or see that it is; blocks.

    Raises:
        ObjectsElsewhere: another one is.
    """
    mark = data_directory / "objects.id"
    if not mark.exists():
        mark.write_text(uuid4().hex)
    ours = ObjectDirectory(mark.read_text(), str(data_directory))

    def claim(transaction: Transaction) -> ObjectDirectory:
        known = transaction.get(_directories, "", "", "objects")
        if known is None:
            transaction.put(_directories, "", "", "objects", ours)
        return known or ours

    claimed = documents.transact(claim)
    if claimed.id != ours.id:
        raise ObjectsElsewhere(f"This database's objects are in {claimed.path}.")
