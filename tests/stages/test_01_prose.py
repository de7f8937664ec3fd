"""The prose of stage 1 says what the scenario and the simulation say."""

import pytest

from autograder.notebooks import source_file
from autograder.stage import stage_folder
from course import scenario
from course.deployment.visits import Detector, Lobby, calm_lobby, expected

TEXT = source_file(stage_folder("01_problem")).read_text(encoding="utf-8")
PROSE = TEXT.replace("\n# > ", " ").replace("\n# ", " ")


def test_numbers_in_the_prose_are_those_of_the_scenario():
    for said in (
        f"misses costs € {scenario.COST_MISSED:g}",
        f"need € {scenario.COST_NEEDLESS:g}",
        f"About {scenario.VISITS_AN_HOUR} people an hour",
        f"a probability of about {scenario.break_even():.2f}",
        f"costs € {scenario.COST_DISTANCE:.2f} for anybody",
    ):
        assert said in PROSE, said
    assert scenario.ANGRY_VISITS == 1 / 100, "the prose says: one in a hundred"
    assert scenario.COST_MISSED / scenario.COST_NEEDLESS == 16, "the prose says: sixteen needless ones"


@pytest.mark.parametrize(("recall", "needless"), [(0.90, "17.6"), (0.65, "3.1")])
def test_the_two_offers_are_points_of_one_detector(recall, needless):
    detector, lobby = Detector.from_auc(0.95), calm_lobby(Lobby())
    thresholds = [p / 100_000 for p in range(100, 90_000, 20)]
    points = [expected(detector, lobby, 2, p) for p in thresholds]
    nearest = min(points, key=lambda point: abs(point.recall - recall))
    assert f"{nearest.needless_an_hour:.1f}" == needless
    assert needless in PROSE


def test_the_article_and_the_claim_about_faces_are_in_the_first_cell():
    opening = PROSE.split("%% [markdown]")[1]
    assert "The ML Design Interview" in opening
    assert "A face shows an *expression*, not a feeling" in opening
