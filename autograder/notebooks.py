"""Text source + exercises -> the learner's notebook, and the source notebook that nbgrader releases.

A stage's text source is a jupytext percent script. Its cells are tied to exercises by metadata:

    # %% answer="agreement"     the learner writes here; the builder puts in starter or reference
    # %% check="agreement"      one expression: stage.check("agreement", agreement)
    # %% demo=true              only to be looked at: defines nothing that later cells need
    # %% [markdown] explain="pros"    a text that people grade; see `autograder.essay`

Points, cell ids and nbgrader's metadata are generated, so that prose, points and checks cannot disagree.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import inspect
import json
import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.essay import Essay, essays
from autograder.exercise import Exercise, Literal

if TYPE_CHECKING:
    from nbformat import NotebookNode

STUB = "...  # your answer here"
TEXT_STUB = "*Your words here.*"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
TIES = ("answer", "check", "demo", "rubric", "explain")


def source_file(folder: Path) -> Path:
    """Return a stage's text source: the script named like its folder."""
    return folder / f"{folder.name}.py"


def notebook_file(folder: Path) -> Path:
    """Return a stage's learner notebook."""
    return folder / f"{folder.name}.ipynb"


def read_source(folder: Path) -> NotebookNode:
    """Read a stage's text source as a notebook; the ties to exercises are in each cell's metadata."""
    import jupytext

    file = source_file(folder)
    if not file.exists():
        raise ValueError(f"folder: {folder.name} has no text source {file.name}")
    return jupytext.reads(file.read_text(encoding="utf-8"), fmt="py:percent")


def read_essays(folder: Path) -> dict[str, Essay]:
    """Return the texts that people grade in a stage, name -> essay; ValueError for one without a rubric."""
    return essays(read_source(folder).cells)


def build_learner(folder: Path, exercises: Mapping[str, Exercise]) -> NotebookNode:
    """Return the learner's notebook: answers replaced by their starters."""
    return _build(folder, exercises, solved=False)


def build_solved(folder: Path, exercises: Mapping[str, Exercise]) -> NotebookNode:
    """Return nbgrader's source notebook: answers in solution regions, schema v3 metadata."""
    notebook = _build(folder, exercises, solved=True)
    texts = read_essays(folder)
    for cell in notebook.cells:
        ties = cell.metadata
        if "answer" in ties:
            kind = {"grade": False, "solution": True, "locked": False}
        elif "check" in ties:
            points = exercises[ties["check"]].points
            kind = {"grade": True, "solution": False, "locked": True, "points": points}
        elif "explain" in ties:
            points = texts[ties["explain"]].points
            kind = {"grade": True, "solution": True, "locked": False, "points": points}
        elif cell.cell_type == "code":
            kind = {"grade": False, "solution": False, "locked": True}
        else:
            continue
        cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": cell.id, "task": False} | kind
    return notebook


def _build(folder: Path, exercises: Mapping[str, Exercise], solved: bool) -> NotebookNode:
    import nbformat  # takes over a second, which a learner's first cell should not
    from nbformat import NotebookNode

    notebook = nbformat.v4.new_notebook()
    notebook.metadata = NotebookNode(kernelspec=KERNEL, language_info={"name": "python"}, stage=folder.name)
    taken: set[str] = set()
    for cell in read_source(folder).cells:
        ties = {tie: cell.metadata[tie] for tie in TIES if tie in cell.metadata}
        source = cell.source
        if "answer" in ties:
            exercise = exercises[ties["answer"]]
            source = solved_source(exercise) if solved else starter_source(exercise)
        elif "explain" in ties and not solved:
            source = TEXT_STUB
        new = copy.deepcopy(cell)
        new.source = source
        # The rubric is the author's mark: to learners and graders that cell is prose.
        new.metadata = NotebookNode({tie: name for tie, name in ties.items() if tie != "rubric"})
        new.id = _cell_id(ties, cell, taken)
        if new.cell_type == "code":
            new.outputs, new.execution_count = [], None
        notebook.cells.append(new)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return notebook


def _cell_id(ties: Mapping[str, str], cell: NotebookNode, taken: set[str]) -> str:
    """Name a cell after its exercise, or after its text, so that ids survive cells being inserted."""
    for kind in ("answer", "check", "rubric", "explain"):
        if kind in ties:
            return f"{kind}-{ties[kind]}"
    name = base = f"{cell.cell_type}-{hashlib.sha256(cell.source.encode()).hexdigest()[:8]}"
    number = 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name


def starter_source(exercise: Exercise) -> str:
    """Return what the learner finds: signatures and docstrings kept, every body a stub."""
    return clear_solutions(solved_source(exercise))


def solved_source(exercise: Exercise) -> str:
    """Return the reference answers with their bodies marked as solution regions."""
    return "\n\n\n".join(_marked(item) for item in exercise.references)


def clear_solutions(source: str) -> str:
    """Replace every solution region by the stub, exactly as nbgrader's ClearSolutions does."""
    kept, inside = [], False
    for line in source.split("\n"):
        if BEGIN in line:
            inside = True
            kept.append(line[: len(line) - len(line.lstrip())] + STUB)
        elif END in line:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def clear_marks(source: str) -> str:
    """Return solved source without the lines that mark solution regions."""
    return "\n".join(line for line in source.split("\n") if BEGIN not in line and END not in line)


def _marked(item: object) -> str:
    """Return the source of one reference with a solution region around what the learner writes."""
    if isinstance(item, Literal):
        return f"{item.starter.rstrip()}\n{BEGIN}\n{item.solution.strip()}\n{END}"
    source = textwrap.dedent(inspect.getsource(item)).rstrip()
    function = ast.parse(source).body[0]
    docstring = function.body[0]
    if ast.get_docstring(function) is None:
        raise ValueError(
            f"reference {function.name!r} has no docstring: the starter needs one to say what to do"
        )
    lines = source.split("\n")
    head, body = lines[: docstring.end_lineno], lines[docstring.end_lineno :]
    while body and not body[0].strip():
        body.pop(0)
    indent = " " * docstring.col_offset
    return "\n".join([*head, indent + BEGIN, *body, indent + END])


def to_text(notebook: NotebookNode) -> str:
    """Return a notebook as text, the same way every time."""
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write_notebook(notebook: NotebookNode, file: Path) -> None:
    """Write a notebook aside first, then rename it into place."""
    write_aside(file, to_text(notebook).encode())


def write_aside(file: Path, content: bytes) -> None:
    """Write aside, then rename, so that a full disk or a crash leaves the old file whole."""
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        aside.write_bytes(content)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
