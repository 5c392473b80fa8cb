"""Configurations of workgroups: defaults, changes, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloche.core.errors import NotImplementedException
from cloche.services.athena.errors import InvalidRequestException
from cloche.services.athena.result_configurations import check_result_configuration
from cloche.services.athena.work_group_records import AUTO, ENGINE_VERSION, engine_version

_SWITCHES = {
    "EnforceWorkGroupConfiguration": True,
    "PublishCloudWatchMetricsEnabled": False,
    "RequesterPaysEnabled": False,
    "EnableMinimumEncryptionConfiguration": False,
}
_NOT_BUILT = (
    "AdditionalConfiguration",
    "ExecutionRole",
    "CustomerContentEncryptionConfiguration",
    "MonitoringConfiguration",
    "EngineConfiguration",
    "SystemTableStatuses",
)
_NOT_BUILT_SWITCHES = {
    "ManagedQueryResultsConfiguration": "Enabled",
    "ManagedQueryResultsConfigurationUpdates": "Enabled",
    "IdentityCenterConfiguration": "EnableIdentityCenter",
    "QueryResultsS3AccessGrantsConfiguration": "EnableS3AccessGrants",
}
_RESULT_MEMBERS = (
    "OutputLocation",
    "EncryptionConfiguration",
    "ExpectedBucketOwner",
    "AclConfiguration",
)
LEAST_CUTOFF_BYTES = 10_000_000


def new_configuration(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a new workgroup.

    Raises:
        InvalidRequestException: a value cannot be.
        NotImplementedException: it asks for what Cloche does not do.
    """
    _check(asked)
    check_result_configuration(asked.get("ResultConfiguration"))
    configuration: dict[str, Any] = {
        "ResultConfiguration": dict(asked.get("ResultConfiguration") or {}),
        "EngineVersion": _engine_version(asked),
    }
    for member, default in _SWITCHES.items():
        configuration[member] = asked.get(member, default)
    if "BytesScannedCutoffPerQuery" in asked:
        configuration["BytesScannedCutoffPerQuery"] = asked["BytesScannedCutoffPerQuery"]
    return configuration


def changed_configuration(
    configuration: Mapping[str, Any], updates: Mapping[str, Any]
) -> dict[str, Any]:
    """A configuration after `WorkGroupConfigurationUpdates`.

    Raises:
        InvalidRequestException: a value cannot be.
        NotImplementedException: it asks for what Cloche does not do.
    """
    _check(updates)
    changed = dict(configuration)
    for member in _SWITCHES:
        if member in updates:
            changed[member] = updates[member]
    if "EngineVersion" in updates:
        changed["EngineVersion"] = _engine_version(updates)
    if updates.get("RemoveBytesScannedCutoffPerQuery"):
        changed.pop("BytesScannedCutoffPerQuery", None)
    elif "BytesScannedCutoffPerQuery" in updates:
        changed["BytesScannedCutoffPerQuery"] = updates["BytesScannedCutoffPerQuery"]
    if "ResultConfigurationUpdates" in updates:
        changed["ResultConfiguration"] = _changed_results(
            configuration.get("ResultConfiguration") or {}, updates["ResultConfigurationUpdates"]
        )
    return changed


def _changed_results(current: Mapping[str, Any], updates: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(current)
    for member in _RESULT_MEMBERS:
        if updates.get(f"Remove{member}"):
            if member in updates:
                raise InvalidRequestException(
                    f"{member} and Remove{member} cannot be given together."
                )
            changed.pop(member, None)
        elif member in updates:
            changed[member] = updates[member]
    check_result_configuration(changed)
    return changed


def _engine_version(asked: Mapping[str, Any]) -> dict[str, str]:
    selected = (asked.get("EngineVersion") or {}).get("SelectedEngineVersion") or AUTO
    if selected not in (AUTO, ENGINE_VERSION):
        if selected.startswith(("PySpark", "Apache Spark")):
            raise NotImplementedException(
                f"Cloche does not implement EngineVersion {selected} of Athena yet."
            )
        raise InvalidRequestException(f"Engine version {selected} is not supported.")
    return engine_version(selected)


def _check(asked: Mapping[str, Any]) -> None:
    refused = [member for member in _NOT_BUILT if asked.get(member)]
    refused += [
        member
        for member, switch in _NOT_BUILT_SWITCHES.items()
        if (asked.get(member) or {}).get(switch)
    ]
    if refused:
        raise NotImplementedException(
            f"Cloche does not implement {refused[0]} of Athena's workgroups yet."
        )
    cutoff = asked.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and cutoff < LEAST_CUTOFF_BYTES:
        raise InvalidRequestException(
            f"BytesScannedCutoffPerQuery must be at least {LEAST_CUTOFF_BYTES} bytes."
        )
