"""Two detectors, one metric, and the costs: drag until the metric prefers the one that costs more."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass

import numpy as np

from course import scenario
from course.widgets.pictures import ORANGE

METRICS: dict[str, str] = {
    "accuracy": "share of visits that the robot judges as the annotators do",
    "AUROC": "how often an angry visit scores above a calm one, whatever the threshold",
    "F1": "harmonic mean of precision and recall of visits",
    "mean over sites": "recall at each of six sites, then the mean over the sites",
    "frame recall": "share of the angry frames that are found",
}
"""The metrics that can be picked, in words."""

PREVALENCES: tuple[float, ...] = (0.005, scenario.ANGRY_VISITS, 0.02, 0.05, 0.1, 0.2, scenario.ANGRY_BALANCED)
"""The shares of angry visits that can be picked."""

DETECTORS = ("A", "B")
THRESHOLD = 0.5
BLUE = "#0072B2"
_COLOURS, _SIGNS, _DASHES = {"A": BLUE, "B": ORANGE}, {"A": "●", "B": "■"}, {"A": "-", "B": "--"}
_LIFT = {"A": 0.14, "B": -0.14}  # marks of equal values lie side by side
_MARKS = {"A": "o", "B": "s"}

# One large lobby has 60 visits of 100, five small ones have 8 each. Half of the angry visits are long, with
# 50 angry frames, half are short, with 10. Scores are logistic in a normal variable of variance 1.
_SITES = {"large": (0.6, 1), "small": (0.08, 5)}
_FRAMES = {"long": 50, "short": 10}
_MIDDLE, _SCALE = 2.6, 0.6


@dataclass(frozen=True)
class Standing:
    """How both detectors stand at one setting; each dict has the keys "A" and "B".

    metric: which one.  value: the metric, more is better.  cost: euros an hour.
    recall: of angry visits.  false_alarms: an hour.
    """

    metric: str
    prevalence: float
    threshold: float
    value: dict[str, float]
    cost: dict[str, float]
    recall: dict[str, float]
    false_alarms: dict[str, float]

    @property
    def preferred(self) -> str:
        """The detector that the metric prefers, as printed; "" where both have the same."""
        return _first(self.value, 3, largest=True)

    @property
    def cheaper(self) -> str:
        """The detector that costs less, as printed; "" where both cost the same."""
        return _first(self.cost, 2, largest=False)

    @property
    def lies(self) -> bool:
        """Whether the metric prefers the detector that costs more."""
        return "" != self.preferred != self.cheaper != ""

    def __str__(self) -> str:
        """Return the standing as three sentences."""
        values, euros = (
            ", ".join(f"{name} {sign}{numbers[name]:.{digits}f}" for name in DETECTORS)
            for numbers, sign, digits in ((self.value, "", 3), (self.cost, "€ ", 2))
        )
        prefers = f"it prefers {self.preferred}" if self.preferred else "it prefers neither"
        costs = f"{self.cheaper} costs less" if self.cheaper else "they cost the same"
        metric = self.metric[:1].upper() + self.metric[1:]
        verdict = "The metric lies." if self.lies else "The metric tells the truth here."
        if not (self.preferred and self.cheaper):
            verdict = "The metric does not decide here." if self.cheaper else "Either will do."
        return (
            f"{metric} with {_percent(self.prevalence)} of the visits angry, at threshold"
            f" {self.threshold:.2f}: {values}; {prefers}. Cost an hour: {euros}; {costs}. {verdict}"
        )


def standing(
    metric: str, prevalence: float = scenario.ANGRY_VISITS, threshold: float = THRESHOLD
) -> Standing:
    """Return how the two detectors stand, by a metric and by what they cost.

    Detector A is careful: few false alarms, good in small lobbies and on visits with many angry frames. B is
    keen: more false alarms, good in the large lobby, often by a few frames; one angry visit in five looks
    calm to it at any threshold.

    Args:
        metric: one of `METRICS`.
        prevalence: share of angry visits, 0-1, both excluded.
        threshold: score from which the robot backs off, 0-1, both excluded.

    Raises:
        ValueError: for an unknown metric, or a number outside of its range.

    """
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; accepted are {', '.join(METRICS)}.")
    for name, number in (("prevalence", prevalence), ("threshold", threshold)):
        if not 0 < number < 1:
            raise ValueError(f"{name} is {number!r}; accepted are numbers between 0 and 1.")
    cut = _MIDDLE + _SCALE * math.log(threshold / (1 - threshold))
    rates = {name: (_recall(name, cut), _calm(name, cut)) for name in DETECTORS}
    value, cost, alarms = {}, {}, {}
    for name, (recall, false) in rates.items():
        found, missed, needless = prevalence * recall, prevalence * (1 - recall), (1 - prevalence) * false
        value[name] = {
            "accuracy": 1 - missed - needless,
            "AUROC": _auroc(name),
            "F1": 2 * found / (2 * found + missed + needless),
            "mean over sites": _recall(name, cut, "site"),
            "frame recall": _recall(name, cut, "frame"),
        }[metric]
        alarms[name] = scenario.VISITS_AN_HOUR * needless
        cost[name] = scenario.VISITS_AN_HOUR * missed * scenario.COST_MISSED
        cost[name] += alarms[name] * scenario.COST_NEEDLESS
    recalls = {name: recall for name, (recall, _) in rates.items()}
    return Standing(metric, prevalence, threshold, value, cost, recalls, alarms)


def catch_liars(
    metric: str = "accuracy", prevalence: float = scenario.ANGRY_VISITS, threshold: float = THRESHOLD
) -> LiarPanel:
    """Return a panel: pick a metric, drag prevalence and threshold, watch two detectors swap places.

    Args and errors are those of `standing`; prevalence is one of `PREVALENCES`.
    """
    standing(metric, prevalence, threshold)
    if prevalence not in PREVALENCES:
        raise ValueError(f"prevalence is {prevalence!r}; accepted are {', '.join(map(str, PREVALENCES))}.")
    return LiarPanel(metric, prevalence, threshold)


def describe_liars(
    metric: str | None = None, prevalence: float = scenario.ANGRY_VISITS, threshold: float = THRESHOLD
) -> str:
    """Return in words what the panel shows at one setting, or without a metric what the figure shows."""
    if metric is not None:
        return str(standing(metric, prevalence, threshold))
    shares = " and with ".join(map(_percent, (scenario.ANGRY_VISITS, scenario.ANGRY_BALANCED)))
    lines = [
        f"Five metrics and the cost of detectors A and B at threshold {THRESHOLD:g}, with {shares} of the"
        " visits angry."
    ]
    for share in (scenario.ANGRY_VISITS, scenario.ANGRY_BALANCED):
        found = [standing(name, share) for name in METRICS]
        costs = " and ".join(f"{name} € {found[0].cost[name]:.2f}" for name in DETECTORS)
        lines.append(f"At {_percent(share)}, {costs} an hour: {found[0].cheaper} costs less.")
        for lies, word in ((True, "Lying, because they prefer the other one"), (False, "Telling the truth")):
            told = [
                f"{one.metric} (A {one.value['A']:.3f}, B {one.value['B']:.3f})"
                for one in found
                if one.lies == lies
            ]
            lines += [f"{word}: {', '.join(told)}."] if told else []
    grid = np.round(np.arange(0.05, 0.96, 0.01), 2)
    costs = [standing("F1", threshold=at).cost for at in grid]
    swap = next(at for at, cost in zip(grid, costs, strict=True) if cost["B"] < cost["A"])
    best = {name: min(zip([cost[name] for cost in costs], grid, strict=True)) for name in DETECTORS}
    told = ", ".join(f"{name} € {cost:.2f} at {at:.2f}" for name, (cost, at) in best.items())
    lines.append(
        f"Over the threshold, with {_percent(scenario.ANGRY_VISITS)} angry: A costs less below {swap:.2f},"
        f" B from there on. Each at its best: {told}."
    )
    return "\n".join(lines)


def static_liars() -> object:
    """Return a figure that says what the panel does: metrics at two prevalences, costs over the threshold."""
    from course.plots import DescribedFigure

    figure = DescribedFigure(describe_liars(), 8.2, 5.6)
    figure.set_layout_engine("constrained")
    axes = figure.subplot_mosaic([["field", "balanced"], ["cost", "cost"]], height_ratios=[1.2, 1])
    for place, share in (("field", scenario.ANGRY_VISITS), ("balanced", scenario.ANGRY_BALANCED)):
        found = [standing(metric, share) for metric in METRICS]
        axis, rows = axes[place], np.arange(len(found))[::-1]
        for one, row in zip(found, rows, strict=True):
            axis.plot(
                [one.value["A"], one.value["B"]],
                [row + _LIFT["A"], row + _LIFT["B"]],
                color="#bbbbbb",
                zorder=1,
            )
            axis.text(1.06, row, "lies" if one.lies else "true", va="center", fontsize=9)
        for name in DETECTORS:
            values = [one.value[name] for one in found]
            axis.scatter(
                values, rows + _LIFT[name], color=_COLOURS[name], marker=_MARKS[name], label=name, zorder=2
            )
        axis.set_yticks(rows, METRICS if place == "field" else [""] * len(found))
        axis.set(xlim=(0, 1.2), ylim=(-0.6, len(found) - 0.4), xticks=[0, 0.5, 1], xlabel="metric")
        costs = ", ".join(f"{name} € {found[0].cost[name]:.2f}" for name in DETECTORS)
        axis.set_title(f"{_percent(share)} of visits angry\n{costs} an hour", fontsize=10)
    axes["field"].legend(title="detector", frameon=False, loc="upper left")
    grid = np.linspace(0.05, 0.95, 91)
    for name in DETECTORS:
        euros = [standing("F1", threshold=at).cost[name] for at in grid]
        axes["cost"].plot(grid, euros, color=_COLOURS[name], linestyle=_DASHES[name])
        axes["cost"].text(0.96, euros[-1], name, color=_COLOURS[name], va="center")
    axes["cost"].set(
        xlabel=f"threshold, with {_percent(scenario.ANGRY_VISITS)} of visits angry",
        ylabel="€ an hour",
        xlim=(0, 1),
        ylim=(0, 2 * scenario.cost_of_doing_nothing()),
    )
    asked = f"Does the metric, at threshold {THRESHOLD:g}, prefer the detector that costs less?"
    figure.suptitle(asked, fontsize=11)
    for axis in axes.values():
        axis.spines[["top", "right"]].set_visible(False)
    return figure


class LiarPanel:
    """A menu, two sliders, bars, and the sentence that says whether the metric lies.

    Attributes:
        widget: the whole panel, an ipywidgets box.
        metric, prevalence, threshold: the controls.
        line: HTML with the bars and the sentence of `describe`.

    """

    def __init__(self, metric: str, prevalence: float, threshold: float) -> None:
        """Build the panel at one setting."""
        import ipywidgets

        shared = {"style": {"description_width": "9em"}, "layout": ipywidgets.Layout(width="30em")}
        self.metric = ipywidgets.Dropdown(
            options=list(METRICS),
            value=metric,
            description="metric",
            tooltip="Which metric to watch",
            **shared,
        )
        self.prevalence = ipywidgets.SelectionSlider(
            options=[(_percent(share), share) for share in PREVALENCES], value=prevalence,
            description="angry visits", tooltip="Share of angry visits; arrow keys move it",
            continuous_update=True, **shared,
        )  # fmt: skip
        self.threshold = ipywidgets.FloatSlider(
            value=threshold, min=0.05, max=0.95, step=0.05, description="threshold", readout_format=".2f",
            tooltip="Score from which the robot backs off, for both; arrow keys move it", **shared,
        )  # fmt: skip
        self.line = ipywidgets.HTML()
        self.widget = ipywidgets.VBox([self.metric, self.prevalence, self.threshold, self.line])
        for control in (self.metric, self.prevalence, self.threshold):
            control.observe(self._show, "value")
        self._show()

    @property
    def standing(self) -> Standing:
        """How both detectors stand at the setting."""
        return standing(self.metric.value, self.prevalence.value, self.threshold.value)

    def describe(self) -> str:
        """Return in words what the panel shows."""
        return str(self.standing)

    def _show(self, change: object = None) -> None:
        now = self.standing
        largest = max(*now.cost.values(), scenario.cost_of_doing_nothing())
        rows = [
            _bars(f"{now.metric}: more is better", now.value, 1.0, "", 3, now.preferred, "preferred"),
            _bars("€ an hour: less is better", now.cost, largest, "€ ", 2, now.cheaper, "costs less"),
        ]
        self.line.value = (
            f'<div aria-hidden="true">{"".join(rows)}</div>'
            f'<div role="status" aria-live="polite" style="max-width: 44em"><b>{html.escape(str(now))}</b>'
            "</div>"
            f'<div style="max-width: 44em; font-style: italic">{now.metric}: {METRICS[now.metric]}.</div>'
        )

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        # Where no widget can be shown, the sentence is.
        return {**self.widget._repr_mimebundle_(**kwargs), "text/plain": self.describe()}


def _bars(
    title: str, numbers: dict[str, float], full: float, sign: str, digits: int, best: str, word: str
) -> str:
    """Return one bar a detector as HTML, told apart by sign, letter and colour; the better one is named."""
    rows = []
    for name in DETECTORS:
        width = f"{18 * numbers[name] / full:.2f}em"
        told = f"{sign}{numbers[name]:.{digits}f}" + (f" &larr; {word}" if name == best else "")
        rows.append(
            '<div style="display: flex; align-items: center; gap: 0.5em">'
            f'<span style="width: 2.5em">{_SIGNS[name]} {name}</span>'
            f'<span style="width: {width}; height: 0.9em; background: {_COLOURS[name]}"></span>'
            f"<span>{told}</span></div>"
        )
    return f'<div style="margin: 0.4em 0"><div>{title}</div>{"".join(rows)}</div>'


def _percent(share: float) -> str:
    return f"{100 * share:g} %"


def _first(numbers: dict[str, float], digits: int, largest: bool) -> str:
    shown = {name: round(number, digits) for name, number in numbers.items()}
    if shown["A"] == shown["B"]:
        return ""
    return (max if largest else min)(shown, key=shown.get)


def _above(cut: float | np.ndarray, mean: float) -> float | np.ndarray:
    """Return the chance that a normal variable of variance 1 reaches the cut."""
    from scipy.special import ndtr

    return ndtr(mean - cut)


def _calm(name: str, cut: float | np.ndarray) -> float | np.ndarray:
    """Return the share of calm visits that reach the cut."""
    return _above(cut, {"A": 0.0, "B": 0.6}[name])


def _found(name: str, cut: float | np.ndarray, site: str, length: str) -> float | np.ndarray:
    """Return the share of such angry visits that reach the cut."""
    if name == "A":
        return _above(cut, {"large": 2.1, "small": 3.3}[site] + {"long": 0.5, "short": -0.5}[length])
    easy = {"large": 0.9, "small": 0.6}[site]
    return easy * _above(cut, 4.0) + (1 - easy) * _calm(name, cut)


def _recall(name: str, cut: float | np.ndarray, by: str = "visit") -> float | np.ndarray:
    """Return recall of visits, its mean over sites, or recall of frames."""
    parts = {}
    for site, (share, count) in _SITES.items():
        for length, frames in _FRAMES.items():
            weight = {"visit": share * count, "site": count, "frame": share * count * frames}[by]
            parts[site, length] = weight, _found(name, cut, site, length)
    mean = sum(weight * found for weight, found in parts.values()) / sum(
        weight for weight, _ in parts.values()
    )
    # A detector that takes the visit also takes most of its angry frames, or only the clearest.
    return mean * {"A": 0.8, "B": 0.3}[name] if by == "frame" else mean


def _auroc(name: str) -> float:
    cuts = np.linspace(8, -6, 600)
    return float(np.trapezoid(_recall(name, cuts), _calm(name, cuts)))
