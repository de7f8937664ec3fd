"""What was graded, from exactly which bytes: a run goes on where one was stopped, and redoes what changed."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path

FOLDER = ".exam"
PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "torch", "randomgen")


class Ledger:
    """One stage's graded submissions, learner -> digest; one line of JSON each, appended once it is recorded.

    A line that a crash cut short is passed over: that submission is graded again.
    """

    def __init__(self, course: Path, stage: str):
        self._file = course / FOLDER / f"{stage}.jsonl"
        self._digests: dict[str, str] = {}
        try:
            content = self._file.read_bytes()
        except FileNotFoundError:
            content = b""
        for line in content.splitlines():
            try:
                entry = json.loads(line)
                self._digests[str(entry["learner"])] = str(entry["digest"])
            except (ValueError, TypeError, KeyError):
                continue
        self._torn = bool(content) and not content.endswith(b"\n")

    def __contains__(self, learner: str) -> bool:
        return learner in self._digests

    def has(self, learner: str, digest: str) -> bool:
        """Tell whether this learner's last graded submission is the one with this digest."""
        return self._digests.get(learner) == digest

    def write(self, learner: str, digest: str) -> None:
        """Note that a submission is graded and recorded."""
        line = json.dumps({"learner": learner, "digest": digest}) + "\n"
        with self._file.open("ab") as file:
            file.write(b"\n" * self._torn + line.encode())
        self._torn = False
        self._digests[learner] = digest


@contextlib.contextmanager
def locked(course: Path) -> Iterator[None]:
    """Keep other grading runs out of a course folder; ValueError if there is one. Ends with the process."""
    (course / FOLDER).mkdir(mode=0o700, exist_ok=True)
    with (course / FOLDER / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"course: {course} is being graded by another run; wait until it ends") from None
        yield


def digest(*parts: bytes) -> str:
    """Return SHA-256 over the parts, each preceded by its length, in hexadecimal digits."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


@functools.cache
def course_digest(stage: Path) -> str:
    """Return a digest of everything that judges a stage: its sources, the course, the grader, the libraries.

    The same here and on a worker means that both would judge alike. Read once per process.
    """
    grader = Path(__file__).resolve().parents[1]
    files = [*_sources(stage), *_sources(grader)]
    # By name only: the grader knows nothing of the course, but grades depend on every line of it.
    course = importlib.util.find_spec("course")
    if course is not None:
        files += _sources(Path(course.origin).parent)
    parts = [part for name, content in files for part in (name.encode(), content)]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    return digest(*parts, *(text.encode() for text in [platform.python_version(), *versions]))


def _sources(folder: Path) -> Iterable[tuple[str, bytes]]:
    """Return (name, content) of a folder's Python sources, in a fixed order."""
    for file in sorted(folder.rglob("*.py")):
        inside = file.relative_to(folder)
        # An installed grader carries the stages within; each is judged by its own sources alone.
        if inside.parts[0] != "stages":
            yield f"{folder.name}/{inside.as_posix()}", file.read_bytes()
