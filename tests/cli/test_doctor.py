from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from urllib.parse import quote

import pytest

from cloche.cli.checks import check_credentials_file, check_data_directory
from tests.cli.conftest import Run
from tests.live_server import LiveServer
from tests.postgresql import postgresql_server, postgresql_url

__all__ = ["postgresql_server", "postgresql_url"]


def test_a_fresh_machine_is_well(run: Run, data: Path) -> None:
    result = run("doctor", "--json")
    report = json.loads(result.stdout)
    failed = [check for check in report["checks"] if check["state"] == "failed"]
    assert failed == []
    assert result.exit_code == 0
    assert report["ok"] is True
    origins = {one["name"]: one["origin"] for one in report["settings"]}
    assert origins["data_directory"] == "environment"
    assert origins["host"] == "default"
    assert not data.exists()


def test_a_port_in_use_fails_and_says_how_to_mend_it(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = run("doctor", "--port", str(other.getsockname()[1]))
    assert result.exit_code == 1
    line = next(line for line in result.stdout.splitlines() if line.startswith("✗"))
    assert "Port" in line
    assert "in use" in line
    assert "→ Choose another: CLOCHE_PORT=4567" in result.stdout


def test_a_root_key_that_others_can_read_fails(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text("{}")
    file.chmod(0o644)
    assert check_credentials_file(file).state == "failed"
    assert check_credentials_file(file).mend == f"chmod 600 {file}"
    file.chmod(0o600)
    assert check_credentials_file(file).state == "ok"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_fails(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert check_data_directory(tmp_path / "data").state == "failed"


def test_a_misspelt_variable_is_a_warning(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOCHE_PROT", "4567")
    result = run("doctor", "--json")
    assert result.exit_code == 0
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert checks["Variables"]["state"] == "warning"
    assert "CLOCHE_PROT" in checks["Variables"]["found"]


def test_a_password_is_not_printed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOCHE_DATABASE_URL", "postgresql://user:hunter2@db.example/cloche")
    result = run("doctor")
    assert "hunter2" not in result.output
    assert "db.example" in result.output


def test_a_database_and_an_object_store_are_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch, server: LiveServer
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    monkeypatch.setenv("CLOCHE_DATABASE_URL", f"postgresql://me:hunter2@127.0.0.1:{port}/x")
    monkeypatch.setenv("CLOCHE_OBJECT_STORE_URL", f"http://127.0.0.1:{port}")
    result = run("doctor", "--json")
    assert result.exit_code == 1
    assert "hunter2" not in result.output
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    for name in ("Database", "Object store"):
        assert checks[name]["state"] == "failed"
        assert "refused" in checks[name]["found"]
        assert checks[name]["mend"].startswith("Start it, or let CLOCHE_")
    monkeypatch.delenv("CLOCHE_DATABASE_URL")
    key = quote(server.root["SecretAccessKey"], safe="")
    monkeypatch.setenv("CLOCHE_OBJECT_STORE_URL", f"http://AK:{key}@127.0.0.1:{server.port}/x")
    report = json.loads(run("doctor", "--json").stdout)
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["Object store"]["state"] == "ok"
    assert checks["Object store"]["found"] == f"http://AK:***@127.0.0.1:{server.port}/x answers"


def test_a_database_that_answers(
    run: Run, monkeypatch: pytest.MonkeyPatch, postgresql_url: str
) -> None:
    monkeypatch.setenv("CLOCHE_DATABASE_URL", postgresql_url)
    report = json.loads(run("doctor", "--json").stdout)
    checks = {check["name"]: check["state"] for check in report["checks"]}
    assert checks["Database"] == "ok"
