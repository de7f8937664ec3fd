"""What a scenario consists of, what each design costs in it, and the best design for what is known.

A world is one combination of levels, one for each variable; `levels.toml` says in words what they mean and
how common they are. A design is one combination of decisions. Euros a year are computed for all designs at
once. Nothing here is a measurement: the sizes are chosen so that every question matters somewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from types import MappingProxyType

import numpy as np

from course.interview.topics import book

LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "use": ("robot", "vehicle", "photos", "calls", "school"),
        "after": ("gives way", "averts danger", "on record"),
        "people": ("public", "public and staff", "workers", "pupils", "owners"),
        "several": ("one", "many"),
        "speed": ("seconds", "minutes", "overnight"),
        "hardware": ("chip", "small", "strong"),
        "costs": ("misses", "even", "alarms"),
        "rate": ("rare", "some", "often"),
        "light": ("steady", "changing"),
        "occlusion": ("free", "covered"),
        "data": ("none", "some", "much"),
        "existing": ("none", "unsuited", "suits"),
        "privacy": ("stays", "may leave"),
        "upkeep": ("nobody", "a team"),
    }
)
"""Variables of a world and their levels."""

DERIVED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"law": ("prohibited", "leave staff out", "high-risk"), "success": ("find most", "balance", "few alarms")}
)
"""What follows from other variables: law from people and action; success from costs, action and rate."""

DECISIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "scope": ("as asked", "staff left out", "changed, without emotions from faces", "declined"),
        "size": ("tiny", "medium", "large"),
        "unit": ("whole image", "each face"),
        "conditions": ("ordinary", "robust"),
        "source": ("bought", "fine-tuned", "own"),
        "alarm": ("early", "middling", "late", "very late"),
    }
)
"""What a designer decides, and the choices; only the first two scopes leave the others open."""

# Euros a year unless said.
_ANGRY = 50_000.0
_MISS = np.array([6.0, 3.0, 2.0])
_ALARM = np.array([0.1, 0.5, 2.0])
_ACTION = np.array([0.5, 1.0, 4.0])
_SHARE = np.array([0.01, 0.05, 0.3])
_UNLAWFUL, _BREACH, _DUTIES = 500_000.0, 200_000.0, 3_000.0
_SIZE_COST = np.array([2_000.0, 4_000.0, 6_000.0])
_SOURCE_COST = np.array([3_000.0, 5_000.0, 8_000.0])
_FACES_COST, _ROBUST_COST, _LEAVE_OUT_COST, _SERVER_COST, _CHANGED_COST = (
    5_000.0,
    6_000.0,
    4_000.0,
    6_000.0,
    6_000.0,
)
# How far angry and calm scores lie apart, in standard deviations, and what adds to it.
_SIZE = np.array([2.1, 2.8, 3.6])
_BOUGHT = np.array([-2.0, -0.9, 0.0])
_TUNED = np.array([-1.2, 0.1, 0.3])
_OWN = np.array([-2.0, -0.5, 0.6])
_LOG_ODDS = np.array([-2.0, 0.5, 3.0, 5.5])


@cache
def designs() -> Mapping[str, np.ndarray]:
    """Return all designs: decision -> index of its choice, int [designs]."""
    open_choices = [
        range(2),
        *(range(len(choices)) for name, choices in DECISIONS.items() if name != "scope"),
    ]
    rows = [*product(*open_choices), *((scope, 0, 0, 0, 0, 0) for scope in (2, 3))]
    return MappingProxyType(dict(zip(DECISIONS, np.array(rows).T, strict=True)))


def design_in_words(index: int) -> dict[str, str]:
    """Return one design as decision -> choice; without the technical ones where nothing is built."""
    chosen = {name: DECISIONS[name][int(column[index])] for name, column in designs().items()}
    built = chosen["scope"] in DECISIONS["scope"][:2]
    return chosen if built else {"scope": chosen["scope"]}


def derived(worlds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return law and success of worlds given as variable -> level index, int [n]."""
    people, after = worlds["people"], worlds["after"]
    judged = np.isin(people, (2, 3)) & (after != 1)
    law = np.where(judged, 0, np.where((people == 1) & (after != 1), 1, 2))
    share = _SHARE[worlds["rate"]]
    alarm = _ALARM[worlds["costs"]] * _ACTION[after]
    odds = np.log(alarm * (1 - share) / (_MISS[worlds["costs"]] * share))
    return {"law": law, "success": np.digitize(odds, (0.8, 3.0))}


def yearly_costs(worlds: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return euros a year of every design in every world, float [worlds, designs].

    Args:
        worlds: variable -> level index, int [worlds], for each of `LEVELS`.

    """
    found, false, fixed = (part[_scene(worlds), _place(worlds)] for part in _built())
    share = _SHARE[worlds["rate"]]
    angry_cost = _ANGRY * _MISS[worlds["costs"]]
    calm_cost = _ANGRY * (1 - share) / share * _ALARM[worlds["costs"]] * _ACTION[worlds["after"]]
    law = derived(worlds)["law"]
    saved, spent = angry_cost[:, None] * found, calm_cost[:, None] * false + fixed + angry_cost[:, None]
    as_asked = spent - saved + _UNLAWFUL * (law < 2)[:, None]
    left_out = spent - 0.92 * saved + _LEAVE_OUT_COST + _UNLAWFUL * (law == 0)[:, None]
    changed = 0.85 * angry_cost + _CHANGED_COST
    return np.concatenate([as_asked, left_out, changed[:, None], angry_cost[:, None]], axis=1)


_SCENE = ("existing", "data", "light", "occlusion", "several", "upkeep")
_PLACE = ("hardware", "speed", "privacy")


def _number(worlds: Mapping[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    return np.ravel_multi_index([worlds[name] for name in names], [len(LEVELS[name]) for name in names])


def _scene(worlds: Mapping[str, np.ndarray]) -> np.ndarray:
    return _number(worlds, _SCENE)


def _place(worlds: Mapping[str, np.ndarray]) -> np.ndarray:
    return _number(worlds, _PLACE)


@cache
def _built() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what each technical design achieves, each [scenes, places, designs of one scope].

    Share of anger found in time; share of calm faces alarmed; fixed euros a year.
    """
    design = {name: column[designs()["scope"] == 0] for name, column in designs().items()}
    scene = _table(_SCENE)
    place = _table(_PLACE)
    found, false = _rates(_separation(scene, design), _LOG_ODDS[design["alarm"]])
    works, in_time, fixed = _running(place, design)
    return (
        found[:, None] * (works * in_time)[None],
        false[:, None] * works[None],
        np.broadcast_to(fixed[None], (len(found), *fixed.shape)),
    )


def _table(names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return all combinations of levels in the order of `_number`, int [combinations, 1] for each name."""
    shape = [len(LEVELS[name]) for name in names]
    return {name: index.reshape(-1, 1) for name, index in zip(names, np.indices(shape), strict=True)}


def _separation(scene: Mapping[str, np.ndarray], design: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return how far angry and calm scores lie apart, in standard deviations, float [scenes, designs]."""
    robust = np.where(design["conditions"] == 1, 0.1, 0.5)
    source = np.select(
        [design["source"] == 0, design["source"] == 1],
        [_BOUGHT[scene["existing"]], _TUNED[scene["data"]] - 0.3 * (scene["existing"] == 0)],
        _OWN[scene["data"]],
    )
    apart = (
        _SIZE[design["size"]]
        + source
        - robust * (scene["light"] + scene["occlusion"])
        - 1.2 * ((scene["several"] == 1) & (design["unit"] == 0))
        - 0.4 * ((scene["upkeep"] == 0) & (design["source"] != 0))
    )
    return np.maximum(apart, 0.05)


def _rates(apart: np.ndarray, log_odds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of anger found and of calm faces alarmed, for scores with normal distributions."""
    from scipy.special import ndtr

    return ndtr(apart / 2 - log_odds / apart), ndtr(-apart / 2 - log_odds / apart)


def _running(
    place: Mapping[str, np.ndarray], design: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return whether it runs at all (0 or 1), the share of answers in time, and fixed euros a year."""
    sent = (design["size"] == 2) & (place["hardware"] < 2)
    works = ~((design["size"] == 1) & (place["hardware"] == 0))
    in_time = np.where(sent & (place["speed"] == 0), 0.35, 1.0)
    fixed = (
        _SIZE_COST[design["size"]]
        + _SOURCE_COST[design["source"]]
        + _FACES_COST * design["unit"]
        + _ROBUST_COST * design["conditions"]
        + _SERVER_COST * sent
        + _BREACH * (sent & (place["privacy"] == 0))
        + _DUTIES
    )
    return works.astype(float), in_time, fixed


@cache
def prior(variable: str) -> np.ndarray:
    """Return how common each level is, float [uses, levels]; for "use" itself float [1, uses]."""
    shares = book()[variable]["share"]
    rows = [shares] if isinstance(shares, list) else [shares[use] for use in LEVELS["use"]]
    table = np.array(rows, dtype=float)
    if table.shape != (len(rows), len(LEVELS[variable])) or not np.allclose(table.sum(axis=1), 1):
        raise ValueError(f"levels.toml: share of {variable!r} is {shares}; accepted are shares with sum 1.")
    return table


def draw_worlds(rng: np.random.Generator, n: int, use: int) -> dict[str, np.ndarray]:
    """Return n worlds of one use, variable -> level index, int [n], in random order.

    People with action, and costs with rate, are drawn so that each combination occurs about as often as its
    share says; otherwise few worlds would differ much in how many of them are unlawful.
    """
    worlds = {"use": np.full(n, use)}
    for pair in (("people", "after"), ("costs", "rate")):
        first, second = (_shares(name, use) for name in pair)
        ends = np.outer(first, second).ravel().cumsum()
        cells = np.searchsorted(ends, (np.arange(n) + rng.random()) / n).clip(max=len(ends) - 1)
        worlds |= dict(zip(pair, np.divmod(rng.permutation(cells), len(second)), strict=True))
    for name in LEVELS:
        if name not in worlds:
            ends = _shares(name, use).cumsum()
            worlds[name] = np.searchsorted(ends, rng.random(n)).clip(max=len(ends) - 1)
    return worlds


_CROSSED = ("after", "costs", "rate")
"""Variables of which every combination is thought of: a rare one can cost more than all others together."""

_TIMES = 2


@cache
def _thinkable() -> tuple[Mapping[str, np.ndarray], np.ndarray]:
    """Return the worlds that stand for what is not known, always the same ones, and the weight of each."""
    rng = np.random.default_rng(20_240)
    parts = [_spread(rng, use) for use in range(len(LEVELS["use"]))]
    worlds = {name: np.concatenate([part[0][name] for part in parts]) for name in LEVELS}
    return MappingProxyType(worlds), np.concatenate([part[1] for part in parts])


def _spread(rng: np.random.Generator, use: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return worlds of one use and their weights.

    All combinations of the crossed variables, weighted by their shares; of the others each level as often as
    its share says, in random order.
    """
    worlds = {name: np.repeat(column.ravel(), _TIMES) for name, column in _table(_CROSSED).items()}
    count = len(worlds["rate"])
    weight = np.full(count, prior("use")[0][use])
    places = (np.arange(count) + 0.5) / count
    for name in list(LEVELS)[1:]:
        shares = _shares(name, use)
        if name in _CROSSED:
            weight = weight * shares[worlds[name]]
        else:
            worlds[name] = np.searchsorted(shares.cumsum(), rng.permutation(places)).clip(max=len(shares) - 1)
    return {"use": np.full(count, use), **worlds}, weight


def _shares(name: str, use: int | np.ndarray) -> np.ndarray:
    return np.broadcast_to(prior(name), (len(LEVELS["use"]), len(LEVELS[name])))[use]


def expected_costs(known: Mapping[str, int]) -> np.ndarray:
    """Return euros a year of every design, expected over the worlds that fit what is known, float [designs].

    Args:
        known: level index of each topic that is known; a topic of `LEVELS` or `DERIVED`.

    """
    worlds, weight = _thinkable()
    worlds = dict(worlds)
    for name in set(LEVELS) & set(known):
        if name == "use":
            weight = weight * (worlds["use"] == known["use"])
        else:
            # What is known holds in every world; how common it is for a use tells about the use.
            weight = weight * _shares(name, worlds["use"])[:, known[name]]
            worlds[name] = np.full(len(weight), known[name])
    follows = derived(worlds)
    for name in set(DERIVED) & set(known):
        fits = weight * (follows[name] == known[name])
        weight = fits if fits.any() else weight
    keep = weight > 0
    costs = yearly_costs({name: column[keep] for name, column in worlds.items()})
    return weight[keep] @ costs / weight[keep].sum()


def best_design(known: Mapping[str, int]) -> int:
    """Return the number of the design with the least expected cost, given what is known."""
    return int(expected_costs(known).argmin())


def regret(world: Mapping[str, int], topics: Sequence[str]) -> float:
    """Return euros a year by which the best design for these facts costs more than the best there is.

    Args:
        world: level index of each variable.
        topics: what was learned, as a set; topics without a variable teach nothing.

    """
    one = {name: np.array([world[name]]) for name in LEVELS}
    costs = yearly_costs(one)[0]
    return float(costs[best_design(known_levels(world, topics))] - costs.min())


def known_levels(world: Mapping[str, int], topics: Sequence[str]) -> dict[str, int]:
    """Return the level index of each of these topics in a world; topics without a variable are left out."""
    one = {name: np.array([world[name]]) for name in LEVELS}
    levels = {name: int(column[0]) for name, column in (one | derived(one)).items()}
    return {name: levels[name] for name in topics if name in levels}
