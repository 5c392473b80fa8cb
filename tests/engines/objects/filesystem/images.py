"""What a crash leaves: the files as they are while the store is open."""

from __future__ import annotations

import subprocess
from pathlib import Path


def copy_while_open(directory: Path, image: Path) -> None:
    """Copy a store's directory, by another process.

    A process that closes any descriptor of a file loses all its POSIX locks on it: copying SQLite's
    files in the process that has them open would take its locks away.
    """
    subprocess.run(["cp", "-r", str(directory), str(image)], check=True)
