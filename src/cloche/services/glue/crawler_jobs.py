"""The jobs of crawlers, which a server can run as soon as it has loaded Glue."""

from __future__ import annotations

from cloche.core.operations import Server
from cloche.services.glue import crawler_runs, crawler_schedules
from cloche.services.glue.service import service

_start_catalog = service.start


def _start(server: Server) -> None:
    if _start_catalog is not None:
        _start_catalog(server)
    crawler_runs.register(server)
    crawler_schedules.register(server)


service.start = _start
