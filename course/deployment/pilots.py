"""After the pilot: does the success bar of a specification keep what helps and send back what does not?

A bar is a decision rule. It is tried on deliveries as they happen: one that is as promised, and some that
look finished and are not. What passes goes on working in the lobby; what does not pass stays out.
"""

from __future__ import annotations

import functools
from dataclasses import replace

import pandas as pd

from course import scenario
from course.deployment.costs import Outcome
from course.deployment.month import DAYS, best_design, delivered, long_run
from course.deployment.spec import AFTERWARDS, METRICS, ProblemSpec

DELIVERIES = {
    "as promised": (1.0, scenario.ANGRY_VISITS),
    "sees little": (0.2, scenario.ANGRY_VISITS),
    "calibrated to a balanced set": (1.0, scenario.ANGRY_BALANCED),
    "never says angry": (1.0, 1e-9),
}
"""What a team may hand over: the share of the promised distance, the share of anger it is calibrated to."""


def measured(metric: str, outcome: Outcome) -> float:
    """Return what an outcome is by one of `METRICS`.

    Raises:
        ValueError: for another metric.

    """
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; accepted are {', '.join(map(repr, METRICS))}.")
    quiet = outcome.needless_an_hour <= scenario.FALSE_ALARMS_AN_HOUR
    return {
        "euros an hour": outcome.euros_an_hour,
        "recall": outcome.recall,
        "needless back-offs an hour": outcome.needless_an_hour,
        "accuracy": outcome.accuracy,
        "recall at 3 false alarms an hour": outcome.recall if quiet else 0.0,
    }[metric]


@functools.cache
def pilot(delivery: str, design: ProblemSpec | None = None) -> Outcome:
    """Return an average hour of a pilot with one of `DELIVERIES`: all robots, so hardly any luck.

    design: what was asked for; the best design when absent.

    Raises:
        ValueError: for another name of a delivery.

    """
    if delivery not in DELIVERIES:
        raise ValueError(f"delivery is {delivery!r}; accepted are {', '.join(map(repr, DELIVERIES))}.")
    design = design or best_design()
    kept, prior = DELIVERIES[delivery]
    return long_run(design, detector=replace(delivered(design), kept=kept), prior=prior).outcome


def passes(spec: ProblemSpec, outcome: Outcome) -> bool:
    """Return whether a pilot meets the specification's success bar; one set afterwards is always met."""
    if spec.success_bar == AFTERWARDS:
        return True
    value, bar = measured(spec.success_metric, outcome), float(spec.success_bar)
    return value <= bar if METRICS[spec.success_metric] == "at most" else value >= bar


def upkeep() -> float:
    """Return the euros an hour and robot that a detector at work costs, whatever it does.

    One release a month and the weekly audits, shared by all robots of the fleet.
    """
    robots = scenario.SITES * scenario.ROBOTS_A_SITE
    week = 7 * scenario.HOURS_A_DAY * robots
    audits = scenario.AUDITS_A_WEEK * scenario.AUDIT_PRICE / week
    return audits + scenario.RETRAINING_PRICE / (DAYS * scenario.HOURS_A_DAY * robots)


def decisions(spec: ProblemSpec) -> pd.DataFrame:
    """Return what a specification's bar decides about the pilots, and what that costs.

    Returns:
        A DataFrame, index delivery, columns measured (float), passes (bool), with it (euros an hour when it
        works on, with upkeep), without it (when nothing is done), regret (euros an hour lost by deciding so).

    """
    nothing, rows = scenario.cost_of_doing_nothing(), {}
    for delivery in DELIVERIES:
        outcome = pilot(delivery)
        ships, cost = passes(spec, outcome), outcome.euros_an_hour + upkeep()
        rows[delivery] = {
            "measured": measured(spec.success_metric, outcome),
            "passes": ships,
            "with it": cost,
            "without it": nothing,
            "regret": (cost if ships else nothing) - min(cost, nothing),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("delivery")
