from __future__ import annotations

import os
import subprocess
import sys
import time

from cloche.core import processes


def test_the_start_of_a_process_is_found_by_both_ways() -> None:
    before = time.time()
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        start = processes.started_at(process.pid)
        assert start is not None
        assert before - 1 <= start <= time.time() + 1
        from_ps = processes._from_ps(process.pid)  # pyright: ignore[reportPrivateUsage]
        assert from_ps is not None
        assert abs(from_ps - start) <= processes.TOLERANCE_SECONDS
        assert processes.is_running(process.pid, start)
        assert not processes.is_running(process.pid, start - 10)
    finally:
        process.communicate(b"\n")
    assert not processes.is_running(process.pid, start)


def test_a_process_that_ended_but_was_not_waited_for_does_not_run() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    start = processes.started_at(process.pid)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert start is not None
    assert not processes.is_running(process.pid, start)
    process.wait()
