"""Comparing plain values, and describing them in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autograder.explain import shorten


def close(got: Any, expected: Any, tolerance: float = 1e-6) -> bool:
    """Compare two plain values: numbers to a relative tolerance, containers item by item, NaN equal NaN."""
    if got is None or expected is None:
        return got is expected
    if isinstance(expected, Mapping):
        if not isinstance(got, Mapping) or set(map(str, got)) != set(map(str, expected)):
            return False
        mine = {str(key): value for key, value in got.items()}
        return all(close(mine[str(key)], value, tolerance) for key, value in expected.items())
    if isinstance(expected, (set, frozenset)):
        return isinstance(got, Iterable) and not isinstance(got, str) and set(got) == set(expected)
    if isinstance(expected, str):
        return isinstance(got, str) and got == expected
    mine, theirs = np.asarray(got), np.asarray(expected)
    if mine.shape != theirs.shape:
        return False
    if theirs.dtype.kind in "biufc" and mine.dtype.kind in "biufc":
        return bool(np.allclose(mine, theirs, rtol=tolerance, atol=tolerance, equal_nan=True))
    same = (mine == theirs) | ((mine != mine) & (theirs != theirs))
    return bool(np.all(same))


def alike(one: Any, other: Any, doubtful: bool = True) -> bool:
    """Compare two answers item by item; `doubtful` is returned where they can't be compared."""
    try:
        if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
            pairs = zip(one, other, strict=False)
            return len(one) == len(other) and all(alike(a, b, doubtful) for a, b in pairs)
        if hasattr(one, "index") and hasattr(one, "to_numpy"):
            same = type(one) is type(other) and one.index.equals(other.index)
            return same and close(one.to_numpy(), other.to_numpy())
        return close(one, other)
    except Exception:
        return doubtful


def told_apart(got: float, expected: float, digits: int = 4) -> tuple[str, str]:
    """Return two numbers as texts, of so many digits or of as many as it takes to see them differ."""
    texts = "", ""
    while texts[0] == texts[1] and digits <= 17:
        texts = f"{got:.{digits}g}", f"{expected:.{digits}g}"
        digits += 1
    return texts


def brief(values: tuple) -> str:
    """Describe values in a few words each."""
    return ", ".join(shorten(_summary(value), 60) for value in values)


def _summary(value: Any) -> str:
    """Describe a value in a few words: tables and arrays by shape, numbers to four digits."""
    kind = type(value).__name__
    if hasattr(value, "shape") and getattr(value, "shape", ()) != ():
        return f"{kind} {' x '.join(map(str, value.shape))}"
    if isinstance(value, (float, np.floating)):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple, dict, set, frozenset)) and len(value) > 4:
        return f"{kind} of {len(value)}"
    return repr(value)
