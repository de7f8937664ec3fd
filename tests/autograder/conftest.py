"""A small stage, whole: one exercise, one text source."""

from pathlib import Path

import pytest

EXERCISE = '''
"""The mean of what was measured."""

import numpy as np

from autograder import Case, Exercise, Mistake

OFFSET = 1.0


def mean(values):
    """Return the mean of a float array, leaving out NaN."""
    return float(np.nanmean(values))


def cases(rng):
    """Arrays with and without gaps."""
    yield Case((rng.normal(5, 1, size=20),), about="whole arrays")
    gaps = rng.normal(5, 1, size=20)
    gaps[:5] = np.nan
    yield Case((gaps,), about="arrays with gaps")


def _shifted(values):
    return mean(values) + OFFSET


def _zeros(values):
    return float(np.nan_to_num(values).mean())


def _median(values):
    return float(np.nanmedian(values))


exercise = Exercise(
    title="Mean",
    questions=("2.1",),
    points=4,
    reference=mean,
    cases=cases,
    right=(lambda v: float(np.nansum(v) / (~np.isnan(v)).sum()), lambda v: float(v[v == v].mean())),
    mistakes=(
        Mistake("gaps as zeros", _zeros, "Gaps count as zeros.", "What was measured in a gap?"),
        Mistake("shifted", _shifted, "It is one too high.", "What is the mean of equal numbers?"),
        Mistake("median", _median, "It is the median.", "What if one value is huge?"),
    ),
    hints=("Which values count?", "`np.nanmean`"),
    returns="one number",
)
'''

SOURCE = """# %% [markdown]
# # A small stage

# %%
from autograder import Stage
import numpy as np

stage = Stage("01_small")

# %% demo=true
print(np.arange(3))

# %% answer="mean"

# %% check="mean"
stage.check("mean", mean)
"""


@pytest.fixture
def small_stage(tmp_path: Path) -> Path:
    """Write a stage of one exercise and return its folder."""
    folder = tmp_path / "01_small"
    (folder / "exercises").mkdir(parents=True)
    (folder / "exercises" / "mean.py").write_text(EXERCISE)
    (folder / "01_small.py").write_text(SOURCE)
    return folder


@pytest.fixture
def exercises(small_stage):
    from autograder.stage import load_stage

    return load_stage(small_stage)


@pytest.fixture
def mean_exercise(exercises):
    return exercises["mean"]
