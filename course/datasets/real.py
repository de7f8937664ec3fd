"""Real pictures in the same tables: FER2013, its FER+ votes, and folders of labelled pictures.

What real collections do not say (who is on the picture, when it was taken, which annotator voted) is
filled in so that the notebooks run, and `Dataset.notes` says what was filled in.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from course.datasets.lobby import load_lobby
from course.datasets.tables import VOTE_COLUMNS, Dataset, majority_label

FER2013_EMOTIONS: tuple[str, ...] = (
    "anger",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
    "neutral",
)
"""What the numbers 0 to 6 in the column `emotion` of FER2013 stand for."""

FERPLUS_CLASSES: tuple[str, ...] = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)
"""The vote columns of FER+, in the order of its file; NF is "not a face"."""

USAGES: tuple[str, ...] = ("Training", "PublicTest", "PrivateTest")

_SIDE = 48
_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_ANGRY_NAMES = ("angry", "anger")
_EPOCH = np.datetime64("2013-01-01", "ns")
_FILLED_IN = (
    "Every picture counts as a person, a visit and a burst of its own, because the source does not say "
    "who is on it.",
    "Times are one second apart in the order of the source, because it does not say when.",
)


def load_fer2013(csv: Path | str) -> Dataset:
    """Return FER2013 from its file `fer2013.csv`, one vote a picture.

    Source: Goodfellow et al. 2013 (arXiv 1307.0414). `faces` carries `emotion` (str) and `usage` (str)
    besides the usual columns; emotion 0 is the vote "angry", every other "calm".

    Args:
        csv: file with columns emotion (0-6), pixels (2,304 grey levels 0-255 apart by spaces) and Usage.

    Raises:
        ValueError: for a missing file or column, or a cell that does not have this form.

    """
    path, table = _read_csv(csv, ["emotion", "pixels", "Usage"])
    images = _pixels(path, table["pixels"])
    emotion = _whole_numbers(path, table["emotion"], 0, len(FER2013_EMOTIONS) - 1)
    usage = _usages(path, table["Usage"])
    faces = _faces([f"fer{row:07d}.png" for row in range(len(table))], "fer2013")
    faces["emotion"] = np.array(FER2013_EMOTIONS, dtype=object)[emotion]
    faces["usage"] = usage
    faces["label"] = np.where(emotion == 0, "angry", "calm").astype(object)
    votes = _single_votes(faces, "FER2013")
    return Dataset(faces, votes, images, None, _FILLED_IN)


def load_ferplus(csv: Path | str, fer2013_csv: Path | str) -> Dataset:
    """Return the pictures of FER2013 with the votes of FER+, ten a picture.

    Source: Barsoum et al. 2016 (arXiv 1608.01041), file `fer2013new.csv`. A vote for anger is "angry", for
    unknown or NF "unsure", for any other class "calm". FER+ publishes counts, not who voted: annotators
    are pseudo-numbers 0, 1, 2, ... dealt out anew at random for every picture, so nothing may be
    concluded about an annotator. Rows without an image name, which are no faces, are left out.

    Args:
        csv: file with columns Usage, Image name, and a count for each of `FERPLUS_CLASSES`.
        fer2013_csv: `fer2013.csv`, with the same rows in the same order.

    Raises:
        ValueError: for a missing file or column, a cell that does not have this form, or files whose rows
            do not match.

    """
    path, table = _read_csv(csv, ["Usage", "Image name", *FERPLUS_CLASSES])
    fer2013 = load_fer2013(fer2013_csv)
    if len(table) != len(fer2013):
        raise ValueError(
            f"{path.name} has {len(table)} rows and {Path(fer2013_csv).name} {len(fer2013)}; accepted "
            "are files with the same rows in the same order."
        )
    usage = _usages(path, table["Usage"])
    other = np.flatnonzero(usage != fer2013.faces["usage"].to_numpy())
    if len(other):
        line = other[0] + 2
        raise ValueError(
            f"{path.name}, line {line}, column Usage: {usage[other[0]]!r} where "
            f"{Path(fer2013_csv).name} has {fer2013.faces['usage'].iloc[other[0]]!r}; accepted are files "
            "with the same rows in the same order."
        )
    counts = np.column_stack([_whole_numbers(path, table[c], 0, 100) for c in FERPLUS_CLASSES])
    answer = np.select(
        [np.array(FERPLUS_CLASSES) == "anger", np.isin(FERPLUS_CLASSES, ["unknown", "NF"])],
        ["angry", "unsure"],
        "calm",
    )
    named = table["Image name"].fillna("").str.strip().to_numpy(dtype=object)
    kept = np.flatnonzero((named != "") & (counts.sum(axis=1) > 0))
    faces = fer2013.faces.iloc[kept].assign(file=named[kept]).reset_index(drop=True)
    per_face = counts[kept]
    face = np.repeat(faces["face"].to_numpy(), per_face.sum(axis=1))
    cast = np.concatenate([np.repeat(answer, row) for row in per_face]) if len(kept) else answer[:0]
    # Dealt at random, or annotator 0 would be the one who always votes for the first class.
    rng = np.random.default_rng(0)
    shuffled = np.lexsort((rng.random(len(face)), face))
    first = np.searchsorted(face, face)
    votes = pd.DataFrame(
        {
            "face": face,
            "annotator": np.arange(len(face)) - first,
            "vote": cast[shuffled].astype(object),
            "guideline": "FER+",
            "order": face,
        }
    )[list(VOTE_COLUMNS)]
    faces["label"] = majority_label(votes, faces["face"])
    notes = (
        *_FILLED_IN,
        "Annotator numbers are dealt at random for each picture, because FER+ publishes counts only.",
        f"{len(table) - len(kept)} rows without an image name or votes were left out.",
    )
    return Dataset(faces, votes, fer2013.images[kept], None, notes)


def load_folder(path: Path | str) -> Dataset:
    """Return the pictures of a folder whose sub-folders are the labels, as 48 x 48 grey levels.

    A sub-folder named angry or anger (in any case) gives the label "angry", one named unsure "unsure", any
    other "calm"; its own name is kept in the column `emotion`. Files that are no pictures by their ending
    are passed over.

    Args:
        path: folder with at least two sub-folders of pictures (png, jpg, jpeg, bmp or webp).

    Raises:
        ValueError: for a missing folder, no pictures, no sub-folder of angry ones, or a broken picture.

    """
    from PIL import Image

    folder = Path(path)
    if not folder.is_dir():
        raise ValueError(f"path is {str(path)!r}, which is no folder; accepted is a folder of folders.")
    files = sorted(f for f in folder.glob("*/*") if f.suffix.lower() in _IMAGE_ENDINGS)
    names = sorted({file.parent.name for file in files})
    if len(names) < 2 or not any(name.lower() in _ANGRY_NAMES for name in names):
        raise ValueError(
            f"The folder {folder} has pictures in the sub-folders {names}; accepted are two or more "
            "sub-folders named after labels, one of them angry or anger."
        )
    images = np.empty((len(files), _SIDE, _SIDE), dtype=np.uint8)
    for row, file in enumerate(files):
        try:
            with Image.open(file) as picture:
                grey = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
            images[row] = np.asarray(grey)
        except (OSError, ValueError, SyntaxError) as error:
            raise ValueError(
                f"The file {file} cannot be read as a picture ({type(error).__name__}); accepted are "
                f"whole {', '.join(ending[1:] for ending in _IMAGE_ENDINGS)} files."
            ) from error
    faces = _faces([file.name for file in files], folder.name)
    faces["emotion"] = np.array([file.parent.name for file in files], dtype=object)
    lower = faces["emotion"].str.lower()
    faces["label"] = np.select(
        [lower.isin(_ANGRY_NAMES), lower == "unsure"], ["angry", "unsure"], "calm"
    ).astype(object)
    return Dataset(faces, _single_votes(faces, "folder"), images, None, _FILLED_IN)


def real_data_or_default(folder: Path | str | None = None) -> Dataset:
    """Return real data where there are any, and the built-in lobby otherwise.

    Looks in `folder` (COURSE_DATA when absent) for fer2013new.csv with fer2013.csv beside it, then for
    fer2013.csv alone, then for sub-folders of pictures. Without a folder, or with an empty one, the lobby.

    Raises:
        ValueError: when the folder named does not exist, holds votes without pictures, or its files are
            malformed.

    """
    folder = folder if folder is not None else os.environ.get("COURSE_DATA")
    if not folder:
        return load_lobby()
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise ValueError(f"folder is {str(folder)!r}, which does not exist; accepted is a folder.")
    pictures, votes = path / "fer2013.csv", path / "fer2013new.csv"
    if votes.exists():
        return load_ferplus(votes, pictures)
    if pictures.exists():
        return load_fer2013(pictures)
    if any(file.suffix.lower() in _IMAGE_ENDINGS for file in path.glob("*/*")):
        return load_folder(path)
    return load_lobby()


def _faces(files: list[str], site: str) -> pd.DataFrame:
    """Return the observable columns for pictures of which only the file names are known."""
    number = np.arange(len(files))
    return pd.DataFrame(
        {
            "face": number,
            "person": number,
            "role": "visitor",
            "consent": True,
            "visit": number,
            "burst": number,
            "frame": 0,
            "site": site,
            "camera": site,
            "time": _EPOCH + pd.to_timedelta(number, unit="s"),
            "file": np.array(files, dtype=object),
        }
    )


def _single_votes(faces: pd.DataFrame, guideline: str) -> pd.DataFrame:
    """Return one vote a face, by annotator 0, that says what the label says."""
    return pd.DataFrame(
        {
            "face": faces["face"],
            "annotator": 0,
            "vote": faces["label"],
            "guideline": guideline,
            "order": np.arange(len(faces)),
        }
    )[list(VOTE_COLUMNS)]


def _read_csv(csv: Path | str, columns: list[str]) -> tuple[Path, pd.DataFrame]:
    path = Path(csv).expanduser()
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except FileNotFoundError:
        raise ValueError(f"The file {path} does not exist; accepted is a csv file.") from None
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"The file {path} cannot be read as csv ({reason}); accepted are columns {', '.join(columns)}."
        ) from error
    table.columns = [str(name).strip() for name in table.columns]
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(
            f"{path.name} lacks the column {missing[0]!r}; accepted are columns {', '.join(columns)}."
        )
    if not len(table):
        raise ValueError(f"{path.name} has no rows; accepted is one row a picture.")
    return path, table


def _malformed(path: Path, row: int, column: object, value: str, accepted: str) -> ValueError:
    shown = value if len(value) <= 30 else value[:27] + "..."
    return ValueError(f"{path.name}, line {row + 2}, column {column}: {shown!r}; accepted {accepted}.")


def _whole_numbers(path: Path, cells: pd.Series, low: int, high: int) -> np.ndarray:
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(float)
    wrong = np.flatnonzero(~((numbers >= low) & (numbers <= high) & (numbers == np.floor(numbers))))
    if len(wrong):
        row = int(wrong[0])
        accepted = f"are whole numbers from {low} to {high}"
        raise _malformed(path, row, cells.name, str(cells.iloc[row]), accepted)
    return numbers.astype(int)


def _usages(path: Path, cells: pd.Series) -> np.ndarray:
    usage = cells.str.strip()
    wrong = np.flatnonzero(~usage.isin(USAGES))
    if len(wrong):
        row = int(wrong[0])
        raise _malformed(path, row, cells.name, str(cells.iloc[row]), f"are {', '.join(USAGES)}")
    return usage.to_numpy(object)


def _pixels(path: Path, cells: pd.Series) -> np.ndarray:
    """Return the pictures, uint8 [n, 48, 48], from their grey levels written out."""
    images = np.empty((len(cells), _SIDE * _SIDE), dtype=np.uint8)
    for row, cell in enumerate(cells):
        levels = cell.split()
        try:
            values = np.array(levels, dtype=np.int64)
        except (ValueError, OverflowError):
            wrong = next(level for level in levels if not level.isdecimal())
            raise _malformed(path, row, cells.name, wrong, "are whole numbers, 0 to 255") from None
        if len(values) != _SIDE * _SIDE:
            accepted = f"are {_SIDE * _SIDE} numbers, not {len(values)}"
            raise _malformed(path, row, cells.name, cell, accepted)
        if values.min() < 0 or values.max() > 255:
            worst = values[(values < 0) | (values > 255)][0]
            raise _malformed(path, row, cells.name, str(worst), "are whole numbers, 0 to 255")
        images[row] = values
    return images.reshape(-1, _SIDE, _SIDE)
