"""numpy: a dtype from an allow-list, a shape that fits, the bytes in little-endian order."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from autograder.plain.core import Reader, Writer, a_thing, check, reads, writes

_DTYPE = re.compile(
    r"\|b1|\|[iu]1|<[iu][248]|<f[248]|<c(8|16)|<U[1-9]\d{0,5}|\|S[1-9]\d{0,5}"
    r"|<[mM]8(\[[1-9]?\d{0,4}(Y|M|W|D|h|m|s|ms|us|ns)\])?"
)


def blob(array: np.ndarray) -> memoryview:
    """Return an array's bytes in C order, copied only if they are not so already."""
    return memoryview(np.ascontiguousarray(array).reshape(-1).view(np.uint8))


def from_blob(data: bytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a writable array; raise NotPlain unless dtype, shape and bytes agree and every item is valid."""
    check(_DTYPE.fullmatch(dtype) is not None)
    kind = np.dtype(dtype)
    check(math.prod(shape) * kind.itemsize == len(data))
    array = np.frombuffer(data, kind).copy().reshape(shape)
    if kind.kind == "b":
        check(not np.any(array.view(np.uint8) > 1))
    if kind.kind == "U":
        code = np.frombuffer(data, np.uint32)
        check(not np.any((code > 0x10FFFF) | ((code >= 0xD800) & (code <= 0xDFFF))))
    return array


@writes(np.ndarray)
def _write_array(writer: Writer, value: np.ndarray) -> list:
    array = np.ndarray.view(value, np.ndarray)
    if array.dtype.kind == "O":
        return ["objects", list(array.shape), *writer.run(array.ravel().tolist())]
    return ["array", *_fields(writer, array)]


def _fields(writer: Writer, array: np.ndarray) -> list:
    kind = array.dtype.newbyteorder("<")
    if kind.itemsize == 0 and kind.kind in "US":
        kind = np.dtype(f"{kind.kind}1")
    check(
        _DTYPE.fullmatch(kind.str) is not None,
        f"An array of {str(array.dtype)[:40]} can't be handed in: use numbers, texts, dates or a table.",
    )
    return [kind.str, list(array.shape), writer.blob(blob(array.astype(kind, copy=False)))]


@reads("array", 3)
def _read_array(reader: Reader) -> np.ndarray:
    dtype, shape = reader.field(str), reader.shape()
    return from_blob(reader.field(bytes), dtype, shape)


@reads("objects", 3)
def _read_objects(reader: Reader) -> np.ndarray:
    shape = reader.shape()
    return objects(reader.run()).reshape(shape)


def objects(values: list) -> np.ndarray:
    """Return a list as an array of objects, also where its items are lists or arrays."""
    return np.fromiter(values, object, len(values))


@writes(np.generic, np.str_, np.bytes_)
def _write_scalar(writer: Writer, value: np.generic) -> list:
    return ["scalar", *_fields(writer, np.generic.__array__(value))]


@reads("scalar", 3)
def _read_scalar(reader: Reader) -> Any:
    array = _read_array(reader)
    check(array.shape == ())
    return array[()]


@writes(np.ma.MaskedArray)
def _refuse_masked(writer: Writer, value: Any) -> list:
    check(False, f"{a_thing(value)} can't be handed in: return an array with NaN where values are missing.")
    raise AssertionError


def vector(value: Any, kinds: str) -> np.ndarray:
    """Return the value; raise NotPlain unless it is a 1-d array whose dtype has one of these kinds."""
    check(type(value) is np.ndarray and value.ndim == 1 and value.dtype.kind in kinds)
    return value
