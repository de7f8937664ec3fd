"""The page on which a learner reads what came of an exam: one HTML file that loads and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from autograder.exam.clean import PICTURES, plain_verdict, visible
from autograder.exam.records import ANSWER, CHECK, EXPLAIN, EXTRA, GIVEN, Cell
from autograder.exercise import CORRECT, NOT_ATTEMPTED, PARTLY

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 54rem;
  margin: 0 auto; padding: 1rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; } h6 { font-size: 1rem; margin: .6rem 0; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .8rem 0;
  align-items: baseline; }
.facts dt { color: #555; } .facts dd { margin: 0; overflow-wrap: anywhere; }
.total { font-size: 1.35rem; font-weight: 700; }
table { border-collapse: collapse; } caption { text-align: left; color: #555; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid #ccc; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.verdict, .notice, .person { border-left: .4rem solid #6b6b6b; background: #f6f6f6; padding: .5rem .9rem;
  margin: .4rem 0; overflow: auto; }
.verdict p, .notice p, .person p { margin: .2rem 0; }
.right { border-color: #0067a5; } .part, .wrong, .notice { border-color: #b45f06; }
.right .word { color: #0067a5; } .part .word, .wrong .word { color: #b45f06; } .word { font-weight: 700; }
pre { background: #f6f6f6; border: 1px solid #ddd; padding: .6rem .8rem; margin: .3rem 0; overflow: auto;
  font: 14px/1.45 ui-monospace, monospace; max-height: 40rem; tab-size: 4; }
code { font-family: ui-monospace, monospace; background: #eee; padding: 0 .2em; }
.theirs { border: 1px dashed #999; padding: .3rem .8rem; margin: .3rem 0; overflow: auto; contain: content; }
.theirs pre { border: 0; background: none; padding: 0; }
.theirs img { max-width: 100%; height: auto; } .label { color: #555; font-size: .9rem; margin: .5rem 0 0; }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; img-src data:; style-src 'sha256-{_HASH}'; script-src 'none'; base-uri 'none';"
    " form-action 'none'"
)
_LOOK = {CORRECT: ("right", "✔"), PARTLY: ("part", "◐"), NOT_ATTEMPTED: ("open", "○")}
_NO_VERDICT = {"word": "no verdict", "sentence": "This exercise was not judged."}


@dataclass(frozen=True)
class Mark:
    """What one cell got: points, whether a person still has to look, and what they said."""

    score: float = 0.0
    out_of: float = 0.0
    waiting: bool = False
    comment: str = ""


@dataclass(frozen=True)
class Sheet:
    """All that a feedback page shows.

    outputs: cell id -> outputs that went through `sanitise_outputs`.   texts: cell id -> clean HTML of the
    learner's markdown.   verdicts: exercise -> verdict as dict.
    titles: exercise -> its title.   marks: cell id -> Mark.   penalty: points taken off for being late.
    """

    learner: str
    stage: str
    submitted: datetime
    cells: Sequence[Cell]
    outputs: Mapping[str, Sequence[Mapping[str, Any]]]
    texts: Mapping[str, str]
    verdicts: Mapping[str, Mapping[str, Any]]
    titles: Mapping[str, str]
    marks: Mapping[str, Mark]
    penalty: float = 0.0
    repairs: Sequence[str] = ()
    problem: str = ""


def feedback_page(sheet: Sheet) -> str:
    """Return the learner's page as HTML that stands alone, loads nothing and runs nothing."""
    stage = escape(visible(sheet.stage))
    parts = [f"<h1>Feedback on {stage}</h1>", _facts(sheet)]
    if sheet.problem:
        parts.append(
            f'<div class="notice"><p class="word">This submission could not be graded.</p>'
            f"<p>{_marked(sheet.problem)}</p></div>"
        )
    if sheet.repairs:
        items = "".join(f"<li>{_marked(repair)}</li>" for repair in sheet.repairs)
        parts.append(f"<h2>What was mended before grading</h2><ul>{items}</ul>")
    if not sheet.problem:
        parts += [_table(sheet), "<h2>Your work, in the order of the notebook</h2>"]
        parts += [_cell(sheet, cell) for cell in sheet.cells]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>Feedback on {stage}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def _facts(sheet: Sheet) -> str:
    score = sum(mark.score for mark in sheet.marks.values())
    out_of = sum(mark.out_of for mark in sheet.marks.values())
    rows = [
        ("Learner", f"<bdi>{escape(visible(sheet.learner))}</bdi>"),
        ("Handed in", f"{sheet.submitted:%Y-%m-%d %H:%M:%S} UTC"),
    ]
    if sheet.penalty:
        rows.append(("Points earned", f"{_points(score)} of {_points(out_of)}"))
        rows.append(("Taken off for being late", _points(sheet.penalty)))
    total = f"{_points(score - sheet.penalty)} of {_points(out_of)} points"
    rows.append(("Score", f'<span class="total">{total}</span>'))
    waiting = sum(mark.waiting for mark in sheet.marks.values())
    if waiting:
        rows.append(("Still to come", f"a person has to look at {waiting} of your answers"))
    return f'<dl class="facts">{"".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)}</dl>'


def _table(sheet: Sheet) -> str:
    rows = []
    for cell in sheet.cells:
        mark = sheet.marks.get(cell.id)
        if cell.kind not in (CHECK, EXPLAIN) or mark is None:
            continue
        if cell.kind == CHECK:
            word = _judged(sheet, cell)["word"]
            state = f"{_look(word)[1]} {escape(word)}"
        else:
            state = "read by a person"
        rows.append(
            f"<tr><td>{_title(sheet, cell)}</td><td>{state}{' (to come)' if mark.waiting else ''}</td>"
            f'<td class="number">{_points(mark.score)} of {_points(mark.out_of)}</td></tr>'
        )
    head = '<tr><th scope="col">Exercise</th><th scope="col">Verdict</th>'
    head += '<th scope="col" class="number">Points</th></tr>'
    return f"<h2>Exercises</h2><table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _cell(sheet: Sheet, cell: Cell) -> str:
    """Show what is the learner's, and what was said about it; the course's prose and demos are left out."""
    outputs = "" if cell.kind == CHECK else _outputs(sheet.outputs.get(cell.id, ()))
    person = _person(sheet.marks.get(cell.id), cell)
    if cell.kind == CHECK:
        return f"<h3>Verdict: {_title(sheet, cell)}</h3>{_verdict(sheet, cell)}{person}"
    if cell.kind == ANSWER:
        return f"<h3>Your answer: {_title(sheet, cell)}</h3>{_code(cell.source)}{outputs}{person}"
    if cell.kind == EXPLAIN:
        return f"<h3>Your text: {_title(sheet, cell)}</h3>{_text(sheet, cell)}{person}"
    if cell.kind == EXTRA:
        shown = _code(cell.source) if cell.cell_type == "code" else _text(sheet, cell)
        return f"<h3>A cell of your own</h3>{shown}{outputs}"
    if cell.kind == GIVEN and outputs:
        return f"<h3>A cell of the course</h3>{_code(cell.source)}{outputs}"
    return ""


def _verdict(sheet: Sheet, cell: Cell) -> str:
    verdict = _judged(sheet, cell)
    look, mark = _look(verdict["word"])
    points = f"{_points(verdict['points'])} of {_points(verdict['out_of'])} points"
    said = [f'<p><span class="word">{mark} {escape(verdict["word"].capitalize())}</span> · {points}</p>']
    said.append(f"<p>{_marked(verdict['sentence'])}</p>")
    if verdict["next_step"]:
        said.append(f"<p><i>Next: {_marked(verdict['next_step'])}</i></p>")
    return f'<div class="verdict {look}">{"".join(said)}</div>'


def _judged(sheet: Sheet, cell: Cell) -> dict[str, Any]:
    return plain_verdict(sheet.verdicts.get(cell.exercise, _NO_VERDICT))


def _person(mark: Mark | None, cell: Cell) -> str:
    """Say what a person gave and wrote, or that one still has to look."""
    if mark is None:
        return ""
    said = []
    if mark.waiting:
        said.append("<p>A person still has to look at this.</p>")
    elif cell.kind != CHECK and mark.out_of:
        said.append(f"<p>{_points(mark.score)} of {_points(mark.out_of)} points</p>")
    if mark.comment:
        said.append(f"<p>{_marked(mark.comment)}</p>")
    return f'<div class="person">{"".join(said)}</div>' if said else ""


def _outputs(outputs: Sequence[Mapping[str, Any]]) -> str:
    shown = "".join(_theirs(_output(output)) for output in outputs)
    return f'<p class="label">Output</p>{shown}' if shown else ""


def _output(output: Mapping[str, Any]) -> str:
    if output["output_type"] == "stream":
        return f"<pre>{escape(output['text'])}</pre>"
    if output["output_type"] == "error":
        return f"<pre>{escape(chr(10).join(output['traceback']))}</pre>"
    data = output["data"]
    if "text/html" in data:
        return data["text/html"]
    for kind in PICTURES:
        if kind in data:
            alt = output["metadata"].get(kind, {}).get("alt") or "A picture that this cell drew"
            return f'<img src="data:{kind};base64,{data[kind]}" alt="{escape(alt)}">'
    return f"<pre>{escape(data['text/plain'])}</pre>"


def _theirs(html: str) -> str:
    return f'<div class="theirs">{html}</div>'


def _text(sheet: Sheet, cell: Cell) -> str:
    return _theirs(sheet.texts[cell.id]) if cell.id in sheet.texts else "<p>You wrote nothing here.</p>"


def _code(source: str) -> str:
    return f"<pre>{escape(visible(source))}</pre>"


def _title(sheet: Sheet, cell: Cell) -> str:
    return escape(visible(sheet.titles.get(cell.exercise, cell.exercise or "free text")))


def _look(word: str) -> tuple[str, str]:
    return _LOOK.get(word, ("wrong", "✘"))


def _points(value: float) -> str:
    return f"{round(value, 2):g}"


def _marked(text: str) -> str:
    """Return text as HTML, with `code` as code and line breaks as breaks."""
    parts = escape(visible(text), quote=False).split("`")
    if len(parts) % 2:
        parts = [f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts)]
        return "".join(parts).replace("\n", "<br>")
    return "`".join(parts).replace("\n", "<br>")
