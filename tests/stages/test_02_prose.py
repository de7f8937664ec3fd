"""The prose of stage 2 says what the scenario and the measurements say."""

from autograder.notebooks import source_file
from autograder.stage import stage_folder
from course import scenario

PROSE = source_file(stage_folder("02_data_metrics")).read_text(encoding="utf-8").replace("\n# ", " ")

WORDS = {2: "two", 3: "three", 4: "four"}


def test_numbers_in_the_prose_are_those_of_the_scenario():
    for said in (
        f"costs € {scenario.COST_MISSED:g}",
        f"without need € {scenario.COST_NEEDLESS:g}",
        f"= {scenario.break_even():.3f}",
        f"Smaller, {100 * scenario.ANGRY_FRAMES:g} %",
        f"they cost € {scenario.VOTE_PRICE:g} each",
        f"who is missed costs € {scenario.COST_MISSED:g}",
        f"from a calm one costs € {scenario.COST_NEEDLESS:g}",
        f"costs € {scenario.COST_DISTANCE:.2f}, whether",
        f"more than {WORDS[scenario.FALSE_ALARMS_AN_HOUR]} false alarms an hour",
    ):
        assert said in PROSE, said
    assert scenario.ANGRY_VISITS == 1 / 100, "the prose says: one visit in a hundred"


def test_the_article_and_the_claim_about_faces_are_in_the_first_cell():
    opening = PROSE.split("%% [markdown]")[1]
    assert "The ML Design Interview" in opening
    assert "A face shows an *expression*, not a feeling" in opening
