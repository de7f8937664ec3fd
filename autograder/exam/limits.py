"""What one exam may use."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits of one exam; whoever exceeds one loses what was running, and nobody else anything.

    cell_seconds: one cell of the learner's.   check_seconds: all calls of one check together.
    exam_seconds: the whole exam.   cpu_seconds: processor time of one process.
    memory: bytes, all of the learner's processes together.   processes: how many at once, threads included.
    scratch: bytes of files.   cell_output, exam_output: bytes shown by one cell, by all.
    message: bytes of one message across the wall.
    """

    cell_seconds: float = 60.0
    check_seconds: float = 60.0
    exam_seconds: float = 900.0
    cpu_seconds: int = 900
    memory: int = 3072 * MB
    processes: int = 48
    scratch: int = 128 * MB
    cell_output: int = 200_000
    exam_output: int = 5 * MB
    message: int = 64 * MB
