"""The same answer earns the same in self-study and in the exam, for everything that an exercise knows."""

import pytest

from autograder.stage import load_stage, stage_folder, stage_folders
from autograder.verify import wall_problems


@pytest.mark.slow
@pytest.mark.parametrize("stage", list(stage_folders()))
def test_every_reference_right_answer_and_mistake_is_judged_alike_on_both_sides_of_the_wall(
    stage, monkeypatch
):
    monkeypatch.delenv("AUTOGRADER_STAGES", raising=False)
    folder = stage_folder(stage)
    assert list(wall_problems(folder, load_stage(folder))) == []
