"""How should the data be structured? Five linked tables that answer questions nobody has asked yet."""

from collections import Counter

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable

TABLES = ("person", "visit", "frame", "face", "vote")


def build(raw):
    """Take one wide table apart into five linked ones.

    raw: DataFrame, every cell a str, rows in no order; one row per vote. Columns: who
        ("visitor 0012" or "staff 0003"), consent ("yes" or "no", as it stood at that
        moment), visit ("v17", of one person before one camera), camera, captured
        ("2026-03-02T09:41:07.200"), file (the picture of one face), by (the annotator),
        vote ("angry", "calm" or "unsure") and rule (the guideline the vote followed). A
        face nobody has voted on has one row with "" in by, vote and rule. Where the camera
        saw no face, file is "" too. Several people can be in what one camera captured in
        one moment.

    Returns a dict of five DataFrames: "person", "visit", "frame" (what a camera captured in
        one moment), "face" and "vote", with one row for each person, visit, frame, face and
        vote there was.
        - Key: each table but "vote" has a column with the table's own name, no value twice.
        - Link: a column named like another table holds keys of that table. Which links are
          needed?
        - The rest, each in the table of the thing it belongs to: role ("visitor" or
          "staff"), consent (bool: a person's latest word counts, for older pictures too),
          camera (str), time (datetime64), file, annotator, answer ("angry", "calm",
          "unsure") and guideline (str).
    To erase a person, their row in "person" is deleted, then every row with a link to a
    deleted row, and so on. Nothing of the person may remain, and nothing of anyone else may
    go.
    """
    names = {"who": "person", "by": "annotator", "vote": "answer", "rule": "guideline"}
    rows = raw.rename(columns=names).assign(
        frame=raw["camera"] + " " + raw["captured"],
        face=raw["file"],
        time=pd.to_datetime(raw["captured"]),
    )
    person = rows.sort_values("time").drop_duplicates("person", keep="last")[
        ["person", "consent"]
    ]
    found = rows[rows["file"] != ""]
    return {
        "person": person.assign(
            role=person["person"].str.split().str[0], consent=person["consent"] == "yes"
        ),
        "visit": rows[["visit", "person"]].drop_duplicates(),
        "frame": rows[["frame", "camera", "time"]].drop_duplicates(),
        "face": found[["face", "frame", "visit", "file"]].drop_duplicates(),
        "vote": found[found["answer"] != ""][["face", "annotator", "answer", "guideline"]],
    }


def cases(rng):
    """One lobby as it arrives; hidden are three people to be erased, each with someone beside them."""
    from course.crowd import vote
    from course.datasets import Dataset, raw_table, small_lobby

    lobby = small_lobby(rng, 300, 24, faults=False)
    old = lobby.faces["face"].isin(lobby.votes["face"][lobby.votes["guideline"] == "v1"])
    again = rng.permutation(np.flatnonzero(old))[:40]
    second = vote(rng, lobby.hidden.latent.iloc[again], lobby.hidden.annotators, 5, "v2")
    unseen = rng.permutation(lobby.faces["face"])[:12]
    votes = pd.concat([lobby.votes, second])
    faces = lobby.faces.assign(
        file=[f"crop_{k:05d}.png" for k in rng.permutation(90_000)[: len(lobby)]]
    )
    raw = raw_table(
        Dataset(faces, votes[~votes["face"].isin(unseen)], lobby.images), "rows"
    )
    raw = raw[
        ["who", "consent", "visit", "camera", "captured", "file", "by", "vote", "rule"]
    ]
    raw, met = _let_meet(rng, raw.copy())
    raw = _changed_consent(
        rng, pd.concat([raw, _no_face_found(rng, raw)], ignore_index=True)
    )
    yield Case(
        (raw.reset_index(drop=True),), hidden=[str(who) for who in rng.permutation(met)[:3]]
    )


def _let_meet(rng, raw, pairs=8):
    """Let some people pass a camera together: one's visit shares moments of the other's, which is longer."""
    moments = raw.groupby("visit")["captured"].unique().map(sorted)
    owner, camera = (
        raw.drop_duplicates("visit").set_index("visit")[name] for name in ("who", "camera")
    )
    shuffled, met = iter(rng.permutation(moments.index)[: 2 * pairs]), set()
    for pair in zip(shuffled, shuffled, strict=True):
        short, long = sorted(pair, key=lambda visit: len(moments[visit]))
        if owner[short] != owner[long]:
            rows = raw["visit"] == short
            then = dict(zip(moments[short], moments[long], strict=False))
            raw.loc[rows, "captured"] = raw["captured"][rows].map(then)
            raw.loc[rows, "camera"] = camera[long]
            met |= {owner[short], owner[long]}
    return raw, sorted(met)


def _changed_consent(rng, raw):
    """Most people say something else from some moment on; returns the rows in no order."""
    place = rng.random(len(raw))
    consent = raw["consent"].to_numpy(copy=True)
    for rows in raw.groupby("who").indices.values():
        moments = raw["captured"].to_numpy()[rows]
        late = rows[moments >= np.sort(moments)[-1 - len(rows) // 3]]
        if len(late) < len(rows) and rng.random() < 0.7:
            consent[rows], consent[late] = rng.permutation(["yes", "no"])
            # Neither the first nor the last row of the table is their latest.
            place[late] = rng.uniform(0.3, 0.7, len(late))
    return raw.assign(consent=consent).iloc[np.argsort(place)]


def _no_face_found(rng, raw, n=15):
    """Return rows of visits without a face, at moments when other cameras saw someone else."""
    rows = raw.drop_duplicates("who").sample(n, random_state=rng).copy()
    rows["visit"] = [
        f"v{k}" for k in raw["visit"].str[1:].astype(int).max() + 1 + np.arange(n)
    ]
    rows["captured"] = np.roll(rows["captured"], 1)
    rows[["file", "by", "vote", "rule"]] = ""
    return rows


def _of(tables, start, column):
    """Return `column` for each row of table `start`, from the nearest table over links, or a KeyError."""
    ways, seen = [tables[start]], {start}
    while ways:
        rows = ways.pop(0)
        if column in rows:
            return rows[column].to_numpy()
        for link in [table for table in TABLES[:4] if table in rows and table not in seen]:
            seen.add(link)
            if link in tables[link]:
                target = tables[link].drop_duplicates(link).set_index(link, drop=False)
                ways.append(target.reindex(rows[link].to_numpy()))
    raise KeyError(f"no way from `{start}` to {column}")


def _without(tables, person):
    """Return the tables after a person is erased: their row, then all rows that link to a deleted one."""
    left, gone = dict(tables), {("person", person)}
    while gone:
        deleted = set()
        for name, rows in left.items():
            hit = np.zeros(len(rows), dtype=bool)
            for table in [table for table in TABLES[:4] if table in rows]:
                hit |= rows[table].isin([key for of, key in gone if of == table]).to_numpy()
            deleted |= {(name, key) for key in rows.get(name, rows.index)[hit]}
            left[name] = rows[~hit]
        gone = deleted
    return left


def _keys_and_links(tables):
    """Count keys that are empty or stand twice, and links that lead nowhere."""
    wrong = Counter()
    for name, key in [
        (name, key) for name in TABLES for key in TABLES[:4] if key in tables[name]
    ]:
        held = tables[name][key]
        odd = (
            held.duplicated() | (held == "")
            if key == name
            else ~held.isin(tables[key].get(key, []))
        )
        what = "empty or repeated keys" if key == name else f"dead links to {key}"
        wrong[f"{what} in {name}"] = int(odd.sum())
    return +wrong


def _side_by_side(t):
    """Count the frames with faces, and the people who share one with somebody before them."""
    frames, people = _of(t, "face", "frame"), _of(t, "face", "person")
    pairs = set(zip(frames, people, strict=True))
    return {
        "frames with a face": len(set(frames)),
        "people beside others": len(pairs) - len(set(frames)),
    }


def _by_camera_and_hour(t):
    time = pd.Series(_of(t, "face", "time"))
    if time.dtype.kind != "M":
        raise KeyError(f"time is {time.dtype}, not datetime64")
    return Counter(zip(_of(t, "face", "camera"), time.dt.hour, strict=True))


def _for_training(t):
    agreed = pd.Series(_of(t, "face", "consent"))
    if not agreed.isin([True, False]).all():
        raise KeyError(f"consent holds {agreed.iloc[0]!r}, not True or False")
    return set(
        _of(t, "face", "file")[agreed.astype(bool) & (_of(t, "face", "role") == "visitor")]
    )


def _visits_of_people(t):
    visits = Counter(Counter(_of(t, "visit", "person")).values())
    return {f"people with {n} visits": people for n, people in visits.items()}


def _answers_by(column):
    return lambda t: Counter(
        zip(_of(t, "vote", column), _of(t, "vote", "answer"), strict=True)
    )


# The later questions, by requirement. A visit is before one camera: `camera` may stand with either.
QUERIES = {
    "keys, links and counts": {
        "which keys and links are broken": _keys_and_links,
        "how many rows there are": lambda t: {
            f"rows of {name}": len(t[name]) for name in t
        },
    },
    "visits": {
        "how many visits people make": _visits_of_people,
        "which visits have no face": lambda t: len(
            set(_of(t, "visit", "visit")) - set(_of(t, "face", "visit"))
        ),
    },
    "frames": {
        "who stands beside whom": _side_by_side,
        "how many faces each camera sees by the hour": _by_camera_and_hour,
    },
    "annotators": {"what each annotator answers": _answers_by("annotator")},
    "guidelines": {
        "what is answered under each guideline": _answers_by("guideline"),
        "which files are voted on under which guideline": lambda t: set(
            zip(_of(t, "vote", "file"), _of(t, "vote", "guideline"), strict=True)
        ),
    },
    "faces without votes": {
        "which files have no vote": lambda t: (
            set(_of(t, "face", "file")) - set(_of(t, "vote", "file"))
        )
    },
    "consent": {"which files of visitors may be trained on": _for_training},
}
ERASURE = {
    "nothing left of an erased person": "should have gone but remain",
    "nothing lost of anyone else": "should have stayed but are gone",
}
TRACES, ASTRAY = (
    "cells that name the person, a visit or a file of theirs",
    "faces that lead astray",
)


def _erased(tables, raw, erased):
    """Erase people one at a time: count what is left of them, and what others have lost."""
    left, lost = Counter(), Counter()
    person, file = _of(tables, "face", "person"), _of(tables, "face", "file")
    for who in erased:
        own, rest = raw[raw["who"] == who], raw[raw["who"] != who]
        found = Counter(person[np.isin(file, own["file"])]).most_common(1)
        after = _without(tables, found[0][0] if found else None)
        kept = set(_of(after, "face", "file"))
        votes = len(after["vote"]) - int((rest["vote"] != "").sum())
        visits = len(after["visit"]) - rest["visit"].nunique()
        faces = len(kept & set(own["file"]) - {""}), len(set(rest["file"]) - {""} - kept)
        left += +Counter(faces=faces[0], votes=votes, visits=visits)
        lost += +Counter(faces=faces[1], votes=-votes, visits=-visits)
        traces = {who, *own["visit"], *own["file"]} - {""}
        left[TRACES] += sum(
            int(rows.isin(traces).to_numpy().sum()) for rows in after.values()
        )
    shown = pd.Series(file).map(raw.drop_duplicates("file").set_index("file")["who"])
    pairs = Counter(zip(person, shown, strict=True))
    astray = len(person) - sum(
        {key: n for (key, _), n in sorted(pairs.items(), key=lambda pair: pair[1])}.values()
    )
    # Why it went wrong, where it did.
    return tuple(
        +count | Counter({ASTRAY: astray} if +count else {}) for count in (left, lost)
    )


def _ask(query, *inputs):
    """Return the answer to a question, or the reason why the tables cannot give it."""
    try:
        return query(*inputs)
    except KeyError as missing:
        return str(missing.args[0])


def run(case, answer):
    """Put the later questions to the tables; then erase people.

    Each outcome is (what is odd about the tables as a whole, the answers).
    """
    given = answer(*case.inputs)
    if not isinstance(given, dict) or not all(
        isinstance(given.get(k), pd.DataFrame) for k in TABLES
    ):
        raise Unreadable(
            f"`build` must return a dict with five DataFrames: {', '.join(TABLES)}."
        )
    tables = {name: given[name] for name in TABLES}
    outcomes = {
        name: [_ask(query, tables) for query in queries.values()]
        for name, queries in QUERIES.items()
    }
    erasure = _ask(_erased, tables, *case.inputs, case.hidden)
    for name, found in zip(
        ERASURE, [erasure] * 2 if isinstance(erasure, str) else erasure, strict=True
    ):
        outcomes[name] = [found]
    kind = _kind(tables)
    return {name: (kind, answers) for name, answers in outcomes.items()}


def _kind(tables):
    face, vote = tables["face"], tables["vote"]
    if len({tuple(rows.columns) for rows in tables.values()}) == 1:
        return "wide"
    if "answer" in vote and not vote["answer"].isin(["angry", "calm", "unsure"]).all():
        return "empty cells"
    return "" if {"visit", "person"} & set(face.columns) else "no link from face"


def _good(key, got, expected):
    return all(
        type(a) is type(b) and a == b for a, b in zip(got[1], expected[1], strict=True)
    )


def _same(key, got, other):
    return got[0] == other[0] and _good(key, got, other)


def _describe(key, got, expected):
    """Say what the tables answered to the first question of the requirement that they miss."""
    questions = QUERIES.get(key, {key: None})
    question, mine, right = next(
        asked
        for asked in zip(questions, got[1], expected[1], strict=True)
        if type(asked[1]) is not type(asked[2]) or asked[1] != asked[2]
    )
    if isinstance(mine, str):
        what = "erase a person" if key in ERASURE else f"tell {question}"
        return f"Your tables cannot {what}: {mine}."
    if key in ERASURE:
        what = ", ".join(
            f"{count} {thing}" for thing, count in mine.items() if thing != ASTRAY
        )
        why = (
            f" {mine[ASTRAY]} faces lead to another person than the one they show."
            * bool(mine[ASTRAY])
        )
        return f"Three people are erased, one after the other. These {ERASURE[key]}: {what}.{why}"
    if isinstance(mine, set):
        wrong = f"{len(mine - right)} that are wrong, and lack {len(right - mine)} of {len(right)}"
        return f"Asked {question}, your tables name {wrong}."
    name = ""
    if isinstance(mine, dict):
        name = next(n for n in {**mine, **right} if mine.get(n, 0) != right.get(n, 0))
        mine, right = mine.get(name, 0), right.get(name, 0)
        name = " for " + (name if isinstance(name, str) else " and ".join(map(str, name)))
    return f"Asked {question}, your tables say {mine}{name}; right is {right}."


def _one_wide_table(raw):
    names = {"who": "person", "by": "annotator", "vote": "answer", "rule": "guideline"}
    rows = raw.rename(columns=names).assign(
        frame=raw["camera"] + " " + raw["captured"], face=raw["file"]
    )
    rows["role"], rows["consent"] = (
        rows["person"].str.split().str[0],
        rows["consent"] == "yes",
    )
    return dict.fromkeys(TABLES, rows.assign(time=pd.to_datetime(raw["captured"])))


def _majority_only(raw):
    tables = build(raw)
    votes = tables["vote"].groupby("face", as_index=False)
    return tables | {"vote": votes.agg(lambda column: column.mode()[0])}


def _unsure_is_calm(raw):
    return {name: rows.replace("unsure", "calm") for name, rows in build(raw).items()}


def _no_link_to_person(raw):
    """A face is found through its frame, and a frame belongs to the first visit that saw it."""
    tables, rows = build(raw), _one_wide_table(raw)["frame"]
    frame = rows[["frame", "camera", "time", "visit"]].drop_duplicates("frame")
    return tables | {"frame": frame, "face": tables["face"].drop(columns="visit")}


def _guideline_of_the_face(raw):
    tables = build(raw)
    face = tables["face"].merge(
        tables["vote"].drop_duplicates("face")[["face", "guideline"]], how="left"
    )
    return tables | {"face": face, "vote": tables["vote"].drop(columns="guideline")}


def _any_consent(raw):
    """The first row of each person that comes along says whether they agreed."""
    first = _one_wide_table(raw)["person"].drop_duplicates("person")
    return build(raw) | {"person": first[["person", "role", "consent"]]}


def _faces_only(raw):
    return build(raw[raw["file"] != ""])


def _voted_only(raw):
    return build(raw[(raw["by"] != "") | (raw["file"] == "")])


def _empty_rows(raw):
    rows = _one_wide_table(raw)["face"]
    face = rows[["face", "frame", "visit", "file"]].drop_duplicates()
    return build(raw) | {
        "face": face,
        "vote": rows[["face", "annotator", "answer", "guideline"]],
    }


def _numbered(raw):
    """Number everything anew; a face links to its frame, its visit and its person."""
    rows = _one_wide_table(raw)["vote"]
    for name in ("person", "visit", "frame", "face"):
        rows[name] = rows[name].astype("category").cat.codes
    tables = {
        "person": rows.sort_values("time").groupby("person")[["role", "consent"]].last(),
        "visit": rows.groupby("visit")[["person"]].first(),
        "frame": rows.groupby("frame")[["camera", "time"]].first(),
        "face": rows[rows["file"].str.len() > 0]
        .groupby("face")[["file", "frame", "visit", "person"]]
        .first(),
        "vote": rows[rows["annotator"] != ""][["face", "annotator", "answer", "guideline"]],
    }
    return {name: rows.reset_index(names=name) for name, rows in tables.items()}


def _row_by_row(raw):
    """Fill five dictionaries, one raw row after the other, oldest first."""
    tables = {name: {} for name in TABLES}
    for row in raw.sort_values("captured").itertuples():
        at = f"{row.camera} at {row.captured}"
        tables["person"][row.who] = {"role": row.who[:-5], "consent": row.consent == "yes"}
        tables["visit"][row.visit] = {"person": row.who}
        tables["frame"][at] = {"camera": row.camera, "time": pd.Timestamp(row.captured)}
        if row.file:
            tables["face"][row.file] = {"file": row.file, "visit": row.visit, "frame": at}
        if row.by:
            vote = {
                "face": row.file,
                "annotator": row.by,
                "answer": row.vote,
                "guideline": row.rule,
            }
            tables["vote"][row.Index] = vote
    parts = {
        name: pd.DataFrame.from_dict(rows, orient="index") for name, rows in tables.items()
    }
    return {name: rows.reset_index(names=name) for name, rows in parts.items()}


exercise = Exercise(
    title="Five tables for questions nobody has asked yet",
    questions=("2.2",),
    points=4,
    minutes=12,
    reference=build,
    repeatable=True,
    cases=cases,
    run=run,
    good=_good,
    same=_same,
    describe=_describe,
    returns="a dict of five DataFrames: person, visit, frame, face, vote",
    praise="Every fact has one place, every vote keeps its guideline, and a person can be erased whole.",
    right=(_numbered, _row_by_row),
    mistakes=(
        Mistake(
            "one wide table",
            _one_wide_table,
            "All five tables are the same wide one, in which a person comes back with every vote on them.",
            "How many rows must change when one person withdraws consent, and what if one is forgotten?",
        ),
        Mistake(
            "votes thrown away",
            _majority_only,
            "Only the majority answer of each face is kept; who said what, and how many, is gone.",
            "A new guideline comes out: how will you find the annotators who disagree about it?",
        ),
        Mistake(
            "unsure means calm",
            _unsure_is_calm,
            "Every unsure answer was turned into calm.",
            "If someone could not tell, did they see a calm face?",
        ),
        Mistake(
            "crops without a person",
            _no_link_to_person,
            "Of two people side by side one is taken for the other, because a face has no link of its own to"
            " its visit or person.",
            "Two people stand in one frame: whose face goes when the first asks to be erased?",
        ),
        Mistake(
            "guideline of the face",
            _guideline_of_the_face,
            "The guideline stands with the face, although a face can be voted on under two.",
            "Which thing follows a guideline: the face, or the vote?",
        ),
        Mistake(
            "whichever consent comes first",
            _any_consent,
            "For consent you take one of the person's rows, not their latest.",
            "She agreed on Monday and withdrew on Friday: what does Monday's row say?",
        ),
        Mistake(
            "visits without a face dropped",
            _faces_only,
            "Rows without a face are dropped at the start, and their visits and frames with them.",
            "Where will you look when somebody asks how often the face detector finds nothing?",
        ),
        Mistake(
            "faces without votes dropped",
            _voted_only,
            "Rows without a vote are dropped at the start, and the faces nobody has voted on with them.",
            "Next week's votes are to be bought: how will you find the faces that still need them?",
        ),
        Mistake(
            "empty cells become rows",
            _empty_rows,
            "Empty cells have become a face and votes of their own.",
            "What would a row with no file and no answer be a record of?",
        ),
    ),
    hints=(
        "Take one kind of thing at a time. What is one row of it, what tells two of them apart, and which"
        " facts would stay the same if all its votes were other ones?",
        "Two people may share a frame. So a face needs two links: one to the frame, one to the visit, which"
        " knows the person. Empty cells are no faces and no votes.",
        "Rename the raw columns, then choose columns and `.drop_duplicates()` for each table; for persons"
        " `sort_values('time')` first and keep the last. Votes are the rows with an answer: do not drop any.",
    ),
)
