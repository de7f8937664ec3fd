"""Bytes in, answers out: whatever was handed in becomes the course's notebook with the learner's text in it.

Accepts leniently, rebuilds strictly: only the text of answers and of cells that the learner added is taken
from a submission; everything else, its order included, is the course's. Knows nothing of exercises, seeds or
the gradebook.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count

from autograder.exam.folder import Submission, find_submissions, read_file
from autograder.exam.reading import LIMITS, Found, IntakeError, IntakeLimits, read_cells
from autograder.exam.records import ANSWER, CHECK, EXPLAIN, EXTRA, Cell, Rebuilt

__all__ = ["IntakeError", "IntakeLimits", "Submission", "find_submissions", "read_file", "rebuild"]

# nbgrader's (grade, solution) for each kind of cell; both are false for all others.
FLAGS = {ANSWER: (False, True), CHECK: (True, False), EXPLAIN: (True, True)}
CHECK_CALL = re.compile(r"\bstage[ \t]*\.[ \t]*check[ \t]*\(")

Say = Callable[..., None]


def rebuild(data: bytes, course: Sequence[Cell], name: str, limits: IntakeLimits = LIMITS) -> Rebuilt:
    """Return the course's cells with a submission's answers in them and its extra cells where they stood.

    data: a notebook, or a zip that holds one `<name>.ipynb`.   course: a stage's cells (`course_cells`).

    A cell is known by nbgrader's grade id, its cell id or its tie to an exercise; where all are lost, a cell
    of the course is known by its text and an answer by the names that it defines. The first code cell known
    as an answer is the answer; later ones are extra cells, so that the later definition wins, as in Run All.
    An extra cell follows the cell of the course after which it stood, counting only those that are still in
    the course's order. Copies of checks are kept to be seen (cell_type "raw") and never run. An answer is
    `untouched` if it is the starter and no other cell of the learner's defines its names.
    Raises IntakeError if nothing can be graded.
    """
    repairs = _Repairs()
    found = read_cells(data, name, limits, repairs.say)
    places, chosen = _match(found, course)
    steady = _in_order(sorted(chosen, key=chosen.__getitem__))
    extras = _place_extras(found, course, places, chosen, steady, repairs.say)
    added = sum(map(len, extras.values()))
    if added > limits.extra_cells:
        raise IntakeError(
            f"The notebook has {added:,} added cells; at most {limits.extra_cells:,} are taken."
        )
    _say_moved(course, chosen, len(steady) < len(chosen), repairs.say)
    own = {
        number: cell.source
        for number, (cell, place) in enumerate(zip(found, places, strict=True))
        if cell.cell_type == "code" and (place is None or course[place].kind == ANSWER)
    }
    ids = _free_ids({cell.id for cell in course})
    cells = [replace(cell, id=next(ids)) for cell in extras[-1]]
    for index, cell in enumerate(course):
        number = chosen.get(index)
        others = [source for other, source in own.items() if other != number] if cell.kind == ANSWER else []
        handed = found[number] if number is not None else None
        cells.append(_rebuilt_cell(cell, handed, index in places, others, repairs.say))
        cells += [replace(cell, id=next(ids)) for cell in extras[index]]
    return Rebuilt(tuple(cells), repairs.sentences())


class _Repairs:
    """Sentences with {s}, {names} and {count} in them: one for all cells that it was said of."""

    def __init__(self):
        self._said: dict[str, list[str]] = {}

    def say(self, sentence: str, name: str = "") -> None:
        self._said.setdefault(sentence, []).append(f"`{name}`")

    def sentences(self) -> tuple[str, ...]:
        return tuple(self._filled(sentence, said) for sentence, said in self._said.items())

    def _filled(self, sentence: str, said: list[str]) -> str:
        names = list(dict.fromkeys(said)) if "{names}" in sentence else said
        return sentence.format(s="s" if len(names) > 1 else "", names=", ".join(names), count=len(said))


def _free_ids(taken: set[str]) -> Iterator[str]:
    return (name for number in count(1) if (name := f"extra-{number}") not in taken)


# --- which of the course's cells a cell is


def _match(found: Sequence[Found], course: Sequence[Cell]) -> tuple[list[int | None], dict[int, int]]:
    """Return for each cell the index of the course's cell that it is, and that index -> the cell chosen."""
    known: dict[str | tuple[str, str], int] = {}
    for index, cell in enumerate(course):
        known[cell.id] = index
        if cell.exercise:
            known[cell.kind, cell.exercise] = index
    places = [next((known[name] for name in cell.names if name in known), None) for cell in found]
    chosen: dict[int, int] = {}
    for number, place in enumerate(places):
        if place is not None and place not in chosen and _fits(found[number], course[place]):
            chosen[place] = number
    by_text = defaultdict(list)
    for index, cell in enumerate(course):
        if index not in chosen:
            by_text[cell.cell_type, _lines(cell.source)].append(index)
    for number, cell in enumerate(found):
        waiting = by_text.get((cell.cell_type, _lines(cell.source))) if places[number] is None else None
        if waiting:
            places[number] = waiting.pop(0)
            chosen[places[number]] = number
    for index, cell in enumerate(course):
        if cell.kind == ANSWER and index not in chosen and (defines := _defines(cell)):
            for number, other in enumerate(found):
                if places[number] is None and other.cell_type == "code" and defines.search(other.source):
                    places[number], chosen[index] = index, number
                    break
    return places, chosen


def _fits(found: Found, cell: Cell) -> bool:
    return cell.kind == EXPLAIN or found.cell_type == cell.cell_type


def _lines(source: str) -> tuple[str, ...]:
    """Return a text without what is only blank space."""
    return tuple(line.strip() for line in source.splitlines() if line.strip())


def _defines(answer: Cell) -> re.Pattern | None:
    """Return a pattern for code that defines a name of the answer's starter, at the left margin."""
    names = []
    for node in ast.parse(answer.source).body if answer.cell_type == "code" else ():
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.append(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names += [target.id for target in targets if isinstance(target, ast.Name)]
    if not names:
        return None
    either = "|".join(map(re.escape, names))
    return re.compile(
        rf"^(?:(?:def|class)[ \t]+(?:{either})\b|(?:{either})[ \t]*(?::[^=\n]*)?=(?!=))", re.MULTILINE
    )


# --- the course's notebook with the learner's text


def _in_order(indexes: Sequence[int]) -> set[int]:
    """Return a longest increasing subsequence: the cells that were not moved."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for index in indexes:
        at = bisect_left(tails, index)
        before[index] = tails[at - 1] if at else None
        tails[at : at + 1] = [index]
    kept: set[int] = set()
    last = tails[-1] if tails else None
    while last is not None:
        kept.add(last)
        last = before[last]
    return kept


def _place_extras(
    found: Sequence[Found],
    course: Sequence[Cell],
    places: Sequence[int | None],
    chosen: dict[int, int],
    steady: set[int],
    say: Say,
) -> dict[int, list[Cell]]:
    """Return course index -> the extra cells that follow it; -1 for those before the first."""
    checks = {_lines(cell.source): cell for cell in course if cell.kind == CHECK}
    extras: dict[int, list[Cell]] = defaultdict(list)
    anchor = -1
    for number, cell in enumerate(found):
        place = places[number]
        if place is not None and chosen.get(place) == number:
            anchor = place if place in steady else anchor
            continue
        if not cell.source.strip():
            continue
        twin = course[place] if place is not None else None
        copied = checks.get(_lines(cell.source))
        if copied is None and twin and twin.kind == CHECK and CHECK_CALL.search(cell.source):
            copied = twin
        cell_type = cell.cell_type
        if copied and cell_type == "code":
            cell_type = "raw"
            say("A copy of the check{s} of {names} is shown but was not run.", copied.exercise)
        # A second version of an answer comes after the first, wherever the first had to go.
        after = max(anchor, place) if twin and twin.kind == ANSWER else anchor
        extras[after].append(Cell("", EXTRA, cell_type, cell.source))
    return extras


def _say_moved(course: Sequence[Cell], chosen: dict[int, int], moved: bool, say: Say) -> None:
    stood = {(course[index].kind, course[index].exercise): number for index, number in chosen.items()}
    late = False
    for cell in course:
        answer, check = (stood.get((kind, cell.exercise)) for kind in (ANSWER, CHECK))
        if cell.kind == CHECK and answer is not None and check is not None and answer > check:
            late = True
            say("The answer{s} of {names} stood after the check and had to be put before it.", cell.exercise)
    if moved and not late:
        say("Cells of the course had been moved; the course's own order was used.")


def _rebuilt_cell(cell: Cell, found: Found | None, turned: bool, others: Sequence[str], say: Say) -> Cell:
    """Return one of the course's cells: with the learner's text if it is theirs, else as the course has it.

    found: the cell handed in, if any.   turned: if none, whether it was handed in as another type of cell.
    others: the learner's code in all other cells.
    """
    if found and found.flags not in (None, FLAGS.get(cell.kind, (False, False))):
        say("The nbgrader settings of {count} cell{s} had been changed; the course's own were used.")
    if cell.kind not in (ANSWER, EXPLAIN):
        what = "check{s} of {names}" if cell.kind == CHECK else "course's text or code in {count} cell{s}"
        if not found:
            say(f"The {what} had been removed; the course's own was put back.", cell.exercise)
        elif _lines(found.source) != _lines(cell.source):
            say(f"The {what} had been changed; the course's own was used.", cell.exercise)
        return cell
    if found:
        untouched = _is_untouched(found.source, cell) and not _is_defined(cell, others)
        return replace(cell, source=found.source, untouched=untouched)
    what = "The answer cell{s} of {names} had been"
    if _is_defined(cell, others):
        # A starter put back here would undo what the learner defined elsewhere.
        say(f"{what} removed; what was defined elsewhere counts.", cell.exercise)
        return replace(cell, source="", untouched=False)
    if turned:
        say(f"{what} turned into text, which is kept; the course's starter was put back.", cell.exercise)
    else:
        say(f"{what} removed; the course's starter was put back.", cell.exercise)
    return cell


def _is_defined(answer: Cell, sources: Sequence[str]) -> bool:
    """Tell whether code outside of an answer's cell defines what its starter defines."""
    defines = _defines(answer) if sources else None
    return defines is not None and any(map(defines.search, sources))


def _is_untouched(source: str, starter: Cell) -> bool:
    """Tell whether an answer is the starter but for blank space and, in code, comments."""
    mine, theirs = _lines(source), _lines(starter.source)
    if mine == theirs or starter.cell_type != "code" or starter.kind == EXPLAIN:
        return mine == theirs
    kept = [[line for line in lines if not line.startswith("#")] for lines in (mine, theirs)]
    if kept[0] != kept[1]:
        return False
    try:  # what looks like a comment may be a line of a text
        return ast.dump(ast.parse(source)) == ast.dump(ast.parse(starter.source))
    except SyntaxError:
        return False
