"""The outer wall of a worker: a bubblewrapped nursery, with the interpreter and the course read-only in it.

Nothing else of the machine is in sight: no home, no class, no gradebook, no network, no other process. A
nursery of candidates has a stand-in where the grader would be, and no exercises; a nursery of examiners has
the exercises, and neither learners nor grades.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from autograder.exam import cgroup
from autograder.exam.launch import NOBODY
from autograder.exam.limits import Limits
from autograder.exam.nursery import CANDIDATES, EXAMINERS
from autograder.exam.wire import Channel, Lost, close_quietly, pair
from autograder.stage import STAGES_VARIABLE, stage_folder

_PACKAGE = Path(__file__).resolve().parents[1]
_BEHIND_THE_WALL = (
    "plain",
    "explain.py",
    *(
        f"exam/{name}.py"
        for name in ("__init__", "candidate", "cgroup", "confine", "launch", "limits", "nursery", "wire")
    ),
)
_HOME, _DESK, _CACHE = "/home/learner", "/exam", "/cache"
_ENVIRONMENT = {
    "HOME": _HOME,
    "USER": "learner",
    "LOGNAME": "learner",
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "TMPDIR": "/tmp",
    "MPLCONFIGDIR": "/tmp/matplotlib",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "IPYTHONDIR": "/tmp/ipython",
    "COURSE_CACHE": _CACHE,
    "NBGRADER_EXECUTION": "autograde",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "JOBLIB_MULTIPROCESSING": "0",
    "LOKY_MAX_CPU_COUNT": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")},
}
_WARM_SECONDS = 180.0
_BIRTH_SECONDS = 30.0


class NoSandbox(RuntimeError):
    """No wall can be had here; the message says why."""


class Nursery:
    """A warm parent of candidates or examiners, inside its outer wall.

    stage: the stage that is examined.   imports: modules to import at once.
    rehearsal: the course's own cells to run once.   walls: False to do without any sandbox.

    It starts at once, in the background; `wait` before the first `fork`.
    """

    def __init__(
        self,
        role: str,
        stage: str,
        limits: Limits,
        imports: Sequence[str] = (),
        rehearsal: Sequence[str] = (),
        walls: bool = True,
    ):
        self._folder = Path(tempfile.mkdtemp(prefix="exam-"))
        self._stage = stage
        self._limits = limits
        work = _HOME if walls else str(_made(self._folder / "work"))
        ours, theirs = pair()
        try:
            command, environment = self._command(role, theirs.fileno(), walls)
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise NoSandbox(f"the sandbox could not be started: {error.strerror}") from error
        finally:
            theirs.close()
        self._channel = Channel(ours, 64 << 20)
        self._order = {
            "role": role,
            "stage": stage,
            "limits": asdict(limits),
            "imports": list(imports),
            "rehearsal": list(rehearsal),
            "walls": walls,
            "work": work,
            "read_only": [_CACHE] if role == CANDIDATES else [],
            "kept": [prefix for prefix in _prefixes() if prefix.startswith(("/tmp/", f"{_HOME}/"))],
        }
        self.warm_seconds = 0.0

    def wait(self) -> None:
        """Wait until it is warm; NoSandbox when the wall or the warm parent cannot be had."""
        try:
            self._channel.send(self._order)
            answer = self._channel.receive(_WARM_SECONDS)
        except Lost as lost:
            raise NoSandbox(f"the sandbox could not be started: {self._last_words() or lost}") from lost
        if not answer.get("ready"):
            raise NoSandbox(f"the warm parent could not start: {answer.get('why')}")
        self.warm_seconds = float(answer["seconds"])

    def fork(self) -> tuple[int, int]:
        """Return (descriptor, pidfd) of a new child: where to talk to it, and how to kill it.

        Raises Lost when the warm parent is gone, NoSandbox when the child could not wall itself in.
        """
        ours, theirs = pair()
        descriptors: list[int] = []
        try:
            self._channel.send({"do": "fork"}, pass_on=(theirs.fileno(),))
            answer = self._channel.receive(_BIRTH_SECONDS, descriptors)
        except Lost as lost:
            ours.close()
            raise Lost(f"the warm parent is gone: {self._last_words() or lost}") from lost
        finally:
            theirs.close()
        if not answer.get("born") or not descriptors:
            ours.close()
            close_quietly(*descriptors)
            raise NoSandbox(f"no wall inside the wall: {answer.get('why')}")
        return ours.detach(), descriptors[0]

    def close(self) -> None:
        """End the warm parent and every child of it."""
        self._channel.close()
        if self._process.poll() is None:
            # With the outer wall's first process die all inside it.
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stderr.close()
        cgroup.leave(self._process.pid)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _last_words(self) -> str:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        lines = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def _command(self, role: str, descriptor: int, walls: bool) -> tuple[list[str], dict[str, str]]:
        """Return the command line and the environment of the nursery."""
        desk = self._lay_desk(role)
        begin = "import sys; sys.path.insert(0, {!r}); from autograder.exam.nursery import main; main({})"
        if not walls:
            home = str(_made(self._folder / "home"))
            cache = str(_made(self._folder / "cache"))
            _copy_cache(Path(cache))
            own = {"HOME": home, "COURSE_CACHE": cache, "PATH": os.environ["PATH"]}
            if role == EXAMINERS:
                own[STAGES_VARIABLE] = str(stage_folder(self._stage).parent)
            environment = _ENVIRONMENT | own
            code = begin.format(str(desk), descriptor)
            return [sys.executable, "-I", "-c", code], environment
        if shutil.which("bwrap") is None:
            raise NoSandbox("bubblewrap is not installed (`bwrap` is not on the path)")
        binds, writable, options = self._outer_wall(role, desk)
        plan = {
            "binds": binds,
            "writable": writable,
            "options": options,
            "staging": str(_made(self._folder / "staging")),
            "command": [sys.executable, "-I", "-c", begin.format(_DESK, descriptor)],
            # Room for the warm parent, and for a watch that needs a moment.
            "memory": 2 * self._limits.memory,
            "processes": 2 * self._limits.processes + 64,
        }
        self._folder.chmod(0o755)
        launch = (
            f"import sys; sys.path.insert(0, {str(self._folder / CANDIDATES)!r});"
            " from autograder.exam.launch import main; import json; main(json.loads(sys.argv[1]))"
        )
        command = [sys.executable, "-I", "-S", "-c", launch, json.dumps(plan)]
        return command, {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}

    def _outer_wall(self, role: str, desk: Path) -> tuple[list, list, list[str]]:
        """Return what is bound read-only, what writable, and the other options of the outer wall."""
        binds = [[str(desk), _DESK]]
        options = ["--unshare-all", "--die-with-parent", "--clearenv", "--tmpfs", "/dev"]
        # No /dev/zero: mapped, it is memory that nobody counts.
        for device in ("null", "full", "random", "urandom"):
            options += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
        options += ["--dir", "/dev/shm", "--remount-ro", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
        options += ["--dir", _HOME, "--chdir", "/", "--hostname", "exam"]
        for name, value in _ENVIRONMENT.items():
            options += ["--setenv", name, value]
        for folder in ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/sbin"):
            if os.path.islink(folder):
                options += ["--symlink", os.readlink(folder), folder]
            elif os.path.isdir(folder):
                binds.append([folder, folder])
        binds += [[f, f] for f in ("/etc/ld.so.cache", "/etc/alternatives") if os.path.exists(f)]
        binds += [[prefix, prefix] for prefix in _prefixes()]
        packages = {"course": _course()}
        if role == EXAMINERS:
            packages |= {"autograder": _PACKAGE, f"stages/{self._stage}": stage_folder(self._stage)}
        for name, package in packages.items():
            # What is bound read-only must hold a folder for whatever is bound into it.
            _made(desk / name)
            binds.append([str(package), f"{_DESK}/{name}"])
        if role == EXAMINERS:
            options += ["--setenv", STAGES_VARIABLE, f"{_DESK}/stages"]
            return binds, [[str(self._cache()), _CACHE]], options
        # An installed grader lies beside the libraries, with the exercises in it: put nothing over it.
        installed = Path(sysconfig.get_path("purelib")) / "autograder"
        if installed.is_dir():
            binds.append([str(_made(self._folder / "nothing")), str(installed)])
        return binds, [[str(self._cache()), _CACHE]], options

    def _lay_desk(self, role: str) -> Path:
        """Lay out the folder that is first on the path; for candidates, all they have of the grader."""
        desk = self._folder / CANDIDATES
        package = _made(desk / "autograder" / "exam").parent
        shutil.copy(_PACKAGE / "exam" / "standin.py", package / "__init__.py")
        for name in _BEHIND_THE_WALL:
            copy = shutil.copytree if (_PACKAGE / name).is_dir() else shutil.copy
            copy(_PACKAGE / name, package / name)
        return desk if role == CANDIDATES else _made(self._folder / EXAMINERS)

    def _cache(self) -> Path:
        """Return a copy of the course's built data, for this nursery alone."""
        cache = _made(self._folder / "cache")
        _copy_cache(cache)
        if os.getuid() == 0:
            for path in (cache, *cache.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        return cache


def _copy_cache(cache: Path) -> None:
    own = Path(os.environ.get("COURSE_CACHE") or "~/.cache/ml-design-course").expanduser()
    if own.is_dir():
        for file in own.iterdir():
            if file.is_file():
                shutil.copy(file, cache / file.name)


def _prefixes() -> list[str]:
    """Return where the interpreter and its libraries are, outside of the system's own folders."""
    prefixes = {sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix}
    return sorted(prefix for prefix in prefixes if not prefix.startswith("/usr"))


def _course() -> Path:
    """Return the package that the notebooks import, wherever it is installed."""
    from importlib.util import find_spec

    spec = find_spec("course")
    if spec is None or spec.origin is None:
        raise NoSandbox("the package `course` is not installed here")
    return Path(spec.origin).parent


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
