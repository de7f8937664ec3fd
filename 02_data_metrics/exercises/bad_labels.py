"""Which labels are probably wrong? Ask a model that has never seen them."""

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable

BUDGET = 56


def suspects(features, labels, person, model, budget):
    """Rank the faces whose label is most probably an error, for a second look by people.

    features: DataFrame, index the face numbers, 40 float columns: what a network computed
    from each face. labels: Series, same index: "angry" or "calm", about one in three angry.
    Some of these are mistakes, often for both frames of a burst at once.
    person: Series, same index: the number of the person. A person has four faces, in two
    bursts. model: a scikit-learn classifier, not trained yet (nearest neighbours). Another
    one is allowed. budget: int, how many faces people can look at again.

    Returns a list of `budget` face numbers, the most suspicious first. An ambiguous face is
    not an error: what counts is a label that speaks against the evidence.
    """
    from sklearn.model_selection import GroupKFold, cross_val_predict

    angry = (labels == "angry").to_numpy()
    folds = GroupKFold(5)
    scores = cross_val_predict(
        model, features, angry, groups=person, cv=folds, method="predict_proba"
    )[:, 1]
    # Angry labels are rarer, so their scores are lower throughout: compare each with its own kind.
    doubt = np.where(angry, scores[angry].mean() - scores, scores - scores[~angry].mean())
    return labels.index[np.argsort(-doubt)][:budget].tolist()


def cases(rng):
    """One collection; what is hidden is which labels were planted as errors and which are ambiguous."""
    yield _collection(rng)


def _collection(rng, people=150):
    """Four faces a person, in two bursts; most of what the features say is who it is."""
    person = np.repeat(np.arange(people), 4)
    burst = np.repeat(np.arange(2 * people), 2)
    kind = rng.choice(["angry", "calm", "between"], size=2 * people, p=[0.3, 0.55, 0.15])[
        burst
    ]
    shown = np.select([kind == "angry", kind == "calm"], [1.0, -1.0], 0.0)
    features = (
        0.7 * rng.normal(size=(people, 40))[person]
        + 0.2 * rng.normal(size=(2 * people, 40))[burst]
    )
    features += 0.003 * rng.normal(size=features.shape)
    signal = rng.normal(size=40)
    features += 3.6 * shown[:, None] * signal / np.linalg.norm(signal)
    truth = np.select(
        [kind == "angry", kind == "calm"],
        [True, False],
        rng.random(2 * people)[burst] < 0.4,
    )
    clear = [np.flatnonzero(kind[::2] == name) for name in ("angry", "calm")]
    chosen = np.stack([rng.choice(bursts, 20, replace=False) for bursts in clear])
    whole, half = chosen[:, :8].ravel(), chosen[:, 8:].ravel()
    twice = np.isin(burst, whole)
    # The one frame of a half burst that is wrong is its first; the faces are shuffled below.
    wrong = twice | (np.isin(burst, half) & (np.arange(len(burst)) % 2 == 0))
    order = rng.permutation(len(person))
    face = pd.Index(rng.permutation(90_000)[: len(person)], name="face")
    labels = pd.Series(np.where(truth ^ wrong, "angry", "calm")[order], index=face)
    columns = [f"f{k:02d}" for k in range(40)]
    who = rng.permutation(9_000)[:people][person[order]]
    return Case(
        (
            pd.DataFrame(features[order], index=face, columns=columns),
            labels,
            pd.Series(who, index=face),
            _model(),
            BUDGET,
        ),
        hidden={
            "wrong angry": set(face[(wrong & ~truth)[order]]),
            "wrong calm": set(face[(wrong & truth)[order]]),
            "wrong twice": set(face[twice[order]]),
            "ambiguous": set(face[(kind == "between")[order]]),
        },
    )


def _model():
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(25, weights="distance")


def run(case, answer):
    """Look at the faces that were named: how many are planted errors, of which kind, how many ambiguous."""
    named = answer(*case.inputs)
    try:
        named = [int(face) for face in named]
    except (TypeError, ValueError):
        raise Unreadable("`suspects` must return a list of face numbers.") from None
    if len(set(named)) != BUDGET or not set(named) <= set(case.inputs[1].index):
        raise Unreadable(
            f"`suspects` must return {BUDGET} different face numbers out of the index of `labels`."
        )
    found = set(named)
    kinds = {name: len(found & faces) / len(faces) for name, faces in case.hidden.items()}
    errors = case.hidden["wrong angry"] | case.hidden["wrong calm"]
    return {
        "most of the named faces are errors": len(found & errors) / BUDGET,
        "errors that fill a whole burst are found": kinds["wrong twice"],
        "errors of both kinds are found": min(kinds["wrong angry"], kinds["wrong calm"]),
        "ambiguous faces are left alone": 1
        - len(found & case.hidden["ambiguous"]) / BUDGET,
    }


# Over 200 seeds right answers reached at least 0.71, 0.69, 0.43 and 0.71; random folds at most 0.68 and
# 0.44 on the first two, a model that saw the labels at most 0.45 and 0.53.
LEAST = {
    "most of the named faces are errors": 0.66,
    "errors that fill a whole burst are found": 0.54,
    "errors of both kinds are found": 0.36,
    "ambiguous faces are left alone": 0.6,
}


def _ranked(labels, doubt, budget):
    return labels.index[np.argsort(-doubt, kind="stable")][:budget].tolist()


def _held_out(features, labels, person, model):
    """Return which labels are angry, and scores from models that have not seen the person."""
    from sklearn.model_selection import GroupKFold, cross_val_predict

    angry = (labels == "angry").to_numpy()
    folds = GroupKFold(5)
    scores = cross_val_predict(
        model, features, angry, groups=person, cv=folds, method="predict_proba"
    )
    return angry, scores[:, 1]


def _in_sample(features, labels, person, model, budget):
    angry = (labels == "angry").to_numpy()
    scores = model.fit(features, angry).predict_proba(features)[:, 1]
    return _ranked(labels, np.where(angry, 1 - scores, scores), budget)


def _random_folds(features, labels, person, model, budget):
    """The other frame of the burst is in training, with the same wrong label."""
    from sklearn.model_selection import KFold, cross_val_predict

    angry = (labels == "angry").to_numpy()
    folds = KFold(5, shuffle=True, random_state=0)
    scores = cross_val_predict(model, features, angry, cv=folds, method="predict_proba")[
        :, 1
    ]
    return _ranked(labels, np.where(angry, 1 - scores, scores), budget)


def _most_uncertain(features, labels, person, model, budget):
    _, scores = _held_out(features, labels, person, model)
    return _ranked(labels, -np.abs(scores - 0.5), budget)


def _one_kind_only(features, labels, person, model, budget):
    angry, scores = _held_out(features, labels, person, model)
    return _ranked(labels, -np.where(angry, scores, 2.0), budget)


def _most_confident(features, labels, person, model, budget):
    angry, scores = _held_out(features, labels, person, model)
    return _ranked(labels, np.where(angry, scores, 1 - scores), budget)


def _plain_doubt(features, labels, person, model, budget):
    """Leave one person in ten out; doubt is one minus the score of the recorded label."""
    from sklearn.model_selection import GroupKFold, cross_val_predict

    angry = (labels == "angry").to_numpy()
    folds = GroupKFold(10)
    scores = cross_val_predict(
        model, features, angry, groups=person, cv=folds, method="predict_proba"
    )[:, 1]
    return _ranked(labels, np.where(angry, 1 - scores, scores), budget)


def _by_margin(features, labels, person, model, budget):
    """A linear discriminant with shrinkage in place of nearest neighbours."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.9, priors=[0.5, 0.5])
    return _plain_doubt(features, labels, person, model, budget)


def _by_hand(features, labels, person, model, budget):
    """Project on the difference of the two means, computed without the person in question."""
    angry = (labels == "angry").to_numpy()
    X, who = features.to_numpy(), person.to_numpy()
    doubt = np.empty(len(X))
    for one in np.unique(who):
        own = who == one
        first, second = X[angry & ~own].mean(axis=0), X[~angry & ~own].mean(axis=0)
        toward_angry = (X[own] - (first + second) / 2) @ (first - second)
        doubt[own] = np.where(angry[own], -toward_angry, toward_angry)
    return labels.index[np.argsort(-doubt)][:budget].tolist()


exercise = Exercise(
    title="Find the labels that are probably wrong",
    questions=("2.5",),
    points=3,
    minutes=10,
    core=False,
    reference=suspects,
    cases=cases,
    run=run,
    good=lambda key, got, expected: got >= LEAST[key],
    same=lambda key, got, other: abs(got - other) <= 0.1,
    describe=lambda key, got, expected: (
        f"Not reached: {key} ({got:.2f}; at least {LEAST[key]:.2f} is asked for)."
    ),
    returns="a list of as many face numbers as the budget allows",
    praise="Scores from models that had not seen the person point at labels that speak against the evidence.",
    right=(_plain_doubt, _by_margin, _by_hand),
    mistakes=(
        Mistake(
            "scores of a model that saw the labels",
            _in_sample,
            "The scores come from a model that was trained on these very labels, errors included.",
            "What does a model say about a wrong label that it has learned by heart?",
        ),
        Mistake(
            "the same person on both sides",
            _random_folds,
            "The model that scores a face has seen the other frame of the burst, with the same wrong label.",
            "If both frames of a burst are mislabelled, what does one of them teach about the other?",
        ),
        Mistake(
            "uncertain means wrong",
            _most_uncertain,
            "You named the faces the model is least sure of.",
            "If a face is between angry and calm, which label would be an error?",
        ),
        Mistake(
            "only one kind of error",
            _one_kind_only,
            "Only faces labelled angry are named.",
            "Who finds the angry faces that were recorded as calm?",
        ),
        Mistake(
            "certain means wrong",
            _most_confident,
            "You named the faces whose label the model agrees with most.",
            "When model and label say the same, which of them do you doubt?",
        ),
    ),
    hints=(
        "Score every face with a model that was not trained on it. Which other faces must it not have seen?",
        "`cross_val_predict(model, X, y, groups=person, cv=GroupKFold(5), method='predict_proba')` holds out"
        " whole persons. Keep the model simple: 120 features, few people.",
        "Doubt is 1 - score where the label is angry, and score where it is calm. Angry labels are rarer and"
        " score lower throughout, so subtract each label's mean score. Sort by doubt.",
    ),
)
