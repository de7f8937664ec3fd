"""How an answer becomes a verdict.

The learner's answer is put to use on every case, the reference on the same cases, and named outcomes are
compared. Where they differ the mistakes are put to use as well: the mistake whose outcomes agree with the
learner's is the one the verdict names.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.compare import alike, brief
from autograder.exercise import (
    CORRECT,
    NOT_ATTEMPTED,
    PARTLY,
    RAISED,
    UNREADABLE,
    WRONG,
    Case,
    Exercise,
    Literal,
    Mistake,
    NotAttempted,
    Unreadable,
    Verdict,
    call_and_compare,
)
from autograder.explain import explain_error, shorten
from autograder.plain import NotPlain


class AnswerRaised(Exception):
    """The learner's own code raised; carries the call and the original exception."""

    def __init__(self, call: str, error: BaseException):
        super().__init__(f"{call} raised {type(error).__name__}: {error}")
        self.call = call
        self.error = error


def judge(exercise: Exercise, answers: tuple, seed: Any) -> Verdict:
    """Judge answers (one per reference) on the cases drawn from `seed`; never raises for a bad answer.

    seed: whatever `numpy.random.default_rng` takes, a generator included.
    """
    if len(answers) != len(exercise.references):
        names = ", ".join(exercise.answer_names)
        raise ValueError(
            f"stage.check({exercise.name!r}, ...) takes {len(exercise.references)} of your answers"
            f" ({names}), not {len(answers)}"
        )
    for answer, name, reference in zip(answers, exercise.answer_names, exercise.references, strict=True):
        problem = _unusable(answer, name, reference)
        if problem:
            return _verdict(exercise, *problem)
    rng = np.random.default_rng(seed)
    cases = list(exercise.cases(rng))
    calls: list[_Call] = []
    try:
        got = _outcomes(exercise, cases, answers, calls if exercise.repeatable else None)
        fickle = [name for name, asked in _by_name(calls).items() if not rng.choice(asked).repeats()]
    except NotAttempted as still:
        step = "Replace the `...` with your answer; if you wrote one, did you forget `return`?"
        if not any(map(callable, exercise.references)):
            step = "Give it a value, run that cell, then this one."
        return _verdict(exercise, NOT_ATTEMPTED, str(still), step)
    except AnswerRaised as raised:
        where = f"It happened in the call {raised.call}."
        return _verdict(exercise, RAISED, where, explain_error(raised.error))
    except Unreadable as odd:
        return _verdict(exercise, UNREADABLE, shorten(str(odd), 400), _form(exercise))
    if fickle:
        return _verdict(
            exercise,
            WRONG,
            f"Asked the same question twice, `{fickle[0]}` gave two different answers.",
            "Does it draw random numbers without a fixed seed?",
        )
    expected = _outcomes(exercise, cases, exercise.references)
    return _compare(exercise, cases, got, expected, _unmoved(calls))


def refused(exercise: Exercise, word: str, sentence: str) -> Verdict:
    """Return the verdict on an answer that could not be judged at all: no points, and why."""
    return _verdict(exercise, word, sentence, _form(exercise) if word == UNREADABLE else "")


def _unusable(answer: Any, name: str, reference: Any) -> tuple[str, str, str] | None:
    """Return (word, sentence, next step) for an answer that cannot even be tried."""
    if answer is None or answer is ...:
        return NOT_ATTEMPTED, f"`{name}` has no value yet.", "Replace the `...` with your answer."
    if not isinstance(reference, Literal) and not callable(answer):
        kind = type(answer).__name__
        return UNREADABLE, f"`{name}` should be a function, but is of type {kind}.", "Write `def`."
    return None


@dataclass(frozen=True)
class _Call:
    """One call of an answer: whose, how to make it again, and what came of it."""

    name: str
    call: Callable
    inputs: tuple
    output: Any

    def repeats(self) -> bool:
        return alike(self.call(*self.inputs), self.output)


def _outcomes(
    exercise: Exercise, cases: list[Case], answers: tuple, calls: list[_Call] | None = None
) -> list[dict[str, Any]]:
    """Run answers on every case; outcomes in the order of the cases. Calls are noted where wanted."""
    names = exercise.answer_names
    asked: list[str] = []
    wrapped = tuple(_wrap(answer, name, asked, calls) for answer, name in zip(answers, names, strict=True))
    outcomes, unwritten = [], []
    for case in cases:
        try:
            outcomes.append(dict(exercise.run(case, *wrapped)))
        except NotAttempted as still:
            # One of several functions may wait; the others earn their points.
            outcomes.append({})
            unwritten.append(still)
        except (AnswerRaised, Unreadable):
            raise
        except Exception as error:
            # The learner's output reached code of ours that could not use it: say which form we expected.
            raise Unreadable(
                f"What `{asked[-1] if asked else names[0]}` returned could not be used"
                f" ({type(error).__name__}: {shorten(str(error), 120)})."
            ) from error
    if unwritten and (len(names) == 1 or not any(outcomes)):
        raise unwritten[0]
    return outcomes


def _wrap(answer: Any, name: str, asked: list[str], calls: list[_Call] | None = None) -> Any:
    """Guard a learner's function: its own copy of the inputs, its own exceptions, no empty output.

    asked: receives the name, call by call.
    """
    if isinstance(answer, Literal):
        return copy.deepcopy(answer.value)
    if not callable(answer):
        return answer

    answered = False

    def ask(*inputs: Any) -> Any:
        nonlocal answered
        asked.append(name)
        try:
            output = answer(*copy.deepcopy(inputs))
        except NotPlain as odd:
            raise Unreadable(f"What `{name}` returned can't be used. {odd}") from odd
        except (Exception, SystemExit) as error:
            raise AnswerRaised(f"{name}({brief(inputs)})", error) from error
        if output is None or output is ...:
            if answered:
                raise Unreadable(
                    f"`{name}` gave back nothing ({output!r}) once, after it had answered before."
                )
            raise NotAttempted(f"`{name}` gave back nothing ({output!r}).")
        if isinstance(output, Iterator):
            kind = type(output).__name__
            raise Unreadable(
                f"`{name}` returned a {kind}, which can be read only once: return a list or a tuple."
            )
        answered = True
        return output

    if calls is None:
        return ask

    def ask_and_note(*inputs: Any) -> Any:
        output = ask(*inputs)
        # The check may change what it is given; what was answered must stay as it was.
        calls.append(_Call(name, ask, inputs, copy.deepcopy(output)))
        return output

    return ask_and_note


_MANY = 4
ONE_ANSWER = Mistake(
    "one answer to everything",
    None,
    "Whatever it was given in this check, your function gave one and the same answer.",
    "Which of the inputs would have to change for your answer to change?",
)


def _calls(exercise: Exercise, cases: list[Case], mistake: Mistake) -> list[_Call]:
    """Return the calls that the cases make of a mistake."""
    calls: list[_Call] = []
    _outcomes(exercise, cases, _as_answers(mistake), calls)
    return calls


def _unmoved(calls: list[_Call]) -> bool:
    """Return whether there were many calls, and every function gave all of its own the same answer."""
    return len(calls) >= _MANY and all(
        alike(asked[0].output, call.output, doubtful=False)
        for asked in _by_name(calls).values()
        for call in asked[1:]
    )


def _by_name(calls: list[_Call]) -> dict[str, list[_Call]]:
    return {name: [call for call in calls if call.name == name] for name in {call.name: 0 for call in calls}}


def _compare(
    exercise: Exercise, cases: list[Case], got: list[dict], expected: list[dict], unmoved: bool = False
) -> Verdict:
    """Turn two lists of outcomes into a verdict. `unmoved`: the answer is one and the same in all cases."""
    keys = list(dict.fromkeys(key for outcome in expected for key in outcome))
    tries = {key: [i for i, outcome in enumerate(expected) if key in outcome] for key in keys}
    failed = {
        key: [i for i in tries[key] if not _agrees(exercise.good, key, got[i], expected[i])] for key in keys
    }
    missed = [
        key for key in keys if len(tries[key]) - len(failed[key]) < exercise.required * len(tries[key]) - 1e-9
    ]
    held = [key for key in keys if key not in missed]
    weight = {key: exercise.weights.get(key, 1.0) for key in keys}
    share = sum(weight[key] for key in held) / sum(weight.values())
    points = round(exercise.points * share, 2)
    if not missed:
        return _verdict(exercise, CORRECT, exercise.praise or "It does what was asked.", "", points)
    word = PARTLY if held else WRONG
    named = _recognise(exercise, cases, got, {key: failed[key] for key in missed})
    standing = _standing(held, missed)
    if unmoved and not (named and _unmoved(_calls(exercise, cases, named[0][0]))):
        named = [(ONE_ANSWER, missed[0])]
    key = named[0][1] if named else missed[0]
    i = failed[key][0]
    sentence = f"There is no answer yet for: {key}."
    if key in got[i]:
        sentence = _difference(exercise, key, got[i][key], expected[i][key])
    if named:
        first = named[0][0]
        parts = (first.says, sentence if exercise.evidence else "", standing)
        told = " ".join(part for part in parts if part)
        return _verdict(exercise, word, told, first.ask, points, tuple(each.name for each, _ in named))
    return _verdict(
        exercise,
        word,
        f"{sentence} {standing}".strip(),
        f"For a nudge: stage.hint({exercise.name!r})",
        points,
    )


def _recognise(
    exercise: Exercise, cases: list[Case], got: list[dict], missed: dict[str, list[int]]
) -> list[tuple[Mistake, str]]:
    """Return the mistakes whose outcomes agree with the learner's wherever a requirement fails.

    Each comes with the first requirement that it explains.

    A mistake is recognised by a requirement when it gives the learner's outcome in every case where that
    requirement failed. Mistakes that explain more requirements come first, then those that agree with the
    learner on more outcomes of any kind, then the author's order.
    """
    explained: list[tuple[tuple[int, int], Mistake, set[str]]] = []
    for mistake in exercise.mistakes:
        try:
            keys, alike = _likeness(exercise, cases, got, missed, mistake)
        except (NotAttempted, AnswerRaised, Unreadable):
            continue  # A mistake need not survive every case; it is then not the learner's.
        if keys:
            explained.append(((len(keys), alike), mistake, keys))
    explained.sort(key=lambda entry: entry[0], reverse=True)
    named: list[tuple[Mistake, str]] = []
    open_keys = set(missed)
    for _, mistake, keys in explained:
        if keys & open_keys:
            named.append((mistake, next(key for key in missed if key in keys & open_keys)))
            open_keys -= keys
    # Where all requirements ask the same on other data, to explain some of them only is a coincidence.
    return [] if open_keys and exercise.run is call_and_compare else named


def _as_answers(mistake: Mistake) -> tuple:
    return mistake.answer if isinstance(mistake.answer, tuple) else (mistake.answer,)


def _likeness(
    exercise: Exercise, cases: list[Case], got: list[dict], missed: dict[str, list[int]], mistake: Mistake
) -> tuple[set[str], int]:
    """Return the missed requirements that a mistake explains, and the number of outcomes it shares.

    Cases in which something failed come first: most mistakes are ruled out by one of them.
    """
    failed = dict.fromkeys(i for places in missed.values() for i in places)
    keys, shared = set(missed), 0
    for i in [*failed, *(i for i in range(len(cases)) if i not in failed)]:
        (theirs,) = _outcomes(exercise, [cases[i]], _as_answers(mistake))
        alike = {key for key in got[i] if _agrees(exercise.same, key, got[i], theirs)}
        keys -= {key for key in keys if i in missed[key] and key not in alike}
        shared += len(alike)
        if not keys:
            break
    return keys, shared


def _agrees(
    compare: Callable[[str, Any, Any], bool], key: str, got: Mapping[str, Any], other: Mapping[str, Any]
) -> bool:
    """Compare one outcome; an outcome that is missing or cannot be compared does not agree."""
    try:
        return key in got and key in other and bool(compare(key, got[key], other[key]))
    except Exception:
        return False


def _verdict(
    exercise: Exercise,
    word: str,
    sentence: str,
    next_step: str = "",
    points: float = 0.0,
    mistakes: tuple[str, ...] = (),
) -> Verdict:
    return Verdict(exercise.name, word, points, exercise.points, sentence, next_step, mistakes)


def _standing(held: list[str], missed: list[str]) -> str:
    """Say which requirements hold and which do not, when they have names."""
    missed = [key for key in missed if key]
    held = [key for key in held if key]
    parts = []
    if held:
        parts.append(f"Right: {'; '.join(held)}.")
    if missed:
        parts.append(f"Not yet: {'; '.join(missed)}.")
    return " ".join(parts)


def _form(exercise: Exercise) -> str:
    return f"Asked for: {exercise.returns}." if exercise.returns else ""


def _difference(exercise: Exercise, key: str, got: Any, expected: Any) -> str:
    if exercise.describe is not None:
        # An outcome that is odd enough can't be put into the author's words, and gets plain ones.
        with contextlib.suppress(Exception):
            return exercise.describe(key, got, expected)
    name = exercise.answer_names[0]
    texts = brief((got,)), brief((expected,))
    if texts[0] == texts[1]:
        texts = shorten(repr(got), 60), shorten(repr(expected), 60)
    return f"`{name}` gave {texts[0]} where {texts[1]} is right."
