from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cloche.cli.environment import (
    client_environment,
    pointed_environment,
    removed_variables,
    shell_lines,
)
from cloche.cli.http_client import Credentials

CREDENTIALS: Credentials = {
    "account_id": "000000000000",
    "access_key_id": "AKIAEXAMPLE",
    "secret_access_key": 'it\'s/a+secret $HOME "quoted" \\',
}


REMOVED = removed_variables({})


def environment(directory: Path) -> dict[str, str]:
    return client_environment({}, "http://127.0.0.1:4566", CREDENTIALS, "eu-west-1", directory)


def test_the_shell_gets_exactly_these_values(tmp_path: Path) -> None:
    expected = environment(tmp_path)
    program = "\n".join([*shell_lines(expected, REMOVED, "sh"), "env -0"])
    result = subprocess.run(
        ["/bin/sh", "-c", program],
        env={"PATH": "/usr/bin:/bin", "AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "old"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = dict(line.split("=", 1) for line in result.stdout.split("\0") if "=" in line)
    assert {name: found.get(name) for name in expected} == expected
    assert "AWS_PROFILE" not in found
    assert "AWS_SESSION_TOKEN" not in found


def test_fish_and_powershell_quote_in_their_own_way(tmp_path: Path) -> None:
    fish = shell_lines(environment(tmp_path), REMOVED, "fish")
    assert r"""set -gx AWS_SECRET_ACCESS_KEY 'it\'s/a+secret $HOME "quoted" \\'""" in fish
    assert "set -e AWS_PROFILE" in fish
    powershell = shell_lines(environment(tmp_path), REMOVED, "powershell")
    assert r"""$Env:AWS_SECRET_ACCESS_KEY = 'it''s/a+secret $HOME "quoted" \'""" in powershell


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_understands_it(tmp_path: Path) -> None:
    lines = [*shell_lines(environment(tmp_path), REMOVED, "fish"), "echo $AWS_SECRET_ACCESS_KEY"]
    result = subprocess.run(
        ["fish", "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert result.stdout == CREDENTIALS["secret_access_key"] + "\n"


def test_the_sagemaker_sdk_is_kept_from_asking_aws(tmp_path: Path) -> None:
    file = Path(environment(tmp_path)["SAGEMAKER_USER_CONFIG_OVERRIDE"])
    sdk = json.loads(file.read_text())["SageMaker"]["PythonSDK"]["Modules"]
    assert sdk["Session"]["DefaultS3Bucket"] == "sagemaker-eu-west-1-000000000000"
    assert sdk["TelemetryOptOut"] is True


def test_an_endpoint_of_one_service_is_removed() -> None:
    assert "AWS_ENDPOINT_URL_S3" in removed_variables({"AWS_ENDPOINT_URL_S3": "http://elsewhere"})
    assert "AWS_ENDPOINT_URL_S3" not in removed_variables({})


def test_a_proxy_is_gone_around(tmp_path: Path) -> None:
    def without_proxy(environment: dict[str, str]) -> str | None:
        url = "http://127.0.0.1:4566"
        found = client_environment(environment, url, CREDENTIALS, "us-east-1", tmp_path)
        return found.get("NO_PROXY")

    assert without_proxy({}) is None
    assert without_proxy({"HTTP_PROXY": "http://proxy:3128"}) == "127.0.0.1"
    both = {"http_proxy": "http://proxy:3128", "no_proxy": "intranet"}
    assert without_proxy(both) == "intranet,127.0.0.1"
    assert without_proxy(both | {"no_proxy": "127.0.0.1"}) == "127.0.0.1"


def test_a_processs_whole_environment_has_nothing_in_the_way(tmp_path: Path) -> None:
    found = pointed_environment(
        {"HOME": "/home/me", "AWS_PROFILE": "mine", "AWS_ENDPOINT_URL_S3": "http://elsewhere"},
        "http://127.0.0.1:4566",
        CREDENTIALS,
        "us-east-1",
        tmp_path,
    )
    assert found["HOME"] == "/home/me"
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"}.isdisjoint(found)
