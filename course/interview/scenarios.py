"""Scenarios as data: the written ones, a file each, and unseen ones that are drawn."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from course import scenario as lobby
from course.interview.topics import book, said
from course.interview.world import DERIVED, LEVELS, derived, draw_worlds

WORTH: tuple[str, ...] = ("decides", "shapes", "little")
"""What a fact can be worth in a written scenario: to the design, to its details, or hardly anything."""

_FOLDER = Path(__file__).parent / "scenarios"


@dataclass(frozen=True)
class Fact:
    """What the interviewer says about one topic.

    text: the words.  follows: what follows from it.  worth: one of `WORTH`. Both "" in drawn scenarios.
    """

    text: str
    follows: str = ""
    worth: str = ""


@dataclass(frozen=True)
class Scenario:
    """One hidden scenario.

    title: a short name.  opening: the vague request that an interview starts with.
    facts: topic -> `Fact`.  world: variable -> level index, what is true.  outcome: the honest end, in words.
    """

    title: str
    opening: str
    facts: Mapping[str, Fact]
    world: Mapping[str, int]
    outcome: str = ""


def scenario_names() -> tuple[str, ...]:
    """Return the names of the written scenarios."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.toml")))


@cache
def load_scenario(name: str) -> Scenario:
    """Return one written scenario.

    Raises:
        ValueError: for an unknown name, or when the file contradicts itself; the message says where.

    """
    if name not in scenario_names():
        raise ValueError(f"name is {name!r}; accepted are {', '.join(scenario_names())}.")
    read = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    facts, world = {}, {}
    for topic, entry in read["facts"].items():
        choices = LEVELS.get(topic) or DERIVED.get(topic, ())
        if entry["level"] not in choices or entry["worth"] not in WORTH:
            given = f"{entry['level']!r}, {entry['worth']!r}"
            raise ValueError(f"{name}.toml: {topic} has {given}; accepted are {choices} and {WORTH}.")
        facts[topic] = Fact(entry["text"].format_map(_numbers()), entry["follows"], entry["worth"])
        if topic in LEVELS:
            world[topic] = choices.index(entry["level"])
    follows = derived({topic: np.array([level]) for topic, level in world.items()})
    for topic, levels in DERIVED.items():
        level = levels[int(follows[topic][0])]
        if level != read["facts"][topic]["level"]:
            raise ValueError(
                f"{name}.toml: {topic} is {read['facts'][topic]['level']!r}; accepted is {level!r}."
            )
    facts |= {
        topic: Fact(entry["says"]["any"], "", "little")
        for topic, entry in book().items()
        if topic not in facts
    }
    return Scenario(
        read["title"], read["opening"], MappingProxyType(facts), MappingProxyType(world), read["outcome"]
    )


def draw_scenarios(rng: np.random.Generator, n: int) -> list[Scenario]:
    """Return n unseen scenarios, every use about equally often, in random order."""
    uses = len(LEVELS["use"])
    scenarios = []
    for use in range(uses):
        count = (n + uses - 1 - use) // uses
        worlds = draw_worlds(rng, count, use)
        follows = derived(worlds)
        scenarios += [
            _drawn({name: int(column[k]) for name, column in (worlds | follows).items()})
            for k in range(count)
        ]
    return [scenarios[k] for k in rng.permutation(n)]


def _drawn(levels: Mapping[str, int]) -> Scenario:
    choices = {**LEVELS, **DERIVED}
    facts = {
        topic: Fact(said(topic, choices[topic][levels[topic]] if topic in choices else "any"))
        for topic in book()
    }
    world = {name: levels[name] for name in LEVELS}
    return Scenario("An unseen scenario", load_scenario("lobby").opening, MappingProxyType(facts), world)


def _numbers() -> dict[str, object]:
    """Return the numbers of the lobby by name, some in units that read better."""
    numbers = {name: value for name, value in vars(lobby).items() if name.isupper()}
    return numbers | {
        "WEIGHT_KB": lobby.WEIGHT_BYTES // 1000,
        "MULTIPLY_ADDS_M": lobby.MULTIPLY_ADDS // 1_000_000,
        "ANGRY_PERCENT": f"{100 * lobby.ANGRY_VISITS:g}",
    }
