"""Crawlers: create, get, list, update, delete."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.arns import format_arn
from cloche.core.documents import Document, DocumentExists, Transaction
from cloche.core.jobs import Job
from cloche.core.operations import Call
from cloche.services.glue import crawler_schedules
from cloche.services.glue.crawler_errors import CrawlerRunningException
from cloche.services.glue.crawler_records import (
    CRAWL,
    CRAWLER_ARN,
    Crawler,
    crawled_folders,
    crawlers,
    crawls_of,
    current_crawl,
    find_crawler,
)
from cloche.services.glue.crawler_rules import checked_settings
from cloche.services.glue.crawler_runs import crawler_state
from cloche.services.glue.crawler_schedules import check_schedule, reschedule, unscheduled
from cloche.services.glue.crawling.summaries import FolderSummary
from cloche.services.glue.errors import AlreadyExistsException, EntityNotFoundException
from cloche.services.glue.keys import key_of, prefix_of
from cloche.services.glue.paging import read_page, with_token
from cloche.services.glue.service import service
from cloche.services.glue.tag_records import checked, forget_in, tag_in, tags

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import glue as shapes

_PAGE = 100
_DROPPED_AT_ONCE = 500


@service.operation(resource=CRAWLER_ARN)
def create_crawler(call: Call, request: shapes.CreateCrawlerRequest) -> Empty:
    """Make a crawler, and turn its schedule on if it has one.

    Raises AlreadyExistsException if the name is taken, InvalidInputException if it has no target.
    AWS: Glue CreateCrawler.
    """
    name, expression = request["Name"], request.get("Schedule") or ""
    settings = checked_settings(call, request)
    check_schedule(expression)
    given_tags = checked(request.get("Tags") or {})
    now = call.clock.time()
    crawler = Crawler(name=name, settings=settings, created_at=now, updated_at=now)

    def insert(tx: Transaction) -> None:
        made = reschedule(tx, call.server, call.account_id, call.region, crawler, expression)
        try:
            tx.insert(crawlers, call.account_id, call.region, key_of(name), made)
        except DocumentExists:
            raise AlreadyExistsException(f"Crawler with name {name} already exists") from None
        tag_in(tx, call.account_id, call.region, _arn(call, name), given_tags)

    call.documents.transact(insert)
    return {}


@service.operation(resource=CRAWLER_ARN)
def get_crawler(call: Call, request: shapes.GetCrawlerRequest) -> shapes.GetCrawlerResponse:
    """A crawler. Raises EntityNotFoundException if there is none. AWS: Glue GetCrawler."""
    found = find_crawler(call.documents, call.account_id, call.region, request["Name"])
    return {"Crawler": _shown(call, found)}


@service.operation
def get_crawlers(call: Call, request: shapes.GetCrawlersRequest) -> shapes.GetCrawlersResponse:
    """All crawlers, by name. AWS: Glue GetCrawlers."""
    page, token = _page(call, request)
    return with_token({"Crawlers": [_shown(call, each.value) for each in page]}, token)


@service.operation
def list_crawlers(call: Call, request: shapes.ListCrawlersRequest) -> shapes.ListCrawlersResponse:
    """Names of crawlers; of those with some tags, if any are given. AWS: Glue ListCrawlers."""
    page, token = _page(call, request, request.get("Tags") or {})
    return with_token({"CrawlerNames": [each.value.name for each in page]}, token)


@service.operation
def batch_get_crawlers(
    call: Call, request: shapes.BatchGetCrawlersRequest
) -> shapes.BatchGetCrawlersResponse:
    """Crawlers of some names, and the names that none has. AWS: Glue BatchGetCrawlers."""
    found: list[Any] = []
    missing: list[str] = []
    for name in request["CrawlerNames"]:
        try:
            crawler = find_crawler(call.documents, call.account_id, call.region, name)
            found.append(_shown(call, crawler))
        except EntityNotFoundException:
            missing.append(name)
    return {"Crawlers": found, "CrawlersNotFound": missing}


@service.operation(resource=CRAWLER_ARN)
def update_crawler(call: Call, request: shapes.UpdateCrawlerRequest) -> Empty:
    """Change settings of a crawler; those that are not given stay.

    Raises CrawlerRunningException if it runs. AWS: Glue UpdateCrawler.
    """
    name = request["Name"]
    seen = find_crawler(call.documents, call.account_id, call.region, name)
    _refuse_running(call, seen)
    expression = request.get("Schedule")
    check_schedule(expression or "")
    settings = checked_settings(call, _changed_members(request), seen.settings)

    def change(tx: Transaction) -> None:
        crawler = find_crawler(tx, call.account_id, call.region, name)
        if crawler.version != seen.version or crawler.crawl != seen.crawl:
            raise CrawlerRunningException(f"Crawler with name {name} has changed meanwhile")
        crawler = replace(crawler, settings=settings)
        if expression is not None:
            crawler = reschedule(tx, call.server, call.account_id, call.region, crawler, expression)
        crawler_schedules.put_changed(tx, call, crawler)

    call.documents.transact(change)
    return {}


@service.operation(resource=CRAWLER_ARN)
def delete_crawler(call: Call, request: shapes.DeleteCrawlerRequest) -> Empty:
    """Forget a crawler, its schedule and its crawls; its tables stay.

    Raises CrawlerRunningException if it runs. AWS: Glue DeleteCrawler.
    """
    name = request["Name"]
    seen = find_crawler(call.documents, call.account_id, call.region, name)
    _refuse_running(call, seen)

    def delete(tx: Transaction) -> None:
        crawler = find_crawler(tx, call.account_id, call.region, name)
        if crawler.crawl != seen.crawl:
            raise CrawlerRunningException(f"Crawler with name {name} has already started")
        unscheduled(tx, call.server, call.account_id, call.region, crawler)
        tx.delete(crawlers, call.account_id, call.region, key_of(name))
        forget_in(tx, call.account_id, call.region, _arn(call, name))

    call.documents.transact(delete)
    _forget_crawls(call, name)
    _forget_folders(call, name)
    return {}


def _refuse_running(call: Call, crawler: Crawler) -> None:
    if current_crawl(call.server.jobs, call.account_id, call.region, crawler) is not None:
        raise CrawlerRunningException(f"Crawler with name {crawler.name} is running")


def _changed_members(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        member: value for member, value in request.items() if member not in ("Name", "Schedule")
    }


def _forget_crawls(call: Call, name: str) -> None:
    jobs = call.server.jobs

    def forget(tx: Transaction, crawls: list[Job]) -> None:
        for job in crawls:
            jobs.delete_in(tx, CRAWL, call.account_id, call.region, job.name)

    while page := crawls_of(jobs, call.account_id, call.region, name, limit=_DROPPED_AT_ONCE):
        call.documents.transact(partial(forget, crawls=page))


def _forget_folders(call: Call, name: str) -> None:
    def forget(tx: Transaction, folders: list[Document[FolderSummary]]) -> None:
        for document in folders:
            tx.delete(crawled_folders, call.account_id, call.region, document.name)

    while page := call.documents.scan(
        crawled_folders, call.account_id, call.region, prefix_of(name), limit=_DROPPED_AT_ONCE
    ):
        call.documents.transact(partial(forget, folders=page))


def _page(
    call: Call, request: Mapping[str, Any], wanted: Mapping[str, str] | None = None
) -> tuple[list[Document[Crawler]], str | None]:
    def has_tags(document: Document[Crawler]) -> bool:
        arn = _arn(call, document.value.name)
        found = call.documents.get(tags, call.account_id, call.region, arn) or {}
        return all(found.get(key) == value for key, value in (wanted or {}).items())

    return read_page(
        call.documents,
        crawlers,
        call.account_id,
        call.region,
        "",
        request.get("NextToken"),
        request.get("MaxResults", _PAGE),
        keep=has_tags if wanted else None,
    )


def _arn(call: Call, name: str) -> str:
    return format_arn("glue", call.region, call.account_id, f"crawler/{name}")


def _shown(call: Call, crawler: Crawler) -> Any:
    shown: dict[str, Any] = {
        "Classifiers": [],
        "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
        "SchemaChangePolicy": {
            "UpdateBehavior": "UPDATE_IN_DATABASE",
            "DeleteBehavior": "DEPRECATE_IN_DATABASE",
        },
        "LineageConfiguration": {"CrawlerLineageSettings": "DISABLE"},
        **crawler.settings,
        "Name": crawler.name,
        "CreationTime": datetime.fromtimestamp(crawler.created_at, UTC),
        "LastUpdated": datetime.fromtimestamp(crawler.updated_at, UTC),
        "Version": crawler.version,
        **crawler_state(call.server, call.account_id, call.region, crawler),
    }
    if crawler.schedule:
        state = "SCHEDULED" if crawler.schedule_id else "NOT_SCHEDULED"
        shown["Schedule"] = {"ScheduleExpression": crawler.schedule, "State": state}
    return shown
