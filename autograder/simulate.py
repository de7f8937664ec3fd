"""A simulated class: submissions whose answers are references, other right answers and named mistakes.

It shows an instructor what grading looks like before there are learners, and gives tests a class whose
points are known in advance.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import numpy as np

from autograder import notebooks
from autograder.exercise import Exercise, Literal
from autograder.stage import load_stage, stage_folder

STARTER, REFERENCE = "starter", "reference"


def answers(exercise: Exercise, choice: str | int) -> tuple:
    """Return the answers themselves: the reference's, another right one by number, or a mistake by name."""
    if choice == REFERENCE:
        return exercise.references
    if isinstance(choice, int):
        found = exercise.right[choice]
    else:
        found = next(mistake.answer for mistake in exercise.mistakes if mistake.name == choice)
    return found if isinstance(found, tuple) else (found,)


def answer_source(exercise: Exercise, choice: str | int) -> str:
    """Return a cell of code that answers an exercise on its own, without the exercise's file.

    choice: "starter", "reference", the name of a mistake, or the number of another right answer.
    """
    if choice == STARTER:
        return notebooks.starter_source(exercise)
    if choice == REFERENCE:
        return notebooks.clear_marks(notebooks.solved_source(exercise))
    return "\n\n\n".join(
        f"{name} = {answer!r}" if isinstance(reference, Literal) else _standalone(answer, name)
        for answer, name, reference in zip(
            answers(exercise, choice), exercise.answer_names, exercise.references, strict=True
        )
    )


def _standalone(function: Callable, name: str) -> str:
    """Return source that binds `name` to a function together with all that it uses from its module."""
    module = sys.modules[function.__module__]
    parts = {**_imports(module), **_definitions(module)}
    needed: dict[str, str] = {}
    call = _made_by(function, module)
    waiting = [node.id for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Name)]
    while waiting:
        wanted = waiting.pop()
        if wanted in needed or wanted not in parts:
            continue
        needed[wanted] = parts[wanted]
        tree = ast.parse(parts[wanted])
        waiting += [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    ordered = dict.fromkeys(source for wanted, source in parts.items() if wanted in needed)
    body = textwrap.indent("\n".join(ordered), "    ")
    return f"def _answer():\n{body}\n    return {call}\n\n\n{name} = _answer()"


def _made_by(function: Callable, module: object) -> str:
    """Return the expression that gives a function: its name, or the call of the function that made it."""
    maker, _, inner = function.__qualname__.partition(".<locals>.")
    if not inner:
        return function.__name__
    given = inspect.getclosurevars(function).nonlocals
    words = []
    for parameter in inspect.signature(getattr(module, maker)).parameters.values():
        if parameter.name in given:
            several = parameter.kind is parameter.VAR_POSITIONAL
            value = given[parameter.name]
            words += map(_word, value) if several else [f"{parameter.name}={_word(value)}"]
    return f"{maker}({', '.join(words)})"


def _word(value: object) -> str:
    return value.__name__ if inspect.isfunction(value) else repr(value)


def _imports(module: object) -> dict[str, str]:
    """Return name -> import statement for what a module imports (but not the grader itself)."""
    found = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            source = ast.unparse(node)
            if "autograder" not in source:
                found |= {(alias.asname or alias.name).split(".")[0]: source for alias in node.names}
    return found


def _definitions(module: object) -> dict[str, str]:
    """Return name -> source for a module's functions and plain assignments, in the order of the file."""
    found = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = ast.unparse(node)
        elif isinstance(node, ast.Assign):
            for target in ast.walk(ast.Tuple([*node.targets], ast.Load())):
                if isinstance(target, ast.Name):
                    found[target.id] = ast.unparse(node)
    return found


def submission(
    release: Path, exercises: Mapping[str, Exercise], choices: Mapping[str, str | int]
) -> nbformat.NotebookNode:
    """Return the released notebook with the chosen answers written into it."""
    notebook = nbformat.read(release, as_version=4)
    fill_in(notebook, exercises, choices)
    return notebook


def fill_in(
    notebook: nbformat.NotebookNode, exercises: Mapping[str, Exercise], choices: Mapping[str, str | int]
) -> None:
    """Write the chosen answers into a learner's notebook."""
    for cell in notebook.cells:
        name = cell.metadata.get("answer")
        if name in choices and choices[name] != STARTER:
            cell.source = answer_source(exercises[name], choices[name])


def hand_in(course: Path, learners: int, seed: int) -> str:
    """Write one submission per learner and stage into an nbgrader course folder; return a sentence.

    The first learner hands in the untouched notebook, the second a faultless one; the others answer each
    exercise rightly, with one of its mistakes, or not at all, each with a chance of their own.
    """
    releases = sorted((course / "release").glob("*/*.ipynb"))
    if not releases:
        raise ValueError(f"course: {course} has no released notebooks; run `autograder release {course}`")
    if learners < 2:
        raise ValueError(f"learners: a class has at least 2, not {learners}")
    rng = np.random.default_rng(seed)
    for release in releases:
        exercises = load_stage(stage_folder(release.parent.name))
        for number in range(learners):
            learner = f"learner_{number + 1:02d}"
            choices = _choices(rng, exercises, number)
            folder = course / "submitted" / learner / release.parent.name
            folder.mkdir(parents=True, exist_ok=True)
            notebooks.write_notebook(submission(release, exercises, choices), folder / release.name)
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            (folder / "timestamp.txt").write_text(now, encoding="utf-8")
    return f"{learners} learners handed in {len(releases)} notebooks each"


def _choices(
    rng: np.random.Generator, exercises: Mapping[str, Exercise], number: int
) -> dict[str, str | int]:
    """Draw what one learner does in each exercise."""
    if number < 2:
        return dict.fromkeys(exercises, (STARTER, REFERENCE)[number])
    skill, diligence = rng.uniform(0.2, 0.9), rng.uniform(0.6, 1.0)
    choices: dict[str, str | int] = {}
    for name, exercise in exercises.items():
        if rng.random() > diligence:
            choices[name] = STARTER
        elif rng.random() < skill:
            other = int(rng.integers(-1, len(exercise.right)))
            choices[name] = REFERENCE if other < 0 else other
        else:
            choices[name] = exercise.mistakes[int(rng.integers(len(exercise.mistakes)))].name
    return choices
