"""The running example in numbers: a robot in a public lobby that backs off from an angry visitor.

Every stage takes its numbers from here, so that all stages agree. "Angry" means that annotators under the
written guideline would say so; what a visitor feels is nobody's measurement.
"""

from __future__ import annotations

VISITS_AN_HOUR = 120
"""Visits of about 20 seconds each, 12 hours a day."""

ANGRY_VISITS = 0.01
"""Share of visits with perceived anger, for about 6 seconds each."""

ANGRY_FRAMES = 0.003
"""Share of face-frames with perceived anger."""

COST_MISSED = 4.0
"""Euros for an angry visitor whom the robot does not notice."""

COST_NEEDLESS = 0.25
"""Euros for backing off from a calm visitor."""

VOTE_PRICE = 0.08
"""Euros for one annotator's vote on one face."""


def cost_of_doing_nothing() -> float:
    """Return euros an hour when the robot never reacts: every angry visitor is missed."""
    return VISITS_AN_HOUR * ANGRY_VISITS * COST_MISSED


def break_even() -> float:
    """Return the probability of anger, 0-1, from which backing off costs less than carrying on."""
    return COST_NEEDLESS / (COST_NEEDLESS + COST_MISSED)
