"""What a question is about: free text to topics, offline, from example phrases and words that mean the same.

Knows no scenario and no facts. A misspelt word is first taken for the known word one letter away. A question
is then counted three ways: its words and pairs of neighbours; what the words mean, and pairs of meanings;
pieces of words. A ridge classifier, fitted in closed form, turns the counts into a share for each topic.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

_HERE = Path(__file__).parent
_NONE = "none"
_UNKNOWN = "?"
_SILENT = "-"
_SPELLED_FROM, _SPELLED_FREELY = 5, 6
"""Letters from which a word is corrected; below the second only when its letters are the right ones."""

_RIDGE = 0.6
_SHARPNESS = 10.0
_WEIGHTS = (1.0, 1.0, 0.5)
_LONGEST = 1000
"""Characters of a question that are read."""


@dataclass(frozen=True)
class Reading:
    """What a question was understood as.

    topic: the topic when it is clear, otherwise None.
    likely: the three likeliest topics, best first; empty when no word says anything.
    share: how sure the first of them is, 0-1; small when the question seems to be about none of them.
    """

    topic: str | None
    likely: tuple[str, ...]
    share: float


def understand(text: str) -> Reading:
    """Return what one question is about. The same text always gets the same reading."""
    return understand_all([text])[0]


def understand_all(texts: Sequence[str]) -> list[Reading]:
    """Return what each question is about, in their order; many at once are quicker than one by one."""
    texts = [text[:_LONGEST] for text in texts]
    if len(_READ) > 20_000:
        _READ.clear()
    new = [text for text in dict.fromkeys(texts) if text not in _READ]
    if new:
        model = _model()
        # In a long speech the question itself counts as much as all of it.
        parts = [(text, *questions(text)) for text in new]
        shares = iter(model.shares([part for one in parts for part in one]))
        for one in parts:
            mean = np.mean([next(shares) for _ in one], axis=0)
            _READ[one[0]] = _reading(model.topics, mean, model.words.known(one[0]))
    return [_READ[text] for text in texts]


def questions(text: str) -> list[str]:
    """Return the sentences of a text that are questions; none where the text is one sentence."""
    sentences = [part for part in re.split(r"(?<=[.?!;])\s+", text.strip()) if part]
    return [part for part in sentences if part.endswith("?")] if len(sentences) > 1 else []


_READ: dict[str, Reading] = {}

# Clear from this share on, and this many times the next topic's share. Chosen by leaving out a quarter of the
# phrases in turn: a ratio of 10 halves the share of confident mistakes that a ratio of 3 makes.
_CLEAR_SHARE = 0.65
_CLEAR_RATIO = 10.0
_MOSTLY_KNOWN = 0.5


def _reading(topics: Sequence[str], shares: np.ndarray, known: float) -> Reading:
    order = np.argsort(-shares, kind="stable")
    real = [k for k in order if topics[k] != _NONE][:3]
    likely = tuple(topics[k] for k in real)
    first, second = shares[order[:2]]
    best = float(shares[real[0]])
    if not known:
        return Reading(None, (), best)
    clear = topics[order[0]] != _NONE and first >= _CLEAR_SHARE and first >= _CLEAR_RATIO * second
    clear = clear and known > _MOSTLY_KNOWN
    return Reading(likely[0] if clear else None, likely, best)


class _Words:
    """Spelling, meaning and counting of words."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self.exact: dict[str, str] = {}
        self.stems: dict[str, str] = {}
        name = ""
        for line in (_HERE / "concepts.txt").read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            if not line.startswith(" "):
                name, line = line.split(":", 1)
            for word in line.split():
                if word.endswith("*"):
                    self.stems.setdefault(word[:-1], name)
                else:
                    self.exact.setdefault(word, name)
        count = Counter(word for phrase in phrases for word in self._split(phrase))
        self.often = {word for word, n in count.items() if n > 1}
        self.spelled = set(self.exact) | set(count)
        self.near: dict[str, str] = {}
        for word in sorted(self.spelled):
            if len(word) >= _SPELLED_FROM:
                for piece in (word, *_shortened(word)):
                    self.near.setdefault(piece, word)

    @staticmethod
    def _split(text: str) -> list[str]:
        return re.findall(r"[a-z0-9+]+", text.lower().replace("'", "").replace("’", ""))

    def meaning(self, word: str) -> str | None:
        """Return the concept a word stands for, "-" for one that says nothing, None for an unlisted one."""
        if word in self.exact:
            return self.exact[word]
        for length in range(len(word), 2, -1):
            if word[:length] in self.stems:
                return self.stems[word[:length]]
        return None

    def _corrected(self, word: str) -> str:
        if word in self.spelled or len(word) < _SPELLED_FROM or word.isdigit() or self.meaning(word):
            return word
        for piece in (word, *sorted(_shortened(word))):
            near = self.near.get(piece, "")
            if near[:1] == word[0] and (
                len(word) >= _SPELLED_FREELY or sorted(set(near)) == sorted(set(word))
            ):
                return near
        return word

    def known(self, text: str) -> float:
        """Return the share of telling words that say something to the interviewer; 0 where there is none."""
        words = [self._corrected(word) for word in self._split(text)]
        telling = [word for word in words if self.meaning(word) != _SILENT]
        known = [word in self.often or self.meaning(word) is not None for word in telling]
        return sum(known) / len(known) if known else float(bool(words))

    def counted(self, text: str) -> tuple[list[str], list[str], list[str]]:
        """Return what is counted of a text: words and neighbours; meanings and pairs; pieces of words."""
        words = [self._corrected(word) for word in self._split(text)]
        meant = [self.meaning(word) for word in words]
        telling = [word for word, meaning in zip(words, meant, strict=True) if meaning != _SILENT]
        pairs = [f"{one} {two}" for one, two in pairwise(words)]
        concepts = dict.fromkeys(
            meaning or (word if word in self.often else _UNKNOWN)
            for word, meaning in zip(words, meant, strict=True)
            if meaning != _SILENT
        )
        sorted_concepts = sorted(concepts)
        both = [f"{a}&{b}" for i, a in enumerate(sorted_concepts) for b in sorted_concepts[i + 1 :]]
        padded = [f" {word} " for word in words]
        pieces = [word[i : i + n] for word in padded for n in (3, 4) for i in range(len(word) - n + 1)]
        return telling + pairs, [*concepts, *both], pieces


def _shortened(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))}


class _Counts:
    """Term frequency times inverse document frequency, rows of length 1."""

    def __init__(self, documents: list[list[str]]) -> None:
        seen = Counter(term for document in documents for term in set(document))
        self.column = {term: k for k, term in enumerate(seen)}
        self.weight = np.array([np.log((1 + len(documents)) / (1 + n)) + 1 for n in seen.values()])

    def matrix(self, documents: list[list[str]]) -> object:
        from scipy.sparse import csr_matrix

        values, columns, ends = [], [], [0]
        for document in documents:
            count = Counter(self.column[term] for term in document if term in self.column)
            row = (1 + np.log(list(count.values()))) * self.weight[list(count)] if count else np.empty(0)
            values.append(row / max(float(np.linalg.norm(row)), 1e-9))
            columns.extend(count)
            ends.append(len(columns))
        return csr_matrix((np.concatenate(values), columns, ends), shape=(len(documents), len(self.column)))


@dataclass(frozen=True)
class _Model:
    topics: tuple[str, ...]
    words: _Words
    features: Callable[[Sequence[str]], object]
    weights: np.ndarray
    start: np.ndarray

    def shares(self, texts: Sequence[str]) -> np.ndarray:
        """Return a share for each text and topic, float [n, topics]; rows sum to 1."""
        score = _SHARPNESS * (self.features(texts) @ self.weights + self.start)
        score = np.exp(score - score.max(axis=1, keepdims=True))
        return score / score.sum(axis=1, keepdims=True)


@cache
def _model() -> _Model:
    """Fit the classifier to the example phrases, once in a process."""
    from scipy.linalg import solve
    from scipy.sparse import hstack

    files = sorted((_HERE / "phrases").glob("*.txt"))
    lines = [
        (phrase, file.stem) for file in files for phrase in file.read_text("utf-8").splitlines() if phrase
    ]
    phrases = [phrase for phrase, _ in lines]
    topics = tuple(file.stem for file in files)
    target = np.array([[stem == topic for topic in topics] for _, stem in lines], dtype=float)
    words = _Words(phrases)
    blocks = [list(block) for block in zip(*map(words.counted, phrases), strict=True)]
    counts = [_Counts(block) for block in blocks]

    def joined(parts: Iterable[list[list[str]]]) -> object:
        weighed = zip(_WEIGHTS, counts, parts, strict=True)
        return hstack([weight * count.matrix(part) for weight, count, part in weighed]).tocsr()

    def features(texts: Sequence[str]) -> object:
        return joined(list(part) for part in zip(*map(words.counted, texts), strict=True))

    seen = joined(blocks)
    start = target.mean(axis=0)
    kernel = (seen @ seen.T).toarray()
    kernel[np.diag_indices_from(kernel)] += _RIDGE
    return _Model(
        topics,
        words,
        features,
        seen.T @ solve(kernel, target - start, assume_a="pos", overwrite_a=True),
        start,
    )
