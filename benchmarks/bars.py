"""The table that every benchmark prints: a figure, its bar, and whether the bar was met."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure; `met` is None for a figure that is shown without a bar."""

    name: str
    value: str
    bar: str = ""
    met: bool | None = None


def at_least(name: str, value: float, bar: float, unit: str = "") -> Figure:
    """Return the figure of a value that must not fall below its bar."""
    return Figure(name, f"{value:.3g}{unit}", f">= {bar:.3g}{unit}", value >= bar)


def at_most(name: str, value: float, bar: float, unit: str = "") -> Figure:
    """Return the figure of a value that must not exceed its bar."""
    return Figure(name, f"{value:.3g}{unit}", f"<= {bar:.3g}{unit}", value <= bar)


def within(name: str, value: float, target: float, relative: float) -> Figure:
    """Return the figure of a value that must lie within a relative distance of its target."""
    close = abs(value - target) <= relative * abs(target)
    return Figure(name, f"{value:.4g}", f"{target:.4g} +- {relative:.0%}", close)


def report(title: str, figures: list[Figure]) -> int:
    """Print the figures as a table; return the process exit status (1 when a bar is missed)."""
    name_width = max(len(figure.name) for figure in figures)
    value_width = max(len(figure.value) for figure in figures)
    bar_width = max(len(figure.bar) for figure in figures)
    print(title)
    for figure in figures:
        word = {True: "met", False: "MISSED", None: ""}[figure.met]
        line = f"  {figure.name:<{name_width}}  {figure.value:>{value_width}}"
        print(f"{line}  {figure.bar:<{bar_width}}  {word}".rstrip())
    return int(any(figure.met is False for figure in figures))
