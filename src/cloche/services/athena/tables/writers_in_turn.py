"""Statements that change the same table again after a conflict do so one after the other."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

from cloche.services.athena.session import Session

_STEP_SECONDS = 0.1
_locks: dict[tuple[str, ...], threading.Lock] = {}
_guard = threading.Lock()


@contextmanager
def in_turn(session: Session, name: tuple[str, str], *, is_waiting: bool) -> Generator[None]:
    """While a statement changes a table.

    It saves work and is not what makes changes safe: other servers know nothing of it.

    Args:
        session: whose query it is.
        name: database and table.
        is_waiting: whether to wait for others that wait.

    Raises:
        JobInterrupted: the query is to stop.
    """
    if not is_waiting:
        yield
        return
    key = (session.query.account, session.query.region, *name)
    with _guard:
        lock = _locks.setdefault(key, threading.Lock())
    while not lock.acquire(timeout=_STEP_SECONDS):
        session.call.check()
    try:
        yield
    finally:
        lock.release()
