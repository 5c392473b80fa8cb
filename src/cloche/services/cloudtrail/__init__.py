"""AWS CloudTrail: the log of calls, looked up and delivered to buckets."""

from cloche.services.cloudtrail import (
    event_selectors,
    insights,
    logging_status,
    lookup,
    tags,
    trails,
)
from cloche.services.cloudtrail.service import service

__all__ = [
    "event_selectors",
    "insights",
    "logging_status",
    "lookup",
    "service",
    "tags",
    "trails",
]
