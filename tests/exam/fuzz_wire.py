"""Frames made to break the reader: mutations of real ones, random bytes, random structures."""

import random

import msgpack

from autograder.exam.wire import Lost, unpack

_SEEDS = [
    {"do": "run", "source": "x = 1"},
    {"outputs": [{"output_type": "stream", "name": "stdout", "text": "hello"}], "good": True, "cpu": 0.1},
    {"value": b"\x93\xa2ar\x01\x02", "printed": ""},
    {"kind": "value", "value": bytes(300)},
    {"raised": "ValueError: x" * 50},
    {"a": [[[[{"b": [1, 2.5, None, True, -(2**40)]}]]]]},
]


def fuzz_frames(count, seed):
    """Read so many frames; every one gives a dict or Lost. Returns how many were tried."""
    rng = random.Random(seed)
    corpus = [msgpack.packb(message) for message in _SEEDS]
    for _ in range(count):
        body = _mutated(rng, rng.choice(corpus)) if rng.random() < 0.8 else rng.randbytes(rng.randrange(60))
        try:
            message = unpack(body)
        except Lost:
            continue
        assert isinstance(message, dict)
        assert all(isinstance(key, (str, bytes)) for key in message)
    return count


def _mutated(rng, body):
    body = bytearray(body)
    for _ in range(rng.randrange(1, 5)):
        place = rng.randrange(len(body) + 1)
        kind = rng.randrange(4)
        if kind == 0 and place < len(body):
            body[place] = rng.randrange(256)
        elif kind == 1:
            body[place:place] = rng.randbytes(rng.randrange(1, 6))
        elif kind == 2:
            del body[place : place + rng.randrange(1, 6)]
        else:
            body[place:place] = rng.choice(
                [b"\x91", b"\x81", b"\xdd\xff\xff\xff\xff", b"\xc6\x7f\xff\xff\xff", b"\xd4\x05x"]
            )
    return bytes(body)
