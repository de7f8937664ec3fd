"""What a learner's own exception says: its text, and the line of theirs that caused it.

Stands alone, because it also works behind the exam's wall, where nothing else of the grader is in sight.
"""

from __future__ import annotations

import linecache


class Explained(Exception):
    """Something that ended a learner's code and was put into words where it happened."""


def explain_error(error: BaseException) -> str:
    """Say what the learner's code raised and where: the innermost line of theirs, not of a library."""
    if isinstance(error, Explained):
        return str(error)
    place = ""
    frame = error.__traceback__
    while frame is not None:
        filename = frame.tb_frame.f_code.co_filename
        if "ipykernel" in filename or filename.startswith("<"):
            place = _line_of(filename, frame.tb_lineno)
        frame = frame.tb_next
    return f"{type(error).__name__}: {shorten(str(error), 300)}{place}"


def shorten(text: str, limit: int) -> str:
    """Return the text on one line, cut to at most `limit` characters."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _line_of(filename: str, number: int) -> str:
    line = linecache.getline(filename, number).strip()
    return f" - at line {number} of your cell: `{line}`" if line else f" - at line {number}"
