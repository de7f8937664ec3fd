"""The count of a grading run, shown on stderr while it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

EVERY = 10.0
"""Seconds between two lines where there is no terminal to draw a bar on."""


class Tally:
    """Counts one stage's submissions and shows graded, failed and time left.

    graded: recorded in this run.   kept: unchanged since an earlier run.
    unreadable: sentences on submissions recorded with zero because nothing of them could be graded.
    failed: sentences on submissions that are not graded.
    """

    def __init__(self, stage: str, total: int, failed: Iterable[str] = ()):
        self.stage = stage
        self.graded = 0
        self.kept = 0
        self.unreadable: list[str] = []
        self.failed = list(failed)
        self._total = total + len(self.failed)
        self._start = time.monotonic()
        self._said = self._start
        self._bar: Any = None

    def __enter__(self) -> Tally:
        if sys.stderr.isatty():
            self._bar = _bar(self.stage, self._total)
            self._bar.start()
            self._show()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def grade(self, problem: str = "") -> None:
        """Count a submission that is recorded; with a problem, it has zero points for that reason."""
        self.graded += 1
        if problem:
            self.unreadable.append(problem)
        self._show()

    def keep(self) -> None:
        """Count a submission that was graded before and has not changed."""
        self.kept += 1
        self._show()

    def set_aside(self, sentence: str) -> None:
        """Count a submission that is not graded."""
        self.failed.append(sentence)
        self._show()

    def lines(self) -> list[str]:
        """Return the outcome: one line, and one for each submission that needs attention."""
        seconds = time.monotonic() - self._start
        counts = f"{self.graded} graded, {self.kept} unchanged, {len(self.failed)} not graded"
        lines = [f"{self.stage}: {counts} ({_time(seconds)})"]
        lines += [f"  zero points: {sentence}" for sentence in self.unreadable]
        return lines + [f"  not graded: {sentence}" for sentence in self.failed]

    def _show(self) -> None:
        done = self.graded + self.kept + len(self.failed)
        if self._bar is not None:
            self._bar.update(
                self._bar.task_ids[0], completed=done, graded=self.graded + self.kept, failed=len(self.failed)
            )
            return
        now = time.monotonic()
        if now - self._said >= EVERY and done:
            self._said = now
            left = (now - self._start) / done * (self._total - done)
            counts = f"{self.graded + self.kept} of {self._total} graded, {len(self.failed)} failed"
            print(f"{self.stage}: {counts}, about {_time(left)} left", file=sys.stderr, flush=True)


def _bar(stage: str, total: int) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[graded]} of {task.total:.0f} graded, {task.fields[failed]} failed, left:"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    bar.add_task(stage, total=total, graded=0, failed=0)
    return bar


def _time(seconds: float) -> str:
    """Return seconds in the unit that people use for so many."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
