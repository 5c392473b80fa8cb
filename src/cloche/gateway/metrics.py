"""Counts and latencies for Prometheus, under `/metrics`.

The event loop only adds to numbers; the library's own histogram takes ten times as long, for locks
that one thread does not need. What is added up is given to the library when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

_BUCKETS_SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
_BOUNDS = [*map(str, _BUCKETS_SECONDS), "+Inf"]


class _Latencies:
    """How often calls of one operation took how long."""

    __slots__ = ("counts", "sum_seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_BOUNDS)
        self.sum_seconds = 0.0

    def cumulative(self) -> list[tuple[str, float]]:
        """Counts of all calls up to each bound."""
        total = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip(_BOUNDS, self.counts, strict=True):
            total += count
            buckets.append((bound, total))
        return buckets


class _Calls(Collector):
    """All calls, as the library wants them."""

    def __init__(self) -> None:
        self.latencies: dict[tuple[str, str], _Latencies] = {}
        self.errors: dict[tuple[str, str, str], int] = {}

    def collect(self) -> Iterator[Metric]:
        """Called for each exposition."""
        seconds = HistogramMetricFamily(
            "cloche_request_seconds",
            "Time from a request's head to its answer's; its count is the number of calls.",
            labels=("service", "operation"),
        )
        for labels, latencies in list(self.latencies.items()):
            seconds.add_metric(labels, latencies.cumulative(), latencies.sum_seconds)
        yield seconds
        errors = CounterMetricFamily(
            "cloche_errors",
            "Calls answered with an error, by AWS's error code.",
            labels=("service", "operation", "code"),
        )
        for names, count in list(self.errors.items()):
            errors.add_metric(names, count)
        yield errors


class Metrics:
    """What the gateway counts, per service and operation."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._calls = _Calls()
        self._registry.register(self._calls)

    def observe(self, service: str, operation: str, seconds: float, error_code: str) -> None:
        """Count a call, from the event loop; `error_code` is empty where it succeeded."""
        latencies = self._calls.latencies.get((service, operation))
        if latencies is None:
            latencies = self._calls.latencies[(service, operation)] = _Latencies()
        latencies.counts[bisect_left(_BUCKETS_SECONDS, seconds)] += 1
        latencies.sum_seconds += seconds
        if error_code:
            key = (service, operation, error_code)
            self._calls.errors[key] = self._calls.errors.get(key, 0) + 1

    def expose(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)
