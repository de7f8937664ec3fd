"""How an answer becomes a verdict."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from autograder.exercise import (
    CORRECT,
    NOT_ATTEMPTED,
    PARTLY,
    RAISED,
    UNREADABLE,
    WRONG,
    Case,
    Exercise,
    Literal,
    Mistake,
    close,
)
from autograder.judging import judge


def verdict_of(exercise, answer, seed=0):
    return judge(exercise, (answer,), seed)


def test_the_reference_and_every_other_right_answer_earn_all_points(mean_exercise):
    for answer in (mean_exercise.reference, *mean_exercise.right):
        verdict = verdict_of(mean_exercise, answer)
        assert (verdict.word, verdict.points) == (CORRECT, 4)


def test_each_mistake_is_named_and_asked_about(mean_exercise):
    for mistake in mean_exercise.mistakes:
        verdict = verdict_of(mean_exercise, mistake.answer)
        assert verdict.mistakes == (mistake.name,)
        assert mistake.says in verdict.sentence
        assert verdict.next_step == mistake.ask


def test_points_are_the_share_of_requirements_that_hold(mean_exercise):
    verdict = verdict_of(mean_exercise, lambda values: float(np.mean(values)))
    assert (verdict.word, verdict.points) == (PARTLY, 2)
    assert "Right: whole arrays" in verdict.sentence
    assert "Not yet: arrays with gaps" in verdict.sentence


def test_a_wrong_answer_that_is_no_known_mistake_is_shown_beside_the_right_value(mean_exercise):
    verdict = verdict_of(mean_exercise, lambda values: 17.25)
    assert verdict.word == WRONG
    assert verdict.mistakes == ()
    assert "17.25" in verdict.sentence


@pytest.mark.parametrize("answer", [None, ..., lambda values: None, lambda values: ...])
def test_a_starter_is_not_attempted_rather_than_wrong(mean_exercise, answer):
    verdict = verdict_of(mean_exercise, answer)
    assert (verdict.word, verdict.points) == (NOT_ATTEMPTED, 0)


def test_an_exception_of_the_learner_is_shown_with_their_call_and_their_line(mean_exercise):
    code = compile("def mean(values):\n    return values['x']\n", "<ipython-input-1>", "exec")
    names = {}
    exec(code, names)
    verdict = verdict_of(mean_exercise, names["mean"])
    assert verdict.word == RAISED
    assert verdict.sentence == "It happened in the call mean(ndarray 20)."
    assert "IndexError" in verdict.next_step
    assert "line 2" in verdict.next_step


def test_leaving_the_program_from_inside_an_answer_is_an_error_like_any_other(mean_exercise):
    def leave(values):
        raise SystemExit

    assert verdict_of(mean_exercise, leave).word == RAISED


@pytest.mark.parametrize("answer", [3.5, "mean", [1, 2], pd.DataFrame({"a": [1]})])
def test_an_answer_that_is_no_function_is_told_so(mean_exercise, answer):
    verdict = verdict_of(mean_exercise, answer)
    assert verdict.word == UNREADABLE
    assert "should be a function" in verdict.sentence


@pytest.mark.parametrize("output", ["text", [1, 2], {"a": 1}, object(), pd.DataFrame({"a": [1]}), np.nan])
def test_an_odd_output_never_crashes_the_check(mean_exercise, output):
    assert verdict_of(mean_exercise, lambda values: output).points == 0


def test_a_check_that_cannot_use_the_output_asks_for_the_form(mean_exercise):
    from dataclasses import replace

    def run(case, answer):
        return {case.about: answer(*case.inputs)["mean"]}

    strict = replace(mean_exercise, run=run)
    verdict = verdict_of(strict, lambda values: [1.0])
    assert verdict.word == UNREADABLE
    assert verdict.next_step == "Asked for: one number."


def test_an_answer_that_changes_its_input_changes_only_its_own_copy(mean_exercise):
    def greedy(values):
        result = float(np.nanmean(values))
        values[:] = 0
        return result

    assert verdict_of(mean_exercise, greedy).word == CORRECT


def test_the_same_seed_gives_the_same_cases_and_another_seed_gives_others(mean_exercise):
    drawn = [
        [case.inputs[0] for case in mean_exercise.cases(np.random.default_rng(seed))] for seed in (1, 1, 2)
    ]
    assert np.array_equal(drawn[0][0], drawn[1][0])
    assert not np.array_equal(drawn[0][0], drawn[2][0])


def test_a_requirement_may_hold_in_most_cases_instead_of_all():
    def guess(limit):
        """Return the limit."""
        return limit

    exercise = Exercise(
        title="Mostly",
        questions=("2.1",),
        points=1,
        reference=guess,
        cases=lambda rng: [Case((i,), about="limits") for i in range(5)],
        mistakes=(),
        hints=(),
        required=0.8,
    )
    assert judge(exercise, (lambda limit: limit if limit < 4 else -1,), 0).word == CORRECT
    assert judge(exercise, (lambda limit: limit if limit < 3 else -1,), 0).word == WRONG


def test_two_mistakes_in_one_answer_are_both_named(mean_exercise):
    def both(values):
        gaps = np.isnan(values).any()
        return mean_exercise.mistakes[0 if gaps else 1].answer(values)

    assert set(verdict_of(mean_exercise, both).mistakes) == {"gaps as zeros", "shifted"}


def test_an_answer_may_be_a_value():
    choice = Literal("choice", 3, starter="choice = None", solution="choice = 3")
    exercise = Exercise(
        title="Choice",
        questions=("2.1",),
        points=1,
        reference=choice,
        cases=lambda rng: [Case()],
        mistakes=(Mistake("two", 2, "Two is too few.", "Can two votes break a tie?"),),
        hints=(),
        run=lambda case, value: {"the number": value},
    )
    assert judge(exercise, (3,), 0).word == CORRECT
    assert judge(exercise, (2,), 0).mistakes == ("two",)
    assert judge(exercise, (None,), 0).word == NOT_ATTEMPTED


def test_the_wrong_number_of_answers_is_an_error_that_names_them(mean_exercise):
    with pytest.raises(ValueError, match=r"takes 1 of your answers \(mean\), not 2"):
        judge(mean_exercise, (1, 2), 0)


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        (0.1 + 0.2, 0.3, True),
        (1, 1.0, True),
        (float("nan"), float("nan"), True),
        ([1, 2], (1, 2), True),
        ([1, 2], [1, 2, 3], False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"b": 1}, False),
        ({3, 1}, {1, 3}, True),
        ("ab", "ab", True),
        (None, 0, False),
        (np.array(["a", None], dtype=object), np.array(["a", None], dtype=object), True),
        (pd.Series([1.0, np.nan]), pd.Series([1.0, np.nan]), True),
        ("1", 1, False),
    ],
)
def test_close_compares_plain_values(got, expected, same):
    assert close(got, expected) is same


def test_a_mistake_that_fails_on_a_case_is_passed_over(mean_exercise):
    def fails(values):
        raise ZeroDivisionError

    broken = Mistake("broken", fails, "It fails.", "Why?")
    exercise = replace(mean_exercise, mistakes=(broken, *mean_exercise.mistakes))
    assert verdict_of(exercise, lambda values: float(np.nanmedian(values))).mistakes == ("median",)


def test_a_mistake_that_explains_some_of_the_same_questions_only_is_not_named(mean_exercise):
    def sometimes(values):
        return float(np.nanmedian(values)) if np.isnan(values).any() else -1.0

    assert verdict_of(mean_exercise, sometimes).mistakes == ()


def test_nothing_after_something_is_no_untouched_starter(mean_exercise):
    verdict = verdict_of(mean_exercise, lambda values: None if np.isnan(values).any() else 5.0)
    assert verdict.word == UNREADABLE
    assert "after it had answered before" in verdict.sentence


def test_an_answer_that_changes_its_mind_is_no_function(mean_exercise):
    exercise = replace(mean_exercise, repeatable=True)
    rng = np.random.default_rng(0)
    verdict = verdict_of(exercise, lambda values: float(np.nanmean(values)) + rng.random())
    assert "two different answers" in verdict.sentence
    assert verdict.points == 0


def test_answers_that_cannot_be_compared_are_not_called_fickle(mean_exercise):
    exercise = replace(mean_exercise, repeatable=True)
    assert "two different" not in verdict_of(exercise, lambda values: pd.NA).sentence


def _picks(values, prices):
    return "ask" if values.mean() > prices else "act"


def _chosen(case, pick):
    return {"choices": [pick(*one) for one in case.hidden]}


@pytest.fixture
def picking():
    """Return an exercise that asks for one of two words, five times."""
    return Exercise(
        title="Ask or act",
        questions=(),
        points=1,
        reference=_picks,
        cases=lambda rng: [Case(hidden=[(rng.normal(k % 2, 0.1, 9), 0.5) for k in range(5)])],
        run=_chosen,
        mistakes=(
            Mistake("always asks", lambda values, prices: "ask", "It asks each time.", "Why?"),
            Mistake("the wrong side", lambda values, prices: "aact"[values.mean() < prices :], "No.", "Why?"),
        ),
        hints=(),
        repeatable=True,
    )


def test_one_answer_to_everything_is_called_that_unless_a_mistake_is_as_unmoved(picking):
    assert verdict_of(picking, lambda values, prices: "no idea").mistakes == ("one answer to everything",)
    assert verdict_of(picking, lambda values, prices: "ask").mistakes == ("always asks",)
    moved = replace(picking, mistakes=picking.mistakes[1:])
    assert verdict_of(moved, lambda values, prices: "ask").mistakes == ("one answer to everything",)
    assert verdict_of(picking, lambda values, prices: pd.NA).mistakes == ()


def test_a_requirement_that_weighs_more_earns_more(mean_exercise):
    heavy = replace(mean_exercise, weights={"arrays with gaps": 3})
    assert verdict_of(heavy, lambda values: float(np.mean(values))).points == 1
    assert verdict_of(heavy, heavy.reference).points == 4


def test_evidence_follows_the_diagnosis_and_is_about_what_the_mistake_explains(mean_exercise):
    def describe(key, got, expected):
        return f"For {key} you have {got:.3g}, not {expected:.3g}."

    told = replace(mean_exercise, describe=describe, evidence=True)
    mistake = told.mistakes[0]
    sentence = verdict_of(told, mistake.answer).sentence
    assert sentence.startswith(f"{mistake.says} For ")
    silent = replace(told, evidence=False)
    assert "you have" not in verdict_of(silent, mistake.answer).sentence


def test_an_outcome_that_the_author_has_no_words_for_is_a_verdict_all_the_same(mean_exercise):
    def describe(key, got, expected):
        return f"{got:.4g}"

    verdict = judge(replace(mean_exercise, describe=describe), (lambda values: 10**400,), 3)
    assert verdict.word == WRONG
    assert verdict.sentence.startswith("`mean` gave 1000")


def test_of_two_functions_each_earns_alone_and_the_right_one_is_blamed(mean_exercise):
    def cases(rng):
        yield Case((1.0,), about="double")
        yield Case((2.0,), about="half")

    def run(case, double, half):
        chosen = double if case.about == "double" else half
        return {case.about: float(chosen(*case.inputs))}

    def double(x):
        return 2 * x

    def half(x):
        return x / 2

    two = replace(mean_exercise, reference=(double, half), cases=cases, run=run, mistakes=(), repeatable=True)
    verdict = judge(two, (double, lambda x: None), 0)
    assert (verdict.word, verdict.points) == (PARTLY, 2)
    assert "There is no answer yet for: half." in verdict.sentence
    assert judge(two, (lambda x: None, lambda x: None), 0).word == NOT_ATTEMPTED
    assert "`half` returned" in judge(two, (double, lambda x: "x"), 0).sentence
    rng = np.random.default_rng(0)
    fickle = judge(two, (double, lambda x: x / 2 + rng.random()), 0)
    assert "`half` gave two different answers" in fickle.sentence


def test_what_can_be_read_only_once_is_no_answer(mean_exercise):
    verdict = verdict_of(mean_exercise, lambda values: map(float, values))
    assert (verdict.word, "a map, which can be read only once" in verdict.sentence) == (UNREADABLE, True)
