"""`/metrics`: the gateway's numbers and the process's, in Prometheus's text format.

Imported when it is first asked for, as the library takes a tenth of a second to import.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from cloche.gateway.http.messages import Response
from cloche.gateway.metrics import BUCKETS_SECONDS, Metrics

_BOUNDS = [*map(str, BUCKETS_SECONDS), "+Inf"]


class Exposition(Collector):
    """Gives the library what `Metrics` has counted."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Called by the library for each exposition."""
        seconds = HistogramMetricFamily(
            "cloche_request_seconds",
            "Time from a request's head to its answer's; its count is the number of calls.",
            labels=("service", "operation"),
        )
        for labels, latencies in list(self._metrics.latencies.items()):
            buckets = list(zip(_BOUNDS, map(float, accumulate(latencies.counts)), strict=True))
            seconds.add_metric(labels, buckets, latencies.sum_seconds)
        yield seconds
        errors = CounterMetricFamily(
            "cloche_errors",
            "Calls answered with an error, by AWS's error code.",
            labels=("service", "operation", "code"),
        )
        for names, count in list(self._metrics.errors.items()):
            errors.add_metric(names, count)
        yield errors

    def response(self) -> Response:
        """All of it as an answer."""
        headers = [("content-type", CONTENT_TYPE_LATEST)]
        return Response(200, headers, generate_latest(self._registry))
