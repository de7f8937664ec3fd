"""Hours in front of the camera: frames, episodes of anger, alarms and what they are worth, logs of actions.

A detector scores frames, but a robot acts on visitors. This module draws streams of scored frames with the
episodes in them, joins detections to alarms, matches alarms to episodes, and counts both over the hours in
which somebody looked. It also draws the log that a robot at work leaves behind. It knows nothing of faces.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course import scenario

_NOBODY = 30.0
"""Seconds before the camera or the robot goes off in which no new visit begins in a log."""


@dataclass(frozen=True)
class Stream:
    """Some hours in front of one camera.

    frames: one row per face and frame, in the order of time, columns time (float, seconds), visit (int),
        score (float 0-1, the detector's calibrated probability) and angry (bool, what annotators say).
    episodes: one row per episode, columns visit (int), start and end (float, seconds): the times of its first
        and last angry frame. Only what the camera saw counts.
    uptime: one row per interval in which the camera ran, columns start and end (float, seconds).
    """

    frames: pd.DataFrame
    episodes: pd.DataFrame
    uptime: pd.DataFrame


@dataclass(frozen=True)
class EventScore:
    """How a detector did on a stream, in events.

    recall: share of the episodes that an alarm found; NaN where there is no episode.
    false_alarms_an_hour: alarms that found none, per hour of exposure; NaN without exposure.
    episodes, found, alarms: counts.  hours: exposure.
    """

    recall: float
    false_alarms_an_hour: float
    episodes: int
    found: int
    alarms: int
    hours: float


def sample_stream(
    rng: np.random.Generator,
    hours: float,
    *,
    auc: float = 0.95,
    correlation: float = 0.5,
    visits_an_hour: float = scenario.VISITS_AN_HOUR,
    angry_visits: float = scenario.ANGRY_VISITS,
    gaps: Sequence[tuple[float, float]] = (),
) -> Stream:
    """Draw some hours of scored frames.

    Visitors come at random and stay about 20 s; an angry visit holds one episode of about 6 s. The score of
    a frame is the probability of anger that goes with a normal variable, shifted in angry frames.

    Args:
        rng: source of all randomness.
        hours: clock time, 0 or more.
        auc: AUROC of the frame scores, 0.5-1 (1 excluded).
        correlation: how far two frames of one visit share their luck, 0 (each frame for itself) to 1 (all
            alike); the correlation of that normal variable within angry or calm frames of a visit.
        visits_an_hour: visits an hour on average.
        angry_visits: share of visits with an episode, 0-1.
        gaps: (start, end) in hours of clock time in which the camera was off.

    Raises:
        ValueError: when an argument is outside of its range.

    """
    _within("hours", hours, 0, math.inf)
    _within("auc", auc, 0.5, 0.9999)
    _within("correlation", correlation, 0, 1)
    _within("visits_an_hour", visits_an_hour, 0, math.inf)
    _within("angry_visits", angry_visits, 0, 1)
    uptime = _uptime(hours, gaps)
    every = scenario.FRAMES_A_SECOND
    count = rng.poisson(visits_an_hour * hours)
    arrival = np.sort(rng.uniform(0, hours * 3600, count))
    angry = rng.random(count) < angry_visits
    anger = rng.gamma(4, scenario.ANGRY_SECONDS / 4, count).clip(1, 30)
    stay = rng.gamma(2, scenario.VISIT_SECONDS / 2, count).clip(2, None)
    stay = np.where(angry, np.maximum(stay, anger + 1), stay)
    begin = arrival + rng.random(count) * (stay - anger)

    # The camera's clock ticks for all faces alike, and not quite evenly.
    first = np.ceil(arrival * every).astype(int)
    frames = np.maximum(np.floor((arrival + stay) * every).astype(int) - first + 1, 1)
    visit = np.repeat(np.arange(count), frames)
    tick = np.arange(len(visit)) - np.repeat(np.cumsum(frames) - frames, frames) + first[visit]
    jitter = rng.uniform(-0.02, 0.02, tick.max(initial=0) + 1)
    time = np.round(tick / every + jitter[tick], 3).clip(0)
    is_angry = angry[visit] & (time >= begin[visit]) & (time <= (begin + anger)[visit])

    shift = _shift(auc)
    luck = rng.normal(size=count)[visit] * math.sqrt(correlation)
    luck += rng.normal(size=len(visit)) * math.sqrt(1 - correlation)
    score = _probability(luck + shift * is_angry, shift, scenario.ANGRY_FRAMES)
    table = pd.DataFrame({"time": time, "visit": visit, "score": score, "angry": is_angry})
    table = table[_inside(time, uptime)].sort_values(["time", "visit"], ignore_index=True)
    seen = table[table["angry"]].groupby("visit")["time"].agg(start="min", end="max").reset_index()
    return Stream(table, seen.sort_values("start", ignore_index=True), uptime)


def exposure_hours(uptime: pd.DataFrame) -> float:
    """Return the hours covered by intervals; where intervals overlap, the time counts once.

    Args:
        uptime: columns start and end, both in seconds (float) or both points in time (datetime64).

    Raises:
        ValueError: when an interval ends before it starts.

    """
    if not len(uptime):
        return 0.0
    start, end = (uptime[name].to_numpy() for name in ("start", "end"))
    if start.dtype.kind == "M":
        first = start.min()
        start, end = ((side - first) / np.timedelta64(1, "s") for side in (start, end))
    if (end < start).any():
        raise ValueError("uptime holds an interval that ends before it starts; accepted are start <= end.")
    order = np.argsort(start)
    start, end = start[order], end[order]
    covered = np.maximum.accumulate(np.concatenate([[-np.inf], end[:-1]]))
    return float(np.clip(end - np.maximum(start, covered), 0, None).sum() / 3600)


def debounce(detections: pd.DataFrame, seconds: float) -> pd.DataFrame:
    """Return alarms: detections of one visit that follow each other closely are one alarm.

    A detection continues the alarm when it comes at most `seconds` after the previous detection of the same
    visit; otherwise it begins a new one. Who else is in view does not matter. An alarm is raised at its first
    detection, because that is when the robot moves.

    Args:
        detections: columns time (float, seconds) and visit (int), in any order: the frames at or above the
            threshold.
        seconds: 0 or more.

    Returns:
        DataFrame in the order of time, one row per alarm: time (its first detection), visit, frames (int, its
        detections).

    Raises:
        ValueError: when `seconds` is negative.

    """
    _within("seconds", seconds, 0, math.inf)
    ordered = detections[["time", "visit"]].sort_values(["visit", "time"], ignore_index=True)
    gap = ordered["time"].diff()
    new = (ordered["visit"] != ordered["visit"].shift()) | (gap > seconds)
    groups = ordered.groupby(new.cumsum().to_numpy())
    alarms = groups.agg(time=("time", "first"), visit=("visit", "first"), frames=("time", "size"))
    return alarms.sort_values(["time", "visit"], ignore_index=True)


def match(
    alarms: pd.DataFrame, episodes: pd.DataFrame, tolerance: float, same_visit: bool = True
) -> np.ndarray:
    """Return which episode each alarm found, int [alarms]: the row (0, 1, ...) in `episodes`, or -1 for none.

    An alarm *can* find an episode of its own visit when start - tolerance <= time <= end + tolerance, both
    ends included. Matching is one-to-one: an alarm finds at most one episode, and an episode is found by at
    most one alarm. Alarms choose in the order of time; each takes, among the episodes it can find that are
    still free, the one that ends first. (No other way of matching one-to-one finds more episodes.)

    So a second alarm in an episode finds nothing: it is a false alarm, as is one about a calm visitor who
    stands beside an angry one. One alarm between two episodes finds one of them; the other is missed.

    Args:
        alarms: columns time (float, seconds) and visit (int).
        episodes: columns visit (int), start and end (float, seconds).
        tolerance: seconds, 0 or more.
        same_visit: False where the detector cannot tell visitors apart; then any episode at that time counts.

    Raises:
        ValueError: when `tolerance` is negative.

    """
    _within("tolerance", tolerance, 0, math.inf)
    found = np.full(len(alarms), -1)
    # A millionth of a second for what binary fractions cannot hold.
    opens = episodes["start"].to_numpy(float) - tolerance - 1e-6
    closes = episodes["end"].to_numpy(float) + tolerance + 1e-6
    time, who = alarms["time"].to_numpy(float), alarms["visit"].to_numpy()
    owner, free = episodes["visit"].to_numpy(), np.ones(len(episodes), dtype=bool)
    hopeful = np.isin(who, owner) if same_visit else np.full(len(alarms), len(episodes) > 0)
    for k in np.argsort(time, kind="stable"):
        if not hopeful[k]:
            continue
        can = free & (opens <= time[k]) & (time[k] <= closes)
        if same_visit:
            can &= owner == who[k]
        if can.any():
            found[k] = np.argmin(np.where(can, closes, np.inf))
            free[found[k]] = False
    return found


def event_score(
    frames: pd.DataFrame,
    episodes: pd.DataFrame,
    uptime: pd.DataFrame,
    threshold: float,
    debounce_seconds: float = 3.0,
    tolerance: float = 1.0,
) -> EventScore:
    """Return episode recall and false alarms per hour of exposure at one threshold.

    Detections are the frames whose score is at or above the threshold; `debounce` makes alarms of them and
    `match` finds episodes with these. The tables are those of a `Stream`.
    """
    alarms = debounce(frames[frames["score"] >= threshold], debounce_seconds)
    found = int((match(alarms, episodes, tolerance) >= 0).sum())
    hours = exposure_hours(uptime)
    return EventScore(
        recall=found / len(episodes) if len(episodes) else math.nan,
        false_alarms_an_hour=(len(alarms) - found) / hours if hours else math.nan,
        episodes=len(episodes),
        found=found,
        alarms=len(alarms),
        hours=hours,
    )


@dataclass(frozen=True)
class Log:
    """What a robot leaves behind, and what observers in the lobby noted.

    actions: one row per entry of the robot's log, columns time (datetime64), visit (int), action (text: "keep
        distance" or "back off"). A visit may have several entries or none: carrying on is not logged.
    anger: one row per angry visit, whether the robot was on or off, columns time (datetime64), visit (int).
    uptime: one row per interval in which the robot ran, columns start and end (datetime64).
    """

    actions: pd.DataFrame
    anger: pd.DataFrame
    uptime: pd.DataFrame


def sample_log(
    rng: np.random.Generator,
    days: int,
    *,
    share_on: tuple[float, float] = (0.4, 0.95),
    auc: float = 0.95,
    angry_visits: float = scenario.ANGRY_VISITS,
    keep_distance_from: float = scenario.KEEP_DISTANCE_FROM,
    back_off_from: float = scenario.BACK_OFF_FROM,
    first_day: str = "2025-03-03",
) -> Log:
    """Draw the log of some days from 8:00 to 20:00 in which the robot was off now and then.

    Args:
        rng: source of all randomness.
        days: whole days, 0 or more.
        share_on: lowest and highest share of a day in which the robot runs.
        auc: AUROC of the robot's probability of an angry visit, 0.5-1 (1 excluded).
        angry_visits: share of angry visits, 0-1; the robot's probability is calibrated to the scenario's.
        keep_distance_from: probability from which it keeps distance.
        back_off_from: probability from which it backs off.
        first_day: date of the first day.

    Raises:
        ValueError: when an argument is outside of its range.

    """
    _within("days", days, 0, math.inf)
    _within("auc", auc, 0.5, 0.9999)
    _within("angry_visits", angry_visits, 0, 1)
    day_hours = scenario.HOURS_A_DAY
    pieces = [_on_and_off(rng, rng.uniform(*share_on) * day_hours, day_hours) for _ in range(int(days))]
    uptime = pd.DataFrame(
        [(24 * day + start, 24 * day + end) for day, piece in enumerate(pieces) for start, end in piece],
        columns=["start", "end"],
        dtype=float,
    ).mul(3600)
    count = rng.poisson(scenario.VISITS_AN_HOUR * day_hours * days)
    time = np.sort(
        rng.integers(0, max(int(days), 1), count) * 86400 + rng.uniform(0, day_hours * 3600, count)
    )
    # Nobody walks in at the very moment of switching on or off: then no count hangs on a second.
    edges = uptime.to_numpy().ravel()
    time = time[np.abs(time[:, None] - edges).min(axis=1, initial=np.inf) > _NOBODY]
    angry, is_on = rng.random(len(time)) < angry_visits, _inside(time, uptime)
    shift = _shift(auc)
    chance = _probability(rng.normal(size=len(time)) + shift * angry, shift, scenario.ANGRY_VISITS)
    near, off = is_on & (chance >= keep_distance_from), is_on & (chance >= back_off_from)
    # Most who end at a distance of two metres were first given one; some actions are repeated.
    entries = [
        (near & (~off | (rng.random(len(time)) < 0.7)), "keep distance", 2.0),
        (near & (rng.random(len(time)) < 0.3) & ~off, "keep distance", 6.0),
        (off, "back off", 5.0),
        (off & (rng.random(len(time)) < 0.3), "back off", 11.0),
    ]
    visit = 1000 + np.arange(len(time))
    rows = [
        pd.DataFrame({"time": time[which] + later, "visit": visit[which], "action": name})
        for which, name, later in entries
    ]
    actions = pd.concat(rows, ignore_index=True).sort_values("time", ignore_index=True)
    anger = pd.DataFrame({"time": time[angry], "visit": visit[angry]})
    opening = pd.Timestamp(first_day) + pd.Timedelta(hours=8)
    for table in (actions, anger, uptime):
        for name in {"time", "start", "end"} & set(table.columns):
            table[name] = (opening + pd.to_timedelta(table[name], unit="s")).dt.floor("ms")
    return Log(actions, anger, uptime)


def log_cost(log: Log) -> float:
    """Return euros per operating hour at the scenario's prices; NaN without operating hours.

    Every visit pays once, for the strongest action taken: backing off from a calm visitor, keeping distance
    from anyone. An angry visitor while the robot ran, from whom it did neither, was missed.
    """
    hours = exposure_hours(log.uptime)
    if not hours:
        return math.nan
    off = set(log.actions["visit"][log.actions["action"] == "back off"])
    near = set(log.actions["visit"]) - off
    inside = _inside(log.anger["time"].to_numpy(), log.uptime)
    angry, present = set(log.anger["visit"]), set(log.anger["visit"][inside])
    euros = scenario.COST_NEEDLESS * len(off - angry) + scenario.COST_DISTANCE * len(near)
    return (euros + scenario.COST_MISSED * len(present - off - near)) / hours


def _on_and_off(rng: np.random.Generator, on: float, total: float) -> list[tuple[float, float]]:
    """Return two to four intervals, in hours, that add up to `on` within `total`."""
    pieces = int(rng.integers(2, 5))
    ran = on * rng.dirichlet(np.full(pieces, 6.0))
    rest = (total - on) * rng.dirichlet(np.full(pieces + 1, 3.0))
    starts = np.cumsum(rest[:-1]) + np.cumsum(ran) - ran
    return list(zip(starts, starts + ran, strict=True))


def _uptime(hours: float, gaps: Sequence[tuple[float, float]]) -> pd.DataFrame:
    """Return the intervals, in seconds, that the gaps leave of the hours."""
    left, at = [], 0.0
    for start, end in sorted(gaps):
        if not 0 <= start <= end <= hours:
            raise ValueError(f"gaps holds ({start}, {end}); accepted are 0 <= start <= end <= {hours} hours.")
        left.append((at, max(start, at)))
        at = max(at, end)
    left.append((at, hours))
    kept = [(start * 3600, end * 3600) for start, end in left if end > start]
    return pd.DataFrame(kept, columns=["start", "end"], dtype=float)


def _inside(time: np.ndarray, uptime: pd.DataFrame) -> np.ndarray:
    """Return whether each time lies in one of the intervals, ends included, bool [n]."""
    inside = np.zeros(len(time), dtype=bool)
    for start, end in zip(uptime["start"].to_numpy(), uptime["end"].to_numpy(), strict=True):
        inside |= (time >= start) & (time <= end)
    return inside


def _shift(auc: float) -> float:
    """Return how far two normal variables of variance 1 lie apart that give this AUROC."""
    from statistics import NormalDist

    return math.sqrt(2) * NormalDist().inv_cdf(auc)


def _probability(value: np.ndarray, shift: float, share: float) -> np.ndarray:
    """Return the probability of anger at each value when `share` is angry and anger shifts it."""
    odds = math.log(share / (1 - share)) + shift * value - shift**2 / 2
    return 1 / (1 + np.exp(-odds))


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; accepted are numbers from {low:g} to {high:g}.")
