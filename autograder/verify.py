"""Content treated as code: `autograder verify` proves every exercise and every cell of a stage.

Each problem is a sentence that tells the author what to do about it.
"""

from __future__ import annotations

import ast
import contextlib
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from autograder import notebooks
from autograder.essay import essays
from autograder.exercise import CORRECT, NOT_ATTEMPTED, PARTLY, WRONG, Exercise, Literal
from autograder.judging import judge

if TYPE_CHECKING:
    from nbformat import NotebookNode

# The article's questions per stage: 12 + 14 + 10 + 9 + 6 = 51.
QUESTIONS = {1: 12, 2: 14, 3: 10, 4: 9, 5: 6}
CHECK_LIMIT, SLOW_LIMIT = 1.0, 10.0
CELL_LIMIT, DEMO_LIMIT = 10.0, 30.0
NETWORK = {"requests", "urllib", "http", "socket", "ftplib", "aiohttp", "httpx"}


@dataclass
class Proof:
    """What was tried on one exercise: check times in seconds, and the problems found."""

    name: str
    seconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def prove(exercise: Exercise, seeds: range = range(5)) -> Proof:
    """Try starter, reference, other right answers and mistakes on several seeds."""
    proof = Proof(exercise.name)
    for seed in seeds:
        for problem in _try_seed(exercise, seed, proof.seconds):
            proof.problems.append(f"{exercise.name}, seed {seed}: {problem}")
    proof.problems += [f"{exercise.name}: {problem}" for problem in _incomplete(exercise, proof.seconds)]
    return proof


def _try_seed(exercise: Exercise, seed: int, seconds: list[float]) -> Iterator[str]:
    start = time.perf_counter()
    verdict = judge(exercise, exercise.references, seed)
    seconds.append(time.perf_counter() - start)
    if verdict.word != CORRECT:
        yield f"the reference is '{verdict.word}' ({verdict.sentence}): mend the reference or `good`"
    starter = tuple(None if isinstance(reference, Literal) else _starter for reference in exercise.references)
    verdict = judge(exercise, starter, seed)
    if verdict.word != NOT_ATTEMPTED:
        yield f"the starter is '{verdict.word}', not '{NOT_ATTEMPTED}': `run` must call the answer first"
    for number, answer in enumerate(exercise.right, start=1):
        verdict = judge(exercise, answer if isinstance(answer, tuple) else (answer,), seed)
        if verdict.word != CORRECT:
            yield f"right answer {number} is '{verdict.word}' ({verdict.sentence}): widen `good` or mend it"
    for mistake in exercise.mistakes:
        answers = mistake.answer if isinstance(mistake.answer, tuple) else (mistake.answer,)
        verdict = judge(exercise, answers, seed)
        if verdict.word not in (PARTLY, WRONG):
            yield f"mistake '{mistake.name}' is '{verdict.word}' ({verdict.sentence}): expose it"
        elif verdict.mistakes[:1] != (mistake.name,):
            yield f"mistake '{mistake.name}' is diagnosed as {verdict.mistakes or 'nothing'}: mend `same`"


def _starter(*inputs: object) -> None:
    """Do nothing, like an untouched starter."""


def _incomplete(exercise: Exercise, seconds: list[float]) -> Iterator[str]:
    limit = SLOW_LIMIT if exercise.slow else CHECK_LIMIT
    # The first check also imports what it needs, and a busy machine slows any one of them.
    usual = statistics.median(seconds)
    for kind, took, most in (("usual", usual, limit), ("slow", max(seconds), SLOW_LIMIT)):
        if took > most:
            yield f"a {kind} check takes {took:.2f} s, more than {most:g} s: make the cases smaller"
    if len(exercise.right) < 2:
        yield f"it has {len(exercise.right)} other right answers: add to `right` until there are two"
    if len(exercise.mistakes) < 3:
        yield f"it names {len(exercise.mistakes)} mistakes: add those that people make, at least three"
    if len(exercise.hints) < 2:
        yield "it has fewer than two hints: add levels, from a nudge to a near-answer"
    for question in exercise.questions:
        stage, _, number = question.partition(".")
        if not number.isdigit() or not 1 <= int(number) <= QUESTIONS.get(int(stage), 0):
            yield f"question {question!r} is not one of the article's: use an id such as '2.5'"
    for mistake in exercise.mistakes:
        if not mistake.ask.rstrip().endswith("?"):
            yield f"mistake '{mistake.name}' asks no question: end `ask` with one that dislodges it"


def cell_problems(folder: Path, exercises: Mapping[str, Exercise]) -> Iterator[str]:
    """Yield what is wrong with the ties and the code of a stage's text source."""
    cells = notebooks.read_source(folder).cells
    files = {file.stem for file in (folder / "exercises").glob("*.py")}
    answered = [cell.metadata["answer"] for cell in cells if "answer" in cell.metadata]
    checked = [cell.metadata["check"] for cell in cells if "check" in cell.metadata]
    for name in sorted(files | set(answered) | set(checked)):
        if name not in files:
            yield f"{folder.name}: a cell names exercise {name!r}, but exercises/{name}.py does not exist"
        elif (answered.count(name), checked.count(name)) != (1, 1):
            counts = f"{answered.count(name)} answer and {checked.count(name)} check cells"
            yield f"{folder.name}: exercise {name!r} has {counts}: give it one of each"
    for cell in cells:
        if "check" in cell.metadata and cell.metadata["check"] in exercises:
            exercise = exercises[cell.metadata["check"]]
            expected = f'stage.check("{exercise.name}", {", ".join(exercise.answer_names)})'
            if cell.source.strip() != expected:
                yield f"{folder.name}: the check cell of {exercise.name!r} must read: {expected}"
        elif "answer" in cell.metadata and any(
            line.strip() and not line.startswith("#") for line in cell.source.split("\n")
        ):
            yield f"{folder.name}: the answer cell {cell.metadata['answer']!r} is generated: leave it empty"
    yield from _text_problems(folder, cells)
    yield from _code_problems(folder, cells)
    yield from _rerun_problems(folder, cells, exercises)


def _text_problems(folder: Path, cells: list[NotebookNode]) -> Iterator[str]:
    """Yield what is wrong with the texts that people grade."""
    try:
        texts = essays(cells)
    except ValueError as error:
        yield f"{folder.name}: {error}"
        return
    for cell in cells:
        name = cell.metadata.get("rubric")
        if name is not None and name not in texts:
            yield f"{folder.name}: rubric={name!r} has no text to grade: add a markdown cell explain={name!r}"
        if {"rubric", "explain"} & cell.metadata.keys() and cell.cell_type != "markdown":
            yield f"{folder.name}: the cell of {name or cell.metadata['explain']!r} must be markdown"
    for name in texts:
        if sum(cell.metadata.get("explain") == name for cell in cells) > 1:
            yield f"{folder.name}: explain={name!r} stands in more than one cell: keep one"


def _code_problems(folder: Path, cells: list[NotebookNode]) -> Iterator[str]:
    demo_names: dict[str, str] = {}
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type != "code" or "answer" in cell.metadata:
            continue
        where = f"{folder.name}, cell {number} ({cell.source.strip().splitlines()[0][:40]!r})"
        try:
            tree = ast.parse(cell.source)
        except SyntaxError as error:
            yield f"{where} is not plain Python ({error.msg}): no magics, no shell"
            continue
        yield from (f"{where} {problem}" for problem in _forbidden(tree))
        bound, used = _names(tree)
        if "demo" in cell.metadata:
            demo_names |= {name: where for name in bound}
        else:
            for name in sorted((used - bound) & demo_names.keys()):
                yield (
                    f"{where} uses {name!r}, which only a demo cell defines ({demo_names[name]}):"
                    " exams skip demo cells, so define it in an ordinary cell"
                )
            for name in bound:
                demo_names.pop(name, None)


def _rerun_problems(
    folder: Path, cells: list[NotebookNode], exercises: Mapping[str, Exercise]
) -> Iterator[str]:
    """Yield cells that find something else under a name when a learner comes back to them after Run All."""
    reads: dict[str, int] = {}
    known: set[str] = set()
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type != "code":
            continue
        bound, used = set(), set()
        if exercise := exercises.get(cell.metadata.get("answer")):
            bound = set(exercise.answer_names)
        else:
            with contextlib.suppress(SyntaxError):
                tree = ast.parse(cell.source)
                used, bound = _names(tree)[1] - _names(tree)[0], _rebound(tree)
        for name in sorted(bound & reads.keys()):
            yield (
                f"{folder.name}, cell {number} gives {name!r} another value, so that cell {reads.pop(name)},"
                " which reads it, can't be run again: use another name"
            )
        reads |= dict.fromkeys(used & known, number)
        known |= bound


def _rebound(tree: ast.AST) -> set[str]:
    """Return the names to which a cell gives a value, those of imports and in comprehensions left out."""
    inside = {
        node
        for part in ast.walk(tree)
        if isinstance(part, ast.comprehension)
        for node in ast.walk(part.target)
    }
    bound: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            bound.add(statement.name)
        else:
            stores = (
                node for node in ast.walk(statement) if isinstance(node, ast.Name) and node not in inside
            )
            bound |= {node.id for node in stores if isinstance(node.ctx, ast.Store)}
    return bound


def _forbidden(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield "uses a star import: name what it needs"
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for module in modules:
            if module.split(".")[0] in NETWORK:
                yield f"imports {module}: no cell may touch the network"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "input":
            yield "waits for a person with input(): use a widget or a variable"


def _names(tree: ast.AST) -> tuple[set[str], set[str]]:
    """Return the names a cell binds at its top level, and all names that it reads."""
    bound: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            bound.add(statement.name)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            bound |= {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
        else:
            stores = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            bound |= {node.id for node in stores if isinstance(node.ctx, ast.Store)}
    used = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return bound, used


def stale(folder: Path, exercises: Mapping[str, Exercise]) -> Iterator[str]:
    """Yield a problem when the committed notebook is not what its source builds."""
    import nbformat

    file = notebooks.notebook_file(folder)
    built = notebooks.build_learner(folder, exercises)
    if not file.exists() or nbformat.read(file, as_version=4) != built:
        yield f"{folder.name}: {file.name} is not what {folder.name}.py builds: run `make notebooks`"


def run_problems(folder: Path, exercises: Mapping[str, Exercise]) -> Iterator[str]:
    """Run the notebook solved and untouched; yield errors, wrong points and cells over their time budget."""
    solved = execute(notebooks.build_solved(folder, exercises))
    untouched = execute(notebooks.build_learner(folder, exercises))
    for notebook, state in ((solved, "solved"), (untouched, "untouched")):
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            where = f"{folder.name}, {state}, cell {cell.id}"
            for output in cell.outputs:
                if output.output_type == "error":
                    yield f"{where} raises {output.ename}: {output.evalue}"
                elif output.output_type == "stream" and output.name == "stderr":
                    yield f"{where} writes to stderr: {output.text.strip()[:120]}"
            limit = DEMO_LIMIT if "demo" in cell.metadata else CELL_LIMIT
            if seconds_of(cell) > limit:
                yield f"{where} takes {seconds_of(cell):.1f} s, more than {limit:g} s: do less in it"
            if "check" in cell.metadata:
                expected = exercises[cell.metadata["check"]].points if state == "solved" else 0
                if points_of(cell) != expected:
                    said = " ".join(text for output in cell.outputs for text in _texts(output))
                    yield f"{where} earns {points_of(cell)} points, not {expected:g}: {said[:300]}"


def wall_problems(folder: Path, exercises: Mapping[str, Exercise], limits: object = None) -> Iterator[str]:
    """Hand every reference, right answer and mistake in as an exam; yield where its verdict is another.

    Raises `NoSandbox` where no wall can be had.
    """
    from autograder import simulate
    from autograder.exam import seeds
    from autograder.exam.room import Room

    seed = seeds.exam_seed(bytes(seeds.SECRET_BYTES), "verify", folder.name, 1)
    with Room(folder.name, limits=limits) as room:
        for choices in _sittings(exercises):
            submission = notebooks.build_learner(folder, exercises)
            simulate.fill_in(submission, exercises, choices)
            result = room.sit(notebooks.to_text(submission).encode(), seed)
            if result.problem:
                yield f"{folder.name}: the exam could not read its own notebook: {result.problem}"
            for name, choice in choices.items():
                rng = seeds.exercise_rng(seed, name, "cases")
                here = judge(exercises[name], simulate.answers(exercises[name], choice), rng)
                there = result.verdicts[name]
                if (here.word, here.points, list(here.mistakes)) != (
                    there["word"],
                    there["points"],
                    list(there["mistakes"]),
                ):
                    yield (
                        f"{name}: answer {choice!r} is '{here.word}' here ({here.points:g}, {here.mistakes})"
                        f" but '{there['word']}' in an exam ({there['points']:g}, {there['mistakes']}:"
                        f" {there['sentence']}): hand out and take in plain values only"
                    )


def _sittings(exercises: Mapping[str, Exercise]) -> Iterator[dict[str, str | int]]:
    """Yield what to hand in, so that together every answer that an exercise knows occurs once."""
    known = {
        name: ["reference", *range(len(exercise.right)), *(mistake.name for mistake in exercise.mistakes)]
        for name, exercise in exercises.items()
    }
    for turn in range(max(map(len, known.values()))):
        yield {name: choices[turn] for name, choices in known.items() if turn < len(choices)}


def execute(notebook: NotebookNode, cwd: Path | None = None) -> NotebookNode:
    """Run a notebook in a real kernel, in `cwd` or an empty folder; returns it with outputs."""
    import tempfile

    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory() as empty:
        client = NotebookClient(
            notebook,
            timeout=300,
            allow_errors=True,
            resources={"metadata": {"path": str(cwd or empty)}},
        )
        return client.execute()


def points_of(cell: NotebookNode) -> float | None:
    """Return the points that an executed check cell shows, as nbgrader would read them."""
    for output in cell.outputs:
        if output.output_type == "execute_result":
            return float(output.data["text/plain"])
    return None


def _texts(output: NotebookNode) -> Iterator[str]:
    if "data" in output:
        yield output.data.get("text/plain", "").replace("\n", " ")


def seconds_of(cell: NotebookNode) -> float:
    """Return how long an executed cell took."""
    from datetime import datetime

    times = cell.metadata.get("execution", {})
    ends = (times.get("iopub.execute_input"), times.get("shell.execute_reply"))
    if not all(ends):
        return 0.0
    start, end = (datetime.fromisoformat(text) for text in ends)
    return (end - start).total_seconds()


def table(exercises: Mapping[str, Exercise], proofs: list[Proof]) -> str:
    """Return one row per exercise: what was proved, and the median check time."""
    width = max(len(name) for name in exercises)
    rows = [f"{'exercise':<{width}}  points  right  mistakes  hints  check   problems"]
    for proof in proofs:
        exercise = exercises[proof.name]
        median = statistics.median(proof.seconds)
        rows.append(
            f"{proof.name:<{width}}  {exercise.points:>6g}  {1 + len(exercise.right):>5}"
            f"  {len(exercise.mistakes):>8}  {len(exercise.hints):>5}  {median:.3f} s  {len(proof.problems)}"
        )
    total = sum(statistics.median(proof.seconds) for proof in proofs)
    slowest = max(max(proof.seconds) for proof in proofs)
    rows.append(f"all checks together {total:.2f} s; slowest single check {slowest:.2f} s")
    return "\n".join(rows)


def coverage(exercises: Mapping[str, Exercise]) -> str:
    """Say how many of the article's questions have an exercise."""
    covered = {question for exercise in exercises.values() for question in exercise.questions}
    total = sum(QUESTIONS.values())
    return f"{len(covered)} of the article's {total} questions have an exercise"
