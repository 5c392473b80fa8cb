"""Pages of documents, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeVar

from cloche.core.documents import Document, Documents, InvalidDocumentName, Table
from cloche.services.glue.errors import InvalidInputException

T = TypeVar("T")

_READ_AT_ONCE = 1000


def read_page(
    documents: Documents,
    table: Table[T],
    account: str,
    region: str,
    prefix: str,
    token: str | None,
    limit: int,
    keep: Callable[[Document[T]], bool] | None = None,
) -> tuple[list[Document[T]], str | None]:
    """The next documents of a prefix, and the token of the page after them if there are more.

    Args:
        documents: where they are.
        table: of theirs.
        account: of theirs.
        region: of theirs.
        prefix: of their names.
        token: of the page before; None for the first.
        limit: how many at most.
        keep: which ones; all unless given.

    Raises:
        InvalidInputException: the token was not given by a page before.
    """
    after = after_token(token)
    found: list[Document[T]] = []
    size = _READ_AT_ONCE if keep else min(limit + 1, _READ_AT_ONCE)
    while True:
        try:
            page = documents.scan(table, account, region, prefix, after, size)
        except InvalidDocumentName:
            raise _invalid_token() from None
        for document in page:
            if keep is not None and not keep(document):
                continue
            if len(found) == limit:
                return found, token_after(found[-1].name)
            found.append(document)
        if len(page) < size:
            return found, None
        after = page[-1].name


def with_token(answer: dict[str, Any], token: str | None) -> Any:
    """An answer with the token of the page after it, if there is one."""
    return {**answer, "NextToken": token} if token else answer


def token_after(name: str) -> str:
    """The token of what comes after a name."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def after_token(token: str | None) -> str:
    """The name that a token stands for; the empty text for None.

    Raises:
        InvalidInputException: it is no token.
    """
    if not token:
        return ""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _invalid_token() from None


def _invalid_token() -> InvalidInputException:
    return InvalidInputException("Invalid NextToken.")
