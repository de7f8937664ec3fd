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
    votes = votes[~votes["face"].isin(unseen)]
    number = rng.choice(90_000, len(lobby), replace=False)
    faces = lobby.faces.assign(file=[f"crop_{k:05d}.png" for k in number])
    raw = raw_table(Dataset(faces, votes, lobby.images), "rows")
    columns = "who consent visit camera captured file by vote rule"
    raw, met = _let_meet(rng, raw[columns.split()].copy())
    raw = pd.concat([raw, _no_face_found(rng, raw)], ignore_index=True)
    raw = _changed_consent(rng, raw).reset_index(drop=True)
    yield Case((raw,), hidden=[str(who) for who in rng.permutation(met)[:3]])


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
    last = raw["visit"].str[1:].astype(int).max()
    rows["visit"] = [f"v{last + k}" for k in range(1, n + 1)]
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


def _rows_and_links(t):
    """Count rows, keys that are empty or stand twice, and links that lead nowhere."""
    wrong = Counter()
    for name, rows in t.items():
        for key in [key for key in TABLES[:4] if key in rows]:
            if key == name:
                odd = rows[key].duplicated() | (rows[key] == "")
                wrong[f"empty or repeated keys in {name}"] = int(odd.sum())
            else:
                dead = ~rows[key].isin(t[key].get(key, []))
                wrong[f"links from {name} to a {key} that is not there"] = int(dead.sum())
    return {**+wrong} | {f"rows of {name}": len(rows) for name, rows in t.items()}


def _visits(t):
    """Count people by the number of their visits, and visits that no face leads to."""
    visits = Counter(Counter(_of(t, "visit", "person")).values())
    seen = {f"people with {n} visits": people for n, people in visits.items()}
    unseen = set(_of(t, "visit", "visit")) - set(_of(t, "face", "visit"))
    return seen | {"visits without a face": len(unseen)}


def _frames(t):
    """Count faces by camera and hour, frames with faces, and people who share one with somebody."""
    time = pd.Series(_of(t, "face", "time"))
    if time.dtype.kind != "M":
        raise KeyError(f"time is {time.dtype}, not datetime64")
    frames, people = _of(t, "face", "frame"), _of(t, "face", "person")
    n_frames = len(set(frames))
    beside = len(set(zip(frames, people, strict=True))) - n_frames
    faces = Counter(zip(_of(t, "face", "camera"), time.dt.hour, strict=True))
    return dict(faces) | {"frames with a face": n_frames, "people beside others": beside}


def _votes_by(*columns):
    return lambda t: Counter(zip(*(_of(t, "vote", name) for name in columns), strict=True))


def _without_votes(t):
    return set(_of(t, "face", "file")) - set(_of(t, "vote", "file"))


def _for_training(t):
    agreed = pd.Series(_of(t, "face", "consent"))
    if not agreed.isin([True, False]).all():
        raise KeyError(f"consent holds {agreed.iloc[0]!r}, not True or False")
    visitor = _of(t, "face", "role") == "visitor"
    return set(_of(t, "face", "file")[agreed.astype(bool) & visitor])


# The later questions. A visit is before one camera, so `camera` may stand with the visit as well.
QUERIES = {
    "keys, links and counts": ("how many rows and links there are", _rows_and_links),
    "visits": ("how many visits there are", _visits),
    "frames": ("what each camera sees by the hour", _frames),
    "annotators": ("what each annotator answers", _votes_by("annotator", "answer")),
    "guidelines": (
        "what is answered under each guideline",
        _votes_by("file", "guideline", "answer"),
    ),
    "faces without votes": ("which files have no vote", _without_votes),
    "consent": ("which files of visitors may be trained on", _for_training),
}
ERASURE = {
    "nothing left of an erased person": "should be gone and remain",
    "nothing lost of anyone else": "should remain and are gone",
}


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
        left["cells that name the person, a visit or a file of theirs"] += sum(
            int(rows.isin(traces).to_numpy().sum()) for rows in after.values()
        )
    return +left, +lost


def _kind(tables, raw):
    """Name what is odd about the tables as a whole, where that has a name."""
    if len({tuple(rows.columns) for rows in tables.values()}) == 1:
        return "wide"
    if not set(tables["vote"].get("answer", ())) <= {"angry", "calm", "unsure"}:
        return "empty cells"
    people = raw.groupby(["camera", "captured"])["who"].transform("nunique")
    shown = raw.assign(people=people)[raw["file"] != ""].groupby("file").first()
    led_to = pd.Series(_of(tables, "face", "person"), _of(tables, "face", "file"))
    who = shown["who"].reindex(led_to.index, fill_value="")
    usual = who.groupby(led_to.to_numpy()).transform(lambda w: w.value_counts().idxmax())
    astray = who.index[who != usual]
    return "astray" if len(astray) and (shown["people"].reindex(astray) > 1).all() else ""


def _ask(query, *inputs):
    """Return the answer to a question, or the reason why the tables cannot give it."""
    try:
        return query(*inputs)
    except KeyError as missing:
        return str(missing.args[0])


def run(case, answer):
    """Put the later questions to the tables; then erase people. Outcomes are (kind, answer)."""
    given = answer(*case.inputs)
    tables = {name: given.get(name) if isinstance(given, dict) else 0 for name in TABLES}
    if not all(isinstance(rows, pd.DataFrame) for rows in tables.values()):
        names = ", ".join(TABLES)
        raise Unreadable(f"`build` must return a dict with five DataFrames: {names}.")
    answers = {name: _ask(query, tables) for name, (_, query) in QUERIES.items()}
    erasure = _ask(_erased, tables, *case.inputs, case.hidden)
    for k, name in enumerate(ERASURE):
        answers[name] = erasure if isinstance(erasure, str) else erasure[k]
    kind = _ask(_kind, tables, *case.inputs)
    return {name: (kind, answer) for name, answer in answers.items()}


def _good(key, got, expected):
    return type(got[1]) is type(expected[1]) and got[1] == expected[1]


def _same(key, got, other):
    """Compare kinds and answers; there are many ways to take a face for the one beside it."""
    astray = got[0] == "astray" and key in ("frames", "consent", *ERASURE)
    return got[0] == other[0] and (astray or _good(key, got, other))


def _describe(key, got, expected):
    """Say what the tables answered, and what is right."""
    question, mine, right = QUERIES.get(key, [""])[0], got[1], expected[1]
    if isinstance(mine, str):
        return f"Your tables cannot {f'tell {question}' if question else 'erase a person'}: {mine}."
    if key in ERASURE:
        what = ", ".join(f"{count} {thing}" for thing, count in mine.items())
        return f"Three people are erased one after the other. These {ERASURE[key]}: {what}."
    if isinstance(mine, set):
        wrong = f"{len(mine - right)} that are wrong, and lack {len(right - mine)} of {len(right)}"
        return f"Asked {question}, your tables name {wrong}."
    name = next(n for n in {**mine, **right} if mine.get(n, 0) != right.get(n, 0))
    counted = name if isinstance(name, str) else " and ".join(map(str, name))
    count = f"{mine.get(name, 0)} for {counted}; right is {right.get(name, 0)}"
    return f"Asked {question}, your tables say {count}."


def _one_wide_table(raw):
    names = {"who": "person", "by": "annotator", "vote": "answer", "rule": "guideline"}
    rows = raw.rename(columns=names).assign(face=raw["file"])
    rows["frame"] = raw["camera"] + " " + raw["captured"]
    rows["role"] = rows["person"].str.split().str[0]
    rows["consent"] = rows["consent"] == "yes"
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
    first = tables["vote"].drop_duplicates("face")[["face", "guideline"]]
    face = tables["face"].merge(first, how="left")
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
    vote = rows[["face", "annotator", "answer", "guideline"]]
    return build(raw) | {"face": face, "vote": vote}


def _numbered(raw):
    """Number everything anew; a face links to its frame, its visit and its person."""
    rows = _one_wide_table(raw)["vote"]
    for name in ("person", "visit", "frame", "face"):
        rows[name] = rows[name].astype("category").cat.codes
    found, votes = rows[rows["file"] != ""], rows[rows["annotator"] != ""]
    tables = {
        "person": rows.sort_values("time").groupby("person")[["role", "consent"]].last(),
        "visit": rows.groupby("visit")[["person"]].first(),
        "frame": rows.groupby("frame")[["camera", "time"]].first(),
        "face": found.groupby("face")[["file", "frame", "visit", "person"]].first(),
        "vote": votes[["face", "annotator", "answer", "guideline"]],
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
            vote = {"face": row.file, "annotator": row.by, "answer": row.vote}
            tables["vote"][row.Index] = vote | {"guideline": row.rule}
    for name, rows in tables.items():
        tables[name] = pd.DataFrame.from_dict(rows, orient="index").reset_index(names=name)
    return tables


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
            "Of two people side by side one is taken for the other: the way from a face to its person leads"
            " over their frame.",
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
