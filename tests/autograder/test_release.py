"""The course folder for nbgrader, the simulated class, and the report on it."""

import json

import nbformat
import pytest

from autograder import release, report, simulate
from autograder import stage as stages
from autograder.feedback import VERDICT_TYPE
from autograder.judging import judge


@pytest.fixture
def course(tmp_path, small_stage, monkeypatch):
    """A course folder in which the small stage is released."""
    monkeypatch.setattr(stages, "stage_folders", lambda: {small_stage.name: small_stage})
    release.prepare(tmp_path / "course", [small_stage], solutions=False, replace=False)
    return tmp_path / "course"


def test_a_release_holds_no_solution_and_keeps_solutions_closed(course):
    folder = course / "release" / "01_small"
    text = (folder / "01_small.ipynb").read_text()
    assert "nanmean" not in text
    assert "nanmean" in (course / "source" / "01_small" / "01_small.ipynb").read_text()
    assert json.loads((folder / "class.json").read_text()) == {"solutions": False}


def test_releasing_again_is_harmless_but_never_overwrites_an_edited_source(course, small_stage):
    release.prepare(course, [small_stage], solutions=False, replace=False)
    source = course / "source" / "01_small" / "01_small.ipynb"
    source.write_text(source.read_text().replace("A small stage", "My own stage"))
    with pytest.raises(ValueError, match="--replace"):
        release.prepare(course, [small_stage], solutions=False, replace=False)
    assert "My own stage" in source.read_text()
    release.prepare(course, [small_stage], solutions=False, replace=True)
    assert "My own stage" not in source.read_text()


def test_a_learners_source_stands_on_its_own_and_keeps_its_verdict(exercises):
    exercise = exercises["mean"]
    for mistake in exercise.mistakes:
        names = {}
        exec(simulate.answer_source(exercise, mistake.name), names)
        assert judge(exercise, (names["mean"],), 0).mistakes == (mistake.name,)


def test_the_first_learner_hands_in_nothing_and_the_second_everything(course):
    simulate.hand_in(course, learners=3, seed=0)
    empty = (course / "submitted/learner_01/01_small/01_small.ipynb").read_text()
    full = (course / "submitted/learner_02/01_small/01_small.ipynb").read_text()
    assert "nanmean" not in empty
    assert "nanmean" in full
    assert (course / "submitted/learner_03/01_small/timestamp.txt").exists()


def test_a_class_needs_a_release_and_at_least_two_learners(tmp_path, course):
    with pytest.raises(ValueError, match="has no released notebooks"):
        simulate.hand_in(tmp_path, learners=3, seed=0)
    with pytest.raises(ValueError, match="at least 2, not 1"):
        simulate.hand_in(course, learners=1, seed=0)


def test_the_report_counts_points_exercises_and_mistakes(course):
    found = {"exercise": "mean", "word": "partly right", "points": 2, "out_of": 4, "mistakes": ["shifted"]}
    for learner, outputs in (("ann", [verdict_output(found)]), ("bob", [])):
        notebook = nbformat.read(course / "release/01_small/01_small.ipynb", as_version=4)
        check = next(cell for cell in notebook.cells if "check" in cell.metadata)
        check.outputs = outputs
        folder = course / "autograded" / learner / "01_small"
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / "01_small.ipynb")
    text = report.class_report(course)
    assert "01_small: 2 learners, median 1 points" in text
    assert "1 x mean: shifted" in text
    table = report.verdicts(course)
    assert list(table["word"]) == ["partly right", "no verdict"]


def verdict_output(found):
    return nbformat.v4.new_output("display_data", {VERDICT_TYPE: found, "text/plain": ""})


def test_a_report_without_grades_says_what_to_run(tmp_path):
    with pytest.raises(ValueError, match="run `nbgrader autograde`"):
        report.class_report(tmp_path)


def test_the_command_answers_bad_input_with_one_sentence(capsys, tmp_path):
    from autograder.cli import main

    assert main(["report", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("autograder: course:")
    assert err.count("\n") == 1
