"""Linux by its system calls: a forked child walls itself in before it runs a stranger's code.

The calls are made through ctypes, because the child is a fork of a warm interpreter: a launcher that execs
would throw away the warmth. Knows nothing of exams.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import resource
import signal
import socket
import sys
import time

from autograder.exam.limits import Limits

NEW_USER, NEW_PID, NEW_MOUNTS, NEW_NET = 0x10000000, 0x20000000, 0x00020000, 0x40000000
NEW_IPC, NEW_HOST, NEW_CGROUP = 0x08000000, 0x04000000, 0x02000000
_ALL = NEW_USER | NEW_PID | NEW_MOUNTS | NEW_NET | NEW_IPC | NEW_HOST | NEW_CGROUP
_NOSUID, _NODEV, _NOEXEC, _READ_ONLY, _REMOUNT, BIND, RECURSIVE, PRIVATE = (
    0x2,
    0x4,
    0x8,
    0x1,
    0x20,
    0x1000,
    0x4000,
    0x40000,
)
_SET_DUMPABLE, _DROP_BOUNDING, _SET_PARENT_DEATH, _NO_NEW_PRIVILEGES, _AMBIENT = 4, 24, 1, 38, 47
_CAPABILITIES_VERSION = 0x20080522
_WATCH_SECONDS = 0.05
_SOCKET_BYTES = 212_992
OUT_OF_MEMORY = 86
"""Exit status of a process tree that was ended because it used more memory than allowed."""

_libc = ctypes.CDLL(None, use_errno=True)


class CannotConfine(OSError):
    """The kernel refused a wall; the message names which one."""


def unshare(flags: int) -> None:
    """Leave the namespaces that the flags name."""
    _must(_libc.unshare(flags), "unshare namespaces")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount, or raise CannotConfine."""
    status = _libc.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode())
    _must(status, f"mount {kind or source} on {target}")


def wall_in() -> None:
    """Enter namespaces of one's own; the next process forked is the first of a new process tree.

    Works in a process of one thread, without any privilege.
    """
    user, group = os.getuid(), os.getgid()
    unshare(_ALL)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")


def become_init(limits: Limits, work: str, read_only: tuple[str, ...], kept: tuple[str, ...] = ()) -> None:
    """Finish the walls as process 1 of the new tree, and return in a new process only: the learner's.

    Process 1 stays outside the learner's reach and ends all others when the learner's process ends or when
    the memory is used up.

    work: folder for the learner's files; /tmp and /dev/shm are made new as well.
    read_only: folders that are writable outside and must not be in here.
    kept: folders below /tmp or `work` that must stay where they are, such as an interpreter installed there.
    """
    mount("none", "/", "", RECURSIVE | PRIVATE)
    hidden = {folder: os.open(folder, os.O_PATH | os.O_DIRECTORY) for folder in kept}
    for folder in ("/tmp", "/dev/shm", work):
        options = f"size={limits.scratch},nr_inodes=20000,mode=700"
        mount("tmpfs", folder, "tmpfs", _NOSUID | _NODEV, options)
    for folder, descriptor in hidden.items():
        os.makedirs(folder)
        mount(f"/proc/self/fd/{descriptor}", folder, "", BIND | RECURSIVE)
        os.close(descriptor)
    for folder in read_only:
        mount(folder, folder, "", BIND)
        mount("none", folder, "", BIND | _REMOUNT | _READ_ONLY | _NOSUID | _NODEV)
    mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    socket.sethostname("exam")
    _write("/proc/sys/user/max_user_namespaces", "0")
    _give_up_rights()
    learner = os.fork()
    if learner:
        _watch(learner, limits.memory)
    _libc.prctl(_SET_PARENT_DEATH, signal.SIGKILL)
    os.setsid()
    os.chdir(work)
    _limit_resources(limits)
    _filter_calls()


def limit_only(limits: Limits, work: str) -> None:
    """Do without walls: a session of one's own and resource limits are all that is left."""
    os.setsid()
    os.chdir(work)
    _limit_resources(limits)


def _give_up_rights() -> None:
    _must(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "set no new privileges")
    capability = 0
    while _libc.prctl(_DROP_BOUNDING, capability, 0, 0, 0) == 0:
        capability += 1
    _libc.prctl(_AMBIENT, 4, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    _must(_libc.capset(header, (ctypes.c_uint32 * 6)()), "drop capabilities")


def _limit_resources(limits: Limits) -> None:
    def limit(kind: int, most: int) -> None:
        # The limits inherited may be lower already.
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))

    # One byte, not none: only that keeps a core from a helper that the system pipes cores to.
    limit(resource.RLIMIT_CORE, 1)
    limit(resource.RLIMIT_NPROC, limits.processes)
    limit(resource.RLIMIT_NOFILE, 256)
    limit(resource.RLIMIT_FSIZE, limits.scratch)
    limit(resource.RLIMIT_CPU, limits.cpu_seconds)
    limit(resource.RLIMIT_MSGQUEUE, 0)
    limit(resource.RLIMIT_MEMLOCK, 0)
    # Address space counts much that is never touched (threads' stacks, arenas): the memory itself is
    # watched by init, this stops a single absurd request at once.
    limit(resource.RLIMIT_AS, 2 * limits.memory + (8 << 30))


# What a grader's learner never needs, and escapes are made of. Everything else stays allowed: the walls
# do not rest on this list.
_REFUSED = (
    "add_key", "bpf", "clock_adjtime", "clock_settime", "delete_module", "fanotify_init", "finit_module",
    "fsconfig", "fsmount", "fsopen", "fspick", "init_module", "io_uring_enter", "io_uring_register",
    "io_uring_setup", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "modify_ldt",
    "mount", "mount_setattr", "move_mount", "name_to_handle_at", "open_by_handle_at", "open_tree",
    "perf_event_open", "personality", "pidfd_getfd", "pivot_root", "process_madvise", "process_vm_readv",
    "process_vm_writev", "ptrace", "quotactl", "reboot", "request_key", "setdomainname", "sethostname",
    "setns", "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd", "vhangup",
    # Memory that belongs to no process, so that nobody counts it; and a pool that all the machine shares.
    "io_setup", "memfd_create", "memfd_secret", "msgget", "semget", "shmget", "vmsplice",
    # Ways to slow process 1 down.
    "sched_setattr", "sched_setparam", "sched_setscheduler",
)  # fmt: skip
_WORD = 0xFFFFFFFF
"""The part of a register that the kernel reads where it wants an int."""


def _filter_calls() -> None:
    """Refuse dangerous system calls, and every socket but pairs and unnamed local ones."""
    import pyseccomp

    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refuse = pyseccomp.ERRNO(errno.EPERM)
    for name in _REFUSED:
        # A call that this kernel or library does not know cannot be made by its name.
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            rules.add_rule(refuse, name)

    def when(place: int, value: int, mask: int = _WORD) -> pyseccomp.Arg:
        return pyseccomp.Arg(place, pyseccomp.MASKED_EQ, mask, value)

    for name in ("socket", "socketpair"):
        rules.add_rule(refuse, name, pyseccomp.Arg(0, pyseccomp.NE, socket.AF_UNIX))
    # What waits in a socket belongs to nobody either.
    rules.add_rule(refuse, "setsockopt", when(1, socket.SOL_SOCKET), when(2, socket.SO_SNDBUF))
    # Anonymous memory that is shared stays when it is no longer mapped; of files there are only so many.
    rules.add_rule(refuse, "mmap", when(3, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS, mask=0x21))
    # A lease makes whoever opens the file wait.
    rules.add_rule(refuse, "fcntl", when(1, fcntl.F_SETLEASE))
    # Process 1 keeps its limits, its rank and its processors.
    for name in ("prlimit64", "sched_setaffinity"):
        rules.add_rule(refuse, name, when(0, 1))
    for place in (0, 1):
        rules.add_rule(refuse, "setpriority", pyseccomp.Arg(place, pyseccomp.NE, 0))
    rules.add_rule(refuse, "setrlimit", when(0, resource.RLIMIT_CORE))
    rules.add_rule(refuse, "prlimit64", when(1, resource.RLIMIT_CORE), pyseccomp.Arg(2, pyseccomp.NE, 0))
    # Processor time is dealt out by session: a submission that makes many would take more than its share.
    # It may believe that it did.
    rules.add_rule(pyseccomp.ERRNO(0), "setsid")
    namespaces = NEW_USER | NEW_PID | NEW_MOUNTS | NEW_NET | NEW_IPC | NEW_HOST | NEW_CGROUP
    for flag in (1 << bit for bit in range(32) if namespaces >> bit & 1):
        rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # clone3 hides its flags in memory, where a filter cannot look: libraries fall back to clone.
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    rules.load()


def _watch(learner: int, memory: int) -> None:
    """Wait as init for the learner's process; end everything when it uses too much memory."""
    _libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.closerange(3, 65536)
    while True:
        with contextlib.suppress(ChildProcessError):
            while True:
                ended, status = os.waitpid(-1, os.WNOHANG)
                if ended == learner:
                    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
                if ended == 0:
                    break
        if _memory_in_use(memory) > memory:
            os._exit(OUT_OF_MEMORY)
        time.sleep(_WATCH_SECONDS)


def _memory_in_use(limit: int) -> int:
    """Return bytes that all other processes in sight hold for themselves.

    A quick look counts pages that forks share once for each of them; only where that exceeds the limit are
    they counted properly.
    """
    numbers = [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]
    rough = {name: _resident(f"/proc/{name}") for name in numbers}
    in_sockets = _in_sockets()
    if sum(rough.values()) + in_sockets <= limit:
        return 0
    return in_sockets + sum(_proportional(name, rough[name]) for name in numbers)


def _resident(process: str) -> int:
    try:
        with open(f"{process}/statm") as file:
            size, resident, shared, *_ = map(int, file.read().split())
        if size == 0 and "/task/" not in process:
            # Its first thread is gone, and only the others still say what they use.
            return max(_resident(f"{process}/task/{thread}") for thread in os.listdir(f"{process}/task"))
    except (OSError, ValueError):
        return 0
    return (resident - shared) * resource.getpagesize()


def _in_sockets() -> int:
    """Return the most bytes that can wait in all sockets of this network namespace."""
    with open("/proc/net/sockstat") as file:
        return int(file.readline().split()[2]) * _SOCKET_BYTES


def _proportional(number: str, otherwise: int) -> int:
    try:
        with open(f"/proc/{number}/smaps_rollup") as file:
            fields = dict(line.split(":", 1) for line in file.readlines()[1:])
        return int(fields["Pss_Anon"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        return otherwise


def close_all_but(*kept: int) -> None:
    """Point descriptors 0, 1 and 2 at nothing and close all others that are not kept."""
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    edge = 3
    for descriptor in sorted(kept):
        os.closerange(edge, descriptor)
        edge = descriptor + 1
    os.closerange(edge, 65536)


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        raise CannotConfine(error.errno, f"cannot write {path}: {error.strerror}") from error


def _must(status: int, what: str) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise CannotConfine(number, f"cannot {what}: {os.strerror(number)}")


def single_threaded() -> bool:
    """Tell whether this process has one thread only, as a fork of it needs."""
    return len(os.listdir("/proc/self/task")) == 1 if sys.platform == "linux" else True
