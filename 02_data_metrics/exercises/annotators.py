"""Who votes well? Each annotator's sensitivity and specificity when nobody knows the right labels."""

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable


def dawid_skene(votes):
    """Estimate how each annotator votes, and how likely each face is angry.

    votes: DataFrame of float, one row per face, one column per annotator: 1.0 for angry,
        0.0 for calm, NaN where that annotator did not vote. Nobody knows the right labels.
        Most annotators are sound; given the right label, they err independently.

    Returns (table, chance):
        table: DataFrame, index the annotators, columns sensitivity (float, share of angry
            faces called angry), specificity (float, share of calm faces called calm) and
            spammer (bool: the votes tell next to nothing about the face; everybody else
            does far better than chance); chance: Series of float 0-1, index the faces: how
            likely each is angry, given all votes.
    """
    said = votes.to_numpy()
    voted = ~np.isnan(said)
    angry = np.where(voted, said, 0.0)
    calm = voted - angry
    chance = angry.sum(axis=1) / voted.sum(axis=1)
    for _ in range(60):
        # Maximisation: rates as if `chance` were right; one imagined vote of each kind avoids log 0.
        sensitivity = (chance @ angry + 1) / (chance @ voted + 2)
        specificity = ((1 - chance) @ calm + 1) / ((1 - chance) @ voted + 2)
        prevalence = chance.mean()
        # Expectation: log-odds that a face is angry, each vote weighed by what it is worth.
        log_odds = angry @ np.log(sensitivity / (1 - specificity))
        log_odds += calm @ np.log((1 - sensitivity) / specificity)
        log_odds += np.log(prevalence / (1 - prevalence))
        chance = 1 / (1 + np.exp(-log_odds))
    table = pd.DataFrame(
        {"sensitivity": sensitivity, "specificity": specificity}, index=votes.columns
    )
    # A blind voter says angry as often on angry as on calm faces, so the two rates add up to 1.
    table["spammer"] = table["sensitivity"] + table["specificity"] - 1 < 0.25
    return table, pd.Series(chance, index=votes.index)


# (sensitivity, specificity): one who mostly says angry, blindly, and one who says so only when sure.
EAGER, CAUTIOUS = (0.85, 0.15), (0.5, 0.99)


def cases(rng):
    """Four crowds; who of them is blind cannot be told from the shape, and in the last one nobody is."""

    def about(faces):
        return round(faces * rng.uniform(0.9, 1.15))

    blind = [EAGER, *((rate, 1 - rate) for rate in rng.uniform(0.3, 0.6, 1))]
    sound = [(rng.uniform(0.7, 0.85), rng.uniform(0.8, 0.9)) for _ in range(2)]
    crowd = [(0.95, 0.97), *sound, *blind]
    yield _crowd(rng, "skills are unequal", about(950), 0.3, crowd)
    good = [
        (rng.uniform(0.65, 0.85), rng.uniform(0.93, 0.98))
        for _ in range(rng.integers(5, 7))
    ]
    yield _crowd(rng, "anger is rare", about(2000), 0.08, [*good, (0.03, 0.97)])
    many = [
        (rng.uniform(0.75, 0.95), rng.uniform(0.8, 0.95)) for _ in range(rng.integers(5, 7))
    ]
    crowd = [*many, CAUTIOUS, *rng.permutation(blind)[: rng.integers(3)]]
    yield _crowd(rng, "most votes are missing", about(1800), 0.3, crowd, missing=0.45)
    equals = [(0.8, 0.88)] * rng.integers(5, 8)
    yield _crowd(rng, "all are equally good", about(700), 0.3, equals)


def _crowd(rng, about, faces, prevalence, skills, missing=0.0):
    """Return votes by the annotators with these (sensitivity, specificity), in random order."""
    skills = np.array(skills)[rng.permutation(len(skills))]
    truth = rng.random(faces) < prevalence
    rate = np.where(truth[:, None], skills[:, 0], 1 - skills[:, 1])
    said = (rng.random(rate.shape) < rate).astype(float)
    # The first two votes on a face are never missing.
    place = np.argsort(rng.random(rate.shape), axis=1)
    said[
        (place > 1) & (rng.random(rate.shape) < missing * len(skills) / (len(skills) - 2))
    ] = np.nan
    names = [
        f"annotator_{number:02d}" for number in rng.choice(90, len(skills), replace=False)
    ]
    face = pd.Index(np.sort(rng.permutation(90_000)[:faces]), name="face")
    # The rates in these very votes, had one known the truth: what is judged is not the luck of the draw.
    rates = {
        "sensitivity": np.nanmean(said[truth], axis=0),
        "specificity": 1 - np.nanmean(said[~truth], axis=0),
    }
    table = pd.DataFrame(rates, index=names)
    table["spammer"] = skills.sum(axis=1) < 1.1
    return Case(
        (pd.DataFrame(said, index=face, columns=names),), hidden=(table, truth), about=about
    )


def run(case, dawid_skene):
    """Hold the estimates against the known crowd, and the labels against those of the known rates."""
    votes, (known, truth) = case.inputs[0], case.hidden
    table, chance = _estimates(dawid_skene(votes), votes)
    rates = table[["sensitivity", "specificity"]]
    miss = float((rates - known[rates.columns]).abs().mean().sum())
    accuracy = float(((chance > 0.5) == truth).mean())
    attainable = float(((_posterior(votes, known, truth.mean()) > 0.5) == truth).mean())
    flagged, blind = (
        set(some.index[some["spammer"].astype(bool)]) for some in (table, known)
    )
    return {
        RATES: {"about": case.about, "value": rates.to_numpy(), "miss": miss},
        SPAMMERS: {
            "about": case.about,
            "value": flagged,
            "miss": len(flagged ^ blind),
            "blind": blind,
        },
        LABELS: {"about": case.about, "value": accuracy, "miss": attainable - accuracy},
    }


RATES = "sensitivity and specificity are close"
SPAMMERS = "spammers are found, and nobody else is accused"
LABELS = "the labels are as good as these votes allow"
# Sum of the two mean errors in rates; share of labels below what the known rates give. Over 150 seeds right
# answers missed by at most 0.049 and 0.026; where skills are unequal, the majority by at least 0.088 and
# 0.039.
MOST = {RATES: 0.068, SPAMMERS: 0, LABELS: 0.033}


def _posterior(votes, known, prevalence):
    """Return the chance of angry for each face from known rates, float [faces]."""
    sensitivity, specificity = (
        known[name].clip(1e-3, 1 - 1e-3) for name in ("sensitivity", "specificity")
    )
    angry, calm = (votes == 1).astype(float), (votes == 0).astype(float)
    log_odds = angry @ np.log(sensitivity / (1 - specificity))
    log_odds += calm @ np.log((1 - sensitivity) / specificity)
    return 1 / (1 + np.exp(-log_odds.to_numpy() - np.log(prevalence / (1 - prevalence))))


def _estimates(output, votes):
    """Return table and chances in the order of the votes, or say what is wrong with the output."""
    try:
        table, chance = output
    except (TypeError, ValueError):
        raise Unreadable("`dawid_skene` must return two things: table, chance.") from None
    columns = {"sensitivity", "specificity", "spammer"}
    if not isinstance(table, pd.DataFrame) or not columns <= set(table.columns):
        raise Unreadable(
            f"The table must be a DataFrame with the columns {', '.join(sorted(columns))}."
        )
    for name, index, wanted in (
        ("table", table.index, votes.columns),
        ("chance", getattr(chance, "index", None), votes.index),
    ):
        if (
            index is None
            or callable(index)
            or set(index) != set(wanted)
            or len(index) != len(wanted)
        ):
            what = "each annotator" if name == "table" else "each face"
            raise Unreadable(f"The index of `{name}` must hold {what} of `votes` once.")
    table, chance = table.loc[votes.columns], chance.loc[votes.index].to_numpy(float)
    if table[sorted(columns)].isna().any(axis=None) or np.isnan(chance).any():
        raise Unreadable(
            "Some estimates are NaN: did a missing vote enter a sum, or a rate become exactly 0 or 1?"
        )
    return table, chance


def same(key, got, other):
    """Compare estimates: rates within 0.02 on average, the same people accused, labels equally accurate."""
    if key == SPAMMERS:
        return got["value"] == other["value"]
    return np.abs(got["value"] - other["value"]).mean() <= (0.02 if key == RATES else 0.005)


def describe(key, got, expected):
    """Say by how much an estimate misses, and in which crowd."""
    where = f"Where {got['about']},"
    if key == RATES:
        return f"{where} sensitivity and specificity are off by {got['miss']:.2f} together, on average."
    if key == LABELS:
        right, best = got["value"], got["value"] + got["miss"]
        return (
            f"{where} {right:.1%} of your labels are right; these votes allow {best:.1%}."
        )
    wrong = got["miss"]
    accused, blind = len(got["value"]), len(got["blind"])
    people = "annotator" if accused == 1 else "annotators"
    vote = "votes" if blind == 1 else "vote"
    return f"{where} you accuse {accused} {people} and {blind} {vote} blindly; you are wrong about {wrong}."


def _from_labels(votes, labels):
    """Return the table that follows when faces have these labels, float [faces]."""
    angry, calm = votes[labels > 0.5].mean(), 1 - votes[labels <= 0.5].mean()
    table = pd.DataFrame({"sensitivity": angry, "specificity": calm}).fillna(0.5)
    return table.assign(spammer=angry + calm - 1 < 0.25)


def _majority(votes):
    return _from_labels(votes, votes.mean(axis=1)), votes.mean(axis=1)


def _accuracy(votes):
    table, chance = dawid_skene(votes)
    right = votes.eq((chance > 0.5).astype(float), axis=0).sum() / votes.notna().sum()
    return table.assign(spammer=right < 0.7), chance


def _low_sensitivity(votes):
    table, chance = dawid_skene(votes)
    return table.assign(spammer=table["sensitivity"] < 0.6), chance


def _agreement_with_others(votes):
    table, chance = dawid_skene(votes)
    pairs = {
        one: np.mean(
            [
                votes[one].eq(votes[two])[votes[[one, two]].notna().all(axis=1)].mean()
                for two in votes
                if two != one
            ]
        )
        for one in votes
    }
    return table.assign(spammer=pd.Series(pairs) < 0.7), chance


def _missing_is_calm(votes):
    return dawid_skene(votes.fillna(0.0))


def _someone_must_be(votes):
    table, chance = dawid_skene(votes)
    told = table["sensitivity"] + table["specificity"]
    return table.assign(spammer=told < told.mean() - 0.5 * told.std()), chance


def _blank_start(votes):
    """All faces start alike, so all annotators look blind, so all faces stay alike."""
    share = votes.mean()
    table = pd.DataFrame({"sensitivity": share, "specificity": 1 - share})
    return table.assign(spammer=True), pd.Series(0.5, index=votes.index)


def _turned_round(votes):
    _, chance = dawid_skene(votes)
    angry = chance.to_numpy() > 0.5
    table = pd.DataFrame(
        {
            "sensitivity": {
                name: angry[(votes[name] == 1).to_numpy()].mean() for name in votes
            },
            "specificity": {
                name: 1 - angry[(votes[name] == 0).to_numpy()].mean() for name in votes
            },
        }
    )
    return table.assign(spammer=table.sum(axis=1) - 1 < 0.25), chance


def _by_likelihood(votes):
    """Maximise the likelihood of the votes themselves, without EM."""
    from scipy.optimize import minimize
    from scipy.special import expit, log_expit

    said, voted = votes.fillna(0.0).to_numpy(), votes.notna().to_numpy(float)
    people = votes.shape[1]

    def loss(theta):
        prior, sens, spec = theta[0], theta[1 : people + 1], theta[people + 1 :]
        if_angry = (
            said @ log_expit(sens) + (voted - said) @ log_expit(-sens) + log_expit(prior)
        )
        if_calm = (
            said @ log_expit(-spec) + (voted - said) @ log_expit(spec) + log_expit(-prior)
        )
        post = expit(if_angry - if_calm)
        slope = np.concatenate(
            [
                [(post - expit(prior)).sum()],
                post @ said - expit(sens) * (post @ voted),
                (1 - post) @ (voted - said) - expit(spec) * ((1 - post) @ voted),
            ]
        )
        penalty = 0.01 * (theta @ theta)
        return penalty - np.logaddexp(if_angry, if_calm).sum(), 0.02 * theta - slope

    start = np.concatenate([[-1.0], np.ones(2 * people)])
    best = minimize(loss, start, jac=True, method="L-BFGS-B").x
    sens, spec = best[1 : people + 1], best[people + 1 :]
    odds = best[0] + said @ (log_expit(sens) - log_expit(-spec))
    odds += (voted - said) @ (log_expit(-sens) - log_expit(spec))
    table = pd.DataFrame(
        {"sensitivity": expit(sens), "specificity": expit(spec)}, index=votes.columns
    )
    return table.assign(spammer=table.sum(axis=1) < 1.3), pd.Series(
        expit(odds), index=votes.index
    )


def _weighted_votes(votes):
    """Repeat: label by votes weighed with what each annotator is worth, in long form."""
    long = (
        votes.stack()
        .dropna()
        .rename("angry")
        .rename_axis(["face", "annotator"])
        .reset_index()
    )
    chance = long.groupby("face")["angry"].mean()
    for _ in range(15):
        long["p"] = long["face"].map(chance)
        sums = long.assign(
            hit=long["p"] * long["angry"],
            off=(1 - long["p"]) * long["angry"],
            q=1 - long["p"],
        )
        sums = sums.groupby("annotator")[["hit", "p", "off", "q"]].sum()
        hit, false = (
            (sums["hit"] + 0.5) / (sums["p"] + 1),
            (sums["off"] + 0.5) / (sums["q"] + 1),
        )
        for_angry = long["annotator"].map(np.log(hit / false))
        for_calm = long["annotator"].map(np.log((1 - hit) / (1 - false)))
        weight = np.where(long["angry"] == 1, for_angry, for_calm)
        odds = pd.Series(weight).groupby(long["face"]).sum() + np.log(
            chance.mean() / (1 - chance.mean())
        )
        chance = 1 / (1 + np.exp(-odds))
    table = pd.DataFrame(
        {"sensitivity": hit, "specificity": 1 - false, "spammer": hit - false < 0.2}
    )
    return table, chance


exercise = Exercise(
    title="Who votes well, when nobody knows the answer",
    questions=("2.5", "2.6"),
    points=3,
    minutes=12,
    core=False,
    reference=dawid_skene,
    cases=cases,
    run=run,
    good=lambda key, got, expected: got["miss"] <= MOST[key],
    same=same,
    describe=describe,
    returns="a DataFrame (sensitivity, specificity, spammer; one row per annotator) and a Series of chances",
    praise="Each annotator is weighed by what their votes tell, and where all are equal nobody is accused.",
    right=(_by_likelihood, _weighted_votes),
    mistakes=(
        Mistake(
            "own vote inside the majority",
            _majority,
            "Annotators are measured against a majority to which they belong and in which blind votes count"
            " as much as good ones.",
            "With five voters, how often does a blind one agree with a majority that contains the own vote?",
        ),
        Mistake(
            "accuracy under imbalance",
            _accuracy,
            "Spammers are told by the share of right votes, and who always says calm is nearly always right.",
            "If 8 % of the faces are angry, how often is somebody right who never looks and says calm?",
        ),
        Mistake(
            "low sensitivity is blindness",
            _low_sensitivity,
            "Whoever misses much anger is accused; but one annotator says angry only when sure and is then"
            " nearly always right, and one says angry to almost everyone.",
            "Somebody who calls every face angry misses nothing: what do those votes tell you?",
        ),
        Mistake(
            "agreement with the others",
            _agreement_with_others,
            "Spammers are told by how rarely they agree with the others, which depends on the others and on"
            " how rare anger is.",
            "A good annotator among blind ones, and a blind one among people who mostly say calm: who agrees"
            " more?",
        ),
        Mistake(
            "a missing vote is a calm vote",
            _missing_is_calm,
            "A missing vote is counted as a vote for calm.",
            "What does an annotator say about a face who never saw it?",
        ),
        Mistake(
            "somebody must be a spammer",
            _someone_must_be,
            "Whoever is clearly below the average is accused, so there is always somebody.",
            "In a crowd of five equals, who is below the average, and what does it mean?",
        ),
        Mistake(
            "a start from which nothing moves",
            _blank_start,
            "All faces start with the same chance, so all annotators look alike, and so it stays.",
            "Which first guess of the labels do the votes themselves offer?",
        ),
        Mistake(
            "the condition turned round",
            _turned_round,
            "Sensitivity is taken as the share of angry votes that are right, not as the share of angry faces"
            " that are called angry.",
            "Which faces do you divide by: those that are angry, or those that were called angry?",
        ),
    ),
    hints=(
        "If you knew the labels, each annotator's rates would be easy; if you knew the rates, the labels"
        " would. Start from the share of angry votes and go back and forth.",
        "Rates: weigh every face by its chance to be angry (sensitivity) or calm (specificity). Labels: add"
        " log(sensitivity / (1 - specificity)) for each angry vote, log((1 - sensitivity) / specificity) for"
        " each calm one, and the log-odds of the prevalence. Skip NaN.",
        "Repeat both steps 50 times. A blind voter says angry equally often on angry and on calm faces, so"
        " sensitivity + specificity - 1 is near 0, whatever the accuracy: flag those below a quarter.",
    ),
)
