"""Honest work is never hurt: what learners do without any ill will costs them nothing."""


def test_right_answers_earn_every_point(exam):
    result = exam.sit(exam.right)
    assert {name: v["points"] for name, v in result.verdicts.items()} == {"mean": 4, "half": 2, "count": 3}
    assert result.problem == ""
    assert result.repairs == ()


def test_an_untouched_notebook_is_not_attempted(exam):
    words = {verdict["word"] for verdict in exam.sit().verdicts.values()}
    assert words == {"not attempted"}


def test_a_right_answer_may_warn_print_and_write_to_stderr(exam):
    answer = """
import sys, warnings
def mean(values):
    warnings.warn("careful")
    print("working", file=sys.stderr)
    print("x" * 500)
    return float(np.nanmean(values))
"""
    result = exam.sit({"mean": answer})
    assert result.verdicts["mean"]["points"] == 4
    shown = result.outputs["check-mean"][0]["data"]["text/plain"]
    assert "While it was tried, your code printed" in shown


def test_helpers_may_stand_in_cells_of_their_own(exam):
    extras = [("answer-mean", "def helper(values):\n    return values[~np.isnan(values)]")]
    answer = "def mean(values):\n    return float(helper(values).mean())"
    assert exam.points({"mean": answer}, extras)["mean"] == 4


def test_an_answer_may_be_split_over_two_cells(exam):
    extras = [("answer-mean", "def mean(values):\n    return total(values) / count_of(values)")]
    first = (
        "def total(values):\n    return float(np.nansum(values))\n"
        "def count_of(values):\n    return int((~np.isnan(values)).sum())"
    )
    assert exam.points({"mean": first}, extras)["mean"] == 4


def test_a_long_computation_within_the_limits_counts(exam):
    answer = "import time\ndef mean(values):\n    time.sleep(0.8)\n    return float(np.nanmean(values))"
    assert exam.points({"mean": answer})["mean"] == 4


def test_an_error_in_one_cell_leaves_the_others_alone(exam):
    points = exam.points({**exam.right, "mean": "def mean(values):\n    return 1 / 0"})
    assert points == {"mean": 0, "half": 2, "count": 3}


def test_the_verdict_on_an_exception_shows_the_learners_own_line(exam):
    verdict = exam.sit({"mean": "def mean(values):\n    return values.missing"}).verdicts["mean"]
    assert verdict["word"] == "your code raised an error"
    assert "return values.missing" in verdict["next_step"]
    assert "line 2" in verdict["next_step"]


def test_a_syntax_error_costs_its_exercise_only(exam):
    points = exam.points({**exam.right, "mean": "def mean(values:\n"})
    assert points == {"mean": 0, "half": 2, "count": 3}


def test_the_kernel_dying_in_one_exercise_leaves_the_next_ones_graded(exam):
    answer = "import os\ndef mean(values):\n    os._exit(1)"
    points = exam.points({**exam.right, "mean": answer}, [("answer-mean", "later = 7")])
    assert points == {"mean": 0, "half": 2, "count": 3}


def test_state_of_earlier_cells_is_there_again_after_a_death(exam):
    answers = {
        "mean": "import os\nkept = 0.5\ndef mean(values):\n    os._exit(1)",
        "half": "half = kept",
        "count": exam.right["count"],
    }
    assert exam.points(answers) == {"mean": 0, "half": 2, "count": 3}


def test_the_same_submission_gets_the_same_result_again(exam):
    answer = "def mean(values):\n    return float(np.nan_to_num(values).mean())"
    first, second = (exam.sit({"mean": answer}) for _ in range(2))
    for verdicts in (first.verdicts, second.verdicts):
        for verdict in verdicts.values():
            verdict.pop("seconds")
    assert first.verdicts == second.verdicts
    assert first.verdicts["mean"]["mistakes"] == ["gaps as zeros"]
    assert first.outputs.keys() == second.outputs.keys()


def test_parallel_libraries_work_in_an_answer(exam):
    answer = """
def mean(values):
    from joblib import Parallel, delayed
    parts = Parallel(n_jobs=2)(delayed(np.nansum)(part) for part in np.array_split(values, 2))
    return float(sum(parts) / (~np.isnan(values)).sum())
"""
    assert exam.points({"mean": answer})["mean"] == 4


def test_demo_cells_are_not_run(exam):
    outputs = exam.sit().outputs
    assert "only to be looked at" not in str(outputs)


def test_plots_of_the_learner_are_kept_as_pictures(exam):
    extras = [("answer-mean", "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")]
    result = exam.sit(extras=extras)
    kinds = {mime for output in result.outputs["extra-1"] for mime in output.get("data", {})}
    assert "image/png" in kinds
