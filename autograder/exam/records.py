"""What passes between the rooms of the exam: cells and results, as plain data and nothing else.

Everything here turns into dicts, lists, texts and numbers (`to_plain`) and back, so that it can cross a wall,
a network or a crash without pickle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from autograder import notebooks
from autograder.exercise import Exercise

PROSE, GIVEN, DEMO, ANSWER, CHECK, EXPLAIN, EXTRA = (
    "prose",
    "given",
    "demo",
    "answer",
    "check",
    "explain",
    "extra",
)
"""Kinds of cells: the course's text, its code, what is only to be looked at, the learner's answers, checks,
free text that people grade, and cells of the learner's own."""


@dataclass(frozen=True)
class Cell:
    """One cell of an exam, as it is graded.

    id: the course's cell id; "extra-1", "extra-2", ... for a learner's own cells.
    kind: one of the kinds above.   cell_type: "code" or "markdown".
    exercise: the exercise that an answer, check or free text belongs to.
    untouched: an answer or free text that is still the course's starter.
    """

    id: str
    kind: str
    cell_type: str
    source: str
    exercise: str = ""
    untouched: bool = False


@dataclass(frozen=True)
class Rebuilt:
    """A submission after intake: the course's cells with the learner's text in them, and what was mended.

    repairs: one sentence each, written to the learner.
    """

    cells: tuple[Cell, ...]
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """What came of one submission.

    cells: as rebuilt; empty when the submission could not be read.
    outputs: cell id -> notebook outputs (nbformat dicts whose data are texts; untrusted, to be sanitised).
    verdicts: exercise -> a `Verdict` as dict, for every exercise of the stage.
    repairs: sentences for the learner.   problem: why nothing could be graded, or empty.
    seconds: what took how long: "intake", "ready", "cells", "checks", "total".
    """

    cells: tuple[Cell, ...]
    outputs: Mapping[str, list[dict[str, Any]]]
    verdicts: Mapping[str, dict[str, Any]]
    repairs: tuple[str, ...] = ()
    problem: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)


def to_plain(record: Rebuilt | Result) -> dict[str, Any]:
    """Return a record as dicts and lists, for msgpack or JSON."""
    return asdict(record)


def rebuilt_from_plain(data: Mapping[str, Any]) -> Rebuilt:
    """Return the record that `to_plain` was given."""
    return Rebuilt(tuple(Cell(**cell) for cell in data["cells"]), tuple(data["repairs"]))


def result_from_plain(data: Mapping[str, Any]) -> Result:
    """Return the record that `to_plain` was given."""
    cells = tuple(Cell(**cell) for cell in data["cells"])
    return Result(**{**data, "cells": cells, "repairs": tuple(data["repairs"])})


def course_cells(folder: Path, exercises: Mapping[str, Exercise]) -> tuple[Cell, ...]:
    """Return a stage's cells as the course has them, answers still starters."""
    cells = []
    for cell in notebooks.build_learner(folder, exercises).cells:
        ties = cell.metadata
        kind = next((tie for tie in (ANSWER, CHECK, EXPLAIN, DEMO) if tie in ties), "")
        if not kind:
            kind = GIVEN if cell.cell_type == "code" else PROSE
        name = ties.get(kind, "") if kind != DEMO else ""
        untouched = kind in (ANSWER, EXPLAIN)
        cells.append(Cell(cell.id, kind, cell.cell_type, cell.source, name, untouched))
    return tuple(cells)
