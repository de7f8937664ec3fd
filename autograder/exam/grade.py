"""The grading run: finds what was handed in, has it examined by many workers, hands results to the registrar.

It runs no learner's code and parses no submission; it moves bytes and keeps count. Stopped at any moment, it
goes on where it stood: a submission counts as graded once the registrar has recorded it whole.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgpack

from autograder.cluster import Cluster, Tls
from autograder.exam import desk
from autograder.exam.folder import find_submissions, read_file
from autograder.exam.ledger import Ledger, course_digest, digest, locked
from autograder.exam.reading import IntakeError
from autograder.exam.records import Result, result_from_plain
from autograder.exam.registrar import Registrar
from autograder.exam.sandbox import NoSandbox
from autograder.exam.seeds import exam_seed, read_secret
from autograder.exam.tally import Tally
from autograder.exercise import UNREADABLE, Verdict
from autograder.stage import load_stage, stage_folder, stage_folders

FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
VERDICT_KEYS = set(Verdict.__dataclass_fields__)


@dataclass(frozen=True)
class Desk:
    """The two functions that workers run; their signatures are those of `autograder.exam.desk`."""

    prepare: Callable[[desk.Options], None] = desk.prepare
    examine: Callable[[desk.Options, bytes, bytes], bytes] = desk.examine
    leave: Callable[[], None] = desk.leave


@dataclass(frozen=True)
class Plan:
    """What to grade and how.

    course: an nbgrader course folder.   stages: names; none means all that anybody handed in.
    attempt: number of the exam's attempt; another one gives every learner other data.
    again: grade what is already graded as well.   demos: also run cells that are only to be looked at.
    unsandboxed: let learners' code run without walls.
    workers, scheduler, tls: see `Cluster`.
    """

    course: Path
    stages: Sequence[str] = ()
    attempt: int = 1
    again: bool = False
    demos: bool = False
    unsandboxed: bool = False
    workers: int | None = None
    scheduler: str | None = None
    tls: Tls | None = None
    desk: Desk = field(default_factory=Desk)


def run(plan: Plan) -> list[Tally]:
    """Grade a class; return one tally per stage. Progress goes to stderr.

    Raises ValueError in one sentence for what a person has to mend first; what was graded until then is kept.
    """
    if plan.attempt < 1:
        raise ValueError(f"attempt: the first attempt is number 1, not {plan.attempt}")
    if not plan.course.is_dir():
        raise ValueError(f"course: there is no folder {plan.course}; make one with `autograder release`")
    secret = read_secret(plan.course)
    handed_in = _handed_in(plan)
    try:
        with locked(plan.course), _Run(plan, secret) as grading:
            return [grading.stage(stage, *found) for stage, found in handed_in.items()]
    except NoSandbox as error:
        raise ValueError(
            f"sandbox: {error}; nothing was run, since without walls a submission can read and change"
            " whatever you can (--unsandboxed grades all the same)"
        ) from error
    except (OSError, ValueError) as error:
        if _disk_is_full(error):
            raise ValueError(
                f"course: no space is left on the disk of {plan.course}; make room and run this again:"
                " what was graded is kept"
            ) from error
        raise


def _handed_in(plan: Plan) -> dict[str, tuple[list[str], list[str]]]:
    """Return stage -> (learners, sentences on what was set aside)."""
    found = {}
    nothing = None
    for stage in dict.fromkeys(plan.stages or stage_folders()):
        stage_folder(stage)
        try:
            submissions, problems = find_submissions(plan.course / "submitted", stage)
        except ValueError as error:
            if plan.stages:
                raise
            nothing = error
            continue
        found[stage] = ([submission.learner for submission in submissions], problems)
    if not found:
        raise nothing or ValueError("stages: there are none")
    return found


class _Run:
    """What one run holds open: the workers, once there is work, and the registrar."""

    def __init__(self, plan: Plan, secret: bytes):
        self._plan = plan
        self._secret = secret
        self._opened = contextlib.ExitStack()

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None and "_cluster" in self.__dict__:
            # Workers of an existing cluster live on; what they hold for us should not.
            with contextlib.suppress(OSError):
                self._cluster.everywhere(self._plan.desk.leave)()
        self._opened.close()

    @functools.cached_property
    def _cluster(self) -> Cluster:
        plan = self._plan
        return self._opened.enter_context(Cluster(plan.workers, plan.scheduler, plan.tls))

    @functools.cached_property
    def _registrar(self) -> Registrar:
        return self._opened.enter_context(Registrar(self._plan.course))

    def stage(self, stage: str, learners: list[str], problems: list[str]) -> Tally:
        """Grade one stage."""
        plan = self._plan
        folder = stage_folder(stage)
        options = desk.Options(stage, course_digest(folder), plan.unsandboxed, plan.demos)
        ledger = Ledger(plan.course, stage)
        with Tally(stage, len(learners), problems) as tally:
            ready = None
            if plan.again or any(learner not in ledger for learner in learners):
                # Opening rooms takes seconds, in which this process can get its own imports done.
                ready = self._cluster.everywhere(plan.desk.prepare, options)
            points = {name: exercise.points for name, exercise in load_stage(folder).items()}
            # Opened here, so that what is wrong with a gradebook is not taken for a submission's fault.
            _ = self._registrar
            sheets: dict[str, _Sheet] = {}
            tasks = self._tasks(options, ledger, learners, points, tally, sheets)
            for first in tasks:
                (ready or self._cluster.everywhere(plan.desk.prepare, options))()
                for outcome in self._cluster.run(plan.desk.examine, itertools.chain([first], tasks)):
                    sheet = sheets.pop(outcome.key)
                    try:
                        if outcome.problem:
                            raise ValueError(outcome.problem)
                        self._record(ledger, sheet, decoded(outcome.value, points), tally)
                    except ValueError as error:
                        _set_aside(tally, outcome.key, error)
        return tally

    def _tasks(
        self,
        options: desk.Options,
        ledger: Ledger,
        learners: list[str],
        points: Mapping[str, float],
        tally: Tally,
        sheets: dict[str, _Sheet],
    ) -> Iterator[tuple[str, tuple]]:
        """Give a task for each submission that is to be examined; what needs no examination is done here."""
        plan, stage = self._plan, options.stage
        for learner in learners:
            try:
                problem, data = "", b""
                try:
                    data = read_file(plan.course / "submitted", learner, stage)
                except IntakeError as error:
                    problem = str(error)
                sheet = self._sheet(options, learner, data, problem)
                known = not plan.again and ledger.has(learner, sheet.digest)
                if known and self._registrar.recorded(learner, stage):
                    tally.keep()
                elif problem:
                    self._record(ledger, sheet, _unreadable(problem, points), tally)
                else:
                    sheets[learner] = sheet
                    seed = exam_seed(self._secret, learner, stage, plan.attempt)
                    yield learner, (options, data, seed)
            except ValueError as error:
                _set_aside(tally, learner, error)

    def _sheet(self, options: desk.Options, learner: str, data: bytes, problem: str) -> _Sheet:
        received = self._received(learner, options.stage)
        facts = (options.course, digest(self._secret), str(self._plan.attempt), received.isoformat(), problem)
        return _Sheet(learner, options.stage, received, digest(data, *map(str.encode, facts)))

    def _received(self, learner: str, stage: str) -> datetime:
        try:
            return self._registrar.received(learner, stage)
        except ValueError as error:
            if not isinstance(error.__cause__, OSError):
                raise
        # No time was noted and there is no notebook (but a zip file, or nothing): the folder has a time too.
        folder = self._plan.course / "submitted" / learner / stage
        try:
            changed = folder.lstat().st_mtime
        except OSError as error:
            raise ValueError(f"{folder} cannot be read: {error.strerror}") from error
        return datetime.fromtimestamp(changed, UTC).replace(tzinfo=None)

    def _record(self, ledger: Ledger, sheet: _Sheet, result: Result, tally: Tally) -> None:
        self._registrar.record(sheet.learner, sheet.stage, result, sheet.received)
        ledger.write(sheet.learner, sheet.digest)
        tally.grade(result.problem and f"{sheet.learner}: {result.problem}")


@dataclass(frozen=True)
class _Sheet:
    """What is kept of a submission while it is examined."""

    learner: str
    stage: str
    received: datetime
    digest: str


def decoded(value: Any, points: Mapping[str, float]) -> Result:
    """Return a worker's answer as a `Result`, or raise ValueError if it is not one.

    points: exercise -> the most it can earn; there must be a verdict on each of them and on no other.
    """
    try:
        plain = msgpack.unpackb(value)
        verdicts = plain["verdicts"]
        for name, verdict in verdicts.items():
            given = verdict["points"]
            if verdict.keys() != VERDICT_KEYS or not 0 <= given <= points[name] or not math.isfinite(given):
                raise ValueError
        if verdicts.keys() != points.keys():
            raise ValueError
        return result_from_plain(plain)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError("what its worker answered is not a result") from error


def _unreadable(problem: str, points: Mapping[str, float]) -> Result:
    verdicts = {
        name: asdict(Verdict(name, UNREADABLE, 0.0, out_of, problem)) for name, out_of in points.items()
    }
    return Result((), {}, verdicts, problem=problem)


def _set_aside(tally: Tally, learner: str, error: ValueError) -> None:
    # What is wrong with the disk, or the stage as a whole, is no submission's fault.
    if _disk_is_full(error) or str(error).startswith("stage:"):
        raise error
    tally.set_aside(f"{learner}: {error}")


def _disk_is_full(error: BaseException | None) -> bool:
    while error is not None:
        if getattr(error, "errno", None) in FULL_DISK or "disk is full" in str(error):
            return True
        error = error.__cause__
    return False
