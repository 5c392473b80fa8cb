"""The CloudTrail service, to which the modules of its resources add their operations."""

from __future__ import annotations

from cloche.core.operations import Server, Service


def _start(server: Server) -> None:
    # The delivery job needs the server, and what it delivers by needs this service.
    from cloche.services.cloudtrail import delivery

    delivery.start(server)


service = Service("cloudtrail", start=_start)
