"""The check of the lies computes what scikit-learn computes, at the threshold that really costs least."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score

from autograder import Unreadable
from autograder.judging import judge
from autograder.stage import load_exercise, stage_folder

EXERCISE = load_exercise(stage_folder("02_data_metrics") / "exercises" / "liars.py")
LIARS = sys.modules[EXERCISE.reference.__module__]
PRICES = {"missed": 3.1, "needless": 0.23}


@pytest.fixture(params=range(4))
def frames(request):
    """Three frames a visit with coarse scores, so that many are tied."""
    rng = np.random.default_rng(request.param)
    visit = np.repeat(np.arange(600), 3)
    angry = (rng.random(600) < 0.15)[visit] & (rng.random(visit.size) < 0.7)
    angry[0] = True
    score = np.clip(0.5 * angry + rng.normal(0.3, 0.2, visit.size), 0, 1).round(1)
    site = rng.choice(["airport", "hotel", "museum"], 600, p=[0.7, 0.2, 0.1])[visit]
    return pd.DataFrame({"visit": visit, "site": site, "angry": angry, "favourite": score, "cheaper": score})


def test_metrics_are_those_of_scikit_learn(frames):
    visits = frames.groupby("visit").agg({"angry": "max", "favourite": "max", "site": "first"})
    angry = visits["angry"].to_numpy()
    threshold, _ = LIARS._cheapest(visits["favourite"].to_numpy(), angry, PRICES)
    calls = visits["favourite"] >= threshold
    by_site = visits.assign(calls=calls).groupby("site")[["angry", "calls"]]
    wanted = {
        "accuracy": accuracy_score(angry, calls),
        "F1": f1_score(angry, calls),
        "AUROC": roc_auc_score(angry, visits["favourite"]),
        "mean over sites": by_site.apply(lambda of: recall_score(of["angry"], of["calls"])).mean(),
        "frame recall": recall_score(frames["angry"], frames["favourite"] >= threshold),
    }
    assert wanted.keys() == set(LIARS.METRICS)
    for metric, value in wanted.items():
        got = LIARS._judged(frames, metric, angry.mean(), PRICES)["favourite"]
        assert got == pytest.approx(value), metric


def test_no_threshold_costs_less_than_the_one_that_is_used(frames):
    score, angry = frames["favourite"].to_numpy(), frames["angry"].to_numpy()
    threshold, cost = LIARS._cheapest(score, angry, PRICES)

    def euros(at):
        calls = score >= at
        return PRICES["missed"] * (angry & ~calls).sum() + PRICES["needless"] * (~angry & calls).sum()

    assert cost == pytest.approx(euros(threshold))
    assert cost == pytest.approx(min(euros(at) for at in [*np.unique(score), np.inf]))


@pytest.mark.parametrize("column", ["favourite", "cheaper"])
def test_the_verdict_names_the_detector_that_is_worth_nothing(column):
    def answer(metric, prevalence, prices):
        return EXERCISE.reference(metric, prevalence, prices).assign(**{column: 0.0})

    verdict = judge(EXERCISE, (answer,), 0)
    assert f"Your `{column}` is worth nothing" in verdict.sentence


def test_rows_of_no_visit_make_no_lie():
    table = EXERCISE.reference("frame recall", 0.015, PRICES)
    stray = table.tail(500).assign(visit=np.nan, angry=True, favourite=1.0, cheaper=0.0)
    with pytest.raises(Unreadable, match="`visit` must hold a number"):
        LIARS._read(pd.concat([table, stray]))
