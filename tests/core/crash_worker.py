"""Runs two jobs that never end, one of which can be resumed, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from cloche.core.clock import Clock
from cloche.core.documents import Documents
from cloche.core.events import EventBus
from cloche.core.jobs import JobCall, Jobs
from cloche.engines.documents.sqlite import SQLiteDocuments


async def for_ever(call: JobCall) -> None:
    await call.save_async({"came": "far"})
    call.log("saved")
    sys.stdout.write(f"{call.job.kind}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def main() -> None:
    folder = Path(sys.argv[1])
    documents, clock = Documents(SQLiteDocuments(folder)), Clock()
    jobs = Jobs(documents, clock, EventBus(documents, clock), folder)
    jobs.register("test.work", for_ever)
    jobs.register("test.resumable", for_ever, is_resumable=True)
    await jobs.start()
    for kind in ("test.work", "test.resumable"):
        await jobs.submit_async(kind, "1", "r", "one", {})
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
