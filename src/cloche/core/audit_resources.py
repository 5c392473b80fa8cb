"""The resources that a call names, by which LookupEvents finds its event.

Read from an event's parameters, so that the index and the answer of LookupEvents agree. A service
whose resources are to be found adds its own line to `RESOURCE_MEMBERS`; an operation may name any
in `call.audit["resources"]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

RESOURCE_MEMBERS: dict[str, dict[str, str]] = {
    "s3.amazonaws.com": {"bucketName": "AWS::S3::Bucket"},
    "iam.amazonaws.com": {
        "userName": "AWS::IAM::User",
        "roleName": "AWS::IAM::Role",
        "groupName": "AWS::IAM::Group",
        "policyArn": "AWS::IAM::Policy",
        "accessKeyId": "AWS::IAM::AccessKey",
        "instanceProfileName": "AWS::IAM::InstanceProfile",
    },
    "sts.amazonaws.com": {
        "roleArn": "AWS::IAM::Role",
        "accessKeyId": "AWS::IAM::AccessKey",
        "roleSessionName": "AWS::STS::AssumedRole",
        "assumedRoleId": "AWS::STS::AssumedRole",
        "arn": "AWS::STS::AssumedRole",
    },
    "cloudtrail.amazonaws.com": {
        "name": "AWS::CloudTrail::Trail",
        "trailName": "AWS::CloudTrail::Trail",
        "trailARN": "AWS::CloudTrail::Trail",
        "s3BucketName": "AWS::S3::Bucket",
    },
    "glue.amazonaws.com": {
        "databaseName": "AWS::Glue::Database",
        "tableName": "AWS::Glue::Table",
        "connectionName": "AWS::Glue::Connection",
    },
}
"""Type of what a parameter names, by `eventSource` and the parameter's name in the event."""


def named_resources(
    event_source: str,
    request_parameters: Any,
    response_elements: Any,
    resources: Sequence[Mapping[str, Any]] = (),
) -> list[tuple[str, str]]:
    """(type, name) of all that an event names, each once.

    What the operation itself named (`resources`) counts where no parameter names one of its type.
    """
    found: dict[tuple[str, str], None] = {}
    types = RESOURCE_MEMBERS.get(event_source)
    if types is not None:
        for parameters in (request_parameters, response_elements):
            found.update(dict.fromkeys(_members(types, parameters, 0)))
    known_types = {kind for kind, _ in found}
    for resource in resources:
        kind, name = resource.get("type", ""), resource.get("ARN", "")
        if name and kind not in known_types:
            found[kind, name] = None
    return list(found)


def _members(types: Mapping[str, str], parameters: Any, depth: int) -> Iterator[tuple[str, str]]:
    if not isinstance(parameters, dict):
        return
    for name, value in cast("dict[str, Any]", parameters).items():
        if isinstance(value, str):
            if value and name in types:
                yield types[name], value
        elif depth == 0:
            yield from _members(types, value, 1)
