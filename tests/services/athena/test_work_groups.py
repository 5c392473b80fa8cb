from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Clients
from tests.services.athena.conftest import Lake, refused


@pytest.fixture
def athena(aws: Clients) -> Any:
    return aws("athena")


@pytest.fixture
def name() -> str:
    return f"group-{uuid4().hex[:12]}"


def test_a_workgroup_keeps_its_configuration_with_defaults_filled_in(
    athena: Any, name: str
) -> None:
    athena.create_work_group(
        Name=name,
        Description="numbers",
        Configuration={"ResultConfiguration": {"OutputLocation": "s3://somewhere/x/"}},
    )
    found = athena.get_work_group(WorkGroup=name)["WorkGroup"]
    assert found["State"] == "ENABLED"
    assert found["Description"] == "numbers"
    configuration = found["Configuration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["ResultConfiguration"] == {"OutputLocation": "s3://somewhere/x/"}
    assert configuration["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"


def test_primary_is_there_without_being_made_and_cannot_be_deleted(athena: Any) -> None:
    assert athena.get_work_group(WorkGroup="primary")["WorkGroup"]["Name"] == "primary"
    refused("InvalidRequestException", athena.delete_work_group, WorkGroup="primary")


def test_a_name_is_taken_once(athena: Any, name: str) -> None:
    athena.create_work_group(Name=name)
    message = refused("InvalidRequestException", athena.create_work_group, Name=name)
    assert "already created" in message


def test_an_update_changes_what_it_names(athena: Any, name: str) -> None:
    athena.create_work_group(
        Name=name,
        Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://one/"},
            "BytesScannedCutoffPerQuery": 20_000_000,
        },
    )
    athena.update_work_group(
        WorkGroup=name,
        State="DISABLED",
        ConfigurationUpdates={
            "RemoveBytesScannedCutoffPerQuery": True,
            "ResultConfigurationUpdates": {"OutputLocation": "s3://two/"},
        },
    )
    found = athena.get_work_group(WorkGroup=name)["WorkGroup"]
    assert found["State"] == "DISABLED"
    assert "BytesScannedCutoffPerQuery" not in found["Configuration"]
    assert found["Configuration"]["ResultConfiguration"] == {"OutputLocation": "s3://two/"}


def test_a_disabled_workgroup_runs_nothing(lake: Lake, name: str) -> None:
    lake.athena.create_work_group(Name=name)
    lake.athena.update_work_group(WorkGroup=name, State="DISABLED")
    message = refused(
        "InvalidRequestException",
        lake.athena.start_query_execution,
        QueryString="SELECT 1",
        WorkGroup=name,
    )
    assert "disabled" in message


def test_one_that_is_not_empty_is_deleted_only_with_all_that_is_in_it(
    athena: Any, name: str
) -> None:
    athena.create_work_group(Name=name)
    query = athena.create_named_query(
        Name="q", Database="d", QueryString="SELECT 1", WorkGroup=name
    )["NamedQueryId"]
    message = refused("InvalidRequestException", athena.delete_work_group, WorkGroup=name)
    assert "not empty" in message
    athena.get_named_query(NamedQueryId=query)
    athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=True)
    refused("InvalidRequestException", athena.get_work_group, WorkGroup=name)
    refused("InvalidRequestException", athena.get_named_query, NamedQueryId=query)


def test_lists_are_paged(athena: Any) -> None:
    names = sorted(f"page-{uuid4().hex}" for _ in range(3))
    for each in names:
        athena.create_work_group(Name=each)
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = athena.list_work_groups(MaxResults=1, **token)
        found += [each["Name"] for each in page["WorkGroups"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert [each for each in found if each in names] == names
    assert "primary" in found
    refused("InvalidRequestException", athena.list_work_groups, NextToken="no token at all")


@pytest.mark.parametrize(
    "configuration",
    [
        {"EngineVersion": {"SelectedEngineVersion": "PySpark engine version 3"}},
        {"ManagedQueryResultsConfiguration": {"Enabled": True}},
        {
            "ResultConfiguration": {
                "OutputLocation": "s3://x/",
                "EncryptionConfiguration": {"EncryptionOption": "CSE_KMS", "KmsKey": "k"},
            }
        },
    ],
)
def test_what_is_not_built_is_refused(athena: Any, name: str, configuration: Any) -> None:
    refused(
        "NotImplementedException",
        athena.create_work_group,
        Name=name,
        Configuration=configuration,
    )


def test_tags(athena: Any, name: str) -> None:
    arn = f"arn:aws:athena:us-east-1:000000000000:workgroup/{name}"
    refused("ResourceNotFoundException", athena.list_tags_for_resource, ResourceARN=arn)
    athena.create_work_group(Name=name, Tags=[{"Key": "a", "Value": "1"}])
    athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    athena.untag_resource(ResourceARN=arn, TagKeys=["a"])
    tags = athena.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "b", "Value": "2"}]


def test_engine_versions(athena: Any) -> None:
    versions = athena.list_engine_versions()["EngineVersions"]
    assert {each["SelectedEngineVersion"] for each in versions} == {
        "AUTO",
        "Athena engine version 3",
    }
