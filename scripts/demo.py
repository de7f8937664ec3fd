"""`make demo`: release the stages, simulate a class of 20, grade it behind the wall, print the report."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from autograder.cli import main as autograder

LEARNERS = 20


def main() -> int:
    """Run the whole way from a release to a report, in a course folder that stays to be looked at."""
    course = Path("build") / "demo"
    shutil.rmtree(course, ignore_errors=True)
    for command, *options in (["release"], ["simulate", "--learners", str(LEARNERS)]):
        if status := autograder([command, str(course), *options]):
            return status
    start = time.perf_counter()
    if status := autograder(["grade", str(course)]):
        return status
    print(f"graded a class of {LEARNERS} in {time.perf_counter() - start:.0f} s\n")
    return autograder(["report", str(course)])


if __name__ == "__main__":
    sys.exit(main())
