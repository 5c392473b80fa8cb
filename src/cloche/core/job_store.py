"""Jobs as documents, and the two lists by which servers find those that are due or running."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from cloche.core.clock import Clock
from cloche.core.documents import DocumentExists, Documents, Table, Transaction
from cloche.core.event import Event
from cloche.core.events import EventBus
from cloche.core.job_states import Action, Job, JobEvent, Now, run_instant, transition

if TYPE_CHECKING:
    from cloche.core.job_call import JobCall

JobHandler = Callable[["JobCall"], Awaitable[Any] | Any]


class JobExists(Exception):
    """There is a job of this kind and name already."""


class JobNotFound(LookupError):
    """There is no such job."""


class JobNotFinished(Exception):
    """A job that is not finished cannot be deleted."""


class JobKey(msgspec.Struct, frozen=True):
    """What a job is found by."""

    kind: str
    account: str
    region: str
    name: str


@dataclass(frozen=True, slots=True)
class Kind:
    """How jobs of a kind are run.

    Attributes:
        name: `service.work`.
        handler: a function (run in a thread of its own) or a coroutine function (on the loop).
        max_attempts: after which a failure is final.
        is_resumable: whether a job goes on after its server stopped.
        event_of: the event that tells of a job's state, if any.
    """

    name: str
    handler: JobHandler
    max_attempts: int
    is_resumable: bool
    event_of: Callable[[Job], Event | None] | None


_jobs = Table("core.jobs", Job)
_due = Table("core.jobs_due", JobKey)
_running = Table("core.jobs_running", JobKey)

_Entry = tuple[Table[JobKey], str]


class JobStore:
    """Reads jobs and moves them from state to state, each time with the event that tells of it.

    Args:
        documents: where jobs are kept.
        clock: for run times and leases.
        events: told of changes.
        kinds: by name, those that are registered.
        changed: called after each change, on any thread, with the job and the actions left.
    """

    def __init__(
        self,
        documents: Documents,
        clock: Clock,
        events: EventBus,
        kinds: Mapping[str, Kind],
        changed: Callable[[Job, tuple[Action, ...]], None],
    ) -> None:
        self.documents = documents
        self._clock = clock
        self._events = events
        self._kinds = kinds
        self._changed = changed

    def now(self) -> Now:
        """This instant."""
        return Now(self._clock.time(), self._clock.wall_time())

    def kind(self, name: str) -> Kind:
        """A registered kind.

        Raises:
            LookupError: it is not.
        """
        try:
            return self._kinds[name]
        except KeyError:
            raise LookupError(f"no handler is registered for jobs of kind {name}") from None

    def get(self, key: JobKey) -> Job | None:
        """A job."""
        return self.documents.get(_jobs, key.account, key.region, f"{key.kind}/{key.name}")

    def scan(
        self, kind: str, account: str, region: str, prefix: str, after: str, limit: int
    ) -> list[Job]:
        """Jobs of a kind by name."""
        start = f"{kind}/{after}" if after else ""
        rows = self.documents.scan(_jobs, account, region, f"{kind}/{prefix}", start, limit)
        return [row.value for row in rows]

    def submit(self, tx: Transaction, key: JobKey, payload: dict[str, Any], run_at: float) -> Job:
        """Add a job.

        Raises:
            JobExists: the name is taken.
        """
        kind = self.kind(key.kind)
        job = Job(
            id=uuid4().hex,
            kind=key.kind,
            account=key.account,
            region=key.region,
            name=key.name,
            payload=payload,
            created_at=self._clock.time(),
            run_at=run_instant(run_at),
            max_attempts=kind.max_attempts,
            is_resumable=kind.is_resumable,
        )
        try:
            tx.insert(_jobs, key.account, key.region, f"{key.kind}/{key.name}", job)
        except DocumentExists:
            raise JobExists(f"{key.kind} {key.name}") from None
        self._follow_up(tx, None, job, ("enqueue", "publish"))
        return job

    def apply(
        self, tx: Transaction, key: JobKey, event: JobEvent, job_id: str | None = None
    ) -> Job:
        """Let an event happen to a job.

        Args:
            tx: transaction.
            key: of the job.
            event: what happens.
            job_id: what the job's id must be, where another of the name may have come since.

        Raises:
            JobNotFound: there is none.
            NotClaimable: as `transition`.
            LeaseLost: as `transition`.
        """
        job = tx.get(_jobs, key.account, key.region, f"{key.kind}/{key.name}")
        if job is None or job_id not in (None, job.id):
            raise JobNotFound(f"{key.kind} {key.name}")
        changed, actions = transition(job, event, self.now())
        if changed != job:
            tx.put(_jobs, key.account, key.region, f"{key.kind}/{key.name}", changed)
            self._follow_up(tx, job, changed, actions)
        return changed

    def delete(self, tx: Transaction, key: JobKey) -> Job | None:
        """Forget a finished job.

        Raises:
            JobNotFinished: it is not.
        """
        job = tx.get(_jobs, key.account, key.region, f"{key.kind}/{key.name}")
        if job is not None and not job.is_finished:
            raise JobNotFinished(f"{key.kind} {key.name} is {job.state}")
        return tx.delete(_jobs, key.account, key.region, f"{key.kind}/{key.name}")

    def due(self, kind: str, limit: int) -> tuple[list[JobKey], float | None]:
        """Jobs that are due, longest first, and when the next one after them will be."""
        documents = self.documents.scan(_due, "", "", prefix=f"{kind}/", limit=limit + 1)
        keys: list[JobKey] = []
        for document in documents:
            run_at = _run_at_of(document.name)
            if run_at > self._clock.time() or len(keys) == limit:
                return keys, run_at
            keys.append(document.value)
        return keys, None

    def running(self) -> list[JobKey]:
        """Jobs that some server runs."""
        return [document.value for document in self.documents.iterate(_running, "", "")]

    def unfinished_kinds(self) -> set[str]:
        """Kinds of all jobs that are queued or running."""
        kinds = {key.kind for key in self.running()}
        after = ""
        while page := self.documents.scan(_due, "", "", after=after, limit=1):
            kind = page[0].value.kind
            kinds.add(kind)
            after = f"{kind}/~"  # beyond all the times of this kind
        return kinds

    def _follow_up(
        self, tx: Transaction, before: Job | None, job: Job, actions: tuple[Action, ...]
    ) -> None:
        old = set[_Entry]() if before is None else _entries(before)
        new = _entries(job)
        for table, name in old - new:
            tx.delete(table, "", "", name)
        for table, name in new - old:
            tx.put(table, "", "", name, JobKey(job.kind, job.account, job.region, job.name))
        event_of = self.kind(job.kind).event_of
        if "publish" in actions and event_of is not None and (event := event_of(job)) is not None:
            self._events.publish_in(tx, event)
        tx.after_commit(lambda: self._changed(job, actions))


def _entries(job: Job) -> set[_Entry]:
    """Where servers find a job in its state."""
    if job.state == "Queued":
        return {(_due, f"{job.kind}/{round(job.run_at * 1e6):020d}/{job.id}")}
    if job.is_running:
        return {(_running, job.id)}
    return set()


def _run_at_of(name: str) -> float:
    return int(name.split("/")[1]) / 1e6
