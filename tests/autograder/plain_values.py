"""Plain values of every kind, and what it means that two are the same."""

import datetime as dt
import zoneinfo

import numpy as np
import pandas as pd
import torch

NAN = float("nan")
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def same(got, expected):
    """Compare exactly: types, dtypes, order, NaN equal NaN."""
    assert type(got) is type(expected)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(got, expected, check_exact=True)
    elif isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(got, expected, check_exact=True)
    elif isinstance(expected, pd.Index):
        pd.testing.assert_index_equal(got, expected, exact=True)
        assert getattr(got, "freq", None) == getattr(expected, "freq", None)
    elif isinstance(expected, pd.api.extensions.ExtensionArray):
        pd.testing.assert_extension_array_equal(got, expected)
    elif isinstance(expected, torch.Tensor):
        assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
        assert torch.equal(got, expected.detach())
        assert not got.requires_grad
    elif isinstance(expected, np.ndarray):
        assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
        if expected.dtype == object:
            same(got.ravel().tolist(), expected.ravel().tolist())
        else:
            assert got.tobytes() == expected.tobytes()
        got[...] = got  # whoever receives it may write to it
    elif isinstance(expected, np.generic):
        assert got.dtype == expected.dtype
        assert got.tobytes() == expected.tobytes()
    elif isinstance(expected, dict):
        same(list(got.items()), list(expected.items()))
    elif isinstance(expected, (list, tuple)):
        assert len(got) == len(expected)
        for mine, theirs in zip(got, expected, strict=True):
            same(mine, theirs)
    else:
        assert got is expected or got == expected or (got != got and expected != expected)
        if isinstance(expected, (float, complex)):
            assert repr(got) == repr(expected)  # the sign of zero
        if isinstance(expected, dt.datetime) and expected is not pd.NaT:
            assert (got.tzinfo, got.fold) == (expected.tzinfo, expected.fold)
            assert getattr(got, "unit", None) == getattr(expected, "unit", None)


SCALARS = [
    *(None, ..., True, False, 0, -1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 2**4000, -(2**4000)),
    *(0.0, -0.0, 1e-320, NAN, float("inf"), 1 + 2j, complex(NAN, -0.0)),
    *("", "wütend 😠", "a\0b", b"", b"\xff\0", range(3), range(10, -10, -3), slice(1, None, 2)),
    *(dt.date(2024, 2, 29), dt.datetime(1, 1, 1), dt.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1)),
    *(dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.timedelta(days=-3, microseconds=1)),
    dt.datetime(2024, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-3, minutes=-30))),
    *(np.float32(0.1), np.int8(-3), np.bool_(True), np.str_("né"), np.bytes_(b"x"), np.complex64(1j)),
    *(
        np.float64(NAN),
        np.datetime64("2024-01-01"),
        np.datetime64("NaT"),
        np.timedelta64(3, "s"),
        np.float16(2),
    ),
    *(pd.NA, pd.NaT, pd.Timestamp("2024-01-01 10:00"), pd.Timestamp("2024-01-01", tz="Europe/Berlin")),
    *(pd.Timestamp(2024, 1, 1).as_unit("s"), pd.Timedelta("1h"), pd.Timedelta("1s").as_unit("ms")),
    *(
        pd.Period("2024-03", "M"),
        pd.Interval(0, 1.5, closed="both"),
        pd.Interval(*pd.to_datetime(["2024", "2025"])),
    ),
]
CONTAINERS = [
    *([], (), {}, set(), frozenset(), [[]], [1, "a", None, 2.5, b"x", True], [1, [2, (3, {4})]], [2**70, 1]),
    *(
        {"a": 1, 2: "b", None: [3], (1, "x"): {}, 1.5: (), frozenset({1}): ...},
        {1, "a", (2, 3)},
        frozenset("ab"),
    ),
    {dt.date(2024, 1, 1): 1, pd.Timestamp("2024"): 2, np.int64(3): 4},
    [np.arange(3), {"table": pd.DataFrame({"a": [1]})}],
]
DTYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "c8", "c16"]
ARRAYS = [
    *(np.arange(6, dtype=dtype).reshape(2, 3) for dtype in DTYPES),
    *(np.array([True, False]), np.array(["a", "größer", ""]), np.array([b"a", b"bc"]), np.array(3.5)),
    *(np.zeros((0, 4)), np.zeros((3, 0), np.uint8), np.empty((1, 1, 1, 1), np.float32)),
    *(np.array(["2024", "NaT"], "M8[D]"), np.array([1, 2], "m8[ms]"), np.arange(12).reshape(3, 4)[::-1, ::2]),
    *(np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array([1, 2], "M8[25s]")),
    np.array([None, "a", NAN, 1, [1, 2], pd.Timestamp("2024")], dtype=object).reshape(2, 3),
    np.array([[1, "a"], [None, np.float32(2)]], dtype=object),
]
TENSORS = [
    *(
        torch.arange(6).reshape(2, 3).to(dtype)
        for dtype in (torch.bool, torch.uint8, torch.int16, torch.int64)
    ),
    *(torch.linspace(-1, 1, 5, dtype=dtype) for dtype in (torch.float16, torch.bfloat16, torch.float32)),
    *(
        torch.tensor(3.0),
        torch.zeros(0, 3),
        torch.ones(2, 3, requires_grad=True),
        torch.arange(6.0).reshape(2, 3).T,
    ),
]
TIMES = pd.date_range("2024-01-01", periods=4, freq="h")
COLUMNS = [
    pd.Series([1, 2, 3, 4], dtype="int8"),
    pd.Series([0.5, NAN, 1, 2], name="score"),
    pd.Series(["a", None, "b", "c"]),
    pd.Series(["a", pd.NA, "b", "c"], dtype="string"),
    pd.Series(np.array(["a", "b"])).map(np.str_).astype("str"),
    pd.Series([np.str_("a"), "b"], dtype=pd.StringDtype("python", na_value=np.nan)),
    pd.Series(["a", None, NAN, "b"], dtype=object),
    pd.Series(["a", "b", "c", "d"], dtype=object),
    pd.Series([True, False, NAN, True], dtype=object),
    pd.Series([[1, 2], [3, 4], [], None], dtype=object),
    pd.Series([[1, 2], [3, 4], [5, 6], [7, 8]], dtype=object),
    pd.Series([1, None, 3, 4], dtype="Int64"),
    pd.Series([1, None, 3, 4], dtype="UInt8"),
    pd.Series([1.5, None, 3, 4], dtype="Float32"),
    pd.Series([True, None, False, True], dtype="boolean"),
    pd.Series(TIMES, name=("a", 1)),
    pd.Series(TIMES.tz_localize("UTC")),
    pd.Series(TIMES.tz_localize("Europe/Berlin").as_unit("ms")),
    pd.Series([pd.Timestamp("2024"), None, None, None]),
    pd.Series(TIMES - TIMES[0]),
    pd.Series(TIMES.to_period("D")),
    pd.Series(pd.Categorical(["low", "high", None, "low"], ["low", "high", "never"], ordered=True)),
    pd.Series(pd.Categorical([3, 1, 3, 1])),
    pd.cut(pd.Series([1, 5, 9, NAN]), 3),
    pd.Series(
        pd.arrays.IntervalArray.from_breaks(TIMES.append(TIMES[-1:] + pd.Timedelta("1h")), closed="left")
    ),
    pd.Series([1 + 2j, 0, 0, 0]),
    pd.Series([None] * 4, dtype=object),
]
INDEXES = [
    *(pd.RangeIndex(4, name="row"), pd.RangeIndex(10, 2, -2), pd.Index([3, 1, 2, 1], name=("a", "b"))),
    *(
        pd.Index(list("abca")),
        pd.Index(list("abca"), dtype=object),
        pd.Index(["a", 1, None, (2, 3)], dtype=object),
    ),
    *(TIMES, TIMES[[0, 2, 3, 1]], TIMES.tz_localize("Europe/Berlin"), TIMES - TIMES[0], TIMES.to_period("M")),
    *(pd.date_range("2024", periods=4, freq="W-SUN"), pd.date_range("2024", periods=4, freq="QE-DEC")),
    *(pd.CategoricalIndex(list("abca")), pd.interval_range(0, 4), pd.Index([True, False, True, False])),
    pd.MultiIndex.from_product([["a", "b"], TIMES[:2]], names=["who", "when"]),
    pd.MultiIndex.from_tuples([("a", 1), ("a", None), (None, 2), ("b", 1)]),
    pd.Index([1, None, 2, 3], dtype="Int64"),
]
TABLES = [
    pd.DataFrame(),
    pd.DataFrame(index=pd.RangeIndex(5)),
    pd.DataFrame(columns=["a", "b"]),
    pd.DataFrame({"a": [1], "b": ["x"]}).iloc[:0],
    pd.DataFrame(np.arange(12.0).reshape(4, 3)),
    pd.DataFrame([[1, "a"], [2, "b"]], columns=["same", "same"]),
    pd.DataFrame(dict(enumerate(COLUMNS))),
    *(pd.DataFrame({"a": np.arange(4), "b": list("wxyz")}, index=index) for index in INDEXES),
    *(pd.DataFrame(np.arange(8).reshape(2, 4), columns=index) for index in INDEXES),
    pd.DataFrame({"x": [1, 2, 3], "g": ["a", "b", "a"]}).groupby("g")["x"].agg(["mean", "count"]),
    pd.crosstab(
        pd.Series(list("aab"), name="p"), [pd.Series([1, 2, 1], name="q"), pd.Series([1, 1, 1], name="r")]
    ),
    pd.DataFrame({"x": range(4)}, index=TIMES).resample("2h").mean(),
    pd.DataFrame({"x": [1, 2], "y": list("ab")}).describe(include="all"),
]
