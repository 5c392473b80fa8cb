"""Schedules of crawlers: cron expressions in UTC, each turned on a job that starts crawls."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from msgspec.structs import replace

from cloche.core.cron import InvalidSchedule, next_time, parse_cron
from cloche.core.documents import Transaction
from cloche.core.job_call import Again, JobCall
from cloche.core.jobs import JobNotFinished, JobNotFound
from cloche.core.operations import Call, Server
from cloche.services.glue.crawler_errors import (
    CrawlerRunningException,
    NoScheduleException,
    SchedulerNotRunningException,
    SchedulerRunningException,
)
from cloche.services.glue.crawler_records import SCHEDULE, Crawler, crawlers, find_crawler
from cloche.services.glue.crawler_runs import start_crawl
from cloche.services.glue.errors import EntityNotFoundException, InvalidInputException
from cloche.services.glue.keys import key_of
from cloche.services.glue.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes

_CRAWLER = "arn:{partition}:glue:{region}:{account}:crawler/{CrawlerName}"
_ATTEMPTS = 10


def register(server: Server) -> None:
    """Have this server start crawls on schedule."""
    server.jobs.register(
        SCHEDULE, partial(_start_on_schedule, server), max_attempts=_ATTEMPTS, is_resumable=True
    )


@service.operation(resource=_CRAWLER)
def update_crawler_schedule(call: Call, request: shapes.UpdateCrawlerScheduleRequest) -> Empty:
    """Set a crawler's schedule and turn it on; without one, take it away.

    Raises InvalidInputException if it is no cron expression. AWS: Glue UpdateCrawlerSchedule.
    """
    expression = request.get("Schedule") or ""
    check_schedule(expression)

    def change(tx: Transaction) -> None:
        crawler = find_crawler(tx, call.account_id, call.region, request["CrawlerName"])
        scheduled = reschedule(tx, call.server, call.account_id, call.region, crawler, expression)
        put_changed(tx, call, scheduled)

    call.documents.transact(change)
    return {}


@service.operation(resource=_CRAWLER)
def start_crawler_schedule(call: Call, request: shapes.StartCrawlerScheduleRequest) -> Empty:
    """Turn a crawler's schedule on.

    Raises NoScheduleException, or SchedulerRunningException if it is on. AWS: Glue
    StartCrawlerSchedule.
    """
    name = request["CrawlerName"]

    def start(tx: Transaction) -> None:
        crawler = find_crawler(tx, call.account_id, call.region, name)
        if not crawler.schedule:
            raise NoScheduleException(f"Crawler with name {name} does not have a schedule")
        if crawler.schedule_id:
            raise SchedulerRunningException(f"The schedule of crawler {name} is already running")
        scheduled = reschedule(
            tx, call.server, call.account_id, call.region, crawler, crawler.schedule
        )
        put_changed(tx, call, scheduled)

    call.documents.transact(start)
    return {}


@service.operation(resource=_CRAWLER)
def stop_crawler_schedule(call: Call, request: shapes.StopCrawlerScheduleRequest) -> Empty:
    """Turn a crawler's schedule off; a crawl that runs goes on.

    Raises SchedulerNotRunningException if it is off. AWS: Glue StopCrawlerSchedule.
    """
    name = request["CrawlerName"]

    def stop(tx: Transaction) -> None:
        crawler = find_crawler(tx, call.account_id, call.region, name)
        if not crawler.schedule_id:
            raise SchedulerNotRunningException(f"The schedule of crawler {name} is not running")
        put_changed(tx, call, unscheduled(tx, call.server, call.account_id, call.region, crawler))

    call.documents.transact(stop)
    return {}


def put_changed(tx: Transaction, call: Call, crawler: Crawler) -> None:
    """Keep a changed crawler as its next version."""
    changed = replace(crawler, version=crawler.version + 1, updated_at=call.clock.time())
    tx.put(crawlers, call.account_id, call.region, key_of(crawler.name), changed)


def check_schedule(expression: str) -> None:
    """Refuse what is no schedule; none at all is fine.

    Raises:
        InvalidInputException: it is no cron expression.
    """
    if not expression:
        return
    try:
        parse_cron(expression)
    except InvalidSchedule as error:
        raise InvalidInputException(f"Invalid schedule expression: {error}") from error


def reschedule(
    tx: Transaction,
    server: Server,
    account: str,
    region: str,
    crawler: Crawler,
    expression: str,
) -> Crawler:
    """The crawler with another schedule, which is on; off if the expression is empty."""
    off = unscheduled(tx, server, account, region, crawler)
    run_at = _next(server, expression) if expression else None
    if run_at is None:
        return replace(off, schedule=expression)
    name = key_of(crawler.name, str(uuid4()))
    payload = {"crawler": crawler.name}
    server.jobs.submit_in(tx, SCHEDULE, account, region, name, payload, run_at)
    return replace(off, schedule=expression, schedule_id=name)


def unscheduled(
    tx: Transaction, server: Server, account: str, region: str, crawler: Crawler
) -> Crawler:
    """The crawler with its schedule off."""
    if crawler.schedule_id:
        with suppress(JobNotFound, JobNotFinished):
            server.jobs.cancel_in(tx, SCHEDULE, account, region, crawler.schedule_id)
            server.jobs.delete_in(tx, SCHEDULE, account, region, crawler.schedule_id)
    return replace(crawler, schedule_id="")


def _next(server: Server, expression: str) -> float | None:
    return next_time(parse_cron(expression), server.clock.time())


def _start_on_schedule(server: Server, call: JobCall) -> Again | None:
    """Start a crawl, unless one runs, and wait for the next time.

    Times that have passed while no server ran, or that the clock was advanced over, are made up
    for by one crawl.
    """
    job = call.job
    try:
        crawler = find_crawler(server.documents, job.account, job.region, job.payload["crawler"])
    except EntityNotFoundException:
        return None
    if crawler.schedule_id != job.name:
        return None
    try:
        start_crawl(server, job.account, job.region, crawler.name)
    except CrawlerRunningException:
        call.log("A crawl runs still; this one is left out.")
    run_at = _next(server, crawler.schedule)
    return None if run_at is None else Again(run_at)
