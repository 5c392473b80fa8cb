"""The demo's stages, in the order in which they run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3

from cloche.demo.explore import explore
from cloche.demo.reporting import Reporter
from cloche.demo.upload import upload


@dataclass(slots=True)
class DemoContext:
    """What the stages share.

    Attributes:
        session: makes clients; takes endpoint, keys and region from the environment.
        bucket: where the demo's data are.
        reporter: shows each step.
    """

    session: boto3.Session
    bucket: str
    reporter: Reporter


@dataclass(slots=True)
class DemoResult:
    """What the demo did, for JSON.

    Attributes:
        bucket: where the data are.
        seconds: from start to end.
        stages: by name, what each stage returned.
    """

    bucket: str
    seconds: float = 0.0
    stages: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])


# A later stage finds what the earlier ones left in the bucket and in the services.
STAGES: dict[str, Callable[[DemoContext], dict[str, Any]]] = {
    "upload": lambda context: upload(context.session, context.bucket, context.reporter),
    "explore": lambda context: explore(context.session, context.bucket, context.reporter),
}


def run(bucket: str, reporter: Reporter) -> DemoResult:
    """Run all stages against the server that the environment's AWS variables point at.

    Raises:
        VerificationError: what was read back is not what was sent.
        ExplorationError: a crawl or a query failed.
        botocore.exceptions.ClientError: the server refused a call.
    """
    context = DemoContext(boto3.Session(), bucket, reporter)
    result = DemoResult(bucket)
    started = time.perf_counter()
    for name, stage in STAGES.items():
        result.stages[name] = stage(context)
    result.seconds = round(time.perf_counter() - started, 3)
    return result
