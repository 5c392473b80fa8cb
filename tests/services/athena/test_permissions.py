"""A query reads and writes as its caller."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.live_server import LiveServer
from tests.services.athena.conftest import Lake, refused

Grant = Callable[..., Lake]


@pytest.fixture
def user(lake: Lake) -> Grant:
    """The lake as a user sees it who may do what is named."""
    lake.put("t/a.csv", "1\n")
    lake.run(f"CREATE EXTERNAL TABLE t (a int) LOCATION 's3://{lake.name}/t/'")
    iam = lake.server.client("iam")

    def grant(*statements: tuple[list[str], list[str]]) -> Lake:
        name = f"u{uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        everything = [(["athena:*"], ["*"]), *statements]
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": actions, "Resource": resources}
                for actions, resources in everything
            ],
        }
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return lake.as_other(key)

    return grant


def _bucket(lake: Lake) -> str:
    return f"arn:aws:s3:::{lake.name}"


WRITES_RESULTS: Any = (["s3:*"], ["arn:aws:s3:::*/results/*"])
SEES_CATALOG: Any = (["glue:Get*"], ["*"])


def test_who_may_not_write_results_gets_none(user: Grant) -> None:
    reason = user().fail("SELECT 1")
    assert reason.startswith("Access denied when writing output to url: s3://")


def test_who_may_not_see_the_table_does_not_read_it(user: Grant) -> None:
    reader = user(WRITES_RESULTS, (["s3:*"], ["*"]))
    reason = reader.fail("SELECT * FROM t")
    assert "Insufficient permissions to execute the query." in reason
    assert "glue:GetTable" in reason


def test_who_may_not_read_the_files_does_not_read_the_table(user: Grant) -> None:
    reader = user(WRITES_RESULTS, SEES_CATALOG)
    assert reader.fail("SELECT * FROM t").startswith("PERMISSION_DENIED: ")
    lister = user(WRITES_RESULTS, SEES_CATALOG, (["s3:ListBucket"], [_bucket(reader)]))
    reason = lister.fail("SELECT * FROM t")
    assert reason == f"PERMISSION_DENIED: Permission denied on S3 path: s3://{lister.name}/t/a.csv"


def test_who_may_all_that_reads_and_does_not_change(user: Grant) -> None:
    reader = user(WRITES_RESULTS, SEES_CATALOG, (["s3:ListBucket", "s3:GetObject"], ["*"]))
    assert reader.rows("SELECT * FROM t") == [["1"]]
    assert "glue:CreateDatabase" in reader.fail(f"CREATE DATABASE d{uuid4().hex[:8]}")
    assert "glue:DeleteTable" in reader.fail("DROP TABLE t")
    assert "glue:UpdateTable" in reader.fail("ALTER TABLE t ADD COLUMNS (b int)")


def test_results_are_read_by_those_who_may_read_the_bucket(lake: Lake, user: Grant) -> None:
    shown = lake.run("SELECT 1")
    other = user()
    refused(
        "AccessDeniedException",
        other.athena.get_query_results,
        QueryExecutionId=shown["QueryExecutionId"],
    )


def test_who_may_not_change_an_iceberg_table_leaves_it_as_it_is(lake: Lake, user: Grant) -> None:
    lake.run(
        f"CREATE TABLE ice (a int) LOCATION 's3://{lake.name}/ice/'"
        " TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    lake.run("INSERT INTO ice VALUES (1)")
    reads: Any = (["s3:Get*", "s3:List*"], ["*"])
    changes: Any = (["glue:UpdateTable"], ["*"])
    statements = ("UPDATE ice SET a = 2", "DELETE FROM ice", "VACUUM ice")
    reader = user(WRITES_RESULTS, SEES_CATALOG, reads)
    for sql in (*statements, "ALTER TABLE ice ADD COLUMNS (b int)"):
        assert "glue:UpdateTable" in reader.fail(sql), sql
    writer = user(WRITES_RESULTS, SEES_CATALOG, reads, changes)
    for sql in statements:
        assert "Access Denied: cannot write to" in writer.fail(sql), sql
    blind = user(WRITES_RESULTS, SEES_CATALOG, changes, (["s3:PutObject"], ["*"]))
    assert "Permission denied on S3 path" in blind.fail("UPDATE ice SET a = 2")
    assert lake.rows("SELECT * FROM ice") == [["1"]]


def test_files_are_deleted_in_the_callers_name(lake: Lake, user: Grant) -> None:
    properties = "TBLPROPERTIES ('table_type'='ICEBERG', 'vacuum_max_snapshot_age_seconds'='0')"
    lake.run(f"CREATE TABLE ice (a int) LOCATION 's3://{lake.name}/ice/' {properties}")
    lake.run("INSERT INTO ice VALUES (1)")
    lake.run("UPDATE ice SET a = 2")
    before = lake.keys("ice/")
    changes: Any = (["glue:*", "s3:Get*", "s3:List*", "s3:PutObject"], ["*"])
    writer = user(WRITES_RESULTS, SEES_CATALOG, changes)
    for sql in ("VACUUM ice", "DROP TABLE ice"):
        assert "Access Denied: cannot delete in" in writer.fail(sql), sql
    assert lake.keys("ice/") == before
    assert lake.rows("SELECT * FROM ice") == [["2"]]
    lake.run("DROP TABLE ice")
    assert lake.keys("ice/") == []


def test_anothers_result_is_not_used_again(lake: Lake, user: Grant) -> None:
    reuse: Any = {
        "ResultReuseConfiguration": {
            "ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}
        }
    }
    assert lake.rows("SELECT * FROM t", **reuse) == [["1"]]
    blind = user(WRITES_RESULTS, (["s3:GetObject"], [f"arn:aws:s3:::{lake.name}/results/*"]))
    assert "PERMISSION_DENIED" in blind.fail("SELECT * FROM t", **reuse)


def test_the_catalogs_own_policy_binds_queries(fresh_server: LiveServer) -> None:
    lake = Lake(fresh_server).prepare()
    lake.put("t/a.csv", "1\n")
    lake.run(f"CREATE EXTERNAL TABLE t (a int) LOCATION 's3://{lake.name}/t/'")
    iam, glue = fresh_server.client("iam"), fresh_server.client("glue")
    iam.create_user(UserName="reader")
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps(everything))
    reader = lake.as_other(iam.create_access_key(UserName="reader")["AccessKey"])
    assert reader.rows("SELECT * FROM t") == [["1"]]
    denied = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": {"AWS": "arn:aws:iam::000000000000:user/reader"},
                "Action": ["glue:GetTable", "glue:DeleteTable"],
                "Resource": "arn:aws:glue:us-east-1:000000000000:*",
            }
        ],
    }
    glue.put_resource_policy(PolicyInJson=json.dumps(denied))
    assert "explicit deny" in reader.fail("SELECT * FROM t")
    assert "explicit deny" in reader.fail("DROP TABLE t")
    assert lake.rows("SELECT * FROM t") == [["1"]]
