"""The parts of one running server, put together."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any, TypeVar, cast

from botocore.model import OperationModel

from cloche.core.audit import AuditLog
from cloche.core.audit_recorder import AuditRecorder
from cloche.core.clock import Clock
from cloche.core.configuration import Settings
from cloche.core.dispatch import Dispatch
from cloche.core.documents import Documents
from cloche.core.events import EventBus
from cloche.core.jobs import Jobs
from cloche.core.shared_clock import SharedClock
from cloche.engines.objects.store import ObjectStore
from cloche.engines.sql.engine import SqlEngine
from cloche.gateway import starting
from cloche.gateway.metrics import Metrics
from cloche.gateway.object_directory import claim_object_directory
from cloche.gateway.request_log import RequestLog
from cloche.gateway.routing.router import Router
from cloche.gateway.service_models import read_entries, service_model
from cloche.services.iam import identity

log = logging.getLogger("cloche")

Engine = TypeVar("Engine")


class Runtime:
    """State, engines and services of one server; what operations know as `call.server`.

    Attributes:
        shared_clock: advances `clock` for good.
        root: the first account's key, once started.
    """

    def __init__(
        self,
        settings: Settings,
        request_log: RequestLog,
        *,
        root_key: tuple[str, str] | None = None,
    ) -> None:
        settings.data_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.settings = settings
        self.request_log = request_log
        self.metrics = Metrics()
        self.clock = Clock()
        with ExitStack() as opened:
            self.documents = Documents(starting.open_documents(settings))
            opened.callback(self.documents.close)
            self.shared_clock = SharedClock(self.clock, self.documents)
            self.events = EventBus(self.documents, self.clock)
            self.jobs = Jobs(self.documents, self.clock, self.events, settings.data_directory)
            self.audit = AuditRecorder(
                starting.open_audit_log(settings.data_directory, self.clock.time),
                self.clock.time,
                _operation_model,
                settings.account_id,
            )
            opened.pop_all()
        self.router = Router(read_entries(settings.data_directory / "services.json"))
        self.dispatcher = Dispatch(
            self, self.audit, lambda principal: identity.policies_of(self.documents, principal)
        )
        self._root_key = root_key or (None, None)
        self._engines: dict[type, Any] = {AuditLog: self.audit}
        self._engines_lock = threading.Lock()
        self.root: identity.AccountKey
        self._tasks: set[asyncio.Task[Any]] = set()

    def engine(self, interface: type[Engine]) -> Engine:
        """The engine behind an interface, made on first use.

        Raises:
            KeyError: no engine is known for the interface.
        """
        engine = self._engines.get(interface)
        if engine is None:
            with self._engines_lock:
                engine = self._engines.get(interface)
                if engine is None:
                    engine = self._engines[interface] = _ENGINES[interface](self)
        return cast("Engine", engine)

    def in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something that nobody waits for; what goes wrong is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("background work failed", exc_info=task.exception())

    async def start(self) -> None:
        """Open what is always needed and go on with what the last server left, on this loop."""
        if self.documents.is_shared and not self.settings.object_store_url:
            await asyncio.to_thread(
                claim_object_directory, self.documents, self.settings.data_directory
            )
        access_key_id, secret_access_key = self._root_key
        self.root = await asyncio.to_thread(
            identity.ensure_root,
            self.documents,
            self.settings,
            self.clock,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
        )
        if url := self.settings.object_store_url:
            await asyncio.to_thread(starting.check_object_endpoint, url)
        self.engine(ObjectStore)
        for kind in await asyncio.to_thread(self.jobs.unfinished_kinds):
            self._load_service_of(kind)
        await self.events.start()
        await self.jobs.start(self._load_service_of)
        self.in_background(self.shared_clock.follow())

    def _load_service_of(self, job_kind: str) -> None:
        self.dispatcher.service(job_kind.partition(".")[0])

    async def stop(self) -> None:
        """End background work, then close the engines; every acknowledged change is durable."""
        await self.jobs.stop()
        await self.events.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        store = self._engines.get(ObjectStore)
        if store is not None:
            await store.close()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        engine = self._engines.get(SqlEngine)
        if engine is not None:
            engine.close()
        self.dispatcher.close()
        self.audit.close()
        self.documents.close()
        self.request_log.close()


def _object_store(runtime: Runtime) -> ObjectStore:
    return starting.open_objects(runtime.settings, runtime.clock.time)


def _sql_engine(runtime: Runtime) -> SqlEngine:
    return starting.open_sql(runtime.settings)


_ENGINES: dict[type, Callable[[Runtime], Any]] = {
    ObjectStore: _object_store,
    SqlEngine: _sql_engine,
}


def _operation_model(service: str, operation: str) -> OperationModel:
    return service_model(service).operation_model(operation)
