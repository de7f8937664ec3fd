"""Which of five formulations for which scenario? Every favourite loses somewhere."""

from itertools import pairwise

import numpy as np

from autograder import Case, Exercise, Mistake, Unreadable
from course import scenario as lobby
from course.deployment import formulations

# Names that the answers share with the simulator.
FRAME, FACE, CLIP, OBJECTS, INTENSITY = formulations.FORMULATIONS


def choose(scenario):
    """Choose the formulation that will cost least in this scenario.

    scenario: dict with
        "faces": int, in view at once;  "who": bool, must the right person be dealt with?
        "pictures": "video" (5 frames a second) or "single pictures"
        "use": "act" (on a yes or no) or "sort" (show the angriest pictures first)
        "reaction_ms": float, milliseconds within which the action must come, from the moment
            it can be seen; infinite where nothing hurries
        "speed": float, millions of multiply-adds that the chip does in a millisecond
        "prevalence", "low_brow": floats 0-1, the share of visits that are angry and the share
            of people whose brow is low at rest
        "missed", "needless": floats, euros for each kind of error

    Returns one of five texts. Work is in millions of multiply-adds for each frame:
        "whole frame": 30, whoever is in it; says only whether somebody looks angry
        "each face": 150 to find the faces, then 20 a face
        "clip": the same work, but it waits for five frames of the person
        "angry objects": 400, however many faces; boxes around angry faces
        "intensity": the same work as "each face"; says how angry, compared with others
    Besides its work a reaction takes the time until the next frame, 33 ms for the camera and 200
    to move. Frames come every 200 ms; where the work of one takes more than 5/8 of that, they
    come further apart: every work / speed / (5/8) ms.
    """
    faces, speed, limit = scenario["faces"], scenario["speed"], scenario["reaction_ms"]
    if scenario["use"] == "sort":
        return "intensity"

    def takes(work, frames=1):
        # Frames come further apart where the chip is not done with one before the next.
        pace = max(200, work / speed / (5 / 8))
        return pace + 33 + work / speed + (frames - 1) * pace + 200

    per_face = 150 + 20 * faces
    if scenario["pictures"] == "video" and takes(per_face, 5) <= limit:
        return "clip"
    if faces == 1:
        return "whole frame"
    if takes(per_face) <= limit:
        return "each face"
    return "angry objects" if takes(400) <= limit else "whole frame"


SLOW, ROBOT, SERVER = 0.3, formulations.ROBOT_SPEED, 50.0


def cases(rng):
    """Twenty-four scenarios in four groups; in each group different formulations cost least."""
    groups = {
        "one face fills the picture": [_one_face(rng, k) for k in range(6)],
        "a few people are in view": [_few(rng, k) for k in range(6)],
        "there is a crowd": [_crowd(rng, k) for k in range(6)],
        "there are single pictures": [_singles(rng, k) for k in range(6)],
    }
    settings = {name: [groups[name][k] for k in rng.permutation(6)] for name in groups}
    yield Case(hidden=settings, about="scenarios you have not seen")


def _setting(rng, **given):
    """Return a scenario with prices and shares that vary a little."""
    drawn = {
        "prevalence": round(lobby.ANGRY_VISITS * rng.uniform(0.7, 2.0), 4),
        "low_brow": round(rng.uniform(0.1, 0.25), 2),
        "missed": round(lobby.COST_MISSED * rng.uniform(0.8, 1.3), 2),
        "needless": round(lobby.COST_NEEDLESS * rng.uniform(0.8, 1.3), 2),
        "who": bool(rng.random() < 0.5),
    }
    return formulations.Setting(**{**drawn, **given})


def _one_face(rng, k):
    if k < 3:
        speed, limit = SLOW * rng.uniform(0.8, 1.2), rng.uniform(700, 2200)
        return _setting(rng, faces=1, speed=round(speed, 2), reaction_ms=round(limit))
    speed = ROBOT if k < 5 else SERVER
    brow = round(rng.uniform(0.2, 0.35), 2)
    return _setting(
        rng, faces=1, speed=speed, reaction_ms=round(rng.uniform(1500, 2500)), low_brow=brow
    )


def _few(rng, k):
    """A quick chip and just enough time for a clip, or more time and a chip too slow for it."""
    faces, quick = int(rng.integers(2, 7)), k < 3
    speed = round(rng.uniform(4, 10) if quick else rng.uniform(0.9, 1.4), 2)
    share = rng.uniform(1.03, 1.08) if quick else rng.uniform(0.72, 0.85)
    limit = round(share * _clip_needs(faces, speed))
    return _setting(rng, faces=faces, who=True, reaction_ms=limit, speed=speed)


def _clip_needs(faces, speed):
    """Return milliseconds of the slowest reaction on a clip."""
    return float(sum(formulations.steps_ms(CLIP, faces, speed)))


def _crowd(rng, k):
    faces = int(rng.integers(32, lobby.FACES_AT_AN_EVENT + 1))
    if k < 3:
        return _setting(
            rng,
            faces=faces,
            who=True,
            speed=ROBOT,
            reaction_ms=round(rng.uniform(670, 850)),
        )
    limit = rng.uniform(1500, 2500) if k < 5 else rng.uniform(650, 1000)
    return _setting(rng, faces=faces, who=True, speed=SERVER, reaction_ms=round(limit))


def _singles(rng, k):
    still = {"pictures": "single pictures", "reaction_ms": float("inf"), "speed": SERVER}
    faces = 1 if k in (0, 5) else int(rng.integers(2, 7))
    if k in (3, 4):
        still["who"] = True
    return _setting(rng, faces=faces, use="sort" if k < 3 else "act", **still)


# Mean extra cost, as a share of the least, that is still right. Over 120 seeds right answers had none at all;
# each favourite lost at least 0.13 in every group, the named mistakes at least 0.12 where they are tried, and
# the best rule on one line of the scenario 0.057 in some group. One slip in six scenarios costs 0.03 to 0.2.
MOST = 0.05


def run(case, choose):
    """Ask for each scenario, and work an average hour with what was chosen."""
    chosen = {
        name: [_name(choose(setting.as_dict())) for setting in settings]
        for name, settings in case.hidden.items()
    }
    kind = _kind(
        [setting for settings in case.hidden.values() for setting in settings],
        [choice for choices in chosen.values() for choice in choices],
    )
    return {
        f"scenarios where {name}": {
            **_extra(case.hidden[name], chosen[name]),
            "kind": kind,
        }
        for name in chosen
    }


def _name(output):
    """Return the formulation's name, or say what is wrong with the output."""
    if not (isinstance(output, str) and output in formulations.FORMULATIONS):
        known = ", ".join(map(repr, formulations.FORMULATIONS))
        raise Unreadable(f"`choose` returned {output!r}; accepted are {known}.")
    return str(output)


def _extra(settings, choices):
    """Return the mean extra cost and the scenario in which the choice costs most."""
    extra, worst = [], {"share": -1.0}
    for setting, choice in zip(settings, choices, strict=True):
        euros = formulations.euros(setting)
        share = euros[choice] / euros.min() - 1
        extra.append(share)
        if share > worst["share"]:
            worst = {
                "share": share,
                "chosen": choice,
                "euros": euros[choice],
                "least": euros.min(),
            }
            worst["setting"] = setting.as_dict()
    return {"extra": float(np.mean(extra)), "worst": worst}


def _kind(settings, choices):
    """Name what all these choices have in common, or ""."""
    pairs = list(zip(settings, choices, strict=True))
    if len(set(choices)) == 1:
        return "favourite"
    if any(
        _one_criterion(pairs, name) for name in formulations.Setting.__dataclass_fields__
    ):
        return "one criterion"
    if _half(pairs, lambda s: s.who and s.faces > 1, {FRAME}):
        return "frame"
    if _half(pairs, lambda s: s.pictures != "video", {CLIP}):
        return "clip of one picture"
    if _half(
        pairs,
        lambda s: (
            s.pictures == "video"
            and s.faces > 1
            and s.reaction_ms < _clip_needs(s.faces, s.speed)
        ),
        {CLIP},
    ):
        return "no time"
    if _cut_off(pairs):
        return "cut-off"
    if _half(pairs, lambda s: s.faces == 1 and s.speed < 1, {FACE, CLIP, OBJECTS}):
        return "detector"
    return ""


def _cut_off(pairs):
    """With several in view, is a clip chosen from some reaction time on, whatever the chip does in it?"""
    several = [(s, choice) for s, choice in pairs if s.pictures == "video" and s.faces > 1]
    clips = [s.reaction_ms for s, choice in several if choice == CLIP]
    others = [s.reaction_ms for s, choice in several if choice != CLIP]
    return bool(clips and others) and min(clips) > max(others)


def _half(pairs, where, names):
    """Is at least half of the choices in these scenarios one of the names?"""
    there = [choice in names for setting, choice in pairs if where(setting)]
    return np.mean(there) >= 0.5


def _one_criterion(pairs, name):
    """Does one field alone decide: a few steps along its values, and one choice for each value?"""
    by_value = {}
    for setting, choice in pairs:
        by_value.setdefault(getattr(setting, name), set()).add(choice)
    if any(len(choices) > 1 for choices in by_value.values()):
        return False
    along = [by_value[value].copy().pop() for value in sorted(by_value)]
    return sum(one != other for one, other in pairwise(along)) <= 2


def good(key, got, expected):
    """On average the choice costs hardly more than the best one."""
    return got["extra"] <= MOST


def describe(key, got, expected):
    """Show the scenario in which the choice costs most."""
    worst = got["worst"]
    s = worst["setting"]
    hurry = (
        "no hurry" if np.isinf(s["reaction_ms"]) else f"{s['reaction_ms']:.0f} ms to react"
    )
    use = " to act on" if s["use"] == "act" else " to be sorted"
    return (
        f"With {s['faces']} in view, {s['pictures']}{use}, {hurry} and a chip of speed"
        f" {s['speed']:g}, {worst['chosen']!r} costs € {worst['euros']:.2f} an hour where"
        f" € {worst['least']:.2f} is possible."
    )


def _always_clip(scenario):
    return CLIP


def _frame_for_everyone(scenario):
    few = scenario["use"] == "act" and scenario["faces"] < 10
    return FRAME if few else choose(scenario)


def _find_faces_first(scenario):
    alone = scenario["use"] == "act" and scenario["faces"] == 1
    return FACE if alone else choose(scenario)


def _by_faces_alone(scenario):
    if scenario["faces"] == 1:
        return FRAME
    return CLIP if scenario["faces"] < 10 else OBJECTS


def _time_forgotten(scenario):
    return choose({**scenario, "reaction_ms": float("inf")})


def _film_everything(scenario):
    return choose({**scenario, "pictures": "video", "use": "act"})


def _by_cut_offs(scenario):
    """Rules of thumb after eight runs, which never ask what the chip can do in the time there is."""
    if scenario["pictures"] == "single pictures":
        if scenario["use"] == "sort":
            return INTENSITY
        return FRAME if scenario["faces"] == 1 else FACE
    weak = scenario["speed"] < 1
    if scenario["faces"] == 1 and weak:
        return FRAME
    if scenario["faces"] >= 20 and scenario["speed"] < 10:
        return OBJECTS
    return CLIP if scenario["reaction_ms"] >= 1420 else FACE


def _the_best_that_is_in_time(scenario):
    """Go down a list, the one that sees best first, and take the first that can work here."""
    if scenario["use"] == "sort":
        return INTENSITY
    faces, video = scenario["faces"], scenario["pictures"] == "video"
    for name, work, frames in (
        (CLIP, 150 + 20 * faces, 5),
        (FRAME, 30, 1),
        (FACE, 150 + 20 * faces, 1),
        (OBJECTS, 400, 1),
    ):
        ms = work / scenario["speed"]
        between = max(200, 1.6 * ms)
        in_time = frames * between + 233 + ms <= scenario["reaction_ms"]
        fits = video if name == CLIP else faces == 1 if name == FRAME else True
        if fits and in_time:
            return name
    return FRAME


def _by_points(scenario):
    """Points off for what each formulation cannot do here; the fewest win."""
    s = scenario
    milliseconds = {
        FRAME: 30 / s["speed"],
        FACE: (150 + 20 * s["faces"]) / s["speed"],
        OBJECTS: 400 / s["speed"],
    }
    milliseconds[CLIP] = milliseconds[INTENSITY] = milliseconds[FACE]
    off = {FRAME: 1.0, FACE: 1.1, CLIP: 0.0, OBJECTS: 1.5, INTENSITY: 2.0}
    for name, ms in milliseconds.items():
        pace = max(200, 1.6 * ms)
        if pace + 233 + ms + 4 * pace * (name == CLIP) > s["reaction_ms"]:
            off[name] += 5
    if s["faces"] > 1:
        off[FRAME] += 4 if s["who"] else 1
    if s["pictures"] != "video":
        off[CLIP] += 10
    if s["use"] == "sort":
        off[INTENSITY] -= 5
    return min(off, key=off.get)


exercise = Exercise(
    title="Five formulations, and which for what",
    questions=("1.3", "1.4", "1.11"),
    points=4,
    minutes=12,
    reference=choose,
    repeatable=True,
    cases=cases,
    run=run,
    good=good,
    same=lambda key, got, other: got["kind"] == other["kind"] != "",
    describe=describe,
    returns="one of the five names",
    praise="You chose by what the scenario asks for, and no formulation is your favourite.",
    right=(_the_best_that_is_in_time, _by_points),
    mistakes=(
        Mistake(
            "one favourite",
            _always_clip,
            "You choose the same formulation for every scenario.",
            "In which scenario that you can think of would your favourite be the worst of the five?",
        ),
        Mistake(
            "a frame label when who matters",
            _frame_for_everyone,
            "You label the whole frame where several people are in view and it matters which of them it is.",
            "The label says that somebody among four is angry: from whom does the robot back off?",
        ),
        Mistake(
            "a face finder for one face",
            _find_faces_first,
            "You look for faces, on a chip that is slow at it, where one face fills the picture.",
            "How many milliseconds does it take to find the face whose place you know?",
        ),
        Mistake(
            "a cut-off in place of a budget",
            _by_cut_offs,
            "With several people in view you choose the clip from one reaction time on, whatever the chip can"
            " do in that time.",
            "How long do five frames take on a chip that needs 400 ms for one, and on one that needs 40?",
        ),
        Mistake(
            "one criterion decides",
            _by_faces_alone,
            "A single line of the scenario decides your choice, and the others are not read.",
            "Take two scenarios that agree in that line only: must the same formulation be best in both?",
        ),
        Mistake(
            "the window's own delay",
            _time_forgotten,
            "You choose a clip where the reaction must come before its five frames have been seen.",
            "At five frames a second, how long is it from the first frame of five to the last?",
        ),
        Mistake(
            "a clip of single pictures",
            _film_everything,
            "You choose a clip where there are only single pictures, so the frames it waits for never come.",
            "Which frame comes after a single picture?",
        ),
    ),
    hints=(
        "Ask first what cannot work at all: whose frames never come, who is too slow, who cannot say which"
        " person it is. Then ask who is best among the rest.",
        "Work ÷ speed is milliseconds. A clip needs four more frames, 800 ms at least. Sorting asks for an"
        " order, acting for a yes or no.",
        "Sort: 'intensity'. Else video and enough time for five frames: 'clip'. Else one face: 'whole frame'."
        " Else 'each face' if it is in time, and 'angry objects' where it is not.",
    ),
)
