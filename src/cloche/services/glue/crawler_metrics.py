"""Metrics of crawlers, computed from their crawls."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from cloche.core.jobs import Job
from cloche.core.operations import Call
from cloche.services.glue.crawler_records import crawlers, crawls_of
from cloche.services.glue.keys import key_of
from cloche.services.glue.paging import read_page, with_token
from cloche.services.glue.service import service

if TYPE_CHECKING:
    from aws_shapes import glue as shapes

_PAGE = 100
_COUNTED = ("created", "updated", "deleted")


@service.operation
def get_crawler_metrics(
    call: Call, request: shapes.GetCrawlerMetricsRequest
) -> shapes.GetCrawlerMetricsResponse:
    """Run times of crawlers and the tables that all their crawls changed.

    Of crawlers that are named those that exist, of all otherwise. AWS: Glue GetCrawlerMetrics.
    """
    named = set(request.get("CrawlerNameList") or ())
    keys = {key_of(name) for name in named}
    page, token = read_page(
        call.documents,
        crawlers,
        call.account_id,
        call.region,
        "",
        request.get("NextToken"),
        request.get("MaxResults", _PAGE),
        keep=(lambda document: document.name in keys) if named else None,
    )
    shown = [_metrics(call, each.value.name) for each in page]
    return with_token({"CrawlerMetricsList": shown}, token)


def _metrics(call: Call, name: str) -> dict[str, Any]:
    crawls = _all_crawls(call, name)
    finished = [job for job in crawls if job.is_finished]
    runtimes = [_runtime(job) for job in finished]
    typical = median(runtimes) if runtimes else 0.0
    running = next((job for job in crawls if not job.is_finished), None)
    left = 0.0
    if running is not None and runtimes:
        left = max(0.0, typical - (call.clock.time() - running.created_at))
    return {
        "CrawlerName": name,
        "TimeLeftSeconds": left,
        "StillEstimating": running is not None and not runtimes,
        "LastRuntimeSeconds": runtimes[0] if runtimes else 0.0,
        "MedianRuntimeSeconds": typical,
        **{
            f"Tables{did.capitalize()}": sum(
                len((job.result or {}).get(f"tables_{did}", ())) for job in finished
            )
            for did in _COUNTED
        },
    }


def _all_crawls(call: Call, name: str) -> list[Job]:
    found: list[Job] = []
    after = ""
    while page := crawls_of(call.server.jobs, call.account_id, call.region, name, after):
        found += page
        after = page[-1].name
    return found


def _runtime(job: Job) -> float:
    return max(0.0, (job.finished_at or job.created_at) - job.created_at)
