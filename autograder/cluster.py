"""Many exams at once: hands tasks to worker processes, here or on an existing cluster, and collects outcomes.

It knows Dask and nothing of exams. Tasks travel as plain arguments to a module-level function that the
workers import themselves, so they need no disk in common. Dask pickles between its own processes; that is
acceptable because only our own code runs in them: what a function brings back from a learner must be
bytes, in a format that the caller decodes and checks.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import os
import queue
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

TRIES = 3
"""How often a task is tried before it is set aside."""
IN_FLIGHT = 2
"""Tasks per worker thread that are handed out at once: one to work on and one that waits its turn."""
CONNECT_SECONDS = 10.0
"""How long to try to reach an existing scheduler."""
PATIENCE = 60.0
"""Seconds to wait for a worker when there is none."""

SETTINGS = {
    # One death at a time comes back to us: who is to blame is found out here, not by counting deaths.
    "distributed.scheduler.allowed-failures": 0,
    # Each end of each connection remembers its last messages, submissions included: one is enough.
    "distributed.admin.low-level-log-length": 1,
    "distributed.diagnostics.computations.max-history": 1,
    # A worker that is being restarted is not lost, however often it dies.
    "distributed.deploy.lost-worker-timeout": "1 day",
    # Nobody looks at its web pages.
    "distributed.scheduler.http.routes": [],
}


@dataclass(frozen=True)
class Outcome:
    """What became of one task: its value, or the reason why there is none."""

    key: str
    value: Any = None
    problem: str = ""


@dataclass(frozen=True)
class Tls:
    """Files that prove this machine to a cluster and the cluster to it (PEM): authority, certificate, key."""

    ca: str
    cert: str
    key: str


class Cluster:
    """Worker processes, for as long as the `with` block lasts.

    workers: how many processes to start on this machine; None means one per core that may be used.
    scheduler: the address of an existing Dask scheduler (`tcp://…`, `tls://…`) instead.
    tls: for a scheduler that asks for certificates.

    Raises ValueError for arguments that do not fit, OSError when there is no scheduler or no worker.
    """

    def __init__(self, workers: int | None = None, scheduler: str | None = None, tls: Tls | None = None):
        if workers is not None and workers < 1:
            raise ValueError(f"workers: at least 1 is needed, not {workers}")
        if scheduler is None and tls is not None:
            raise ValueError("tls: certificates are for an existing cluster; name its --scheduler as well")
        if scheduler is not None and workers is not None:
            raise ValueError("workers: an existing cluster has its own; leave out --workers or --scheduler")
        with contextlib.ExitStack() as opened:
            self._client = (
                self._connect(scheduler, tls, opened) if scheduler else self._start(workers, opened)
            )
            self._opened = opened.pop_all()

    def _start(self, workers: int | None, opened: contextlib.ExitStack) -> Any:
        import dask
        from dask.system import CPU_COUNT
        from distributed import Client, LocalCluster

        scratch = opened.enter_context(
            tempfile.TemporaryDirectory(prefix="autograder-", ignore_cleanup_errors=True)
        )
        # Whoever a worker becomes when it gives up root must still get at what it keeps there.
        os.chmod(scratch, 0o711)
        # For as long as the cluster lasts: connections to workers that replace dead ones are made later.
        opened.enter_context(dask.config.set(SETTINGS | {"temporary-directory": scratch}))
        cluster = LocalCluster(
            n_workers=workers or CPU_COUNT,
            processes=True,
            threads_per_worker=1,
            host="127.0.0.1",
            # A certificate of this cluster's own, never on disk: whoever else may log in to this machine
            # must not reach a port that runs what it is sent.
            security=True,
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            # The sandbox limits memory by itself, where it is used.
            memory_limit=0,
            local_directory=scratch,
            # What a killed worker leaves behind is removed with the rest.
            env={"TMPDIR": scratch},
            silence_logs=logging.CRITICAL,
        )
        opened.enter_context(cluster)
        return opened.enter_context(Client(cluster, set_as_default=False))

    def _connect(self, scheduler: str, tls: Tls | None, opened: contextlib.ExitStack) -> Any:
        import dask
        from distributed import Client, Security

        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        opened.enter_context(dask.config.set(SETTINGS))
        security = None
        if tls:
            security = Security(
                tls_ca_file=tls.ca, tls_client_cert=tls.cert, tls_client_key=tls.key, require_encryption=True
            )
        try:
            client = Client(scheduler, security=security, set_as_default=False, timeout=CONNECT_SECONDS)
        except (OSError, TypeError, ValueError) as error:
            problem = str(error)
        else:
            return opened.enter_context(client)
        # A client that failed closes itself once it is collected, and waits for ever if that happens while
        # another one is being started.
        gc.collect()
        raise OSError(f"scheduler: {scheduler} does not answer ({problem})")

    def everywhere(self, function: Callable, *arguments: Any) -> Callable[[], list[Any]]:
        """Start a function once on each worker; the returned function waits for all and gives the values.

        An exception of `function` is raised from there.
        """
        futures = {
            address: self._client.submit(
                function, *arguments, key=_key("everywhere"), workers=[address], allow_other_workers=False
            )
            for address in self._workers()
        }
        return lambda: self._values(futures)

    def _values(self, futures: dict[str, Any]) -> list[Any]:
        from distributed import KilledWorker

        values = []
        for address, future in futures.items():
            # A worker that died has nothing more to say; the one that replaces it was not asked.
            with contextlib.suppress(KilledWorker):
                while not future.done() and address in self._workers():
                    with contextlib.suppress(TimeoutError):
                        future.result(timeout=1)
                if future.done():
                    values.append(future.result())
        return values

    def run(self, function: Callable, tasks: Iterable[tuple[str, tuple]]) -> Iterator[Outcome]:
        """Call `function(*arguments)` for each (key, arguments), and give outcomes as they become known.

        Tasks are drawn one by one as workers become free, and nothing is kept of a task whose outcome was
        given. A task that raised, or whose worker died, is tried again after the others, alone, so that no
        other task can be the cause; after three tries its outcome is a problem.
        """
        suspects: deque[tuple[str, tuple, int]] = deque()
        first = ((key, arguments, 1) for key, arguments in tasks)
        yield from self._round(function, first, suspects, alone=False)
        while suspects:
            yield from self._round(function, [suspects.popleft()], suspects, alone=True)

    def _round(
        self, function: Callable, tasks: Iterable[tuple[str, tuple, int]], suspects: deque, alone: bool
    ) -> Iterator[Outcome]:
        waiting = iter(tasks)
        running: dict[str, tuple[str, tuple, int]] = {}
        finished: queue.SimpleQueue = queue.SimpleQueue()
        while True:
            room = 1 if alone else IN_FLIGHT * sum(self._workers().values())
            for task in itertools.islice(waiting, max(0, room - len(running))):
                future = self._client.submit(function, *task[1], key=_key("task"))
                running[future.key] = task
                future.add_done_callback(finished.put)
                del future
            if not running:
                return
            outcome = self._next(finished, running)
            if isinstance(outcome, Outcome):
                yield outcome
            else:
                suspects.append(outcome)
            del outcome

    def _next(
        self, finished: queue.SimpleQueue, running: dict[str, tuple[str, tuple, int]]
    ) -> Outcome | tuple[str, tuple, int]:
        """Wait for one task; return its outcome, or the task once more if it deserves another try."""
        while True:
            try:
                future = finished.get(timeout=5)
                break
            except queue.Empty:
                self._workers()
        key, arguments, tries = running.pop(future.key)
        try:
            return Outcome(key, future.result())
        except Exception as error:
            # Whatever went wrong over there, here it is one task's failure.
            if tries < TRIES:
                return key, arguments, tries + 1
            return Outcome(key, problem=_reason(error))

    def _workers(self) -> dict[str, int]:
        """Return address -> threads, once there is a worker."""
        end = time.monotonic() + PATIENCE
        while True:
            if self._client.status != "running":
                raise OSError("scheduler: the connection to it was lost")
            if workers := self._client.nthreads():
                return workers
            if time.monotonic() > end:
                raise OSError(f"scheduler: it has had no worker for {PATIENCE:g} s")
            time.sleep(0.1)

    def close(self) -> None:
        """End the workers that were started here, and leave those of an existing cluster."""
        self._opened.close()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _key(kind: str) -> str:
    # Dask would take two tasks of one name for the same; names that differ only here are one group to it.
    return f"{kind}-{uuid.uuid4().hex}"


def _reason(error: Exception) -> str:
    """Return one line that says why a task failed."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return f"its worker process died {TRIES} times"
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}"
