"""Events in EventBridge's shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec


def _new_id() -> str:
    return str(uuid4())


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, as EventBridge tells it.

    Attributes:
        source: `aws.s3`, `aws.sagemaker`, …
        detail_type: `Object Created`, `SageMaker Training Job State Change`, …
        account: account it happened in.
        region: region it happened in.
        detail: what happened, by the members that AWS documents for the type.
        resources: ARNs of what it happened to.
        time: seconds since 1970; the bus fills it in where it is None.
        id: a UUID.
    """

    source: str
    detail_type: str
    account: str
    region: str
    detail: dict[str, Any]
    resources: tuple[str, ...] = ()
    time: float | None = None
    id: str = msgspec.field(default_factory=_new_id)

    def envelope(self) -> dict[str, Any]:
        """The JSON object that targets receive."""
        instant = datetime.fromtimestamp(self.time or 0.0, UTC)
        return {
            "version": "0",
            "id": self.id,
            "detail-type": self.detail_type,
            "source": self.source,
            "account": self.account,
            "time": instant.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region,
            "resources": list(self.resources),
            "detail": self.detail,
        }
