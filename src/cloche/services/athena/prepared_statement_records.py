"""What is kept about a prepared statement."""

from __future__ import annotations

from typing import Any

import msgspec

from cloche.core.documents import Documents, Table, Transaction


class PreparedStatement(msgspec.Struct, frozen=True):
    """A statement with `?` in the place of values.

    Attributes:
        modified_at: seconds since 1970.
    """

    name: str
    work_group: str
    sql: str
    modified_at: float
    description: str | None = None

    def shown(self) -> Any:
        """As `PreparedStatement` in the model."""
        shown = {
            "StatementName": self.name,
            "QueryStatement": self.sql,
            "WorkGroupName": self.work_group,
            "LastModifiedTime": self.modified_at,
        }
        if self.description is not None:
            shown["Description"] = self.description
        return shown


prepared_statements = Table("athena.prepared_statements", PreparedStatement)


def find_prepared_statement(
    reader: Documents | Transaction, account: str, region: str, work_group: str, name: str
) -> PreparedStatement | None:
    """The statement of a name in a workgroup."""
    return reader.get(prepared_statements, account, region, f"{work_group}/{name}")
