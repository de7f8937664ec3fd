"""Thirty days in the lobby under a specification: what it leads to, and what the best one would have led to.

What a team delivers is as good as the specification lets it be: a larger model, a longer window and a better
formulation bring the scores of angry and calm visits further apart, as far as device and deadline allow.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from course import scenario
from course.deployment import formulations as forms
from course.deployment.costs import BACK_OFF, CARRY_ON, Outcome, decide, tally
from course.deployment.devices import DEVICES
from course.deployment.spec import ProblemSpec
from course.deployment.visits import HARD, Detector, Lobby, draw_visits, expected, hard_actions

DAYS = 30


@dataclass(frozen=True)
class Month:
    """What a month under a specification brought.

    outcome: counts and euros.  stopped: why the robot was never switched on; "" when it was.
    late: share of reactions after the scenario's deadline, 0-1.  p99_ms: what 99 of 100 reactions kept, ms.
    low_brow_ratio: needless back-offs for people with a low resting brow, times the average; NaN without any.
    """

    outcome: Outcome
    stopped: str
    late: float
    p99_ms: float
    low_brow_ratio: float

    def __str__(self) -> str:
        """Return a few readable lines."""
        if self.stopped:
            return f"The robot is never switched on: {self.stopped}\n{self.outcome}."
        return (
            f"{self.outcome}.\n99 of 100 reactions within {self.p99_ms:,.0f} ms; {self.late:.1%} later than"
            f" {scenario.REACTION_MS:,} ms.\nPeople with a low resting brow:"
            f" {self.low_brow_ratio:.1f} times the average of needless back-offs."
        )


def delivered(spec: ProblemSpec) -> Detector:
    """Return the detector that a team can deliver under a specification."""
    size = 1 + 0.05 * np.log2(spec.multiply_adds / scenario.MULTIPLY_ADDS)
    size *= 1 + 0.03 * np.log2(spec.weight_bytes / scenario.WEIGHT_BYTES)
    faces, share = _faces()
    setting = forms.Setting(faces=max(1, round(float(faces @ share))))
    base = forms.detector(spec.formulation, setting, frames=spec.window_frames)
    # Ever larger models learn ever less from the same pictures. In poor light or with a covered face two
    # fifths of the distance are left, and scores scatter more.
    distance = base.distance * float(np.clip(size, 0.3, 1.1))
    return replace(base, distance=distance, hard_kept=0.4, hard_spread=1.6)


def stopped(spec: ProblemSpec) -> str:
    """Return why the robot would not be switched on, in a sentence; "" if it would."""
    if spec.staff == "included":
        return (
            "people at work are watched for anger, which the AI Act, Regulation (EU) 2024/1689,"
            " Article 5(1)(f), prohibits apart from medical and safety reasons."
        )
    if spec.device == "server":
        return "faces would leave the device, and the lobby's operator has ruled that out."
    room = DEVICES[spec.device].weight_bytes
    if spec.weight_bytes > room:
        return f"{spec.weight_bytes:,} bytes of weights do not fit; there is room for {room:,}."
    return ""


def run_month(
    spec: ProblemSpec,
    rng: np.random.Generator,
    visits: pd.DataFrame | None = None,
    lobby: Lobby | None = None,
    detector: Detector | None = None,
    prior: float | None = None,
) -> Month:
    """Let the robot work under a specification and count what came of it.

    Args:
        spec: the specification.
        rng: for visits (where absent), scores and waiting times; with the same visits and seed, two
            specifications meet the same luck.
        visits: as from `draw_visits`; thirty fresh days when absent.
        lobby: the place; the scenario's when absent.
        detector: what was really delivered; what the specification lets a team deliver when absent.
        prior: share of anger that its probabilities are calibrated to, 0-1; the lobby's when absent.

    """
    lobby = lobby or Lobby()
    visits = draw_visits(rng, DAYS, lobby) if visits is None else visits
    detector = detector or delivered(spec)
    n, faces, angry = len(visits), visits["faces"].to_numpy(), visits["angry"].to_numpy()
    score = detector.score(rng, visits)
    when, found, whom = rng.random((3, n), dtype=np.float32)
    wait, rest = _steps(spec, faces)
    took = rest + wait * when
    reason = stopped(spec)
    actions = np.full(n, CARRY_ON)
    if not reason:
        probability = detector.probability(score, prior or lobby.angry)
        actions = decide(probability, spec.keep_distance_from, spec.back_off_from)
        actions = hard_actions(actions, visits, spec.outside_envelope)
    # A robot gives up on what would break its own promise; what breaks the scenario's helps nobody.
    reached = took <= min(spec.reaction_ms, scenario.REACTION_MS)
    if _finds_faces(spec):
        reached &= found < forms.FOUND
    if not forms.FORMULATIONS[spec.formulation].says_who:
        reached &= whom < 1 / faces
    hours = (int(visits["day"].max()) + 1) * scenario.HOURS_A_DAY
    needless = (actions == BACK_OFF) & ~angry
    low, average = visits["low_brow"].to_numpy() & ~angry, needless.sum() / max((~angry).sum(), 1)
    return Month(
        outcome=tally(actions, angry, hours, lobby.costs, reached),
        stopped=reason,
        late=float((took > scenario.REACTION_MS).mean()),
        p99_ms=float(np.quantile(took, 0.99)),
        low_brow_ratio=float(needless[low].mean() / average) if average and low.any() else float("nan"),
    )


@dataclass(frozen=True)
class LongRun:
    """What an average hour brings, without luck; p99_ms and low_brow_ratio as in `Month`."""

    outcome: Outcome
    p99_ms: float
    low_brow_ratio: float

    @property
    def allowed(self) -> bool:
        """Does it keep the scenario's deadline and its guardrail?"""
        unequal = self.low_brow_ratio > scenario.LOW_BROW_RATIO
        return self.p99_ms <= scenario.REACTION_MS and not unequal


@functools.lru_cache(maxsize=2048)
def long_run(
    spec: ProblemSpec,
    lobby: Lobby | None = None,
    detector: Detector | None = None,
    prior: float | None = None,
) -> LongRun:
    """Return what a specification brings on average: what a fleet of many robots comes close to.

    Arguments as for `run_month`.
    """
    lobby = lobby or Lobby()
    detector, off = detector or delivered(spec), bool(stopped(spec))
    faces, share = _faces()
    wait, rest = _steps(spec, faces)
    limit = min(spec.reaction_ms, scenario.REACTION_MS)
    reach = np.clip((limit - rest) / wait, 0, 1) * (forms.FOUND if _finds_faces(spec) else 1.0)
    if not forms.FORMULATIONS[spec.formulation].says_who:
        reach = reach / faces
    thresholds = (2.0, 2.0) if off else (spec.keep_distance_from, spec.back_off_from)
    if prior:
        thresholds = tuple(_at_another_prior(p, prior, lobby.angry) for p in thresholds)
    hard = "carry on" if off else spec.outside_envelope
    hour = expected(detector, lobby, *thresholds, hard=hard, late=1 - float(share @ reach))
    low = expected(detector, replace(lobby, low_brow=1.0), *thresholds, hard=hard)
    took = (rest[:, None] + wait[:, None] * np.linspace(0.005, 0.995, 100)).ravel()
    order = took.argsort()
    mass = np.repeat(share / 100, 100)[order].cumsum()
    p99 = took[order][min(int(np.searchsorted(mass, 0.99)), len(took) - 1)]
    ratio = low.needless / hour.needless if hour.needless > 1e-9 else float("nan")
    return LongRun(hour, float(p99), float(ratio))


@functools.cache
def best_design(lobby: Lobby | None = None) -> ProblemSpec:
    """Return the cheapest specification that may be switched on, keeps the deadline and the guardrail.

    Found by search over formulation, window, work, action outside the envelope, and then both thresholds.
    """
    lobby = lobby or Lobby()
    keep, back = lobby.costs.thresholds()
    rest = {
        "device": "robot",
        "weight_bytes": scenario.WEIGHT_BYTES,
        "reaction_ms": scenario.REACTION_MS,
        "staff": "excluded",
        "low_brow_ratio": scenario.LOW_BROW_RATIO,
        "success_metric": "euros an hour",
        "success_bar": round(0.75 * lobby.visits_an_hour * lobby.angry * lobby.costs.missed, 2),
    }
    start = ProblemSpec(
        "clip", window_frames=1, multiply_adds=1_000_000, keep_distance_from=keep, back_off_from=back,
        outside_envelope="carry on", **rest,
    )  # fmt: skip
    scale = (0.7, 0.85, 1.0, 1.2, 1.4)
    for choices in (
        {
            "formulation": forms.FORMULATIONS,
            "window_frames": range(1, 9),
            "multiply_adds": (scenario.MULTIPLY_ADDS // 2, scenario.MULTIPLY_ADDS),
        },
        {"outside_envelope": HARD},
        {
            "keep_distance_from": [round(keep * by, 6) for by in scale],
            "back_off_from": [round(min(back * by, 1.0), 6) for by in scale],
        },
    ):
        designs = [
            replace(start, **dict(zip(choices, values, strict=True))) for values in product(*choices.values())
        ]
        results = [(long_run(design, lobby), design) for design in designs]
        allowed = [(run.outcome.euros_an_hour, n) for n, (run, _) in enumerate(results) if run.allowed]
        start = designs[min(allowed)[1]]
    return start


def _steps(spec: ProblemSpec, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (longest wait for a frame, all after it) in milliseconds for so many faces."""
    work = spec.multiply_adds / 1e6
    speed = 1 / DEVICES[spec.device].ms_per_million
    return forms.steps_ms(spec.formulation, faces, speed, spec.window_frames, work)


def _finds_faces(spec: ProblemSpec) -> bool:
    return forms.FORMULATIONS[spec.formulation].face_work > 0


def _at_another_prior(probability: float, prior: float, other: float) -> float:
    """Return what a probability calibrated to `prior` would be at another one; above 1 stays there."""
    if probability > 1:
        return probability
    return float(expit(logit(probability) - logit(prior) + logit(other)))


@functools.cache
def _faces() -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of faces in view and the share of visits with each."""
    counts = draw_visits(np.random.default_rng(0), 10 * DAYS)["faces"].value_counts(normalize=True)
    return counts.index.to_numpy(), counts.to_numpy()
