"""People: the traits that stay the same from one picture of a person to the next.

Shape traits are in standard deviations of the population (0 = average); how far one deviation
moves a landmark is fixed in `geometry.py`, after the identity spread of the ICT-FaceKit face model
(USC, MIT).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

HAIR_STYLES: tuple[str, ...] = ("bald", "short", "fringe", "medium", "long", "cap", "headscarf")

LOW_BROW = -1.2
"""Resting brow heights below this make a person look stern at rest (about 12 % of people)."""


def sample_people(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return n people, one a row, with the trait columns described in `columns.COLUMNS`.

    Args:
        rng: source of randomness.
        n: number of people, 0 or more.

    Raises:
        ValueError: when n is negative or not a whole number.

    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"n is {n!r}; accepted is a whole number of people, 0 or more.")
    normal = rng.standard_normal
    masculine = normal(n)
    age = 18.0 + 62.0 * rng.beta(1.3, 2.4, n)
    elderly = np.clip((age - 40.0) / 40.0, 0.0, 1.0)
    man = masculine > 0

    def correlated(weight: float) -> np.ndarray:
        """Standard-normal trait that shares `weight` with masculinity."""
        return weight * masculine + np.sqrt(1.0 - weight**2) * normal(n)

    traits = {
        "person": np.arange(n),
        "age": age,
        "masculinity": 1.0 / (1.0 + np.exp(-2.2 * masculine)),
        "skin": np.clip(rng.beta(2.6, 1.9, n) * 0.62 + 0.1, 0.1, 0.72),
        "brow_height": correlated(-0.35),
        "brow_thickness": correlated(0.4),
        "brow_slant": normal(n),
        "eye_depth": correlated(0.35),
        "eye_size": correlated(-0.3),
        "eye_tilt": normal(n),
        "iris_shade": np.clip(rng.beta(1.5, 3.5, n), 0.02, 0.95),
        "lip_fullness": correlated(-0.25) - 0.5 * elderly,
        "mouth_width": normal(n),
        "mouth_height": normal(n),
        "mouth_corner": normal(n) - 0.4 * elderly,
        "face_width": correlated(0.3),
        "face_length": correlated(0.3),
        "nose_length": normal(n),
        "nose_width": correlated(0.3),
        "jaw": correlated(0.5),
        "cheek": correlated(-0.2),
        "forehead": correlated(0.2),
    }
    style_odds = np.where(
        man[:, None],
        [0.16, 0.46, 0.12, 0.10, 0.04, 0.12, 0.0],
        [0.01, 0.12, 0.17, 0.27, 0.33, 0.05, 0.05],
    )
    cumulative = np.cumsum(style_odds, axis=1)
    chosen = (rng.random(n)[:, None] > cumulative[:, :-1]).sum(axis=1)
    traits["hair_style"] = np.array(HAIR_STYLES, dtype=object)[chosen]
    grey = rng.random(n) < elderly * 0.7
    dark = rng.beta(1.1, 3.6, n) * 0.5 + 0.02
    traits["hair_shade"] = np.where(grey, rng.uniform(0.25, 0.6, n), dark)
    grown = rng.random(n)
    traits["beard"] = np.where(man & (grown < 0.45), rng.beta(0.8, 1.1, n), 0.0)
    traits["makeup"] = np.where(~man & (rng.random(n) < 0.5), rng.beta(1.5, 2.0, n), 0.0)
    traits["wrinkles"] = np.clip(0.12 + 0.75 * elderly + 0.1 * normal(n), 0.0, 1.0)
    traits["expressiveness"] = np.clip(np.exp(0.2 * normal(n)), 0.5, 1.6)
    traits["asymmetry"] = normal(n)
    return pd.DataFrame(traits)
