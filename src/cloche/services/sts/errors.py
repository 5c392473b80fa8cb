"""STS's errors."""

from __future__ import annotations

from cloche.core.errors import AWSError


class PackedPolicyTooLarge(AWSError):
    """Session policies and tags together are too long."""
