"""How do we measure a detector that acts? Recall of episodes and false alarms per hour, on streams."""

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable, told_apart


def event_metric(frames, episodes, uptime, threshold, debounce, tolerance):
    """Episode recall and false alarms per hour of one recorded stream.

    frames: DataFrame in the order of time, one row per face and frame, columns time (float,
        seconds), visit (int, who is seen), score (float, 0 to 1).
    episodes: DataFrame, one row per episode of anger, columns visit (int), start and end
        (float, seconds). A visit may have several, which do not overlap.
    uptime: DataFrame, one row per interval in which the camera ran, columns start and end
        (float, seconds); they do not overlap.
    threshold: frames with this score or more are detections.
    debounce: seconds. A detection that comes at most so long after the previous detection of
        the same visit continues that alarm; any other begins a new one. The time of an
        alarm is that of its first detection.
    tolerance: seconds. An alarm can find an episode of its own visit from start - tolerance
        to end + tolerance, both included. An alarm finds at most one episode and an episode
        is found by at most one alarm, in the way that finds most: alarms choose in the
        order of time, each the earliest episode that is still free.

    Returns (recall, false_alarms): the share of episodes that are found, and the alarms that
    find none, per hour in which the camera ran. What would be 0 / 0 is NaN.
    """
    seen = frames[frames["score"] >= threshold].sort_values(["visit", "time"])
    same_visit = seen["visit"] == seen["visit"].shift()
    alarms = seen[~(same_visit & (seen["time"].diff() <= debounce))]
    alarms = alarms[["visit", "time"]].sort_values("time").to_numpy()
    visit, start, end = episodes.sort_values("end")[["visit", "start", "end"]].to_numpy().T
    free = np.ones(len(episodes), dtype=bool)
    for who, time in alarms:
        near = (start - tolerance <= time) & (time <= end + tolerance)
        could = np.flatnonzero(free & (visit == who) & near)
        free[could[:1]] = False
    found = int((~free).sum())
    hours = (uptime["end"] - uptime["start"]).sum() / 3600
    recall = found / len(episodes) if len(episodes) else np.nan
    return recall, (len(alarms) - found) / hours if hours else np.nan


STREAMS = "on ordinary streams"
GAPS = "where the camera was off for a while"
AWKWARD = "in rehearsals with awkward moments"
CALM = "where nobody is angry"
NOTHING = "where the camera never ran"


def cases(rng):
    """Ordinary streams, a camera with gaps, rehearsals played by actors, and two empty ones."""
    for about, gap in ((STREAMS, 0.0), (GAPS, rng.uniform(0.8, 1.2))):
        for _ in range(2):
            yield Case(inputs=_drawn(rng, 1.5 + gap, gap), about=about)
    for _ in range(2):
        yield Case(inputs=_rehearsal(rng), about=AWKWARD)
    yield Case(inputs=_drawn(rng, 1.0, 0.0, angry=0.0), about=CALM)
    frames, episodes, uptime, *settings = _drawn(rng, 0.3, 0.0)
    yield Case(inputs=(frames[:0], episodes[:0], uptime[:0], *settings), about=NOTHING)


def _drawn(rng, hours, gap, angry=0.12):
    """Return inputs drawn from the lobby, in which more people are angry than usual."""
    from course.deployment import streams

    off = rng.uniform(0.3, hours - gap - 0.3) if gap else 0.0
    drawn = streams.sample_stream(
        rng, hours, auc=0.9, correlation=0.8, angry_visits=angry, gaps=[(off, off + gap)]
    )
    frames = drawn.frames[["time", "visit", "score"]]
    threshold = round(float(frames["score"].quantile(rng.uniform(0.9, 0.94))), 4)
    # No multiple of the time between frames: nothing hangs on the last digit.
    debounce = float(rng.choice([1.9, 2.3, 2.7]))
    return frames, drawn.episodes, drawn.uptime, threshold, debounce, 1.1


# What happens in a rehearsal: visits side by side, each (episodes, detections), in seconds. Four frames a
# second and quarters of seconds everywhere, so that the edges are exact.
def _moments(debounce, tolerance):
    reach, pause = tolerance, debounce + 1
    apart = [(10.0, 13.0), (12.5 + 2 * reach, 19.0 + 2 * reach + debounce)]
    between = 12.75 + reach
    return {
        "found": [([(10, 16)], [(11, 13)])],
        "just in time": [([(10, 16)], [(10 - reach, 10)])],
        "at the very end": [([(10, 16)], [(16 + reach, 17 + reach)])],
        "too late": [([(10, 16)], [(16.5 + reach, 17 + reach)])],
        "missed": [([(10, 16)], [])],
        "calm": [([], [(11, 13)])],
        "two alarms, one episode": [
            ([(10, 14 + debounce)], [(11, 12), (12 + pause, 13 + pause)])
        ],
        "flickers": [([(10, 18)], [(10.5, 11), (11 + debounce, 11.5 + debounce)])],
        "between two episodes": [(apart, [(between, between)])],
        "two of two": [
            (apart, [(between, between), (between + pause, between + pause + 1)])
        ],
        "beside an angry one": [([(10, 16)], []), ([], [(11, 13)])],
        "calm after angry": [([(10, 16)], [(11, 12)]), ([], [(12.5, 13)])],
    }


def _rehearsal(rng):
    debounce, tolerance = float(rng.choice([1.5, 2.0, 2.5])), float(rng.choice([1.0, 1.5]))
    moments = _moments(debounce, tolerance)
    plan = rng.permutation([name for name in moments for _ in range(rng.integers(1, 5))])
    rows, episodes, visit = [], [], 0
    for slot, name in enumerate(plan):
        for angry, detected in moments[name]:
            time = np.arange(4.0, 36.0, 0.25)
            score = rng.uniform(0, 0.5, len(time))
            for a, b in detected:
                score[(time >= a) & (time <= b)] += 0.5
                score[time == a] = 0.5  # Exactly the threshold, where a detection begins.
            rows.append(
                pd.DataFrame({"time": 40.0 * slot + time, "visit": visit, "score": score})
            )
            episodes += [(visit, 40.0 * slot + a, 40.0 * slot + b) for a, b in angry]
            visit += 1
    frames = pd.concat(rows).sort_values(["time", "visit"], ignore_index=True)
    # The camera was switched off a good while between two scenes.
    middle, off = 40.0 * (len(plan) // 2), float(rng.integers(20, 60) * 60)
    frames.loc[frames["time"] >= middle, "time"] += off
    table = pd.DataFrame(episodes, columns=["visit", "start", "end"]).astype({"visit": int})
    table[["start", "end"]] += off * (table[["start"]].to_numpy() >= middle)
    uptime = pd.DataFrame(
        {"start": [0.0, middle + off], "end": [middle, 40.0 * len(plan) + off]}
    )
    return frames, table, uptime, 0.5, debounce, tolerance


def run(case, answer):
    """Ask for the two numbers; where one of them is NaN they are one outcome."""
    numbers = answer(*case.inputs)
    try:
        recall, false_alarms = (float(number) for number in numbers)
    except (TypeError, ValueError):
        raise Unreadable(
            "`event_metric` must return two numbers: recall, false_alarms."
        ) from None
    if case.about in (CALM, NOTHING):
        return {
            "recordings without anger, or without a single hour": [recall, false_alarms]
        }
    return {
        f"recall of episodes {case.about}": recall,
        f"false alarms per hour {case.about}": false_alarms,
    }


def describe(key, got, expected):
    """Say what was returned and what is right."""
    if isinstance(expected, list):
        pairs = (told_apart(*pair, 3) for pair in zip(got, expected, strict=True))
        mine, right = map(" and ".join, zip(*pairs, strict=True))
        return (
            f"Among {key}, there is one for which you give {mine} where {right} is right."
        )
    mine, right = told_apart(got, expected, 3)
    return f"For the {key} you give {mine} where {right} is right."


def _alarms(frames, threshold, debounce):
    seen = frames[frames["score"] >= threshold].sort_values(["visit", "time"])
    same_visit = seen["visit"] == seen["visit"].shift()
    return seen[~(same_visit & (seen["time"].diff() <= debounce))].sort_values("time")


def _near(alarms, episodes, before, after, same_visit=True):
    """Return whether each alarm is near enough to each episode, bool [alarms, episodes]."""
    time, visit = (alarms[name].to_numpy()[:, None] for name in ("time", "visit"))
    near = episodes["start"].to_numpy() - before <= time
    near &= time <= episodes["end"].to_numpy() + after
    return near & (visit == episodes["visit"].to_numpy()) if same_visit else near


def _most(near):
    """Return how many episodes can be found one-to-one, by a search for the largest matching."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching

    pairs = maximum_bipartite_matching(csr_matrix(near)) if near.size else np.array([-1])
    return int((pairs >= 0).sum())


def _numbers(near, uptime, found=None, false=None):
    """Return both numbers of a matching, the largest one unless other counts are given."""
    most = _most(near)
    found, false = (
        most if found is None else found,
        len(near) - most if false is None else false,
    )
    hours = (uptime["end"] - uptime["start"]).sum() / 3600
    with np.errstate(all="ignore"):
        return float(np.divide(found, near.shape[1])), float(np.divide(false, hours))


def _largest_matching(frames, episodes, uptime, threshold, debounce, tolerance):
    alarms = _alarms(frames, threshold, debounce)
    return _numbers(_near(alarms, episodes, tolerance, tolerance), uptime)


def _visit_by_visit(frames, episodes, uptime, threshold, debounce, tolerance):
    """Go through each visit with plain lists; each episode takes the first alarm that is left for it."""
    found = false = 0
    for visit, part in frames.groupby("visit"):
        alarms, last = [], -np.inf
        for time in part["time"][part["score"] >= threshold]:
            if time - last > debounce:
                alarms.append(time)
            last = time
        for _, start, end in sorted(
            episodes[episodes["visit"] == visit].itertuples(index=False)
        ):
            near = [t for t in alarms if start - tolerance <= t <= end + tolerance]
            if near:
                alarms.remove(near[0])
                found += 1
        false += len(alarms)
    hours = sum(row.end - row.start for row in uptime.itertuples()) / 3600
    recall = found / len(episodes) if len(episodes) > 0 else float("nan")
    return [recall, false / hours if hours > 0 else float("nan")]


def _with_the_course(frames, episodes, uptime, threshold, debounce, tolerance):
    from course.deployment import streams

    score = streams.event_score(frames, episodes, uptime, threshold, debounce, tolerance)
    return np.array([score.recall, score.false_alarms_an_hour])


def _frames_as_events(frames, episodes, uptime, threshold, debounce, tolerance):
    inside = _near(frames, episodes, 0, 0).any(axis=1)
    seen = (frames["score"] >= threshold).to_numpy()
    recall = (seen & inside).sum() / inside.sum() if inside.any() else np.nan
    _, false = _numbers(_near(frames, episodes, 0, 0), uptime, false=(seen & ~inside).sum())
    return recall, false


def _no_debounce(frames, episodes, uptime, threshold, debounce, tolerance):
    return _largest_matching(frames, episodes, uptime, threshold, -1.0, tolerance)


def _one_for_two(frames, episodes, uptime, threshold, debounce, tolerance):
    near = _near(_alarms(frames, threshold, debounce), episodes, tolerance, tolerance)
    return _numbers(near, uptime, found=near.any(axis=0).sum())


def _two_for_one(frames, episodes, uptime, threshold, debounce, tolerance):
    near = _near(_alarms(frames, threshold, debounce), episodes, tolerance, tolerance)
    return _numbers(near, uptime, false=(~near.any(axis=1)).sum())


def _from_the_first(frames, episodes, uptime, threshold, debounce, tolerance):
    alarms = []
    for visit, part in frames[frames["score"] >= threshold].groupby("visit"):
        first = -np.inf
        for time in part["time"]:
            if time - first > debounce:
                first = time
                alarms.append((visit, time))
    alarms = pd.DataFrame(alarms, columns=["visit", "time"])
    return _numbers(_near(alarms, episodes, tolerance, tolerance), uptime)


def _one_a_visit(frames, episodes, uptime, threshold, debounce, tolerance):
    return _from_the_first(frames, episodes, uptime, threshold, np.inf, tolerance)


def _strictly_above(frames, episodes, uptime, threshold, debounce, tolerance):
    above = np.nextafter(threshold, 2)
    return _largest_matching(frames, episodes, uptime, above, debounce, tolerance)


def _any_overlap(frames, episodes, uptime, threshold, debounce, tolerance):
    near = _near(_alarms(frames, threshold, debounce), episodes, tolerance, tolerance)
    return _numbers(near, uptime, near.any(axis=0).sum(), (~near.any(axis=1)).sum())


def _by_time_alone(frames, episodes, uptime, threshold, debounce, tolerance):
    alarms = _alarms(frames, threshold, debounce)
    return _numbers(_near(alarms, episodes, tolerance, tolerance, same_visit=False), uptime)


def _everybody_debounced(frames, episodes, uptime, threshold, debounce, tolerance):
    seen = frames[frames["score"] >= threshold]
    alarms = seen[~(seen["time"].diff() <= debounce)]
    return _numbers(_near(alarms, episodes, tolerance, tolerance), uptime)


def _no_tolerance(frames, episodes, uptime, threshold, debounce, tolerance):
    return _largest_matching(frames, episodes, uptime, threshold, debounce, 0.0)


def _late_thrown_away(frames, episodes, uptime, threshold, debounce, tolerance):
    alarms = _alarms(frames, threshold, debounce)
    return _numbers(_near(alarms, episodes, tolerance, 0.0), uptime)


def _first_to_last(frames, episodes, uptime, *settings):
    clock = pd.DataFrame({"start": [uptime["start"].min()], "end": [uptime["end"].max()]})
    return _largest_matching(frames, episodes, clock, *settings)


def _hours_of_frames(frames, episodes, uptime, *settings):
    from course.scenario import FRAMES_A_SECOND

    busy = pd.DataFrame({"start": [0.0], "end": [len(frames) / FRAMES_A_SECOND]})
    return _largest_matching(frames, episodes, busy, *settings)


def _frame_to_frame(frames, episodes, uptime, *settings):
    seen = pd.DataFrame({"start": [frames["time"].min()], "end": [frames["time"].max()]})
    return _largest_matching(frames, episodes, seen, *settings)


def _nothing_is_zero(*inputs):
    return np.nan_to_num(_largest_matching(*inputs))


exercise = Exercise(
    title="Episode recall and false alarms per hour",
    questions=("2.13",),
    points=4,
    minutes=12,
    reference=event_metric,
    cases=cases,
    run=run,
    describe=describe,
    returns="two numbers: recall (0 to 1) and false alarms per hour",
    praise="What you count is what a visitor notices: alarms, each for one person, per hour of looking.",
    right=(_largest_matching, _visit_by_visit, _with_the_course),
    mistakes=(
        Mistake(
            "frames as events",
            _frames_as_events,
            "Every frame above the threshold counts as an event of its own.",
            "If the robot sees one scowl in fifteen frames, how often does it back off?",
        ),
        Mistake(
            "no debounce",
            _no_debounce,
            "Every detection is an alarm: an episode detected fifteen times brings fourteen false ones.",
            "Which of these detections come so soon after the last one that they are the same alarm?",
        ),
        Mistake(
            "debounced from the first",
            _from_the_first,
            "The debounce is measured from the first detection of an alarm: a long scowl becomes a new alarm"
            " every few seconds.",
            "Which detection must be near, for an alarm to go on: its first one, or the one just before?",
        ),
        Mistake(
            "one alarm a visit",
            _one_a_visit,
            "A visit raises one alarm at most, however long the pause between its detections.",
            "The same visitor scowls again a minute later: is that still the first alarm?",
        ),
        Mistake(
            "strictly above the threshold",
            _strictly_above,
            "A frame whose score equals the threshold is no detection for you.",
            "The description says 'this score or more': what about a frame with exactly this score?",
        ),
        Mistake(
            "any overlap",
            _any_overlap,
            "Alarms and episodes are paired whenever they touch: one alarm can find two episodes, and a"
            " second alarm in an episode costs nothing.",
            "When an alarm has found its episode, what is left for it, and for the next alarm, to find?",
        ),
        Mistake(
            "one alarm matched twice",
            _one_for_two,
            "One alarm between two episodes is credited with both.",
            "The robot backed off once and the visitor was angry twice: how many did it answer?",
        ),
        Mistake(
            "second alarms forgiven",
            _two_for_one,
            "A second alarm in an episode that was already found is not counted as false.",
            "The episode is taken: which episode is left for the second alarm to find?",
        ),
        Mistake(
            "by time alone",
            _by_time_alone,
            "An alarm about a calm visitor finds the episode of somebody else in view.",
            "Two people are in view: from which of them did the robot back off?",
        ),
        Mistake(
            "everybody debounced together",
            _everybody_debounced,
            "A detection of one visitor swallows the alarm about the next one.",
            "Is a second visitor's scowl, one second later, the same event?",
        ),
        Mistake(
            "no tolerance",
            _no_tolerance,
            "Only alarms strictly within an episode find it.",
            "Who marked the start and end of an episode, and to which second are they sure?",
        ),
        Mistake(
            "late alarms thrown away",
            _late_thrown_away,
            "An alarm soon after an episode is counted as false: the tolerance works at the start only.",
            "On which sides of an episode does the tolerance reach?",
        ),
        Mistake(
            "from first to last",
            _first_to_last,
            "The hours run from the first switching on to the last switching off, gaps included.",
            "How many false alarms can a camera raise while it is off?",
        ),
        Mistake(
            "from frame to frame",
            _frame_to_frame,
            "The hours run from the first frame with a face to the last one.",
            "The camera runs, and nobody comes: are these hours in which a false alarm could have happened?",
        ),
        Mistake(
            "hours of frames",
            _hours_of_frames,
            "The hours are counted from the rows of `frames`.",
            "How many rows does an hour in an empty lobby give, and with eight people in view?",
        ),
        Mistake(
            "nothing is zero",
            _nothing_is_zero,
            "Where there is nothing to count, you report 0.",
            "Is a detector that had nobody to find as bad as one that found nobody?",
        ),
    ),
    hints=(
        "Three steps: detections to alarms, alarms to episodes, counts to a share and a rate. Which column"
        " keeps visitors apart?",
        "Sort the detections by visit and time: a new alarm begins where the visit changes or the time since"
        " the row before exceeds `debounce`. Then go through the alarms in the order of time and cross off"
        " what they find.",
        "new = (visit != visit.shift()) | (time.diff() > debounce). For each alarm: the episodes with free &"
        " same visit & start - tolerance <= time <= end + tolerance; cross off the first. Hours are the sum"
        " of end - start over `uptime`, divided by 3,600; return NaN where a divisor is 0.",
    ),
)
