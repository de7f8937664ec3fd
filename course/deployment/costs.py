"""What the robot does about a visitor, and what that costs.

Three actions: carry on, keep distance, back off. An angry visitor with whom the robot carries on has been
missed; keeping distance costs the same flat sum for everybody; backing off costs only where it was needless.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from course import scenario

CARRY_ON, KEEP_DISTANCE, BACK_OFF = 0, 1, 2
ACTIONS = ("carry on", "keep distance", "back off")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and bool(value == value)


@dataclass(frozen=True)
class Costs:
    """Euros: an angry visitor missed, a calm one backed off from, keeping distance from anybody."""

    missed: float = scenario.COST_MISSED
    needless: float = scenario.COST_NEEDLESS
    distance: float = scenario.COST_DISTANCE

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (_is_number(value) and value >= 0):
                raise ValueError(f"{field.name} is {value!r}; accepted are euros, 0 or more.")

    def thresholds(self) -> tuple[float, float]:
        """Return the calibrated probabilities from which keeping distance and backing off cost least.

        Where the middle action never pays, both are the one from which to back off.
        """
        keep = self.distance / self.missed if self.missed else np.inf
        back = 1 - self.distance / self.needless if self.needless else -np.inf
        if keep < back:
            return round(keep, 12), round(back, 12)
        both = self.needless + self.missed
        return (self.needless / both,) * 2 if both else (1.0, 1.0)


@dataclass(frozen=True)
class Outcome:
    """What happened in so many hours of operation; counts may be expected ones, so not whole.

    hours: hours of operation.  visits, angry: visits, and those with perceived anger.
    missed: angry visitors with whom the robot carried on, or to whom it reacted too late.
    wrong: visits in which it carried on with an angry visitor or acted on a calm one, in time or not.
    needless: calm visitors from whom it backed off.  distance: visitors from whom it kept distance.
    costs: the prices that turn these into euros.
    """

    hours: float
    visits: float
    angry: float
    missed: float
    needless: float
    distance: float
    wrong: float
    costs: Costs = Costs()

    @property
    def recall(self) -> float:
        """Share of angry visitors noticed in time, 0-1; NaN without any."""
        return 1 - self.missed / self.angry if self.angry else float("nan")

    @property
    def accuracy(self) -> float:
        """Share of visits in which it acted on anger or carried on with a calm visitor, 0-1."""
        return 1 - self.wrong / self.visits

    @property
    def needless_an_hour(self) -> float:
        """Needless back-offs an hour of operation."""
        return self.needless / self.hours

    @property
    def euros_an_hour(self) -> float:
        """Euros an hour of operation."""
        costs = self.costs
        total = self.missed * costs.missed + self.needless * costs.needless + self.distance * costs.distance
        return total / self.hours

    def __add__(self, other: Outcome) -> Outcome:
        """Return both stretches of operation as one, at the prices of the first."""
        counts = (
            getattr(self, field.name) + getattr(other, field.name)
            for field in fields(self)
            if field.name != "costs"
        )
        return Outcome(*counts, costs=self.costs)

    def __str__(self) -> str:
        """Return one readable line."""
        return (
            f"€ {self.euros_an_hour:.2f} an hour: {self.recall:.0%} of angry visitors noticed in time,"
            f" {self.needless_an_hour:.1f} needless back-offs and"
            f" {self.distance / self.hours:.1f} times kept distance an hour"
        )


def decide(probability: np.ndarray, keep_distance_from: float, back_off_from: float) -> np.ndarray:
    """Return the action on each visit, int [n]: 0 carry on, 1 keep distance, 2 back off.

    probability: float [n]. Where keeping distance would start above backing off, it never happens.
    """
    probability = np.asarray(probability, dtype=float)
    actions = np.where(probability >= keep_distance_from, KEEP_DISTANCE, CARRY_ON)
    return np.where(probability >= back_off_from, BACK_OFF, actions)


def tally(
    actions: np.ndarray,
    angry: np.ndarray,
    hours: float,
    costs: Costs | None = None,
    in_time: np.ndarray | None = None,
) -> Outcome:
    """Count what actions led to.

    Args:
        actions: int [n], as `decide` gives them.
        angry: bool [n].
        hours: hours of operation in which these visits happened, above 0.
        costs: the scenario's when absent.
        in_time: bool [n], whether a reaction came in time; all did when absent. A late one helps nobody:
            the angry visitor is missed, and what it cost is still spent.

    Raises:
        ValueError: when the lengths differ or hours is not above 0.

    """
    actions, angry = np.asarray(actions), np.asarray(angry, dtype=bool)
    if actions.shape != angry.shape:
        raise ValueError(f"actions has shape {actions.shape}; accepted is that of angry, {angry.shape}.")
    if not (_is_number(hours) and hours > 0):
        raise ValueError(f"hours is {hours!r}; accepted is a number above 0.")
    noticed = actions != CARRY_ON
    if in_time is not None:
        noticed = noticed & np.asarray(in_time, dtype=bool)
    return Outcome(
        hours=float(hours),
        visits=float(angry.size),
        angry=float(angry.sum()),
        missed=float((angry & ~noticed).sum()),
        needless=float((~angry & (actions == BACK_OFF)).sum()),
        distance=float((actions == KEEP_DISTANCE).sum()),
        wrong=float(((actions != CARRY_ON) != angry).sum()),
        costs=costs or Costs(),
    )
