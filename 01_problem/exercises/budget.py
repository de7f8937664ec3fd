"""Does it fit: the network on the device, and the reaction into the time there is?"""

import numpy as np

from autograder import Case, Exercise, Mistake, Unreadable
from course.deployment import devices


def fits(layers, numbers, device):
    """What a network asks of a device, and whether it fits.

    layers: DataFrame, one row a layer in the order in which they run, columns
        kind: "conv", "dense" or "pool" (which has no weights and multiplies nothing);
        in_channels, out_channels, kernel, stride, height, width, groups: int. height and
            width are those of what comes in; what goes out is smaller by the stride,
            rounded up (10 rows at stride 4 give 3). Each output channel sees
            in_channels / groups input channels. Dense is like conv with kernel 1 on
            1 x 1. Each output channel of conv and dense also has one bias.
    numbers: "int8" (1 byte each) or "float32" (4 bytes), for weights, biases, activations.
    device: dict, weight_bytes, activation_bytes, multiply_adds: int, the most it can take;
        numbers: list of str, what it can compute with.

    Returns a dict
        weight_bytes: int, weights and biases;
        multiply_adds: int, of one run, biases not counted;
        activation_bytes: int, the most that is held at once: a layer's input and output;
        fits: bool, whether the network can run on the device.
    """
    size = {"int8": 1, "float32": 4}[numbers]
    rows = -(-layers["height"] // layers["stride"])
    columns = -(-layers["width"] // layers["stride"])
    filters = layers["out_channels"] * (layers["in_channels"] // layers["groups"])
    filters = (filters * layers["kernel"] ** 2).where(layers["kind"] != "pool", 0)
    biases = layers["out_channels"].where(layers["kind"] != "pool", 0)
    comes_in = layers["in_channels"] * layers["height"] * layers["width"]
    goes_out = layers["out_channels"] * rows * columns
    asked = {
        "weight_bytes": int((filters + biases).sum()) * size,
        "multiply_adds": int((filters * rows * columns).sum()),
        "activation_bytes": int((comes_in + goes_out).max()) * size,
    }
    enough = all(asked[name] <= device[name] for name in asked)
    return asked | {"fits": enough and numbers in device["numbers"]}


def reaction_p99(log, window, frames_a_second):
    """Milliseconds from the anger to the move that 99 of 100 reactions keep.

    log: DataFrame, one row a measured reaction, one column a step (float, milliseconds):
        the wait for the next frame, then the steps of the last frame of the window, one
        after the other.
    window: int, frames in a row that are looked at before the robot decides; the log was
        taken with a window of one frame.
    frames_a_second: float, frames a second.

    Returns a float.
    """
    return np.quantile(log.sum(axis=1), 0.99) + (window - 1) * 1000 / frames_a_second


ASKED = {
    "weight_bytes": "bytes of weights",
    "multiply_adds": "multiply-adds",
    "activation_bytes": "bytes of activations",
    "fits": "which networks fit",
}
LIMITS = ("weight_bytes", "multiply_adds", "activation_bytes")
P99, ALLOWED = "the p99 of the reaction", "the longest window it allows"

# What is wrong with a network for its device, and the numbers that it computes with.
NETWORKS = (
    [("nothing", "int8")] * 3
    + [("nothing", "float32")] * 2
    + [("weight_bytes", "int8"), ("weight_bytes", "float32")]
    + [("multiply_adds", "int8")]
    + [("activation_bytes", "int8")] * 2
    + [("numbers", "float32")] * 2
)


def cases(rng):
    """Networks that miss one limit or none, each with its device; then logs of reactions."""
    pairs = [_pair(rng, wrong, numbers) for wrong, numbers in NETWORKS]
    yield Case(hidden=[pairs[i] for i in rng.permutation(len(pairs))])
    yield Case(hidden=[_world(rng, shared) for shared in (0.0, 0.1, 0.9, 0.9)])


def _pair(rng, wrong, numbers):
    """Return layers, numbers and a device whose one limit `wrong` is missed by little."""
    layers = devices.draw_network(rng)
    asked = fits(layers, numbers, {**dict.fromkeys(ASKED, 0), "numbers": []})
    device = {"numbers": ["int8"] if wrong == "numbers" else ["int8", "float32"]}
    for name in LIMITS:
        # Below twice what is needed, so that who counts operations double refuses what fits.
        low, high = (0.6, 0.9) if name == wrong else (1.1, 1.8)
        device[name] = int(asked[name] * rng.uniform(low, high))
    return layers, numbers, device


def _world(rng, shared):
    """Return a log, frames a second, and the truth: a limit, its longest window, fresh reactions.

    The limit lies half-way: that window is clearly on time, one more frame clearly late.
    """
    rate = float(rng.uniform(8, 11))
    step = 1000 / rate
    slow = {"camera": 33, "find the faces": 160, "judge the faces": 200, "motion": 240}
    p99 = {name: ms * rng.uniform(0.8, 1.3) for name, ms in slow.items()}
    p99 = {"wait for a frame": step} | p99
    while True:
        spread = rng.uniform(0.5, 0.65)
        log = devices.draw_latencies(rng, 6000, p99_ms=p99, shared=shared, spread=spread)
        fresh = devices.draw_latencies(
            rng, 12_000, p99_ms=p99, shared=shared, spread=spread
        )
        both = [np.quantile(rows.to_numpy().sum(axis=1), 0.99) for rows in (log, fresh)]
        # What a log of this length says by chance must not decide about the window.
        if abs(both[0] - both[1]) < 0.3 * step:
            break
    window = int(rng.integers(4, 9))
    limit = sum(both) / 2 + (window - 0.5) * step
    return log, rate, limit, window, fresh.to_numpy().sum(axis=1)


def run(case, fits, reaction_p99):
    """Count every network; then ask how long the reaction takes at, and beyond, the longest window."""
    if len(case.hidden) == len(NETWORKS):
        answers = [fits(*pair) for pair in case.hidden]
        for answer in answers:
            if not hasattr(answer, "keys") or set(ASKED) - set(answer.keys()):
                raise Unreadable(f"`fits` did not return a dict with {', '.join(ASKED)}.")
        return {said: [float(a[name]) for a in answers] for name, said in ASKED.items()}
    p99, late = [], []
    for log, rate, limit, window, fresh in case.hidden:
        asked = [float(reaction_p99(log, n, rate)) for n in (1, window, window + 1)]
        p99 += asked
        # The longest window that this p99 allows, and the share of fresh reactions that are late with it.
        allowed = window - 1 + sum(value <= limit for value in asked[1:])
        reactions = fresh + (allowed - 1) * 1000 / rate
        late += [allowed - window, float((reactions > limit).mean())]
    return {P99: p99, ALLOWED: late}


def good(key, got, expected):
    """Are the counts exact, the p99 within 2 %, and the window the longest that is on time?"""
    if key == P99:
        return bool(np.allclose(got, expected, rtol=0.02))
    if key == ALLOWED:
        return not any(got[::2]) and max(got[1::2]) <= 0.01
    return bool(np.array_equal(got, expected))


def same(key, got, other):
    """Are two lists of figures equal, but for rounding? The window follows from the p99 and names nothing."""
    return key != ALLOWED and bool(np.allclose(got, other, rtol=0.005, atol=1e-9))


def describe(key, got, expected):
    """Say how far the figures are off."""
    if key == ALLOWED:
        late = max(got[1::2])
        if late > 0.01:
            return f"With the window that your p99 allows, {100 * late:.1f} % of fresh reactions are late."
        return "Your p99 forbids a window that fresh reactions keep."
    if key == ASKED["fits"]:
        wrong = sum(one != two for one, two in zip(got, expected, strict=True))
        return f"You are wrong about {wrong} of {len(got)} networks."
    worst = int(
        np.argmax(np.abs(np.log(np.array(got) + 1) - np.log(np.array(expected) + 1)))
    )
    one, two = got[worst], expected[worst]
    mine = f"{one:,.0f}" if abs(one) < 1e15 else f"{one:.4g}"
    return f"For {key} you have {mine} where {two:,.0f} is right."


def _again(asked, numbers, device, but=()):
    """Return what is asked with a fresh decision; limits named in `but` are not looked at."""
    enough = all(asked[name] <= device[name] for name in LIMITS)
    right_numbers = "numbers" in but or numbers in device["numbers"]
    return asked | {"fits": enough and right_numbers}


def _weights_only(layers, numbers, device):
    asked = fits(layers, numbers, device) | {"activation_bytes": 0}
    return _again(asked, numbers, device)


def _flops(layers, numbers, device):
    asked = fits(layers, numbers, device)
    return _again(asked | {"multiply_adds": 2 * asked["multiply_adds"]}, numbers, device)


def _any_numbers(layers, numbers, device):
    return _again(fits(layers, numbers, device), numbers, device, but=("numbers",))


def _all_tensors(layers, numbers, device):
    out = -(-layers["height"] // layers["stride"]) * -(-layers["width"] // layers["stride"])
    first = (layers["in_channels"] * layers["height"] * layers["width"])[0]
    total = int(first + (layers["out_channels"] * out).sum())
    total *= 1 if numbers == "int8" else 4
    return _again(
        fits(layers, numbers, device) | {"activation_bytes": total}, numbers, device
    )


def _size_that_comes_in(layers, numbers, device):
    unstrided = fits(layers.assign(stride=1), numbers, device)["multiply_adds"]
    return _again(
        fits(layers, numbers, device) | {"multiply_adds": unstrided}, numbers, device
    )


def _no_groups(layers, numbers, device):
    whole = fits(layers.assign(groups=1), numbers, device)
    return _again(whole, numbers, device)


def _sum_of_p99s(log, window, frames_a_second):
    return log.quantile(0.99).sum() + (window - 1) * 1000 / frames_a_second


def _window_forgotten(log, window, frames_a_second):
    return np.quantile(log.sum(axis=1), 0.99)


def _one_interval_too_many(log, window, frames_a_second):
    return np.quantile(log.sum(axis=1), 0.99) + window * 1000 / frames_a_second


def _steps_apart(log, window, frames_a_second):
    """Draw each step on its own, as if a busy processor slowed only one of them."""
    rng = np.random.default_rng(0)
    total = sum(rng.permutation(log[step].to_numpy()) for step in log)
    return np.quantile(total, 0.99) + (window - 1) * 1000 / frames_a_second


def _layer_by_layer(layers, numbers, device):
    """Walk through the network as one would by hand."""
    weights = multiply_adds = peak = 0
    for layer in layers.to_dict("records"):
        rows = (layer["height"] + layer["stride"] - 1) // layer["stride"]
        columns = (layer["width"] + layer["stride"] - 1) // layer["stride"]
        if layer["kind"] != "pool":
            sees = (
                layer["in_channels"] // layer["groups"] * layer["kernel"] * layer["kernel"]
            )
            weights += layer["out_channels"] * (sees + 1)
            multiply_adds += rows * columns * layer["out_channels"] * sees
        held = layer["in_channels"] * layer["height"] * layer["width"]
        peak = max(peak, held + layer["out_channels"] * rows * columns)
    size = 4 if numbers == "float32" else 1
    ok = (
        weights * size <= device["weight_bytes"]
        and peak * size <= device["activation_bytes"]
    )
    ok = ok and multiply_adds <= device["multiply_adds"] and numbers in device["numbers"]
    return {
        "weight_bytes": weights * size,
        "multiply_adds": multiply_adds,
        "activation_bytes": peak * size,
        "fits": ok,
    }


def _by_library(layers, numbers, device):
    """Let the course's own functions count."""
    size = devices.NUMBER_BYTES[numbers]
    asked = {
        "weight_bytes": devices.weights(layers) * size,
        "multiply_adds": devices.multiply_adds(layers),
        "activation_bytes": devices.peak_activation_bytes(layers, numbers),
    }
    too_much = [name for name, value in asked.items() if value > device[name]]
    return asked | {"fits": not too_much and numbers in device["numbers"]}


def _by_rank(log, window, frames_a_second):
    """Sort the reactions and take the one that 99 of 100 do not exceed."""
    total = np.sort(log.to_numpy().sum(axis=1))
    return (
        total[int(np.ceil(0.99 * len(total))) - 1] + 1000 * (window - 1) / frames_a_second
    )


def _whole_reaction(log, window, frames_a_second):
    """Add the window to every reaction first."""
    return (
        log.assign(window=(window - 1) * 1000 / frames_a_second).sum(axis=1).quantile(0.99)
    )


exercise = Exercise(
    title="Does it fit: the device and the time",
    questions=("1.7", "1.8"),
    points=4,
    minutes=12,
    reference=(fits, reaction_p99),
    cases=cases,
    run=run,
    good=good,
    same=same,
    describe=describe,
    weights={ASKED["fits"]: 3},
    repeatable=True,
    returns="`fits`: a dict with four named values; `reaction_p99`: one number",
    praise="Weights, activations, multiply-adds and kind of number all have to fit; and your p99 is"
    " that of the whole reaction, window included.",
    right=((_layer_by_layer, _by_rank), (_by_library, _whole_reaction)),
    mistakes=(
        Mistake(
            "weights only",
            (_weights_only, reaction_p99),
            "Only the weights are held against the memory; what is held while the network runs is"
            " forgotten.",
            "Between two layers, where are the numbers that the first has computed?",
        ),
        Mistake(
            "operations for multiply-adds",
            (_flops, reaction_p99),
            "Each multiply-add is counted twice, as a multiplication and an addition.",
            "The limit is in multiply-adds: how many of these is one product that is added to a sum?",
        ),
        Mistake(
            "float on an int8 part",
            (_any_numbers, reaction_p99),
            "The kind of number is not looked at: a float network is sent to a part that only computes"
            " with int8.",
            "What does a part without floats do with a weight of 0.37?",
        ),
        Mistake(
            "all activations at once",
            (_all_tensors, reaction_p99),
            "The outputs of all layers are added up, as if none could be thrown away.",
            "When the third layer runs, who still needs the output of the first?",
        ),
        Mistake(
            "stride forgotten",
            (_size_that_comes_in, reaction_p99),
            "Multiply-adds are counted at every place of the input, whatever the stride.",
            "With a stride of 2, at how many of the 100 places of a 10 x 10 input does the filter stop?",
        ),
        Mistake(
            "groups forgotten",
            (_no_groups, reaction_p99),
            "Every output channel is taken to see all input channels, whatever the groups.",
            "In a depthwise layer, how many input channels does one output channel look at?",
        ),
        Mistake(
            "p99s added",
            (fits, _sum_of_p99s),
            "The p99 of every step is taken and these are added, as if all steps were at their slowest in"
            " the same reaction.",
            "How often does the slowest camera frame meet the slowest motion?",
        ),
        Mistake(
            "the window's own delay forgotten",
            (fits, _window_forgotten),
            "The frames of the window cost no time at all in your p99.",
            "Where is the robot in time when the last frame of its window is taken?",
        ),
        Mistake(
            "one interval too many",
            (fits, _one_interval_too_many),
            "Each frame of the window adds an interval, the first one too.",
            "How many gaps lie between five fence posts?",
        ),
        Mistake(
            "steps drawn apart",
            (fits, _steps_apart),
            "The steps are combined as if they were independent, though a busy processor slows several at"
            " once.",
            "The log has one row a reaction: what do you lose when you shuffle its columns?",
        ),
    ),
    hints=(
        "Write the four counts for one layer by hand first: what goes out, how many weights one output"
        " channel has, how often it is used, what must be held meanwhile. For the time: what is one"
        " reaction, a row or a column?",
        "Weights of conv: out_channels x in_channels / groups x kernel², and out_channels biases."
        " Multiply-adds: the weights without biases, times the places that go out. Activations: the"
        " largest input + output. For the p99, add up each row before you take the quantile.",
        "`rows = -(-height // stride)` rounds up. Times 1 or 4 bytes. It fits if all three are at most"
        " the device's and `numbers in device['numbers']`. Reaction: `np.quantile(log.sum(axis=1), 0.99)`"
        " plus `(window - 1) * 1000 / frames_a_second`.",
    ),
)
