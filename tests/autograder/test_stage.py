"""What a learner gets from `stage`, and what survives a crash."""

import json
import sys

import pytest

from autograder import stage as stages
from autograder.stage import Stage


@pytest.fixture
def here(tmp_path, monkeypatch, small_stage):
    """A learner's empty folder, in which the small stage is the course."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(stages, "stage_folders", lambda: {small_stage.name: small_stage})
    return folder


def right(values):
    return float(values[values == values].mean())


def test_a_check_shows_the_verdict_and_returns_points_that_print_as_a_number(here, capsys):
    points = Stage("01_small").check("mean", right)
    assert repr(points) == "4"
    assert "Correct - 4 of 4 points." in capsys.readouterr().out


def test_every_attempt_draws_fresh_data(here):
    stage = Stage("01_small")
    seen = []
    for _ in range(2):
        stage.check("mean", lambda values: seen.append(values.sum()) or 1.0)
    assert seen[0] != seen[2]


def test_two_learners_get_different_data(here, tmp_path, monkeypatch):
    seeds = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        seeds.append(Stage("01_small")._seed("mean", 0))
    assert seeds[0] != seeds[1]


def test_grading_by_nbgrader_is_repeatable_and_leaves_nothing_behind(here, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    first, second = Stage("01_small"), Stage("01_small")
    first.check("mean", right)
    assert first._seed("mean", 0) == second._seed("mean", 0)
    assert list(here.iterdir()) == []


def test_what_an_answer_prints_or_warns_is_shown_with_the_verdict_not_on_stderr(here, capsys):
    def noisy(values):
        print("looking at", len(values))
        print("careful", file=sys.stderr)
        return right(values)

    Stage("01_small").check("mean", noisy)
    out, err = capsys.readouterr()
    assert "looking at 20" in out
    assert "careful" in out
    assert err == ""


def test_progress_survives_a_crash_in_the_middle_of_a_line(here, capsys):
    Stage("01_small").check("mean", right)
    log = here / ".course" / "01_small.jsonl"
    with log.open("a") as file:
        file.write('{"event": "check", "na')
    Stage("01_small").check("mean", lambda values: 0.0)
    capsys.readouterr()
    Stage("01_small").progress()
    assert "4 of 4 points" in capsys.readouterr().out
    assert Stage("01_small")._progress.count("check", "mean") == 2


def test_progress_counts_attempts_but_not_untouched_starters(here, capsys):
    stage = Stage("01_small")
    stage.check("mean", lambda values: None)
    stage.check("mean", lambda values: 0.0)
    capsys.readouterr()
    stage.progress()
    said = capsys.readouterr().out
    assert "tries 1" in said
    assert "not right yet" in said


def test_a_folder_that_cannot_hold_the_log_costs_the_log_but_not_the_verdict(here, capsys):
    (here / ".course").write_text("a file where the folder should be")
    points = Stage("01_small").check("mean", right)
    assert points == 4
    assert "could not be saved" in capsys.readouterr().out


def test_hints_go_one_level_further_each_time_and_stop_at_the_last(here, capsys):
    stage = Stage("01_small")
    for _ in range(3):
        stage.hint("mean")
    out = capsys.readouterr().out.splitlines()
    assert [line[:11] for line in out] == ["Hint 1 of 2", "Hint 2 of 2", "Hint 2 of 2"]
    assert stage._progress.count("hint", "mean") == 2, "seeing a hint again is no further hint"


def test_the_solution_opens_after_passing_or_on_a_deliberate_request(here, capsys):
    stage = Stage("01_small")
    stage.solution("mean")
    assert "nanmean" not in capsys.readouterr().out
    stage.solution("mean", anyway=True)
    assert "nanmean" in capsys.readouterr().out
    stage.check("mean", right)
    capsys.readouterr()
    stage.solution("mean")
    assert "nanmean" in capsys.readouterr().out


def test_a_class_may_keep_solutions_closed(here, capsys):
    (here / "class.json").write_text(json.dumps({"solutions": False}))
    Stage("01_small").solution("mean", anyway=True)
    assert "switched off" in capsys.readouterr().out


def test_unknown_names_are_answered_with_the_known_ones(here):
    with pytest.raises(ValueError, match="no stage '09_none'; there are: 01_small"):
        Stage("09_none")
    with pytest.raises(ValueError, match="no exercise 'median'; there are: mean"):
        Stage("01_small").check("median", right)


def test_a_prediction_comes_back_beside_the_truth(here, capsys):
    stage = Stage("01_small")
    stage.predict("share", "How many?", ["few", "many"])
    stage.reveal("share", "few")
    assert "You are not on record yet" in capsys.readouterr().out
    stage._progress.log("predict", "share", option="many")
    stage.reveal("share", "few")
    assert "It turned out: few. You predicted: many." in capsys.readouterr().out
