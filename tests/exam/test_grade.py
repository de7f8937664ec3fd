"""A grading run loses nothing, does nothing twice, and says in one sentence what a person has to mend."""

import fcntl
import json
import math
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import small_course
from echo_desk import ECHO, Desk, examine, leave, no_wall, result

from autograder import release, simulate
from autograder.cli import main
from autograder.exam import desk, grade
from autograder.exam.grade import Plan, decoded
from autograder.exam.ledger import course_digest
from autograder.exam.seeds import SECRET_FILE
from autograder.stage import STAGES_VARIABLE

STAGE = "01_small"
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The one stage of these tests, which workers find as well."""
    home = tmp_path_factory.mktemp("home")
    small = small_course._small()
    folder = home / STAGE
    (folder / "exercises").mkdir(parents=True)
    (folder / "exercises" / "mean.py").write_text(small.EXERCISE)
    (folder / f"{STAGE}.py").write_text(small.SOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STAGES_VARIABLE, str(home))
        yield folder


@pytest.fixture(scope="module")
def template(tmp_path_factory, folder):
    course = tmp_path_factory.mktemp("class") / "course"
    release.prepare(course, [folder], solutions=False, replace=False)
    return course


@pytest.fixture
def course(tmp_path, template):
    """A released course in which nobody handed in yet."""
    # Whoever runs these tests may be at work on the sources, which count.
    course_digest.cache_clear()
    return Path(shutil.copytree(template, tmp_path / "course"))


def hand_in(course, learner, content, when="2026-03-01 10:00:00 UTC"):
    place = course / "submitted" / learner / STAGE
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{STAGE}.ipynb").write_bytes(content)
    (place / "timestamp.txt").write_text(when)
    return place / f"{STAGE}.ipynb"


def graded(course, **options):
    """Run the grader with workers that hold no exams; return its one tally."""
    return grade.run(Plan(course, workers=1, desk=ECHO, **options))[0]


def scores(course):
    with sqlite3.connect(course / "gradebook.db") as db:
        rows = db.execute(
            "SELECT s.student_id, g.auto_score FROM submitted_assignment s"
            " JOIN submitted_notebook n ON n.assignment_id = s.id JOIN grade g ON g.notebook_id = n.id"
        ).fetchall()
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def ledger(course):
    return course / ".exam" / f"{STAGE}.jsonl"


def test_every_submission_is_recorded_and_running_again_starts_nothing(course, monkeypatch):
    for points in range(5):
        hand_in(course, f"learner{points}", result(points))
    assert graded(course).graded == 5
    assert scores(course) == {f"learner{points}": points for points in range(5)}
    monkeypatch.setattr(grade, "Cluster", None)
    again = graded(course)
    assert (again.graded, again.kept, again.failed) == (0, 5, [])


def test_only_what_is_missing_or_changed_is_graded_again(course):
    for name in ("ann", "bob", "cyd", "dan", "eve"):
        hand_in(course, name, result(1))
    assert graded(course).graded == 5
    hand_in(course, "ann", result(2))
    hand_in(course, "bob", result(1), when="2026-03-02 10:00:00 UTC")
    (course / "feedback" / "cyd" / STAGE / f"{STAGE}.html").unlink()
    hand_in(course, "fay", result(3))
    again = graded(course)
    assert (again.graded, again.kept) == (4, 2)
    assert scores(course) == {"ann": 2, "bob": 1, "cyd": 1, "dan": 1, "eve": 1, "fay": 3}
    assert graded(course, attempt=2).graded == 6
    assert graded(course, attempt=2, again=True).graded == 6
    (course / SECRET_FILE).write_text("ab" * 32)
    assert graded(course, attempt=2).graded == 6


def test_a_time_that_grading_itself_noted_is_no_change(course):
    (hand_in(course, "ann", result(1)).parent / "timestamp.txt").unlink()
    assert graded(course).graded == 1
    assert graded(course).kept == 1


def test_a_zip_without_a_noted_time_is_graded(course):
    file = hand_in(course, "ann", result(1))
    (file.parent / "timestamp.txt").unlink()
    file.rename(file.with_name("work.zip"))
    assert graded(course).graded == 1
    assert scores(course) == {"ann": 1}


def test_a_line_that_a_crash_cut_short_costs_one_grading(course):
    for name in ("ann", "bob", "cyd"):
        hand_in(course, name, result(1))
    graded(course)
    ledger(course).write_bytes(ledger(course).read_bytes()[:-20])
    again = graded(course)
    assert (again.graded, again.kept) == (1, 2)
    assert graded(course).kept == 3


def test_a_change_of_what_judges_grades_again(course, folder, tmp_path, monkeypatch):
    before = course_digest(folder)
    changed = tmp_path / STAGE
    shutil.copytree(folder, changed)
    course_digest.cache_clear()
    assert course_digest(changed) == before
    course_digest.cache_clear()
    exercise = changed / "exercises" / "mean.py"
    exercise.write_text(exercise.read_text().replace("points=4", "points=5"))
    assert course_digest(changed) != before
    course_digest.cache_clear()


def test_a_submission_that_kills_its_worker_costs_only_itself(course, capsys):
    for name in ("ann", "cyd", "dan"):
        hand_in(course, name, result(1))
    hand_in(course, "bob", b"kill")
    hand_in(course, "eve", b"raise")
    found = graded(course)
    assert sorted(found.failed) == ["bob: its worker process died 3 times", "eve: RuntimeError: no such luck"]
    assert scores(course) == {"ann": 1, "cyd": 1, "dan": 1}
    assert not (course / "autograded" / "bob").exists()
    # Set aside is not forgotten: the next run tries once more.
    hand_in(course, "eve", result(4))
    again = graded(course)
    assert (again.graded, again.kept, len(again.failed)) == (1, 3, 1)


def test_what_cannot_be_read_gets_zero_and_a_reason(course):
    hand_in(course, "ann", result(4))
    file = hand_in(course, "bob", b"")
    file.unlink()
    file.symlink_to(course / SECRET_FILE)
    hand_in(course, "cyd", result(0, "It is not a notebook."))
    found = graded(course)
    assert found.failed == []
    assert "link" in "".join(line for line in found.unreadable if line.startswith("bob"))
    assert "cyd: It is not a notebook." in found.unreadable
    assert scores(course) == {"ann": 4, "bob": 0, "cyd": 0}
    assert graded(course).kept == 3


def test_a_folder_in_which_it_is_unclear_what_was_handed_in_is_named_and_not_graded(course):
    file = hand_in(course, "ann", result(4))
    shutil.copy(file, file.with_name(f"{STAGE}-Copy1.ipynb"))
    hand_in(course, "bob", result(3))
    hand_in(course, "cyd", result(3))
    hand_in(course, "CYD", result(3))
    found = graded(course)
    assert len(found.failed) == 3
    assert sum("2 files could be the submission" in sentence for sentence in found.failed) == 1
    assert sum("two submissions of one learner" in sentence for sentence in found.failed) == 2
    assert scores(course) == {"bob": 3}


def test_a_time_yet_to_come_is_said_and_costs_only_that_submission(course):
    future = datetime.now(UTC) + timedelta(days=2)
    hand_in(course, "ann", result(4), when=future.strftime("%Y-%m-%d %H:%M:%S UTC"))
    hand_in(course, "bob", result(3), when="the day before yesterday")
    hand_in(course, "cyd", result(2))
    found = graded(course)
    assert len(found.failed) == 2
    assert "in the future" in "".join(found.failed)
    assert "is not a time" in "".join(found.failed)
    assert scores(course) == {"cyd": 2}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xc1",
        b"junk",
        result(5),
        result(-1),
        result(math.nan),
        result(verdicts={}),
        result(verdicts={"mean": {"points": 1.0}}),
        result(cells=[{"id": "check-mean"}]),
        result(surprise=1),
        result(cells=7),
    ],
)
def test_what_is_no_result_is_never_recorded(answer):
    with pytest.raises(ValueError, match="not a result"):
        decoded(answer, {"mean": 4.0})
    assert decoded(result(3), {"mean": 4.0}).verdicts["mean"]["points"] == 3


def test_a_worker_that_answers_nonsense_costs_only_that_submission(course):
    hand_in(course, "ann", b"nonsense")
    hand_in(course, "bob", result(3))
    assert graded(course).failed == ["ann: what its worker answered is not a result"]
    assert scores(course) == {"bob": 3}


def test_a_worker_with_another_course_refuses_to_examine(folder):
    with pytest.raises(ValueError, match="another version of the course"):
        desk.prepare(desk.Options(STAGE, "of another course"))


def test_two_runs_at_once_are_kept_apart(course):
    hand_in(course, "ann", result(1))
    (course / ".exam").mkdir()
    with (course / ".exam" / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="is being graded by another run"):
            graded(course)
    assert graded(course).graded == 1


def test_without_walls_nothing_is_run_and_the_way_out_is_named(course):
    hand_in(course, "ann", result(1))
    with pytest.raises(ValueError, match=r"sandbox: user namespaces are switched off.*--unsandboxed"):
        grade.run(Plan(course, workers=1, desk=Desk(no_wall, examine, leave)))
    assert scores(course) == {}


@pytest.mark.parametrize(
    ("spoil", "options", "says"),
    [
        (lambda c: None, ["09_none"], r"no stage '09_none'; there are: 01_small"),
        (lambda c: (c / SECRET_FILE).unlink(), [], "has no exam_secret; run `autograder release"),
        (lambda c: (c / SECRET_FILE).chmod(0o644), [], "can be read by others.*chmod 600"),
        (lambda c: shutil.rmtree(c / "submitted"), [], "submitted: there is no folder"),
        (lambda c: shutil.rmtree(c / "submitted" / "ann"), [STAGE], f"nobody handed in {STAGE}"),
        (lambda c: shutil.rmtree(c), [], "course: there is no folder"),
        (lambda c: (c / "gradebook.db").unlink(), [], "has no gradebook; run `autograder release"),
        (lambda c: (c / "gradebook.db").write_bytes(b"no"), [], "course: the gradebook of"),
        (lambda c: None, ["--attempt", "0"], "attempt: the first attempt is number 1, not 0"),
        (lambda c: None, ["--workers", "0"], "workers: at least 1 is needed, not 0"),
        (lambda c: None, ["--tls-ca", "x"], "belong together"),
    ],
)
def test_what_a_person_has_to_mend_is_one_sentence(course, spoil, options, says, capsys, monkeypatch):
    hand_in(course, "ann", result(1))
    spoil(course)
    assert main(["grade", str(course), *options]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.search(says, said)
    assert not (course / "autograded").exists()


def test_a_gradebook_of_another_course_is_refused(course):
    hand_in(course, "ann", result(1))
    with sqlite3.connect(course / "gradebook.db") as db:
        db.execute("INSERT INTO course (id) VALUES ('other')")
        db.execute("UPDATE assignment SET course_id = 'other'")
    with pytest.raises(ValueError, match="belongs to course 'other'"):
        graded(course)


def test_doing_without_walls_is_said_loudly(course, capsys):
    assert main(["grade", str(course), "--unsandboxed"]) == 2
    assert capsys.readouterr().err.startswith("WARNING: --unsandboxed: every submission runs as you")


def start(course, *before, **environment):
    """Start a grading run of its own, with workers that hold no exams."""
    command = [*before, sys.executable, str(HERE / "echo_desk.py"), str(course)]
    here = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path[1:]])} | environment
    return subprocess.Popen(command, env=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_run_that_is_killed_goes_on_where_it_stood(course):
    for number in range(12):
        hand_in(course, f"learner{number}", result(number % 5))
    killed = start(course, ECHO_SECONDS="0.5")
    end = time.monotonic() + 120
    while not ledger(course).exists() or len(ledger(course).read_bytes().splitlines()) < 4:
        assert killed.poll() is None, killed.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    rest = graded(course)
    assert rest.kept >= 4
    assert rest.graded > 0
    assert rest.kept + rest.graded == 12
    assert scores(course) == {f"learner{number}": number % 5 for number in range(12)}


def test_a_full_disk_is_said_and_nothing_is_half_written(course, tmp_path):
    """On a small disk of its own: full when grading starts, with room when it is repeated."""
    for number in range(6):
        hand_in(course, f"learner{number}", result(number % 5))
    script = tmp_path / "script"
    grading = f"'{sys.executable}' '{HERE / 'echo_desk.py'}' '{tmp_path}/disk/course'"
    script.write_text(
        "set -e\n"
        f"mount -t tmpfs -o size=8m tmpfs '{tmp_path}/disk'\n"
        f"cp -r '{course}' '{tmp_path}/disk/'\n"
        f"cd '{tmp_path}/disk'\n"
        "free=$(df --output=avail -k . | tail -1)\n"
        "head -c $((free - 60))k /dev/zero > filler\n"
        f"{grading} 2>&1 | tail -1\n"
        "rm filler\n"
        f"{grading}\n"
    )
    (tmp_path / "disk").mkdir()
    here = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path[1:]])}
    run = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", str(script)],
        env=here,
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in run.stderr or "mount:" in run.stderr:
        pytest.skip(f"no disk of its own can be had here: {run.stderr.strip()}")
    assert "no space is left on the disk" in run.stdout.splitlines()[0], run.stdout + run.stderr
    done = run.stdout.splitlines()[1]
    assert "0 not graded" in done
    counts = [int(word) for word in done.replace(":", " ").split() if word.isdigit()]
    assert counts[0] + counts[1] == 6


def test_a_class_is_graded_by_real_exams(course, capsys):
    """The whole way, through the command: rooms, walls, gradebook, feedback."""
    simulate.hand_in(course, learners=4, seed=3)
    hostile = hand_in(course, "mallory", b"")
    shutil.copy(course / "submitted" / "learner_02" / STAGE / f"{STAGE}.ipynb", hostile)
    notebook = json.loads(hostile.read_text())
    next(cell for cell in notebook["cells"] if cell["id"] == "answer-mean")["source"] = (
        "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos._exit(0)"
    )
    hostile.write_text(json.dumps(notebook))
    assert main(["grade", str(course)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("01_small: 5 graded, 0 unchanged, 0 not graded (")
    found = scores(course)
    assert found["learner_01"] == 0
    assert found["learner_02"] == 4
    assert found["mallory"] == 0
    assert len(found) == 5
    for learner in found:
        assert (course / "feedback" / learner / STAGE / f"{STAGE}.html").exists()
