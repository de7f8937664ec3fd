"""The columns of a table of faces: one row is one face, and this is all that a renderer needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from course.faces.units import ACTION_UNITS


@dataclass(frozen=True)
class Column:
    """What a column holds: its pandas dtype kind, its unit or range, and its meaning."""

    dtype: str
    unit: str
    meaning: str


def _sd(meaning: str) -> Column:
    return Column("float", "standard deviations", meaning)


IDENTITY: dict[str, Column] = {
    "face": Column("int", "", "number of the face in its table, from 0"),
    "person": Column("int", "", "number of the person; the same person may own many faces"),
}

TRAITS: dict[str, Column] = {
    "age": Column("float", "years", "18-80"),
    "masculinity": Column("float", "0-1", "how masculine the face looks"),
    "skin": Column("float", "0-1", "share of light that the skin reflects"),
    "brow_height": _sd("resting brow height; below -1.2 looks stern at rest"),
    "brow_thickness": _sd("thickness and darkness of the brows"),
    "brow_slant": _sd("resting slant of the brows; positive = outer end higher"),
    "eye_depth": _sd("how deep the eyes lie; positive = hooded"),
    "eye_size": _sd("opening of the eyes at rest"),
    "eye_tilt": _sd("positive = outer corner higher"),
    "iris_shade": Column("float", "0-1", "brightness of the iris"),
    "lip_fullness": _sd("height of the red of the lips"),
    "mouth_width": _sd("width of the mouth at rest"),
    "mouth_height": _sd("positive = mouth nearer the nose"),
    "mouth_corner": _sd("resting lip corners; negative = down"),
    "face_width": _sd("width of the face"),
    "face_length": _sd("length from eyes to chin"),
    "nose_length": _sd("length of the nose"),
    "nose_width": _sd("width of the nose"),
    "jaw": _sd("width of the jaw against the cheekbones"),
    "cheek": _sd("fullness of the cheeks"),
    "forehead": _sd("height of the hairline"),
    "hair_style": Column("str", "", "bald, short, fringe, medium, long, cap or headscarf"),
    "hair_shade": Column("float", "0-1", "brightness of hair and brows"),
    "beard": Column("float", "0-1", "0 = shaved, 0.3 = stubble, 1 = full beard"),
    "makeup": Column("float", "0-1", "darkened lips and lashes"),
    "wrinkles": Column("float", "0-1", "depth of the lines of age"),
    "expressiveness": Column("float", "ratio", "multiplies the action units when drawn; median 1"),
    "asymmetry": _sd("how much, and to which side, the two halves differ"),
}

EXPRESSION: dict[str, Column] = {
    "expression": Column("str", "", "a key of EXPRESSIONS"),
    "intensity": Column("float", "0-1", "strength of the expression; 0 for neutral"),
    "laterality": Column("float", "-1..1", "share by which the image-right side is stronger"),
    **{unit: Column("float", "0-1", meaning) for unit, meaning in ACTION_UNITS.items()},
}

SCENE: dict[str, Column] = {
    "site": Column("str", "", "a key of SITES"),
    "yaw": Column("float", "degrees", "positive = face turned to image right"),
    "pitch": Column("float", "degrees", "positive = face turned up"),
    "roll": Column("float", "degrees", "positive = head tilted clockwise in the image"),
    "gaze_x": Column("float", "-1..1", "positive = eyes to image right"),
    "gaze_y": Column("float", "-1..1", "positive = eyes up"),
    "light_level": Column("float", "ratio", "strength of the main light; 1 = usual"),
    "light_x": Column("float", "-1..1", "where the main light stands; positive = image right"),
    "light_y": Column("float", "-1..1", "positive = above the face"),
    "ambient": Column("float", "0-1", "strength of the light from all sides"),
    "glasses": Column("bool", "", "whether the person wears glasses"),
    "occlusion": Column("str", "", "none, mask, hand or scarf"),
    "resolution": Column("float", "pixels", "sensor pixels along the side of the picture"),
    "blur": Column("float", "1/64 of the side", "standard deviation of the blur"),
    "noise": Column("float", "grey levels", "standard deviation of the sensor noise"),
    "exposure": Column("float", "stops", "0 = face at its usual brightness"),
    "gamma": Column("float", "exponent", "1 = usual; above 1 = darker middle tones"),
    "contrast": Column("float", "ratio", "1 = usual"),
    "frame_x": Column("float", "share of the side", "shift of the face to image right"),
    "frame_y": Column("float", "share of the side", "shift of the face down"),
    "frame_scale": Column("float", "share of the side", "distance between the eyes"),
    "background": Column("float", "0-1", "brightness of the background"),
    "background_texture": Column("float", "0-1", "contrast of the background"),
    "seed": Column("int", "", "fixes texture and noise, so that a row is always the same picture"),
}

COLUMNS: dict[str, Column] = {**IDENTITY, **TRAITS, **EXPRESSION, **SCENE}
"""Every column of a table made by `sample_faces`, in order."""

RENDERED: tuple[str, ...] = tuple(
    name for name in COLUMNS if name not in {"face", "person", "expression", "intensity", "site"}
)
"""The columns that decide the pixels; the others are names that only people and labels use."""

CATEGORIES: dict[str, tuple[str, ...]] = {
    "hair_style": ("bald", "short", "fringe", "medium", "long", "cap", "headscarf"),
    "occlusion": ("none", "mask", "hand", "scarf"),
}


def require_columns(faces: pd.DataFrame, names: Iterable[str], argument: str = "faces") -> None:
    """Raise a ValueError that names the first column which `faces` lacks.

    Raises:
        ValueError: when `faces` is no DataFrame or lacks a column.

    """
    if not isinstance(faces, pd.DataFrame):
        raise ValueError(f"{argument} is a {type(faces).__name__}; accepted is a pandas DataFrame.")
    missing = [name for name in names if name not in faces.columns]
    if missing:
        raise ValueError(
            f"{argument} lacks the column {missing[0]!r}; accepted are tables made by sample_faces."
        )
