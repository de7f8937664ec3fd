"""Is the simulated crowd like the one that voted on FER+? Ours beside theirs, with bars.

Run `python -m benchmarks.crowd`; with `--fit` it prints the curve that `course/crowd.py` holds, which
is needed again only when faces or weights have changed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.bars import Figure, at_most, report, within
from course import crowd
from course.faces import sample_faces

FERPLUS = json.loads(Path(__file__).with_name("crowd_ferplus.json").read_text(encoding="utf-8"))
FACES = 20_000
ANNOTATORS = 60
DRAWS = 4
RELATIVE = 0.15
KNOT_RANKS = (0.02, 0.3, 0.6, 0.75, 0.83, 0.88, 0.91, 0.93, 0.95, 0.97, 0.985, 0.996)


def anger_matrix(votes: pd.DataFrame, annotators_per_face: int = 10) -> np.ndarray:
    """Return the votes as bool [faces, votes], True for angry; every face has as many votes."""
    return (votes["vote"] == "angry").to_numpy().reshape(-1, annotators_per_face)


def fleiss_kappa(angry: np.ndarray) -> float:
    """Return Fleiss' kappa (1971) of two classes, for bool votes [faces, votes]."""
    raters = angry.shape[1]
    count = angry.sum(axis=1)
    agreement = (count * (count - 1) + (raters - count) * (raters - count - 1)).mean()
    agreement /= raters * (raters - 1)
    share = angry.mean()
    chance = share**2 + (1 - share) ** 2
    return float((agreement - chance) / (1 - chance))


def one_against_the_rest(angry: np.ndarray) -> tuple[float, float]:
    """Return precision and recall of single votes against the majority of the other votes."""
    others = angry.sum(axis=1, keepdims=True) - angry
    truth = others > (angry.shape[1] - 1) / 2
    hits = (angry & truth).sum()
    return float(hits / angry.sum()), float(hits / truth.sum())


def majority_of(angry: np.ndarray, k: int) -> tuple[float, float]:
    """Return precision and recall of the majority of k votes against that of all, ties dropped."""
    count = angry.sum(axis=1)
    clear = count != angry.shape[1] / 2
    truth = (count > angry.shape[1] / 2)[clear]
    said = (angry[:, :k].sum(axis=1) > k / 2)[clear]
    hits = (said & truth).sum()
    return float(hits / said.sum()), float(hits / truth.sum())


def measure(seed: int) -> dict[str, float]:
    """Return every figure of one plain crowd that votes ten times on faces of the natural mix."""
    rng = np.random.default_rng(seed)
    faces = sample_faces(rng, FACES)
    annotators = crowd.sample_annotators(rng, ANNOTATORS)
    started = time.perf_counter()
    votes = crowd.vote(rng, faces, annotators)
    seconds = time.perf_counter() - started
    angry = anger_matrix(votes)
    shares = np.bincount(angry.sum(axis=1), minlength=11) / len(angry)
    figures = {f"votes {k}": share for k, share in enumerate(shares)}
    figures |= {"kappa": fleiss_kappa(angry), "seconds": seconds}
    for k in (1, 3, 5, 7, 9):
        figures[f"precision of {k}"], figures[f"recall of {k}"] = majority_of(angry, k)
    # The single vote against all ten, itself included, is a figure apart from that against nine.
    figures["precision of 1 in 10"], figures["recall of 1 in 10"] = majority_of(angry, 1)
    figures["precision of 1"], figures["recall of 1"] = one_against_the_rest(angry)
    figures["unsure"] = float((votes["vote"] == "unsure").mean())
    rate = pd.Series(angry.mean(axis=1)).groupby(kinds(faces)).mean()
    figures |= {f"rate {kind}": value for kind, value in rate.items()}
    return figures


def kinds(faces: pd.DataFrame) -> np.ndarray:
    """Return the expression of each face with the two kinds of anger as one."""
    return faces["expression"].replace({"anger_closed": "anger", "anger_open": "anger"}).to_numpy()


def figures() -> list[Figure]:
    """Return the benchmark's table, each figure the mean of `DRAWS` crowds."""
    ours = pd.DataFrame([measure(seed) for seed in range(DRAWS)]).mean().to_dict()
    theirs = FERPLUS["anger_votes"]
    rows = []
    for name, low, high in (("0", 0, 0), ("1-2", 1, 2), ("3-7", 3, 7), ("8-10", 8, 10)):
        value = sum(ours[f"votes {k}"] for k in range(low, high + 1))
        target = sum(theirs[low : high + 1])
        rows.append(within(f"share of faces with {name} anger votes of 10", value, target, RELATIVE))
    rows.append(within("Fleiss' kappa", ours["kappa"], FERPLUS["fleiss_kappa"], RELATIVE))
    for word in ("precision", "recall"):
        target = FERPLUS["one_vote_against_nine"][word]
        rows.append(within(f"{word} of one vote against nine", ours[f"{word} of 1"], target, RELATIVE))
        for k, target in FERPLUS["majority_of_k"].items():
            key = f"{word} of 1 in 10" if k == "1" else f"{word} of {k}"
            name = f"{word} of the majority of {k} against ten"
            rows.append(within(name, ours[key], target[word], RELATIVE))
    rows.append(shown("unsure votes", ours["unsure"], FERPLUS["unsure_votes"]))
    for kind, target in FERPLUS["anger_votes_by_consensus"].items():
        rows.append(shown(f"anger votes on {kind}", ours[f"rate {kind}"], target))
    for kind in ("concentrating", "squinting", "shouting", "speaking"):
        rows.append(Figure(f"anger votes on {kind}", f"{ours[f'rate {kind}']:.4f}", "(no figure)"))
    rows.append(at_most(f"seconds for ten votes on {FACES:,} faces", ours["seconds"], 2.0, " s"))
    return rows


def shown(name: str, value: float, target: float) -> Figure:
    """Return a figure beside its counterpart, without a bar."""
    return Figure(name, f"{value:.4f}", f"FER+ {target:.4f}")


def fit(seed: int = 7, n: int = 60_000) -> tuple[list[float], list[float]]:
    """Return the curve (scores, log-odds) that gives our faces the latent anger rates of FER+.

    Faces are ranked by score; each rank gets the rate that FER+ has at that rank, and the log-odds of
    a typical annotator that make a whole crowd vote at that rate.
    """
    from scipy.stats import beta

    rng = np.random.default_rng(seed)
    faces = sample_faces(rng, n)
    score = np.sort(crowd.anger_score(faces, "v1"))
    grid = np.concatenate([np.logspace(-12, -3, 2000), np.linspace(0.001, 1, 20_000)[1:]])
    below = sum(w * beta.cdf(grid, a, b) for w, a, b in FERPLUS["latent_rate"]["parts"])

    annotators = crowd.sample_annotators(rng, 400)
    skill = (annotators["skill"] * (1 - annotators["fatigue"])).to_numpy()[:, None]
    bias = annotators["bias"].to_numpy()[:, None]
    typical = np.linspace(-14, 12, 1200)
    crowd_rate = (1 / (1 + np.exp(-skill * (typical + bias)))).mean(axis=0)

    ranks = np.array(KNOT_RANKS)
    rate = np.interp(ranks, below, grid)
    log_odds = np.interp(rate, crowd_rate, typical)
    return np.quantile(score, ranks).round(3).tolist(), log_odds.round(2).tolist()


def main(arguments: list[str]) -> int:
    """Print the table or, with `--fit`, the curve; return the exit status."""
    if arguments == ["--fit"]:
        scores, log_odds = fit()
        print(f"_SCORES = {tuple(scores)}\n_LOG_ODDS = {tuple(log_odds)}")
        return 0
    if arguments:
        print(f"accepted is --fit or nothing, not {' '.join(arguments)}.", file=sys.stderr)
        return 2
    return report("The simulated crowd beside FER+", figures())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
