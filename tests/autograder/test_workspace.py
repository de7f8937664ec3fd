"""The learner's folder: work is never lost."""

import pytest

from autograder.workspace import fill


@pytest.fixture
def original(tmp_path):
    """A course notebook, as it is committed."""
    file = tmp_path / "01_small" / "01_small.ipynb"
    file.parent.mkdir()
    file.write_text("first version")
    return file


def names(folder):
    return sorted(file.name for file in folder.iterdir() if file.name != ".course")


def test_a_new_folder_gets_the_notebooks(tmp_path, original):
    said = fill(tmp_path / "work", [original.parent])
    assert (tmp_path / "work" / "01_small.ipynb").read_text() == "first version"
    assert "ready in" in said[0]


def test_a_learners_work_is_kept_when_nothing_is_new(tmp_path, original):
    fill(tmp_path / "work", [original.parent])
    (tmp_path / "work" / "01_small.ipynb").write_text("my answers")
    assert "your copy is kept" in fill(tmp_path / "work", [original.parent])[0]
    assert (tmp_path / "work" / "01_small.ipynb").read_text() == "my answers"
    assert names(tmp_path / "work") == ["01_small.ipynb"]


def test_a_newer_version_is_put_beside_the_learners_work_and_said_once(tmp_path, original):
    fill(tmp_path / "work", [original.parent])
    (tmp_path / "work" / "01_small.ipynb").write_text("my answers")
    original.write_text("second version")
    assert "newer version" in fill(tmp_path / "work", [original.parent])[0]
    assert (tmp_path / "work" / "01_small.ipynb").read_text() == "my answers"
    assert (tmp_path / "work" / "01_small.new.ipynb").read_text() == "second version"
    assert "your copy is kept" in fill(tmp_path / "work", [original.parent])[0]


def test_an_untouched_copy_is_brought_up_to_date(tmp_path, original):
    fill(tmp_path / "work", [original.parent])
    original.write_text("second version")
    assert "brought up to date" in fill(tmp_path / "work", [original.parent])[0]
    assert (tmp_path / "work" / "01_small.ipynb").read_text() == "second version"


def test_a_lost_memory_costs_no_work(tmp_path, original):
    fill(tmp_path / "work", [original.parent])
    (tmp_path / "work" / ".course" / "originals.json").write_text("{torn")
    (tmp_path / "work" / "01_small.ipynb").write_text("my answers")
    fill(tmp_path / "work", [original.parent])
    assert (tmp_path / "work" / "01_small.ipynb").read_text() == "my answers"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, original):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be written"):
        fill(tmp_path / "file" / "work", [original.parent])
