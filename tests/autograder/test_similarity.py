"""Nearly the same answers are found, under other names too; independent ones and given code are not."""

import ast
import builtins

import pytest

from autograder import simulate
from autograder.similarity import groups
from autograder.stage import load_stage, stage_folder

ANSWER = '''
def summary(values, weights):
    """Return a weighted mean and spread per group."""
    # first the gaps
    kept = {}
    for group, numbers in values.items():
        present = [number for number in numbers if number == number]
        if len(present) < 3:
            continue
        total = sum(weights[group] * number for number in present)
        centre = total / (weights[group] * len(present))
        spread = max(abs(number - centre) for number in present)
        kept[group] = {"centre": centre, "spread": spread, "count": len(present)}
    # then the order
    order = sorted(kept, key=lambda group: -kept[group]["centre"])
    return [(group, kept[group]) for group in order if kept[group]["count"] > 2]
'''
OTHER = '''
def summary(values, weights):
    """Return a weighted mean and spread per group."""
    import numpy as np

    result = []
    while values:
        name, column = values.popitem()
        column = np.asarray(column, dtype=float)
        column = column[~np.isnan(column)]
        if column.size >= 3:
            mean = np.average(column, weights=np.full(column.size, weights[name]))
            spread = float(np.abs(column - mean).max())
            result.append((name, dict(centre=float(mean), spread=spread, count=int(column.size))))
    result.sort(key=lambda item: item[1]["centre"], reverse=True)
    return result
'''


def renamed(source):
    """The same code as someone would disguise it: other names, no comments, other layout and quotes."""

    class Rename(ast.NodeTransformer):
        def visit_Name(self, node):
            return ast.Name(f"x_{node.id}" if node.id not in dir(builtins) else node.id, node.ctx)

    return "# all my own work\n\n" + ast.unparse(Rename().visit(ast.parse(source))) + "\n\n# done"


def pairs(found):
    return [group.learners for group in found]


def test_renamed_and_reformatted_copies_are_found():
    (group,) = groups({"e": {"ann": ANSWER, "bob": renamed(ANSWER), "cid": OTHER}})
    assert group.learners == ("ann", "bob")
    assert group.share > 0.9
    assert (group.exercises, group.of, group.common, group.like_course) == (("e",), 3, False, False)


def test_a_copy_with_one_line_changed_is_found():
    changed = ANSWER.replace("if len(present) < 3:", "if not present or len(present) <= 2:")
    (group,) = groups({"e": {"ann": ANSWER, "bob": changed}})
    assert 0.7 <= group.share < 1


def test_code_that_everybody_was_given_does_not_count():
    answers = {"e": {"ann": ANSWER + "\nprint(summary)", "bob": ANSWER + "\nsummary({}, {})"}}
    assert groups(answers)
    assert not groups(answers, given=[ANSWER])


def test_short_answers_are_left_out():
    short = "def mean(values):\n    return float(sum(values) / len(values))"
    assert not groups({"e": {"ann": short, "bob": short}})


def test_what_many_wrote_is_one_group_and_is_called_common():
    crowd = {f"learner_{i:02d}": f"{ANSWER}\n# version {i}" for i in range(10)}
    (group,) = groups(
        {"e": crowd | {f"other_{i}": f"{OTHER}\nx = {'+'.join('1' * 90 * i)}" for i in range(1)}}
    )
    assert len(group.learners) == 10
    assert group.common
    (group,) = groups({exercise: crowd for exercise in "abcd"})
    assert not group.common  # the same in one exercise after the other is no accident


def test_those_who_share_most_exercises_come_first_and_the_courses_answer_is_named():
    answers = {
        "one": {"ann": ANSWER, "bob": ANSWER, "cid": OTHER, "dan": OTHER},
        "two": {"ann": OTHER, "bob": OTHER, "eve": OTHER, "cid": ANSWER},
    }
    found = groups(answers, solutions={"one": OTHER})
    assert pairs(found) == [("ann", "bob"), ("ann", "bob", "eve"), ("cid", "dan")]
    assert found[0].exercises == ("one", "two")
    assert [group.like_course for group in found] == [False, False, True]


@pytest.fixture(scope="module")
def stage2():
    return load_stage(stage_folder("02_data_metrics"))


def test_independent_right_answers_of_a_real_stage_are_not_alike(stage2):
    def independent(exercise, choice):
        # Where an exercise asks for two functions, some right answers keep the reference's second one.
        return not set(simulate.answers(exercise, choice)) & set(exercise.references)

    answers = {
        name: {
            str(choice): simulate.answer_source(exercise, choice)
            for choice in ("reference", *range(len(exercise.right)))
            if choice == "reference" or independent(exercise, choice)
        }
        for name, exercise in stage2.items()
    }
    assert len(answers) > 5
    assert not groups(answers, [simulate.answer_source(e, "starter") for e in stage2.values()])


def test_disguised_copies_of_a_real_stage_are_found(stage2):
    answers = {}
    for name, exercise in stage2.items():
        source = simulate.answer_source(exercise, "reference")
        answers[name] = {"ann": source, "bob": renamed(source)}
    (group,) = groups(answers, [simulate.answer_source(e, "starter") for e in stage2.values()])
    assert group.learners == ("ann", "bob")
    assert len(group.exercises) >= 0.7 * len(stage2)  # the others are too short to tell


def test_odd_sources_are_no_trouble():
    odd = {
        "ann": "",
        "bob": "\x00" * 500,
        "cid": "def (" * 3000,
        "dan": "'" * 40_000,
        "eve": "\ud800 é 漢" * 200,
    }
    groups({"e": odd})
