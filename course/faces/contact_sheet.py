"""The contact sheet: expressions (rows) by people (columns), each person under one light throughout.

Run `python -m course.faces.contact_sheet docs/faces.png`; the same seed gives the same sheet.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd

from course.faces.columns import COLUMNS
from course.faces.people import sample_people
from course.faces.rendering import render
from course.faces.scenes import sample_scenes
from course.faces.units import EXPRESSIONS, sample_expressions

TITLES: dict[str, str] = {
    "anger_closed": "anger, mouth closed",
    "anger_open": "anger, mouth open",
}
"""What a row is called where the name of its expression is not plain English."""

# Everyday pictures without what would hide the face: a sheet is for looking at expressions.
_SCENE: dict[str, object] = {
    "yaw": (0.0, 7.0),
    "pitch": (0.0, 4.0),
    "roll": (0.0, 3.0),
    "exposure": (0.1, 0.15),
    "contrast": (1.05, 0.05),
    "light_y": (0.45, 0.15),
    "ambient": (0.45, 0.08),
    "resolution": (80.0, 0.05),
    "blur": 0.3,
    "noise": 0.8,
    "glasses": 0.15,
    "occluded": 0.0,
}

_LEFT, _TOP, _GAP = 190, 24, 3
_PIXELS_PER_INCH = 100


def sheet_rows(rng: np.random.Generator, people: int = 8, intensity: float = 0.9) -> pd.DataFrame:
    """Return the faces of a sheet, expression by expression in the order of `EXPRESSIONS`.

    Args:
        rng: source of randomness.
        people: number of people, 1 or more; each keeps traits and scene in every row.
        intensity: strength 0-1 of every expression but neutral.

    Returns:
        Table of len(EXPRESSIONS) * people rows, columns as in `sample_faces`.

    Raises:
        ValueError: when people or intensity is outside its range.

    """
    if isinstance(people, bool) or not isinstance(people, (int, np.integer)) or people < 1:
        raise ValueError(f"people is {people!r}; accepted is a whole number of people, 1 or more.")
    column = np.tile(np.arange(people), len(EXPRESSIONS))
    traits = sample_people(rng, people).iloc[column].reset_index(drop=True)
    scenes = sample_scenes(rng, people, **_SCENE).iloc[column].reset_index(drop=True)
    expressions = sample_expressions(rng, np.repeat(list(EXPRESSIONS), people), intensity)
    faces = pd.concat([traits, expressions, scenes], axis=1)
    return faces.assign(face=np.arange(len(faces)))[list(COLUMNS)]


def contact_sheet(rng: np.random.Generator, people: int = 8, side: int = 84) -> bytes:
    """Return a PNG file in grey: one row an expression, named, one column a person, numbered.

    Args:
        rng: source of randomness.
        people: number of people, 1 or more.
        side: side of each picture in pixels, 48 to 512.

    Raises:
        ValueError: when people or side is outside its range.

    """
    if isinstance(side, bool) or not isinstance(side, (int, np.integer)) or not 48 <= side <= 512:
        raise ValueError(f"side is {side!r}; accepted are whole numbers from 48 to 512 pixels.")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    faces = sheet_rows(rng, people)
    pictures = render(faces, side).reshape(len(EXPRESSIONS), people, side, side)
    step = side + _GAP
    width, height = _LEFT + people * step, _TOP + len(EXPRESSIONS) * step
    figure = Figure(figsize=(width / _PIXELS_PER_INCH, height / _PIXELS_PER_INCH), dpi=_PIXELS_PER_INCH)
    canvas = FigureCanvasAgg(figure)

    def write(x: float, y: float, text: str, size: float, **style: str) -> None:
        figure.text(x / width, 1.0 - y / height, text, fontsize=size, color="black", **style)

    for number in range(people):
        x = _LEFT + number * step + side / 2
        write(x, _TOP / 2, f"person {number + 1}", 8.5, ha="center", va="center")
    for row, (name, expression) in enumerate(EXPRESSIONS.items()):
        middle = _TOP + row * step + side / 2
        write(10, middle - 6, TITLES.get(name, name), 9.5, va="bottom", weight="bold")
        write(10, middle - 2, textwrap.fill(expression.description, 30), 7.5, va="top")
    canvas.draw()
    sheet = np.asarray(canvas.buffer_rgba())[..., 0].copy()
    for row in range(len(EXPRESSIONS)):
        for number in range(people):
            top, left = _TOP + row * step, _LEFT + number * step
            sheet[top : top + side, left : left + side] = pictures[row, number]
    # 52 grey levels look the same and make the file a third smaller.
    sheet = (np.rint(sheet / 5.0) * 5.0).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, format="PNG", optimize=True)
    return file.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Write a contact sheet to the file that the command line names; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course.faces.contact_sheet", description=__doc__)
    parser.add_argument("file", type=Path, help="the PNG file to write")
    parser.add_argument("--seed", type=int, default=5, help="another seed, other people (default 5)")
    parser.add_argument("--people", type=int, default=8, help="number of columns (default 8)")
    parser.add_argument("--side", type=int, default=84, help="side of a picture in pixels (default 84)")
    chosen = parser.parse_args(arguments)
    try:
        sheet = contact_sheet(np.random.default_rng(chosen.seed), chosen.people, chosen.side)
        _replace(chosen.file, sheet)
    except (ValueError, OSError) as error:
        print(f"No contact sheet: {error}", file=sys.stderr)
        return 2
    print(
        f"{chosen.file}: {len(EXPRESSIONS)} expressions, {chosen.people} people, {len(sheet) / 1000:.0f} kB"
    )
    return 0


def _replace(path: Path, content: bytes) -> None:
    """Write aside, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    finally:
        Path(aside).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
