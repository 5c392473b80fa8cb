"""The IAM service, to which the modules of its resources add their operations."""

from __future__ import annotations

from cloche.core.operations import Service
from cloche.services.iam.access import authorize

service = Service("iam", authorize=authorize)
