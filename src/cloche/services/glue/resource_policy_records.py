"""What is kept of a catalog's resource policy, and what it is asked for each call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cloche.core.documents import Table
from cloche.core.operations import Call

POLICY = "policy"


class ResourcePolicy(msgspec.Struct, frozen=True):
    """The policy of a catalog.

    Attributes:
        text: JSON as it was put.
        digest: Glue's PolicyHash.
    """

    text: str
    digest: str
    created_at: float
    updated_at: float


resource_policies = Table("glue.resource_policies", ResourcePolicy)


def policy_for(call: Call, request: Mapping[str, Any]) -> str | None:
    """The policy of the catalog that a call is about."""
    account = request.get("CatalogId") or call.account_id
    found = call.documents.get_cached(resource_policies, account, call.region, POLICY)
    return found.text if found is not None else None
