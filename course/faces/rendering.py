"""Rows to pixels: paint the face, shape it, light it, pose it, photograph it.

A 2.5-D model: a height field and an albedo in face coordinates, Lambert light with soft shadows, then
pose by depth. Each row decides its own picture: neither its neighbours nor chance take part.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from course.faces import camera, hair, paint
from course.faces.columns import CATEGORIES, RENDERED, require_columns
from course.faces.fields import Canvas, blobs, canvas, hashed, per_face
from course.faces.geometry import landmarks
from course.faces.heights import heights

VERSION = 2
"""Raise when pictures change, so that cached ones are rendered again."""

CHUNK = 24
SIZES = (16, 512)


def render(faces: pd.DataFrame, size: int = 64, color: bool = False) -> np.ndarray:
    """Return one picture a row, uint8 grey levels [n, size, size], or [n, size, size, 3] in colour.

    Args:
        faces: table with the columns of `columns.RENDERED`, as `sample_faces` makes it.
        size: side of the pictures in pixels, 16 to 512.
        color: red, green and blue instead of grey.

    Raises:
        ValueError: when a column is missing or holds what cannot be drawn, or the size is refused.

    """
    whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
    if not whole or not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size is {size!r}; accepted are whole numbers from 16 to 512 pixels.")
    columns = _numbers(faces)
    count = len(faces)
    pictures = np.empty((count, size, size, 3 if color else 1), dtype=np.uint8)
    marks = landmarks(faces)

    def draw(start: int) -> None:
        rows = slice(start, start + CHUNK)
        part = {name: values[rows] for name, values in columns.items()}
        points = {name: values[rows] for name, values in marks.items()}
        pictures[rows] = _draw(part, points, size, color)

    starts = range(0, count, CHUNK)
    workers = min(len(starts), os.cpu_count() or 1, 8)
    if workers > 1:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(draw, starts))
    else:
        for start in starts:
            draw(start)
    return pictures if color else pictures[..., 0]


def _numbers(faces: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the drawn columns as arrays, names of categories as their numbers."""
    require_columns(faces, RENDERED)
    columns = {}
    for name in RENDERED:
        values = faces[name]
        if name in CATEGORIES:
            accepted = CATEGORIES[name]
            unknown = values[~values.isin(accepted)]
            if len(unknown):
                raise ValueError(
                    f"faces holds {unknown.iloc[0]!r} in {name}; accepted are {', '.join(accepted)}."
                )
            columns[name] = values.map({word: i for i, word in enumerate(accepted)}).to_numpy(int)
        elif name == "seed":
            columns[name] = values.to_numpy(np.int64)
        else:
            numbers = values.to_numpy(float)
            if not np.isfinite(numbers).all():
                raise ValueError(f"faces holds a missing number in {name}; accepted are numbers.")
            columns[name] = numbers
    return columns


def _draw(faces: dict, marks: dict, size: int, color: bool) -> np.ndarray:
    grid = canvas(size)
    faces["person_key"] = person_key(faces)
    colours = palette(faces, color)
    albedo = paint.paint_face(grid, faces, marks, colours)
    cover = hair.surround(albedo, grid, faces, marks, colours)
    light, gloss = illuminate(grid, faces, marks)
    shaded = [channel * light + gloss * 0.8 for channel in albedo]
    hair.covers(shaded, cover, grid, faces, marks, colours)
    level = _metered(shaded, grid)
    layers = np.stack([*(channel * cover for channel in shaded), cover], axis=-1)
    layers = camera.project(layers, grid, faces, size)
    scene = camera.backdrop(faces, size) * per_face(0.55 + 0.45 * faces["light_level"])
    behind = 1.0 - layers[..., -1]
    pictures = np.stack(
        [
            layers[..., index] + behind * scene * per_face(tint)
            for index, tint in enumerate(colours["backdrop"])
        ],
        axis=-1,
    )
    scale = size / 64.0
    softness = np.hypot(faces["blur"], 0.42 * 64.0 / faces["resolution"]) * scale
    return camera.expose(camera.blur(pictures, softness), level, faces)


def person_key(faces: dict) -> np.ndarray:
    """Return a number [faces] that is the same in all pictures of a person, int64."""
    return np.abs(1e6 * faces["asymmetry"] + 7e6 * faces["forehead"] + 5e7 * faces["face_width"]).astype(
        np.int64
    )


def _metered(shaded: list[np.ndarray], grid: Canvas) -> np.ndarray:
    """Return the mean light of the middle of each face, as a camera's meter sees it."""
    middle = [channel[:, grid.rows(-0.6, 1.3), grid.columns(0.8)] for channel in shaded]
    return np.mean([part.reshape(len(part), -1).mean(axis=1, dtype=np.float64) for part in middle], axis=0)


def illuminate(grid: Canvas, faces: dict, marks: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return diffuse light and gloss, [faces, rows, columns]: Lambert, ambient, soft shadows."""
    height = heights(grid, faces, marks)
    slope_x = np.empty_like(height)
    slope_y = np.empty_like(height)
    half = np.float32(0.5 / grid.pitch)
    np.subtract(height[:, :, 2:], height[:, :, :-2], out=slope_x[:, :, 1:-1])
    slope_x[:, :, 0] = slope_x[:, :, 1]
    slope_x[:, :, -1] = slope_x[:, :, -2]
    np.subtract(height[:, 2:], height[:, :-2], out=slope_y[:, 1:-1])
    slope_y[:, 0] = slope_y[:, 1]
    slope_y[:, -1] = slope_y[:, -2]
    slope_x *= half
    slope_y *= half
    norm = 1.0 / np.sqrt(1.0 + np.square(slope_x) + np.square(slope_y))

    # The light stands still while the head turns.
    yaw, pitch = np.deg2rad(faces["yaw"]), np.deg2rad(faces["pitch"])
    direct = np.stack([1.1 * faces["light_x"], -0.9 * faces["light_y"], np.full_like(yaw, 0.85)])
    direct /= np.linalg.norm(direct, axis=0)
    x = direct[0] * np.cos(yaw) - direct[2] * np.sin(yaw)
    z = direct[2] * np.cos(yaw) + direct[0] * np.sin(yaw)
    y = direct[1] * np.cos(pitch) + z * np.sin(pitch)
    z = z * np.cos(pitch) - direct[1] * np.sin(pitch)
    lambert = (per_face(z) - slope_x * per_face(x) - slope_y * per_face(y)) * norm
    gloss = np.clip(lambert - 0.78, 0.0, None) ** 2
    gloss *= per_face(faces["light_level"] * (0.6 + 2.2 * hashed(faces["seed"], 71)))
    # Lamps and windows have a width: light wraps round the forms.
    wrap = per_face(0.08 + 0.4 * hashed(faces["seed"], 72))
    lambert = np.maximum((lambert + wrap) / (1.0 + wrap), 0.0)
    shadow = _shadows(grid, faces, marks, x, y)
    lambert *= np.clip(1.0 - shadow, 0.15, 1.0)
    sky = per_face(faces["ambient"]) * (0.75 + 0.25 * norm * (1.0 + 0.15 * slope_y))
    light = sky * 0.9 + lambert * per_face(faces["light_level"] * (1.0 - 0.35 * faces["ambient"]))
    return np.maximum(light, 0.02), gloss


def _shadows(grid: Canvas, faces: dict, marks: dict, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the share of main light that brows, nose, lip and chin keep away."""
    above = np.clip(-y, 0.0, 1.0)
    aside = np.clip(np.abs(x) - 0.15, 0.0, 1.0)
    away = -np.sign(x)
    brow = marks["brow_mid_y"].mean(axis=1)
    hood = np.clip(0.55 + 0.2 * faces["eye_depth"] + 0.6 * faces["AU04"], 0.1, 1.5) * above
    base = marks["nose_base_y"]
    drop = 0.1 + 0.2 * above
    terms = [
        (-0.45, brow + 0.2, 0.24, 0.12, 0.5 * hood),
        (0.45, brow + 0.2, 0.24, 0.12, 0.5 * hood),
        (0.3 * away, base - 0.3, 0.11, 0.24, 0.75 * aside),
        (0.27 * away, 0.0, 0.13, 0.12, 0.7 * aside),
        (0.12 * away * (aside > 0), base + drop, 0.14, 0.05 + 0.05 * above, 0.4 * above),
        (0.0, marks["lower_bottom_y"] + 0.07, 0.18, 0.045, 0.2 * above),
        (0.0, marks["chin_y"] + 0.08, 0.6, 0.13, 0.5 * above),
    ]
    return blobs(grid, len(x), terms)


def palette(faces: dict, color: bool) -> dict[str, list[np.ndarray]]:
    """Return the colour of each material, one array [faces] per channel; grey is their luminance."""
    seed, skin, shade = faces["seed"], faces["skin"], faces["hair_shade"]
    person = faces["person_key"]

    def tint(value: np.ndarray, red: np.ndarray | float, blue: np.ndarray | float) -> list:
        """Channels of a luminance with more red and less blue than grey."""
        value = np.asarray(value, dtype=float)
        if not color:
            return [value]
        red, blue = np.broadcast_to(red, value.shape), np.broadcast_to(blue, value.shape)
        green = (1.0 - 0.299 * red - 0.114 * blue) / 0.587
        return [value * red, value * green, value * blue]

    lip = np.clip(0.62 - 0.26 * faces["makeup"] - 0.14 * hashed(person, 81), 0.3, 0.85)
    warm = 1.2 + 0.22 * (0.7 - skin)
    hair = np.where(faces["hair_style"] >= 5, 0.06 + 0.75 * hashed(seed, 82), shade)
    eye_white = 0.75 + 0.2 * skin
    hue = 0.75 + 0.5 * hashed(seed, 83)
    return {
        "skin": tint(skin, warm, 0.72),
        "lip": tint(skin * lip, warm * 1.2, 0.72),
        "brow": tint(np.minimum(shade * 0.45 + 0.015, skin * 0.42), 1.15, 0.75),
        "beard": tint(np.minimum(shade * 0.7 + 0.02, skin * 0.7), 1.15, 0.75),
        "hair": tint(hair, 1.2 - 0.1 * hashed(person, 84), 0.72),
        "sclera": tint(eye_white, 1.03, 0.96),
        "iris": tint(0.02 + 0.16 * faces["iris_shade"], 1.3 - 0.6 * faces["iris_shade"], 0.9),
        "lash": tint(np.minimum(0.03 + 0.1 * shade, skin * 0.5), 1.1, 0.8),
        "mouth": tint(0.02 + 0.0 * skin, 1.6, 0.7),
        "tongue": tint(0.1 + 0.14 * skin, 1.6, 0.8),
        "teeth": tint(0.72 + 0.0 * skin, 1.03, 0.88),
        "cloth": tint(0.04 + 0.7 * hashed(seed, 85) ** 1.5, hue, 2.0 - hue),
        "cover": tint(0.15 + 0.65 * hashed(seed, 86), 2.0 - hue, hue),
        "backdrop": tint(np.ones(len(seed)), 1.0 + 0.3 * (hue - 1.0), 1.0),
    }
