"""Small studies that could be run again: how right a detector is on each person's faces, and voted faces.

In both, faces of one person are alike, so that people and not faces are the pieces of evidence.
"""

from __future__ import annotations

import numpy as np
import pandas as pd


def draw_study(
    rng: np.random.Generator, people: int, faces: int, differ: float, easy: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return right (1) and wrong (0) for each face, float [n], and whose face it is, int [n].

    faces: mean faces a person; who stays longer has more, and is easier to read.
    differ: share of the variance that lies between people, 0-1.
    easy: chance that the shortest visitor's face is read rightly, 0-0.5.
    """
    stays = rng.random(people)
    strength = 1 / differ - 1
    mean = easy + 0.5 * stays
    skill = rng.beta(mean * strength, (1 - mean) * strength)
    person = np.repeat(np.arange(people), _faces_of(stays, faces))
    right = (rng.random(len(person)) < skill[person]).astype(float)
    return right, rng.permutation(10 * people)[:people][person]


def long_run(faces: int, easy: np.ndarray) -> np.ndarray:
    """Return what the mean over faces of `draw_study` comes to once everybody has come by, as easy [k]."""
    stays = np.linspace(0, 1, 2001)
    each = _faces_of(stays, faces)
    return easy + 0.5 * (each * stays).sum() / each.sum()


def _faces_of(stays: np.ndarray, faces: int) -> np.ndarray:
    return 1 + np.round(2 * stays * (faces - 1)).astype(int)


def draw_voted_faces(rng: np.random.Generator, people: range, share: float) -> pd.DataFrame:
    """Return the faces of some people, 8 to 24 each: five measurements, six votes, most of the last five.

    Columns: brow, lips, lids, squint, smile (float); vote_0 to vote_5 (bool); person (int); angry (bool).
    share: of faces that show anger, 0-1.
    """
    person = np.repeat(np.arange(len(people)), rng.integers(8, 25, len(people)))
    n = len(person)
    # Some people look angry more often than others, and some have a low brow at rest.
    moody = rng.beta(share * 4, (1 - share) * 4, len(people))
    shown = rng.random(n) < moody[person]
    moves = {"brow": -1.7, "lips": 1.3, "lids": 1.1, "squint": -0.6, "smile": -1.0}
    table = pd.DataFrame({name: rng.normal(by * shown, 0.9) for name, by in moves.items()})
    table["brow"] += rng.normal(0, 0.9, len(people))[person]
    clear = rng.normal(np.where(shown, 3.2, -3.2), 1.1)
    votes = rng.random((n, 6)) < 1 / (1 + np.exp(-clear[:, None]))
    table[[f"vote_{i}" for i in range(6)]] = votes
    return table.assign(person=person + people.start, angry=votes[:, 1:].sum(axis=1) >= 3)
