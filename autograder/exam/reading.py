"""From bytes to cells as they were handed in: limits first, then JSON, then whatever looks like a cell.

Every limit is checked before the step that it protects, so that the outcome depends on the bytes alone.
Knows nothing of the course. `intake` is what others import.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from autograder.exam.records import ANSWER, CHECK, EXPLAIN

ADVICE = "clear the outputs, save the notebook in JupyterLab and hand it in again"
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
ZIP_MEMBERS = 1000
CHUNK = 1 << 20
NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


class IntakeError(Exception):
    """Nothing of a submission can be graded; the message is one sentence for learner and instructor."""


@dataclass(frozen=True)
class IntakeLimits:
    """What a submission may have at most.

    file_bytes: the file, and the notebook inside a zip.   depth, values: of the JSON, outputs included.
    cells: all cells.   cell_chars: one cell's text.   total_chars: all cells' text.
    extra_cells: cells that the learner added.
    """

    file_bytes: int = 50_000_000
    depth: int = 64
    values: int = 2_000_000
    cells: int = 2000
    cell_chars: int = 200_000
    total_chars: int = 2_000_000
    extra_cells: int = 500


LIMITS = IntakeLimits()


@dataclass(frozen=True)
class Found:
    """One cell as it was handed in.

    cell_type: "code", "markdown" or "raw".   source: text that UTF-8 can encode.
    names: all that may say which of the course's cells it is, best first: ids, and (kind, exercise) pairs.
    flags: what nbgrader's metadata say of grade and solution, whatever their type; None without metadata.
    """

    cell_type: str
    source: str
    names: tuple[Any, ...] = ()
    flags: tuple[Any, Any] | None = None


def read_cells(data: bytes, name: str, limits: IntakeLimits, say: Callable[[str], None]) -> list[Found]:
    """Return the cells of a notebook, or of the one `<name>.ipynb` in a zip.

    say: is told, cell by cell, what was left out or replaced.   Raises IntakeError if there is no notebook.
    """
    found = []
    for cell in _parse(_notebook_bytes(data, name, limits), limits):
        if not isinstance(cell, dict):
            say("{count} cell{s} could not be read and had to be left out.")
            continue
        source = cell.get("source", "")
        if isinstance(source, list):
            source = "".join(line for line in source if isinstance(line, str))
        source = source if isinstance(source, str) else ""
        if len(source) > limits.cell_chars:
            say(f"{{count}} cell{{s}} of more than {limits.cell_chars:,} characters had to be left out.")
            continue
        if NOT_TEXT.search(source):
            say("In {count} cell{s}, what is no text (NUL, half a character) was replaced by \ufffd.")
            source = NOT_TEXT.sub("\ufffd", source)
        cell_type = cell.get("cell_type")
        cell_type = cell_type if cell_type in ("code", "markdown") else "raw"
        found.append(Found(cell_type, source, *_names(cell)))
    total = sum(len(cell.source) for cell in found)
    if total > limits.total_chars:
        raise IntakeError(
            f"The cells hold {total:,} characters of text; at most {limits.total_chars:,} are taken."
        )
    return found


def too_big(size: int, limits: IntakeLimits) -> str:
    """Return the sentence that refuses a file of so many bytes."""
    return (
        f"The notebook has {size / 1e6:,.1f} MB; at most {limits.file_bytes / 1e6:g} MB are read ({ADVICE})."
    )


def _notebook_bytes(data: bytes, name: str, limits: IntakeLimits) -> bytes:
    if len(data) > limits.file_bytes:
        raise IntakeError(too_big(len(data), limits))
    if not data.startswith(ZIP_MAGIC):
        return data
    # Counted first: each entry costs ten times its size once it is opened.
    if data.count(b"PK\x01\x02") > ZIP_MEMBERS:
        raise IntakeError(f"The zip file has more than {ZIP_MEMBERS:,} entries; hand in the notebook alone.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _member(archive, name, limits)
    except IntakeError:
        raise
    except Exception as error:  # zipfile raises a dozen kinds on damaged files
        raise IntakeError("The zip file is damaged; hand in the notebook itself.") from error


def _member(archive: zipfile.ZipFile, name: str, limits: IntakeLimits) -> bytes:
    """Return the one notebook in an archive, in memory; nothing is ever extracted to a path."""
    file = f"{name}.ipynb"
    fitting = [
        info
        for info in archive.infolist()
        if re.split(r"[\\/]", info.filename)[-1] == file and not info.filename.startswith("__MACOSX")
    ]
    if len(fitting) != 1:
        raise IntakeError(
            f"The zip file holds {len(fitting)} notebooks named {file}; exactly one is expected,"
            " and not inside another zip file."
        )
    info = fitting[0]
    if info.flag_bits & 1:
        raise IntakeError("The zip file is encrypted; hand it in without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise IntakeError("The zip file is packed in an unusual way; hand in the notebook itself.")
    if info.file_size > limits.file_bytes:
        raise IntakeError(too_big(info.file_size, limits))
    # What an archive says of its sizes is a claim; a member that is longer fails its checksum.
    with archive.open(info) as member:
        return member.read(limits.file_bytes + 1)


def _parse(data: bytes, limits: IntakeLimits) -> list[Any]:
    """Return a notebook's cells as JSON has them."""
    _check_structure(data, limits)
    try:
        # Whole numbers as floats: exact ones are refused by Python beyond 4,300 digits.
        notebook = json.loads(data.decode("utf-8-sig"), parse_int=float, parse_constant=lambda word: None)
    except UnicodeDecodeError as error:
        raise IntakeError(f"The file is not UTF-8 text (byte {error.start:,}); {ADVICE}.") from error
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno:,})" if isinstance(error, json.JSONDecodeError) else ""
        raise IntakeError(f"The file is not a notebook: it is not valid JSON{where}; {ADVICE}.") from error
    if not isinstance(notebook, dict):
        raise IntakeError(f"The file is JSON but not a notebook; {ADVICE}.")
    version = notebook.get("nbformat", 4.0)
    if isinstance(version, float) and version < 4:
        raise IntakeError(
            f"The notebook is in the old format {version:g}; open and save it in JupyterLab, then hand it in."
        )
    if isinstance(version, float) and version >= 5:
        raise IntakeError(f"The notebook is in format {version:g}; only format 4 (JupyterLab's) is read.")
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise IntakeError(f"The file is not a notebook: it has no list of cells; {ADVICE}.")
    if len(cells) > limits.cells:
        raise IntakeError(f"The notebook has {len(cells):,} cells; at most {limits.cells:,} are read.")
    return cells


def _check_structure(data: bytes, limits: IntakeLimits) -> None:
    """Refuse JSON that is too deep or has too many values, without parsing it, in time linear in its size."""
    # With escapes gone, every second piece between quotes lies outside of texts.
    data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    inside, marks = 0, []
    for start in range(0, len(data), CHUNK):
        pieces = data[start : start + CHUNK].split(b'"')
        marks.append(re.sub(rb"[^\[\]{},]+", b"", b"".join(pieces[inside::2])))
        inside ^= (len(pieces) - 1) & 1
    outside = b"".join(marks)
    closing = outside.count(b"]") + outside.count(b"}")
    if closing > limits.values or len(outside) - closing > limits.values:
        raise IntakeError(f"The notebook holds more than {limits.values:,} values; {ADVICE}.")
    steps = (1 if mark in b"[{" else -1 for mark in outside.replace(b",", b""))
    if max(accumulate(steps), default=0) > limits.depth:
        raise IntakeError(f"The notebook is nested more than {limits.depth} deep; {ADVICE}.")


def _names(cell: dict[str, Any]) -> tuple[tuple[Any, ...], tuple[Any, Any] | None]:
    """Return all that may identify a cell, and its nbgrader flags."""
    metadata = cell.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    nbgrader = metadata.get("nbgrader")
    flags = None
    names: list[Any] = [cell.get("id")]
    if isinstance(nbgrader, dict):
        names.insert(0, nbgrader.get("grade_id"))
        flags = (nbgrader.get("grade"), nbgrader.get("solution"))
    names = [name for name in names if isinstance(name, str)]
    ties = (kind for kind in (ANSWER, CHECK, EXPLAIN) if isinstance(metadata.get(kind), str))
    return (*names, *((kind, metadata[kind]) for kind in ties)), flags
