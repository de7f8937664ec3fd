"""What a stage keeps, the next one finds."""

import pandas as pd
import pytest

from course import portfolio

SPLIT = pd.DataFrame({"face": [3, 1, 2], "part": ["train", "test", "train"]})


def test_what_was_kept_is_loaded_the_same(tmp_path):
    said = portfolio.keep("split", SPLIT, tmp_path)
    assert said == "Kept 3 rows as 'split' (portfolio/split.csv)."
    pd.testing.assert_frame_equal(portfolio.load("split", tmp_path), SPLIT)
    labels = pd.Series(["angry", "calm"], index=pd.Index([4, 9], name="face"), name="label")
    portfolio.keep("labels", labels, tmp_path)
    assert portfolio.load("labels", tmp_path).to_dict("list") == {"face": [4, 9], "label": ["angry", "calm"]}
    assert portfolio.kept(tmp_path) == ["labels", "split"]


def test_no_answer_keeps_nothing_and_loses_nothing(tmp_path):
    assert portfolio.keep("split", None, tmp_path).startswith("Nothing is kept")
    assert portfolio.kept(tmp_path) == []
    portfolio.keep("split", SPLIT, tmp_path)
    portfolio.keep("split", None, tmp_path)
    assert len(portfolio.load("split", tmp_path)) == 3


def test_a_stage_finds_what_its_neighbour_kept_and_prefers_its_own(tmp_path):
    (tmp_path / "02_data").mkdir()
    (tmp_path / "03_model").mkdir()
    portfolio.keep("split", SPLIT, tmp_path / "02_data")
    assert len(portfolio.load("split", tmp_path / "03_model")) == 3
    portfolio.keep("split", SPLIT.head(1), tmp_path / "03_model")
    portfolio.keep("split", SPLIT.head(2), tmp_path / "02_data")
    assert len(portfolio.load("split", tmp_path / "03_model")) == 1


def test_a_failed_write_leaves_the_earlier_version_and_nothing_else(tmp_path, monkeypatch):
    portfolio.keep("split", SPLIT, tmp_path)

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(ValueError, match="No space left on device"):
        portfolio.keep("split", SPLIT.head(1), tmp_path)
    assert len(portfolio.load("split", tmp_path)) == 3
    assert [path.name for path in (tmp_path / "portfolio").iterdir()] == ["split.csv"]


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda folder: portfolio.keep("My split", SPLIT, folder), "name is 'My split'"),
        (lambda folder: portfolio.keep("split", [1, 2], folder), "table is a list; accepted are a DataFrame"),
        (lambda folder: portfolio.load("model", folder), "which no stage has kept; kept so far: nothing yet"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, act, sentence):
    with pytest.raises(ValueError, match=sentence):
        act(tmp_path)


def test_a_file_that_is_no_table_is_named(tmp_path):
    (tmp_path / "portfolio").mkdir()
    (tmp_path / "portfolio" / "split.csv").write_text("")
    with pytest.raises(ValueError, match="keep 'split' again"):
        portfolio.load("split", tmp_path)
