"""Bytes from a stranger: nothing but plain values comes out of them, and nothing at all from unsound ones."""

import pickle
import sys
import time

import msgpack
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from autograder.plain import NotPlain, decode, encode


def array_node(dtype, shape, data):
    return ["array", dtype, shape, data]


LIST = ["list", True]
INT_INDEX = ["Index", None, None, array_node("<i8", [2], bytes(16))]
RANGE = ["RangeIndex", None, ["range", 0, 2, 1]]
TWO = array_node("<i8", [2], bytes(16))
UNSOUND = {
    "unknown tag": ["pickle", b""],
    "tag of a wrong type": [1, 2],
    "no tag": [],
    "too few fields": ["array", "<i8", [1]],
    "too many fields": ["...", 1],
    "a flag that is a number": ["list", 1, [2]],
    "a map": {"a": 1},
    "a map among scalars": [*LIST, [{}]],
    "an array among scalars": [*LIST, [[]]],
    "a full array among scalars": [*LIST, [[1]]],
    "an extension": msgpack.ExtType(4, b"x"),
    "an empty extension": [*LIST, [msgpack.ExtType(4, b"")]],
    "a timestamp": [*LIST, [msgpack.Timestamp(1)]],
    "an object dtype": array_node("|O", [1], bytes(8)),
    "a void dtype": array_node("|V8", [1], bytes(8)),
    "a dtype that is text": array_node("i4,f4", [1], bytes(8)),
    "a dtype of no size": array_node("<U0", [10**6], b""),
    "a dtype with metadata": array_node("<M8[xs]", [1], bytes(8)),
    "shape beyond the bytes": array_node("<i8", [3], bytes(16)),
    "negative shape": array_node("<i8", [-1, -2], bytes(16)),
    "a shape of true and false": array_node("<i8", [True, 2], bytes(16)),
    "a vast side beside zero": array_node("<i8", [0, 10**12], b""),
    "a shape of very many sides": array_node("<i8", [1] * 33, bytes(8)),
    "a bool that is neither": array_node("|b1", [1], b"\x02"),
    "a letter beyond unicode": array_node("<U1", [1], b"\xff\xff\xff\x7f"),
    "half a letter": array_node("<U1", [1], b"\x00\xd8\x00\x00"),
    "a scalar with a shape": ["scalar", "<i8", [2], bytes(16)],
    "a tensor of an unknown dtype": ["tensor", "qint8", [1], b"x"],
    "a tensor bool that is neither": ["tensor", "bool", [1], b"\x07"],
    "weights that are no safetensors": ["weights", b"\xff" * 40],
    "an int of many bits": ["int", bytes(513)],
    "a vast range": ["range", 0, 10**12, 1],
    "a vast RangeIndex": ["RangeIndex", None, ["range", 0, 10**12, 1]],
    "a step of zero": ["range", 0, 1, 0],
    "a dict with one key twice": ["dict", True, [1, True], True, [1, 2]],
    "a dict with more keys than values": ["dict", True, [1, 2], True, [1]],
    "a dict with a list for a key": ["dict", False, [[*LIST, []]], True, [1]],
    "a set of lists": ["set", False, [[*LIST, []]]],
    "a set with one member twice": ["set", True, [1, 1]],
    "a thirteenth month": ["date", 2024, 13, 1],
    "a zone that is a path": ["datetime", 2024, 1, 1, 0, 0, 0, 0, 0, "../../etc/passwd"],
    "a zone that is nowhere": ["datetime", 2024, 1, 1, 0, 0, 0, 0, 0, "Europe/Nowhere"],
    "a Timestamp of no unit": ["Timestamp", 1, "D", None],
    "a Timestamp that is none": ["Timestamp", -(2**63), "ns", None],
    "a period of an odd frequency": ["Period", "import os", 1],
    "an index shorter than its column": ["Series", None, RANGE, array_node("<i8", [3], bytes(24))],
    "a column of two dimensions": ["Series", None, RANGE, array_node("<i8", [2, 1], bytes(16))],
    "a column that is a list": ["Series", None, RANGE, [*LIST, [1, 2]]],
    "a name that is a list": ["Series", [*LIST, []], RANGE, TWO],
    "fewer labels than columns": ["DataFrame", RANGE, RANGE, False, [TWO]],
    "columns of unequal length": ["DataFrame", RANGE, RANGE, False, [TWO, array_node("<i8", [3], bytes(24))]],
    "labels that are no index": ["DataFrame", TWO, RANGE, False, [TWO, TWO]],
    "a frequency that does not hold": ["Index", None, "h", array_node("<M8[ns]", [2], bytes(16))],
    "a frequency of numbers": ["Index", None, "h", TWO],
    "a category out of range": ["categories", False, array_node("|i1", [1], b"\x05"), INT_INDEX],
    "categories that repeat": ["categories", False, array_node("|i1", [1], b"\x00"), INT_INDEX],
    "a mask of another length": ["masked", TWO, array_node("|b1", [1], b"\x00")],
    "a mask of numbers": ["masked", TWO, TWO],
    "texts that are numbers": ["strings", "python", False, True, [1]],
    "texts in a storage of their own": ["strings", "pickle", False, True, ["a"]],
    "moments without a zone": ["moments", None, array_node("<M8[ns]", [1], bytes(8))],
    "moments in days": ["moments", "UTC", array_node("<M8[D]", [1], bytes(8))],
    "an interval that ends before it starts": ["intervals", "left", RANGE, INT_INDEX],
    "a level code out of range": [
        *("MultiIndex", [*LIST, [None]], ["list", False, [RANGE]]),
        ["list", False, [array_node("<i8", [1], (7).to_bytes(8, "little"))]],
    ],
    "level codes that are no whole numbers": [
        *("MultiIndex", [*LIST, [None]], ["list", False, [RANGE]]),
        ["list", False, [array_node("<f8", [1], bytes(8))]],
    ],
    "no levels": ["MultiIndex", [*LIST, []], [*LIST, []], [*LIST, []]],
}


@pytest.mark.parametrize("tree", UNSOUND.values(), ids=UNSOUND)
def test_unsound_data_is_refused(tree):
    with pytest.raises(NotPlain):
        decode(msgpack.packb(tree))
    with pytest.raises(NotPlain):
        decode(msgpack.packb(["list", False, [1, tree]]))


def test_bytes_that_are_no_message_are_refused():
    whole = encode(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    for data in (b"", b"\xc1", whole[:-1], whole + b"\0", pickle.dumps([1]), b"\xa1\xff", "text", None, 3):
        with pytest.raises(NotPlain):
            decode(data)


def test_every_part_of_a_message_is_refused():
    whole = encode([[1, 2, 3], pd.Series(["a", None]), (1.5, {"a": b"x"})])
    for data in (whole, encode([1, 2, 3])):
        for length in range(len(data)):
            with pytest.raises(NotPlain):
                decode(data[:length])
    with pytest.raises(NotPlain):
        decode(b"\x92" + encode(...)[1:])  # one field announced that is not there


def test_an_array_is_not_made_before_its_items_have_arrived():
    claims = b"\xdd\x7f\xff\xff\xff"  # an array of two thousand million
    scalars = b"\x93\xa4list\xc3"
    for data in (
        *(claims, scalars + claims, claims * 500, b"\xc6\xff\xff\xff\xff", b"\x91" * 10**6),
        scalars + b"\x91" + (b"\xdd" + (4_000_000).to_bytes(4, "big")) * 500 + bytes(4_000_000),
    ):
        started = time.process_time()
        with pytest.raises(NotPlain):
            decode(data)
        assert time.process_time() - started < 0.05


def test_an_estimator_is_rebuilt_unfitted_and_only_for_who_asks():
    model = make_pipeline(StandardScaler(with_mean=False), OneHotEncoder(), LogisticRegression(C=0.5))
    model[0].fit([[1.0], [2.0]])
    data = encode({"model": model})
    with pytest.raises(NotPlain, match=r"fitted model can't be handed in"):
        decode(data)
    rebuilt = decode(data, recipes=True)["model"]
    assert repr(rebuilt) == repr(model)
    assert not hasattr(rebuilt[0], "scale_")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("sklearn.utils", "os"),
        ("this", "d"),
        ("sklearn.utils", "Bunch"),
        ("sklearn.utils._bunch", "Bunch"),
        ("sklearn.linear_model", "LogisticRegression"),
        ("sklearn.base", "clone"),
        ("sklearnish.x", "Y"),
        ("sklearn", "x"),
    ],
)
def test_a_recipe_names_nothing_but_scikit_learns_estimators(module, name):
    tree = ["estimator", module, name, ["dict", True, [], True, []]]
    with pytest.raises(NotPlain):
        decode(msgpack.packb(tree), recipes=True)
    assert "this" not in sys.modules  # importing it would have run it
