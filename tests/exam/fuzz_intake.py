"""Throw anything at the intake: the outcome is a notebook that keeps its promises, or one sentence."""

from __future__ import annotations

import copy
import json
import random
import sys
import time
import zipfile

from handing_in import COURSE, MEAN, STAGE, TIGHT, assert_promises, notebook, zipped

from autograder.exam.intake import IntakeError, IntakeLimits, rebuild

KEYS = ["id", "source", "cells", "metadata", "nbgrader", "grade_id", "cell_type", "nbformat", "answer"]
VALUES = ["code", "markdown", "answer-mean", "check-mean", "extra-1", "stage.check('mean', mean)", MEAN]
ODD = ["mean = 3", "\x00", "\ud800", "\u202e", "{}{names}", "# note", " \n", "é" * 130, "x" * 300]
HANDY = KEYS + VALUES + ODD


def fuzz_intake(count: int, seed: int) -> int:
    """Try so many hostile inputs; return how many. Raises on anything but IntakeError and kept promises."""
    rng = random.Random(seed)
    for number in range(count):
        data = _hostile(rng)
        limits = TIGHT if rng.random() < 0.3 else IntakeLimits()
        try:
            assert_promises(rebuild(data, COURSE, STAGE, limits), limits)
        except IntakeError as error:
            sentence = str(error)
            assert sentence.endswith("."), sentence
            assert len(sentence) < 400, sentence
            sentence.encode("utf-8")
        except BaseException as error:
            error.add_note(f"input {number} of seed {seed}: {data[:2000]!r}")
            raise
    return count


def _hostile(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.6:
        data = _notebook_like(rng)
    elif kind < 0.7:
        data = json.dumps(_random_json(rng, 5)).encode()
    elif kind < 0.75:
        data = rng.randbytes(rng.randrange(200))
    elif kind < 0.85:
        text = "".join(rng.choice('[]{}",:\\u0dNaInfity-1e9 \n') for _ in range(rng.randrange(80)))
        data = text.encode()
    else:
        data = _zip_like(rng)
    if rng.random() < 0.25:
        data = _damaged(data, rng)
    return data


def _notebook_like(rng: random.Random) -> bytes:
    tree = notebook(rng.choice(("nbgrader", "self-study", "old", "ties", "bare")))
    for _ in range(rng.randrange(8)):
        _mutate(tree, rng)
    return json.dumps(tree, ensure_ascii=rng.random() < 0.9).encode("utf-8", "surrogatepass")


def _mutate(tree: dict, rng: random.Random) -> None:
    cells = tree.get("cells")
    action = rng.random()
    if action < 0.6 and isinstance(cells, list) and cells:
        at = rng.randrange(len(cells))
        choice = rng.randrange(5)
        if choice == 0:
            del cells[at]
        elif choice == 1:
            cells.insert(rng.randrange(len(cells) + 1), copy.deepcopy(cells[at]))
        elif choice == 2:
            cells.insert(rng.randrange(len(cells) + 1), cells.pop(at))
        elif isinstance(cells[at], dict):
            key = rng.choice(("source", "source", "cell_type", "id", "metadata"))
            cells[at][key] = rng.choice(HANDY) if rng.random() < 0.7 else _random_json(rng, 3)
        else:
            cells[at] = _random_json(rng, 3)
        return
    # Anywhere: walk down to some container and change one of its items.
    node = tree
    for _ in range(rng.randrange(6)):
        below = list(node.values()) if isinstance(node, dict) else node
        below = [item for item in below if isinstance(item, (dict, list)) and item]
        if not below:
            break
        node = rng.choice(below)
    key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node)) if node else None
    if key is not None:
        node[key] = _random_json(rng, 4)


def _random_json(rng: random.Random, depth: int):
    kind = rng.randrange(9 if depth else 6)
    if kind < 3:
        return rng.choice(HANDY)
    if kind == 3:
        return rng.choice((None, True, False, 10**400, -1, 3, 4, 5, 1e308))
    if kind == 4:
        return rng.choice((float("nan"), float("inf"), 0.5))
    if kind == 5:
        return "".join(chr(rng.choice((rng.randrange(0xD800), rng.randrange(0x110000)))) for _ in range(5))
    if kind == 6:
        nested: list = []
        for _ in range(rng.choice((3, 70, 300))):
            nested = [nested]
        return nested
    items = [_random_json(rng, depth - 1) for _ in range(rng.randrange(4))]
    return items if kind == 7 else {rng.choice(HANDY): item for item in items}


def _zip_like(rng: random.Random) -> bytes:
    names = (f"{STAGE}.ipynb", f"a/{STAGE}.ipynb", f"../../{STAGE}.ipynb", "b.zip", "__MACOSX/x", "\u202e\n")
    files = {rng.choice(names): _notebook_like(rng) for _ in range(rng.randrange(3))}
    files |= {f"{STAGE}.ipynb": _notebook_like(rng)} if rng.random() < 0.6 else {}
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    data = zipped(files, method)
    return _damaged(data, rng) if rng.random() < 0.5 else data


def _damaged(data: bytes, rng: random.Random) -> bytes:
    data = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(data) + 1)
        choice = rng.randrange(4)
        if choice == 0:
            data[at : at + rng.randrange(1, 40)] = b""
        elif choice == 1:
            data[at:at] = rng.randbytes(rng.randrange(6))
        elif choice == 2:
            data[at : at + 1] = rng.choice((b'"', b"\\", b"[", b"}", b"\xff", b"\x00", b"\\ud83d"))
        else:
            data[at:at] = data[: rng.randrange(40)]
    return bytes(data)


if __name__ == "__main__":
    start = time.perf_counter()
    tried = fuzz_intake(int(sys.argv[1]) if sys.argv[1:] else 100_000, seed=0)
    print(f"intake: {tried:,} inputs in {time.perf_counter() - start:.0f} s, none cost more than itself")
