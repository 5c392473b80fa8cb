"""Runs query executions: a job each, from its statement to its outcome."""

from __future__ import annotations

import asyncio
import os

import msgspec

from cloche.core.job_call import JobCall, JobInterrupted
from cloche.core.operations import Server
from cloche.engines.sql.engine import QueryCancelled
from cloche.services.athena.failures import QueryFailed, as_failure, athena_error
from cloche.services.athena.iceberg_recovery import recover_write
from cloche.services.athena.objects import Objects
from cloche.services.athena.publishing import roll_back, take_back
from cloche.services.athena.query_records import KIND, Outcome, Query, event_of, find_query
from cloche.services.athena.result_configurations import object_encryption
from cloche.services.athena.result_files import check_output
from cloche.services.athena.session import Session
from cloche.services.athena.slots import Slots
from cloche.services.athena.statements.creating import ensure_default_database
from cloche.services.athena.statements.performing import perform
from cloche.services.athena.timing import with_times

_AT_ONCE = max(4, os.cpu_count() or 1)


def start(server: Server) -> None:
    """Begin to run queries; on the event loop."""
    runner = Runner(server, asyncio.get_running_loop())
    # Resumable so that a query whose server was killed comes back here, to be cleaned up after.
    server.jobs.register(KIND, runner.run, is_resumable=True, event_of=event_of)


class Runner:
    """The handler of queries' jobs.

    Args:
        server: the server.
        loop: its event loop.
    """

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._slots = Slots(_AT_ONCE)

    def run(self, call: JobCall) -> object:
        """Run a query; the outcome, of a query that failed as well."""
        job = call.job
        query = find_query(self._server.documents, job.account, job.region, job.name)
        encryption = object_encryption(query.result_configuration)
        objects = Objects(self._server, self._loop, query.principal, query.region, encryption)
        session = Session(self._server, query, objects, call)
        roll_back(session)
        if job.interruptions:
            done = recover_write(session)
            if done is not None:
                return msgspec.to_builtins(with_times(done, session))
            return msgspec.to_builtins(_interrupted(query))
        try:
            outcome = self._perform(session)
            call.check()
        except (JobInterrupted, QueryCancelled):
            take_back(session)
            raise JobInterrupted(call.stop_reason) from None
        except Exception as error:  # whatever it is, it is why the query failed
            take_back(session)
            if call.cancelled.is_set():
                raise JobInterrupted(call.stop_reason) from error
            outcome = failed(as_failure(error))
        finally:
            session.remove_folder()
        return msgspec.to_builtins(with_times(outcome, session))

    def _perform(self, session: Session) -> Outcome:
        check_output(session)
        ensure_default_database(session)
        return perform(session, self._slots)


def failed(failure: QueryFailed) -> Outcome:
    """The outcome of a query that failed."""
    return Outcome(state=failure.state, reason=failure.reason, error=athena_error(failure))


def _interrupted(query: Query) -> Outcome:
    return failed(
        QueryFailed(
            f"INTERNAL_ERROR_QUERY_ENGINE: the server that ran query {query.id} stopped",
            category=1,
            type=200,
        )
    )
