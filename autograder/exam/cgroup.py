"""Control groups around a nursery: the kernel's own limit on memory and processes, where it can be had.

The first process of an exam watches what the learner's processes use and ends them in time; a group also
holds what no watch sees coming. Version 1 or 2 of control groups, as root or in a group that was delegated;
elsewhere the watch and the rlimits stand alone. Knows the standard library only, for it runs at the door.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_EMPTY_SECONDS = 2.0


def enter(memory: int, processes: int) -> list[str]:
    """Put this process, and all that it will start, into groups of its own.

    memory: bytes.   processes: how many at once, threads included.
    Returns the controllers that could be had, of "memory" and "pids"; none is no error.
    """
    had = []
    for controllers, group in groups(os.getpid()):
        try:
            group.mkdir()
            held = [name for name in controllers if _limit(group, name, memory, processes)]
            if held:
                (group / "cgroup.procs").write_text(str(os.getpid()))
            had += held
        except OSError:
            held = []
        if not held:
            with contextlib.suppress(OSError):
                group.rmdir()
    return had


def leave(number: int) -> None:
    """Remove the groups of a process that has ended, and of all that it started."""
    for _, group in groups(number):
        end = time.monotonic() + _EMPTY_SECONDS
        while group.is_dir():
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            if time.monotonic() > end:
                break  # Something in it is still dying; an empty group costs nothing.
            time.sleep(0.02)


def groups(number: int) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Yield controllers and folder of each group that a process of ours with this number would have."""
    try:
        lines = Path("/proc/self/cgroup").read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        _, names, path = line.split(":", 2)
        name = f"exam-{number}"
        own = Path(path.lstrip("/"))
        if not names and (ROOT / "cgroup.controllers").exists():
            yield ("memory", "pids"), ROOT / own / name
        for controller in {"memory", "pids"} & set(names.split(",")):
            yield (controller,), ROOT / controller / own / name


def _limit(group: Path, controller: str, memory: int, processes: int) -> bool:
    """Set one controller's limit; return whether the group has it."""
    files = {
        "memory": {"memory.max": memory, "memory.swap.max": 0, "memory.limit_in_bytes": memory},
        "pids": {"pids.max": processes},
    }[controller]
    there = {group / name: value for name, value in files.items() if (group / name).exists()}
    for file, value in there.items():
        file.write_text(str(value))
    return bool(there)
