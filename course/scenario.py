"""The running example in numbers: a robot in a public lobby that backs off from an angry visitor.

Every stage takes its numbers from here, so that all stages agree. "Angry" means that annotators under the
written guideline would say so; what a visitor feels is nobody's measurement.
"""

from __future__ import annotations

# --- The lobby ------------------------------------------------------------------------------------------
HOURS_A_DAY = 12
"""Hours a day in which the robot works."""

VISITS_AN_HOUR = 120
"""Visits an hour."""

VISIT_SECONDS = 20.0
"""How long a visit lasts, about."""

FRAMES_A_SECOND = 5
"""Frames a second that the robot looks at."""

FACES_AT_PEAK = 8
"""Faces in view at once at the busiest time of an ordinary day (0.67 on average)."""

FACES_AT_AN_EVENT = 40
"""Faces in view at once when the lobby holds an event."""

# --- Anger ----------------------------------------------------------------------------------------------
ANGRY_VISITS = 0.01
"""Share of visits with perceived anger."""

ANGRY_SECONDS = 6.0
"""How long the anger in such a visit can be seen, about."""

ANGRY_FRAMES = 0.003
"""Share of face-frames with perceived anger."""

ANGRY_POOL = 0.08
"""Share of angry faces in the pool that was collected for training."""

ANGRY_BALANCED = 0.5
"""Share of angry faces in a balanced test set."""

# --- Actions and costs ----------------------------------------------------------------------------------
COST_MISSED = 4.0
"""Euros for an angry visitor whom the robot does not notice."""

COST_NEEDLESS = 0.25
"""Euros for backing off from a calm visitor."""

COST_DISTANCE = 0.2
"""Euros for keeping distance from a visitor, angry or calm: the action in the middle."""

KEEP_DISTANCE_FROM = 0.05
"""Calibrated probability of an angry visit from which keeping distance costs least."""

BACK_OFF_FROM = 0.2
"""Calibrated probability of an angry visit from which backing off costs least, with the middle action."""

FALSE_ALARMS_AN_HOUR = 3.0
"""False alarms an hour at which the recall of episodes is reported."""

RECALL_ENOUGH = 0.6
"""Recall of episodes, at that many false alarms, that is good enough; what lies above counts no more."""

LOW_BROW_RATIO = 1.5
"""Guardrail: false back-offs for people with a low resting brow, at most so many times the average."""

# --- Reaction -------------------------------------------------------------------------------------------
REACTION_MS = 1500
"""Milliseconds from the anger to the robot's move that 99 reactions of 100 must keep."""

STEPS_MS = {"wait for a frame": 200, "camera": 33, "find the faces": 60, "eight faces": 64, "motion": 200}
"""Milliseconds that each step takes, apart from the window; the wait for a frame is the longest one."""

WINDOW_FRAMES = 5
"""Frames that are looked at together; each after the first adds one interval between frames."""

# --- Device ---------------------------------------------------------------------------------------------
WEIGHT_BYTES = 250_000
"""Bytes of int8 weights that fit the robot's Arm processor."""

MULTIPLY_ADDS = 20_000_000
"""Multiply-adds a face that one core of it can take."""

# --- Fleet and upkeep -----------------------------------------------------------------------------------
SITES = 20
"""Lobbies with robots."""

ROBOTS_A_SITE = 2
"""Robots in each lobby."""

VOTE_PRICE = 0.08
"""Euros for one annotator's vote on one face."""

AUDIT_PRICE = 1.0
"""Euros for an audited clip."""

AUDITS_A_WEEK = 200
"""Clips that are audited a week."""

LABEL_DELAY_DAYS = 7
"""Days from a recording to its label."""

PAGE_PRICE = 60.0
"""Euros for calling someone at night."""

RETRAINING_PRICE = 3000.0
"""Euros for training and releasing a model anew."""


def cost_of_doing_nothing() -> float:
    """Return euros an hour when the robot never reacts: every angry visitor is missed."""
    return VISITS_AN_HOUR * ANGRY_VISITS * COST_MISSED


def cost_of_always_backing_off() -> float:
    """Return euros an hour when the robot backs off from everyone."""
    return VISITS_AN_HOUR * (1 - ANGRY_VISITS) * COST_NEEDLESS


def break_even() -> float:
    """Return the probability of anger, 0-1, from which backing off costs less than carrying on."""
    return COST_NEEDLESS / (COST_NEEDLESS + COST_MISSED)


def window_ms(frames: int = WINDOW_FRAMES) -> float:
    """Return milliseconds from the first to the last frame of a window."""
    return (frames - 1) * 1000 / FRAMES_A_SECOND


def reaction_ms(frames: int = WINDOW_FRAMES) -> float:
    """Return milliseconds from the anger to the move of the robot, every step at its slowest."""
    return sum(STEPS_MS.values()) + window_ms(frames)
