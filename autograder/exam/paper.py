"""The autograded notebook: the course's cells, the learner's text where it stood, everything else inert."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from autograder.exam.clean import clean_markdown, inert_markdown, plain_verdict, sanitise_outputs, visible
from autograder.exam.records import ANSWER, CHECK, DEMO, EXPLAIN, EXTRA, Cell, Result
from autograder.exercise import Verdict
from autograder.feedback import VERDICT_TYPE, verdict_data

# One learner's tables and texts beyond this stay as typed: cleaning them would hold up the class.
TAGS_CLEANED, TEXT_RENDERED = 60_000, 200_000

Outputs = dict[str, list[dict[str, Any]]]


def graded_cells(course: Sequence[Cell], result: Result) -> tuple[Cell, ...]:
    """Return a result's cells with all text but the learner's taken from the course.

    A result without cells (an unreadable submission) gives the course's own, answers still starters. Raises
    ValueError where the cells are not those of the course.
    """
    if not result.cells:
        return tuple(course)
    waiting = {cell.id: cell for cell in course}
    cells, taken = [], set()
    for cell in result.cells:
        source = cell.source.encode("utf-8", "replace").decode()
        own = waiting.pop(cell.id, None)
        if cell.kind == EXTRA and re.fullmatch(r"extra-\d{1,9}", cell.id) and cell.id not in taken:
            cells.append(replace(cell, source=source))
        elif own is not None and own.kind == cell.kind:
            cells.append(replace(own, source=source) if own.kind in (ANSWER, EXPLAIN) else own)
        else:
            raise ValueError(f"result: {visible(cell.id)!r} is not a cell of this stage, or is there twice")
        taken.add(cell.id)
    if waiting:
        raise ValueError(f"result: it lacks the cells {', '.join(sorted(waiting)[:3])} of this stage")
    return tuple(cells)


def fair_verdicts(result: Result, worth: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Return exercise -> verdict with points between 0 and what its check cell is worth in the gradebook.

    worth: check cell id -> points. An unreadable submission has no verdicts.
    """
    found = {}
    for cell in result.cells:
        if cell.kind == CHECK and cell.exercise in result.verdicts and not result.problem:
            verdict, most = plain_verdict(result.verdicts[cell.exercise]), worth[cell.id]
            points = min(max(verdict["points"], 0.0), most)
            found[cell.exercise] = verdict | {"exercise": cell.exercise, "points": points, "out_of": most}
    return found


def cleaned_texts(result: Result, metadata: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return cell id -> inert HTML of every markdown cell that the learner wrote; starters are left out."""
    theirs = [
        cell
        for cell in result.cells
        if cell.cell_type == "markdown"
        and (cell.kind == EXTRA or (cell.kind == EXPLAIN and not unchanged(cell, metadata[cell.id])))
    ]
    render = sum(len(cell.source) for cell in theirs) <= TEXT_RENDERED
    return {cell.id: clean_markdown(cell.source, render) for cell in theirs}


def cleaned_outputs(result: Result, verdicts: Mapping[str, Mapping[str, Any]]) -> Outputs:
    """Return cell id -> outputs fit to be shown; each check cell's carry its exercise's verdict."""
    given = {cell.id: result.outputs.get(cell.id, []) for cell in result.cells if cell.cell_type == "code"}
    tags = sum(str(output.get("data")).count("<") for outputs in given.values() for output in outputs)
    html = tags <= TAGS_CLEANED
    found: Outputs = {}
    for cell in result.cells:
        if cell.kind == CHECK:
            checked = sanitise_outputs(given[cell.id], examiner=True)
            found[cell.id] = _with_verdict(checked, verdicts.get(cell.exercise))
        elif cell.cell_type == "code":
            found[cell.id] = sanitise_outputs(given[cell.id], html=html)
    return found


def _with_verdict(outputs: list[dict[str, Any]], verdict: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """See that a check cell's outputs hold exactly the verdict that is graded, and its points."""
    for output in outputs:
        output.get("data", {}).pop(VERDICT_TYPE, None)
    if verdict is None:
        return outputs
    shown = next((output for output in outputs if output["output_type"] == "display_data"), None)
    if shown is None:
        said = verdict_data(Verdict(**{**verdict, "mistakes": tuple(verdict["mistakes"])}))
        shown = {"output_type": "display_data", "data": said, "metadata": {}}
        outputs = [shown, *outputs]
    shown["data"][VERDICT_TYPE] = dict(verdict)
    if all(output["output_type"] != "execute_result" for output in outputs):
        points = {"text/plain": f"{verdict['points']:g}"}
        outputs = [
            *outputs,
            {"output_type": "execute_result", "data": points, "metadata": {}, "execution_count": None},
        ]
    return outputs


def graded_notebook(
    result: Result,
    metadata: Mapping[str, Mapping[str, Any]],
    outputs: Outputs,
    texts: Mapping[str, str],
) -> dict[str, Any]:
    """Return the autograded notebook as nbformat 4.5; `metadata` maps the course's cell ids to theirs.

    Its own metadata say under "exam" what the class report tells of: problem, repairs, seconds.
    """
    cells: list[dict[str, Any]] = []
    if result.problem or result.repairs:
        said = [f"<p><b>This submission could not be graded: {escape(visible(result.problem))}</b></p>"]
        said = said if result.problem else []
        said += [f"<p>Mended before grading: {escape(visible(repair))}</p>" for repair in result.repairs]
        cells.append(_markdown("exam-notes", {}, inert_markdown("".join(said))))
    for cell in result.cells:
        about_cell = dict(metadata.get(cell.id, {}))
        if cell.cell_type == "markdown":
            source = inert_markdown(texts[cell.id]) if cell.id in texts else cell.source
            cells.append(_markdown(cell.id, about_cell, source))
        else:
            new = {"cell_type": "code", "id": cell.id, "metadata": about_cell, "source": cell.source}
            cells.append(new | {"outputs": outputs.get(cell.id, []), "execution_count": None})
    exam = {
        "problem": visible(result.problem),
        "repairs": [visible(repair) for repair in result.repairs],
        "seconds": {str(what): float(took) for what, took in result.seconds.items() if math.isfinite(took)},
    }
    about = {"exam": exam, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def _markdown(name: str, metadata: Mapping[str, Any], source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": dict(metadata), "source": source}


def cell_metadata(cell: Cell, stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a course cell's metadata: its tie to an exercise, and nbgrader's as its release has it.

    stored: what the gradebook knows of the cell ("grade", "solution", "task", "locked", "checksum", and
    "points" if it is graded), or None for a cell that it does not know.
    """
    found: dict[str, Any] = {}
    if cell.kind in (ANSWER, CHECK, EXPLAIN):
        found[cell.kind] = cell.exercise
    elif cell.kind == DEMO:
        found[DEMO] = True
    if stored is not None:
        fixed = {"schema_version": 3, "grade_id": cell.id, "cell_type": cell.cell_type}
        found |= {"deletable": False, "nbgrader": fixed | dict(stored)}
        if stored["locked"]:
            found["editable"] = False
    return found


def unchanged(cell: Cell, metadata: Mapping[str, Any]) -> bool:
    """Tell, by nbgrader's own checksum, whether an answer is still the starter."""
    from nbformat import from_dict
    from nbgrader.utils import compute_checksum, is_task

    node = from_dict({"cell_type": cell.cell_type, "source": cell.source, "metadata": metadata})
    return node.metadata.nbgrader.checksum == compute_checksum(node) and not is_task(node)
