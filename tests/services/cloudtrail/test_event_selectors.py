from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloche.services.cloudtrail.selection import (
    Identity,
    Resource,
    SelectedFields,
    compile_selection,
    takes_data_events,
)
from cloche.services.cloudtrail.trail_records import Trail
from tests.services.cloudtrail.conftest import ACCOUNT, Trails, refused


@pytest.fixture
def trail(trails: Trails) -> Iterator[str]:
    arn = trails.create(is_logging=False)
    yield arn
    trails.cloudtrail.delete_trail(Name=arn)


def test_without_selectors_all_management_events(trails: Trails, trail: str) -> None:
    found = trails.cloudtrail.get_event_selectors(TrailName=trail)
    assert found["EventSelectors"] == [
        {
            "ReadWriteType": "All",
            "IncludeManagementEvents": True,
            "DataResources": [],
            "ExcludeManagementEventSources": [],
        }
    ]
    assert "AdvancedEventSelectors" not in found


def test_one_kind_replaces_the_other(trails: Trails, trail: str) -> None:
    cloudtrail = trails.cloudtrail
    resources = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::b/", "arn:aws:s3"]}]
    basic = [{"ReadWriteType": "WriteOnly", "DataResources": resources}]
    put = cloudtrail.put_event_selectors(TrailName=trail, EventSelectors=basic)
    assert put["EventSelectors"][0]["IncludeManagementEvents"] is True
    assert put["EventSelectors"][0]["DataResources"] == resources
    assert cloudtrail.get_trail(Name=trail)["Trail"]["HasCustomEventSelectors"] is True
    advanced = [
        {
            "Name": "Writes",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Management"]},
                {"Field": "readOnly", "Equals": ["false"]},
            ],
        }
    ]
    cloudtrail.put_event_selectors(TrailName=trail, AdvancedEventSelectors=advanced)
    found = cloudtrail.get_event_selectors(TrailName=trail)
    assert found["AdvancedEventSelectors"] == advanced
    assert "EventSelectors" not in found


def data(kind: str, *values: str) -> dict[str, Any]:
    return {"EventSelectors": [{"DataResources": [{"Type": kind, "Values": list(values)}]}]}


def advanced(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"AdvancedEventSelectors": [{"FieldSelectors": list(conditions)}]}


MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
DATA = {"Field": "eventCategory", "Equals": ["Data"]}
OBJECTS = {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"EventSelectors": [{}], **advanced(MANAGEMENT)},
        {"EventSelectors": [{}] * 6},
        data("AWS::S3::Bucket", "arn:aws:s3"),
        data("AWS::S3::Object", "arn:aws:s3:::*"),
        data("AWS::S3::Object", "arn:aws:s3:::bucket"),
        data("AWS::S3::Object", "bucket"),
        data("AWS::S3::Object"),
        data("AWS::S3::Object", *[f"arn:aws:s3:::b/{n}" for n in range(251)]),
        {"EventSelectors": [{"ExcludeManagementEventSources": ["iam.amazonaws.com"]}]},
        advanced({"Field": "readOnly", "Equals": ["true"]}),
        advanced(MANAGEMENT, MANAGEMENT),
        advanced(MANAGEMENT, {"Field": "colour", "Equals": ["red"]}),
        advanced(MANAGEMENT, {"Field": "readOnly", "Equals": ["maybe"]}),
        advanced(MANAGEMENT, {"Field": "readOnly", "NotEquals": ["true"]}),
        advanced(MANAGEMENT, {"Field": "eventName"}),
        advanced(MANAGEMENT, OBJECTS),
        advanced(DATA),
    ],
)
def test_selectors_that_are_refused(trails: Trails, trail: str, request_: dict[str, Any]) -> None:
    put = trails.cloudtrail.put_event_selectors
    refused("InvalidEventSelectorsException", put, TrailName=trail, **request_)


@pytest.mark.parametrize(
    "request_",
    [
        data("AWS::Lambda::Function", "arn:aws:lambda"),
        advanced(DATA, {"Field": "resources.type", "Equals": ["AWS::DynamoDB::Table"]}),
        advanced({"Field": "eventCategory", "Equals": ["NetworkActivity"]}),
        advanced(MANAGEMENT, {"Field": "sessionCredentialFromConsole", "Equals": ["true"]}),
    ],
)
def test_what_there_is_no_data_of_is_not_built(
    trails: Trails, trail: str, request_: dict[str, Any]
) -> None:
    put = trails.cloudtrail.put_event_selectors
    refused("NotImplementedException", put, TrailName=trail, **request_)


def event(
    name: str = "CreateUser",
    source: str = "iam",
    *,
    read_only: bool = False,
    arn: str = "",
    region: str = "us-east-1",
    **members: Any,
) -> SelectedFields:
    fields: dict[str, Any] = {
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "readOnly": read_only,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Data" if arn else "Management",
        "eventType": "AwsApiCall",
        "userIdentity": Identity(arn="arn:aws:iam::000000000000:user/jane"),
        "resources": [Resource("AWS::S3::Object", arn)] if arn else [],
    }
    return SelectedFields(**{**fields, **members})


def made(**settings: Any) -> Trail:
    return Trail("t", ACCOUNT, "us-east-1", "b", **settings)


def basic(**selector: Any) -> Trail:
    defaults = {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [],
        "ExcludeManagementEventSources": [],
    }
    return made(event_selectors=({**defaults, **selector},))


def of(*conditions: dict[str, Any]) -> Trail:
    return made(advanced_event_selectors=({"FieldSelectors": list(conditions)},))


def s3(*values: str) -> list[dict[str, Any]]:
    return [{"Type": "AWS::S3::Object", "Values": list(values)}]


PUT = event("PutObject", "s3", arn="arn:aws:s3:::b/x/1")
GET = event("GetObject", "s3", arn="arn:aws:s3:::b/x/1", read_only=True)
OTHER = event("PutObject", "s3", arn="arn:aws:s3:::c/x/1")
CREATE = event()
LIST = event("ListUsers", read_only=True)
EVENTS = {"PUT": PUT, "GET": GET, "OTHER": OTHER, "CREATE": CREATE, "LIST": LIST}


@pytest.mark.parametrize(
    ("trail", "taken"),
    [
        (made(), {"CREATE", "LIST"}),
        (basic(ReadWriteType="ReadOnly"), {"LIST"}),
        (basic(ReadWriteType="WriteOnly"), {"CREATE"}),
        (basic(DataResources=s3("arn:aws:s3")), {"CREATE", "LIST", "PUT", "GET", "OTHER"}),
        (basic(DataResources=s3("arn:aws:s3:::")), {"CREATE", "LIST", "PUT", "GET", "OTHER"}),
        (basic(DataResources=s3("arn:aws:s3:::b/"), IncludeManagementEvents=False), {"PUT", "GET"}),
        (basic(DataResources=s3("arn:aws:s3:::b/y"), IncludeManagementEvents=False), set()),
        (
            basic(DataResources=s3("arn:aws:s3:::c/"), ReadWriteType="WriteOnly"),
            {"OTHER", "CREATE"},
        ),
        (of(MANAGEMENT), {"CREATE", "LIST"}),
        (of(MANAGEMENT, {"Field": "eventName", "StartsWith": ["Create", "Get"]}), {"CREATE"}),
        (of(MANAGEMENT, {"Field": "eventSource", "NotEquals": ["iam.amazonaws.com"]}), set()),
        (of(DATA, OBJECTS), {"PUT", "GET", "OTHER"}),
        (of(DATA, OBJECTS, {"Field": "readOnly", "Equals": ["true"]}), {"GET"}),
        (
            of(DATA, OBJECTS, {"Field": "resources.ARN", "NotStartsWith": ["arn:aws:s3:::b/"]}),
            {"OTHER"},
        ),
        (of(DATA, OBJECTS, {"Field": "userIdentity.arn", "EndsWith": ["user/joan"]}), set()),
    ],
)
def test_what_is_taken(trail: Trail, taken: set[str]) -> None:
    takes = compile_selection(trail)
    assert {name for name, each in EVENTS.items() if takes(each)} == taken
    assert takes_data_events(trail) or not taken & {"PUT", "GET", "OTHER"}


def test_regions_accounts_and_global_services() -> None:
    abroad = event("CreateStream", "kinesis", region="eu-west-1")
    assert not compile_selection(made())(abroad)
    assert compile_selection(made(is_multi_region=True))(abroad)
    assert not compile_selection(made())(event(recipientAccountId="111111111111"))
    assert not compile_selection(made(includes_global_events=False))(CREATE)
    assert compile_selection(made(includes_global_events=False))(event(source="sts"))


def test_own_deliveries() -> None:
    own = event(userIdentity=Identity(invokedBy="cloudtrail.amazonaws.com"))
    assert compile_selection(made())(own)
    assert not compile_selection(made(logs_own_deliveries=False))(own)
