"""Many tasks at once: nothing is lost when workers die, and only the guilty task is set aside."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from autograder.cluster import IN_FLIGHT, TRIES, Cluster, Tls


def double(number):
    return 2 * number


def slowly_double(number):
    time.sleep(0.1)
    return 2 * number


def own_id(_=None):
    return os.getpid()


def kill_worker_if(number, bad):
    if number == bad:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    return number


def fail_if(number, bad):
    if number == bad:
        raise RuntimeError("no such\nluck")
    return number


def numbered(numbers, *more):
    return ((f"task {number}", (number, *more)) for number in numbers)


@pytest.fixture(scope="module")
def cluster():
    with Cluster(workers=2) as cluster:
        yield cluster


def test_every_task_has_one_outcome_under_its_own_key(cluster):
    outcomes = list(cluster.run(double, numbered(range(50))))
    assert sorted((o.key, o.value) for o in outcomes) == sorted((f"task {n}", 2 * n) for n in range(50))
    assert not any(outcome.problem for outcome in outcomes)


def test_tasks_run_in_more_than_one_process_and_never_in_this_one(cluster):
    processes = {outcome.value for outcome in cluster.run(own_id, numbered(range(20)))}
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_tasks_are_drawn_only_as_workers_become_free(cluster):
    drawn = []

    def tasks():
        for number in range(30):
            drawn.append(number)
            yield f"task {number}", (number,)

    for done, _ in enumerate(cluster.run(double, tasks()), start=1):
        assert len(drawn) - done < 2 * IN_FLIGHT + 1
    assert len(drawn) == 30


def test_a_task_that_kills_its_worker_is_set_aside_and_all_others_are_done(cluster):
    outcomes = {o.key: o for o in cluster.run(kill_worker_if, numbered(range(16), 5))}
    assert len(outcomes) == 16
    assert outcomes.pop("task 5").problem == f"its worker process died {TRIES} times"
    assert not any(outcome.problem for outcome in outcomes.values())


def test_a_worker_killed_from_outside_costs_nothing(cluster):
    victim = next(iter(cluster.run(own_id, numbered([0])))).value
    threading.Timer(0.5, os.kill, (victim, signal.SIGKILL)).start()
    outcomes = list(cluster.run(slowly_double, numbered(range(30))))
    with pytest.raises(ProcessLookupError):
        os.kill(victim, 0)
    assert sorted(outcome.value for outcome in outcomes) == [2 * n for n in range(30)]


@pytest.mark.slow
def test_a_worker_is_replaced_however_often_it_dies():
    with Cluster(workers=1) as cluster:
        for _ in range(4):
            outcomes = list(cluster.run(kill_worker_if, numbered(range(3), 1)))
            assert [bool(outcome.problem) for outcome in outcomes] == [False, False, True]


def test_a_task_that_raises_is_set_aside_in_one_line(cluster):
    outcomes = {o.key: o for o in cluster.run(fail_if, numbered(range(4), 2))}
    assert outcomes["task 2"].problem == "RuntimeError: no such luck"
    assert [outcomes[f"task {n}"].value for n in (0, 1, 3)] == [0, 1, 3]


def test_everywhere_means_once_on_each_worker(cluster):
    assert len(set(cluster.everywhere(own_id)())) == 2
    with pytest.raises(RuntimeError, match="no such"):
        cluster.everywhere(fail_if, 1, 1)()


def test_memory_does_not_grow_with_the_number_of_tasks(cluster):
    payload = b"x" * 200_000

    def memory():
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20

    def some(count):
        for _ in cluster.run(len, ((str(n), (payload + bytes([n % 256]),)) for n in range(count))):
            pass

    some(100)
    before = memory()
    some(400)
    assert memory() - before < 20


def test_nothing_is_left_of_a_cluster(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Cluster(workers=1) as cluster:
        worker = next(iter(cluster.run(own_id, numbered([0])))).value
        assert list(tmp_path.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    assert not list(tmp_path.iterdir())


def test_others_on_this_machine_cannot_reach_its_workers(cluster, monkeypatch):
    monkeypatch.setattr("autograder.cluster.CONNECT_SECONDS", 1)
    address = cluster._client.scheduler.address
    for stranger in (address, address.replace("tls://", "tcp://")):
        with pytest.raises(OSError, match="does not answer"):
            Cluster(scheduler=stranger)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"workers": 0}, "workers: at least 1 is needed, not 0"),
        ({"tls": Tls("a", "b", "c")}, "name its --scheduler"),
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:1"}, "leave out"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        Cluster(**options)


def test_a_scheduler_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr("autograder.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(OSError, match=r"scheduler: tcp://127\.0\.0\.1:1 does not answer"):
        Cluster(scheduler="tcp://127.0.0.1:1")


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """An authority and one certificate it signed, made by openssl."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority")
    openssl("req", *new, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=grader")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "cert.pem")
    return Tls(*(str(folder / name) for name in ("ca.pem", "cert.pem", "key.pem")))


@pytest.fixture(scope="module")
def scheduler(tls, tmp_path_factory):
    """The address of a real scheduler with one worker, which demand certificates."""
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "scheduler.json"
    prove = ["--tls-ca-file", tls.ca, "--tls-cert", tls.cert, "--tls-key", tls.key]
    common = [*prove, "--no-dashboard", "--scheduler-file", str(file)]
    here = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    started = []

    def start(*arguments):
        command = [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:], *common]
        started.append(subprocess.Popen(command, cwd=folder, env=here, stderr=subprocess.DEVNULL))

    start("dask_scheduler", "--protocol", "tls", "--host", "127.0.0.1", "--port", "0")
    try:
        end = time.monotonic() + 30
        while not file.exists() and time.monotonic() < end:
            time.sleep(0.1)
        start("dask_worker", "--nthreads", "1", "--host", "127.0.0.1", "--memory-limit", "0")
        yield json.loads(file.read_text())["address"]
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


def test_an_existing_cluster_is_used_over_tls_and_left_running(scheduler, tls):
    assert scheduler.startswith("tls://")
    workers = []
    for _ in range(2):
        with Cluster(scheduler=scheduler, tls=tls) as cluster:
            workers += [outcome.value for outcome in cluster.run(own_id, numbered(range(3)))]
    assert len(workers) == 6
    assert len(set(workers)) == 1


def test_a_cluster_that_asks_for_certificates_turns_away_those_without(scheduler, monkeypatch):
    monkeypatch.setattr("autograder.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(OSError, match="does not answer"):
        Cluster(scheduler=scheduler.replace("tls://", "tcp://"))
    with pytest.raises(OSError, match="does not answer"):
        Cluster(scheduler=scheduler)
