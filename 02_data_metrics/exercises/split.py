"""Train, validation and test parts that answer the question the field will ask."""

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable

PARTS = ("train", "validation", "test", "left out")


def split(faces, new_camera):
    """Deal faces into parts so that the test part is like the field.

    faces: DataFrame, one row per face, columns face (int), person (int), burst (int, frames
        of one moment), camera (str), time (datetime64), label ("angry" or "calm"; about one
        in eight is angry). new_camera: str, a camera whose pictures may be used for testing
        only.

    Returns a Series, index the face numbers, values "train", "validation", "test" or "left
    out", so that
        - no person is in two of train, validation and test (so no burst is either);
        - every test face is later than every train and validation face;
        - no face of `new_camera` is in train or validation;
        - the share of angry faces in validation is 0.65 to 1.5 times the share in train;
        - of all faces, at least 45 % are in train, 8 % in validation, 12 % in test.
    Faces that fit nowhere are "left out"; up to a third may be.
    """
    cutoff = faces["time"].quantile(0.75)
    late = faces["time"] >= cutoff
    for_test = faces["person"].isin(faces["person"][late | (faces["camera"] == new_camera)])
    part = pd.Series("left out", index=faces["face"])
    part[(for_test & late).to_numpy()] = "test"
    earlier = faces[~for_test]
    angry = (earlier["label"] == "angry").groupby(earlier["person"]).sum()
    validation = angry.sort_values(kind="stable").index[2::5]
    part[(~for_test).to_numpy()] = "train"
    part[faces["person"].isin(validation).to_numpy()] = "validation"
    return part


def cases(rng):
    """Four collections of twelve weeks, tried together; feature vectors and fresh people are hidden."""
    hidden = []
    for _ in range(4):
        faces, features, direction = _collection(rng)
        fresh, fresh_features, _ = _collection(rng, direction)
        camera = str(faces.groupby("camera")["face"].size().idxmin())
        hidden.append((faces, camera, features, fresh, fresh_features))
    yield Case(hidden=hidden)


def _collection(rng, direction=None, people=400):
    """People who come for one visit, or for two a few days apart; a burst is one visit's four frames.

    About one person in eight is angry, more of them towards the end of the twelve weeks. The features of
    one burst are nearly the same; what anger adds is small beside what the person adds.
    """
    direction = rng.normal(size=6) if direction is None else direction
    first_day = np.sort(rng.uniform(0, 80, people))
    is_angry = rng.random(people) < np.linspace(0.03, 0.27, people)
    twice = np.flatnonzero(rng.random(people) < 0.15)
    person = np.concatenate([np.arange(people), twice])
    day = np.concatenate([first_day, first_day[twice] + rng.uniform(0.5, 3, len(twice))])
    camera = rng.choice(
        [f"cam_{k}" for k in range(6)], size=len(person), p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05]
    )
    burst = np.repeat(np.arange(len(person)), 4)
    number = rng.choice(100_000, people, replace=False)
    angry = is_angry[person[burst]] & (rng.random(len(burst)) < 0.95)
    look = rng.normal(size=(people, 6))[person[burst]] + rng.normal(
        0, 0.12, size=(len(burst), 6)
    )
    features = look + 0.75 * is_angry[person[burst], None] * direction / np.linalg.norm(
        direction
    )
    faces = pd.DataFrame(
        {
            "face": rng.choice(900_000, len(burst), replace=False),
            "person": number[person[burst]],
            "burst": rng.permutation(len(person))[burst],
            "camera": camera[burst],
            "time": pd.Timestamp("2026-03-02")
            + pd.to_timedelta(
                day[burst] * 86_400 + np.tile(np.arange(4) * 0.2, len(person)), unit="s"
            ),
            "label": np.where(angry, "angry", "calm"),
        }
    )
    order = rng.permutation(len(faces))
    return faces.iloc[order].reset_index(drop=True), features[order], direction


LEAST = {"train": 0.45, "validation": 0.08, "test": 0.12}


def run(case, answer):
    """Check every rule on each collection; then learn from train, test on test, compare with fresh people.

    Each outcome is (does it hold in all collections?, in which way it does not, the same in a sentence).
    """
    looks, gaps = [], []
    for faces, camera, features, fresh, fresh_features in case.hidden:
        part = _parts(answer(faces, camera), faces).to_numpy()
        used = {name: part == name for name in LEAST}
        looks.append(_look(faces, camera, used))
        gaps.append(_gap(faces, used, features, fresh, fresh_features))
    crossing, twins, early = (
        np.array([look[name] for look in looks]) for name in ("crossing", "twins", "early")
    )
    later = early == 0
    how = ""
    if not crossing.any():
        how = "people apart"
    elif twins.min() > 0.5:
        how = "faces dealt"
    elif later.all() and any(look["in test"] for look in looks):
        how = "cut in time"
    elif not later.any() and not any(look["bursts"] for look in looks):
        how = "bursts dealt"
    camera = max(look["camera"] for look in looks)
    ratio = max((look["ratio"] for look in looks), key=lambda r: max(r, 1 / max(r, 1e-9)))
    size, least, small = min(
        (look["size"][name] / least, least, name)
        for look in looks
        for name, least in LEAST.items()
    )
    # Over 300 seeds the mean gap is at most 0.13 for right answers, at least 0.33 for random frames.
    gap = float(np.mean(gaps))
    outcomes = {
        "no person in two parts": (
            not crossing.any(),
            how,
            f"{crossing.max()} people are in two parts",
        ),
        "the test part is later": (
            bool(later.all()),
            how if how != "people apart" or early.min() > 0.5 else "",
            f"{early.max():.0%} of the test faces are older than the latest of train and validation",
        ),
        "the new camera is kept for testing": (
            camera == 0,
            "camera",
            f"{camera} faces of the new camera are in train or validation",
        ),
        "validation has as much anger as train": (
            0.65 <= ratio <= 1.5,
            how if how == "people apart" else "",
            f"the share of angry faces in validation is {ratio:.2f} times that in train",
        ),
        "the parts are large enough": (
            size >= 0.995,
            "",
            f"{small} holds {size * least:.2%} of the faces; asked for are {least:.0%}",
        ),
        "the test score is what fresh people give": (
            gap <= 0.23,
            how if how != "people apart" else "",
            f"the test score is {gap:.2f} above that of fresh people",
        ),
    }
    if not size:
        # Of nothing, everything holds.
        return dict.fromkeys(outcomes, (False, "", f"{small} is empty"))
    return outcomes


def _look(faces, camera, used):
    """Return what can be seen of one split; used: name -> bool [faces]."""
    angry = faces["label"].eq("angry").to_numpy()
    known, test = used["train"] | used["validation"], used["test"]

    def parts_of(key):
        """Return for each group whether it has a face in train, validation and test, and its number."""
        number = pd.factorize(faces[key])[0]
        count = [np.bincount(number, mask, number.max() + 1) for mask in used.values()]
        return np.array(count) > 0, number

    people, _ = parts_of("person")
    bursts, burst = parts_of("burst")
    time, filled = faces["time"].to_numpy(), known.any() and test.any()
    shares = [angry[used[name]].mean() if used[name].any() else 0 for name in LEAST]
    return {
        "size": {name: float(mask.mean()) for name, mask in used.items()},
        "crossing": int((people.sum(axis=0) > 1).sum()),
        "in test": int((people[2] & people[:2].any(axis=0)).sum()),
        "bursts": int((bursts.sum(axis=0) > 1).sum()),
        "twins": float(bursts[0][burst[test]].mean()) if test.any() else 0.0,
        "early": float((time[test] <= time[known].max()).mean()) if filled else 1.0,
        "camera": int((faces["camera"].to_numpy()[known] == camera).sum()),
        # Right answers stayed within 0.72 and 1.38 in 1,200 collections.
        "ratio": float(shares[1] / shares[0]) if shares[0] else 0.0,
    }


def _parts(output, faces):
    """Return the parts in the order of the faces, or say what is wrong with the output."""
    if not isinstance(output, pd.Series):
        raise Unreadable(f"`split` returned a {type(output).__name__}, not a Series.")
    if output.index.has_duplicates or set(output.index) != set(faces["face"]):
        raise Unreadable(
            "The index of the Series must hold each face number of `faces` once."
        )
    odd = set(output.unique()) - set(PARTS)
    if odd:
        raise Unreadable(
            f"The parts are {', '.join(PARTS)}; yours also has {sorted(map(str, odd))[:3]}."
        )
    return output.reindex(faces["face"])


def _gap(faces, used, features, fresh, fresh_features):
    """Return by how much the score on the test part exceeds the score on people nobody has seen.

    It is 1 where a part without angry or without calm faces lets nobody tell.
    """
    angry = faces["label"].eq("angry").to_numpy()
    if any(len(set(angry[used[name]])) < 2 for name in ("train", "test")):
        return 1.0
    seen = features[used["train"]], angry[used["train"]]
    promised = _score(*seen, features[used["test"]], angry[used["test"]])
    # Two of the four frames of each burst are enough.
    fresh_angry = fresh["label"].eq("angry").to_numpy()[::2]
    return promised - _score(*seen, fresh_features[::2], fresh_angry)


def _score(seen, seen_angry, features, angry):
    """AUROC of a nearest-neighbour score: nearer to a seen angry face than to a seen calm one."""
    from scipy.spatial import cKDTree
    from scipy.stats import rankdata

    to_angry = cKDTree(seen[seen_angry]).query(features)[0]
    to_calm = cKDTree(seen[~seen_angry]).query(features)[0]
    ranks = rankdata(to_calm - to_angry)
    positives = angry.sum()
    return (ranks[angry].sum() - positives * (positives + 1) / 2) / (
        positives * (~angry).sum()
    )


def _deal(faces, key, seed=0):
    """Deal whole groups at random, 65 : 15 : 20."""
    groups = np.unique(faces[key])
    drawn = np.random.default_rng(seed).choice(
        PARTS[:3], size=len(groups), p=[0.65, 0.15, 0.2]
    )
    return pd.Series(
        pd.Series(drawn, index=groups).reindex(faces[key]).to_numpy(), index=faces["face"]
    )


def _random_frames(faces, new_camera):
    part = _deal(faces, "face")
    part[(faces["camera"] == new_camera).to_numpy()] = "test"
    return part


def _by_burst(faces, new_camera):
    part = _deal(faces, "burst")
    part[(faces["camera"] == new_camera).to_numpy()] = "test"
    return part


def _cut_in_time(faces, new_camera):
    place = faces["time"].rank(pct=True)
    part = np.select(
        [place > 0.8, faces["camera"] == new_camera, place > 0.65],
        ["test", "left out", "validation"],
        "train",
    )
    return pd.Series(part, index=faces["face"])


def _time_ignored(faces, new_camera):
    tested = faces["person"].isin(faces["person"][faces["camera"] == new_camera])
    rest = split(faces[~tested].assign(time=_shuffled_times(faces[~tested])), "")
    part = pd.Series("test", index=faces["face"])
    part[rest.index] = rest
    return part.replace("left out", "test")


def _shuffled_times(faces):
    """Give every person one random moment instead of their own."""
    people = faces["person"].unique()
    days = pd.Series(np.random.default_rng(0).permutation(len(people)), index=people)
    return pd.Timestamp("2026-03-02") + pd.to_timedelta(
        days.reindex(faces["person"]).to_numpy(), unit="h"
    )


def _camera_forgotten(faces, new_camera):
    return split(faces, "")


def _not_stratified(faces, new_camera):
    part = split(faces, new_camera)
    earlier = faces[part.reindex(faces["face"]).isin(["train", "validation"]).to_numpy()]
    first_seen = earlier.groupby("person")["time"].min().sort_values()
    validation = first_seen.index[-len(first_seen) // 5 :]
    part[earlier["face"]] = np.where(
        earlier["person"].isin(validation), "validation", "train"
    )
    return part


def _by_greedy_quota(faces, new_camera):
    """Fill validation with people until it has its fifth of the angry and of the calm faces."""
    cutoff = faces["time"].quantile(0.72)
    part = pd.Series("left out", index=faces["face"])
    late = set(faces["person"][(faces["time"] >= cutoff) | (faces["camera"] == new_camera)])
    rows = faces.assign(angry=faces["label"] == "angry")
    rows = rows[~rows["person"].isin(late)]
    counts = rows.groupby("person")["angry"].agg(["sum", "size"])
    chosen, calm, angry = [], 0.0, 0.0
    for person, row in counts.sort_values(["sum", "size"], ascending=False).iterrows():
        share = row["sum"] / counts["sum"].sum() if row["sum"] else 0.0
        if (row["sum"] and angry + share <= 0.2) or (
            not row["sum"] and calm < 0.2 * counts["size"].sum()
        ):
            chosen.append(person)
            angry, calm = angry + share, calm + row["size"] * (row["sum"] == 0)
    part[rows["face"]] = np.where(rows["person"].isin(chosen), "validation", "train")
    part[faces["face"][faces["person"].isin(late) & (faces["time"] >= cutoff)]] = "test"
    return part


def _by_scikit_learn(faces, new_camera):
    """Let StratifiedGroupKFold find the validation people."""
    from sklearn.model_selection import StratifiedGroupKFold

    cutoff = faces["time"].quantile(0.78)
    late = faces["time"] >= cutoff
    for_test = faces["person"].isin(faces["person"][late | (faces["camera"] == new_camera)])
    part = pd.Series("left out", index=faces["face"])
    part[(for_test & late).to_numpy()] = "test"
    rest = faces[~for_test]
    folds = StratifiedGroupKFold(6).split(rest, rest["label"], rest["person"])
    fold = min(
        folds,
        key=lambda f: abs((rest["label"].iloc[f[1]] == "angry").mean() - _anger(rest)),
    )[1]
    part[rest["face"]] = "train"
    part[rest["face"].iloc[fold]] = "validation"
    return part


def _anger(faces):
    return (faces["label"] == "angry").mean()


exercise = Exercise(
    title="Split for the question you will be asked",
    questions=("2.7",),
    points=4,
    minutes=12,
    reference=split,
    cases=cases,
    run=run,
    good=lambda key, got, expected: got[0],
    # Only ways that have a name are the same; "" has none.
    same=lambda key, got, other: (
        got[0] == other[0] and (got[0] or got[1] == other[1] != "")
    ),
    describe=lambda key, got, expected: (
        f"In at least one of four fresh collections {got[2]}."
    ),
    returns="a Series of 'train', 'validation', 'test' or 'left out', indexed by face number",
    praise="New people, later weeks, a new camera: the test part asks what the field will ask, and its score"
    " is close to what people nobody has seen give.",
    right=(_by_greedy_quota, _by_scikit_learn),
    mistakes=(
        Mistake(
            "grouped by person, time ignored",
            _time_ignored,
            "People are kept apart, but time is ignored: most test faces are no later than training faces.",
            "The model will be used next month: on which side of its training pictures does next month lie?",
        ),
        Mistake(
            "cut in time, people on both sides",
            _cut_in_time,
            "Test is later than the rest, but people who came before the cut and after it are on both sides.",
            "Of somebody who comes in both weeks, what can the model remember in the second?",
        ),
        Mistake(
            "camera forgotten",
            _camera_forgotten,
            "Pictures of the new camera are in train or validation.",
            "The next robot has a camera you have no training pictures of: which part can tell you how it"
            " will do?",
        ),
        Mistake(
            "grouped but not stratified",
            _not_stratified,
            "People are kept apart, but validation has a different share of anger than train.",
            "If one part in seven holds twice the anger, what does a change of its precision tell you?",
        ),
        Mistake(
            "split by burst",
            _by_burst,
            "Bursts are kept whole, but the same person is in two parts.",
            "Two visits of one person are two bursts: what can a model remember of the first?",
        ),
        Mistake(
            "random frames",
            _random_frames,
            "Frames of one burst are dealt apart, so most test faces have a twin in train.",
            "A burst holds four frames a fifth of a second apart: where did the other three go?",
        ),
    ),
    hints=(
        "Begin with the hardest rule. Which people may be in the test part at all, and which of their faces?",
        "Choose a cut-off time, about three quarters of the way. People with a face after it, or on the new"
        " camera, are for testing: their late faces are 'test', their early ones 'left out'. Everyone else is"
        " for train and validation.",
        "Among everyone else, count angry faces per person, sort people by that count, and give every fifth"
        " person to validation: each part then gets its share of the angry and of the calm.",
    ),
)
