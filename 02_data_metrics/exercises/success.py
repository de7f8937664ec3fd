"""When is the robot a success? Euros per operating hour, counted from its log."""

import numbers

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, told_apart


def cost_an_hour(actions, anger, uptime, prices):
    """What the robot's decisions cost per operating hour, in euros.

    actions: DataFrame, one row per entry of the robot's log in the order of time, columns
        time (datetime64), visit (int), action ("keep distance" or "back off"). A visit may
        have several entries, or none when the robot carried on.
    anger: DataFrame, one row per visit that observers in the lobby called angry, columns
        time (datetime64), visit (int). The observers were there all day, the robot was not.
    uptime: DataFrame, one row per interval in which the robot ran, columns start and end
        (datetime64). No visit lies across their edges.
    prices: dict of floats, euros. "missed": the robot ran and carried on with an angry
        visitor. "needless": it backed off from a calm one; from an angry one that is free.
        "distance": it kept distance from anybody, angry or calm, and did not back off.

    Each visit counts once, by the strongest action that was taken. Returns a float, not
    rounded; NaN for a robot that never ran.
    """
    backed_off = set(actions["visit"][actions["action"] == "back off"])
    kept_distance = set(actions["visit"]) - backed_off
    at, start, end = (
        anger["time"].to_numpy()[:, None],
        *uptime[["start", "end"]].to_numpy().T,
    )
    ran = ((start <= at) & (at <= end)).any(axis=1)
    missed = set(anger["visit"][ran]) - backed_off - kept_distance
    euros = prices["missed"] * len(missed)
    euros += prices["needless"] * len(backed_off - set(anger["visit"]))
    euros += prices["distance"] * len(kept_distance)
    hours = (uptime["end"] - uptime["start"]).sum() / pd.Timedelta(hours=1)
    return euros / hours if hours else np.nan


# How the robot is set: days, shares of a day in which it runs, and the probabilities from which it acts.
SETTINGS = (
    ("a week in which the robot was off now and then", 7, (0.4, 0.9), 0.05, 0.2),
    ("days of very different length", 5, (0.1, 1.0), 0.03, 0.12),
    ("an eager robot", 4, (0.5, 0.9), 0.015, 0.06),
    ("robots that never acted or never ran", 3, (0.4, 0.9), 1.1, 1.1),
    ("robots that never acted or never ran", 0, (0.4, 0.9), 0.05, 0.2),
)


def cases(rng):
    """Return fresh logs of five robots, at fresh prices."""
    from course import scenario
    from course.deployment import streams

    for about, days, share_on, near, off in SETTINGS:
        log = streams.sample_log(
            rng,
            days,
            share_on=share_on,
            auc=0.93,
            angry_visits=0.02,
            keep_distance_from=near,
            back_off_from=off,
            first_day=f"2025-0{rng.integers(1, 10)}-{rng.integers(10, 20)}",
        )
        usual = {
            "missed": scenario.COST_MISSED,
            "needless": scenario.COST_NEEDLESS,
            "distance": scenario.COST_DISTANCE,
        }
        prices = {
            name: round(price * rng.uniform(0.8, 1.25), 2) for name, price in usual.items()
        }
        actions = _some_calm_down(rng, log.actions)
        yield Case(inputs=(actions, log.anger, log.uptime, prices), about=about)


def _some_calm_down(rng, actions):
    """Return the log with the order of actions turned round in half of the visits."""
    half = rng.permutation(actions["visit"].unique())[::2]
    turned = actions["visit"].isin(half)
    entries = actions.loc[turned].groupby("visit")["action"]
    actions = actions.copy()
    actions.loc[turned, "action"] = entries.transform(
        lambda action: action.to_numpy()[::-1]
    )
    return actions


def describe(key, got, expected):
    """Say what was returned and what is right."""
    if not isinstance(got, numbers.Real):
        return f"For {key} you return a {type(got).__name__}, not a number."
    mine, right = told_apart(got, expected)
    return f"For {key} you return {mine} where {right} is right."


def _hours(uptime):
    return (uptime["end"] - uptime["start"]).dt.total_seconds().sum() / 3600


def _while_on(table, uptime):
    on = np.zeros(len(table), dtype=bool)
    for start, end in uptime.itertuples(index=False):
        on |= table["time"].between(start, end).to_numpy()
    return table[on]


def _visits(actions, anger, uptime):
    """Return one row per visit that acted or was angry while the robot ran: off, near, angry (bool)."""
    entry = actions["action"]
    off, near = (
        actions["visit"][entry == "back off"],
        actions["visit"][entry == "keep distance"],
    )
    angry = _while_on(anger, uptime)["visit"]
    visits = pd.DataFrame({"visit": np.union1d(actions["visit"], angry)})
    columns = {"off": off, "near": near, "angry": angry}
    return visits.assign(
        **{name: visits["visit"].isin(these) for name, these in columns.items()}
    )


def _each_pays(visits, prices):
    """Return euros of each visit."""
    by_calm = np.where(visits["near"], prices["distance"], 0.0)
    by_angry = np.where(visits["near"], prices["distance"], prices["missed"])
    backed = np.where(visits["angry"], 0.0, prices["needless"])
    return np.where(visits["off"], backed, np.where(visits["angry"], by_angry, by_calm))


def _divided(euros, hours):
    return float(euros / hours) if hours > 0 else float("nan")


def _by_table(actions, anger, uptime, prices):
    return _divided(
        _each_pays(_visits(actions, anger, uptime), prices).sum(), _hours(uptime)
    )


def _by_loop(actions, anger, uptime, prices):
    """Keep the strongest action of each visit in a dict, then go through all visits."""
    strongest = {}
    for entry in actions.itertuples():
        if strongest.get(entry.visit) != "back off":
            strongest[entry.visit] = entry.action
    angry, euros = set(anger["visit"]), 0.0
    for visit, action in strongest.items():
        if action == "keep distance":
            euros += prices["distance"]
        elif visit not in angry:
            euros += prices["needless"]
    euros += prices["missed"] * sum(
        v not in strongest for v in _while_on(anger, uptime)["visit"]
    )
    return euros / _hours(uptime) if len(uptime) else np.nan


def _no_exposure(actions, anger, uptime, prices):
    return _by_table(actions, anger, uptime, prices) * _hours(uptime)


def _calendar(actions, anger, uptime, prices):
    span = (uptime["end"].max() - uptime["start"].min()) / pd.Timedelta(hours=1)
    return _divided(_no_exposure(actions, anger, uptime, prices), span)


def _hours_of_the_log(actions, anger, uptime, prices):
    span = (actions["time"].max() - actions["time"].min()) / pd.Timedelta(hours=1)
    return _divided(_no_exposure(actions, anger, uptime, prices), span)


def _opening_hours(actions, anger, uptime, prices):
    from course.scenario import HOURS_A_DAY

    days = uptime["start"].dt.date.nunique()
    return _divided(_no_exposure(actions, anger, uptime, prices), days * HOURS_A_DAY)


def _mean_of_days(actions, anger, uptime, prices):
    rates = [
        _by_table(
            actions[actions["time"].dt.date == day],
            anger[anger["time"].dt.date == day],
            ran,
            prices,
        )
        for day, ran in uptime.groupby(uptime["start"].dt.date)
    ]
    return float(np.mean(rates)) if rates else float("nan")


def _middle_is_free(actions, anger, uptime, prices):
    return _by_table(actions, anger, uptime, prices | {"distance": 0.0})


def _every_entry_pays(actions, anger, uptime, prices):
    per_visit = _no_exposure(
        actions[:0], anger[~anger["visit"].isin(actions["visit"])], uptime, prices
    )
    calm = ~actions["visit"].isin(anger["visit"])
    off = actions["action"] == "back off"
    euros = (
        per_visit
        + prices["needless"] * (off & calm).sum()
        + prices["distance"] * (~off).sum()
    )
    return _divided(euros, _hours(uptime))


def _first_entry(actions, anger, uptime, prices):
    return _by_table(actions.drop_duplicates("visit"), anger, uptime, prices)


def _last_entry(actions, anger, uptime, prices):
    return _by_table(actions.drop_duplicates("visit", keep="last"), anger, uptime, prices)


def _only_the_log(actions, anger, uptime, prices):
    return _by_table(actions, anger[anger["visit"].isin(actions["visit"])], uptime, prices)


def _missed_while_off(actions, anger, uptime, prices):
    visits = _visits(actions, anger, uptime)
    asleep = set(anger["visit"]) - set(visits["visit"][visits["angry"]])
    euros = _each_pays(visits, prices).sum() + prices["missed"] * len(asleep)
    return _divided(euros, _hours(uptime))


def _distance_misses(actions, anger, uptime, prices):
    visits = _visits(actions, anger, uptime)
    euros = _each_pays(visits, prices).sum()
    twice = (visits["angry"] & visits["near"] & ~visits["off"]).sum()
    return _divided(euros + prices["missed"] * twice, _hours(uptime))


def _right_alarms_pay(actions, anger, uptime, prices):
    visits = _visits(actions, anger, uptime)
    euros = (
        _each_pays(visits, prices).sum()
        + prices["needless"] * (visits["angry"] & visits["off"]).sum()
    )
    return _divided(euros, _hours(uptime))


exercise = Exercise(
    title="Euros per operating hour",
    questions=("2.9",),
    points=3,
    minutes=9,
    reference=cost_an_hour,
    cases=cases,
    describe=describe,
    returns="a float, euros per hour in which the robot ran; NaN if it never did",
    praise="Consequences, priced, per hour in which they could happen: two robots can be compared by that.",
    right=(_by_table, _by_loop),
    mistakes=(
        Mistake(
            "no exposure",
            _no_exposure,
            "You return the euros of the whole log, whatever its length.",
            "Which of two robots does better: € 40 in ten hours, or € 60 in thirty?",
        ),
        Mistake(
            "calendar time",
            _calendar,
            "You divide by all the time from the first start to the last end, nights and pauses included.",
            "What can a robot that is switched off do wrong at three in the morning?",
        ),
        Mistake(
            "from entry to entry",
            _hours_of_the_log,
            "You divide by the time from the first entry of the log to the last.",
            "What does a log without an entry say about the hours in which the robot ran?",
        ),
        Mistake(
            "opening hours",
            _opening_hours,
            "You divide by the opening hours of the lobby, not by the hours in which the robot ran.",
            "If it is switched off at noon, does its afternoon count as faultless?",
        ),
        Mistake(
            "mean of days",
            _mean_of_days,
            "You take the rate of each day and then the mean, so an hour of a short day weighs more.",
            "Should one bad hour on a day of one hour count as much as ten bad hours on another?",
        ),
        Mistake(
            "the middle is free",
            _middle_is_free,
            "Keeping distance costs nothing in your count.",
            "If keeping distance were free, from whom would the robot not keep it?",
        ),
        Mistake(
            "every entry pays",
            _every_entry_pays,
            "Every row of the log pays, so one visit pays several times.",
            "How many visitors stand behind three entries with the same visit number?",
        ),
        Mistake(
            "first entry counts",
            _first_entry,
            "Only the first entry of a visit counts, though many of them went on to a stronger action.",
            "The robot kept distance and then backed off: which of the two did the visitor live through?",
        ),
        Mistake(
            "last entry counts",
            _last_entry,
            "Only the last entry of a visit counts, though some had a stronger action before it.",
            "The robot backed off, came closer and kept distance: what was the most that it did?",
        ),
        Mistake(
            "only what is in the log",
            _only_the_log,
            "Angry visitors without an entry in the log cost nothing.",
            "Where in its own log does a robot write down what it did not notice?",
        ),
        Mistake(
            "missed while off",
            _missed_while_off,
            "Angry visitors who came while the robot was off are counted as missed.",
            "Your divisor holds only the hours in which it ran: in which hours may the misses happen?",
        ),
        Mistake(
            "distance misses",
            _distance_misses,
            "An angry visitor from whom the robot kept distance pays for the distance and as missed.",
            "What does the price list say about keeping distance from somebody angry?",
        ),
        Mistake(
            "right alarms pay",
            _right_alarms_pay,
            "Backing off from an angry visitor is paid for as needless.",
            "What is the robot there for?",
        ),
    ),
    hints=(
        "Two questions: what did each visit cost, and in how many hours could it happen? The log alone"
        " answers neither.",
        "Make sets of visit numbers: backed off; kept distance without backing off; angry while the robot"
        " ran. Then each of the three prices goes with the size of one difference of sets.",
        "missed = angry while on - backed off - kept distance; needless = backed off - angry. Hours are the"
        " sum of end - start over `uptime`, divided by pd.Timedelta(hours=1); NaN if that is 0.",
    ),
)
