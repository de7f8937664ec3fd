"""The warm parent: a process that has imported everything, and forks one walled child for each exam.

There are two on each worker. One forks candidates, and has nothing in its memory that a learner may not read;
the other forks examiners, and knows the exercises. Both are started by `sandbox`, inside its outer wall, with
one socket for orders. A forked child inherits the imports and nothing else.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from autograder.exam import confine
from autograder.exam.limits import Limits
from autograder.exam.wire import Channel, Lost, close_quietly, pair

CANDIDATES, EXAMINERS = "candidates", "examiners"
_FOREVER = 20 * 86400.0
_SMALL = 1 << 20


def main(descriptor: int) -> None:
    """Warm up as the first order says, then fork a child for each further one."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)
    channel = Channel.of(descriptor, 64 * _SMALL)
    order = channel.receive(60)
    limits = Limits(**order["limits"])
    start = time.perf_counter()
    try:
        serve = _warm_up(order, limits)
        if not confine.single_threaded():
            raise RuntimeError("something imported has started a thread, which a fork would lose")
        gc.collect()
        gc.freeze()
    except BaseException as error:
        channel.send({"ready": False, "why": f"{type(error).__name__}: {error}"[:500]})
        return
    channel.send({"ready": True, "seconds": time.perf_counter() - start})
    while True:
        wanted: list[int] = []
        try:
            channel.receive(_FOREVER, wanted)
            _bear(channel, wanted[0], serve, order, limits)
        except Lost:
            return
        finally:
            close_quietly(*wanted)


def _warm_up(order: dict[str, Any], limits: Limits) -> Callable[[int], None]:
    """Import what the stage needs and return what a child does with its end of the line."""
    for name in order["imports"]:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # A learner who needs it will be told.
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if order["role"] == CANDIDATES:
        from autograder.exam import candidate

        outputs = candidate.Outputs(limits)
        shell = candidate.make_shell(outputs)
        _rehearse(order["rehearsal"], shell)
        return lambda end: candidate.serve(end, shell, outputs, limits)
    from autograder.exam import examiner

    exercises = examiner.prepare(order["stage"])
    return lambda end: examiner.serve(end, exercises, limits)


def _rehearse(cells: list[str], shell: Any) -> None:
    """Run the course's own first cells once, so that what they import and cache is warm in every child."""
    for source in cells:
        result = shell.run_cell(source, store_history=False)
        if not result.success:
            raise RuntimeError(f"the course's own cell failed: {source.strip().splitlines()[0][:80]}")
    shell.reset(new_session=True)
    outputs = shell.display_pub
    del outputs


def _bear(
    channel: Channel, end: int, serve: Callable[[int], None], order: dict[str, Any], limits: Limits
) -> None:
    """Fork one child that serves at `end`; answer with a pidfd by which it can be killed."""
    ours, theirs = pair()
    child = os.fork()
    if child == 0:
        _become(end, theirs, serve, order, limits)
    theirs.close()
    try:
        message, descriptors, _, _ = socket.recv_fds(ours, 4096, 1)
    finally:
        ours.close()
        os.waitpid(child, 0)
    if descriptors:
        channel.send({"born": True}, pass_on=tuple(descriptors))
        close_quietly(*descriptors)
    else:
        why = message.decode("utf-8", "replace") or "the child died at birth"
        channel.send({"born": False, "why": why})


def _become(
    end: int, report: socket.socket, serve: Callable[[int], None], order: dict[str, Any], limits: Limits
) -> None:
    """Turn the forked process into init and learner, and never return."""
    try:
        confine.close_all_but(end, report.fileno())
        if order["walls"]:
            confine.wall_in()
        init = os.fork()
        if init:
            socket.send_fds(report, [b"born"], [os.pidfd_open(init)])
            os._exit(0)
        report.close()
        if order["walls"]:
            confine.become_init(limits, order["work"], tuple(order["read_only"]), tuple(order["kept"]))
        else:
            confine.limit_only(limits, order["work"])
        gc.enable()
        serve(end)
    except BaseException as error:
        why = f"{type(error).__name__}: {error}"[:500]
        try:
            report.send(why.encode())
        except OSError:
            # The birth was reported already: the reason goes to whoever waits at the other end.
            Channel.of(end, _SMALL).send({"ready": False, "why": why}, seconds=5)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
