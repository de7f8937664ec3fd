"""Starts the outer wall: gives up root, then becomes bubblewrap. Run as a script, with its plan as JSON.

A plan holds "binds" (pairs of a folder or file outside and its place inside), "writable" (the same, to be
written by the warm parent alone), "staging" (an empty folder), "options" (for bubblewrap), "command"; and
"memory" and "processes", the most that all inside may use together where there are control groups.
Root may read folders that a nobody may not reach, so it first mounts them where a nobody can.
"""

from __future__ import annotations

import json
import os
import sys

NOBODY = 65534


def main(plan: dict) -> None:
    """Replace this process by the walled command; raises OSError where the system does not allow it."""
    from autograder.exam import cgroup

    cgroup.enter(plan["memory"], plan["processes"])
    if os.getuid() == 0:
        from autograder.exam import confine

        confine.unshare(confine.NEW_MOUNTS)
        confine.mount("none", "/", "", confine.RECURSIVE | confine.PRIVATE)
        confine.mount("tmpfs", plan["staging"], "tmpfs", 0, "size=1m,mode=755")
        for kind in ("binds", "writable"):
            plan[kind] = [[_staged(source, plan["staging"]), target] for source, target in plan[kind]]
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    words = ["bwrap", *plan["options"]]
    for source, target in plan["binds"]:
        words += ["--ro-bind", source, target]
    for source, target in plan["writable"]:
        words += ["--bind", source, target]
    os.execvp("bwrap", [*words, "--remount-ro", "/", "--", *plan["command"]])


def _staged(source: str, staging: str) -> str:
    """Mount a source again below the staging folder and return its new path."""
    from autograder.exam import confine

    place = os.path.join(staging, str(len(os.listdir(staging))))
    if os.path.isdir(source):
        os.mkdir(place)
    else:
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
    confine.mount(source, place, "", confine.BIND)
    return place


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
