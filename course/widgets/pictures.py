"""Pictures of faces as PNG and HTML, and in words for those who cannot see them."""

from __future__ import annotations

import base64
import html
import io

import numpy as np
import pandas as pd

from course.evidence import legibility
from course.faces import ACTION_UNITS

ORANGE, GREY = "#D55E00", "#666666"
"""Vermillion of the Okabe-Ito palette, made for all kinds of colour vision; grey for asides."""

_SHOWS = 0.25


def png(picture: np.ndarray, side: int | None = None) -> bytes:
    """Return a PNG file of a picture, uint8 [rows, columns] or [rows, columns, 3], scaled to a side."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(picture))
    if side is not None and image.size != (side, side):
        image = image.resize((side, side), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def image_tag(content: bytes, alt: str, side: int | None = None) -> str:
    """Return an HTML image that carries a PNG file in itself, with its text for screen readers."""
    size = f' width="{side}" height="{side}"' if side else ' style="max-width: 100%"'
    encoded = base64.b64encode(content).decode("ascii")
    return f'<img src="data:image/png;base64,{encoded}" alt="{html.escape(alt, quote=True)}"{size}>'


def unit_name(unit: str) -> str:
    """Return the plain name of an action unit, as "jaw dropped"."""
    return ACTION_UNITS[unit].partition(":")[0].partition(",")[0]


def in_words(faces: pd.DataFrame) -> list[str]:
    """Return what each face visibly does, as "brows lowered and drawn together 0.8, jaw dropped 0.4".

    Args:
        faces: table with the columns of `course.faces.sample_faces`.

    """
    clear = legibility(faces) >= 0.5
    lines = []
    for (_, face), readable in zip(faces.iterrows(), clear, strict=True):
        parts = [f"{unit_name(unit)} {face[unit]:.1f}" for unit in ACTION_UNITS if face[unit] >= _SHOWS]
        words = ", ".join(parts) or "a face at rest"
        if face["occlusion"] != "none":
            words += f"; partly behind a {face['occlusion']}"
        lines.append(words if readable else f"{words}; hard to make out")
    return lines
