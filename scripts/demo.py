"""`make demo`: release the stages, simulate a class of 20, grade it with nbgrader, print the report."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from autograder.cli import main as autograder
from autograder.stage import stage_folders

LEARNERS = 20


def main() -> int:
    """Run the whole way from a release to a report, in a course folder that stays to be looked at."""
    course = Path("build") / "demo"
    shutil.rmtree(course, ignore_errors=True)
    for command in (["release"], ["simulate", "--learners", str(LEARNERS)]):
        if status := autograder([command[0], str(course), *command[1:]]):
            return status
    start = time.perf_counter()
    for stage in stage_folders():
        if not _autograde(course, stage):
            return 1
    print(f"nbgrader graded {LEARNERS} submissions in {time.perf_counter() - start:.0f} s\n")
    return autograder(["report", str(course)])


def _autograde(course: Path, stage: str) -> bool:
    """Let stock nbgrader grade the class, showing how far it is."""
    command = [sys.executable, "-m", "nbgrader", "autograde", stage]
    run = subprocess.Popen(command, cwd=course, stderr=subprocess.PIPE, text=True)
    done, said = 0, []
    for line in run.stderr:
        said.append(line)
        if "Autograding" in line:
            done += 1
            print(f"\rgrading {stage}: {done} of {LEARNERS}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if run.wait():
        print("".join(said[-20:]), file=sys.stderr)
    return run.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
