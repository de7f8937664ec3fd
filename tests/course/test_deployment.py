"""The robot at work: the scenario's anchors come out of the simulation; what is written has consequences."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from course import portfolio, scenario
from course.deployment import formulations, month, pilots
from course.deployment.costs import BACK_OFF, CARRY_ON, KEEP_DISTANCE, Costs, decide, tally
from course.deployment.formulations import Setting, Trials
from course.deployment.spec import AFTERWARDS, METRICS, ProblemSpec
from course.deployment.visits import (
    HARD,
    Detector,
    Lobby,
    calm_lobby,
    draw_visits,
    expected,
    hard_actions,
    outside_envelope,
)

GOOD = Detector.from_auc(0.95)
PLAIN = calm_lobby(Lobby())
SPEC = ProblemSpec(
    formulation="clip",
    device="robot",
    window_frames=scenario.WINDOW_FRAMES,
    multiply_adds=scenario.MULTIPLY_ADDS,
    weight_bytes=scenario.WEIGHT_BYTES,
    reaction_ms=scenario.REACTION_MS,
    keep_distance_from=scenario.KEEP_DISTANCE_FROM,
    back_off_from=scenario.BACK_OFF_FROM,
    outside_envelope="carry on",
    staff="excluded",
    low_brow_ratio=scenario.LOW_BROW_RATIO,
    success_metric="euros an hour",
    success_bar=3.6,
)
NEVER = 1.1


@pytest.fixture(scope="module")
def visits():
    return draw_visits(np.random.default_rng(0))


def euros(keep, back, detector=GOOD, lobby=PLAIN):
    return expected(detector, lobby, keep, back).euros_an_hour


# --- anchors --------------------------------------------------------------------------------------------


def test_doing_nothing_and_always_backing_off_cost_what_the_scenario_says():
    assert euros(NEVER, NEVER) == pytest.approx(scenario.cost_of_doing_nothing()) == pytest.approx(4.80)
    assert euros(0, 0) == pytest.approx(scenario.cost_of_always_backing_off()) == pytest.approx(29.70)


def test_a_good_detector_at_its_best_point_finds_65_percent_for_246_an_hour():
    outcome = expected(GOOD, PLAIN, NEVER, scenario.break_even())
    assert outcome.recall == pytest.approx(0.65, abs=0.005)
    assert outcome.needless_an_hour == pytest.approx(3.1, abs=0.05)
    assert outcome.euros_an_hour == pytest.approx(2.46, abs=0.005)


def test_the_same_detector_at_90_percent_recall_costs_more_than_doing_nothing():
    score = GOOD.distance - 1.2816
    outcome = expected(GOOD, PLAIN, NEVER, float(GOOD.probability(score, PLAIN.angry)))
    assert outcome.recall == pytest.approx(0.9, abs=0.001)
    assert outcome.euros_an_hour == pytest.approx(4.88, abs=0.005)
    assert outcome.euros_an_hour > scenario.cost_of_doing_nothing()


def test_thresholds_follow_from_the_prices():
    assert Costs().thresholds() == (scenario.KEEP_DISTANCE_FROM, scenario.BACK_OFF_FROM) == (0.05, 0.2)
    no_middle = Costs(distance=1.0).thresholds()
    assert no_middle == pytest.approx((scenario.break_even(),) * 2)
    assert no_middle[0] == pytest.approx(0.059, abs=5e-4)


@pytest.mark.parametrize("costs", [Costs(), Costs(distance=0.05), Costs(distance=0.6), Costs(missed=1.0)])
def test_no_other_thresholds_cost_less(costs):
    lobby = replace(PLAIN, costs=costs)
    least = euros(*costs.thresholds(), lobby=lobby)
    grid = np.geomspace(0.004, 1.0, 20)
    assert min(euros(keep, back, lobby=lobby) for keep in grid for back in grid) >= least - 1e-9


def test_the_middle_action_lowers_the_cost():
    assert euros(0.05, 0.2) < euros(NEVER, scenario.break_even())


# --- visits and scores ----------------------------------------------------------------------------------


def test_a_month_is_43200_visits_of_which_one_percent_are_angry(visits):
    assert len(visits) == 30 * scenario.HOURS_A_DAY * scenario.VISITS_AN_HOUR == 43_200
    assert visits["angry"].mean() == pytest.approx(scenario.ANGRY_VISITS, abs=0.0015)
    assert list(visits) == ["day", "hour", "person", "low_brow", "light", "occlusion", "faces", "angry"]
    assert visits["faces"].between(1, scenario.FACES_AT_PEAK).all()
    assert (visits["faces"] == scenario.FACES_AT_PEAK).any()


def test_visits_are_in_order_of_time_and_the_same_for_the_same_seed(visits):
    time = visits["day"] * scenario.HOURS_A_DAY + visits["hour"]
    assert time.is_monotonic_increasing
    pd.testing.assert_frame_equal(visits, draw_visits(np.random.default_rng(0)))


def test_a_low_brow_belongs_to_a_person(visits):
    assert visits.groupby("person")["low_brow"].nunique().max() == 1


def test_scores_have_the_area_that_was_asked_for(visits):
    many = visits.assign(angry=np.arange(len(visits)) % 2 == 0)
    score = GOOD.score(np.random.default_rng(1), many)
    ranks = pd.Series(score).rank().to_numpy()
    angry = many["angry"].to_numpy()
    n = angry.sum()
    area = (ranks[angry].sum() - n * (n + 1) / 2) / (n * (len(many) - n))
    assert area == pytest.approx(0.95, abs=0.003)
    assert GOOD.auc == pytest.approx(0.95)


def test_probabilities_are_calibrated(visits):
    lobby = replace(PLAIN, angry=0.2)
    many = pd.concat([draw_visits(np.random.default_rng(seed), lobby=lobby) for seed in range(3)])
    probability = GOOD.probability(GOOD.score(np.random.default_rng(4), many), lobby.angry)
    for low in (0.0, 0.1, 0.3, 0.6):
        inside = (probability >= low) & (probability < low + 0.1)
        assert many["angry"].to_numpy()[inside].mean() == pytest.approx(probability[inside].mean(), abs=0.02)
    assert GOOD.probability(GOOD.score_at(0.3, 0.01), 0.01) == pytest.approx(0.3)


def test_a_low_brow_raises_calm_scores_only():
    calm = np.array([False, True, False, True])
    mean, _ = replace(GOOD, low_brow=0.5).mean_and_spread(
        calm, np.zeros(4, bool), np.array([0, 0, 1, 1], bool)
    )
    assert mean == pytest.approx([0, GOOD.distance, 0.5, GOOD.distance])


@pytest.mark.parametrize("hard", HARD)
def test_simulated_visits_agree_with_the_expectation(hard):
    lobby, detector = Lobby(angry=0.05), Detector(2.0, low_brow=0.6, hard_kept=0.4, hard_spread=1.6, kept=0.9)
    drawn = draw_visits(np.random.default_rng(2), 90, lobby)
    probability = detector.probability(detector.score(np.random.default_rng(3), drawn), lobby.angry)
    actions = hard_actions(decide(probability, 0.05, 0.2), drawn, hard)
    counted = tally(actions, drawn["angry"], 90 * scenario.HOURS_A_DAY)
    mean = expected(detector, lobby, 0.05, 0.2, hard=hard)
    assert counted.recall == pytest.approx(mean.recall, abs=0.02)
    assert counted.needless_an_hour == pytest.approx(mean.needless_an_hour, rel=0.07)
    assert counted.distance / counted.hours == pytest.approx(mean.distance, rel=0.07)
    assert counted.accuracy == pytest.approx(mean.accuracy, abs=0.005)
    assert outside_envelope(drawn).mean() == pytest.approx(lobby.hard, abs=0.005)


# --- actions and counts ---------------------------------------------------------------------------------


def test_a_late_reaction_helps_nobody_and_still_costs():
    actions = np.array([KEEP_DISTANCE, BACK_OFF, BACK_OFF, CARRY_ON])
    angry = np.array([True, True, False, True])
    punctual = tally(actions, angry, 1.0)
    late = tally(actions, angry, 1.0, in_time=np.zeros(4, bool))
    assert (punctual.missed, late.missed) == (1, 3)
    assert (punctual.needless, punctual.distance) == (late.needless, late.distance) == (1, 1)
    assert punctual.euros_an_hour == pytest.approx(4.0 + 0.25 + 0.2)


def test_decide_backs_off_where_both_thresholds_are_passed():
    assert decide([0.01, 0.1, 0.3], 0.05, 0.2).tolist() == [CARRY_ON, KEEP_DISTANCE, BACK_OFF]
    assert decide([0.1, 0.3], 0.2, 0.05).tolist() == [BACK_OFF, BACK_OFF]


def test_stretches_of_operation_add_up():
    both = tally([2, 0], [False, True], 2.0) + tally([1, 0], [True, False], 3.0)
    assert (both.hours, both.visits, both.angry, both.missed, both.needless, both.distance) == (
        5,
        4,
        2,
        1,
        1,
        1,
    )


# --- formulations ---------------------------------------------------------------------------------------


def test_five_frames_keep_the_deadline_by_the_scenarios_own_sum_and_eight_break_it():
    wait, rest = formulations.steps_ms("clip", scenario.FACES_AT_PEAK, formulations.ROBOT_SPEED)
    assert wait + rest == pytest.approx(scenario.reaction_ms()) == pytest.approx(1357)
    eight = formulations.late_share("clip", 8, formulations.ROBOT_SPEED, scenario.REACTION_MS, frames=8)
    assert eight == 1


def test_frames_come_further_apart_when_the_processor_is_not_done():
    slow, _ = formulations.steps_ms("clip", scenario.FACES_AT_AN_EVENT, formulations.ROBOT_SPEED)
    assert slow > 2 * formulations.INTERVAL_MS


PLACES = {
    "clip": Setting(faces=5),
    "each face": Setting(faces=5, reaction_ms=700),
    "whole frame": Setting(faces=1, speed=0.3),
    "angry objects": Setting(faces=35, reaction_ms=800),
    "intensity": Setting(faces=1, pictures="single pictures", use="sort", reaction_ms=np.inf, speed=50),
}


@pytest.mark.parametrize("name", PLACES)
def test_every_formulation_is_best_somewhere_and_bad_elsewhere(name):
    assert formulations.euros(PLACES[name]).idxmin() == name
    assert any(
        formulations.euros(place)[name] > 1.25 * formulations.euros(place).min() for place in PLACES.values()
    )


def test_a_frame_label_turns_to_anybody_when_who_matters():
    assert (
        formulations.hour("whole frame", Setting(faces=4, who=True)).recall
        < 0.3 * (formulations.hour("whole frame", Setting(faces=4, who=False)).recall) + 0.01
    )


def test_trials_are_limited_and_a_bad_one_costs_none():
    trials = Trials(2)
    trials.run("clip", faces=1)
    for wrong in ({"formulation": "crowd"}, {"formulation": "clip", "people": 3}):
        with pytest.raises(ValueError, match="accepted are"):
            trials.run(**wrong)
    trials.run("each face", reaction_ms=600)
    with pytest.raises(ValueError, match="all 2 are used"):
        trials.run("clip")
    assert trials.table()["formulation"].tolist() == ["clip", "each face"]


# --- the month under a specification --------------------------------------------------------------------


def under(visits, **changes):
    return month.run_month(replace(SPEC, **changes), np.random.default_rng(5), visits)


def test_the_scenarios_own_design_is_the_best_that_the_search_finds():
    best = month.best_design()
    assert (best.formulation, best.window_frames) == ("clip", scenario.WINDOW_FRAMES)
    run = month.long_run(best)
    assert run.allowed
    assert run.outcome.euros_an_hour == pytest.approx(month.long_run(SPEC).outcome.euros_an_hour, rel=0.01)


def test_a_month_agrees_with_the_long_run():
    months = [month.run_month(SPEC, np.random.default_rng(seed)).outcome for seed in range(5)]
    mean = np.mean([each.euros_an_hour for each in months])
    assert mean == pytest.approx(month.long_run(SPEC).outcome.euros_an_hour, rel=0.05)


def test_a_window_of_eight_frames_comes_too_late_and_costs_more_than_doing_nothing(visits):
    late = under(visits, window_frames=8)
    assert late.p99_ms > scenario.REACTION_MS
    assert late.late > 0.99
    assert late.outcome.euros_an_hour > scenario.cost_of_doing_nothing()
    assert under(visits).p99_ms < scenario.REACTION_MS


def test_six_frames_miss_the_deadline_and_three_treat_low_brows_unequally():
    assert month.long_run(replace(SPEC, window_frames=6)).p99_ms > scenario.REACTION_MS
    assert month.long_run(replace(SPEC, window_frames=3)).low_brow_ratio > scenario.LOW_BROW_RATIO
    for frames, allowed in ((3, False), (4, True), (5, True), (6, False)):
        assert month.long_run(replace(SPEC, window_frames=frames)).allowed == allowed


def test_more_work_than_the_core_can_do_is_late_when_eight_are_in_view(visits):
    assert under(visits, multiply_adds=2 * scenario.MULTIPLY_ADDS).p99_ms > scenario.REACTION_MS


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"weight_bytes": 4 * scenario.WEIGHT_BYTES}, "do not fit"),
        ({"device": "server"}, "leave the device"),
        ({"staff": "included"}, r"Article 5\(1\)\(f\)"),
    ],
)
def test_what_may_not_or_cannot_run_costs_as_much_as_doing_nothing(visits, changes, why):
    never = under(visits, **changes)
    nothing = under(visits, keep_distance_from=NEVER, back_off_from=NEVER).outcome.euros_an_hour
    assert never.outcome.euros_an_hour == nothing
    assert re.search(why, never.stopped)
    assert str(never).startswith("The robot is never switched on")


@pytest.mark.parametrize(
    "changes",
    [
        {"keep_distance_from": 0.5, "back_off_from": 0.5},
        {"keep_distance_from": 0.01, "back_off_from": 0.02},
        {"outside_envelope": "keep distance"},
        {"outside_envelope": "as usual"},
        {"formulation": "each face", "window_frames": 1},
        {"formulation": "whole frame", "window_frames": 1},
        {"reaction_ms": 1000},
        {"multiply_adds": 4_000_000},
    ],
)
def test_lines_that_ask_for_too_little_or_too_much_cost_euros(visits, changes):
    assert under(visits, **changes).outcome.euros_an_hour > 1.05 * under(visits).outcome.euros_an_hour


def test_the_same_seed_gives_the_same_month():
    one, other = (month.run_month(SPEC, np.random.default_rng(9)) for _ in range(2))
    assert one == other


# --- pilots ---------------------------------------------------------------------------------------------


def lost(metric, bar):
    return pilots.decisions(replace(SPEC, success_metric=metric, success_bar=bar))["regret"].sum()


def test_a_bar_between_the_best_and_doing_nothing_decides_rightly():
    for bar in (3.0, 3.6, 4.6):
        assert lost("euros an hour", bar) == 0
    assert lost("recall at 3 false alarms an hour", 0.4) == 0


@pytest.mark.parametrize("bar", [AFTERWARDS, 5.0, 1.0])
def test_a_bar_that_everything_or_nothing_reaches_loses_money(bar):
    assert lost("euros an hour", bar) > 0.25


@pytest.mark.parametrize("metric", ["accuracy", "recall", "needless back-offs an hour"])
def test_no_bar_on_these_metrics_alone_decides_rightly(metric):
    reached = {pilots.measured(metric, pilots.pilot(name)) for name in pilots.DELIVERIES}
    assert min(lost(metric, bar + shift) for bar in reached for shift in (-1e-6, 1e-6)) > 0.2


def test_a_detector_that_never_says_angry_is_the_most_accurate():
    accuracy = {name: pilots.pilot(name).accuracy for name in pilots.DELIVERIES}
    assert max(accuracy, key=accuracy.get) == "never says angry"
    assert accuracy["never says angry"] == pytest.approx(1 - scenario.ANGRY_VISITS)


# --- the written specification --------------------------------------------------------------------------


def test_a_specification_is_kept_and_read_back_with_its_types(tmp_path):
    for spec in (SPEC, replace(SPEC, success_bar=AFTERWARDS, success_metric="recall")):
        portfolio.keep("problem_spec", spec.to_table(), tmp_path)
        back = ProblemSpec.from_table(portfolio.load("problem_spec", tmp_path))
        assert back == spec
        assert isinstance(back.window_frames, int)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"formulation": "vibes"}, "formulation"),
        ({"device": "cloud"}, "device"),
        ({"window_frames": 2.5}, "window_frames"),
        ({"window_frames": True}, "window_frames"),
        ({"back_off_from": float("nan")}, "back_off_from"),
        ({"keep_distance_from": "low"}, "keep_distance_from"),
        ({"success_bar": "later"}, "success_bar"),
        ({"success_metric": "F1"}, "success_metric"),
        ({"extra": 1}, "extra"),
        ({"staff": None}, "staff"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(changes, name):
    with pytest.raises(ValueError, match=name):
        ProblemSpec.from_dict({**vars(SPEC), **changes})


def test_a_draft_with_open_lines_is_no_specification_yet():
    assert ProblemSpec.draft({**vars(SPEC), "staff": None}) is None
    assert ProblemSpec.draft(None) is None
    assert ProblemSpec.draft(vars(SPEC)) == SPEC


def test_every_metric_can_be_measured(visits):
    outcome = under(visits).outcome
    assert all(np.isfinite(pilots.measured(metric, outcome)) for metric in METRICS)
    with pytest.raises(ValueError, match="accepted are"):
        pilots.measured("F1", outcome)
