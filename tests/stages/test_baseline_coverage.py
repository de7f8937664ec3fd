"""The metrics exercises: intervals cover, the scorecard agrees with scikit-learn and with simulated hours."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from autograder.exercise import CORRECT, NOT_ATTEMPTED
from autograder.judging import judge
from autograder.plain import round_trip
from autograder.stage import load_exercise, stage_folder
from course import scenario

FOLDER = stage_folder("02_data_metrics") / "exercises"
BASELINE, SCORECARD, HIERARCHY = (
    load_exercise(FOLDER / f"{name}.py") for name in ("baseline", "scorecard", "hierarchy")
)
CARDS = [SCORECARD.reference, *SCORECARD.right]
INTERVALS = [BASELINE.reference[0], *(pair[0] for pair in BASELINE.right)]
FIELD = (scenario.ANGRY_VISITS, float(scenario.VISITS_AN_HOUR), scenario.FALSE_ALARMS_AN_HOUR)


def _coverage(interval, situation, seeds):
    """Return the share of intervals that hold the truth, over many draws of cases."""
    held = tries = 0
    for seed in seeds:
        case = list(BASELINE.cases(np.random.default_rng(seed)))[situation]
        reruns, truth = case.hidden
        bounds = np.array([interval(*rerun) for rerun in reruns])
        held += ((bounds[:, 0] <= truth) & (truth <= bounds[:, 1])).sum()
        tries += len(reruns)
    return held / tries


@pytest.mark.parametrize("interval", INTERVALS)
def test_intervals_by_person_cover_and_those_over_frames_do_not(interval):
    assert 0.84 < _coverage(interval, 0, range(4)) < 0.98


def test_an_interval_over_frames_covers_half_as_often():
    over_frames = next(m.answer[0] for m in BASELINE.mistakes if m.name == "bootstrap over frames")
    assert _coverage(over_frames, 0, range(4)) < 0.6
    assert _coverage(over_frames, 1, range(4)) > 0.88, "with one face a person it is right"


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (0.6, 0.75)])
@pytest.mark.parametrize("seed", range(2))
def test_an_interval_that_ignores_the_faces_fails_both_situations(bounds, seed):
    _, ladder = BASELINE.reference
    said = judge(BASELINE, (lambda values, person: bounds, ladder), seed).sentence
    assert "the interval, when one person has many faces" in said.split("Not yet")[1]


@pytest.mark.parametrize("times", [1.3, 1.6, 1.7, 1.9])
def test_no_multiple_of_the_spread_is_right_in_both_situations(times):
    def scaled(values, person):
        reach = times * values.std() / np.sqrt(len(np.unique(person)))
        return values.mean() - reach, values.mean() + reach

    verdict = judge(BASELINE, (scaled, BASELINE.reference[1]), 0)
    assert verdict.points < BASELINE.points
    assert "times as wide as 95 % needs" in verdict.sentence or "hold the truth" in verdict.sentence


@pytest.mark.parametrize(("line", "from_line"), [("heuristic", "prior"), ("linear", "human")])
@pytest.mark.parametrize("seed", range(2))
def test_a_line_of_the_ladder_that_is_copied_from_another_one_is_found_out(line, from_line, seed):
    interval, ladder = BASELINE.reference

    def copied(train, test, missed, needless):
        lines = ladder(train, test, missed, needless)
        lines.loc[line] = lines.loc[from_line]
        return lines

    verdict = judge(BASELINE, (interval, copied), seed)
    rule = "the heuristic" if line == "heuristic" else "the linear rule"
    assert f"what {rule} costs" in verdict.sentence.split("Not yet")[1]


@pytest.mark.parametrize("times", [1.0, 1.3, 1.5, 1.8])
def test_intervals_over_faces_are_found_out_in_the_ladder_however_they_are_scaled(times):
    interval, ladder = BASELINE.reference
    over_faces = next(m.answer[0] for m in BASELINE.mistakes if m.name == "bootstrap over frames")

    def scaled(train, test, missed, needless):
        lines = ladder(train, test, missed, needless)
        for name, acts in {"constant": False, "human": test["vote_0"]}.items():
            costs = np.where(test["angry"], missed * ~np.bool_(acts), needless * np.bool_(acts))
            low, high = over_faces(costs, test["person"].to_numpy())
            reach = times * (high - low) / 2
            lines.loc[name, ["low", "high"]] = costs.mean() - reach, costs.mean() + reach
        if lines["score"]["prior"] == lines["score"]["constant"]:
            lines.loc["prior"] = lines.loc["constant"]
        return lines

    verdict = judge(BASELINE, (interval, scaled), 1)
    assert "an interval around each line" in verdict.sentence.split("Not yet")[1]


def test_the_long_run_mean_is_the_mean_over_many_faces():
    for case in list(BASELINE.cases(np.random.default_rng(3)))[:2]:
        reruns, truth = case.hidden
        off = [rerun[0].mean() - true for rerun, true in zip(reruns, truth, strict=True)]
        assert np.mean(off) == pytest.approx(0, abs=4 * np.std(off) / np.sqrt(len(off)))


def _unwritten(*inputs):
    return None


def test_each_function_earns_its_points_while_the_other_is_not_written():
    interval, ladder = BASELINE.reference
    earned = [judge(BASELINE, pair, 0).points for pair in ((interval, _unwritten), (_unwritten, ladder))]
    assert min(earned) >= 1
    assert sum(earned) == BASELINE.points
    assert judge(BASELINE, (_unwritten, _unwritten), 0).word == NOT_ATTEMPTED


@pytest.mark.parametrize("seed", range(2))
def test_a_threshold_that_is_chosen_on_the_test_is_found_out(seed):
    interval, ladder = BASELINE.reference

    def heuristic_peeks(train, test, missed, needless):
        lines = ladder(train, test, missed, needless)
        return pd.concat([lines.drop("heuristic"), ladder(test, test, missed, needless).loc[["heuristic"]]])

    assert judge(BASELINE, (interval, heuristic_peeks), seed).mistakes == ("chosen on the test",)


@pytest.mark.parametrize("voter", ["vote_2", "angry"])
def test_only_the_annotator_who_was_held_out_is_the_person(voter):
    interval, ladder = BASELINE.reference

    def another_person(train, test, missed, needless):
        return ladder(train, test.assign(vote_0=test[voter]), missed, needless)

    named = "a crowd for a person" if voter == "angry" else "own vote inside the majority"
    assert judge(BASELINE, (interval, another_person), 1).mistakes == (named,)


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("seed", range(5))
def test_the_scorecard_gives_scikit_learns_values(card, seed):
    rng = np.random.default_rng(seed)
    angry = rng.random(150) < 0.3
    scores = np.round(rng.beta(np.where(angry, 4, 2), 3), 1 + seed % 2)
    got, called = card(scores, angry, 0.5, *FIELD), scores >= 0.5
    assert got["precision"] == pytest.approx(metrics.precision_score(angry, called))
    assert got["recall"] == pytest.approx(metrics.recall_score(angry, called))
    assert got["f1"] == pytest.approx(metrics.f1_score(angry, called))
    assert got["average_precision"] == pytest.approx(metrics.average_precision_score(angry, scores))
    assert got["auroc"] == pytest.approx(metrics.roc_auc_score(angry, scores))
    assert got["brier"] == pytest.approx(metrics.brier_score_loss(angry, scores))


@pytest.mark.parametrize("card", CARDS)
def test_corner_cases_of_the_scorecard_are_scikit_learns_zeros(card):
    scores = np.array([0.2, 0.4, 0.4, 0.7])
    nobody = card(scores, np.array([True, False, True, False]), 0.9, *FIELD)
    for name in ("precision", "recall", "f1", "field_precision", "false_an_hour"):
        assert nobody[name] == 0, name
    calm = card(scores, np.zeros(4, bool), 0.3, *FIELD)
    assert np.isnan(calm["auroc"])
    for name in ("recall", "precision", "f1", "average_precision", "best_recall"):
        assert calm[name] == 0, name
    all_equal = card(np.full(4, 0.5), np.array([True, False, True, False]), 0.5, *FIELD)
    assert (all_equal["auroc"], all_equal["average_precision"], all_equal["precision"]) == (0.5,) * 3


def test_the_fields_figures_are_what_simulated_hours_bring():
    rng = np.random.default_rng(8)
    angry = np.repeat([True, False], [200, 200])
    scores = np.round(1 / (1 + np.exp(-rng.normal(np.where(angry, 1.5, -1.5), 1.2))), 3)
    hours = 8000
    visits = hours * scenario.VISITS_AN_HOUR
    is_angry = rng.random(visits) < scenario.ANGRY_VISITS
    shown = np.where(is_angry, rng.choice(scores[angry], visits), rng.choice(scores[~angry], visits))
    called = shown >= 0.6
    # The lowest bearable threshold, found from the simulated hours, with the recall that it has there.
    most = np.sort(shown[~is_angry])[-int(scenario.FALSE_ALARMS_AN_HOUR * hours)]
    for card in CARDS:
        got = card(scores, angry, 0.6, *FIELD)
        assert (called & ~is_angry).sum() / hours == pytest.approx(got["false_an_hour"], rel=0.03)
        assert is_angry[called].mean() == pytest.approx(got["field_precision"], rel=0.03)
        assert (shown[is_angry] > most).mean() == pytest.approx(got["best_recall"], abs=0.02)


def test_choosing_without_looking_earns_little():
    rng = np.random.default_rng(0)
    blind = {
        "always none": lambda candidates, groups, limits: "none",
        "the first": lambda candidates, groups, limits: candidates.index[0],
        "any": lambda candidates, groups, limits: str(rng.choice([*candidates.index, "none"])),
    }
    for name, choose in blind.items():
        verdict = judge(HIERARCHY, (choose,), 0)
        assert verdict.points <= HIERARCHY.points / 4, name


def test_candidates_carry_no_truth_and_none_is_sometimes_best():
    for case in HIERARCHY.cases(np.random.default_rng(0)):
        assert case.inputs == ()
        for candidates, groups, true in case.hidden:
            assert not {"broken", "role"} & {*candidates, *groups}
            chosen = HIERARCHY.reference(candidates, groups, _limits())
            assert (chosen == "none") == (case.about == "no one should go")
            assert chosen == "none" or not true.loc[chosen, "broken"]


def test_a_group_that_nobody_measured_has_not_passed():
    about = "nobody measured a group"
    (case,) = (one for one in HIERARCHY.cases(np.random.default_rng(1)) if one.about == about)
    for candidates, groups, _ in case.hidden:
        unmeasured = groups["candidate"][groups["ratio"].isna()]
        assert len(unmeasured)
        assert HIERARCHY.reference(candidates, groups, _limits()) not in set(unmeasured)


def _limits():
    return {
        "ratio": scenario.LOW_BROW_RATIO,
        "recall": 0.6,
        "p99_ms": float(scenario.REACTION_MS),
        "none": scenario.cost_of_doing_nothing(),
    }


@pytest.mark.parametrize("exercise", [BASELINE, SCORECARD, HIERARCHY])
def test_what_goes_in_and_comes_out_is_plain_data(exercise):
    def through_the_wall(answer):
        return lambda *inputs: round_trip(answer(*map(round_trip, inputs)))

    assert judge(exercise, tuple(map(through_the_wall, exercise.references)), 7).word == CORRECT
