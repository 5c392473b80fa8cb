"""Processes known by pid and start time, since a pid alone is used again.

A process that a server started is found again after the server's restart, and a command stops the
server that it means and no other. Works on Linux (from /proc) and on macOS and BSD (from `ps`).
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

# Both sources round to a second at worst, and the clock may have been set by a little since.
TOLERANCE_SECONDS = 2.0


def started_at(pid: int) -> float | None:
    """When a process started, in seconds since 1970; None if there is no such process.

    A process that ended and was not yet waited for by its parent counts as none.
    """
    return _from_proc(pid) if Path("/proc/self/stat").exists() else _from_ps(pid)


def is_running(pid: int, start: float) -> bool:
    """Whether the process `pid` that started at `start` (seconds since 1970) still runs."""
    current = started_at(pid)
    return current is not None and abs(current - start) <= TOLERANCE_SECONDS


def _from_proc(pid: int) -> float | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name, in parentheses, may hold spaces and parentheses itself.
    fields = stat.rpartition(")")[2].split()
    state, ticks_since_boot = fields[0], int(fields[19])
    if state in "ZX":
        return None
    return _boot_time() + ticks_since_boot / os.sysconf("SC_CLK_TCK")


def _boot_time() -> float:
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def _from_ps(pid: int) -> float | None:
    result = subprocess.run(
        ["/bin/ps", "-o", "state=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C"},
    )
    state, _, start = result.stdout.strip().partition(" ")
    if not start or state.startswith("Z"):
        return None
    return time.mktime(time.strptime(start.strip(), "%a %b %d %H:%M:%S %Y"))
