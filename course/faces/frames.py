"""Frames with several people: where each face stands, how large it is, what hides it, and who finds it.

A frame is one picture with several rendered faces in it, pasted from the farthest to the nearest. Its boxes
are a table, one row a face. `find_faces` is a *simulated* face detector, the step before any question about
anger: it misses small and hidden faces more often, is a little off, and now and then sees a face where none
is. Its figures are ours, chosen to look like those of a small detector; they were measured nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from course.faces.columns import require_columns
from course.faces.rendering import SIZES, render
from course.faces.sample import sample_faces

BOX_COLUMNS: dict[str, str] = {
    "frame": "int, number of the frame, from 0",
    "face": "int, row of the face in `Frames.faces`; -1 in a detection that shows no face",
    "x": "float, left edge in pixels",
    "y": "float, upper edge in pixels",
    "side": "float, side of the square box in pixels",
    "depth": "int, 0 = nearest to the camera in its frame",
    "hidden": "float 0-1, share of the box that nearer boxes cover",
}
"""The columns of a table of boxes."""

WIDTH, HEIGHT = 320, 180
SIDE_MEDIAN, SIDE_SPREAD = 38.0, 0.4
"""Faces in the lobby, in pixels of the frame: median side and standard deviation of its logarithm."""

HALF_FOUND, SIDE_STEP, MOST_FOUND = 18.0, 4.5, 0.985
"""The simulated detector finds half of the faces of this side, with this slope, and at most this share."""

HIDDEN_POWER = 1.6
"""The chance to find a face falls with the share of it that can be seen, to this power."""

JITTER, FALSE_BOXES = 0.06, 0.02
"""Error of position and side, as a share of the side; false boxes a frame."""


@dataclass(frozen=True)
class Frames:
    """Some frames: `images` uint8 [n, height, width], `boxes` (`BOX_COLUMNS`), `faces` (one row a face)."""

    images: np.ndarray
    boxes: pd.DataFrame
    faces: pd.DataFrame


def place_faces(
    rng: np.random.Generator,
    counts: Sequence[int] | np.ndarray,
    width: int = WIDTH,
    height: int = HEIGHT,
    overlap: float = 0.5,
) -> pd.DataFrame:
    """Return the boxes of frames with so many faces each; nothing is drawn yet.

    Nearer people are larger and lower in the picture. Every box lies inside the frame.

    Args:
        rng: source of randomness.
        counts: faces in each frame, 0 or more.
        width: width of the frames in pixels, 64 or more.
        height: height of the frames in pixels, 64 or more.
        overlap: the share of a face, 0-1, that nearer faces may cover; where there is no other place left,
            more is covered.

    Returns:
        Table with the columns of `BOX_COLUMNS`, frame by frame, the farthest face first.

    Raises:
        ValueError: when a count, a size or the overlap is outside its range.

    """
    counts = np.asarray(counts if len(counts) else np.zeros(0, dtype=int))
    if counts.ndim != 1 or counts.dtype.kind not in "iu" or (counts < 0).any():
        raise ValueError(
            f"counts is {counts.tolist()!r}; accepted are whole numbers of 0 or more, one a frame."
        )
    if min(width, height) < 64:
        raise ValueError(f"width and height are {width} and {height}; accepted are 64 pixels or more.")
    if not 0.0 <= overlap <= 1.0:
        raise ValueError(f"overlap is {overlap!r}; accepted are numbers from 0 to 1.")
    rows: list[np.ndarray] = []
    first = 0
    for frame, count in enumerate(counts):
        placed = _place(rng, int(count), width, height, overlap)
        numbers = np.arange(first, first + count)
        hidden = hidden_shares(placed)
        depth = np.arange(count)[::-1]
        rows.append(np.column_stack([np.full(count, frame), numbers, placed, depth, hidden]))
        first += count
    boxes = pd.DataFrame(np.concatenate(rows) if rows else np.zeros((0, 7)), columns=list(BOX_COLUMNS))
    return boxes.astype({"frame": int, "face": int, "depth": int})


def sample_frames(
    rng: np.random.Generator,
    counts: Sequence[int] | np.ndarray,
    width: int = WIDTH,
    height: int = HEIGHT,
    **faces: object,
) -> Frames:
    """Return frames with so many faces each.

    Args:
        rng: source of randomness.
        counts: faces in each frame, 0 or more.
        width: width of the frames in pixels, 64 or more.
        height: height of the frames in pixels, 64 or more.
        faces: what `sample_faces` takes, for example `mix` or `sites`; light from the north when absent.

    Raises:
        ValueError: as `place_faces` and `sample_faces`.

    """
    boxes = place_faces(rng, counts, width, height)
    plain = {"sites": "lobby_north", "background": (0.35, 0.05), "background_texture": 0.05}
    table = sample_faces(rng, len(boxes), **(plain | faces))
    return Frames(draw(rng, table, boxes, len(counts), width, height), boxes, table)


def draw(
    rng: np.random.Generator,
    faces: pd.DataFrame,
    boxes: pd.DataFrame,
    frames: int,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> np.ndarray:
    """Return the pictures of frames, uint8 grey levels [frames, height, width].

    Args:
        rng: source of randomness, for walls and clothes.
        faces: table of `sample_faces`; `boxes["face"]` are its rows.
        boxes: table of `place_faces`.
        frames: how many frames there are, those without a face included.
        width: width of the frames in pixels.
        height: height of the frames in pixels.

    Raises:
        ValueError: when `boxes` lacks a column.

    """
    require_columns(boxes, ["frame", "face", "x", "y", "side", "depth"], "boxes")
    pictures = np.zeros((frames, height, width))
    for picture in pictures:
        picture[:] = _lobby(rng, width, height)
    ordered = boxes.sort_values(["frame", "depth"], ascending=[True, False])
    sides = ordered["side"].round().astype(int).clip(*SIZES).to_numpy()
    drawn: dict[int, np.ndarray] = {}
    for side in np.unique(sides):
        rows = np.flatnonzero(sides == side)
        drawn.update(zip(rows, render(faces.iloc[ordered["face"].to_numpy()[rows]], int(side)), strict=True))
    cloth = rng.uniform(40, 190, len(ordered))
    for k, box in enumerate(ordered.itertuples(index=False)):
        _paste(pictures[box.frame], drawn[k], round(box.x), round(box.y), cloth[k])
    return np.clip(np.rint(pictures), 0, 255).astype(np.uint8)


def hidden_shares(boxes: np.ndarray) -> np.ndarray:
    """Return the share 0-1 of each box that later boxes cover, float [n].

    Args:
        boxes: float [n, 3], x, y and side, the farthest first; measured on a grid of 24 x 24 points.

    """
    grid = (np.arange(24) + 0.5) / 24
    shares = np.zeros(len(boxes))
    for k, (x, y, side) in enumerate(boxes):
        covered = np.zeros((24, 24), dtype=bool)
        for left, top, size in boxes[k + 1 :]:
            across = (x + side * grid >= left) & (x + side * grid < left + size)
            down = (y + side * grid >= top) & (y + side * grid < top + size)
            covered |= down[:, None] & across
        shares[k] = covered.mean()
    return shares


def chance_found(side: np.ndarray | float, hidden: np.ndarray | float = 0.0) -> np.ndarray:
    """Return the chance 0-1 that the simulated detector finds a face.

    Args:
        side: side of the face's box in pixels.
        hidden: share 0-1 of the box that nearer faces cover.

    """
    size = 1.0 / (1.0 + np.exp(-(np.asarray(side, dtype=float) - HALF_FOUND) / SIDE_STEP))
    return MOST_FOUND * size * (1.0 - np.asarray(hidden, dtype=float)) ** HIDDEN_POWER


def find_faces(
    rng: np.random.Generator,
    boxes: pd.DataFrame,
    frames: int | None = None,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> pd.DataFrame:
    """Return what the simulated face detector reports.

    Args:
        rng: source of randomness.
        boxes: table of `place_faces`, the truth.
        frames: how many frames were looked at; up to the last one with a face when absent.
        width: width of the frames in pixels.
        height: height of the frames in pixels.

    Returns:
        One row a detection, in the order of the frames: `frame`, `x`, `y`, `side` as in `BOX_COLUMNS`,
        `score` (float 0-1, higher for large faces in full view), and `face`, the truth: which face it is, or
        -1 for a false box. A detector in the field has no column `face`.

    Raises:
        ValueError: when `boxes` lacks a column.

    """
    require_columns(boxes, ["frame", "face", "x", "y", "side", "hidden"], "boxes")
    if frames is None:
        frames = int(boxes["frame"].max()) + 1 if len(boxes) else 0
    chance = chance_found(boxes["side"], boxes["hidden"])
    found = rng.random(len(boxes)) < chance
    n, extra = int(found.sum()), rng.poisson(FALSE_BOXES, frames)
    seen = boxes[found]
    off = JITTER * seen["side"].to_numpy()[:, None] * rng.standard_normal((n, 3))
    square = seen[["x", "y", "side"]].to_numpy(float) + off * [1.0, 1.0, 0.7]
    # What is no face is mostly small: a lamp, a poster, a bag.
    side = np.clip(20.0 * np.exp(0.35 * rng.standard_normal(extra.sum())), 12.0, 64.0)
    places = rng.random((len(side), 2)) * (np.array([width, height]) - side[:, None])
    table = pd.DataFrame(
        np.concatenate([square, np.column_stack([places, side])]), columns=["x", "y", "side"]
    )
    score = np.concatenate([chance[found], 0.25 * np.ones(len(side))])
    table["score"] = np.clip(score + 0.1 * rng.standard_normal(len(score)), 0.01, 1.0)
    table["face"] = np.concatenate([seen["face"].to_numpy(int), np.full(len(side), -1)])
    table.insert(
        0, "frame", np.concatenate([seen["frame"].to_numpy(int), np.repeat(np.arange(frames), extra)])
    )
    return table.sort_values("frame", kind="stable").reset_index(drop=True)


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the intersection over union of every pair of square boxes, float 0-1, shape [n, m].

    Args:
        first: float [n, 3], x, y and side in pixels.
        second: float [m, 3], the same.

    """
    first, second = np.asarray(first, dtype=float)[:, None], np.asarray(second, dtype=float)[None]
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    shared = np.clip(high - low, 0.0, None).prod(axis=-1)
    return shared / (first[..., 2] ** 2 + second[..., 2] ** 2 - shared)


def outlined(picture: np.ndarray, boxes: pd.DataFrame, level: int = 255) -> np.ndarray:
    """Return a copy of one frame with the boxes drawn in, uint8 [height, width].

    Args:
        picture: uint8 grey levels [height, width].
        boxes: rows of this frame, of `place_faces` or `find_faces`.
        level: grey level of the lines, 0-255; a line of the opposite shade goes beside each.

    """
    picture = picture.copy()
    height, width = picture.shape
    for wider, shade in ((1, 255 - level), (0, level)):
        for box in boxes.itertuples(index=False):
            left, top = round(box.x) - wider, round(box.y) - wider
            right, bottom = round(box.x + box.side) + wider, round(box.y + box.side) + wider
            left, right = (int(np.clip(edge, 0, width - 1)) for edge in (left, right))
            top, bottom = (int(np.clip(edge, 0, height - 1)) for edge in (top, bottom))
            picture[[top, bottom], left : right + 1] = shade
            picture[top : bottom + 1, [left, right]] = shade
    return picture


_TRIES = 30
_FADE = 0.08
"""Share of a face's side over which it fades into what is behind it."""


def _place(rng: np.random.Generator, count: int, width: int, height: int, overlap: float) -> np.ndarray:
    """Return x, y and side of the faces of one frame, the farthest first, float [count, 3]."""
    # A crowd stands farther off, or it would not fit.
    median = SIDE_MEDIAN * min(1.0, np.sqrt(10.0 / max(count, 1)))
    side = np.exp(np.log(median) + SIDE_SPREAD * rng.standard_normal(count))
    side = np.sort(np.clip(side, SIZES[0], 0.55 * height)).round()
    near = side / (0.55 * height)
    middle = height * (0.26 + 0.26 * near + 0.04 * rng.standard_normal(count))
    top = np.clip(middle - side / 2, 0.0, height - side).round()
    placed = np.zeros((count, 3))
    for k in range(count):
        left = rng.uniform(0, width - side[k], _TRIES).round()
        tried = np.column_stack([left, np.full(_TRIES, top[k]), np.full(_TRIES, side[k])])
        covered = _covered(placed[:k], tried).max(axis=0, initial=0.0)
        fits = covered <= overlap
        placed[k] = tried[fits.argmax() if fits.any() else covered.argmin()]
    return placed


def _covered(behind: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the share of each box behind that each box before it covers, float [n, m]."""
    low = np.maximum(behind[:, None, :2], before[None, :, :2])
    high = np.minimum(behind[:, None, :2] + behind[:, None, 2:], before[None, :, :2] + before[None, :, 2:])
    return np.clip(high - low, 0.0, None).prod(axis=-1) / np.maximum(behind[:, 2:] ** 2, 1e-9)


def _lobby(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Return an empty lobby, float [height, width]: a wall with openings, a floor, a little grain."""
    down = np.linspace(0.0, 1.0, height)[:, None]
    wall, floor = rng.uniform(120, 175), rng.uniform(70, 110)
    picture = np.where(down < 0.6, wall - 25 * down, floor + 40 * (down - 0.6)) + np.zeros((1, width))
    for _ in range(rng.integers(2, 5)):
        left, wide = rng.integers(0, width), rng.integers(width // 16, width // 6)
        picture[: int(0.6 * height), left : left + wide] += rng.uniform(-45, 55)
    return gaussian_filter(picture, 1.2) + 2.0 * rng.standard_normal((height, width))


def _paste(picture: np.ndarray, face: np.ndarray, left: int, top: int, cloth: float) -> None:
    """Put a face, and shoulders in grey below it, into a picture [height, width] in place."""
    side = len(face)
    height, width = picture.shape
    down, across = np.mgrid[0:height, 0:width].astype(float)
    below = (down - top - 0.88 * side) / side
    aside = np.abs(across - left - 0.5 * side) / side
    slope = np.clip(below, 0.0, 0.25) * 2.2
    body = np.clip((np.minimum(below, 0.32 + slope - aside)) / 0.04, 0.0, 1.0)
    picture += body * (cloth - picture)
    line = (np.arange(side) + 0.5) / side * 2 - 1
    # A rounded square: heads are longer than wide, and hair reaches into the corners.
    radius = (np.abs(line[:, None]) ** 3.5 + np.abs(line[None] / 0.86) ** 3.5) ** (1 / 3.5)
    mask = np.clip((1.0 - radius) / _FADE, 0.0, 1.0)
    rows, columns = slice(top, top + side), slice(left, left + side)
    mask = mask[: height - top, : width - left]
    part = picture[rows, columns]
    part += mask * (face[: part.shape[0], : part.shape[1]] - part)
