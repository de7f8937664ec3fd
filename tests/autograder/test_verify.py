"""`autograder verify` finds what authors get wrong, and says what to do."""

from dataclasses import replace

import pytest

from autograder import notebooks, verify
from autograder.exercise import Mistake


def problems(exercise):
    return " | ".join(verify.prove(exercise, range(2)).problems)


def test_a_sound_exercise_has_no_problems(mean_exercise):
    assert problems(mean_exercise) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"good": lambda key, got, expected: False}, "mend the reference or `good`"),
        ({"right": (lambda values: 0.0,) * 2}, "right answer 1 is 'not right yet'"),
        ({"right": ()}, "it has 0 other right answers"),
        ({"hints": ("one",)}, "fewer than two hints"),
        ({"questions": ("2.15",)}, "question '2.15' is not one of the article's"),
        ({"questions": ("two",)}, "question 'two' is not one of the article's"),
        ({"mistakes": ()}, "it names 0 mistakes"),
        ({"same": lambda key, got, other: False}, "diagnosed as nothing"),
        ({"run": lambda case, answer: {case.about: 1.0}}, "the starter is 'correct'"),
    ],
)
def test_each_fault_of_an_exercise_is_found(mean_exercise, change, said):
    assert said in problems(replace(mean_exercise, **change))


def test_a_mistake_that_passes_is_found(mean_exercise):
    harmless = Mistake("none", mean_exercise.reference, "Nothing.", "Is it?")
    exercise = replace(mean_exercise, mistakes=(*mean_exercise.mistakes, harmless))
    assert "mistake 'none' is 'correct'" in problems(exercise)


def test_a_mistake_without_a_question_is_found(mean_exercise):
    bald = replace(mean_exercise.mistakes[0], ask="Think again.")
    exercise = replace(mean_exercise, mistakes=(bald, *mean_exercise.mistakes[1:]))
    assert "asks no question" in problems(exercise)


def test_a_slow_check_is_found(mean_exercise, monkeypatch):
    monkeypatch.setattr(verify, "CHECK_LIMIT", 0.0)
    assert "make the cases smaller" in problems(mean_exercise)


def cell_problems(folder, exercises, old, new):
    file = notebooks.source_file(folder)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return " | ".join(verify.cell_problems(folder, exercises))


def test_a_sound_source_has_no_problems(small_stage, exercises):
    assert cell_problems(small_stage, exercises, "# %%", "# %%") == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('# %% answer="mean"\n', "", "0 answer and 1 check cells"),
        ('stage.check("mean", mean)', 'stage.check("mean", mean(1))', "must read: stage.check("),
        ('# %% answer="mean"\n', '# %% answer="mean"\nx = 1\n', "leave it empty"),
        ('answer="mean"', 'answer="median"', "exercises/median.py does not exist"),
        ("print(np.arange(3))", "%matplotlib inline", "is not plain Python"),
        ("print(np.arange(3))", "from numpy import *", "star import"),
        ("print(np.arange(3))", "import requests", "no cell may touch the network"),
        ("print(np.arange(3))", "input()", "waits for a person"),
    ],
)
def test_each_fault_of_a_source_is_found(small_stage, exercises, old, new, said):
    assert said in cell_problems(small_stage, exercises, old, new)


def test_a_name_that_a_later_cell_takes_from_an_earlier_one_is_found(small_stage, exercises):
    file = notebooks.source_file(small_stage)
    cells = "\n\n# %%\nfour = 4\n\n# %%\nfive = four + 1\n\n# %%\n"
    file.write_text(file.read_text() + cells + "[four for four in range(3)]\n")
    assert list(verify.cell_problems(small_stage, exercises)) == []
    file.write_text(file.read_text() + "\n# %%\nfour = 'another'\n")
    (found,) = verify.cell_problems(small_stage, exercises)
    assert "gives 'four' another value" in found


def test_a_demo_cell_that_a_later_cell_needs_is_found(small_stage, exercises):
    found = cell_problems(
        small_stage, exercises, "print(np.arange(3))\n", "three = np.arange(3)\n\n# %%\nprint(three)\n"
    )
    assert "uses 'three', which only a demo cell defines" in found


def test_a_notebook_that_is_out_of_date_is_found(small_stage, exercises):
    assert "run `make notebooks`" in " ".join(verify.stale(small_stage, exercises))
    file = notebooks.notebook_file(small_stage)
    notebooks.write_notebook(notebooks.build_learner(small_stage, exercises), file)
    assert list(verify.stale(small_stage, exercises)) == []
    source = notebooks.source_file(small_stage)
    source.write_text(source.read_text().replace("A small stage", "A smaller stage"))
    assert list(verify.stale(small_stage, exercises)) != []


def test_coverage_counts_the_articles_questions(exercises):
    assert sum(verify.QUESTIONS.values()) == 51
    assert verify.coverage(exercises) == "1 of the article's 51 questions have an exercise"
