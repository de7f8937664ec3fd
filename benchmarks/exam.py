"""What an exam costs beside stock nbgrader: a class of real submissions, trivial ones, and a thousand.

    python -m benchmarks.exam            the two ratios, alternating (about a quarter of an hour)
    python -m benchmarks.exam --long     a thousand submissions, and a run that is killed on its way as well

Both sides write gradebook, autograded notebooks and feedback; the exam runs with its sandbox on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from autograder import notebooks, release, simulate
from autograder.stage import STAGES_VARIABLE, load_stage, stage_folder
from benchmarks.bars import Figure, at_least, at_most, report

STAGE, CLASS, ROUNDS = "02_data_metrics", 24, 3
TRIVIAL, TRIVIAL_CLASS, TRIVIAL_STOCK = "01_trivial", 60, 3
LONG = 1000
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

TRIVIAL_SOURCE = """# %% [markdown]
# # A trivial exam

# %%
from autograder import Stage
import torch, pandas, sklearn

stage = Stage("01_trivial")

# %% answer="double"

# %% check="double"
stage.check("double", double)
"""
TRIVIAL_EXERCISE = '''"""Twice a number."""

from autograder import Case, Exercise, Mistake


def double(number):
    """Return twice a number."""
    return 2 * number


exercise = Exercise(
    title="Double", questions=("1.1",), points=1, reference=double,
    cases=lambda rng: [Case((int(rng.integers(100)),), about="a number")],
    mistakes=(Mistake("same", lambda n: n, "It is the number.", "How often?"),), hints=("Add.", "Twice."),
)
'''


def main(arguments: list[str] | None = None) -> int:
    """Print the figures beside their bars; return 1 when one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="grade a thousand submissions as well")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        status = real_class(Path(folder) / "real") or 0
        status |= trivial_class(Path(folder))
        if options.long:
            status |= thousand(Path(folder))
    return status


def real_class(home: Path) -> int:
    """Print the ratio on a class of real submissions, and what its parts give."""
    course = _class(home / "all", STAGE, CLASS)
    blocks = [_part(course, home / f"block_{turn}", turn, ROUNDS) for turn in range(ROUNDS)]
    stock, exam = [], []
    for block in blocks:
        print(f"stock nbgrader on {CLASS // ROUNDS} submissions ...", file=sys.stderr, flush=True)
        stock.append(_timed(lambda block=block: _stock(block, STAGE)))
        print(f"exam on {CLASS} submissions ...", file=sys.stderr, flush=True)
        exam.append(_timed(lambda: _grade(course, STAGE)))
    with_demos = _timed(lambda: _grade(course, STAGE, "--demos"))
    alone = _timed(lambda: _grade(course, STAGE, "--workers", "1"))
    seconds = _seconds(course, STAGE)
    per_exam = {kind: statistics.median(entry[kind] for entry in seconds) for kind in seconds[0]}
    checks = [entry["checks"] for entry in seconds]
    ratio = sum(stock) / statistics.median(exam)
    figures = [
        at_least("class of 24, stock / exam, wall-clock", ratio, 8, " x"),
        _shown("checks of one submission together, median", statistics.median(checks), "s"),
        _shown("stock, 24 submissions", sum(stock), "s"),
        _shown("exam, 24 submissions, start included", statistics.median(exam), "s"),
        _shown("ratio with demo cells run as well", sum(stock) / with_demos, "x"),
        _shown("ratio with one worker", sum(stock) / alone, "x"),
        _shown("one exam: until its processes are there", per_exam["ready"], "s"),
        _shown("one exam: reading the submission", per_exam["intake"], "s"),
        _shown("one exam: cells", per_exam["cells"], "s"),
        _shown("one exam: checks", per_exam["checks"], "s"),
        _shown(
            "one exam: all but checks and cells",
            per_exam["total"] - per_exam["checks"] - per_exam["cells"],
            "s",
        ),
    ]
    return report("a class of real submissions", figures)


def trivial_class(home: Path) -> int:
    """Print the ratio on trivial notebooks."""
    with _trivial_stage(home):
        course = _class(home / "trivial", TRIVIAL, TRIVIAL_CLASS)
        few = _part(course, home / "few", 0, TRIVIAL_CLASS // TRIVIAL_STOCK)
        stock, exam = [], []
        for _ in range(ROUNDS):
            stock.append(_timed(lambda: _stock(few, TRIVIAL)) / TRIVIAL_STOCK)
            exam.append(_timed(lambda: _grade(course, TRIVIAL)) / TRIVIAL_CLASS)
        seconds = _seconds(course, TRIVIAL)
    figures = [
        at_least(
            "trivial notebook, stock / exam, per submission",
            statistics.median(s / e for s, e in zip(stock, exam, strict=True)),
            15,
            " x",
        ),
        _shown("stock, per submission", statistics.median(stock), "s"),
        _shown("exam, per submission, start included", statistics.median(exam), "s"),
        _shown("exam alone", statistics.median(entry["total"] for entry in seconds), "s"),
    ]
    return report("trivial notebooks", figures)


def thousand(home: Path) -> int:
    """Print how time and memory grow over a thousand submissions, and that nothing is lost to kill -9."""
    with _trivial_stage(home):
        course = _class(home / "long", TRIVIAL, LONG)
        watched = _Watched(course, LONG)
        watched.run(kill_worker_at=LONG // 2)
        half = len(watched.times) // 2
        first = _slope(watched.times[len(watched.times) // 20 : half])
        second = _slope(watched.times[half:])
        settled = [memory for at, memory in watched.memory if at >= watched.times[len(watched.times) // 10]]
        graded = _graded(course)
        killed = _class(home / "killed", TRIVIAL, LONG)
        stopped = _Watched(killed, LONG)
        stopped.run(kill_all_at=LONG // 3)
        before = _graded(killed)
        _grade(killed, TRIVIAL, again=False)
    figures = [
        at_most("slope of the second half beside the first", abs(second / first - 1), 0.10),
        at_most(
            "memory of the coordinating process grows by", (max(settled) - min(settled)) / 2**20, 50, " MB"
        ),
        at_least("graded, with a worker killed at half", graded, LONG),
        _shown("graded when the whole run was killed", before, ""),
        at_least("graded after running it again", _graded(killed), LONG),
        _shown("per submission", second, "s"),
    ]
    return report("a thousand submissions", figures)


class _Watched:
    """A grading run whose progress and memory are read from outside."""

    def __init__(self, course: Path, size: int):
        self._course = course
        self._size = size
        self.times: list[float] = []
        self.memory: list[tuple[float, int]] = []

    def run(self, kill_worker_at: int = 0, kill_all_at: int = 0) -> None:
        """Grade; kill one worker, or everything, when so many are graded."""
        process = subprocess.Popen(
            _grade_command(self._course, TRIVIAL, False),
            env=ENVIRONMENT,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        start = time.perf_counter()
        while process.poll() is None:
            graded = _graded(self._course)
            now = time.perf_counter() - start
            self.times += [now] * (graded - len(self.times))
            self.memory.append((now, _resident(process.pid)))
            if kill_worker_at and graded >= kill_worker_at:
                os.kill(_workers(process.pid)[0], signal.SIGKILL)
                kill_worker_at = 0
            if kill_all_at and graded >= kill_all_at:
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.1)
        process.wait()


def _class(course: Path, stage: str, learners: int) -> Path:
    release.prepare(course, [stage_folder(stage)], solutions=False, replace=True)
    simulate.hand_in(course, learners, seed=1)
    return course


def _part(course: Path, part: Path, turn: int, parts: int) -> Path:
    """Copy a course with every so-manieth submission of it."""
    shutil.copytree(course, part, ignore=shutil.ignore_patterns("submitted", "gradebook.db"))
    for learner in sorted((course / "submitted").iterdir())[turn::parts]:
        shutil.copytree(learner, part / "submitted" / learner.name)
    release.prepare(
        part, [stage_folder(next((part / "source").iterdir()).name)], solutions=False, replace=True
    )
    return part


def _stock(course: Path, stage: str) -> None:
    for command in (["autograde", "--force"], ["generate_feedback", "--force"]):
        _run([sys.executable, "-m", "nbgrader", command[0], stage, *command[1:]], cwd=course)


def _grade(course: Path, stage: str, *options: str, again: bool = True) -> None:
    _run([*_grade_command(course, stage, again), *options])


def _grade_command(course: Path, stage: str, again: bool) -> list[str]:
    return [sys.executable, "-m", "autograder", "grade", str(course), stage, *(["--again"] if again else [])]


def _run(command: list[str], cwd: Path | None = None) -> None:
    run = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"{' '.join(command[1:4])} failed: {run.stderr[-2000:]}")


def _timed(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _seconds(course: Path, stage: str) -> list[dict[str, float]]:
    """Return what each exam says took how long, from the autograded notebooks."""
    files = sorted((course / "autograded").glob(f"*/{stage}/{stage}.ipynb"))
    return [json.loads(file.read_text("utf-8"))["metadata"]["exam"]["seconds"] for file in files]


def _graded(course: Path) -> int:
    """Return how many submissions the gradebook holds points for."""
    with sqlite3.connect(f"file:{course / 'gradebook.db'}?mode=ro", uri=True, timeout=30) as book:
        return book.execute("select count(*) from submitted_assignment").fetchone()[0]


def _slope(times: list[float]) -> float:
    return float(np.polyfit(np.arange(len(times)), times, 1)[0])


def _resident(number: int) -> int:
    try:
        text = Path(f"/proc/{number}/statm").read_text("ascii")
    except OSError:
        return 0
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") if text else 0


def _workers(parent: int) -> list[int]:
    """Return the worker processes of a grading run."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if int(fields[1]) == parent and b"spawn_main" in command:
                found.append(int(folder.name))
    return found


@contextlib.contextmanager
def _trivial_stage(home: Path) -> Iterator[None]:
    """Make the trivial stage the only one while the block lasts."""
    folder = home / "stages" / TRIVIAL
    (folder / "exercises").mkdir(parents=True, exist_ok=True)
    (folder / f"{TRIVIAL}.py").write_text(TRIVIAL_SOURCE, encoding="utf-8")
    (folder / "exercises" / "double.py").write_text(TRIVIAL_EXERCISE, encoding="utf-8")
    os.environ[STAGES_VARIABLE] = ENVIRONMENT[STAGES_VARIABLE] = str(folder.parent)
    notebooks.write_notebook(
        notebooks.build_learner(folder, load_stage(folder)), notebooks.notebook_file(folder)
    )
    try:
        yield
    finally:
        del os.environ[STAGES_VARIABLE], ENVIRONMENT[STAGES_VARIABLE]


def _shown(name: str, value: float, unit: str) -> Figure:
    return Figure(name, f"{value:.3g} {unit}".strip())


if __name__ == "__main__":
    sys.exit(main())
