"""What a notebook talks to: `stage = Stage("02_data_metrics")`, then check, hint, solution, progress."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import io
import json
import os
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder import essay, feedback, notebooks, plain, predict
from autograder.exercise import CORRECT, UNREADABLE, Exercise
from autograder.judging import judge, refused
from autograder.progress import Progress

CLASS_FILE = "class.json"
STAGES_VARIABLE = "AUTOGRADER_STAGES"
PRINT_LIMIT = 2000


def stage_folders() -> dict[str, Path]:
    """Return the stages that are here, name -> folder; a folder without a text source is none yet.

    They are in the folder that AUTOGRADER_STAGES names, inside the installed package, or beside it.
    """
    package = Path(__file__).resolve().parent
    named = os.environ.get(STAGES_VARIABLE)
    for home in ([Path(named)] if named else []) + [package / "stages", package.parent]:
        folders = sorted(home.glob("0[1-9]_*"))
        found = {folder.name: folder for folder in folders if notebooks.source_file(folder).is_file()}
        if found:
            return found
    return {}


def stage_folder(name: str) -> Path:
    """Return the folder of one stage, or raise ValueError with the names that exist."""
    folders = stage_folders()
    if name not in folders:
        raise ValueError(f"name: there is no stage {name!r}; there are: {', '.join(folders) or 'none'}")
    return folders[name]


def load_exercise(file: Path) -> Exercise:
    """Import one exercise file and return its `exercise`, named after the file."""
    if not file.exists():
        known = ", ".join(sorted(path.stem for path in file.parent.glob("*.py")))
        raise ValueError(f"name: there is no exercise {file.stem!r}; there are: {known}")
    return replace(_import(file.resolve()).exercise, name=file.stem)


@functools.cache
def _import(file: Path) -> ModuleType:
    name = f"stage_{file.parent.parent.name}_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    # inspect.getsource and dataclasses look a module up by its name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def exercise_names(folder: Path) -> list[str]:
    """Return a stage's exercises in the order in which its notebook checks them."""
    source = notebooks.source_file(folder).read_text(encoding="utf-8")
    return re.findall(r'^# %%.*\bcheck="(\w+)"', source, flags=re.MULTILINE)


def load_stage(folder: Path) -> dict[str, Exercise]:
    """Return all exercises of a stage, name -> exercise, in the order of its notebook."""
    return {name: load_exercise(folder / "exercises" / f"{name}.py") for name in exercise_names(folder)}


class Stage:
    """One stage, as its notebook uses it; what the learner did is logged beside the notebook."""

    def __init__(self, name: str):
        self._folder = stage_folder(name)
        self.name = name
        graded = "NBGRADER_EXECUTION" in os.environ
        self._progress = Progress(Path.cwd() / ".course", name, remember=not graded)
        self._class = _class_settings(Path.cwd() / CLASS_FILE)

    def check(self, name: str, *answers: Any) -> feedback.Points:
        """Judge the answers on fresh data, show the verdict, return the points earned."""
        exercise = self._exercise(name)
        attempt = self._progress.count("check", name)
        start = time.perf_counter()
        printed = io.StringIO()
        # What an answer prints or warns while it is tried belongs to the verdict, not to the cell's own
        # streams: nbgrader gives no points to a cell that wrote to stderr.
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                verdict = judge(exercise, tuple(map(_plainly, answers)), self._seed(name, attempt))
            except plain.NotPlain as odd:
                verdict = refused(exercise, UNREADABLE, str(odd))
        verdict = replace(verdict, seconds=time.perf_counter() - start)
        saved = self._progress.log(
            "check", name, word=verdict.word, points=verdict.points, mistakes=list(verdict.mistakes)
        )
        feedback.show_verdict(verdict, printed.getvalue()[:PRINT_LIMIT], saved)
        return feedback.Points(verdict.points, verdict.out_of)

    def hint(self, name: str) -> None:
        """Show the next hint; each call goes one level further."""
        exercise = self._exercise(name)
        level = min(self._progress.count("hint", name), len(exercise.hints) - 1)
        if self._progress.count("hint", name) <= level:
            self._progress.log("hint", name, level=level + 1)
        feedback.show_hint(exercise, level)

    def solution(self, name: str, anyway: bool = False) -> None:
        """Show the reference answer: once the check has passed, or with `anyway=True`."""
        exercise = self._exercise(name)
        if not self._class.get("solutions", True):
            feedback.show_note("Solutions are switched off for this class; your instructor can show them.")
        elif anyway or self._progress.best_word(name) == CORRECT:
            self._progress.log("solution", name)
            feedback.show_solution(exercise)
        else:
            feedback.show_note(
                f"The solution opens once your answer is correct. To see it now all the same:"
                f" stage.solution({name!r}, anyway=True)"
            )

    def predict(self, name: str, question: str, options: list[str]) -> None:
        """Ask for a commitment before the answer is shown; `reveal` with the same name comes back to it."""
        predict.ask(self._progress, name, question, options)

    def reveal(self, name: str, truth: str) -> None:
        """Show what was predicted under this name beside what turned out to be so."""
        feedback.show_note(predict.outcome(self._progress, name, truth))

    def assess(self, name: str, met: list[int] | None = None) -> None:
        """Hold your own text against its rubric: tick the lines it meets, or give their numbers as `met`."""
        known = notebooks.read_essays(self._folder)
        if name not in known:
            raise ValueError(f"name: there is no text {name!r}; there are: {', '.join(known) or 'none'}")
        essay.assess(self._progress, known[name], met, sample=bool(self._class.get("solutions", True)))

    def progress(self) -> None:
        """Show a bar and a table of this stage's exercises."""
        feedback.show_progress(load_stage(self._folder).values(), self._progress)

    def _exercise(self, name: str) -> Exercise:
        return load_exercise(self._folder / "exercises" / f"{name}.py")

    def _seed(self, name: str, attempt: int) -> int:
        """Return a new seed for every attempt of every learner; 128 bits."""
        text = f"{self._progress.learner_seed}:{self.name}:{name}:{attempt}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def _plainly(answer: Any) -> Any:
    """Return an answer that gives plain copies, as an exam would receive them; NotPlain where it can't."""
    if not callable(answer):
        return plain.round_trip(answer)
    return lambda *inputs: plain.round_trip(answer(*inputs))


def _class_settings(file: Path) -> dict[str, Any]:
    """Return what an instructor set for a class, from the file released beside the notebook."""
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}
