"""A small course, notebooks handed in for it, and what every rebuilt notebook promises."""

import io
import json
import zipfile

import pytest

from autograder.exam.intake import IntakeError, IntakeLimits, rebuild
from autograder.exam.records import ANSWER, CHECK, DEMO, EXPLAIN, EXTRA, GIVEN, PROSE, Cell

STAGE = "01_small"
MEAN = 'def mean(values):\n    """Return the mean."""\n    ...  # your answer here'
COURSE = (
    Cell("markdown-1", PROSE, "markdown", "# A small stage"),
    Cell("code-1", GIVEN, "code", 'import numpy as np\n\nstage = Stage("01_small")'),
    Cell("code-2", DEMO, "code", "print(np.arange(3))"),
    Cell("answer-mean", ANSWER, "code", MEAN, "mean", True),
    Cell("check-mean", CHECK, "code", 'stage.check("mean", mean)', "mean"),
    Cell("markdown-2", PROSE, "markdown", "Now choose."),
    Cell("answer-limit", ANSWER, "code", "limit = None  # how many?\n...  # your answer here", "limit", True),
    Cell("check-limit", CHECK, "code", 'stage.check("limit", limit)', "limit"),
    Cell("explain-why", EXPLAIN, "markdown", "Write here.", "why", True),
    Cell("markdown-3", PROSE, "markdown", "The end."),
)
IDS = [cell.id for cell in COURSE]
FLAGS = {ANSWER: (False, True), CHECK: (True, False), EXPLAIN: (True, True)}
TIGHT = IntakeLimits(
    file_bytes=6000, depth=8, values=300, cells=14, cell_chars=120, total_chars=700, extra_cells=3
)
LIMITS = IntakeLimits()
ANSWERED = "def mean(values):\n    return sum(values) / len(values)"


def cell_json(cell: Cell, style: str = "nbgrader") -> dict:
    """Return a cell as a notebook holds it: released by nbgrader, for self-study, old (no ids) or bare."""
    data = {"cell_type": cell.cell_type, "source": cell.source, "metadata": {}}
    if cell.cell_type == "code":
        data |= {"outputs": [], "execution_count": None}
    if style in ("nbgrader", "self-study"):
        data["id"] = cell.id
    if style in ("nbgrader", "old") and (cell.cell_type == "code" or cell.kind == EXPLAIN):
        grade, solution = FLAGS.get(cell.kind, (False, False))
        data["metadata"]["nbgrader"] = {
            **{"grade_id": cell.id, "grade": grade, "solution": solution, "locked": not solution},
            **{"schema_version": 3, "task": False},
        }
    if style in ("nbgrader", "self-study", "ties") and cell.exercise:
        data["metadata"][cell.kind] = cell.exercise
    return data


def notebook(style: str = "nbgrader") -> dict:
    """Return the course's notebook as it is released."""
    cells = [cell_json(cell, style) for cell in COURSE]
    return {"nbformat": 4, "nbformat_minor": 4 if style == "old" else 5, "metadata": {}, "cells": cells}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip file in memory."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return memory.getvalue()


def assert_promises(rebuilt, limits: IntakeLimits) -> None:
    """Raise AssertionError unless a rebuilt notebook keeps what intake promises."""
    ours = [cell for cell in rebuilt.cells if cell.kind != EXTRA]
    assert [cell.id for cell in ours] == [cell.id for cell in COURSE]
    for cell, course in zip(ours, COURSE, strict=True):
        assert (cell.kind, cell.cell_type, cell.exercise) == (course.kind, course.cell_type, course.exercise)
        assert cell.kind in (ANSWER, EXPLAIN) or cell == course
        assert not cell.untouched or cell.source.split()[0] in (*course.source.split()[:1], "#")
    extras = [cell for cell in rebuilt.cells if cell.kind == EXTRA]
    assert len({cell.id for cell in rebuilt.cells}) == len(rebuilt.cells)
    assert [cell.id for cell in extras] == [f"extra-{number}" for number in range(1, len(extras) + 1)]
    assert len(extras) <= limits.extra_cells
    for cell in extras:
        assert cell.source.strip()
        assert cell.cell_type in ("code", "markdown", "raw")
        is_check = cell.source.strip() in {course.source for course in COURSE if course.kind == CHECK}
        assert not (is_check and cell.cell_type == "code")
    theirs = [cell for cell in rebuilt.cells if cell not in COURSE]
    assert sum(len(cell.source) for cell in theirs) <= limits.total_chars
    assert all(len(cell.source) <= limits.cell_chars for cell in theirs)
    text = "".join(cell.source for cell in rebuilt.cells) + "".join(rebuilt.repairs)
    assert "\x00" not in text
    text.encode("utf-8")
    assert all(isinstance(repair, str) and len(repair) < 1000 for repair in rebuilt.repairs)
    assert len(rebuilt.repairs) < 20


def handed_in(tree, limits=LIMITS):
    """Return a notebook's tree rebuilt, having checked what every rebuilt notebook promises."""
    rebuilt = rebuild(json.dumps(tree).encode(), COURSE, STAGE, limits)
    assert_promises(rebuilt, limits)
    return rebuilt


def answered(style="nbgrader", source=ANSWERED):
    tree = notebook(style)
    tree["cells"][IDS.index("answer-mean")]["source"] = source
    return tree


def extra(source, cell_type="code", **more):
    return {"cell_type": cell_type, "source": source, "metadata": {}, **more}


def order(rebuilt):
    return [cell.id for cell in rebuilt.cells]


def by_id(rebuilt):
    return {cell.id: cell for cell in rebuilt.cells}


def refusal(data, limits=LIMITS):
    if not isinstance(data, bytes):
        data = json.dumps(data).encode()
    with pytest.raises(IntakeError) as caught:
        rebuild(data, COURSE, STAGE, limits)
    return str(caught.value)
