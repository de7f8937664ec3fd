"""The colours of a face: skin, brows, eyes, mouth, beard and creases, painted on the canvas.

Albedo is a list of channels (one for grey, three for colour), each [faces, rows, columns]; `Palette`
holds one value per channel and face for every material.
"""

from __future__ import annotations

import numpy as np

from course.faces.fields import Canvas, blobs, mix_in, noise, pairs, per_face, ridge, soft
from course.faces.heights import glabella, nasolabial

Channels = list[np.ndarray]


def paint_face(grid: Canvas, faces: dict, marks: dict, palette: dict) -> tuple[Channels, Channels]:
    """Return albedo and the part of it that light and shade do not reach (eyes, teeth)."""
    count = len(faces["seed"])
    shade = _creases(grid, faces, marks)
    blotch = noise("cloud", faces["seed"], 1, *grid.shape)
    grain = noise("grain", faces["seed"], 2, *grid.shape)
    rough = 0.015 + 0.03 * faces["wrinkles"] + 0.015 * faces["masculinity"]
    shade *= 1.0 + 0.035 * blotch + per_face(rough) * grain
    albedo = [shade * per_face(value) for value in palette["skin"]]
    _blush(albedo, grid, faces, count)
    _beard(albedo, grid, faces, marks, palette, grain)
    _mouth(albedo, grid, faces, marks, palette)
    for side in (0, 1):
        _brow(albedo, grid, faces, marks, palette, grain, side)
        _eye(albedo, grid, faces, marks, palette, side)
    return albedo


def _creases(grid: Canvas, faces: dict, marks: dict) -> np.ndarray:
    """Return how much light folds, hollows and wrinkles leave, [faces, rows, columns], about 1."""
    au, old = faces, faces["wrinkles"]
    brow_in = marks["brow_inner_y"].mean(axis=1)
    brow_mid = marks["brow_mid_y"].mean(axis=1)
    lifted = 0.5 * (au["AU01"] + au["AU02"])
    middle = np.clip(1.1 * lifted + 0.35 * au["AU01"] * (1 - au["AU04"]), 0, 1) + 0.3 * old
    corner_x = marks["corner_x"].mean(axis=1)
    corner_y = marks["corner_y"].mean(axis=1)
    hood = np.clip(0.5 + 0.13 * faces["eye_depth"] + 0.75 * au["AU04"] - 0.35 * lifted, 0, 1.5)
    gap = np.maximum(-brow_mid - marks["lid_upper"].mean(axis=1), 0.08)
    frown = au["AU04"]
    deep = frown**2
    base = marks["nose_base_y"]
    wrinkle = np.clip(au["AU09"] + 0.25 * au["AU10"], 0, 1.2)
    dark = [
        # sockets: shadow between lid and brow, deepest beside the nose
        *pairs([(0.31, -0.12 - 0.02 * frown, 0.11, 0.08, 0.2 * hood + 0.3 * frown + 0.82 * deep)]),
        *pairs([(0.52, -0.12 - 0.2 * gap, 0.2, 0.35 * gap, 0.16 * hood)]),
        *pairs([(0.46, 0.15, 0.17, 0.055, 0.07 + 0.12 * old + 0.06 * au["AU06"])]),
        # beside and under the nose
        *pairs([(marks["nose_wing_x"].mean(axis=1) + 0.03, base - 0.07, 0.03, 0.07, 0.26)]),
        *pairs([(0.09, base - 0.02, 0.05, 0.028 + 0.012 * au["AU38"], 0.6)]),
        (0.0, base + 0.015, 0.13, 0.025, 0.12),
        # under the lower lip, corners of the mouth
        (0.0, marks["lower_bottom_y"] + 0.05, 0.17, 0.035, 0.15 + 0.12 * au["AU17"]),
        *pairs([(corner_x + 0.015, corner_y + 0.005, 0.035, 0.035, 0.22 + 0.15 * au["AU14"])]),
        *pairs([(corner_x + 0.05, corner_y + 0.1, 0.045, 0.09, 0.4 * au["AU15"] + 0.09 * old)]),
        *pairs([(corner_x + 0.08, corner_y, 0.025, 0.07, 0.3 * au["AU14"])]),
        # forehead lines of raised brows
        *[(0.0, brow_in - lift, 0.42, 0.017, 0.26 * middle) for lift in (0.16, 0.27, 0.38)],
        # wrinkled root of the nose, furrows between the brows
        *[(0.0, height, 0.12, 0.022, 0.3 * wrinkle) for height in (-0.01, 0.08, 0.17)],
        (0.0, brow_in + 0.05, 0.15, 0.1, 0.24 * frown),
        # a hard frown creases the root of the nose and bunches the skin below it
        (0.0, 0.09, 0.2, 0.03, 0.42 * deep),
        (0.0, 0.26, 0.3, 0.05, -0.32 * deep),
        # below a raised cheek; the pinch above the wing of a wrinkled nose
        *pairs([(0.72, 0.74, 0.2, 0.07, 0.2 * au["AU12"] + 0.06 * au["AU10"])]),
        *pairs([(0.17, 0.42 - 0.06 * au["AU09"], 0.05, 0.1, 0.22 * wrinkle)]),
        # crow's feet
        *pairs([(0.82, 0.0, 0.05, 0.014, 0.2 * au["AU06"] + 0.12 * old)]),
        *pairs([(0.82, 0.07, 0.05, 0.014, 0.2 * au["AU06"] + 0.08 * old)]),
        # chin, puckered by the chin raiser
        *pairs([(0.09, marks["chin_y"] - 0.2, 0.04, 0.05, 0.25 * au["AU17"])]),
    ]
    shade = blobs(grid, len(old), [(*term[:4], -np.asarray(term[4])) for term in dark])
    shade += 1.0
    for side in (0, 1):
        rows, columns = grid.rows(0.36, 1.45), grid.half(side, 0.95)
        x, y = np.abs(grid.x[columns]), grid.y[rows][:, None]
        distance, along, strength = nasolabial(x, y, faces, marks, side)
        crease = ridge(distance - 0.01, 0.09)
        shade[:, rows, columns] -= crease * along * per_face(0.36 * strength)
        rows, columns = grid.rows(-0.6, 0.02), grid.half(side, 0.25)
        x, y = np.abs(grid.x[columns]), grid.y[rows][:, None]
        crease, amount = glabella(x, y, faces, marks, side)
        shade[:, rows, columns] -= crease * per_face(0.5 * amount)
    return np.maximum(shade, 0.12, out=shade)


def _blush(albedo: Channels, grid: Canvas, faces: dict, count: int) -> None:
    """Redden cheeks and nose; only colour pictures show it."""
    if len(albedo) == 1:
        return
    red = blobs(grid, count, [*pairs([(0.65, 0.45, 0.25, 0.2, 0.10)]), (0.0, 0.5, 0.12, 0.12, 0.08)])
    albedo[1] *= 1.0 - red
    albedo[2] *= 1.0 - red


def _beard(
    albedo: Channels,
    grid: Canvas,
    faces: dict,
    marks: dict,
    palette: dict,
    grain: np.ndarray,
) -> None:
    amount = np.clip(faces["beard"] * 1.1, 0.0, 1.0)
    if not (amount > 0).any():
        return
    rows = grid.rows(-0.1, 2.3)
    x, y = np.abs(grid.x), grid.y[rows][:, None]
    # From the sideburns along the jaw to the corners of the mouth, and all below.
    inward = np.clip((0.98 - x) / 0.55, 0.0, 1.0)
    cheek = soft(y - 0.15 - 0.9 * inward**0.6, 0.3)
    base, top = per_face(marks["nose_base_y"]), per_face(marks["upper_top_y"])
    lip = soft(y - base - 0.06, 0.05) * soft(top + 0.02 - y, 0.05)
    lip = lip * soft(per_face(marks["corner_x"].mean(axis=1)) + 0.06 - x, 0.12)
    bottom = per_face(marks["lower_bottom_y"])
    chin = soft(y - bottom - 0.05, 0.1) * soft(0.5 - x, 0.3)
    cover = np.maximum(np.maximum(cheek, lip), chin)
    cover = cover * per_face(amount**0.7 * 0.9) * np.clip(0.8 + 0.25 * grain[:, rows], 0, 1)
    for channel, hair in zip(albedo, palette["beard"], strict=True):
        mix_in(channel[:, rows], cover, per_face(hair) * (1.0 + 0.2 * grain[:, rows]))


def _brow(
    albedo: Channels,
    grid: Canvas,
    faces: dict,
    marks: dict,
    palette: dict,
    grain: np.ndarray,
    side: int,
) -> None:
    rows, columns = grid.rows(-0.8, -0.02), grid.half(side, 1.05)
    x, y = np.abs(grid.x[columns]), grid.y[rows][:, None]

    def mark(name: str) -> np.ndarray:
        return per_face(marks[name][:, side])

    inner_x, mid_x, outer_x = mark("brow_inner_x"), mark("brow_mid_x"), mark("brow_outer_x")
    inner_y, mid_y, outer_y = mark("brow_inner_y"), mark("brow_mid_y"), mark("brow_outer_y")
    # The parabola through the three landmarks.
    first = (mid_y - inner_y) / (mid_x - inner_x)
    second = ((outer_y - mid_y) / (outer_x - mid_x) - first) / (outer_x - inner_x)
    line = inner_y + (x - inner_x) * (first + (x - mid_x) * second)
    along = (x - inner_x) / (outer_x - inner_x)
    knit = per_face(faces["AU04"])
    half = mark("brow_half") * np.clip(
        1.12 + 0.25 * knit - (0.75 + 0.25 * knit) * np.clip(along, 0.0, None) ** 1.6, 0.15, None
    )
    cover = soft(half - np.abs(y - line), 0.055)
    cover *= soft(along + 0.04, 0.16) * soft(1.03 - along, 0.14)
    strength = np.clip(0.84 + 0.1 * faces["brow_thickness"] + 0.1 * faces["makeup"], 0.35, 0.97)
    cover *= per_face(strength) * np.clip(0.92 + 0.16 * grain[:, rows, columns], 0, 1.05)
    for channel, hair in zip(albedo, palette["brow"], strict=True):
        mix_in(channel[:, rows, columns], cover, per_face(hair))


def _eye(albedo: Channels, grid: Canvas, faces: dict, marks: dict, palette: dict, side: int) -> None:
    rows, columns = grid.rows(-0.34, 0.28), grid.half(side, 0.86)
    columns_x = np.abs(grid.x[columns])
    x, y = columns_x - 0.5, grid.y[rows][:, None]
    half = per_face(marks["eye_half"][:, side])
    tilt = per_face(marks["eye_tilt"][:, side])
    up, low = per_face(marks["lid_upper"][:, side]), per_face(marks["lid_lower"][:, side])
    t = x / half
    inside = np.maximum(1.0 - np.square(t), 0.0)
    axis = -tilt * t * half * 2.0 * 0.5
    # A lowered brow presses the lid down near the nose, so that its peak moves outwards.
    peak = 0.06 + 0.24 * per_face(faces["AU04"])
    upper = axis - up * (1.0 - (np.abs(t - peak) / np.where(t < peak, 1.0 + peak, 1.0 - peak)) ** 2.3)
    lower = axis + low * inside
    wide = soft(1.0 - np.abs(t), 0.12)
    ball = soft(y - upper, 0.045) * soft(lower - y, 0.045) * wide
    gaze = 0.085 * per_face(faces["gaze_x"]) * (1 if side else -1)
    rise = -0.05 * per_face(faces["gaze_y"]) - 0.004 + 0.012 * per_face(faces["AU05"])
    radius = np.sqrt(np.square(x - gaze) + np.square(y - axis - rise))
    iris = soft(0.086 - radius, 0.035)
    pupil = soft(0.042 - radius, 0.04)
    # The upper lid shades the top of the eyeball, and its corners are pink and darker.
    lid_shade = 1.0 - 0.45 * ridge(y - upper, 0.07) - 0.22 * np.square(np.clip(t, -1, 1))
    glint = soft(0.016 - np.sqrt(np.square(x - gaze + 0.03) + np.square(y + 0.04)), 0.035)
    open_eye = soft(up + low - 0.03, 0.04)
    lash_width = 0.056 + 0.02 * per_face(faces["makeup"]) + 0.006 * open_eye
    lash_width = lash_width * (1.0 - 0.5 * per_face(faces["AU05"]))
    lash = ridge(y - upper + 0.008, lash_width) * wide
    liner = ridge(y - lower - 0.006, 0.026) * wide
    fold_y = upper - 0.05 - 0.02 * per_face(faces["AU05"]) + 0.03 * per_face(faces["AU04"])
    fold = ridge(y - fold_y, 0.024) * soft(0.95 - np.abs(t), 0.3)
    fold_depth = 0.34 - 0.04 * faces["eye_depth"] - 0.2 * faces["AU04"]
    pouch = ridge(y - lower - 0.06, 0.04) * soft(0.9 - np.abs(t), 0.3)
    pouch_depth = 0.07 + 0.22 * faces["AU07"] + 0.25 * faces["AU06"] + 0.12 * faces["wrinkles"]
    for index, channel in enumerate(albedo):
        part = channel[:, rows, columns]
        part *= 1.0 - fold * per_face(np.clip(fold_depth, 0, 1)) - pouch * per_face(pouch_depth)
        colour = per_face(palette["sclera"][index]) * lid_shade
        mix_in(colour, iris, per_face(palette["iris"][index]) * lid_shade)
        mix_in(colour, pupil, 0.02)
        colour += 0.7 * glint
        mix_in(part, ball, colour)
        mix_in(part, np.clip(1.05 * lash, 0, 1), per_face(palette["lash"][index]))
        part *= 1.0 - liner * per_face(0.3 + 0.25 * faces["makeup"])


def _mouth(albedo: Channels, grid: Canvas, faces: dict, marks: dict, palette: dict) -> None:
    rows, columns = grid.rows(0.72, 2.25), grid.columns(0.66)
    x, y = grid.x[columns], grid.y[rows][:, None]
    left, right = marks["corner_x"][:, 0], marks["corner_x"][:, 1]
    centre, half = per_face(0.5 * (right - left)), per_face(0.5 * (right + left))
    tilt = per_face(0.5 * (marks["corner_y"][:, 1] - marks["corner_y"][:, 0]))
    corner = per_face(marks["corner_y"].mean(axis=1))
    t = (x - centre) / half
    size = np.abs(t)
    power = per_face(marks["squareness"])
    arch = 1.0 - np.minimum(size, 1.0) ** power
    round_arch = 1.0 - np.minimum(size, 1.0) ** 1.8
    top, upper = per_face(marks["upper_top_y"]), per_face(marks["upper_inner_y"])
    lower, bottom = per_face(marks["lower_inner_y"]), per_face(marks["lower_bottom_y"])
    ends = corner + tilt * t
    inner_up = ends + (upper - ends) * arch
    inner_low = ends + (lower - ends) * arch
    bow = 0.02 * ridge(x - centre, 0.09)
    outer_up = ends - 0.006 + (top - ends) * (1.0 - np.minimum(size, 1.0) ** 1.45) + bow
    outer_low = ends + 0.006 + (bottom - ends) * round_arch
    within = soft(1.0 - size, 0.09)
    lips = soft(y - outer_up, 0.05) * soft(outer_low - y, 0.06) * within
    hole = soft(y - inner_up, 0.04) * soft(inner_low - y, 0.04) * within
    gap = inner_low - inner_up
    # Teeth hang a fixed way below the nose; the lip uncovers them. Lower teeth ride on the jaw.
    tooth_top = per_face(marks["nose_base_y"] + 0.18)
    shown = per_face(np.clip(0.25 + faces["AU12"] + faces["AU10"] + faces["AU20"], 0, 1))
    edge = np.maximum(tooth_top + 0.19, inner_up + 0.05 + 0.06 * shown)
    edge = np.minimum(edge, inner_up + 0.16)
    lit = np.clip(1.05 - 0.75 * np.square(t), 0.0, 1.0)
    teeth = soft(edge - y, 0.03) * soft(y - inner_up - 0.005, 0.03) * shown
    teeth = teeth * soft(gap - 0.035, 0.04)
    low_shown = per_face(np.clip(faces["AU16"] * 1.1, 0, 1))
    low_teeth = soft(y - inner_low + 0.09 * low_shown, 0.03) * low_shown * soft(gap - 0.1, 0.06)
    tongue = soft(y - (inner_low - 0.3 * gap), 0.1) * soft(gap - 0.16, 0.1) * (1 - low_shown)
    comb = 1.0 - 0.12 * np.square(np.cos(np.pi * x / 0.085))
    line = ridge(y - 0.5 * (inner_up + inner_low), 0.028 + 0.3 * gap) * soft(1.06 - size, 0.06)
    parting = np.clip(0.95 - 9.0 * (lower - upper), 0.0, 0.75)
    shade = 1.0 - 0.24 * soft(0.5 * (upper + lower) - y, 0.06)
    for index, channel in enumerate(albedo):
        part = channel[:, rows, columns]
        mix_in(part, 0.85 * lips, per_face(palette["lip"][index]) * shade)
        mouth = np.full_like(hole, 1.0) * per_face(palette["mouth"][index])
        mix_in(mouth, 0.7 * tongue, per_face(palette["tongue"][index]))
        bright = per_face(palette["teeth"][index]) * comb * lit
        mix_in(mouth, teeth, bright)
        mix_in(mouth, 0.85 * low_teeth, 0.8 * bright)
        mix_in(part, hole, mouth)
        part *= 1.0 - parting * line
