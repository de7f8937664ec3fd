"""Small tools for painting many faces at once on one shared canvas; knows nothing of faces.

The canvas is a grid of pixels in face coordinates. Arrays are float32 [faces, rows, columns], and a
parameter of a face is an array [faces].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

Blob = tuple
"""(centre x, centre y, width x, width y, amount); each a number or an array [faces]."""


@dataclass(frozen=True)
class Canvas:
    """A grid over the face: x to image right, y down, in inter-ocular distances."""

    x: np.ndarray
    y: np.ndarray
    pitch: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.y), len(self.x)

    def rows(self, top: float, bottom: float) -> slice:
        """Return the slice of rows between two heights."""
        start, stop = np.searchsorted(self.y, [top, bottom])
        return slice(int(start), int(stop))

    def half(self, side: int, outer: float) -> slice:
        """Return the columns of one side (0 = image left), from the midline outward."""
        middle = len(self.x) // 2
        count = min(round(outer / self.pitch), middle)
        if side:
            return slice(middle, middle + count)
        stop = middle - 1 - count
        return slice(middle - 1, stop if stop >= 0 else None, -1)

    def columns(self, outer: float) -> slice:
        """Return the columns within a distance of the midline."""
        middle = len(self.x) // 2
        count = min(round(outer / self.pitch), middle)
        return slice(middle - count, middle + count)


@cache
def canvas(size: int) -> Canvas:
    """Return the canvas for pictures of a size in pixels; never coarser than for 64 pixels."""
    pitch = 1.0 / (24.0 * max(size, 64) / 64.0)
    columns, rows = round(1.62 / pitch), round(3.85 / pitch)
    x = (np.arange(-columns, columns) + 0.5) * pitch
    y = -1.55 + (np.arange(rows) + 0.5) * pitch
    return Canvas(x.astype(np.float32), y.astype(np.float32), pitch)


def per_face(values: np.ndarray | float) -> np.ndarray:
    """Return parameters [faces] shaped [faces, 1, 1], float32."""
    return np.asarray(values, dtype=np.float32)[..., None, None]


def blobs(grid: Canvas, count: int, terms: list[Blob]) -> np.ndarray:
    """Return the sum of Gaussian blobs, [count, rows, columns]; each is an outer product."""
    parameters = np.empty((5, count, len(terms), 1), dtype=np.float32)
    for index, term in enumerate(terms):
        for position, value in enumerate(term):
            parameters[position, :, index, 0] = value
    x, y, width, height, amount = parameters
    across = np.exp(-0.5 * np.square((grid.x - x) / width))
    down = np.exp(-0.5 * np.square((grid.y - y) / height)) * amount
    return np.matmul(down.transpose(0, 2, 1), across)


def pairs(terms: list[Blob]) -> list[Blob]:
    """Return each blob and its mirror image."""
    return [mirrored for term in terms for mirrored in (term, (-term[0], *term[1:]))]


def soft(distance: np.ndarray, width: np.ndarray | float) -> np.ndarray:
    """Return coverage 0-1 from a signed distance (positive = inside), a ramp of the given width."""
    coverage = distance / np.float32(width) if np.ndim(width) == 0 else distance / width
    coverage += np.float32(0.5)
    return np.clip(coverage, 0.0, 1.0, out=coverage)


def ridge(distance: np.ndarray, width: np.ndarray | float) -> np.ndarray:
    """Return a bump over distance 0: 1 at the middle, 0 beyond the width, smooth between."""
    bump = np.square(distance / width)
    np.subtract(1.0, bump, out=bump)
    np.maximum(bump, 0.0, out=bump)
    return np.square(bump, out=bump)


def mix_in(target: np.ndarray, coverage: np.ndarray, value: np.ndarray | float) -> None:
    """Paint a value over `target` in place where coverage is 1."""
    target += coverage * (value - target)


def hashed(seed: np.ndarray, salt: int) -> np.ndarray:
    """Return one number 0-1 a row that depends on its seed and the salt alone (splitmix64)."""
    with np.errstate(over="ignore"):
        bits = seed.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(salt + 1)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits ^= bits >> np.uint64(31)
    return (bits >> np.uint64(11)).astype(np.float64) / 2.0**53


TILE = 256


@cache
def texture(kind: str) -> np.ndarray:
    """Return a tile of noise of mean 0 and deviation 1, [TILE, TILE], repeating at its edges.

    Kinds: "cloud" (1/f^2, blotches), "grain" (1/f), "strand" (long upright streaks), "white".
    """
    salt = {"cloud": 1, "grain": 2, "strand": 3, "white": 4}[kind]
    white = np.random.default_rng(7000 + salt).standard_normal((TILE, TILE))
    if kind != "white":
        fy = np.fft.fftfreq(TILE)[:, None]
        fx = np.fft.rfftfreq(TILE)[None, :]
        if kind == "strand":
            gain = np.exp(-0.5 * np.square(fy / 0.03)) * np.exp(-0.5 * np.square(fx / 0.22))
        else:
            radius = np.maximum(np.hypot(fx, fy), 1.0 / TILE)
            gain = np.maximum(radius, 0.012) ** (-2.0 if kind == "cloud" else -1.0)
        gain[0, 0] = 0.0
        white = np.fft.irfft2(np.fft.rfft2(white) * gain, s=(TILE, TILE))
    white = (white - white.mean()) / white.std()
    return np.tile(white, (2, 2)).astype(np.float32)


def noise(kind: str, seed: np.ndarray, salt: int, rows: int, columns: int) -> np.ndarray:
    """Return a window of a texture for each seed, [faces, rows, columns].

    Windows larger than a tile repeat it.
    """
    tile = texture(kind)
    top = (hashed(seed, 2 * salt) * TILE).astype(int)
    left = (hashed(seed, 2 * salt + 1) * TILE).astype(int)
    out = np.empty((len(seed), rows, columns), dtype=np.float32)
    if rows <= TILE and columns <= TILE:
        for face, (i, j) in enumerate(zip(top, left, strict=True)):
            out[face] = tile[i : i + rows, j : j + columns]
        return out
    for face, (i, j) in enumerate(zip(top, left, strict=True)):
        down = (i + np.arange(rows)) % TILE
        out[face] = tile[down[:, None], ((j + np.arange(columns)) % TILE)[None, :]]
    return out
