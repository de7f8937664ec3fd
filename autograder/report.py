"""What an instructor reads about a class: points, success per exercise, and which mistakes were made."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import nbformat
import pandas as pd

from autograder.exercise import CORRECT, NOT_ATTEMPTED
from autograder.feedback import VERDICT_TYPE

COLUMNS = ["stage", "learner", "exercise", "word", "points", "out_of", "mistakes"]


def verdicts(course: Path) -> pd.DataFrame:
    """Return one row per learner and exercise from a course folder's autograded notebooks.

    Columns: stage, learner, exercise, word (str), points, out_of (float), mistakes (list of names).
    A check cell that crashed or shows no verdict has the word "no verdict" and 0 points.
    """
    rows = []
    for file in sorted((course / "autograded").glob("*/*/*.ipynb")):
        for cell in nbformat.read(file, as_version=4).cells:
            if "check" in cell.metadata:
                points = cell.metadata.get("nbgrader", {}).get("points", 0.0)
                rows.append([file.parent.name, file.parent.parent.name, *_verdict(cell, points)])
    if not rows:
        raise ValueError(
            f"course: {course} has no autograded notebooks; run `nbgrader autograde` in it first"
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def _verdict(cell: nbformat.NotebookNode, out_of: float) -> list:
    for output in cell.get("outputs", []):
        found = output.get("data", {}).get(VERDICT_TYPE)
        if isinstance(found, dict):
            keys = ("exercise", "word", "points", "out_of", "mistakes")
            return [found[key] for key in keys]
    return [cell.metadata["check"], "no verdict", 0.0, out_of, []]


def class_report(course: Path) -> str:
    """Return the class report as plain text."""
    table = verdicts(course)
    parts = []
    for stage, rows in table.groupby("stage"):
        parts.append(_stage_report(str(stage), rows))
    return "\n\n".join(parts)


def _stage_report(stage: str, rows: pd.DataFrame) -> str:
    learners = rows.groupby("learner")[["points", "out_of"]].sum()
    lines = [f"{stage}: {len(learners)} learners, median {learners['points'].median():g} points", ""]
    lines += [f"  {'learner':<16} points"]
    for learner, row in learners.sort_values("points", ascending=False).iterrows():
        filled = round(20 * row["points"] / row["out_of"])
        lines.append(f"  {learner:<16} {row['points']:>5g} of {row['out_of']:g}  {'#' * filled}")
    lines += ["", f"  {'exercise':<16} correct  partly or wrong  not attempted  mean points"]
    for exercise, group in rows.groupby("exercise", sort=False):
        correct = (group["word"] == CORRECT).sum()
        skipped = (group["word"] == NOT_ATTEMPTED).sum()
        mean = f"{group['points'].mean():.1f} of {group['out_of'].iloc[0]:g}"
        wrong = len(group) - correct - skipped
        lines.append(f"  {exercise:<16} {correct:>7} {wrong:>16} {skipped:>14}  {mean:>11}")
    lines += ["", "  mistakes the class made"]
    made = Counter((row.exercise, name) for row in rows.itertuples() for name in row.mistakes)
    lines += [f"  {count:>3} x {exercise}: {name}" for (exercise, name), count in made.most_common()]
    return "\n".join(lines)
