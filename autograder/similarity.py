"""Which learners' answers are nearly the same, beyond what the course gave to everybody.

Names, strings, comments and layout are set aside; the rest of the code is cut into overlapping pieces
(copydetect's fingerprints), and pieces that the released notebook holds do not count. Short answers are left
out, since two people may well write them alike. What comes out are groups to look at; why answers are alike,
no program can say.
"""

from __future__ import annotations

import ast
import io
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PIECE = 20  # characters of code in a piece, a name counting as one: about one short statement
LEAST = 150  # own pieces below which an answer is too short to tell anything: about ten lines
ALIKE = 0.7  # share of the longer answer's own pieces that the other one has too
LONGEST = 10_000  # characters of an answer that are looked at
_COURSE = ""  # the course's own answer takes part under a name that no learner has


@dataclass(frozen=True)
class Group:
    """Learners whose answers are nearly the same.

    exercises: all in which these learners are together.
    share: each answer shares at least this much (0 to 1) with another of the group.
    of: how many learners wrote enough to be compared in the first of these exercises.
    like_course: the answers are also like the course's own, which learners may have been shown.
    """

    learners: tuple[str, ...]
    exercises: tuple[str, ...]
    share: float
    of: int
    like_course: bool

    @property
    def common(self) -> bool:
        """Whether so many of the class wrote this, in few exercises, that it says little about any two."""
        return len(self.learners) >= 5 and len(self.learners) >= 0.2 * self.of and len(self.exercises) < 4


def groups(
    answers: Mapping[str, Mapping[str, str]],
    given: Iterable[str] = (),
    solutions: Mapping[str, str] | None = None,
) -> list[Group]:
    """Return groups of learners with nearly the same answers, the most telling first.

    answers: exercise -> learner -> source.   given: code that everybody was given.
    solutions: exercise -> the course's own answer.
    """
    known = set().union(*(_pieces(source) for source in given))
    found: dict[tuple[str, ...], dict[str, tuple[float, int, bool]]] = {}
    for exercise, sources in answers.items():
        texts = dict(sources)
        if solutions and exercise in solutions:
            texts[_COURSE] = solutions[exercise]
        for members, share, of in _alike(texts, known):
            learners = tuple(sorted(members - {_COURSE}))
            if len(learners) > 1:
                found.setdefault(learners, {})[exercise] = (share, of, _COURSE in members)
    result = []
    for learners in found:
        there = {
            exercise: fact
            for others, facts in found.items()
            if set(learners) <= set(others)
            for exercise, fact in facts.items()
        }
        exercises = tuple(exercise for exercise in answers if exercise in there)
        result.append(
            Group(
                learners,
                exercises,
                min(share for share, _, _ in there.values()),
                there[exercises[0]][1],
                all(course for _, _, course in there.values()),
            )
        )
    return sorted(
        result, key=lambda g: (g.common, g.like_course, -len(g.exercises), len(g.learners), g.learners)
    )


def _pieces(source: str) -> frozenset[int]:
    """Return the fingerprints of a source: hashes of all its pieces, the same for all with the same code."""
    from copydetect import CodeFingerprint

    text = io.StringIO(_evened(source[:LONGEST]))
    return frozenset(CodeFingerprint("answer.py", PIECE, 1, fp=text, language="python").hashes)


def _evened(source: str) -> str:
    """Return a source with the brackets and breaks that Python itself would write, if it can be read."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.unparse(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source


def _alike(texts: Mapping[str, str], known: set[int]) -> list[tuple[set[str], float, int]]:
    """Return the groups within one exercise: members, least share that links them, learners compared."""
    writers = defaultdict(list)  # who wrote the very same
    for learner, source in texts.items():
        writers[source].append(learner)
    same = defaultdict(list)  # who wrote the same code
    for source, learners in writers.items():
        own = _pieces(source) - known
        if len(own) >= LEAST:
            same[own] += learners
    answers = sorted(same, key=len)
    group = list(range(len(answers)))  # union-find: answer -> an answer of its group
    shares = [1.0] * len(answers)

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for j, longer in enumerate(answers):
        # From the nearest in length down: a much shorter answer cannot share enough.
        for i in range(j - 1, -1, -1):
            if len(answers[i]) < ALIKE * len(longer):
                break
            a, b = root(i), root(j)
            share = len(answers[i] & longer) / len(longer) if a != b else 0.0
            if share >= ALIKE:
                group[a] = b
                shares[b] = min(shares[a], shares[b], share)
    members = defaultdict(set)
    for i, own in enumerate(answers):
        members[root(i)].update(same[own])
    of = sum(learner != _COURSE for learners in same.values() for learner in learners)
    return [(who, shares[i], of) for i, who in members.items() if len(who) > 1]
