"""A labelling task: some thirty faces of a collection, what the crowd said, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course import crowd
from course.datasets.tables import LABELS, Dataset, majority_label
from course.faces import render
from course.faces.columns import COLUMNS, require_columns
from course.widgets.agreement import Agreement, agreement, one_annotator
from course.widgets.pictures import in_words

_ANGRY_SHARE = 1 / 3
_ANNOTATORS = 24
_SIDE = 96


@dataclass(frozen=True)
class Task:
    """Faces to label, in order.

    faces: numbers of the faces, int [n].
    images: uint8 [n, side, side].
    crowd: the crowd's label of each face, angry, calm or unsure (a tie), object [n].
    angry, calm: number of votes of each kind, int [n].
    words: what each face shows, in words; empty where that is not known.
    """

    faces: np.ndarray
    images: np.ndarray
    crowd: np.ndarray
    angry: np.ndarray
    calm: np.ndarray
    words: list[str]

    def agreement(self, votes: Sequence[str]) -> Agreement:
        """Return the agreement of n labels with the crowd's."""
        return agreement(np.random.default_rng(0), votes, self.crowd)

    def differing(self, votes: Sequence[str]) -> np.ndarray:
        """Return the places, int, where one side said angry and the other calm."""
        votes = np.asarray(votes, dtype=object)
        return np.flatnonzero((votes != self.crowd) & (votes != "unsure") & (self.crowd != "unsure"))

    def told(self, votes: Sequence[str]) -> str:
        """Return in words how n labels compare with the crowd's."""
        found = self.agreement(votes)
        lines = [f"You labelled {len(votes)} faces. {found}"]
        if found.left_out:
            lines.append(f"Left out: {_count(found.left_out)} on which you or the crowd were unsure.")
        single = one_annotator(self.angry, self.calm)
        if not np.isnan(single):
            lines.append(
                f"For comparison: one annotator agrees with the majority of the others on {single:.0%}."
            )
        for mine, other in (("angry", "calm"), ("calm", "angry")):
            places = [k for k in self.differing(votes) if votes[k] == mine]
            if places:
                named = ", ".join(f"{k + 1} ({self.count(k)})" for k in places)
                lines.append(f"You said {mine}, the crowd {other}: number {named}.")
        lines.append(
            f"Of these faces {np.mean(self.crowd == 'angry'):.0%} are angry to the crowd, more than in the "
            "field; kappa depends on that. And no vote says what the person felt."
        )
        return "\n".join(lines)

    def count(self, place: int) -> str:
        """Return how the crowd voted on the face at a place, as "4 angry, 1 calm"."""
        return f"{self.angry[place]} angry, {self.calm[place]} calm"


def make_task(source: Dataset | pd.DataFrame, n: int, seed: int, guideline: str) -> Task:
    """Return n faces of a collection or a table of faces, about a third of them angry to the crowd.

    One face a person and no picture twice, as far as there are enough, so that no face is asked again in
    disguise.

    Raises:
        ValueError: when source is neither, n is not within its length, or the guideline is unknown.

    """
    rng = np.random.default_rng(seed)
    if isinstance(source, Dataset):
        faces, votes = source.faces, source.votes
    else:
        require_columns(source, COLUMNS, "source")
        faces = source
        annotators = crowd.sample_annotators(rng, _ANNOTATORS)
        votes = crowd.vote(rng, faces, annotators, guideline=guideline)
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n <= len(faces):
        raise ValueError(
            f"n is {n!r}; accepted are whole numbers from 1 to {len(faces)}, the faces there are."
        )
    number = faces["face"].to_numpy()
    label = majority_label(votes, number)
    rows = _chosen(rng, label, _seen_before(rng, source), n)

    def counted(answer: str) -> np.ndarray:
        counts = votes["face"][votes["vote"] == answer].value_counts()
        return counts.reindex(number[rows], fill_value=0).to_numpy(int)

    images = source.images[rows] if isinstance(source, Dataset) else render(faces.iloc[rows], _SIDE)
    words = _words(source, rows)
    return Task(number[rows], images, label[rows], counted("angry"), counted("calm"), words)


def checked_votes(votes: Sequence[str], n: int) -> list[str]:
    """Return the votes as a list.

    Raises:
        ValueError: when there are not n of them or one is no label.

    """
    answers = [str(answer) for answer in votes]
    if len(answers) != n:
        raise ValueError(f"votes has {len(answers)} labels; accepted are {n}, one for each face.")
    unknown = [answer for answer in answers if answer not in LABELS]
    if unknown:
        raise ValueError(f"votes holds {unknown[0]!r}; accepted are {', '.join(LABELS)}.")
    return answers


def _seen_before(rng: np.random.Generator, source: Dataset | pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return a random order of the rows, and whether person or picture came up before in it, bool [n]."""
    faces = source.faces if isinstance(source, Dataset) else source
    order = rng.permutation(len(faces))
    again = faces["person"].iloc[order].duplicated().to_numpy()
    if isinstance(source, Dataset):
        pictures = pd.Series([source.images[row].tobytes() for row in order])
        again = again | pictures.duplicated().to_numpy()
    return order, again


def _chosen(
    rng: np.random.Generator, label: np.ndarray, drawn: tuple[np.ndarray, np.ndarray], n: int
) -> np.ndarray:
    """Return n rows in random order: a third angry where there are as many, what was not seen first."""
    order, again = drawn
    order = np.concatenate([order[~again], order[again]])
    is_angry = label[order] == "angry"
    angry, others = order[is_angry], order[~is_angry]
    wanted = min(round(n * _ANGRY_SHARE), len(angry))
    wanted = max(wanted, n - len(others))
    return rng.permutation(np.concatenate([angry[:wanted], others[: n - wanted]]))


def _words(source: Dataset | pd.DataFrame, rows: np.ndarray) -> list[str]:
    """Return what each picture shows in words, where the rows behind the pictures are known."""
    if not isinstance(source, Dataset):
        return in_words(source.iloc[rows])
    if source.hidden is None:
        return [""] * len(rows)
    words = in_words(source.hidden.latent.iloc[rows])
    faults = source.hidden.faults
    corrupt = source.faces["face"].iloc[rows].isin(faults["face"][faults["fault"] == "corrupt"])
    return ["a corrupt picture" if bad else text for bad, text in zip(corrupt, words, strict=True)]


def _count(faces: int) -> str:
    return f"{faces} face" if faces == 1 else f"{faces} faces"
