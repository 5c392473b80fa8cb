"""UNLOAD."""

from __future__ import annotations

from cloche.services.athena.failures import not_built
from cloche.services.athena.query_records import Outcome
from cloche.services.athena.session import Session
from cloche.services.athena.statements.statement_types import Unload


def unload(session: Session, statement: Unload, parameters: tuple[str, ...]) -> Outcome:
    """UNLOAD."""
    raise not_built("UNLOAD")
