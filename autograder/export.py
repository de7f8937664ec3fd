"""Grades for Canvas and Moodle: plugins for `nbgrader export`.

    nbgrader export --exporter=autograder.export.CanvasExporter --to=canvas.csv
    nbgrader export --exporter=autograder.export.MoodleExporter --to=moodle.csv

Both take nbgrader's `--assignment` and `--student`. Scores are nbgrader's: automatic and manual points, less
the late penalty, never below 0. The exporters are built when they are asked for, because their base class
lives in nbgrader, which is slow to import; the report uses the other functions too, which are work on text.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from autograder.notebooks import write_aside

EXPORTERS = ("CanvasExporter", "MoodleExporter")
LONGEST, LONGEST_CELL = 200, 30_000  # characters; spreadsheets hold 32,767 in a cell
NO_GRADE = "-"  # as Moodle writes it; on its own it is no formula
# Controls, invisible formatting (bidi among it), unassigned and private characters, line separators.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Names in Persian and several Indian scripts need the joiners.
_JOINERS = "\u200c\u200d"
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def plain(text: object, longest: int = LONGEST) -> str:
    """Return foreign text as one harmless line, cut to a length; characters that cannot be seen become �."""
    line = " ".join(str(text)[: 4 * longest].split())
    seen = (c if c in _JOINERS or unicodedata.category(c) not in _UNSEEN else "\ufffd" for c in line)
    shown = "".join(seen)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def cell_text(text: object) -> str:
    """Return foreign text for a cell of a spreadsheet, which would run it if it began like a formula."""
    shown = plain(text, LONGEST_CELL)
    return f"'{shown}" if shown.startswith(_FORMULA) and shown != NO_GRADE else shown


def csv_text(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table as CSV: texts made harmless, numbers as numbers, None and NaN as empty cells."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([cell_text(name) for name in header])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return written.getvalue()


def _cell(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{round(float(value), 4):.12g}"
    return cell_text(value)


class _Grades:
    """What a gradebook holds for the chosen students and assignments.

    scores: (student id, assignment name) -> points; pairs without a submission are absent.
    """

    def __init__(self, gradebook: Any, students: Iterable[object], assignments: Iterable[object]):
        self.students = _chosen("student", {s.id: s for s in gradebook.students}, students)
        self.assignments = _chosen("assignment", {a.name: a for a in gradebook.assignments}, assignments)
        self.scores: dict[tuple[str, str], float] = {}
        self.unfinished = 0
        chosen = {student.id for student in self.students}
        for assignment in self.assignments:
            for submission in assignment.submissions:
                if submission.student_id in chosen:
                    score = (submission.score or 0.0) - (submission.late_submission_penalty or 0.0)
                    self.scores[submission.student_id, assignment.name] = max(0.0, score)
                    self.unfinished += bool(submission.needs_manual_grade)

    def row(self, student: Any, missing: str) -> list[object]:
        """Return one student's scores in the order of the assignments."""
        return [self.scores.get((student.id, assignment.name), missing) for assignment in self.assignments]


def _chosen(kind: str, there: dict[str, Any], asked: Iterable[object]) -> list[Any]:
    names = [str(name) for name in asked]
    for name in names:
        if name not in there:
            raise ValueError(f"{kind}: the gradebook has no {name!r}; it has {', '.join(there) or 'none'}")
    return [there[name] for name in there if not names or name in names]


def _canvas(grades: _Grades, log: Any) -> str:
    """Return the file that Canvas's gradebook imports (lib/gradebook_importer.rb in its public source).

    Its five columns must come first and in this order; the row "Points Possible" follows. A learner is found
    by ID (Canvas's own number: nbgrader's `lms_user_id`, if it is one), else by SIS Login ID (nbgrader's
    student id), else by name. An assignment is found by its title, or offered as a new one.
    """
    titles = [assignment.name for assignment in grades.assignments]
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *titles]
    rows: list[list[object]] = [
        ["Points Possible", "", "", "", "", *(assignment.max_score for assignment in grades.assignments)]
    ]
    for student in grades.students:
        # Canvas takes any row whose first cell holds these words for the row of maxima.
        name = _name(student).replace("Points Possible", "Points_Possible")
        number = student.lms_user_id or ""
        # Canvas would read "7up" as user 7.
        number = number if number.isascii() and number.isdigit() else ""
        rows.append([name, number, "", student.id, "", *grades.row(student, missing="")])
    return csv_text(header, rows)


def _name(student: Any) -> str:
    parts = [plain(part) for part in (student.last_name, student.first_name) if part]
    return ", ".join(parts) or plain(student.id)


def _moodle(grades: _Grades, log: Any) -> str:
    """Return the file that Moodle's grade import reads (docs.moodle.org, "Grade import"; grade/import/csv).

    The columns are named as in Moodle's own export; while importing, map "ID number", "Username" or "Email
    address" to the user, and each assignment to a grade item or a new one. No grade is "-", as Moodle writes
    it. ID number is nbgrader's `lms_user_id`, else the student id.
    """
    # Moodle credits a row whose identifier is empty to the row before it: no identifier may be empty.
    emails = all(student.email for student in grades.students)
    if not emails:
        log.warning("Email address is left out: not every student has one; map by ID number or Username")
    titles = [assignment.name for assignment in grades.assignments]
    header = ["First name", "Last name", "ID number", "Username", *["Email address"] * emails, *titles]
    rows = []
    for student in grades.students:
        identity = [student.first_name, student.last_name, student.lms_user_id or student.id, student.id]
        rows.append([*identity, *[student.email] * emails, *grades.row(student, missing=NO_GRADE)])
    return csv_text(header, rows)


@cache
def _exporter(name: str) -> type:
    from nbgrader.plugins import ExportPlugin

    service = name.removesuffix("Exporter")
    write = {"Canvas": _canvas, "Moodle": _moodle}[service]

    class Exporter(ExportPlugin):
        def export(self, gradebook: Any) -> None:
            """Write the file that `--to` names."""
            file = Path(self.to or f"{service.lower()}.csv")
            try:
                grades = _Grades(gradebook, self.student, self.assignment)
                write_aside(file, write(grades, self.log).encode())
            except (ValueError, OSError) as error:
                raise SystemExit(f"autograder: {error}") from error
            if grades.unfinished:
                self.log.warning("%d submissions still wait for manual grades", grades.unfinished)
            self.log.info("Grades of %d students are in %s", len(grades.students), file)

    Exporter.__name__ = Exporter.__qualname__ = name
    Exporter.__doc__ = write.__doc__
    return Exporter


def __getattr__(name: str) -> type:
    """Return an exporter when nbgrader asks for it by name."""
    if name in EXPORTERS:
        return _exporter(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
