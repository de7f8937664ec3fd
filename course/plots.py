"""Figures for the notebooks, each with a text that says the same.

Importing this module loads matplotlib. Colours stay apart for every common form of colour blindness, and
no figure depends on colour alone.
"""

from __future__ import annotations

import html
import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course.widgets.pictures import GREY, ORANGE, image_tag

BLUE = "#0072B2"
_STYLES = ((BLUE, "-", "o"), (ORANGE, "--", "s"), (GREY, ":", "^"), ("black", "-.", "D"))


class DescribedFigure(Figure):
    """A figure with `alt`, the text that says what it shows; a notebook shows both, a screen reader one."""

    def __init__(self, alt: str, width: float, height: float) -> None:
        """Make an empty figure of so many inches that no plotting window knows of."""
        super().__init__(figsize=(width, height), dpi=100)
        FigureCanvasAgg(self)
        self.alt = alt

    def png(self) -> bytes:
        """Return the figure as a PNG file."""
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, str]:
        caption = f"<figcaption aria-hidden='true' style='white-space:pre-line'>{html.escape(self.alt)}"
        picture = f"<figure style='margin:0'>{image_tag(self.png(), self.alt)}{caption}</figcaption></figure>"
        return {"text/html": picture, "text/plain": self.alt}


def mosaic(
    images: np.ndarray, text: str, captions: Sequence[str] | None = None, columns: int = 10
) -> DescribedFigure:
    """Return pictures side by side, each with its caption below.

    Args:
        images: uint8 grey levels, shape [n, height, width], n of 1 or more.
        text: what the pictures show, in a sentence.
        captions: n short texts; none when absent.
        columns: pictures a row.

    Raises:
        ValueError: when there are no images or not one caption each.

    """
    images = np.asarray(images)
    if images.ndim != 3 or not len(images):
        raise ValueError(f"images has shape {images.shape}; accepted is [n, height, width], n of 1 or more.")
    if captions is not None and len(captions) != len(images):
        raise ValueError(f"captions holds {len(captions)} texts; accepted is one for each of {len(images)}.")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, axes = _axes(text, rows, columns, (columns, rows * (1.0 if captions is None else 1.25)))
    for axis in axes.flat:
        axis.axis("off")
    for k, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        axis.imshow(image, cmap="gray", vmin=0, vmax=255)
        if captions is not None:
            axis.text(0.5, -0.05, captions[k], transform=axis.transAxes, ha="center", va="top", fontsize=8)
    return figure


def bars(
    values: pd.Series,
    label: str,
    text: str = "",
    low: Sequence[float] | None = None,
    high: Sequence[float] | None = None,
) -> DescribedFigure:
    """Return horizontal bars, the value written at each, with intervals where given.

    Where there are intervals the value stands beside the name, so that it is not read as an interval's end.

    Args:
        values: number per name (its index).
        label: what is measured, with its unit.
        text: what the figure says; label and values when absent.
        low: lower ends of intervals, in the order of the values.
        high: upper ends.

    """
    told = ", ".join(f"{name} {value:.2g}" for name, value in values.items())
    text = text or f"{label[:1].upper()}{label[1:]}: {told}."
    figure, axes = _axes(text, 1, 1, (7, 0.6 + 0.4 * len(values)))
    axis = axes[0, 0]
    at = np.arange(len(values))[::-1]
    axis.barh(at, values, color=BLUE, height=0.6)
    ends, names = values, [str(name) for name in values.index]
    if low is not None and high is not None:
        ends = np.asarray(high, dtype=float)
        error = np.clip([values - np.asarray(low, dtype=float), ends - values], 0, None)
        axis.errorbar(values, at, xerr=error, fmt="none", ecolor="black", capsize=4)
        names = [f"{name}: {value:.3g}" for name, value in values.items()]
    else:
        for y, value in zip(at, values, strict=True):
            axis.annotate(f"{value:.3g}", (value, y), (6, 0), textcoords="offset points", va="center")
    axis.set_yticks(at, names)
    axis.set_xlim(0, 1.15 * max(ends))
    axis.set_xlabel(label)
    _clean(axis)
    return figure


def lines(table: pd.DataFrame, x_label: str, y_label: str, text: str) -> DescribedFigure:
    """Return one line per column over the index, told apart by colour, dashes and marks.

    Args:
        table: numbers; index = x; up to four columns.
        x_label: what the index is.
        y_label: what the columns measure.
        text: what the figure says, in a sentence or two.

    Raises:
        ValueError: when there are no columns, or more than four.

    """
    if not 1 <= table.shape[1] <= len(_STYLES):
        raise ValueError(f"table has {table.shape[1]} columns; accepted are 1 to {len(_STYLES)}.")
    figure, axes = _axes(text, 1, 1, (7, 3.2))
    axis = axes[0, 0]
    for (name, values), (colour, dash, mark) in zip(table.items(), _STYLES, strict=False):
        axis.plot(table.index, values, color=colour, linestyle=dash, marker=mark, label=str(name))
    axis.set_xlabel(x_label)
    axis.set_ylabel(y_label)
    if table.shape[1] > 1:  # The axis already says what a single line is.
        axis.legend(frameon=False)
    _clean(axis)
    return figure


def _axes(
    text: str, rows: int, columns: int, size: tuple[float, float]
) -> tuple[DescribedFigure, np.ndarray]:
    """Return a figure and its axes [rows, columns]."""
    figure = DescribedFigure(text, *size)
    figure.set_layout_engine("constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _clean(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
