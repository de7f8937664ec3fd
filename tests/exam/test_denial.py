"""A hostile or broken submission costs only itself, gets a clear reason, and everyone else is graded."""

import json
import time

import pytest


def costs_only_its_exercise(exam, answer, said, extras=()):
    """Sit with a hostile `mean`; the other two exercises must be whole, and the verdict must say why."""
    result = exam.sit({**exam.right, "mean": answer}, extras)
    points = {name: verdict["points"] for name, verdict in result.verdicts.items()}
    assert points == {"mean": 0, "half": 2, "count": 3}
    verdict = result.verdicts["mean"]
    assert said in f"{verdict['sentence']} {verdict['next_step']}", verdict


def body(code):
    return "def mean(values):\n" + "\n".join(f"    {line}" for line in code.strip().splitlines())


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os._exit(0)", "ended the whole process"),
        ("import os; os.kill(os.getpid(), 9)", "ended the whole process"),
        ("import ctypes; ctypes.string_at(0)", "ended the whole process"),
        ("raise SystemExit", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("while True: pass", "longer than"),
        ("import signal, time\nsignal.signal(2, signal.SIG_IGN)\ntime.sleep(100)", "longer than"),
        ("import time\nwhile True:\n    try: time.sleep(9)\n    except BaseException: pass", "longer"),
        ("return input('give me points')", "EOFError"),
        ("return mean(values)", "RecursionError"),
        ("x = []\nwhile True: x.append(np.ones(3_000_000))", ""),
        ("x = np.ones(10 ** 8); return x.sum()", "memory"),
        ("return [0] * 10 ** 11", "MemoryError"),
        ("def forever():\n    while True: yield 1\nreturn forever()", "can't be"),
        ("x = []; x.append(x); return x", "can't be"),
        ("return 'x' * 10 ** 8", "can't be"),
        ("return pd.DataFrame({('a', 1): [1], ('b', object()): [2]})", "can't be"),
        ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", "ValueError"),
        ("class E(BaseException):\n    def __str__(self): import os; os._exit(1)\nraise E", "process"),
    ],
    ids=lambda text: text.split("\n")[0][:40],
)
def test_hostile_function_costs_only_its_exercise(exam, code, said):
    costs_only_its_exercise(exam, body(code), said)


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import os; os._exit(1)",
        "import os\nos.kill(os.getpid(), 11)",
        "x = []\nwhile True: x.append(np.ones(3_000_000))",
    ],
    ids=lambda text: text.split("\n")[0][:40],
)
def test_hostile_cell_costs_only_itself(exam, code):
    assert exam.points(exam.right, [("answer-mean", code)]) == {"mean": 4, "half": 2, "count": 3}


def test_infinite_output_is_cut_and_costs_only_its_cell(exam):
    result = exam.sit(exam.right, [("answer-mean", "while True: print('x' * 1000)")])
    assert sum(verdict["points"] for verdict in result.verdicts.values()) == 9
    assert len(json.dumps(result.outputs["extra-1"])) < 200_000


def test_one_line_of_thirty_megabytes_is_cut(exam):
    result = exam.sit(exam.right, [("answer-mean", "print('x' * 30_000_000)")])
    assert sum(verdict["points"] for verdict in result.verdicts.values()) == 9
    text = result.outputs["extra-1"][0]["text"]
    assert len(text) < 100_000
    assert "more was printed than is kept" in text


def test_a_picture_larger_than_the_limit_is_left_out(exam):
    shows = "from IPython.display import display\ndisplay({'image/png': 'A' * 10_000_000}, raw=True)"
    result = exam.sit(exam.right, [("answer-mean", shows)])
    assert sum(verdict["points"] for verdict in result.verdicts.values()) == 9
    assert result.outputs.get("extra-1", []) == []


def test_a_fork_bomb_runs_into_its_own_limit(exam):
    bomb = """
import os
children = 0
try:
    while True:
        if os.fork() == 0:
            import time
            time.sleep(100)
        children += 1
except OSError as error:
    print(children, type(error).__name__)
"""
    start = time.monotonic()
    result = exam.sit(exam.right, [("answer-mean", bomb)])
    assert sum(verdict["points"] for verdict in result.verdicts.values()) >= 7
    shown = result.outputs["extra-1"][0]
    # The processes run out, or, where each is large, the memory.
    assert "BlockingIOError" in shown.get("text", "") or "ended the whole process" in shown.get("evalue", "")
    assert time.monotonic() - start < 40


def test_a_disk_bomb_fills_its_own_scratch_only(exam):
    bomb = """
for folder in ("/tmp", "/dev/shm", "."):
    try:
        with open(folder + "/big", "wb") as file:
            while True:
                file.write(bytes(1 << 20))
    except OSError as error:
        print(error.errno)
"""
    result = exam.sit(exam.right, [("answer-mean", bomb)])
    assert sum(verdict["points"] for verdict in result.verdicts.values()) == 9
    assert set(result.outputs["extra-1"][0]["text"].split()) <= {"28", "27"}


def test_an_exam_that_takes_too_long_ends_and_keeps_what_was_earned(exam):
    extras = [("check-half", f"# {number}\nwhile True: pass") for number in range(12)]
    start = time.monotonic()
    points = exam.points(exam.right, extras)
    assert points["mean"] == 4
    assert points["half"] == 2
    assert points["count"] == 0
    assert time.monotonic() - start < 60


def test_threads_that_wait_do_not_hold_the_exam(exam):
    waits = "import threading\nthreading.Thread(target=lambda: threading.Event().wait()).start()"
    assert sum(exam.points(exam.right, [("answer-mean", waits)]).values()) == 9


def test_a_widget_that_waits_for_a_person_holds_up_nothing(exam):
    waits = """
import ipywidgets
from IPython.display import display
slider = ipywidgets.IntSlider()
display(slider)
"""
    assert sum(exam.points(exam.right, [("answer-mean", waits)]).values()) == 9


@pytest.mark.parametrize(
    ("submission", "said"),
    [
        (b"", "not"),
        (b"\xff\xfe\x00bad", "not"),
        (b"[" * 100_000 + b"]" * 100_000, "deep"),
        (b"PK\x03\x04 not a zip", "zip"),
        (b'{"cells": 5}', "notebook"),
    ],
)
def test_an_unreadable_submission_is_said_to_be_so(exam, submission, said):
    result = exam.sit(submission=submission)
    assert said in result.problem.lower(), result.problem
    assert all(verdict["points"] == 0 for verdict in result.verdicts.values())
    assert exam.points(exam.right) == {"mean": 4, "half": 2, "count": 3}


def test_a_copied_check_cell_costs_only_itself(exam):
    notebook = exam.notebook(exam.right)
    check = next(cell for cell in notebook["cells"] if cell["id"] == "check-mean")
    notebook["cells"].append(dict(check))
    notebook["cells"].insert(0, dict(check))
    result = exam.sit(submission=notebook)
    assert sum(verdict["points"] for verdict in result.verdicts.values()) == 9


def test_deleted_and_flipped_check_cells_are_put_back(exam):
    notebook = exam.notebook(exam.right)
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != "check-mean"]
    for cell in notebook["cells"]:
        cell["metadata"] = [1, 2] if cell["id"] != "check-half" else {"nbgrader": {"schema_version": "x"}}
    result = exam.sit(submission=notebook)
    assert sum(verdict["points"] for verdict in result.verdicts.values()) == 9
    assert any("mean" in repair for repair in result.repairs)


def test_an_answer_too_much_for_its_check_costs_only_its_exercise(exam):
    many = "def count(table):\n    return {str(n): n for n in range(3_000_000)}"
    points = exam.points({**exam.right, "count": many})
    assert points == {"mean": 4, "half": 2, "count": 0}
