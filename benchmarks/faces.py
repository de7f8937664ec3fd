"""How fast are faces drawn, and read back from the cache? Run `python -m benchmarks.faces`."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

from benchmarks.bars import Figure, at_most, report
from course.faces import render, render_cached, sample_faces

FACES = 10_000
SIZE = 64
CORES = 2


def figures() -> list[Figure]:
    """Return the benchmark's table: seconds for `FACES` faces, drawn, drawn and kept, read back."""
    rng = np.random.default_rng(0)
    faces, seconds = timed(lambda: sample_faces(rng, FACES))
    sampling = Figure("rows sampled", f"{seconds:.3g} s")
    render(faces.head(100), SIZE)
    used = time.process_time()
    drawn, drawing = timed(lambda: render(faces, SIZE))
    # Beside the wall time, so that a busy machine can be told from slow code.
    used = time.process_time() - used
    with tempfile.TemporaryDirectory() as folder:
        _, keeping = timed(lambda: render_cached(faces, SIZE, folder).copy())
        # Copied, so that every page is really read.
        kept, reading = timed(lambda: render_cached(faces, SIZE, folder).copy())
    differing = int((kept != drawn).any(axis=(1, 2)).sum())
    return [
        sampling,
        at_most("drawn", drawing, 15.0, " s"),
        Figure("processor time of drawing, all cores", f"{used:.3g} s"),
        Figure("drawn and kept", f"{keeping:.3g} s"),
        at_most("read from the cache", reading, 1.0, " s"),
        at_most("pictures that differ from the cache's", differing, 0),
    ]


def timed(call: Callable[[], object]) -> tuple[object, float]:
    """Return what the call returns, and the seconds of wall time it took."""
    started = time.perf_counter()
    result = call()
    return result, time.perf_counter() - started


def main() -> int:
    """Print the table, measured on `CORES` cores where the machine has more; return the exit status."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return report(f"{FACES:,} faces of {SIZE} x {SIZE} on {cores} cores", figures())


if __name__ == "__main__":
    sys.exit(main())
