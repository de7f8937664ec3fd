"""Where the next euro of labelling goes: more votes, a better guideline, or other annotators."""

import functools

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable
from course.scenario import VOTE_PRICE

FACES, VOTES, AUDITED = 600, 5, 240


def plan(votes, audit, budget, prices):
    """Spend a labelling budget so that as few labels as possible stay wrong.

    votes: DataFrame, one row per vote, columns face (int), annotator (int), angry (bool).
        Each of 600 faces has five votes; the label is what most of them say.
    audit: Series of bool, index the numbers of 240 faces drawn at random: True where those
        who wrote the guideline agree, after discussion, that the face should be labelled
        angry.
    budget: float, euros.
    prices: dict of floats in euros: "vote" (one vote of the same annotators), "skilled
        vote" (one of skilled annotators), "guideline" (rewriting it with examples, so that
        it says what is meant).

    Returns (rewrite, skilled, more): bool, whether to rewrite the guideline; bool, whether
    the new votes come from the skilled; Series of int, index face numbers, how many new
    votes each gets (others get none). Under a new guideline or by the skilled, a face's new
    votes replace its old ones; otherwise they are added. A tie is decided by a toss.
    Everything together must not cost more than the budget.
    """
    share = votes.groupby("face")["angry"].mean()
    clear = share[audit.index][(share[audit.index] - 0.5).abs() > 0.25]
    checked = votes[votes["face"].isin(audit.index)]
    right = checked["angry"] == checked["face"].map(audit)
    by_annotator = right.groupby(checked["annotator"]).mean()

    # Where a clear majority errs, the rule is to blame; where some annotators err far more, they are.
    rewrite = bool(((clear > 0.5) != audit[clear.index]).mean() > 0.2)
    skilled = not rewrite and by_annotator.min() < 0.65
    chosen = share.index[share > 0.5] if rewrite else share.index[share.between(0.3, 0.7)]
    price = prices["skilled vote" if skilled else "vote"]
    affordable = int((budget - rewrite * prices["guideline"]) / price)
    more = pd.Series(affordable // len(chosen), index=chosen)
    more.iloc[: affordable % len(chosen)] += 1
    return rewrite, skilled, more


def cases(rng):
    """Three ways in which labels go wrong, three collections of each."""
    for fault in rng.permutation(list(_FAULTS)):
        yield Case(hidden=[_collection(rng, fault) for _ in range(3)], about=str(fault))


# What is wrong with the labels, and the plan that mends it: (rewrite, skilled).
_FAULTS = {
    "few votes": (False, False),
    "a guideline that misleads": (True, False),
    "careless annotators": (False, True),
}
_LOBBY = {
    "anger_closed": 0.18,
    "anger_open": 0.15,
    "concentrating": 0.15,
    "squinting": 0.06,
    "disgust": 0.06,
    "shouting": 0.05,
    "sadness": 0.1,
    "neutral": 0.2,
    "happiness": 0.05,
}
_READING_ROOM = {
    "anger_closed": 0.12,
    "anger_open": 0.08,
    "concentrating": 0.45,
    "squinting": 0.12,
    "disgust": 0.08,
    "sadness": 0.05,
    "neutral": 0.1,
}


@functools.cache
def _bank(misleading):
    """Return 3,000 face rows, sampled once: votes on them are fresh in every check."""
    from course.faces import sample_faces

    if misleading:
        return sample_faces(
            np.random.default_rng(31), 3000, mix=_READING_ROOM, intensity=0.95
        )
    return sample_faces(np.random.default_rng(30), 3000, mix=_LOBBY)


def _collection(rng, fault):
    """Return the inputs of one collection and, for each kind of vote, its chance to be angry, float [600]."""
    from course import crowd

    misleading = fault == "a guideline that misleads"
    bank = _bank(misleading)
    faces = bank.iloc[rng.choice(len(bank), FACES, replace=False)]
    number = np.sort(rng.permutation(90_000)[:FACES])
    crew = crowd.sample_annotators(
        rng, 20, spam=0.6 if fault == "careless annotators" else 0.0
    )
    # Who hardly looks mostly says calm, because most faces are.
    crew["spam_angry"] *= 0.7
    # A vague guideline leaves room for a bias that all share; the better one halves it.
    crew["bias"] += 1.8 * misleading
    crew["skill"] *= 0.9
    skilled = crowd.sample_annotators(
        rng, 20, skill_spread=0.05, bias_spread=0.1, fatigue=0.0
    )
    skilled["skill"] *= 1.3
    now = "v1" if misleading else "v2"
    cast = crowd.vote(rng, faces, crew, VOTES, guideline=now)
    cast = cast.assign(face=np.repeat(number, VOTES), angry=cast["vote"] == "angry")
    rules = dict.fromkeys((now, "v2"))
    said = {
        (rule, dear): crowd.perceived_rate(faces, (crew, skilled)[dear], rule)
        for rule in rules
        for dear in (0, 1)
    }
    truth = said["v2", 1] > 0.5
    audited = np.sort(rng.permutation(FACES)[:AUDITED])
    share = rng.uniform(0.97, 1.03)
    prices = {"vote": VOTE_PRICE, "skilled vote": 0.6, "guideline": 130.0}
    return {
        "inputs": (
            cast[["face", "annotator", "angry"]],
            pd.Series(truth[audited], index=pd.Index(number[audited], name="face")),
            round(180 * share, 2),
            prices,
        ),
        "truth": truth,
        "old": cast["angry"].to_numpy().reshape(-1, VOTES).sum(axis=1),
        "chance": {
            (rewrite, dear): said["v2" if rewrite else now, dear]
            for rewrite in (False, True)
            for dear in (False, True)
        },
    }


def _wrong(world, rewrite, skilled, more):
    """Return how many labels are wrong, on average over the new votes. more: int [600]."""
    from scipy.special import bdtr

    replaced = (more > 0) & (rewrite or skilled)
    old, n = np.where(replaced, 0, world["old"]), np.where(replaced, 0, VOTES) + more
    chance = world["chance"][rewrite, skilled]

    def at_most(k):
        """Return the chance that at most k new votes say angry."""
        return np.where(k < 0, 0.0, bdtr(np.clip(k, 0, more), more, chance))

    # Angry when more than half say so, by a toss when exactly half do.
    calm = (at_most(np.floor(n / 2) - old) + at_most(np.ceil(n / 2) - 1 - old)) / 2
    return float(np.where(world["truth"], calm, 1 - calm).sum())


def _least(world, remedy):
    """Return the fewest wrong labels that the right remedy leaves, over four ways to choose the faces."""
    _, _, budget, prices = world["inputs"]
    rewrite, skilled = remedy
    price = prices["skilled vote" if skilled else "vote"]
    affordable = int((budget - rewrite * prices["guideline"]) / price)
    angry = world["old"]
    wrong = []
    for chosen in (
        abs(angry - 2.5) < 1,
        (angry > 0) & (angry < VOTES),
        angry > 2,
        angry > 1,
    ):
        more = np.where(chosen, affordable // chosen.sum(), 0)
        more[np.flatnonzero(chosen)[: affordable % chosen.sum()]] += 1
        wrong.append(_wrong(world, rewrite, skilled, more))
    return min(wrong)


def run(case, plan):
    """Carry the plan out on each collection: how many wrong labels does it mend, of those it could?"""
    could, did, plans = 0.0, 0.0, []
    for world in case.hidden:
        votes, _, budget, prices = world["inputs"]
        rewrite, skilled, more = _plan(plan(*world["inputs"]), votes, budget, prices)
        nothing = _wrong(world, False, False, np.zeros(FACES, dtype=int))
        did += nothing - _wrong(world, rewrite, skilled, more)
        could += nothing - _least(world, _FAULTS[case.about])
        plans.append((rewrite, skilled, more))
    return {
        f"labels are mended where the trouble is {case.about}": (
            did / could,
            _kind(plans, case),
        )
    }


def _plan(output, votes, budget, prices):
    """Return (rewrite, skilled, new votes for each face, int [600]), or say what is wrong with the output."""
    try:
        rewrite, skilled, more = output
        more = pd.Series(more)
    except (TypeError, ValueError):
        raise Unreadable(
            "`plan` must return three things: rewrite, skilled, more."
        ) from None
    if not all(isinstance(choice, (bool, np.bool_)) for choice in (rewrite, skilled)):
        raise Unreadable(
            f"rewrite and skilled must be True or False, not {rewrite!r} and {skilled!r}."
        )
    numbers = votes["face"].unique()
    if more.index.has_duplicates or not set(more.index) <= set(numbers):
        raise Unreadable(
            "The index of `more` must hold face numbers out of `votes`, each at most once."
        )
    if more.dtype.kind not in "iuf" or not (more >= 0).all() or (more % 1).any():
        raise Unreadable("The values of `more` must be whole numbers, 0 or more.")
    cost = (
        rewrite * prices["guideline"]
        + more.sum() * prices["skilled vote" if skilled else "vote"]
    )
    if cost > budget + 1e-6:
        raise Unreadable(f"The plan costs € {cost:.2f}; the budget is € {budget:.2f}.")
    return bool(rewrite), bool(skilled), more.reindex(numbers, fill_value=0).to_numpy(int)


def _kind(plans, case):
    """Say in a word what is characteristic of the plans for one fault."""
    rewrite, skilled = (
        bool(np.mean(choices) > 0.5) for choices in list(zip(*plans, strict=True))[:2]
    )
    votes = np.array([more for _, _, more in plans])
    if not votes.any():
        return "nothing"
    if np.sort(votes, axis=1)[:, -FACES // 20 :].sum() > 0.6 * votes.sum():
        return "few faces"
    needs_rewrite, needs_skilled = _FAULTS[case.about]
    if votes.all() and not rewrite and not skilled:
        return "all alike"
    if rewrite != needs_rewrite or skilled != needs_skilled:
        return f"rewrite {rewrite}" if rewrite != needs_rewrite else f"skilled {skilled}"
    clearly_angry = np.array([world["old"] >= VOTES - 1 for world in case.hidden])
    return (
        "doubtful only" if rewrite and (votes[clearly_angry] > 0).mean() < 0.5 else "chosen"
    )


# Over 60 seeds right answers mended at least 0.78, and plans without the remedy that is needed at most 0.39;
# needless skilled votes or a needless guideline reached 0.66 where votes are few, but fail elsewhere.
LEAST = 0.62


def describe(key, got, expected):
    """Say how much was mended, of what could be."""
    mended = (
        f"mends {got[0]:.0%} of the wrong labels that this money can mend"
        if got[0] > 0
        else "mends nothing"
    )
    trouble = key.split("trouble is ")[1]
    return f"Where the trouble is {trouble}, your plan {mended}; asked for is {LEAST:.0%}."


def _spread(angry_share, chosen, euros, price):
    """Give each chosen face as many votes as the money allows."""
    faces = angry_share.index[chosen]
    more = pd.Series(int(euros / price) // len(faces), index=faces)
    more.iloc[: int(euros / price) % len(faces)] += 1
    return more


def _few_doubtful_faces(votes, audit, budget, prices):
    share = votes.groupby("face")["angry"].mean()
    doubtful = (share - 0.5).abs().sort_values(kind="stable").index[:20]
    return False, False, pd.Series(int(budget / prices["vote"]) // 20, index=doubtful)


def _same_guideline(votes, audit, budget, prices):
    _, skilled, _ = plan(votes, audit, budget, prices)
    share = votes.groupby("face")["angry"].mean()
    price = prices["skilled vote" if skilled else "vote"]
    return False, skilled, _spread(share, share.between(0.3, 0.7), budget, price)


def _always_rewrite(votes, audit, budget, prices):
    share = votes.groupby("face")["angry"].mean()
    return (
        True,
        False,
        _spread(share, share > 0.5, budget - prices["guideline"], prices["vote"]),
    )


def _doubtful_after_rewrite(votes, audit, budget, prices):
    rewrite, skilled, more = plan(votes, audit, budget, prices)
    share = votes.groupby("face")["angry"].mean()
    if rewrite:
        more = _spread(
            share, share.between(0.3, 0.7), budget - prices["guideline"], prices["vote"]
        )
    return rewrite, skilled, more


def _same_annotators(votes, audit, budget, prices):
    rewrite, _, more = plan(
        votes, audit, budget, {**prices, "skilled vote": prices["vote"]}
    )
    return rewrite, False, more


def _everyone_skilled(votes, audit, budget, prices):
    share = votes.groupby("face")["angry"].mean()
    return (
        False,
        True,
        _spread(share, share.between(0.3, 0.7), budget, prices["skilled vote"]),
    )


def _all_alike(votes, audit, budget, prices):
    share = votes.groupby("face")["angry"].mean()
    return False, False, _spread(share, share >= 0, budget, prices["vote"])


def _by_variance(votes, audit, budget, prices):
    """Do wrong votes pile up on faces, on annotators, or on neither?"""
    wrong = votes[votes["face"].isin(audit.index)].copy()
    wrong["error"] = wrong["angry"] != wrong["face"].map(audit)
    rate = wrong["error"].mean()
    by_annotator = wrong.groupby("annotator")["error"].agg(["mean", "size"])
    on_annotators = (
        by_annotator["mean"].var() - rate * (1 - rate) / by_annotator["size"].mean()
    )
    angry = votes.groupby("face")["angry"].sum()
    all_wrong = (wrong.groupby("face")["error"].sum() >= 4).mean()
    if all_wrong > 0.17:
        n = int((budget - prices["guideline"]) / prices["vote"])
        return (
            True,
            False,
            (angry >= 2).loc[lambda some: some].astype(int) * (n // (angry >= 2).sum()),
        )
    weight = np.minimum(angry, 5 - angry) ** 2
    if on_annotators > 0.005:
        ranked = (
            weight[weight > 0]
            .sample(frac=1, random_state=0)
            .sort_values(ascending=False, kind="stable")
        )
        return (
            False,
            True,
            pd.Series(1, index=ranked.index[: int(budget / prices["skilled vote"])]),
        )
    return False, False, (budget / prices["vote"] * weight / weight.sum()).astype(int)


def _by_best_and_worst(votes, audit, budget, prices):
    """Even the best annotators err: the rule. Only the worst do: the annotators. Neither: more votes."""
    table = votes[votes["face"].isin(audit.index)]
    right = (
        (table["angry"] == audit.reindex(table["face"]).to_numpy())
        .groupby(table["annotator"])
        .mean()
    )
    ordered = right.sort_values()
    share = votes.groupby("face")["angry"].mean()
    if ordered.iloc[-5:].mean() < 0.81:
        return (
            True,
            False,
            _spread(share, share > 0.5, budget - prices["guideline"], prices["vote"]),
        )
    if ordered.iloc[:5].mean() < 0.7:
        return (
            False,
            True,
            _spread(share, share.between(0.3, 0.7), budget, prices["skilled vote"]),
        )
    return False, False, _spread(share, share.between(0.1, 0.9), budget, prices["vote"])


exercise = Exercise(
    title="Spend the labelling budget where it mends most",
    questions=("2.6",),
    points=4,
    minutes=12,
    reference=plan,
    cases=cases,
    run=run,
    good=lambda key, got, expected: got[0] >= LEAST,
    same=lambda key, got, other: got[1] == other[1],
    describe=describe,
    returns="rewrite (bool), skilled (bool), and a Series of whole numbers with face numbers as its index",
    praise="You asked first why labels are wrong, and then bought the remedy for that.",
    right=(_by_variance, _by_best_and_worst),
    mistakes=(
        Mistake(
            "everything on a few doubtful faces",
            _few_doubtful_faces,
            "Most of the money goes to a few faces on which people are split.",
            "After the tenth vote on one face, what does the eleventh change?",
        ),
        Mistake(
            "the same votes for every face",
            _all_alike,
            "Every face gets as many new votes, though most labels are settled and no cause was looked for.",
            "How often will one more vote turn a label on which five people agree?",
        ),
        Mistake(
            "the guideline stays",
            _same_guideline,
            "The guideline is never rewritten, even where nearly everyone makes the same error.",
            "If all five read the rule and call a person who thinks angry, what will a sixth say?",
        ),
        Mistake(
            "always a new guideline",
            _always_rewrite,
            "The guideline is rewritten whether or not it is what misleads.",
            "On the audited faces, do clear majorities err, or only narrow ones?",
        ),
        Mistake(
            "only doubtful faces under the new rule",
            _doubtful_after_rewrite,
            "After the rewrite only faces with split votes are asked again, though the old rule also misled"
            " clear majorities.",
            "Which labels may change when the rule changes, and are those the ones people were split on?",
        ),
        Mistake(
            "the same annotators",
            _same_annotators,
            "New votes come from the same annotators, though some of them hardly look.",
            "What share of each annotator's votes does the audit bear out?",
        ),
        Mistake(
            "always the skilled",
            _everyone_skilled,
            "The dear skilled votes are bought where plain votes would do as well.",
            "If the annotators are good and only few, how many plain votes does one skilled vote cost?",
        ),
    ),
    hints=(
        "The audit says which labels are wrong. Look where the wrong votes pile up: on some faces, on some"
        " annotators, or on neither?",
        "When clear majorities (4 or 5 of 5) are often wrong, votes cannot mend it: the guideline must. When"
        " some annotators are right far less often than others, other annotators must. Else buy votes, for"
        " faces whose label is in doubt.",
        "`share = votes.groupby('face')['angry'].mean()`. Rewrite when over a fifth of the clear majorities"
        " on audited faces are wrong (then ask again about faces labelled angry); hire the skilled when the"
        " worst annotator is right in under 65 %; spread the votes over faces with 2 or 3 of 5.",
    ),
)
