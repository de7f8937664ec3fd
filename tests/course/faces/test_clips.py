"""Clips: one person, one place, an expression that rises, holds and falls."""

import numpy as np
import pandas as pd
import pytest

from course.crowd import perceived_rate
from course.faces import ACTION_UNITS, COLUMNS, render, sample_clip, sample_faces
from course.faces.clips import CLIP_COLUMNS
from course.faces.columns import TRAITS

UNITS = list(ACTION_UNITS)
MOVING = ["yaw", "pitch", "roll", "gaze_x", "gaze_y", "frame_x", "frame_y"]
ANGRY = sample_faces(np.random.default_rng(1), 1, mix=["anger_open"], sites="studio", intensity=1.0)
LENGTHS = [(3, 5), (4, 30), (5, 1), (7, 5), (20, 5), (30, 5), (120, 30)]


def clip_of(seed, frames=20, fps=5, face=ANGRY):
    return sample_clip(np.random.default_rng(seed), face, frames, fps)


def test_a_clip_is_a_table_of_faces_with_its_own_columns():
    clip = clip_of(0, 12, 4)
    assert list(clip.columns) == [*COLUMNS, *CLIP_COLUMNS]
    assert clip["frame"].tolist() == clip["face"].tolist() == list(range(12))
    assert clip["time"].diff().dropna().tolist() == pytest.approx([0.25] * 11)
    for name, column in {**COLUMNS, **CLIP_COLUMNS}.items():
        kinds = {"int": "iu", "float": "f", "bool": "b", "str": "OUT"}[column.dtype]
        assert clip[name].dtype.kind in kinds, name


def test_person_and_place_stay_the_same():
    clip = clip_of(2)
    fixed = [name for name in COLUMNS if name not in {"face", "intensity", *UNITS, *MOVING}]
    assert set(fixed) >= {"person", *TRAITS, "seed", "site", "expression"}
    for name in fixed:
        assert (clip[name] == ANGRY[name].iloc[0]).all(), name


@pytest.mark.parametrize(("frames", "fps"), LENGTHS)
def test_the_envelope_starts_at_rest_rises_to_the_apex_and_falls_back(frames, fps):
    for seed in range(40):
        share = clip_of(seed, frames, fps)["envelope"].to_numpy()
        assert share[0] == share[-1] == 0.0
        assert share.max() == 1.0
        top = np.flatnonzero(share == 1.0)
        assert (np.diff(share[: top[0] + 1]) >= 0).all()
        assert (share[top[0] : top[-1] + 1] == 1.0).all()
        assert (np.diff(share[top[-1] :]) <= 0).all()


@pytest.mark.parametrize("frames", [3, 20])
def test_the_apex_reaches_the_faces_own_levels(frames):
    for name in ("anger_closed", "surprise", "contempt", "neutral"):
        face = sample_faces(np.random.default_rng(3), 1, mix=[name])
        clip = clip_of(4, frames, face=face)
        apex = clip[clip["envelope"] == 1.0]
        assert len(apex)
        assert (apex[UNITS].to_numpy() == face[UNITS].to_numpy()).all()
        assert (apex["intensity"] == face["intensity"].iloc[0]).all()
        # No unit ever passes its level at the apex.
        assert (clip[UNITS].to_numpy() <= face[UNITS].to_numpy() + 1e-12).all()


def test_first_and_last_frame_show_a_face_at_rest():
    for seed in range(20):
        ends = clip_of(seed).iloc[[0, -1]]
        assert (ends["intensity"] == 0).all()
        assert ends[UNITS].drop(columns="AU25").to_numpy().max() <= 0.14
        assert (ends["AU25"] < 0.46).all()


def test_onset_and_offset_take_their_seconds_at_any_frame_rate():
    for fps in (5, 25, 60):
        for seed in range(20):
            clip = clip_of(seed, 6 * fps, fps)
            top = np.flatnonzero(clip["envelope"] == 1.0)
            onset = (clip["envelope"][: top[0]] > 0).sum() / fps
            offset = (clip["envelope"][top[-1] :] > 0).sum() / fps
            assert 0.3 - 1 / fps <= onset <= 0.8
            assert 0.4 - 1 / fps <= offset <= 1.2 + 1 / fps


def test_the_head_drifts_little_and_slowly():
    steps, spans = [], []
    for seed in range(20):
        yaw = clip_of(seed, 150, 30)["yaw"]
        spans.append(yaw.max() - yaw.min())
        steps.append(yaw.diff().abs().max())
    assert 0.5 < np.mean(spans) < 5.0
    assert max(steps) < 0.3


def test_drift_stays_in_range_at_the_edge():
    clip = clip_of(5, face=ANGRY.assign(yaw=35.0, frame_x=-0.2))
    assert clip["yaw"].max() <= 35.0
    assert clip["frame_x"].min() >= -0.2
    assert clip["yaw"].nunique() > 3


def test_a_row_and_a_table_of_one_row_give_the_same_clip():
    from_row = clip_of(6, face=ANGRY.iloc[0])
    pd.testing.assert_frame_equal(from_row, clip_of(6), check_dtype=False)
    assert (render(from_row.head(4), 24) == render(clip_of(6).head(4), 24)).all()


def test_the_same_seed_gives_the_same_clip_and_another_another():
    pd.testing.assert_frame_equal(clip_of(7), clip_of(7))
    assert (clip_of(7)["yaw"] != clip_of(8)["yaw"]).any()


def test_anger_is_seen_at_the_apex_and_not_at_the_ends():
    clip = clip_of(9)
    rate = perceived_rate(clip)
    assert rate[clip["envelope"] == 1.0].min() > 0.7
    assert rate[[0, -1]].max() < 0.2
    # And in the pixels: frames at rest are closer to each other than to the apex.
    pictures = render(clip.assign(**{name: ANGRY[name].iloc[0] for name in MOVING}), 48).astype(float)
    at_apex = int(clip["envelope"].argmax())
    apart = np.abs(pictures - pictures[0]).mean(axis=(1, 2))
    assert apart[-1] < 0.2 * apart[at_apex]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frames": 2}, ["frames is 2", "3 or more"]),
        ({"frames": 2.5}, ["frames is 2.5", "whole"]),
        ({"fps": 0}, ["fps is 0", "above 0"]),
        ({"fps": "fast"}, ["fps is 'fast'", "number"]),
        ({"face": ANGRY.head(0)}, ["face has 0 rows", "one face"]),
        ({"face": 3}, ["face is a int"]),
        ({"face": ANGRY.drop(columns="AU04")}, ["AU04"]),
    ],
)
def test_bad_input_is_named_in_one_sentence(change, words):
    with pytest.raises(ValueError, match=words[0]) as caught:
        clip_of(0, **change)
    assert all(word in str(caught.value) for word in words)
