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
        angry. The audit serves diagnosis only: audited faces are labelled by their votes,
        like all others.
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
    """Return 3,000 face rows and, per guideline, the chance that the skilled call each angry.

    Both are made once: which faces a collection holds and the votes on them are fresh in every check.
    """
    from course import crowd
    from course.faces import sample_faces

    mix, seed = (_READING_ROOM, 31) if misleading else (_LOBBY, 30)
    rng = np.random.default_rng(seed)
    bank = sample_faces(rng, 3000, mix=mix, intensity=0.95 if misleading else None)
    skilled = crowd.sample_annotators(
        rng, 20, skill_spread=0.05, bias_spread=0.1, fatigue=0.0
    )
    skilled["skill"] *= 1.3
    return bank, {rule: crowd.perceived_rate(bank, skilled, rule) for rule in ("v1", "v2")}


def _collection(rng, fault):
    """Return the inputs of one collection and, for each kind of vote, its chance to be angry, float [600]."""
    from course import crowd

    misleading = fault == "a guideline that misleads"
    bank, dear = _bank(misleading)
    drawn = rng.choice(len(bank), FACES, replace=False)
    faces = bank.iloc[drawn]
    number = np.sort(rng.choice(90_000, FACES, replace=False))
    crew = crowd.sample_annotators(
        rng, 20, spam=0.6 if fault == "careless annotators" else 0.0
    )
    # Who hardly looks mostly says calm, because most faces are.
    crew["spam_angry"] *= 0.85
    # A vague guideline leaves room for a bias that all share; the better one halves it.
    crew["bias"] += 1.8 * misleading
    crew["skill"] *= 0.9
    now = "v1" if misleading else "v2"
    cast = crowd.vote(rng, faces, crew, VOTES, guideline=now)
    cast = cast.assign(face=np.repeat(number, VOTES), angry=cast["vote"] == "angry")
    cheap = {rule: crowd.perceived_rate(faces, crew, rule) for rule in {now, "v2"}}
    truth = dear["v2"][drawn] > 0.5
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
            (rewrite, skilled): dear[rule][drawn] if skilled else cheap[rule]
            for rewrite, rule in ((False, now), (True, "v2"))
            for skilled in (False, True)
        },
        "audited": audited,
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


def _good_plan(world, remedy):
    """Return the new votes, int [600], of a good plan: the right remedy for the faces it can change most."""
    _, _, budget, prices = world["inputs"]
    rewrite, skilled = remedy
    price = prices["skilled vote" if skilled else "vote"]
    affordable = int((budget - rewrite * prices["guideline"]) / price)
    chosen = np.flatnonzero(world["old"] > 2 if rewrite else np.isin(world["old"], (2, 3)))
    more = np.zeros(FACES, dtype=int)
    more[chosen] = affordable // len(chosen)
    more[chosen[: affordable % len(chosen)]] += 1
    return more


# Over 130 seeds right answers mended at least 0.73 of what a good plan mends. Without the remedy that is
# needed it was at most 0.48; with it, but for no audited face or only for faces that nearly all call angry,
# at most 0.72 where the guideline misleads. A needless remedy reached 0.70 where votes are few.
LEAST = 0.71


def run(case, plan):
    """Carry the plan out on each collection: how many wrong labels does it mend, beside a good plan?"""
    could, did, plans = 0.0, 0.0, []
    remedy = _FAULTS[case.about]
    for world in case.hidden:
        votes, _, budget, prices = world["inputs"]
        rewrite, skilled, more = _plan(plan(*world["inputs"]), votes, budget, prices)
        nothing = _wrong(world, False, False, np.zeros(FACES, dtype=int))
        did += nothing - _wrong(world, rewrite, skilled, more)
        could += nothing - _wrong(world, *remedy, _good_plan(world, remedy))
        plans.append((rewrite, skilled, more))
    rewrites, skills, votes = (np.array(part) for part in zip(*plans, strict=True))
    facts = {
        "mended": did / could,
        "rewritten": rewrites.mean(),
        "skilled": skills.mean(),
        "asked": (votes > 0).sum(axis=1).mean(),
        "votes": votes.sum(axis=1).mean(),
    }
    right = facts["mended"] >= LEAST
    facts["kind"] = "right" if right else _kind(rewrites, skills, votes, case)
    return {f"labels are mended where the trouble is {case.about}": facts}


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
    if more.size and (
        more.dtype.kind not in "iuf" or (~(more >= 0) | (more % 1 > 0)).any()
    ):
        raise Unreadable("The values of `more` must be whole numbers, 0 or more.")
    cost = (
        rewrite * prices["guideline"]
        + more.sum() * prices["skilled vote" if skilled else "vote"]
    )
    if cost > budget + 1e-6:
        raise Unreadable(f"The plan costs € {cost:.2f}; the budget is € {budget:.2f}.")
    return bool(rewrite), bool(skilled), more.reindex(numbers, fill_value=0).to_numpy(int)


def _kind(rewrites, skills, votes, case):
    """Name what is wrong with all plans for one fault, or "" where none of these words fits them all.

    rewrites, skills: bool [collections]. votes: int [collections, faces], the new votes.
    """
    needs_rewrite, needs_skilled = _FAULTS[case.about]
    old = np.array([world["old"] for world in case.hidden])
    asked = votes > 0
    if not asked.any(axis=1).all():
        return ""
    if rewrites.all() and not needs_rewrite:
        return "needless guideline"
    if skills.all() and not needs_skilled:
        return "needless skilled"
    if np.sort(votes, axis=1)[:, -FACES // 20 :].sum() > 0.6 * votes.sum():
        return "few faces"
    if votes.min() > 0 and np.ptp(votes, axis=1).max() <= 1:
        return "all alike"
    if needs_rewrite and not rewrites.any():
        return "no guideline"
    if needs_skilled and not skills.any():
        return "no skilled"
    if not any(
        row[world["audited"]].any() for row, world in zip(asked, case.hidden, strict=True)
    ):
        return "audited left out"
    if needs_rewrite and rewrites.all() and np.isin(old[asked], (2, 3)).all():
        return "doubtful only"
    return ""


def describe(key, got, expected):
    """Say what the plans for this trouble do, and how much they mend of what could be."""
    guideline = {0: "keeps the guideline", 1: "rewrites the guideline"}
    kind = {0: "plain", 1: "skilled"}
    did = guideline.get(got["rewritten"], "rewrites the guideline in some collections")
    votes = f"{got['votes']:.0f} {kind.get(got['skilled'], 'plain or skilled')} votes"
    mended = f"{max(got['mended'], 0):.0%} of what a good plan mends"
    return (
        f"Where the trouble is {key.split('trouble is ')[1]}, your plan {did} and buys {votes} for about"
        f" {got['asked']:.0f} of {FACES} faces. It mends {mended}; asked for are {LEAST:.0%}."
    )


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
    left = budget - prices["guideline"]
    return True, False, _spread(share, share > 0.5, left, prices["vote"])


def _doubtful_after_rewrite(votes, audit, budget, prices):
    rewrite, skilled, more = plan(votes, audit, budget, prices)
    share = votes.groupby("face")["angry"].mean()
    if rewrite:
        left = budget - prices["guideline"]
        more = _spread(share, share.between(0.3, 0.7), left, prices["vote"])
    return rewrite, skilled, more


def _audited_left_out(votes, audit, budget, prices):
    rewrite, skilled, more = plan(votes, audit, budget, prices)
    return rewrite, skilled, _spread(more, ~more.index.isin(audit.index), more.sum(), 1)


def _same_annotators(votes, audit, budget, prices):
    rewrite, _, more = plan(
        votes, audit, budget, {**prices, "skilled vote": prices["vote"]}
    )
    return rewrite, False, more


def _everyone_skilled(votes, audit, budget, prices):
    share = votes.groupby("face")["angry"].mean()
    split = share.between(0.3, 0.7)
    return False, True, _spread(share, split, budget, prices["skilled vote"])


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
        some = angry.index[angry >= 2]
        return True, False, pd.Series(n // len(some), index=some)
    weight = np.minimum(angry, 5 - angry) ** 2
    if on_annotators > 0.005:
        mixed = weight[weight > 0].sample(frac=1, random_state=0)
        ranked = mixed.sort_values(ascending=False, kind="stable").index
        return (
            False,
            True,
            pd.Series(1, index=ranked[: int(budget / prices["skilled vote"])]),
        )
    return False, False, (budget / prices["vote"] * weight / weight.sum()).astype(int)


def _by_best_and_worst(votes, audit, budget, prices):
    """Even the best annotators err: the rule. Only the worst do: the annotators. Neither: more votes."""
    table = votes[votes["face"].isin(audit.index)]
    right = table["angry"] == audit.reindex(table["face"]).to_numpy()
    ordered = right.groupby(table["annotator"]).mean().sort_values()
    share = votes.groupby("face")["angry"].mean()
    if ordered.iloc[-5:].mean() < 0.81:
        left = budget - prices["guideline"]
        return True, False, _spread(share, share > 0.5, left, prices["vote"])
    if ordered.iloc[:5].mean() < 0.7:
        split = share.between(0.3, 0.7)
        return False, True, _spread(share, split, budget, prices["skilled vote"])
    return False, False, _spread(share, share.between(0.1, 0.9), budget, prices["vote"])


exercise = Exercise(
    title="Spend the labelling budget where it mends most",
    questions=("2.6",),
    points=4,
    minutes=12,
    reference=plan,
    cases=cases,
    run=run,
    good=lambda key, got, expected: got["mended"] >= LEAST,
    same=lambda key, got, other: got["kind"] == other["kind"] != "",
    describe=describe,
    returns="rewrite (bool), skilled (bool), and a Series of whole numbers with face numbers as its index",
    praise="You asked first why labels are wrong, and then bought the remedy for that.",
    right=(_by_variance, _by_best_and_worst),
    mistakes=(
        Mistake(
            "everything on a few doubtful faces",
            _few_doubtful_faces,
            "Most of the new votes go to one face in twenty.",
            "After the tenth vote on one face, what does the eleventh change?",
        ),
        Mistake(
            "the same votes for every face",
            _all_alike,
            "Every face gets as many new votes, though most labels are settled.",
            "How often will one more vote turn a label on which five people agree?",
        ),
        Mistake(
            "the guideline stays",
            _same_guideline,
            "The guideline is not rewritten where nearly everyone makes the same error.",
            "If all five read the rule and call a person who thinks angry, what will a sixth say?",
        ),
        Mistake(
            "always a new guideline",
            _always_rewrite,
            "The guideline is rewritten although it is not what misleads.",
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
            "New votes come from the same annotators where some of them hardly look.",
            "What share of each annotator's votes does the audit bear out?",
        ),
        Mistake(
            "always the skilled",
            _everyone_skilled,
            "The dear skilled votes are bought where careless annotators are not the trouble.",
            "If the annotators are good and only few, how many plain votes does one skilled vote cost?",
        ),
        Mistake(
            "audited faces left out",
            _audited_left_out,
            "No audited face gets a new vote, though audited faces too are labelled by their votes.",
            "Two faces in five are audited: what becomes of their wrong labels?",
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
