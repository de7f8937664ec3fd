"""From the submitted folder to bytes: who handed in, and each file read without being led astray.

The folder is laid out as nbgrader does, submitted/<learner>/<stage>/, and everything in it, names included,
comes from strangers. `intake` is what others import.
"""

from __future__ import annotations

import os
import stat as kinds
import unicodedata
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from autograder.exam.reading import LIMITS, IntakeError, IntakeLimits, too_big

NAME_CHARS = 100


@dataclass(frozen=True)
class Submission:
    """One learner's folder of one stage: submitted/<learner>/<stage>."""

    learner: str
    stage: str


def find_submissions(submitted: Path, stage: str) -> tuple[list[Submission], list[str]]:
    """Return who handed in a stage, sorted by learner, and one sentence for each folder that is set aside.

    Set aside are names that could deceive a reader or clash, and folders in which it is unclear which file is
    the submission. Whether the file can be read, `read_file` says. Raises ValueError if the folder is not
    laid out as nbgrader does or nobody handed in this stage.
    """
    expected = f"expected is {submitted}/<learner>/{stage}/{stage}.ipynb, or one zip file in that folder"
    if not submitted.is_dir():
        raise ValueError(f"submitted: there is no folder {submitted}; {expected}")
    learners, problems = [], []
    for name in sorted(os.listdir(submitted)):
        try:
            os.lstat(submitted / name / stage)
            learners.append(name)
        except (FileNotFoundError, NotADirectoryError):
            if _folded(name).endswith((".ipynb", ".zip")):
                problems.append(f"file {_shown(name)}: it lies in {submitted} itself; {expected}.")
        except OSError as error:
            problems.append(f"learner {_shown(name)}: the folder cannot be read: {error.strerror}.")
    known = Counter(map(_folded, learners))
    found = []
    for name in learners:
        problem = _name_problem(name, known[_folded(name)]) or _file_problem(submitted / name / stage, stage)
        if problem:
            problems.append(f"learner {_shown(name)}: {problem}")
        else:
            found.append(Submission(name, stage))
    if not found and not problems:
        raise ValueError(f"submitted: nobody handed in {stage}; {expected}")
    return found, problems


def read_file(folder: Path, learner: str, stage: str, limits: IntakeLimits = LIMITS) -> bytes:
    """Return the bytes of folder/<learner>/<stage>/<stage>.ipynb, or of the one zip file there.

    Links below `folder` are not followed, and only a regular file within the limit is read. Raises
    IntakeError with one sentence otherwise.
    """
    for part in (learner, stage):
        if part in ("", ".", "..") or "/" in part or "\0" in part:
            raise IntakeError(f"{_shown(part)} is not the name of a folder.")
    with ExitStack() as opened:
        where = _open(opened, str(folder), os.O_DIRECTORY, None)
        for part in (learner, stage):
            where = _open(opened, part, os.O_DIRECTORY | os.O_NOFOLLOW, where)
        names = _candidates(where, stage)
        if not names:
            raise IntakeError(f"The folder {_shown(stage)} holds no {stage}.ipynb and no zip file.")
        if len(names) > 1:
            raise IntakeError(f"In the folder {_shown(stage)}, {_several(names)}")
        # Without O_NONBLOCK, opening a FIFO would wait for somebody to write to it.
        file = _open(opened, names[0], os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY, where)
        facts = os.fstat(file)
        if not kinds.S_ISREG(facts.st_mode):
            raise IntakeError(f"{_shown(names[0])} is not a regular file.")
        if facts.st_size > limits.file_bytes:
            raise IntakeError(too_big(facts.st_size, limits))
        with os.fdopen(os.dup(file), "rb") as reader:
            data = reader.read(limits.file_bytes + 1)
        if len(data) > limits.file_bytes:  # it grew while it was read
            raise IntakeError(too_big(len(data), limits))
        return data


def _open(opened: ExitStack, name: str, flags: int, where: int | None) -> int:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | flags, dir_fd=where)
    except OSError as error:
        reason = error.strerror
        if flags & os.O_NOFOLLOW and _is_link(name, where):
            reason = "it is a link, and links are not followed"
        raise IntakeError(f"{_shown(name)} cannot be read: {reason}.") from error
    opened.callback(os.close, descriptor)
    return descriptor


def _is_link(name: str, where: int | None) -> bool:
    try:
        return kinds.S_ISLNK(os.lstat(name, dir_fd=where).st_mode)
    except OSError:
        return False


def _name_problem(name: str, alike: int) -> str:
    """Return what is wrong with a learner's folder name, or nothing. alike: how many look the same."""
    if not name.isprintable() or name.startswith(".") or ".." in name or len(name) > NAME_CHARS:
        return (
            f"a folder name has 1 to {NAME_CHARS} visible characters, no '..' and no dot in front; rename it."
        )
    if alike > 1:
        return (
            "two submissions of one learner: another folder's name differs only in case or in how its letters"
            " are encoded; keep one."
        )
    if name != unicodedata.normalize("NFC", name):
        return "the name is not in Unicode's composed form (NFC); rename it."
    return ""


def _file_problem(folder: Path, stage: str) -> str:
    """Return why it is unclear which file is the submission, or nothing; links are left to `read_file`."""
    if folder.parent.is_symlink() or folder.is_symlink():
        return ""
    try:
        names = _candidates(folder, stage)
    except OSError:
        return ""
    return _several(names) if len(names) > 1 else ""


def _candidates(folder: int | Path, stage: str) -> list[str]:
    """Return the files of a learner's stage folder that could be the submission: zips and its notebooks.

    A notebook is the stage's if its name begins with the stage's, as "02_stage (1).ipynb" and
    "02_stage-Copy1.ipynb" do; others are a learner's scratch paper.
    """
    start = _folded(stage)
    return sorted(
        name
        for name in os.listdir(folder)
        if not name.startswith(".")
        and ((low := _folded(name)).endswith(".zip") or (low.endswith(".ipynb") and low.startswith(start)))
    )


def _several(names: Sequence[str]) -> str:
    return f"{len(names)} files could be the submission ({', '.join(map(_shown, names[:5]))}); keep one."


def _folded(name: str) -> str:
    """Return a name without all that makes no difference to a reader."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def _shown(name: str) -> str:
    """Return a name that is safe to print: what is invisible or turns text around is escaped."""
    short = name[:NAME_CHARS] + "..." if len(name) > NAME_CHARS else name
    return f"'{''.join(c if c.isprintable() else c.encode('unicode_escape').decode() for c in short)}'"
