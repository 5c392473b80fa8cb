"""A server in a process of its own, which can be killed and started again on its data."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ACCESS_KEY_ID = "AKIACLOCHETESTSERVER"
SECRET_ACCESS_KEY = "of-a-server-that-is-killed"


class ServerProcess:
    """Runs `python -m cloche up` on a free port.

    Attributes:
        url: where it listens.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process: subprocess.Popen[str]
        self.url = ""

    def start(self) -> ServerProcess:
        """Start it; returns when it listens."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "CLOCHE_"))
        }
        environment = {
            **kept,
            "CLOCHE_ROOT_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "CLOCHE_ROOT_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        }
        options = ["--data", str(self._data), "--port", "0"]
        with (self._data.parent / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-u", "-m", "cloche", "up", *options],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"http://[\w.]+:\d+", line)
        assert found, f"it said {line!r}; {(self._data.parent / 'server.log').read_text()[-2000:]}"
        self.url = found[0]
        return self

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.url.rpartition(":")[2])

    @property
    def log(self) -> str:
        """What it wrote, in all its lives."""
        return (self._data.parent / "server.log").read_text()

    def kill(self) -> None:
        """`kill -9`."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def memory_bytes(self) -> int:
        """What it holds of the machine's memory now."""
        statm = Path(f"/proc/{self._process.pid}/statm").read_text()
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def client(self, service: str) -> Any:
        """A boto3 client of root that asks once."""
        config = Config(
            retries={"max_attempts": 0},
            max_pool_connections=32,
            connect_timeout=10,
            read_timeout=30,
            s3={"addressing_style": "path"},
        )
        return boto3.session.Session().client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
            config=config,
        )
