"""The lines that a job writes about itself: a file in the job's folder, not documents."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path


class JobLogs:
    """The logs of the jobs of this machine, at `jobs/<id>/log` of the data directory."""

    def __init__(self, data_directory: Path) -> None:
        self._jobs = data_directory / "jobs"

    def folder(self, job_id: str) -> Path:
        """The job's folder, made if need be; free for the handler's own files, but for `log`."""
        folder = self._jobs / job_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def append(self, job_id: str, text: str) -> None:
        """Add lines; they survive the server, though not the machine's loss of power."""
        data = "".join(f"{line}\n" for line in text.splitlines())
        with (self.folder(job_id) / "log").open("ab", buffering=0) as file:
            file.write(data.encode("utf-8", "replace"))

    def remove(self, job_id: str) -> None:
        """Remove the job's folder with all that is in it, if there is one."""
        shutil.rmtree(self._jobs / job_id, ignore_errors=True)

    def read(self, job_id: str) -> Iterator[str]:
        """The lines so far, without line ends; none where there is no log here."""
        try:
            file = (self._jobs / job_id / "log").open(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                yield line.rstrip("\n")
