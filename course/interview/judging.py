"""What a set of facts is good for: the design it allows, and what that costs beyond the best one."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from course.interview.scenarios import Scenario
from course.interview.topics import topic_name
from course.interview.world import DECISIONS, LEVELS, best_design, design_in_words, regret


@dataclass(frozen=True)
class Judgement:
    """What the facts of an interview allow.

    design: decision -> choice, the best one for who knows these facts and no others.
    best: likewise for who knows everything.
    regret: euros a year by which the first costs more than the second.
    regret_without: the same for who asked nothing.
    missing: the topics, at most three, that would have lowered the regret most, each asked in addition.
    outcome: the honest end of the scenario, in words; "" where none is written down.
    """

    design: dict[str, str]
    best: dict[str, str]
    regret: float
    regret_without: float
    missing: tuple[str, ...]
    outcome: str

    def __str__(self) -> str:
        """Return the judgement in words."""
        return "\n".join(self._lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in self._lines())
        return f'<div style="max-width: 44em">{lines}</div>'

    def _lines(self) -> list[str]:
        lines = [
            f"With what you learned, the best design is: {_words(self.design)}.",
            f"It costs € {self.regret:,.0f} a year more than the best there is;"
            f" who asks nothing pays € {self.regret_without:,.0f} more.",
        ]
        if self.missing:
            lines.append(
                f"One more question would have helped most: {', or '.join(map(topic_name, self.missing))}."
            )
        if self.outcome and self.regret == 0:
            lines.append(f"The honest end: {self.outcome}")
        return lines


def judge_facts(scenario: Scenario, topics: Sequence[str]) -> Judgement:
    """Judge a set of topics learned about in a scenario; their order and number do not count."""
    world, known = scenario.world, tuple(topics)
    full = tuple(LEVELS)
    now = regret(world, known)
    gains = (
        {topic: now - regret(world, (*known, topic)) for topic in full if topic not in known}
        if now > 0
        else {}
    )
    missing = sorted((topic for topic in gains if gains[topic] > 0), key=lambda topic: -gains[topic])[:3]
    return Judgement(
        _design(scenario, known),
        _design(scenario, full),
        now,
        regret(world, ()),
        tuple(missing),
        scenario.outcome,
    )


def _design(scenario: Scenario, topics: Sequence[str]) -> dict[str, str]:
    from course.interview.world import known_levels

    return design_in_words(best_design(known_levels(scenario.world, topics)))


def _words(design: dict[str, str]) -> str:
    return "; ".join(f"{name}: {design[name]}" for name in DECISIONS if name in design)
