"""Counts and latencies for Prometheus, under `/metrics`."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_BUCKETS_SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip


class Metrics:
    """What the gateway counts, per service and operation."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)
        self._errors = Counter(
            "cloche_errors",
            "Calls answered with an error, by AWS's error code.",
            ("service", "operation", "code"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "cloche_request_seconds",
            "Time from a request's head to its answer's; its count is the number of calls.",
            ("service", "operation"),
            buckets=_BUCKETS_SECONDS,
            registry=self._registry,
        )
        self._observers: dict[tuple[str, str], Histogram] = {}

    def observe(self, service: str, operation: str, seconds: float, error_code: str) -> None:
        """Count a call; `error_code` is empty where it succeeded."""
        key = (service, operation)
        observer = self._observers.get(key)
        if observer is None:
            observer = self._observers[key] = self._seconds.labels(service, operation)
        observer.observe(seconds)
        if error_code:
            self._errors.labels(service, operation, error_code).inc()

    def expose(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)
