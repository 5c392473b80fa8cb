"""What is kept of crawlers, and how their crawls are found: a crawl is a job."""

from __future__ import annotations

from typing import Any

import msgspec

from cloche.core.documents import Reader, Table
from cloche.core.jobs import Job, Jobs
from cloche.services.glue.crawling.summaries import FolderSummary
from cloche.services.glue.errors import EntityNotFoundException
from cloche.services.glue.keys import SEPARATOR, key_of, prefix_of
from cloche.services.glue.tag_records import taggable

CRAWL = "glue.crawl"
"""Kind of the jobs that crawl."""

SCHEDULE = "glue.crawler_schedule"
"""Kind of the jobs that start crawls on schedule."""

CRAWLER_ARN = "arn:{partition}:glue:{region}:{account}:crawler/{Name}"

_LATEST = 10**16


class Crawler(msgspec.Struct, frozen=True, kw_only=True):
    """A crawler.

    Attributes:
        settings: members of Glue's Crawler that CreateCrawler takes, but for Schedule and Tags.
        schedule: cron expression; may be empty.
        schedule_id: of the job that starts crawls; empty while the schedule is off.
        crawl: name of the latest crawl's job; empty before the first.
        created_at: seconds since 1970.
        version: counted from 1 with each change.
    """

    name: str
    settings: dict[str, Any]
    schedule: str = ""
    schedule_id: str = ""
    crawl: str = ""
    created_at: float
    updated_at: float
    version: int = 1


crawlers = Table("glue.crawlers", Crawler)
crawled_folders = Table("glue.crawled_folders", FolderSummary)


def find_crawler(reader: Reader, account: str, region: str, name: str) -> Crawler:
    """A crawler.

    Raises:
        EntityNotFoundException: there is none of the name.
    """
    found = reader.get(crawlers, account, region, key_of(name))
    if found is None:
        raise EntityNotFoundException(f"Crawler entry with name {name} does not exist")
    return found


def crawl_name(crawler: str, now: float, crawl_id: str) -> str:
    """The name of a crawl's job; they are ordered latest first."""
    return key_of(crawler, f"{_LATEST - round(now * 1e6):016d}", crawl_id)


def crawl_id(job: Job) -> str:
    """The id of a crawl."""
    return job.name.rpartition(SEPARATOR)[2]


def crawls_of(
    jobs: Jobs, account: str, region: str, crawler: str, after: str = "", limit: int = 1000
) -> list[Job]:
    """At most `limit` crawls of a crawler, latest first."""
    return jobs.scan(CRAWL, account, region, prefix_of(crawler), after, limit)


def current_crawl(jobs: Jobs, account: str, region: str, crawler: Crawler) -> Job | None:
    """The crawl that runs, or waits to."""
    job = jobs.get(CRAWL, account, region, crawler.crawl) if crawler.crawl else None
    return None if job is None or job.is_finished else job


def _exists(reader: Reader, account: str, region: str, name: str) -> bool:
    return reader.get(crawlers, account, region, key_of(name)) is not None


taggable["crawler"] = _exists
