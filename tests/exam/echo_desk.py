"""What workers run in tests of the grading run: no exam is held, a submission is the result it will have."""

import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

import msgpack

from autograder.exam.grade import Desk, Plan, run
from autograder.exam.records import Result, to_plain
from autograder.exam.sandbox import NoSandbox
from autograder.exercise import Verdict


def result(points=4.0, problem="", **changes):
    """A submission whose exam will have this result, in a stage with the one exercise "mean"."""
    verdict = asdict(Verdict("mean", "correct", points, 4.0, "Well."))
    return msgpack.packb(to_plain(Result((), {}, {"mean": verdict}, problem=problem)) | changes)


def prepare(options):
    """Have nothing to prepare."""


def no_wall(options):
    """Find that this machine cannot build walls."""
    raise NoSandbox("user namespaces are switched off")


def examine(options, submission, seed):
    """Return the submission as its own result, or do what it says."""
    if submission == b"kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if submission == b"raise":
        raise RuntimeError("no such luck")
    if "ECHO_SECONDS" in os.environ:
        time.sleep(float(os.environ["ECHO_SECONDS"]))
    return submission


def leave():
    """Have nothing to close."""


ECHO = Desk(prepare, examine, leave)

if __name__ == "__main__":
    import echo_desk  # workers must find these functions in a module that has a name

    for tally in run(Plan(Path(sys.argv[1]), workers=2, desk=echo_desk.ECHO)):
        print("\n".join(tally.lines()))
