"""The AWS command line as its users type it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.live_server import LiveServer


class CommandLine:
    """Runs `aws …` in a process of its own."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "awscli", *arguments],
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def __call__(self, *arguments: str) -> str:
        """What it prints; it must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--output", "json"))


@pytest.fixture
def aws_command(environment: dict[str, str], tmp_path: Path) -> CommandLine:
    return CommandLine(environment, tmp_path)


def test_bucket_from_its_making_to_its_end(aws_command: CommandLine, tables: Path) -> None:
    url = f"s3://cli-{uuid4().hex}"
    airports = tables / "airports.csv"

    assert "make_bucket" in aws_command("s3", "mb", url)
    assert "upload:" in aws_command("s3", "cp", str(airports), f"{url}/tables/")
    assert f"{airports.stat().st_size} airports.csv" in aws_command("s3", "ls", f"{url}/tables/")
    assert "PRE tables/" in aws_command("s3", "ls", url)
    assert aws_command("s3", "cp", f"{url}/tables/airports.csv", "-") == airports.read_text()
    aws_command("s3", "mv", f"{url}/tables/airports.csv", f"{url}/moved.csv")
    assert "moved.csv" in aws_command("s3", "ls", url)
    assert aws_command.run("s3", "rb", url).returncode != 0  # it is not empty
    assert "delete:" in aws_command("s3", "rm", url, "--recursive")
    assert "remove_bucket" in aws_command("s3", "rb", url)
    missing = aws_command.run("s3", "ls", url)
    assert missing.returncode != 0
    assert "NoSuchBucket" in missing.stderr


def test_folders_are_kept_alike(aws_command: CommandLine, bucket: str, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    contents = {"a.txt": b"a", "deep/er/b b.bin": bytes(range(256)), "ünï/+%&.txt": b"", "x": b"x"}
    written_at = time.time() - 60
    for name, content in contents.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
        # S3 tells whole seconds: what is uploaded in the second it was written in looks older.
        os.utime(source / name, (written_at, written_at))

    assert aws_command("s3", "sync", str(source), f"s3://{bucket}/kept").count("upload:") == 4
    assert aws_command("s3", "sync", str(source), f"s3://{bucket}/kept") == ""
    (source / "x").unlink()
    (source / "a.txt").write_bytes(b"changed")
    again = aws_command("s3", "sync", str(source), f"s3://{bucket}/kept", "--delete")
    assert (again.count("upload:"), again.count("delete:")) == (1, 1)
    aws_command("s3", "sync", f"s3://{bucket}/kept", str(target))

    found = {
        str(path.relative_to(target)): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file()
    }
    del contents["x"]
    assert found == {**contents, "a.txt": b"changed"}


def test_large_file_goes_in_parts(aws_command: CommandLine, bucket: str, tables: Path) -> None:
    source = tables / "flights.csv"
    aws_command("s3", "cp", "--no-progress", str(source), f"s3://{bucket}/flights.csv")
    aws_command("s3", "cp", "--no-progress", f"s3://{bucket}/flights.csv", "flights.csv")

    head = aws_command.json("s3api", "head-object", "--bucket", bucket, "--key", "flights.csv")

    assert head["ContentLength"] == source.stat().st_size
    assert head["ETag"].endswith(f'-{-(-source.stat().st_size // (8 * 1024 * 1024))}"')
    assert (Path(aws_command._folder) / "flights.csv").read_bytes() == source.read_bytes()


def test_identity_and_users(aws_command: CommandLine, server: LiveServer) -> None:
    name = f"cli-{uuid4().hex[:8]}"
    identity = aws_command.json("sts", "get-caller-identity")
    made = aws_command.json("iam", "create-user", "--user-name", name, "--tags", "Key=team,Value=a")

    names = aws_command("iam", "list-users", "--query", "Users[].UserName", "--output", "text")

    assert identity["Account"] == server.root["AccountId"]
    assert made["User"]["Arn"].endswith(f":user/{name}")
    assert name in names.split()
    assert (
        "EntityAlreadyExists" in aws_command.run("iam", "create-user", "--user-name", name).stderr
    )
