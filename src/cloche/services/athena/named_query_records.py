"""What is kept about a named query."""

from __future__ import annotations

from typing import Any

import msgspec

from cloche.core.documents import Table
from cloche.services.athena.errors import InvalidRequestException


class NamedQuery(msgspec.Struct, frozen=True):
    """A query that was saved under a name.

    Attributes:
        token: the `ClientRequestToken` that it was made with.
    """

    id: str
    name: str
    database: str
    sql: str
    work_group: str
    description: str | None = None
    token: str = ""

    def shown(self) -> Any:
        """As `NamedQuery` in the model."""
        shown = {
            "NamedQueryId": self.id,
            "Name": self.name,
            "Database": self.database,
            "QueryString": self.sql,
            "WorkGroup": self.work_group,
        }
        if self.description is not None:
            shown["Description"] = self.description
        return shown


class Reference(msgspec.Struct, frozen=True):
    """That something of an id belongs to a workgroup."""

    id: str


named_queries = Table("athena.named_queries", NamedQuery)
named_queries_by_work_group = Table("athena.named_queries_by_work_group", Reference)
named_query_tokens = Table("athena.named_query_tokens", Reference)


def not_found(named_query_id: str) -> InvalidRequestException:
    """The error for a named query that does not exist."""
    return InvalidRequestException(f"NamedQuery {named_query_id} was not found")
