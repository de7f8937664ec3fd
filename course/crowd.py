"""Simulated annotators: what a face shows, how people vote on it, and what the person felt.

Three things are kept apart. What is *shown* follows from the action units, the resting build of the
face and how much of it can be seen (`anger_evidence`). What is *perceived* is the vote of an annotator
with a personal threshold, under a written guideline (`vote`). What is *felt* is loosely tied to what is
shown, and differently so in different contexts (`sample_felt`). Knows faces; nothing of learning or
grading, and never looks at the name of the expression.

The plain crowd is calibrated to the published votes of FER+ (microsoft/FERPlus): ten votes on each face
of the natural mix repeat its vote histogram, agreement and single-vote errors (`benchmarks/crowd.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.evidence import (
    GUIDELINES,
    anger_evidence,
    anger_score,
    legibility,
    mouth_hidden,
    shows_scowl,
    sigmoid,
)
from course.faces.columns import require_columns

__all__ = [
    "CONTEXTS",
    "GUIDELINES",
    "SCOWL_WHEN_ANGRY",
    "VOTES",
    "Context",
    "anger_evidence",
    "anger_score",
    "legibility",
    "perceived_rate",
    "sample_annotators",
    "sample_felt",
    "shows_scowl",
    "vote",
]

VOTES: tuple[str, ...] = ("angry", "calm", "unsure")

# A clear rule narrows personal thresholds.
_BIAS_KEPT = {"v1": 1.0, "v2": 0.5}

# From evidence plus ambiguity to the log-odds of an anger vote by a typical annotator; printed by
# `python -m benchmarks.crowd --fit`, which matches the spread of votes in FER+.
_SCORES = (-0.721, -0.186, 0.084, 0.246, 0.374, 0.502, 0.638, 0.793, 1.045, 1.395, 1.74, 2.307)
_LOG_ODDS = (-14.0, -10.46, -5.28, -3.51, -2.5, -1.59, -0.67, -0.07, 0.43, 0.94, 1.5, 2.4)

_FATIGUE_ITEMS = 200.0


@dataclass(frozen=True)
class Context:
    """How often anger is felt in a setting (0-1) and how often people scowl there without anger (0-1)."""

    felt: float
    scowl_without_anger: float


SCOWL_WHEN_ANGRY = 0.33
"""Share of anger episodes with a scowl, after the 30-35 % in urban cultures with which Barrett et al.
(2019, Psychological Science in the Public Interest 20:1) are quoted in the press."""

# Chosen so that each context has as many scowls as the natural mix of faces (about 9 %); how often
# anger is felt in each is our choice.
CONTEXTS: dict[str, Context] = {
    "lobby": Context(felt=0.05, scowl_without_anger=0.078),
    "complaint_desk": Context(felt=0.18, scowl_without_anger=0.038),
    "reading_room": Context(felt=0.01, scowl_without_anger=0.088),
}


def sample_annotators(
    rng: np.random.Generator,
    n: int,
    *,
    spam: float = 0.0,
    skill_spread: float = 0.12,
    bias_spread: float = 0.4,
    fatigue: float = 0.06,
) -> pd.DataFrame:
    """Return n annotators, one a row.

    FER+ publishes no annotator numbers, so the spread between annotators is our choice.

    Args:
        rng: source of randomness.
        n: number of annotators, 1 or more.
        spam: share 0-1 of annotators who vote without looking (rounded to whole annotators).
        skill_spread: standard deviation of log skill.
        bias_spread: standard deviation of the personal threshold, in log-odds.
        fatigue: mean share 0-1 of skill that a long session costs.

    Returns:
        Table with columns `annotator` (int, from 0), `skill` (float, ratio, median 1: steepness of
        the answer to what is seen), `bias` (float, log-odds; positive = says angry sooner),
        `fatigue` (float 0-1), `spam` (bool) and `spam_angry` (float 0-1: share of angry votes of a
        spammer).

    Raises:
        ValueError: when a number is outside its range.

    """
    _require_count("n", n, 1)
    _require_range("spam", spam, 0.0, 1.0)
    _require_range("skill_spread", skill_spread, 0.0, 5.0)
    _require_range("bias_spread", bias_spread, 0.0, 5.0)
    _require_range("fatigue", fatigue, 0.0, 1.0)
    spammers = np.zeros(n, dtype=bool)
    spammers[rng.permutation(n)[: round(spam * n)]] = True
    return pd.DataFrame(
        {
            "annotator": np.arange(n),
            "skill": np.exp(skill_spread * rng.standard_normal(n)),
            "bias": bias_spread * rng.standard_normal(n),
            "fatigue": np.clip(fatigue * rng.gamma(4.0, 0.25, n), 0.0, 1.0),
            "spam": spammers,
            "spam_angry": rng.uniform(0.05, 0.6, n),
        }
    )


def perceived_rate(
    faces: pd.DataFrame, annotators: pd.DataFrame | None = None, guideline: str = "v1"
) -> np.ndarray:
    """Return the chance 0-1 that a rested annotator calls each face angry, float, shape [n].

    Args:
        faces: table of `course.faces.sample_faces`.
        annotators: whose mean is wanted; one typical annotator (skill 1, no bias) when absent.
        guideline: a key of `GUIDELINES`.

    Raises:
        ValueError: as `vote`.

    """
    log_odds = _log_odds(faces, guideline)
    if annotators is None:
        return sigmoid(log_odds)
    rate = np.zeros(len(faces))
    for row in annotators.itertuples():
        bias = row.bias * _BIAS_KEPT[guideline]
        rate += row.spam_angry if row.spam else sigmoid(row.skill * (log_odds + bias))
    return rate / len(annotators)


def vote(
    rng: np.random.Generator,
    faces: pd.DataFrame,
    annotators: pd.DataFrame,
    votes_per_face: int | Sequence[int] | np.ndarray = 10,
    guideline: str = "v1",
) -> pd.DataFrame:
    """Return the votes of different annotators on each face.

    Annotators are assigned at random, none twice to a face, and work through the table from its first
    row to its last. Votes on one face resemble one another beyond what it shows, because each picture
    has an ambiguity of its own, fixed by its `seed`: ask again and it is as unclear as before.

    Args:
        rng: source of randomness.
        faces: table of `course.faces.sample_faces`.
        annotators: table of `sample_annotators`.
        votes_per_face: whole number, or one for each face.
        guideline: a key of `GUIDELINES`; all votes of one call follow it.

    Returns:
        One row a vote, in the order of `faces`: `face` (as in `faces`), `annotator` (int), `vote`
        (str, one of `VOTES`), `guideline` (str), `order` (int, how many items the annotator had done
        before in this call; skill falls with it).

    Raises:
        ValueError: when a face needs more votes than there are annotators, or an argument is malformed.

    """
    require_columns(faces, ["face"])
    _require_annotators(annotators)
    wanted = _votes_wanted(votes_per_face, len(faces), len(annotators))
    log_odds = _log_odds(faces, guideline)

    most = int(wanted.max(initial=0))
    ranked = np.argsort(rng.random((len(faces), len(annotators))), axis=1)[:, :most]
    kept = np.arange(most) < wanted[:, None]
    row = np.repeat(np.arange(len(faces)), wanted)
    who = ranked[kept]

    order = _items_done(who)
    person = {name: annotators[name].to_numpy()[who] for name in annotators.columns}
    tired = person["fatigue"] * (1.0 - np.exp(-order / _FATIGUE_ITEMS))
    skill = person["skill"] * (1.0 - tired)
    angry = sigmoid(skill * (log_odds[row] + _BIAS_KEPT[guideline] * person["bias"]))
    unsure = (0.04 + 0.35 * angry * (1.0 - angry) + _nothing_to_see(faces, guideline)[row]).clip(0, 1)
    spam = person["spam"].astype(bool)
    angry = np.where(spam, person["spam_angry"], angry)
    unsure = np.where(spam, 0.03, unsure)

    draw = rng.random((2, len(row)))
    answer = np.where(draw[0] < angry, 0, np.where(draw[1] < unsure, 2, 1))
    return pd.DataFrame(
        {
            "face": faces["face"].to_numpy()[row],
            "annotator": person["annotator"],
            "vote": np.array(VOTES, dtype=object)[answer],
            "guideline": guideline,
            "order": order,
        }
    )


def sample_felt(
    rng: np.random.Generator, faces: pd.DataFrame, context: str | Sequence[str] = "lobby"
) -> np.ndarray:
    """Return whether each person felt anger, given what the face shows and where they are.

    By Bayes' rule from three numbers: how often anger is felt in the context, how often felt anger
    comes with a scowl (`SCOWL_WHEN_ANGRY`, one in three) and how often people scowl there for another
    reason. So most anger shows no scowl, a scowl says little where anger is rare, and no number of
    votes on the picture can say more than the picture does.

    Args:
        rng: source of randomness.
        faces: table of `course.faces.sample_faces`.
        context: a key of `CONTEXTS`, or one for each face.

    Returns:
        bool, shape [n].

    Raises:
        ValueError: for an unknown context or the wrong number of contexts.

    """
    names = np.broadcast_to(context, len(faces)) if isinstance(context, str) else np.array(context)
    if len(names) != len(faces):
        raise ValueError(f"context has {len(names)} names; accepted is one, or {len(faces)}.")
    unknown = [name for name in pd.unique(names) if name not in CONTEXTS]
    if unknown:
        raise ValueError(f"context holds {unknown[0]!r}; accepted are {', '.join(CONTEXTS)}.")
    felt = np.array([CONTEXTS[name].felt for name in names])
    otherwise = np.array([CONTEXTS[name].scowl_without_anger for name in names])
    scowl = shows_scowl(faces)
    given_anger = np.where(scowl, SCOWL_WHEN_ANGRY, 1.0 - SCOWL_WHEN_ANGRY)
    given_calm = np.where(scowl, otherwise, 1.0 - otherwise)
    odds = felt * given_anger / ((1.0 - felt) * given_calm)
    return rng.random(len(faces)) < odds / (1.0 + odds)


def _log_odds(faces: pd.DataFrame, guideline: str) -> np.ndarray:
    """Return the log-odds [n] with which a typical annotator calls each face angry."""
    return np.interp(anger_score(faces, guideline), _SCORES, _LOG_ODDS)


def _nothing_to_see(faces: pd.DataFrame, guideline: str) -> np.ndarray:
    """Return the part [n] of unsure votes that comes from what the picture hides."""
    unsure = 0.9 * (1.0 - legibility(faces)) ** 2
    if guideline == "v2":
        # Lowered brows over a covered mouth: the rule says that nobody can know.
        unsure = unsure + 0.9 * mouth_hidden(faces) * faces["AU04"].to_numpy(float)
    return unsure


def _items_done(who: np.ndarray) -> np.ndarray:
    """Return for each entry how often the same number came before it, int, shape [len(who)]."""
    by_annotator = np.argsort(who, kind="stable")
    counts = np.bincount(who) if len(who) else np.zeros(0, dtype=int)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    order = np.empty(len(who), dtype=int)
    order[by_annotator] = np.arange(len(who)) - starts
    return order


def _votes_wanted(votes_per_face: object, faces: int, annotators: int) -> np.ndarray:
    wanted = np.asarray(votes_per_face)
    if wanted.dtype.kind not in "iu" or wanted.shape not in {(), (faces,)}:
        raise ValueError(
            f"votes_per_face is {votes_per_face!r}; accepted is a whole number, or {faces} of them."
        )
    wanted = np.broadcast_to(wanted, (faces,))
    if faces and (wanted.min() < 0 or wanted.max() > annotators):
        worst = wanted.min() if wanted.min() < 0 else wanted.max()
        raise ValueError(
            f"votes_per_face asks for {worst} votes on a face; accepted are 0 to {annotators}, "
            "the number of annotators."
        )
    return wanted


def _require_annotators(annotators: pd.DataFrame) -> None:
    """Raise a ValueError when `annotators` was not made by `sample_annotators`."""
    for name in ("annotator", "skill", "bias", "fatigue", "spam", "spam_angry"):
        if name not in getattr(annotators, "columns", ()):
            raise ValueError(
                f"annotators lacks the column {name!r}; accepted are tables of sample_annotators."
            )


def _require_count(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} is {value!r}; accepted is a whole number, {least} or more.")


def _require_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; accepted are numbers from {low:g} to {high:g}.")
