"""Who may query a database elsewhere, and what nobody gets to see."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.services.athena.conftest import Lake, refused
from tests.services.athena.federation.conftest import PASSWORD, Remote, arn_of


@pytest.fixture
def user(remote: Remote) -> Callable[..., Lake]:
    """The lake as a user sees it who may do anything with Athena and S3, and what is named."""
    remote.run(f"CREATE TABLE {remote.own('t')} (a int)")
    iam = remote.lake.server.client("iam")

    def grant(*statements: tuple[str, str, str]) -> Lake:
        name = f"u{uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        everything = [("Allow", "athena:*", "*"), ("Allow", "s3:*", "*"), *statements]
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": effect, "Action": action, "Resource": resource}
                for effect, action, resource in everything
            ],
        }
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return remote.lake.as_other(key)

    return grant


def test_who_may_not_use_the_connection_sees_nothing(
    remote: Remote, user: Callable[..., Lake]
) -> None:
    stranger = user()
    reason = stranger.fail(f"SELECT * FROM {remote.table('t')}")
    assert reason.startswith("PERMISSION_DENIED: Insufficient permissions to execute the query.")
    assert "glue:GetConnection" in reason
    for operation, request in (
        (stranger.athena.list_databases, {}),
        (stranger.athena.list_table_metadata, {"DatabaseName": remote.schema}),
    ):
        message = refused("AccessDeniedException", operation, CatalogName=remote.catalog, **request)
        assert "glue:GetConnection" in message
    assert "glue:GetConnection" in refused(
        "AccessDeniedException",
        stranger.athena.create_data_catalog,
        Name="mine",
        Type="FEDERATED",
        Parameters={"connection-arn": arn_of(remote.catalog)},
    )


def test_who_may_use_the_connection_and_the_catalog_reads(
    remote: Remote, user: Callable[..., Lake]
) -> None:
    allowed = ("Allow", "glue:GetConnection", "*")
    reader = user(allowed)
    assert reader.rows(f"SELECT count(*) FROM {remote.table('t')}") == [["0"]]
    assert reader.lines(f"SHOW TABLES IN `{remote.catalog}`.`{remote.schema}`") == ["t"]
    listed = reader.athena.list_databases(CatalogName=remote.catalog)["DatabaseList"]
    assert {"Name": remote.schema} in listed
    other = f"arn:aws:athena:*:*:datacatalog/{remote.catalog}"
    reason = user(allowed, ("Deny", "athena:GetDataCatalog", other)).fail(
        f"SELECT count(*) FROM {remote.table('t')}"
    )
    assert "athena:GetDataCatalog" in reason


def test_the_password_is_in_no_answer_and_no_log(
    remote: Remote, server_log: Callable[[], str]
) -> None:
    lake = remote.lake
    remote.run(f"CREATE TABLE {remote.own('t')} (a int)")
    # The tests' PostgreSQL takes any password.
    url = remote.url if remote.kind == "mysql" else remote.url.replace("/postgres", "/absent")
    wrong = remote.register(
        f"w{remote.schema}", PASSWORD="wrong-secret-4711", JDBC_CONNECTION_URL=url
    )
    told = [
        lake.end(f"SELECT * FROM {wrong}.{remote.schema}.t"),
        lake.end(f"SELECT nope FROM {remote.table('t')}"),
        lake.lines(f"EXPLAIN SELECT * FROM {remote.table('t')} WHERE a = 1"),
        lake.athena.get_data_catalog(Name=remote.catalog),
        lake.athena.list_data_catalogs(),
        lake.rows("SELECT * FROM information_schema.tables"),
    ]
    told += [
        lake.end(sql)
        for sql in (
            "SELECT * FROM duckdb_secrets()",
            "SELECT * FROM duckdb_databases()",
            "SELECT * FROM postgres_query('x', 'SELECT 1')",
            f"SELECT * FROM {remote.catalog}.information_schema.secrets",
        )
    ]
    assert told[0]["Status"]["State"] == "FAILED"
    shown = f"{told} {server_log()}"
    assert "4711" not in shown
    assert PASSWORD not in shown
    reason = told[0]["Status"]["StateChangeReason"]
    place = f"JDBC_ERROR: Catalog '{wrong}' cannot connect to 127.0.0.1:{remote.port}: "
    assert reason.startswith(place)
    assert ("Access denied" if remote.kind == "mysql" else "does not exist") in reason


def test_a_connection_that_is_gone_is_told(remote: Remote) -> None:
    remote.lake.server.client("glue").delete_connection(ConnectionName=remote.catalog)
    reason = remote.lake.fail(f"SELECT * FROM {remote.table('t')}")
    assert reason == (
        f"NOT_SUPPORTED: Catalog '{remote.catalog}': Connection {remote.catalog} not found."
    )
    message = refused(
        "MetadataException", remote.lake.athena.list_databases, CatalogName=remote.catalog
    )
    assert message == f"Connection {remote.catalog} not found."


def test_connections_of_a_databases_own_type_lead_there_too(remote: Remote) -> None:
    remote.run(f"CREATE TABLE {remote.own('t')} (a int)")
    name = f"o{remote.schema}"
    remote.lake.server.client("glue").create_connection(
        ConnectionInput={
            "Name": name,
            "ConnectionType": remote.kind.upper(),
            "ConnectionProperties": {
                "HOST": "localhost",
                "PORT": str(remote.port),
                "DATABASE": remote.database,
            },
            "AuthenticationConfiguration": {
                "AuthenticationType": "BASIC",
                "BasicAuthenticationCredentials": {"Username": remote.user, "Password": PASSWORD},
            },
        }
    )
    remote.lake.athena.create_data_catalog(
        Name=name.upper(), Type="FEDERATED", Parameters={"connection-arn": arn_of(name)}
    )
    assert remote.lake.rows(f"SELECT count(*) FROM {name}.{remote.schema}.t") == [["0"]]


def test_encryption_that_the_server_has_not_is_not_done_without(remote: Remote) -> None:
    name = remote.register(f"e{remote.schema}", JDBC_ENFORCE_SSL="true")
    reason = remote.lake.fail(f"SELECT * FROM {name}.{remote.schema}.t")
    assert reason.startswith(f"JDBC_ERROR: Catalog '{name}' cannot connect to 127.0.0.1:")
    assert "SSL" in reason
