"""A released course of one small stage, and results that were honestly judged, for the registrar's tests."""

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import nbformat

from autograder import release, simulate
from autograder import stage as stages
from autograder.exam.records import ANSWER, EXPLAIN, EXTRA, Cell, Result, course_cells
from autograder.feedback import verdict_data
from autograder.judging import judge

STAGE = "01_small"
WHY = """
# %% [markdown] rubric="why"
# **Write two sentences:** why are gaps left out? People grade it.
#
# - 1 point: says what a gap is
# - 2 points: says what would become of the mean

# %% [markdown] explain="why"
# A gap is no measurement. As a zero it would draw the mean down.
"""
CHOICES = {"ann": simulate.STARTER, "bob": simulate.REFERENCE, "cyd": "gaps as zeros", "dan": "shifted"}
TEXTS = {"bob": "A gap is **not** a zero.", "dan": "I don't know."}


def _small():
    file = Path(__file__).parents[1] / "autograder" / "conftest.py"
    spec = importlib.util.spec_from_file_location("small_stage_of_the_autograder_tests", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stage_at(home):
    """Write the small stage, with one text that people grade; return its folder."""
    small = _small()
    folder = home / STAGE
    (folder / "exercises").mkdir(parents=True)
    (folder / "exercises" / "mean.py").write_text(small.EXERCISE)
    (folder / f"{STAGE}.py").write_text(small.SOURCE + WHY)
    return folder


def use(monkeypatch, folder):
    """Let the small stage be the course's only one."""
    monkeypatch.setattr(stages, "stage_folders", lambda: {STAGE: folder})


def released(course, folder, settings=""):
    """Release the small stage into a course folder and hand in four submissions."""
    course.mkdir(parents=True)
    (course / "nbgrader_config.py").write_text(release.CONFIG + settings)
    release.prepare(course, [folder], solutions=False, replace=False)
    for learner in CHOICES:
        hand_in(course, folder, learner)
    return course


def hand_in(course, folder, learner):
    """Write one learner's submission, with time and secret, as nbgrader's collect does."""
    file = course / "release" / STAGE / f"{STAGE}.ipynb"
    notebook = simulate.submission(file, stages.load_stage(folder), {"mean": CHOICES[learner]})
    for cell in notebook.cells:
        if EXPLAIN in cell.metadata and learner in TEXTS:
            cell.source = TEXTS[learner]
    place = course / "submitted" / learner / STAGE
    place.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place / f"{STAGE}.ipynb")
    day = 1 + list(CHOICES).index(learner)
    (place / "timestamp.txt").write_text(f"2026-03-0{day} 10:00:00.250000 UTC")
    (place / "submission_secret.txt").write_text(f"secret of {learner}")


def result(course, folder, learner, *extra, **changes):
    """Judge one submission without a wall, and return what the exam would."""
    exercises = stages.load_stage(folder)
    handed_in = nbformat.read(course / "submitted" / learner / STAGE / f"{STAGE}.ipynb", as_version=4)
    sources = {cell.id: cell.source for cell in handed_in.cells}
    names, cells, outputs, verdicts = {}, [], {}, {}
    for cell in course_cells(folder, exercises):
        if cell.kind in (ANSWER, EXPLAIN):
            untouched = cell.source == sources[cell.id]
            cell = replace(cell, source=sources[cell.id], untouched=untouched)
        if cell.kind == ANSWER:
            exec("import numpy as np\n" + cell.source, names)
        if cell.kind == "check":
            exercise = exercises[cell.exercise]
            verdict = judge(exercise, tuple(names[name] for name in exercise.answer_names), 7)
            verdicts[cell.exercise] = asdict(verdict)
            outputs[cell.id] = [
                {"output_type": "display_data", "data": verdict_data(verdict), "metadata": {}},
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": f"{verdict.points:g}"},
                    "metadata": {},
                    "execution_count": 4,
                },
            ]
        cells.append(cell)
    for number, (source, cell_type, shown) in enumerate(extra, start=1):
        cells.insert(-1, Cell(f"extra-{number}", EXTRA, cell_type, source))
        outputs[f"extra-{number}"] = shown
    return replace(Result(tuple(cells), outputs, verdicts, seconds={"total": 0.1}), **changes)


def unreadable(problem="It is not a notebook."):
    return Result((), {}, {}, problem=problem)


def nbgrader(course, folder, *arguments):
    """Run stock nbgrader in a course folder; its kernels find the small stage. Returns what it said."""
    site = course.parent / "site"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(
        "import pathlib, autograder.stage\n"
        f"autograder.stage.stage_folders = lambda: {{{STAGE!r}: pathlib.Path({str(folder)!r})}}\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout + run.stderr


def copy(course, to):
    """Return a copy of a course folder: releasing takes seconds, copying does not."""
    return Path(shutil.copytree(course, to, symlinks=True))
