"""What learners read: verdicts, hints, solutions and progress, each as HTML and as plain text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from html import escape
from typing import Any

from autograder.exercise import CORRECT, NOT_ATTEMPTED, PARTLY, Exercise, Verdict, solution_source
from autograder.progress import Progress

VERDICT_TYPE = "application/vnd.autograder.verdict+json"

# Blue, amber and grey stay apart for every common form of colour blindness; the word and the mark say
# the same without colour.
_BLUE, _AMBER, _GREY = "#0067a5", "#b45f06", "#6b6b6b"
_LOOK = {CORRECT: (_BLUE, "✔"), PARTLY: (_AMBER, "◐"), NOT_ATTEMPTED: (_GREY, "○")}


class Points(float):
    """Points earned; prints as a plain number, which nbgrader reads as partial credit."""

    def __new__(cls, earned: float, out_of: float) -> Points:
        """Return `earned` as a number that remembers its maximum."""
        points = super().__new__(cls, earned)
        points.out_of = out_of
        return points

    def __repr__(self) -> str:
        return f"{float(self):g}"

    def _repr_html_(self) -> str:
        return f"<small>{float(self):g} of {self.out_of:g} points</small>"


def show_html(html: str, text: str, data: dict | None = None) -> None:
    """Show HTML with its plain-text twin; outside a notebook print the text."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(text)
        return
    if get_ipython() is None:
        print(text)
        return
    display({"text/html": html, "text/plain": text} | (data or {}), raw=True)


def show_verdict(verdict: Verdict, printed: str, saved: bool) -> None:
    """Show a verdict, with what the answer printed while it was tried."""
    notes = [] if saved else ["Your progress could not be saved: this folder cannot be written."]
    data = verdict_data(verdict, printed, notes)
    show_html(data["text/html"], data["text/plain"], {VERDICT_TYPE: data[VERDICT_TYPE]})


def verdict_data(verdict: Verdict, printed: str = "", notes: Iterable[str] = ()) -> dict[str, Any]:
    """Return a verdict as display data: HTML, its plain-text twin, and the verdict itself."""
    colour, mark = _look(verdict.word)
    notes = list(notes)
    if printed.strip():
        notes.insert(0, f"While it was tried, your code printed: {printed.strip()}")
    small = "".join(f"<pre style='margin:.4em 0 0;opacity:.8'>{escape(note)}</pre>" for note in notes)
    next_step = f"<br><i>{_marked(verdict.next_step)}</i>" if verdict.next_step else ""
    html = (
        f"<div role='status' style='border-left:.4em solid {colour};padding:.4em .8em;max-width:48em'>"
        f"<b style='color:{colour}'>{mark} {escape(verdict.word.capitalize())}</b>"
        f" · {verdict.points:g} of {verdict.out_of:g} points"
        f"<br>{_marked(verdict.sentence)}{next_step}{small}</div>"
    )
    return {"text/html": html, "text/plain": "\n".join([str(verdict), *notes]), VERDICT_TYPE: asdict(verdict)}


def show_hint(exercise: Exercise, level: int) -> None:
    """Show one hint and how many there are."""
    title = f"Hint {level + 1} of {len(exercise.hints)}"
    more = " (the last one)" if level + 1 == len(exercise.hints) else ""
    html = f"<div style='border-left:.4em solid {_GREY};padding:.4em .8em;max-width:48em'>"
    html += f"<b>{title}{more}</b><br>{_marked(exercise.hints[level])}</div>"
    show_html(html, f"{title}{more}: {exercise.hints[level]}")


def show_solution(exercise: Exercise) -> None:
    """Show the source of the reference answer."""
    source = solution_source(exercise)
    html = f"<details open><summary>One right answer to {escape(exercise.name)}</summary>"
    show_html(f"{html}<pre>{escape(source)}</pre></details>", source)


def show_note(text: str) -> None:
    """Show one sentence."""
    show_html(f"<div style='padding:.4em .8em;border-left:.4em solid {_GREY}'>{_marked(text)}</div>", text)


def show_progress(exercises: Iterable[Exercise], progress: Progress) -> None:
    """Show a bar and a row per exercise: state, points, attempts, hints."""
    rows = []
    for exercise in exercises:
        best = progress.best_points(exercise.name)
        state = progress.best_word(exercise.name) or NOT_ATTEMPTED
        tries = sum(e["word"] != NOT_ATTEMPTED for e in progress.events("check", exercise.name))
        title = exercise.title if exercise.core else f"{exercise.title} (extra)"
        rows.append((title, state, best, exercise.points, tries, progress.count("hint", exercise.name)))
    earned, possible = sum(row[2] for row in rows), sum(row[3] for row in rows)
    share = earned / possible if possible else 0.0
    filled = round(30 * share)
    bar = f"[{'#' * filled}{'.' * (30 - filled)}] {earned:g} of {possible:g} points"
    width = max(len(row[0]) for row in rows)
    text = "\n".join(
        [bar] + [f"{t:<{width}}  {s:<24} {p:g}/{m:g}  tries {n}  hints {h}" for t, s, p, m, n, h in rows]
    )
    body = "".join(
        f"<tr><td style='text-align:left'>{escape(t)}</td>"
        f"<td style='text-align:left'>{_look(s)[1]} {escape(s)}</td>"
        f"<td>{p:g} / {m:g}</td><td>{n}</td><td>{h}</td></tr>"
        for t, s, p, m, n, h in rows
    )
    html = (
        f"<div style='background:#ddd;width:24em;max-width:100%'><div style='background:{_BLUE};height:.8em;"
        f"width:{share:.0%}'></div></div><b>{earned:g} of {possible:g} points</b>"
        "<table><tr><th>exercise</th><th>state</th><th>points</th><th>tries</th><th>hints</th></tr>"
        f"{body}</table>"
    )
    show_html(html, text)


def _look(word: str) -> tuple[str, str]:
    return _LOOK.get(word, (_AMBER, "✘"))


def _marked(text: str) -> str:
    """Escape text for HTML, turning `code` into code and line breaks into breaks."""
    parts = escape(text, quote=False).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts).replace("\n", "<br>")
    marked = (f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
    return "".join(marked).replace("\n", "<br>")
