"""The only writer of the gradebook: one transaction per submission, all of it or nothing.

It leaves what nbgrader's own autograder would have left (rows, autograded notebook, timestamp, secret), so
that formgrader, feedback, export and late penalties work on. It takes no more from a result than points and
what the learner wrote and saw: the course's text comes from the course, the learner's is made inert.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from autograder import notebooks
from autograder.exam import paper
from autograder.exam.clean import visible
from autograder.exam.coursefolder import all_or_none, open_gradebook, read_config, reason, small_text
from autograder.exam.page import Mark, Sheet, feedback_page
from autograder.exam.records import ANSWER, CHECK, EXPLAIN, Cell, Result, course_cells
from autograder.exercise import Exercise
from autograder.stage import load_stage, stage_folder

SECRET, TIMESTAMP = "submission_secret.txt", "timestamp.txt"
CLOCK_SKEW = timedelta(minutes=10)


@dataclass(frozen=True)
class _Stage:
    """What the gradebook and the course know of one stage; read once per run.

    graded: cell id -> (row id, points).   answered: cell id -> row id of cells that carry a comment.
    rows: notebook row id -> (row ids of graded cells, row ids of commented cells), for all its notebooks.
    """

    name: str
    cells: tuple[Cell, ...]
    titles: Mapping[str, str]
    metadata: Mapping[str, dict[str, Any]]
    kernel: dict[str, Any]
    assignment: str
    notebook: str
    graded: Mapping[str, tuple[str, float]]
    answered: Mapping[str, str]
    rows: Mapping[str, tuple[list[str], list[str]]]


class Registrar:
    """Writes results into a course folder's gradebook and beside it; a context manager.

    course: an nbgrader course folder with released stages. Its `nbgrader_config.py` counts (database,
    folders, late penalties). Raises ValueError with one sentence where the folder or the gradebook is not
    what it should be; nothing is written then.
    """

    def __init__(self, course: Path):
        from nbgrader import api
        from nbgrader.coursedir import CourseDirectory
        from nbgrader.preprocessors import AssignLatePenalties

        config = read_config(course)
        self.course = course
        self._api = api
        self._stages: dict[str, _Stage] = {}
        self._folders = CourseDirectory(config=config)
        try:
            self._late = AssignLatePenalties(config=config)
            self._late.init_plugin()
        except Exception as error:
            raise ValueError(
                f"course: the late penalty plugin of {course} cannot be used: {error}"
            ) from error
        self._engine = open_gradebook(
            self._folders.db_url, course, self._folders.course_id, api.Base.metadata
        )

    def __enter__(self) -> Registrar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the gradebook."""
        self._engine.dispose()

    def received(self, learner: str, stage: str) -> datetime:
        """Return when a submission came in, in UTC: nbgrader's timestamp.txt, or else the file's own time."""
        from nbgrader.utils import parse_utc

        folder = self._folder("submitted", learner, stage)
        text = small_text(folder / TIMESTAMP)
        if text and text.strip():
            try:
                return parse_utc(text.strip())
            except (ValueError, OverflowError, TypeError) as error:
                raise ValueError(
                    f"submitted: {folder / TIMESTAMP} holds {text.strip()[:40]!r}, which is not a time"
                ) from error
        file = folder / f"{stage}.ipynb"
        try:
            return datetime.fromtimestamp(file.lstat().st_mtime, UTC).replace(tzinfo=None)
        except OSError as error:
            raise ValueError(f"submitted: {file} does not exist") from error

    def recorded(self, learner: str, stage: str) -> bool:
        """Tell whether gradebook, autograded notebook and feedback page of a submission are all there."""
        api = self._api
        files = (
            self._folder("autograded", learner, stage) / f"{stage}.ipynb",
            self._folder("feedback", learner, stage) / f"{stage}.html",
        )
        if not all(file.is_file() for file in files):
            return False
        with self._session() as db:
            rows = db.query(api.SubmittedAssignment).filter_by(student_id=learner)
            return rows.join(api.Assignment).filter(api.Assignment.name == stage).count() == 1

    def record(self, learner: str, stage: str, result: Result, submitted: datetime) -> None:
        """Enter one result: gradebook rows, autograded notebook, timestamp, secret and feedback page.

        submitted: when the submission came in, in UTC where it names no zone (see `received`).
        Raises ValueError with one sentence where that cannot be done; then nothing of it is written.
        """
        from sqlalchemy.exc import SQLAlchemyError

        plan = self._stage(stage)
        _check_learner(learner)
        submitted = _utc(learner, stage, submitted)
        result = replace(result, cells=paper.graded_cells(plan.cells, result))
        verdicts = paper.fair_verdicts(result, {cell: worth for cell, (_, worth) in plan.graded.items()})
        texts = paper.cleaned_texts(result, plan.metadata)
        outputs = paper.cleaned_outputs(result, verdicts)
        notebook = paper.graded_notebook(result, plan.metadata, outputs, texts)
        notebook["metadata"] |= {"kernelspec": plan.kernel, "stage": stage}
        try:
            with self._session() as db:
                marks, penalty = self._enter(db, plan, learner, submitted, result, verdicts)
                page = feedback_page(
                    Sheet(
                        learner=learner,
                        stage=stage,
                        submitted=submitted,
                        cells=result.cells,
                        outputs=outputs,
                        texts=texts,
                        verdicts=verdicts,
                        titles=plan.titles,
                        marks=marks,
                        penalty=penalty,
                        repairs=result.repairs,
                        problem=result.problem,
                    )
                )
                with all_or_none(self._files(learner, stage, submitted, notebook, page)) as put_in_place:
                    db.commit()
                    put_in_place()
        except (OSError, SQLAlchemyError) as error:
            # A commit that failed can leave its transaction open on the pooled connection; the next commit
            # would enter these rows as well. Closing the connection ends it for certain.
            self._engine.dispose()
            raise ValueError(
                f"{stage} of {visible(learner)} could not be recorded, nothing was written: {reason(error)}"
            ) from error

    def _session(self) -> Any:
        from sqlalchemy.orm import Session

        return Session(self._engine)

    def _folder(self, step: str, learner: str, stage: str) -> Path:
        return Path(self._folders.format_path(getattr(self._folders, f"{step}_directory"), learner, stage))

    def _stage(self, name: str) -> _Stage:
        if name not in self._stages:
            folder = stage_folder(name)
            exercises = load_stage(folder)
            self._stages[name] = self._read_stage(name, course_cells(folder, exercises), exercises)
        return self._stages[name]

    def _read_stage(self, name: str, cells: tuple[Cell, ...], exercises: Mapping[str, Exercise]) -> _Stage:
        """Read what the gradebook knows of a stage, and see that it is this version of the course."""
        api = self._api
        with self._session() as db:
            assignment = db.query(api.Assignment).filter_by(name=name).one_or_none()
            every = assignment.notebooks if assignment else []
            notebook = next((each for each in every if each.name == name), None)
            if notebook is None:
                raise ValueError(
                    f"stage: {name} is not in the gradebook of {self.course};"
                    f" run `autograder release {self.course}`"
                )
            points = {cell.name: (cell.id, cell.max_score) for cell in _graded(notebook)}
            answered = {cell.name: cell.id for cell in _answered(notebook)}
            checks = {cell.id: exercises[cell.exercise].points for cell in cells if cell.kind == CHECK}
            wanted = {cell.id for cell in cells if cell.kind in (ANSWER, EXPLAIN)}
            unlike = {cell for cell, worth in checks.items() if points.get(cell, ("", None))[1] != worth}
            unlike |= (points.keys() | answered.keys()) - {
                cell.id for cell in cells
            } | wanted - answered.keys()
            if unlike:
                raise ValueError(
                    f"stage: {name} in the gradebook of {self.course} is another version than this course"
                    f" ({', '.join(sorted(unlike)[:3])}); run `autograder release {self.course} --replace`"
                )
            stored = _stored(notebook, points, answered)
            return _Stage(
                name=name,
                cells=cells,
                titles={key: exercise.title for key, exercise in exercises.items()},
                metadata={cell.id: paper.cell_metadata(cell, stored.get(cell.id)) for cell in cells},
                kernel=json.loads(notebook.kernelspec or "null") or notebooks.KERNEL,
                assignment=assignment.id,
                notebook=notebook.id,
                graded=points,
                answered=answered,
                rows={
                    each.id: ([cell.id for cell in _graded(each)], [cell.id for cell in _answered(each)])
                    for each in every
                },
            )

    def _enter(
        self,
        db: Any,
        plan: _Stage,
        learner: str,
        submitted: datetime,
        result: Result,
        verdicts: Mapping[str, Mapping[str, Any]],
    ) -> tuple[dict[str, Mark], float]:
        """Make or update one submission's rows as nbgrader's autograde does; return marks and penalty."""
        api = self._api
        if db.get(api.Student, learner) is None:
            db.add(api.Student(id=learner))
            db.flush()
        submission = _get_or_add(
            db, api.SubmittedAssignment, assignment_id=plan.assignment, student_id=learner
        )
        submission.timestamp = submitted
        grades, comments = {}, {}
        for notebook_id, (graded, commented) in plan.rows.items():
            row = _get_or_add(db, api.SubmittedNotebook, assignment_id=submission.id, notebook_id=notebook_id)
            grades |= _rows(db, api.Grade, row.id, graded)
            comments |= _rows(db, api.Comment, row.id, commented)
            if notebook_id == plan.notebook:
                notebook = row
        marks = {}
        for cell in result.cells:
            grade = grades.get(plan.graded.get(cell.id, ("", 0))[0])
            comment = comments.get(plan.answered.get(cell.id))
            if comment is not None:
                silent = not result.problem and paper.unchanged(cell, plan.metadata[cell.id])
                comment.auto_comment = "No response." if silent else None
            if grade is not None:
                grade.auto_score = _auto_score(plan, cell, verdicts, result.problem)
                grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
            if grade is not None or comment is not None:
                marks[cell.id] = _mark(plan, cell, grade, comment)
        db.flush()
        return marks, self._penalty(db, learner, submission, notebook)

    def _penalty(self, db: Any, learner: str, submission: Any, notebook: Any) -> float:
        """Ask the course's plugin what being late costs, within 0 and the score; enter and return it."""
        from sqlalchemy import select

        notebook.late_submission_penalty = None
        late = submission.total_seconds_late if submission.assignment.duedate else 0
        if late > 0:
            row = self._api.SubmittedNotebook
            score = db.scalar(select(row.score).where(row.id == notebook.id))
            try:
                penalty = self._late.plugin_inst.late_submission_penalty(learner, score, late)
                if penalty is not None:
                    notebook.late_submission_penalty = float(min(max(penalty, 0), score))
            except Exception as error:
                raise ValueError(
                    f"course: the late penalty plugin failed for {visible(learner)}: {reason(error)}"
                ) from error
        return notebook.late_submission_penalty or 0.0

    def _files(
        self, learner: str, stage: str, submitted: datetime, notebook: dict[str, Any], page: str
    ) -> dict[Path, tuple[bytes, int]]:
        """Return what is to be written: file -> (content, mode)."""
        shared = self._folders.groupshared
        handed_in, autograded, feedback = (
            self._folder(step, learner, stage) for step in ("submitted", "autograded", "feedback")
        )
        stamp = f"{submitted:%Y-%m-%d %H:%M:%S.%f} UTC".encode()
        files = {
            autograded / f"{stage}.ipynb": (notebooks.to_text(notebook).encode(), 0o664 if shared else 0o444),
            feedback / f"{stage}.html": (page.encode(), 0o664 if shared else 0o644),
        }
        secret = small_text(handed_in / SECRET)
        for folder in (autograded, feedback):
            files[folder / TIMESTAMP] = (stamp, 0o664 if shared else 0o644)
            if secret is not None:
                files[folder / SECRET] = (secret.encode(), 0o664 if shared else 0o644)
        if handed_in.is_dir() and small_text(handed_in / TIMESTAMP) is None:
            # Formgrader takes a submission for graded only where this file and the gradebook agree.
            files[handed_in / TIMESTAMP] = (stamp, 0o644)
        return files


def _graded(notebook: Any) -> list[Any]:
    return [*notebook.grade_cells, *notebook.task_cells]


def _answered(notebook: Any) -> list[Any]:
    return [*notebook.solution_cells, *notebook.task_cells]


def _stored(
    notebook: Any, points: Mapping[str, Any], answered: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return cell id -> nbgrader's metadata as far as the gradebook keeps it."""
    tasks = {cell.name for cell in notebook.task_cells}
    found = {}
    for cell in notebook.source_cells:
        found[cell.name] = {
            "grade": cell.name in points and cell.name not in tasks,
            "solution": cell.name in answered and cell.name not in tasks,
            "task": cell.name in tasks,
            "locked": cell.locked,
            "checksum": cell.checksum,
        }
        if cell.name in points:
            worth = points[cell.name][1]
            found[cell.name]["points"] = int(worth) if worth == int(worth) else worth
    return found


def _get_or_add(db: Any, model: Any, **keys: str) -> Any:
    """Return the one row with these keys, made if it is not there."""
    row = db.query(model).filter_by(**keys).one_or_none()
    if row is None:
        row = model(**keys)
        db.add(row)
        db.flush()
    return row


def _rows(db: Any, model: Any, notebook: str, cells: Iterable[str]) -> dict[str, Any]:
    """Return cell row id -> the grade or comment of one submitted notebook, made if it is not there."""
    rows = {row.cell_id: row for row in db.query(model).filter_by(notebook_id=notebook)}
    for cell in cells:
        if cell not in rows:
            rows[cell] = model(cell_id=cell, notebook_id=notebook)
            db.add(rows[cell])
    return rows


def _auto_score(
    plan: _Stage, cell: Cell, verdicts: Mapping[str, Mapping[str, Any]], problem: str
) -> float | None:
    """Return a cell's points; None where a person has to give them."""
    if problem:
        return 0.0
    if cell.id in plan.answered:
        return 0.0 if paper.unchanged(cell, plan.metadata[cell.id]) else None
    return verdicts.get(cell.exercise, {}).get("points", 0.0)


def _mark(plan: _Stage, cell: Cell, grade: Any, comment: Any) -> Mark:
    said = (comment.manual_comment or comment.auto_comment or "") if comment is not None else ""
    if grade is None:
        return Mark(comment=said)
    score = grade.auto_score if grade.manual_score is None else grade.manual_score
    return Mark(
        score=(score or 0.0) + (grade.extra_credit or 0.0 if score is not None else 0.0),
        out_of=plan.graded[cell.id][1],
        waiting=grade.needs_manual_grade,
        comment=said,
    )


def _check_learner(learner: str) -> None:
    """Refuse names that are no name of a folder or no text for a gradebook."""
    safe = learner == visible(learner) and not set(learner) & set("/\\\n\t") and learner.strip() == learner
    if not safe or learner in ("", ".", "..") or len(learner) > 128:
        raise ValueError(
            f"learner: {visible(learner)[:140]!r} is not a name that can be graded; accepted are up to 128"
            " characters without slashes, control characters or spaces at the ends"
        )


def _utc(learner: str, stage: str, submitted: datetime) -> datetime:
    """Return a time as nbgrader keeps it (UTC, no zone), or raise ValueError for one that is yet to come."""
    if submitted.tzinfo is not None:
        submitted = submitted.astimezone(UTC).replace(tzinfo=None)
    if submitted > datetime.now(UTC).replace(tzinfo=None) + CLOCK_SKEW:
        raise ValueError(
            f"submitted: {stage} of {learner} came in at {submitted:%Y-%m-%d %H:%M:%S} UTC, which is in the"
            f" future; set this machine's clock or correct {TIMESTAMP}"
        )
    return submitted
