from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cloche.core.documents import Documents
from cloche.services.cloudtrail import delivery
from tests.live_server import LiveServer
from tests.services.cloudtrail.conftest import ACCOUNT, Trails


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of these tests' own, since its clock is advanced."""
    live = LiveServer(tmp_path_factory.mktemp("delivery")).start()
    yield live
    live.stop()


@pytest.fixture
def trails(own_server: LiveServer) -> Iterator[Trails]:
    """Trails that are deleted after the test."""
    made = Trails(own_server)
    yield made
    for trail in made.cloudtrail.list_trails()["Trails"]:
        made.cloudtrail.delete_trail(Name=trail["TrailARN"])


def names(records: list[dict[str, Any]]) -> list[str]:
    return [record["eventName"] for record in records]


def create_users(trails: Trails, *users: str) -> None:
    iam = trails.server.client("iam")
    for user in users:
        iam.create_user(UserName=f"{user}.{uuid4().hex[:8]}")


def users(records: list[dict[str, Any]]) -> list[str]:
    return [
        record["requestParameters"]["userName"].partition(".")[0]
        for record in records
        if record["eventName"] == "CreateUser"
    ]


def test_files_come_after_five_minutes(trails: Trails) -> None:
    create_users(trails, "before")
    trails.create("my-trail")
    create_users(trails, "during")
    assert trails.object_keys() == []
    trails.round()
    (key,) = trails.object_keys()
    file = rf"{ACCOUNT}_CloudTrail_us-east-1_\d{{8}}T\d{{4}}Z_[A-Za-z0-9]{{16}}\.json\.gz"
    folder = rf"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/\d{{4}}/\d\d/\d\d"
    assert re.fullmatch(f"{folder}/{file}", key)
    head = trails.s3.head_object(Bucket=trails.bucket, Key=key)
    assert (head["ContentType"], head["ContentEncoding"]) == ("application/json", "gzip")
    records = trails.records()
    assert names(records)[0] == "StartLogging"
    assert users(records) == ["during"]
    status = trails.cloudtrail.get_trail_status(Name="my-trail")
    assert status["IsLogging"] is True
    assert status["LatestDeliveryTime"] > status["StartLoggingTime"]
    assert "LatestDeliveryError" not in status


def test_each_event_comes_once(trails: Trails) -> None:
    trails.create()
    for round_number in range(3):
        create_users(trails, f"{round_number}-a", f"{round_number}-b")
        trails.round()
    records = trails.records()
    assert sorted(users(records)) == ["0-a", "0-b", "1-a", "1-b", "2-a", "2-b"]
    ids = [record["eventID"] for record in records]
    assert len(ids) == len(set(ids))


def test_only_while_it_logs(trails: Trails) -> None:
    arn = trails.create()
    create_users(trails, "a")
    trails.cloudtrail.stop_logging(Name=arn)
    create_users(trails, "b")
    trails.cloudtrail.start_logging(Name=arn)
    create_users(trails, "c")
    trails.cloudtrail.stop_logging(Name=arn)
    create_users(trails, "d")
    trails.round()
    create_users(trails, "e")
    trails.round()
    assert sorted(users(trails.records())) == ["a", "c"]
    status = trails.cloudtrail.get_trail_status(Name=arn)
    assert status["IsLogging"] is False
    assert status["StopLoggingTime"] > status["StartLoggingTime"]


def test_data_events_are_delivered_where_they_are_selected(trails: Trails) -> None:
    arn = trails.create(RecursiveLogging=False)
    s3, bucket = trails.s3, f"data-{trails.bucket}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="unselected", Body=b"x")
    trails.round()
    assert "PutObject" not in names(trails.records())
    resources = [{"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{bucket}/"]}]
    selector = {"ReadWriteType": "WriteOnly", "DataResources": resources}
    trails.cloudtrail.put_event_selectors(TrailName=arn, EventSelectors=[selector])
    s3.put_object(Bucket=bucket, Key="selected", Body=b"x")
    s3.get_object(Bucket=bucket, Key="selected")
    s3.put_object(Bucket=trails.bucket, Key="elsewhere", Body=b"x")
    trails.s3.delete_object(Bucket=trails.bucket, Key="elsewhere")
    trails.round()
    data = [record for record in trails.records() if record["eventCategory"] == "Data"]
    assert [record["requestParameters"]["key"] for record in data] == ["selected"]
    assert data[0]["eventName"] == "PutObject"
    assert data[0]["managementEvent"] is False


def test_own_deliveries_are_data_events_of_the_service(trails: Trails) -> None:
    arn = trails.create()
    selector = {"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}
    trails.cloudtrail.put_event_selectors(TrailName=arn, EventSelectors=[selector])
    trails.round()
    trails.round()
    own = [each for each in trails.records() if each["userIdentity"]["type"] == "AWSService"]
    assert own[0]["userIdentity"]["invokedBy"] == "cloudtrail.amazonaws.com"
    assert own[0]["eventName"] == "PutObject"
    assert own[0]["requestID"]


def test_all_regions_of_a_trail_each_in_its_folder(trails: Trails) -> None:
    trails.create(IsMultiRegionTrail=True)
    trails.server.client("sts", region_name="eu-west-1").get_caller_identity()
    trails.round()
    folders = {key.split("/")[3] for key in trails.object_keys()}
    assert folders == {"us-east-1", "eu-west-1"}
    for record in trails.records():
        if record["eventName"] == "GetCallerIdentity":
            assert record["awsRegion"] == "eu-west-1"


def test_errors_of_the_bucket_are_told_and_nothing_is_lost(trails: Trails) -> None:
    arn = trails.create()
    create_users(trails, "a")
    trails.s3.delete_bucket_policy(Bucket=trails.bucket)
    trails.round()
    status = trails.cloudtrail.get_trail_status(Name=arn)
    assert status["LatestDeliveryError"] == "AccessDenied"
    assert "LatestDeliveryTime" not in status
    create_users(trails, "b")
    trails.round()
    trails.allow(source_arn=arn)
    trails.round()
    assert sorted(users(trails.records())) == ["a", "b"]
    assert "LatestDeliveryError" not in trails.cloudtrail.get_trail_status(Name=arn)


def test_a_deleted_trail_delivers_nothing_more(trails: Trails) -> None:
    arn = trails.create("my-trail")
    create_users(trails, "a")
    trails.cloudtrail.delete_trail(Name=arn)
    trails.round()
    assert trails.object_keys() == []
    trails.create("my-trail")
    create_users(trails, "b")
    trails.round()
    assert users(trails.records()) == ["b"]


def test_many_events_make_several_files(trails: Trails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "MAXIMUM_EVENTS_IN_BATCH", 5)
    trails.create()
    expected = [f"user-{number:02d}" for number in range(20)]
    for user in expected:
        create_users(trails, user)
        trails.server.runtime.audit.flush()  # a chunk each
    trails.round()
    assert len(trails.object_keys()) >= 4
    assert sorted(users(trails.records())) == expected


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "data").start()
    trails = Trails(live)
    arn = trails.create()
    create_users(trails, "a")
    trails.round()
    create_users(trails, "b")
    bucket = trails.bucket
    live.stop()

    live = LiveServer(tmp_path / "data").start()
    again = Trails(live)
    again.bucket = bucket
    create_users(again, "c")
    again.round()
    assert sorted(users(again.records())) == ["a", "b", "c"]
    assert again.cloudtrail.get_trail_status(Name=arn)["IsLogging"] is True
    live.stop()


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("writes_before", [0, 1])
def test_killed_within_a_delivery_the_same_files_are_written_again(
    trails: Trails, writes_before: int
) -> None:
    trails.create("my-trail", IsMultiRegionTrail=True)
    create_users(trails, "a")
    trails.server.client("sts", region_name="eu-west-1").get_caller_identity()
    runtime = trails.server.runtime
    server = _DyingServer(runtime, writes_before)
    (trail,) = delivery._all_trails(runtime.documents)

    async def deliver() -> None:
        runtime.audit.flush()
        await delivery._deliver(server, runtime.audit, trail)  # type: ignore[arg-type]

    with pytest.raises(Killed):
        trails.server.run(deliver())
    written = trails.object_keys()
    assert len(written) == writes_before
    create_users(trails, "b")
    trails.round()
    assert set(written) < set(trails.object_keys())
    records = trails.records()
    assert users(records) == ["a", "b"]
    ids = [record["eventID"] for record in records]
    assert len(ids) == len(set(ids))


class _DyingServer:
    """A server whose process ends at a write to S3."""

    def __init__(self, runtime: Any, writes_before: int) -> None:
        self._runtime = runtime
        self._writes_left = writes_before
        self.clock = runtime.clock
        self.documents: Documents = runtime.documents
        self.dispatcher = self

    async def invoke(self, *arguments: Any, **members: Any) -> Any:
        if self._writes_left == 0:
            raise Killed
        self._writes_left -= 1
        return await self._runtime.dispatcher.invoke(*arguments, **members)
