from __future__ import annotations

from tests.services.iam.conftest import aws, parts, root_key

__all__ = ["aws", "parts", "root_key"]
