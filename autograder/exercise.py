"""What an exercise is: a question with a reference answer, fresh cases, and the mistakes that people make.

Knows nothing of notebooks, files or faces, nor of how an answer is judged.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.compare import close

CORRECT = "correct"
PARTLY = "partly right"
WRONG = "not right yet"
NOT_ATTEMPTED = "not attempted"
RAISED = "your code raised an error"
UNREADABLE = "not in the form asked for"


class NotAttempted(Exception):
    """The answer is still the starter: it gave back None or `...`."""


class Unreadable(Exception):
    """The answer's output does not have the form that was asked for; the message says why."""


@dataclass(frozen=True)
class Case:
    """One fresh situation in which an answer is tried.

    inputs: what the answer is called with; observables only.
    hidden: the truth and planted faults, which only the check may see.
    about: what this case tries, in words that fit "... when {about}" in a verdict.
    """

    inputs: tuple = ()
    hidden: Any = None
    about: str = ""


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people really give.

    answer: the mistake as code, with the reference's signature (a tuple where there are several).
    says: the diagnosis, one sentence about what the learner's answer does.
    ask: the question that dislodges the mistake.
    """

    name: str
    answer: Any
    says: str
    ask: str


@dataclass(frozen=True)
class Literal:
    """A reference answer that is a value, not a function: the variable's name, its value, the starter."""

    name: str
    value: Any
    starter: str
    solution: str


@dataclass(frozen=True)
class Verdict:
    """What the check says about one answer; `mistakes` holds the names of the recognised mistakes."""

    exercise: str
    word: str
    points: float
    out_of: float
    sentence: str
    next_step: str = ""
    mistakes: tuple[str, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        """Return the verdict as plain text: word, points, the sentence, the next step."""
        lines = [f"{self.word.capitalize()} - {self.points:g} of {self.out_of:g} points."]
        lines += [line for line in (self.sentence, self.next_step) if line]
        return "\n".join(lines)


Run = Callable[..., Mapping[str, Any]]


def call_and_compare(case: Case, answer: Callable) -> dict[str, Any]:
    """Call the answer once; its output is the only outcome, named by what the case is about."""
    return {case.about: answer(*case.inputs)}


def _good(key: str, got: Any, expected: Any) -> bool:
    return close(got, expected)


@dataclass(frozen=True)
class Exercise:
    """One exercise. An exercise file binds exactly one of these to the name `exercise`.

    title: a short line for lists.  questions: ids of the article's questions it answers, e.g. "2.5".
    points: what a full answer earns.  minutes: how long it usually takes.
    reference: the right answer: a function, a `Literal`, or a tuple of these.
    cases: draws fresh cases from a generator; called with the same seed for everyone who is compared.
    run: puts answers to use on one case and returns named outcomes; a name that occurs in several cases
        is one requirement, which earns its share of the points when it holds in `required` of the cases.
        Names read well after "It is right for ..." and "It is not right yet for ...".
    good: is this outcome right, given the reference's?   same: are two outcomes the same (for mistakes)?
    describe: says in words how an outcome misses; used when no mistake is recognised.
    evidence: say that sentence after the diagnosis of a recognised mistake, too.
    weights: by the name of a requirement, how much it counts towards the points; 1 where nothing is said.
    right: other right answers, to prove that the check is not a comparison of code.
    returns: the form asked for, in words, for answers that cannot be read.
    repeatable: the same question must get the same answer, so one call is asked a second time.
    """

    title: str
    questions: tuple[str, ...]
    points: float
    reference: Any
    cases: Callable[[np.random.Generator], Iterable[Case]]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    right: tuple[Any, ...] = ()
    run: Run = call_and_compare
    good: Callable[[str, Any, Any], bool] = _good
    same: Callable[[str, Any, Any], bool] = _good
    describe: Callable[[str, Any, Any], str] | None = None
    returns: str = ""
    praise: str = ""
    evidence: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)
    required: float = 1.0
    repeatable: bool = False
    minutes: int = 8
    core: bool = True
    slow: bool = False
    name: str = field(default="", compare=False)

    @property
    def references(self) -> tuple[Any, ...]:
        """The reference as a tuple, one per argument of the check."""
        return self.reference if isinstance(self.reference, tuple) else (self.reference,)

    @property
    def answer_names(self) -> tuple[str, ...]:
        """The names that a learner's answers are bound to in the notebook."""
        return tuple(answer_name(reference) for reference in self.references)


def answer_name(reference: Any) -> str:
    """Return the name under which a learner writes this answer."""
    return reference.name if isinstance(reference, Literal) else reference.__name__


def solution_source(exercise: Exercise) -> str:
    """Return the source text of the reference answers, as the instructor's notebook shows them."""
    return "\n\n\n".join(
        item.solution if isinstance(item, Literal) else textwrap.dedent(inspect.getsource(item)).rstrip()
        for item in exercise.references
    )
