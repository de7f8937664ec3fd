"""pandas: a table is its columns' labels, its index, and one array per column, dtypes kept exactly."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from autograder.plain.arrays import objects, vector
from autograder.plain.basics import read_zone, zone_text
from autograder.plain.core import READERS, WRITERS, Reader, Writer, check, reads, too_large, writes

_UNITS = ("s", "ms", "us", "ns")
_FREQUENCY = re.compile(r"-?\d{0,6}[A-Za-z]{1,5}(-[A-Z]{3})?")
_CLOSED = ("left", "right", "both", "neither")
_NUMPYS = (pd.arrays.NumpyExtensionArray, pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray)
_MASKED = {"b": pd.arrays.BooleanArray, "f": pd.arrays.FloatingArray} | dict.fromkeys(
    "iu", pd.arrays.IntegerArray
)

WRITERS[type(pd.NA)] = lambda writer, value: ["NA"]
READERS["NA"] = 0, lambda reader: pd.NA
WRITERS[type(pd.NaT)] = lambda writer, value: ["NaT"]
READERS["NaT"] = 0, lambda reader: pd.NaT


def _one_of(reader: Reader, choices: tuple[str, ...]) -> str:
    text = reader.field(str)
    check(text in choices)
    return text


def _frequency(reader: Reader) -> str:
    text = reader.field(str)
    check(_FREQUENCY.fullmatch(text) is not None)
    return text


# Single moments and spans


@writes(pd.Timestamp)
def _write_timestamp(writer: Writer, value: pd.Timestamp) -> list:
    return ["Timestamp", int(value.to_datetime64().astype(np.int64)), value.unit, zone_text(value.tzinfo)]


@reads("Timestamp", 3)
def _read_timestamp(reader: Reader) -> pd.Timestamp:
    moment = pd.Timestamp(np.datetime64(reader.field(int), _one_of(reader, _UNITS)))
    check(moment is not pd.NaT)
    zone = read_zone(reader)
    return moment if zone is None else moment.tz_localize("UTC").tz_convert(zone)


@writes(pd.Timedelta)
def _write_timedelta(writer: Writer, value: pd.Timedelta) -> list:
    return ["Timedelta", int(value.to_timedelta64().astype(np.int64)), value.unit]


@reads("Timedelta", 2)
def _read_timedelta(reader: Reader) -> pd.Timedelta:
    span = pd.Timedelta(np.timedelta64(reader.field(int), _one_of(reader, _UNITS)))
    check(span is not pd.NaT)
    return span


WRITERS[pd.Period] = lambda writer, value: ["Period", value.freqstr, value.ordinal]
READERS["Period"] = 2, lambda reader: pd.Period(freq=_frequency(reader), ordinal=reader.field(int))


@writes(pd.Interval)
def _write_interval(writer: Writer, value: pd.Interval) -> list:
    return ["Interval", value.closed, writer.node(value.left), writer.node(value.right)]


@reads("Interval", 3)
def _read_interval(reader: Reader) -> pd.Interval:
    closed = _one_of(reader, _CLOSED)
    return pd.Interval(reader.node(), reader.node(), closed)


# Columns: numpy arrays, and pandas' own


@writes(ExtensionArray)
def _write_column(writer: Writer, value: ExtensionArray) -> list:
    kind = value.dtype
    if isinstance(kind, pd.StringDtype):
        # A column made from numpy texts holds numpy's own kind of text.
        texts = [
            text if text is None or type(text) is str else str.__str__(text)
            for text in value.to_numpy(object, na_value=None).tolist()
        ]
        return ["strings", kind.storage, kind.na_value is pd.NA, *writer.run(texts)]
    if isinstance(kind, pd.CategoricalDtype):
        return ["categories", bool(kind.ordered), writer.node(value.codes), writer.node(kind.categories)]
    if isinstance(kind, pd.DatetimeTZDtype):
        moments = np.asarray(value.tz_convert(None))
        return ["moments", zone_text(kind.tz), writer.node(moments)]
    if isinstance(kind, pd.PeriodDtype):
        return ["periods", kind.name[len("period[") : -1], writer.node(value.asi8)]
    if isinstance(kind, pd.IntervalDtype):
        return ["intervals", kind.closed, writer.node(value.left), writer.node(value.right)]
    if isinstance(value, tuple(_MASKED.values())):
        numbers = value.to_numpy(kind.numpy_dtype, na_value=kind.numpy_dtype.type(0))
        return ["masked", writer.node(numbers), writer.node(np.asarray(value.isna()))]
    check(
        isinstance(value, _NUMPYS),
        f"A column of {str(kind)[:40]} can't be handed in: convert it with astype first.",
    )
    return writer.node(np.asarray(value))


@reads("strings", 4)
def _read_strings(reader: Reader) -> ExtensionArray:
    storage = _one_of(reader, ("python", "pyarrow"))
    kind = pd.StringDtype(storage, na_value=pd.NA if reader.field(bool) else np.nan)
    texts = reader.run()
    check(set(map(type, texts)) <= {str, type(None)})
    return pd.array(objects(texts), dtype=kind)


@reads("categories", 3)
def _read_categories(reader: Reader) -> pd.Categorical:
    ordered = reader.field(bool)
    codes, labels = vector(reader.node(), "i"), reader.instance(pd.Index)
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(labels, ordered))


@reads("moments", 2)
def _read_moments(reader: Reader) -> ExtensionArray:
    zone = read_zone(reader)
    moments = vector(reader.node(), "M")
    check(zone is not None and np.datetime_data(moments.dtype) in [(unit, 1) for unit in _UNITS])
    return pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(zone).array


@reads("periods", 2)
def _read_periods(reader: Reader) -> ExtensionArray:
    kind = pd.PeriodDtype(_frequency(reader))
    ordinals = vector(reader.node(), "i")
    return pd.arrays.PeriodArray(ordinals.astype(np.int64), dtype=kind)


@reads("intervals", 3)
def _read_intervals(reader: Reader) -> ExtensionArray:
    closed = _one_of(reader, _CLOSED)
    left, right = reader.instance(pd.Index), reader.instance(pd.Index)
    check(len(left) == len(right))
    return pd.arrays.IntervalArray.from_arrays(left, right, closed)


@reads("masked", 2)
def _read_masked(reader: Reader) -> ExtensionArray:
    numbers, missing = vector(reader.node(), "biuf"), vector(reader.node(), "b")
    check(len(numbers) == len(missing))
    return _MASKED[numbers.dtype.kind](numbers, missing)


def _column(value: Any) -> Any:
    check(isinstance(value, ExtensionArray) or (type(value) is np.ndarray and value.ndim == 1))
    return value


def _dtype(column: Any) -> Any:
    # Left to itself pandas turns objects that are all texts into its own text dtype.
    return object if column.dtype == object else None


# Indexes


@writes(pd.Index)
def _write_index(writer: Writer, value: pd.Index) -> list:
    index = pd.Index(value)
    return ["Index", writer.node(index.name), _frequency_of(index), writer.node(index.array)]


def _frequency_of(index: pd.Index) -> str | None:
    """Return an index's frequency as text, if text can say it."""
    frequency = (
        getattr(index, "freq", None) if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    )
    if frequency is None or _FREQUENCY.fullmatch(frequency.freqstr) is None:
        return None
    said = pd.tseries.frequencies.to_offset(frequency.freqstr)
    return frequency.freqstr if said == frequency else None


@reads("Index", 3)
def _read_index(reader: Reader) -> pd.Index:
    name, frequency = reader.node(), reader.node()
    column = _column(reader.node())
    index = pd.Index(column, dtype=_dtype(column), name=name)
    if frequency is not None:
        check(type(frequency) is str and _FREQUENCY.fullmatch(frequency) is not None)
        check(isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)))
        index.freq = frequency  # pandas raises unless the values keep to it
    return index


@writes(pd.RangeIndex)
def _write_range(writer: Writer, value: pd.RangeIndex) -> list:
    return ["RangeIndex", writer.node(value.name), writer.node(range(value.start, value.stop, value.step))]


@reads("RangeIndex", 2)
def _read_range(reader: Reader) -> pd.RangeIndex:
    return pd.RangeIndex(name=reader.node(), **_bounds(reader.instance(range)))


def _bounds(values: range) -> dict[str, int]:
    return {"start": values.start, "stop": values.stop, "step": values.step}


@writes(pd.MultiIndex)
def _write_multi(writer: Writer, value: pd.MultiIndex) -> list:
    parts = (list(value.names), list(value.levels), [np.asarray(codes) for codes in value.codes])
    return ["MultiIndex", *map(writer.node, parts)]


@reads("MultiIndex", 3)
def _read_multi(reader: Reader) -> pd.MultiIndex:
    names, levels, codes = (reader.instance(list) for _ in range(3))
    check(len(names) == len(levels) == len(codes) > 0)
    check(all(isinstance(level, pd.Index) and not isinstance(level, pd.MultiIndex) for level in levels))
    check(len({len(vector(code, "i")) for code in codes}) == 1)
    return pd.MultiIndex(levels, codes, names=names)


# Series and tables


@writes(pd.Series)
def _write_series(writer: Writer, value: pd.Series) -> list:
    series = pd.Series(value)
    return ["Series", writer.node(series.name), writer.node(series.index), writer.node(series.array)]


@reads("Series", 3)
def _read_series(reader: Reader) -> pd.Series:
    name, index, column = reader.node(), reader.instance(pd.Index), _column(reader.node())
    check(len(index) == len(column))
    return pd.Series(column, index=index, dtype=_dtype(column), name=name)


@writes(pd.DataFrame)
def _write_frame(writer: Writer, value: pd.DataFrame) -> list:
    frame = pd.DataFrame(value)
    columns = [series.array for _, series in frame.items()]
    return ["DataFrame", writer.node(frame.columns), writer.node(frame.index), *writer.run(columns)]


@reads("DataFrame", 4)
def _read_frame(reader: Reader) -> pd.DataFrame:
    labels, index = reader.instance(pd.Index), reader.instance(pd.Index)
    columns = [_column(column) for column in reader.run()]
    check(len(labels) == len(columns) and all(len(column) == len(index) for column in columns))
    check(len(index) * max(len(columns), 1) <= reader.limits.size, too_large(reader.limits))
    # By number first: two columns may have one name.
    frame = pd.DataFrame(
        {i: pd.Series(column, index, dtype=_dtype(column)) for i, column in enumerate(columns)}, index=index
    )
    frame.columns = labels
    return frame
