"""What the instructor reads: tables, text and page from autograded notebooks, which hold strangers' text."""

import csv
import html
import re
from dataclasses import asdict

import nbformat
import numpy as np
import pandas as pd
import pytest

from autograder import notebooks, report, report_page, simulate
from autograder import stage as stages
from autograder.feedback import VERDICT_TYPE
from autograder.judging import judge


@pytest.fixture
def hand_in(tmp_path, small_stage, exercises, monkeypatch):
    """A function that writes one learner's autograded notebook; the course folder is its `course`."""
    monkeypatch.setattr(stages, "stage_folders", lambda: {small_stage.name: small_stage})
    course = tmp_path / "course"

    def write(learner, choice="reference", verdict=None, exam=None, change=None):
        notebook = notebooks.build_solved(small_stage, exercises)
        for cell in notebook.cells:
            if cell.metadata.get("answer") == "mean":
                cell.source = simulate.answer_source(exercises["mean"], choice)
                names = {"np": np}
                exec(cell.source, names)
            if cell.metadata.get("check") == "mean" and verdict != "none":
                found = verdict or asdict(judge(exercises["mean"], (names["mean"],), 0))
                cell.outputs = [nbformat.v4.new_output("display_data", {VERDICT_TYPE: found})]
        if exam:
            notebook.metadata["exam"] = exam
        if change:
            change(notebook)
        folder = course / "autograded" / learner / "01_small"
        folder.mkdir(parents=True)
        notebooks.write_notebook(notebook, folder / "01_small.ipynb")

    write.course = course
    return write


def page(course):
    """The report's HTML as the command writes it."""
    report_page.write(course, report.read(course))
    return (course / "report" / "index.html").read_text()


def rows(course, name):
    return list(csv.DictReader((course / "report" / f"{name}.csv").read_text().splitlines()))


def test_mistakes_are_counted_with_what_the_exercise_says_about_them(hand_in):
    for learner, choice in (("ann", "shifted"), ("bob", "shifted"), ("cid", "reference"), ("dan", "starter")):
        hand_in(learner, choice)
    shown = page(hand_in.course)
    assert "It is one too high." in shown
    assert "2 of 3" in shown  # the untouched answer did not try
    (mistake,) = rows(hand_in.course, "mistakes")
    assert (mistake["mistake"], mistake["count"], mistake["tried"]) == ("shifted", "2", "3")
    (exercise,) = rows(hand_in.course, "exercises")
    assert [exercise[word] for word in ("correct", "partly", "wrong", "not_attempted")] == [
        "1",
        "0",
        "2",
        "1",
    ]
    assert "2 x mean: shifted" in report.class_report(hand_in.course)


def test_wrong_answers_without_a_known_mistake_are_counted_too(hand_in, exercises):
    answers = {"odd": lambda values: 17.0, "broken": lambda values: 1 / 0}
    for learner, answer in answers.items():
        hand_in(learner, verdict=asdict(judge(exercises["mean"], (answer,), 0)))
    (graded,) = report.read(hand_in.course)
    made = report.mistake_table(graded, exercises)
    assert set(made["mistake"]) == {"(no known mistake)", "(your code raised an error)"}


@pytest.mark.parametrize(
    "forged",
    [
        {"points": 400.0},
        {"points": float("nan")},
        {"points": "4"},
        {"word": "brilliant"},
        {"exercise": "another"},
        {"mistakes": {"a": 1}},
        {"mistakes": None},
    ],
)
def test_what_does_not_have_the_form_of_a_verdict_is_none(hand_in, exercises, forged):
    hand_in("ann", verdict=asdict(judge(exercises["mean"], (np.nanmean,), 0)) | forged)
    (row,) = report.verdicts(hand_in.course).itertuples()
    assert (row.exercise, row.word, row.points, row.mistakes) == ("mean", "no verdict", 0.0, [])


def test_a_broken_notebook_costs_only_itself(hand_in):
    hand_in("ann")
    hand_in("bob")
    hand_in("cid", change=lambda notebook: notebook.metadata.update(exam=["not", "a", "dict"]))
    file = hand_in.course / "autograded/bob/01_small/01_small.ipynb"
    file.write_text('{"cells": [' * 5000)
    (graded,) = report.read(hand_in.course)
    people = graded.submissions.set_index("learner")
    assert people["points"].dropna().to_dict() == {"ann": 4.0}
    assert people.loc["bob", "person"] == ["its autograded notebook cannot be read"]
    assert "cannot be read" in page(hand_in.course)


def test_a_class_of_nothing_but_broken_notebooks_still_gets_a_page(hand_in):
    hand_in("ann")
    (hand_in.course / "autograded/ann/01_small/01_small.ipynb").write_text("no notebook")
    assert "No submission has a grade." in page(hand_in.course)


def test_what_the_exam_noted_is_told_apart_and_timed(hand_in):
    hand_in(
        "ann", exam={"problem": "", "repairs": ["A copied check was not run."], "seconds": {"total": 2.5}}
    )
    hand_in("bob", verdict="none", exam={"problem": "It is no notebook.", "repairs": [], "seconds": {}})
    hand_in("cid", verdict="none")
    (hand_in.course / "submitted" / "dan" / "01_small").mkdir(parents=True)
    shown = page(hand_in.course)
    people = {row["learner"]: row for row in rows(hand_in.course, "learners")}
    assert {name: row["needs_a_person"] for name, row in people.items()} == {
        "ann": "mended: A copied check was not run.",
        "bob": "could not be read: It is no notebook.",
        "cid": "no verdict on mean",
        "dan": "handed in, but not graded yet",
    }
    assert [people[name]["seconds"] for name in ("ann", "bob")] == ["2.5", ""]
    assert people["dan"]["points"] == ""
    assert "A submission took 2.5 s" in shown


def test_answers_that_people_grade_are_pointed_out_unless_they_were_left_as_released(hand_in):
    from nbgrader.utils import compute_checksum

    def explain(text):
        def change(notebook):
            cell = nbformat.v4.new_markdown_cell("Your words here.")
            cell.metadata["nbgrader"] = {
                "schema_version": 3,
                "grade_id": "explain-mean",
                "grade": True,
                "solution": True,
                "locked": False,
                "task": False,
                "points": 2,
            }
            cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
            cell.source = text
            notebook.cells.append(cell)

        return change

    hand_in("ann", change=explain("Because gaps are no zeros."))
    hand_in("bob", change=explain("Your words here."))
    shown = page(hand_in.course)
    assert [row["by_hand"] for row in rows(hand_in.course, "learners")] == ["1", "0"]
    assert "1 submissions hold 1 answers that people grade" in shown


def test_nothing_of_a_learners_runs_in_the_page_or_in_a_spreadsheet(hand_in):
    attack = "<script>alert(1)</script>"
    bidi = "eve\u202egnp.exe"
    hand_in(
        attack.replace("/", "\u2215"), "median", exam={"problem": attack, "repairs": [attack], "seconds": {}}
    )
    hand_in(bidi)
    hand_in("=HYPERLINK(1)")
    shown = page(hand_in.course)
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "\u202e" not in shown + report.class_report(hand_in.course)
    assert "default-src &#x27;none&#x27;" in html.escape(shown)
    assert not re.search(r"script-src|javascript:|\son\w+=|style='", shown)
    assert "'=HYPERLINK(1)" in [row["learner"] for row in rows(hand_in.course, "learners")]


def test_every_picture_has_words_and_a_table_beside_it(hand_in):
    for number in range(5):
        hand_in(f"learner_{number}", ("reference", "median")[number % 2])
    shown = page(hand_in.course)
    alts = re.findall(r"<img alt='([^']+)' src='data:image/png;base64,", shown)
    assert len(alts) == shown.count("<img") == 2
    assert all(re.search(r"\d", alt) for alt in alts)
    assert shown.count("<caption>") >= len(alts)


def graded(points):
    """A stage as if graded: exercise -> points of each learner, out of 1."""
    table = [
        ["s", f"l{i}", exercise, "correct" if p == 1 else "partly right", p, 1.0, []]
        for exercise, all_points in points.items()
        for i, p in enumerate(all_points)
    ]
    return report.Graded("s", pd.DataFrame(table, columns=report.COLUMNS), pd.DataFrame(), {})


def test_the_correlation_is_with_the_rest_and_its_interval_is_fishers():
    from scipy import stats

    rng = np.random.default_rng(0)
    skill = rng.uniform(size=30)
    points = {name: np.clip(skill + rng.normal(0, 0.2, 30), 0, 0.99) for name in "abc"}
    points["against"] = 1 - skill
    table = report.exercise_table(graded(points)).set_index("exercise")
    for name, own in points.items():
        rest = sum(points[other] for other in points if other != name)
        expected = stats.pearsonr(own, rest)
        interval = expected.confidence_interval(0.95)
        row = table.loc[name]
        assert row["correlation"] == pytest.approx(expected.statistic)
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high), abs=1e-4)
    assert "against the rest" in table.loc["against", "note"]
    assert "goes with the rest" in table.loc["a", "note"]
    assert "are few" not in table.loc["a", "note"]


def test_exercises_without_variance_say_so_instead_of_a_number():
    some = [0.0, 0.5, 0.7, 1.0, 0.2]
    table = report.exercise_table(graded({"easy": [1.0] * 5, "hard": [0.0] * 5, "some": some}))
    table = table.set_index("exercise")
    assert table["correlation"].isna().all()
    assert table.loc["easy", "note"] == "everybody passes; all earn the same here"
    assert table.loc["hard", "note"] == "nobody passes; all earn the same here"
    assert table.loc["some", "note"] == "all earn the same elsewhere"


def test_few_learners_are_said_to_be_few():
    some = [0.0, 0.5, 0.7, 1.0, 0.2]
    table = report.exercise_table(graded({"one": some, "two": some}))
    assert table["note"].str.contains("5 learners are few").all()
    assert table["low"].isna().all()  # a perfect correlation has no interval to believe in
    assert "too little" in report.exercise_table(graded({"one": some})).loc[0, "note"]


def test_one_stage_can_be_asked_for_and_an_unknown_one_is_named(hand_in):
    hand_in("ann")
    assert [graded.stage for graded in report.read(hand_in.course, ["01_small"])] == ["01_small"]
    with pytest.raises(ValueError, match="'02_large' has no autograded notebooks; there are 01_small"):
        report.read(hand_in.course, ["02_large"])


def test_the_command_writes_where_it_is_told_and_says_so(hand_in, tmp_path, capsys):
    from autograder.cli import main

    hand_in("ann")
    assert main(["report", str(hand_in.course), "01_small", "--to", str(tmp_path / "out")]) == 0
    assert str(tmp_path / "out" / "index.html") in capsys.readouterr().out
    assert len(list((tmp_path / "out").iterdir())) == 6
    (tmp_path / "file").touch()
    assert main(["report", str(hand_in.course), "--to", str(tmp_path / "file")]) == 2
    assert "is a file; name a folder" in capsys.readouterr().err
