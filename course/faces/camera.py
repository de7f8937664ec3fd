"""From a lit canvas to a picture: pose, framing, background, blur, noise and tone."""

from __future__ import annotations

import numpy as np

from course.faces.fields import Canvas, hashed, noise, per_face

EYE_LINE = 0.377
"""Height of the eyes in the picture, as a share of the side, measured on FER2013."""


def project(layers: np.ndarray, grid: Canvas, faces: dict, size: int) -> np.ndarray:
    """Return the canvas as the posed head shows it, [faces, size, size, layers].

    Pixels are traced back to the canvas; the depth they hit is that of a plain head with a nose.
    """
    steps = (np.arange(size, dtype=np.float32) + 0.5) / size
    scale = per_face(1.0 / faces["frame_scale"])
    across = (steps - per_face(0.49 + faces["frame_x"])) * scale
    down = (steps[:, None] - per_face(EYE_LINE + faces["frame_y"])) * scale
    roll, yaw, pitch = (np.deg2rad(faces[name]) for name in ("roll", "yaw", "pitch"))
    # Heads roll about the neck, well below the eyes; half way is where pictures are centred.
    down = down - 0.35
    x = across * per_face(np.cos(roll)) + down * per_face(np.sin(roll))
    y = down * per_face(np.cos(roll)) - across * per_face(np.sin(roll)) + 0.35
    turn, tip = per_face(np.sin(yaw)), per_face(np.sin(pitch))
    x_seen, y_seen = x / per_face(np.cos(yaw)), y / per_face(np.cos(pitch))
    turn, tip = turn / per_face(np.cos(yaw)), tip / per_face(np.cos(pitch))
    x, y = x_seen, y_seen
    for _ in range(3):
        depth = np.maximum(-0.4 * np.square(x), -0.75)
        depth += 0.14 - 0.12 * np.square(np.clip(y - 0.2, -1.6, 1.6))
        depth += (
            0.3
            / (1.0 + np.square(x / 0.24) * (1.0 + np.square(x / 0.3)))
            / (1.0 + np.square(np.square((y - 0.48) / 0.33)))
        )
        x = x_seen - turn * depth
        y = y_seen + tip * depth
    return _sample(layers, grid, x, y)


def _sample(layers: np.ndarray, grid: Canvas, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return bilinear samples of [faces, rows, columns, layers] at face coordinates."""
    count, rows, columns, depth = layers.shape
    column = np.clip((x - grid.x[0]) / np.float32(grid.pitch), 0.0, columns - 1.001)
    row = np.clip((y - grid.y[0]) / np.float32(grid.pitch), 0.0, rows - 1.001)
    left, top = column.astype(np.int32), row.astype(np.int32)
    column -= left
    row -= top
    start = top * columns + left
    start += (np.arange(count, dtype=np.int32) * (rows * columns))[:, None, None]
    flat = layers.reshape(-1, depth)
    column, row = column[..., None], row[..., None]
    upper = flat.take(start, axis=0)
    upper += column * (flat.take(start + 1, axis=0) - upper)
    start += columns
    lower = flat.take(start, axis=0)
    lower += column * (flat.take(start + 1, axis=0) - lower)
    lower -= upper
    lower *= row
    upper += lower
    return upper


def backdrop(faces: dict, size: int) -> np.ndarray:
    """Return backgrounds [faces, size, size]: a slope of light, blotches, and soft-edged things."""
    seed = faces["seed"]
    steps = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    x, y = steps, steps[:, None]
    amount = faces["background_texture"]

    def draw(salt: int) -> np.ndarray:
        return per_face(hashed(seed, salt) - 0.5)

    picture = per_face(amount) * (0.5 * draw(51) * x + 0.5 * draw(52) * y)
    grain = noise("cloud", seed, 3, 64, 64)
    index = (np.arange(size) * 64) // size
    picture = picture + per_face(0.1 * amount) * grain[:, index][:, :, index]
    for salt in (53, 57, 61):
        # Door frames, posters, other people's shoulders: a soft-edged bar, upright or lying.
        upright = hashed(seed, salt) < 0.65
        line = np.where(per_face(upright), x, y)
        width = 0.03 + 0.35 * per_face(hashed(seed, salt + 1))
        sharp = 0.012 + 0.08 * per_face(hashed(seed, salt + 2))
        distance = (width - np.abs(line - 1.2 * draw(salt + 3))) / sharp
        picture = picture + per_face(amount * 0.9) * draw(salt + 10) * np.clip(distance, 0, 1)
    return np.clip(per_face(faces["background"]) + picture, 0.02, 1.1)


def blur(pictures: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Return pictures [faces, size, size, channels] blurred, each by its own deviation in pixels."""
    reach = np.where(sigma < 0.35, 0, np.where(sigma < 1.0, 2, np.where(sigma < 2.2, 5, 14)))
    out = pictures
    for radius in (2, 5, 14):
        rows = np.flatnonzero(reach == radius)
        if len(rows):
            taps = np.arange(radius + 1)
            weights = np.exp(-0.5 * np.square(taps / sigma[rows, None])).astype(np.float32)
            weights /= weights[:, :1] + 2.0 * weights[:, 1:].sum(axis=1, keepdims=True)
            out[rows] = _convolve(_convolve(pictures[rows], weights, 1), weights, 2)
    return out


def _convolve(pictures: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    size, radius = pictures.shape[axis], weights.shape[1] - 1
    padding = [(0, 0)] * 4
    padding[axis] = (radius, radius)
    padded = np.pad(pictures, padding, mode="edge")

    def shifted(start: int) -> np.ndarray:
        return padded[(slice(None),) * axis + (slice(start, start + size),)]

    total = pictures * weights[:, 0, None, None, None]
    for tap in range(1, radius + 1):
        both = shifted(radius - tap) + shifted(radius + tap)
        total += both * weights[:, tap, None, None, None]
    return total


def expose(pictures: np.ndarray, level: np.ndarray, faces: dict) -> np.ndarray:
    """Return grey levels uint8 from linear light: exposure, tone curve, contrast, noise."""
    size = pictures.shape[1]
    seed = faces["seed"]

    def wide(values: np.ndarray) -> np.ndarray:
        return per_face(values)[..., None]

    # A camera that meters the scene makes up for most, not all, of a dark or bright subject.
    gain = 0.29 * 2.0 ** faces["exposure"] * (level / 0.3) ** 0.25 / level
    signal = np.maximum(pictures * wide(gain), 0.0)
    signal = signal ** wide(0.62 * faces["gamma"])
    # The bright end bends over gently, as film and cameras do.
    signal = signal * (1.0 + 0.25 * signal) / (1.0 + 0.5 * np.square(signal))
    # Cameras and printing sharpen: a halo about as wide as a lip, weak or strong.
    halo = blur(signal.copy(), np.full(len(signal), 2.2 * size / 64.0))
    signal = signal + wide(0.25 + 0.6 * hashed(seed, 8)) * (signal - halo)
    signal = 0.49 + (signal - 0.44) * wide(1.6 * faces["contrast"])
    grain = noise("white", seed, 7, size, size)[..., None]
    signal = signal * 255.0 + grain * wide(faces["noise"])
    return np.clip(np.rint(signal), 0, 255).astype(np.uint8)
