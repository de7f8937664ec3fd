"""The registrar on a real PostgreSQL server, started for the test and thrown away."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import small_course
from nbgrader.api import Gradebook
from small_course import CHOICES, STAGE, nbgrader, result, unreadable

from autograder.exam.registrar import Registrar

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
SERVER = BINARIES[-1].parent if BINARIES else None
if SERVER is None and shutil.which("initdb"):
    SERVER = Path(shutil.which("initdb")).parent

pytestmark = pytest.mark.skipif(SERVER is None, reason="no PostgreSQL server is installed (initdb not found)")


def run(home, *command):
    """Run one of the server's programs; never as root, which it refuses."""
    user = {}
    if os.geteuid() == 0:
        who = pwd.getpwnam("postgres")
        user = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
    # Files, not pipes: the server outlives pg_ctl and would keep a pipe open.
    with (home / "said.txt").open("a+") as said:
        done = subprocess.run(command, cwd=home, stdout=said, stderr=said, check=False, timeout=120, **user)
        said.seek(0)
        assert done.returncode == 0, said.read()[-2000:]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start a server on a free port of this machine only; yield its address."""
    # The server's own user must be able to reach its folder; pytest's belongs to whoever runs the tests.
    with tempfile.TemporaryDirectory(prefix="pg-") as made:
        home = Path(made)
        if os.geteuid() == 0:
            who = pwd.getpwnam("postgres")
            os.chown(home, who.pw_uid, who.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        run(home, SERVER / "initdb", "-D", home / "data", "-U", "grader", "-A", "trust", "-E", "UTF8", "-N")
        options = f"-p {port} -h 127.0.0.1 -k {home} -c fsync=off"
        run(home, SERVER / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log", "-o", options, "start")
        try:
            yield f"postgresql+pg8000://grader@127.0.0.1:{port}/postgres"
        finally:
            run(home, SERVER / "pg_ctl", "-D", home / "data", "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_course.stage_at(tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="module")
def course(tmp_path_factory, server, folder):
    """A released course whose gradebook is on the server."""
    settings = f"\nc.CourseDirectory.db_url = {server!r}\nc.LateSubmissionPlugin.penalty_method = 'zero'\n"
    with pytest.MonkeyPatch.context() as patch:
        small_course.use(patch, folder)
        return small_course.released(tmp_path_factory.mktemp("class") / "course", folder, settings)


@pytest.fixture(autouse=True)
def _small(monkeypatch, folder):
    small_course.use(monkeypatch, folder)


def record(course, folder):
    with Registrar(course) as registrar:
        for learner in CHOICES:
            registrar.record(
                learner, STAGE, result(course, folder, learner), registrar.received(learner, STAGE)
            )


def test_submissions_are_recorded_graded_by_hand_and_recorded_again(course, folder, server):
    with Gradebook(server, "ml_design") as gradebook:
        gradebook.update_or_create_assignment(STAGE, duedate="2026-03-03 12:00:00 UTC")
    record(course, folder)
    with Gradebook(server, "ml_design") as gradebook:
        scores = {learner: gradebook.find_submission(STAGE, learner).score for learner in CHOICES}
        assert scores == {"ann": 0, "bob": 4, "cyd": 2, "dan": 0}
        notebook = gradebook.find_submission_notebook(STAGE, STAGE, "bob")
        assert notebook.needs_manual_grade
        by_hand = next(grade for grade in notebook.grades if grade.auto_score is None)
        by_hand.manual_score, by_hand.extra_credit, by_hand.needs_manual_grade = 2, 0.5, False
        comment = next(each for each in notebook.comments if each.name == by_hand.name)
        comment.manual_comment = "Well put – 好."
        gradebook.db.commit()
    record(course, folder)
    with Gradebook(server, "ml_design") as gradebook:
        notebook = gradebook.find_submission_notebook(STAGE, STAGE, "bob")
        assert notebook.score == 6.5
        assert "Well put – 好." in [comment.comment for comment in notebook.comments]
        assert [grade.needs_manual_grade for grade in notebook.grades if grade.manual_score] == [True]
        late = gradebook.find_submission(STAGE, "dan")
        assert late.total_seconds_late > 0
        assert late.late_submission_penalty == 0
        assert len(gradebook.students) == len(CHOICES)
    assert "6.5 of 7 points" in (course / "feedback" / "bob" / STAGE / f"{STAGE}.html").read_text()


def test_stock_nbgrader_reads_what_was_recorded(course, folder):
    record(course, folder)
    nbgrader(course, folder, "export")
    lines = (course / "grades.csv").read_text().splitlines()
    assert [line.split(",")[3] for line in lines[1:]] == list(CHOICES)


def test_a_late_submission_loses_what_the_plugin_says(course, folder, server):
    with Gradebook(server, "ml_design") as gradebook:
        gradebook.update_or_create_assignment(STAGE, duedate="2026-03-02 12:00:00 UTC")
    record(course, folder)
    with Gradebook(server, "ml_design") as gradebook:
        assert gradebook.find_submission(STAGE, "cyd").late_submission_penalty == 2


def test_a_submission_that_cannot_be_written_leaves_no_row(course, folder, server):
    (course / "feedback").mkdir(exist_ok=True)
    (course / "feedback" / "eve").write_text("in the way")
    with Registrar(course) as registrar:
        with pytest.raises(ValueError, match="nothing was written: Not a directory"):
            registrar.record("eve", STAGE, unreadable(), registrar.received("bob", STAGE))
        assert not registrar.recorded("eve", STAGE)
    with Gradebook(server, "ml_design") as gradebook:
        assert "eve" not in [student.id for student in gradebook.students]


def test_a_server_that_refuses_is_named_without_its_password(course, tmp_path):
    other = tmp_path / "course"
    other.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"postgresql+pg8000://grader:hunter2@127.0.0.1:{free.getsockname()[1]}/postgres"
    text = (course / "nbgrader_config.py").read_text() + f"\nc.CourseDirectory.db_url = {nobody!r}\n"
    (other / "nbgrader_config.py").write_text(text)
    with pytest.raises(
        ValueError, match=r"the gradebook of .* cannot be read: Can't create a connection"
    ) as said:
        Registrar(other)
    assert "hunter2" not in str(said.value)
    assert "\n" not in str(said.value)


def test_points_of_a_stranger_kind_reach_the_server_as_numbers(course, folder, server):
    one = result(course, folder, "bob")
    one = replace(one, verdicts={"mean": {**one.verdicts["mean"], "points": float("nan")}})
    with Registrar(course) as registrar:
        registrar.record("bob", STAGE, one, registrar.received("bob", STAGE))
    with Gradebook(server, "ml_design") as gradebook:
        grades = gradebook.find_submission_notebook(STAGE, STAGE, "bob").grades
        assert [grade.auto_score for grade in grades if grade.name == "check-mean"] == [0]
