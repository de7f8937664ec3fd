"""Where does each metric fail? The learner makes data on which it prefers the detector that costs more."""

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable
from autograder.exercise import NotAttempted


def lie(metric, prevalence, prices):
    """Make data and two detectors such that a metric prefers the one that costs more.

    metric: which metric is to lie.
        "accuracy", "F1": of the robot's decisions about visits; "AUROC": of their scores;
        "mean over sites": the recall of angry visits at each site, then the mean over sites;
        "frame recall": the share of angry frames that reach the threshold.
    prevalence: float, the share of visits that are to be angry, between 0.01 and 0.02.
    prices: dict of floats, euros: "missed" for each angry visit that is missed, "needless"
        for backing off from a calm one; the first is 8 to 20 times the second.

    Returns a DataFrame, one row per frame, columns visit (int), site (text), angry (bool),
    favourite and cheaper (float, 0 to 1: the scores of the two detectors). There are 2,000 to
    20,000 visits, each at one site, in at most 60,000 rows; often one row a visit is enough.
    A visit is angry when one of its frames is, and its score is that of its highest frame.

    The robot backs off from a visit whose score reaches the detector's threshold. Each
    detector gets the threshold at which it costs least on your data (the highest of these).
    A lie counts when, at these thresholds,
        - the metric is higher for `favourite`, by 0.01 or more;
        - `favourite` costs more than `cheaper`, by 20 % or more;
        - both are worth having: they cost less than 95 % of never backing off;
        - for "mean over sites" and "frame recall" the recall over all visits prefers
          `cheaper` by 0.01 or more: then it is the averaging that lies;
        - the share of angry visits is within a tenth of `prevalence`.
    """
    n = 5000
    n_angry = round(n * prevalence)
    visit = np.arange(n)
    angry = visit < n_angry
    place = np.where(angry, visit / n_angry, (visit - n_angry) / (n - n_angry))
    site = np.where(place < 0.6, "airport", np.char.add("hotel ", (visit % 4).astype(str)))
    repeats = np.where(angry & (place < 0.5), 8, 1) if metric == "frame recall" else 1
    false_alarms = ~angry & (visit < 3.5 * n_angry)
    if metric in ("accuracy", "F1"):
        # Finds 4 of 10; finds all, with 2.5 false alarms each.
        favourite, cheaper = angry & (place < 0.4), angry | false_alarms
    elif metric == "AUROC":
        # The rest comes behind 3 calm visits of 10; the rest is anywhere.
        favourite = np.where(angry, 0.6 + 0.4 * (place < 0.3), 0.8 * (place < 0.3))
        cheaper = np.where(angry & (place < 0.5), 1, 0.8 * (2 * place % 1))
    elif metric == "mean over sites":
        # Good at the hotels; good at the airport, where most are.
        favourite, cheaper = angry & (place > 0.55), angry & (place < 0.75)
    else:
        # All frames of the long visits; one frame of nearly every visit.
        favourite, cheaper = angry & (place < 0.5), angry & (place < 0.9)
    columns = {"visit": visit, "site": site, "angry": angry}
    columns |= {"favourite": favourite * 1.0, "cheaper": cheaper * 1.0}
    table = pd.DataFrame(columns).loc[np.repeat(visit, repeats)]
    table["cheaper"] *= ~table["visit"].duplicated()
    return table


METRICS = ("accuracy", "AUROC", "F1", "mean over sites", "frame recall")
OWN = ("mean over sites", "frame recall")
BETTER, DEARER, WORTH = 0.01, 1.2, 0.95


def cases(rng):
    """Return two places, each with its share of anger and its prices."""
    for _ in range(2):
        needless = round(rng.uniform(0.2, 0.3), 2)
        prices = {"missed": round(needless * rng.uniform(8, 20), 2), "needless": needless}
        yield Case(inputs=(round(rng.uniform(0.01, 0.02), 4), prices))


def run(case, answer):
    """Ask for every lie; what has not been written yet counts as no lie, unless nothing has."""
    outcomes, problems = {}, []
    for metric in METRICS:
        try:
            facts = _judged(_read(answer(metric, *case.inputs)), metric, *case.inputs)
        except (NotAttempted, Unreadable) as problem:
            problems.append(problem)
            facts = {"kind": "", "problem": str(problem)}
        outcomes[f"a lie for {metric}"] = facts
    if len(problems) == len(METRICS):
        raise problems[0]
    return outcomes


def _read(table):
    """Return the table with plain columns, or say what is wrong with its form."""
    columns = ["visit", "site", "angry", "favourite", "cheaper"]
    if not isinstance(table, pd.DataFrame) or not set(columns) <= set(table.columns):
        raise Unreadable(
            f"`lie` must return a DataFrame with columns {', '.join(columns)}."
        )
    table = table[columns].reset_index(drop=True)
    if len(table) > 60_000 or not 2000 <= table["visit"].nunique() <= 20_000:
        raise Unreadable(
            f"Your table has {table['visit'].nunique():,} visits in {len(table):,} rows; asked for are 2,000"
            " to 20,000 visits in at most 60,000 rows."
        )
    if not table["angry"].isin([0, 1]).all():
        raise Unreadable("The column `angry` must hold True and False only.")
    for name in ("favourite", "cheaper"):
        numbers = pd.to_numeric(table[name], errors="coerce")
        if not numbers.between(0, 1).all():
            raise Unreadable(f"The column `{name}` must hold scores from 0 to 1.")
        table[name] = numbers.astype(float)
    if table["visit"].isna().any():
        raise Unreadable("The column `visit` must hold a number in every row.")
    pairs = table[["visit", "site"]].drop_duplicates()
    if table["site"].isna().any() or pairs["visit"].duplicated().any():
        raise Unreadable("Every visit must be at one site, the same in all of its frames.")
    return table.astype({"angry": bool})


def _judged(frames, metric, prevalence, prices):
    """Return both values of the metric, both costs in euros per 100 visits, and which kind of lie it is."""
    visits = frames
    if frames["visit"].duplicated().any():
        grouped = frames.groupby("visit")
        visits = grouped[["angry", "favourite", "cheaper"]].max()
        visits["site"] = grouped["site"].first()
    angry = visits["angry"].to_numpy(bool)
    facts = {"share": angry.mean(), "prevalence": prevalence}
    if not 0 < angry.mean() < 1:
        return facts | {"kind": "prevalence"}
    per = 100 / len(visits)
    facts["nothing"] = prices["missed"] * angry.sum() * per
    for name in ("favourite", "cheaper"):
        score = visits[name].to_numpy()
        threshold, cost = _cheapest(score, angry, prices)
        backs_off = score >= threshold
        facts[f"{name} costs"] = cost * per
        facts[f"{name} recall"] = (backs_off & angry).sum() / angry.sum()
        facts[name] = _value(metric, visits, frames, name, threshold)
    return facts | {"kind": _kind(facts, metric)}


def _cheapest(score, angry, prices):
    """Return the threshold that costs least (the highest of these; infinity for never) and euros in all."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    found, false = (np.cumsum(kind[order])[ends] for kind in (angry, ~angry))
    costs = prices["missed"] * (angry.sum() - found) + prices["needless"] * false
    costs = np.append(prices["missed"] * angry.sum(), costs)
    best = int(np.argmin(costs))
    return np.append(np.inf, score[order][ends])[best], float(costs[best])


def _value(metric, visits, frames, name, threshold):
    angry, backs_off = visits["angry"].to_numpy(bool), visits[name].to_numpy() >= threshold
    if metric == "accuracy":
        return (angry == backs_off).mean()
    if metric == "AUROC":
        from sklearn.metrics import roc_auc_score

        return roc_auc_score(angry, visits[name].to_numpy())
    if metric == "F1":
        return 2 * (angry & backs_off).sum() / max(angry.sum() + backs_off.sum(), 1)
    if metric == "mean over sites":
        found, site = pd.Series(backs_off[angry]), visits["site"].to_numpy()[angry]
        return found.groupby(site).mean().mean()
    return (frames[name] >= threshold)[frames["angry"]].mean()


def _kind(facts, metric):
    """Name what is wrong with a lie; "right" where nothing is."""
    better = facts["favourite"] - facts["cheaper"]
    dear, cheap = facts["favourite costs"], facts["cheaper costs"]
    if abs(facts["share"] / facts["prevalence"] - 1) > 0.1:
        return "prevalence"
    useless = [
        name
        for name in ("favourite", "cheaper")
        if facts[f"{name} costs"] >= WORTH * facts["nothing"]
    ]
    if useless:
        return f"useless: {' and '.join(useless)}"
    if np.isclose(dear, cheap, rtol=1e-6):
        return "same costs"
    if dear == 0:
        return "cured"
    if (better < 0) == (dear > cheap):
        return "truth"
    if better < 0:
        return "swapped"
    if better < BETTER or dear < DEARER * cheap:
        return "tie"
    if metric in OWN and facts["cheaper recall"] - facts["favourite recall"] < BETTER:
        return "not its own"
    return "right"


def describe(key, got, expected):
    """Say what both detectors give and cost, and what is missing for a lie."""
    metric = key.removeprefix("a lie for ")
    if "gave back nothing" in got.get("problem", ""):
        return f"There is no lie for {metric} yet."
    if "problem" in got:
        return f"For {metric}: {got['problem']}"
    if got["kind"] == "prevalence":
        return f"{got['share']:.2%} of your visits are angry where {got['prevalence']:.2%} are asked for."
    told = [
        f"`{name}` has {got[name]:.3f} and costs € {got[f'{name} costs']:.2f} per 100 visits"
        f" (it finds {got[f'{name} recall']:.0%} of the angry ones)"
        for name in ("favourite", "cheaper")
    ]
    return f"For {metric}, {', '.join(told)}; never reacting costs € {got['nothing']:.2f}."


def _table(visit, site, angry, favourite, cheaper):
    columns = {"visit": visit, "site": site, "angry": angry}
    return pd.DataFrame(columns | {"favourite": favourite, "cheaper": cheaper})


def _by_drawing(metric, prevalence, prices):
    """Draw everything: who is angry, where and for how long, and what each detector makes of it."""
    rng = np.random.default_rng(7)
    n = 20_000
    angry = rng.permutation(n) < n * prevalence
    site = rng.choice(["station", "museum", "library", "park"], n, p=[0.7, 0.1, 0.1, 0.1])
    frames = np.where(angry & (rng.random(n) < 0.6), 12, 1)

    def noticed(when_angry, when_calm=0.0):
        hit = rng.random(n) < np.where(angry, when_angry, when_calm)
        return 0.5 * hit + rng.uniform(0, 0.4, n)

    if metric in ("accuracy", "F1"):
        return _table(range(n), site, angry, noticed(0.35), noticed(0.9, 3 * prevalence))
    if metric == "mean over sites":
        small = site != "station"
        chances = np.where(small, 0.95, 0.2), np.where(small, 0.3, 0.95)
        return _table(range(n), site, angry, *map(noticed, chances))
    if metric == "AUROC":
        easy, scores = rng.random(n), rng.normal(0, 1, (2, n))
        scores[0] += angry * np.where(easy < 0.3, 7, 1.3)
        scores[1] += angry * np.where(easy < 0.6, 7, 0)
        return _table(range(n), site, angry, *(1 / (1 + np.exp(-scores / 2))))
    table = _table(range(n), site, angry, noticed(frames > 1), noticed(0.95))
    table = table.loc[table.index.repeat(frames)]
    return table.assign(cheaper=table["cheaper"].mask(table["visit"].duplicated(), 0.1))


def _from_groups(metric, prevalence, prices):
    """Write down groups of visits that are all alike: count, site, angry frames, both scores."""
    n, angry = 3000, round(3000 * prevalence)
    third = angry // 3
    rest = angry - third
    alarms = round(0.5 * prices["missed"] / prices["needless"] * rest)
    caught, behind, others = (third, "a", 1, 0.9, 0.9), 3 * n // 10, n // 2
    first, last = (third, "a", 1, 0.5, 0.9), (rest - third, "a", 1, 0.5, 0.2)
    ranked = [(behind, "a", 0, 0.6, 0.4), (others, "a", 0, 0.2, 0.4)]
    small = [(1, "b", 1, 0.9, 0.1), (1, "c", 1, 0.9, 0.1), (third - 2, "d", 1, 0.9, 0.1)]
    groups = {
        "accuracy": [caught, (rest, "a", 1, 0.1, 0.8), (alarms, "a", 0, 0.1, 0.8)],
        "AUROC": [caught, first, last, *ranked],
        "mean over sites": [(rest, "a", 1, 0.1, 0.7), *small],
        "frame recall": [(third, "a", 9, 0.9, 0.1), (rest, "a", 1, 0.1, 0.8)],
    }
    chosen = groups.get(metric, groups["accuracy"])
    chosen = [*chosen, (n - sum(group[0] for group in chosen), "a", 0, 0.1, 0.1)]
    names = ["count", "site", "frames", "favourite", "cheaper"]
    table = pd.DataFrame(chosen, columns=names)
    table = table.loc[table.index.repeat(table["count"])].reset_index(drop=True)
    table["visit"], table["angry"] = table.index, table["frames"] > 0
    return table.loc[table.index.repeat(table["frames"].clip(1))]


def _simply(prevalence, finds, alarms=(0, 0)):
    """Return 5,000 visits, a row each; shares found, and false alarms per angry visit, of both detectors."""
    n, n_angry = 5000, round(5000 * prevalence)
    visit = np.arange(n)
    site = np.char.add("site ", (visit % 5).astype(str))
    favourite, cheaper = (
        (visit < n_angry * share) | ((visit >= n_angry) & (visit < n_angry * (1 + false)))
        for share, false in zip(finds, alarms, strict=True)
    )
    return _table(visit, site, visit < n_angry, 1.0 * favourite, 1.0 * cheaper)


def _really_better(metric, prevalence, prices):
    return _simply(prevalence, (0.9, 0.6))


def _columns_swapped(metric, prevalence, prices):
    names = {"favourite": "cheaper", "cheaper": "favourite"}
    return lie(metric, prevalence, prices).rename(columns=names)


def _threshold_moved(metric, prevalence, prices):
    return lie(metric, prevalence, prices).eval("favourite = 0.4 * cheaper")


def _threshold_cures(metric, prevalence, prices):
    table = lie(metric, prevalence, prices)
    return table.eval("favourite = angry * (0.2 + 0.8 * favourite)")


def _never_reacts(*names):
    def never(metric, prevalence, prices):
        return lie(metric, prevalence, prices).assign(**dict.fromkeys(names, 0.0))

    return never


def _balanced(metric, prevalence, prices):
    return lie(metric, 0.3, prices)


def _too_close(metric, prevalence, prices):
    table = lie(metric, prevalence, prices)
    place = table["visit"] / round(5000 * prevalence)
    if metric in ("accuracy", "F1"):
        alarms = 0.18 * prices["missed"] / prices["needless"]
        return _simply(prevalence, (0.8, 1.0), (0, alarms))
    if metric == "AUROC":
        return table.assign(favourite=table["favourite"].mask(place < 0.45, 1.0))
    if metric == "mean over sites":
        return table.assign(favourite=1.0 * (table["angry"] & (place > 0.27)))
    return table.assign(cheaper=table["cheaper"] * (place < 0.55))


def _another_lie(metric, prevalence, prices):
    """Let averages lie by false alarms, which no recall sees, at sites and visits that are all alike."""
    if metric in OWN:
        alarms = 0.5 * prices["missed"] / prices["needless"]
        return _simply(prevalence, (1.0, 0.8), (alarms, 0))
    return lie(metric, prevalence, prices)


exercise = Exercise(
    title="Data on which a metric prefers the costlier detector",
    questions=("2.12",),
    points=4,
    minutes=12,
    reference=lie,
    cases=cases,
    run=run,
    good=lambda key, got, expected: got["kind"] == "right",
    same=lambda key, got, other: got["kind"] == other["kind"] != "",
    describe=describe,
    evidence=True,
    returns="a DataFrame with the columns visit, site, angry, favourite, cheaper",
    praise="Whoever can make a metric lie knows when not to believe it.",
    right=(_by_drawing, _from_groups),
    mistakes=(
        Mistake(
            "it tells the truth",
            _really_better,
            "On your data the metric prefers the detector that does cost less: it tells the truth.",
            "What does this metric not look at, and can you put the costly errors there?",
        ),
        Mistake(
            "columns swapped",
            _columns_swapped,
            "It is a lie, but the columns are swapped: the metric prefers `cheaper`, which costs more.",
            "Which of the two columns holds the detector that the metric is to prefer?",
        ),
        Mistake(
            "only the threshold moved",
            _threshold_moved,
            "Both detectors cost the same once each has its own best threshold.",
            "If one score is only a smaller copy of the other, in what do the detectors differ?",
        ),
        Mistake(
            "a threshold cures it",
            _threshold_cures,
            "At its best threshold `favourite` finds everybody without a false alarm, so it costs nothing.",
            "Which score do the angry visits have that it should miss, and which the calm ones?",
        ),
        Mistake(
            "favourite is not worth having",
            _never_reacts("favourite"),
            "Your `favourite` is worth nothing: never backing off costs hardly more.",
            "A detector that never reacts fools nobody: can the costlier one do something, but too little?",
        ),
        Mistake(
            "cheaper is not worth having",
            _never_reacts("cheaper"),
            "Your `cheaper` is worth nothing: never backing off costs hardly more.",
            "At its best threshold, what do the false alarms of this detector cost, and what does it save?",
        ),
        Mistake(
            "neither is worth having",
            _never_reacts("favourite", "cheaper"),
            "Both `favourite` and `cheaper` are worth nothing: never backing off costs hardly more.",
            "How many angry visits must a detector find, with how few false alarms, to be worth having?",
        ),
        Mistake(
            "another prevalence",
            _balanced,
            "The share of angry visits in your data is not the one that was given.",
            "In how many of a hundred visits is somebody angry in this lobby?",
        ),
        Mistake(
            "too close",
            _too_close,
            "It is a lie, but a narrow one: the gap in the metric or in the costs is below what was asked.",
            "How many false alarms per angry visit can the cheaper detector afford before it costs as much?",
        ),
        Mistake(
            "another lie",
            _another_lie,
            "The lie does not come from the averaging: recall over all visits tells it as well.",
            "Which visits count more in this average than they cost, and which detector is good on them?",
        ),
    ),
    hints=(
        "Ask of each metric what it does not see: which error costs more, where the robot decides, how many"
        " visits a site has, how many frames belong to one visit.",
        "Accuracy, F1: one detector misses many without false alarms, the other finds all with a few each."
        " AUROC: one finds fewer at once but ranks the rest higher. Means: one is good where few come.",
        "Accuracy, F1: `favourite` finds 40 % with no false alarm, `cheaper` all, with 2.5 false alarms for"
        " each angry visit. AUROC: `favourite` finds 30 % and ranks the others below 3 calm visits in 10;"
        " `cheaper` finds 50 % and ranks the others below nearly all. Means: one site with most visits; long"
        " visits and short ones. A missed visit needs the score of a calm one.",
    ),
)
