"""Devices and what a network asks of them: weights, multiply-adds, memory while it runs, time.

A network is a table, one row a layer, in the order in which they run; see `LAYER_COLUMNS`. Knows nothing of
faces or grading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course import scenario

LAYER_COLUMNS: dict[str, str] = {
    "kind": "str, conv, dense or pool",
    "in_channels": "int, channels that come in; of a dense layer, the numbers that come in",
    "out_channels": "int, channels that go out",
    "kernel": "int, side of the square window; 1 for dense",
    "stride": "int, step of the window; a side that goes out is the one that comes in / stride, rounded up",
    "height": "int, rows that come in; 1 for dense",
    "width": "int, columns that come in; 1 for dense",
    "groups": "int, parts into which the channels are cut; in_channels of them make a depthwise layer",
}
"""The columns of a table of layers. Each layer but pool also has one bias for each channel that goes out."""

NUMBER_BYTES: dict[str, int] = {"int8": 1, "float32": 4}
"""Bytes that one weight, or one activation, takes."""


@dataclass(frozen=True)
class Device:
    """What one device offers.

    weight_bytes: bytes for weights.
    activation_bytes: bytes for what is held while a network runs.
    multiply_adds: multiply-adds a face that leave time for the rest.
    numbers: the kinds of numbers it computes with, keys of `NUMBER_BYTES`.
    ms_per_million: milliseconds that a million multiply-adds take, about.
    source: where the figures come from.
    """

    weight_bytes: int
    activation_bytes: int
    multiply_adds: int
    numbers: tuple[str, ...]
    ms_per_million: float
    source: str


# Time a face in the scenario, by the multiply-adds it allows.
_ARM_MS = scenario.STEPS_MS["eight faces"] / scenario.FACES_AT_PEAK / (scenario.MULTIPLY_ADDS / 1e6)

DEVICES: dict[str, Device] = {
    "robot": Device(
        weight_bytes=scenario.WEIGHT_BYTES,
        activation_bytes=4_000_000,
        multiply_adds=scenario.MULTIPLY_ADDS,
        numbers=("int8", "float32"),
        ms_per_million=_ARM_MS,
        source="the scenario: one core of an Arm processor; memory for activations is our choice",
    ),
    "microcontroller": Device(
        weight_bytes=500_000,
        activation_bytes=250_000,
        multiply_adds=60_000_000,
        numbers=("int8",),
        ms_per_million=1300 / 60,
        source="memory, multiply-adds and time (about 1.3 s on an STM32): Visual Wake Words, "
        "arXiv 1906.05721; bytes for weights are our choice",
    ),
    "server": Device(
        weight_bytes=8_000_000_000,
        activation_bytes=8_000_000_000,
        multiply_adds=100_000_000_000,
        numbers=("int8", "float32"),
        ms_per_million=0.001,
        source="our choice, of the size of a graphics processor",
    ),
}
"""The robot of the lobby, the microcontroller of the driver scenario, and a server."""


def weights(layers: pd.DataFrame) -> int:
    """Return the number of weights, biases included.

    Args:
        layers: table with the columns of `LAYER_COLUMNS`.

    Raises:
        ValueError: when a column is missing or a value is outside its range.

    """
    _check(layers)
    return int((_filters(layers) + layers["out_channels"])[layers["kind"] != "pool"].sum())


def multiply_adds(layers: pd.DataFrame) -> int:
    """Return the multiply-adds of one run; each is two floating-point operations. Pooling has none.

    Args:
        layers: table with the columns of `LAYER_COLUMNS`.

    Raises:
        ValueError: when a column is missing or a value is outside its range.

    """
    _check(layers)
    rows, columns = _sides_out(layers)
    return int((_filters(layers) * rows * columns)[layers["kind"] != "pool"].sum())


def peak_activation_bytes(layers: pd.DataFrame, numbers: str = "int8") -> int:
    """Return the most bytes held at once: what goes into a layer and what comes out of it.

    Args:
        layers: table with the columns of `LAYER_COLUMNS`.
        numbers: a key of `NUMBER_BYTES`.

    Raises:
        ValueError: when a column is missing, a value is outside its range, or `numbers` is unknown.

    """
    _check(layers)
    if numbers not in NUMBER_BYTES:
        raise ValueError(f"numbers is {numbers!r}; accepted are {', '.join(NUMBER_BYTES)}.")
    rows, columns = _sides_out(layers)
    comes_in = layers["in_channels"] * layers["height"] * layers["width"]
    goes_out = layers["out_channels"] * rows * columns
    return int((comes_in + goes_out).max()) * NUMBER_BYTES[numbers]


def run_ms(layers: pd.DataFrame, device: Device) -> float:
    """Return milliseconds that one run of a network takes on a device, about.

    Args:
        layers: table with the columns of `LAYER_COLUMNS`.
        device: where it runs.

    Raises:
        ValueError: when a column is missing or a value is outside its range.

    """
    return multiply_adds(layers) / 1e6 * device.ms_per_million


def small_network(side: int = 48, channels: int = 16) -> pd.DataFrame:
    """Return the layers of a small network for one grey face: four convolutions and a dense layer.

    Args:
        side: pixels on a side of the face, 16 or more.
        channels: channels of the first convolution, 1 or more; each later one has twice as many.

    Raises:
        ValueError: when an argument is outside its range.

    """
    if side < 16:
        raise ValueError(f"side is {side}; accepted is 16 or more.")
    if channels < 1:
        raise ValueError(f"channels is {channels}; accepted is 1 or more.")
    rows, before = [], 1
    for step in range(4):
        after = channels * 2**step
        rows.append(("conv", before, after, 3, 2, side, side, 1))
        before, side = after, -(-side // 2)
    rows.append(("pool", before, before, side, side, side, side, 1))
    rows.append(("dense", before, 1, 1, 1, 1, 1, 1))
    return pd.DataFrame(rows, columns=list(LAYER_COLUMNS))


def draw_network(rng: np.random.Generator) -> pd.DataFrame:
    """Return the layers of a random network for one grey face, a dense layer last.

    Plain, grouped and depthwise convolutions of several strides, on sides that are no round numbers.
    """
    height, width = (int(side) for side in rng.integers(36, 100, 2))
    rows: list[tuple] = []

    def add(kind: str, before: int, after: int, kernel: int, stride: int, groups: int) -> None:
        nonlocal height, width
        rows.append((kind, before, after, kernel, stride, height, width, groups))
        height, width = -(-height // stride), -(-width // stride)

    channels = 1
    for step in range(int(rng.integers(3, 6))):
        after = int(rng.choice([8, 12, 16, 24, 32]))
        stride = int(rng.integers(1, 4)) if step else 2
        kernel = int(rng.choice([3, 5]))
        if step and rng.random() < 0.5:
            add("conv", channels, channels, kernel, stride, channels)
            add("conv", channels, after, 1, 1, 1)
        else:
            add("conv", channels, after, kernel, stride, 2 if step and rng.random() < 0.5 else 1)
        channels = after
        if step == 1:
            add("pool", channels, channels, 2, 2, 1)
    rows.append(("dense", channels * height * width, 1, 1, 1, 1, 1, 1))
    return pd.DataFrame(rows, columns=list(LAYER_COLUMNS))


def draw_latencies(
    rng: np.random.Generator,
    n: int,
    *,
    p99_ms: Mapping[str, float] = scenario.STEPS_MS,
    shared: float = 0.5,
    spread: float = 0.5,
) -> pd.DataFrame:
    """Return how long the steps of n reactions take; mostly fast, sometimes very slow.

    A step named "wait for a frame" is drawn evenly up to its longest. The others are log-normal.

    Args:
        rng: source of randomness.
        n: number of reactions, 1 or more.
        p99_ms: step -> milliseconds that 99 of 100 keep; for "wait for a frame", the longest.
        shared: correlation 0-1 of the logarithms of any two steps: a busy processor slows them all.
        spread: standard deviation of the logarithm of a step's time, 0 or more.

    Returns:
        Table, one row a reaction, one column (float, milliseconds) a step.

    Raises:
        ValueError: when an argument is outside its range.

    """
    for name, value, low, high in (
        ("n", n, 1, np.inf),
        ("spread", spread, 0, np.inf),
        ("shared", shared, 0, 1),
    ):
        if not low <= value <= high:
            accepted = f"{low:g} or more" if np.isinf(high) else f"{low:g} to {high:g}"
            raise ValueError(f"{name} is {value}; accepted is {accepted}.")
    busy = rng.standard_normal(n)
    steps = {}
    for name, slow in p99_ms.items():
        if name == "wait for a frame":
            steps[name] = rng.uniform(0, slow, n)
            continue
        own = rng.standard_normal(n)
        normal = np.sqrt(shared) * busy + np.sqrt(1 - shared) * own
        # 2.326 is the normal's 99 % quantile.
        steps[name] = slow * np.exp(spread * (normal - 2.326))
    return pd.DataFrame(steps)


def _filters(layers: pd.DataFrame) -> pd.Series:
    """Return the weights of each layer without biases, as if every layer had some."""
    return layers["out_channels"] * (layers["in_channels"] // layers["groups"]) * layers["kernel"] ** 2


def _sides_out(layers: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return -(-layers["height"] // layers["stride"]), -(-layers["width"] // layers["stride"])


def _check(layers: pd.DataFrame) -> None:
    missing = [name for name in LAYER_COLUMNS if name not in layers]
    if missing:
        raise ValueError(
            f"layers lacks the columns {', '.join(missing)}; accepted are {', '.join(LAYER_COLUMNS)}."
        )
    unknown = sorted(set(layers["kind"]) - {"conv", "dense", "pool"})
    if unknown or not len(layers):
        raise ValueError(f"layers has the kinds {unknown}; accepted are one or more of conv, dense and pool.")
    numbers = layers[[name for name in LAYER_COLUMNS if name != "kind"]]
    if (numbers < 1).any(axis=None):
        raise ValueError(f"layers holds {numbers.min(axis=None)}; accepted are whole numbers of 1 or more.")
    uneven = layers[
        (layers["in_channels"] % layers["groups"] != 0) | (layers["out_channels"] % layers["groups"] != 0)
    ]
    if len(uneven):
        groups = uneven["groups"].iloc[0]
        raise ValueError(
            f"layers cuts channels into {groups} groups; accepted is a divisor of both channel counts."
        )
