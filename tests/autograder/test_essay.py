"""Texts that people grade: rubric and points in one place, from the text source to stock nbgrader."""

import nbformat
import pytest

from autograder import essay, notebooks, verify
from autograder.progress import Progress
from autograder.stage import load_stage

CELLS = """
# %% [markdown] rubric="why"
# **Write two sentences:** why are gaps left out? People grade it.
#
# - 1 point: says what a gap is
# - 2.5 points: says what would become of the mean,
#   in either direction

# %% [markdown] explain="why"
# A gap is no measurement. As a zero it would draw the mean down.
"""


@pytest.fixture
def with_text(small_stage):
    """The small stage with one text to write."""
    file = notebooks.source_file(small_stage)
    file.write_text(file.read_text() + CELLS)
    return small_stage


@pytest.fixture
def why(with_text):
    return notebooks.read_essays(with_text)["why"]


def cells_by_id(notebook):
    return {cell.id: cell for cell in notebook.cells}


def test_the_points_of_a_text_are_those_of_its_rubric(why):
    assert why.rubric == (
        (1, "says what a gap is"),
        (2.5, "says what would become of the mean, in either direction"),
    )
    assert why.points == 3.5


def test_the_learner_reads_the_rubric_and_not_the_sample(with_text):
    cells = cells_by_id(notebooks.build_learner(with_text, load_stage(with_text)))
    assert "- 1 point: says what a gap is" in cells["rubric-why"].source
    assert cells["explain-why"].source == notebooks.TEXT_STUB
    assert cells["explain-why"].cell_type == "markdown"


def test_the_instructor_gets_the_sample_in_a_cell_that_nbgrader_lets_people_grade(with_text):
    cell = cells_by_id(notebooks.build_solved(with_text, load_stage(with_text)))["explain-why"]
    assert cell.source.startswith("A gap is no measurement.")
    about = cell.metadata["nbgrader"]
    assert (about["grade"], about["solution"], about["locked"], about["points"]) == (True, True, False, 3.5)


def test_nbgrader_releases_the_text_that_the_learner_notebook_holds(with_text):
    from nbgrader.preprocessors import ClearSolutions
    from traitlets.config import Config

    exercises = load_stage(with_text)
    stubs = {"code_stub": {"python": notebooks.STUB}, "text_stub": notebooks.TEXT_STUB}
    solved = notebooks.build_solved(with_text, exercises)
    released, _ = ClearSolutions(config=Config({"ClearSolutions": stubs})).preprocess(solved, {})
    learner = notebooks.build_learner(with_text, exercises)
    assert [cell.source for cell in released.cells] == [cell.source for cell in learner.cells]
    nbformat.validate(released)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('rubric="why"', 'rubric="other"'), "needs a markdown cell rubric='why'"),
        (lambda text: text.replace("point", "mark"), "with lines such as '- 2 points: ...'"),
        (lambda text: text.split("# %% [markdown] explain")[0], "has no text to grade"),
        (lambda text: text + text.split("\n\n")[-1], "stands in more than one cell"),
        (
            lambda text: text.replace('# %% [markdown] explain="why"', '# %% explain="why"'),
            "must be markdown",
        ),
    ],
)
def test_an_author_is_told_what_a_text_lacks(small_stage, exercises, change, said):
    file = notebooks.source_file(small_stage)
    file.write_text(file.read_text() + change(CELLS))
    assert any(said in problem for problem in verify.cell_problems(small_stage, exercises))


def test_a_text_with_rubric_and_sample_has_no_problem(with_text):
    assert list(verify.cell_problems(with_text, load_stage(with_text))) == []


def test_learners_hold_their_text_against_the_rubric(why, tmp_path, capsys):
    progress = Progress(tmp_path, "01_small")
    essay.assess(progress, why, [2], sample=False)
    said = capsys.readouterr().out
    assert "earns 2.5 of 3.5 points" in said
    assert "does not yet do this: says what a gap is." in said
    assert Progress(tmp_path, "01_small").events("assess", "why")[-1]["met"] == [2]


def test_without_widgets_the_rubric_is_printed_with_the_way_to_answer(why, tmp_path, capsys):
    essay.assess(Progress(tmp_path, "01_small"), why, None, sample=False)
    said = capsys.readouterr().out
    assert "2. (2.5) says what would become of the mean" in said
    assert "stage.assess('why', met=[1, ...])" in said


def test_a_rubric_is_shown_without_its_marks_of_emphasis():
    lines = essay._lines("- 1 point: says *why*\n* 2 points: says **when**\n  and where")
    assert lines == ((1.0, "says why"), (2.0, "says when and where"))


def test_the_sample_is_shown_only_where_solutions_are(why, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(essay, "show_html", lambda html, text: shown.append(html))
    essay.assess(Progress(tmp_path, "01_small"), why, [1], sample=True)
    assert "A gap is no measurement" in shown[0]
    shown.clear()
    essay.assess(Progress(tmp_path, "01_small"), why, [1], sample=False)
    assert shown == []


def test_a_line_that_the_rubric_lacks_is_refused(why, tmp_path):
    with pytest.raises(ValueError, match="met holds 3; the rubric of 'why' has lines 1 to 2"):
        essay.assess(Progress(tmp_path, "01_small"), why, [3], sample=False)
