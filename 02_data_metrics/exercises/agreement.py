"""How far do annotators agree beyond what chance alone would give, when votes are missing?"""

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake


def agreement(votes):
    """Krippendorff's alpha for nominal votes.

    votes: DataFrame, one row per face, one column per annotator; each cell holds the
    annotator's vote (any label) or NaN where that annotator did not vote. Faces with fewer
    than two votes say nothing. Returns a float: 1 for perfect agreement, 0 for what chance
    alone gives; NaN if nobody ever disagrees because only one label is used at all.
    """
    labels = pd.unique(votes.stack().dropna())
    counts = np.column_stack([(votes == label).sum(axis=1) for label in labels])
    counts = counts[counts.sum(axis=1) >= 2]
    per_face = counts.sum(axis=1, keepdims=True)
    total = per_face.sum()
    observed = (counts * (per_face - counts) / (per_face - 1)).sum() / total
    label_totals = counts.sum(axis=0)
    expected = (label_totals * (total - label_totals)).sum() / (total * (total - 1))
    return 1 - observed / expected if expected > 0 else float("nan")


def cases(rng):
    """Crowds that differ in what usually goes wrong: missing votes, lone votes, rare anger."""
    yield Case(
        (_crowd(rng, faces=60, prevalence=0.4, missing=0.0),), about="every annotator voted"
    )
    yield Case(
        (_crowd(rng, faces=90, prevalence=0.4, missing=0.45),), about="votes are missing"
    )
    yield Case(
        (_crowd(rng, faces=200, prevalence=0.05, missing=0.2),), about="anger is rare"
    )
    yield Case(
        (
            _crowd(
                rng,
                faces=80,
                prevalence=0.3,
                missing=0.2,
                labels=("angry", "calm", "unsure"),
            ),
        ),
        about="there are three labels",
    )


def _crowd(rng, faces, prevalence, missing, labels=("angry", "calm")):
    """Votes of five annotators of unequal skill; the diligent vote more often than the sloppy."""
    truth = np.where(rng.random(faces) < prevalence, labels[0], labels[1])
    columns = {}
    for annotator in range(5):
        skill = rng.uniform(0.65, 0.98)
        noise = rng.choice(labels, size=faces, p=_shares(len(labels)))
        vote = np.where(rng.random(faces) < skill, truth, noise).astype(object)
        vote[rng.random(faces) < missing * (1.5 - annotator / 4)] = np.nan
        # A few faces have everybody's vote, so that an answer may look at those alone, and be wrong.
        vote[:3] = truth[:3] if annotator else noise[:3]
        columns[f"annotator_{annotator}"] = vote
    votes = pd.DataFrame(columns)
    return votes.iloc[rng.permutation(faces)].set_axis(pd.Index(range(faces), name="face"))


def _shares(n):
    return np.full(n, 1 / n)


def _pairs(counts):
    """Return agreeing and possible ordered pairs of votes, face by face."""
    per_face = counts.sum(axis=1)
    return (counts * (counts - 1)).sum(axis=1), per_face * (per_face - 1)


def _count(votes):
    labels = pd.unique(votes.stack().dropna())
    return np.column_stack([(votes == label).sum(axis=1) for label in labels])


def _raw_agreement(votes):
    agreeing, possible = _pairs(_count(votes))
    return agreeing.sum() / possible.sum()


def _missing_is_a_label(votes):
    return agreement(votes.fillna("missing"))


def _complete_faces_only(votes):
    return agreement(votes.dropna())


def _even_chance(votes):
    agreeing, possible = _pairs(_count(votes))
    chance = 1 / _count(votes).shape[1]
    return (agreeing.sum() / possible.sum() - chance) / (1 - chance)


def _mean_of_pairs(votes):
    kappas = []
    for i, first in enumerate(votes.columns):
        for second in votes.columns[i + 1 :]:
            both = votes[[first, second]].dropna()
            chance = sum(
                (both[first] == label).mean() * (both[second] == label).mean()
                for label in pd.unique(votes.stack().dropna())
            )
            kappas.append(((both[first] == both[second]).mean() - chance) / (1 - chance))
    return float(np.mean(kappas))


def _faces_weigh_the_same(votes):
    counts = _count(votes)
    counts = counts[counts.sum(axis=1) >= 2]
    agreeing, possible = _pairs(counts)
    labels, total = counts.sum(axis=0), counts.sum()
    chance = (labels * (labels - 1)).sum() / (total * (total - 1))
    return ((agreeing / possible).mean() - chance) / (1 - chance)


def _chance_with_replacement(votes):
    counts = _count(votes)
    counts = counts[counts.sum(axis=1) >= 2]
    agreeing, possible = _pairs(counts)
    weights = counts.sum(axis=1) / counts.sum()
    chance = ((counts.sum(axis=0) / counts.sum()) ** 2).sum()
    return ((agreeing / possible * weights).sum() - chance) / (1 - chance)


def _by_coincidences(votes):
    """Alpha from the coincidence matrix, as textbooks lay it out."""
    labels = list(pd.unique(votes.stack().dropna()))
    table = np.zeros((len(labels), len(labels)))
    for _, row in votes.iterrows():
        cast = [labels.index(vote) for vote in row.dropna()]
        for i, first in enumerate(cast):
            for j, second in enumerate(cast):
                if i != j:
                    table[first, second] += 1 / (len(cast) - 1)
    n = table.sum()
    totals = table.sum(axis=1)
    observed = n - np.trace(table)
    expected = (n**2 - (totals**2).sum()) / (n - 1)
    return 1 - observed / expected


def _by_pairs_of_votes(votes):
    """Alpha from long form: compare each vote with every other vote on its face."""
    long = votes.stack().dropna().rename("vote").reset_index()
    long["votes"] = long.groupby("face")["vote"].transform("size")
    long = long[long["votes"] > 1]
    same = long.groupby(["face", "vote"])["vote"].transform("size") - 1
    observed = 1 - (same / (long["votes"] - 1)).mean()
    totals = long["vote"].value_counts()
    n = len(long)
    expected = 1 - (totals * (totals - 1)).sum() / (n * (n - 1))
    return 1 - observed / expected


exercise = Exercise(
    title="Agreement beyond chance",
    questions=("2.5",),
    points=3,
    reference=agreement,
    repeatable=True,
    cases=cases,
    returns="one number",
    praise="Chance is subtracted, and a missing vote counts as nothing rather than as a vote.",
    right=(_by_coincidences, _by_pairs_of_votes),
    mistakes=(
        Mistake(
            "raw agreement",
            _raw_agreement,
            "This is the share of agreeing pairs, with nothing subtracted for chance.",
            "If 95 of 100 faces are calm, how often would two people agree who never look?",
        ),
        Mistake(
            "missing votes as a label",
            _missing_is_a_label,
            "A missing vote is counted as if it were a label of its own.",
            "Two annotators both skipped this face: what did they agree about?",
        ),
        Mistake(
            "complete faces only",
            _complete_faces_only,
            "Every face with a missing vote is thrown away, and with it most of the evidence.",
            "How many faces are left once each must have all five votes?",
        ),
        Mistake(
            "chance of one over labels",
            _even_chance,
            "Chance is taken as if all labels were equally common.",
            "When almost all faces are calm, are two blind guesses of 'calm' a rare event?",
        ),
        Mistake(
            "average over pairs",
            _mean_of_pairs,
            "A kappa per pair of annotators is averaged, so a pair that shares five faces weighs as much"
            " as one that shares fifty.",
            "Which pair of annotators do you know most about?",
        ),
        Mistake(
            "every face weighs the same",
            _faces_weigh_the_same,
            "Each face's agreement is averaged with equal weight, whether two people voted or five.",
            "How many pairs of votes does a face with five votes hold, and one with two?",
        ),
        Mistake(
            "chance drawn with replacement",
            _chance_with_replacement,
            "By chance, a vote is allowed to meet itself: the labels' shares are squared.",
            "Can one and the same vote be both votes of a pair?",
        ),
    ),
    hints=(
        "Alpha is 1 - (observed disagreement) / (disagreement expected by chance). Write each part alone.",
        "Count the votes per face and label: `counts[i, k]`. A face with n votes has n (n - 1) ordered pairs;"
        " let each vote weigh 1, so a pair weighs 1 / (n - 1).",
        "Observed: sum of counts * (n - counts) / (n - 1) over faces, divided by the number of votes N."
        " Expected: sum of L * (N - L) over labels, divided by N (N - 1), where L is a label's total.",
    ),
)
