"""The process is killed in the middle of 16 writers: what was acknowledged is there, and whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloche.engines.documents.sqlite import SQLiteDocuments
from tests.engines.documents.crash_writer import PAIR_TABLES

WRITER = Path(__file__).with_name("crash_writer.py")
ROUNDS = int(os.environ.get("CLOCHE_KILL_ROUNDS", "3"))


@pytest.mark.kill
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """`CLOCHE_KILL_ROUNDS=20` kills twenty times instead of three."""
    acknowledged: set[str] = set()
    for n in range(ROUNDS):
        writer = subprocess.Popen(
            [sys.executable, WRITER, tmp_path, f"round-{n:02}"], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(100 + 37 * n)]
        writer.kill()
        lines += writer.stdout.readlines()
        writer.stdout.close()
        writer.wait()
        acknowledged |= {line.decode().strip() for line in lines if line.endswith(b"\n")}
        engine = SQLiteDocuments(tmp_path)
        written = [all_names(engine, table) for table in PAIR_TABLES]
        engine.close()
        assert written[0] == written[1]  # transactions are whole
        assert acknowledged <= written[0]
    assert len(acknowledged) > ROUNDS * 100


def all_names(engine: SQLiteDocuments, table: str) -> set[str]:
    rows = engine.scan(table, "", "", "", "", 1_000_000)
    assert all(value == name.encode() * 20 for _, _, name, value, _, _ in rows)
    return {row[2] for row in rows}
