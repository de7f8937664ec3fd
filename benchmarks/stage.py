"""What a stage costs its learners: the notebook run with answers, and each check, beside their bars."""

from __future__ import annotations

import statistics
import sys
import time

from autograder.exercise import Exercise
from autograder.judging import judge
from autograder.notebooks import build_solved
from autograder.stage import load_stage, stage_folders
from autograder.verify import execute, points_of
from benchmarks.bars import at_least, at_most, report

SEEDS = range(7)


def main() -> int:
    """Print each stage's figures; return 1 when one falls short."""
    return max(measure(name) for name in stage_folders())


def measure(name: str) -> int:
    """Print one stage's figures; return 1 when one falls short."""
    folder = stage_folders()[name]
    exercises = load_stage(folder)
    start = time.perf_counter()
    notebook = execute(build_solved(folder, exercises))
    seconds = time.perf_counter() - start
    earned = sum(points_of(cell) or 0 for cell in notebook.cells if "check" in cell.metadata)
    possible = sum(exercise.points for exercise in exercises.values())
    figures = [
        at_most("notebook with answers", seconds, 120, " s"),
        at_least("points it earns", earned, possible),
    ]
    medians = []
    for exercise in exercises.values():
        times = [_check_time(exercise, seed) for seed in SEEDS]
        medians.append(statistics.median(times))
        figures.append(at_most(f"check {exercise.name}, median", medians[-1], 0.3, " s"))
        figures.append(at_most(f"check {exercise.name}, worst", max(times), 10, " s"))
    figures.append(at_most("all checks together", sum(medians), 4, " s"))
    return report(name, figures)


def _check_time(exercise: Exercise, seed: int) -> float:
    """Return seconds to judge the reference answer on fresh cases."""
    start = time.perf_counter()
    judge(exercise, exercise.references, seed)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
