"""The written specification, tried for months in the lobby before anything is built."""

import functools
import json
from dataclasses import replace

import numpy as np

from autograder import Case, Exercise, Literal, Mistake, Unreadable
from autograder.exercise import NotAttempted
from course import scenario
from course.deployment import month, pilots
from course.deployment.spec import AFTERWARDS, ProblemSpec
from course.deployment.visits import draw_visits

STARTER = """\
# Every line is a decision. None stands for "not decided yet".
spec = {
    "formulation": None,  # "whole frame", "each face", "clip", "angry objects", "intensity"
    "device": None,  # "microcontroller", "robot" or "server"
    "window_frames": None,  # frames that are looked at together, 1 to 50
    # the largest model allowed: multiply-adds for a face in a frame, bytes of int8 weights
    "multiply_adds": None,
    "weight_bytes": None,
    "reaction_ms": None,  # that 99 of 100 reactions keep; the robot gives up on later ones
    # calibrated probabilities of an angry visit, 0 to 1; 1.1 means never
    "keep_distance_from": None,
    "back_off_from": None,
    # about faces in poor light or covered: "as usual", "carry on" or "keep distance"
    "outside_envelope": None,
    "staff": None,  # people who work in the lobby: "excluded" or "included"
    # guardrail: needless back-offs for people with a low resting brow, times the average
    "low_brow_ratio": None,
    # "euros an hour", "recall", "needless back-offs an hour", "accuracy" or
    # "recall at 3 false alarms an hour"; recall and accuracy are shares of 1
    "success_metric": None,
    "success_bar": None,  # the number that decides after the pilot; or "from the pilot"
}
"""

SPEC = {
    "formulation": "clip",
    "device": "robot",
    "window_frames": scenario.WINDOW_FRAMES,
    "multiply_adds": scenario.MULTIPLY_ADDS,
    "weight_bytes": scenario.WEIGHT_BYTES,
    "reaction_ms": scenario.REACTION_MS,
    "keep_distance_from": scenario.KEEP_DISTANCE_FROM,
    "back_off_from": scenario.BACK_OFF_FROM,
    "outside_envelope": "carry on",
    "staff": "excluded",
    "low_brow_ratio": scenario.LOW_BROW_RATIO,
    "success_metric": "euros an hour",
    "success_bar": 3.6,
}

SOLUTION = "spec = " + json.dumps(SPEC, indent=4)

MAY = "the robot may be switched on"
TIME = "99 of 100 reactions come in time"
AGREE = "the lines agree with one another"
COST = "a month costs little more than under the best specification"
EQUAL = "the guardrail for people with a low resting brow holds, as the scenario asks"
BAR = "the success bar keeps what helps and sends back what does not"


def cases(rng):
    """Two months in the lobby; the luck of each is its seed's."""
    yield Case(
        hidden=[int(seed) for seed in rng.integers(2**32, size=2)],
        about="two months in the lobby",
    )


@functools.lru_cache(maxsize=8)
def _visits(seed):
    return draw_visits(np.random.default_rng(seed), month.DAYS)


@functools.lru_cache(maxsize=128)
def _month(spec, seed):
    """Return the month under a specification; all that are compared meet the same visits and luck."""
    return month.run_month(spec, np.random.default_rng(seed), _visits(seed))


# Share above the best cost that is still right. Over 110 seeds right answers reached 0.038 (no middle action
# 0.04); acting as usual where little can be seen cost 0.061 to 0.131, thresholds of one half 0.31 and more.
MOST_COST = 0.065


def run(case, spec):
    """Work both months under the specification, and let its bar decide after the pilots."""
    spec = _spec(spec)
    months = [_month(spec, seed) for seed in case.hidden]
    why, long_run = months[0].stopped, month.long_run(spec)
    p99 = float(np.mean([each.p99_ms for each in months]))
    euros = float(np.mean([each.outcome.euros_an_hour for each in months]))
    best = [_month(month.best_design(), seed) for seed in case.hidden]
    least = float(np.mean([each.outcome.euros_an_hour for each in best]))
    reacts = not why and max(each.outcome.recall for each in months) > 0
    clash = _clash(spec, long_run.p99_ms)
    regret = pilots.decisions(spec)["regret"]
    wrong = list(regret.index[regret > 0])
    equal = long_run.low_brow_ratio <= spec.low_brow_ratio <= scenario.LOW_BROW_RATIO
    off, dear = _stop_kind(spec), _dear_kind(spec)
    facts = {
        MAY: (not why, off, why),
        TIME: (
            reacts and p99 <= scenario.REACTION_MS,
            off or _slow_kind(spec),
            f"asked for are reactions within {scenario.REACTION_MS} ms; 99 of 100 of yours come within"
            f" {p99:,.0f} ms"
            if reacts or p99 > scenario.REACTION_MS
            else "the robot reacts to nobody",
        ),
        AGREE: (not clash, *(clash or ("", ""))),
        COST: (
            euros <= (1 + MOST_COST) * least,
            off or dear,
            f"a month under your specification costs € {euros:.2f} an hour, under the best € {least:.2f}"
            + _dearest(dear),
        ),
        EQUAL: (
            not why and equal,
            off or _unequal_kind(spec, long_run.low_brow_ratio),
            _ratio(spec, long_run),
        ),
        BAR: (
            not wrong,
            _bar_kind(spec, wrong),
            f"of four deliveries your bar decides wrongly about {len(wrong)}: {', '.join(wrong)}",
        ),
    }
    return {
        key: {"right": bool(right), "kind": kind, "says": says}
        for key, (right, kind, says) in facts.items()
    }


def _spec(lines):
    """Return the specification that the dict says, or say which line cannot be read."""
    if isinstance(lines, dict) and lines and all(value is None for value in lines.values()):
        raise NotAttempted("No line of `spec` has a value yet.")
    try:
        return ProblemSpec.from_dict(lines)
    except ValueError as odd:
        told = str(odd)
        whole = told.startswith(
            "lines "
        )  # about the dict as such, not about one of its values
        said = f"`spec`{told.removeprefix('lines')}" if whole else f"In `spec`, {told}"
        raise Unreadable(said) from None


def _stop_kind(spec):
    if not month.stopped(spec):
        return ""
    if spec.staff == "included":
        return "staff"
    return "server" if spec.device == "server" else "too large"


def _slow_kind(spec):
    """Name the line that makes reactions late: the first whose change to the best design's would mend it."""
    if month.long_run(spec).p99_ms <= scenario.REACTION_MS:
        return "nobody"
    for name in ("window_frames", "multiply_adds", "device", "formulation"):
        if month.long_run(_with_best(spec, name)).p99_ms <= scenario.REACTION_MS:
            return name
    return ""


def _dear_kind(spec):
    """Name the lines that cost most: those whose change to the best design's would save most."""
    groups = {
        "window_frames": ("window_frames",),
        "formulation": ("formulation", "window_frames"),
        "size": ("multiply_adds", "weight_bytes"),
        "thresholds": ("keep_distance_from", "back_off_from"),
        "outside_envelope": ("outside_envelope",),
        "device": ("device",),
        "reaction_ms": ("reaction_ms",),
    }
    euros = {
        kind: month.long_run(_with_best(spec, *names)).outcome.euros_an_hour
        for kind, names in groups.items()
    }
    kind = min(euros, key=lambda kind: round(euros[kind], 6))
    best = month.best_design()
    if kind == "size" and spec.multiply_adds <= best.multiply_adds:
        return "small"
    if kind == "window_frames" and spec.window_frames < best.window_frames:
        return "too few frames"
    return f"{kind} {spec.outside_envelope}" if kind == "outside_envelope" else kind


def _dearest(kind):
    """Return which line costs most, where a single one does."""
    name = kind.split()[0]
    return f"; {name} costs most of the difference" if name in SPEC else ""


def _with_best(spec, *names):
    best = month.best_design()
    return replace(spec, **{name: getattr(best, name) for name in names})


def _clash(spec, p99):
    """Return (kind, sentence) for the first two lines that contradict each other, or None."""
    keep, back = spec.keep_distance_from, spec.back_off_from
    if back < keep <= 1:
        return (
            "thresholds",
            f"distance is kept from {keep:g} on, but from {back:g} on it backs off already",
        )
    if (spec.formulation == "clip") == (spec.window_frames == 1):
        frames = spec.window_frames
        return (
            "window",
            f"{spec.formulation!r} is to wait for {frames} frame{'s' * (frames > 1)}",
        )
    if spec.reaction_ms > scenario.REACTION_MS:
        return "loose promise", (
            f"it promises {spec.reaction_ms:g} ms, but the lobby asks for {scenario.REACTION_MS}"
        )
    if p99 > spec.reaction_ms:
        # In time for the lobby, yet later than promised: then the promise itself is at fault.
        kind = (
            "tight promise"
            if p99 <= scenario.REACTION_MS
            else f"promise, {_slow_kind(spec)}"
        )
        return (
            kind,
            f"it promises {spec.reaction_ms:g} ms, but its other lines take {p99:,.0f}",
        )
    return None


def _unequal_kind(spec, ratio):
    if not np.isfinite(ratio):
        return "nobody"
    if spec.low_brow_ratio > scenario.LOW_BROW_RATIO:
        return "bound"
    if ratio <= scenario.LOW_BROW_RATIO:
        return "tight"
    few = spec.window_frames < month.best_design().window_frames
    return "too few frames" if few and spec.formulation == "clip" else "scores"


def _ratio(spec, long_run):
    ratio = long_run.low_brow_ratio
    if spec.low_brow_ratio > scenario.LOW_BROW_RATIO:
        asked = f"the scenario allows at most {scenario.LOW_BROW_RATIO:g} times the average"
        return f"{asked}, and your line says {spec.low_brow_ratio:g}"
    if not np.isfinite(ratio):
        return "the robot backs off from nobody, so nothing is kept equal"
    return f"in the long run they are backed off from {ratio:.1f} times as often as the average"


def _bar_kind(spec, wrong):
    if spec.success_bar == AFTERWARDS:
        return "afterwards"
    if wrong == ["as promised"]:
        return "strict"
    if spec.success_metric in ("accuracy", "recall", "needless back-offs an hour"):
        return spec.success_metric
    return "loose" if wrong and "as promised" not in wrong else ""


def describe(key, got, expected):
    """Say what came of it."""
    told = {
        AGREE: f"two lines contradict each other: {got['says']}",
        MAY: f"the robot is not switched on: {got['says']}",
    }.get(key, got["says"])
    return f"{told[:1].upper()}{told[1:].rstrip('.')}."


def _but(**changes):
    """Return the reference's specification with some lines changed."""
    return {**SPEC, **changes}


exercise = Exercise(
    title="The written specification",
    questions=("1.1", "1.2", "1.3", "1.6", "1.7", "1.8", "1.9", "1.10"),
    points=6,
    minutes=12,
    reference=Literal("spec", SPEC, STARTER, SOLUTION),
    cases=cases,
    run=run,
    good=lambda key, got, expected: got["right"],
    same=lambda key, got, other: (
        not got["right"] and not other["right"] and got["kind"] == other["kind"] != ""
    ),
    describe=describe,
    weights={COST: 3},
    evidence=True,
    returns="a dict with a value for every line of the starter",
    praise="Your lines agree, the month costs what it must, and the bar was there before the numbers.",
    right=(
        _but(
            keep_distance_from=0.06,
            back_off_from=0.25,
            success_bar=3.9,
            multiply_adds=18_000_000,
        ),
        _but(
            window_frames=4,
            reaction_ms=1300,
            success_metric="recall at 3 false alarms an hour",
            success_bar=0.4,
        ),
        _but(reaction_ms=1400, weight_bytes=240_000, low_brow_ratio=1.4, success_bar=3.3),
    ),
    mistakes=(
        Mistake(
            "a window past the deadline",
            _but(window_frames=8),
            "With this window the reaction comes after its deadline, and the angry visitor"
            " has been missed.",
            "At five frames a second, when has the last frame of your window been seen?",
        ),
        Mistake(
            "a success bar set afterwards",
            _but(success_bar=AFTERWARDS),
            "The bar is what the pilot reaches, so every pilot reaches it, that of a blind detector too.",
            "Which result of the pilot would have made you stop?",
        ),
        Mistake(
            "a bar that doing nothing reaches",
            _but(success_bar=5.5),
            "The bar is so low that a delivery passes which costs more than having none.",
            "What would a robot that never reacts score on your metric?",
        ),
        Mistake(
            "a bar that nothing reaches",
            _but(success_bar=1.5),
            "The bar is so high that the best detector that can be built is sent back.",
            "What does an hour cost with the best specification that you have tried?",
        ),
        Mistake(
            "success by accuracy",
            _but(success_metric="accuracy", success_bar=0.95),
            "Success is accuracy, and the detector that never says angry is right in 99 visits of 100.",
            "What does accuracy say about a robot that is switched off?",
        ),
        Mistake(
            "success by recall alone",
            _but(success_metric="recall", success_bar=0.5),
            "Success is recall alone, so a delivery that backs off from everybody passes best.",
            "What does recall say about a robot that backs off from everybody?",
        ),
        Mistake(
            "thresholds of one half",
            _but(keep_distance_from=0.5, back_off_from=0.5),
            "The thresholds cost most of what is lost: the robot acts from other probabilities than the"
            " prices ask for.",
            "At which probability does backing off cost exactly as much as carrying on?",
        ),
        Mistake(
            "the middle action above the last",
            _but(keep_distance_from=0.2, back_off_from=0.05),
            "Distance is to be kept only from a probability on at which the robot backs off already.",
            "For which visits does your specification keep distance?",
        ),
        Mistake(
            "a model larger than the device",
            _but(weight_bytes=1_000_000),
            "The model does not fit the device, so the robot is never switched on.",
            "How many bytes of weights does the device hold?",
        ),
        Mistake(
            "more work than the core can do",
            _but(multiply_adds=40_000_000),
            "With eight faces in view the core is not done before the next frame, and reactions come late.",
            "How many milliseconds do eight faces take with your model?",
        ),
        Mistake(
            "a network too large for a microcontroller",
            _but(device="microcontroller"),
            "A microcontroller takes so long for the largest model allowed that reactions come late.",
            "How many multiply-adds a second does each device do, and how many does a face need?",
        ),
        Mistake(
            "a model smaller than the device allows",
            _but(multiply_adds=1_000_000),
            "The largest model that the specification allows is too small to tell angry from calm well, and"
            " that costs most of what is lost.",
            "How much work and memory does the device leave you, and what would they buy?",
        ),
        Mistake(
            "faces sent to a server",
            _but(device="server", weight_bytes=50_000_000, multiply_adds=200_000_000),
            "Faces would leave the device; the robot is never switched on.",
            "Which rule about faces did the interview bring to light?",
        ),
        Mistake(
            "people at work included",
            _but(staff="included"),
            "People at work are watched for anger, so the robot is never switched on.",
            "Whose expressions may not be inferred at all, and how does the robot know them?",
        ),
        Mistake(
            "a single frame",
            _but(formulation="each face", window_frames=1),
            "The robot sees too few frames of a face to tell a brow that is always low from one that was"
            " lowered.",
            "What do the frames of the next half second show that the first ones do not?",
        ),
        Mistake(
            "a window too short to tell",
            _but(window_frames=2),
            "The window is so short that a brow that is always low looks like one that was lowered.",
            "How long must one watch a face to see whether its brows move?",
        ),
        Mistake(
            "a promise that the chain cannot keep",
            _but(reaction_ms=700),
            "The reaction that is promised is shorter than what its other lines take.",
            "Camera, window, faces, motion: what do they add up to under your lines?",
        ),
        Mistake(
            "a guardrail stricter than the design can keep",
            _but(low_brow_ratio=1.0),
            "The guardrail is a good wish: the design that is written beside it breaks it in the long run.",
            "Which ratio did the month under your specification show?",
        ),
        Mistake(
            "a window for a single frame",
            _but(formulation="each face"),
            "A formulation that looks at one frame is told to wait for five: the wait gains nothing.",
            "What does 'each face' do with the second frame of the window?",
        ),
        Mistake(
            "the default action where nothing can be seen",
            _but(outside_envelope="keep distance"),
            "The robot keeps distance from everybody in poor light, and pays for each of them.",
            "How many of 100 visitors in poor light are angry, and what do the other ones cost?",
        ),
        Mistake(
            "a guardrail that guards nothing",
            _but(low_brow_ratio=3.0),
            "The guardrail lets people with a low resting brow be backed off from more often than the"
            " scenario allows.",
            "Which ratio does the scenario allow, and who would be the first to complain?",
        ),
    ),
    hints=(
        "Read two lines at a time: window and reaction, model and device, keep distance and back off, bar and"
        " doing nothing. Each pair must allow the other.",
        "Let the robot work: the cell below your answer says what a month brings. Change one line, run both"
        " and look again.",
        "A clip of five frames on the robot, 20 million multiply-adds and 250,000 bytes, thresholds from the"
        " prices (0.05, 0.2), carry on where little can be seen, and a bar in euros an hour well between the"
        " best month you found and doing nothing.",
    ),
)
