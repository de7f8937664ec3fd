"""An nbgrader course folder: its settings, the state of its gradebook, and files written all or none."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

CONFIG_FILE = "nbgrader_config.py"
LOCK_WAIT = 30  # seconds; formgrader, open at the same time, locks for moments only


def read_config(course: Path) -> Any:
    """Return the traitlets configuration of a course folder, or raise ValueError in one sentence."""
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    if not (course / CONFIG_FILE).is_file():
        what = f"has no {CONFIG_FILE}" if course.is_dir() else "is not a folder"
        raise ValueError(f"course: {course} {what}; make a course folder with `autograder release {course}`")
    try:
        config = Config(PyFileConfigLoader(CONFIG_FILE, path=str(course)).load_config())
    except (Exception, SystemExit) as error:
        raise ValueError(f"course: {course / CONFIG_FILE} cannot be read: {reason(error)}") from error
    config.CourseDirectory.root = str(course.resolve())
    return config


def open_gradebook(url: str, course: Path, course_id: str, tables: Any) -> Any:
    """Return an SQLAlchemy engine for a gradebook that was found whole, current and this course's.

    tables: nbgrader's SQLAlchemy metadata.   Nothing is created or changed; ValueError says what is wrong.
    """
    from sqlalchemy import create_engine, inspect, make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        address = make_url(url)
        sqlite = address.get_backend_name() == "sqlite"
        if sqlite:
            file = course / (address.database or "")
            if not file.is_file():
                raise ValueError(f"course: {course} has no gradebook; run `autograder release {course}`")
            address = address.set(database=str(file.resolve()))
        wait = {"timeout": LOCK_WAIT} if sqlite else {}
        engine = create_engine(address, connect_args=wait, pool_pre_ping=not sqlite)
        try:
            problem = _problem(engine, inspect(engine), course_id, tables, sqlite)
        except BaseException:
            engine.dispose()
            raise
    except (SQLAlchemyError, ImportError) as error:
        raise ValueError(f"course: the gradebook of {course} cannot be read: {reason(error)}") from error
    if problem:
        engine.dispose()
        raise ValueError(f"course: the gradebook of {course} {problem}")
    return engine


def _problem(engine: Any, found: Any, course_id: str, tables: Any, sqlite: bool) -> str:
    """Say what is wrong with a gradebook, in words that follow its name, or return an empty text."""
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR
    from sqlalchemy import text

    names = set(found.get_table_names())
    with engine.connect() as db:
        if sqlite and (state := db.execute(text("PRAGMA quick_check(1)")).scalar()) != "ok":
            return f"is damaged: {str(state).splitlines()[-1]}"
        if "assignment" not in names:
            return "is empty; run `autograder release` first"
        revision = None
        if "alembic_version" in names:
            revision = db.execute(text("SELECT version_num FROM alembic_version")).scalar()
        known = ScriptDirectory(ALEMBIC_DIR)
        if revision and revision not in {each.revision for each in known.walk_revisions()}:
            return f"has schema {revision}, which this nbgrader does not know; install a newer nbgrader"
        lacking = [
            f"{name}.{column.name}"
            for name, table in tables.tables.items()
            for column in table.columns
            if name not in names or column.name not in {each["name"] for each in found.get_columns(name)}
        ]
        if lacking or revision != known.get_current_head():
            missing = f" (it lacks {lacking[0]})" if lacking else ""
            return f"has an older schema{missing}; back it up, then run `nbgrader db upgrade` in that folder"
        owners = set(db.execute(text("SELECT DISTINCT course_id FROM assignment")).scalars())
        # Releases older than course ids count as "default_course" after an upgrade.
        if others := sorted(owners - {course_id, "default_course"}):
            return f"belongs to course {others[0]!r}, but {CONFIG_FILE} says course {course_id!r}"
    return ""


def reason(error: BaseException) -> str:
    """Return why something failed in one line, without SQL statements, parameters or passwords."""
    error = getattr(error, "orig", None) or error
    said = error.args[0] if error.args else error
    if isinstance(said, Mapping):  # what a PostgreSQL server answered
        said = said.get("M", said)
    if isinstance(error, OSError):
        said = ": ".join(str(part) for part in (error.strerror or error, error.filename) if part)
    return (str(said).strip() or type(error).__name__).splitlines()[0]


def small_text(file: Path, limit: int = 4096) -> str | None:
    """Return the text of a small regular file; None for links, other things, and what is not short text."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with open(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        content = opened.read(limit + 1)
    try:
        return content.decode() if len(content) <= limit else None
    except UnicodeDecodeError:
        return None


@contextlib.contextmanager
def all_or_none(files: Mapping[Path, tuple[bytes, int]]) -> Iterator[Callable[[], None]]:
    """Write files (content, mode) aside; yield a function that renames them all into place.

    Without that call nothing is left: no file, no new folder. Folders are made as needed.
    """
    staged: list[tuple[Path, Path]] = []
    made: list[Path] = []

    def put_in_place() -> None:
        while staged:
            aside, file = staged.pop(0)
            aside.replace(file)

    try:
        for file, (content, mode) in files.items():
            new = [folder for folder in (file.parent, *file.parent.parents) if not folder.exists()]
            made += new
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.is_dir():
                raise IsADirectoryError(21, "a folder is where a file should be", str(file))
            for stray in file.parent.glob(f".{file.name}.*"):  # left by a run that was killed
                stray.unlink()
            aside = file.with_name(f".{file.name}.{os.getpid()}")
            staged.append((aside, file))
            aside.write_bytes(content)
            aside.chmod(mode)
        yield put_in_place
    finally:
        for aside, _ in staged:
            aside.unlink(missing_ok=True)
        for folder in sorted(made, key=lambda path: -len(path.parts)):
            with contextlib.suppress(OSError):
                folder.rmdir()  # those that are still empty
