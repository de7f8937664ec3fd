"""Real, stock nbgrader on the real stages: exactly the expected points, and the same as in an exam."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import release, report, simulate
from autograder.notebooks import write_notebook
from autograder.stage import load_stage, stage_folder, stage_folders


@pytest.fixture(scope="module", params=list(stage_folders()))
def stage(request):
    return request.param


@pytest.fixture(scope="module")
def exercises(stage):
    return load_stage(stage_folder(stage))


@pytest.fixture(scope="module")
def choices(exercises):
    """An empty, a half, a full and a mistaken submission: what each learner does in each exercise."""
    names = list(exercises)
    half = {name: simulate.REFERENCE if i % 2 == 0 else simulate.STARTER for i, name in enumerate(names)}
    mistaken = names[1]
    half[mistaken] = exercises[mistaken].mistakes[0].name
    return {
        "empty": dict.fromkeys(names, simulate.STARTER),
        "half": half,
        "full": dict.fromkeys(names, simulate.REFERENCE),
        "mistaken": {name: exercises[name].mistakes[-1].name for name in names},
    }


@pytest.fixture(scope="module")
def graded(tmp_path_factory, stage, exercises, choices):
    """A course folder after release, hand-in, autograde, feedback and export."""
    course = tmp_path_factory.mktemp("course")
    release.prepare(course, [stage_folder(stage)], solutions=False, replace=False)
    released = course / "release" / stage / f"{stage}.ipynb"
    for learner, chosen in choices.items():
        folder = course / "submitted" / learner / stage
        folder.mkdir(parents=True)
        notebook = simulate.submission(released, exercises, chosen)
        for cell in notebook.cells:
            if "explain" in cell.metadata and learner == "full":
                cell.source = "Because it matters who is angry."
        write_notebook(notebook, folder / released.name)
    for command in ("autograde", "generate_feedback"):
        nbgrader(course, command, stage)
    nbgrader(course, "export")
    return course


def nbgrader(course: Path, *arguments: str) -> str:
    """Run stock nbgrader in the course folder and return what it said."""
    run = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout + run.stderr


def scores(course):
    rows = csv.DictReader((course / "grades.csv").read_text().splitlines())
    return {row["student_id"]: float(row["score"] or 0) for row in rows}


def test_the_gradebook_holds_exactly_the_points_that_were_earned(graded, exercises, choices):
    total = sum(exercise.points for exercise in exercises.values())
    table = report.verdicts(graded).set_index(["learner", "exercise"])
    found = scores(graded)
    assert found["empty"] == 0
    assert found["full"] == total
    sure = sum(exercises[name].points for name, choice in choices["half"].items() if choice == "reference")
    mistaken = next(
        name for name, choice in choices["half"].items() if choice not in ("reference", "starter")
    )
    partial = float(table.loc[("half", mistaken), "points"])
    assert 0 <= partial < exercises[mistaken].points
    assert found["half"] == pytest.approx(sure + partial)


def test_the_class_report_names_the_mistake_that_was_handed_in(graded, choices):
    mistaken = next(n for n, choice in choices["half"].items() if choice not in ("reference", "starter"))
    assert f"1 x {mistaken}: {choices['half'][mistaken]}" in report.class_report(graded)


def test_feedback_pages_show_the_verdicts(graded, stage):
    for learner, word in (("full", "Correct"), ("empty", "Not attempted")):
        page = (graded / "feedback" / learner / stage / f"{stage}.html").read_text()
        assert word in page


def test_nbgrader_validates_a_full_submission_and_rejects_an_empty_one(graded, stage):
    said = {}
    for learner in ("full", "empty"):
        file = graded / "submitted" / learner / stage / f"{stage}.ipynb"
        said[learner] = nbgrader(graded, "validate", str(file))
    assert "Success! Your notebook passes all the tests." in said["full"]


def test_stock_generate_assignment_accepts_the_source_folder(graded, stage):
    nbgrader(graded, "generate_assignment", stage, "--force")
    assert (graded / "release" / stage / f"{stage}.ipynb").exists()


def test_the_formgrader_lists_only_the_stages(graded, stage):
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    config = Config({"CourseDirectory": {"root": str(graded), "course_id": "ml_design"}})
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    assert [assignment["name"] for assignment in api.get_assignments()] == [stage]


@pytest.fixture(scope="module")
def examined(graded, stage, tmp_path_factory):
    """The same submissions, graded as an exam."""
    course = tmp_path_factory.mktemp("exam") / "course"
    release.prepare(course, [stage_folder(stage)], solutions=False, replace=False)
    shutil.copytree(graded / "submitted", course / "submitted")
    run = subprocess.run(
        [sys.executable, "-m", "autograder", "grade", str(course)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return course


def test_the_exam_and_stock_nbgrader_say_the_same_of_every_answer(graded, examined):
    tables = [report.verdicts(course).set_index(["learner", "exercise"]) for course in (graded, examined)]
    stock, exam = (table.sort_index() for table in tables)
    # On other data a mistake may cost another share of the points, but it is never right.
    words = [table["word"].replace("partly right", "not right yet") for table in (stock, exam)]
    assert words[0].to_dict() == words[1].to_dict()
    sure = words[0] != "not right yet"
    assert stock.loc[sure, "points"].to_dict() == exam.loc[sure, "points"].to_dict()
    assert (exam.loc[~sure, "points"] < exam.loc[~sure, "out_of"]).all()


def test_nbgrader_goes_on_from_an_exam(examined, stage):
    nbgrader(examined, "generate_feedback", stage, "--force")
    nbgrader(examined, "export")
    found = scores(examined)
    assert found["empty"] == 0
    assert found["full"] == max(found.values()) > found["half"] > 0
