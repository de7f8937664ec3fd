"""The demo of lying metrics: what it computes, and that panel, figure and text agree."""

import subprocess
import sys

import ipywidgets
import numpy as np
import pytest
from sklearn import metrics

from course import scenario, widgets
from course.plots import DescribedFigure
from course.widgets import liars
from course.widgets.liars import METRICS, PREVALENCES, standing


def drawn(name, prevalence, rng, n=400_000):
    """Visits drawn one by one from the same detectors: site, angry, frames, score before the logistic."""
    site = rng.choice(6, n, p=[0.6] + 5 * [0.08])
    size = np.where(site == 0, "large", "small")
    angry, long = rng.random(n) < prevalence, rng.random(n) < 0.5
    mean = np.full(n, 0.6 if name == "B" else 0.0)
    if name == "A":
        of_angry = np.where(size == "large", 2.1, 3.3) + np.where(long, 0.5, -0.5)
        mean = np.where(angry, of_angry, mean)
    else:
        easy = rng.random(n) < np.where(size == "large", 0.9, 0.6)
        mean = np.where(angry & easy, 4.0, mean)
    return site, angry, np.where(long, 50, 10), rng.normal(mean, 1)


@pytest.mark.parametrize("name", ["A", "B"])
def test_the_numbers_are_those_of_visits_drawn_one_by_one(name):
    site, angry, frames, score = drawn(name, 0.2, np.random.default_rng(0))
    off = score >= 2.6
    by_site = np.mean([off[angry & (site == place)].mean() for place in range(6)])
    kept = {"A": 0.8, "B": 0.3}[name]
    expected = {
        "accuracy": metrics.accuracy_score(angry, off),
        "AUROC": metrics.roc_auc_score(angry, score),
        "F1": metrics.f1_score(angry, off),
        "mean over sites": by_site,
        "frame recall": kept * np.average(off[angry], weights=frames[angry]),
    }
    for metric in METRICS:
        assert standing(metric, 0.2).value[name] == pytest.approx(expected[metric], abs=0.01), metric
    hours = len(angry) / scenario.VISITS_AN_HOUR
    euros = scenario.COST_MISSED * (angry & ~off).sum() + scenario.COST_NEEDLESS * (off & ~angry).sum()
    assert standing("F1", 0.2).cost[name] == pytest.approx(euros / hours, rel=0.02)


def test_every_metric_lies_in_the_lobby_and_tells_the_truth_somewhere():
    for metric in METRICS:
        assert standing(metric).lies
        # At a low threshold the careful detector is the cheaper one.
        assert not standing(metric, threshold=0.2).lies
    assert not standing("accuracy", scenario.ANGRY_BALANCED).lies
    assert not standing("F1", scenario.ANGRY_BALANCED).lies


def test_it_is_no_matter_of_a_badly_chosen_threshold():
    best = {
        name: min(standing("F1", threshold=at).cost[name] for at in np.arange(0.05, 0.96, 0.05))
        for name in ("A", "B")
    }
    assert best["A"] > 1.15 * best["B"]


def test_auroc_does_not_move_with_prevalence_or_threshold():
    values = [standing("AUROC", share, at).value for share in PREVALENCES for at in (0.1, 0.9)]
    assert all(value == values[0] for value in values)


def test_the_panel_says_what_it_shows():
    panel = widgets.catch_liars()
    assert "The metric lies." in panel.line.value
    before = panel.line.value
    panel.threshold.value = 0.2
    assert panel.line.value != before
    assert "tells the truth" in panel.line.value
    panel.metric.value = "AUROC"
    panel.prevalence.value = 0.5
    assert panel.describe() == widgets.describe_liars("AUROC", 0.5, 0.2)
    assert panel._repr_mimebundle_()["text/plain"] == panel.describe()


def test_the_panel_can_be_worked_with_the_keyboard_and_read_aloud():
    panel = widgets.catch_liars()
    kinds = (ipywidgets.Dropdown, ipywidgets.SelectionSlider, ipywidgets.FloatSlider)
    for control, kind in zip((panel.metric, panel.prevalence, panel.threshold), kinds, strict=True):
        assert isinstance(control, kind)
        assert control.description
        assert control.tooltip
        assert control in panel.widget.children
    assert 'role="status" aria-live="polite"' in panel.line.value
    assert "● A" in panel.line.value
    assert "■ B" in panel.line.value


def test_the_figure_and_its_text_tell_the_same_story():
    figure = widgets.static_liars()
    assert isinstance(figure, DescribedFigure)
    assert figure.alt == widgets.describe_liars()
    for metric in METRICS:
        assert metric in figure.alt
    for share in (scenario.ANGRY_VISITS, scenario.ANGRY_BALANCED):
        for cost in standing("F1", share).cost.values():
            assert f"€ {cost:.2f}" in figure.alt
    words = [text.get_text() for axis in figure.axes for text in axis.texts]
    told = [standing(metric, share).lies for share in (0.01, 0.5) for metric in METRICS]
    assert [word for word in words if word in ("lies", "true")] == ["lies" if lie else "true" for lie in told]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "kappa"}, "metric is 'kappa'"),
        ({"prevalence": 0.3}, "prevalence is 0.3"),
        ({"threshold": 1}, "threshold is 1"),
    ],
)
def test_a_setting_that_does_not_exist_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        widgets.catch_liars(**options)


def test_importing_it_loads_neither_widgets_nor_plots():
    code = (
        "import course.widgets.liars, sys; print({'ipywidgets', 'matplotlib', 'sklearn'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_the_bars_name_the_better_detector_once_each():
    line = widgets.catch_liars().line.value
    assert line.count("&larr; preferred") == line.count("&larr; costs less") == 1
    assert liars.standing("F1").preferred == "A"
