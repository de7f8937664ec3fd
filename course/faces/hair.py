"""What surrounds and covers a face: outline, ears, neck, hair, clothes, glasses, masks, hands."""

from __future__ import annotations

import numpy as np

from course.faces.columns import CATEGORIES
from course.faces.fields import Canvas, hashed, mix_in, noise, per_face, ridge, soft

STYLES = CATEGORIES["hair_style"]

# hairline shift, half-width at the temples, volume beside and above the head, length down the side
_SHAPES = {
    "bald": (-9.0, 9.0, 0.0, 0.0, -9.0),
    "short": (0.0, 1.02, 0.05, 0.10, 0.05),
    "fringe": (0.34, 1.0, 0.10, 0.16, 0.15),
    "medium": (0.06, 0.98, 0.20, 0.18, 1.0),
    "long": (0.02, 0.95, 0.26, 0.18, 2.8),
    "cap": (0.30, 1.05, 0.06, 0.14, 0.0),
    "headscarf": (0.26, 0.93, 0.17, 0.13, 2.8),
}


def outline(
    grid: Canvas, marks: dict, volume: np.ndarray, lift: np.ndarray, ragged: np.ndarray | float = 0.0
) -> np.ndarray:
    """Return coverage of the head, grown by `volume` at the sides, `lift` on top, `ragged` all round."""
    y = grid.y[None, :]

    def row(name: str) -> np.ndarray:
        return marks[name].astype(np.float32)[:, None]

    volume, lift = volume.astype(np.float32)[:, None], lift.astype(np.float32)[:, None]
    width = row("face_half") + volume
    below = np.clip((y - 0.1) / (row("chin_y") + 0.25 * volume - 0.1), 0.0, 1.0)
    above = np.clip((0.1 - y) / (1.4 + lift), 0.0, 1.0)
    narrow = (1.0 - below ** row("jaw_power")) ** 0.5 * (1.0 - 0.16 * below)
    edge = width * narrow * (1.0 - above**2.6) ** 0.5
    slope = np.gradient(edge, grid.pitch, axis=1)
    scale = 1.0 / np.sqrt(1.0 + np.square(np.clip(slope, -6, 6)))
    return soft((edge[:, :, None] - np.abs(grid.x)) * scale[:, :, None] + ragged, 2.0 * grid.pitch)


def surround(albedo: list[np.ndarray], grid: Canvas, faces: dict, marks: dict, palette: dict) -> np.ndarray:
    """Paint outline, neck, ears, hair and clothes onto the albedo; return coverage of it all."""
    count = len(faces["seed"])
    zeros = np.zeros(count)
    head = outline(grid, marks, zeros, zeros)
    shape = np.array([_SHAPES[style] for style in STYLES])[faces["hair_style"]].T
    line, temple, volume, lift, length = shape
    x, y = np.abs(grid.x), grid.y[:, None]
    chin = per_face(marks["chin_y"])

    neck = soft(per_face(0.62 + 0.12 * faces["masculinity"]) - x, 0.06) * soft(y - 0.9, 0.1)
    shoulder = per_face(1.95 + 0.1 * faces["face_length"] + 0.1 * hashed(faces["seed"], 21))
    # The neckline hangs between the sides of the neck; the shoulders slope away outside them.
    opening = np.square(np.minimum(x / 0.6, 1.0))
    collar = shoulder + 0.06 - 0.3 * opening + 0.32 * np.maximum(x - 0.6, 0.0)
    dress = soft(y - collar, 0.06)
    ears = soft(1.0 - np.hypot((x - per_face(marks["face_half"])) / 0.13, (y - 0.22) / 0.3), 0.25)
    ears *= per_face(length < 0.6)
    under = np.clip(1.0 - 0.25 * soft(chin + 0.2 - y, 0.3), 0, 1)
    outside = 1.0 - head
    for channel, skin, cloth in zip(albedo, palette["skin"], palette["cloth"], strict=True):
        skin = per_face(skin)
        mix_in(channel, outside * np.maximum(neck, ears), skin * np.where(y > 0.8, under, 0.85))
        mix_in(channel, outside * dress, per_face(cloth))
    cover = np.maximum(head, np.maximum(np.maximum(neck, ears), dress))

    # Hair: the cap above a curved hairline, and curtains outside the temples.
    person = faces["person_key"]
    volume = volume * (0.6 + 1.1 * hashed(person, 23))
    lift = lift * (0.5 + 1.2 * hashed(person, 24))
    top = per_face(marks["hairline_y"] + line * (0.4 + 0.9 * hashed(person, 25)))
    curl = noise("cloud", person, 6, *grid.shape) * per_face(0.012 + 0.05 * hashed(person, 26) ** 2)
    grain = noise("strand", faces["seed"], 5, *grid.shape)
    part_x = per_face(0.9 * (hashed(person, 22) - 0.5))
    bow = per_face(0.08 + 0.3 * hashed(person, 27))
    # Hair draws back at the temples with age, most of all in men.
    back = per_face(np.clip((faces["age"] - 28.0) / 120.0, 0.0, 0.22) * faces["masculinity"])
    arch = top + bow * np.square((grid.x - part_x) / 0.8) ** 1.5 + 0.02 * grain + curl
    arch = arch - back * ridge(x - 0.5, 0.5)
    curtain = soft(x - per_face(temple) - 0.03 * grain - 0.05 * np.clip(y, -0.5, 1.0), 0.12)
    curtain = curtain * soft(per_face(length) - y, 0.25)
    hair = np.maximum(soft(arch - y, 0.12), curtain)
    mane = outline(grid, marks, volume, lift, curl * per_face(volume > 0))
    fall = soft(per_face(marks["face_half"] + volume - 0.06) - x - 0.03 * grain, 0.12)
    fall = fall * soft(y - 0.1, 0.2) * soft(per_face(length) - y, 0.25)
    hair *= np.maximum(mane, fall)
    behind = (1.0 - head) * np.maximum(mane, fall) * soft(per_face(length) - y, 0.3)
    hair = np.maximum(hair, behind * (x > 0.55)) * per_face(volume > 0)
    cloth_hair = per_face(np.isin(faces["hair_style"], [5, 6]))
    streak = 1.0 + (0.16 - 0.1 * cloth_hair) * grain
    shadow = 1.0 - 0.25 * soft(y - top, 0.5) * (1 - cloth_hair)
    for channel, colour in zip(albedo, palette["hair"], strict=True):
        # Hair shades the skin just below it.
        mix_in(channel, hair, per_face(colour) * streak * shadow)
    return np.maximum(cover, hair)


def covers(
    shaded: list[np.ndarray], alpha: np.ndarray, grid: Canvas, faces: dict, marks: dict, palette: dict
) -> None:
    """Paint glasses and occlusions over the lit face, in place."""
    if faces["glasses"].any():
        _glasses(shaded, grid, faces, marks)
    for kind, paint in ((1, _mask), (2, _hand), (3, _scarf)):
        rows = np.flatnonzero(faces["occlusion"] == kind)
        if len(rows):
            chosen = {name: values[rows] for name, values in faces.items()}
            points = {name: values[rows] for name, values in marks.items()}
            cover, light = paint(grid, chosen, points)
            for channel, skin, cloth in zip(shaded, palette["skin"], palette["cover"], strict=True):
                colour = per_face((skin if kind == 2 else cloth)[rows])
                part = channel[rows]
                mix_in(part, cover, colour * light)
                channel[rows] = part
            alpha[rows] = np.maximum(alpha[rows], cover)


def _glasses(shaded: list[np.ndarray], grid: Canvas, faces: dict, marks: dict) -> None:
    rows = grid.rows(-0.5, 0.6)
    x, y = np.abs(grid.x), grid.y[rows][:, None]
    kind = hashed(faces["person_key"], 31)
    wide, tall = per_face(0.33 + 0.07 * kind), per_face(0.19 + 0.1 * hashed(faces["person_key"], 32))
    power = 2.0 + 3.0 * per_face(hashed(faces["person_key"], 33))
    radius = (np.abs((x - 0.52) / wide) ** power + np.abs((y - 0.05) / tall) ** power) ** (1.0 / power)
    thick = per_face(0.04 + 0.09 * hashed(faces["person_key"], 34))
    rim = ridge(radius - 1.0, thick + 0.08)
    bridge = ridge(y + 0.02, 0.05) * soft(0.2 - x, 0.05)
    arm = ridge(y + 0.05, 0.06) * soft(x - 0.86, 0.05) * soft(1.12 - x, 0.05)
    frame = np.maximum(np.maximum(rim, bridge), arm) * per_face(faces["glasses"])
    frame *= per_face(0.55 + 0.4 * hashed(faces["person_key"], 35))
    glare = ridge(x - 0.62 + 0.4 * y, 0.12) * soft(1.0 - radius, 0.1)
    glare = glare * per_face(faces["glasses"] * 0.28 * hashed(faces["seed"], 36) ** 2)
    shade = per_face(0.05 + 0.3 * hashed(faces["person_key"], 37) ** 3)
    for channel in shaded:
        part = channel[:, rows]
        mix_in(part, frame, shade)
        part += glare


def _mask(grid: Canvas, faces: dict, marks: dict) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.abs(grid.x), grid.y[:, None]
    top = 0.36 + 0.28 * np.square(x) - 0.06 * ridge(x, 0.2)
    bottom = per_face(marks["chin_y"] + 0.04) - 0.5 * np.square(x)
    cover = soft(y - top, 0.06) * soft(bottom - y, 0.08) * soft(0.98 - x, 0.1)
    strap = ridge(y - 0.42 + 0.45 * (x - 0.9), 0.03) * soft(x - 0.9, 0.05) * soft(1.15 - x, 0.05)
    folds = 1.0 - 0.1 * np.square(np.sin((y - top) * 9.0)) - 0.4 * np.square(x)
    return np.maximum(cover, strap), np.broadcast_to(folds, cover.shape)


def _hand(grid: Canvas, faces: dict, marks: dict) -> tuple[np.ndarray, np.ndarray]:
    side = np.where(hashed(faces["seed"], 41) < 0.5, -1.0, 1.0)
    reach = hashed(faces["seed"], 42)
    x, y = grid.x * per_face(side), grid.y[:, None]
    angle = per_face(0.2 + 0.9 * hashed(faces["seed"], 43))
    u = (x - per_face(0.45 - 0.35 * reach)) * np.cos(angle) + (y - 1.1) * np.sin(angle)
    v = -(x - per_face(0.45 - 0.35 * reach)) * np.sin(angle) + (y - 1.1) * np.cos(angle)
    fingers = np.abs(np.sin((v + 0.44) / 0.22 * np.pi))
    tip = -0.4 - 0.2 * np.cos(v * 3.0) + 0.26 * (1.0 - fingers) ** 2
    cover = soft(u - tip, 0.06) * soft(0.46 - np.abs(v + 0.02), 0.06)
    light = 1.0 - 0.5 * np.where(u < 0.5, (1.0 - fingers) ** 2, 0.0) - 0.2 * np.clip(u, -0.5, 1)
    return cover, light


def _scarf(grid: Canvas, faces: dict, marks: dict) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.abs(grid.x), grid.y[:, None]
    top = per_face(0.78 + 0.35 * hashed(faces["seed"], 44)) - 0.12 * np.square(x)
    cover = soft(y - top, 0.08) * soft(1.3 - x, 0.1)
    wave = per_face(6.0 * hashed(faces["seed"], 45))
    light = 0.75 + 0.14 * np.sin(8.0 * (y + 0.25 * np.square(grid.x)) + wave) - 0.2 * np.square(x)
    return cover, light
