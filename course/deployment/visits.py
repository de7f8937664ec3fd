"""Visits to the lobby, and the scores that a detector gives them.

One row is one visit of about twenty seconds, not one frame: that is what actions and costs attach to, and a
robot's month is 43,200 rows. Scores are *binormal*: calm visits score around 0, angry ones around a
`distance` above, both with a spread of 1. What makes faces hard shifts and widens them; by how much is an
assumption of this course.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr, ndtri

from course import scenario
from course.deployment.costs import CARRY_ON, KEEP_DISTANCE, Costs, Outcome

# How busy each of the twelve hours is; the mean is 1.
_BUSY = np.array([0.6, 0.9, 1.1, 1.0, 1.3, 1.5, 1.2, 0.9, 0.9, 1.0, 1.0, 0.6])
_OCCLUSIONS = ("none", "mask", "hand", "scarf")
POOR_LIGHT = 0.4
"""Level of light, 1 = usual, below which the light is called poor."""
HARD = ("as usual", "carry on", "keep distance")
"""What the robot may do about faces outside its envelope (poor light, covered)."""


@dataclass(frozen=True)
class Lobby:
    """A place: shares are of visits, 0-1.

    angry: visits with perceived anger.  low_brow: people with a low resting brow.
    poor_light, covered: visits in poor light, and with a covered face (mask, hand, scarf).
    groups: visits that are part of a group, with five to eight faces in view.
    """

    visits_an_hour: int = scenario.VISITS_AN_HOUR
    angry: float = scenario.ANGRY_VISITS
    low_brow: float = 0.15
    poor_light: float = 0.08
    covered: float = 0.06
    groups: float = 0.03
    costs: Costs = field(default_factory=Costs)

    def __post_init__(self) -> None:
        for name in ("angry", "low_brow", "poor_light", "covered", "groups"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is {value!r}; accepted is a share of visits, 0 to 1.")

    @property
    def hard(self) -> float:
        """Share of visits outside the envelope: in poor light, covered, or both."""
        return 1 - (1 - self.poor_light) * (1 - self.covered)


def draw_visits(rng: np.random.Generator, days: int = 30, lobby: Lobby | None = None) -> pd.DataFrame:
    """Return visits in order of time, a row each.

    Columns: visit (int, the index), day (int from 0), hour (int 0-11 of the working day), person (int; some
    come often), low_brow (bool), light (float, 1 = usual), occlusion (category: none, mask, hand, scarf),
    faces (int, in view at once), angry (bool: annotators under the guideline would say so).

    Raises:
        ValueError: when days is below 1.

    """
    lobby = lobby or Lobby()
    if days < 1:
        raise ValueError(f"days is {days!r}; accepted is a whole number of 1 or more.")
    a_day = scenario.HOURS_A_DAY * lobby.visits_an_hour
    n = days * a_day
    hour = np.sort(rng.choice(len(_BUSY), (days, a_day), p=_BUSY / _BUSY.sum()), axis=1).ravel()
    people = max(n // 4, 1)
    # A quarter of the visits are by people who come every day or so.
    person = np.where(
        rng.random(n) < 0.25, rng.integers(0, max(people // 30, 1), n), rng.integers(0, people, n)
    )
    in_view = lobby.visits_an_hour * scenario.VISIT_SECONDS / 3600
    faces = 1 + rng.poisson(in_view * _BUSY[hour])
    grouped = rng.random(n) < lobby.groups
    faces = np.where(grouped, rng.integers(5, scenario.FACES_AT_PEAK + 1, n), faces)
    poor = rng.random(n) < lobby.poor_light
    covered = rng.random(n) < lobby.covered
    return pd.DataFrame(
        {
            "day": np.repeat(np.arange(days), a_day),
            "hour": hour,
            "person": person,
            "low_brow": (rng.random(people) < lobby.low_brow)[person],
            "light": np.where(poor, rng.uniform(0.1, POOR_LIGHT, n), rng.uniform(POOR_LIGHT, 1.4, n)),
            "occlusion": pd.Categorical.from_codes(
                np.where(covered, rng.integers(1, len(_OCCLUSIONS), n), 0), _OCCLUSIONS
            ),
            "faces": np.minimum(faces, scenario.FACES_AT_PEAK),
            "angry": rng.random(n) < lobby.angry,
        },
        index=pd.RangeIndex(n, name="visit"),
    )


def outside_envelope(visits: pd.DataFrame) -> np.ndarray:
    """Return whether each visit is in poor light or with a covered face, bool [n]."""
    return (visits["light"].to_numpy() < POOR_LIGHT) | (visits["occlusion"] != "none").to_numpy()


@dataclass(frozen=True)
class Detector:
    """How the score of a visit comes about.

    distance: between the mean scores of angry and calm visits, in standard deviations, above 0.
    low_brow: by how much a low resting brow raises the score of a *calm* visit.
    hard_kept: share of the distance that is left in poor light or with a covered face.
    hard_spread: standard deviation of scores there, both kinds (1 elsewhere).
    kept: share of the distance that is left everywhere, while probabilities are computed as if all were.
    """

    distance: float
    low_brow: float = 0.0
    hard_kept: float = 1.0
    hard_spread: float = 1.0
    kept: float = 1.0

    def __post_init__(self) -> None:
        if not self.distance > 0:
            raise ValueError(f"distance is {self.distance!r}; accepted is a number above 0.")

    @classmethod
    def from_auc(cls, auc: float) -> Detector:
        """Return the detector without weak spots whose area under the ROC curve is `auc`, 0.5-1."""
        if not 0.5 < auc < 1:
            raise ValueError(f"auc is {auc!r}; accepted is a number between 0.5 and 1.")
        return cls(float(np.sqrt(2) * ndtri(auc)))

    @property
    def auc(self) -> float:
        """Area under the ROC curve where nothing makes it hard."""
        return float(ndtr(self.distance * self.kept / np.sqrt(2)))

    def score(self, rng: np.random.Generator, visits: pd.DataFrame) -> np.ndarray:
        """Return a score for each visit, float [n]; visits: as from `draw_visits`."""
        kinds = (visits["angry"].to_numpy(), outside_envelope(visits), visits["low_brow"].to_numpy())
        mean, spread = self.mean_and_spread(*kinds)
        return mean + spread * rng.standard_normal(len(visits))

    def mean_and_spread(
        self, angry: np.ndarray, hard: np.ndarray, low_brow: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of the scores of such visits, floats [n] each; all bool [n]."""
        mean = np.where(angry, self.distance * self.kept * np.where(hard, self.hard_kept, 1.0), 0.0)
        mean += np.where(low_brow & ~angry, self.low_brow, 0.0)
        return mean, np.where(hard, self.hard_spread, 1.0)

    def probability(self, score: np.ndarray, prevalence: float) -> np.ndarray:
        """Return the probability of anger that a score stands for where nothing makes it hard, 0-1."""
        d = self.distance
        return expit(d * np.asarray(score, dtype=float) - d * d / 2 + logit(prevalence))

    def score_at(self, probability: float, prevalence: float) -> float:
        """Return the score that stands for a probability: the inverse of `probability`."""
        d = self.distance
        return float((logit(np.clip(probability, 0, 1)) - logit(prevalence) + d * d / 2) / d)


def expected(
    detector: Detector,
    lobby: Lobby,
    keep_distance_from: float,
    back_off_from: float,
    hard: str = "as usual",
    late: float = 0.0,
) -> Outcome:
    """Return what an hour brings on average, without drawing visits.

    Args:
        detector: gives probabilities that are calibrated for this lobby's prevalence where nothing is hard.
        lobby: the place.
        keep_distance_from, back_off_from: probabilities, 0-1; above 1 means never.
        hard: what to do about faces in poor light or covered: "as usual", "carry on", "keep distance".
        late: share of reactions that come too late, 0-1.

    """
    back, keep = (
        detector.score_at(p, lobby.angry) if p <= 1 else np.inf for p in (back_off_from, keep_distance_from)
    )
    # Eight kinds of visits: angry or calm × outside the envelope or not × low resting brow or not.
    is_angry, is_hard, is_low = np.indices((2, 2, 2)).reshape(3, 8).astype(bool)
    n = float(lobby.visits_an_hour)
    for kind, share in ((is_angry, lobby.angry), (is_hard, lobby.hard), (is_low, lobby.low_brow)):
        n = n * np.where(kind, share, 1 - share)
    mean, spread = detector.mean_and_spread(is_angry, is_hard, is_low)
    backs, acts = (ndtr((mean - threshold) / spread) for threshold in (back, min(back, keep)))
    if hard != "as usual":
        backs, acts = np.where(is_hard, 0.0, backs), np.where(is_hard, hard == "keep distance", acts)
    missed = (n * is_angry * (1 - acts * (1 - late))).sum()
    needless = (n * ~is_angry * backs).sum()
    distance = (n * (acts - backs)).sum()
    angry = lobby.visits_an_hour * lobby.angry
    wrong = (n * np.where(is_angry, 1 - acts, acts)).sum()
    counts = (lobby.visits_an_hour, angry, missed, needless, distance, wrong)
    return Outcome(1.0, *map(float, counts), costs=lobby.costs)


def hard_actions(actions: np.ndarray, visits: pd.DataFrame, hard: str) -> np.ndarray:
    """Return actions, int [n], with those on faces outside the envelope replaced as `hard` says.

    Raises:
        ValueError: when hard is none of "as usual", "carry on", "keep distance".

    """
    if hard not in HARD:
        raise ValueError(f"hard is {hard!r}; accepted are {', '.join(map(repr, HARD))}.")
    if hard == "as usual":
        return actions
    fixed = KEEP_DISTANCE if hard == "keep distance" else CARRY_ON
    return np.where(outside_envelope(visits), fixed, actions)


def calm_lobby(lobby: Lobby) -> Lobby:
    """Return the same place without anything that makes faces hard: the one the anchors hold for."""
    return replace(lobby, low_brow=0.0, poor_light=0.0, covered=0.0)
