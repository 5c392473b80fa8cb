"""What requests may ask for and Cloche does not do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.core.errors import NotImplementedException
from cloche.core.operations import Call
from cloche.services.glue.errors import EntityNotFoundException


def refuse(request: Mapping[str, Any], *members: str, where: str = "") -> None:
    """Refuse a request that has one of some members.

    Raises:
        NotImplementedException: it has.
    """
    for member in members:
        if request.get(member) not in (None, "", [], {}, False):
            raise not_implemented(f"{where}{member}")


def not_implemented(what: str) -> NotImplementedException:
    """The error for a part of Glue that is not built."""
    return NotImplementedException(f"Cloche does not implement {what} of Glue's catalog yet.")


def account_of(call: Call, request: Mapping[str, Any]) -> str:
    """The account whose catalog a request is about.

    Raises:
        EntityNotFoundException: it names a catalog that is no account's own.
    """
    given: str = request.get("CatalogId") or call.account_id
    if not (given.isascii() and given.isdigit() and len(given) == 12):
        raise EntityNotFoundException(f"Catalog {given} not found.")
    return given
