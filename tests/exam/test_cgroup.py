"""Control groups hold a nursery where the machine has them, and are gone with it."""

import os
import subprocess
import sys

import pytest

from autograder.exam import cgroup
from autograder.exam.limits import MB

ENTER = "from autograder.exam import cgroup; print(*cgroup.enter({memory}, {processes}), flush=True);"


def run(code, memory=64 * MB, processes=100):
    ran = subprocess.Popen(
        [sys.executable, "-c", ENTER.format(memory=memory, processes=processes) + code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    said = ran.communicate(timeout=60)[0]
    there = [str(group) for _, group in cgroup.groups(ran.pid) if group.is_dir()]
    cgroup.leave(ran.pid)
    left = [str(group) for _, group in cgroup.groups(ran.pid) if group.is_dir()]
    return ran.returncode, said.split("\n"), there, left


@pytest.fixture
def controllers():
    """Skip where this machine has no control groups that we may use; otherwise say which it has."""
    had = run("")[1][0].split()
    if not had:
        pytest.skip("no control group can be had here")
    return had


def test_memory_beyond_the_group_ends_the_process(controllers):
    if "memory" not in controllers:
        pytest.skip("no control group for memory here")
    assert run("print(len(bytearray(20 << 20)))")[:2] == (0, [" ".join(controllers), str(20 << 20), ""])
    status, said, _, _ = run("print(len(bytearray(200 << 20)))")
    assert status == -9
    assert said == [" ".join(controllers), ""]


def test_processes_beyond_the_group_cannot_be_started(controllers):
    if "pids" not in controllers:
        pytest.skip("no control group for processes here")
    forks = """
import os, time
for number in range(9):
    if os.fork() == 0:
        time.sleep(1)
        os._exit(0)
    print(number, flush=True)
"""
    status, said, _, _ = run(forks, processes=5)
    assert status == 1
    assert "3" in said
    assert "5" not in said


def test_a_group_is_removed_once_its_processes_are_gone(controllers):
    status, _, there, left = run("")
    assert status == 0
    assert there
    assert left == []


def test_a_nursery_lies_in_a_group_that_goes_with_it(controllers, exam):
    nursery = exam.room._candidates
    limits = [
        (group / name).read_text().strip()
        for _, group in cgroup.groups(nursery._process.pid)
        for name in ("memory.max", "memory.limit_in_bytes", "pids.max")
        if (group / name).exists()
    ]
    assert str(2 * 600 * MB) in limits or "memory" not in controllers
    assert str(2 * 48 + 64) in limits or "pids" not in controllers


def test_without_control_groups_nothing_is_entered_and_nothing_breaks(monkeypatch, tmp_path):
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    assert cgroup.enter(64 * MB, 10) == []
    cgroup.leave(os.getpid())
