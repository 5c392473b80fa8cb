"""Crawls: start, stop, list. A crawl is a job; a crawler's state is that of its latest one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from msgspec.structs import replace

from cloche.core.arns import format_arn
from cloche.core.documents import Transaction
from cloche.core.event import Event
from cloche.core.jobs import Job
from cloche.core.operations import Call, Server
from cloche.services.glue.crawler_errors import (
    CrawlerNotRunningException,
    CrawlerRunningException,
    CrawlerStoppingException,
)
from cloche.services.glue.crawler_records import (
    CRAWL,
    CRAWLER_ARN,
    Crawler,
    crawl_id,
    crawl_name,
    crawlers,
    crawls_of,
    current_crawl,
    find_crawler,
)
from cloche.services.glue.crawling.crawl import run_crawl
from cloche.services.glue.errors import InvalidInputException
from cloche.services.glue.keys import key_of
from cloche.services.glue.paging import after_token, token_after, with_token
from cloche.services.glue.refusals import not_implemented
from cloche.services.glue.service import service

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes

_PAGE = 20
_LONGEST_SUMMARY = 255
_LONGEST_MESSAGE = 2048
_STATES = {
    "Queued": "RUNNING",
    "Running": "RUNNING",
    "Cancelling": "RUNNING",
    "Succeeded": "COMPLETED",
    "Failed": "FAILED",
    "Cancelled": "STOPPED",
}
_LAST_STATES = {"Succeeded": "SUCCEEDED", "Failed": "FAILED", "Cancelled": "CANCELLED"}


def register(server: Server) -> None:
    """Have this server run crawls; on its event loop."""
    work = partial(run_crawl, server, asyncio.get_running_loop())
    server.jobs.register(CRAWL, work, is_resumable=True, event_of=_event_of)


@service.operation(resource=CRAWLER_ARN)
def start_crawler(call: Call, request: shapes.StartCrawlerRequest) -> Empty:
    """Begin a crawl.

    Raises EntityNotFoundException if there is no such crawler, CrawlerRunningException if it runs.
    AWS: Glue StartCrawler.
    """
    start_crawl(call.server, call.account_id, call.region, request["Name"])
    return {}


@service.operation(resource=CRAWLER_ARN)
def stop_crawler(call: Call, request: shapes.StopCrawlerRequest) -> Empty:
    """End the crawl that runs; what it has changed already stays.

    Raises CrawlerNotRunningException or CrawlerStoppingException. AWS: Glue StopCrawler.
    """
    name = request["Name"]
    crawler = find_crawler(call.documents, call.account_id, call.region, name)
    job = current_crawl(call.server.jobs, call.account_id, call.region, crawler)
    if job is None:
        raise CrawlerNotRunningException(f"Crawler with name {name} isn't running")
    if job.state == "Cancelling":
        raise CrawlerStoppingException(f"Crawler with name {name} is stopping")
    call.server.jobs.cancel(CRAWL, call.account_id, call.region, job.name)
    return {}


@service.operation(resource="arn:{partition}:glue:{region}:{account}:crawler/{CrawlerName}")
def list_crawls(call: Call, request: shapes.ListCrawlsRequest) -> shapes.ListCrawlsResponse:
    """Crawls of a crawler that meet all filters, latest first. AWS: Glue ListCrawls."""
    name = request["CrawlerName"]
    find_crawler(call.documents, call.account_id, call.region, name)
    meets = _filter(request.get("Filters") or [])
    limit = request.get("MaxResults", _PAGE)
    after = after_token(request.get("NextToken"))
    found: list[Job] = []
    while page := crawls_of(call.server.jobs, call.account_id, call.region, name, after):
        for job in page:
            if not meets(_shown(job)):
                continue
            if len(found) == limit:
                shown = [_shown(each) for each in found]
                return with_token({"Crawls": shown}, token_after(found[-1].name))
            found.append(job)
        after = page[-1].name
    return {"Crawls": [_shown(job) for job in found]}


def start_crawl(server: Server, account: str, region: str, name: str) -> None:
    """Begin a crawl; blocks until it is recorded.

    Raises:
        EntityNotFoundException: there is no such crawler.
        CrawlerRunningException: it runs.
    """
    seen = find_crawler(server.documents, account, region, name)
    running = CrawlerRunningException(f"Crawler with name {name} has already started")
    if current_crawl(server.jobs, account, region, seen) is not None:
        raise running
    job_name = crawl_name(name, server.clock.time(), str(uuid4()))

    def start(tx: Transaction) -> None:
        crawler = find_crawler(tx, account, region, name)
        if crawler.crawl != seen.crawl:
            raise running
        server.jobs.submit_in(tx, CRAWL, account, region, job_name, {"crawler": name})
        tx.put(crawlers, account, region, key_of(name), replace(crawler, crawl=job_name))

    server.documents.transact(start)


def crawler_state(server: Server, account: str, region: str, crawler: Crawler) -> dict[str, Any]:
    """The members of Glue's Crawler that tell of its crawls."""
    latest = crawls_of(server.jobs, account, region, crawler.name, limit=2)
    shown: dict[str, Any] = {"State": "READY", "CrawlElapsedTime": 0}
    for job in latest:
        if not job.is_finished:
            elapsed = server.clock.time() - job.created_at
            shown["State"] = "STOPPING" if job.state == "Cancelling" else "RUNNING"
            shown["CrawlElapsedTime"] = max(0, round(elapsed * 1000))
        elif "LastCrawl" not in shown:
            shown["LastCrawl"] = _last_crawl(job)
    return shown


def _last_crawl(job: Job) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Status": _LAST_STATES[job.state],
        "MessagePrefix": crawl_id(job),
        "StartTime": datetime.fromtimestamp(job.created_at, UTC),
    }
    if job.state == "Failed":
        shown["ErrorMessage"] = job.error[:_LONGEST_MESSAGE]
    return shown


def _shown(job: Job) -> Any:
    shown: dict[str, Any] = {
        "CrawlId": crawl_id(job),
        "State": _STATES[job.state],
        "StartTime": datetime.fromtimestamp(job.created_at, UTC),
        "MessagePrefix": crawl_id(job),
    }
    if job.finished_at is not None:
        shown["EndTime"] = datetime.fromtimestamp(job.finished_at, UTC)
    if job.state == "Failed":
        shown["ErrorMessage"] = job.error[:_LONGEST_MESSAGE]
    if job.result is not None:
        shown["Summary"] = _summary(job.result)
    return shown


def _summary(changes: Mapping[str, Any]) -> str:
    """What a crawl changed as JSON, without names where they are too many."""
    tables = {
        action: changes[f"tables_{did}"]
        for action, did in (("ADD", "created"), ("UPDATE", "updated"), ("DELETE", "deleted"))
        if changes[f"tables_{did}"]
    }
    partitions = {
        action: {"Count": changes[f"partitions_{did}"]}
        for action, did in (("ADD", "created"), ("UPDATE", "updated"), ("DELETE", "deleted"))
        if changes[f"partitions_{did}"]
    }
    for has_names in (True, False):
        described = {
            action: {**({"Details": {"names": names}} if has_names else {}), "Count": len(names)}
            for action, names in tables.items()
        }
        whole = {"TABLE": described, "PARTITION": partitions}
        text = json.dumps({kind: of for kind, of in whole.items() if of}, separators=(",", ":"))
        if len(text) <= _LONGEST_SUMMARY:
            break
    return text


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "GT": lambda one, other: one > other,
    "GE": lambda one, other: one >= other,
    "LT": lambda one, other: one < other,
    "LE": lambda one, other: one <= other,
    "EQ": lambda one, other: one == other,
    "NE": lambda one, other: one != other,
}
_FIELDS = {
    "CRAWL_ID": "CrawlId",
    "STATE": "State",
    "START_TIME": "StartTime",
    "END_TIME": "EndTime",
}


def _filter(filters: list[Any]) -> Callable[[Mapping[str, Any]], bool]:
    conditions = [_condition(each) for each in filters]
    return lambda crawl: all(condition(crawl) for condition in conditions)


def _condition(given: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    name, operator = given.get("FieldName"), given.get("FilterOperator")
    if name == "DPU_HOUR":
        raise not_implemented("DPU_HOUR in filters of crawls")
    if name is None or operator is None or "FieldValue" not in given:
        raise InvalidInputException("A filter needs FieldName, FilterOperator and FieldValue.")
    is_time = name.endswith("_TIME")
    value = _instant(given["FieldValue"]) if is_time else given["FieldValue"]
    if not is_time and operator not in ("EQ", "NE"):
        raise InvalidInputException(f"{name} can only be compared by EQ and NE.")
    member, compare = _FIELDS[name], _COMPARISONS[operator]
    return lambda crawl: member in crawl and compare(crawl[member], value)


def _instant(text: str) -> datetime:
    """An instant as the filter has it: milliseconds since 1970, or ISO 8601."""
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        instant = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise InvalidInputException(f"{text} is not an instant.") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _event_of(job: Job) -> Event | None:
    """Glue Crawler State Change: Started, Succeeded, Failed. AWS tells of no other state."""
    detail: dict[str, Any] = {"accountId": job.account, "crawlerName": job.payload["crawler"]}
    if job.state == "Running" and job.attempts == 1 and not job.interruptions:
        detail |= {"state": "Started", "message": "Crawler Started"}
        detail["startTime"] = _timestamp(job.created_at)
    elif job.state == "Succeeded":
        detail |= {"state": "Succeeded", "message": "Crawler Succeeded", **_outcome(job)}
    elif job.state == "Failed":
        detail |= {"state": "Failed", "message": "Crawler Failed", "errorMessage": job.error}
    else:
        return None
    arn = format_arn("glue", job.region, job.account, f"crawler/{job.payload['crawler']}")
    return Event(
        source="aws.glue",
        detail_type="Glue Crawler State Change",
        account=job.account,
        region=job.region,
        detail=detail,
        resources=(arn,),
    )


def _outcome(job: Job) -> dict[str, str]:
    changes: Mapping[str, Any] = job.result or {}
    finished = job.finished_at or job.created_at
    return {
        "completionDate": _timestamp(finished),
        "runningTime (sec)": str(round(finished - job.created_at)),
        "warningMessage": "N/A",
        "tablesCreated": str(len(changes.get("tables_created", ()))),
        "tablesUpdated": str(len(changes.get("tables_updated", ()))),
        "tablesDeleted": str(len(changes.get("tables_deleted", ()))),
        "partitionsCreated": str(changes.get("partitions_created", 0)),
        "partitionsUpdated": str(changes.get("partitions_updated", 0)),
        "partitionsDeleted": str(changes.get("partitions_deleted", 0)),
    }


def _timestamp(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
