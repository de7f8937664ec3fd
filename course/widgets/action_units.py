"""Move the muscles of a face and watch when annotators begin to call it angry."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd

from course import crowd
from course.faces import ACTION_UNITS, COLUMNS, render, sample_faces
from course.faces.columns import require_columns
from course.widgets.pictures import GREY, ORANGE, image_tag, png, unit_name

SLIDERS: dict[str, str] = {
    "AU04": "brows lowered",
    "AU05": "upper lids raised",
    "AU07": "lids tightened",
    "AU10": "upper lip raised",
    "AU12": "lip corners up",
    "AU24": "lips pressed",
    "AU25": "lips parted",
    "AU26": "jaw dropped",
}
"""The action units that can be moved, in plain words."""

STEPS: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
STORIES: dict[str, dict[str, float]] = {
    "brows lowered": {"AU04": 1.0},
    "lips pressed": {"AU24": 0.9},
    "brows lowered,\nlips pressed": {"AU04": 1.0, "AU24": 0.9},
    "brows lowered,\nteeth bared": {"AU04": 1.0, "AU10": 0.9, "AU25": 1.0, "AU26": 0.5},
}
"""What the static figure moves: the levels at full strength, row by row."""

ASKED = 10
# A person whom annotators find neither easier nor harder to read than most.
_FACE_SEED = 12
_CROWD_SEED = 1
_SIDE = 192


def move_action_units(face: pd.DataFrame | pd.Series | None = None, guideline: str = "v2") -> ActionUnitPanel:
    """Return a panel of sliders that move a face and count who would call it angry.

    Args:
        face: the face to start from, a row of `sample_faces`; a face at rest in even light when absent.
        guideline: version of the written guideline that the annotators follow at first.

    Raises:
        ValueError: when `face` is not one face, or the guideline is unknown.

    """
    return ActionUnitPanel(_starting_face(face), _known(guideline))


def static_action_units(face: pd.DataFrame | pd.Series | None = None, guideline: str = "v2") -> object:
    """Return a figure that says what the panel does: single units, then two together, step by step.

    Args and errors are those of `move_action_units`; the figure's `alt` is its text.
    """
    from course.plots import DescribedFigure

    start = _starting_face(face)
    faces = _story_faces(start)
    votes = angry_votes(faces, _known(guideline)).reshape(len(STORIES), len(STEPS))
    pictures = render(faces, 96).reshape(*votes.shape, 96, 96)
    figure = DescribedFigure(describe_action_units(face, guideline), 8.2, 7.4)
    axes = figure.subplots(*votes.shape)
    figure.subplots_adjust(left=0.17, right=0.99, top=0.9, bottom=0.075, hspace=0.3, wspace=0.06)
    for row, story in enumerate(STORIES):
        axes[row, 0].text(-0.12, 0.5, story, transform=axes[row, 0].transAxes, ha="right", va="center")
        for column, axis in enumerate(axes[row]):
            axis.imshow(pictures[row, column], cmap="gray", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            if row == 0:
                axis.set_title(f"strength {STEPS[column]:g}", fontsize=9)
            count = votes[row, column]
            # A bar as long as the share, so that nothing rests on its colour.
            line = {"transform": axis.transAxes, "clip_on": False, "solid_capstyle": "butt"}
            axis.plot([0, 1], [-0.05, -0.05], color="#dddddd", linewidth=4, **line)
            axis.plot([0, count / ASKED], [-0.05, -0.05], color=ORANGE, linewidth=4, **line)
            axis.text(0.5, -0.1, f"{count:.0f} of {ASKED}", transform=axis.transAxes, ha="center", va="top")
    figure.suptitle(f"How many of {ASKED} annotators would say angry (guideline {guideline})?")
    figure.text(
        0.5,
        0.015,
        "Simulated annotators; what a face shows is not what a person feels.",
        ha="center",
        fontsize=8,
        color=GREY,
    )
    return figure


def describe_action_units(
    face: pd.DataFrame | pd.Series | None = None,
    guideline: str = "v2",
    levels: dict[str, float] | None = None,
) -> str:
    """Return in words what the panel shows.

    Args:
        face: as in `move_action_units`.
        guideline: as in `move_action_units`.
        levels: action units (keys of `ACTION_UNITS`) and the levels 0-1 to set them to. When absent,
            every step of the static figure is told, a line each.

    Raises:
        ValueError: for a wrong face, guideline, action unit or level.

    """
    start = _starting_face(face)
    _known(guideline)
    if levels is not None:
        return _sentence(_moved(start, levels), guideline)
    faces = _story_faces(start)
    votes = angry_votes(faces, guideline).reshape(len(STORIES), len(STEPS))
    strengths = ", ".join(f"{step:g}" for step in STEPS)
    lines = [
        f"How many of {ASKED} annotators would say angry under guideline {guideline}, at strengths "
        f"{strengths}:"
    ]
    for story, counts in zip(STORIES, votes, strict=True):
        name = " ".join(story.split())
        lines.append(f"{name[0].upper()}{name[1:]}: {', '.join(f'{count:.0f}' for count in counts)}.")
    return "\n".join(lines)


def angry_votes(faces: pd.DataFrame, guideline: str) -> np.ndarray:
    """Return how many of ten annotators, always the same ten, call each face angry on average, [n]."""
    annotators = crowd.sample_annotators(np.random.default_rng(_CROWD_SEED), ASKED)
    return ASKED * crowd.perceived_rate(faces, annotators, guideline)


class ActionUnitPanel:
    """Sliders, a face drawn again at each move, and the count of annotators who would say angry.

    Attributes:
        widget: the whole panel, an ipywidgets box.
        sliders: one slider per action unit of `SLIDERS`, keys as there.
        guideline: buttons that choose the guideline's version.
        reset: button that brings the first face back.
        picture: HTML with the face.
        line: HTML with the count and the sentence of `describe`.

    """

    def __init__(self, face: pd.DataFrame, guideline: str) -> None:
        """Build the panel around one face."""
        import ipywidgets

        self._start = face
        self._moving_many = False
        wide = ipywidgets.Layout(width="24em")
        self.sliders = {
            unit: ipywidgets.FloatSlider(
                value=round(float(face[unit].iloc[0]), 2), min=0.0, max=1.0, step=0.05, description=name,
                tooltip=f"{unit}, {ACTION_UNITS[unit]}; arrow keys move it", readout_format=".2f",
                style={"description_width": "9em"}, layout=wide,
            )
            for unit, name in SLIDERS.items()
        }  # fmt: skip
        self.guideline = ipywidgets.ToggleButtons(
            options=[(f"guideline {name}", name) for name in crowd.GUIDELINES],
            value=guideline,
            tooltips=list(crowd.GUIDELINES.values()),
            style={"button_width": "9em"},
        )
        self.reset = ipywidgets.Button(description="Start again", tooltip="Set every slider back")
        self.picture = ipywidgets.HTML()
        self.line = ipywidgets.HTML()
        self.widget = ipywidgets.VBox(
            [
                ipywidgets.HBox(
                    [self.picture, ipywidgets.VBox([*self.sliders.values()])],
                    layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center"),
                ),
                ipywidgets.HBox([self.guideline, self.reset], layout=ipywidgets.Layout(flex_flow="row wrap")),
                self.line,
            ]
        )
        for control in (*self.sliders.values(), self.guideline):
            control.observe(self._show, "value")
        self.reset.on_click(self._set_back)
        self._show()

    @property
    def face(self) -> pd.DataFrame:
        """The face as it stands, a table of one row."""
        return _moved(self._start, {unit: slider.value for unit, slider in self.sliders.items()})

    @property
    def votes(self) -> float:
        """How many of ten annotators would say angry, 0-10, on average."""
        return float(angry_votes(self.face, self.guideline.value)[0])

    def describe(self) -> str:
        """Return in one sentence what the panel shows."""
        return _sentence(self.face, self.guideline.value)

    def _show(self, change: object = None) -> None:
        if self._moving_many:
            return
        sentence = self.describe()
        self.picture.value = image_tag(png(render(self.face, _SIDE)[0]), sentence, _SIDE)
        count = round(self.votes)
        marks = "&#9679;" * count + "&#9675;" * (ASKED - count)
        rule = html.escape(crowd.GUIDELINES[self.guideline.value])
        self.line.value = (
            f'<div aria-hidden="true" style="color: {ORANGE}; font-size: 1.5em">{marks}</div>'
            f'<div role="status" aria-live="polite"><b>{html.escape(sentence)}</b></div>'
            f'<div style="max-width: 44em; font-style: italic">The guideline says: {rule}</div>'
        )

    def _set_back(self, button: object = None) -> None:
        self._moving_many = True
        try:
            for unit, slider in self.sliders.items():
                slider.value = round(float(self._start[unit].iloc[0]), 2)
        finally:
            self._moving_many = False
        self._show()

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        # Where no widget can be shown, the sentence is.
        return {**self.widget._repr_mimebundle_(**kwargs), "text/plain": self.describe()}


def _sentence(face: pd.DataFrame, guideline: str) -> str:
    parts = [
        f"{SLIDERS.get(unit, unit_name(unit))} {face[unit].iloc[0]:.2g}"
        for unit in ACTION_UNITS
        if face[unit].iloc[0] >= 0.05
    ]
    shown = ", ".join(parts) or "a face at rest"
    count = angry_votes(face, guideline)[0]
    return (
        f"{shown[0].upper()}{shown[1:]}: about {count:.0f} of {ASKED} annotators would say angry "
        f"under guideline {guideline}."
    )


def _story_faces(start: pd.DataFrame) -> pd.DataFrame:
    """Return the faces of the static figure, story by story, step by step."""
    return pd.concat(
        [
            _moved(start, {unit: step * level for unit, level in story.items()})
            for story in STORIES.values()
            for step in STEPS
        ],
        ignore_index=True,
    )


def _moved(start: pd.DataFrame, levels: dict[str, float]) -> pd.DataFrame:
    for unit, level in levels.items():
        if unit not in ACTION_UNITS:
            raise ValueError(f"levels holds {unit!r}; accepted are {', '.join(ACTION_UNITS)}.")
        if not 0.0 <= level <= 1.0:
            raise ValueError(f"levels holds {level!r} for {unit}; accepted are numbers from 0 to 1.")
    return start.assign(**{unit: float(level) for unit, level in levels.items()})


def _starting_face(face: pd.DataFrame | pd.Series | None) -> pd.DataFrame:
    if face is None:
        face = sample_faces(np.random.default_rng(_FACE_SEED), 1, mix=["neutral"], sites="studio")
        return face.assign(**dict.fromkeys(ACTION_UNITS, 0.0))
    table = face.to_frame().T.infer_objects() if isinstance(face, pd.Series) else face
    require_columns(table, COLUMNS, "face")
    if len(table) != 1:
        raise ValueError(f"face has {len(table)} rows; accepted is one face.")
    return table.reset_index(drop=True)


def _known(guideline: str) -> str:
    if guideline not in crowd.GUIDELINES:
        raise ValueError(f"guideline is {guideline!r}; accepted are {', '.join(crowd.GUIDELINES)}.")
    return guideline
