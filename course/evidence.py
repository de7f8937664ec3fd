"""What a face shows in favour of anger, as a written guideline counts it, and how much can be seen.

From action units, the resting build of the face and the scene; never from the name of the expression.
Knows faces; nothing of annotators, votes or learning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.faces.columns import require_columns
from course.faces.units import ACTION_UNITS

GUIDELINES: dict[str, str] = {
    "v1": "Does this person look angry? Answer angry, calm or unsure.",
    "v2": (
        "Answer angry only when lowered brows come with a second sign: pressed or tightened lips, "
        "bared teeth or a squared mouth. Answer calm when brows are low by build, when eyes are "
        "narrowed against light, and when someone thinks, sneers, speaks or calls. When the mouth "
        "that would decide is hidden, answer unsure."
    ),
}
"""What each version of the written guideline tells the annotators."""

# How a feature of the resting face adds to looking stern, per standard deviation; after Zebrowitz et
# al. 2010 (low brows and thin lips resemble anger), sizes ours.
_BUILD = {
    "brow_height": -0.31,
    "brow_slant": -0.15,
    "eye_depth": 0.15,
    "brow_thickness": 0.1,
    "lip_fullness": -0.1,
    "mouth_corner": -0.125,
}
_MOUTH_SEEN = {"none": 1.0, "mask": 0.0, "scarf": 0.1, "hand": 0.3}
_EYES_SEEN = {"none": 1.0, "mask": 1.0, "scarf": 1.0, "hand": 0.85}
_SCENE = ("yaw", "light_level", "ambient", "exposure", "contrast", "resolution", "blur", "noise")


@dataclass(frozen=True)
class Weights:
    """How much each cue (0-1, see `_cues`) counts as evidence of anger under one guideline."""

    scowl: float
    lids: float
    lips: float
    snarl: float
    together: float
    nose: float
    shout: float
    dimple: float
    wide_eyes: float
    build: float
    squint: float
    smile: float
    raised: float


# v1 was fitted to the FER+ rates of anger votes by kind of face. v2 follows its text and is our choice.
WEIGHTS: dict[str, Weights] = {
    "v1": Weights(
        scowl=1.0,
        lids=0.52,
        lips=0.14,
        snarl=0.42,
        together=0.39,
        nose=0.2,
        shout=0.8,
        dimple=0.59,
        wide_eyes=0.1,
        build=0.26,
        squint=-0.6,
        smile=-0.56,
        raised=-0.35,
    ),
    "v2": Weights(
        scowl=0.35,
        lids=0.2,
        lips=0.2,
        snarl=0.2,
        together=1.7,
        nose=-0.3,
        shout=0.25,
        dimple=0.2,
        wide_eyes=0.0,
        build=0.06,
        squint=-0.8,
        smile=-0.7,
        raised=-0.6,
    ),
}

# A clear rule leaves less of a picture to taste.
_AMBIGUITY = {"v1": 0.24, "v2": 0.18}


def legibility(faces: pd.DataFrame) -> np.ndarray:
    """Return how much of an expression the picture keeps, float 0-1, shape [n].

    Falls with few pixels, blur, noise, flat contrast, darkness and a turned head. People read
    expressions down to some 20 x 30 pixels (Du and Martinez 2011); the other slopes are ours.

    Raises:
        ValueError: when `faces` lacks a scene column.

    """
    require_columns(faces, _SCENE)
    scene = {name: faces[name].to_numpy(float) for name in _SCENE}
    stops = scene["exposure"] + np.log2(0.55 * scene["light_level"] + scene["ambient"])
    sharp = sigmoid((scene["resolution"] - 20.0) / 4.0) * np.exp(-((scene["blur"] / 4.0) ** 2))
    clean = 1.0 / (1.0 + (scene["noise"] / 30.0) ** 2)
    lit = np.clip(scene["contrast"] / 0.45, 0.0, 1.0) * sigmoid(3.0 * (stops + 2.5))
    frontal = 1.0 - 0.25 * np.clip(scene["yaw"] / 35.0, -1.0, 1.0) ** 2
    return sharp * clean * lit * frontal


def anger_evidence(faces: pd.DataFrame, guideline: str = "v1") -> np.ndarray:
    """Return what each face shows in favour of anger, as the guideline counts it.

    Args:
        faces: table of `course.faces.sample_faces`.
        guideline: a key of `GUIDELINES`.

    Returns:
        float, shape [n]; about 0 for a face at rest, 1 to 2 for a strong scowl with a fitting mouth,
        negative for smiles and raised brows. Shrinks towards 0 where the picture hides the cues.

    Raises:
        ValueError: for an unknown guideline, or when `faces` lacks a column.

    """
    require_guideline(guideline)
    weights = WEIGHTS[guideline]
    total = sum(getattr(weights, name) * level for name, level in _cues(faces).items())
    return np.asarray(total) * legibility(faces)


def anger_score(faces: pd.DataFrame, guideline: str = "v1") -> np.ndarray:
    """Return evidence plus the ambiguity that all annotators of a picture share, float, shape [n]."""
    return anger_evidence(faces, guideline) + _AMBIGUITY[guideline] * _ambiguity(faces)


def shows_scowl(faces: pd.DataFrame) -> np.ndarray:
    """Return whether each face shows a scowl (brows lowered, not raised), bool, shape [n]."""
    require_columns(faces, ["AU01", "AU04"])
    return ((faces["AU04"] >= 0.35) & (faces["AU01"] < 0.35)).to_numpy()


def mouth_hidden(faces: pd.DataFrame) -> np.ndarray:
    """Return the share 0-1 of the mouth that something covers, float, shape [n]."""
    require_columns(faces, ["occlusion"])
    return 1.0 - _seen(faces, _MOUTH_SEEN)


def require_guideline(guideline: str) -> None:
    """Raise a ValueError unless `guideline` is a key of `GUIDELINES`."""
    if guideline not in GUIDELINES:
        raise ValueError(f"guideline is {guideline!r}; accepted are {', '.join(GUIDELINES)}.")


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return the logistic function of x, safe for any size."""
    return 1.0 / (1.0 + np.exp(-np.clip(x, -40.0, 40.0)))


def _cues(faces: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the visible cues by the names of `Weights`, each float [n], 0-1 (`build` is signed)."""
    require_columns(faces, [*ACTION_UNITS, *_BUILD, "occlusion", "glasses"])
    unit = {name: faces[name].to_numpy(float) for name in ACTION_UNITS}
    mouth = _seen(faces, _MOUTH_SEEN)
    eyes = _seen(faces, _EYES_SEEN)
    lids_seen = eyes * np.where(faces["glasses"].to_numpy(bool), 0.85, 1.0)
    raised = np.maximum(unit["AU01"], unit["AU02"])
    scowl = unit["AU04"] * (1.0 - 0.7 * raised) * eyes
    narrow_or_hard = np.maximum(unit["AU07"], unit["AU05"] * (1.0 - raised))
    pressed = np.maximum(unit["AU23"], unit["AU24"])
    bared = 0.7 * unit["AU10"] + 0.4 * unit["AU16"] + 0.3 * unit["AU09"] + 0.2 * unit["AU20"]
    lips = np.clip(0.85 * pressed + 0.3 * unit["AU17"], 0.0, 1.0) * mouth
    snarl = np.clip(bared, 0.0, 1.0) * (unit["AU12"] < 0.5) * mouth
    stern = sum(weight * faces[name].to_numpy(float) for name, weight in _BUILD.items())
    return {
        "scowl": scowl,
        # Tight lids without lowered brows are a smile or a squint, not a stare.
        "lids": narrow_or_hard * np.clip(2.0 * scowl, 0.0, 1.0) * lids_seen,
        "lips": lips,
        "snarl": snarl,
        "together": np.sqrt(scowl * np.maximum(lips, snarl)),
        "nose": np.maximum(unit["AU09"], 0.7 * unit["AU10"]) * (1.0 - unit["AU12"]) * mouth,
        "shout": np.maximum(unit["AU27"], 0.7 * unit["AU26"]) * unit["AU25"] * mouth,
        "dimple": unit["AU14"] * mouth,
        "wide_eyes": unit["AU05"] * raised * lids_seen,
        "build": np.asarray(stern) * eyes,
        "squint": np.minimum(unit["AU06"], unit["AU07"]) * lids_seen,
        "smile": unit["AU12"] * mouth,
        "raised": raised * eyes,
    }


def _ambiguity(faces: pd.DataFrame) -> np.ndarray:
    """Return a standard-normal number [n] for each picture, always the same for the same `seed`."""
    require_columns(faces, ["seed"])
    seed = faces["seed"].to_numpy().astype(np.uint64)
    radius = np.sqrt(-2.0 * np.log(_hashed_uniform(2 * seed)))
    return radius * np.cos(2.0 * np.pi * _hashed_uniform(2 * seed + np.uint64(1)))


def _hashed_uniform(key: np.ndarray) -> np.ndarray:
    """Return a number in (0, 1) for each uint64 key, by the SplitMix64 finaliser."""
    key = key + np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    key = key ^ (key >> np.uint64(31))
    return ((key >> np.uint64(11)).astype(float) + 0.5) * 2.0**-53


def _seen(faces: pd.DataFrame, shares: dict[str, float]) -> np.ndarray:
    unknown = [kind for kind in faces["occlusion"].unique() if kind not in shares]
    if unknown:
        raise ValueError(f"occlusion holds {unknown[0]!r}; accepted are {', '.join(shares)}.")
    return faces["occlusion"].map(shares).to_numpy(float)
