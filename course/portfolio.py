"""What a stage leaves for the next: named tables in a folder `portfolio` beside the notebook.

Plain CSV files, so that a learner can open, read and correct what was decided earlier.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd

FOLDER = "portfolio"


def keep(name: str, table: pd.DataFrame | pd.Series | None, folder: Path | str | None = None) -> str:
    """Keep a table for later stages and return a sentence that says what became of it.

    An earlier version under the same name is replaced, at once or not at all. Where there is no answer
    yet (None), nothing is kept and an earlier version stays.

    Args:
        name: lower-case letters, digits and _, for example "split".
        table: DataFrame or Series; its index is kept if it has a name.
        folder: where the notebook is; the current folder when absent.

    Raises:
        ValueError: for another name or type, or when the folder cannot be written.

    """
    _require_name(name)
    if table is None:
        return f"Nothing is kept as {name!r} yet: there is no answer to keep."
    if isinstance(table, pd.Series):
        table = table.to_frame(table.name or name)
    if not isinstance(table, pd.DataFrame):
        kind = type(table).__name__
        raise ValueError(f"table is a {kind}; accepted are a DataFrame, a Series or None.")
    file = Path(folder or Path.cwd()) / FOLDER / f"{name}.csv"
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            table.to_csv(aside, index=table.index.name is not None)
            aside.replace(file)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise ValueError(
            f"folder: {file.parent} cannot be written ({error.strerror}); name one that can be."
        ) from error
    return f"Kept {len(table):,} rows as {name!r} ({FOLDER}/{file.name})."


def load(name: str, folder: Path | str | None = None) -> pd.DataFrame:
    """Return a table that was kept, from this notebook's folder or that of another stage beside it.

    Raises:
        ValueError: when nothing of that name was kept, or the file is not a table.

    """
    _require_name(name)
    file = _files(folder).get(name)
    if file is None:
        known = ", ".join(kept(folder)) or "nothing yet"
        raise ValueError(f"name is {name!r}, which no stage has kept; kept so far: {known}.")
    try:
        return pd.read_csv(file)
    except (ValueError, OSError) as error:
        raise ValueError(f"name: {file} cannot be read as a table; keep {name!r} again.") from error


def kept(folder: Path | str | None = None) -> list[str]:
    """Return the names of all tables that were kept, sorted."""
    return sorted(_files(folder))


def _files(folder: Path | str | None) -> dict[str, Path]:
    """Return name -> file; a table beside this notebook wins, then the newest beside its neighbours."""
    here = Path(folder or Path.cwd())
    # A class has one folder per stage (01_problem, ...), a learner alone has all notebooks in one.
    others = [path for path in here.resolve().parent.glob(f"0[1-9]_*/{FOLDER}/*.csv") if path.is_file()]
    others.sort(key=lambda path: path.stat().st_mtime)
    return {path.stem: path for path in [*others, *sorted((here / FOLDER).glob("*.csv"))]}


def _require_name(name: object) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"name is {name!r}; accepted are lower-case letters, digits and _.")
