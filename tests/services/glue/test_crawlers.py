from __future__ import annotations

import json
import threading
from typing import Any
from uuid import uuid4

import pytest

from cloche.core.event import Event
from cloche.services.glue.crawling.role_access import RoleAccess
from tests.core.conftest import until
from tests.live_server import LiveServer
from tests.services.glue.crawling.conftest import ACCOUNT, EVERYTHING, Lake, refused


@pytest.fixture
def lake(server: LiveServer) -> Lake:
    return Lake(server)


@pytest.fixture
def fresh_lake(fresh_server: LiveServer) -> Lake:
    return Lake(fresh_server)


class Gate:
    """Holds up every listing of a crawl until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()
        listing = RoleAccess.list_objects

        def list_objects(access: RoleAccess, bucket: str, prefix: str) -> Any:
            self.reached.set()
            assert self.opened.wait(30)
            return listing(access, bucket, prefix)

        monkeypatch.setattr(RoleAccess, "list_objects", list_objects)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def test_create_get_update_delete(lake: Lake) -> None:
    name = lake.create("a", Description="first", TablePrefix="x_", Tags={"team": "lake"})
    crawler = lake.crawler(name)
    assert crawler["Role"] == lake.role
    assert crawler["DatabaseName"] == lake.database
    assert crawler["State"] == "READY"
    assert crawler["Version"] == 1
    assert crawler["Targets"]["S3Targets"] == [{"Path": f"s3://{lake.bucket}/a"}]
    assert crawler["SchemaChangePolicy"]["DeleteBehavior"] == "DEPRECATE_IN_DATABASE"
    assert "LastCrawl" not in crawler
    lake.glue.update_crawler(Name=name, Description="second")
    crawler = lake.crawler(name)
    assert (crawler["Description"], crawler["TablePrefix"], crawler["Version"]) == (
        "second",
        "x_",
        2,
    )
    arn = f"arn:aws:glue:us-east-1:{ACCOUNT}:crawler/{name}"
    assert lake.glue.get_tags(ResourceArn=arn)["Tags"] == {"team": "lake"}
    lake.glue.tag_resource(ResourceArn=arn, TagsToAdd={"more": lake.bucket})
    assert lake.glue.list_crawlers(Tags={"more": lake.bucket})["CrawlerNames"] == [name]
    lake.glue.delete_crawler(Name=name)
    refused("EntityNotFoundException", lake.glue.get_crawler, Name=name)
    refused("EntityNotFoundException", lake.glue.delete_crawler, Name=name)
    refused("EntityNotFoundException", lake.glue.get_tags, ResourceArn=arn)


def test_lists_and_batches(fresh_lake: Lake) -> None:
    names = sorted(fresh_lake.create("a") for _ in range(5))
    pages = fresh_lake.glue.get_paginator("get_crawlers").paginate(PaginationConfig={"PageSize": 2})
    assert [each["Name"] for page in pages for each in page["Crawlers"]] == names
    first = fresh_lake.glue.list_crawlers(MaxResults=3)
    rest = fresh_lake.glue.list_crawlers(NextToken=first["NextToken"])
    assert first["CrawlerNames"] + rest["CrawlerNames"] == names
    batch = fresh_lake.glue.batch_get_crawlers(CrawlerNames=[names[0], "none"])
    assert [each["Name"] for each in batch["Crawlers"]] == [names[0]]
    assert batch["CrawlersNotFound"] == ["none"]


def test_names_are_taken_once(lake: Lake) -> None:
    name = lake.create("a")
    request = {
        "Role": lake.role,
        "DatabaseName": "d",
        "Targets": {"S3Targets": [{"Path": "s3://abc"}]},
    }
    refused("AlreadyExistsException", lake.glue.create_crawler, Name=name, **request)


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("InvalidInputException", {"Targets": {}}),
        ("InvalidInputException", {"Targets": {"S3Targets": [{"Path": "bucket/a"}]}}),
        (
            "InvalidInputException",
            {"Targets": {"S3Targets": [{"Path": "s3://abc", "Exclusions": ["{a"]}]}},
        ),
        (
            "InvalidInputException",
            {"Targets": {"S3Targets": [{"Path": "s3://abc", "SampleSize": 0}]}},
        ),
        ("InvalidInputException", {"Role": "nobody"}),
        ("InvalidInputException", {"DatabaseName": ""}),
        ("InvalidInputException", {"Configuration": "{"}),
        ("InvalidInputException", {"Configuration": '{"Version": 2}'}),
        ("InvalidInputException", {"Classifiers": ["none"]}),
        ("InvalidInputException", {"Schedule": "rate(5 minutes)"}),
        ("InvalidInputException", {"Schedule": "cron(0 0 * * * *)"}),
        ("NotImplementedException", {"Configuration": '{"Version": 1.0, "Other": 1}'}),
        (
            "NotImplementedException",
            {"Targets": {"JdbcTargets": [{"Path": "a/b", "ConnectionName": "c"}]}},
        ),
        ("NotImplementedException", {"Targets": {"DynamoDBTargets": [{"Path": "a"}]}}),
        ("NotImplementedException", {"Targets": {"DeltaTargets": [{"DeltaTables": ["s3://a"]}]}}),
        (
            "NotImplementedException",
            {"Targets": {"S3Targets": [{"Path": "s3://abc", "ConnectionName": "c"}]}},
        ),
        ("NotImplementedException", {"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVENT_MODE"}}),
        ("NotImplementedException", {"LineageConfiguration": {"CrawlerLineageSettings": "ENABLE"}}),
        ("NotImplementedException", {"CrawlerSecurityConfiguration": "secure"}),
        (
            "NotImplementedException",
            {"LakeFormationConfiguration": {"UseLakeFormationCredentials": True}},
        ),
    ],
)
def test_what_is_refused(lake: Lake, code: str, changed: dict[str, Any]) -> None:
    request: dict[str, Any] = {
        "Role": lake.role,
        "DatabaseName": "d",
        "Targets": {"S3Targets": [{"Path": f"s3://{lake.bucket}"}]},
    }
    message = refused(code, lake.glue.create_crawler, Name=uuid4().hex, **{**request, **changed})
    if code == "NotImplementedException":
        member = next(iter(changed))
        assert any(
            word in message for word in (member, *map(str, changed[member])) if len(word) > 3
        )


def test_the_role_must_be_passed(lake: Lake) -> None:
    user = f"user-{uuid4().hex[:12]}"
    lake.iam.create_user(UserName=user)
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "glue:*", "Resource": "*"}],
    }
    lake.iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = lake.iam.create_access_key(UserName=user)["AccessKey"]
    message = refused(
        "AccessDeniedException",
        lake.server.client("glue", key).create_crawler,
        Name="x",
        Role=lake.role,
        DatabaseName="d",
        Targets={"S3Targets": [{"Path": f"s3://{lake.bucket}"}]},
    )
    assert "iam:PassRole" in message


def test_a_crawl_from_start_to_end(lake: Lake, gate: Gate) -> None:
    lake.put_csv("a/x.csv", "id,name", "1,x")
    name = lake.create("a")
    lake.glue.start_crawler(Name=name)
    assert lake.crawler(name)["State"] == "RUNNING"
    assert gate.reached.wait(30)
    for operation in ("start_crawler", "delete_crawler"):
        refused("CrawlerRunningException", getattr(lake.glue, operation), Name=name)
    refused("CrawlerRunningException", lake.glue.update_crawler, Name=name, Description="x")
    (running,) = lake.glue.list_crawls(CrawlerName=name)["Crawls"]
    assert running["State"] == "RUNNING"
    assert lake.glue.get_crawler_metrics(CrawlerNameList=[name])["CrawlerMetricsList"][0][
        "StillEstimating"
    ]
    gate.opened.set()
    until(lambda: lake.crawler(name)["State"] == "READY")
    crawler = lake.crawler(name)
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"
    assert crawler["LastCrawl"]["StartTime"] == running["StartTime"]
    (crawl,) = lake.glue.list_crawls(CrawlerName=name)["Crawls"]
    assert crawl["State"] == "COMPLETED"
    assert crawl["CrawlId"] == running["CrawlId"]
    assert crawl["EndTime"] >= crawl["StartTime"]
    assert lake.tables()["a"]["Parameters"]["CRAWL_RUN_ID"] == crawl["CrawlId"]


def test_a_crawl_that_is_stopped(lake: Lake, gate: Gate) -> None:
    lake.put_csv("a/x.csv", "id,name", "1,x")
    name = lake.create("a")
    refused("CrawlerNotRunningException", lake.glue.stop_crawler, Name=name)
    lake.glue.start_crawler(Name=name)
    assert gate.reached.wait(30)
    lake.glue.stop_crawler(Name=name)
    assert lake.crawler(name)["State"] == "STOPPING"
    refused("CrawlerStoppingException", lake.glue.stop_crawler, Name=name)
    refused("CrawlerRunningException", lake.glue.start_crawler, Name=name)
    gate.opened.set()
    until(lambda: lake.crawler(name)["State"] == "READY")
    assert lake.crawler(name)["LastCrawl"]["Status"] == "CANCELLED"
    assert lake.glue.list_crawls(CrawlerName=name)["Crawls"][0]["State"] == "STOPPED"
    assert lake.tables() == {}
    assert lake.run(name)["LastCrawl"]["Status"] == "SUCCEEDED"
    assert lake.tables().keys() == {"a"}


@pytest.mark.parametrize("folder", ["a", "elsewhere"])
def test_a_table_that_somebody_else_makes_meanwhile(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    lake.put_csv("a/x.csv", "id,name", "1,x")
    invoke = RoleAccess.invoke
    location = f"s3://{lake.bucket}/{folder}/"

    def others_first(access: RoleAccess, service: str, operation: str, request: Any) -> Any:
        if operation == "CreateDatabase":
            lake.glue.create_database(DatabaseInput={"Name": lake.database})
        if operation == "CreateTable" and not lake.tables():
            given = {"Name": "a", "StorageDescriptor": {"Location": location}}
            lake.glue.create_table(DatabaseName=lake.database, TableInput=given)
        return invoke(access, service, operation, request)

    monkeypatch.setattr(RoleAccess, "invoke", others_first)
    tables = lake.crawl("a")
    (made,) = [each for each in tables.values() if each.get("Parameters")]
    assert made["StorageDescriptor"]["Location"] == f"s3://{lake.bucket}/a/"
    assert len(tables) == (1 if folder == "a" else 2)
    assert tables["a"]["StorageDescriptor"]["Location"] == location


def test_crawlers_of_the_same_place_at_the_same_time(lake: Lake) -> None:
    for number in range(3):
        lake.put_csv(f"db/table{number}/y=1/a.csv", f"id{number},name{number}", "1,x")
        lake.put_csv(f"db/table{number}/y=2/a.csv", f"id{number},name{number}", "1,x")
    names = [lake.create("db") for _ in range(3)]
    for name in names:
        lake.glue.start_crawler(Name=name)
    until(lambda: all(lake.crawler(name)["State"] == "READY" for name in names))
    ended = [lake.crawler(name)["LastCrawl"] for name in names]
    assert [each["Status"] for each in ended] == ["SUCCEEDED"] * 3, ended
    assert lake.tables().keys() == {"table0", "table1", "table2"}
    assert lake.partitions("table2").keys() == {("1",), ("2",)}


def failure(lake: Lake, **settings: Any) -> str:
    lake.put_csv("a/x.csv", "id,name", "1,x")
    last = lake.run(lake.create("a", **settings))["LastCrawl"]
    assert last["Status"] == "FAILED"
    return last["ErrorMessage"]


@pytest.mark.parametrize(
    ("allowed", "missing"),
    [
        ({"Action": ["glue:*", "s3:GetObject"]}, "s3:ListBucket"),
        ({"Action": ["glue:*", "s3:ListBucket"]}, "s3:GetObject"),
        ({"Action": ["s3:*", "glue:Get*", "glue:CreateDatabase"]}, "glue:CreateTable"),
        ({"Action": ["s3:*"]}, "glue:GetDatabase"),
    ],
)
def test_a_role_that_may_not(lake: Lake, allowed: dict[str, Any], missing: str) -> None:
    role = lake.make_role([{"Effect": "Allow", "Resource": "*", **allowed}])
    message = failure(lake, Role=role)
    assert "AccessDenied" in message
    assert missing in message


def test_a_role_that_does_not_trust_glue(lake: Lake) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = lake.make_role(EVERYTHING, trust)
    message = failure(lake, Role=role)
    assert f"unable to assume role {role}" in message


def test_a_bucket_that_is_not_there(lake: Lake) -> None:
    target = {"Path": f"s3://{lake.bucket}-none/a"}
    assert "NoSuchBucket" in failure(lake, targets=[target])


def test_metrics_are_computed(lake: Lake) -> None:
    lake.put_csv("a/x.csv", "id,name", "1,x")
    name = lake.create("a")
    lake.run(name)
    lake.put_csv("a/x.csv", "id,name,more", "1,x,2")
    lake.run(name)
    (metrics,) = lake.glue.get_crawler_metrics(CrawlerNameList=[name])["CrawlerMetricsList"]
    assert (metrics["TablesCreated"], metrics["TablesUpdated"], metrics["TablesDeleted"]) == (
        1,
        1,
        0,
    )
    assert metrics["LastRuntimeSeconds"] > 0
    assert metrics["MedianRuntimeSeconds"] > 0
    assert metrics["StillEstimating"] is False


def test_history_and_its_filters(lake: Lake) -> None:
    name = lake.create("a")
    for _ in range(3):
        lake.run(name)
    everything = lake.glue.list_crawls(CrawlerName=name)["Crawls"]
    starts = [crawl["StartTime"] for crawl in everything]
    assert starts == sorted(starts, reverse=True)
    first = lake.glue.list_crawls(CrawlerName=name, MaxResults=2)
    rest = lake.glue.list_crawls(CrawlerName=name, NextToken=first["NextToken"])
    assert first["Crawls"] + rest["Crawls"] == everything

    def found(field: str, operator: str, value: str) -> list[Any]:
        filters = [{"FieldName": field, "FilterOperator": operator, "FieldValue": value}]
        return lake.glue.list_crawls(CrawlerName=name, Filters=filters)["Crawls"]

    middle = everything[1]
    assert found("CRAWL_ID", "EQ", middle["CrawlId"]) == [middle]
    assert found("STATE", "NE", "COMPLETED") == []
    after = str(round(middle["StartTime"].timestamp() * 1000) - 1)
    assert found("START_TIME", "GT", after)[:1] == everything[:1]
    assert everything[2] not in found("START_TIME", "GE", middle["StartTime"].isoformat())
    filters = [{"FieldName": "DPU_HOUR", "FilterOperator": "GT", "FieldValue": "1"}]
    refused("NotImplementedException", lake.glue.list_crawls, CrawlerName=name, Filters=filters)


def test_schedules(fresh_lake: Lake) -> None:
    lake = fresh_lake
    lake.put_csv("a/x.csv", "id,name", "1,x")
    name = lake.create("a", Schedule="cron(0 * * * ? *)")
    assert lake.crawler(name)["Schedule"] == {
        "ScheduleExpression": "cron(0 * * * ? *)",
        "State": "SCHEDULED",
    }
    refused("SchedulerRunningException", lake.glue.start_crawler_schedule, CrawlerName=name)

    def crawls() -> int:
        until(lambda: lake.crawler(name)["State"] == "READY")
        return len(lake.glue.list_crawls(CrawlerName=name)["Crawls"])

    assert crawls() == 0
    lake.server.advance(3600)
    until(lambda: crawls() == 1)
    lake.server.advance(3600)
    until(lambda: crawls() == 2)
    lake.glue.stop_crawler_schedule(CrawlerName=name)
    assert lake.crawler(name)["Schedule"]["State"] == "NOT_SCHEDULED"
    refused("SchedulerNotRunningException", lake.glue.stop_crawler_schedule, CrawlerName=name)
    lake.server.advance(7200)
    lake.glue.start_crawler_schedule(CrawlerName=name)
    assert crawls() == 2
    lake.glue.update_crawler_schedule(CrawlerName=name, Schedule="cron(0 12 1 * ? *)")
    lake.server.advance(7200)
    assert crawls() == 2
    lake.server.advance(32 * 86400)
    until(lambda: crawls() == 3)
    lake.glue.update_crawler_schedule(CrawlerName=name, Schedule="")
    assert "Schedule" not in lake.crawler(name)
    refused("NoScheduleException", lake.glue.start_crawler_schedule, CrawlerName=name)
    bad = {"CrawlerName": name, "Schedule": "cron(x)"}
    refused("InvalidInputException", lake.glue.update_crawler_schedule, **bad)


def test_events_tell_of_crawls(lake: Lake) -> None:
    told: list[Event] = []
    subscriber = f"test-{uuid4().hex}"
    lake.server.runtime.events.subscribe(
        subscriber, "aws.glue", told.append, detail_types=["Glue Crawler State Change"]
    )
    lake.put_csv("a/x.csv", "id,name", "1,x")
    name = lake.create("a")
    lake.run(name)
    failing = lake.create(
        "a", Role=lake.make_role([{"Effect": "Deny", "Action": "*", "Resource": "*"}])
    )
    lake.run(failing)

    def states(crawler: str) -> list[str]:
        return [e.detail["state"] for e in told if e.detail["crawlerName"] == crawler]

    until(lambda: states(failing) == ["Started", "Failed"])
    lake.server.runtime.events.unsubscribe(subscriber)
    assert states(name) == ["Started", "Succeeded"]
    succeeded = next(e for e in told if e.detail["state"] == "Succeeded")
    assert succeeded.detail["tablesCreated"] == "1"
    assert succeeded.detail["message"] == "Crawler Succeeded"


def test_a_crawl_goes_on_after_its_server_stopped(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        gate = Gate(patched)
        server = LiveServer(tmp_path / "data").start()
        lake = Lake(server)
        lake.put_csv("a/x.csv", "id,name", "1,x")
        name = lake.create("a")
        lake.glue.start_crawler(Name=name)
        assert gate.reached.wait(30)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        until(lambda: not _is_listening(server))
        gate.opened.set()
        stopping.join()
    again = LiveServer(tmp_path / "data").start()
    try:
        glue = again.client("glue")
        until(lambda: glue.get_crawler(Name=name)["Crawler"]["State"] == "READY")
        assert glue.get_crawler(Name=name)["Crawler"]["LastCrawl"]["Status"] == "SUCCEEDED"
        assert glue.get_table(DatabaseName=lake.database, Name="a")["Table"]["Name"] == "a"
    finally:
        again.stop()


def _is_listening(server: LiveServer) -> bool:
    import socket

    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", server.port)) == 0
