"""Files of built data: written aside, then renamed; checked when read; nothing left of a failed build.

Knows bytes and folders; nothing of what is kept in them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

_DIGEST_BYTES = hashlib.sha256().digest_size
_STALE_SECONDS = 3600
_PIECE = 1 << 20


class CacheError(OSError):
    """The folder for built data cannot be used; the message says which one, why, and what to do."""


def cache_folder() -> Path:
    """Return the folder for built data: COURSE_CACHE, or ~/.cache/ml-design-course."""
    return Path(os.environ.get("COURSE_CACHE") or "~/.cache/ml-design-course").expanduser()


def fingerprint(*packages: str) -> str:
    """Return 12 hex digits that change whenever the source of a package or module of `course` does."""
    root = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for package in packages:
        path = root / package
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]:
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def require_room(folder: Path, size: int = 0) -> None:
    """Create the folder before a build, so that nobody waits for a build that cannot be kept.

    Args:
        folder: where a file is to be written.
        size: bytes that the file needs, where known.

    Raises:
        CacheError: when the folder cannot be written or has less free space.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        # What a build that was killed has left; a younger one may still be written by a neighbour.
        for partial in folder.glob("*.partial"):
            if time.time() - partial.stat().st_mtime > _STALE_SECONDS:
                partial.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from error
    if size > free:
        raise _unusable(folder, f"{size / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB are free")


def write(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Write the pieces and their SHA-256 aside, then put the file in its place in one step.

    Raises:
        CacheError: when the disk is full or the folder cannot be written. This and any other error,
            of `pieces` too, leaves the folder as it was.

    """
    partial = None
    digest = hashlib.sha256()
    try:
        with _blaming(path.parent):
            handle, partial = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".partial")
            file = os.fdopen(handle, "wb")
        try:
            for piece in pieces:
                digest.update(piece)
                with _blaming(path.parent):
                    file.write(piece)
            with _blaming(path.parent):
                file.write(digest.digest())
                file.flush()
                os.fsync(file.fileno())
        finally:
            # Closing flushes again, and fails again where the disk is full.
            with contextlib.suppress(OSError):
                file.close()
        with _blaming(path.parent):
            os.replace(partial, path)
    finally:
        if partial is not None:
            with contextlib.suppress(OSError):
                os.unlink(partial)


def read(path: Path) -> bytes | None:
    """Return what was written, or None where there is no file or it is cut short or altered.

    Raises:
        CacheError: when there is a file that cannot be read.

    """
    with _unreadable(path):
        content = path.read_bytes() if path.exists() else b""
    payload, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    return payload if hashlib.sha256(payload).digest() == digest else None


def is_intact(path: Path) -> bool:
    """Return whether there is a file that is as it was written, without holding it in memory.

    Raises:
        CacheError: when there is a file that cannot be read.

    """
    with _unreadable(path):
        if not path.exists():
            return False
        left = path.stat().st_size - _DIGEST_BYTES
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while left > 0:
                piece = file.read(min(left, _PIECE))
                if not piece:
                    return False
                digest.update(piece)
                left -= len(piece)
            return file.read() == digest.digest()


@contextlib.contextmanager
def _blaming(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from error


@contextlib.contextmanager
def _unreadable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CacheError(
            f"The file {path} cannot be read ({error.strerror}); delete it, or set the environment "
            "variable COURSE_CACHE to another folder."
        ) from error


def _unusable(folder: Path, reason: str) -> CacheError:
    return CacheError(
        f"The folder {folder} for built data cannot be written ({reason}); free some space there or set "
        "the environment variable COURSE_CACHE to a folder that can be written."
    )
