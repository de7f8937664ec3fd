"""What variety do we need? Where to collect the next 2,000 faces, judged by the worst place afterwards."""

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable

BUDGET = 2000


def collect(slices, budget):
    """Plan where to collect more training faces, so that the worst camera becomes good.

    slices: DataFrame, one row per camera (the index), columns
        faces: int, training faces we have from there;
        field_share: float, the camera's share of the visitors;
        tested: int, faces called angry by annotators that the model was tested on there;
        recall: float, share of these that it found;
        low, high: float, 95 % interval of that recall;
        recall_half: float, the same tested faces, by a model trained on half the faces
            of every camera.
    budget: int, how many new faces can be collected and labelled.

    Returns a Series (or dict), camera -> new faces: 0 or more, together no more than the
    budget; a camera left out gets none.
    Faces help the camera they come from; other cameras gain next to nothing from them.
    Miss rates mostly fall like a power of the number of faces. Judged over many tables is
    the lowest recall afterwards, among the cameras where collecting can change anything.
    """
    known = slices["tested"] >= 50
    gained = slices["recall"] - slices["recall_half"] > 0.03
    chosen = slices[known & gained]
    missed, missed_half = (1 - chosen[["recall", "recall_half"]]).to_numpy().T
    slope = np.log2(missed_half / missed).clip(0.2, 0.5)
    new = np.zeros(len(chosen))
    # Small steps, each to the camera that is predicted to be the worst by then.
    for _ in range(budget // 100):
        predicted = missed * (1 + new / chosen["faces"].to_numpy()) ** -slope
        new[predicted.argmax()] += 100
    return pd.Series(new, index=chosen.index)


# Truth about the cameras of one table: 4 of 14 need faces, the others are fine, except for these.
KINDS = {
    "cameras that can all gain": {},
    "cameras that gain nothing from more faces": {"stuck": 3},
    "cameras tested on six faces": {"unknown": 5},
}
TABLES, CAMERAS, NEEDY, SPILL = 6, 14, 4, 0.02


def cases(rng):
    """Some tables of each kind; hidden is how recall would grow at every camera."""
    for about, others in KINDS.items():
        yield Case(hidden=[_draw(rng, others) for _ in range(TABLES)], about=about)


def _draw(rng, others):
    """Return one table, and the truth: role, faces and the curve of missed faces of every camera.

    Missed share after collecting: floor + rest * (faces now / faces then) ** slope.
    """
    fine = CAMERAS - NEEDY - sum(others.values())
    role = (
        ["needy"] * NEEDY
        + ["fine"] * fine
        + [name for name, count in others.items() for _ in range(count)]
    )
    role = rng.permutation(role)

    def by_role(**ranges):
        return np.array([rng.uniform(*ranges.get(name, ranges["fine"])) for name in role])

    # Where faces are few, recall need not be low: the number of faces alone must not give the roles away.
    faces = by_role(needy=(4.1, 5.5), stuck=(4.1, 5.5), unknown=(4.7, 6.2), fine=(4.1, 7.8))
    faces = np.exp(faces).round()
    missed = 1 - by_role(
        needy=(0.45, 0.66), stuck=(0.35, 0.5), unknown=(0.78, 0.86), fine=(0.82, 0.92)
    )
    slope = by_role(needy=(0.3, 0.45), fine=(0.2, 0.35))
    floor = np.where(role == "stuck", missed, rng.uniform(0.02, 0.06, CAMERAS))
    rest = missed - floor
    tested = np.where(role == "unknown", 6, rng.integers(250, 600, CAMERAS))
    # Two trainings differ a little even on the same faces.
    chance = (
        1 - np.stack([missed, floor + rest * 2**slope]) + rng.normal(0, 0.008, (2, CAMERAS))
    )
    found = [_tested(rng, chance[:, k], tested[k]) for k in range(CAMERAS)]
    recall, half = np.transpose(found) / tested
    share = faces * rng.uniform(0.7, 1.3, CAMERAS)
    low, high = _wilson(recall, tested)
    columns = {
        "faces": faces.astype(int),
        "field_share": share / share.sum(),
        "tested": tested,
    }
    columns |= {"recall": recall, "low": low, "high": high, "recall_half": half}
    names = [f"camera_{k:02d}" for k in rng.permutation(90)[:CAMERAS]]
    table = pd.DataFrame(columns, index=pd.Index(names, name="camera")).round(3)
    truth = {"role": role, "faces": faces, "floor": floor, "rest": rest, "slope": slope}
    return table, truth | {"reach": _within_reach(truth)}


def _tested(rng, chance, tested):
    """Return how many tested faces the two models find; both are tried on the same faces.

    Of the many cameras tested on six faces, those that were unlucky are the ones that catch the eye.
    """
    if tested > 6:
        return ((rng.random(tested) * np.ones((2, 1))) < chance[:, None]).sum(axis=1)
    tries = (rng.random((4000, 1, 6)) < chance[:, None]).sum(axis=2)
    unlucky = tries[(tries[:, 0] <= 3) & (tries[:, 1] < tries[:, 0])]
    return unlucky[0] if len(unlucky) else np.array([3, 2])


def _wilson(recall, tested):
    middle = (recall * tested + 1.92) / (tested + 3.84)
    reach = 1.96 / (tested + 3.84) * np.sqrt(tested * recall * (1 - recall) + 0.96)
    return middle - reach, middle + reach


def _recall_after(truth, new):
    """Return the recall of each camera once `new` faces are collected."""
    helpful = new + SPILL * (new.sum() - new)
    return (
        1
        - truth["floor"]
        - truth["rest"] * (1 + helpful / truth["faces"]) ** -truth["slope"]
    )


def _within_reach(truth):
    """Return the lowest recall after the best plan there is, found by someone who knows the truth."""
    new = np.zeros(CAMERAS)
    open_to_change = truth["role"] != "stuck"
    for _ in range(BUDGET // 50):
        new[np.argmin(np.where(open_to_change, _recall_after(truth, new), 2.0))] += 50
    return _recall_after(truth, new)[open_to_change].min()


def run(case, answer):
    """Collect as planned, train in simulation, and look at the worst camera that could gain."""
    tables = []
    for table, truth in case.hidden:
        new = _plan(answer(table, BUDGET), table.index)
        role, placed = truth["role"], new.sum()
        busiest = np.argsort(-table["field_share"].to_numpy())[: CAMERAS // 2]
        one = {
            "worst": _recall_after(truth, new)[role != "stuck"].min(),
            "reach": truth["reach"],
            "placed": placed,
            "fine": new[role == "fine"].sum(),
            "stuck": new[role == "stuck"].sum(),
            "unknown": new[role == "unknown"].sum(),
            "on worst": new[table["recall"].argmin()],
            "on busiest": new[busiest].sum(),
            "uneven": np.ptp(new),
        }
        tables.append(one)
    sums = {name: float(np.sum([one[name] for one in tables])) for name in tables[0]}
    return {case.about: sums | {"kind": _kind(sums)}}


def _kind(sums):
    """Name what the plans have in common, or "" where none of these words fits them."""
    if sums["reach"] - sums["worst"] <= SHORT * TABLES:
        return "right"
    placed = sums["placed"]
    if sums["on worst"] > 0.9 * placed > 0:
        return "all on the worst"
    if placed > 0 and sums["uneven"] <= 2 * TABLES:
        return "equal"
    for place, least in (("stuck", 0.25), ("unknown", 0.4), ("on busiest", 0.7)):
        if sums[place] > least * placed:
            return place
    return ""


def _plan(output, cameras):
    """Return the plan as an array in the order of the table, or say what is wrong with it."""
    if not isinstance(output, (pd.Series, dict)):
        raise Unreadable(
            f"`collect` returned a {type(output).__name__}, not a Series or a dict."
        )
    plan = pd.Series(output)
    strange = [name for name in plan.index if name not in cameras]
    if strange or plan.index.has_duplicates:
        raise Unreadable(
            f"The plan must name cameras of the table, each once; yours names {strange[:3]}."
        )
    try:
        new = plan.reindex(cameras, fill_value=0).to_numpy(float)
    except (TypeError, ValueError):
        raise Unreadable("The plan must hold numbers of new faces.") from None
    if not (new >= 0).all() or new.sum() > BUDGET + CAMERAS:
        raise Unreadable(
            f"The plan must hold numbers of 0 or more, together at most {BUDGET:,}; yours are"
            f" {new.min():.0f} to {new.max():.0f}, together {new.sum():,.0f}."
        )
    return new


# Over 100 seeds right answers ended at most 0.058 short of what was within reach on average, each mistake in
# some kind of table at least 0.084.
SHORT = 0.075


def _describe(key, got, expected):
    worst, reach = got["worst"] / TABLES, got["reach"] / TABLES
    ends = f"For {key}: the worst one ends at a recall of {worst:.2f} where {reach:.2f} was within reach"
    placed = f"{got['placed'] / TABLES:,.0f} of {BUDGET:,} faces were placed"
    kind = next(iter(KINDS[key]), "fine")
    where = {
        "fine": "at cameras that are fine",
        "stuck": "at the cameras that gain nothing",
        "unknown": "at these",
    }
    share = got[kind] / max(got["placed"], 1)
    return f"{ends}; {placed}" + (
        f", {share:.0%} of them {where[kind]}." if got["placed"] else "."
    )


def _shared_out(weights, budget):
    return budget * weights / weights.sum()


def _more_of_the_same(slices, budget):
    return _shared_out(slices["field_share"], budget)


def _equal_cells(slices, budget):
    return _shared_out(pd.Series(1.0, index=slices.index), budget)


def _all_on_the_worst(slices, budget):
    return {slices["recall"].idxmin(): budget}


def _filled(slices, budget, chosen):
    """Fill up the chosen cameras step by step, each step to the one predicted to be the worst."""
    missed = (1 - slices["recall"]).to_numpy()
    slope = (
        np.log2((1 - slices["recall_half"]) / (1 - slices["recall"]))
        .clip(0.1, 0.5)
        .to_numpy()
    )
    new = np.zeros(len(slices))
    for _ in range(budget // 50):
        predicted = missed * (1 + new / slices["faces"].to_numpy()) ** -slope
        new[np.argmax(np.where(chosen, predicted, -1))] += 50
    return pd.Series(new, index=slices.index)


def _flat_curve_ignored(slices, budget):
    return _filled(slices, budget, slices["tested"] >= 50)


def _six_faces_believed(slices, budget):
    return _filled(slices, budget, slices["recall"] - slices["recall_half"] > 0.03)


def _by_upper_bound(slices, budget):
    """Square what is missing even at the upper end of the interval, where half the data was worse."""
    gained = slices["recall"] - slices["recall_half"] > 0.03
    return _shared_out((1 - slices["high"]) ** 2 * gained, budget)


def _to_one_target(slices, budget):
    """Find the miss rate that all chosen cameras can reach with this budget, by bisection."""
    chosen = slices[
        (slices["high"] - slices["low"] < 0.2)
        & (slices["recall"] > slices["recall_half"] + 0.03)
    ]
    missed, missed_half = 1 - chosen["recall"], 1 - chosen["recall_half"]
    slope = np.log2(missed_half / missed).clip(0.2, 0.5)
    low, high = 0.01, 0.9
    for _ in range(30):
        target = (low + high) / 2
        new = (chosen["faces"] * ((missed / target) ** (1 / slope) - 1)).clip(lower=0)
        low, high = (target, high) if new.sum() > budget else (low, target)
    return _shared_out(new, budget).astype(int).to_dict()


def _among_the_bad(slices, budget):
    """Choose the cameras that are bad for certain and have gained; share out by what is missing to 0.85."""
    bad = (
        (slices["tested"] > 100)
        & (slices["high"] < 0.75)
        & (slices["recall"] - slices["recall_half"] > 0.04)
    )
    return _shared_out((0.85 - slices["recall"]).where(bad, 0), budget).round()


exercise = Exercise(
    title="Where to collect the next 2,000 faces",
    questions=("2.4",),
    points=3,
    minutes=12,
    reference=collect,
    cases=cases,
    run=run,
    good=lambda key, got, expected: got["kind"] == "right",
    same=lambda key, got, other: got["kind"] == other["kind"] != "",
    describe=_describe,
    returns="a Series or dict, camera -> number of new faces, together at most the budget",
    praise="The faces go where they raise the lowest recall: to cameras that are bad for certain and learn.",
    right=(_by_upper_bound, _to_one_target, _among_the_bad),
    mistakes=(
        Mistake(
            "more of the same",
            _more_of_the_same,
            "Most of the new faces come from where most visitors are, and most faces came from before.",
            "What does the two-thousandth face of a busy camera teach, and the hundredth of a rare one?",
        ),
        Mistake(
            "equal cells",
            _equal_cells,
            "Every camera gets the same number, whether it needs faces or not.",
            "Which of these cameras would you not miss a single new face at?",
        ),
        Mistake(
            "all on the worst",
            _all_on_the_worst,
            "All new faces go to the one camera with the lowest recall.",
            "After a few hundred faces, which camera is the worst then?",
        ),
        Mistake(
            "a flat curve ignored",
            _flat_curve_ignored,
            "Faces are poured on cameras whose recall did not move when their data doubled.",
            "From half the data to all of it they gained nothing: what will the next doubling bring?",
        ),
        Mistake(
            "six faces believed",
            _six_faces_believed,
            "Many faces go to cameras whose recall was measured on six faces.",
            "If one more of the six had been found, how different would your plan be?",
        ),
    ),
    hints=(
        "Two questions for each camera: is its recall low for certain, and does it rise with more faces?",
        "Look at `high - low` and `tested` for the first, at `recall - recall_half` for the second. Share the"
        " budget among the cameras that pass both; the more is missed, the more they need.",
        "From half the faces to all of them, missed faces fall from 1 - recall_half to 1 - recall: the slope"
        " is log2 of their ratio, and (1 - recall) * (1 + new / faces) ** -slope predicts the rest. Give 100"
        " faces at a time to the camera with the highest prediction.",
    ),
)
