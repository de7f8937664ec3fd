"""How many votes make a label, and what may the label claim about the person?"""

import functools

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable
from course.scenario import VOTE_PRICE

SHARE = 0.6
COLUMNS = {"felt": "self_report", "shown": "scowl", "perceived": "panel"}


def label_rule(pilot, prices):
    """Choose how many votes to buy for each face, and how many must say angry.

    pilot: DataFrame of bool, one row per face, 25 columns: the votes of 25 different
        annotators, True for angry. Already paid. The right label of a face is what most of
        the 25 say.
    prices: dict of floats in euros: "vote" (one vote on one face), "false angry" (what a
        face labelled angry costs later if it should be calm), "missed angry" (the reverse).

    Returns (votes, least), two ints, 1 <= least <= votes <= 11. Thousands of fresh faces of
    the same kind will get `votes` votes each and be labelled angry when at least `least` of
    them say so. Votes and errors together should cost as little as possible.
    """
    angry = pilot.to_numpy()
    truth = angry.mean(axis=1) > 0.5

    def euros_per_face(rule):
        votes, least = rule
        label = angry[:, :votes].sum(axis=1) >= least
        euros = prices["vote"] * votes
        euros += prices["false angry"] * (label & ~truth).mean()
        return euros + prices["missed angry"] * (~label & truth).mean()

    rules = [(votes, least) for votes in range(1, 12) for least in range(1, votes + 1)]
    return min(rules, key=euros_per_face)


def claim(study):
    """Decide what the label "angry" may claim about the people in one place.

    study: DataFrame, one row per person, columns
        votes (int), votes_angry (int): the votes behind the label;
        label (str): "angry" when most of them said angry, else "calm";
        self_report (bool): the person says that they felt anger in that moment;
        scowl (bool): a trained coder found lowered brows, whatever the reason;
        panel (bool): most of fifteen other annotators, hired in the same way, say angry.

    Returns a list of what the label may claim here, out of "felt" (self_report), "shown"
    (scowl) and "perceived" (panel): that which holds for at least 6 in 10 people labelled
    angry. It may be empty.
    """
    angry = study[study["label"] == "angry"]
    column = {"felt": "self_report", "shown": "scowl", "perceived": "panel"}
    return [name for name in column if angry[column[name]].mean() >= 0.6]


def cases(rng):
    """Four labelling campaigns with prices of their own, and five places to study."""
    pilot, fresh = _campaign(rng)
    for about, false_angry, missed_angry in (
        ("errors cost little", 11, 11),
        ("errors cost much", 100, 100),
        ("a false angry label costs most", 240, 30),
        ("a missed angry face costs most", 16, 160),
    ):
        errors = np.round(
            rng.uniform(0.93, 1.07) * np.array([false_angry, missed_angry]), 2
        ).tolist()
        prices = dict(
            zip(("vote", "false angry", "missed angry"), (VOTE_PRICE, *errors), strict=True)
        )
        yield Case((pilot, prices), hidden=fresh, about=about)
    yield Case(hidden=[_people(rng, _PLACES[k]) for k in rng.permutation(len(_PLACES))])


@functools.cache
def _bank():
    """Return 8,500 face rows, sampled once (votes on them are fresh in every check), and study weights."""
    from course import crowd
    from course.faces import sample_faces

    faces = sample_faces(np.random.default_rng(20), 8_500)
    # A study looks for angry faces, or it would need ten times as many people.
    weights = 0.2 + crowd.perceived_rate(faces)
    return faces, weights / weights.sum()


def _votes(rng, faces, annotators, votes):
    """Return the votes, bool [faces, votes], True for angry; all on one face by different annotators."""
    from course import crowd

    cast = crowd.vote(rng, faces, annotators, votes)["vote"]
    return (cast == "angry").to_numpy().reshape(len(faces), votes)


def _campaign(rng):
    """Return a pilot of 4,500 faces, and which share of 4,000 others is calm, angry, with 0 to 24 votes."""
    from course import crowd

    bank, _ = _bank()
    annotators = crowd.sample_annotators(rng, 30)
    rows = rng.permutation(len(bank))
    pilot = pd.DataFrame(_votes(rng, bank.iloc[rows[:4500]], annotators, 25)).add_prefix(
        "vote_"
    )
    rest = bank.iloc[rows[4500:]]
    counts = _votes(rng, rest, annotators, 24).sum(axis=1)
    truth = crowd.perceived_rate(rest, annotators) > 0.5
    return pilot, [
        np.bincount(counts[truth == kind], minlength=25) / len(rest)
        for kind in (False, True)
    ]


# The context (of `course.crowd`, or an open quarrel) and who votes: in the fourth place annotators were
# primed to see anger (a shift of their thresholds, in log-odds); in the fifth one careless vote decides.
_PLACES = (
    {"context": "lobby"},
    {"context": "reading_room"},
    {"context": "quarrel"},
    {"context": "lobby", "bias": 5.0},
    {"context": "lobby", "votes": 1, "spam": 0.6},
)


def _felt(rng, faces, context):
    """Return who feels anger, bool [n], by Bayes' rule from whether the face scowls."""
    from course import crowd

    if context != "quarrel":
        return crowd.sample_felt(rng, faces, context)
    # In a quarrel: share who feel anger, who scowl when they do, and when they do not. Our choice.
    felt, with_anger, without = 0.35, 0.92, 0.01
    scowl = crowd.shows_scowl(faces)
    odds = (
        np.where(scowl, with_anger / without, (1 - with_anger) / (1 - without))
        * felt
        / (1 - felt)
    )
    return rng.random(len(faces)) < odds / (1 + odds)


def _people(rng, place, n=1600):
    """Return the study columns for people of one place."""
    from course import crowd

    bank, weights = _bank()
    votes = place.get("votes", 11)
    annotators = crowd.sample_annotators(rng, 30, spam=place.get("spam", 0.0))
    annotators["bias"] += place.get("bias", 0.0)
    faces = bank.iloc[rng.choice(len(bank), n, replace=False, p=weights)]
    angry = _votes(rng, faces, annotators, votes + 15)
    votes_angry = angry[:, :votes].sum(axis=1)
    return pd.DataFrame(
        {
            "votes": votes,
            "votes_angry": votes_angry,
            "label": np.where(votes_angry > votes / 2, "angry", "calm"),
            "self_report": _felt(rng, faces, place["context"]),
            "scowl": crowd.shows_scowl(faces),
            "panel": angry[:, votes:].sum(axis=1) > 7,
        }
    )


def run(case, rule, claim):
    """Label fresh faces by the rule and count the euros; or hold the claims against fresh people."""
    if case.about:
        bill = _bill(rule(*case.inputs), case.inputs[1], case.hidden)
        return {f"the rule when {case.about}": bill | {"about": case.about}}
    made, true = [], []
    for people in case.hidden:
        study, fresh = people.iloc[::2].reset_index(drop=True), people.iloc[1::2]
        made.append(_named(claim(study)))
        fresh = fresh[fresh["label"] == "angry"]
        true.append(
            {name for name, column in COLUMNS.items() if fresh[column].mean() >= SHARE}
        )
    return {f"where the label says what is {name}": (name, made, true) for name in COLUMNS}


def _named(claims):
    """Return the claims as a set, or say what is wrong with the output."""
    listed = isinstance(claims, (list, tuple, set)) and all(
        isinstance(name, str) for name in claims
    )
    if not listed or not set(claims) <= set(COLUMNS):
        raise Unreadable(
            f"`claim` must return a list out of {', '.join(COLUMNS)}, not {claims!r}."
        )
    return set(claims)


def _bill(output, prices, fresh):
    """Return what a rule costs on the fresh faces, beside the cheapest rule for them."""
    votes, least = output if np.shape(output) == (2,) else (0, 0)
    if (votes, least) not in _chances():
        raise Unreadable(
            f"`label_rule` must return (votes, least) with 1 <= least <= votes <= 11, not {output!r}."
        )
    # Euros a face for votes, false and missed angry labels; exact over every choice of `votes` out of 24.
    calm, angry = fresh
    unit = prices["vote"], prices["false angry"], prices["missed angry"]
    bills = {
        rule: (
            unit[0] * rule[0],
            unit[1] * float(calm @ chance),
            unit[2] * float(angry @ (1 - chance)),
        )
        for rule, chance in _chances().items()
    }
    cheapest = min(map(sum, bills.values()))
    return {
        "votes": int(votes),
        "least": int(least),
        "parts": bills[votes, least],
        "cheapest": cheapest,
    }


@functools.cache
def _chances():
    """Return for each (votes, least) the chance of the label angry, [25], by how many of 24 say angry."""
    from scipy.stats import hypergeom

    rules = [(votes, least) for votes in range(1, 12) for least in range(1, votes + 1)]
    return {
        (votes, least): hypergeom.sf(least - 1, 24, np.arange(25), votes)
        for votes, least in rules
    }


def good(key, got, expected):
    """Accept a claim that holds, and a rule that costs little more than the cheapest."""
    if isinstance(got, tuple):
        name, made, true = got
        return [name in claims for claims in made] == [name in claims for claims in true]
    # Over 150 seeds right rules cost at most 1.29 times the cheapest; one vote at least 1.77 (errors cost
    # much), ties 3.2 (false angry), a plain majority 1.63 (missed angry), many votes 1.69 (little).
    return sum(got["parts"]) <= 1.42 * got["cheapest"]


def same(key, got, other):
    """Compare all the claims made, or the kinds of two rules."""
    return got[1] == other[1] if isinstance(got, tuple) else _kind(got) == _kind(other)


def _kind(rule):
    """Return in which way a rule is simple, and whether its votes alone cost more than they can save."""
    votes, least = rule["votes"], rule["least"]
    overpaid = rule["parts"][0] > rule["cheapest"]
    if votes == 1 or 2 * least == votes:
        return "one vote" if votes == 1 else "a tie is angry", overpaid
    return "majority" if least == votes // 2 + 1 else (votes, least), overpaid


def describe(key, got, expected):
    """Say what the rule costs and why, or which claim is off."""
    if isinstance(got, tuple):
        name, made, true = got
        claimed, holds = (
            sum(name in claims for claims in places) for places in (made, true)
        )
        return f"{name!r} is claimed in {claimed} of {len(made)} places; the label bears it out in {holds}."
    votes, wrong, missed = got["parts"]
    return (
        f"When {got['about']}, {got['votes']} votes of which {got['least']} must say angry come to"
        f" € {votes + wrong + missed:.2f} a face (votes {votes:.2f}, false angry labels {wrong:.2f}, missed"
        f" faces {missed:.2f}); € {got['cheapest']:.2f} is possible."
    )


def _one_vote(pilot, prices):
    return 1, 1


def _tie_is_angry(pilot, prices):
    return 4, 2


def _many_votes(pilot, prices):
    return 11, 6


def _plain_majority(pilot, prices):
    mean = (prices["false angry"] + prices["missed angry"]) / 2
    votes, _ = label_rule(pilot, {**prices, "false angry": mean, "missed angry": mean})
    return votes | 1, (votes | 1) // 2 + 1


def _perceived_is_felt(study):
    return [*claim(study), "felt"] if "perceived" in claim(study) else claim(study)


def _agreement_is_validity(study):
    majority = np.maximum(study["votes_angry"], study["votes"] - study["votes_angry"])
    return list(COLUMNS) if (majority / study["votes"]).mean() >= SHARE else []


def _everybody_counts(study):
    angry = study["label"] == "angry"
    return [
        name for name, column in COLUMNS.items() if (angry == study[column]).mean() >= SHARE
    ]


def _turned_round(study):
    angry = study["label"] == "angry"
    return [
        name for name, column in COLUMNS.items() if angry[study[column]].mean() >= SHARE
    ]


def _always_perceived(study):
    return ["perceived"]


def _by_chances(pilot, prices):
    """Every choice of votes from a face's 25, by the hypergeometric distribution."""
    from scipy.stats import hypergeom

    counts = pilot.sum(axis=1).to_numpy()
    truth = counts > 12
    costs = {}
    for votes in range(1, 12):
        for least in range(1, votes + 1):
            says = hypergeom.sf(least - 1, 25, np.arange(26), votes)[counts]
            errors = np.where(
                truth, prices["missed angry"] * (1 - says), prices["false angry"] * says
            )
            costs[votes, least] = prices["vote"] * votes + errors.mean()
    return min(costs, key=costs.get)


def _all_at_once(pilot, prices):
    """Every rule in one table: rows the number of votes, columns how many must say angry."""
    counts = pilot.sample(frac=1, axis=1, random_state=0).to_numpy().cumsum(axis=1)
    truth = (counts[:, -1] >= 13)[:, None, None]
    says = counts[:, :11, None] >= np.arange(1, 12)
    euros = prices["false angry"] * (says & ~truth).mean(axis=0)
    euros += prices["missed angry"] * (~says & truth).mean(axis=0)
    euros += prices["vote"] * np.arange(1, 12)[:, None]
    euros[np.triu_indices(11, k=1)] = np.inf
    best = np.unravel_index(euros.argmin(), euros.shape)
    return tuple(int(k) + 1 for k in best)


def _by_groups(study):
    shares = study.groupby("label")[["self_report", "scowl", "panel"]].mean().loc["angry"]
    names = ("felt", "shown", "perceived")
    return {name for name, share in zip(names, shares, strict=True) if share > 0.6}


def _from_the_votes(study):
    said = study[2 * study["votes_angry"] > study["votes"]]
    shares = (
        said[["self_report", "scowl", "panel"]]
        .mean()
        .set_axis(["felt", "shown", "perceived"])
    )
    return shares[shares >= 0.6].index.tolist()


exercise = Exercise(
    title="From votes to a label, and what it may claim",
    questions=("2.3",),
    points=4,
    minutes=12,
    reference=(label_rule, claim),
    repeatable=True,
    cases=cases,
    run=run,
    good=good,
    same=same,
    describe=describe,
    returns="two whole numbers (votes, least) from label_rule, a list of claims from claim",
    praise="You buy the votes that pay for themselves, and claim what the study bears out, no more.",
    right=((_by_chances, _by_groups), (_all_at_once, _from_the_votes)),
    mistakes=(
        Mistake(
            "one vote",
            (_one_vote, claim),
            "One annotator decides; of the faces that a single vote calls angry, little more than half would"
            " be called so by most others.",
            "What does the pilot say: how often do the other 24 back up the first vote?",
        ),
        Mistake(
            "a tie is angry",
            (_tie_is_angry, claim),
            "A tie counts as angry, so half of the votes are enough.",
            "Most faces are calm: which of the two errors do ties mostly make?",
        ),
        Mistake(
            "as many votes as possible",
            (_many_votes, claim),
            "You buy votes without weighing them: where errors cost little, the votes cost more than the"
            " errors that they avoid.",
            "What does one more vote cost, and what does it save?",
        ),
        Mistake(
            "majority whatever errors cost",
            (_plain_majority, claim),
            "More than half of the votes decide, whichever of the two errors is the dear one.",
            "If a false angry label costs eight times as much as a missed face, how sure do you want to be?",
        ),
        Mistake(
            "perceived is felt",
            (label_rule, _perceived_is_felt),
            "Where other people see anger too, you let the label say that anger was felt.",
            "How many of the people labelled angry say themselves that they were?",
        ),
        Mistake(
            "agreement is validity",
            (label_rule, _agreement_is_validity),
            "Wherever the votes agree with one another, you let the label claim everything.",
            "If all annotators share one bias, do they agree less?",
        ),
        Mistake(
            "calm people counted in",
            (label_rule, _everybody_counts),
            "You count everybody for whom label and column say the same, and most of those are calm.",
            "If a label said calm for everyone, how often would it agree with the self-reports?",
        ),
        Mistake(
            "the condition turned round",
            (label_rule, _turned_round),
            "You count how many of the angry get the label; asked is how many with the label are angry.",
            "Which people do you divide by: those with the label, or those with the feeling?",
        ),
        Mistake(
            "perceived, always",
            (label_rule, _always_perceived),
            "You claim what is perceived and nothing else, whatever the study says.",
            "Is there a place in this world where the label says more, or not even that?",
        ),
    ),
    hints=(
        "Try every rule on the pilot as if you had bought only its first votes, and add up the euros.",
        "For one rule: `label = angry[:, :votes].sum(axis=1) >= least`. Its price per face is votes, plus the"
        " share of false angry labels times their price, and the same for missed ones.",
        "Take the `min` over all 66 rules. For a claim keep only the people labelled angry:"
        " `[name for name, column in ... if study[study['label'] == 'angry'][column].mean() >= 0.6]`.",
    ),
)
