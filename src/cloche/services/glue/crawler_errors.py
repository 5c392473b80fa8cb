"""Glue's errors about crawlers."""

from __future__ import annotations

from cloche.services.glue.errors import GlueError


class CrawlerNotRunningException(GlueError):
    """The crawler does not run."""


class CrawlerRunningException(GlueError):
    """The crawler runs."""


class CrawlerStoppingException(GlueError):
    """The crawler is stopping."""


class NoScheduleException(GlueError):
    """The crawler has no schedule."""


class SchedulerNotRunningException(GlueError):
    """The crawler's schedule is not on."""


class SchedulerRunningException(GlueError):
    """The crawler's schedule is on already."""
