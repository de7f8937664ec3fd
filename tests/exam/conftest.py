"""A small stage with its own exam room: two functions, a value, a demo, and helpers to hand work in."""

import json
from types import SimpleNamespace

import pytest

from autograder import notebooks
from autograder.exam import seeds
from autograder.exam.limits import MB, Limits
from autograder.exam.room import Room
from autograder.stage import STAGES_VARIABLE, load_stage

STAGE = "01_exam"
HEAD = """import numpy as np
import pandas as pd

from autograder import Case, Exercise, Literal, Mistake


"""
EXERCISES = {
    "mean": '''
def mean(values):
    """Return the mean of a float array, leaving out NaN."""
    return float(np.nanmean(values))


def cases(rng):
    """Arrays with and without gaps."""
    yield Case((rng.normal(5, 1, size=20),), about="whole arrays")
    gaps = rng.normal(5, 1, size=20)
    gaps[:5] = np.nan
    yield Case((gaps,), about="arrays with gaps")


exercise = Exercise(
    title="Mean", questions=("1.1",), points=4, reference=mean, cases=cases, repeatable=True,
    mistakes=(
        Mistake("gaps as zeros", lambda v: float(np.nan_to_num(v).mean()), "Gaps count as zeros.", "Why?"),
    ),
    hints=("Which values count?", "`np.nanmean`"), returns="one number",
)
''',
    "half": '''
half = Literal("half", 0.5, "half = ...  # one half", "half = 0.5")


def cases(rng):
    """One question."""
    yield Case(about="a half")


exercise = Exercise(
    title="Half", questions=("1.2",), points=2, reference=half, cases=cases,
    run=lambda case, value: {case.about: value},
    mistakes=(), hints=("Divide.",),
)
''',
    "count": '''
def count(table):
    """Return a Series, camera -> number of rows of a table with columns camera (str) and face (int)."""
    return table.groupby("camera").size()


def cases(rng):
    """A table of faces."""
    cameras = rng.choice(["north", "south"], size=30)
    yield Case((pd.DataFrame({"camera": cameras, "face": np.arange(30)}),), about="two cameras")


def run(case, count):
    """Read the counts camera by camera."""
    return {case.about: {name: int(n) for name, n in count(*case.inputs).items()}}


exercise = Exercise(
    title="Count", questions=("1.3",), points=3, reference=count, cases=cases, run=run,
    mistakes=(), hints=("Group.",),
)
''',
}
SOURCE = """# %% [markdown]
# # A small exam

# %%
from autograder import Stage
import numpy as np
import pandas as pd

stage = Stage("01_exam")
given = 7

# %% demo=true
print("only to be looked at")

# %% answer="mean"

# %% check="mean"
stage.check("mean", mean)

# %% answer="half"

# %% check="half"
stage.check("half", half)

# %% answer="count"

# %% check="count"
stage.check("count", count)

# %% [markdown]
# ## The end

# %%
stage.progress()
"""
RIGHT = {
    "mean": "def mean(values):\n    return float(np.nanmean(values))",
    "half": "half = 0.5",
    "count": "def count(table):\n    return table.groupby('camera').size()",
}
LIMITS = Limits(
    cell_seconds=5, check_seconds=5, exam_seconds=40, memory=600 * MB, scratch=32 * MB, cell_output=50_000
)


@pytest.fixture(scope="session")
def exam_stages(tmp_path_factory):
    """Write the small stage; returns its folder, the only one in its home."""
    home = tmp_path_factory.mktemp("stages")
    folder = home / STAGE
    (folder / "exercises").mkdir(parents=True)
    for name, source in EXERCISES.items():
        (folder / "exercises" / f"{name}.py").write_text(f'"""An exercise."""\n\n{HEAD}{source}')
    (folder / f"{STAGE}.py").write_text(SOURCE)
    notebook = notebooks.build_learner(folder, load_stage(folder))
    notebooks.write_notebook(notebook, notebooks.notebook_file(folder))
    return folder


@pytest.fixture(scope="session")
def room(exam_stages):
    # The variable must be gone again before tests of the real stages look for them.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STAGES_VARIABLE, str(exam_stages.parent))
        opened = Room(STAGE, limits=LIMITS)
    with opened:
        yield opened


@pytest.fixture(scope="session")
def exam(room, exam_stages):
    """Return helpers: `notebook()` a starter as dict, `sit(answers, ...)` its result, `points(...)`."""
    folder = exam_stages
    exercises = load_stage(folder)
    seed = seeds.exam_seed(b"s" * 32, "ada", STAGE, 1)

    def notebook(answers=None, extras=()):
        """A submission; extras are (after cell id, source) pairs."""
        built = json.loads(notebooks.to_text(notebooks.build_learner(folder, exercises)))
        for cell in built["cells"]:
            name = cell["metadata"].get("answer")
            if name in (answers or {}):
                cell["source"] = answers[name]
        for after, source in extras:
            place = next(i for i, cell in enumerate(built["cells"]) if cell["id"] == after) + 1
            extra = {"cell_type": "code", "id": f"own-{place}", "metadata": {}, "outputs": []}
            built["cells"].insert(place, extra | {"execution_count": None, "source": source})
        return built

    def sit(answers=None, extras=(), submission=None):
        if submission is None:
            submission = notebook(answers, extras)
        if not isinstance(submission, bytes):
            submission = json.dumps(submission).encode()
        return room.sit(submission, seed)

    def points(*arguments, **options):
        return {name: verdict["points"] for name, verdict in sit(*arguments, **options).verdicts.items()}

    return SimpleNamespace(notebook=notebook, sit=sit, points=points, right=RIGHT, seed=seed, room=room)
