"""Label thirty faces yourself, then see how far you agree with the crowd."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd

from course.crowd import GUIDELINES
from course.datasets.tables import LABELS, Dataset
from course.widgets.agreement import Agreement
from course.widgets.pictures import ORANGE, image_tag, png
from course.widgets.tasks import Task, checked_votes, make_task

_SIDE = 192
_SMALL = 96


def label_faces(
    source: Dataset | pd.DataFrame, n: int = 30, seed: int = 0, guideline: str = "v2"
) -> LabellingPanel:
    """Return a panel that shows faces one by one and asks: angry, calm or unsure?

    Args:
        source: a collection with votes, or a table of `sample_faces`, for which ten simulated annotators
            vote on each face.
        n: number of faces, 1 to as many as there are. About a third are angry to the crowd, so that
            there is something to agree on.
        seed: fixes which faces are shown, and simulated votes.
        guideline: version of the written guideline that is shown, and that simulated annotators follow.

    Raises:
        ValueError: when an argument is not as above.

    """
    _known(guideline)
    return LabellingPanel(make_task(source, n, seed, guideline), guideline)


def static_labelling(
    source: Dataset | pd.DataFrame,
    n: int = 30,
    seed: int = 0,
    guideline: str = "v2",
    votes: Sequence[str] | None = None,
) -> object:
    """Return a figure with the faces of `label_faces`, numbered from 1.

    Args:
        source: as in `label_faces`, like n, seed and guideline.
        n: number of faces.
        seed: fixes the faces.
        guideline: version of the guideline.
        votes: your n labels in order. With them, each face says what you and the crowd said, and a frame
            marks those on which you differ; without, the crowd's answers are not shown.

    Raises:
        ValueError: when an argument is not as above.

    """
    from course.plots import DescribedFigure

    _known(guideline)
    task = make_task(source, n, seed, guideline)
    answers = None if votes is None else checked_votes(votes, n)
    columns = min(6, n)
    rows = -(-n // columns)
    height = 1.65 * rows + 0.7
    figure = DescribedFigure(_told(task, answers, guideline), 1.35 * columns + 0.3, height)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    figure.subplots_adjust(left=0.01, right=0.99, top=1 - 0.7 / height, bottom=0.05 / height)
    differing = [] if answers is None else task.differing(answers)
    for place, axis in enumerate(axes):
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        if place >= n:
            continue
        axis.imshow(task.images[place], cmap="gray", vmin=0, vmax=255)
        title = f"{place + 1}"
        if answers is not None:
            title += f": you {answers[place]},\ncrowd {task.crowd[place]}"
        axis.set_title(title, fontsize=8, pad=3, color="black")
        if place in differing:
            axis.spines[:].set(visible=True, color=ORANGE, linewidth=4)
    title = f"Angry, calm or unsure (guideline {guideline})?"
    if answers is not None:
        title = f"Framed: the {len(differing)} of {n} faces on which you and the crowd differ"
    figure.suptitle(title, fontsize=10, y=1 - 0.1 / height, va="top")
    return figure


def describe_labelling(
    source: Dataset | pd.DataFrame,
    n: int = 30,
    seed: int = 0,
    guideline: str = "v2",
    votes: Sequence[str] | None = None,
) -> str:
    """Return in words what `static_labelling` shows: the faces or, given your votes, the agreement.

    Args and errors are those of `static_labelling`.
    """
    _known(guideline)
    task = make_task(source, n, seed, guideline)
    return _told(task, None if votes is None else checked_votes(votes, n), guideline)


class LabellingPanel:
    """One face at a time, three buttons, undo, progress; at the end the agreement with the crowd.

    Attributes:
        widget: the whole panel, an ipywidgets box.
        buttons: one button per label of `LABELS`, keys as there.
        undo: button that takes the last answer back.
        progress: HTML that says how far you are.
        picture: HTML with the face, at the end with the faces on which you and the crowd differ.
        result: HTML with the agreement, empty before the end.

    """

    def __init__(self, task: Task, guideline: str) -> None:
        """Build the panel around a task."""
        import ipywidgets

        self._task = task
        self._answers: list[str] = []
        # Symbols as well as colours and words.
        marks = {"angry": "▼", "calm": "●", "unsure": "?"}
        self.buttons = {
            label: ipywidgets.Button(
                description=f"{marks[label]} {label}",
                tooltip=f"Say {label}; Tab moves between the buttons, Space presses one",
                layout=ipywidgets.Layout(width="8em", height="2.6em"),
            )
            for label in LABELS
        }
        self.undo = ipywidgets.Button(
            description="Undo",
            tooltip="Take the last answer back",
            layout=ipywidgets.Layout(width="6em", height="2.6em"),
        )
        self.progress = ipywidgets.HTML()
        self.picture = ipywidgets.HTML()
        self.result = ipywidgets.HTML()
        rule = ipywidgets.HTML(
            f'<div style="max-width: 44em; font-style: italic">Guideline {guideline}: '
            f"{html.escape(GUIDELINES[guideline])}</div>"
        )
        row = ipywidgets.HBox(
            [*self.buttons.values(), self.undo], layout=ipywidgets.Layout(flex_flow="row wrap")
        )
        self.widget = ipywidgets.VBox([rule, self.progress, row, self.result, self.picture])
        for label, button in self.buttons.items():
            button.on_click(lambda _, label=label: self.answer(label))
        self.undo.on_click(lambda _: self.take_back())
        self._show()

    @property
    def votes(self) -> pd.Series:
        """Your labels so far (str), in the order given; the index holds the numbers of the faces."""
        index = pd.Index(self._task.faces[: len(self._answers)], name="face")
        return pd.Series(self._answers, index=index, name="vote", dtype=object)

    @property
    def finished(self) -> bool:
        """Whether every face has a label."""
        return len(self._answers) == len(self._task.faces)

    @property
    def agreement(self) -> Agreement | None:
        """Your agreement with the crowd; None before the last face has a label."""
        return self._task.agreement(self._answers) if self.finished else None

    def answer(self, label: str) -> None:
        """Label the face that is shown, as its button does; after the last face nothing happens.

        Raises:
            ValueError: for an unknown label.

        """
        checked_votes([label], 1)
        if not self.finished:
            self._answers.append(label)
            self._show()

    def take_back(self) -> None:
        """Take the last label back and show its face again; without one nothing happens."""
        if self._answers:
            self._answers.pop()
            self._show()

    def describe(self) -> str:
        """Return in words what the panel shows."""
        if self.finished:
            return self._task.told(self._answers)
        return f"Face {len(self._answers) + 1} of {len(self._task.faces)}: angry, calm or unsure?"

    def _show(self) -> None:
        done, count = len(self._answers), len(self._task.faces)
        for button in self.buttons.values():
            button.disabled = self.finished
        self.undo.disabled = not done
        last = f" &middot; last answer: {self._answers[-1]}" if done else ""
        place = "All" if self.finished else f"{done + 1} of"
        bar = f'<progress value="{done}" max="{count}" aria-hidden="true"></progress>'
        self.progress.value = f'<div role="status" aria-live="polite">{bar} {place} {count}{last}</div>'
        if self.finished:
            self.picture.value = self._mosaic()
            lines = "".join(f"<p>{html.escape(line)}</p>" for line in self.describe().split("\n"))
            self.result.value = f'<div role="status" style="max-width: 44em">{lines}</div>'
            return
        words = self._task.words[done]
        alt = f"Face {done + 1} of {count}" + (f": {words}" if words else "")
        self.picture.value = image_tag(png(self._task.images[done], _SIDE), alt, _SIDE)
        self.result.value = ""

    def _mosaic(self) -> str:
        places = self._task.differing(self._answers)
        if not len(places):
            return "<p>There is no face that one of you called angry and the other calm.</p>"
        cells = []
        for place in places:
            said = f"{place + 1}: you {self._answers[place]}, crowd {self._task.crowd[place]}"
            tag = image_tag(png(self._task.images[place], _SMALL), said, _SMALL)
            cells.append(
                f'<figure style="display: inline-block; margin: 4px; width: 9em">{tag}<figcaption>{said}<br>'
                f"{self._task.count(place)}</figcaption></figure>"
            )
        return f"<p><b>Where you and the crowd differ</b></p>{''.join(cells)}"

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        # Where no widget can be shown, a sentence is.
        return {**self.widget._repr_mimebundle_(**kwargs), "text/plain": self.describe()}


def _told(task: Task, answers: list[str] | None, guideline: str) -> str:
    if answers is not None:
        return task.told(answers)
    lines = [
        f"{len(task.faces)} faces to label angry, calm or unsure. Guideline {guideline}: "
        f"{GUIDELINES[guideline]}"
    ]
    lines += [f"{place + 1}: {words}." for place, words in enumerate(task.words) if words]
    return "\n".join(lines)


def _known(guideline: str) -> None:
    if guideline not in GUIDELINES:
        raise ValueError(f"guideline is {guideline!r}; accepted are {', '.join(GUIDELINES)}.")
