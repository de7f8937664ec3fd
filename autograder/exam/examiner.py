"""The checks' side of the wall: reads the course's check cells, asks the candidate for answers, judges them.

An examiner serves one submission. It holds the exam's seed and the exercises, but no gradebook and no other
submission. It believes nothing the candidate says about itself: values are decoded as plain data, outputs are
trimmed to what a notebook may hold, and its own clock decides what took too long.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from autograder import feedback, plain
from autograder.exam import intake, seeds
from autograder.exam.limits import Limits
from autograder.exam.records import CHECK, DEMO, Cell, Result, course_cells, rebuilt_from_plain, to_plain
from autograder.exam.wire import Channel, Lost
from autograder.exercise import RAISED, UNREADABLE, Exercise, Literal, Verdict
from autograder.explain import Explained
from autograder.judging import judge, refused

_MOST_ITEMS = 1000
_MARGIN = 2  # An honest candidate cuts what is shown itself; what is this much longer is forged.


def prepare(stage: str) -> tuple[str, dict[str, Exercise], tuple[Cell, ...]]:
    """Load a stage and draw cases of each exercise once, so that all they import is warm."""
    from autograder.stage import load_stage, stage_folder

    folder = stage_folder(stage)
    exercises = load_stage(folder)
    for exercise in exercises.values():
        judge(exercise, exercise.references, 0)
    return stage, exercises, course_cells(folder, exercises)


def serve(descriptor: int, prepared: tuple, limits: Limits) -> None:
    """Do the one job that the room gives: take a submission in, or examine it."""
    stage, exercises, course = prepared
    room = Channel.of(descriptor, limits.message)
    room.send({"ready": True})
    job = room.receive(3600)
    if job["do"] == "intake":
        try:
            room.send({"rebuilt": to_plain(intake.rebuild(job["submission"], course, stage))})
        except intake.IntakeError as error:
            room.send({"problem": str(error)})
        return
    candidate = Candidate(room, limits, job["seconds"], demos=job["demos"])
    examination = Examination(exercises, candidate, job["seed"], job["skip"], room)
    room.send({"result": examination.run(rebuilt_from_plain(job["rebuilt"]).cells)})


class Candidate:
    """The learner's process as the examiner sees it; one that is lost is replaced and brought up to date."""

    def __init__(self, room: Channel, limits: Limits, seconds: float, demos: bool):
        self._room = room
        self._limits = limits
        self._demos = demos
        self._channel: Channel | None = None
        self._ran: list[Cell] = []
        self._end = time.monotonic() + seconds
        self._space = _MARGIN * limits.exam_output
        self.ready_seconds = 0.0

    def run(self, cell: Cell) -> list[dict[str, Any]]:
        """Run one cell and return what it showed; a cell that ends the process is not run again."""
        if cell.cell_type != "code" or (cell.kind == DEMO and not self._demos):
            return []
        try:
            reply = self._ask({"do": "run", "source": cell.source}, self._limits.cell_seconds)
        except Explained as ended:
            return [
                {"output_type": "error", "ename": "Stopped", "evalue": str(ended), "traceback": [str(ended)]}
            ]
        self._ran.append(cell)
        shown = trimmed(reply.get("outputs"), min(self._space, _MARGIN * self._limits.cell_output))
        self._space -= sum(map(_length, shown))
        return shown

    def find(self, name: str, function: bool) -> Mapping[str, Any]:
        """Return what the candidate says a name is bound to."""
        return self._ask({"do": "find", "name": name, "function": function}, self._limits.check_seconds)

    def call(self, name: str, inputs: bytes, seconds: float) -> Mapping[str, Any]:
        """Call the learner's function and return the candidate's answer."""
        return self._ask({"do": "call", "name": name, "inputs": inputs}, seconds)

    def _ask(self, request: dict[str, Any], seconds: float) -> Mapping[str, Any]:
        """Ask, within the time that is left; `Explained` when the process ended or took too long."""
        return self._exchange(self._alive(), request, seconds)

    def _exchange(self, channel: Channel, request: dict[str, Any], seconds: float) -> Mapping[str, Any]:
        seconds = min(seconds, self._end - time.monotonic())
        try:
            channel.send(request, seconds=max(seconds, 0.001))
            return channel.receive(max(seconds, 0.001))
        except Lost as lost:
            self._give_up()
            if time.monotonic() >= self._end:
                raise Explained(f"The exam's {self._limits.exam_seconds:g} seconds were over.") from lost
            if lost.late:
                raise Explained(f"It took longer than {seconds:.0f} seconds and was stopped.") from lost
            raise Explained("It ended the whole process, or used more memory than there is for it.") from lost

    def _alive(self) -> Channel:
        """Return the line to a process in which all that ran before has run."""
        while self._channel is None or time.monotonic() >= self._end:
            if time.monotonic() >= self._end:
                raise Explained(f"The exam's {self._limits.exam_seconds:g} seconds were over.")
            self._replace()
        return self._channel

    def _replace(self) -> None:
        """Have a new process, and run in it what ran before; a cell that ends it now is dropped."""
        start = time.perf_counter()
        descriptors: list[int] = []
        self._room.send({"need": "candidate"})
        self._room.receive(60, descriptors)
        self._channel = Channel.of(descriptors[0], self._limits.message)
        try:
            born = self._channel.receive(30)
        except Lost as lost:
            self._give_up()
            raise Explained("A fresh process for the answer could not be had.") from lost
        if not born.get("ready"):
            # None of the learner's code has run yet: this is not their doing.
            self._room.send({"broken": str(born.get("why"))})
            raise Lost("there is no wall for a candidate")
        self.ready_seconds += time.perf_counter() - start
        again, self._ran = self._ran, []
        for place, cell in enumerate(again, 1):
            self._room.send({"again": cell.id})
            try:
                self._exchange(self._channel, {"do": "run", "source": cell.source}, self._limits.cell_seconds)
            except Explained:
                self._ran += again[place:]
                return
            self._ran.append(cell)

    def _give_up(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None


class Examination:
    """One submission, cell by cell: what it shows, and a verdict on each exercise."""

    def __init__(
        self,
        exercises: Mapping[str, Exercise],
        candidate: Candidate,
        seed: bytes,
        skip: Mapping[str, str],
        room: Channel,
    ):
        self._exercises = exercises
        self._candidate = candidate
        self._seed = seed
        self._skip = skip
        self._room = room

    def run(self, cells: tuple[Cell, ...]) -> dict[str, Any]:
        """Run what the answers need, judge each exercise, and return a `Result` as plain data."""
        last = max((place for place, cell in enumerate(cells) if cell.kind == CHECK), default=-1)
        outputs: dict[str, list] = {}
        verdicts: dict[str, dict] = {}
        seconds = {"cells": 0.0, "checks": 0.0}
        for cell in cells[: last + 1]:
            start = time.perf_counter()
            self._room.send({"at": cell.exercise if cell.kind == CHECK else ""})
            if cell.kind == CHECK:
                verdict, printed = self._check(cell)
                outputs[cell.id] = check_outputs(verdict, printed)
                verdicts[cell.exercise] = asdict(verdict)
            else:
                shown = self._candidate.run(cell)
                if shown:
                    outputs[cell.id] = shown
            seconds["checks" if cell.kind == CHECK else "cells"] += time.perf_counter() - start
        seconds["ready"] = self._candidate.ready_seconds
        return to_plain(Result(cells, outputs, verdicts, seconds=seconds))

    def _check(self, cell: Cell) -> tuple[Verdict, str]:
        """Judge one exercise; whatever goes wrong is a verdict on this exercise alone."""
        exercise = self._exercises[cell.exercise]
        start = time.perf_counter()
        tries = _Tries(self._candidate)
        if cell.exercise in self._skip:
            verdict = refused(exercise, UNREADABLE, self._skip[cell.exercise])
        else:
            try:
                answers = tuple(
                    self._answer(argument, reference, tries)
                    for argument, reference in zip(arguments(cell.source), exercise.references, strict=True)
                )
                verdict = judge(exercise, answers, seeds.exercise_rng(self._seed, exercise.name, "cases"))
            except Explained as ended:
                verdict = refused(exercise, RAISED, str(ended))
            except plain.NotPlain as odd:
                verdict = refused(exercise, UNREADABLE, str(odd))
            except Lost:
                raise
            except Exception as error:
                # A check met a value that its author never thought of.
                kind = type(error).__name__
                verdict = refused(exercise, UNREADABLE, f"What came back could not be judged ({kind}).")
        return replace(verdict, seconds=time.perf_counter() - start), tries.printed

    def _answer(self, argument: str | Any, reference: Any, tries: _Tries) -> Any:
        """Return the learner's answer: a stand-in that calls their function, or their value."""
        if not isinstance(argument, ast.Name):
            return ast.literal_eval(argument)
        wanted = not isinstance(reference, Literal)
        found = self._candidate.find(argument.id, function=wanted)
        kind = found.get("kind")
        if kind == "function" and wanted:
            return tries.function(argument.id)
        if kind == "other":
            kind = str(found.get("type"))[:100]
            raise plain.NotPlain(f"`{argument.id}` should be a function, but is of type {kind}.")
        if kind == "unreadable":
            raise plain.NotPlain(str(found.get("why"))[:500])
        return plain.decode(_bytes(found.get("value"))) if kind == "value" else None


class _Tries:
    """The calls of one check: one clock for all of them, and what they printed."""

    def __init__(self, candidate: Candidate):
        self._candidate = candidate
        self._left = candidate._limits.check_seconds
        self.printed = ""

    def function(self, name: str) -> Callable[..., Any]:
        """Return a function that calls the learner's across the wall."""

        def call(*inputs: Any) -> Any:
            start = time.monotonic()
            if self._left <= 0:
                raise Explained("The calls of this check took too long together.")
            reply = self._candidate.call(name, plain.encode(inputs), self._left)
            self._left -= time.monotonic() - start
            self.printed = (self.printed + str(reply.get("printed", "")))[:2000]
            if "raised" in reply:
                raise Explained(str(reply["raised"])[:1000])
            if "unreadable" in reply:
                raise plain.NotPlain(str(reply["unreadable"])[:500])
            return plain.decode(_bytes(reply.get("value")))

        return call


def arguments(source: str) -> list[ast.expr]:
    """Return the answers that a check cell of the course hands in: bare names or literals."""
    call = ast.parse(source, mode="eval").body
    return list(call.args[1:])


def check_outputs(verdict: Verdict, printed: str = "") -> list[dict[str, Any]]:
    """Return what a check cell shows: the verdict, and the points as nbgrader reads them."""
    data = feedback.verdict_data(verdict, printed)
    return [
        {"output_type": "display_data", "data": data, "metadata": {}},
        {
            "output_type": "execute_result",
            "data": {"text/plain": repr(feedback.Points(verdict.points, verdict.out_of))},
            "metadata": {},
            "execution_count": None,
        },
    ]


def trimmed(outputs: Any, space: int) -> list[dict[str, Any]]:
    """Return what a candidate claims a cell showed as well-formed outputs, leaving out what is not.

    space: the most characters of all outputs together; an output that does not fit is left out.
    """
    kept: list[dict[str, Any]] = []
    for item in outputs[:_MOST_ITEMS] if isinstance(outputs, list) else []:
        output = _well_formed(item) if isinstance(item, dict) else None
        if output is not None and _length(output) <= space:
            space -= _length(output)
            kept.append(output)
    return kept


def _well_formed(item: dict[str, Any]) -> dict[str, Any] | None:
    kind = item.get("output_type")
    if kind == "stream":
        name, text = item.get("name"), item.get("text")
        if name in ("stdout", "stderr") and isinstance(text, str):
            return {"output_type": kind, "name": name, "text": text}
    elif kind in ("display_data", "execute_result") and isinstance(item.get("data"), dict):
        pairs = item["data"].items()
        data = {key: value for key, value in pairs if isinstance(key, str) and isinstance(value, str)}
        data.pop(feedback.VERDICT_TYPE, None)
        count = {"execution_count": None} if kind == "execute_result" else {}
        return {"output_type": kind, "data": data, "metadata": {}} | count
    elif kind == "error":
        lines = item.get("traceback") if isinstance(item.get("traceback"), list) else []
        return {
            "output_type": kind,
            "ename": str(item.get("ename", ""))[:200],
            "evalue": str(item.get("evalue", ""))[:500],
            "traceback": [str(line)[:2000] for line in lines[:200]],
        }
    return None


def _length(value: Any) -> int:
    """Return how many characters an output holds."""
    if isinstance(value, dict):
        return sum(len(key) + _length(part) for key, part in value.items())
    return sum(map(len, value)) if isinstance(value, list) else len(value or "")


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise plain.NotPlain("The answer could not be read.")
    return value
