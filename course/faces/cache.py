"""Rendered faces kept on disk, read back through a memory map instead of being drawn again.

Knows rows, pictures and files; nothing of labels.
"""

from __future__ import annotations

import hashlib
import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from course.faces.columns import CATEGORIES, RENDERED
from course.faces.rendering import CHUNK, render
from course.store import CacheError, cache_folder, fingerprint, is_intact, require_room, write

_BLOCK = 40 * CHUNK
_QUIET_SECONDS = 2.0


def render_cached(
    faces: pd.DataFrame, size: int = 64, folder: Path | str | None = None, color: bool = False
) -> np.ndarray:
    """Return the pictures of `render`, drawn once and from then on read from disk.

    The file is named after what decides the pixels: the drawn columns of the rows, the size and the
    source of the renderer. It is a numpy file, written aside and renamed, so that a build that is
    interrupted leaves nothing; a file that is cut short or altered is built again. A build of over two
    seconds says on the error stream how far it is.

    Args:
        faces: table of `sample_faces`, one row a picture.
        size: side of the pictures in pixels, 16 to 512.
        folder: where the file is kept; COURSE_CACHE or ~/.cache/ml-design-course when absent.
        color: red, green and blue instead of grey.

    Returns:
        uint8, [n, size, size] or [n, size, size, 3]; mapped from the file and read-only, so copy it to
        change it.

    Raises:
        CacheError: when the folder cannot be written or the disk is full.
        ValueError: as `render`.

    """
    nothing = render(faces.head(0) if isinstance(faces, pd.DataFrame) else faces, size, color)
    if not len(faces):
        return nothing
    shape = (len(faces), *nothing.shape[1:])
    folder = Path(folder) if folder is not None else cache_folder()
    path = folder / f"faces-{content_key(faces, size, color)}.npy"
    if not is_intact(path):
        require_room(folder, int(np.prod(shape)))
        write(path, _pieces(faces, size, color, shape))
    try:
        return np.load(path, mmap_mode="r")
    except OSError as error:
        raise CacheError(
            f"The file {path} cannot be mapped into memory ({error.strerror or error}); use render instead."
        ) from error


def content_key(faces: pd.DataFrame, size: int, color: bool = False) -> str:
    """Return 24 hex digits that change with whatever decides the pixels: rows, size, renderer.

    Row numbers, names of expressions and the order of columns take no part.
    """
    digest = hashlib.sha256(f"{fingerprint('faces')} {size} {color} {len(faces)}".encode())
    for name in RENDERED:
        digest.update(name.encode())
        if name in CATEGORIES:
            digest.update("\n".join(faces[name].astype(str)).encode())
        elif name == "seed":
            digest.update(faces[name].to_numpy("<i8").tobytes())
        else:
            digest.update(faces[name].to_numpy("<f8").tobytes())
    return digest.hexdigest()[:24]


def _pieces(faces: pd.DataFrame, size: int, color: bool, shape: tuple[int, ...]) -> Iterator[bytes]:
    """Yield the numpy file piece by piece, so that memory holds one block of pictures at a time."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    yield header.getvalue()
    started, told = time.monotonic(), False
    for start in range(0, len(faces), _BLOCK):
        if time.monotonic() - started > _QUIET_SECONDS:
            told = True
            _tell(f"Drawing faces, once: {start:,} of {len(faces):,}")
        yield render(faces.iloc[start : start + _BLOCK], size, color).data
    if told:
        _tell(f"Drew {len(faces):,} faces in {time.monotonic() - started:.0f} s; kept for next time.\n")


def _tell(text: str) -> None:
    sys.stderr.write(f"\r{text}")
    sys.stderr.flush()
