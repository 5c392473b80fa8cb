from __future__ import annotations

from cloche.gateway.exposition import Exposition
from cloche.gateway.metrics import Metrics


def exposed(metrics: Metrics) -> str:
    body = Exposition(metrics).response().body
    assert isinstance(body, bytes)
    return body.decode()


def test_counts_latencies_and_errors() -> None:
    metrics = Metrics()
    metrics.observe("s3", "GetObject", 0.0007, "")
    metrics.observe("s3", "GetObject", 0.3, "NoSuchKey")
    metrics.observe("s3", "GetObject", 60.0, "NoSuchKey")
    text = exposed(metrics)
    labels = 'operation="GetObject",service="s3"'
    assert f'cloche_request_seconds_bucket{{le="0.0005",{labels}}} 0.0' in text
    assert f'cloche_request_seconds_bucket{{le="0.001",{labels}}} 1.0' in text
    assert f'cloche_request_seconds_bucket{{le="0.5",{labels}}} 2.0' in text
    assert f'cloche_request_seconds_bucket{{le="+Inf",{labels}}} 3.0' in text
    assert f"cloche_request_seconds_count{{{labels}}} 3.0" in text
    assert f'cloche_errors_total{{code="NoSuchKey",{labels}}} 2.0' in text
    assert "process_cpu_seconds_total" in text


def test_a_bound_belongs_to_its_bucket() -> None:
    metrics = Metrics()
    metrics.observe("s3", "GetObject", 0.5, "")
    assert 'le="0.5",operation="GetObject",service="s3"} 1.0' in exposed(metrics)
