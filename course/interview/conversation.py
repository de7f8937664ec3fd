"""A conversation with an interviewer who knows a hidden scenario: one fact a turn, misreadings cost none."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from course.interview.judging import Judgement, judge_facts
from course.interview.scenarios import Scenario, load_scenario
from course.interview.topics import menu, topic_name
from course.interview.understanding import Reading, questions, understand, understand_all

TURNS = 12
"""Questions that the interviewer answers."""

FREE_MISSES = 6
"""Questions not understood that cost no turn in `converse`; those after them do."""


_FAR = 0.12
"""Below this share the likeliest topic is hardly likelier than any other."""


@dataclass(frozen=True)
class Reply:
    """What the interviewer answers.

    question: what was asked.  understood: the topic, or None when it was not clear.
    likely: up to three topics that may have been meant, best first; empty when it was clear.
    text: the fact, or what to do.  turns_left: questions that are still answered.
    """

    question: str
    understood: str | None
    likely: tuple[str, ...]
    text: str
    turns_left: int

    def __str__(self) -> str:
        """Return what was understood, the answer and the turns left."""
        start = f"I understood: {topic_name(self.understood)}. " if self.understood else ""
        return f"{start}{self.text} ({_turns(self.turns_left)} left)"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        start = (
            f"<i>I understood: {html.escape(topic_name(self.understood))}.</i> " if self.understood else ""
        )
        return (
            f'<div style="max-width: 44em">{start}{html.escape(self.text)}'
            f" <small>({_turns(self.turns_left)} left)</small></div>"
        )


class Interview:
    """An interview about one scenario. Ask in your own words; what you learned is judged as a set.

    history: a list of dicts with question, understood (a topic, or None) and fact (text), oldest first.
    """

    def __init__(self, scenario: str | Scenario = "lobby", turns: int = TURNS) -> None:
        """Start an interview.

        Args:
            scenario: the name of a written scenario ("lobby", "driver", "photos", "calls"), or a `Scenario`.
            turns: questions that are answered, 1 or more.

        Raises:
            ValueError: for an unknown name or no turns.

        """
        if isinstance(turns, bool) or not isinstance(turns, int) or turns < 1:
            raise ValueError(f"turns is {turns!r}; accepted are whole numbers from 1.")
        self.scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
        self.history: list[dict[str, str | None]] = []
        self._turns = turns

    @property
    def opening(self) -> str:
        """The request that the interview starts with."""
        return self.scenario.opening

    @property
    def turns_left(self) -> int:
        """Questions that are still answered."""
        return self._turns - sum(entry["understood"] is not None for entry in self.history)

    def ask(self, question: str) -> Reply:
        """Ask in your own words. A question that is not clear costs no turn.

        Raises:
            ValueError: when question is no text.

        """
        if not isinstance(question, str):
            raise ValueError(f"question is {question!r}; accepted is text.")
        reading, several = read(question)
        if reading.topic is None or not self.turns_left:
            return self._unclear(question, reading, several)
        return self.choose(reading.topic, question)

    def choose(self, topic: str, question: str = "") -> Reply:
        """Ask about a topic by its name, as in `menu()`; costs a turn.

        Raises:
            ValueError: for an unknown topic.

        """
        question = question or menu().get(topic, "")
        topic_name(topic)
        if not self.turns_left:
            return self._unclear(question, Reading(None, (), 0.0), ())
        again = any(entry["understood"] == topic for entry in self.history)
        fact = self.scenario.facts[topic].text
        self.history.append({"question": question, "understood": topic, "fact": fact})
        return Reply(
            question, topic, (), f"You asked that before. {fact}" if again else fact, self.turns_left
        )

    def take_back(self) -> Reply:
        """Take the last answer back because it was not what you meant; the turn and the fact are undone."""
        answered = [k for k, entry in enumerate(self.history) if entry["understood"] is not None]
        if not answered:
            return Reply("", None, (), "There is nothing to take back.", self.turns_left)
        entry = self.history.pop(answered[-1])
        likely = tuple(
            topic for topic in understand(entry["question"]).likely if topic != entry["understood"]
        )
        text = f"Taken back, and it cost you no turn. {_offer(likely)}"
        return Reply(entry["question"], None, likely, text, self.turns_left)

    def topics(self) -> tuple[str, ...]:
        """Return the topics learned about, each once, in order."""
        return tuple(dict.fromkeys(entry["understood"] for entry in self.history if entry["understood"]))

    def facts(self) -> pd.DataFrame:
        """Return what was learned, one row a topic (the index): fact, and what follows from it."""
        rows = [
            (self.scenario.facts[topic].text, self.scenario.facts[topic].follows) for topic in self.topics()
        ]
        index = pd.Index([topic_name(topic) for topic in self.topics()], name="topic", dtype=object)
        return pd.DataFrame(rows, index=index, columns=["fact", "what follows"])

    def judge(self) -> Judgement:
        """Return what the facts learned are good for, as a set: the design they allow, and its regret."""
        return judge_facts(self.scenario, self.topics())

    def _unclear(self, question: str, reading: Reading, several: Sequence[str]) -> Reply:
        if not self.turns_left:
            return Reply(
                question, None, (), "Our time is up. Ask for `judge()`: what are your facts good for?", 0
            )
        reply = unclear(question, reading, several, self.turns_left)
        self.history.append({"question": question, "understood": None, "fact": reply.text})
        return reply


def read(question: str) -> tuple[Reading, tuple[str, ...]]:
    """Return how a question is read, and the topics of its parts when it asks about several at once."""
    whole, *each = understand_all([question, *questions(question)])
    clear = tuple(dict.fromkeys(reading.topic for reading in each if reading.topic))
    if len(clear) > 1:
        return Reading(None, clear[:3], whole.share), clear
    if len(clear) == 1 and whole.topic is None:
        # The rest of what was said is talk around the one question that is clear.
        return next(reading for reading in each if reading.topic), ()
    return whole, ()


def unclear(question: str, reading: Reading, several: Sequence[str], turns_left: int) -> Reply:
    """Return the honest answer to a question that is not clear, asks for two things, or is about neither."""
    if several:
        names = " or ".join(topic_name(topic) for topic in reading.likely)
        text = f"One question at a time, please: first {names}?"
    elif not reading.likely:
        text = "I could not make sense of that. Say it in other words, or use the menu."
    elif reading.share < _FAR:
        text = "I am not sure that this is about the project. " + _offer(reading.likely)
    else:
        text = "I am not sure what you mean. " + _offer(reading.likely)
    return Reply(question, None, reading.likely, text, turns_left)


def _offer(likely: Sequence[str]) -> str:
    return f"Did you mean: {', or '.join(topic_name(topic) for topic in likely)}?" if likely else ""


def _turns(count: int) -> str:
    return f"{count} turn" if count == 1 else f"{count} turns"


def converse(
    ask: Callable[[list[dict]], str], scenarios: Sequence[Scenario], turns: int = TURNS
) -> list[list[dict[str, str | None]]]:
    """Let a function lead interviews about several scenarios; return the history of each.

    Args:
        ask: gets the history so far (dicts with question, understood, fact) and returns the next question as
            text; "" ends the interview.
        scenarios: what the interviewers know.
        turns: questions that are answered; a repeated one counts, and so do questions that are not understood
            beyond `FREE_MISSES`.

    Raises:
        ValueError: when ask returns no text.

    """
    histories: list[list[dict]] = [[] for _ in scenarios]
    spent = [0] * len(scenarios)
    missed = [0] * len(scenarios)
    open_ones = list(range(len(scenarios)))
    while open_ones:
        asked: Mapping[int, str] = {k: _text(ask([dict(entry) for entry in histories[k]])) for k in open_ones}
        asked = {k: question for k, question in asked.items() if question.strip()}
        understand_all(list(asked.values()))
        for k, question in asked.items():
            reading, several = read(question)
            if reading.topic is None:
                missed[k] += 1
                spent[k] += missed[k] > FREE_MISSES
                fact = unclear(question, reading, several, turns - spent[k]).text
            else:
                spent[k] += 1
                fact = scenarios[k].facts[reading.topic].text
            histories[k].append({"question": question, "understood": reading.topic, "fact": fact})
        open_ones = [k for k in asked if spent[k] < turns]
    return histories


def _text(question: object) -> str:
    if not isinstance(question, str):
        raise ValueError(f"ask returned {type(question).__name__}; accepted is text, '' to stop.")
    return question
