"""Where may the detector run at all? An operating envelope over light and cover, judged by what it costs."""

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable
from course import scenario
from course.off_the_shelf import COVERS, LIGHTS

ACTIONS = ("run", "keep distance", "carry on")


def envelope(cells, anger, costs):
    """Choose what the robot does in each condition, so that an average visit costs least.

    cells: DataFrame, one row per condition (the index), columns
        light, cover: str, the light that falls on the face, what covers a part of it;
            effects of light and of cover mostly add up (in log-odds of both rates);
        share: float, the condition's share of the visits to come;
        angry, found: int, tested faces that annotators called angry, and how many of these
            the detector finds;
        calm, false: int, tested calm faces, and how many of these it takes for angry.
    anger: float 0-1, share of visits with perceived anger, the same in every condition.
    costs: dict, in euros: "missed" for an angry visitor who is not noticed, "needless" for
        backing off from a calm one, "distance" for keeping distance from any visitor, angry
        or calm.

    Returns a Series (or dict), condition -> "run" (the robot backs off when the detector
    says angry), "keep distance" (from everybody, without the detector) or "carry on" (with
    everybody, without the detector).
    """

    counts = cells[["found", "angry", "false", "calm"]]
    by_light = counts.groupby(cells["light"]).transform("sum")
    by_cover = counts.groupby(cells["cover"]).transform("sum")

    def rate(hits, tried):
        def odds(table):
            return np.log((table[hits] + 0.5) / (table[tried] - table[hits] + 0.5))

        expected = 1 / (1 + np.exp(odds(counts.sum()) - odds(by_light) - odds(by_cover)))
        # What light and cover lead one to expect weighs as much as a hundred images.
        return (cells[hits] + 100 * expected) / (cells[tried] + 100)

    recall, false = rate("found", "angry"), rate("false", "calm")
    cost = pd.DataFrame(index=cells.index)
    cost["run"] = (
        anger * (1 - recall) * costs["missed"] + (1 - anger) * false * costs["needless"]
    )
    cost["keep distance"] = costs["distance"]
    cost["carry on"] = anger * costs["missed"]
    return cost.idxmin(axis=1)


COSTS = {
    "missed": scenario.COST_MISSED,
    "needless": scenario.COST_NEEDLESS,
    "distance": scenario.COST_DISTANCE,
}
TABLES, FEW = 4, 6
LOBBY, DESK = (
    "a lobby where light and cover matter",
    "a complaint desk, where anger is common",
)
FINE, SIX = (
    "a lobby where it works everywhere",
    "a lobby with conditions tested on six images",
)


def cases(rng):
    """Some sites of each kind; hidden are the true rates of every condition."""
    for about in (LOBBY, DESK, FINE, SIX):
        yield Case(hidden=[_draw(rng, about) for _ in range(TABLES)], about=about)


def _draw(rng, about):
    """Return (cells, anger, true recall, true false rate) of one site."""
    anger = rng.uniform(0.08, 0.12) if about == DESK else scenario.ANGRY_VISITS
    # Which light and which cover are the hard ones differs from detector to detector.
    harm = {FINE: [0, 0, 0.1, 0.2], DESK: [0, 0.2, 1.1, 1.6], LOBBY: [0, 0.2, 1.2, 1.7]}
    harm[SIX] = [0, 0.1, 0.2, 1.5]
    light, cover = (rng.permutation(harm[about]) for _ in range(2))
    hard = (light[:, None] + cover).ravel() + rng.normal(0, 0.1, 16)
    recall = _logistic(rng.uniform(0.7, 1.1) - 0.8 * hard)
    false = _logistic(rng.uniform(-3.9, -3.6) + 0.65 * hard)
    if about == DESK:
        false = _logistic(rng.uniform(-3.0, -2.6) + 0.5 * hard)
    angry, calm = rng.integers(150, 400, 16), rng.integers(600, 1200, 16)
    found, mistaken = rng.binomial(angry, recall), rng.binomial(calm, false)
    if about == SIX:
        # Of many conditions with few images, those that were unlucky are the ones that catch the eye.
        pays = _cost(anger, recall, false).argmin(axis=0) == 0
        for n, k in enumerate(_spread(rng.permutation(np.flatnonzero(pays)))):
            angry[k] = calm[k] = FEW
            tries = rng.binomial(FEW, [recall[k], false[k]], size=(4000, 2))
            unlucky = n % 2 == 0
            found[k], mistaken[k] = _misleading(tries, anger) if unlucky else tries[0]
    columns = {
        "light": np.repeat(list(LIGHTS.values()), 4),
        "cover": np.tile(COVERS, 4),
        "share": rng.dirichlet(np.full(16, 4.0)).round(4),
        "angry": angry,
        "found": found,
        "calm": calm,
        "false": mistaken,
    }
    order = rng.permutation(16)
    names = [f"condition_{k:02d}" for k in range(1, 17)]
    cells = pd.DataFrame(columns).iloc[order].set_axis(names, axis=0)
    return cells, float(anger), recall[order], false[order]


def _spread(numbers):
    """Return the first numbers of conditions (4 * light + cover) with at most two in a light or a cover."""
    kept = []
    for k in numbers:
        if max(sum(k // 4 == n // 4 for n in kept), sum(k % 4 == n % 4 for n in kept)) < 2:
            kept.append(k)
    return kept


def _logistic(x):
    return 1 / (1 + np.exp(-x))


def _misleading(tries, anger):
    """Return the first (found, false) that, taken at its word, speaks against running."""
    return tries[_cost(anger, tries[:, 0] / FEW, tries[:, 1] / FEW).argmin(axis=0) > 0][0]


def _cost(anger, recall, false):
    """Return euros a visit by action, in the order of ACTIONS, float [3, ...]."""
    run = anger * (1 - recall) * COSTS["missed"] + (1 - anger) * false * COSTS["needless"]
    return np.stack([run, run * 0 + COSTS["distance"], run * 0 + anger * COSTS["missed"]])


def run(case, answer):
    """Act as chosen and add up what the visits to come cost, against the best there is."""
    actions, shares, paid, best = [], [], 0.0, 0.0
    for cells, anger, recall, false in case.hidden:
        chosen = _chosen(answer(cells, anger, dict(COSTS)), cells.index)
        cost, share = _cost(anger, recall, false), cells["share"].to_numpy()
        paid += share @ cost[chosen, np.arange(len(cells))]
        best += share @ cost.min(axis=0)
        actions.append(chosen)
        shares.append(share / TABLES)
    outcome = {"paid": paid / TABLES, "best": best / TABLES}
    return {
        case.about: outcome
        | {"actions": np.concatenate(actions), "shares": np.concatenate(shares)}
    }


def _chosen(output, index):
    """Return the number of the action in each condition, or say what is wrong with the output."""
    if not isinstance(output, (pd.Series, dict)):
        raise Unreadable(
            f"`envelope` returned a {type(output).__name__}, not a Series or a dict."
        )
    chosen = pd.Series(output)
    if chosen.index.has_duplicates or set(chosen.index) != set(index):
        raise Unreadable("The answer must name an action for every condition, each once.")
    odd = [action for action in chosen.unique() if action not in ACTIONS]
    if odd:
        raise Unreadable(
            f"Actions are {', '.join(ACTIONS)}; yours also has {str(odd[0])[:40]!r}."
        )
    return chosen.reindex(index).map(ACTIONS.index).to_numpy(int)


# Share by which plans may be dearer than the best ones. Over 250 seeds right answers were at most 0.035
# dearer at any kind of site (99 in 100 at most 0.017); where it matters, "six images believed" was 0.080 or
# more, and each of the others at least once 0.12 or more.
DEARER = 0.05


def _good(key, got, expected):
    return got["paid"] <= got["best"] * (1 + DEARER)


def _same(key, got, other):
    """Two plans are the same when they act alike in all but a few visits."""
    return got["shares"] @ (got["actions"] == other["actions"]) >= 0.97


def _describe(key, got, expected):
    shares = [got["shares"] @ (got["actions"] == k) for k in range(3)]
    told = ", ".join(
        f"'{name}' in {share:.0%}" for name, share in zip(ACTIONS, shares, strict=True)
    )
    return (
        f"For {key}: your plans cost {1000 * got['paid']:.1f} euros per 1,000 visits where"
        f" {1000 * got['best']:.1f} was within reach; they choose {told} of the visits."
    )


def _priced(cells, anger, costs, recall, false):
    """Return the cost of each action per condition, at these rates."""
    run = anger * (1 - recall) * costs["missed"] + (1 - anger) * false * costs["needless"]
    cost = pd.DataFrame({"run": run}, index=cells.index)
    return cost.assign(
        **{"keep distance": costs["distance"], "carry on": anger * costs["missed"]}
    )


def _overall_mean(cells, anger, costs):
    recall = cells["found"].sum() / cells["angry"].sum()
    false = cells["false"].sum() / cells["calm"].sum()
    return _priced(cells, anger, costs, recall, false).idxmin(axis=1)


def _six_images_believed(cells, anger, costs):
    recall, false = cells["found"] / cells["angry"], cells["false"] / cells["calm"]
    return _priced(cells, anger, costs, recall, false).idxmin(axis=1)


def _untested_is_bad(cells, anger, costs):
    otherwise = (
        "keep distance" if anger * costs["missed"] > costs["distance"] else "carry on"
    )
    return envelope(cells, anger, costs).where(cells["angry"] >= 50, otherwise)


def _abstaining_is_free(cells, anger, costs):
    chosen = envelope(cells, anger, costs)
    return chosen.where(chosen == "run", "keep distance")


def _carrying_on_is_free(cells, anger, costs):
    chosen = envelope(cells, anger, costs)
    return chosen.where(chosen == "run", "carry on")


def _test_set_prevalence(cells, anger, costs):
    tested = cells["angry"].sum() / (cells["angry"].sum() + cells["calm"].sum())
    return envelope(cells, tested, costs)


def _not_in_the_dark(cells, anger, costs):
    dark = (cells["light"] == "from behind") | (cells["cover"] == "mask")
    otherwise = (
        "keep distance" if anger * costs["missed"] > costs["distance"] else "carry on"
    )
    return pd.Series(np.where(dark, otherwise, "run"), index=cells.index)


def _pooled_where_seldom_tested(cells, anger, costs):
    """Take a condition at its word from fifty images on; else average over light and over cover."""
    rates = {}
    for hits, tried in (("found", "angry"), ("false", "calm")):
        parts = [
            cells.groupby(side)[hits].transform("sum")
            / cells.groupby(side)[tried].transform("sum")
            for side in ("light", "cover")
        ]
        overall = cells[hits].sum() / cells[tried].sum()
        own = cells[hits] / cells[tried]
        rates[hits] = own.where(cells[tried] >= 50, parts[0] * parts[1] / overall)
    recall, false = rates["found"].clip(0, 1), rates["false"].clip(0, 1)
    return _priced(cells, anger, costs, recall, false).idxmin(axis=1).to_dict()


def _by_additive_fit(cells, anger, costs):
    """Fit light and cover by Newton's method, weighing each condition by its images."""
    design = np.hstack(
        [np.ones((len(cells), 1))]
        + [
            pd.get_dummies(cells[side], drop_first=True).to_numpy(float)
            for side in ("light", "cover")
        ]
    )
    rates = []
    for hits, tried in (("found", "angry"), ("false", "calm")):
        n, k = cells[tried].to_numpy(float), cells[hits].to_numpy(float)
        weights = np.zeros(design.shape[1])
        for _ in range(30):
            p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
            curve = design.T @ (design * (n * p * (1 - p))[:, None]) + 0.1 * np.eye(
                len(weights)
            )
            weights = weights + np.linalg.solve(
                curve, design.T @ (k - n * p) - 0.1 * weights
            )
        rates.append(1 / (1 + np.exp(-design @ weights)))
    return _priced(cells, anger, costs, *rates).idxmin(axis=1)


exercise = Exercise(
    title="Where the detector may run, and what happens elsewhere",
    questions=("1.10",),
    points=4,
    minutes=12,
    reference=envelope,
    cases=cases,
    run=run,
    good=_good,
    same=_same,
    describe=_describe,
    evidence=True,
    repeatable=True,
    returns="a Series or dict, condition -> 'run', 'keep distance' or 'carry on'",
    praise="The detector runs where it pays, and where it does not, the cheaper way out is taken.",
    right=(_pooled_where_seldom_tested, _by_additive_fit),
    mistakes=(
        Mistake(
            "the overall mean",
            _overall_mean,
            "Every condition gets the same action, as if one mean over all of them decided.",
            "What does the mean of a good and a bad condition tell you about either?",
        ),
        Mistake(
            "six images believed",
            _six_images_believed,
            "The rates of each condition are taken at their word, even where they come from six images.",
            "If one more of the six had been found, would your action be another one?",
        ),
        Mistake(
            "few images, so not run",
            _untested_is_bad,
            "Wherever there are few images the detector is left off, as if untested meant bad.",
            "What do the other conditions with the same light, and with the same cover, lead you to expect?",
        ),
        Mistake(
            "abstaining is free",
            _abstaining_is_free,
            "Wherever the detector does not pay, the robot keeps distance, as if that cost nothing.",
            "What does it cost to keep distance from a hundred visitors, and to miss the one who is angry?",
        ),
        Mistake(
            "carrying on is free",
            _carrying_on_is_free,
            "Wherever the detector does not pay, the robot carries on, as if a miss cost nothing there.",
            "With one angry visitor in ten, what does carrying on cost per visit?",
        ),
        Mistake(
            "as common as in the test",
            _test_set_prevalence,
            "The robot keeps away as often as if anger were as common in the field as in the test.",
            "How many of 1,000 visits show anger, and how many of 1,000 tested images?",
        ),
        Mistake(
            "decided by the name",
            _not_in_the_dark,
            "Conditions are excluded by their names, whatever was measured in them.",
            "What was measured in the conditions that you exclude?",
        ),
    ),
    hints=(
        "Three actions, three costs per visit. Two of them need no detector at all: write these down first.",
        "Running costs anger * (1 - recall) * missed + (1 - anger) * false rate * needless. Where a condition"
        " has few images, let the other conditions with the same light or the same cover speak.",
        "Estimate each rate as (hits + 100 * expected) / (tried + 100), where `expected` adds the log-odds of"
        " the light and of the cover and subtracts the overall ones. Then take the cheapest of the three.",
    ),
)
