"""AWS's SDK for JavaScript, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.environments import node_modules
from tests.live_server import LiveServer

PACKAGE = Path(__file__).parent / "javascript"


@pytest.fixture(scope="module")
def script() -> Path:
    """The script beside its packages, where Node.js looks for them."""
    folder = node_modules(PACKAGE)
    return Path(shutil.copy(PACKAGE / "use_aws.js", folder))


@pytest.mark.timeout(240)
def test_script_does_its_work(
    script: Path, server: LiveServer, bucket: str, tables: Path, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        ["node", str(script), bucket, str(tables)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)

    weather = (tables / "weather.csv").read_bytes()
    digest = hashlib.sha256(weather).hexdigest()
    names = [f"small/ä {number}+.txt" for number in range(8)]
    assert result["arn"] == f"arn:aws:iam::{server.root['AccountId']}:root"
    assert result["small"] == {"body": names[3], "metadata": {"of": "js"}, "range": "small"}
    assert result["streamed"] == {"size": len(weather), "checksum": digest, "digest": digest}
    assert result["etagOfParts"].endswith('-2"')
    assert result["listed"] == ["parts", *names, "weather.csv"]
    assert result["left"] == []
    assert result["absent"]["name"] == "NoSuchKey"
    assert result["rootSession"]["status"] == 400
    assert result["httpVersion"] == "h2"
    for refused in result["notBuilt"]:
        assert (refused["name"], refused["status"]) == ("NotImplementedException", 501)
        assert "ListStreams" in refused["message"]
