"""What an instructor reads about a class: points, success per exercise, and which mistakes were made.

Everything comes from the autograded notebooks, whether stock nbgrader or the exam wrote them. They hold
learners' text and outputs: what does not have the form of a verdict is none. (In stock nbgrader a learner's
code shares a process with the check and can show a verdict of its own making: grades are in the gradebook.)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd

from autograder.exercise import CORRECT, NOT_ATTEMPTED, PARTLY, RAISED, UNREADABLE, WRONG, Exercise
from autograder.export import plain
from autograder.feedback import VERDICT_TYPE
from autograder.judging import ONE_ANSWER

COLUMNS = ["stage", "learner", "exercise", "word", "points", "out_of", "mistakes"]
NO_VERDICT = "no verdict"
WORDS = (CORRECT, PARTLY, WRONG, RAISED, UNREADABLE, NOT_ATTEMPTED)
FEW = 20  # learners below which a correlation says little
_UNNAMED = {WRONG: "(no known mistake)", PARTLY: "(no known mistake)"} | {
    w: f"({w})" for w in (RAISED, UNREADABLE)
}


@dataclass(frozen=True)
class Graded:
    """One stage of a class.

    verdicts: one row per learner and exercise, columns as in `verdicts`.
    submissions: one row per learner: learner, points, out_of (NaN where there is no grade), seconds (of the
    exam, or NaN), by_hand (how many answers people grade), person (list: why a person should look at it).
    answers: exercise -> learner -> the learner's own code for it.
    """

    stage: str
    verdicts: pd.DataFrame
    submissions: pd.DataFrame
    answers: dict[str, dict[str, str]]


def verdicts(course: Path) -> pd.DataFrame:
    """Return one row per learner and exercise from a course folder's autograded notebooks.

    Columns: stage, learner, exercise, word (str), points, out_of (float), mistakes (list of names).
    A check cell that crashed or shows no verdict has the word "no verdict" and 0 points.
    """
    return pd.concat([graded.verdicts for graded in read(course)], ignore_index=True)


def read(course: Path, stages: Sequence[str] = ()) -> list[Graded]:
    """Return what was graded, stage by stage; all stages if none is named. ValueError if there is nothing."""
    there: dict[str, dict[str, Path]] = {}
    for file in sorted((course / "autograded").glob("*/*/*.ipynb")):
        if file.stem == file.parent.name:
            there.setdefault(file.stem, {})[file.parent.parent.name] = file
    if not there:
        raise ValueError(
            f"course: {course} has no autograded notebooks; run `nbgrader autograde` in it first"
        )
    for stage in stages:
        if stage not in there:
            raise ValueError(f"stages: {stage!r} has no autograded notebooks; there are {', '.join(there)}")
    return [_read_stage(course, stage, there[stage]) for stage in stages or sorted(there)]


def _read_stage(course: Path, stage: str, files: Mapping[str, Path]) -> Graded:
    rows: list[list] = []
    submissions: list[list] = []
    answers: dict[str, dict[str, str]] = {}
    for learner, file in files.items():
        try:
            notebook = nbformat.read(file, as_version=4)
            cells = {checked(cell): cell for cell in reversed(notebook.cells)}
            found = [[stage, learner, *_verdict(cell)] for name, cell in reversed(cells.items()) if name]
            own = own_code(notebook)
            facts = _exam_facts(notebook)
            by_hand = sum(_waits_for_a_person(cell) for cell in notebook.cells)
        except (AttributeError, KeyError, TypeError, ValueError, OSError, RecursionError):
            broken = ["its autograded notebook cannot be read"]
            submissions.append([learner, math.nan, math.nan, math.nan, 0, broken])
            continue
        rows += found
        for exercise, source in own.items():
            answers.setdefault(exercise, {})[learner] = source
        missing = [row[2] for row in found if row[3] == NO_VERDICT]
        person = [f"could not be read: {facts['problem']}"] if facts["problem"] else []
        person += [f"mended: {repair}" for repair in facts["repairs"]]
        if missing and not facts["problem"]:
            person.append(f"no verdict on {', '.join(missing)}")
        points, out_of = sum(row[4] for row in found), sum(row[5] for row in found)
        submissions.append([learner, points, out_of, facts["seconds"], by_hand, person])
    for folder in sorted((course / "submitted").glob(f"*/{stage}")):
        if folder.parent.name not in files:
            waiting = ["handed in, but not graded yet"]
            submissions.append([folder.parent.name, math.nan, math.nan, math.nan, 0, waiting])
    columns = ["learner", "points", "out_of", "seconds", "by_hand", "person"]
    people = pd.DataFrame(submissions, columns=columns).sort_values("learner", ignore_index=True)
    # A submission that could not be read has no checks to count, but it was worth as much as the others.
    people["out_of"] = people["out_of"].mask(people["out_of"] == 0, people["out_of"].max())
    return Graded(stage, pd.DataFrame(rows, columns=COLUMNS), people, answers)


def checked(cell: nbformat.NotebookNode) -> str:
    """Return the exercise that a cell checks, or "". A learner can change a cell's tie, not nbgrader's id."""
    facts = cell.metadata.get("nbgrader", {})
    if "check" not in cell.metadata and not str(facts.get("grade_id", "")).startswith("check-"):
        return ""
    if not facts.get("grade") or facts.get("solution"):
        return ""
    return str(facts["grade_id"]).removeprefix("check-")


def own_code(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """Return exercise -> the code that is not the course's and stands before its check."""
    found: dict[str, str] = {}
    waiting: list[str] = []
    for cell in notebook.cells:
        if checked(cell):
            found.setdefault(checked(cell), "\n".join(waiting))
            waiting = []
        elif cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("locked"):
            waiting.append(cell.source)
    return found


def _verdict(cell: nbformat.NotebookNode) -> list:
    exercise, out_of = checked(cell), float(cell.metadata.nbgrader.get("points", 0.0))
    for output in cell.get("outputs", []):
        found = output.get("data", {}).get(VERDICT_TYPE)
        if _is_verdict(found, exercise, out_of):
            return [
                exercise,
                found["word"],
                float(found["points"]),
                out_of,
                [plain(m) for m in found["mistakes"]],
            ]
    return [exercise, NO_VERDICT, 0.0, out_of, []]


def _is_verdict(found: Any, exercise: str, out_of: float) -> bool:
    if not isinstance(found, dict) or found.get("exercise") != exercise or found.get("word") not in WORDS:
        return False
    points, mistakes = found.get("points"), found.get("mistakes")
    fits = isinstance(points, (int, float)) and 0 <= points <= out_of
    return fits and isinstance(mistakes, (list, tuple)) and len(mistakes) < 100


def _exam_facts(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """Return what the exam noted about a submission: problem, repairs, seconds in all (or NaN)."""
    facts = notebook.metadata.get("exam", {})
    seconds = float(facts.get("seconds", {}).get("total", math.nan))
    return {
        "problem": plain(facts.get("problem", "")),
        "repairs": [plain(repair) for repair in facts.get("repairs", [])[:20]],
        "seconds": seconds if 0 <= seconds < math.inf else math.nan,
    }


def _waits_for_a_person(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell is graded by people; nbgrader itself gives 0 to one that was left as it was released."""
    facts = cell.metadata.get("nbgrader", {})
    if not (facts.get("grade") and facts.get("solution")) and not facts.get("task"):
        return False
    from nbgrader.utils import compute_checksum

    return bool(facts.get("task")) or facts.get("checksum") != compute_checksum(cell)


def exercise_table(graded: Graded) -> pd.DataFrame:
    """Return one row per exercise, in the order of the notebook.

    Columns: exercise, learners, correct, partly, wrong, not_attempted, no_verdict (counts), mean, out_of
    (points), correlation with the points in all other exercises, low, high (its 95 % interval, Fisher), note.
    Submissions in which nothing was attempted are left out of the correlation.
    """
    tried = graded.verdicts.loc[graded.verdicts["word"] != NOT_ATTEMPTED, "learner"]
    points = graded.verdicts[graded.verdicts["learner"].isin(tried)]
    points = points.pivot(index="learner", columns="exercise", values="points")
    rows = []
    for exercise, group in graded.verdicts.groupby("exercise", sort=False):
        words = Counter(group["word"])
        wrong = words[WRONG] + words[RAISED] + words[UNREADABLE]
        counts = [words[CORRECT], words[PARTLY], wrong, words[NOT_ATTEMPTED], words[NO_VERDICT]]
        r, low, high, note = _discrimination(points, str(exercise))
        if words[CORRECT] in (0, len(group)):
            note = f"{'nobody' if not words[CORRECT] else 'everybody'} passes; {note}"
        mean, out_of = group["points"].mean(), group["out_of"].iloc[0]
        rows.append([exercise, len(group), *counts, mean, out_of, r, low, high, note])
    counts = ["correct", "partly", "wrong", "not_attempted", "no_verdict"]
    item = ["mean", "out_of", "correlation", "low", "high", "note"]
    return pd.DataFrame(rows, columns=["exercise", "learners", *counts, *item])


def _discrimination(points: pd.DataFrame, exercise: str) -> tuple[float, float, float, str]:
    """Return item-rest correlation, its interval, and what it means in words."""
    none = (math.nan, math.nan, math.nan)
    if exercise not in points or len(points) < 4 or points.shape[1] < 2:
        return *none, "too little to compare: it takes 4 learners and 2 exercises"
    item = points[exercise].fillna(0.0)
    rest = points.drop(columns=exercise).fillna(0.0).sum(axis=1)
    if np.ptp(item) < 1e-9:
        return *none, "all earn the same here"
    if np.ptp(rest) < 1e-9:
        return *none, "all earn the same elsewhere"
    r = float(np.clip(np.corrcoef(item, rest)[0, 1], -1, 1))
    if abs(r) > 1 - 1e-9:
        low = high = math.nan  # Fisher's interval would be a point, which is not to be believed
    else:
        margin = 1.96 / math.sqrt(len(points) - 3)
        low, high = np.tanh([np.arctanh(r) - margin, np.arctanh(r) + margin])
    if r < 0:
        note = "goes against the rest: look at the question and its check"
    elif r < 0.2:
        note = "says little about the rest"
    else:
        note = "goes with the rest"
    note += f"; {len(points)} learners are few" if len(points) < FEW else ""
    return r, float(low), float(high), note


def mistake_table(graded: Graded, exercises: Mapping[str, Exercise]) -> pd.DataFrame:
    """Return one row per exercise and mistake, in the notebook's order, the most frequent first.

    Columns: exercise, mistake, count, tried (learners who attempted it), says, ask (the exercise's diagnosis
    and question, or ""). Wrong answers in which no mistake was recognised are "(no known mistake)".
    """
    rows = []
    for exercise, group in graded.verdicts.groupby("exercise", sort=False):
        made: Counter[str] = Counter()
        for row in group.itertuples():
            named = row.mistakes or ([_UNNAMED[row.word]] if row.word in _UNNAMED else [])
            made.update(dict.fromkeys(named, 1))
        known = (
            {m.name: m for m in (*exercises[exercise].mistakes, ONE_ANSWER)} if exercise in exercises else {}
        )
        tried = int((~group["word"].isin([NOT_ATTEMPTED, NO_VERDICT])).sum())
        for name, count in made.most_common():
            says, ask = (known[name].says, known[name].ask) if name in known else ("", "")
            rows.append([exercise, name, count, tried, says, ask])
    return pd.DataFrame(rows, columns=["exercise", "mistake", "count", "tried", "says", "ask"])


def class_report(course: Path) -> str:
    """Return the class report as plain text."""
    return as_text(read(course))


def as_text(stages: Iterable[Graded]) -> str:
    """Return the report on some stages as plain text."""
    return "\n\n".join(_stage_report(graded) for graded in stages)


def _stage_report(graded: Graded) -> str:
    people = graded.submissions.dropna(subset="points").sort_values("points", ascending=False, kind="stable")
    lines = [f"{graded.stage}: {len(people)} learners, median {people['points'].median():g} points", ""]
    lines += [f"  {'learner':<16} points"]
    for row in people.itertuples():
        filled = round(20 * row.points / row.out_of) if row.out_of else 0
        lines.append(f"  {plain(row.learner):<16} {row.points:>5g} of {row.out_of:g}  {'#' * filled}")
    table = exercise_table(graded)
    lines += ["", f"  {'exercise':<16} correct  partly or wrong  not attempted  mean points"]
    for row in table.itertuples():
        mean = f"{row.mean:.1f} of {row.out_of:g}"
        wrong = row.partly + row.wrong + row.no_verdict
        lines.append(f"  {row.exercise:<16} {row.correct:>7} {wrong:>16} {row.not_attempted:>14}  {mean:>11}")
    lines += ["", "  mistakes the class made"]
    made = mistake_table(graded, {}).sort_values("count", ascending=False, kind="stable")
    lines += [f"  {row.count:>3} x {row.exercise}: {row.mistake}" for row in made.itertuples(index=False)]
    look = graded.submissions[graded.submissions["person"].map(bool)]
    if len(look):
        lines += ["", "  submissions that need a person"]
        lines += [f"  {plain(row.learner):<16} {'; '.join(row.person)}" for row in look.itertuples()]
    return "\n".join(lines)
