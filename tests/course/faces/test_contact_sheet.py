"""The contact sheet: every expression on the same people, the same file for the same seed."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course.faces import EXPRESSIONS, render
from course.faces.columns import SCENE, TRAITS
from course.faces.contact_sheet import contact_sheet, main, sheet_rows

COMMITTED = Path(__file__).resolve().parents[3] / "docs" / "faces.png"


def test_a_row_is_an_expression_and_a_column_a_person():
    faces = sheet_rows(np.random.default_rng(0), 3)
    assert faces["expression"].tolist() == [name for name in EXPRESSIONS for _ in range(3)]
    for person, column in faces.groupby(np.arange(len(faces)) % 3):
        assert (column["person"] == person).all()
        assert (column[[*TRAITS, *SCENE]].nunique() == 1).all()
    assert faces["person"].nunique() == 3


def test_nothing_hides_a_face_of_the_sheet():
    faces = sheet_rows(np.random.default_rng(1), 40)
    assert (faces["occlusion"] == "none").all()
    assert faces["resolution"].min() > 48


def test_the_sheet_shows_the_rendered_faces():
    png = contact_sheet(np.random.default_rng(2), 2, 48)
    sheet = np.asarray(Image.open(io.BytesIO(png)))
    pictures = render(sheet_rows(np.random.default_rng(2), 2), 48)
    # First row, first column; last row, last column.
    assert np.abs(sheet[24 : 24 + 48, 190 : 190 + 48] - pictures[0].astype(int)).max() <= 2
    assert np.abs(sheet[-48 - 3 : -3, -48 - 3 : -3] - pictures[-1].astype(int)).max() <= 2
    # Names stand to the left of every row.
    for row in range(len(EXPRESSIONS)):
        assert sheet[24 + row * 51 : 24 + row * 51 + 48, :185].min() < 60


def test_the_same_seed_gives_the_same_file_and_another_other_people(tmp_path, capsys):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        path = tmp_path / name / "sheet.png"
        assert main([str(path), "--seed", str(seed), "--people", "1", "--side", "48"]) == 0
    one, same, other = ((tmp_path / name / "sheet.png").read_bytes() for name in "abc")
    assert one == same
    assert one != other
    assert "13 expressions, 1 people" in capsys.readouterr().out
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["sheet.png"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--people", "0"], "people is 0"), (["--side", "9"], "side is 9"), ([], "in the way")],
)
def test_bad_input_is_one_sentence_and_no_file(tmp_path, capsys, arguments, words):
    (tmp_path / "in the way").write_text("")
    path = tmp_path / "in the way" / "sheet.png" if not arguments else tmp_path / "sheet.png"
    assert main([str(path), *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["in the way"]


def test_the_committed_sheet_is_small_and_of_this_shape():
    assert COMMITTED.stat().st_size < 400_000
    with Image.open(COMMITTED) as sheet:
        assert sheet.size == (190 + 8 * 87, 24 + len(EXPRESSIONS) * 87)
