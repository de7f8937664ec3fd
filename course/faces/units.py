"""Action units and the expressions made of them; knows nothing of people, scenes or pixels.

Sources: action units of each expression after the public EMFACS-style tables and Du, Tao and
Martinez (2014, PNAS); shares after the published FER+ votes. Levels are on 0-1, where about 0.1 is
a trace, 0.3 slight, 0.55 marked, 0.8 severe and 1 the most a person can do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

ACTION_UNITS: dict[str, str] = {
    "AU01": "inner brow raised: the brows slant up towards the middle",
    "AU02": "outer brow raised: the brow arches",
    "AU04": "brows lowered and drawn together, with upright furrows between them",
    "AU05": "upper lid raised: white shows above the iris",
    "AU06": "cheeks raised: the lower lid bulges, crow's feet",
    "AU07": "lids tightened: a narrower eye with a straight lower lid",
    "AU09": "nose wrinkled: nostrils up, inner brows down",
    "AU10": "upper lip raised: teeth show, deep folds beside the nose",
    "AU12": "lip corners pulled up and out: a smile",
    "AU14": "lip corner tucked in: a dimple",
    "AU15": "lip corners pulled down",
    "AU16": "lower lip pulled down: lower teeth show",
    "AU17": "chin raised: the lower lip pushed up, the chin wrinkled",
    "AU20": "mouth stretched flat sideways",
    "AU22": "lips funnelled forward, as in 'oh'",
    "AU23": "lips tightened and narrowed",
    "AU24": "lips pressed together",
    "AU25": "lips parted",
    "AU26": "jaw dropped",
    "AU27": "mouth stretched wide open",
    "AU38": "nostrils flared",
    "AU43": "eyes closed",
}


@dataclass(frozen=True)
class Part:
    """One action unit of an expression: its level at full intensity and how often it takes part."""

    unit: str
    level: float
    probability: float = 1.0


@dataclass(frozen=True)
class Expression:
    """An expression: what it looks like, its parts, and sets of parts of which one is chosen."""

    description: str
    parts: tuple[Part, ...] = ()
    choices: tuple[tuple[tuple[Part, ...], ...], ...] = ()
    one_sided: bool = False
    is_anger: bool = False


EXPRESSIONS: dict[str, Expression] = {
    "neutral": Expression("a face at rest"),
    "happiness": Expression(
        "a smile",
        (Part("AU06", 0.75, 0.75), Part("AU12", 0.95)),
        (((Part("AU25", 0.8), Part("AU26", 0.2, 0.6)), (Part("AU25", 0.8),), (Part("AU25", 0.6),), ()),),
    ),
    "surprise": Expression(
        "raised brows, wide eyes, a dropped jaw",
        (Part("AU01", 0.9), Part("AU02", 0.9), Part("AU05", 0.8, 0.8)),
        (
            (
                (Part("AU25", 0.9), Part("AU26", 0.8)),
                (Part("AU25", 0.9), Part("AU27", 0.6)),
                (Part("AU25", 0.8), Part("AU26", 0.8), Part("AU22", 0.4)),
                (Part("AU25", 0.7), Part("AU26", 0.5)),
            ),
        ),
    ),
    "sadness": Expression(
        "inner brows up, lip corners down",
        (
            Part("AU01", 0.8, 0.85),
            Part("AU04", 0.4, 0.6),
            Part("AU15", 0.9, 0.85),
            Part("AU17", 0.5, 0.5),
            Part("AU07", 0.3, 0.4),
        ),
        (
            ((Part("AU43", 0.35),), (), ()),
            ((Part("AU25", 0.6), Part("AU20", 0.4)), (Part("AU25", 0.4),), ()),
        ),
    ),
    "fear": Expression(
        "brows raised and drawn together, wide eyes, stretched mouth",
        (
            Part("AU01", 1.0),
            Part("AU02", 0.75, 0.75),
            Part("AU04", 0.45, 0.7),
            Part("AU05", 0.9, 0.85),
            Part("AU20", 0.75, 0.8),
            Part("AU25", 0.6, 0.85),
            Part("AU26", 0.35, 0.4),
        ),
    ),
    "disgust": Expression(
        "wrinkled nose and raised upper lip",
        (
            Part("AU09", 0.9, 0.85),
            Part("AU10", 0.75, 0.8),
            Part("AU17", 0.5, 0.5),
            Part("AU04", 0.4, 0.45),
            Part("AU15", 0.5, 0.4),
            Part("AU25", 0.4, 0.35),
            Part("AU07", 0.4, 0.5),
        ),
    ),
    "contempt": Expression(
        "one lip corner tucked in and up",
        (Part("AU12", 0.5), Part("AU14", 0.9), Part("AU10", 0.3, 0.25), Part("AU02", 0.3, 0.25)),
        one_sided=True,
    ),
    "anger_closed": Expression(
        "lowered brows, hard stare, tight or pressed lips",
        (
            Part("AU04", 1.0),
            Part("AU17", 0.55, 0.6),
            Part("AU38", 0.6, 0.6),
            Part("AU15", 0.4, 0.4),
        ),
        (
            ((Part("AU05", 0.55), Part("AU07", 0.4)), (Part("AU07", 0.75),)),
            ((Part("AU23", 0.85),), (Part("AU24", 0.9),), (Part("AU23", 0.5), Part("AU24", 0.6))),
            ((Part("AU10", 0.35),), (), ()),
        ),
        is_anger=True,
    ),
    "anger_open": Expression(
        "lowered brows and an open, squared mouth: a shout or a snarl",
        (
            Part("AU04", 1.0),
            Part("AU07", 0.7, 0.85),
            Part("AU09", 0.6, 0.6),
            Part("AU10", 0.85, 0.9),
            Part("AU38", 0.6, 0.6),
            Part("AU16", 0.6, 0.7),
            Part("AU20", 0.5, 0.5),
            Part("AU25", 1.0),
        ),
        (((Part("AU26", 0.9),), (Part("AU27", 0.8),), (Part("AU26", 0.4),)),),
        is_anger=True,
    ),
    "concentrating": Expression(
        "lowered brows over a resting mouth, thinking",
        (Part("AU04", 0.65), Part("AU07", 0.4, 0.6), Part("AU24", 0.3, 0.25)),
    ),
    "squinting": Expression(
        "eyes screwed up against bright light",
        (
            Part("AU04", 0.5),
            Part("AU06", 0.7),
            Part("AU07", 0.9),
            Part("AU09", 0.25, 0.6),
            Part("AU12", 0.25, 0.5),
            Part("AU10", 0.2, 0.5),
            Part("AU25", 0.3, 0.3),
        ),
    ),
    "shouting": Expression(
        "calling to a friend: an open mouth under resting or raised brows",
        (Part("AU25", 1.0), Part("AU27", 0.7), Part("AU10", 0.3, 0.4), Part("AU16", 0.3, 0.4)),
        (
            ((Part("AU01", 0.5), Part("AU02", 0.6)), ()),
            ((Part("AU12", 0.4), Part("AU06", 0.4)), ()),
        ),
    ),
    "speaking": Expression(
        "a mouth in the middle of a word",
        (Part("AU25", 0.75),),
        (
            (
                (Part("AU26", 0.6),),
                (Part("AU22", 0.8), Part("AU26", 0.3)),
                (Part("AU16", 0.6), Part("AU26", 0.2)),
                (Part("AU20", 0.5), Part("AU10", 0.3)),
            ),
            ((Part("AU01", 0.3), Part("AU02", 0.3)), (Part("AU04", 0.15),), ()),
        ),
    ),
}

# FER+ shares, with room for the states that resemble anger without being it.
NATURAL_MIX: dict[str, float] = {
    "neutral": 0.33,
    "happiness": 0.25,
    "surprise": 0.12,
    "sadness": 0.115,
    "anger_closed": 0.045,
    "anger_open": 0.04,
    "fear": 0.02,
    "disgust": 0.007,
    "contempt": 0.006,
    "concentrating": 0.02,
    "squinting": 0.012,
    "shouting": 0.01,
    "speaking": 0.025,
}

_UNIT_INDEX = {unit: position for position, unit in enumerate(ACTION_UNITS)}


def sample_expressions(
    rng: np.random.Generator,
    names: Sequence[str],
    intensity: float | Sequence[float] | np.ndarray | None = None,
) -> pd.DataFrame:
    """Return one expression a row: a prototype with individual variation.

    Parts drop out with their probability, levels vary by about a quarter, and every face carries
    small background activity, because faces at rest are never quite at rest.

    Args:
        rng: source of randomness.
        names: n keys of `EXPRESSIONS`.
        intensity: strength 0-1, one for all or one each; drawn from Beta(2.2, 1.8) when absent, so
            that many expressions are weak. A neutral face always has intensity 0.

    Returns:
        Table of n rows: `expression` (str), `intensity` (float 0-1), `laterality` (float -1..1,
        share by which the image-right side is stronger), and a column per unit (float 0-1).

    Raises:
        ValueError: for an unknown expression or an intensity outside 0-1.

    """
    names = [str(name) for name in names]
    unknown = sorted(set(names) - set(EXPRESSIONS))
    if unknown:
        raise ValueError(f"names holds {unknown[0]!r}; accepted are {', '.join(EXPRESSIONS)}.")
    count = len(names)
    if intensity is None:
        strength = rng.beta(2.2, 1.8, count)
    else:
        strength = np.asarray(intensity, dtype=float)
        if strength.ndim > 1 or (strength.ndim == 1 and len(strength) != count):
            raise ValueError(
                f"intensity has shape {strength.shape}; accepted is one number or {count} numbers."
            )
        strength = np.broadcast_to(strength, (count,)).copy()
        if count and not ((strength >= 0) & (strength <= 1)).all():
            worst = strength[~((strength >= 0) & (strength <= 1))][0]
            raise ValueError(f"intensity holds {worst}; accepted are numbers from 0 to 1.")
    strength[[name == "neutral" for name in names]] = 0.0

    levels = _background(rng, count)
    # Weak expressions show at more than their share; else half strength would be invisible.
    shown = strength**0.8
    for row, name in enumerate(names):
        for part in _chosen_parts(rng, EXPRESSIONS[name]):
            level = part.level * shown[row] * np.exp(0.22 * rng.standard_normal())
            column = _UNIT_INDEX[part.unit]
            levels[row, column] = max(levels[row, column], level)
    np.clip(levels, 0.0, 1.0, out=levels)

    one_sided = np.array([EXPRESSIONS[name].one_sided for name in names], dtype=bool)
    side = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    laterality = np.where(one_sided, side * rng.uniform(0.6, 1.0, count), 0.12 * rng.standard_normal(count))
    table = pd.DataFrame(levels, columns=list(ACTION_UNITS))
    table.insert(0, "expression", names)
    table.insert(1, "intensity", strength)
    table.insert(2, "laterality", np.clip(laterality, -1.0, 1.0))
    return table


def _background(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return the small levels, mostly zero, of a face at rest, shape [count, units]."""
    present = rng.random((count, len(ACTION_UNITS))) < 0.18
    levels = present * rng.uniform(0.0, 0.14, present.shape)
    # Lips are often a little apart, and eyes now and then half closed by a blink.
    parted = rng.random(count) < 0.3
    levels[:, _UNIT_INDEX["AU25"]] = parted * rng.uniform(0.05, 0.45, count)
    levels[:, _UNIT_INDEX["AU27"]] = 0.0
    levels[:, _UNIT_INDEX["AU43"]] = (rng.random(count) < 0.03) * rng.uniform(0.3, 1.0, count)
    return levels


def _chosen_parts(rng: np.random.Generator, expression: Expression) -> list[Part]:
    parts = list(expression.parts)
    for options in expression.choices:
        parts.extend(options[int(rng.integers(len(options)))])
    return [part for part in parts if rng.random() < part.probability]
