"""The topics an interviewer can be asked about, by name, and what an unseen scenario says about them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType


@cache
def book() -> Mapping[str, dict]:
    """Return what `levels.toml` says: topic -> name, menu, says (level -> text), share where it is drawn."""
    text = (Path(__file__).parent / "levels.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


def topics() -> tuple[str, ...]:
    """Return all topics, those that teach nothing included."""
    return tuple(book())


def topic_name(topic: str) -> str:
    """Return what a topic is called, as in "what errors cost".

    Raises:
        ValueError: for an unknown topic.

    """
    return _known(topic)["name"]


def menu() -> dict[str, str]:
    """Return a plain question for each topic."""
    return {topic: entry["menu"] for topic, entry in book().items()}


def said(topic: str, level: str) -> str:
    """Return what the interviewer of an unseen scenario says about a topic.

    Raises:
        ValueError: for an unknown topic or level.

    """
    says = _known(topic)["says"]
    if level not in says:
        raise ValueError(f"level is {level!r}; accepted for {topic} are {', '.join(says)}.")
    return says[level]


def _known(topic: str) -> dict:
    if topic not in book():
        raise ValueError(f"topic is {topic!r}; accepted are {', '.join(book())}.")
    return book()[topic]
