"""Figures are shown with a text that says the same, and never rest on colour alone."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from course import plots, scenario

PICTURES = np.random.default_rng(0).integers(0, 255, (7, 24, 24), dtype=np.uint8)


def test_a_figure_carries_its_text_for_screen_readers_and_below_the_picture():
    figure = plots.bars(pd.Series({"north": 0.25, "a & b": 0.5}), "recall")
    assert figure.alt == "Recall: north 0.25, a & b 0.5."
    shown = figure._repr_mimebundle_()
    assert shown["text/plain"] == figure.alt
    assert 'alt="Recall: north 0.25, a &amp; b 0.5."' in shown["text/html"]
    assert "<figcaption aria-hidden='true'" in shown["text/html"]


def test_every_kind_of_figure_is_a_picture(tmp_path):
    values = pd.Series({"a": 0.2, "b": 0.4})
    table = pd.DataFrame({"one": [1, 2], "two": [2, 1]}, index=[0.1, 0.2])
    figures = [
        plots.mosaic(PICTURES, "Seven squares.", list("abcdefg"), columns=4),
        plots.bars(values, "share", low=values - 0.1, high=values + 0.1),
        plots.lines(table, "x", "y", "Two lines that cross."),
    ]
    for number, figure in enumerate(figures):
        file = tmp_path / f"{number}.png"
        file.write_bytes(figure.png())
        assert np.asarray(Image.open(file).convert("L")).std() > 10


def test_a_bars_value_stands_at_its_end_or_beside_its_name_but_not_at_the_end_of_an_interval():
    values, high = pd.Series({"a": 0.5, "b": 0.6}), [0.9, 0.8]
    plain = plots.bars(values, "share").axes[0]
    assert [(label.get_text(), label.xy[0]) for label in plain.texts] == [("0.5", 0.5), ("0.6", 0.6)]
    whiskers = plots.bars(values, "share", "", [0.1, 0.3], high).axes[0]
    assert [label.get_text() for label in whiskers.get_yticklabels()] == ["a: 0.5", "b: 0.6"]
    assert not whiskers.texts


def test_lines_differ_in_dashes_and_marks_as_well_as_in_colour():
    table = pd.DataFrame(np.eye(4), columns=list("abcd"))
    drawn = plots.lines(table, "x", "y", "Four lines.").axes[0].lines
    for looks in ("get_linestyle", "get_marker", "get_color"):
        assert len({getattr(line, looks)() for line in drawn}) == 4


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda: plots.mosaic(PICTURES[0], "One."), r"images has shape \(24, 24\)"),
        (lambda: plots.mosaic(PICTURES, "Seven.", ["a"]), "captions holds 1 texts"),
        (lambda: plots.lines(pd.DataFrame(np.eye(5)), "x", "y", ""), "table has 5 columns"),
    ],
)
def test_bad_input_is_one_sentence(draw, sentence):
    with pytest.raises(ValueError, match=sentence):
        draw()


def test_the_scenarios_anchors_follow_from_its_numbers():
    assert scenario.cost_of_doing_nothing() == pytest.approx(4.80)
    assert scenario.break_even() == pytest.approx(0.059, abs=0.0005)
