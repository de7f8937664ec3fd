"""Where everything on a face lies: landmarks from traits and action units; knows nothing of pixels.

Unit is the distance between the eye centres (IOD); x runs to image right and y down, from the point
between the eyes. Neutral positions follow medians measured on FER2013 photographs; displacements of
action units and identity spreads follow the ICT-FaceKit blendshapes (USC, MIT licence), stronger at
the brows, because photographs show stronger frowns than the blendshapes do.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from course.faces.columns import RENDERED, require_columns

ONE_SIDED = ("AU01", "AU02", "AU06", "AU09", "AU10", "AU12", "AU14", "AU15")
"""Action units that `laterality` makes weaker on one side."""


def sided(values: np.ndarray, laterality: np.ndarray) -> np.ndarray:
    """Return [n, 2] values for image left and right; the weaker side loses `laterality`."""
    left = values * (1.0 - np.maximum(laterality, 0.0))
    right = values * (1.0 - np.maximum(-laterality, 0.0))
    return np.stack([left, right], axis=1)


def landmarks(faces: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return landmark positions by name, in IOD; arrays [n], or [n, 2] for image left and right.

    Names ending in `_x` of two-sided landmarks are distances from the midline.

    Raises:
        ValueError: when a column is missing.

    """
    require_columns(faces, RENDERED)
    get = {name: faces[name].to_numpy(dtype=float) for name in faces.select_dtypes("number")}
    au = {
        unit: sided(get[unit], get["laterality"]) if unit in ONE_SIDED else np.stack([get[unit]] * 2, axis=1)
        for unit in (name for name in get if name.startswith("AU"))
    }
    two = {name: np.stack([values] * 2, axis=1) for name, values in get.items()}
    lean = np.array([-1.0, 1.0]) * two["asymmetry"]
    # Sided units travel with the landmarks, because folds and creases follow them too.
    marks: dict[str, np.ndarray] = {unit: au[unit] for unit in ONE_SIDED}
    _brows(marks, two, au, lean)
    _eyes(marks, two, au, lean)
    _nose(marks, get, two, au)
    _mouth(marks, get, two, au, lean)
    _outline(marks, get)
    return marks


def measures(faces: pd.DataFrame) -> pd.DataFrame:
    """Return the distances, in IOD, that were measured on photographs, one row a face."""
    marks = landmarks(faces)
    upper, lower = marks["upper_inner_y"], marks["lower_inner_y"]
    corner = marks["corner_y"].mean(axis=1)
    # Lid landmarks sit a third of the way along the eye, where a parabola has 8/9 of its height.
    opening = (marks["lid_upper"] + marks["lid_lower"]) * 8.0 / 9.0
    return pd.DataFrame(
        {
            "brow_eye_inner": -marks["brow_inner_y"].mean(axis=1),
            "brow_eye_mid": -marks["brow_mid_y"].mean(axis=1),
            "brow_eye_outer": -marks["brow_outer_y"].mean(axis=1),
            "eye_open": opening.mean(axis=1),
            "mouth_width": marks["corner_x"].sum(axis=1),
            "mouth_open_inner": lower - upper,
            "lip_total_h": marks["lower_bottom_y"] - marks["upper_top_y"],
            "upper_lip_nose": marks["upper_top_y"] - marks["nose_base_y"],
            "corner_height(+up)": (upper + lower) / 2.0 - corner,
            "chin_mouth": marks["chin_y"] - marks["lower_bottom_y"],
            "nose_width": 2.0 * marks["nose_wing_x"].mean(axis=1),
        }
    )


def _brows(marks: dict, two: dict, au: dict, lean: np.ndarray) -> None:
    rest = 0.046 * two["brow_height"]
    slant = 0.014 * two["brow_slant"]
    drawn = au["AU04"]
    marks["brow_inner_x"] = 0.245 - 0.055 * drawn - 0.008 * au["AU09"]
    marks["brow_mid_x"] = 0.53 - 0.05 * drawn
    marks["brow_outer_x"] = 0.86 - 0.03 * drawn + 0.02 * two["masculinity"]
    inner = 0.30 + rest - slant + 0.058 * au["AU01"] + 0.066 * au["AU02"]
    inner += -0.104 * drawn * (1.0 - 0.7 * au["AU01"]) - 0.05 * au["AU09"]
    mid = 0.357 + rest + 0.045 * au["AU01"] + 0.1 * au["AU02"]
    mid += -0.085 * drawn - 0.035 * au["AU09"] - 0.012 * au["AU06"]
    outer = 0.240 + 0.55 * rest + slant - 0.022 * au["AU01"] + 0.05 * au["AU02"]
    outer += 0.009 * drawn - 0.014 * au["AU06"] - 0.012 * au["AU09"]
    marks["brow_inner_y"] = -np.maximum(inner, 0.11) - 0.008 * lean
    marks["brow_mid_y"] = -np.maximum(mid, 0.16) - 0.012 * lean
    marks["brow_outer_y"] = -np.maximum(outer, 0.13) - 0.01 * lean
    marks["brow_half"] = (0.047 + 0.011 * two["brow_thickness"]).clip(0.02, 0.085) * (1.0 + 0.15 * drawn)


def _eyes(marks: dict, two: dict, au: dict, lean: np.ndarray) -> None:
    rest = 0.123 * (1.0 + 0.085 * two["eye_size"] - 0.03 * two["eye_depth"])
    upper = 0.6 * rest + 0.017 * au["AU05"] - 0.008 * au["AU07"] - 0.006 * au["AU04"]
    upper += -0.006 * au["AU06"] - 0.001 * au["AU09"] + 0.004 * lean
    lower = 0.4 * rest - 0.018 * au["AU07"] - 0.014 * au["AU06"] - 0.003 * au["AU09"]
    lower += 0.002 * au["AU05"]
    closed = 1.0 - au["AU43"]
    marks["lid_upper"] = np.maximum(upper, 0.012) * closed - 0.018 * au["AU43"]
    marks["lid_lower"] = np.maximum(lower, 0.012) * (1.0 - 0.2 * au["AU43"]) + 0.0
    marks["lid_lower"] = np.where(au["AU43"] > 0.9, 0.022, marks["lid_lower"])
    marks["eye_half"] = 0.202 + 0.007 * two["eye_size"]
    marks["eye_tilt"] = 0.03 + 0.035 * two["eye_tilt"]


def _nose(marks: dict, get: dict, two: dict, au: dict) -> None:
    raised = (au["AU09"] * 0.045 + au["AU10"] * 0.025 + au["AU12"] * 0.012).mean(axis=1)
    base = 0.72 + 0.03 * get["nose_length"] + 0.02 * get["face_length"]
    marks["nose_base_y"] = base - 0.8 * raised
    marks["nose_tip_y"] = base - 0.2 - 0.3 * raised
    wings = 0.178 + 0.014 * two["nose_width"]
    marks["nose_wing_x"] = (
        wings + 0.02 * au["AU12"] + 0.01 * au["AU15"] + 0.016 * au["AU38"] + 0.011 * au["AU09"]
    )
    marks["nose_wing_y"] = (base - 0.08)[:, None] - 0.07 * au["AU09"] - 0.035 * au["AU10"]


def _mouth(marks: dict, get: dict, two: dict, au: dict, lean: np.ndarray) -> None:
    one = {unit: values.mean(axis=1) for unit, values in au.items()}
    line = 1.055 - 0.04 * get["mouth_height"] + 0.035 * get["face_length"]
    jaw = 0.21 * one["AU26"] + 0.39 * one["AU27"]
    parted = one["AU25"] + 0.4 * np.clip(one["AU26"] + one["AU27"], 0.0, 1.0)
    parted = np.clip(parted, 0.0, 1.0)
    raised = 0.075 * one["AU10"] + 0.04 * one["AU09"] + 0.062 * one["AU12"] + 0.012 * one["AU15"]
    raised = raised + 0.035 * one["AU17"] + 0.016 * one["AU04"]
    lowered = 0.08 * one["AU16"] - 0.045 * one["AU17"] - 0.02 * one["AU12"]
    smile_gap = 0.17 * one["AU12"] * one["AU25"]
    upper = line - 0.012 - 0.012 * parted - raised - 0.35 * smile_gap
    lower = line + 0.012 + 0.03 * parted + 0.6 * smile_gap + jaw
    lower = lower + np.where(lowered > 0, lowered * parted, lowered - raised * (1.0 - parted))
    # Closed lips follow one another: the lower lip rises with the upper one.
    lower = np.maximum(lower, upper + 0.02)
    thin = np.clip(1.0 - 0.45 * one["AU23"] - 0.55 * one["AU24"] - 0.22 * one["AU12"], 0.25, 1.0)
    thin = thin * (1.0 - 0.12 * np.clip(jaw / 0.4, 0.0, 1.0))
    full = np.clip(1.0 + 0.17 * get["lip_fullness"], 0.45, 1.7)
    marks["upper_inner_y"] = upper
    marks["lower_inner_y"] = lower
    marks["upper_top_y"] = upper - 0.095 * full * thin - 0.012 * one["AU22"]
    marks["lower_bottom_y"] = lower + 0.112 * full * thin + 0.012 * one["AU22"]
    half = 0.372 + 0.022 * two["mouth_width"] + 0.115 * au["AU12"] + 0.055 * au["AU20"]
    half += 0.004 * au["AU14"] + 0.022 * au["AU10"] + 0.02 * au["AU16"]
    half += -0.025 * au["AU23"] - 0.015 * au["AU24"] - 0.085 * au["AU22"]
    half += -0.03 * au["AU26"] * (1.0 - au["AU20"]) - 0.048 * au["AU27"]
    marks["corner_x"] = np.maximum(half, 0.2)
    corner = line[:, None] + 0.46 * jaw[:, None] - 0.011 * two["mouth_corner"]
    corner = corner - 0.15 * au["AU12"] - 0.035 * au["AU14"] + 0.014 * au["AU15"]
    corner += -0.06 * au["AU10"] - 0.07 * au["AU09"] + 0.015 * au["AU20"]
    corner += -0.045 * au["AU17"] - 0.014 * au["AU04"] - 0.008 * lean
    marks["corner_y"] = corner + 0.15 * np.minimum(lowered, 0.0)[:, None]
    open_square = np.clip(one["AU10"] + one["AU16"] + 0.7 * one["AU20"], 0.0, 1.6)
    marks["squareness"] = 1.9 + 1.7 * open_square * parted
    marks["parted"] = parted
    marks["jaw_drop"] = jaw


def _outline(marks: dict, get: dict) -> None:
    chin = 1.58 + 0.075 * get["face_length"] + 0.03 * get["masculinity"]
    marks["chin_y"] = (
        chin + 0.45 * marks["jaw_drop"] - 0.12 * get["AU17"] - 0.09 * get["AU09"] - 0.05 * get["AU20"]
    )
    marks["face_half"] = 1.075 + 0.045 * get["face_width"]
    marks["jaw_power"] = np.clip(3.0 + 0.55 * get["jaw"], 2.0, 4.6)
    marks["hairline_y"] = -0.86 - 0.09 * get["forehead"]
