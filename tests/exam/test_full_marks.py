"""Tricks that earn full marks from stock nbgrader earn here exactly what the code earns."""

import pytest

WRONG_MEAN = "def mean(values):\n    return 0.0"

ALWAYS_EQUAL = """
class Yes:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __float__(self): return 5.0
    __hash__ = None

def mean(values):
    return Yes()
"""

INT_WITH_STRANGE_EQ = """
class Number(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __abs__(self): return 0.0
    __hash__ = float.__hash__

def mean(values):
    return Number(0.0)
"""

ARRAY_WITH_STRANGE_EQ = """
class Array(np.ndarray):
    def __eq__(self, other): return True
    def __array_ufunc__(self, *arguments, **options): return True
    def __array_function__(self, *arguments, **options): return True

def mean(values):
    return np.zeros(()).view(Array)
"""

INPUT_TRANSFORMER = """
get_ipython().input_transformers_post.append(lambda lines: ["4.0\\n"])
"""

AST_TRANSFORMER = """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return None
    def visit_Call(self, node): return ast.Constant(4.0)
get_ipython().ast_transformers.append(Drop())
"""

DISPLAYHOOK = """
import sys
sys.displayhook(4.0)
get_ipython().displayhook(4.0)
4.0
"""

REPLACED_EXECUTE = """
shell = get_ipython()
shell.run_cell = lambda *a, **k: None
try:
    shell.kernel.do_execute = lambda *a, **k: {"status": "ok"}
except AttributeError:
    pass
"""

PATCHED_LIBRARIES = """
import math, builtins
import pandas as pd
np.nanmean = lambda *a, **k: 0.0
np.isclose = np.allclose = lambda *a, **k: True
np.array_equal = lambda *a, **k: True
math.isclose = lambda *a, **k: True
pd.DataFrame.equals = pd.Series.equals = lambda *a, **k: True
pd.testing.assert_frame_equal = lambda *a, **k: None
builtins.all = lambda values: True
builtins.abs = lambda value: 0
import torch, sklearn.metrics
torch.allclose = lambda *a, **k: True
sklearn.metrics.f1_score = lambda *a, **k: 1.0
"""

REDEFINED_STAGE = """
class Stage:
    def check(self, *a): return 4.0
stage = Stage()
def check(*a): return 4.0
import builtins
builtins.print = lambda *a, **k: None
"""

READING_INPUTS_BACK = """
def mean(values):
    import sys
    frame = sys._getframe()
    while frame is not None:
        for name, value in list(frame.f_locals.items()):
            if name in ("expected", "reference", "exercise", "case", "hidden", "cases", "seed"):
                raise SystemExit("found " + name)
        frame = frame.f_back
    shell = get_ipython()
    for text in shell.user_ns.get("In", []):
        if "expected" in text:
            return 5.0
    return 0.0
"""

HOSTILE_OBJECTS = """
class Hostile:
    def __reduce__(self): return (print, ("reduced",))
    def __array__(self, *a, **k): import os; os._exit(3)
    def __len__(self): return 10 ** 12
    def __getattr__(self, name): return self
    def __iter__(self): return self
    def __next__(self): return self
    def __call__(self, *a): return self
    def __float__(self): raise MemoryError
    def __class_getitem__(cls, k): return cls

def mean(values):
    return Hostile()
"""

REFERENCE_FROM_THE_COURSE = """
def mean(values):
    import importlib, importlib.util, pathlib, sys
    for name in ("autograder.stage", "autograder.exercise", "autograder.judging", "autograder.exam.examiner"):
        try:
            importlib.import_module(name)
            return 5.0
        except ImportError:
            pass
    for folder in map(pathlib.Path, sys.path):
        if list(folder.glob("**/exercises/*.py")) or list(folder.glob("**/exam/examiner.py")):
            return 5.0
    return 0.0
"""

DETECTS_THE_EXAM = """
import os, getpass, time
inside = "NBGRADER_EXECUTION" in os.environ or os.getcwd().startswith("/home/learner")
def mean(values):
    return 0.0 if inside else float(np.nanmean(values))
"""

SELF_SUBMITTED_RESULT = """
import os, json
for number in range(3, 64):
    forged = b"\\x00\\x00\\x00\\x10\\x82\\xa5value\\xc4\\x01\\x05\\xa7printed\\xa0"
    for message in (b"\\x00\\x00\\x00\\x05hello", forged):
        try:
            os.write(number, message)
        except OSError:
            pass
"""


@pytest.mark.parametrize(
    "trick",
    [
        ALWAYS_EQUAL,
        INT_WITH_STRANGE_EQ,
        ARRAY_WITH_STRANGE_EQ,
        READING_INPUTS_BACK,
        HOSTILE_OBJECTS,
        REFERENCE_FROM_THE_COURSE,
        DETECTS_THE_EXAM,
    ],
    ids=lambda source: source.strip().splitlines()[0][:40],
)
def test_an_answer_that_plays_a_trick_earns_nothing_for_it(exam, trick):
    assert exam.points({**exam.right, "mean": trick}) == {"mean": 0, "half": 2, "count": 3}


@pytest.mark.parametrize(
    "trick",
    [INPUT_TRANSFORMER, AST_TRANSFORMER, DISPLAYHOOK, REPLACED_EXECUTE, PATCHED_LIBRARIES, REDEFINED_STAGE],
    ids=lambda source: source.strip().splitlines()[0][:40],
)
def test_a_cell_that_changes_the_world_helps_no_wrong_answer(exam, trick):
    wrong = {"mean": WRONG_MEAN, "half": "half = 0.4", "count": "def count(table):\n    return {}"}
    extras = [("code-" + first_code_id(exam), trick)]
    assert sum(exam.points(wrong, extras).values()) == 0


def first_code_id(exam):
    ids = [cell["id"] for cell in exam.notebook()["cells"] if cell["id"].startswith("code-")]
    return ids[0].removeprefix("code-")


def test_bytes_written_into_every_descriptor_earn_nothing(exam):
    answers = {**exam.right, "mean": WRONG_MEAN + "\n" + SELF_SUBMITTED_RESULT}
    assert exam.points(answers)["mean"] == 0


def test_an_answer_that_differs_at_the_second_identical_question_is_no_function(exam):
    fickle = """
seen = set()
def mean(values):
    key = values.tobytes()
    if key in seen:
        return 0.0
    seen.add(key)
    return float(np.nanmean(values))
"""
    result = exam.sit({**exam.right, "mean": fickle})
    assert result.verdicts["mean"]["points"] == 0
    assert "twice" in result.verdicts["mean"]["sentence"]


def test_flipping_metadata_of_a_cell_changes_nothing(exam):
    notebook = exam.notebook({"mean": WRONG_MEAN})
    for cell in notebook["cells"]:
        cell["metadata"]["nbgrader"] = {
            "grade_id": cell["id"],
            "grade": "answer" in cell["metadata"],
            "solution": "check" in cell["metadata"],
            "points": 100,
            "locked": False,
            "schema_version": 3,
        }
    assert sum(exam.points(submission=notebook).values()) == 0


def test_a_forged_verdict_in_the_submission_counts_for_nothing(exam):
    notebook = exam.notebook({"mean": WRONG_MEAN})
    forged = {
        "output_type": "execute_result",
        "data": {"text/plain": "4.0", "application/vnd.autograder.verdict+json": {"points": 4}},
        "metadata": {},
        "execution_count": 1,
    }
    for cell in notebook["cells"]:
        if "check" in cell["metadata"]:
            cell["outputs"] = [forged]
    assert sum(exam.points(submission=notebook).values()) == 0


def test_a_displayed_verdict_does_not_reach_the_outputs_as_one(exam):
    shows = """
from IPython.display import display
display({"application/vnd.autograder.verdict+json": "{}", "text/plain": "mine"}, raw=True)
def mean(values): return 0.0
"""
    result = exam.sit({"mean": shows})
    data = [output.get("data", {}) for output in result.outputs["answer-mean"]]
    assert data == [{"text/plain": "mine"}]
