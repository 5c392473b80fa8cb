"""Workgroups: create, get, list, update, delete; engine versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cloche.core.documents import DocumentExists, Transaction
from cloche.core.operations import Call
from cloche.services.athena.errors import InvalidRequestException
from cloche.services.athena.paging import page_of_documents
from cloche.services.athena.service import service
from cloche.services.athena.tag_rules import checked_tags
from cloche.services.athena.work_group_configurations import (
    changed_configuration,
    new_configuration,
)
from cloche.services.athena.work_group_contents import delete_contents, has_contents
from cloche.services.athena.work_group_records import (
    AUTO,
    ENGINE_VERSION,
    PRIMARY,
    WORK_GROUP,
    WorkGroup,
    find_work_group,
    not_found,
    work_group_to_change,
    work_groups,
)

if TYPE_CHECKING:
    from aws_shapes import Empty
    from aws_shapes import athena as shapes

_LONGEST_PAGE = 50


@service.operation(resource="arn:{partition}:athena:{region}:{account}:workgroup/{Name}")
def create_work_group(call: Call, request: shapes.CreateWorkGroupInput) -> Empty:
    """Make a workgroup.

    Raises InvalidRequestException if the name is taken. AWS: Athena CreateWorkGroup.
    """
    made = WorkGroup(
        request["Name"],
        created_at=call.clock.time(),
        description=request.get("Description"),
        configuration=new_configuration(request.get("Configuration") or {}),
        tags=checked_tags({}, request.get("Tags") or []),
    )
    try:
        find_work_group(call, PRIMARY)
        call.documents.insert(work_groups, call.account_id, call.region, made.name, made)
    except DocumentExists:
        raise InvalidRequestException("WorkGroup is already created") from None
    return {}


@service.operation(resource=WORK_GROUP)
def get_work_group(call: Call, request: shapes.GetWorkGroupInput) -> shapes.GetWorkGroupOutput:
    """A workgroup and its configuration.

    Raises InvalidRequestException if there is none. AWS: Athena GetWorkGroup.
    """
    found = find_work_group(call, request["WorkGroup"])
    shown: Any = {
        "Name": found.name,
        "State": found.state,
        "Configuration": found.configuration,
        "CreationTime": found.created_at,
    }
    if found.description is not None:
        shown["Description"] = found.description
    return {"WorkGroup": shown}


@service.operation
def list_work_groups(
    call: Call, request: shapes.ListWorkGroupsInput
) -> shapes.ListWorkGroupsOutput:
    """Workgroups by name. AWS: Athena ListWorkGroups."""
    find_work_group(call, PRIMARY)
    limit = request.get("MaxResults", _LONGEST_PAGE)
    page, following = page_of_documents(call, work_groups, request.get("NextToken"), limit)
    answer: Any = {"WorkGroups": [_summary(document.value) for document in page], **following}
    return answer


@service.operation(resource=WORK_GROUP)
def update_work_group(call: Call, request: shapes.UpdateWorkGroupInput) -> Empty:
    """Change what is given of a workgroup.

    Raises InvalidRequestException if there is none. AWS: Athena UpdateWorkGroup.
    """
    name = request["WorkGroup"]
    find_work_group(call, name)

    def update(tx: Transaction) -> None:
        current = work_group_to_change(tx, call, name)
        changed = replace(
            current,
            description=request.get("Description", current.description),
            state=request.get("State", current.state),
            configuration=changed_configuration(
                current.configuration, request.get("ConfigurationUpdates") or {}
            ),
        )
        tx.put(work_groups, call.account_id, call.region, name, changed)

    call.documents.transact(update)
    return {}


@service.operation(resource=WORK_GROUP)
def delete_work_group(call: Call, request: shapes.DeleteWorkGroupInput) -> Empty:
    """Forget a workgroup, and all that belongs to it where that is asked for.

    Raises InvalidRequestException if it is `primary`, or is not empty. AWS: Athena
    DeleteWorkGroup.
    """
    name = request["WorkGroup"]
    if name == PRIMARY:
        raise InvalidRequestException("Cannot delete primary WorkGroup.")
    is_recursive = request.get("RecursiveDeleteOption", False)

    def delete(tx: Transaction) -> None:
        if tx.delete(work_groups, call.account_id, call.region, name) is None:
            raise not_found(name)
        if is_recursive:
            delete_contents(tx, call, name)
        elif has_contents(tx, call, name):
            raise InvalidRequestException(f"WorkGroup {name} is not empty")

    call.documents.transact(delete)
    return {}


@service.operation
def list_engine_versions(
    call: Call, request: shapes.ListEngineVersionsInput
) -> shapes.ListEngineVersionsOutput:
    """The engine versions that a workgroup may select. AWS: Athena ListEngineVersions."""
    versions: list[shapes.EngineVersion] = [
        {"SelectedEngineVersion": AUTO, "EffectiveEngineVersion": ENGINE_VERSION},
        {"SelectedEngineVersion": ENGINE_VERSION, "EffectiveEngineVersion": ENGINE_VERSION},
    ]
    return {"EngineVersions": versions}


def _summary(found: WorkGroup) -> Any:
    shown: dict[str, Any] = {
        "Name": found.name,
        "State": found.state,
        "CreationTime": found.created_at,
        "EngineVersion": found.configuration["EngineVersion"],
    }
    if found.description is not None:
        shown["Description"] = found.description
    return shown
