from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cloche.core.job_states import (
    LEASE_SECONDS,
    Abandoned,
    Broken,
    CancelRequested,
    Claimed,
    Finished,
    Job,
    JobEvent,
    LeaseLost,
    NotClaimable,
    Now,
    Released,
    Renewed,
    RunAgain,
    Saved,
    transition,
)

START = Now(1000.0, 1000.0)


def job(**members: object) -> Job:
    return Job(
        **{  # pyright: ignore[reportArgumentType]
            **{"id": "i", "kind": "k", "account": "1", "region": "r", "name": "n", "payload": {}},
            **{"created_at": 1000.0, "run_at": 1000.0},
            **members,
        }
    )


def after(start: Job, *events: JobEvent, now: Now = START) -> Job:
    for event in events:
        start, _ = transition(start, event, now)
    return start


def test_succeeds() -> None:
    done = after(job(), Claimed("a"), Saved("a", {"x": 1}), Finished("a", {"y": 2}))
    assert (done.state, done.result, done.checkpoint) == ("Succeeded", {"y": 2}, {"x": 1})
    assert (done.owner, done.attempts, done.finished_at) == ("", 1, 1000.0)


def test_is_not_claimed_before_its_time_or_twice() -> None:
    with pytest.raises(NotClaimable):
        transition(job(run_at=1000.5), Claimed("a"), START)
    with pytest.raises(NotClaimable):
        after(job(), Claimed("a"), Claimed("b"))


@pytest.mark.parametrize(
    "event",
    [
        Renewed("b"),
        Saved("b", {}),
        Finished("b", 1),
        Broken("b", "x"),
        Released("b"),
        RunAgain("b", 0.0, {}),
    ],
)
def test_only_the_owner_speaks_for_it(event: JobEvent) -> None:
    with pytest.raises(LeaseLost):
        after(job(), Claimed("a"), event)
    with pytest.raises(LeaseLost):
        after(job(), event)


def test_is_tried_again_later_and_later_until_it_may_not() -> None:
    first = after(job(max_attempts=3), Claimed("a"), Broken("a", "x"))
    assert (first.state, first.run_at, first.error) == ("Queued", 1001.0, "x")
    second = after(first, Claimed("a"), Broken("a", "y"), now=Now(1001.0, 1001.0))
    assert (second.state, second.run_at) == ("Queued", 1003.0)
    third = after(second, Claimed("a"), Broken("a", "z"), now=Now(1003.0, 1003.0))
    assert (third.state, third.error, third.attempts) == ("Failed", "z", 3)


def test_a_final_failure_is_not_tried_again() -> None:
    assert after(job(max_attempts=3), Claimed("a"), Broken("a", "x", True)).state == "Failed"


def test_a_lease_expires_in_real_time_only() -> None:
    running = after(job(max_attempts=2), Claimed("a"))
    assert after(running, Abandoned(), now=Now(10**9, 1000.0 + LEASE_SECONDS - 1)) == running
    renewed = after(running, Renewed("a"), now=Now(1000.0, 1020.0))
    assert after(renewed, Abandoned(), now=Now(0.0, 1000.0 + LEASE_SECONDS)).state == "Running"
    lost = after(renewed, Abandoned(), now=Now(1000.0, 1020.0 + LEASE_SECONDS))
    assert (lost.state, lost.error) == ("Queued", "the server that ran it stopped")


def test_an_abandoned_last_attempt_fails_with_a_reason() -> None:
    failed = after(job(), Claimed("a"), Abandoned(is_certain=True))
    assert (failed.state, failed.error) == ("Failed", "the server that ran it stopped")


def test_a_resumable_job_goes_on_but_not_for_ever() -> None:
    resumed = job(is_resumable=True)
    for _ in range(10):
        resumed = after(resumed, Claimed("a"), Abandoned(is_certain=True))
        assert (resumed.state, resumed.attempts) == ("Queued", 0)
    assert after(resumed, Claimed("a"), Abandoned(is_certain=True)).state == "Failed"


def test_what_is_given_back_has_not_been_tried() -> None:
    released = after(job(), Claimed("a"), Released("a"))
    assert (released.state, released.attempts) == ("Queued", 0)


@pytest.mark.parametrize(
    "event",
    [
        Finished("a", 1),
        Broken("a", "x"),
        RunAgain("a", 0.0, {}),
        Released("a"),
        Abandoned(is_certain=True),
    ],
)
def test_whatever_ends_a_cancelling_job_cancels_it(event: JobEvent) -> None:
    cancelling, actions = transition(after(job(), Claimed("a")), CancelRequested(), START)
    assert cancelling.state == "Cancelling"
    assert actions == ("publish", "tell_owner")
    assert after(cancelling, event).state == "Cancelled"


owners = st.sampled_from(["a", "b", "c"])
events = st.one_of(
    st.builds(Claimed, owners),
    st.builds(Renewed, owners),
    st.builds(Saved, owners, st.just({"saved": 1})),
    st.builds(Finished, owners, st.integers()),
    st.builds(Broken, owners, st.just("broken"), st.booleans()),
    st.builds(RunAgain, owners, st.floats(0, 3000), st.just({})),
    st.builds(Released, owners),
    st.just(CancelRequested()),
    st.just(Abandoned()),
)


class JobMachine(RuleBasedStateMachine):
    """Servers that may be dead or late do what they like; the rules of the house hold."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.job = job(max_attempts=3)
        self.handlers_at_once: set[str] = set()

    @rule(seconds=st.floats(0, 40))
    def pass_time(self, seconds: float) -> None:
        self.now = Now(self.now.time + seconds, self.now.wall_time + seconds)

    @rule(seconds=st.floats(0, 10**6))
    def advance(self, seconds: float) -> None:
        self.now = Now(self.now.time + seconds, self.now.wall_time)

    @rule(event=events)
    def happen(self, event: JobEvent) -> None:
        before = self.job
        try:
            self.job, actions = transition(before, event, self.now)
        except (NotClaimable, LeaseLost):
            return
        assert ("publish" in actions) == (self.job.state != before.state)
        assert ("enqueue" in actions) == (self.job.state == "Queued" != before.state)
        if before.is_finished:
            assert self.job == before
        if before.is_running and self.job.owner != before.owner:
            is_expired = before.lease_expires_at <= self.now.wall_time
            assert getattr(event, "owner", before.owner) == before.owner or is_expired
            if isinstance(event, Abandoned):
                assert is_expired

    @invariant()
    def is_consistent(self) -> None:
        assert self.job.is_running == bool(self.job.owner)
        assert self.job.is_running == (self.job.lease_expires_at > 0)
        assert 0 <= self.job.attempts <= self.job.max_attempts
        assert self.job.is_finished == (self.job.finished_at is not None)
        assert self.job.state != "Failed" or self.job.error


TestJobMachine = JobMachine.TestCase
TestJobMachine.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
