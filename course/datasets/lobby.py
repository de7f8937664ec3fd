"""The built-in collection: people who visit four lobbies, filmed in bursts, voted on by a crowd.

`load_lobby` gives the one collection that all notebooks share, `small_lobby` a fresh little one for every
seed. Both have the same structure and the same planted faults.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pandas as pd

from course import crowd
from course.datasets import store
from course.datasets.faults import plant_faults, renumbered
from course.datasets.records import START, WEEKS, as_voted_on, cast_votes, file_names
from course.datasets.tables import FACE_COLUMNS, Dataset, Hidden, majority_label
from course.faces.columns import COLUMNS, TRAITS
from course.faces.people import sample_people
from course.faces.scenes import sample_scenes
from course.faces.units import ACTION_UNITS, sample_expressions
from course.store import CacheError, fingerprint

SITES: dict[str, float] = {
    "lobby_north": 0.34,
    "lobby_south": 0.28,
    "atrium": 0.22,
    "entrance": 0.16,
}
"""Share of the visits at each site; the hard sites are the rare ones."""

# The training pool was enriched with angry visits: 8 % of the faces are perceived as angry, after
# what light, distance and the votes' noise take away.
MIX: dict[str, float] = {
    "neutral": 0.41,
    "happiness": 0.17,
    "surprise": 0.04,
    "sadness": 0.045,
    "fear": 0.01,
    "disgust": 0.01,
    "contempt": 0.01,
    "anger_closed": 0.053,
    "anger_open": 0.053,
    "concentrating": 0.055,
    "squinting": 0.035,
    "shouting": 0.02,
    "speaking": 0.085,
}

_SEED = 20260308
_BANK_FACES = 4000
_ANNOTATORS = 24
_SPAM = 0.08
_FRAME_NOISE = 2.0
_CAMERAS_PER_SITE = 2
_FACES_PER_PERSON = 10.4
_OF_THE_VISIT = (
    "light_level",
    "light_x",
    "light_y",
    "ambient",
    "glasses",
    "background",
    "background_texture",
    "gamma",
    "contrast",
    "noise",
)


def load_lobby(n_faces: int = 2600, size: int = 48, folder: Path | str | None = None) -> Dataset:
    """Return the collection that all notebooks share; built once, then read from disk.

    About 2,700 faces (planted duplicates included) of 250 people, 4 sites with 2 cameras each, 12 weeks.
    The file is named after its size and the source that built it, so that a change builds it anew.

    Args:
        n_faces: number of faces before duplicates are planted, 1 or more.
        size: side of the pictures in pixels.
        folder: where it is kept; COURSE_CACHE or ~/.cache/ml-design-course when absent.

    Raises:
        CacheError: when the folder cannot be written or the disk is full.

    """
    name = f"lobby-{n_faces}-{size}px-{_version()}.npz"
    return store.cached(name, lambda: sample_lobby(np.random.default_rng(_SEED), n_faces, size), folder)


def small_lobby(
    rng: np.random.Generator, n_faces: int = 200, size: int = 24, *, faults: bool = True
) -> Dataset:
    """Return a fresh little collection of the same form, quick enough to be drawn at every check.

    People, with all their visits, are drawn from a bank of about 400 whose pictures were rendered once
    per size; annotators, votes and faults are new at every draw. The bank is kept on disk, or only in
    memory where the disk cannot be used. Beyond 1,000 faces everything is drawn afresh.

    Args:
        rng: source of randomness.
        n_faces: number of faces before duplicates are planted, 1 or more.
        size: side of the pictures in pixels.
        faults: whether faults are planted.

    Raises:
        ValueError: when n_faces or size is outside its range.

    """
    _require_faces(n_faces)
    if n_faces > _BANK_FACES // 4:
        return sample_lobby(rng, n_faces, size, faults=faults)
    bank = _bank(size)
    rows = _rows_of_people(rng, bank, n_faces)
    faces = bank.faces.iloc[rows].reset_index(drop=True)
    latent = bank.hidden.latent.iloc[rows].reset_index(drop=True)
    faces["face"] = latent["face"] = np.arange(n_faces)
    latent["vote_seed"] = _reseeded(rng, latent["vote_seed"])
    annotators = crowd.sample_annotators(rng, _ANNOTATORS, spam=_SPAM)
    return _voted_on(rng, faces, latent, annotators, bank.images[rows], faults)


def sample_lobby(
    rng: np.random.Generator,
    n_faces: int,
    size: int = 48,
    *,
    faults: bool = True,
    n_annotators: int = _ANNOTATORS,
    spam: float = _SPAM,
) -> Dataset:
    """Return a fresh collection.

    People make one or more visits of about 20 seconds, from which one to three bursts of up to five
    frames are kept. Frames of one burst differ by a breath: a little pose, light and noise. Most faces
    have five votes, some three or four.

    Args:
        rng: source of randomness.
        n_faces: number of faces before duplicates are planted, 1 or more.
        size: side of the pictures in pixels.
        faults: whether `plant_faults` adds its default faults.
        n_annotators: size of the crowd, 7 or more.
        spam: share 0-1 of annotators who vote without looking.

    Raises:
        ValueError: when a number is outside its range.

    """
    _require_faces(n_faces)
    if n_annotators < 7:
        raise ValueError(f"n_annotators is {n_annotators!r}; accepted are 7 or more.")
    from course.faces import render

    visits, traits = _sample_visits(rng, n_faces)
    bursts, base = _sample_bursts(rng, visits, traits, n_faces)
    faces, latent = _sample_frames(rng, bursts, base)
    annotators = crowd.sample_annotators(rng, n_annotators, spam=spam)
    return _voted_on(rng, faces, latent, annotators, _shimmering(rng, render(latent, size)), faults)


def _voted_on(
    rng: np.random.Generator,
    faces: pd.DataFrame,
    latent: pd.DataFrame,
    annotators: pd.DataFrame,
    images: np.ndarray,
    faults: bool,
) -> Dataset:
    """Return the collection with votes, labels, what was felt and, if wanted, faults."""
    votes = cast_votes(rng, faces, as_voted_on(latent), annotators)
    faces["label"] = majority_label(votes, faces["face"])
    latent["perceived_rate"] = crowd.perceived_rate(as_voted_on(latent))
    latent["felt"] = crowd.sample_felt(rng, latent, "lobby")
    nothing = pd.DataFrame({"face": [], "fault": [], "detail": [], "source": []})
    nothing = nothing.astype({"face": int, "fault": object, "detail": object, "source": int})
    dataset = Dataset(faces, votes, images, Hidden(latent, nothing, annotators))
    return plant_faults(rng, dataset) if faults else renumbered(dataset)


def _shimmering(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Return the pictures with a little noise of each frame's own, which one seed a burst lacks."""
    noise = rng.standard_normal(images.shape, dtype=np.float32)
    return np.clip(np.rint(images + _FRAME_NOISE * noise), 0, 255).astype(np.uint8)


@functools.lru_cache(maxsize=4)
def _bank(size: int) -> Dataset:
    """Return the collection without faults from which small ones are drawn; do not change it."""

    def build() -> Dataset:
        return sample_lobby(np.random.default_rng(_SEED + 1), _BANK_FACES, size, faults=False)

    name = f"bank-{_BANK_FACES}-{size}px-{_version()}.npz"
    try:
        return store.cached(name, build)
    except CacheError:
        # A check must run where nothing can be written, in an exam for instance.
        return build()


def _rows_of_people(rng: np.random.Generator, bank: Dataset, n_faces: int) -> np.ndarray:
    """Return n_faces rows of the bank, whole people (the last one cut), in order of time.

    As many of the people as in the bank have been called angry, so that no little collection lacks them.
    """
    person = bank.faces["person"].to_numpy()
    called_angry = np.zeros(person.max() + 1, dtype=bool)
    called_angry[person[(bank.faces["label"] == "angry").to_numpy()]] = True
    # Each kind is spread evenly over the order of drawing, from a random start.
    place = np.empty(len(called_angry))
    for kind in (True, False):
        of_kind = rng.permutation(np.flatnonzero(called_angry == kind))
        place[of_kind] = (np.arange(len(of_kind)) + rng.random()) / len(of_kind)
    return np.sort(np.argsort(place[person], kind="stable")[:n_faces])


def _reseeded(rng: np.random.Generator, seeds: pd.Series) -> np.ndarray:
    """Return other seeds, equal where they were: the same faces, read with fresh eyes."""
    return seeds.to_numpy() ^ int(rng.integers(0, 2**31))


def _version() -> str:
    return fingerprint("faces", "datasets", "crowd", "evidence")


def _require_faces(n_faces: object) -> None:
    if isinstance(n_faces, bool) or not isinstance(n_faces, (int, np.integer)) or n_faces < 1:
        raise ValueError(f"n_faces is {n_faces!r}; accepted is a whole number, 1 or more.")


def _sample_visits(rng: np.random.Generator, n_faces: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row a visit, in order of time, and the traits of the people."""
    n_people = int(np.ceil(n_faces / _FACES_PER_PERSON)) + 2
    traits = sample_people(rng, n_people)
    staff = rng.random(n_people) < 0.04
    consent = rng.random(n_people) >= 0.07
    # Regulars and staff come often, most people once or twice.
    count = 1 + rng.poisson(0.9, n_people) + 2 * staff
    person = np.repeat(np.arange(n_people), count)
    names = np.array(list(SITES))
    shares = np.array(list(SITES.values()))
    usual = rng.choice(len(names), n_people, p=shares)
    elsewhere = rng.random(len(person)) < 0.15
    site = np.where(elsewhere, rng.choice(len(names), len(person), p=shares), usual[person])
    camera = rng.integers(1, _CAMERAS_PER_SITE + 1, len(person))
    day = rng.integers(0, WEEKS * 7, len(person))
    second = rng.uniform(8 * 3600, 20 * 3600, len(person))
    visits = pd.DataFrame(
        {
            "person": person,
            "role": np.where(staff, "staff", "visitor").astype(object)[person],
            "consent": consent[person],
            "site": names[site].astype(object),
            "camera": [f"{names[s]}_{c}" for s, c in zip(site, camera, strict=True)],
            "time": START + pd.to_timedelta(day * 86400 + second.round(), unit="s"),
        }
    )
    return visits, traits


def _sample_bursts(
    rng: np.random.Generator, visits: pd.DataFrame, traits: pd.DataFrame, n_faces: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row a burst (visits in order of time, `frames` wanted of each) and its latent face."""
    # Whole people are drawn, then visits dropped at random until the number of faces is right.
    visits = visits.iloc[rng.permutation(len(visits))].reset_index(drop=True)
    per_visit = rng.choice([1, 2, 3], len(visits), p=[0.5, 0.3, 0.2])
    visit = np.repeat(np.arange(len(visits)), per_visit)
    frames = rng.integers(1, 6, len(visit))
    while frames.sum() < n_faces:
        frames += 1
    last = int(np.searchsorted(np.cumsum(frames), n_faces))
    visit, frames = visit[: last + 1], frames[: last + 1].copy()
    frames[-1] -= frames.sum() - n_faces
    kept = visits.iloc[: visit[-1] + 1]
    by_time = np.argsort(kept["time"].to_numpy(), kind="stable")
    rank = np.empty(len(kept), dtype=int)
    rank[by_time] = np.arange(len(kept))
    order = np.argsort(rank[visit], kind="stable")
    visit, frames = rank[visit][order], frames[order]
    visits = kept.iloc[by_time].reset_index(drop=True)

    bursts = visits.iloc[visit].reset_index(drop=True)
    bursts["visit"] = visit
    bursts["burst"] = np.arange(len(bursts))
    bursts["frames"] = frames
    nth = bursts.groupby("visit").cumcount().to_numpy()
    offset = (nth * 7.0 + rng.uniform(0.0, 5.0, len(bursts))).round(1)
    bursts["time"] = bursts["time"] + pd.to_timedelta((offset * 1000).round(), unit="ms")

    expressions = sample_expressions(rng, _quota(rng, len(bursts)))
    scenes = _scenes(rng, bursts["site"])
    first_of_visit = np.searchsorted(visit, visit)
    for column in _OF_THE_VISIT:
        scenes[column] = scenes[column].to_numpy()[first_of_visit]
    owners = traits.iloc[bursts["person"]].reset_index(drop=True)[["person", *TRAITS]]
    return bursts, pd.concat([owners, expressions, scenes], axis=1)


def _quota(rng: np.random.Generator, n: int) -> list[str]:
    """Return n expressions in random order, each as often as its share says, to the nearest face."""
    shares = np.array(list(MIX.values())) / sum(MIX.values())
    edges = np.floor(np.cumsum(shares) * n + rng.random()).astype(int)
    edges[-1] = n
    counts = np.diff(np.concatenate([[0], np.minimum(edges, n)]))
    return [str(name) for name in rng.permutation(np.repeat(list(MIX), counts))]


def _scenes(rng: np.random.Generator, sites: pd.Series) -> pd.DataFrame:
    tables = []
    for site in SITES:
        rows = np.flatnonzero(sites == site)
        tables.append(sample_scenes(rng, len(rows), site).set_index(rows))
    return pd.concat(tables).sort_index()


def _sample_frames(
    rng: np.random.Generator, bursts: pd.DataFrame, base: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the observable faces and their latent rows: each burst repeated with a breath of change."""
    row = np.repeat(np.arange(len(bursts)), bursts["frames"])
    n = len(row)
    latent = base.iloc[row].reset_index(drop=True)
    # The seed also fixes cloth and background, so the frames of a burst share it.
    latent["vote_seed"] = latent["seed"]

    def wobble(column: str, size: float, low: float, high: float) -> None:
        latent[column] = np.clip(latent[column] + size * rng.standard_normal(n), low, high)

    wobble("yaw", 1.5, -35.0, 35.0)
    wobble("pitch", 1.2, -25.0, 25.0)
    wobble("roll", 1.5, -35.0, 35.0)
    wobble("gaze_x", 0.1, -1.0, 1.0)
    wobble("frame_x", 0.012, -0.2, 0.2)
    wobble("frame_y", 0.012, -0.2, 0.2)
    wobble("exposure", 0.03, -2.0, 2.0)
    units = list(ACTION_UNITS)
    level = latent[units].to_numpy()
    moved = level * (1.0 + 0.08 * rng.standard_normal(level.shape))
    latent[units] = np.clip(moved, 0.0, 1.0)
    latent.insert(0, "face", np.arange(n))
    latent = latent[[*COLUMNS, "vote_seed"]]

    faces = bursts.iloc[row].reset_index(drop=True)
    faces["frame"] = faces.groupby("burst").cumcount()
    faces["time"] = faces["time"] + pd.to_timedelta(faces["frame"] * 200, unit="ms")
    faces["face"] = np.arange(n)
    faces["file"] = file_names(faces)
    return faces[[name for name in FACE_COLUMNS if name != "label"]], latent
