"""Counts and latencies of calls; `gateway.exposition` shows them to Prometheus.

The event loop only adds to numbers: a histogram of Prometheus's own library takes ten times as
long, for locks that one thread does not need.
"""

from __future__ import annotations

from bisect import bisect_left

BUCKETS_SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip


class Latencies:
    """How often calls of one operation took how long.

    Attributes:
        counts: of calls between each bound of `BUCKETS_SECONDS` and the one before, and beyond.
        sum_seconds: of all calls.
    """

    __slots__ = ("counts", "sum_seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_SECONDS) + 1)
        self.sum_seconds = 0.0


class Metrics:
    """What the gateway counts.

    Attributes:
        latencies: by service and operation.
        errors: how many, by service, operation and AWS's error code.
    """

    def __init__(self) -> None:
        self.latencies: dict[tuple[str, str], Latencies] = {}
        self.errors: dict[tuple[str, str, str], int] = {}

    def observe(self, service: str, operation: str, seconds: float, error_code: str) -> None:
        """Count a call, from the event loop; `error_code` is empty where it succeeded."""
        latencies = self.latencies.get((service, operation))
        if latencies is None:
            latencies = self.latencies[(service, operation)] = Latencies()
        latencies.counts[bisect_left(BUCKETS_SECONDS, seconds)] += 1
        latencies.sum_seconds += seconds
        if error_code:
            key = (service, operation, error_code)
            self.errors[key] = self.errors.get(key, 0) + 1
