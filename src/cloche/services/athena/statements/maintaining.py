"""OPTIMIZE and VACUUM; what they need of Iceberg is imported by the first of them."""

from __future__ import annotations

from cloche.services.athena.query_records import Outcome
from cloche.services.athena.session import Session
from cloche.services.athena.statements.statement_types import Optimize, Vacuum


def optimize(session: Session, statement: Optimize, parameters: tuple[str, ...]) -> Outcome:
    """See `iceberg_maintenance.optimize`."""
    from cloche.services.athena.statements import iceberg_maintenance

    return iceberg_maintenance.optimize(session, statement, parameters)


def vacuum(session: Session, statement: Vacuum, parameters: tuple[str, ...]) -> Outcome:
    """See `iceberg_maintenance.vacuum`."""
    from cloche.services.athena.statements import iceberg_maintenance

    return iceberg_maintenance.vacuum(session, statement)
