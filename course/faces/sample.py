"""Whole faces: a person, an expression and a scene joined into one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from course.faces.columns import COLUMNS, TRAITS, require_columns
from course.faces.people import sample_people
from course.faces.scenes import sample_scenes
from course.faces.units import ACTION_UNITS, EXPRESSIONS, NATURAL_MIX, sample_expressions


def sample_faces(
    rng: np.random.Generator,
    n: int,
    *,
    people: pd.DataFrame | None = None,
    mix: Mapping[str, float] | Sequence[str] | None = None,
    sites: str | Mapping[str, float] | None = None,
    intensity: float | Sequence[float] | np.ndarray | None = None,
    **scene_changes: object,
) -> pd.DataFrame:
    """Return n faces, one self-contained row each, with the columns of `columns.COLUMNS`.

    Args:
        rng: source of randomness.
        n: number of faces, 0 or more.
        people: table from `sample_people` to draw from; each face gets a new person when absent.
        mix: share of each expression (need not sum to 1), or the n expressions themselves;
            `NATURAL_MIX` when absent.
        sites: one site, or the share of each; "everyday" when absent.
        intensity: as in `sample_expressions`.
        scene_changes: fields of `Site` to replace, as in `sample_scenes`.

    Raises:
        ValueError: for unknown names, negative shares, or tables without their columns.

    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"n is {n!r}; accepted is a whole number of faces, 0 or more.")
    if people is None:
        owners = sample_people(rng, n)
    else:
        require_columns(people, ["person", *TRAITS], "people")
        if n and not len(people):
            raise ValueError("people has no rows; accepted is a table of at least one person.")
        owners = people.iloc[rng.integers(0, max(len(people), 1), n)]
    owners = owners[["person", *TRAITS]].reset_index(drop=True)

    if mix is None:
        mix = NATURAL_MIX
    if isinstance(mix, Mapping):
        names = _draw(rng, n, mix, "mix", tuple(EXPRESSIONS))
    elif isinstance(mix, str) or len(mix) != n:
        raise ValueError(f"mix is {mix!r}; accepted are shares by expression or a list of {n} expressions.")
    else:
        names = list(mix)
    expressions = sample_expressions(rng, names, intensity)
    scenes = _sample_sites(rng, n, sites, scene_changes)
    moving = [unit for unit in ACTION_UNITS if unit != "AU43"]
    scaled = expressions[moving].mul(owners["expressiveness"], axis=0)
    expressions[moving] = scaled.clip(0.0, 1.0)
    _fit_scene(rng, expressions["expression"], scenes)
    faces = pd.concat([owners, expressions, scenes], axis=1)
    faces.insert(0, "face", np.arange(n))
    return faces[list(COLUMNS)]


def _sample_sites(
    rng: np.random.Generator,
    n: int,
    sites: str | Mapping[str, float] | None,
    changes: dict[str, object],
) -> pd.DataFrame:
    if sites is None or isinstance(sites, str):
        return sample_scenes(rng, n, sites or "everyday", **changes)
    chosen = np.array(_draw(rng, n, sites, "sites", None), dtype=object)
    tables = []
    for site in sites:
        rows = np.flatnonzero(chosen == site)
        table = sample_scenes(rng, len(rows), site, **changes)
        tables.append(table.set_index(rows))
    return pd.concat(tables).sort_index()


def _fit_scene(rng: np.random.Generator, expression: pd.Series, scenes: pd.DataFrame) -> None:
    """Change scenes in place where the expression says something about them."""
    thinking = (expression == "concentrating").to_numpy()
    scenes.loc[thinking, "gaze_y"] = rng.uniform(-0.8, 0.1, thinking.sum())
    # People screw up their eyes because the light is hard.
    squinting = (expression == "squinting").to_numpy()
    scenes.loc[squinting, "ambient"] *= 0.65
    scenes.loc[squinting, "light_level"] *= 1.3


def _draw(
    rng: np.random.Generator,
    n: int,
    shares: Mapping[str, float],
    argument: str,
    accepted: tuple[str, ...] | None,
) -> list[str]:
    names = list(shares)
    weights = np.array([shares[name] for name in names], dtype=float)
    if accepted is not None and (unknown := [name for name in names if name not in accepted]):
        raise ValueError(f"{argument} holds {unknown[0]!r}; accepted are {', '.join(accepted)}.")
    if not len(weights) or not np.isfinite(weights).all() or (weights < 0).any() or not weights.sum():
        raise ValueError(f"{argument} is {dict(shares)}; accepted are shares of 0 or more, not all 0.")
    return [names[k] for k in rng.choice(len(names), size=n, p=weights / weights.sum())]
