"""Who may know whom: the imports that the design forbids do not exist."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "sklearn", "matplotlib", "ipywidgets", "jupytext", "nbgrader"}


def imports(file, top_level_only=False):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def files(room):
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize(("room", "stranger"), [("autograder", "course"), ("course", "autograder")])
def test_the_grader_and_the_world_do_not_know_each_other(room, stranger):
    assert files(room)
    for file in files(room):
        assert stranger not in {name.split(".")[0] for name in imports(file)}, file


def test_nothing_starts_processes_outside_the_exam():
    for file in files("autograder"):
        if "exam" not in file.parts:
            assert "subprocess" not in set(imports(file)), file


def test_only_the_exams_registrar_opens_the_gradebook():
    for file in files("autograder"):
        if file.name != "registrar.py":
            assert "nbgrader.api" not in set(imports(file)), file


def test_importing_the_packages_stays_light():
    for file in [*files("autograder"), *files("course")]:
        heavy = {name.split(".")[0] for name in imports(file, top_level_only=True)} & HEAVY
        assert not heavy or file.parent.name == "widgets" or file.name == "plots.py", (file, heavy)
