"""The life of a job, as a pure function of events.

    Queued ──Claimed──▶ Running ──Finished──▶ Succeeded
      ▲ │                │  │ └──Broken─────▶ Failed
      │ │                │  └──CancelRequested──▶ Cancelling ──any end──▶ Cancelled
      │ └─CancelRequested┼────────────────────────────────────────────▶ Cancelled
      └──────────────────┘ RunAgain, Released, Broken or Abandoned with attempts left

A running job is leased to the server that runs it. Leases are in real time, since whether a
server lives has nothing to do with an advanced clock; everything else is in Cloche time.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import msgspec

JobState = Literal["Queued", "Running", "Cancelling", "Succeeded", "Failed", "Cancelled"]

LEASE_SECONDS = 30.0
"""How long a job is left to a server that says nothing, in real time."""

_FIRST_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 300.0
_MAX_INTERRUPTIONS = 10
_INTERRUPTED = "the server that ran it stopped"


class Now(NamedTuple):
    """The instant of an event.

    Attributes:
        time: Cloche time, seconds since 1970.
        wall_time: real time, seconds since 1970.
    """

    time: float
    wall_time: float


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Work that outlives the request that asked for it.

    Attributes:
        id: unique for ever; names the job's folder.
        kind: what handler runs it.
        account: with region, kind and name, what it is found by.
        region: see account.
        name: see account.
        payload: JSON members for the handler.
        state: see the module.
        created_at: Cloche time, as all but the lease.
        run_at: not before this.
        started_at: of the last attempt.
        finished_at: when it came to its last state.
        attempts: begun so far, without those that a server gave back.
        max_attempts: after which a failure is final.
        is_resumable: whether it goes on by itself after its server stopped, up to ten times.
        interruptions: how often a server stopped that ran it.
        owner: server that runs it; empty unless it runs.
        lease_expires_at: real time from which on the owner counts as dead.
        checkpoint: what the handler saved, for the next attempt.
        result: what the handler returned.
        error: why it failed, or why the last attempt did.
    """

    id: str
    kind: str
    account: str
    region: str
    name: str
    payload: dict[str, Any]
    created_at: float
    run_at: float
    state: JobState = "Queued"
    started_at: float | None = None
    finished_at: float | None = None
    attempts: int = 0
    max_attempts: int = 1
    is_resumable: bool = False
    interruptions: int = 0
    owner: str = ""
    lease_expires_at: float = 0.0
    checkpoint: dict[str, Any] = {}
    result: Any = None
    error: str = ""

    @property
    def is_finished(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state in ("Succeeded", "Failed", "Cancelled")

    @property
    def is_running(self) -> bool:
        """Whether it is leased to a server."""
        return self.state in ("Running", "Cancelling")


class Claimed(NamedTuple):
    """A server takes the job to run it."""

    owner: str


class Renewed(NamedTuple):
    """The owner is alive."""

    owner: str


class Saved(NamedTuple):
    """The handler keeps what it has come to."""

    owner: str
    checkpoint: dict[str, Any]


class Finished(NamedTuple):
    """The handler returned."""

    owner: str
    result: Any


class Broken(NamedTuple):
    """The handler raised.

    Attributes:
        is_final: another attempt would be no use.
    """

    owner: str
    error: str
    is_final: bool = False


class RunAgain(NamedTuple):
    """The handler has more to do later; its attempts start anew.

    Attributes:
        run_at: Cloche time.
        checkpoint: kept for then.
    """

    owner: str
    run_at: float
    checkpoint: dict[str, Any]


class Released(NamedTuple):
    """The owner shuts down and gives the job back; the attempt does not count."""

    owner: str


class CancelRequested(NamedTuple):
    """Somebody wants the job to end."""


class Abandoned(NamedTuple):
    """Somebody saw that the owner is dead.

    Attributes:
        is_certain: although its lease has not expired.
    """

    is_certain: bool = False


JobEvent = (
    Claimed
    | Renewed
    | Saved
    | Finished
    | Broken
    | RunAgain
    | Released
    | CancelRequested
    | Abandoned
)

Action = Literal["enqueue", "publish", "tell_owner"]
"""What a transition asks for.

enqueue: let a server run the job at its `run_at`; publish: tell of the new state; tell_owner: the
handler is to stop.
"""

Transition = tuple[Job, tuple[Action, ...]]


def run_instant(time: float) -> float:
    """An instant as jobs keep it to be run at: in whole microseconds, not later than given."""
    return math.floor(time * 1e6) / 1e6


class NotClaimable(Exception):
    """The job is not queued, or not due."""


class LeaseLost(Exception):
    """The job does not belong, or no longer, to the server that speaks for it."""


def transition(job: Job, event: JobEvent, now: Now) -> Transition:
    """The job after an event, and what is to be done about it.

    An event that says nothing new leaves the job as it is.

    Raises:
        NotClaimable: see there.
        LeaseLost: see there.
    """
    match event:
        case Claimed(owner):
            return _claim(job, owner, now)
        case CancelRequested():
            return _cancel(job, now)
        case Abandoned(is_certain):
            return _abandon(job, now, is_certain)
        case _:
            if not job.is_running or job.owner != event.owner:
                raise LeaseLost(f"{job.kind} {job.name} is {job.state}, not run by {event.owner}")
            return _owned(job, event, now)


def _owned(
    job: Job, event: Renewed | Saved | Finished | Broken | RunAgain | Released, now: Now
) -> Transition:
    match event:
        case Renewed():
            return _change(job, lease_expires_at=now.wall_time + LEASE_SECONDS), ()
        case Saved(_, checkpoint):
            return _change(job, checkpoint=checkpoint), ()
        case _ if job.state == "Cancelling":
            return _end(job, "Cancelled", now)
        case Finished(_, result):
            return _end(job, "Succeeded", now, result=result, error="")
        case Broken(_, error, is_final):
            return _break(job, error, is_final, now)
        case RunAgain(_, run_at, checkpoint):
            return _requeue(job, run_at, checkpoint=checkpoint, attempts=0, error="")
        case Released():
            return _requeue(job, now.time, attempts=job.attempts - 1)


def _claim(job: Job, owner: str, now: Now) -> Transition:
    if job.state != "Queued" or job.run_at > now.time:
        raise NotClaimable(f"{job.kind} {job.name} is {job.state}")
    running = _change(
        job,
        state="Running",
        owner=owner,
        lease_expires_at=now.wall_time + LEASE_SECONDS,
        attempts=job.attempts + 1,
        started_at=now.time,
    )
    return running, ("publish",)


def _cancel(job: Job, now: Now) -> Transition:
    if job.state == "Queued":
        return _end(job, "Cancelled", now)
    if job.state == "Running":
        return _change(job, state="Cancelling"), ("publish", "tell_owner")
    return job, ()


def _abandon(job: Job, now: Now, is_certain: bool) -> Transition:
    if not job.is_running or (job.lease_expires_at > now.wall_time and not is_certain):
        return job, ()
    if job.state == "Cancelling":
        return _end(job, "Cancelled", now)
    interruptions = job.interruptions + 1
    if job.is_resumable and interruptions <= _MAX_INTERRUPTIONS:
        attempts = job.attempts - 1
    elif job.attempts < job.max_attempts:
        attempts = job.attempts
    else:
        return _end(job, "Failed", now, error=_INTERRUPTED, interruptions=interruptions)
    members = {"attempts": attempts, "interruptions": interruptions, "error": _INTERRUPTED}
    return _requeue(job, now.time, **members)


def _break(job: Job, error: str, is_final: bool, now: Now) -> Transition:
    if is_final or job.attempts >= job.max_attempts:
        return _end(job, "Failed", now, error=error)
    pause_seconds = min(_FIRST_RETRY_SECONDS * 2.0 ** (job.attempts - 1), _LONGEST_RETRY_SECONDS)
    return _requeue(job, now.time + pause_seconds, error=error)


def _requeue(job: Job, run_at: float, **members: Any) -> Transition:
    queued = _change(
        job, state="Queued", owner="", lease_expires_at=0.0, run_at=run_instant(run_at), **members
    )
    return queued, ("enqueue", "publish")


def _end(job: Job, state: JobState, now: Now, **members: Any) -> Transition:
    ended = _change(
        job, state=state, owner="", lease_expires_at=0.0, finished_at=now.time, **members
    )
    return ended, ("publish",)


def _change(job: Job, **members: Any) -> Job:
    return msgspec.structs.replace(job, **members)
