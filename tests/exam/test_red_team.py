"""What a learner who knows every line of the exam tries next, and what it must come to."""

import json
import resource
import textwrap
import time

import pytest

from autograder.exam import seeds
from autograder.exam.limits import MB, Limits
from autograder.exam.room import Room
from autograder.stage import STAGES_VARIABLE

ALL = {"mean": 4, "half": 2, "count": 3}
WRONG = {
    "mean": "def mean(values):\n    return 0.0",
    "half": "half = 0.4",
    "count": "def count(table):\n    return {}",
}


@pytest.fixture
def told(exam):
    """Run code behind the wall, in a cell of its own; return all that it showed, as text."""

    def run(code):
        result = exam.sit(exam.right, [("answer-mean", textwrap.dedent(code))])
        assert earned(result) == ALL
        outputs = result.outputs.get("extra-1", [])
        return "".join(o.get("text", "") + o.get("ename", "") + o.get("evalue", "") for o in outputs)

    return run


def earned(result):
    return {name: verdict["points"] for name, verdict in result.verdicts.items()}


def forge(body):
    """Return a cell that has every later reply go through `forged(request, reply)`."""
    return f"""
from autograder.exam import candidate
honest = candidate._answer
def forged(request, reply):
{textwrap.indent(textwrap.dedent(body).strip(), "    ")}
candidate._answer = lambda request, *rest: forged(request, honest(request, *rest))
"""


# --- memory that nobody counts

HOGS = {
    "shared and anonymous": """
        import mmap
        block = mmap.mmap(-1, 1000 << 20)
        for place in range(0, 1000 << 20, 4096): block[place] = 1
        time.sleep(0.3); print("held")
    """,
    "shared and no longer looked at": """
        import mmap
        block = mmap.mmap(-1, 1000 << 20)
        for place in range(0, 1000 << 20, 4096):
            block[place] = 1
            if place % (50 << 20) == 0: block.madvise(mmap.MADV_DONTNEED)
        time.sleep(0.3); print("held")
    """,
    "mapped from a device": """
        import mmap
        block = mmap.mmap(os.open("/dev/zero", os.O_RDWR), 1000 << 20)
        for place in range(0, 1000 << 20, 4096): block[place] = 1
        time.sleep(0.3); print("held")
    """,
    "in files without a name": """
        files = [os.memfd_create("hog") for _ in range(40)]
        for file in files:
            for _ in range(25): os.write(file, bytes(1 << 20))
        time.sleep(0.3); print("held")
    """,
    "in segments of system V": """
        import ctypes
        libc = ctypes.CDLL(None)
        libc.shmat.restype = ctypes.c_void_p
        libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
        for _ in range(10):
            segment = libc.shmget(0, 100 << 20, 0o1600)
            assert segment >= 0
            place = libc.shmat(segment, None, 0)
            ctypes.memset(place, 1, 100 << 20)
            libc.shmdt(ctypes.c_void_p(place))
        time.sleep(0.3); print("held")
    """,
    "in a process whose first thread is gone": """
        if os.fork() == 0:
            import ctypes, threading
            def work():
                time.sleep(0.3)
                block = np.ones(1000 << 17)
                time.sleep(0.5)
                open("/tmp/held", "w").close()
                time.sleep(9)
            threading.Thread(target=work).start()
            ctypes.CDLL(None).syscall(60, 0)
        end = time.monotonic() + 4
        while not os.path.exists("/tmp/held") and time.monotonic() < end: time.sleep(0.1)
        print("held" if os.path.exists("/tmp/held") else "")
    """,
    "in a process that cannot be looked at": """
        import ctypes
        ctypes.CDLL(None).prctl(4, 0)
        block = np.ones(1000 << 17)
        time.sleep(0.5); print("held")
    """,
    "in a great many sockets": """
        import socket
        ready, go = os.pipe()
        for _ in range(16):
            if os.fork() == 0:
                pairs = [socket.socketpair() for _ in range(115)]
                os.write(go, b"x")
                time.sleep(9)
        for _ in range(16): os.read(ready, 1)
        time.sleep(0.5); print("held")
    """,
    "in few sockets with large buffers": """
        import socket
        one, other = socket.socketpair()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        print("held")
    """,
}  # fmt: skip


@pytest.mark.parametrize("kind", HOGS)
def test_memory_beyond_the_limit_cannot_be_held(told, kind):
    said = told("import os, time\n" + textwrap.dedent(HOGS[kind]))
    assert "held" not in said
    assert "Error" in said or "used more memory" in said


def test_shared_memory_of_libraries_still_works(told):
    said = told("""
        import torch, multiprocessing as mp
        from multiprocessing import shared_memory
        block = shared_memory.SharedMemory(create=True, size=1000)
        block.close(); block.unlink()
        counter = mp.Value("i", 0)
        def add():
            with counter.get_lock(): counter.value += 1
        workers = [mp.get_context("fork").Process(target=add) for _ in range(2)]
        for worker in workers: worker.start()
        for worker in workers: worker.join()
        print(torch.ones(3).share_memory_().sum().item(), counter.value)
    """)
    assert said.split() == ["3.0", "2"]


# --- ways past the filter, and ways to disturb what lies outside it


def test_process_1_keeps_its_rank_limits_and_processors(told):
    said = told("""
        import ctypes, os
        libc = ctypes.CDLL(None)
        call = lambda *numbers: libc.syscall(*map(ctypes.c_long, numbers))
        word, high = ctypes.c_long(1), 1 << 32
        where = ctypes.addressof(word)
        limits = (ctypes.c_ulong * 2)(1, 1)
        print(all(status == -1 for status in (
            call(141, 0, 1, 19), call(141, 0, 1 + high, 19), call(141, 2, 65534, 19),
            call(144, 1, 5, ctypes.addressof(ctypes.c_int(0))),
            call(203, 1, 8, where), call(203, 1 + high, 8, where),
            call(302, 1, 7, ctypes.addressof(limits), 0), call(302, 1 + high, 7, ctypes.addressof(limits), 0),
        )))
        try:
            os.write(os.open("/proc/1/timerslack_ns", os.O_WRONLY), b"1000000000000")
            print("slackened")
        except OSError as error:
            print(type(error).__name__)
    """)
    assert said.split() == ["True", "PermissionError"]


def test_calls_in_another_machine_language_are_not_answered(told):
    said = told("""
        import ctypes, mmap, os
        def run(code):
            child = os.fork()
            if child == 0:
                page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
                page.write(bytes.fromhex(code))
                ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
                os._exit(0)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        # getpid as 64 bits, as 32 bits, as x32
        print(run("b8270000000f05c3"), run("b814000000cd80c3"), run("b8270000400f05c3"))
    """)
    assert said.split() == ["0", "-31", "-31"]


def test_no_lease_on_a_file_makes_others_wait(told):
    said = told("""
        import fcntl, os
        with open("/tmp/own", "w"): pass
        try:
            fcntl.fcntl(os.open("/tmp/own", os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            print(type(error).__name__)
    """)
    assert said.strip() == "PermissionError"


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_CORE)[1] == 0, reason="no core may be written at all")
def test_no_core_is_handed_to_a_helper_of_the_system(told):
    said = told("""
        import resource
        print(resource.getrlimit(resource.RLIMIT_CORE))
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        except (OSError, ValueError) as error:
            print(type(error).__name__)
    """)
    assert said.split("\n")[:2] in (["(1, 1)", "PermissionError"], ["(1, 1)", "ValueError"])


def test_a_submission_has_one_session_and_so_one_share_of_the_processors(told):
    said = told("""
        import os
        before = os.getsid(0)
        child = os.fork()
        if child == 0:
            os.setsid()
            os._exit(os.getsid(0) != before)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """)
    assert said.strip() == "0"


def test_no_module_for_a_strange_family_is_loaded_for_a_pair_of_sockets(told):
    said = told("""
        import socket
        for family in (30, 21, socket.AF_INET):
            try:
                socket.socketpair(family, socket.SOCK_STREAM)
            except OSError as error:
                print(type(error).__name__)
    """)
    assert said.split() == ["PermissionError"] * 3


def test_descriptors_sent_to_the_examiner_do_not_arrive(exam):
    sends = """
import os, socket
line = next(int(n) for n in os.listdir("/proc/self/fd") if "socket" in os.readlink(f"/proc/self/fd/{n}"))
end = socket.socket(fileno=os.dup(line))
def mean(values):
    for _ in range(50):
        # A frame that is empty, and a null device with it; then the honest answer.
        socket.send_fds(end, [b"\\x00\\x00\\x00\\x01\\x80"], [os.open("/dev/null", os.O_RDONLY)])
    return 0.0
"""
    assert earned(exam.sit({**exam.right, "mean": sends}))["mean"] == 0
    assert earned(exam.sit(exam.right)) == ALL


# --- replies that are no answers


FORGERIES = {
    "a value where a function is wanted": "return reply | {'kind': 'value', 'value': b'\\x01'}",
    "a function where a value is wanted": "return {'kind': 'function'} if 'kind' in reply else reply",
    "a kind that is a list": "return {'kind': ['function']} if 'kind' in reply else reply",
    "texts for bytes": "return reply | {'value': 'text'}",
    "numbers for texts": "return reply | {'raised': 5, 'printed': [1], 'unreadable': {}}",
    "nothing": "return {}",
    "endless numbers": "return reply | {'printed': float('nan'), 'cpu': float('inf'), 'outputs': -1}",
    "outputs of no form": """
        return reply | {'outputs': [None, [], {}, {'output_type': ['stream']},
            {'output_type': 'stream', 'text': {}},
            {'output_type': 'display_data', 'data': {b'text/html': 'x', 'text/plain': b'y', 'image/png': {}}},
            {'output_type': 'error', 'traceback': [[[]], {}], 'ename': {}, 'evalue': 5}]}
    """,
    "bytes that stop short": "return reply | {'value': b'\\x94\\xa5array'}",
    "a million empty lists": "return reply | {'outputs': [[]] * 400_000, 'raised': [[]] * 999}",
}  # fmt: skip


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_reply_earns_nothing_and_breaks_nothing(exam, kind):
    result = exam.sit(WRONG, [("code-" + first_code_id(exam), forge(FORGERIES[kind]))])
    assert sum(earned(result).values()) == 0
    assert result.problem == ""
    for outputs in result.outputs.values():
        for output in outputs:
            assert all(isinstance(key, str) for key in output.get("data", {}))


def first_code_id(exam):
    ids = [cell["id"] for cell in exam.notebook()["cells"] if cell["id"].startswith("code-")]
    return ids[0].removeprefix("code-")


@pytest.mark.parametrize(
    "frame",
    [
        'b"\\x81\\xa1x\\xdd" + (60_000_000).to_bytes(4, "big") + b"\\x90" * 60_000_000',
        'b"\\x81\\xa1x" + b"\\xdd\\x03\\x00\\x00\\x00" * 12_000_000 + b"\\x90"',
        'b"\\x81\\xa1x" + b"\\x91" * 60_000_000 + b"\\x90"',
    ],
    ids=["many lists", "lists announced in lists", "deep lists"],
)
def test_a_frame_that_swells_when_it_is_read_costs_only_its_cell(exam, frame):
    bomb = f"""
import os, socket, struct
body = {frame}
line = next(int(n) for n in os.listdir("/proc/self/fd") if "socket" in os.readlink(f"/proc/self/fd/{{n}}"))
end = socket.socket(fileno=os.dup(line))
end.setblocking(True)
end.sendall(struct.pack("!I", len(body)) + body)
"""
    result = exam.sit(exam.right, [("answer-mean", bomb)])
    assert earned(result) == ALL
    assert result.problem == ""


def test_a_reply_sent_a_byte_at_a_time_takes_no_longer_than_any_other(exam):
    drips = """
def mean(values):
    import os, time
    line = next(int(n) for n in os.listdir("/proc/self/fd") if "socket" in os.readlink(f"/proc/self/fd/{n}"))
    os.write(line, b"\\x03\\x00\\x00\\x00")
    while True:
        os.write(line, b"\\x00")
        time.sleep(0.01)
"""
    start = time.monotonic()
    result = exam.sit({**exam.right, "mean": drips})
    assert earned(result) == {**ALL, "mean": 0}
    assert "longer than" in result.verdicts["mean"]["next_step"]
    assert time.monotonic() - start < 20


def test_a_process_that_stops_itself_is_not_waited_for(exam):
    stops = "def mean(values):\n    import os\n    os.kill(os.getpid(), 19)"
    result = exam.sit({**exam.right, "mean": stops})
    assert earned(result) == {**ALL, "mean": 0}
    assert "longer than" in result.verdicts["mean"]["next_step"]


def test_outputs_that_are_too_long_together_cost_no_points(exam):
    long = forge("""
        text = {"output_type": "stream", "name": "stdout", "text": "x" * 40_000_000}
        return reply | {"outputs": [text]} if "outputs" in reply else reply
    """)
    result = exam.sit(exam.right, [("answer-mean", long)])
    assert earned(result) == ALL
    assert sum(len(str(outputs)) for outputs in result.outputs.values()) < 1_000_000


def test_text_of_a_forged_type_is_escaped_on_the_page(exam):
    forged = forge("""
        return {"kind": "other", "type": "<img src=x onerror=alert(1)>"} if "kind" in reply else reply
    """)
    result = exam.sit(exam.right, [("code-" + first_code_id(exam), forged)])
    page = result.outputs["check-mean"][0]["data"]["text/html"]
    assert "onerror" in page
    assert "<img" not in page


# --- values that confuse the check itself


@pytest.mark.parametrize(
    "value",
    [
        "np.array([pd.NA, 1], dtype=object)",
        "pd.Series([pd.NA, 1], dtype=object)",
        "pd.DataFrame({'a': [pd.NA]}, dtype=object)",
        "{1: pd.NA}",
        "[[pd.NA]]",
        "{frozenset([1])}",
        "np.array([[np.array([1, 2]), None]], dtype=object)",
        "np.datetime64('NaT')",
        "pd.MultiIndex.from_product([[1], [2]])",
        "complex('nan')",
        "slice(0, 5)",
        "range(10 ** 6)",
        "2 ** 4000",
        "'\\ufffe' * 10 ** 6",
        "pd.Series([1.0], index=pd.MultiIndex.from_tuples([(1, 'a')]))",
        "__import__('torch').ones(3)",
        "__import__('torch').nn.Linear(1, 1)",
    ],
)
def test_a_value_that_no_check_expects_costs_only_its_exercise(exam, value):
    answers = {**exam.right, "mean": f"def mean(values):\n    return {value}"}
    assert earned(exam.sit(answers)) == {**ALL, "mean": 0}
    table = {**exam.right, "count": f"def count(table):\n    return {value}"}
    assert earned(exam.sit(table)) == {**ALL, "count": 0}


# --- processes that die when it is least convenient


def test_a_cell_that_ends_the_process_only_when_run_again_costs_only_itself(exam):
    answers = {**exam.right, "mean": "import os\ndef mean(values):\n    os._exit(1)"}
    # By the clock: what lives at first, and ends whatever process runs it later.
    late = "import os, time\nif time.time() > {}: os._exit(1)"
    now = time.time()
    cells = [late.format(now + 2), late.format(now + 2), "import time\ntime.sleep(2.5)", late.format(now + 5)]
    extras = [("answer-mean", cell) for cell in reversed(cells)]
    result = exam.sit(answers, extras)
    assert earned(result) == {**ALL, "mean": 0}
    assert result.problem == ""


def test_cells_that_are_slow_together_can_be_run_again(exam, exam_stages, monkeypatch):
    monkeypatch.setenv(STAGES_VARIABLE, str(exam_stages.parent))
    monkeypatch.setattr("autograder.exam.room._SLACK_SECONDS", 0.5)
    limits = Limits(cell_seconds=2, check_seconds=1, exam_seconds=60, memory=600 * MB, scratch=32 * MB)
    dies = {**exam.right, "mean": "import os\ndef mean(values):\n    os._exit(1)"}
    slow = [("answer-mean", f"import time\ntime.sleep(1.5)  # {number}") for number in range(3)]
    notebook = exam.notebook(dies, slow)
    with Room("01_exam", limits=limits) as room:
        result = room.sit(json.dumps(notebook).encode(), seeds.exam_seed(b"s" * 32, "eva", "01_exam", 1))
    assert earned(result) == {**ALL, "mean": 0}


def test_checks_that_must_be_stopped_one_after_the_other_do_not_prolong_the_exam(exam):
    # Each of these kills the examiner by what it returns, and the exam begins anew without that check.
    swells = "return {str(n): n for n in range(1_900_000)}"
    answers = {
        "mean": f"def mean(values):\n    {swells}",
        "half": exam.right["half"],
        "count": f"def count(table):\n    {swells}",
    }
    start = time.monotonic()
    result = exam.sit(answers)
    assert result.verdicts["mean"]["points"] == result.verdicts["count"]["points"] == 0
    assert result.verdicts["half"]["points"] == 2
    assert time.monotonic() - start < 60
