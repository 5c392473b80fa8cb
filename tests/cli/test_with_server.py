"""Commands that ask a running server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.cli.servers import Cloche


@pytest.fixture(scope="module")
def cloche(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloche]:
    command = Cloche(tmp_path_factory.mktemp("cloche") / "data")
    command.json("up", "--detach")
    yield command
    assert command("down").returncode == 0


def client(cloche: Cloche, service: str, *arguments: str) -> Any:
    variables = cloche.json("env", *arguments)["set"]
    return boto3.client(
        service,
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )


def test_env_points_every_client_at_the_server(cloche: Cloche) -> None:
    lines = cloche("env").stdout
    program = (
        f"{lines}\n"
        f"{sys.executable} -c 'import boto3;"
        'print(boto3.client("sts").get_caller_identity()["Arn"])\''
    )
    result = subprocess.run(
        ["/bin/sh", "-c", program],
        env={**cloche.environment, "AWS_PROFILE": "not-there", "AWS_SESSION_TOKEN": "stale"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "arn:aws:iam::000000000000:root\n", result.stderr


def test_aws_runs_the_aws_cli_and_gives_its_exit_code(cloche: Cloche) -> None:
    assert cloche("aws", "s3", "mb", "s3://from-the-cli").returncode == 0
    listing = cloche("aws", "s3api", "list-buckets", "--query", "Buckets[].Name")
    assert json.loads(listing.stdout) == ["from-the-cli"]
    assert cloche("aws", "s3", "ls", "s3://is-not-there").returncode not in (0, 3)
    assert "aws" in cloche("aws", "--version").stdout + cloche("aws", "--version").stderr


def test_the_clock_moves_forward_only(cloche: Cloche) -> None:
    before = cloche.json("clock", "show")
    after = cloche.json("clock", "advance", "1d12h")
    assert after["offset_seconds"] - before["offset_seconds"] == pytest.approx(129600, abs=1)
    moved = datetime.fromisoformat(after["now"]) - datetime.fromisoformat(before["now"])
    assert moved.total_seconds() >= 129600
    assert "ahead of real time" in cloche("clock", "show").stdout


def test_an_account_has_its_own_key_and_resources(cloche: Cloche) -> None:
    made = cloche.json("account", "create", "team")
    assert (
        client(cloche, "sts", "--account", "team").get_caller_identity()["Account"]
        == (made["account_id"])
    )
    client(cloche, "s3", "--account", "team").create_bucket(Bucket="of-the-team")
    names = [bucket["Name"] for bucket in client(cloche, "s3").list_buckets()["Buckets"]]
    assert "of-the-team" not in names

    listing = cloche.json("account", "list")["accounts"]
    assert {"account_id": made["account_id"], "name": "team"}.items() <= listing[-1].items()
    assert made["secret_access_key"] not in json.dumps(listing)
    assert "team" in cloche("account", "list").stdout


def test_an_account_that_is_there_or_is_not_is_said(cloche: Cloche) -> None:
    cloche.json("account", "create", "twice")
    again = cloche("account", "create", "twice")
    assert again.returncode == 1
    assert "twice" in again.stderr
    absent = cloche("env", "--account", "absent")
    assert absent.returncode == 1
    assert "cloche account create absent" in absent.stderr


def test_the_servers_version_and_data_are_shown(cloche: Cloche) -> None:
    text = cloche("status").stdout
    assert str(cloche.data) in text
    assert "\x1b[" not in text


def test_coverage_lists_every_operation_of_the_model(cloche: Cloche) -> None:
    operations = cloche.json("coverage", "s3")["operations"]
    by_name = {one["operation"]: one for one in operations}
    assert by_name["PutObject"]["state"] == "executes"
    file, _, line = by_name["PutObject"]["where"].partition(":")
    assert (Path(__file__).parents[2] / "src" / "cloche" / file).is_file()
    assert int(line) > 0
    assert by_name["SelectObjectContent"]["state"] == "not built"
    built = cloche.json("coverage", "s3", "--built")["operations"]
    assert 0 < len(built) < len(operations)


def test_coverage_of_all_services_is_a_table(cloche: Cloche) -> None:
    services = {one["service"]: one for one in cloche.json("coverage")["services"]}
    assert {"s3", "iam", "sts"} <= services.keys()
    assert services["s3"]["built"] == services["s3"]["executes"] + services["s3"]["stored"]
    unknown = cloche("coverage", "nonsense")
    assert unknown.returncode == 2
    assert "nonsense" in unknown.stderr


def test_a_service_that_is_not_begun_is_not_built(cloche: Cloche) -> None:
    states = {one["state"] for one in cloche.json("coverage", "braket")["operations"]}
    assert states == {"not built"}
