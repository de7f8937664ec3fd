"""Agreement: the reference gives published values, and what a reference library gives."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import fleiss_kappa

from autograder.stage import load_exercise, stage_folder

EXERCISE = load_exercise(stage_folder("02_data_metrics") / "exercises" / "agreement.py")
ANSWERS = [EXERCISE.reference, *EXERCISE.right]


@pytest.mark.parametrize("answer", ANSWERS)
def test_krippendorffs_own_example_gives_his_value(answer):
    # Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section C: nominal alpha 0.743.
    gap = np.nan
    votes = pd.DataFrame(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, gap, gap, gap],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, gap, 3],
            [gap, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, gap],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, gap],
        ]
    ).T
    assert answer(votes.rename_axis("face")) == pytest.approx(0.743, abs=0.0005)


def test_without_gaps_alpha_is_fleiss_kappa_but_for_a_small_sample_term():
    rng = np.random.default_rng(5)
    votes = pd.DataFrame(rng.choice(["angry", "calm"], size=(40, 5), p=[0.3, 0.7]))
    angry = (votes == "angry").sum(axis=1)
    kappa = fleiss_kappa(np.column_stack([angry, 5 - angry]))
    n_votes = votes.size
    expected = 1 - (1 - kappa) * (n_votes - 1) / n_votes
    assert EXERCISE.reference(votes) == pytest.approx(expected)
