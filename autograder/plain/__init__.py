"""Values that cross the wall as plain data: numbers, texts, arrays, tables; nothing that runs.

`encode` runs beside the learner's code and trusts no method of the value; what it says may still be forged.
So `decode` is the boundary: it believes nothing, and makes nothing but the plain types listed here.

    core     the format        basics   Python's own types      arrays   numpy
    tables   pandas            models   torch, and scikit-learn's recipes
"""

from __future__ import annotations

from typing import Any

from autograder.plain import arrays, basics, models, tables  # noqa: F401  (they enter their types into core's lists)
from autograder.plain.core import DEFAULT, Limits, NotPlain, read, write
from autograder.plain.models import Weights

__all__ = ["Limits", "NotPlain", "Weights", "decode", "encode", "round_trip"]


def encode(value: Any, *, limits: Limits = DEFAULT) -> bytes:
    """Return a value as msgpack bytes; raise NotPlain, and nothing else, where that cannot be done.

    An instance of a subclass is encoded as what it is underneath: an int with a strange `__eq__` as an int.
    A torch network is encoded as its weights, a scikit-learn estimator as its class and parameters, unfitted.
    """
    return write(value, limits)


def decode(data: bytes, *, recipes: bool = False, limits: Limits = DEFAULT) -> Any:
    """Return the value that `encode` was given; raise NotPlain, and nothing else, for unsound bytes.

    recipes: also rebuild unfitted scikit-learn estimators; only for bytes from a trusted sender.
    Beyond its own bytes a value takes up to 300 bytes of memory per item; time is the caller's to limit.
    """
    return read(data, limits, recipes)


def round_trip(value: Any) -> Any:
    """Return a plain copy of a value, as it would arrive across the wall; raise NotPlain if none would."""
    return decode(encode(value))
