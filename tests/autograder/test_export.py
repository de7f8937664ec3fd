"""Grades for Canvas and Moodle, from a real gradebook through the real `nbgrader export`."""

import csv
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

import autograder
from autograder import export, release, simulate
from autograder import stage as stages


def table(file):
    return list(csv.reader(Path(file).read_text(encoding="utf-8").splitlines()))


def run(gradebook, name, file, **options):
    exporter = getattr(export, name)(**options)
    exporter.to = str(file)
    exporter.export(gradebook)
    return table(file)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A gradebook with one assignment of 10 points; ann was late, bob handed in nothing."""
    file = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        # nbgrader starts alembic by its bare name.
        patch.setenv("PATH", sysconfig.get_path("scripts"), prepend=os.pathsep)
        book = Gradebook(f"sqlite:///{file}", "course")
    with book:
        book.add_assignment("01_small")
        book.add_notebook("01_small", "01_small")
        book.add_grade_cell("check", "01_small", "01_small", max_score=10, cell_type="code")
        book.add_student("ann", first_name="Ann", last_name="Ode", email="ann@example.org", lms_user_id="123")
        book.add_student("bob", first_name="Bob", last_name="Zed", email="bob@example.org")
        grade(book, "ann", 7.25, penalty=2)
    return file


@pytest.fixture
def gradebook(database, tmp_path):
    """The gradebook, for one test to change."""
    shutil.copy(database, tmp_path)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", "course") as book:
        yield book


def grade(book, student, score, penalty=0.0):
    book.add_submission("01_small", student)
    book.find_submission_notebook("01_small", "01_small", student).late_submission_penalty = penalty
    found = book.find_grade("check", "01_small", "01_small", student)
    found.auto_score, found.needs_manual_grade = score, False
    book.db.commit()


def test_canvas_gets_its_columns_maxima_and_scores_less_the_late_penalty(gradebook, tmp_path):
    assert run(gradebook, "CanvasExporter", tmp_path / "c.csv") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "01_small"],
        ["Points Possible", "", "", "", "", "10"],
        ["Ode, Ann", "123", "", "ann", "", "5.25"],
        ["Zed, Bob", "", "", "bob", "", ""],
    ]


def test_moodle_gets_its_columns_and_a_dash_for_no_grade(gradebook, tmp_path):
    assert run(gradebook, "MoodleExporter", tmp_path / "m.csv") == [
        ["First name", "Last name", "ID number", "Username", "Email address", "01_small"],
        ["Ann", "Ode", "123", "ann", "ann@example.org", "5.25"],
        ["Bob", "Zed", "bob", "bob", "bob@example.org", "-"],
    ]


def test_moodle_never_gets_an_empty_identifier(gradebook, tmp_path):
    gradebook.add_student("cid")
    header, *rows = run(gradebook, "MoodleExporter", tmp_path / "m.csv")
    assert "Email address" not in header
    assert all(row[header.index("ID number")] and row[header.index("Username")] for row in rows)


def test_a_penalty_never_takes_more_than_was_earned(gradebook, tmp_path):
    grade(gradebook, "bob", 1.0, penalty=3.0)
    assert run(gradebook, "CanvasExporter", tmp_path / "c.csv")[3][-1] == "0"


def test_names_cannot_be_formulas_break_lines_or_pass_for_the_row_of_maxima(gradebook, tmp_path):
    names = {
        "evil1": ("", '=HYPERLINK("http://x","y")'),
        "evil2": ("", "a\nPoints Possible,9"),
        "evil3": ("", "-2+3, \u202eabc"),
        "-evil4": ("", ""),
        "7up": ("", "Sept"),
    }
    for student, (first, last) in names.items():
        gradebook.add_student(student, first_name=first, last_name=last, lms_user_id=student)
    rows = {row[3]: row for row in run(gradebook, "CanvasExporter", tmp_path / "c.csv")}
    assert rows["evil1"][0] == '\'=HYPERLINK("http://x","y")'
    assert rows["evil2"][0] == "a Points_Possible,9"
    assert rows["evil3"][0] == "'-2+3, \ufffdabc"
    assert rows["'-evil4"][0] == "'-evil4"
    assert rows["7up"][1] == ""  # Canvas would take it for user 7
    assert all(len(row) == 6 for row in rows.values())
    moodle = run(gradebook, "MoodleExporter", tmp_path / "m.csv", student=["evil3", "bob"])
    assert [row[1] for row in moodle] == ["Last name", "'-2+3, \ufffdabc", "Zed"]


def test_an_unknown_student_or_assignment_is_one_sentence_and_no_file(gradebook, tmp_path):
    with pytest.raises(SystemExit, match="student: the gradebook has no 'eve'; it has ann, bob"):
        run(gradebook, "CanvasExporter", tmp_path / "c.csv", student=["eve"])
    with pytest.raises(SystemExit, match="assignment: the gradebook has no '09_x'"):
        run(gradebook, "MoodleExporter", tmp_path / "c.csv", assignment=["09_x"])
    assert not (tmp_path / "c.csv").exists()


def test_numbers_stay_numbers_and_empty_stays_empty():
    assert export.csv_text(["a"], [[-1.5], [0.1 + 0.2], [float("nan")], [None], ["-1"]]) == (
        'a\n-1.5\n0.3\n""\n""\n\'-1\n'
    )


def test_long_cells_are_kept_whole():
    assert export.csv_text(["a"], [["; ".join(["name"] * 999)]]).count("name") == 999


def test_only_the_exporters_are_made_on_demand():
    assert export.CanvasExporter is export.CanvasExporter
    with pytest.raises(AttributeError, match="no attribute 'MoodelExporter'"):
        _ = export.MoodelExporter


@pytest.mark.slow
def test_real_nbgrader_exports_what_it_graded(tmp_path, small_stage, monkeypatch):
    monkeypatch.setattr(stages, "stage_folders", lambda: {small_stage.name: small_stage})
    course = tmp_path / "course"
    release.prepare(course, [small_stage], solutions=False, replace=False)
    simulate.hand_in(course, learners=3, seed=0)
    # The kernels find the small stage beside the grader, as in a checkout.
    shutil.copytree(Path(autograder.__file__).parent, tmp_path / "autograder")
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}

    def nbgrader(*arguments):
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(
            command, cwd=course, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]

    nbgrader("autograde", "01_small")
    with Gradebook(f"sqlite:///{course}/gradebook.db", "ml_design") as book:
        book.update_or_create_student(
            "learner_01", first_name="Zoë", last_name="Ångström", email="z@example.org"
        )
        book.add_student("absent", last_name="Nobody")
    nbgrader("export", "--exporter=autograder.export.CanvasExporter", "--to=canvas.csv")
    nbgrader(
        "export", "--exporter=autograder.export.MoodleExporter", "--to=moodle.csv", "--student=['absent']"
    )
    rows = {row[3]: row for row in table(course / "canvas.csv")}
    assert table(course / "canvas.csv")[1] == ["Points Possible", "", "", "", "", "4"]
    assert rows["learner_01"][0] == "Ångström, Zoë"
    assert [rows[name][-1] for name in ("learner_01", "learner_02", "absent")] == ["0", "4", ""]
    assert table(course / "moodle.csv")[1:] == [["", "Nobody", "absent", "absent", "-"]]
