"""The height of the face above the picture plane; light falls on it, and pose moves it.

Depths in inter-ocular distances, towards the viewer; general shape after the depth map of the
ICT-FaceKit face model (USC, MIT licence), folds and creases added by hand.
"""

from __future__ import annotations

import numpy as np

from course.faces.fields import Canvas, blobs, pairs, per_face, ridge, soft


def heights(grid: Canvas, faces: dict, marks: dict) -> np.ndarray:
    """Return heights [faces, rows, columns], float32."""
    count = len(faces["seed"])
    height = blobs(grid, count, _forms(faces, marks))
    # The face turns away at its sides; ears and hair beyond look forward again.
    wide = np.abs(grid.x) * per_face(1.05 / marks["face_half"])
    across = np.square(np.minimum(wide, 1.1))
    height += -0.16 * across - 0.33 * across**3
    height += _profile(grid, marks)
    _lips(height, grid, marks)
    for side in (0, 1):
        _folds(height, grid, faces, marks, side)
    return height


def _forms(faces: dict, marks: dict) -> list[tuple]:
    """Return the rounded forms of the face: brow ridge, sockets, nose, cheeks, chin."""
    au = faces
    base, tip = marks["nose_base_y"], marks["nose_tip_y"]
    wing_x, wing_y = marks["nose_wing_x"].mean(axis=1), marks["nose_wing_y"].mean(axis=1)
    brow = marks["brow_mid_y"].mean(axis=1)
    depth = 1.0 + 0.16 * faces["eye_depth"] + 0.2 * (faces["masculinity"] - 0.5)
    knit = au["AU04"]
    raised = au["AU12"] + au["AU06"] * 0.7 + 0.5 * au["AU10"]
    broad = 1.0 + 0.1 * faces["nose_width"]
    corner_x, corner_y = marks["corner_x"].mean(axis=1), marks["corner_y"].mean(axis=1)
    pit = 0.035 + 0.03 * au["AU14"] + 0.03 * au["AU12"]
    cheek = 0.08 + 0.02 * faces["cheek"] + 0.085 * raised
    pressed = 0.03 * (au["AU24"] + 0.5 * au["AU17"])
    return [
        # nose: root, bridge, ball, wings; under it the face falls back
        (0.0, -0.12, 0.14, 0.16, 0.06),
        (0.0, base - 0.45, 0.11 * broad, 0.22, 0.08),
        (0.0, tip + 0.04, 0.125 * broad, 0.13, 0.16),
        (0.0, tip - 0.08, 0.24, 0.24, 0.12),
        *pairs([(wing_x * 0.8, wing_y + 0.02, 0.06, 0.065, 0.085 + 0.05 * au["AU38"])]),
        (0.0, base + 0.06, 0.2, 0.06, -0.035),
        # brow ridge, and the bulge between brows that are drawn together
        *pairs([(0.42, brow + 0.08, 0.24, 0.09, 0.085 * depth + 0.035 * knit)]),
        (0.0, -0.3 + 0.05 * knit, 0.12, 0.1, 0.02 + 0.03 * knit),
        # sockets, deepest beside the root of the nose; the eyeball bulges in them
        *pairs([(0.34, -0.03, 0.13, 0.13, -0.10 * depth)]),
        *pairs([(0.58, -0.02, 0.22, 0.14, -0.075 * depth)]),
        *pairs([(0.5, 0.0, 0.14, 0.1, 0.085)]),
        *pairs([(0.55, 0.17, 0.16, 0.05, -0.03 - 0.03 * faces["wrinkles"])]),
        # cheekbones and cheeks, lifted by a smile or a snarl; pits at the corners of the mouth
        *pairs([(0.68, 0.46 - 0.06 * raised, 0.24, 0.2, cheek)]),
        *pairs([(0.62, 0.95, 0.26, 0.3, -0.03 + 0.02 * faces["cheek"])]),
        *pairs([(corner_x + 0.03, corner_y, 0.07, 0.07, -pit)]),
        # the muzzle carries the lips; the groove below them; the chin; bulges of pressed lips
        (0.0, 1.05, 0.36, 0.3, 0.15),
        (0.0, marks["lower_bottom_y"] + 0.075, 0.2, 0.05, -0.025 - 0.03 * au["AU24"]),
        (0.0, marks["chin_y"] - 0.2, 0.2, 0.13, 0.10 + 0.05 * au["AU17"]),
        (0.0, marks["upper_top_y"] - 0.03, 0.25, 0.035, pressed),
    ]


def _profile(grid: Canvas, marks: dict) -> np.ndarray:
    """Return how forehead and chin curve away, [faces, rows, 1]."""
    chin = marks["chin_y"].astype(np.float32)[:, None]
    y = grid.y[None, :]
    fall = -0.30 * np.square(np.clip((-0.35 - y) / 0.75, 0.0, None))
    fall = fall - 0.32 * np.square(np.clip((y - chin + 0.2) / 0.3, 0.0, 1.0))
    return fall[:, :, None].astype(np.float32)


def _lips(height: np.ndarray, grid: Canvas, marks: dict) -> None:
    """Add the rolls of the lips and the groove of the upper lip."""
    rows, columns = grid.rows(0.72, 2.1), grid.columns(0.7)
    part = height[:, rows, columns]
    x, y = grid.x[columns], grid.y[rows][:, None]
    across = ridge(x, per_face(marks["corner_x"].mean(axis=1)) * 1.02)
    top, upper = per_face(marks["upper_top_y"]), per_face(marks["upper_inner_y"])
    lower, bottom = per_face(marks["lower_inner_y"]), per_face(marks["lower_bottom_y"])
    rolls = 0.06 * ridge(y - (0.45 * top + 0.55 * upper), (upper - top) * 0.9 + 0.02)
    rolls += 0.06 * ridge(y - (0.6 * lower + 0.4 * bottom), (bottom - lower) * 0.85 + 0.02)
    part += across * rolls
    groove = per_face(0.5 * (marks["upper_top_y"] + marks["nose_base_y"]))
    part -= 0.022 * ridge(x, 0.085) * ridge(y - groove, 0.13)


def _folds(height: np.ndarray, grid: Canvas, faces: dict, marks: dict, side: int) -> None:
    """Add the fold from nostril to mouth and the furrow beside the midline, on one side."""
    rows, columns = grid.rows(0.36, 1.45), grid.half(side, 0.95)
    x, y = np.abs(grid.x[columns]), grid.y[rows][:, None]
    distance, along, strength = nasolabial(x, y, faces, marks, side)
    step = soft(distance, 0.2) - soft(distance, 0.75)
    height[:, rows, columns] += step * along * per_face(0.11 * strength)
    rows, columns = grid.rows(-0.6, 0.02), grid.half(side, 0.25)
    x, y = np.abs(grid.x[columns]), grid.y[rows][:, None]
    crease, amount = glabella(x, y, faces, marks, side)
    height[:, rows, columns] -= crease * per_face(0.04 * amount)
    # Oblique bulges above brows that are drawn together fan out into the forehead.
    rows, columns = grid.rows(-0.8, -0.1), grid.half(side, 0.8)
    x, y = np.abs(grid.x[columns]), grid.y[rows][:, None]
    rise = per_face(marks["brow_inner_y"][:, side]) - y
    fan = (x - 0.14) / (0.3 + np.maximum(rise, 0.0))
    bulge = np.cos(fan * 12.0) * ridge(x - 0.34, 0.42) * ridge(rise - 0.18, 0.3)
    height[:, rows, columns] += bulge * per_face(0.06 * np.clip(faces["AU04"] - 0.25, 0.0, 1.0))


def nasolabial(
    x: np.ndarray, y: np.ndarray, faces: dict, marks: dict, side: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the fold beside the mouth: distance outward, presence along it, strength [faces]."""
    top_x = per_face(marks["nose_wing_x"][:, side] + 0.045)
    top_y = per_face(marks["nose_wing_y"][:, side] - 0.06)
    low_x = per_face(marks["corner_x"][:, side] + 0.105)
    low_y = per_face(marks["corner_y"][:, side] + 0.06)
    t = (y - top_y) / (low_y - top_y)
    # Bows outward: it leaves the nose steeply and runs down past the corner of the mouth.
    bow = 0.05 + 0.06 * per_face(faces["AU10"] + faces["AU09"])
    edge = top_x + (low_x - top_x) * t + bow * 4.0 * t * (1.0 - np.clip(t, -0.2, 1.2))
    along = ridge(t - 0.42, 0.85)
    pulled = 0.75 * (marks["AU12"] + marks["AU10"] + 0.9 * marks["AU09"])[:, side]
    strength = 0.10 + 0.35 * faces["wrinkles"] + pulled + 0.2 * faces["AU20"]
    return x - edge, along, np.minimum(strength, 1.5)


def glabella(
    x: np.ndarray, y: np.ndarray, faces: dict, marks: dict, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the upright furrow beside the midline: shape 0-1 and strength [faces]."""
    inner = per_face(marks["brow_inner_y"][:, side])
    wander = per_face(0.012 * (side * 2 - 1) * faces["asymmetry"])
    # From the head of the brow down towards the root of the nose.
    line = 0.10 + 0.25 * (inner + 0.02 - y) + wander
    crease = ridge(x - line, 0.075) * ridge(y - inner - 0.02, 0.22)
    strength = faces["AU04"] * 1.15 + 0.5 * faces["AU09"] + 0.15 * faces["wrinkles"]
    return crease, np.clip(strength, 0.0, 1.3)
