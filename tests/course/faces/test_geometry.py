import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from course.faces import ACTION_UNITS, landmarks, measures, sample_faces

FACTS = json.loads((Path(__file__).parents[3] / "benchmarks" / "realism_facts.json").read_text())["geometry"]
KINDS = {"anger": ("anger_closed", "anger_open")} | {
    name: (name,) for name in ("neutral", "happiness", "surprise", "sadness", "disgust", "fear", "contempt")
}


def sample(names: tuple[str, ...], n: int = 1500, seed: int = 5, **options: object) -> pd.DataFrame:
    mix = [names[row % len(names)] for row in range(n)]
    return sample_faces(np.random.default_rng(seed), n, mix=mix, **options)


@pytest.fixture(scope="module")
def resting() -> pd.DataFrame:
    return sample(("neutral",), 200).assign(**dict.fromkeys([*ACTION_UNITS, "laterality"], 0.0))


@pytest.mark.parametrize("kind", KINDS)
def test_median_measures_lie_inside_the_quartiles_of_photographs(kind):
    medians = measures(sample(KINDS[kind], intensity=0.85)).median()
    outside = {
        name: (round(medians[name], 3), low, high)
        for name, (low, high) in FACTS[kind].items()
        if not low <= medians[name] <= high
    }
    assert not outside


@pytest.mark.parametrize("kind", ["anger_closed", "anger_open"])
def test_anger_lowers_the_inner_brows_towards_the_eyes(kind):
    angry, calm = (measures(sample((name,), intensity=0.8)).median() for name in (kind, "neutral"))
    assert angry["brow_eye_inner"] < calm["brow_eye_inner"] - 0.05
    assert angry["brow_eye_outer"] > calm["brow_eye_outer"] - 0.03


def test_resting_low_brows_sit_where_neutral_faces_with_anger_votes_have_them():
    resting = sample(("neutral",), 6000)
    low = measures(resting[resting["brow_height"] < -1.2]).median()
    quartiles = FACTS["neutral_with_2-4_anger_votes"]
    for name in ("brow_eye_inner", "brow_eye_mid", "mouth_width", "mouth_open_inner"):
        assert quartiles[name][0] <= low[name] <= quartiles[name][1], name


@pytest.mark.parametrize(
    ("unit", "measure", "direction"),
    [
        ("AU01", "brow_eye_inner", 1),
        ("AU02", "brow_eye_mid", 1),
        ("AU04", "brow_eye_inner", -1),
        ("AU05", "eye_open", 1),
        ("AU06", "eye_open", -1),
        ("AU07", "eye_open", -1),
        ("AU09", "upper_lip_nose", -1),
        ("AU10", "upper_lip_nose", -1),
        ("AU12", "mouth_width", 1),
        ("AU12", "corner_height(+up)", 1),
        ("AU15", "corner_height(+up)", -1),
        ("AU17", "chin_mouth", -1),
        ("AU20", "mouth_width", 1),
        ("AU22", "mouth_width", -1),
        ("AU23", "lip_total_h", -1),
        ("AU24", "lip_total_h", -1),
        ("AU25", "mouth_open_inner", 1),
        ("AU26", "mouth_open_inner", 1),
        ("AU27", "mouth_open_inner", 1),
        ("AU38", "nose_width", 1),
        ("AU43", "eye_open", -1),
    ],
)
def test_an_action_unit_moves_what_it_should_on_every_face(resting, unit, measure, direction):
    moved = measures(resting.assign(**{unit: 1.0}))[measure] - measures(resting)[measure]
    assert (direction * moved > 0.002).all()


def test_the_stronger_the_unit_the_farther_the_brow(resting):
    heights = [measures(resting.assign(AU04=level))["brow_eye_inner"].median() for level in (0, 0.5, 1)]
    assert heights[0] > heights[1] > heights[2]


def test_laterality_pulls_one_corner_higher_than_the_other(resting):
    marks = landmarks(resting.assign(AU12=1.0, laterality=1.0, asymmetry=0.0))
    left, right = marks["corner_y"].T
    assert (right < left - 0.05).all()


def test_lips_never_cross_and_the_mouth_stays_on_the_face():
    faces = sample(("anger_open", "surprise", "shouting", "speaking", "disgust", "happiness"), 3000)
    marks = landmarks(faces)
    assert (marks["lower_inner_y"] > marks["upper_inner_y"]).all()
    assert (marks["upper_top_y"] < marks["upper_inner_y"]).all()
    assert (marks["upper_top_y"] > marks["nose_base_y"]).mean() > 0.99
    assert (marks["chin_y"] > marks["lower_bottom_y"]).all()


def test_brows_stay_above_the_eyes_however_hard_the_frown():
    extreme = sample(("anger_closed",), 2000, intensity=1.0).assign(AU04=1.0, AU09=1.0)
    assert (measures(extreme)["brow_eye_inner"] > 0.1).all()


def test_a_missing_column_is_named(resting):
    with pytest.raises(
        ValueError, match=r"^faces lacks the column 'AU12'; accepted are tables made by sample_faces\.$"
    ):
        landmarks(resting.drop(columns="AU12"))
