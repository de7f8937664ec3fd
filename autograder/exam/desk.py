"""A worker's side of a grading run: the functions that a cluster calls, and the rooms that they keep.

A room is costly to open and good for many exams, so a worker keeps it from one call to the next. Results
leave as msgpack of plain data; nothing a learner made is ever pickled.
"""

from __future__ import annotations

import atexit
import threading
from dataclasses import dataclass

import msgpack

from autograder.exam.ledger import course_digest
from autograder.exam.records import to_plain
from autograder.exam.room import Room
from autograder.stage import stage_folder


@dataclass(frozen=True)
class Options:
    """How exams of one stage are held. course: digest of the course that the worker must have as well."""

    stage: str
    course: str
    unsandboxed: bool = False
    demos: bool = False


_free: list[tuple[Options, Room]] = []
_lock = threading.Lock()


def prepare(options: Options) -> None:
    """Open a room before the first submission comes.

    Raises NoSandbox when no wall can be had on this worker, ValueError when it has another course.
    """
    _give_back(options, _take(options))


def examine(options: Options, submission: bytes, seed: bytes) -> bytes:
    """Examine one submission; return its `Result` as msgpack.

    seed: from `seeds.exam_seed`. Raises when the room itself broke down.
    """
    room = _take(options)
    try:
        result = room.sit(submission, seed)
    except BaseException:
        room.close()
        raise
    _give_back(options, room)
    return msgpack.packb(to_plain(result))


def leave() -> None:
    """Close this worker's rooms."""
    with _lock:
        rooms = [room for _, room in _free]
        _free.clear()
    for room in rooms:
        room.close()


atexit.register(leave)


def _take(options: Options) -> Room:
    """Return a room that nobody else sits in; those of another stage are closed to make place."""
    with _lock:
        fitting = [place for place in _free if place[0] == options]
        others = [place for place in _free if place[0] != options]
        _free[:] = fitting[1:]
    for _, room in others:
        room.close()
    if fitting:
        return fitting[0][1]
    mine = course_digest(stage_folder(options.stage))
    if mine != options.course:
        raise ValueError(
            "scheduler: a worker has another version of the course or its libraries than this machine;"
            " install the same on both and restart the worker"
        )
    return Room(options.stage, unsandboxed=options.unsandboxed, demos=options.demos)


def _give_back(options: Options, room: Room) -> None:
    with _lock:
        _free.append((options, room))
