"""Where an exam's chance comes from: one secret of the instructor's, which nothing gives away.

The course is public, so the seed is all there is to hide. Two things keep it hidden. Every learner, stage,
attempt, exercise and purpose has a key of its own (HMAC-SHA256), so that one learner's data say nothing about
another's. And numbers come from ChaCha with 20 rounds, a stream cipher: numpy's usual generators can be
reconstructed from a few hundred of their outputs, after which a submission could compute the hidden truth, or
the next case, from the inputs it was handed. From ChaCha's output nobody can.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import numpy as np
from numpy.random.bit_generator import ISpawnableSeedSequence

SECRET_FILE = "exam_secret"
SECRET_BYTES = 32
LEAST_BYTES = 16


def exam_seed(secret: bytes, learner: str, stage: str, attempt: int) -> bytes:
    """Return the 32 bytes that all data of one learner's exam come from; the same on every regrade."""
    if len(secret) < LEAST_BYTES:
        raise ValueError(f"secret: {len(secret)} bytes are too few; at least {LEAST_BYTES} are needed")
    return _mac(secret, "exam", learner, stage, str(attempt))


def exercise_rng(seed: bytes, exercise: str, purpose: str) -> np.random.Generator:
    """Return the generator of one exercise and purpose (say "inputs" or "truth").

    seed: from `exam_seed`. Streams of different exercises or purposes, and generators that are spawned from
    them, are independent; none can be inferred from the others' output.
    """
    # Here, not above: learner-facing code imports this package and need not pay for it.
    from randomgen import ChaCha

    return np.random.Generator(ChaCha(_Key(_mac(seed, "exercise", exercise, purpose)), rounds=20))


class _Key(ISpawnableSeedSequence):
    """A key in numpy's form of a seed: with a bare key, `rng.spawn` would draw from the system's chance."""

    def __init__(self, key: bytes):
        self._key = key
        self._spawned = 0

    def generate_state(self, n_words: int, dtype: type = np.uint32) -> np.ndarray:
        """Return `n_words` key words (uint32 or uint64), the same at every call."""
        size = n_words * np.dtype(dtype).itemsize
        blocks = (_mac(self._key, "words", str(block)) for block in range(-(-size // 32)))
        words = np.frombuffer(b"".join(blocks)[:size], dtype=np.dtype(dtype).newbyteorder("<"))
        return words.astype(dtype)

    def spawn(self, n_children: int) -> list[_Key]:
        """Return further keys, none given out twice."""
        first, self._spawned = self._spawned, self._spawned + n_children
        return [_Key(_mac(self._key, "child", str(number))) for number in range(first, self._spawned)]


def _mac(key: bytes, *parts: str) -> bytes:
    """Return HMAC-SHA256 over the parts, each preceded by its length so that no two lists read alike."""
    # A name taken from a file system need not be valid UTF-8; it must still have a seed.
    encoded = [part.encode("utf-8", "surrogateescape") for part in parts]
    message = b"".join(len(part).to_bytes(8, "big") + part for part in encoded)
    return hmac.new(key, message, hashlib.sha256).digest()


def make_secret(course: Path) -> bool:
    """Give a course folder its secret, readable by its owner alone; return False if it has one already."""
    file = course / SECRET_FILE
    aside = course / f".{SECRET_FILE}.{secrets.token_hex(8)}"
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_hex(SECRET_BYTES) + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        # A link, unlike a rename, never replaces a secret that another process made in the meantime.
        os.link(aside, file)
    except FileExistsError:
        return False
    finally:
        aside.unlink(missing_ok=True)
    return True


def read_secret(course: Path) -> bytes:
    """Return the secret of a course folder; ValueError when it is missing, damaged or open to others."""
    file = course / SECRET_FILE
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise ValueError(
            f"course: {course} has no {SECRET_FILE}; run `autograder release {course}`, which makes one"
            " (after grading has begun, put the old one back instead)"
        ) from None
    except UnicodeDecodeError:
        text = ""
    if mode & 0o077:
        raise ValueError(
            f"course: {file} can be read by others (mode {mode & 0o777:o}); mend it with `chmod 600 {file}`"
        )
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) < LEAST_BYTES:
        raise ValueError(
            f"course: {file} holds no secret; at least {2 * LEAST_BYTES} hexadecimal digits are needed"
        )
    return secret
