"""The written specification of the detector: one line per decision, kept as a table for later stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from course.deployment.devices import DEVICES
from course.deployment.formulations import FORMULATIONS, require
from course.deployment.visits import HARD

STAFF = ("excluded", "included")
_LARGEST = 1e300
AFTERWARDS = "from the pilot"
"""A success bar that is set afterwards: at whatever the pilot reaches."""

METRICS = {
    "euros an hour": "at most",
    "recall": "at least",
    "needless back-offs an hour": "at most",
    "accuracy": "at least",
    "recall at 3 false alarms an hour": "at least",
}
"""What success can be measured by, and on which side of the bar it lies. Recall, accuracy: shares, 0-1."""

_WORDS = {
    "formulation": tuple(FORMULATIONS),
    "device": tuple(DEVICES),
    "outside_envelope": HARD,
    "staff": STAFF,
    "success_metric": tuple(METRICS),
}
_RANGES = {
    "window_frames": (1, 50),
    "multiply_adds": (1e5, 1e10),
    "weight_bytes": (1e3, 1e9),
    "reaction_ms": (1, 60_000),
    "keep_distance_from": (0, 1.1),
    "back_off_from": (0, 1.1),
    "low_brow_ratio": (0.1, 100),
}


@dataclass(frozen=True)
class ProblemSpec:
    """What shall be built, and how one will know that it works.

    formulation: "whole frame", "each face", "clip", "angry objects" or "intensity".
    device: where the model runs: "microcontroller", "robot" or "server".
    window_frames: frames that are looked at together, 1-50.
    multiply_adds, weight_bytes: the largest model allowed: work for a face in a frame, bytes of int8 weights.
    reaction_ms: what 99 of 100 reactions must keep, milliseconds.
    keep_distance_from, back_off_from: calibrated probabilities of an angry visit, 0-1; above 1 means never.
    outside_envelope: what to do about faces in poor light or covered: "as usual", "carry on" or
        "keep distance".
    staff: people at work in the lobby are "excluded" or "included".
    low_brow_ratio: guardrail: needless back-offs for people with a low resting brow, at most so many times
        the average.
    success_metric, success_bar: what decides after the pilot; the bar is a number, or "from the pilot".
    """

    formulation: str
    device: str
    window_frames: int
    multiply_adds: int
    weight_bytes: int
    reaction_ms: float
    keep_distance_from: float
    back_off_from: float
    outside_envelope: str
    staff: str
    low_brow_ratio: float
    success_metric: str
    success_bar: float | str

    def __post_init__(self) -> None:
        require(self.formulation)
        for name, known in _WORDS.items():
            if getattr(self, name) not in known:
                accepted = ", ".join(map(repr, known))
                raise ValueError(f"{name} is {getattr(self, name)!r}; accepted are {accepted}.")
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not _is_number(value) or not low <= value <= high:
                raise ValueError(f"{name} is {value!r}; accepted is a number from {low:g} to {high:g}.")
        for name in ("window_frames", "multiply_adds", "weight_bytes"):
            if getattr(self, name) % 1:
                raise ValueError(f"{name} is {getattr(self, name)!r}; accepted is a whole number.")
            object.__setattr__(self, name, int(getattr(self, name)))
        if not _is_number(self.success_bar) and self.success_bar != AFTERWARDS:
            raise ValueError(
                f"success_bar is {self.success_bar!r}; accepted are a number and {AFTERWARDS!r}."
            )

    @classmethod
    def from_dict(cls, lines: Mapping[str, object]) -> ProblemSpec:
        """Return the specification that a dict of all its lines says.

        Raises:
            ValueError: for a missing or unknown line, or a value that is not accepted.

        """
        if not isinstance(lines, Mapping):
            raise ValueError(f"lines is a {type(lines).__name__}; accepted is a dict.")
        known = [field.name for field in fields(cls)]
        missing = [name for name in known if lines.get(name) is None]
        if missing:
            raise ValueError(f"lines has no value for {', '.join(missing)}; every line needs one.")
        unknown = [str(name) for name in lines if name not in known]
        if unknown:
            raise ValueError(f"lines names {unknown[0]!r}; accepted are {', '.join(known)}.")
        return cls(**lines)

    @classmethod
    def draft(cls, lines: Mapping[str, object] | None) -> ProblemSpec | None:
        """Return the specification, or None as long as a line has no value yet."""
        names = [field.name for field in fields(cls)]
        if not isinstance(lines, Mapping) or any(lines.get(name) is None for name in names):
            return None
        return cls.from_dict(lines)

    def to_table(self) -> pd.DataFrame:
        """Return columns field and value (texts), a row for each line: what `portfolio.keep` keeps."""
        rows = [(field.name, str(getattr(self, field.name))) for field in fields(self)]
        return pd.DataFrame(rows, columns=["field", "value"])

    @classmethod
    def from_table(cls, table: pd.DataFrame) -> ProblemSpec:
        """Return the specification that such a table holds, numbers as numbers again.

        Raises:
            ValueError: when columns or lines are missing, or a value is not accepted.

        """
        if not {"field", "value"} <= set(table.columns):
            raise ValueError(f"table has columns {list(table.columns)}; accepted are field and value.")
        lines = dict(zip(table["field"].astype(str), table["value"], strict=True))
        return cls.from_dict({name: _value(name, value) for name, value in lines.items()})


def _value(name: str, value: object) -> object:
    """Return a number for what reads as one, save where only words are accepted."""
    if name in _WORDS or not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _is_number(value: object) -> bool:
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))
    return number and bool(abs(value) < _LARGEST)  # Python's whole numbers know no bound.
