"""The registrar leaves what stock nbgrader would have left, all of it or nothing."""

import csv
import os
import resource
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
import small_course
from nbconvert.exporters import HTMLExporter
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions import formgrader as formgrader_package
from nbgrader.utils import parse_utc
from small_course import CHOICES, STAGE, TEXTS, copy, nbgrader, result, unreadable
from sqlalchemy import event

from autograder import report
from autograder.exam import coursefolder
from autograder.exam.coursefolder import read_config
from autograder.exam.registrar import Registrar
from autograder.feedback import VERDICT_TYPE

LATE = """
from nbgrader.plugins import LateSubmissionPlugin


class Half(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        if total_seconds_late > 2 * 24 * 3600:
            return 1000
        return score / 2


c.AssignLatePenalties.plugin_class = Half
"""
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script><style>.total{display:none}</style>hello"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_course.stage_at(tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="module")
def template(tmp_path_factory, folder):
    """A released course with a due date, four submissions and a late penalty of its own."""
    with pytest.MonkeyPatch.context() as patch:
        small_course.use(patch, folder)
        course = small_course.released(tmp_path_factory.mktemp("class") / "course", folder, LATE)
    sql(course, "UPDATE assignment SET duedate = '2026-03-02 12:00:00.000000'")
    return course


@pytest.fixture(autouse=True)
def _small(monkeypatch, folder):
    small_course.use(monkeypatch, folder)


@pytest.fixture
def course(tmp_path, template):
    return copy(template, tmp_path / "course")


def sql(course, statement, *values):
    with sqlite3.connect(course / "gradebook.db") as db:
        return db.execute(statement, values).fetchall()


def record(course, folder, *learners):
    with Registrar(course) as registrar:
        for learner in learners or CHOICES:
            when = registrar.received(learner, STAGE)
            registrar.record(learner, STAGE, result(course, folder, learner), when)


def paper(course, learner):
    return nbformat.read(course / "autograded" / learner / STAGE / f"{STAGE}.ipynb", as_version=4)


def page(course, learner):
    return (course / "feedback" / learner / STAGE / f"{STAGE}.html").read_text()


ROWS = {
    "student": "SELECT * FROM student ORDER BY id",
    "submissions": "SELECT student_id, timestamp, extension FROM submitted_assignment ORDER BY student_id",
    "notebooks": "SELECT student_id, n.name, flagged, late_submission_penalty FROM submitted_notebook s"
    " JOIN submitted_assignment a ON s.assignment_id = a.id JOIN notebook n ON s.notebook_id = n.id"
    " ORDER BY 1",
    "grades": "SELECT student_id, b.name, auto_score, manual_score, extra_credit, needs_manual_grade"
    " FROM grade g JOIN submitted_notebook s ON g.notebook_id = s.id JOIN base_cell b ON g.cell_id = b.id"
    " JOIN submitted_assignment a ON s.assignment_id = a.id ORDER BY 1, 2",
    "comments": "SELECT student_id, b.name, auto_comment, manual_comment FROM comment c"
    " JOIN submitted_notebook s ON c.notebook_id = s.id JOIN base_cell b ON c.cell_id = b.id"
    " JOIN submitted_assignment a ON s.assignment_id = a.id ORDER BY 1, 2",
}


def rows(course):
    return {name: sql(course, statement) for name, statement in ROWS.items()}


def grade_by_hand(course, learner="bob"):
    """Do to the gradebook what formgrader does when a person grades."""
    of = "notebook_id IN (SELECT s.id FROM submitted_notebook s JOIN submitted_assignment a"
    of += " ON s.assignment_id = a.id WHERE student_id = ?)"
    text = "cell_id IN (SELECT id FROM base_cell WHERE name LIKE 'explain%')"
    sql(
        course,
        "UPDATE grade SET manual_score = 2, extra_credit = 0.5, needs_manual_grade = 0"
        f" WHERE {of} AND {text}",
        learner,
    )
    sql(course, f"UPDATE comment SET manual_comment = 'Well put.' WHERE {of} AND {text}", learner)


def api(course):
    config = read_config(course)
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def listings(course):
    """Everything that formgrader lists, without the database's own ids."""
    nb = api(course)
    found = {
        "assignments": nb.get_assignments(),
        "submissions": nb.get_submissions(STAGE),
        "notebooks": nb.get_notebook_submissions(STAGE, STAGE),
        "students": nb.get_students(),
        "ann": nb.get_student_submissions("ann"),
        "bob": nb.get_student_notebook_submissions("bob", STAGE),
    }
    for entries in found.values():
        for entry in entries:
            entry.pop("id")
            entry.pop("index", None)
    return {name: sorted(entries, key=repr) for name, entries in found.items()}


@pytest.fixture(scope="module")
def both(tmp_path_factory, template, folder):
    """The same submissions graded by stock nbgrader and by the registrar; graded by hand; graded again."""
    home = tmp_path_factory.mktemp("both")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        small_course.use(patch, folder)
        for name in ("stock", "exam"):
            course = copy(template, home / name / "course")
            once = {}
            for turn in ("first", "again"):
                if name == "stock":
                    nbgrader(course, folder, "autograde", STAGE, "--force")
                else:
                    record(course, folder)
                once[turn] = rows(course) | {"listed": listings(course)}
                grade_by_hand(course)
            found[name] = (course, once)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("turn", ["first", "again"])
@pytest.mark.parametrize("what", [*ROWS, "listed"])
def test_the_gradebook_is_what_stock_autograde_makes_of_the_same_submissions(both, what, turn):
    assert both["exam"][1][turn][what] == both["stock"][1][turn][what]
    assert both["stock"][1][turn][what]


@pytest.mark.slow
@pytest.mark.parametrize("learner", CHOICES)
def test_the_autograded_notebook_is_what_stock_autograde_makes(both, learner):
    stock, exam = (paper(both[name][0], learner) for name in ("stock", "exam"))
    nbformat.validate(exam)
    for cell in stock.cells:
        cell.metadata.pop("execution", None)
    assert [cell.metadata for cell in exam.cells] == [cell.metadata for cell in stock.cells]
    for ours, theirs in zip(exam.cells, stock.cells, strict=True):
        assert (ours.id, ours.cell_type) == (theirs.id, theirs.cell_type)
        if theirs.source == TEXTS.get(learner):
            assert ours.source.startswith('<div class="tex2jax_ignore')
        else:
            assert ours.source == theirs.source
    assert exam.metadata.kernelspec == stock.metadata.kernelspec
    for name in ("timestamp.txt", "submission_secret.txt"):
        files = [both[which][0] / "autograded" / learner / STAGE / name for which in ("stock", "exam")]
        assert files[0].read_text() == files[1].read_text()


@pytest.mark.slow
def test_points_penalties_and_silence_are_what_these_submissions_deserve(both):
    first, again = both["exam"][1]["first"], both["exam"][1]["again"]
    points = {(row[0], row[1][:5]): (row[2], bool(row[5])) for row in first["grades"]}
    checks = {learner: points[learner, "check"] for learner in CHOICES}
    assert checks == {"ann": (0, False), "bob": (4, False), "cyd": (2, False), "dan": (0, False)}
    texts = {key[0]: value for key, value in points.items() if key[1] != "check"}
    assert texts == {"ann": (0, False), "bob": (None, True), "cyd": (0, False), "dan": (None, True)}
    assert [row[3] for row in first["notebooks"]] == [None, None, 1.0, 0.0]
    silent = {(row[0], row[1].startswith("answer")) for row in first["comments"] if row[2] == "No response."}
    assert silent == {("ann", True), ("ann", False), ("cyd", False)}
    by_hand = next(row for row in again["grades"] if row[0] == "bob" and row[3] is not None)
    assert by_hand[2:] == (None, 2.0, 0.5, 1)
    assert ("bob", "Well put.") in [(row[0], row[3]) for row in again["comments"]]


def test_stock_feedback_export_and_release_of_feedback_work_on_what_was_recorded(course, folder):
    exchange = course.parent / "exchange"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    with (course / "nbgrader_config.py").open("a") as settings:
        settings.write(f"\nc.Exchange.root = {str(exchange)!r}\n")
    record(course, folder)
    assert "<h1>Feedback on 01_small</h1>" in page(course, "bob")
    nbgrader(course, folder, "release_feedback", STAGE)
    assert len(list((exchange / "ml_design" / "feedback").glob("*.html"))) == len(CHOICES)
    nbgrader(course, folder, "generate_feedback", STAGE, "--force")
    stock = page(course, "bob")
    assert "(Score: 4.0 / 7.0)" in stock
    assert "It does what was asked." in stock
    assert "A gap is <strong>not</strong> a zero." in stock
    nbgrader(course, folder, "export")
    table = {row["student_id"]: row for row in csv.DictReader((course / "grades.csv").open())}
    assert {learner: float(row["score"]) for learner, row in table.items()} == {
        "ann": 0,
        "bob": 4,
        "cyd": 1,
        "dan": 0,
    }
    assert float(table["cyd"]["late_submission_penalty"]) == 1


def test_the_class_report_finds_the_verdicts(course, folder):
    record(course, folder)
    table = report.verdicts(course).set_index("learner")
    assert list(table["word"]) == ["not attempted", "correct", "partly right", "not right yet"]
    assert table.loc["cyd", "mistakes"] == ["gaps as zeros"]


def test_a_check_without_output_still_carries_its_verdict_and_points(course, folder):
    with Registrar(course) as registrar:
        one = replace(result(course, folder, "bob"), outputs={})
        registrar.record("bob", STAGE, one, registrar.received("bob", STAGE))
    check = next(cell for cell in paper(course, "bob").cells if "check" in cell.metadata)
    assert check.outputs[0].data[VERDICT_TYPE]["points"] == 4
    assert check.outputs[1].data["text/plain"] == "4"


def test_what_formgrader_and_stock_feedback_render_is_inert(course, folder):
    """Both render with nbconvert, which cleans nothing."""
    lines = "first\n\n[a](javascript:alert(3))\n\n    <b onclick=alert(4)>x</b>\n\n$$x$$ ![](http://e.vil/p.png)\n\n"
    markdown = (
        lines + HOSTILE + "\n\n<div>\n\n<script>alert(5)</script>\n\n<pre>\n\n![](http://e.vil/q.png)\n</pre>"
    )
    shown = [
        {"output_type": "display_data", "data": {"text/html": HOSTILE}, "metadata": {}},
        {"output_type": "display_data", "data": {"application/javascript": "alert(6)"}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=alert(7)/>"}, "metadata": {}},
        {"output_type": "display_data", "data": {"text/latex": "$\\href{javascript:alert(8)}{x}$"}},
        {"output_type": "display_data", "data": {"text/markdown": HOSTILE}, "metadata": {}},
        {"output_type": "stream", "name": "stdout", "text": HOSTILE},
        {"output_type": "error", "ename": HOSTILE, "evalue": HOSTILE, "traceback": [HOSTILE]},
    ]
    extra = [("x = 1  # " + HOSTILE, "code", shown), (markdown, "markdown", [])]
    one = result(course, folder, "bob", *extra, repairs=(HOSTILE,))
    cells = tuple(replace(cell, source=markdown) if cell.kind == "explain" else cell for cell in one.cells)
    hostile_check = {"check-mean": [{"output_type": "display_data", "data": {"text/html": HOSTILE}}]}
    one = replace(one, cells=cells, outputs={**one.outputs, **hostile_check})
    with Registrar(course) as registrar:
        registrar.record("bob", STAGE, one, registrar.received("bob", STAGE))
    formgrader = Path(formgrader_package.__file__).parent
    css = str(formgrader / "static" / "node_modules" / "bootstrap" / "dist" / "css")
    for template in ("formgrade", "feedback"):
        exporter = HTMLExporter(
            template_name=template,
            extra_template_basedirs=[str(formgrader / "templates")],
            extra_template_paths=[css],
        )
        notebook = paper(course, "bob")
        for cell in notebook.cells:
            cell.metadata.setdefault("nbgrader", {}).setdefault("points", 0)
            cell.metadata.nbgrader.setdefault("score", 0)
        resources = {"nbgrader": {"notebook": "", "score": 0, "max_score": 0, "late_penalty": 0}, "index": 0}
        body, _ = exporter.from_notebook_node(notebook, resources={**resources, "total": 1, "base_url": ""})
        assert_inert(body)
        assert body.count("hello") >= 6
        assert "![](http" in body or "e.vil" not in body
    assert_inert(page(course, "bob"))


def assert_inert(body):
    """No tag of the page comes from the hostile text: nothing calls `alert`, nothing is loaded from e.vil."""

    class Look(HTMLParser):
        inside = ""

        def handle_starttag(self, tag, attributes):
            self.inside = tag
            for name, value in attributes:
                assert "alert" not in (value or "") or name in ("alt", "title"), (tag, name, value)
                assert "e.vil" not in (value or ""), (tag, name, value)

        def handle_data(self, data):
            if self.inside in ("script", "style"):
                assert "alert(" not in data, data
                assert "display:none}" not in data or ".total" not in data, data

        def handle_endtag(self, tag):
            self.inside = ""

    Look().feed(body)


def test_an_unreadable_submission_gets_a_row_a_notebook_and_the_reason(course):
    with Registrar(course) as registrar:
        registrar.record("bob", STAGE, unreadable(), registrar.received("bob", STAGE))
        assert registrar.recorded("bob", STAGE)
    assert {(row[2], row[5]) for row in rows(course)["grades"]} == {(0.0, 0)}
    notebook = paper(course, "bob")
    nbformat.validate(notebook)
    assert "could not be graded: It is not a notebook." in notebook.cells[0].source
    assert "..." in next(cell for cell in notebook.cells if "answer" in cell.metadata).source
    assert "It is not a notebook." in page(course, "bob")
    assert "0 of 7 points" in page(course, "bob")
    assert [
        entry["autograded"] for entry in api(course).get_submissions(STAGE) if entry["student"] == "bob"
    ] == [True]


def test_a_person_who_graded_before_is_asked_again_when_an_unreadable_file_comes_in(course, folder):
    record(course, folder, "bob")
    grade_by_hand(course)
    with Registrar(course) as registrar:
        registrar.record("bob", STAGE, unreadable(), registrar.received("bob", STAGE))
    assert [row[2:] for row in rows(course)["grades"]] == [(0.0, None, None, 0), (0.0, 2.0, 0.5, 1)]


def test_a_grade_by_hand_and_its_comment_show_on_the_page_after_a_regrade(course, folder):
    record(course, folder, "bob")
    assert "a person has to look at 1 of your answers" in page(course, "bob")
    grade_by_hand(course)
    record(course, folder, "bob")
    assert "6.5 of 7 points" in page(course, "bob")
    assert "Well put." in page(course, "bob")


def test_a_late_submission_shows_what_it_earned_and_what_was_taken_off(course, folder):
    record(course, folder, "cyd")
    assert "2 of 7" in page(course, "cyd")
    assert "1 of 7 points" in page(course, "cyd")


def test_a_penalty_is_never_more_than_was_earned(course, folder):
    sql(course, "UPDATE assignment SET duedate = '2026-02-01 12:00:00.000000'")
    record(course, folder, "cyd", "dan")
    assert [row[3] for row in rows(course)["notebooks"]] == [2.0, 0.0]


def test_the_time_of_receipt_is_the_same_everywhere(course, folder):
    record(course, folder, "bob")
    stamps = {
        parse_utc((course / step / "bob" / STAGE / "timestamp.txt").read_text())
        for step in ("submitted", "autograded", "feedback")
    }
    assert stamps == {datetime(2026, 3, 2, 10, 0, 0, 250000)}
    assert rows(course)["submissions"][0][1] == "2026-03-02 10:00:00.250000"


def test_an_untouched_answer_is_commented_as_nbgrader_does(course, folder):
    record(course, folder, "ann", "bob")
    assert [row[2] for row in rows(course)["comments"]] == ["No response.", "No response.", None, None]


def test_an_extension_takes_the_penalty_back(course, folder):
    record(course, folder, "cyd")
    sql(course, "UPDATE submitted_assignment SET extension = '1970-01-03 00:00:00.000000'")
    record(course, folder, "cyd")
    assert [row[3] for row in rows(course)["notebooks"]] == [None]


def test_one_submission_is_one_transaction_over_one_connection(course, folder):
    commits, connections = [], []
    with Registrar(course) as registrar:
        event.listen(registrar._engine, "commit", lambda connection: commits.append(1))
        event.listen(registrar._engine, "connect", lambda *_: connections.append(1))
        for learner in CHOICES:
            one = result(course, folder, learner)
            registrar.record(learner, STAGE, one, registrar.received(learner, STAGE))
    assert len(commits) == len(CHOICES)
    assert len(connections) <= 1


def everything(course):
    return {
        str(file.relative_to(course)): file.read_bytes()
        for file in sorted(course.rglob("*"))
        if file.is_file() and file.name != "gradebook.db"
    } | {"rows": rows(course)}


def test_no_space_left_leaves_the_submission_before_it_whole(course, folder):
    record(course, folder, "bob")
    before = everything(course)
    shown = [{"output_type": "stream", "name": "stdout", "text": "x" * 900_000}]
    one = replace(result(course, folder, "bob", ("print()", "code", shown)), verdicts={})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Registrar(course) as registrar:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
        try:
            with pytest.raises(
                ValueError, match=r"01_small of bob could not be recorded, nothing was written: File"
            ):
                registrar.record("bob", STAGE, one, registrar.received("bob", STAGE))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert everything(course) == before
        registrar.record("bob", STAGE, one, registrar.received("bob", STAGE))
        assert everything(course) != before


def test_a_folder_that_cannot_be_written_leaves_no_row_and_no_litter(course, folder):
    (course / "feedback").mkdir()
    (course / "feedback" / "bob").write_text("in the way")
    before = everything(course)
    with (
        Registrar(course) as registrar,
        pytest.raises(ValueError, match="could not be recorded, nothing was written: Not a directory"),
    ):
        registrar.record("bob", STAGE, result(course, folder, "bob"), registrar.received("bob", STAGE))
    assert everything(course) == before
    assert not (course / "autograded").exists()


def test_a_locked_gradebook_leaves_no_file(course, folder, monkeypatch):
    monkeypatch.setattr(coursefolder, "LOCK_WAIT", 0.05)
    with Registrar(course) as registrar:
        one, when = result(course, folder, "bob"), registrar.received("bob", STAGE)
        registrar._stage(STAGE)
        other = sqlite3.connect(course / "gradebook.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ValueError, match="nothing was written: database is locked"):
            registrar.record("bob", STAGE, one, when)
        other.execute("ROLLBACK")
        assert not registrar.recorded("bob", STAGE)
        registrar.record("bob", STAGE, one, when)
        assert registrar.recorded("bob", STAGE)


def test_a_commit_that_fails_leaves_the_old_files(course, folder, monkeypatch):
    """Somebody who reads lets rows be prepared and only then stops the commit."""
    monkeypatch.setattr(coursefolder, "LOCK_WAIT", 0.05)
    record(course, folder, "bob")
    before = everything(course)
    with Registrar(course) as registrar:
        when = registrar.received("bob", STAGE)
        reader = sqlite3.connect(course / "gradebook.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM student").fetchall()
        with pytest.raises(ValueError, match="nothing was written: database is locked"):
            registrar.record("bob", STAGE, unreadable(), when)
        reader.execute("ROLLBACK")
        assert everything(course) == before
        registrar.record("ann", STAGE, unreadable(), when)
        assert [row for row in rows(course)["grades"] if row[0] == "bob"] == before["rows"]["grades"]
        registrar.record("bob", STAGE, unreadable(), when)
    assert everything(course) != before


def test_what_a_killed_run_left_aside_is_cleared(course, folder):
    record(course, folder, "bob")
    stray = course / "autograded" / "bob" / STAGE / f".{STAGE}.ipynb.99999"
    stray.write_text("half")
    record(course, folder, "bob")
    assert not stray.exists()


def test_a_late_penalty_plugin_that_fails_is_named_and_nothing_is_written(course, folder):
    with (course / "nbgrader_config.py").open("a") as settings:
        settings.write("\nHalf.late_submission_penalty = lambda *_: 1 / 0\n")
    before = everything(course)
    with Registrar(course) as registrar:
        one = result(course, folder, "cyd")
        with pytest.raises(ValueError, match="late penalty plugin failed for cyd: division by zero"):
            registrar.record("cyd", STAGE, one, registrar.received("cyd", STAGE))
    assert everything(course) == before


@pytest.mark.parametrize(
    ("points", "entered"), [(1e9, 4), (-3, 0), (float("nan"), 0), (float("inf"), 0), ("4", 0), (3.5, 3.5)]
)
def test_points_stay_between_nothing_and_what_the_check_is_worth(course, folder, points, entered):
    one = result(course, folder, "bob")
    with Registrar(course) as registrar:
        one = replace(one, verdicts={"mean": {**one.verdicts["mean"], "points": points, "out_of": 99}})
        registrar.record("bob", STAGE, one, registrar.received("bob", STAGE))
    assert sql(course, "SELECT auto_score FROM grade WHERE auto_score IS NOT NULL") == [(entered,)]
    assert report.verdicts(course)["points"].tolist() == [entered]


def test_the_courses_own_text_comes_from_the_course_whatever_a_result_says(course, folder):
    one = result(course, folder, "bob")
    changed = tuple(
        cell if cell.kind in ("answer", "explain") else replace(cell, source="forged") for cell in one.cells
    )
    with Registrar(course) as registrar:
        registrar.record("bob", STAGE, replace(one, cells=changed), registrar.received("bob", STAGE))
    assert "forged" not in "".join(cell.source for cell in paper(course, "bob").cells)


@pytest.mark.parametrize(
    ("mend", "said"),
    [
        (lambda cells: cells[:-1], "it lacks the cells"),
        (lambda cells: (*cells, cells[-1]), "is there twice"),
        (lambda cells: (*cells, replace(cells[-1], id="other")), "'other' is not a cell of this stage"),
        (lambda cells: (*cells, replace(cells[-1], id="../x", kind="extra")), "is not a cell"),
    ],
)
def test_a_result_of_another_stage_is_refused(course, folder, mend, said):
    one = result(course, folder, "bob")
    with Registrar(course) as registrar, pytest.raises(ValueError, match=said):
        registrar.record("bob", STAGE, replace(one, cells=mend(one.cells)), registrar.received("bob", STAGE))


def test_odd_characters_in_an_answer_are_stored(course, folder):
    one = result(course, folder, "bob", ("s = '\ud800 \u202e \x00 é'", "code", []))
    with Registrar(course) as registrar:
        registrar.record("bob", STAGE, one, registrar.received("bob", STAGE))
    assert "'? \u202e \x00 é'" in "".join(cell.source for cell in paper(course, "bob").cells)
    assert "\u202e" not in page(course, "bob")


@pytest.mark.parametrize(
    "learner",
    ["", ".", "..", "../bob", "a/b", "a\\b", "a\nb", "a\u202eb", " bob", "x" * 129, "a\0b", "\ud800"],
)
def test_a_name_that_could_lead_elsewhere_is_refused(course, folder, learner):
    before = everything(course)
    with Registrar(course) as registrar, pytest.raises(ValueError, match="is not a name that can be graded"):
        registrar.record(learner, STAGE, result(course, folder, "bob"), datetime(2026, 3, 1))
    assert everything(course) == before


def test_names_in_any_script_are_fine(course, folder):
    with Registrar(course) as registrar:
        for learner in ("Ἀριστοτέλης", "می‌خواهم", "李 雷", "o'neil; DROP TABLE grade", "a,b"):
            registrar.record(learner, STAGE, result(course, folder, "bob"), datetime(2026, 3, 1))
            assert registrar.recorded(learner, STAGE)
    assert len(rows(course)["student"]) == 5


def test_a_secret_that_is_a_link_is_not_followed(course, folder):
    secret = course / "submitted" / "bob" / STAGE / "submission_secret.txt"
    secret.unlink()
    secret.symlink_to(course / "nbgrader_config.py")
    record(course, folder, "bob")
    for step in ("autograded", "feedback"):
        assert not (course / step / "bob" / STAGE / "submission_secret.txt").exists()


def test_without_a_timestamp_the_files_time_counts_and_formgrader_sees_the_grade(course, folder):
    place = course / "submitted" / "bob" / STAGE
    (place / "timestamp.txt").unlink()
    os.utime(place / f"{STAGE}.ipynb", (1772359200, 1772359200))
    record(course, folder, "bob")
    assert rows(course)["submissions"][0][1] == "2026-03-01 10:00:00.000000"
    listed = {entry["student"]: entry["autograded"] for entry in api(course).get_submissions(STAGE)}
    assert listed == {"ann": False, "bob": True, "cyd": False, "dan": False}


@pytest.mark.parametrize("zone", ["UTC", "+0200", "CET"])
def test_a_timestamp_is_read_as_nbgrader_reads_it(course, zone):
    text = f"2026-02-01 10:00:00.5 {zone}"
    (course / "submitted" / "bob" / STAGE / "timestamp.txt").write_text(text)
    with Registrar(course) as registrar:
        assert registrar.received("bob", STAGE) == parse_utc(text)


def test_times_that_cannot_be_are_refused(course, folder):
    stamp = course / "submitted" / "bob" / STAGE / "timestamp.txt"
    with Registrar(course) as registrar:
        stamp.write_text("yesterday, I think")
        with pytest.raises(
            ValueError, match=r"timestamp.txt holds 'yesterday, I think', which is not a time"
        ):
            registrar.received("bob", STAGE)
        with pytest.raises(ValueError, match=r"eve/01_small/01_small.ipynb does not exist"):
            registrar.received("eve", STAGE)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        with pytest.raises(ValueError, match="which is in the future"):
            registrar.record("bob", STAGE, result(course, folder, "bob"), tomorrow)
        assert not registrar.recorded("bob", STAGE)


def broken(course, what):
    database = course / "gradebook.db"
    if what == "no folder":
        return course / "nowhere"
    if what == "no course":
        (course / "nbgrader_config.py").unlink()
    if what == "broken settings":
        (course / "nbgrader_config.py").write_text("c = get_config()\nc.X.y = 1 / 0\n")
    if what == "no gradebook":
        database.unlink()
    if what == "empty":
        database.write_bytes(b"")
    if what == "rubbish":
        database.write_bytes(b"rubbish" * 1000)
    if what == "cut short":
        database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])
    if what == "a page lost":
        content = bytearray(database.read_bytes())
        content[-4096:] = bytes(4096)
        database.write_bytes(content)
    if what == "other course":
        sql(course, "UPDATE assignment SET course_id = 'history'")
    if what == "older":
        sql(course, "ALTER TABLE student DROP COLUMN lms_user_id")
        sql(course, "UPDATE alembic_version SET version_num = '167914646830'")
    if what == "older, unmarked":
        sql(course, "ALTER TABLE submitted_notebook DROP COLUMN late_submission_penalty")
    if what == "newer":
        sql(course, "UPDATE alembic_version SET version_num = 'ffffffffffff'")
    if what == "no driver":
        with (course / "nbgrader_config.py").open("a") as settings:
            settings.write("\nc.CourseDirectory.db_url = 'nosuchdb://user:hunter2@host/db'\n")
    return course


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("no folder", "nowhere is not a folder; make a course folder"),
        ("no course", "has no nbgrader_config.py; make a course folder with `autograder release"),
        ("broken settings", "cannot be read: division by zero"),
        ("no gradebook", "has no gradebook; run `autograder release"),
        ("empty", "is empty; run `autograder release` first"),
        ("rubbish", "cannot be read: file is not a database"),
        ("a page lost", "is damaged: Page"),
        ("cut short", "is damaged|cannot be read: database disk image is malformed"),
        ("other course", r"belongs to course 'history', but nbgrader_config.py says course 'ml_design'"),
        ("older", r"has an older schema \(it lacks student.lms_user_id\); .* run `nbgrader db upgrade`"),
        ("older, unmarked", r"it lacks submitted_notebook.late_submission_penalty"),
        ("newer", "which this nbgrader does not know"),
        ("no driver", "cannot be read: Can't load plugin"),
    ],
)
def test_a_course_that_cannot_be_graded_is_named_in_one_sentence_and_left_alone(course, what, said):
    place = broken(course, what)
    before = {file: file.read_bytes() for file in course.rglob("*") if file.is_file()}
    with pytest.raises(ValueError, match=said) as raised:
        Registrar(place)
    assert "\n" not in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert {file: file.read_bytes() for file in course.rglob("*") if file.is_file()} == before


def test_a_release_of_another_version_of_the_course_is_named(course, folder):
    sql(course, "UPDATE grade_cells SET max_score = 5 WHERE cell_type = 'code'")
    with Registrar(course) as registrar:
        with pytest.raises(ValueError, match=r"is another version than this course \(check-mean\); run"):
            registrar.record("bob", STAGE, result(course, folder, "bob"), datetime(2026, 3, 1))
        with pytest.raises(ValueError, match="there is no stage '09_none'"):
            registrar.record("bob", "09_none", unreadable(), datetime(2026, 3, 1))


def test_a_stage_that_was_never_released_is_named(course, folder):
    sql(course, "UPDATE assignment SET name = 'other'")
    with (
        Registrar(course) as registrar,
        pytest.raises(ValueError, match="01_small is not in the gradebook of"),
    ):
        registrar.record("bob", STAGE, result(course, folder, "bob"), datetime(2026, 3, 1))
