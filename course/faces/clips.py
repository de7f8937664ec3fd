"""Clips: one face on its way from rest to its expression and back, frame by frame.

A clip is a table of faces like any other, so `render` draws it. Knows rows; nothing of labels.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from course.faces.columns import COLUMNS, Column, require_columns
from course.faces.units import ACTION_UNITS, sample_expressions

CLIP_COLUMNS: dict[str, Column] = {
    "frame": Column("int", "", "number of the frame in its clip, from 0"),
    "time": Column("float", "seconds", "since the first frame"),
    "envelope": Column("float", "0-1", "share of the expression that shows: 0 = rest, 1 = apex"),
}
"""What a clip adds to the columns of a face."""

# Seconds; our choice, within the half to four seconds that a whole expression is usually said to last.
_ONSET = (0.3, 0.8)
_OFFSET = (0.4, 1.2)

# Amplitude of the drift, then the range of the column.
_DRIFT: dict[str, tuple[float, float]] = {
    "yaw": (2.0, 35.0),
    "pitch": (1.5, 25.0),
    "roll": (1.2, 35.0),
    "gaze_x": (0.08, 1.0),
    "gaze_y": (0.05, 1.0),
    "frame_x": (0.008, 0.2),
    "frame_y": (0.006, 0.2),
}
_DRIFT_SECONDS = (2.0, 6.0)


def sample_clip(
    rng: np.random.Generator, face: pd.Series | pd.DataFrame, frames: int = 20, fps: float = 5.0
) -> pd.DataFrame:
    """Return the frames of one clip, in order of time: onset, apex, offset of one face's expression.

    The first and the last frame show the face at rest, at least one in between the expression of `face`,
    level for level; on the way, action units follow the envelope. Head, gaze and framing drift a little
    and slowly around those of `face`. All else, `seed` included, stays: the same person in the same
    place, under the same light, before the same camera. (The seed also fixes the grain of the picture,
    which therefore stands still.)

    Args:
        rng: source of randomness: pace, rest and drift.
        face: one face, a row of `sample_faces` or a table of one row.
        frames: number of frames, 3 or more.
        fps: frames a second, above 0; onset takes 0.3 to 0.8 s and offset 0.4 to 1.2 s, less where the
            clip is too short for that.

    Returns:
        Table of `frames` rows: the columns of `face` (`face` is counted from 0, `intensity` follows the
        envelope), and those of `CLIP_COLUMNS`.

    Raises:
        ValueError: when `face` is not one face, or frames or fps is outside its range.

    """
    start = _one_row(face)
    if isinstance(frames, bool) or not isinstance(frames, (int, np.integer)) or frames < 3:
        raise ValueError(f"frames is {frames!r}; accepted is a whole number of frames, 3 or more.")
    if isinstance(fps, bool) or not isinstance(fps, (int, float, np.number)) or not 0 < fps < np.inf:
        raise ValueError(f"fps is {fps!r}; accepted is a number of frames a second above 0.")

    share = _envelope(rng, frames, fps)
    clip = start.loc[start.index.repeat(frames)].reset_index(drop=True)
    clip["face"] = np.arange(frames)
    units = list(ACTION_UNITS)
    apex = start[units].to_numpy(float)
    # Never above the apex, so that nothing falls while the expression rises.
    rest = np.minimum(sample_expressions(rng, ["neutral"])[units].to_numpy(), apex)
    clip[units] = rest * (1.0 - share[:, None]) + apex * share[:, None]
    clip["intensity"] = start["intensity"].to_numpy(float) * share
    time = np.arange(frames) / fps
    for name, (amplitude, limit) in _DRIFT.items():
        middle = float(start[name].iloc[0])
        low, high = min(-limit, middle), max(limit, middle)
        clip[name] = np.clip(middle + amplitude * _drift(rng, time), low, high)
    return clip.assign(frame=np.arange(frames), time=time, envelope=share)


def _envelope(rng: np.random.Generator, frames: int, fps: float) -> np.ndarray:
    """Return the share [frames] of the expression that shows, 0 at both ends, 1 in between."""
    last = frames - 1
    rise = min(rng.uniform(*_ONSET) * fps, 0.3 * last)
    fall = min(rng.uniform(*_OFFSET) * fps, 0.4 * last)
    before, after = rng.uniform(0.0, 0.15 * last, 2)
    # The apex starts and ends on a frame, so that one shows it in full.
    first_full = int(np.ceil(before + rise))
    last_full = max(first_full, int(last - after - fall))
    fall = min(fall, last - last_full)
    frame = np.arange(frames)
    up = np.clip((frame - first_full + rise) / rise, 0.0, 1.0)
    down = np.clip((last_full + fall - frame) / fall, 0.0, 1.0)
    share = np.minimum(up, down)
    return share * share * (3.0 - 2.0 * share)


def _drift(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Return a slow movement -1..1, shape of `time`: two waves of unlike length."""
    periods = rng.uniform(*_DRIFT_SECONDS, 2)
    phases = rng.uniform(0.0, 2.0 * np.pi, 2)
    return sum(0.5 * np.sin(2.0 * np.pi * time / p + q) for p, q in zip(periods, phases, strict=True))


def _one_row(face: object) -> pd.DataFrame:
    table = face.to_frame().T.infer_objects() if isinstance(face, pd.Series) else face
    require_columns(table, COLUMNS, "face")
    if len(table) != 1:
        raise ValueError(f"face has {len(table)} rows; accepted is one face.")
    return table.reset_index(drop=True)
