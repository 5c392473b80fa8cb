"""How the demo shows what it does: a bar while a step runs, one line when it is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text


class RateColumn(ProgressColumn):
    """Units per second."""

    def render(self, task: Task) -> Text:
        """`152,310 rows/s`, or nothing before it is known."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {task.fields['unit']}/s" if speed else "")


@dataclass(slots=True)
class Step:
    """A step that runs.

    Attributes:
        started: `time.perf_counter()` at its start.
        line: what it did, said at its end; set by the step.
    """

    progress: Progress
    task: Any
    started: float = field(default_factory=time.perf_counter)
    line: str = ""

    def advance(self, count: float = 1) -> None:
        """Count what was done."""
        self.progress.advance(self.task, count)

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.perf_counter() - self.started


class Reporter:
    """Shows steps on a terminal with bars, elsewhere as lines, and nothing if it is quiet."""

    def __init__(self, console: Console | None = None, *, quiet: bool = False) -> None:
        self.console = console or Console(quiet=quiet, highlight=False)
        self.steps: list[dict[str, Any]] = []

    @contextmanager
    def step(self, title: str, total: float, unit: str) -> Iterator[Step]:
        """Show a step; the block sets `line`, which is said with its time when it is done."""
        progress = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            RateColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        with progress:
            step = Step(progress, progress.add_task(title, total=total, unit=unit))
            yield step
        seconds = step.seconds
        self.steps.append({"step": title, "line": step.line, "seconds": round(seconds, 3)})
        self.say(f"{step.line} [dim]{seconds:.2f} s[/dim]")

    def say(self, line: str) -> None:
        """Say a line; Rich's markup is allowed."""
        self.console.print(f"[green]✓[/green] {line}", soft_wrap=True)
