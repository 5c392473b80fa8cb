"""Pages of listings and the tokens that lead to the next one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from cloche.core.documents import Document, Table
from cloche.core.operations import Call
from cloche.services.athena.errors import InvalidRequestException

T = TypeVar("T")


def token_of(position: str) -> str:
    """A token for a position in a listing."""
    return base64.urlsafe_b64encode(position.encode()).decode()


def position_of(token: str | None) -> str:
    """The position that a token stands for; empty for the start.

    Raises:
        InvalidRequestException: no answer ever had such a token.
    """
    if not token:
        return ""
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise InvalidRequestException("Invalid NextToken.") from None


def page_of_documents(
    call: Call,
    table: Table[T],
    token: str | None,
    limit: int,
    *,
    prefix: str = "",
) -> tuple[list[Document[T]], dict[str, Any]]:
    """Documents of the account and region by name, and the answer's `NextToken` if there is one."""
    found = call.documents.scan(
        table,
        call.account_id,
        call.region,
        prefix=prefix,
        after=position_of(token),
        limit=limit + 1,
    )
    page = found[:limit]
    return page, ({"NextToken": token_of(page[-1].name)} if len(found) > limit else {})


def page_of_names(
    names: Sequence[str], token: str | None, limit: int
) -> tuple[list[str], dict[str, Any]]:
    """Of names in order those after the token's, and the answer's `NextToken` if there is one."""
    after = position_of(token)
    found = [name for name in names if not after or name > after]
    page = found[:limit]
    return page, ({"NextToken": token_of(page[-1])} if len(found) > limit else {})
