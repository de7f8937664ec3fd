"""Permitted and clarify: judged is what the text settles, or what the facts allow; constants earn little."""

import random
from pathlib import Path

import numpy as np
import pytest

from autograder.exercise import CORRECT, NOT_ATTEMPTED, UNREADABLE
from autograder.judging import judge
from autograder.plain import round_trip
from autograder.stage import load_exercise
from course import interview

FOLDER = Path(__file__).parents[2] / "01_problem" / "exercises"
PERMITTED = load_exercise(FOLDER / "permitted.py")
CLARIFY = load_exercise(FOLDER / "clarify.py")


def deployments(seed):
    return [
        (case.about, item) for case in PERMITTED.cases(np.random.default_rng(seed)) for item in case.hidden
    ]


# ---- permitted


@pytest.mark.parametrize("where", ["prohibited", "high-risk", "neither", "lawyer"])
@pytest.mark.parametrize("fact", ["seen", "infers", "from", "purpose", "consent"])
def test_one_route_for_everything_earns_little(where, fact):
    for seed in range(5):
        assert judge(PERMITTED, (lambda deployment: (where, fact),), seed).points <= PERMITTED.points / 5


def test_a_guess_earns_little():
    def guess(deployment):
        luck = random.Random(repr(deployment))
        return luck.choice(["prohibited", "high-risk", "neither"]), luck.choice(["seen", "infers", "from"])

    assert max(judge(PERMITTED, (guess,), seed).points for seed in range(10)) <= PERMITTED.points / 5


@pytest.mark.parametrize(
    "fact",
    [
        lambda deployment, where: "from" if deployment["from"] == "text" else "infers",
        lambda deployment, where: "purpose" if where == "prohibited" else "seen",
    ],
)
def test_a_fact_that_is_named_by_habit_is_noticed(fact):
    def answer(deployment):
        where, _ = PERMITTED.reference(deployment)
        return where, fact(deployment, where)

    for seed in range(5):
        verdict = judge(PERMITTED, (answer,), seed)
        assert verdict.points < PERMITTED.points
        assert "naming the fact on which the route rests" in verdict.sentence.split("Not yet:")[1]


def test_consent_never_changes_the_route():
    for seed in range(20):
        for _, item in deployments(seed):
            before, _ = PERMITTED.reference(item)
            assert PERMITTED.reference(item | {"consent": not item["consent"]})[0] == before


def test_pairs_differ_as_announced_and_both_ways_occur():
    routes = {PERMITTED.reference(item)[0] for seed in range(5) for _, item in deployments(seed)}
    assert routes == {"prohibited", "high-risk", "neither", "lawyer"}
    for about in (
        "who is seen",
        "who else walks into view",
        "a medical or safety reason",
        "face, voice or text",
    ):
        shown = [PERMITTED.reference(item)[0] for name, item in deployments(3) if name == about]
        assert all(one != other for one, other in zip(shown[::2], shown[1::2], strict=True)), about


def test_where_the_text_leaves_room_a_lawyer_and_the_careful_reading_pass():
    def careful(deployment):
        where, fact = PERMITTED.reference(deployment)
        at_work = {"employees", "pupils"} & (set(deployment["seen"]) - set(deployment["left_out"]))
        return ("prohibited" if at_work else "high-risk", fact) if where == "lawyer" else (where, fact)

    assert all(judge(PERMITTED, (careful,), seed).word == CORRECT for seed in range(10))


def test_deployments_are_plain_data_and_the_eight_in_the_notebook_have_the_same_facts():
    for _, item in deployments(0):
        assert round_trip(item) == item
    eight = interview.deployments()
    assert len(eight) == 8
    assert set(eight.columns) == set(deployments(0)[0][1])
    routes = [PERMITTED.reference(dict(row))[0] for _, row in eight.iterrows()]
    assert routes == [
        "high-risk",
        "prohibited",
        "prohibited",
        "high-risk",
        "neither",
        "high-risk",
        "lawyer",
        "neither",
    ]


@pytest.mark.parametrize("output", ["prohibited", ("allowed", "seen"), ("neither", "mood"), 3])
def test_another_form_is_called_unreadable(output):
    assert judge(PERMITTED, (lambda deployment: output,), 0).word == UNREADABLE


# ---- clarify


def listed(*questions):
    return lambda history: questions[len(history)] if len(history) < len(questions) else ""


def test_a_sensible_list_in_other_words_passes():
    answer = listed(
        "Once someone looks angry, what will the robot do?",
        "And who are the people it looks at?",
        "Tell me about the price of a miss and of a false alarm",
        "Is anger rare or common?",
        "Which processor do we have?",
        "Any labelled examples?",
        "One face or a crowd?",
        "Can we buy this?",
        "Are images allowed to leave the device?",
        "What latency is okay?",
        "Sunlight? Night?",
        "Masks or sunglasses?",
    )
    assert [judge(CLARIFY, (answer,), seed).word for seed in range(3)] == [CORRECT] * 3


@pytest.mark.parametrize(
    "answer",
    [
        lambda history: "",
        lambda history: "What is the use case?",
        lambda history: "blub",
        listed("Tell me everything.", "What else?", "And then?"),
        listed(*list(interview.menu().values())[::-1]),
    ],
)
def test_saying_nothing_much_earns_nothing(answer):
    assert judge(CLARIFY, (answer,), 1).points == 0


def test_the_starter_is_not_attempted_and_another_type_is_unreadable():
    assert judge(CLARIFY, (lambda history: None,), 0).word == NOT_ATTEMPTED
    assert judge(CLARIFY, (lambda history: ["a question"],), 0).word == UNREADABLE


def test_the_verdict_names_a_topic_that_would_have_helped():
    answer = listed("Whose faces does it see?", "What happens after a detection?", "What hardware is there?")
    verdict = judge(CLARIFY, (answer,), 0)
    assert "would have helped most" in verdict.sentence or verdict.mistakes
