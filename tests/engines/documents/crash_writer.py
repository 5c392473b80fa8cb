"""Writes documents from 16 threads and says which are acknowledged, until it is killed."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from cloche.engines.documents.sqlite import SQLiteDocuments, SQLiteTransaction

PAIR_TABLES = ("first", "second")


def write(engine: SQLiteDocuments, round_name: str, thread_number: int) -> None:
    n = 0
    while True:
        name = f"{round_name}-{thread_number:02}-{n:06}"

        def both(tx: SQLiteTransaction, name: str = name) -> None:
            for table in PAIR_TABLES:
                tx.put((table, "", "", name), name.encode() * 20, 1)

        engine.submit(both, lambda: None).result()
        # One write, so that a line is whole or absent in what the parent reads.
        os.write(1, f"{name}\n".encode())
        n += 1


def main() -> None:
    engine = SQLiteDocuments(Path(sys.argv[1]))
    for thread_number in range(16):
        threading.Thread(target=write, args=(engine, sys.argv[2], thread_number)).start()


if __name__ == "__main__":
    main()
