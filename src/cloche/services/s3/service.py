"""The S3 service, to which the modules of its resources add their operations."""

from __future__ import annotations

from cloche.core.operations import Service
from cloche.services.s3.authorization import authorize

service = Service("s3", authorize=authorize)
