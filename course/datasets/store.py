"""Keeping built collections on disk: tables and pictures to bytes and back."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from course.datasets.tables import Dataset, Hidden
from course.store import cache_folder, read, require_room, write

_TABLES = ("faces", "votes", "latent", "faults", "annotators")


def cached(name: str, build: Callable[[], Dataset], folder: Path | str | None = None) -> Dataset:
    """Return the collection kept under `name`, built and kept first where there is none.

    A file that is cut short or altered counts as none. Nothing is left behind by a build that fails or is
    interrupted.

    Args:
        name: file name without folder; include in it everything that the content depends on.
        build: makes the collection.
        folder: where it is kept; `cache_folder()` when absent.

    Raises:
        CacheError: when the folder cannot be written or the disk is full.

    """
    path = Path(folder) if folder is not None else cache_folder()
    path = path / name
    kept = read(path)
    if kept is not None:
        return _from_bytes(kept)
    require_room(path.parent)
    dataset = build()
    write(path, [_to_bytes(dataset)])
    return dataset


def _to_bytes(dataset: Dataset) -> bytes:
    """Return the tables column by column and the pictures as one npz, without pickled objects."""
    hidden = dataset.hidden
    tables = {"faces": dataset.faces, "votes": dataset.votes}
    if hidden is not None:
        tables |= {name: getattr(hidden, name) for name in ("latent", "faults", "annotators")}
    arrays = {"images": dataset.images, "notes": np.array(dataset.notes, dtype=str)}
    for table, frame in tables.items():
        for column in frame:
            values = frame[column].to_numpy()
            plain = values.dtype.kind in "biufM"
            arrays[f"{table}/{column}"] = values if plain else values.astype(str)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _from_bytes(payload: bytes) -> Dataset:
    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        tables: dict[str, dict[str, np.ndarray]] = {name: {} for name in _TABLES}
        for key in arrays.files:
            table, _, column = key.partition("/")
            if column:
                values = arrays[key]
                tables[table][column] = values.astype(object) if values.dtype.kind == "U" else values
        frames = {name: pd.DataFrame(columns) for name, columns in tables.items()}
        hidden = None
        if tables["latent"]:
            hidden = Hidden(frames["latent"], frames["faults"], frames["annotators"])
        notes = tuple(str(note) for note in arrays["notes"])
        return Dataset(frames["faces"], frames["votes"], arrays["images"], hidden, notes)
