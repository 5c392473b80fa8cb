from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from cloche.core.audit import IndexedEvent
from cloche.core.audit_events import EventBuilder, FinishedCall
from cloche.core.errors import AccessDenied, AWSError
from cloche.core.operations import Call
from cloche.core.principals import ANONYMOUS, Principal
from tests.core.audit_calls import ACCOUNT, JANE, Http, call, model_of

NOON = 1_782_907_200.75  # 2026-07-01T12:00:00.75Z


def indexed(
    finished: Call,
    request: Mapping[str, Any] | None = None,
    response: Mapping[str, Any] | None = None,
    *,
    read_only: bool = False,
    error: AWSError | None = None,
) -> IndexedEvent:
    builder = EventBuilder(model_of, "999999999999")
    return builder.build(
        FinishedCall(finished, read_only, request or {}, response, error, NOON), NOON
    )


def event(*arguments: Any, **members: Any) -> dict[str, Any]:
    return json.loads(indexed(*arguments, **members).event)


def test_a_whole_event() -> None:
    created = datetime(2026, 7, 1, 12, 0, 5, tzinfo=UTC)
    made = indexed(
        call("iam", "CreateUser"),
        {"UserName": "joan", "Tags": [{"Key": "Team", "Value": "Red"}]},
        {"User": {"UserName": "joan", "UserId": "AIDAJOAN", "CreateDate": created}},
    )
    shown = json.loads(made.event)
    assert UUID(shown.pop("eventID")).bytes == made.event_id
    assert shown == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAJANE",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/jane",
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAJANE",
            "userName": "jane",
        },
        "eventTime": "2026-07-01T12:00:00Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "10.0.0.7",
        "userAgent": "Boto3/1.44.5",
        "requestParameters": {"userName": "joan", "tags": [{"key": "Team", "value": "Red"}]},
        "responseElements": {
            "user": {
                "userName": "joan",
                "userId": "AIDAJOAN",
                "createDate": "Jul 1, 2026, 12:00:05 PM",
            }
        },
        "requestID": "request-1",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    assert made.scope == f"{ACCOUNT}/us-east-1"
    assert made.time == int(NOON)
    assert set(made.terms) == {
        ("EventName", "CreateUser"),
        ("EventSource", "iam.amazonaws.com"),
        ("ReadOnly", "false"),
        ("Username", "jane"),
        ("AccessKeyId", "AKIAJANE"),
        ("ResourceType", "AWS::IAM::User"),
        ("ResourceName", "joan"),
    }


def test_read_only_calls_have_no_response_elements() -> None:
    shown = event(call("iam", "GetUser"), {}, {"User": {"UserName": "jane"}}, read_only=True)
    assert shown["readOnly"] is True
    assert shown["responseElements"] is None
    assert shown["requestParameters"] is None


def test_errors_are_told() -> None:
    shown = event(call("iam", "CreateUser"), {"UserName": "joan"}, error=AccessDenied("No."))
    assert (shown["errorCode"], shown["errorMessage"]) == ("AccessDenied", "No.")
    assert shown["responseElements"] is None
    assert shown["requestParameters"] == {"userName": "joan"}


def test_object_calls_are_data_events() -> None:
    made = indexed(
        call("s3", "PutObject"),
        {"Bucket": "b", "Key": "k/1", "Body": b"secret body", "ACL": "private"},
        {"ETag": '"x"', "VersionId": "3"},
    )
    shown = json.loads(made.event)
    assert made.terms == ()
    assert b"secret body" not in made.event
    assert shown["eventCategory"] == "Data"
    assert shown["managementEvent"] is False
    assert shown["requestParameters"] == {
        "bucketName": "b",
        "key": "k/1",
        "x-amz-acl": "private",
        "Host": "127.0.0.1:4566",
    }
    assert shown["responseElements"] == {"ETag": '"x"', "x-amz-version-id": "3"}
    assert shown["resources"] == [
        {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/k/1"},
        {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b"},
    ]


def test_bucket_calls_are_found_by_the_bucket() -> None:
    made = indexed(call("s3", "CreateBucket"), {"Bucket": "b"}, {"Location": "/b"})
    assert ("ResourceName", "b") in made.terms
    assert ("ResourceType", "AWS::S3::Bucket") in made.terms
    assert ("ResourceName", "arn:aws:s3:::b") not in made.terms


def test_s3_event_names_are_its_own() -> None:
    assert event(call("s3", "ListObjectsV2"), {"Bucket": "b"})["eventName"] == "ListObjects"
    shown = event(call("s3", "PutBucketLifecycleConfiguration"), {"Bucket": "b"})
    assert shown["eventName"] == "PutBucketLifecycle"


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (
            Principal("Root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, access_key_id="AK"),
            {
                "type": "Root",
                "principalId": ACCOUNT,
                "arn": f"arn:aws:iam::{ACCOUNT}:root",
                "accountId": ACCOUNT,
                "accessKeyId": "AK",
            },
        ),
        (
            Principal(
                "AssumedRole",
                ACCOUNT,
                f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s",
                "AROAR:s",
                name="s",
                access_key_id="ASIA",
                role_arn=f"arn:aws:iam::{ACCOUNT}:role/path/r",
                session_issued_at=NOON,
            ),
            {
                "type": "AssumedRole",
                "principalId": "AROAR:s",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s",
                "accountId": ACCOUNT,
                "accessKeyId": "ASIA",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROAR",
                        "arn": f"arn:aws:iam::{ACCOUNT}:role/path/r",
                        "accountId": ACCOUNT,
                        "userName": "r",
                    },
                    "attributes": {
                        "creationDate": "2026-07-01T12:00:00Z",
                        "mfaAuthenticated": "false",
                    },
                },
            },
        ),
        (
            Principal("AWSService", ACCOUNT, "", "", name="cloudtrail.amazonaws.com"),
            {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"},
        ),
        (
            ANONYMOUS,
            {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"},
        ),
    ],
)
def test_identities(principal: Principal, expected: dict[str, Any]) -> None:
    assert event(call("sts", "GetCallerIdentity", principal))["userIdentity"] == expected


def test_identities_of_one_user_with_two_keys_are_two() -> None:
    builder = EventBuilder(model_of, ACCOUNT)
    keys = []
    for key in ("AKIA1", "AKIA2"):
        principal = Principal("IAMUser", ACCOUNT, JANE.arn, "AIDA", "jane", key)
        finished = FinishedCall(call("sts", "GetCallerIdentity", principal), True, {}, {}, None, 1)
        keys.append(json.loads(builder.build(finished, 1).event)["userIdentity"]["accessKeyId"])
    assert keys == ["AKIA1", "AKIA2"]


def test_anonymous_calls_belong_to_the_server_unless_the_operation_says() -> None:
    assert event(call("s3", "GetObject", ANONYMOUS))["recipientAccountId"] == "999999999999"
    finished = call("s3", "GetObject", ANONYMOUS, audit={"recipientAccountId": "1" * 12})
    assert event(finished)["recipientAccountId"] == "1" * 12


def test_calls_between_services() -> None:
    shown = event(call("s3", "PutObject", is_internal=True), {"Bucket": "b", "Key": "k"})
    assert (shown["sourceIPAddress"], shown["userAgent"]) == ("AWS Internal", "AWS Internal")
    assert "Host" not in shown["requestParameters"]
    service = Principal("AWSService", ACCOUNT, "", "", name="glue.amazonaws.com")
    shown = event(call("s3", "GetObject", service, is_internal=True))
    assert shown["sourceIPAddress"] == "glue.amazonaws.com"


def test_passwords_among_properties_are_hidden() -> None:
    properties = {"USERNAME": "jane", "PASSWORD": "s3cr3t", "KAFKA_CLIENT_KEY_PASSWORD": "t0k3n"}
    given = {"Name": "c", "ConnectionType": "JDBC", "ConnectionProperties": properties}
    made = indexed(call("glue", "CreateConnection"), {"ConnectionInput": given}, {})
    assert b"jane" in made.event
    assert b"s3cr3t" not in made.event
    assert b"t0k3n" not in made.event


def test_secrets_are_hidden() -> None:
    hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"
    shown = event(
        call("iam", "CreateAccessKey"),
        {"UserName": "jane"},
        {"AccessKey": {"AccessKeyId": "AKIA2", "SecretAccessKey": "s3cr3t"}},
    )
    key = shown["responseElements"]["accessKey"]
    assert key == {"accessKeyId": "AKIA2", "secretAccessKey": hidden}
    made = indexed(
        call("sts", "AssumeRole"),
        {
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
            "RoleSessionName": "s",
            "TokenCode": "123456",
        },
        {
            "Credentials": {
                "AccessKeyId": "ASIA",
                "SecretAccessKey": "s3cr3t",
                "SessionToken": "t0k3n",
            }
        },
    )
    for secret in (b"s3cr3t", b"t0k3n", b"123456"):
        assert secret not in made.event
    assert {
        ("ResourceName", f"arn:aws:iam::{ACCOUNT}:role/r"),
        ("ResourceName", "ASIA"),
        ("ResourceType", "AWS::STS::AssumedRole"),
    } <= set(made.terms)
    password = {"UserName": "jane", "Password": "pa55word"}
    shown = event(call("iam", "CreateLoginProfile"), password)
    assert shown["requestParameters"]["password"] == hidden


def test_keys_of_maps_are_kept_and_unknown_members_left_out() -> None:
    shown = event(
        call("lambda", "CreateFunction"),
        {
            "FunctionName": "f",
            "Tags": {"Team": "Red"},
            "Code": {"ZipFile": b"zip", "S3Bucket": "b"},
            "NotInTheModel": 1,
        },
    )
    parameters = shown["requestParameters"]
    assert parameters["tags"] == {"Team": "Red"}
    assert parameters["code"]["s3Bucket"] == "b"
    assert parameters["code"]["zipFile"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert "notInTheModel" not in parameters


def test_too_large_parameters_are_omitted() -> None:
    request = {"PolicyName": "p", "PolicyDocument": "x" * 120_000}
    shown = event(call("iam", "CreatePolicy"), request)
    parameters = shown["requestParameters"]
    assert parameters["omitted"] is True
    assert parameters["originalSize"] > 120_000
    assert parameters["reason"] == "requestParameters too large"


def test_what_json_cannot_hold_is_omitted() -> None:
    error = AccessDenied("no \ud800")
    shown = event(call("iam", "ListUsers"), {"PathPrefix": "\ud800"}, error=error)
    assert shown["errorMessage"] == "no ?"
    assert shown["requestParameters"]["omitted"] is True
    assert shown["eventName"] == "ListUsers"


def test_values_that_hold_themselves_end() -> None:
    loop: dict[str, Any] = {}
    loop["M"] = {"x": loop}
    shown = event(call("dynamodb", "PutItem"), {"TableName": "t", "Item": {"a": loop}})
    assert shown["requestParameters"]["tableName"] == "t"


def test_operations_add_to_their_event() -> None:
    audit = {
        "resources": [{"type": "AWS::Glue::Table", "ARN": "arn:aws:glue:table"}],
        "additionalEventData": {"bytes": 3},
        "requestParameters": {"short": True},
    }
    made = indexed(call("glue", "GetTable", audit=audit), {"Name": "n"}, read_only=True)
    shown = json.loads(made.event)
    assert shown["resources"] == audit["resources"]
    assert shown["additionalEventData"] == {"bytes": 3}
    assert shown["requestParameters"] == {"short": True}
    assert ("ResourceName", "arn:aws:glue:table") in made.terms


def test_event_sources() -> None:
    assert event(call("cloudwatch", "PutMetricAlarm"))["eventSource"] == "monitoring.amazonaws.com"
    assert event(call("stepfunctions", "ListActivities"))["eventSource"] == "states.amazonaws.com"


def test_tls_is_told() -> None:
    shown = event(call("iam", "ListUsers", http=Http(is_secure=True)))
    assert shown["tlsDetails"] == {"clientProvidedHostHeader": "127.0.0.1:4566"}


def test_event_ids_rise_though_time_stands_still() -> None:
    builder = EventBuilder(model_of, ACCOUNT)
    finished = FinishedCall(call("iam", "ListUsers"), True, {}, {}, None, NOON)
    ids = [builder.build(finished, NOON).event_id for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert UUID(bytes=ids[0]).version == 7
