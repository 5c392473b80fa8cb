"""The Athena service, to which the modules of its resources add their operations."""

from __future__ import annotations

from cloche.core.operations import Server, Service


def _start(server: Server) -> None:
    # What runs queries needs this service's resources.
    from cloche.services.athena import running

    running.start(server)


service = Service("athena", start=_start)
