"""Whatever an exercise knows as an answer can be handed in, by itself, as a cell of code."""

import pytest

from autograder import simulate
from autograder.stage import load_stage, stage_folder, stage_folders

EXERCISES = [
    pytest.param(exercise, id=f"{stage}-{name}")
    for stage in stage_folders()
    for name, exercise in load_stage(stage_folder(stage)).items()
]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_answer_stands_without_the_file_it_comes_from(exercise):
    mistakes = [mistake.name for mistake in exercise.mistakes]
    for choice in (simulate.REFERENCE, *range(len(exercise.right)), *mistakes):
        names = {}
        exec(f"import numpy as np\nimport pandas as pd\n{simulate.answer_source(exercise, choice)}", names)
        assert all(names.get(name) is not None for name in exercise.answer_names), choice
