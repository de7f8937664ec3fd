"""Texts that people grade: the points are in the rubric that everybody reads, learners first.

An essay is two markdown cells of a stage's text source. The first says what to write and lists what
earns points, a line each; the second holds a sample text, and is where the learner writes:

    # %% [markdown] rubric="pros"
    # **Write: ...** People grade it.
    #
    # - 1 point: names what is lost
    # - 2 points: says when another choice is better

    # %% [markdown] explain="pros"
    # A sample text, for the instructor and for self-assessment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.feedback import show_html, show_note
from autograder.progress import Progress

if TYPE_CHECKING:
    from nbformat import NotebookNode

_LINE = re.compile(r"^[-*] (\d+(?:\.\d+)?) points?: (.+(?:\n  \S.*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Essay:
    """A text to write: the rubric's lines with the points that each earns, and a sample."""

    name: str
    rubric: tuple[tuple[float, str], ...]
    sample: str

    @property
    def points(self) -> float:
        """What a text earns that does all that the rubric lists."""
        return sum(points for points, _ in self.rubric)


def essays(cells: Iterable[NotebookNode]) -> dict[str, Essay]:
    """Return the essays of a stage's text source, name -> essay.

    Raises:
        ValueError: where a text has no rubric, or a rubric no line of the form "- 2 points: ...".

    """
    cells = list(cells)
    rubrics = {cell.metadata["rubric"]: _lines(cell.source) for cell in cells if "rubric" in cell.metadata}
    found = {}
    for cell in cells:
        name = cell.metadata.get("explain")
        if name is None:
            continue
        if not rubrics.get(name):
            raise ValueError(
                f"explain={name!r} needs a markdown cell rubric={name!r} with lines such as '- 2 points: ...'"
            )
        found[name] = Essay(name, rubrics[name], cell.source.strip())
    return found


def _lines(source: str) -> tuple[tuple[float, str], ...]:
    """Return (points, text) of a rubric's lines; marks of emphasis would show where no markdown is read."""
    found = _LINE.findall(source)
    return tuple((float(points), " ".join(text.replace("*", "").split())) for points, text in found)


def assess(progress: Progress, essay: Essay, met: Iterable[int] | None, sample: bool) -> None:
    """Let a learner hold their own text against the rubric; plain text where no widget runs.

    met: numbers of the rubric's lines, from 1, that the text meets; with None boxes are shown to tick.
    sample: may the sample text be shown?

    Raises:
        ValueError: for a number that the rubric does not have.

    """
    if met is not None:
        _note(progress, essay, met)
    elif not _boxes(progress, essay):
        lines = [f"{k}. ({points:g}) {text}" for k, (points, text) in enumerate(essay.rubric, start=1)]
        print("\n".join(["Which of these does your text do?", *lines]))
        print(f"Say so with: stage.assess({essay.name!r}, met=[1, ...])")
    if sample:
        html = "<details><summary>A sample text, to be opened once yours is written</summary>"
        show_html(f"{html}<pre style='white-space:pre-wrap'>{_escaped(essay.sample)}</pre></details>", "")


def _note(progress: Progress, essay: Essay, met: Iterable[int]) -> None:
    met = sorted(set(met))
    for number in met:
        if number not in range(1, len(essay.rubric) + 1):
            raise ValueError(
                f"met holds {number!r}; the rubric of {essay.name!r} has lines 1 to {len(essay.rubric)}."
            )
    progress.log("assess", essay.name, met=met)
    show_note(told(essay, met))


def told(essay: Essay, met: Iterable[int]) -> str:
    """Return in words what a text earns by its author's own judgement, and what it lacks."""
    met = set(met)
    earned = sum(points for k, (points, _) in enumerate(essay.rubric, start=1) if k in met)
    lacks = [text for k, (_, text) in enumerate(essay.rubric, start=1) if k not in met]
    missing = f" It does not yet do this: {'; '.join(lacks)}." if lacks else ""
    return f"By your own judgement your text earns {earned:g} of {essay.points:g} points.{missing}"


def _boxes(progress: Progress, essay: Essay) -> bool:
    """Show a box to tick for each line of the rubric; return whether widgets can be shown."""
    try:
        import ipywidgets
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return False
    if get_ipython() is None:
        return False
    earlier = progress.events("assess", essay.name)
    ticked = earlier[-1].get("met", []) if earlier else []
    boxes = [
        ipywidgets.Checkbox(
            value=number in ticked,
            description=f"{points:g} point{'s' * (points != 1)}: {text}",
            indent=False,
            layout=ipywidgets.Layout(width="48em", max_width="98%", height="auto"),
        ).add_class("rubric-line")
        for number, (points, text) in enumerate(essay.rubric, start=1)
    ]
    said = ipywidgets.HTML(_escaped(told(essay, ticked)) if earlier else "Tick what your text does.")

    def note(_: object) -> None:
        met = [number for number, box in enumerate(boxes, start=1) if box.value]
        progress.log("assess", essay.name, met=met)
        said.value = _escaped(told(essay, met))

    for box in boxes:
        box.observe(note, "value")
    # A label of a widget is cut at the end of its line; a rubric has to be read to its end.
    style = ipywidgets.HTML(
        "<style>.rubric-line label {white-space: normal; height: auto; line-height: 1.4; padding-left: 1.8em;"
        " text-indent: -1.8em}</style>"
    )
    display(ipywidgets.VBox([style, *boxes, said]))
    return True


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)
