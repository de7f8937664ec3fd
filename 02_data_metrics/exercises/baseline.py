"""What is the simplest thing that works, what do people reach, and how sure are these figures?"""

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable, told_apart
from course import scenario
from course.datasets.studies import draw_study, draw_voted_faces, long_run


def interval(values, person):
    """A 95 % interval for a mean over faces, had other people come by.

    values: float array [n], one figure for each face, such as 1 for right and 0 for wrong.
    person: int array [n], whose face it is; people have different numbers of faces.

    Returns (low, high), two floats. Judged is how often the interval holds the mean over
    all faces of a long year, and how wide it is. You are asked 120 times, so be quick: 300
    resamples are plenty.
    """
    _, row = np.unique(person, return_inverse=True)
    sums, faces = np.bincount(row, weights=values), np.bincount(row)
    people = len(faces)
    drawn = np.random.default_rng(0).integers(people, size=(300, people))
    means = sums[drawn].sum(axis=1) / faces[drawn].sum(axis=1)
    return tuple(np.quantile(means, [0.025, 0.975]))


def ladder(train, test, missed, needless):
    """What the simplest rules and a person would cost on the test faces, line by line.

    train, test: DataFrames, one row a face, no person in both, columns
        person: int;
        brow, lips, lids, squint, smile: float, measured on the face; a low brow, high lips
            and lids, low squint and smile speak for anger;
        vote_0 to vote_5: bool, six annotators who each said angry or not;
        angry: bool, what most of annotators 1 to 5 said. Annotator 0 has no part in it.
    missed: float, euros for carrying on with an angry face.
    needless: float, euros for backing off from one that is not angry.

    Returns a DataFrame with the index constant, prior, heuristic, linear, human and the
    columns score (euros a face on the test, the mean), low, high (its 95 % interval).
        constant: always carry on.
        prior: one action for everybody, the one that costs less on the training faces.
        heuristic: back off when the brow is below a height that you choose on the
            training faces.
        linear: back off when a weighted sum of all five measurements is above a
            threshold; weights and threshold from the training faces.
        human: one annotator decides, who has no part in `angry`.
    """

    def cost(rows, acts):
        return np.where(rows["angry"].to_numpy(), missed * ~acts, needless * acts)

    def cheapest(scores):
        # Every hundredth of the training scores is a possible threshold.
        steps = np.quantile(scores, np.linspace(0, 1, 101))
        return steps[cost(train, scores >= steps[:, None]).mean(axis=1).argmin()]

    def design(rows):
        features = rows[["brow", "lips", "lids", "squint", "smile"]]
        return np.column_stack([np.ones(len(rows)), features])

    weights = np.linalg.lstsq(design(train), train["angry"].astype(float), rcond=None)[0]
    fitted = cheapest(design(train) @ weights)
    brow = cheapest(-train["brow"].to_numpy())
    everyone = train["angry"].mean() * missed > (1 - train["angry"].mean()) * needless
    acts = {
        "constant": np.zeros(len(test), bool),
        "prior": np.full(len(test), everyone),
        "heuristic": -test["brow"].to_numpy() >= brow,
        "linear": design(test) @ weights >= fitted,
        "human": test["vote_0"].to_numpy(),
    }
    lines = {}
    for name, chosen in acts.items():
        costs = cost(test, chosen)
        low, high = interval(costs, test["person"].to_numpy())
        lines[name] = {"score": costs.mean(), "low": low, "high": high}
    return pd.DataFrame(lines).T


LINES = ("constant", "prior", "heuristic", "linear", "human")
GIVEN = ("constant", "prior", "human")  # lines in which nothing is left to choose
MEASURED = ("brow", "lips", "lids", "squint", "smile")
RERUNS = 60

# What is asked of a ladder. Where anger is rare, chance decides more about the cost of a rule than the rule.
AROUND = "an interval around each line"
SURE = ("what constant and prior cost", "what a person costs", AROUND)
CHANCE = ("what the heuristic costs", "what the linear rule costs")
FIXED = "rules that are fixed before the test"

# Two situations for the interval: people (least, most) and faces a person.
SITUATIONS = {
    "the interval, when one person has many faces": (44, 70, 40),
    "the interval, when each face is another person": (70, 120, 1),
}


def cases(rng):
    """Reruns of two tests for the interval; then tables for the ladder."""
    for about, (least, most, faces) in SITUATIONS.items():
        people, differ = int(rng.integers(least, most)), rng.uniform(0.15, 0.3)
        # Each rerun is of another detector, so that no interval is right whatever it is given.
        easy = rng.uniform(0.05, 0.45, RERUNS)
        reruns = [draw_study(rng, people, faces, differ, one) for one in easy]
        yield Case(hidden=(reruns, long_run(faces, easy)), about=about)
    usual = (scenario.COST_MISSED, scenario.COST_NEEDLESS)
    # Where a needless back-off costs more than a miss, a rule that ignores the prices shows.
    for share, prices, asked in (
        (0.02, usual, SURE),
        (0.15, usual, (*SURE, FIXED, *CHANCE)),
        (0.15, (0.5, 1.0), (*SURE, *CHANCE)),
    ):
        tables = [
            draw_voted_faces(rng, people, share) for people in (range(100), range(100, 190))
        ]
        yield Case((*tables, *prices), hidden=asked)


def run(case, interval, ladder):
    """Ask for the intervals of many reruns, or for the ladder of one table."""
    return _climbed(case, ladder) if case.inputs else _covered(case, interval)


def _covered(case, interval):
    reruns, truth = case.hidden
    bounds = np.array([interval(*rerun) for rerun in reruns], float)
    if bounds.shape != (RERUNS, 2):
        raise Unreadable("`interval` did not return two numbers, low and high.")
    held = ((bounds[:, 0] <= truth) & (truth <= bounds[:, 1])).sum()
    return {case.about: (int(held), float(np.mean(bounds[:, 1] - bounds[:, 0])))}


def _climbed(case, ladder):
    lines = _read(ladder(*case.inputs))
    figures = {
        "what constant and prior cost": [lines[name][0] for name in LINES[:2]],
        "what a person costs": [lines["human"][0]],
        AROUND: [lines[name] for name in LINES],
        "what the heuristic costs": [lines["heuristic"][0]],
        "what the linear rule costs": [lines["linear"][0]],
    }
    if FIXED in case.hidden:
        figures[FIXED] = _not_fixed(ladder, case.inputs, lines)
    human = _whose(lines["human"][0], *case.inputs[1:])
    told = {"what a person costs": human, AROUND: _by_face(ladder, case.inputs, lines)}
    if set(CHANCE) <= set(case.hidden):
        told |= _blind(ladder, case.inputs)
    return {key: (told.get(key, ""), figures[key]) for key in case.hidden}


def _by_face(ladder, inputs, lines):
    """Return "narrow" where the same faces, seen nine times, make the intervals narrower.

    People stay as many, so intervals over people keep their widths, and those over faces fall to a third.
    """
    train, test, *prices = inputs
    often = _read(ladder(train, pd.concat([test] * 9, ignore_index=True), *prices))
    ratios = [_width(often[name]) / max(_width(lines[name]), 1e-12) for name in GIVEN]
    return "narrow" if np.mean(ratios) < 0.6 else ""


def _blind(ladder, inputs):
    """Return "blind" for the rules that back off from somebody even where every brow is raised far up."""
    train, test, *prices = inputs
    raised = _read(ladder(train, test.assign(brow=test["brow"] + 1e3), *prices))
    never = raised["constant"][0]
    rules = zip(CHANCE, ("heuristic", "linear"), strict=True)
    return {
        key: "" if np.isclose(raised[name][0], never) else "blind" for key, name in rules
    }


def _width(line):
    return line[2] - line[1]


def _whose(score, test, missed, needless):
    """Name whose votes cost that much: "inside" (of the majority), "crowd", or "" for anybody else's."""
    votes, angry = test[_votes(0)].to_numpy(), test["angry"].to_numpy()[:, None]
    costs = np.where(angry, missed * ~votes, needless * votes).mean(axis=0)
    if np.isclose(score, [*costs[1:], costs[1:].mean(), costs.mean()], atol=1e-6).any():
        return "" if np.isclose(score, costs[0], atol=1e-6) else "inside"
    share = votes.mean(axis=1, keepdims=True)
    crowds = np.hstack([share >= 0.5, share > 0.5, angry])
    costs = np.where(angry, missed * ~crowds, needless * crowds).mean(axis=0)
    return "crowd" if np.isclose(score, costs, atol=1e-6).any() else ""


def _not_fixed(ladder, inputs, lines):
    """Return the rules that decide otherwise when the test's annotators say the opposite.

    A rule that is fixed pays on a test and on its opposite together what it pays on each of them.
    """
    train, test, *prices = inputs
    said = ["angry", *(f"vote_{i}" for i in range(1, 6))]
    opposite = test.assign(
        person=test["person"] + 1000, **{name: ~test[name] for name in said}
    )
    both = pd.concat([test, opposite], ignore_index=True)
    alone, together = (_read(ladder(train, table, *prices)) for table in (opposite, both))
    return [
        name
        for name in ("prior", "heuristic", "linear")
        if abs((lines[name][0] + alone[name][0]) / (2 * together[name][0]) - 1) > 0.05
    ]


def _read(table):
    """Return line -> (score, low, high); a line that is missing has only NaN."""
    if not isinstance(table, pd.DataFrame) or {"score", "low", "high"} - set(table.columns):
        raise Unreadable("`ladder` returned no DataFrame with score, low and high.")
    table = table[["score", "low", "high"]].astype(float).reindex(LINES)
    return {name: tuple(map(float, table.loc[name])) for name in LINES}


# `python -m benchmarks.coverage`: right intervals hold the truth in 93-95 % of reruns (least 50 of 60), so a
# check refuses them in under 1 of 100,000; those over frames in 41 %, each person alike in 41 %. Right ones
# are 0.94 to 1.07 times as wide as the reference's; no multiple of the spread keeps both limits in both
# situations.
HELD, NARROWER, WIDER = 44, 0.88, 1.35


def good(key, got, expected):
    """Is the interval right often enough and no wider than needed; does a line cost what it must?"""
    if key in SITUATIONS:
        return got[0] >= HELD and NARROWER <= got[1] / expected[1] <= WIDER
    if key == FIXED:
        return not got[1]
    mine, theirs = np.array(got[1], float), np.array(expected[1], float)
    if key == AROUND:
        ordered = (mine[:, 1] <= mine[:, 0] + 1e-9) & (mine[:, 0] <= mine[:, 2] + 1e-9)
        widths = np.array([_width(line) for line in mine])
        widths /= [_width(line) for line in theirs]
        # A line that costs something else has another width; that is held against the line, not here.
        alike = np.isclose(mine[:, 0], theirs[:, 0], rtol=0.3)
        given = alike & np.isin(LINES, GIVEN)
        # Right ones of given lines, 120 tables: 0.71 to 1.30, even with a hundred draws, new each time.
        near = ((widths > 0.6) & (widths < 1.6))[given].all()
        far = (widths[alike] < 0.25) | (widths[alike] > 4)
        return bool(ordered.all() and not got[0] and near and not far.any())
    if key in CHANCE:
        # 160 tables by logistic regression: 0.77 to 1.20, the limits 4 standard deviations off. A cut at one
        # half costs 1.32 to 3.4 times as much at the usual prices; balanced, 1.68 to 3.5 times at the others.
        return bool(not got[0] and 0.7 < mine[0] / theirs[0] < 1.3)
    return bool(np.allclose(mine, theirs, atol=1e-6))


def same(key, got, other):
    """Are two outcomes of one kind? Intervals: about as often right, and about as wide."""
    if key in SITUATIONS:
        return abs(got[0] - other[0]) <= 5 and 0.94 < got[1] / max(other[1], 1e-9) < 1.06
    if key == FIXED:
        return bool(got[1]) == bool(other[1])
    mine, theirs = np.array(got[1], float), np.array(other[1], float)
    if got[0] != other[0]:
        return False
    if got[0] and key not in CHANCE:
        return True
    if _lack(got) or _lack(other):
        return _lack(got) == _lack(other)
    near = 0.1 if key in CHANCE else 0.02
    return bool(np.allclose(mine, theirs, rtol=near, atol=1e-6, equal_nan=True))


def _lack(got):
    return set(
        np.flatnonzero(
            np.isnan(np.array(got[1], float)).reshape(len(got[1]), -1).any(axis=1)
        )
    )


def describe(key, got, expected):
    """Say what the intervals or the lines are instead."""
    if key == FIXED:
        return f"What the test's annotators said changes how you decide in: {', '.join(got[1])}."
    if key in SITUATIONS:
        if got[0] < HELD:
            return f"Of {RERUNS} intervals, {got[0]} hold the truth; about {0.95 * RERUNS:.0f} should."
        return f"The intervals are {got[1] / expected[1]:.1f} times as wide as 95 % needs."
    if key in CHANCE and got[0]:
        name = key.removeprefix("what the ").removesuffix(" costs")
        return f"The {name} does not go by the brow: where all brows are raised far up, it still backs off."
    if np.isnan(np.array(got[1], float)).any():
        return "A line of the ladder, or a number in it, is missing."
    if key == AROUND:
        return "A score lies outside its interval, or the intervals are far too narrow or too wide."
    pairs = (told_apart(*pair, 3) for pair in zip(got[1], expected[1], strict=True))
    mine, right = (" and ".join(side) for side in zip(*pairs, strict=True))
    return f"For {key} you have € {mine} a face, where € {right} is right."


def _over_frames(values, person):
    # What a bootstrap over frames comes to, without the drawing.
    reach = 1.96 * values.std() / np.sqrt(len(values))
    return values.mean() - reach, values.mean() + reach


def _people_weigh_the_same(values, person):
    means = pd.Series(values).groupby(person).mean()
    reach = 1.96 * means.std() / np.sqrt(len(means))
    return means.mean() - reach, means.mean() + reach


def _spread_of_people(values, person):
    return tuple(pd.Series(values).groupby(person).mean().quantile([0.025, 0.975]))


def _no_human(train, test, missed, needless):
    return ladder(train, test, missed, needless).drop("human")


def _changed(line, decide, around=interval):
    """Return the ladder with another decision in one line: decide(train, test) gives bool [n] or [n, k]."""

    def changed(train, test, missed, needless):
        lines = ladder(train, test, missed, needless)
        act = np.asarray(decide(train, test), bool).reshape(len(test), -1)
        angry = test["angry"].to_numpy()[:, None]
        costs = np.where(angry, missed * ~act, needless * act).mean(axis=1)
        lines.loc[line] = [costs.mean(), *around(costs, test["person"].to_numpy())]
        return lines

    return changed


def _votes(first):
    return [f"vote_{i}" for i in range(first, 6)]


def _all_votes(train, test):
    return test[_votes(0)]


def _crowd(train, test):
    return test[_votes(0)].mean(axis=1) >= 0.5


def _commoner(train, test):
    return np.zeros(len(test))


def _peeks(train, test, missed, needless):
    return ladder(test, test, missed, needless)


def _faces_drawn(train, test, missed, needless):
    lines = ladder(train, test, missed, needless)
    middle, half = lines["score"], (lines["high"] - lines["low"]) / 2
    act = {
        "constant": False,
        "prior": lines["score"]["prior"] != lines["score"]["constant"],
    }
    for name, everybody in act.items():
        costs = np.where(test["angry"], missed * (not everybody), needless * everybody)
        half[name] = 1.96 * costs.std() / np.sqrt(len(costs))
    return lines.assign(low=middle - half, high=middle + half)


def _high_brows(train, test):
    share = train["angry"].mean()
    return test["brow"] > train["brow"].quantile(1 - share)


def _linear(train, test):
    design = [np.column_stack([np.ones(len(t)), t[list(MEASURED)]]) for t in (train, test)]
    weights = np.linalg.lstsq(design[0], train["angry"].astype(float), rcond=None)[0]
    return design[1] @ weights >= 0.5


def _logistic(train, test, **settings):
    from sklearn.linear_model import LogisticRegression

    columns = list(MEASURED)
    model = LogisticRegression(**settings).fit(train[columns], train["angry"])
    return model.predict(test[columns])


def _logistic_balanced(train, test):
    return _logistic(train, test, class_weight="balanced")


def _leave_one_person_out(values, person):
    """The jackknife over people."""
    sums = pd.Series(values).groupby(person).agg(["sum", "size"])
    total = sums.sum()
    left = (total["sum"] - sums["sum"]) / (total["size"] - sums["size"])
    people = len(left)
    reach = 1.96 * np.sqrt((people - 1) / people * ((left - left.mean()) ** 2).sum())
    return values.mean() - reach, values.mean() + reach


def _robust(values, person):
    """A sandwich error of the mean, with the quantile of Student's t for so many people."""
    from scipy import stats

    _, row = np.unique(person, return_inverse=True)
    off = np.bincount(row, weights=values - values.mean())
    people = len(off)
    error = np.sqrt(people / (people - 1) * (off**2).sum()) / len(values)
    reach = stats.t.ppf(0.975, people - 1) * error
    return values.mean() - reach, values.mean() + reach


def _by_hand(values, person):
    """Draw people with replacement in a plain loop, a hundred times."""
    rng = np.random.default_rng(1)
    groups = [values[person == one] for one in np.unique(person)]
    means = []
    for _ in range(100):
        chosen = rng.integers(len(groups), size=len(groups))
        means.append(np.concatenate([groups[i] for i in chosen]).mean())
    return np.percentile(means, 2.5), np.percentile(means, 97.5)


def _ladder_by_probability(train, test, missed, needless):
    """Logistic regression, and the probability from which backing off pays."""
    from sklearn.linear_model import LogisticRegression

    pays_from = needless / (needless + missed)
    columns, angry = list(MEASURED), test["angry"].to_numpy()
    model = LogisticRegression().fit(train[columns], train["angry"])
    low_brow = LogisticRegression().fit(train[["brow"]], train["angry"])
    rules = {
        "human": test["vote_0"].to_numpy(),
        "linear": model.predict_proba(test[columns])[:, 1] > pays_from,
        "heuristic": low_brow.predict_proba(test[["brow"]])[:, 1] > pays_from,
        "prior": np.repeat(train["angry"].mean() > pays_from, len(test)),
        "constant": np.repeat(False, len(test)),
    }
    rows = []
    for act in rules.values():
        costs = missed * (angry & ~act) + needless * (act & ~angry)
        rows.append([costs.mean(), *_robust(costs, test["person"].to_numpy())])
    return pd.DataFrame(rows, columns=["score", "low", "high"], index=list(rules))


exercise = Exercise(
    title="The ladder of simple answers, with honest intervals",
    questions=("2.14",),
    points=4,
    minutes=12,
    reference=(interval, ladder),
    cases=cases,
    run=run,
    good=good,
    same=same,
    describe=describe,
    returns="`interval`: two numbers; `ladder`: a DataFrame with five lines and score, low, high",
    praise="Your intervals hold what they promise, and a new model now has five lines to be compared with, a"
    " person's among them.",
    right=(
        (_leave_one_person_out, _ladder_by_probability),
        (_robust, ladder),
        (_by_hand, ladder),
    ),
    mistakes=(
        Mistake(
            "bootstrap over frames",
            (_over_frames, ladder),
            "The interval treats every face as if it were another person: where people have many faces"
            " each, it is far too narrow.",
            "Forty faces of one person who always scowls: are these forty pieces of evidence, or one?",
        ),
        Mistake(
            "no human line",
            (interval, _no_human),
            "The ladder has no line for a person.",
            "A model costs € 0.13 a face: without knowing what a person costs, is that good or bad?",
        ),
        Mistake(
            "every person weighs the same",
            (_people_weigh_the_same, ladder),
            "The interval is one for the mean over people, though it was asked for the mean over faces:"
            " people who stay long are easier to read.",
            "Somebody with eighty faces and somebody with one: what does each weigh in a mean over faces?",
        ),
        Mistake(
            "the spread of people",
            (_spread_of_people, ladder),
            "The interval shows how far single people lie apart, not how sure their mean is.",
            "If you had a thousand times as many people, what would become of your interval?",
        ),
        Mistake(
            "faces drawn in the ladder",
            (interval, _faces_drawn),
            "The intervals of the ladder take every face for another person: they are too narrow.",
            "Your ladder has hundreds of faces: of how many people are they?",
        ),
        Mistake(
            "chosen on the test",
            (interval, _peeks),
            "Your rules decide otherwise when the test's annotators say the opposite: something in them is"
            " chosen on the test.",
            "In the lobby nobody tells the robot who is angry: from which table may it learn its threshold?",
        ),
        Mistake(
            "own vote inside the majority",
            (interval, _changed("human", _all_votes)),
            "The person's line includes annotators whose own vote is part of the majority they are held"
            " against.",
            "If you may help to choose the truth, how often will you be found right?",
        ),
        Mistake(
            "a crowd for a person",
            (interval, _changed("human", _crowd)),
            "The person's line is what most annotators said together, not what one person says.",
            "How many people stand beside the robot and decide for it?",
        ),
        Mistake(
            "the commoner answer",
            (interval, _changed("prior", _commoner)),
            "The prior picks the answer that is more common, not the one that costs less.",
            "If one face in eight is angry, what do eight faces cost when you carry on, and when you back"
            " off?",
        ),
        Mistake(
            "high brows",
            (interval, _changed("heuristic", _high_brows)),
            "The heuristic backs off from people whose brow is high.",
            "Which way does a brow move when somebody scowls?",
        ),
        *(
            Mistake(
                "cut at one half",
                (interval, _changed("linear", decide)),
                "The linear rule backs off from a score of 0.5, as if both errors cost the same.",
                "A miss costs sixteen times a needless back-off: from which probability does backing off"
                " pay?",
            )
            for decide in (_linear, _logistic)
        ),
        Mistake(
            "balanced instead of priced",
            (interval, _changed("linear", _logistic_balanced)),
            "The linear rule treats angry and calm as equally common and the prices play no part in it.",
            "If a needless back-off cost twice a miss, which of your decisions would change?",
        ),
    ),
    hints=(
        "What would be drawn anew if you ran the study again next month: faces, or people?",
        "For the interval, draw people with replacement and take all faces of each. It is fast with two"
        " numbers a person: the sum of the values and the number of faces. For the ladder, write down for"
        " each line which test faces the robot backs off from; costs and intervals then come from one"
        " loop.",
        "`sums = np.bincount(row, weights=values)`, `faces = np.bincount(row)`, draw people with"
        " `rng.integers(people, size=(300, people))`, divide the drawn sums by the drawn faces, take the"
        " 2.5 and 97.5 % quantiles. Prior: back off from everybody if share angry x missed > share calm x"
        " needless. Human: `vote_0` against `angry`.",
    ),
)
