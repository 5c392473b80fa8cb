from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from cloche.services.glue import catalog
from cloche.services.glue.errors import EntityNotFoundException
from tests.live_server import LiveServer
from tests.services.glue.conftest import refused

SECRET = "swordfish-4711"


def connection_input(name: str, **members: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "ConnectionType": "JDBC",
        "Description": "the shop",
        "ConnectionProperties": {
            "JDBC_CONNECTION_URL": "jdbc:postgresql://db.example:5432/shop",
            "USERNAME": "reader",
            "PASSWORD": SECRET,
        },
        "PhysicalConnectionRequirements": {"SubnetId": "subnet-1", "AvailabilityZone": "a"},
        **members,
    }


@pytest.fixture
def name(glue: Any) -> str:
    """A new connection's."""
    name = f"shop-{uuid4().hex}"
    made = glue.create_connection(ConnectionInput=connection_input(name))
    assert made["CreateConnectionStatus"] == "READY"
    return name


def test_password_is_kept_out_of_answers_that_hide_it(glue: Any, name: str) -> None:
    shown = glue.get_connection(Name=name)["Connection"]
    assert shown["ConnectionProperties"]["PASSWORD"] == SECRET
    assert shown["LastUpdatedBy"] == "arn:aws:iam::000000000000:root"
    assert shown["CreationTime"] == shown["LastUpdatedTime"]
    hidden = glue.get_connection(Name=name, HidePassword=True)["Connection"]
    assert hidden["ConnectionProperties"]["USERNAME"] == "reader"
    assert SECRET not in str(hidden)
    pages = glue.get_paginator("get_connections").paginate(HidePassword=True)
    assert SECRET not in str(list(pages))


def test_password_leaves_no_catalog_that_lets_it_out_only_encrypted(
    fresh_server: LiveServer,
) -> None:
    glue = fresh_server.client("glue")
    glue.create_connection(ConnectionInput=connection_input("shop"))
    passwords = {"ReturnConnectionPasswordEncrypted": True}
    refused(
        "InvalidInputException",
        glue.put_data_catalog_encryption_settings,
        DataCatalogEncryptionSettings={"ConnectionPasswordEncryption": passwords},
    )
    settings = {
        "EncryptionAtRest": {"CatalogEncryptionMode": "SSE-KMS", "SseAwsKmsKeyId": "k"},
        "ConnectionPasswordEncryption": {**passwords, "AwsKmsKeyId": "k"},
    }
    glue.put_data_catalog_encryption_settings(DataCatalogEncryptionSettings=settings)
    found = glue.get_data_catalog_encryption_settings()["DataCatalogEncryptionSettings"]
    assert found == settings
    assert SECRET not in str(glue.get_connection(Name="shop"))
    assert SECRET not in str(glue.get_connections())


def test_nothing_is_encrypted_unless_said(fresh_server: LiveServer) -> None:
    glue = fresh_server.client("glue")
    found = glue.get_data_catalog_encryption_settings()["DataCatalogEncryptionSettings"]
    assert found["EncryptionAtRest"]["CatalogEncryptionMode"] == "DISABLED"
    assert found["ConnectionPasswordEncryption"]["ReturnConnectionPasswordEncrypted"] is False


def test_password_is_not_in_the_log_of_calls(fresh_server: LiveServer) -> None:
    glue = fresh_server.client("glue")
    glue.create_connection(ConnectionInput=connection_input("shop"))
    glue.get_connection(Name="shop")
    events = fresh_server.client("cloudtrail").lookup_events()["Events"]
    made = [event for event in events if event["EventName"] == "CreateConnection"]
    assert made
    assert "db.example" in str(made)
    assert SECRET not in json.dumps(events, default=str)


def test_those_who_connect_get_the_password(server: LiveServer, name: str) -> None:
    documents = server.runtime.documents
    found = catalog.connection(documents, "000000000000", "us-east-1", name)
    assert found["ConnectionProperties"]["PASSWORD"] == SECRET
    with pytest.raises(EntityNotFoundException):
        catalog.connection(documents, "000000000000", "us-east-1", "nothing")


def test_connections_are_filtered_and_paged(fresh_server: LiveServer) -> None:
    glue = fresh_server.client("glue")
    for number in range(3):
        criteria = ["west", "fast"] if number else ["west"]
        given = connection_input(f"c{number}", MatchCriteria=criteria)
        glue.create_connection(ConnectionInput=given)
    network = {"Name": "n", "ConnectionType": "NETWORK", "ConnectionProperties": {}}
    glue.create_connection(ConnectionInput=network)

    def names(**request: Any) -> list[str]:
        pages = glue.get_paginator("get_connections").paginate(
            PaginationConfig={"PageSize": 1}, **request
        )
        return [each["Name"] for page in pages for each in page["ConnectionList"]]

    assert names() == ["c0", "c1", "c2", "n"]
    assert names(Filter={"ConnectionType": "JDBC"}) == ["c0", "c1", "c2"]
    assert names(Filter={"MatchCriteria": ["fast"]}) == ["c1", "c2"]


def test_update_replaces_and_delete_forgets(glue: Any, name: str) -> None:
    given = connection_input(name, Description="changed")
    glue.update_connection(Name=name, ConnectionInput=given)
    assert glue.get_connection(Name=name)["Connection"]["Description"] == "changed"
    refused(
        "InvalidInputException",
        glue.update_connection,
        Name=name,
        ConnectionInput=connection_input("x"),
    )
    refused("AlreadyExistsException", glue.create_connection, ConnectionInput=given)
    glue.delete_connection(ConnectionName=name)
    message = refused("EntityNotFoundException", glue.get_connection, Name=name)
    assert message == f"Connection {name} not found."
    refused("EntityNotFoundException", glue.delete_connection, ConnectionName=name)
    refused("EntityNotFoundException", glue.update_connection, Name=name, ConnectionInput=given)


def test_batch_delete_tells_those_that_are_not_there(glue: Any, name: str) -> None:
    answer = glue.batch_delete_connection(ConnectionNameList=[name, "nothing"])
    assert answer["Succeeded"] == [name]
    assert answer["Errors"]["nothing"]["ErrorCode"] == "EntityNotFoundException"


@pytest.mark.parametrize(
    "properties",
    [
        {"USERNAME": "u", "PASSWORD": "p"},
        {"JDBC_CONNECTION_URL": "http://x", "USERNAME": "u", "PASSWORD": "p"},
        {"JDBC_CONNECTION_URL": "jdbc:mysql://x/y", "USERNAME": "u"},
    ],
)
def test_jdbc_connection_that_cannot_connect_is_refused(
    glue: Any, properties: dict[str, str]
) -> None:
    given = connection_input("x", ConnectionProperties=properties)
    refused("InvalidInputException", glue.create_connection, ConnectionInput=given)


@pytest.mark.parametrize(
    "url",
    [
        "jdbc:postgresql://h/x?password=S3cret&user=z",
        "jdbc:postgresql://h/x?ssl=true&PassWord=S3cret",
        "jdbc:postgresql://h/x?pass%77ord=S3cret",
        "jdbc:postgresql://z:S3cret@h/x",
        "jdbc:postgresql://z:S3/cret@h/x",
        "jdbc:mysql://address=(host=h)(user=z)(password=S3cret)/x",
        "jdbc:sqlserver://h:1433;databaseName=x;user=z;password=S3cret",
        "jdbc:oracle:thin:z/S3cret@h:1521:x",
        "jdbc:oracle:thin:z/S3cret@//h:1521/x",
    ],
)
def test_credentials_in_a_url_are_refused(glue: Any, name: str, url: str) -> None:
    properties = {"JDBC_CONNECTION_URL": url, "USERNAME": "u", "PASSWORD": "p"}
    bad = connection_input(name, ConnectionProperties=properties)
    new = {**bad, "Name": f"{name}-new"}
    message = refused("InvalidInputException", glue.create_connection, ConnectionInput=new)
    assert "must not contain" in message
    assert "S3" not in message
    refused("InvalidInputException", glue.update_connection, Name=name, ConnectionInput=bad)


@pytest.mark.parametrize(
    "url",
    [
        "jdbc:oracle:thin:@h:1521:x",
        "jdbc:oracle:thin://@h:1521/x",
        "jdbc:sqlserver://h:1433;databaseName=x",
        "jdbc:mysql://h/x?passwordCharacterEncoding=UTF-8",
        "jdbc:postgresql://h/x?ApplicationName=a@b",
    ],
)
def test_urls_without_credentials_are_kept(glue: Any, name: str, url: str) -> None:
    properties = {"JDBC_CONNECTION_URL": url, "USERNAME": "u", "PASSWORD": "p"}
    given = connection_input(name, ConnectionProperties=properties)
    glue.update_connection(Name=name, ConnectionInput=given)


def test_database_that_is_signed_in_to_by_name_and_password(server: LiveServer, glue: Any) -> None:
    name = f"pg-{uuid4().hex}"
    given = {
        "Name": name,
        "ConnectionType": "POSTGRESQL",
        "ConnectionProperties": {"HOST": "db.example", "PORT": "5432", "DATABASE": "shop"},
        "AuthenticationConfiguration": {
            "AuthenticationType": "BASIC",
            "BasicAuthenticationCredentials": {"Username": "reader", "Password": SECRET},
        },
    }
    glue.create_connection(ConnectionInput=given)
    shown = glue.get_connection(Name=name)["Connection"]
    assert shown["AuthenticationConfiguration"] == {"AuthenticationType": "BASIC"}
    assert shown["ConnectionSchemaVersion"] == 2
    assert SECRET not in str(shown)
    found = catalog.connection(server.runtime.documents, "000000000000", "us-east-1", name)
    assert found["ConnectionProperties"] == {
        **given["ConnectionProperties"],
        "USERNAME": "reader",
        "PASSWORD": SECRET,
    }
    given["ConnectionProperties"] = {"HOST": "db.example"}
    refused("InvalidInputException", glue.create_connection, ConnectionInput=given)


BY_SECRET = {
    "AuthenticationType": "BASIC",
    "SecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:x",
}


@pytest.mark.parametrize(
    ("named", "members"),
    [
        ("ValidateCredentials", {"ValidateCredentials": True}),
        ("SECRET_ID", {"ConnectionProperties": {"SECRET_ID": "x"}}),
        ("SecretArn", {"AuthenticationConfiguration": BY_SECRET}),
        ("IAM", {"AuthenticationConfiguration": {"AuthenticationType": "IAM"}}),
    ],
)
def test_what_is_not_done_is_refused(glue: Any, named: str, members: dict[str, Any]) -> None:
    given = connection_input("x", **members)
    message = refused("NotImplementedException", glue.create_connection, ConnectionInput=given)
    assert named in message
