"""Whether the interviewer understands: paraphrases that were written without sight of its example phrases.

`interviewer_paraphrases.tsv` holds topic and question; "none" marks small talk and questions that are about
no topic, or about several. Nothing was tuned on these lines.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.bars import Figure, at_least, at_most, report
from course.interview import understand, understand_all

FILE = Path(__file__).with_name("interviewer_paraphrases.tsv")


def main() -> int:
    """Print the figures beside their bars; return 1 when one falls short."""
    start = time.process_time()
    understand("What is it for?")
    learning = time.process_time() - start
    lines = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines() if line]
    start = time.process_time()
    readings = understand_all([question for _, question in lines])
    each = (time.process_time() - start) / len(lines)
    about = [(topic, reading) for (topic, _), reading in zip(lines, readings, strict=True) if topic != "none"]
    astray = [reading for (topic, _), reading in zip(lines, readings, strict=True) if topic == "none"]
    first = [reading.likely[:1] == (topic,) for topic, reading in about]
    offered = [topic in reading.likely for topic, reading in about]
    wrong = [reading.topic not in (None, topic) for topic, reading in about]
    clear = [reading.topic == topic for topic, reading in about]
    taken = [reading.topic is not None for reading in astray]
    worst = defaultdict(list)
    for (topic, _), right in zip(about, first, strict=True):
        worst[topic].append(right)
    topic, least = min(((topic, _share(found)) for topic, found in worst.items()), key=lambda pair: pair[1])
    figures = [
        at_least("right topic first", _share(first), 90, " %"),
        at_least("right topic among the three offered", _share(offered), 98, " %"),
        at_most("confident and wrong", _share(wrong + taken), 3, " %"),
        Figure("  of these, questions about a topic", f"{_share(wrong):.3g} %"),
        Figure("  of these, small talk and ambiguous", f"{_share(taken):.3g} %"),
        Figure("answered at once, and rightly", f"{_share(clear):.3g} %"),
        Figure(f"right topic first, worst topic ({topic})", f"{least:.3g} %"),
        Figure("paraphrases", f"{len(about)} + {len(astray)}"),
        at_most("a question, of processor time", 1000 * each, 5, " ms"),
        Figure("learning the phrases, once, of processor time", f"{learning:.2g} s"),
    ]
    return report("The interviewer", figures)


def _share(flags: list[bool]) -> float:
    """Return how many of them are true, in percent."""
    return 100 * sum(flags) / len(flags)


if __name__ == "__main__":
    sys.exit(main())
