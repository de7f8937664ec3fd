"""Damaged and forged input, by the thousand. Each function is the claim that none of it does harm."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import random
import warnings

import msgpack
import numpy as np
import pandas as pd
import torch

from autograder.plain import Limits, NotPlain, Weights, decode, encode

LIMITS = Limits(size=100_000, items=5_000)
EXTREMES = (0, 1, -1, 2, 255, 2**31, 2**32, -(2**31), 2**63 - 1, -(2**63), 2**64 - 1)
DTYPES = (
    "|b1",
    "|u1",
    "<i8",
    "<f4",
    "<U2",
    "|S2",
    "<M8[ns]",
    "<m8[s]",
    "<M8[D]",
    "|O",
    "i4,f4",
    ">i4",
    "<U0",
    "",
)
TEXTS = (
    "",
    "a",
    "ns",
    "D",
    "UTC",
    "M",
    "h",
    "Europe/Berlin",
    "left",
    "python",
    "float32",
    "BF16",
    "\0",
    "../x",
)


def valid_encodings() -> list[bytes]:
    """Return sound encodings that use every tag of the format."""
    times = pd.date_range("2024", periods=3, freq="h")
    columns = [
        *(pd.Series([1, None, 3], dtype="Int64"), pd.Series(["a", None, "b"]), pd.Series([[1], "a", None])),
        *(pd.Series(["b", "a", "b"], dtype="category"), pd.Series(times.tz_localize("Europe/Berlin"))),
        *(pd.Series(times.to_period("M")), pd.cut(pd.Series([1, 2, 3]), 2), pd.Series([0.5, 1, 2])),
    ]
    pairs = pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", "y"])
    values = [
        [None, True, 1, -(2**40), 2.5, "text", b"bytes"],
        [
            1,
            (2, {3, "x"}, frozenset({4})),
            {"a": [1], (1, 2): ..., 2**90: 1j},
            range(1, 9, 2),
            slice(0, None),
        ],
        [dt.date(2024, 1, 2), dt.datetime(2024, 1, 2, 3, tzinfo=dt.UTC), dt.timedelta(1, 2, 3)],
        [np.float32(1), np.array(["a", "bc"]), np.array([[True], [False]]), np.array([1, "a", None], object)],
        [np.array(["2024"], "M8[D]"), np.zeros((0, 3)), np.arange(12.0).reshape(3, 4), np.array([b"x"])],
        [
            pd.NA,
            pd.NaT,
            pd.Timestamp("2024", tz="UTC"),
            pd.Timedelta("1h"),
            pd.Period("2024"),
            pd.Interval(0, 1),
        ],
        [
            torch.ones(2, 3, dtype=torch.bfloat16),
            torch.tensor([True]),
            Weights({"w": torch.ones(2), "b": torch.zeros(1)}),
        ],
        pd.DataFrame(dict(enumerate(columns)), index=times),
        pd.DataFrame({"a": range(4), "b": list("wxyz")}, index=pairs),
        pd.DataFrame([[1, 2, 3, 4]], columns=pairs),
        [column.rename(("n", 1)) for column in columns],
        [pd.RangeIndex(3), pd.CategoricalIndex(list("aba")), pd.interval_range(0, 3), times - times[0]],
    ]
    return [encode(value, limits=LIMITS) for value in values]


def fuzz_plain(count: int, seed: int) -> int:
    """Decode so many damaged, random and forged values; return how many of them were sound.

    Each must give NotPlain, or a value that is plain: one that encodes to the same bytes over and over.
    Anything else raises, with the input in the message.
    """
    rng = random.Random(seed)
    sound = valid_encodings()
    trees = [msgpack.unpackb(data) for data in sound]
    tags = sorted(set(_tags(trees)))
    accepted = 0
    for number in range(count):
        kind = number % 4
        if kind == 0:
            data = _damaged(rng, rng.choice(sound), rng.choice(sound))
        elif kind == 1:
            data = rng.randbytes(rng.randrange(1, 60))
        elif kind == 2:
            data = msgpack.packb(_forged(rng, tags, 4))
        else:
            data = msgpack.packb(_altered(rng, rng.choice(trees), trees, tags))
        try:
            accepted += _decodes_to_plain(data)
        except BaseException as error:
            raise AssertionError(f"{data!r} of kind {kind} gave {type(error).__name__}: {error}") from error
    return accepted


def _decodes_to_plain(data: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = decode(data, limits=LIMITS)
        except NotPlain:
            return False
        # Twice: an odd but sound form, such as a mask as wide integers, becomes the usual one.
        roomy = Limits()
        once = encode(decode(encode(value, limits=roomy), limits=roomy), limits=roomy)
        twice = encode(decode(once, limits=roomy), limits=roomy)
    if sorted(once) != sorted(twice):  # sorted: sets have no order
        raise ValueError(f"{once!r} became {twice!r}")
    return True


def _tags(trees: list) -> list[str]:
    return [tag for tree in trees if isinstance(tree, list) for tag in _tags_of(tree)]


def _tags_of(tree: list) -> list[str]:
    own = [tree[0]] if tree and isinstance(tree[0], str) else []
    return own + _tags(tree)


def _damaged(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Return bytes with a few flips, cuts, repeats and grafts."""
    damaged = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(damaged) + 1)
        match rng.randrange(5):
            case 0:
                damaged[at : at + 1] = rng.randbytes(1)
            case 1:
                del damaged[at : at + rng.randrange(1, 9)]
            case 2:
                damaged[at:at] = damaged[at : at + rng.randrange(1, 30)]
            case 3:
                start = rng.randrange(len(other))
                damaged[at : at + rng.randrange(9)] = other[start : start + rng.randrange(30)]
            case _:
                damaged[at : at + 4] = rng.choice(
                    (b"\xff\xff\xff\xff", b"\xdd\x7f\xff\xff", b"\0\0\0\0", b"\xc6")
                )
    return bytes(damaged)


def _scalar(rng: random.Random) -> object:
    return rng.choice(
        (
            *(None, True, False, rng.choice(EXTREMES), rng.randrange(9), rng.random(), float("nan")),
            *(rng.choice(DTYPES), rng.choice(TEXTS), rng.randbytes(rng.choice((0, 1, 8, 16, 24)))),
        )
    )


def _forged(rng: random.Random, tags: list[str], depth: int) -> object:
    """Return a random tree of real tags and random fields."""
    if depth == 0 or rng.random() < 0.3:
        return _scalar(rng)
    fields = [_forged(rng, tags, depth - 1) for _ in range(rng.randrange(5))]
    if rng.random() < 0.1:
        return dict(enumerate(fields)) if rng.random() < 0.5 else msgpack.ExtType(rng.randrange(127), b"x")
    return [rng.choice(tags), *fields] if rng.random() < 0.7 else fields


def _altered(rng: random.Random, tree: list, trees: list, tags: list[str]) -> list:
    """Return a sound tree with one to three places changed, each to something that could stand there."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.randrange(1, 4)):
        here = tree
        while True:
            lists = [item for item in here if isinstance(item, list) and item]
            if not lists or rng.random() < 0.3:
                break
            here = rng.choice(lists)
        at = rng.randrange(len(here))
        here[at] = copy.deepcopy(_instead(rng, here[at], trees, tags))
        if rng.random() < 0.1 and len(here) > 1:
            del here[rng.randrange(len(here))]
    return tree


def _instead(rng: random.Random, old: object, trees: list, tags: list[str]) -> object:
    """Return something like the old field, or something quite different."""
    if rng.random() < 0.3:
        return rng.choice((_scalar(rng), _forged(rng, tags, 2), rng.choice(trees), _part(rng, trees)))
    if isinstance(old, str):
        return rng.choice((*tags, *DTYPES, *TEXTS))
    if isinstance(old, bytes):
        return rng.choice((old[:-1], old + b"\0", rng.randbytes(len(old)), _damaged(rng, old or b"x", b"x")))
    if isinstance(old, int):
        return rng.choice((*EXTREMES, min(old + 1, 2**64 - 1), max(old - 1, -(2**63))))
    return _part(rng, trees)


def _part(rng: random.Random, trees: list) -> object:
    """Return a part of some sound tree."""
    part = rng.choice(trees)
    with contextlib.suppress(IndexError):
        while rng.random() < 0.7:
            part = rng.choice([item for item in part if isinstance(item, list)])
    return part
