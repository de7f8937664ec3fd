"""What a collection writes down about its faces: file names, and votes under the guideline of the week."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course import crowd

START = np.datetime64("2026-03-02", "ns")
WEEKS = 12
GUIDELINE_CHANGE = START + np.timedelta64(6 * 7, "D")
"""Votes on faces taken before this moment follow guideline v1, later ones v2."""


def file_names(faces: pd.DataFrame) -> np.ndarray:
    """Return a file name (str) for each face, made of its camera and time, different for all."""
    stems = faces["camera"] + "_" + faces["time"].dt.strftime("%Y%m%d_%H%M%S_%f").str[:-5]
    again = stems.groupby(stems).cumcount()
    repeated = np.where(again > 0, "_" + again.astype(str), "")
    return (stems + repeated + ".png").to_numpy(object)


def as_voted_on(latent: pd.DataFrame, illegible: np.ndarray | None = None) -> pd.DataFrame:
    """Return the latent faces as annotators meet them.

    Frames of one burst are equally hard to read, so they share the seed of their ambiguity; of a picture
    that is `illegible` (bool, one a face) no pixel helps.
    """
    seen = latent.assign(seed=latent["vote_seed"])
    if illegible is not None and illegible.any():
        seen["resolution"] = np.where(illegible, 1.0, seen["resolution"])
    return seen


def cast_votes(
    rng: np.random.Generator, faces: pd.DataFrame, seen: pd.DataFrame, annotators: pd.DataFrame
) -> pd.DataFrame:
    """Return votes on faces as `seen` (rows in the order of `faces`), sorted by face.

    Four faces in five have five votes, the others three or four; the guideline is that of the week.
    """
    wanted = rng.choice([3, 4, 5], len(faces), p=[0.1, 0.1, 0.8])
    late = (faces["time"] >= GUIDELINE_CHANGE).to_numpy()
    seen = seen.assign(face=faces["face"].to_numpy())
    parts = [
        crowd.vote(rng, seen[rows], annotators, wanted[rows], guideline)
        for guideline, rows in (("v1", ~late), ("v2", late))
        if rows.any()
    ]
    return pd.concat(parts, ignore_index=True).sort_values("face", kind="stable", ignore_index=True)
