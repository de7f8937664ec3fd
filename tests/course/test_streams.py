"""Streams: what an alarm is, which episode it finds, and over how many hours both are counted."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from course import scenario
from course.deployment import streams
from course.deployment.streams import debounce, event_score, exposure_hours, match


def alarms(*rows):
    return pd.DataFrame(rows, columns=["visit", "time"]).astype({"visit": int, "time": float})


def episodes(*rows):
    return pd.DataFrame(rows, columns=["visit", "start", "end"]).astype({"visit": int})


def uptime(*rows):
    return pd.DataFrame(rows, columns=["start", "end"], dtype=float)


def found(alarm_rows, episode_rows, tolerance=1.0, **options):
    return match(alarms(*alarm_rows), episodes(*episode_rows), tolerance, **options).tolist()


class TestMatching:
    def test_an_alarm_within_tolerance_before_or_after_an_episode_finds_it(self):
        assert found([(1, 9.5)], [(1, 10, 16)]) == [0]
        assert found([(1, 16.5)], [(1, 10, 16)]) == [0]

    def test_both_edges_of_the_tolerance_belong_to_it(self):
        assert found([(1, 9.0)], [(1, 10, 16)]) == [0]
        assert found([(1, 17.0)], [(1, 10, 16)]) == [0]
        # To a computer 1.1 - 0.2 is above 0.9, and 0.7 + 0.1 below 0.8: an edge must not hang on that.
        assert found([(1, 0.9)], [(1, 1.1, 2)], 0.2) == [0]
        assert found([(1, 0.8)], [(1, 0.0, 0.7)], 0.1) == [0]
        assert found([(1, 8.9)], [(1, 10, 16)]) == found([(1, 17.1)], [(1, 10, 16)]) == [-1]

    def test_a_second_alarm_in_an_episode_finds_nothing(self):
        assert found([(1, 11), (1, 15)], [(1, 10, 16)]) == [0, -1]

    def test_one_alarm_between_two_episodes_finds_one_of_them(self):
        assert found([(1, 13.5)], [(1, 10, 13), (1, 14, 18)]) == [0]

    def test_the_first_alarm_leaves_to_the_second_what_only_that_can_find(self):
        assert found([(1, 13.5), (1, 16)], [(1, 10, 13), (1, 14, 18)]) == [0, 1]
        assert found([(1, 16), (1, 13.5)], [(1, 14, 18), (1, 10, 13)]) == [0, 1]

    def test_overlapping_episodes_of_two_visitors_need_an_alarm_each(self):
        both = [(1, 10, 16), (2, 12, 18)]
        assert found([(1, 13), (2, 13)], both) == [0, 1]
        assert found([(2, 13)], both) == [1]
        assert found([(2, 13), (2, 14)], both) == [1, -1]

    def test_an_alarm_about_somebody_beside_an_angry_visitor_is_false_unless_nobody_can_tell_them_apart(self):
        assert found([(2, 13)], [(1, 10, 16)]) == [-1]
        assert found([(2, 13)], [(1, 10, 16)], same_visit=False) == [0]

    def test_no_alarms_or_no_episodes_give_no_matches(self):
        assert found([], [(1, 10, 16)]) == []
        assert found([(1, 13)], []) == [-1]
        assert found([(1, 13)], [], same_visit=False) == [-1]

    @pytest.mark.parametrize("same_visit", [True, False])
    def test_no_way_of_matching_one_to_one_finds_more(self, same_visit):
        rng = np.random.default_rng(0)
        for _ in range(60):
            some = alarms(*zip(rng.integers(0, 3, 12), rng.uniform(0, 40, 12), strict=True))
            start = rng.uniform(0, 40, 8)
            table = episodes(*zip(rng.integers(0, 3, 8), start, start + rng.uniform(0, 8, 8), strict=True))
            time = some["time"].to_numpy()[:, None]
            near = (table["start"].to_numpy() - 1 <= time) & (time <= table["end"].to_numpy() + 1)
            if same_visit:
                near &= some["visit"].to_numpy()[:, None] == table["visit"].to_numpy()
            got = match(some, table, 1.0, same_visit)
            hits = np.flatnonzero(got >= 0)
            assert near[hits, got[hits]].all()
            assert len(set(got[hits])) == len(hits)
            assert len(hits) == (maximum_bipartite_matching(csr_matrix(near)) >= 0).sum()

    def test_a_negative_tolerance_is_refused(self):
        with pytest.raises(ValueError, match="tolerance is -1"):
            match(alarms(), episodes(), -1)


class TestDebounce:
    def test_detections_that_follow_each_other_closely_are_one_alarm_at_the_first(self):
        got = debounce(alarms((1, 10), (1, 10.5), (1, 13.5), (1, 17)), 3.0)
        assert got["time"].tolist() == [10.0, 17.0]
        assert got["frames"].tolist() == [3, 1]

    def test_visitors_do_not_disturb_each_other(self):
        got = debounce(alarms((1, 10), (2, 10.2), (1, 10.4), (2, 10.6)), 3.0)
        assert list(zip(got["visit"], got["time"], strict=True)) == [(1, 10.0), (2, 10.2)]

    def test_the_order_of_the_rows_does_not_matter(self):
        rng = np.random.default_rng(1)
        table = alarms(*zip(rng.integers(0, 5, 80), rng.uniform(0, 90, 80), strict=True))
        assert debounce(table, 2.0).equals(debounce(table.sample(frac=1, random_state=0), 2.0))

    def test_nothing_detected_raises_no_alarm(self):
        assert debounce(alarms(), 3.0).empty


class TestExposure:
    def test_gaps_do_not_count_and_overlaps_count_once(self):
        assert exposure_hours(uptime((0, 3600), (7200, 9000))) == 1.5
        assert exposure_hours(uptime((1800, 3600), (0, 3600), (600, 700))) == 1.0

    def test_points_in_time_serve_as_well_as_seconds(self):
        times = pd.to_datetime(["2025-03-03 08:00", "2025-03-03 14:00"])
        table = pd.DataFrame({"start": times, "end": times + pd.Timedelta(minutes=45)})
        assert exposure_hours(table) == 1.5

    def test_an_empty_log_has_no_hours(self):
        assert exposure_hours(uptime()) == 0.0

    def test_an_interval_that_ends_before_it_starts_is_refused(self):
        with pytest.raises(ValueError, match="ends before it starts"):
            exposure_hours(uptime((5, 4)))


class TestEventScore:
    @pytest.fixture
    def stream(self):
        return streams.sample_stream(
            np.random.default_rng(2), 4, angry_visits=0.1, correlation=0.8, gaps=[(1, 1.5), (1.4, 2)]
        )

    def test_a_stream_holds_what_the_scenario_says(self):
        drawn = streams.sample_stream(np.random.default_rng(3), 60)
        frames = drawn.frames
        assert len(frames) / 60 == pytest.approx(12_000, rel=0.05)
        assert frames["angry"].mean() == pytest.approx(scenario.ANGRY_FRAMES, rel=0.35)
        assert len(drawn.episodes) / 60 == pytest.approx(120 * scenario.ANGRY_VISITS, rel=0.35)
        assert (drawn.episodes["end"] - drawn.episodes["start"]).mean() == pytest.approx(6, rel=0.2)
        assert frames["score"].mean() == pytest.approx(scenario.ANGRY_FRAMES, rel=0.35)

    def test_frames_and_episodes_lie_in_the_uptime(self, stream):
        assert stream.uptime.to_numpy().tolist() == [[0, 3600], [7200, 14400]]
        for times in (stream.frames["time"], stream.episodes["start"], stream.episodes["end"]):
            assert not times.between(3600.1, 7199.9).any()
        assert stream.frames["time"].is_monotonic_increasing

    def test_false_alarms_are_counted_over_the_exposure_only(self, stream):
        score = event_score(stream.frames, stream.episodes, stream.uptime, 0.03)
        assert score.hours == 3.0
        assert score.false_alarms_an_hour == (score.alarms - score.found) / 3
        assert 0 < score.recall == score.found / len(stream.episodes) < 1

    def test_where_nothing_happened_nothing_is_divided(self, stream):
        none = stream.frames[:0]
        assert math.isnan(event_score(none, stream.episodes[:0], stream.uptime, 0.5).recall)
        never = event_score(none, stream.episodes[:0], stream.uptime[:0], 0.5)
        assert math.isnan(never.recall)
        assert math.isnan(never.false_alarms_an_hour)
        assert (never.alarms, never.hours) == (0, 0.0)

    def test_one_rate_of_frames_gives_very_different_rates_of_alarms(self):
        rates = []
        for correlation in (0.0, 0.99):
            drawn = streams.sample_stream(np.random.default_rng(4), 12, correlation=correlation)
            calm = drawn.frames.loc[~drawn.frames["angry"], "score"]
            score = event_score(drawn.frames, drawn.episodes, drawn.uptime, calm.quantile(0.99))
            rates.append(score.false_alarms_an_hour)
        assert rates[0] > 10 * rates[1]
        assert rates[0] < 0.011 * 12_500

    def test_the_same_seed_gives_the_same_stream(self):
        one, other = (streams.sample_stream(np.random.default_rng(5), 0.5) for _ in range(2))
        assert one.frames.equals(other.frames)

    def test_no_hours_give_an_empty_stream(self):
        drawn = streams.sample_stream(np.random.default_rng(0), 0)
        assert (len(drawn.frames), len(drawn.episodes), len(drawn.uptime)) == (0, 0, 0)

    @pytest.mark.parametrize(
        ("name", "options"), [("auc", {"auc": 0.4}), ("hours", {"hours": -1}), ("gaps", {"gaps": [(2, 1)]})]
    )
    def test_an_argument_out_of_range_is_named(self, name, options):
        with pytest.raises(ValueError, match=f"^{name} "):
            streams.sample_stream(np.random.default_rng(0), **({"hours": 4} | options))


class TestLog:
    def test_a_hand_made_log_costs_what_can_be_added_up_by_hand(self):
        noon = pd.Timestamp("2025-03-03 12:00")

        def at(*minutes):
            return noon + pd.to_timedelta(minutes, unit="min")

        actions = pd.DataFrame(
            {
                "time": at(1, 2, 10, 11, 20, 30),
                "visit": [1, 1, 2, 2, 3, 4],
                "action": [
                    "keep distance",
                    "back off",
                    "keep distance",
                    "keep distance",
                    "back off",
                    "back off",
                ],
            }
        )
        # Visit 4 was angry and answered, 5 missed, 6 came while the robot was off.
        anger = pd.DataFrame({"time": at(30, 40, 90), "visit": [4, 5, 6]})
        ran = pd.DataFrame({"start": at(0, 120), "end": at(60, 180)})
        euros = 2 * scenario.COST_NEEDLESS + scenario.COST_DISTANCE + scenario.COST_MISSED
        assert streams.log_cost(streams.Log(actions, anger, ran)) == pytest.approx(euros / 2)
        assert math.isnan(streams.log_cost(streams.Log(actions[:0], anger[:0], ran[:0])))

    def test_a_good_detector_beats_doing_nothing_by_what_the_scenario_says(self):
        costs = [streams.log_cost(streams.sample_log(np.random.default_rng(k), 10)) for k in range(8)]
        idle = [
            streams.log_cost(
                streams.sample_log(np.random.default_rng(k), 10, keep_distance_from=2, back_off_from=2)
            )
            for k in range(8)
        ]
        assert np.mean(idle) == pytest.approx(scenario.cost_of_doing_nothing(), rel=0.15)
        assert 1.9 < np.mean(costs) < 2.8

    def test_no_visit_lies_across_the_edge_of_an_interval(self):
        log = streams.sample_log(np.random.default_rng(1), 5)
        edges = log.uptime.to_numpy().ravel()
        gap = np.abs(log.anger["time"].to_numpy()[:, None] - edges).min()
        assert gap > np.timedelta64(29, "s")
        assert exposure_hours(log.uptime) < 5 * scenario.HOURS_A_DAY
