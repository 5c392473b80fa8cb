"""What is kept about a workgroup, and how a request names one."""

from __future__ import annotations

from typing import Any

import msgspec

from cloche.core.documents import DocumentExists, Documents, Table, Transaction
from cloche.core.operations import Call
from cloche.services.athena.errors import InvalidRequestException

PRIMARY = "primary"
ENGINE_VERSION = "Athena engine version 3"
AUTO = "AUTO"

WORK_GROUP = "arn:{partition}:athena:{region}:{account}:workgroup/{WorkGroup}"


class WorkGroup(msgspec.Struct, frozen=True):
    """A workgroup.

    Attributes:
        created_at: seconds since 1970.
        configuration: `WorkGroupConfiguration` as in the model, with defaults filled in.
        tags: by key.
    """

    name: str
    created_at: float
    state: str = "ENABLED"
    description: str | None = None
    configuration: dict[str, Any] = {}
    tags: dict[str, str] = {}

    @property
    def is_enforced(self) -> bool:
        """Whether its configuration wins over that of requests."""
        return bool(self.configuration.get("EnforceWorkGroupConfiguration"))

    @property
    def result_configuration(self) -> dict[str, Any]:
        """Where its results go."""
        return self.configuration.get("ResultConfiguration") or {}


work_groups = Table("athena.work_groups", WorkGroup)


def engine_version(selected: str) -> dict[str, str]:
    """The engine version of a selection."""
    return {"SelectedEngineVersion": selected, "EffectiveEngineVersion": ENGINE_VERSION}


def find_work_group(call: Call, name: str | None) -> WorkGroup:
    """The workgroup of a name, `primary` if none is given; blocks where that has to be made.

    Raises:
        InvalidRequestException: there is none.
    """
    name = name or PRIMARY
    found = call.documents.get_cached(work_groups, call.account_id, call.region, name)
    if found is not None:
        return found
    if name != PRIMARY:
        raise not_found(name)
    return _make_primary(call.documents, call)


def work_group_to_change(tx: Transaction, call: Call, name: str) -> WorkGroup:
    """The workgroup of a name within the transaction that changes it.

    Raises:
        InvalidRequestException: there is none.
    """
    found = tx.get(work_groups, call.account_id, call.region, name)
    if found is None:
        raise not_found(name)
    return found


def not_found(name: str) -> InvalidRequestException:
    """The error for a workgroup that does not exist."""
    return InvalidRequestException(f"WorkGroup {name} is not found.")


def _make_primary(documents: Documents, call: Call) -> WorkGroup:
    """Every account has `primary` in every region without making it."""
    made = WorkGroup(
        PRIMARY,
        created_at=call.clock.time(),
        configuration={
            "ResultConfiguration": {},
            "EnforceWorkGroupConfiguration": False,
            "PublishCloudWatchMetricsEnabled": False,
            "RequesterPaysEnabled": False,
            "EngineVersion": engine_version(AUTO),
        },
    )
    try:
        documents.insert(work_groups, call.account_id, call.region, PRIMARY, made)
    except DocumentExists:
        return documents.get(work_groups, call.account_id, call.region, PRIMARY) or made
    return made
