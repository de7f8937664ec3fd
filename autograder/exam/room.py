"""One worker's exam room: two warm nurseries, and the order of events of one exam after another.

The room runs no learner's code and reads no learner's bytes; it hands them on, keeps the last clock, and
kills what does not end by itself. Whatever a submission does, the room comes back with a `Result`.
"""

from __future__ import annotations

import ast
import contextlib
import os
import select
import signal
import time
from collections.abc import Iterable
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any

from autograder.exam.limits import Limits
from autograder.exam.nursery import CANDIDATES, EXAMINERS
from autograder.exam.records import (
    ANSWER,
    GIVEN,
    Cell,
    Rebuilt,
    Result,
    course_cells,
    rebuilt_from_plain,
    result_from_plain,
    to_plain,
)
from autograder.exam.sandbox import NoSandbox, Nursery
from autograder.exam.wire import Channel, Lost, close_quietly
from autograder.exercise import UNREADABLE, Verdict
from autograder.stage import load_stage, stage_folder

_INTAKE_SECONDS = 60.0
_SLACK_SECONDS = 60.0
_STACK = ("numpy", "pandas", "scipy", "sklearn", "matplotlib.pyplot", "torch")


class Room:
    """Holds exams of one stage, one at a time.

    limits: what an exam may use.   unsandboxed: do without walls (the caller has been told what that means).
    demos: run the cells that are only to be looked at as well.

    Raises NoSandbox when no wall can be had, ValueError for an unknown stage.
    """

    def __init__(
        self, stage: str, *, limits: Limits | None = None, unsandboxed: bool = False, demos: bool = False
    ):
        folder = stage_folder(stage)
        self._limits = limits or Limits()
        self._demos = demos
        exercises = load_stage(folder)
        cells = course_cells(folder, exercises)
        self._points = {name: exercise.points for name, exercise in exercises.items()}
        self._nurseries: list[Nursery] = []
        try:
            self._candidates = self._open(
                CANDIDATES, stage, imported(cells), first_cells(cells), not unsandboxed
            )
            # Examiners import what their exercises need when they try each of them once.
            self._examiners = self._open(EXAMINERS, stage, (), (), not unsandboxed)
            for nursery in self._nurseries:
                nursery.wait()
        except BaseException:
            self.close()
            raise

    def _open(
        self, role: str, stage: str, imports: Iterable[str], cells: Iterable[str], walls: bool
    ) -> Nursery:
        nursery = Nursery(role, stage, self._limits, list(imports), list(cells), walls)
        self._nurseries.append(nursery)
        return nursery

    def __enter__(self) -> Room:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End both nurseries and everything in them."""
        for nursery in self._nurseries:
            nursery.close()

    def sit(self, submission: bytes, seed: bytes) -> Result:
        """Examine one submission and return what came of it, whatever it does.

        submission: the bytes that were handed in.   seed: 32 bytes, from `seeds.exam_seed`.
        Raises Lost only when a nursery itself is gone: the room is of no more use then.
        """
        start = time.perf_counter()
        rebuilt, problem = self._take_in(submission)
        taken = time.perf_counter()
        if rebuilt is None:
            return self._unread(problem, taken - start)
        skip: dict[str, str] = {}
        # A second reading has as long as the first, however many it takes.
        end = None
        while True:
            left = self._limits.exam_seconds if end is None else end - time.monotonic()
            result, fatal = self._examine(rebuilt, seed, skip, left)
            end = end or time.monotonic() + self._limits.exam_seconds
            if result is not None or fatal in skip:
                break
            skip[fatal] = "What came back was too much for the check, which had to be stopped."
        if result is None:
            return self._unread("The exam could not be finished with this submission.", taken - start)
        total = time.perf_counter() - start
        seconds = {**result.seconds, "intake": taken - start, "total": total}
        return replace(result, repairs=rebuilt.repairs, seconds=seconds)

    def _take_in(self, submission: bytes) -> tuple[Rebuilt | None, str]:
        """Have the submission read in a process of its own; return the cells, or why there are none."""
        with self._child(self._examiners) as (channel, _):
            try:
                channel.receive(_INTAKE_SECONDS)
                channel.send({"do": "intake", "submission": submission})
                answer = channel.receive(_INTAKE_SECONDS)
            except Lost as lost:
                too_long = "took too long to read" if lost.late else "used up all memory while it was read"
                return None, f"The submission {too_long}."
        if "rebuilt" in answer:
            return rebuilt_from_plain(answer["rebuilt"]), ""
        return None, str(answer.get("problem") or answer.get("why"))

    def _examine(
        self, rebuilt: Rebuilt, seed: bytes, skip: dict[str, str], seconds: float
    ) -> tuple[Result | None, str]:
        """Run one examiner to its end; return its result, or the exercise at which it was lost."""
        patience = self._limits.cell_seconds + self._limits.check_seconds + _SLACK_SECONDS
        at = ""
        with contextlib.ExitStack() as children:
            channel, _ = children.enter_context(self._child(self._examiners))
            candidate: contextlib.ExitStack | None = None
            try:
                born = channel.receive(_INTAKE_SECONDS)
                if not born.get("ready"):
                    raise NoSandbox(str(born.get("why")))
                job = {"do": "examine", "rebuilt": to_plain(rebuilt), "seed": seed, "skip": skip}
                channel.send(job | {"seconds": seconds, "demos": self._demos})
                while True:
                    message = channel.receive(patience)
                    if "result" in message:
                        return result_from_plain(message["result"]), ""
                    if "need" in message:
                        if candidate is not None:
                            candidate.close()
                        candidate = children.enter_context(contextlib.ExitStack())
                        learner = candidate.enter_context(self._child(self._candidates, keep=False))
                        channel.send({"candidate": True}, pass_on=(learner[0],))
                        close_quietly(learner[0])
                    elif "broken" in message:
                        raise NoSandbox(str(message["broken"]))
                    elif "why" in message:
                        # The examiner itself broke down over what it was in.
                        return None, at
                    else:
                        at = str(message.get("at", at))
            except Lost:
                return None, at

    @contextlib.contextmanager
    def _child(self, nursery: Nursery, keep: bool = True) -> Any:
        """Fork a child; yield its line (a channel, or the bare descriptor) and pidfd; kill it at the end."""
        descriptor, pidfd = nursery.fork()
        channel = Channel.of(descriptor, self._limits.message) if keep else None
        try:
            yield (channel if keep else descriptor), pidfd
        finally:
            if channel is not None:
                channel.close()
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            # Killed is not yet gone: only then is the next exam alone.
            select.select([pidfd], [], [], 10)
            os.close(pidfd)

    def _unread(self, problem: str, seconds: float) -> Result:
        """Return the result of a submission of which nothing could be graded."""
        verdicts = {
            name: asdict(Verdict(name, UNREADABLE, 0.0, points, problem))
            for name, points in self._points.items()
        }
        return Result((), {}, verdicts, problem=problem, seconds={"intake": seconds, "total": seconds})


def imported(cells: Iterable[Cell]) -> list[str]:
    """Return the modules that a stage's cells import, and those that every stage's learners use."""
    names = dict.fromkeys(_STACK)
    for cell in cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                names |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names[node.module] = None
    return [name for name in names if name.split(".")[0] != "autograder"]


def first_cells(cells: Iterable[Cell]) -> list[str]:
    """Return the course's code cells before the first answer: what every submission runs first."""
    found = []
    for cell in cells:
        if cell.kind == ANSWER:
            break
        if cell.kind == GIVEN:
            found.append(cell.source)
    return found
