from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.live_server import LiveServer
from tests.services.glue.conftest import refused, table_input

ACCOUNT = "000000000000"
GLUE = f"arn:aws:glue:us-east-1:{ACCOUNT}"


def user_with(server: LiveServer, *statements: dict[str, Any]) -> Any:
    """A client of a new user who has these statements in a policy."""
    iam, name = server.client("iam"), f"user-{uuid4().hex[:12]}"
    iam.create_user(UserName=name)
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return server.client("glue", key)


def allow(action: str, *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": [f"{GLUE}:{r}" for r in resources]}


def test_table_database_and_catalog_must_all_be_allowed(
    server: LiveServer, table: dict[str, str]
) -> None:
    database = table["DatabaseName"]
    where = {"DatabaseName": database, "Name": "flights"}
    resources = ("catalog", f"database/{database}", f"table/{database}/flights")
    user = user_with(server, allow("glue:GetTable", *resources))
    assert user.get_table(**where)["Table"]["Name"] == "flights"
    assert user.get_table(DatabaseName=database, Name="FLIGHTS")["Table"]["Name"] == "flights"
    for missing in resources:
        kept = [each for each in resources if each != missing]
        other = user_with(server, allow("glue:GetTable", *kept))
        message = refused("AccessDeniedException", other.get_table, **where)
        assert f"glue:GetTable on resource: {GLUE}:{missing}" in message


@pytest.mark.parametrize(
    ("operation", "request_", "resource"),
    [
        ("create_database", {"DatabaseInput": {"Name": "New"}}, "database/new"),
        ("update_database", {"Name": "x", "DatabaseInput": {"Name": "x"}}, "database/x"),
        ("get_databases", {}, "database/*"),
        ("delete_database", {"Name": "x"}, "table/x/*"),
        ("delete_database", {"Name": "x"}, "userDefinedFunction/x/*"),
        ("create_table", {"DatabaseName": "x", "TableInput": {"Name": "T"}}, "table/x/t"),
        ("get_tables", {"DatabaseName": "x"}, "table/x/*"),
        ("batch_delete_table", {"DatabaseName": "x", "TablesToDelete": ["a", "b"]}, "table/x/b"),
        ("get_partitions", {"DatabaseName": "x", "TableName": "t"}, "table/x/t"),
        ("search_tables", {}, "table/*/*"),
        (
            "get_user_defined_function",
            {"DatabaseName": "x", "FunctionName": "f"},
            "userDefinedFunction/x/f",
        ),
        ("get_user_defined_functions", {"Pattern": "*"}, "userDefinedFunction/*/*"),
        ("get_connection", {"Name": "c"}, "connection/c"),
        ("delete_connection", {"ConnectionName": "c"}, "connection/c"),
        ("batch_delete_connection", {"ConnectionNameList": ["c", "d"]}, "connection/d"),
        ("get_connections", {}, "connection/*"),
        ("get_resource_policy", {}, "catalog"),
        ("get_tags", {"ResourceArn": f"{GLUE}:database/x"}, "database/x"),
    ],
)
def test_each_operation_asks_for_what_it_acts_on(
    server: LiveServer, operation: str, request_: dict[str, Any], resource: str
) -> None:
    everything = {"Effect": "Allow", "Action": "glue:*", "Resource": "*"}
    denied = {"Effect": "Deny", "Action": "glue:*", "Resource": f"{GLUE}:{resource}"}
    user = user_with(server, everything, denied)
    message = refused("AccessDeniedException", getattr(user, operation), **request_)
    assert f"on resource: {GLUE}:{resource} with an explicit deny" in message


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_resource_policy_is_kept_and_its_conditions_hold(fresh_server: LiveServer) -> None:
    glue = fresh_server.client("glue")
    refused("EntityNotFoundException", glue.get_resource_policy)
    assert glue.get_resource_policies()["GetResourcePoliciesResponseList"] == []
    text = policy(
        {"Effect": "Allow", "Principal": "*", "Action": "glue:Get*", "Resource": f"{GLUE}:*"}
    )
    refused(
        "EntityNotFoundException",
        glue.put_resource_policy,
        PolicyInJson=text,
        PolicyExistsCondition="MUST_EXIST",
    )
    digest = glue.put_resource_policy(PolicyInJson=text, PolicyExistsCondition="NOT_EXIST")
    found = glue.get_resource_policy()
    assert found["PolicyInJson"] == text
    assert found["PolicyHash"] == digest["PolicyHash"]
    (listed,) = glue.get_resource_policies()["GetResourcePoliciesResponseList"]
    assert listed["PolicyInJson"] == text
    refused(
        "ConditionCheckFailureException",
        glue.put_resource_policy,
        PolicyInJson=text,
        PolicyExistsCondition="NOT_EXIST",
    )
    for change in (glue.delete_resource_policy, glue.put_resource_policy):
        request = {"PolicyInJson": text} if change == glue.put_resource_policy else {}
        refused("ConditionCheckFailureException", change, PolicyHashCondition="x", **request)
    assert glue.get_resource_policy()["PolicyInJson"] == text
    glue.delete_resource_policy(PolicyHashCondition=digest["PolicyHash"])
    refused("EntityNotFoundException", glue.get_resource_policy)
    refused("EntityNotFoundException", glue.delete_resource_policy)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "not json",
        policy({"Effect": "Allow", "Action": "glue:*", "Resource": "*"}),
        policy({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}),
    ],
)
def test_what_is_no_policy_is_refused(glue: Any, text: str) -> None:
    refused("InvalidInputException", glue.put_resource_policy, PolicyInJson=text)


def test_resource_policy_lets_another_account_in_and_own_users_out(
    fresh_server: LiveServer,
) -> None:
    glue = fresh_server.client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    glue.create_table(DatabaseName="lake", TableInput=table_input())
    other = fresh_server.new_account("other")
    stranger = fresh_server.client("glue", other)
    where = {"CatalogId": ACCOUNT, "DatabaseName": "lake", "Name": "flights"}
    refused("AccessDeniedException", stranger.get_table, **where)
    everything = {"Effect": "Allow", "Action": "glue:*", "Resource": "*"}
    user = user_with(fresh_server, everything)
    glue.put_resource_policy(
        PolicyInJson=policy(
            {
                "Effect": "Allow",
                "Principal": {"AWS": other["AccountId"]},
                "Action": "glue:GetTable",
                "Resource": [f"{GLUE}:catalog", f"{GLUE}:database/lake", f"{GLUE}:table/lake/*"],
            },
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "glue:DeleteTable",
                "Resource": f"{GLUE}:table/lake/flights",
            },
        )
    )
    found = stranger.get_table(**where)["Table"]
    assert (found["Name"], found["CatalogId"]) == ("flights", ACCOUNT)
    refused("AccessDeniedException", stranger.delete_table, **where)
    refused("AccessDeniedException", user.delete_table, DatabaseName="lake", Name="flights")
    assert user.get_table(DatabaseName="lake", Name="flights")
    glue.delete_resource_policy()
    refused("AccessDeniedException", stranger.get_table, **where)
    user.delete_table(DatabaseName="lake", Name="flights")


def test_tags(glue: Any, database: str) -> None:
    arn = f"{GLUE}:database/{database}"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {}
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"a": "1", "b": "2"})
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"b": "3"})
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"a": "1", "b": "3"}
    glue.untag_resource(ResourceArn=arn, TagsToRemove=["a", "x"])
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"b": "3"}
    glue.delete_database(Name=database)
    refused("EntityNotFoundException", glue.get_tags, ResourceArn=arn)
    glue.create_database(DatabaseInput={"Name": database.upper()}, Tags={"c": "4"})
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"c": "4"}
    many = {str(number): "x" for number in range(50)}
    refused("InvalidInputException", glue.tag_resource, ResourceArn=arn, TagsToAdd=many)
    refused("InvalidInputException", glue.tag_resource, ResourceArn=arn, TagsToAdd={"aws:x": "y"})
    refused("NotImplementedException", glue.get_tags, ResourceArn=f"{GLUE}:workflow/x")
    refused("EntityNotFoundException", glue.get_tags, ResourceArn=f"{GLUE}:connection/x")
