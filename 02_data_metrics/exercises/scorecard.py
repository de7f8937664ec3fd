"""The figures of one detector: on the test as it is, and in the field, where anger is rarer."""

import numpy as np

from autograder import Case, Exercise, Mistake, Unreadable, told_apart
from course import scenario


def scorecard(scores, angry, threshold, field_share, visits_an_hour, most_false):
    """The figures of one detector, from one score for each visit of a test.

    scores: float array [n], probability 0-1 that the visit is an angry one.
    angry: bool array [n], what the annotators said.
    threshold: float; the robot backs off from a visit when its score is at least that.
    field_share: float 0-1, share of angry visits in the field; the test has another one.
    visits_an_hour: float, visits an hour in the field, angry and calm.
    most_false: float, false alarms an hour that are bearable in the field.

    Returns a dict of floats, not rounded.
        precision, recall, f1: of the test, at the threshold; 0 where nothing counts for them.
        average_precision: sum of precision times gain in recall, from the highest score down;
            0 where nobody was angry.
        auroc: chance that an angry visit scores above a calm one; an equal score counts half.
            NaN where the test holds only one of the two kinds.
        brier: mean squared distance of the score from 1 (angry) or 0 (calm).
        field_precision: precision in the field, at the threshold; 0 where nothing is called.
        false_an_hour: calm visits an hour from which the robot backs off, in the field; 0
            where no visit of the test is calm.
        best_recall: the highest recall of any threshold with at most `most_false` of those;
            0 if there is no such threshold.
    """
    scores, angry = np.asarray(scores, float), np.asarray(angry, bool)
    n_angry, n_calm = angry.sum(), (~angry).sum()
    # Each distinct score is one possible threshold: visits with equal scores are called together.
    steps = np.append(np.unique(scores)[::-1], threshold)
    called = scores >= steps[:, None]
    hits, false = (called & angry).sum(axis=1), (called & ~angry).sum(axis=1)
    recalls, false_share = hits / max(n_angry, 1), false / max(n_calm, 1)
    precisions = hits / np.maximum(hits + false, 1)
    gains = np.diff(recalls[:-1], prepend=0)
    false_an_hour = false_share * visits_an_hour * (1 - field_share)
    found_an_hour = recalls[-1] * visits_an_hour * field_share
    bearable = recalls[:-1][false_an_hour[:-1] <= most_false]
    above = scores[angry][:, None] - scores[~angry]
    return {
        "precision": precisions[-1],
        "recall": recalls[-1],
        "f1": 2 * hits[-1] / max(hits[-1] + false[-1] + n_angry, 1),
        "average_precision": (precisions[:-1] * gains).sum(),
        "auroc": ((above > 0) + (above == 0) / 2).mean() if above.size else float("nan"),
        "brier": ((scores - angry) ** 2).mean(),
        "field_precision": found_an_hour / max(found_an_hour + false_an_hour[-1], 1e-12),
        "false_an_hour": false_an_hour[-1],
        "best_recall": max(bearable, default=0.0),
    }


FIGURES = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "average_precision": "average precision",
    "auroc": "AUROC",
    "brier": "Brier score",
    "field_precision": "precision in the field",
    "false_an_hour": "false alarms an hour",
    "best_recall": "recall within the bearable false alarms",
}


def cases(rng):
    """Tests that differ in what goes wrong: anger at many shares, equal scores, nobody called."""
    yield _case(rng, "one visit in two is angry", share=scenario.ANGRY_BALANCED)
    yield _case(rng, "the test is the training pool's mix", share=scenario.ANGRY_POOL)
    yield _case(rng, "many visits have equal scores", share=0.4, digits=1, threshold=0.5)
    yield _case(rng, "no score reaches the threshold", share=0.3, threshold=1.0)
    yield _case(rng, "nobody in the test was angry", share=0.0)


def _case(rng, about, share, digits=6, threshold=None):
    n = int(rng.integers(260, 340))
    n_angry = round(share * n)
    angry = np.zeros(n, bool)
    angry[:n_angry] = True
    log_odds = rng.normal(np.where(angry, 1.4, -1.0), 1.3)
    scores = np.clip(np.round(1 / (1 + np.exp(-log_odds)), digits), 0.01, 0.97)
    order = rng.permutation(n)
    threshold = (
        float(np.round(rng.uniform(0.35, 0.65), 3)) if threshold is None else threshold
    )
    # No exact multiple, so that "at most" never hangs on the last digit.
    field_share = scenario.ANGRY_VISITS * rng.uniform(0.7, 2.2)
    visits = scenario.VISITS_AN_HOUR * rng.uniform(0.8, 1.2)
    inputs = (scores[order], angry[order], threshold, field_share, visits)
    return Case((*inputs, scenario.FALSE_ALARMS_AN_HOUR), about=about)


def run(case, answer):
    """Return each figure with what the case was about."""
    card = answer(*case.inputs)
    if not hasattr(card, "keys"):
        raise Unreadable(f"`scorecard` returned a {type(card).__name__}.")
    missing = [name for name in FIGURES if name not in card]
    if missing:
        raise Unreadable(f"The card lacks {', '.join(missing)}.")
    return {said: (float(card[name]), case.about) for name, said in FIGURES.items()}


def _alike(key, got, other):
    return bool(np.isclose(got[0], other[0], rtol=1e-6, atol=1e-8, equal_nan=True))


def _describe(key, got, expected):
    mine, right = told_apart(got[0], expected[0])
    return f"Where {expected[1]}, your {key} is {mine} and {right} is right."


def _zero_by_zero(scores, angry, threshold, field_share, visits_an_hour, most_false):
    card = scorecard(scores, angry, threshold, field_share, visits_an_hour, most_false)
    called = scores >= threshold
    if not called.any():
        card |= {"precision": float("nan"), "field_precision": float("nan")}
        card |= {"f1": float("nan")}
    if not angry.any():
        card |= {"recall": float("nan"), "average_precision": float("nan")}
        card |= {"f1": float("nan"), "best_recall": float("nan")}
        card |= {"field_precision": float("nan")}
    return card


def _trapezoid(scores, angry, *field):
    steps = np.unique(scores)[::-1]
    called = scores >= steps[:, None]
    hits, false = (called & angry).sum(axis=1), (called & ~angry).sum(axis=1)
    recalls = np.append(0.0, hits / max(angry.sum(), 1))
    precisions = np.append(1.0, hits / (hits + false))
    area = (np.diff(recalls) * (precisions[1:] + precisions[:-1]) / 2).sum()
    return scorecard(scores, angry, *field) | {"average_precision": area}


def _test_precision(scores, angry, *field):
    card = scorecard(scores, angry, *field)
    return card | {"field_precision": card["precision"]}


def _test_mix(scores, angry, threshold, field_share, visits_an_hour, most_false):
    # False alarms as a share of all test visits, as if the field were as angry as the test.
    in_test = angry.mean()
    return scorecard(scores, angry, threshold, in_test, visits_an_hour, most_false) | {
        "field_precision": scorecard(
            scores, angry, threshold, field_share, visits_an_hour, most_false
        )["field_precision"]
    }


def _all_calm(scores, angry, threshold, field_share, visits_an_hour, most_false):
    """Count false alarms among all visits of the field, as if none of them were angry."""
    every = visits_an_hour / (1 - field_share)
    card = scorecard(scores, angry, threshold, field_share, every, most_false)
    found = card["recall"] * visits_an_hour * field_share
    return card | {"field_precision": found / max(found + card["false_an_hour"], 1e-12)}


def _counts_mixed(scores, angry, threshold, field_share, *field):
    called = scores >= threshold
    hits, false = (called & angry).sum(), (called & ~angry).sum()
    parts = hits * field_share, false * (1 - field_share)
    mixed = parts[0] / sum(parts) if sum(parts) else 0.0
    card = scorecard(scores, angry, threshold, field_share, *field)
    return card | {"field_precision": mixed}


def _at_the_given_threshold(scores, angry, *field):
    card = scorecard(scores, angry, *field)
    bearable = card["false_an_hour"] <= field[-1]
    return card | {"best_recall": card["recall"] if bearable else 0.0}


def _hard_auroc(scores, angry, threshold, *field):
    called = (scores >= threshold).astype(float)
    auroc = scorecard(called, angry, threshold, *field)["auroc"]
    return scorecard(scores, angry, threshold, *field) | {"auroc": auroc}


def _mean_f1(scores, angry, *field):
    card = scorecard(scores, angry, *field)
    return card | {"f1": (card["precision"] + card["recall"]) / 2}


def _strictly_above(scores, angry, threshold, *field):
    card = scorecard(scores, angry, threshold, *field)
    strict = scorecard(scores, angry, np.nextafter(threshold, 2), *field)
    at_threshold = ("precision", "recall", "f1", "field_precision", "false_an_hour")
    return card | {name: strict[name] for name in at_threshold}


def _row_by_row(order, scores, angry, threshold, field_share, visits_an_hour, most_false):
    ranked = angry[order]
    hits, false = np.cumsum(ranked), np.cumsum(~ranked)
    n_angry, n_calm = max(angry.sum(), 1), max((~angry).sum(), 1)
    false_an_hour = false / n_calm * visits_an_hour * (1 - field_share)
    kept = false_an_hour <= most_false
    rows = {
        "average_precision": (hits / (hits + false))[ranked].sum() / n_angry,
        "best_recall": hits[kept].max(initial=0) / n_angry,
    }
    if ranked.any() and not ranked.all():
        rows["auroc"] = (n_calm - false)[ranked].mean() / n_calm
    card = scorecard(scores, angry, threshold, field_share, visits_an_hour, most_false)
    return card | rows


def _rows_as_they_come(scores, angry, threshold, *field):
    order = np.argsort(-scores, kind="stable")
    return _row_by_row(order, scores, angry, threshold, *field)


def _rows_backwards(scores, angry, threshold, *field):
    order = np.argsort(scores, kind="stable")[::-1]
    return _row_by_row(order, scores, angry, threshold, *field)


def _rows_unsorted(scores, angry, threshold, *field):
    # The usual sort may leave equal scores in any order.
    return _row_by_row(np.argsort(-scores), scores, angry, threshold, *field)


def _rows_turned_round(scores, angry, threshold, *field):
    return _row_by_row(np.argsort(scores)[::-1], scores, angry, threshold, *field)


def _ties_lost(scores, angry, *field):
    card = scorecard(scores, angry, *field)
    above = scores[angry][:, None] > scores[~angry]
    return card | ({"auroc": above.mean()} if above.size else {})


def _brier_of_decisions(scores, angry, threshold, *field):
    called = scores >= threshold
    wrong = (called != angry).mean()
    return scorecard(scores, angry, threshold, *field) | {"brier": wrong}


def _by_counting_down(scores, angry, threshold, field_share, visits_an_hour, most_false):
    """One pass over the visits, highest score first, closing a step wherever the score changes."""
    n_angry, n_calm = int(np.sum(angry)), int(np.sum(~angry))
    visits = sorted(zip(scores.tolist(), angry.tolist(), strict=True), reverse=True)
    hits = false = 0
    before = (0, 0)
    card = dict.fromkeys(
        ("precision", "recall", "f1", "field_precision", "false_an_hour"), 0.0
    )
    card |= {"average_precision": 0.0, "auroc": 0.0, "best_recall": 0.0}
    calm_visits = visits_an_hour * (1 - field_share)
    for i, (score, is_angry) in enumerate(visits):
        hits, false = hits + is_angry, false + (not is_angry)
        if i + 1 < len(visits) and visits[i + 1][0] == score:
            continue
        recall, false_share = hits / (n_angry or 1), false / (n_calm or 1)
        card["average_precision"] += (
            hits / (hits + false) * (hits - before[0]) / (n_angry or 1)
        )
        # A trapezoid of the ROC curve: half of the equal pairs.
        card["auroc"] += (false - before[1]) * (hits + before[0]) / 2
        if false_share * calm_visits <= most_false:
            card["best_recall"] = recall
        if score >= threshold:
            card["precision"], card["recall"] = hits / (hits + false), recall
            found = recall * visits_an_hour * field_share
            card["false_an_hour"] = false_share * calm_visits
            total = found + card["false_an_hour"]
            card["field_precision"] = found / total if total else 0.0
            card["f1"] = 2 * hits / (hits + false + n_angry)
        before = (hits, false)
    pairs = n_angry * n_calm
    card["auroc"] = card["auroc"] / pairs if pairs else float("nan")
    return card | {"brier": float(np.square(scores - angry).mean())}


def _by_scikit_learn(scores, angry, threshold, field_share, visits_an_hour, most_false):
    """The library's figures, its 0/0 conventions stated, and the field by weighting the visits."""
    from sklearn import metrics

    called = scores >= threshold
    both = angry.any() and not angry.all()
    weights = np.where(
        angry, field_share / max(angry.sum(), 1), (1 - field_share) / max((~angry).sum(), 1)
    )
    steps = [(scores >= step) for step in np.unique(scores)]
    recalls = [
        metrics.recall_score(angry, step, zero_division=0)
        for step in steps
        if weights[step & ~angry].sum() * visits_an_hour <= most_false
    ]
    return {
        "precision": metrics.precision_score(angry, called, zero_division=0),
        "recall": metrics.recall_score(angry, called, zero_division=0),
        "f1": metrics.f1_score(angry, called, zero_division=0),
        "average_precision": metrics.average_precision_score(angry, scores)
        if angry.any()
        else 0.0,
        "auroc": metrics.roc_auc_score(angry, scores) if both else float("nan"),
        "brier": np.mean((scores - angry) ** 2),
        "field_precision": metrics.precision_score(
            angry, called, sample_weight=weights, zero_division=0
        ),
        "false_an_hour": weights[called & ~angry].sum() * visits_an_hour,
        "best_recall": max(recalls, default=0.0),
    }


exercise = Exercise(
    title="One detector's figures, on the test and in the field",
    questions=("2.10", "2.13"),
    points=4,
    minutes=12,
    reference=scorecard,
    cases=cases,
    run=run,
    good=_alike,
    same=_alike,
    describe=_describe,
    # What the lobby feels is half of the points.
    weights={
        FIGURES[name]: 2 for name in ("field_precision", "false_an_hour", "best_recall")
    },
    repeatable=True,
    returns="a dict with the nine named figures",
    praise="Each figure holds in its corner cases, and those of the field are the field's, not the test's.",
    right=(_by_counting_down, _by_scikit_learn),
    mistakes=(
        Mistake(
            "nothing by nothing",
            _zero_by_zero,
            "Where nobody is called, or nobody was angry, a figure is 0/0 and comes out as NaN.",
            "What does the description ask for where nothing counts for a figure, and what will a mean"
            " over twenty sites do with one NaN?",
        ),
        Mistake(
            "trapezoid under the precision curve",
            _trapezoid,
            "The average precision is the area under straight lines between the points of the curve.",
            "Between two thresholds, can the robot have a precision half-way between theirs, or only one"
            " of the two?",
        ),
        Mistake(
            "test precision carried over",
            _test_precision,
            "The precision of the test is reported as the precision in the field.",
            "If for each angry visit a hundred calm ones pass instead of one, what happens to the number"
            " of false alarms beside each true one?",
        ),
        Mistake(
            "false alarms at the test's mix",
            _test_mix,
            "False alarms an hour are counted as if as many visits were calm in the field as in the test.",
            "Which share of a real hour's visits is calm: the test's, or the field's?",
        ),
        Mistake(
            "every visit is calm",
            _all_calm,
            "False alarms are counted among all visits of an hour, the angry ones included.",
            "Can the robot raise a false alarm about an angry visitor?",
        ),
        Mistake(
            "counts mixed, not rates",
            _counts_mixed,
            "For the precision in the field, counts of the test are weighed with the field's shares: the"
            " test's own mix is still in them.",
            "If the test held twice as many calm visits, would your figure for the field change?",
        ),
        Mistake(
            "the best recall at one threshold",
            _at_the_given_threshold,
            "The best recall is looked for at the given threshold only.",
            "Which other thresholds bear no more false alarms, and what is the recall there?",
        ),
        Mistake(
            "AUROC of decisions",
            _hard_auroc,
            "The AUROC is that of the yes or no at one threshold, so the order of the scores is lost.",
            "Two angry visits score 0.99 and 0.51: does your figure see any difference between them?",
        ),
        Mistake(
            "F1 as a plain mean",
            _mean_f1,
            "F1 is the plain mean of precision and recall.",
            "A robot that backs off from everybody has recall 1: how good does a plain mean call it?",
        ),
        *(
            Mistake(
                "equal scores in the order of the rows",
                answer,
                "Visits with equal scores are taken one after the other, in the order of the rows.",
                "If you shuffle the rows of the test, may any of these figures change?",
            )
            for answer in (
                _rows_as_they_come,
                _rows_backwards,
                _rows_unsorted,
                _rows_turned_round,
            )
        ),
        Mistake(
            "equal scores count as lost",
            _ties_lost,
            "In the AUROC, an angry visit that scores the same as a calm one counts as beaten.",
            "A detector that gives every visit the same score knows nothing: which AUROC should it have?",
        ),
        Mistake(
            "strictly above the threshold",
            _strictly_above,
            "A visit whose score equals the threshold is not called.",
            "The description says 'at least': on which side of it is a score of exactly the threshold?",
        ),
        Mistake(
            "Brier score of decisions",
            _brier_of_decisions,
            "The Brier score is computed from yes and no, so it is only the share of wrong decisions.",
            "Of two wrong calls, one was 51 % sure and one 99 %: which should cost more?",
        ),
    ),
    hints=(
        "Count four things at the threshold first: hits, false alarms, angry visits, calm visits."
        " Precision, recall, F1 and the field's figures follow from these alone.",
        "Recall and the share of calm visits that are called do not depend on how common anger is. In the"
        " field, `visits_an_hour * field_share` visits are angry and the rest are calm: apply the two"
        " shares to those.",
        "Take every distinct score, highest first, as a threshold: `called = scores >= step`. Average"
        " precision is the sum of precision at a step times the recall it adds; the best recall is the"
        " largest at the steps whose false alarms an hour are at most `most_false`.",
    ),
)
