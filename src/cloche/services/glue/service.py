"""The Glue service, to which the modules of its resources add their operations."""

from __future__ import annotations

from cloche.core.operations import Service

service = Service("glue")
