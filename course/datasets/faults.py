"""The faults that collections have in practice, planted where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from course.crowd import perceived_rate
from course.datasets.records import as_voted_on, cast_votes, file_names
from course.datasets.tables import Dataset, Hidden, majority_label
from course.faces.columns import RENDERED

FAULTS: dict[str, str] = {
    "near_duplicate": (
        "one more frame in a burst that is another one saved again: re-encoded, brighter or shifted"
    ),
    "exact_duplicate": "a picture filed a second time, days later, under a new person's number",
    "stuck_camera": "a camera that repeats one frame while persons, visits and times go on",
    "corrupt": "a picture that is truncated, black or only noise",
    "leaky_file": "a file whose name tells the label",
    "wrong_label": "a recorded label that is the opposite of what most votes said",
}
"""What each planted fault is. No face has two, and a face that is repeated has none."""

_SHARES = {
    "near_duplicate": 0.02,
    "exact_duplicate": 0.012,
    "stuck_camera": 0.008,
    "corrupt": 0.008,
    "leaky_file": 0.02,
    "wrong_label": 0.02,
}
_NEAR = ("re-encoded", "brighter", "shifted")
_CORRUPT = ("truncated", "black", "noise")
_TAGS = {"angry": "-ang", "calm": "-neg"}


def default_plan(n_faces: int) -> dict[str, int]:
    """Return how many faces each fault concerns by default: a share, but at least four of each."""
    return {fault: max(4, round(share * n_faces)) for fault, share in _SHARES.items()}


def plant_faults(
    rng: np.random.Generator, dataset: Dataset, plan: Mapping[str, int] | None = None
) -> Dataset:
    """Return the collection with faults planted and recorded in `hidden.faults`.

    Duplicates are added, so the collection grows; the other faults change faces that it has. Faces whose
    picture changes are voted on anew. Everything is then sorted by time and numbered anew, so no number
    gives a fault away. In `hidden.latent`, `person` is who the picture really shows.

    Args:
        rng: source of randomness.
        dataset: generated collection (its `hidden` is needed) without faults.
        plan: how many faces each fault concerns, by the keys of `FAULTS`; `default_plan` when absent.

    Raises:
        ValueError: for an unknown fault, a number that is no whole number of 0 or more, more faults than
            faces, or a collection without `hidden`.

    """
    if dataset.hidden is None:
        raise ValueError("dataset has no hidden truth; accepted are generated collections.")
    plan = _checked_plan(dict(default_plan(len(dataset)) if plan is None else plan))
    faces, latent = dataset.faces.copy(), dataset.hidden.latent.copy()
    images = dataset.images.copy()
    faults = _Faults(rng, len(faces), faces["face"].to_numpy(), dataset.hidden.faults)

    if plan.get("stuck_camera"):
        stretch = _stretch(rng, faces, faults.free, plan["stuck_camera"])
        stuck = [*RENDERED, "person", "expression", "intensity", "vote_seed"]
        latent.loc[stretch[1:], stuck] = latent.loc[stretch[0], stuck].to_numpy()
        images[stretch[1:]] = images[stretch[0]]
        latent = latent.astype(dataset.hidden.latent.dtypes)
        faults.record("stuck_camera", stretch[1:], "", stretch[0])

    corrupt = faults.draw("corrupt", plan.get("corrupt", 0))
    for nth, row in enumerate(corrupt):
        kind = _CORRUPT[nth % len(_CORRUPT)]
        images[row] = _corrupted(rng, images[row], kind)
        faults.record("corrupt", [row], kind)

    near = faults.draw("near_duplicate", plan.get("near_duplicate", 0))
    exact = faults.draw("exact_duplicate", plan.get("exact_duplicate", 0))
    pictures = [_saved_again(rng, images[row], _NEAR[k % 3]) for k, row in enumerate(near)]
    copies = np.concatenate([near, exact]).astype(int)
    added = np.arange(len(faces), len(faces) + len(copies))
    new_faces = pd.concat([_next_in_burst(faces, near), _filed_again(rng, faces, exact)])
    new_faces["face"] = faces["face"].max() + 1 + np.arange(len(copies))
    faces = pd.concat([faces, new_faces], ignore_index=True)
    latent = pd.concat([latent, latent.iloc[copies]], ignore_index=True)
    images = np.concatenate([images, *[p[None] for p in pictures], images[exact]])
    faults.grow(new_faces["face"].to_numpy())
    for k, (row, source) in enumerate(zip(added, copies, strict=True)):
        is_near = k < len(near)
        detail = _NEAR[k % 3] if is_near else ""
        faults.record("near_duplicate" if is_near else "exact_duplicate", [row], detail, source)

    votes, annotators = dataset.votes, dataset.hidden.annotators
    illegible = np.zeros(len(faces), dtype=bool)
    illegible[corrupt] = True
    seen = as_voted_on(latent, illegible)
    changed = faults.rows()
    if len(changed):
        again = cast_votes(rng, faces.iloc[changed], seen.iloc[changed], annotators)
        old = votes[~votes["face"].isin(faces["face"].iloc[changed])]
        votes = pd.concat([old, again], ignore_index=True)
        faces.loc[changed, "label"] = majority_label(again, faces["face"].iloc[changed])
    latent["perceived_rate"] = perceived_rate(seen)
    faces["file"] = file_names(faces)

    decided = faces["label"].isin(["angry", "calm"]).to_numpy()
    is_angry = (faces["label"] == "angry").to_numpy()
    for fault, share in (("leaky_file", 0.5), ("wrong_label", 0.3)):
        wanted = plan.get(fault, 0)
        first = faults.draw(fault, min(round(share * wanted), (faults.free & is_angry).sum()), is_angry)
        rows = np.concatenate([first, faults.draw(fault, wanted - len(first), decided & ~is_angry)])
        for row in rows.astype(int):
            label = faces.at[row, "label"]
            if fault == "leaky_file":
                name = faces.at[row, "file"]
                faces.at[row, "file"] = name.removesuffix(".png") + _TAGS[label] + ".png"
            else:
                faces.at[row, "label"] = "calm" if label == "angry" else "angry"
            faults.record(fault, [row], label)
    hidden = Hidden(latent, faults.table(), annotators)
    return renumbered(Dataset(faces, votes, images, hidden, dataset.notes))


class _Faults:
    """Which rows have a fault or are repeated by one, and the record of what was planted."""

    def __init__(self, rng: np.random.Generator, n: int, numbers: np.ndarray, before: pd.DataFrame) -> None:
        self.rng = rng
        self.numbers = numbers
        self.before = before
        self.free = ~np.isin(numbers, [*before["face"], *before["source"]])
        self.planted: list[tuple[int, str, str, int]] = []

    def draw(self, fault: str, count: int, among: np.ndarray | bool = True) -> np.ndarray:
        """Return `count` rows without a fault, at random, and hold them."""
        rows = np.flatnonzero(self.free & among)
        if count > len(rows):
            raise ValueError(
                f"plan asks for {count} more faces with {fault}; accepted are at most {len(rows)}, the "
                "suitable faces that are left."
            )
        chosen = self.rng.permutation(rows)[:count]
        self.free[chosen] = False
        return chosen

    def record(self, fault: str, rows: list | np.ndarray, detail: str, source: int = -1) -> None:
        self.free[rows] = False
        if source >= 0:
            self.free[source] = False
        self.planted += [(int(row), fault, detail, int(source)) for row in rows]

    def grow(self, numbers: np.ndarray) -> None:
        """Make room for added faces, which are never free."""
        self.numbers = np.concatenate([self.numbers, numbers])
        self.free = np.concatenate([self.free, np.zeros(len(numbers), dtype=bool)])

    def rows(self) -> np.ndarray:
        return np.array(sorted(row for row, *_ in self.planted), dtype=int)

    def table(self) -> pd.DataFrame:
        rows = [
            (int(self.numbers[row]), fault, detail, int(self.numbers[source]) if source >= 0 else -1)
            for row, fault, detail, source in self.planted
        ]
        now = pd.DataFrame(rows, columns=["face", "fault", "detail", "source"])
        return pd.concat([self.before, now], ignore_index=True).astype(self.before.dtypes)


def renumbered(dataset: Dataset) -> Dataset:
    """Return the collection in order of time, with every number given anew in that order."""
    order = np.lexsort((dataset.faces["camera"], dataset.faces["time"]))
    faces = dataset.faces.iloc[order].reset_index(drop=True)
    hidden = dataset.hidden
    old = pd.Index(faces["face"])
    latent = hidden.latent.iloc[order].reset_index(drop=True)
    people = pd.Index(faces["person"].unique())
    # Someone whose pictures were all replaced is nowhere in the collection, so has no number in it.
    faces["person"] = people.get_indexer(faces["person"])
    latent["person"] = people.get_indexer(latent["person"])
    for column in ("visit", "burst"):
        faces[column] = pd.factorize(faces[column])[0]
    faces["face"] = latent["face"] = np.arange(len(faces))
    faults = hidden.faults.assign(
        face=old.get_indexer(hidden.faults["face"]), source=old.get_indexer(hidden.faults["source"])
    )
    faults = faults.sort_values("face", ignore_index=True)
    votes = dataset.votes.assign(face=old.get_indexer(dataset.votes["face"]))
    votes = votes.sort_values("face", kind="stable", ignore_index=True)
    # Counted anew, or a vote that was cast again would stand out.
    votes["order"] = votes.groupby(["annotator", "guideline"]).cumcount()
    truth = Hidden(latent, faults, hidden.annotators)
    return Dataset(faces, votes, dataset.images[order], truth, dataset.notes)


def _checked_plan(plan: dict[str, int]) -> dict[str, int]:
    for fault, count in plan.items():
        if fault not in FAULTS:
            raise ValueError(f"plan holds {fault!r}; accepted are {', '.join(FAULTS)}.")
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
            raise ValueError(f"plan[{fault!r}] is {count!r}; accepted is a whole number, 0 or more.")
    return plan


def _stretch(rng: np.random.Generator, faces: pd.DataFrame, free: np.ndarray, count: int) -> np.ndarray:
    """Return count + 1 rows of one camera that follow one another, from more than one visit."""
    time, visit = faces["time"].to_numpy(), faces["visit"].to_numpy()
    found = []
    for camera in faces["camera"].unique():
        rows = np.flatnonzero((faces["camera"] == camera).to_numpy())
        rows = rows[np.argsort(time[rows], kind="stable")]
        if len(rows) <= count:
            continue
        stretches = np.lib.stride_tricks.sliding_window_view(rows, count + 1)
        several = visit[stretches[:, 0]] != visit[stretches[:, -1]]
        found.append(stretches[several & free[stretches].all(axis=1)])
    found = np.concatenate(found) if found else np.empty((0, count + 1), dtype=int)
    if not len(found):
        most = int(faces["camera"].value_counts().max()) - 1
        raise ValueError(
            f"plan asks for {count} faces of a stuck camera; accepted are fewer than {most}, the faces "
            "of the busiest camera."
        )
    return found[rng.integers(len(found))]


def _next_in_burst(faces: pd.DataFrame, sources: np.ndarray) -> pd.DataFrame:
    """Return the sources' rows as the next frame of their burst, 0.2 seconds after its last."""
    rows = faces.iloc[sources].copy()
    burst = faces.groupby("burst")
    ahead = rows.groupby("burst").cumcount()
    rows["frame"] = burst["frame"].max()[rows["burst"]].to_numpy() + 1 + ahead
    last = burst["time"].max()[rows["burst"]].to_numpy()
    rows["time"] = last + pd.to_timedelta(200 * (1 + ahead), unit="ms").to_numpy()
    return rows


def _filed_again(rng: np.random.Generator, faces: pd.DataFrame, sources: np.ndarray) -> pd.DataFrame:
    """Return the sources' rows under new persons, visits and bursts, one to five days on."""
    rows = faces.iloc[sources].copy()
    new = np.arange(len(rows))
    rows["time"] += pd.to_timedelta(rng.integers(86_400, 5 * 86_400, len(rows)), unit="s").to_numpy()
    for column in ("person", "visit", "burst"):
        rows[column] = faces[column].max() + 1 + new
    rows["frame"] = 0
    rows["role"] = "visitor"
    return rows


def _corrupted(rng: np.random.Generator, image: np.ndarray, kind: str) -> np.ndarray:
    if kind == "black":
        return np.zeros_like(image)
    if kind == "noise":
        return rng.integers(0, 256, image.shape, dtype=np.uint8)
    cut = rng.integers(len(image) // 4, len(image) // 2 + 1)
    broken = image.copy()
    broken[cut:] = 128
    return broken


def _saved_again(rng: np.random.Generator, image: np.ndarray, kind: str) -> np.ndarray:
    """Return the picture after a harmless-looking change that makes it another file."""
    if kind == "shifted":
        down, right = [(0, 1), (1, 0), (0, -1), (-1, 0)][rng.integers(4)]
        padded = np.pad(image, 1, mode="edge")
        side = len(image)
        return padded[1 + down : 1 + down + side, 1 + right : 1 + right + side].copy()
    values = image.astype(float)
    if kind == "brighter":
        sign = 1 if values.mean() < 128 else -1
        values = values + sign * rng.uniform(10, 22)
    else:
        values = _block_coded(values, step=rng.uniform(7, 13))
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _block_coded(values: np.ndarray, step: float) -> np.ndarray:
    """Return the picture after coding its 8 x 8 blocks by cosines of rounded size, as JPEG does."""
    side = len(values)
    padded = np.pad(values, (0, -side % 8), mode="edge")
    n = len(padded) // 8
    k, x = np.meshgrid(np.arange(8), np.arange(8), indexing="ij")
    cosine = np.cos(np.pi * k * (2 * x + 1) / 16) * np.where(k == 0, np.sqrt(1 / 8), 0.5)
    blocks = padded.reshape(n, 8, n, 8).transpose(0, 2, 1, 3)
    coded = np.rint(cosine @ blocks @ cosine.T / step) * step
    decoded = cosine.T @ coded @ cosine
    return decoded.transpose(0, 2, 1, 3).reshape(8 * n, 8 * n)[:side, :side]
