"""What a grading run shows while it goes on: a bar on a terminal, lines elsewhere."""

import contextlib
import os
import pty
import subprocess
import sys

from autograder.exam import tally


def test_progress_is_said_in_lines_where_there_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr(tally, "EVERY", 0.0)
    with tally.Tally("01_small", 3, ["eve: two files"]) as counted:
        counted.grade()
        counted.keep()
        counted.set_aside("bob: no luck")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("01_small: 1 of 4 graded, 1 failed, about")
    assert lines[2].startswith("01_small: 2 of 4 graded, 2 failed, about 0 s left")
    assert counted.lines()[0].startswith("01_small: 1 graded, 1 unchanged, 2 not graded (")
    assert counted.lines()[1:] == ["  not graded: eve: two files", "  not graded: bob: no luck"]


def test_progress_is_a_bar_on_a_terminal():
    """A real terminal, 100 columns wide."""
    ours, theirs = pty.openpty()
    code = (
        "from autograder.exam.tally import Tally\nwith Tally('01_small', 2) as t: t.grade(); t.set_aside('x')"
    )
    here = os.environ | {"TERM": "xterm", "COLUMNS": "100", "LINES": "20"}
    with subprocess.Popen([sys.executable, "-c", code], stderr=theirs, env=here) as process:
        os.close(theirs)
        shown = b""
        # Reading from a terminal that its other side has left is an error, not an end.
        with contextlib.suppress(OSError):
            while True:
                shown += os.read(ours, 4096)
    os.close(ours)
    assert process.returncode == 0
    assert b"1 of 2 graded, 1 failed, left:" in shown
