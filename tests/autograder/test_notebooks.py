"""From a text source to the learner's and the instructor's notebook."""

import nbformat
import pytest

from autograder import notebooks
from autograder.stage import load_stage


def cells_by_id(notebook):
    return {cell.id: cell for cell in notebook.cells}


def test_the_learner_sees_signature_and_docstring_but_no_solution(small_stage, exercises):
    cell = cells_by_id(notebooks.build_learner(small_stage, exercises))["answer-mean"]
    assert cell.source.startswith('def mean(values):\n    """Return the mean')
    assert cell.source.endswith(f"    {notebooks.STUB}")
    assert "nanmean" not in cell.source


def test_the_instructor_sees_the_reference_in_a_solution_region(small_stage, exercises):
    cell = cells_by_id(notebooks.build_solved(small_stage, exercises))["answer-mean"]
    assert "### BEGIN SOLUTION\n    return float(np.nanmean(values))\n    ### END SOLUTION" in cell.source


def test_our_starter_is_the_one_that_nbgrader_makes(small_stage, exercises):
    from nbgrader.preprocessors import ClearSolutions
    from traitlets.config import Config

    solved = notebooks.build_solved(small_stage, exercises)
    config = Config({"ClearSolutions": {"code_stub": {"python": notebooks.STUB}}})
    released, _ = ClearSolutions(config=config).preprocess(solved, {})
    learner = notebooks.build_learner(small_stage, exercises)
    assert [cell.source for cell in released.cells] == [cell.source for cell in learner.cells]


def test_the_metadata_is_valid_for_nbgrader_and_carries_the_points(small_stage, exercises):
    from nbgrader.nbgraderformat import MetadataValidator

    solved = notebooks.build_solved(small_stage, exercises)
    MetadataValidator().validate_nb(solved)
    nbformat.validate(solved)
    kinds = {
        cell.id: (data["grade"], data["solution"], data["locked"], data.get("points"))
        for cell in solved.cells
        if (data := cell.metadata.get("nbgrader"))
    }
    assert kinds["answer-mean"] == (False, True, False, None)
    assert kinds["check-mean"] == (True, False, True, 4)


def test_cell_ids_survive_a_cell_being_inserted(small_stage, exercises):
    before = [cell.id for cell in notebooks.build_learner(small_stage, exercises).cells]
    file = notebooks.source_file(small_stage)
    file.write_text(file.read_text().replace("# %% demo", "# %% [markdown]\n# New.\n\n# %% demo"))
    after = [cell.id for cell in notebooks.build_learner(small_stage, exercises).cells]
    assert [name for name in after if name in before] == before
    assert len(after) == len(before) + 1


def test_a_value_keeps_its_starter_and_marks_its_solution(exercises):
    from dataclasses import replace

    from autograder.exercise import Literal

    literal = Literal("k", 3, starter="k = None  # how many?", solution="k = 3")
    exercise = replace(exercises["mean"], reference=literal)
    assert notebooks.starter_source(exercise) == f"k = None  # how many?\n{notebooks.STUB}"
    assert notebooks.clear_marks(notebooks.solved_source(exercise)) == "k = None  # how many?\nk = 3"


def test_building_twice_gives_the_same_bytes(small_stage, exercises):
    first = notebooks.to_text(notebooks.build_learner(small_stage, exercises))
    assert first == notebooks.to_text(notebooks.build_learner(small_stage, load_stage(small_stage)))


def test_an_interrupted_write_leaves_the_old_notebook_and_no_litter(small_stage, exercises, monkeypatch):
    file = notebooks.notebook_file(small_stage)
    notebook = notebooks.build_learner(small_stage, exercises)
    notebooks.write_notebook(notebook, file)
    before = file.read_bytes()
    monkeypatch.setattr(notebooks, "to_text", lambda notebook: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        notebooks.write_notebook(notebook, file)
    assert file.read_bytes() == before
    assert [path.name for path in small_stage.iterdir() if path.name.startswith(".")] == []


def test_a_stage_without_a_source_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"nothing has no text source nothing\.py"):
        notebooks.read_source(tmp_path / "nothing")
