"""The class report as one HTML page with pictures, and as CSV tables.

The page holds everything it needs and runs nothing: pictures are embedded, the only style is its own, and its
content-security policy allows no script. Every picture has a table that says the same.
"""

from __future__ import annotations

import base64
import hashlib
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd

from autograder import similarity
from autograder.exercise import Exercise
from autograder.export import csv_text, plain
from autograder.notebooks import write_aside
from autograder.report import Graded, exercise_table, mistake_table, own_code
from autograder.stage import load_stage, stage_folder

MOST_GROUPS = 25

# Apart in lightness as well as in hue, for every form of colour blindness and for grey printers.
_WORDS = {
    "correct": ("correct", "#0067a5", "white"),
    "partly": ("partly right", "#7fc1e8", "black"),
    "wrong": ("wrong", "#e0872b", "black"),
    "not_attempted": ("not attempted", "#dddddd", "black"),
    "no_verdict": ("no verdict", "#222222", "white"),
}
_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 62rem;
  margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.4rem; margin-top: 2.5rem; border-bottom: 2px solid #0067a5; }
h3 { font-size: 1.1rem; margin-top: 2rem; }
img { max-width: 100%; height: auto; display: block; margin: .5rem 0; }
table { border-collapse: collapse; margin: .5rem 0; font-size: .92rem; }
caption { text-align: left; color: #444; padding: .2rem 0; }
th, td { padding: .25rem .7rem .25rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
meter { width: 8rem; } summary { cursor: pointer; color: #0067a5; }
.small { color: #444; font-size: .92rem; font-weight: normal; } ul { padding-left: 1.2rem; }
"""


@dataclass(frozen=True)
class _Stage:
    """Everything the page and the tables say about one stage."""

    graded: Graded
    exercises: Mapping[str, Exercise]
    table: pd.DataFrame
    mistakes: pd.DataFrame
    groups: list[similarity.Group]


def write(course: Path, stages: Iterable[Graded], to: Path | None = None) -> str:
    """Write index.html and the CSV tables into a folder (default: report/ in the course); say where."""
    folder = to or course / "report"
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"to: {folder} is a file; name a folder")
    known = [_analyse(course, graded) for graded in stages]
    files = {"index.html": page(known)} | tables(known)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_aside(folder / name, text.encode())
    return f"The report is {folder / 'index.html'}; its tables (CSV) are beside it"


def _analyse(course: Path, graded: Graded) -> _Stage:
    try:
        exercises = load_stage(stage_folder(graded.stage))
    except (ValueError, OSError):  # graded elsewhere, by a course that has stages which are not here
        exercises = {}
    released, source = (_course_notebook(course / step, graded.stage) for step in ("release", "source"))
    given = [cell.source for cell in released.cells if cell.cell_type == "code"]
    groups = similarity.groups(graded.answers, given, own_code(source))
    return _Stage(graded, exercises, exercise_table(graded), mistake_table(graded, exercises), groups)


def _course_notebook(step: Path, stage: str) -> nbformat.NotebookNode:
    file = step / stage / f"{stage}.ipynb"
    return nbformat.read(file, as_version=4) if file.exists() else nbformat.v4.new_notebook()


def tables(stages: Iterable[_Stage]) -> dict[str, str]:
    """Return file name -> CSV: verdicts, learners, exercises, mistakes, similar."""
    rows: dict[str, list[list[Any]]] = {
        name: [] for name in ("verdicts", "learners", "exercises", "mistakes", "similar")
    }
    header = {
        "verdicts": ["stage", "learner", "exercise", "word", "points", "out_of", "mistakes"],
        "learners": ["stage", "learner", "points", "out_of", "seconds", "by_hand", "needs_a_person"],
        "similar": ["stage", "learners", "exercises", "share", "compared", "like_the_course"],
    }
    for known in stages:
        stage = known.graded.stage
        header["exercises"] = ["stage", *known.table]
        header["mistakes"] = ["stage", *known.mistakes]
        for row in known.graded.verdicts.itertuples(index=False):
            rows["verdicts"].append([*row[:-1], "; ".join(row.mistakes)])
        for row in known.graded.submissions.itertuples(index=False):
            rows["learners"].append([stage, *row[:-1], "; ".join(row.person)])
        rows["exercises"] += [[stage, *row] for row in known.table.itertuples(index=False)]
        rows["mistakes"] += [[stage, *row] for row in known.mistakes.itertuples(index=False)]
        for group in known.groups:
            names = ["; ".join(group.learners), "; ".join(group.exercises)]
            rows["similar"].append([stage, *names, group.share, group.of, str(group.like_course)])
    return {f"{name}.csv": csv_text(header[name], rows[name]) for name in rows}


def page(stages: Iterable[_Stage]) -> str:
    """Return the report as one HTML document."""
    stages = list(stages)
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
    )
    links = "".join(
        f"<li><a href='#{_text(s.graded.stage)}'>{_text(s.graded.stage)}</a></li>" for s in stages
    )
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<meta name='viewport' content='width=device-width'><title>Class report</title>"
        f"<style>{_STYLE}</style></head><body><main><h1>Class report</h1>"
        "<p class='small'>Points are those that the checks gave; manual grades and late penalties are in the"
        " gradebook. This page holds names and diagnoses: it is for instructors.</p>"
        + (f"<ul>{links}</ul>" if len(stages) > 1 else "")
        + "".join(_section(known) for known in stages)
        + "</main></body></html>\n"
    )


def _section(known: _Stage) -> str:
    return (
        f"<section><h2 id='{_text(known.graded.stage)}'>{_text(known.graded.stage)}</h2>"
        + _scores(known)
        + _people(known)
        + _success(known)
        + _mistakes(known)
        + _discriminating(known)
        + _similar(known)
        + _time(known)
        + _learners(known)
        + "</section>"
    )


def _scores(known: _Stage) -> str:
    points = known.graded.submissions["points"].dropna()
    if points.empty:
        return "<p>No submission has a grade.</p>"
    out_of = known.graded.submissions["out_of"].max()
    edges = np.linspace(0, out_of or 1, max(1, min(10, math.ceil(out_of))) + 1)
    counts, _ = np.histogram(points, edges)
    spread = f"half of them between {points.quantile(0.25):.3g} and {points.quantile(0.75):.3g}"
    said = f"{len(points)} learners, median {points.median():.3g} of {out_of:g} points, {spread}."
    rows = [
        [f"{a:.3g} to {b:.3g}", int(count)] for (a, b), count in zip(pairwise(edges), counts, strict=True)
    ]
    alt = f"Histogram of points. {said}"
    twin = _table("Points and how many learners earned them", ["points", "learners"], rows)
    image = _picture(_draw_scores(edges, counts, points.median()), alt)
    return f"<p><b>{said}</b></p>{image}<details><summary>The picture as a table</summary>{twin}</details>"


def _people(known: _Stage) -> str:
    table = known.graded.submissions
    look = table[table["person"].map(bool)]
    hand = table[table["by_hand"] > 0]
    html = "<h3>Submissions that need a person</h3>"
    if len(hand):
        held = f"{len(hand)} submissions hold {hand['by_hand'].sum()} answers"
        html += f"<p>{held} that people grade; the formgrader shows which are still open.</p>"
    if look.empty:
        return (
            html + f"<p>{'No other' if len(hand) else 'None'}: all could be read as handed in and graded.</p>"
        )
    rows = [[_name(row.learner), "<br>".join(map(_text, row.person))] for row in look.itertuples()]
    return html + _table("Why a person should look", ["learner", "what happened"], rows, safe=True)


def _success(known: _Stage) -> str:
    table = known.table
    words = [word for word in _WORDS if word != "no_verdict" or table["no_verdict"].any()]
    rows = [
        [
            f"{_text(row.exercise)}{_title(known, row.exercise)}",
            *(getattr(row, word) for word in words),
            f"{row.mean:.1f} of {row.out_of:g}",
        ]
        for row in table.itertuples()
    ]
    alt = "Stacked bars: how many learners were right in each exercise."
    if len(table):
        worst = table.sort_values("correct").iloc[0]
        alt += f" Least often right: {worst['exercise']}, {worst['correct']} of {worst['learners']}."
    header = ["exercise", *(_WORDS[word][0] for word in words), "mean points"]
    twin = _table("Learners per exercise, and the mean points", header, rows, safe=True)
    image = _picture(_draw_success(table, words), alt) if len(table) else ""
    return f"<h3>Success per exercise</h3>{image}{twin}"


def _title(known: _Stage, exercise: str) -> str:
    title = known.exercises[exercise].title if exercise in known.exercises else ""
    return f"<br><span class='small'>{_text(title)}</span>" if title else ""


def _mistakes(known: _Stage) -> str:
    rows = [
        [
            _text(row.exercise),
            f"{row.count} of {row.tried}",
            f"<b>{_text(row.mistake)}</b>" + (f"<br>{escape(row.says)}" if row.says else ""),
            escape(row.ask),
        ]
        for row in known.mistakes.itertuples(index=False)
    ]
    if not rows:
        return "<h3>Mistakes the class made</h3><p>None.</p>"
    header = ["exercise", "made by", "mistake and what it does", "the question that dislodges it"]
    caption = "Mistakes, out of those who tried the exercise; an answer can show several"
    return "<h3>Mistakes the class made</h3>" + _table(caption, header, rows, safe=True)


def _discriminating(known: _Stage) -> str:
    table = known.table
    rows = []
    for row in table.itertuples():
        r = "" if math.isnan(row.correlation) else f"{row.correlation:+.2f}"
        interval = "" if math.isnan(row.low) else f"{row.low:+.2f} to {row.high:+.2f}"
        rows.append([row.exercise, r, interval, row.note])
    html = (
        "<h3>Which exercises tell learners apart</h3><p>The correlation of the points in an exercise with the"
        " points in all others (item-rest), among those who attempted anything. With fewer than 20 learners"
        " it is little more than a hint: read the interval.</p>"
    )
    drawn = table.dropna(subset="correlation")
    if len(drawn):
        best = drawn.sort_values("correlation").iloc[-1]
        alt = (
            "Item-rest correlation of each exercise with its 95 % interval. Highest: "
            f"{best['exercise']}, {best['correlation']:+.2f}."
        )
        html += _picture(_draw_correlations(drawn), alt)
    header = ["exercise", "correlation", "95 % interval", "in words"]
    return html + _table("Item-rest correlation (interval: Fisher)", header, rows)


def _similar(known: _Stage) -> str:
    html = (
        "<h3>Nearly the same answers</h3><p>Worth a look, and no more: these answers share most of their code"
        " beyond what the notebook gave to everyone, whatever the names and comments. Working together, a"
        " common source and a question with one natural answer look the same from here. Short answers are"
        " left out.</p>"
    )
    if not known.groups:
        return html + "<p>None were found.</p>"
    rows = []
    for group in known.groups[:MOST_GROUPS]:
        size = f"{len(group.learners)} of {group.of}"
        notes = ["a common answer: it says little"] if group.common else []
        notes += ["also like the course's own answer"] if group.like_course else []
        names = ", ".join(map(_name, group.learners[:12])) + (" …" if len(group.learners) > 12 else "")
        exercises = ", ".join(map(_text, group.exercises))
        rows.append([names, size, exercises, f"{group.share:.0%}", "; ".join(notes)])
    header = ["learners", "how many", "exercises", "shared, at least", "bear in mind"]
    html += _table("Groups, those that share most exercises first", header, rows, safe=True)
    more = len(known.groups) - MOST_GROUPS
    return html + (f"<p class='small'>{more} more are in similar.csv.</p>" if more > 0 else "")


def _time(known: _Stage) -> str:
    seconds = known.graded.submissions.dropna(subset="seconds").sort_values("seconds", ascending=False)
    if seconds.empty:
        return ""
    took = seconds["seconds"]
    slow = ", ".join(f"{_name(row.learner)} ({row.seconds:.1f} s)" for row in seconds.head(3).itertuples())
    return (
        f"<h3>Time</h3><p>A submission took {took.median():.1f} s (median; 90 % took under"
        f" {took.quantile(0.9):.1f} s), the class {took.sum():.0f} s in all. The slowest: {slow}.</p>"
    )


def _learners(known: _Stage) -> str:
    rows = []
    table = known.graded.submissions.sort_values("points", ascending=False, kind="stable")
    for row in table.itertuples():
        graded = not math.isnan(row.points)
        out_of = row.out_of if graded and row.out_of else 1
        bar = (
            f"<meter min='0' max='{out_of:g}' value='{row.points:g}'>{row.points:g}</meter>" if graded else ""
        )
        points = f"{row.points:g} of {row.out_of:g}" if graded else "no grade"
        seconds = "" if math.isnan(row.seconds) else f"{row.seconds:.1f}"
        rows.append([_name(row.learner), points, bar, row.by_hand or "", seconds])
    header = ["learner", "points", "", "graded by people", "seconds"]
    twin = _table("Learners by points", header, rows, safe=True)
    return f"<h3>Learners</h3><details><summary>All {len(rows)} learners</summary>{twin}</details>"


def _text(text: object) -> str:
    """Return foreign text for HTML: one harmless line, escaped."""
    return escape(plain(text))


def _name(learner: object) -> str:
    """Return a learner's name, which may run from right to left without turning what stands beside it."""
    return f"<bdi>{_text(learner)}</bdi>"


def _table(caption: str, header: list[str], rows: list[list[Any]], safe: bool = False) -> str:
    """Return an HTML table; `safe`: the cells are HTML already."""
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in header)
    body = ""
    for row in rows:
        cells = []
        for i, value in enumerate(row):
            html = str(value) if safe else _text(value)
            number = not isinstance(value, str) or html.replace(" of ", "").replace(".", "").isdigit()
            if i == 0:
                cells.append(f"<th scope='row'>{html}</th>")
            else:
                cells.append(f"<td class='number'>{html}</td>" if number else f"<td>{html}</td>")
        body += f"<tr>{''.join(cells)}</tr>"
    return f"<table><caption>{escape(caption)}</caption><tr>{head}</tr>{body}</table>"


def _picture(figure: Any, alt: str) -> str:
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    data = base64.b64encode(image.getvalue()).decode()
    return f"<img alt='{escape(alt)}' src='data:image/png;base64,{data}'>"


def _axes(height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _draw_scores(edges: np.ndarray, counts: np.ndarray, median: float) -> Any:
    figure, axes = _axes(2.6)
    width = edges[1] - edges[0]
    bars = axes.bar(edges[:-1], counts, width=0.94 * width, align="edge", color=_WORDS["correct"][1])
    axes.bar_label(bars, labels=[str(count or "") for count in counts])
    axes.axvline(median, color="black", linestyle="--", linewidth=1)
    axes.margins(y=0.2)
    place = axes.get_xaxis_transform()
    axes.text(median, 1.02, "median", transform=place, va="bottom", ha="center")
    axes.set(xlabel="points", ylabel="learners", xlim=(edges[0], edges[-1]))
    axes.yaxis.get_major_locator().set_params(integer=True)
    return figure


def _draw_success(table: pd.DataFrame, words: list[str]) -> Any:
    figure, axes = _axes(1.0 + 0.36 * len(table))
    left = pd.Series(0, index=table.index)
    for word in words:
        label, colour, ink = _WORDS[word]
        bars = axes.barh(
            range(len(table)), table[word], left=left, color=colour, edgecolor="white", label=label
        )
        axes.bar_label(bars, [str(count or "") for count in table[word]], label_type="center", color=ink)
        left = left + table[word]
    axes.set_yticks(range(len(table)), table["exercise"], parse_math=False)
    axes.invert_yaxis()
    axes.set(xlabel="learners", xlim=(0, max(1, left.max())))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(words), frameon=False, borderaxespad=0.2)
    return figure


def _draw_correlations(table: pd.DataFrame) -> Any:
    figure, axes = _axes(0.9 + 0.3 * len(table))
    places = range(len(table))
    axes.hlines(places, table["low"], table["high"], color="#7a7a7a", linewidth=2)
    axes.plot(table["correlation"], places, "o", color=_WORDS["correct"][1])
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(places, table["exercise"], parse_math=False)
    axes.invert_yaxis()
    axes.set(xlabel="correlation with the rest of the points", xlim=(-1.02, 1.02))
    return figure
