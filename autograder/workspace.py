"""The learner's working folder: copies of the notebooks, never touched once someone worked in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from autograder.notebooks import notebook_file, write_aside

_MEMORY = Path(".course") / "originals.json"


def fill(workspace: Path, stages: Iterable[Path]) -> list[str]:
    """Copy each stage's learner notebook into a folder; return one sentence per stage.

    A notebook that the learner changed is never overwritten: when the course has a newer version, that is
    put beside it as NAME.new.ipynb. An untouched copy is brought up to date.

    Raises ValueError in one sentence when the folder cannot be written.
    """
    try:
        (workspace / ".course").mkdir(parents=True, exist_ok=True)
        originals = _remembered(workspace / _MEMORY)
        said = [_place(notebook_file(folder), workspace, originals) for folder in stages]
        write_aside(workspace / _MEMORY, json.dumps(originals, indent=1).encode())
    except OSError as error:
        raise ValueError(
            f"folder: {workspace} cannot be written ({error.strerror}); name one that can be"
        ) from error
    return said


def _place(original: Path, workspace: Path, originals: dict[str, str]) -> str:
    """Copy one notebook, or say why not; `originals` remembers which version was copied."""
    content = original.read_bytes()
    version = hashlib.sha256(content).hexdigest()
    copy = workspace / original.name
    newer = copy.with_suffix(".new.ipynb")
    if not copy.exists():
        write_aside(copy, content)
        said = f"{original.name}: ready in {workspace}"
    elif originals.get(original.name) == version:
        return f"{original.name}: your copy is kept"
    elif hashlib.sha256(copy.read_bytes()).hexdigest() == originals.get(original.name):
        write_aside(copy, content)
        said = f"{original.name}: brought up to date (you had not changed it)"
    else:
        write_aside(newer, content)
        said = f"{original.name}: the course has a newer version; yours is kept, the new one is {newer.name}"
    originals[original.name] = version
    return said


def _remembered(file: Path) -> dict[str, str]:
    """Return notebook name -> hash of the version last handed out; empty when it cannot be read."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
