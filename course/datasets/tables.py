"""The form of a collection: tables of faces and votes, the pictures and, kept apart, the truth."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

LABELS: tuple[str, ...] = ("angry", "calm", "unsure")

FACE_COLUMNS: dict[str, str] = {
    "face": "int, number of the face; row k belongs to picture k",
    "person": "int, number the tracker or the front desk gave the person",
    "role": "str, visitor or staff",
    "consent": "bool, whether the person agreed to be in a training set",
    "visit": "int, number of the visit, about 20 seconds of one person before one camera",
    "burst": "int, number of the burst, a few frames taken 0.2 seconds apart",
    "frame": "int, place of the frame in its burst, from 0",
    "site": "str, where the robot stood",
    "camera": "str, which of the site's cameras",
    "time": "datetime64, when the frame was taken",
    "file": "str, name of the picture's file",
    "label": "str, recorded label: angry, calm or unsure",
}
"""The observable columns of `Dataset.faces`."""

VOTE_COLUMNS: dict[str, str] = {
    "face": "int, number of the face",
    "annotator": "int, number of the annotator",
    "vote": "str, angry, calm or unsure",
    "guideline": "str, version of the written guideline in force",
    "order": "int, how many items the annotator had done before in this task",
}
"""The columns of `Dataset.votes`."""


@dataclass(frozen=True)
class Hidden:
    """What nobody in the field would know; for checks only, never an input of an exercise.

    latent: one row a face in the order of `Dataset.faces`: the columns of `course.faces.COLUMNS` from
        which the picture was drawn, `vote_seed` (int, the ambiguity that the frames of a burst share),
        `perceived_rate` (float 0-1, chance that a typical annotator says angry) and `felt` (bool).
    faults: one row a planted fault: `face` (int), `fault` (str, a key of `FAULTS`), `detail` (str) and
        `source` (int, the face it repeats, or -1).
    annotators: table of `course.crowd.sample_annotators`.
    """

    latent: pd.DataFrame
    faults: pd.DataFrame
    annotators: pd.DataFrame


@dataclass(frozen=True)
class Dataset:
    """A collection of faces.

    faces: one row a face, columns as in `FACE_COLUMNS` (real data may carry more).
    votes: one row a vote, columns as in `VOTE_COLUMNS`.
    images: uint8 grey levels, shape [n, side, side], in the order of `faces`.
    hidden: the truth behind generated data; None for real data.
    notes: what was made up to bring real data into this form, one sentence each.
    """

    faces: pd.DataFrame
    votes: pd.DataFrame
    images: np.ndarray
    hidden: Hidden | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse tables and pictures that do not belong together."""
        if len(self.images) != len(self.faces):
            raise ValueError(
                f"images has {len(self.images)} pictures; accepted is one for each of the "
                f"{len(self.faces)} faces."
            )

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.faces)

    def take(self, rows: np.ndarray | pd.Series | list) -> Dataset:
        """Return the collection of some faces, in the order asked for, numbers unchanged.

        Args:
            rows: positions (int) or a mask (bool, one for each face).

        Raises:
            ValueError: when a mask has the wrong length.

        """
        rows = np.asarray(rows)
        if rows.dtype == bool:
            if len(rows) != len(self):
                raise ValueError(f"rows is a mask of {len(rows)}; accepted is one of {len(self)}.")
            rows = np.flatnonzero(rows)
        faces = self.faces.iloc[rows].reset_index(drop=True)
        kept = faces["face"]
        hidden = self.hidden
        if hidden is not None:
            hidden = Hidden(
                hidden.latent.iloc[rows].reset_index(drop=True),
                hidden.faults[hidden.faults["face"].isin(kept)].reset_index(drop=True),
                hidden.annotators,
            )
        votes = self.votes[self.votes["face"].isin(kept)].reset_index(drop=True)
        return Dataset(faces, votes, self.images[rows], hidden, self.notes)


def majority_label(votes: pd.DataFrame, faces: pd.Series | np.ndarray) -> np.ndarray:
    """Return the label that most votes of each face give, as the collection records it.

    Votes of "unsure" count for neither side; a tie, or no vote for either side, makes "unsure".

    Args:
        votes: table with columns `face` and `vote`.
        faces: numbers of the faces, any order.

    Returns:
        str (object) array of `LABELS`, one for each of `faces`.

    """
    position = pd.Index(np.asarray(faces)).get_indexer(votes["face"])
    known = position >= 0
    side = (votes["vote"] == "angry").to_numpy(float) - (votes["vote"] == "calm").to_numpy(float)
    margin = np.bincount(position[known], side[known], minlength=len(faces))
    return np.select([margin > 0, margin < 0], ["angry", "calm"], "unsure").astype(object)


def raw_table(dataset: Dataset, votes: str = "json") -> pd.DataFrame:
    """Return the collection as it arrives: one wide table in which every cell is a string.

    Args:
        dataset: any collection.
        votes: "json" for one row a face with its votes as JSON in the column `votes` (a list of objects
            with keys by, vote, rule and nth); "rows" for one row a face and vote, with everything about
            the face repeated, and columns `by`, `vote`, `rule` and `nth` (empty where nobody voted).

    Returns:
        Table of strings with columns `file`, `captured` (ISO 8601), `camera` ("site/camera"), `who`
        ("visitor 0012" or "staff 0003"), `consent` ("yes" or "no"), `visit`, `burst`, `frame` (as in
        "v17", "b40", "3"), `label`, then the votes.

    Raises:
        ValueError: when `votes` is neither of the two.

    """
    if votes not in {"json", "rows"}:
        raise ValueError(f"votes is {votes!r}; accepted are 'json' and 'rows'.")
    faces = dataset.faces
    table = pd.DataFrame(
        {
            "file": faces["file"].astype(str),
            "captured": faces["time"].dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3],
            "camera": faces["site"] + "/" + faces["camera"],
            "who": faces["role"] + " " + faces["person"].map("{:04d}".format),
            "consent": np.where(faces["consent"], "yes", "no"),
            "visit": "v" + faces["visit"].astype(str),
            "burst": "b" + faces["burst"].astype(str),
            "frame": faces["frame"].astype(str),
            "label": faces["label"].astype(str),
        }
    )
    cast = pd.DataFrame(
        {
            "face": dataset.votes["face"],
            "by": dataset.votes["annotator"].map("a{:02d}".format),
            "vote": dataset.votes["vote"],
            "rule": dataset.votes["guideline"],
            "nth": dataset.votes["order"].astype(str),
        }
    )
    if votes == "rows":
        wide = table.assign(face=faces["face"]).merge(cast, on="face", how="left")
        return wide.drop(columns="face").fillna("").astype(object)
    by_face: dict[int, list[dict[str, str]]] = {}
    for face, *cells in cast.itertuples(index=False, name=None):
        by_face.setdefault(face, []).append(dict(zip(("by", "vote", "rule", "nth"), cells, strict=True)))
    return table.assign(votes=[json.dumps(by_face.get(face, [])) for face in faces["face"]])
