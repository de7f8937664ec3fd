"""How often chance refuses a right answer, or accepts a mistake, in the metrics exercises and `budget`.

Intervals: reruns are independent, so the chance that a check of `RERUNS` refuses an answer follows from the
answer's coverage, measured over many more reruns, by the binomial distribution; its pessimistic end is used.
Everything else is judged as it is in class.

    python -m benchmarks.coverage [checks [exercise]]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import numpy as np
from scipy import stats

from autograder.exercise import CORRECT, Exercise
from autograder.judging import judge
from autograder.stage import load_exercise, stage_folder
from benchmarks.bars import Figure, at_least, at_most, report

CHECKS = 100
BAR = 0.001
EXERCISES = (("01_problem", "budget"), ("02_data_metrics", "scorecard"), ("02_data_metrics", "hierarchy"))


def main() -> int:
    """Print the figures; return 1 when one falls short."""
    checks = int(sys.argv[1]) if len(sys.argv) > 1 else CHECKS
    wanted = sys.argv[2:] or ["baseline", *(name for _, name in EXERCISES)]
    code = 0
    if "baseline" in wanted:
        exercise = load_exercise(stage_folder("02_data_metrics") / "exercises" / "baseline.py")
        module = sys.modules[exercise.reference[0].__module__]
        code |= report(f"baseline, intervals, {checks} checks", _intervals(exercise, module, checks))
        code |= report(f"baseline, ladder, {3 * checks} tables", _ladders(exercise, checks))
    for stage, name in EXERCISES:
        if name in wanted:
            other = load_exercise(stage_folder(stage) / "exercises" / f"{name}.py")
            code |= report(f"{name}, {checks} checks an answer", _judged(other, checks))
    return code


def _intervals(exercise: Exercise, module: ModuleType, checks: int) -> list[Figure]:
    """Return the chance that a right interval is refused, and that a wrong one is accepted."""
    right = {answer[0].__name__: answer[0] for answer in (exercise.reference, *exercise.right)}
    wrong = {m.name: m.answer[0] for m in exercise.mistakes if m.answer[0] is not exercise.reference[0]}
    measured = {name: [] for name in (*right, *wrong)}
    for situation in range(len(module.SITUATIONS)):
        reruns, truth = [], []
        for seed in range(checks):
            case = list(exercise.cases(np.random.default_rng(seed)))[situation]
            reruns += case.hidden[0]
            truth += list(case.hidden[1])
        reference = _tried(exercise.reference[0], reruns, truth)[1].reshape(-1, module.RERUNS).mean(axis=1)
        for name, answer in (right | wrong).items():
            held, width = _tried(answer, reruns, truth)
            ratio = width.reshape(-1, module.RERUNS).mean(axis=1) / reference
            fewest = held.reshape(-1, module.RERUNS).sum(axis=1).min()
            measured[name].append((held.mean(), len(held), ratio.min(), ratio.max(), fewest))
    figures = []
    for name in right:
        refused = sum(_chance_below(module, share, n, -1) for share, n, *_ in measured[name])
        told = " and ".join(f"{share:.3f}" for share, *_ in measured[name])
        figures.append(Figure(f"{name}: coverage in the two situations", told))
        fewest = min(entry[4] for entry in measured[name])
        figures.append(at_least(f"{name}: fewest of {module.RERUNS} held", fewest, module.HELD))
        figures.append(at_most(f"{name}: chance that a check refuses it", refused, BAR))
        narrowest, widest = (
            min(entry[2] for entry in measured[name]),
            max(entry[3] for entry in measured[name]),
        )
        figures.append(at_least(f"{name}: narrowest, in widths of the reference", narrowest, module.NARROWER))
        figures.append(at_most(f"{name}: widest, in widths of the reference", widest, module.WIDER))
    for name in wrong:
        # Accepted only where both situations accept it.
        accepted = 1.0
        for share, n, narrow, wide, _ in measured[name]:
            accepted *= (
                0.0
                if narrow > module.WIDER or wide < module.NARROWER
                else 1 - _chance_below(module, share, n, 1)
            )
        told = " and ".join(f"{share:.3f}" for share, *_ in measured[name])
        figures.append(Figure(f"mistake '{name}': coverage", told))
        figures.append(at_most(f"mistake '{name}': chance that a check accepts it", accepted, BAR))
    return figures


def _tried(answer: Callable, reruns: list, truth: list) -> tuple[np.ndarray, np.ndarray]:
    """Return for each rerun whether the interval holds the truth, and how wide it is."""
    bounds = np.array([answer(*rerun) for rerun in reruns], dtype=float)
    return (bounds[:, 0] <= truth) & (truth <= bounds[:, 1]), bounds[:, 1] - bounds[:, 0]


def _chance_below(module: ModuleType, share: float, n: int, sign: int) -> float:
    """Return the chance that fewer than HELD of RERUNS hold, with the share moved by two standard errors."""
    pessimistic = np.clip(share + sign * 2 * np.sqrt(share * (1 - share) / n), 0, 1)
    return float(stats.binom.cdf(module.HELD - 1, module.RERUNS, pessimistic))


def _ladders(exercise: Exercise, checks: int) -> list[Figure]:
    """Return how often a right ladder is refused, and how often each mistake is accepted."""
    reference, calls = exercise.references, {"right": [], **{m.name: [] for m in exercise.mistakes}}
    ladders = {"right": exercise.right[0]}
    ladders |= {m.name: m.answer for m in exercise.mistakes if m.answer[1] is not reference[1]}
    for seed in range(checks):
        for case in list(exercise.cases(np.random.default_rng(seed)))[2:]:
            expected = exercise.run(case, *reference)
            for name, answer in ladders.items():
                got = exercise.run(case, *answer)
                calls[name].append(all(exercise.good(key, got[key], expected[key]) for key in expected))
    figures = [at_most("right ladder refused", 1 - np.mean(calls["right"]), BAR)]
    for name in list(ladders)[1:]:
        # One table that shows it is enough.
        refused = 1 - np.reshape(calls[name], (-1, 3)).all(axis=1).mean()
        figures.append(at_least(f"mistake '{name}' refused", refused, 1 - BAR))
    return figures


def _judged(exercise: Exercise, checks: int) -> list[Figure]:
    """Return the share of whole checks that refuse the right answers, and each mistake."""
    refused = [
        _word(exercise, answer, seed) != CORRECT
        for answer in (exercise.reference, *exercise.right)
        for seed in range(checks)
    ]
    figures = [at_most(f"right answers refused, of {len(refused)}", np.mean(refused), BAR)]
    for mistake in exercise.mistakes:
        caught = [_word(exercise, mistake.answer, seed) != CORRECT for seed in range(max(checks // 10, 4))]
        figures.append(at_least(f"mistake '{mistake.name}' refused", np.mean(caught), 1 - BAR))
    return figures


def _word(exercise: Exercise, answer: object, seed: int) -> str:
    return judge(exercise, answer if isinstance(answer, tuple) else (answer,), seed).word


if __name__ == "__main__":
    sys.exit(main())
