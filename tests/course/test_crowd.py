"""The simulated crowd: calibrated to FER+, moved by what should move it and by nothing else."""

import time

import numpy as np
import pandas as pd
import pytest

from benchmarks import crowd as benchmark
from course import crowd
from course.faces import sample_faces


def rates(faces, guideline="v1", annotators=None, seed=0, word="angry"):
    """Share of ten votes on each face that say `word`."""
    rng = np.random.default_rng(seed)
    annotators = crowd.sample_annotators(rng, 40) if annotators is None else annotators
    votes = crowd.vote(rng, faces, annotators, 10, guideline)
    return (votes["vote"] == word).to_numpy().reshape(-1, 10).mean(axis=1)


@pytest.fixture(scope="module")
def natural():
    return sample_faces(np.random.default_rng(0), 8000)


@pytest.fixture(scope="module")
def angry():
    mix = {"anger_closed": 1, "anger_open": 1}
    faces = sample_faces(np.random.default_rng(1), 1500, mix=mix, intensity=0.7)
    return faces.assign(occlusion="none")


def test_plain_crowd_votes_like_ferplus():
    # Single crowds, 20 seeds: no figure was further off than 14 %; the benchmark averages four.
    missed = [figure.name for figure in benchmark.figures() if figure.met is False]
    assert missed == []


def test_votes_on_one_face_resemble_one_another_beyond_what_it_shows(natural):
    # Twelve faces, each looked at as 600 pictures. Were votes independent the ratio would be 1.00 with a
    # standard error of 0.02; on faces that nearly all call angry there is little room for more.
    got = independent = 0.0
    for _, face in natural[natural["expression"] == "anger_open"].head(12).iterrows():
        same_look = pd.DataFrame([face] * 600).assign(face=np.arange(600), seed=np.arange(600))
        share = rates(same_look.astype(natural.dtypes))
        got += share.var()
        independent += share.mean() * (1 - share.mean()) / 10
    assert got > 1.2 * independent


def test_ambiguity_of_a_picture_stays_when_it_is_asked_about_again(natural):
    faces = natural[natural["expression"].str.startswith("anger")]
    first, second = rates(faces, seed=1), rates(faces, seed=2)
    assert np.corrcoef(first, second)[0, 1] > 0.7
    other_seeds = faces.assign(seed=faces["seed"] + 1)
    assert np.corrcoef(first, rates(other_seeds))[0, 1] < np.corrcoef(first, second)[0, 1] - 0.05


def test_stronger_anger_gets_more_angry_votes():
    faces = [
        sample_faces(np.random.default_rng(2), 300, mix={"anger_closed": 1}, intensity=level)
        for level in (0.2, 0.5, 0.9)
    ]
    weak, middle, strong = (rates(table).mean() for table in faces)
    assert weak + 0.1 < middle < strong - 0.1


@pytest.mark.parametrize(
    "change",
    [{"occlusion": "mask"}, {"occlusion": "hand"}, {"blur": 3.0}, {"resolution": 17.0}],
)
def test_hiding_the_face_hides_anger(angry, change):
    assert rates(angry.assign(**change)).mean() < rates(angry).mean() - 0.1


def test_illegible_pictures_make_annotators_unsure(angry):
    illegible = angry.assign(resolution=14.0, noise=35.0)
    assert rates(illegible, word="unsure").mean() > rates(angry, word="unsure").mean() + 0.3


def test_low_resting_brow_is_read_as_anger_without_any_expression():
    faces = sample_faces(np.random.default_rng(3), 3000, mix={"neutral": 1})
    low, high = (rates(faces.assign(brow_height=height)).mean() for height in (-1.8, 1.8))
    assert low > 2 * high


@pytest.mark.parametrize("kind", ["concentrating", "squinting", "shouting"])
def test_guideline_v2_reduces_confusable_errors(kind):
    faces = sample_faces(np.random.default_rng(4), 1500, mix={kind: 1})
    assert rates(faces, "v2").mean() < 0.75 * rates(faces, "v1").mean()


def test_guideline_v2_spares_low_brows_keeps_anger_and_raises_agreement(natural, angry):
    neutral = natural[(natural["expression"] == "neutral")].assign(brow_height=-1.8)
    assert rates(neutral, "v2").mean() < 0.5 * rates(neutral, "v1").mean()
    assert rates(angry, "v2").mean() > 0.9 * rates(angry, "v1").mean()
    votes = {
        guideline: crowd.vote(
            np.random.default_rng(5),
            natural,
            crowd.sample_annotators(np.random.default_rng(6), 40),
            guideline=guideline,
        )
        for guideline in ("v1", "v2")
    }
    kappa = {name: benchmark.fleiss_kappa(benchmark.anger_matrix(v)) for name, v in votes.items()}
    assert kappa["v2"] > kappa["v1"] + 0.03


def test_guideline_v2_is_unsure_of_a_scowl_over_a_hidden_mouth(angry):
    masked = angry.assign(occlusion="mask")
    assert rates(masked, "v2", word="unsure").mean() > 0.35
    assert rates(masked, "v1", word="unsure").mean() < 0.15


def test_spammers_vote_without_looking(natural):
    spammers = crowd.sample_annotators(np.random.default_rng(7), 20, spam=1.0)
    share = rates(natural, annotators=spammers)
    angry_face = natural["expression"].str.startswith("anger").to_numpy()
    assert abs(share[angry_face].mean() - share[~angry_face].mean()) < 0.02
    assert abs(share.mean() - spammers["spam_angry"].mean()) < 0.02


def test_bias_moves_an_annotators_threshold(natural):
    annotators = crowd.sample_annotators(np.random.default_rng(8), 20).assign(bias=0.0)
    eager = rates(natural, annotators=annotators.assign(bias=1.0)).mean()
    slow = rates(natural, annotators=annotators.assign(bias=-1.0)).mean()
    assert eager > 1.5 * slow


def test_a_clear_rule_narrows_personal_thresholds(natural):
    annotators = crowd.sample_annotators(np.random.default_rng(8), 20).assign(bias=0.0)
    ratio = {
        guideline: rates(natural, guideline, annotators.assign(bias=1.0)).mean()
        / rates(natural, guideline, annotators.assign(bias=-1.0)).mean()
        for guideline in ("v1", "v2")
    }
    assert ratio["v2"] < 0.75 * ratio["v1"]


def test_fatigue_grows_with_the_items_done(natural):
    rng = np.random.default_rng(9)
    annotators = crowd.sample_annotators(rng, 10, bias_spread=0.0).assign(fatigue=0.8)
    votes = crowd.vote(rng, natural, annotators, 5)
    calm = natural["face"][crowd.perceived_rate(natural) < 0.01]
    votes = votes[votes["face"].isin(calm)]
    wrong = (votes["vote"] == "angry").groupby(votes["order"] > 600).mean()
    assert wrong[True] > 3 * wrong[False] + 0.01


def test_order_counts_each_annotators_own_items(natural):
    annotators = crowd.sample_annotators(np.random.default_rng(10), 12)
    votes = crowd.vote(np.random.default_rng(11), natural.head(300), annotators, 4)
    for _, own in votes.groupby("annotator"):
        assert own["order"].tolist() == list(range(len(own)))


def test_nobody_votes_twice_on_a_face_and_counts_may_differ():
    faces = sample_faces(np.random.default_rng(12), 200)
    annotators = crowd.sample_annotators(np.random.default_rng(12), 9)
    wanted = np.random.default_rng(13).integers(0, 10, 200)
    votes = crowd.vote(np.random.default_rng(14), faces, annotators, wanted)
    assert not votes.duplicated(["face", "annotator"]).any()
    counts = votes["face"].value_counts().reindex(faces["face"], fill_value=0)
    assert counts.tolist() == wanted.tolist()


def test_same_seed_same_votes(natural):
    def draw():
        rng = np.random.default_rng(15)
        return crowd.vote(rng, natural.head(500), crowd.sample_annotators(rng, 20, spam=0.2))

    pd.testing.assert_frame_equal(draw(), draw())


def test_votes_do_not_depend_on_the_name_of_the_expression(natural):
    faces = natural.head(500)
    blind = faces.assign(expression="neutral", intensity=0.0, person=0)
    assert (rates(faces) == rates(blind)).all()


def test_perceived_rate_is_what_a_crowd_votes(natural):
    annotators = crowd.sample_annotators(np.random.default_rng(16), 40, fatigue=0.0, spam=0.1)
    expected = crowd.perceived_rate(natural, annotators)
    assert abs(rates(natural, annotators=annotators).mean() - expected.mean()) < 0.006


@pytest.mark.parametrize("context", crowd.CONTEXTS)
def test_one_anger_episode_in_three_shows_a_scowl(context):
    # 80,000 faces: 800 or more episodes, so the standard error of the share is at most .017.
    faces = sample_faces(np.random.default_rng(17), 8000)
    faces = pd.concat([faces] * 10, ignore_index=True)
    felt = crowd.sample_felt(np.random.default_rng(18), faces, context)
    assert abs(crowd.shows_scowl(faces)[felt].mean() - 0.33) < 0.05


def test_what_a_scowl_says_depends_on_the_context(natural):
    scowls = natural[crowd.shows_scowl(natural)]
    scowls = pd.concat([scowls] * 5, ignore_index=True)
    share = {
        context: crowd.sample_felt(np.random.default_rng(19), scowls, context).mean()
        for context in crowd.CONTEXTS
    }
    assert share["reading_room"] < 0.08
    assert share["lobby"] < 0.3
    assert share["complaint_desk"] > 0.5


def test_more_votes_on_the_picture_say_no_more_about_the_feeling(natural):
    scowls = natural[crowd.shows_scowl(natural)]
    share = rates(scowls)
    felt = crowd.sample_felt(np.random.default_rng(20), scowls, "lobby")
    assert felt[share >= 0.8].mean() < 0.35
    assert abs(felt[share >= 0.6].mean() - felt[share <= 0.4].mean()) < 0.12


def test_contexts_may_differ_from_face_to_face(natural):
    where = np.where(np.arange(len(natural)) % 2, "lobby", "complaint_desk")
    felt = crowd.sample_felt(np.random.default_rng(21), natural, where)
    assert felt[where == "complaint_desk"].mean() > 2 * felt[where == "lobby"].mean()


def test_twenty_thousand_faces_take_about_a_second():
    faces = sample_faces(np.random.default_rng(22), 2000)
    faces = pd.concat([faces] * 10, ignore_index=True)
    annotators = crowd.sample_annotators(np.random.default_rng(23), 60)
    started = time.process_time()
    votes = crowd.vote(np.random.default_rng(24), faces, annotators)
    assert len(votes) == 200_000
    assert time.process_time() - started < 1.5


def test_no_faces_no_votes():
    faces = sample_faces(np.random.default_rng(25), 0)
    votes = crowd.vote(np.random.default_rng(0), faces, crowd.sample_annotators(np.random.default_rng(0), 10))
    assert len(votes) == 0
    assert list(votes) == ["face", "annotator", "vote", "guideline", "order"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda rng, f, a: crowd.vote(rng, f, a, 50), ["votes_per_face", "50", "0 to 12"]),
        (lambda rng, f, a: crowd.vote(rng, f, a, -1), ["votes_per_face", "-1"]),
        (lambda rng, f, a: crowd.vote(rng, f, a, 2.5), ["votes_per_face", "2.5", "whole"]),
        (lambda rng, f, a: crowd.vote(rng, f, a, 3, "v9"), ["guideline", "v9", "v1, v2"]),
        (lambda rng, f, a: crowd.vote(rng, f, f, 3), ["annotators", "'annotator'"]),
        (lambda rng, f, a: crowd.vote(rng, f.drop(columns="AU04"), a, 3), ["faces", "AU04"]),
        (
            lambda rng, f, a: crowd.vote(rng, f.assign(occlusion="veil"), a, 3),
            ["occlusion", "veil", "mask"],
        ),
        (lambda rng, f, a: crowd.sample_felt(rng, f, "moon"), ["context", "moon", "lobby"]),
        (lambda rng, f, a: crowd.sample_felt(rng, f, ["lobby"]), ["context", "1", "8"]),
        (lambda rng, f, a: crowd.sample_annotators(rng, 0), ["n is 0", "1 or more"]),
        (lambda rng, f, a: crowd.sample_annotators(rng, 5, spam=2), ["spam", "2", "0 to 1"]),
    ],
)
def test_errors_name_the_argument_the_value_and_what_is_accepted(call, words):
    rng = np.random.default_rng(26)
    faces, annotators = sample_faces(rng, 8), crowd.sample_annotators(rng, 12)
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are checked below
        call(rng, faces, annotators)
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message
