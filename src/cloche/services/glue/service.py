"""The Glue service, to which the modules of its resources add their operations."""

from __future__ import annotations

import asyncio

from cloche.core.operations import Server, Service
from cloche.services.glue.orphans import remove_all
from cloche.services.glue.resource_policy_records import policy_for

_tasks: set[asyncio.Task[None]] = set()


def _start(server: Server) -> None:
    removing = server.dispatcher.in_thread(remove_all, server.documents)
    task = asyncio.ensure_future(removing)
    _tasks.add(task)  # a task that nobody holds may be collected before it ends
    task.add_done_callback(_tasks.discard)


service = Service("glue", resource_policy=policy_for, start=_start)
