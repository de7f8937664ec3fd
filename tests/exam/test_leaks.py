"""Nothing to read and nothing to write: what a submission can reach behind the wall."""

import os
import textwrap
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def told(exam):
    """Run code behind the wall and return what it printed."""

    def run(code):
        result = exam.sit(extras=[("answer-mean", textwrap.dedent(code))])
        return "".join(o.get("text", "") + o.get("evalue", "") for o in result.outputs.get("extra-1", []))

    return run


def test_no_frame_and_no_source_of_a_check_is_in_reach(exam):
    answer = """
import sys, linecache, gc
def mean(values):
    frame, files = sys._getframe(), set()
    while frame is not None:
        files.add(frame.f_code.co_filename)
        frame = frame.f_back
    print(sorted(files))
    print("exercise" in str(sorted(linecache.cache)))
    print(any(type(thing).__name__ in ("Exercise", "Mistake", "Case") for thing in gc.get_objects()))
    return float(np.nanmean(values))
"""
    shown = exam.sit({"mean": answer}).outputs["check-mean"][0]["data"]["text/plain"]
    assert "exercises/" not in shown
    assert "examiner" not in shown
    assert shown.count("False") >= 2


def test_no_file_of_exercises_class_or_instructor_is_in_sight(told):
    said = told("""
        import os
        found = []
        for folder, folders, files in os.walk("/"):
            if folder.startswith(("/proc", "/usr")):
                folders[:] = []
                continue
            for file in files:
                path = os.path.join(folder, file)
                words = ("exercises/", "exam_secret", "gradebook", "submitted", ".git/", "nbgrader_config",
                         "examiner", "registrar", "id_rsa", ".ipynb_checkpoints")
                if any(word in path for word in words):
                    if "site-packages/nbgrader" not in path and "site-packages/sklearn" not in path:
                        found.append(path)
        print(found)
    """)
    assert said.strip() == "[]"


def test_home_of_the_grader_is_not_there(told):
    here = str(REPOSITORY)
    said = told(f"import os\nprint(os.path.exists({here!r} + '/tests'), os.path.exists({here!r} + '/.git'))")
    assert said.split() == ["False", "False"]


def test_the_gradebook_cannot_be_opened_even_by_name(told, tmp_path):
    book = tmp_path / "gradebook.db"
    book.write_bytes(b"grades")
    said = told(f"""
        try:
            print(open({str(book)!r}).read())
        except OSError as error:
            print(type(error).__name__)
    """)
    assert said.strip() == "FileNotFoundError"


def test_no_file_can_be_written_but_in_ones_own_scratch(told):
    said = told("""
        import os
        writable = []
        for folder, folders, files in os.walk("/"):
            if folder.startswith("/proc") or folder.count("/") > 4:
                folders[:] = []
                continue
            try:
                file = os.path.join(folder, "mine")
                open(file, "w").close()
                os.remove(file)
                writable.append(folder)
            except OSError:
                pass
        print([w for w in writable if not w.startswith(("/tmp", "/dev/shm", "/home/learner"))])
    """)
    assert said.strip() == "[]"


def test_the_network_is_not_there(told):
    said = told("""
        import socket
        for address in (("127.0.0.1", 22), ("192.0.2.1", 80)):
            try:
                socket.create_connection(address, 1)
                print("connected")
            except OSError as error:
                print(type(error).__name__)
        try:
            end = socket.socket(socket.AF_UNIX)
            end.connect("\\0/tmp/.X11-unix/X0")
            print("connected")
        except OSError as error:
            print(type(error).__name__)
        print(open("/proc/net/tcp").read().count("\\n"))
    """)
    assert said.split() == ["PermissionError", "PermissionError", "ConnectionRefusedError", "1"]


def test_no_other_process_is_in_sight(told):
    said = told("import os\nprint([int(n) for n in os.listdir('/proc') if n.isdigit()], os.getpid())")
    assert said.strip() == "[1, 2] 2"


def test_init_can_be_neither_traced_nor_read_nor_signalled(told):
    said = told("""
        import ctypes, os, signal
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.ptrace(16, 1, 0, 0))
        for name in ("mem", "environ", "maps"):
            try:
                open(f"/proc/1/{name}", "rb").read(10)
                print("read", name)
            except OSError as error:
                print(type(error).__name__)
        try:
            print(os.listdir("/proc/1/fd"))
        except OSError as error:
            print(type(error).__name__)
        os.kill(1, signal.SIGKILL)
        os.kill(1, signal.SIGTERM)
        print("alive")
    """)
    assert said.split() == [
        "-1",
        "PermissionError",
        "PermissionError",
        "PermissionError",
        "PermissionError",
        "alive",
    ]


def test_the_environment_holds_no_secret_and_nothing_of_the_parents(exam, told, monkeypatch):
    said = told("import os\nprint(dict(os.environ), open('/proc/self/environ').read())")
    assert "EXAM" not in said.upper().replace("/EXAM", "")
    for name, value in os.environ.items():
        if len(value) > 12 and name not in ("PATH", "OMP_WAIT_POLICY", "PYTHONHASHSEED", "MPLBACKEND"):
            assert value not in said, name


def test_the_seed_is_nowhere_in_the_memory_a_learner_inherits(exam, told):
    seed = exam.seed
    said = told(f"""
        import re
        wanted = bytes(255 - byte for byte in {bytes(255 - byte for byte in seed)!r})
        pieces = 0
        for line in open("/proc/self/maps"):
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if match is None or "/" in line:
                continue
            start, end = (int(text, 16) for text in match.groups())
            with open("/proc/self/mem", "rb", 0) as memory:
                memory.seek(start)
                try:
                    # Our own copy is one object; a second would be inherited.
                    pieces += memory.read(end - start).count(wanted)
                except (OSError, OverflowError, ValueError):
                    pass
        print(pieces <= 2)
    """)
    assert said.strip() == "True"


def test_no_capability_and_no_new_namespace_can_be_had(told):
    said = told("""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        print([libc.unshare(flag) for flag in (0x10000000, 0x00020000, 0x40000000)])
        print(libc.mount(b"none", b"/tmp", b"tmpfs", 0, b""))
        status = open("/proc/self/status").read()
        wanted = ("CapEff", "CapBnd", "NoNew")
        print([line.split()[1] for line in status.splitlines() if line.startswith(wanted)])
    """)
    assert said.split("\n")[:3] == ["[-1, -1, -1]", "-1", "['0000000000000000', '0000000000000000', '1']"]


def test_only_the_line_to_the_examiner_is_inherited(told):
    said = told("import os\nprint(sorted(os.listdir('/proc/self/fd')))")
    descriptors = eval(said)
    assert set(descriptors) >= {"0", "1", "2"}
    # One socket, and the descriptor of the listing itself.
    assert len(descriptors) <= 5


def test_nothing_is_left_for_the_next_submission(exam):
    leave = """
import os, sys, tempfile, builtins
for folder in ("/tmp", "/dev/shm", os.path.expanduser("~"), "/cache", tempfile.gettempdir()):
    try:
        open(os.path.join(folder, "left_behind"), "w").write("answers")
    except OSError:
        pass
builtins.left_behind = "answers"
np.left_behind = "answers"
from multiprocessing import shared_memory
try:
    shared_memory.SharedMemory("left_behind", create=True, size=100)
except OSError:
    pass
"""
    look = """
import builtins, os
found = [folder for folder in ("/tmp", "/dev/shm", os.path.expanduser("~"), "/cache")
         if os.path.exists(os.path.join(folder, "left_behind"))]
print(found, hasattr(builtins, "left_behind"), hasattr(np, "left_behind"), os.listdir("/dev/shm"))
"""
    exam.sit(extras=[("answer-mean", leave)])
    said = exam.sit(extras=[("answer-mean", look)]).outputs["extra-1"][0]["text"]
    assert said.strip() == "[] False False []"


def test_a_submitted_kernel_launcher_is_data_and_never_imported(exam):
    # The submission folder is not on any path: only the notebook's bytes travel.
    said = exam.sit(extras=[("answer-mean", "import sys\nprint('' in sys.path, sys.path[0])")])
    assert said.outputs["extra-1"][0]["text"].split() == ["False", "/exam"]


def test_inputs_carry_no_hidden_truth(exam):
    answer = """
def mean(values):
    print(type(values).__name__, values.dtype, values.base is None or type(values.base).__name__)
    return float(np.nanmean(values))
"""
    shown = exam.sit({"mean": answer}).outputs["check-mean"][0]["data"]["text/plain"]
    assert "ndarray float64" in shown


def test_a_daemon_does_not_outlive_the_exam(exam):
    daemon = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(0.1)
    os._exit(0)
os.wait()
print("started")
"""
    before = learners()
    said = exam.sit(extras=[("answer-mean", daemon)]).outputs["extra-1"][0]["text"]
    assert said.strip() == "started"
    end = time.monotonic() + 5
    while learners() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert learners() == before


def learners():
    """Return how many processes run as the walled nobody."""
    count = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            count += b"autograder.exam.nursery" in command
    return count
