"""Counting layers by their table gives what a real network has; latencies have the tails they are given."""

import numpy as np
import pytest

from autograder.stage import load_exercise, stage_folder
from course import scenario
from course.deployment import devices

BUDGET = load_exercise(stage_folder("01_problem") / "exercises" / "budget.py")


def _module(layers):
    """Build the torch network that a table of layers describes."""
    from torch import nn

    parts = []
    for row in layers.itertuples():
        if row.kind == "conv":
            half = row.kernel // 2
            parts.append(
                nn.Conv2d(row.in_channels, row.out_channels, row.kernel, row.stride, half, groups=row.groups)
            )
        elif row.kind == "pool":
            parts.append(nn.AvgPool2d(row.kernel, row.stride, ceil_mode=True))
        else:
            parts += [nn.Flatten(), nn.Linear(row.in_channels, row.out_channels)]
    return nn.Sequential(*parts)


def _measured(layers):
    """Run the torch network once and return weights, multiply-adds and most numbers held, from hooks."""
    import torch
    from torch import nn

    network, counted = _module(layers), {"adds": 0, "held": 0}

    def look(module, inputs, output):
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            # One output number is the product of so many inputs with so many weights.
            counted["adds"] += output.numel() * module.weight[0].numel()
        counted["held"] = max(counted["held"], inputs[0].numel() + output.numel())

    for module in network:
        if not isinstance(module, nn.Flatten):
            module.register_forward_hook(look)
    first = layers.iloc[0]
    with torch.no_grad():
        network(torch.zeros(1, first["in_channels"], first["height"], first["width"]))
    return sum(p.numel() for p in network.parameters()), counted["adds"], counted["held"]


@pytest.mark.parametrize("seed", range(12))
def test_counts_are_those_of_the_torch_network(seed):
    layers = devices.draw_network(np.random.default_rng(seed))
    weights, adds, held = _measured(layers)
    assert devices.weights(layers) == weights
    assert devices.multiply_adds(layers) == adds
    assert devices.peak_activation_bytes(layers) == held
    assert devices.peak_activation_bytes(layers, "float32") == 4 * held


def test_the_small_network_is_a_torch_network_too():
    layers = devices.small_network()
    assert (devices.weights(layers), devices.multiply_adds(layers)) == _measured(layers)[:2]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("numbers", ["int8", "float32"])
def test_the_answers_of_the_budget_count_like_torch(seed, numbers):
    layers = devices.draw_network(np.random.default_rng(100 + seed))
    size = devices.NUMBER_BYTES[numbers]
    weights, adds, held = _measured(layers)
    fitting = {"weight_bytes": weights * size, "multiply_adds": adds, "activation_bytes": held * size}
    for fits, _ in (BUDGET.reference, *BUDGET.right):
        answer = fits(layers, numbers, fitting | {"numbers": ["int8", "float32"]})
        assert answer == fitting | {"fits": True}
        for name in fitting:
            short = fitting | {name: fitting[name] - 1, "numbers": ["int8", "float32"]}
            assert not fits(layers, numbers, short)["fits"]
        other = "int8" if numbers == "float32" else "float32"
        assert not fits(layers, numbers, fitting | {"numbers": [other]})["fits"]


def test_every_random_network_has_depthwise_strided_and_odd_layers_somewhere():
    tables = [devices.draw_network(np.random.default_rng(seed)) for seed in range(30)]
    assert any((t["groups"] > 2).any() for t in tables)
    assert any((t["groups"] == 2).any() for t in tables)
    assert any((t["height"] % t["stride"] != 0).any() for t in tables)
    assert all(t["kind"].iloc[-1] == "dense" for t in tables)


def test_the_robot_offers_what_the_scenario_says():
    robot = devices.DEVICES["robot"]
    assert (robot.weight_bytes, robot.multiply_adds) == (scenario.WEIGHT_BYTES, scenario.MULTIPLY_ADDS)
    eight_faces = 8 * robot.multiply_adds / 1e6 * robot.ms_per_million
    assert eight_faces == pytest.approx(scenario.STEPS_MS["eight faces"])


def test_the_microcontroller_takes_int8_only_and_the_time_of_visual_wake_words():
    chip = devices.DEVICES["microcontroller"]
    assert chip.numbers == ("int8",)
    assert "1906.05721" in chip.source
    assert chip.multiply_adds / 1e6 * chip.ms_per_million == pytest.approx(1300)


def test_latencies_have_the_p99_and_the_correlation_asked_for():
    rng = np.random.default_rng(1)
    drawn = devices.draw_latencies(rng, 60_000, shared=0.6, spread=0.5)
    p99 = drawn.quantile(0.99)
    for name, slow in scenario.STEPS_MS.items():
        assert p99[name] == pytest.approx(slow, rel=0.05), name
    logs = np.log(drawn.drop(columns="wait for a frame"))
    assert logs.corr().to_numpy()[np.triu_indices(4, 1)] == pytest.approx(0.6, abs=0.02)
    assert drawn["motion"].mean() > 1.1 * drawn["motion"].median(), "a long tail"


def test_p99s_add_up_only_where_steps_are_slow_together():
    slow = {"camera": 33.0, "find": 60.0, "motion": 200.0}
    rng = np.random.default_rng(2)
    together = devices.draw_latencies(rng, 60_000, p99_ms=slow, shared=1.0).sum(axis=1).quantile(0.99)
    apart = devices.draw_latencies(rng, 60_000, p99_ms=slow, shared=0.0).sum(axis=1).quantile(0.99)
    assert together == pytest.approx(293, rel=0.03)
    assert apart < 0.9 * 293


def test_the_same_seed_draws_the_same():
    for draw in (lambda rng: devices.draw_latencies(rng, 50), devices.draw_network):
        assert draw(np.random.default_rng(5)).equals(draw(np.random.default_rng(5)))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda good: devices.weights(good.drop(columns="groups")), "layers lacks the columns groups"),
        (lambda good: devices.multiply_adds(good.assign(kind="lstm")), "layers has the kinds"),
        (lambda good: devices.weights(good.assign(stride=0)), "layers holds 0"),
        (lambda good: devices.weights(good.assign(groups=7)), "layers cuts channels into 7 groups"),
        (lambda good: devices.peak_activation_bytes(good, "int4"), "numbers is 'int4'"),
        (lambda good: devices.small_network(8), "side is 8"),
        (lambda good: devices.small_network(channels=0), "channels is 0"),
        (lambda good: devices.draw_latencies(np.random.default_rng(0), 0), "n is 0"),
        (lambda good: devices.draw_latencies(np.random.default_rng(0), 5, shared=2), "shared is 2"),
    ],
)
def test_an_error_names_the_argument_and_what_is_accepted(call, named):
    with pytest.raises(ValueError, match=r"accepted (is|are)") as error:
        call(devices.small_network())
    assert str(error.value).startswith(named)
