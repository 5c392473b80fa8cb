from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.live_server import LiveServer
from tests.services.cloudtrail.conftest import ACCOUNT, refused

Clients = Callable[..., Any]


def by(key: str, value: str) -> dict[str, Any]:
    return {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}


@pytest.fixture
def user(aws: Clients) -> str:
    name = f"user-{uuid4().hex}"
    aws("iam").create_user(UserName=name)
    return name


def test_a_call_is_found_at_once(aws: Clients, user: str) -> None:
    events = aws("cloudtrail").lookup_events(**by("ResourceName", user))["Events"]
    assert len(events) == 1
    event = events[0]
    assert event["EventName"] == "CreateUser"
    assert event["EventSource"] == "iam.amazonaws.com"
    assert event["ReadOnly"] == "false"
    assert event["Username"] == "root"
    assert event["AccessKeyId"]
    assert {"ResourceType": "AWS::IAM::User", "ResourceName": user} in event["Resources"]
    record = json.loads(event["CloudTrailEvent"])
    assert record["eventID"] == event["EventId"]
    assert record["requestParameters"] == {"userName": user}
    assert record["responseElements"]["user"]["userName"] == user
    assert record["userIdentity"]["arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert record["sourceIPAddress"] == "127.0.0.1"
    assert record["userAgent"].startswith("Boto3/")


def test_request_ids_are_those_that_the_client_saw(aws: Clients) -> None:
    answer = aws("sts").get_caller_identity()
    found = aws("cloudtrail").lookup_events(**by("EventName", "GetCallerIdentity"))["Events"]
    request_id = json.loads(found[0]["CloudTrailEvent"])["requestID"]
    assert request_id == answer["ResponseMetadata"]["RequestId"]


def test_found_by_each_attribute(aws: Clients, user: str) -> None:
    cloudtrail = aws("cloudtrail")
    keys = aws("iam").create_access_key(UserName=user)["AccessKey"]
    aws("sts", keys).get_caller_identity()
    own = cloudtrail.lookup_events(**by("Username", user))["Events"]
    assert [event["EventName"] for event in own] == ["GetCallerIdentity"]
    assert own[0]["AccessKeyId"] == keys["AccessKeyId"]
    assert own[0]["ReadOnly"] == "true"
    event_id = own[0]["EventId"]
    for key, value in (
        ("AccessKeyId", keys["AccessKeyId"]),
        ("EventId", event_id),
        ("EventName", "GetCallerIdentity"),
        ("EventSource", "sts.amazonaws.com"),
        ("ReadOnly", "true"),
    ):
        found = cloudtrail.lookup_events(**by(key, value))["Events"]
        assert event_id in [event["EventId"] for event in found], key
    named = cloudtrail.lookup_events(**by("ResourceType", "AWS::IAM::AccessKey"))["Events"]
    assert named[0]["EventName"] == "CreateAccessKey"
    assert "secretAccessKey" not in named[0]["CloudTrailEvent"].replace(
        '"secretAccessKey":"HIDDEN_DUE_TO_SECURITY_REASONS"', ""
    )
    assert keys["SecretAccessKey"] not in named[0]["CloudTrailEvent"]


def test_refused_calls_are_recorded_with_their_error(aws: Clients, user: str) -> None:
    keys = aws("iam").create_access_key(UserName=user)["AccessKey"]
    refused("AccessDenied", aws("iam", keys).create_user, UserName="other")
    event = aws("cloudtrail").lookup_events(**by("Username", user))["Events"][0]
    record = json.loads(event["CloudTrailEvent"])
    assert record["errorCode"] == "AccessDenied"
    assert "is not authorized to perform: iam:CreateUser" in record["errorMessage"]
    assert record["responseElements"] is None


def test_pages(aws: Clients, user: str) -> None:
    for _ in range(7):
        aws("iam").get_user(UserName=user)
    cloudtrail = aws("cloudtrail")
    pages = cloudtrail.get_paginator("lookup_events").paginate(
        **by("ResourceName", user), PaginationConfig={"PageSize": 3}
    )
    found = [page["Events"] for page in pages]
    assert [len(page) for page in found] == [3, 3, 2]
    ids = [event["EventId"] for page in found for event in page]
    assert len(set(ids)) == 8
    assert found[-1][-1]["EventName"] == "CreateUser"


def test_a_token_belongs_to_its_question(aws: Clients, user: str) -> None:
    aws("iam").get_user(UserName=user)
    cloudtrail = aws("cloudtrail")
    token = cloudtrail.lookup_events(**by("ResourceName", user), MaxResults=1)["NextToken"]
    nested = base64.urlsafe_b64encode(b'[1,1,"x",' + b"[" * 2000 + b"]" * 2001).decode()
    for text in ("nonsense", token, nested):
        refused("InvalidNextTokenException", cloudtrail.lookup_events, NextToken=text)
    other = by("ResourceName", "other")
    refused("InvalidNextTokenException", cloudtrail.lookup_events, **other, NextToken=token)


def test_times(fresh_server: LiveServer) -> None:
    iam, cloudtrail = fresh_server.client("iam"), fresh_server.client("cloudtrail")
    start = fresh_server.runtime.clock.now()
    for name in ("first", "second", "third"):
        iam.create_user(UserName=name)
        fresh_server.advance(3600)
    request = by("EventName", "CreateUser")

    def names(**times: Any) -> list[str]:
        events = cloudtrail.lookup_events(**request, **times)["Events"]
        return [event["Resources"][0]["ResourceName"] for event in events]

    minute = timedelta(minutes=1)
    hour = timedelta(hours=1)
    assert names() == ["third", "second", "first"]
    assert names(StartTime=start + hour - minute) == ["third", "second"]
    assert names(EndTime=start + hour + minute) == ["second", "first"]
    assert names(StartTime=start + hour - minute, EndTime=start + hour + minute) == ["second"]
    message = refused(
        "InvalidTimeRangeException",
        cloudtrail.lookup_events,
        StartTime=start + hour,
        EndTime=start,
    )
    assert message == "Start time cannot be after end time."
    fresh_server.advance(timedelta(days=90).total_seconds() - 2.5 * 3600)
    assert names() == ["third", "second"]
    fresh_server.advance(2 * 3600)
    assert names() == []


def test_attributes_that_are_refused(aws: Clients) -> None:
    cloudtrail = aws("cloudtrail")
    two = by("EventName", "a")["LookupAttributes"] * 2
    refused("InvalidLookupAttributesException", cloudtrail.lookup_events, LookupAttributes=two)
    maybe = by("ReadOnly", "maybe")
    refused("InvalidLookupAttributesException", cloudtrail.lookup_events, **maybe)


def test_there_are_no_insights(aws: Clients, user: str) -> None:
    assert aws("cloudtrail").lookup_events(EventCategory="insight")["Events"] == []


def test_accounts_and_regions_see_their_own(server: LiveServer, user: str) -> None:
    stranger = server.new_account(f"stranger-{uuid4().hex}")
    theirs = server.client("cloudtrail", stranger)
    assert theirs.lookup_events(**by("ResourceName", user))["Events"] == []
    elsewhere = server.client("cloudtrail", region_name="eu-west-1")
    assert elsewhere.lookup_events(**by("ResourceName", user))["Events"] == []


def test_object_calls_are_no_management_events(aws: Clients) -> None:
    s3, bucket = aws("s3"), f"bucket-{uuid4().hex}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    events = aws("cloudtrail").lookup_events(**by("ResourceName", bucket))["Events"]
    assert [event["EventName"] for event in events] == ["CreateBucket"]
