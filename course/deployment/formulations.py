"""Five ways to put "is this person angry?" as a problem, and what each costs where it is used.

A formulation decides what the network looks at, how much work that is, how long it must wait, whether it says
*who* is angry, and how far apart the scores of angry and calm faces are. Work and milliseconds follow from
`course.scenario`; how well each one sees is an assumption of this course, set by hand, not a measurement.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from course import scenario
from course.deployment.costs import Costs, Outcome
from course.deployment.visits import Detector, Lobby, expected

INTERVAL_MS = 1000 / scenario.FRAMES_A_SECOND
"""Milliseconds from frame to frame."""
FACE_WORK = scenario.MULTIPLY_ADDS / 1e6
"""Millions of multiply-adds for one face in one frame."""
ROBOT_SPEED = FACE_WORK * scenario.FACES_AT_PEAK / scenario.STEPS_MS["eight faces"]
"""Millions of multiply-adds a millisecond on one core of the robot."""
FINDER_WORK = ROBOT_SPEED * scenario.STEPS_MS["find the faces"]
"""Millions of multiply-adds to find the faces of one frame."""
SHARE = 0.625
"""Share of the processor's time that may go into looking at faces; the rest moves the robot."""
BROW = 0.8
"""By how much a low resting brow raises the score of a calm face that is seen in one frame."""
FOUND = 0.97
"""Share of faces that the face finder finds."""


@dataclass(frozen=True)
class Formulation:
    """One way to put the problem.

    looks_at: in words.  frame_work, face_work: millions of multiply-adds a frame, and a face in it.
    frames: that it must see first.  says_who: whether it says which person is angry.
    """

    looks_at: str
    frame_work: float
    face_work: float
    frames: int
    says_who: bool


FORMULATIONS = {
    "whole frame": Formulation("the frame: is anybody angry?", 30.0, 0.0, 1, False),
    "each face": Formulation(
        "each face that a face finder finds, in one frame", FINDER_WORK, FACE_WORK, 1, True
    ),
    "clip": Formulation(
        "each face, followed over a window", FINDER_WORK, FACE_WORK, scenario.WINDOW_FRAMES, True
    ),
    "angry objects": Formulation("the frame, with a box around each angry face", 400.0, 0.0, 1, True),
    "intensity": Formulation("each face: how angry, compared with others?", FINDER_WORK, FACE_WORK, 1, True),
}


@dataclass(frozen=True)
class Setting:
    """Where and for what it is used.

    faces: in view at once.  who: must the action be towards the person concerned?
    pictures: "video" or "single pictures".  use: "act" on a decision, or "sort" pictures by anger.
    reaction_ms: milliseconds in which a reaction must come; infinite where nothing hurries.
    speed: millions of multiply-adds a millisecond.
    prevalence, low_brow: shares of visits, 0-1, that are angry, and of people with a low resting brow.
    missed, needless: euros.
    """

    faces: int = scenario.FACES_AT_PEAK
    who: bool = True
    pictures: str = "video"
    use: str = "act"
    reaction_ms: float = float(scenario.REACTION_MS)
    speed: float = ROBOT_SPEED
    prevalence: float = scenario.ANGRY_VISITS
    low_brow: float = 0.15
    missed: float = scenario.COST_MISSED
    needless: float = scenario.COST_NEEDLESS

    def __post_init__(self) -> None:
        for name, known in (("pictures", ("video", "single pictures")), ("use", ("act", "sort"))):
            if getattr(self, name) not in known:
                accepted = " and ".join(map(repr, known))
                raise ValueError(f"{name} is {getattr(self, name)!r}; accepted are {accepted}.")
        for name in ("faces", "reaction_ms", "speed"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}; accepted is a number above 0.")

    def as_dict(self) -> dict[str, object]:
        """Return all of it as plain values."""
        return asdict(self)


def table() -> pd.DataFrame:
    """Return the five formulations, one row each."""
    rows = pd.DataFrame([asdict(each) for each in FORMULATIONS.values()])
    return rows.set_index(pd.Index(FORMULATIONS, name="formulation"))


def steps_ms(
    formulation: str,
    faces: np.ndarray | int,
    speed: float,
    frames: int | None = None,
    face_work: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (longest wait for a frame, everything after it), milliseconds, each of the shape of faces.

    A processor that is not done with a frame within its share of the interval skips the next: frames then
    come further apart, and a window lasts longer.

    frames: the window; the formulation's when absent.  face_work: millions of multiply-adds a face.
    """
    chosen = FORMULATIONS[require(formulation)]
    a_face = chosen.face_work if face_work is None or not chosen.face_work else face_work
    work = (chosen.frame_work + a_face * np.asarray(faces)) / speed
    pace = np.maximum(INTERVAL_MS, work / SHARE)
    window = ((chosen.frames if frames is None else frames) - 1) * pace
    return pace, scenario.STEPS_MS["camera"] + work + window + scenario.STEPS_MS["motion"]


def late_share(
    formulation: str, faces: np.ndarray | int, speed: float, reaction_ms: float, **more: float
) -> np.ndarray:
    """Return the share of reactions, 0-1, that come after `reaction_ms`; the wait for a frame is chance."""
    wait, rest = steps_ms(formulation, faces, speed, **more)
    return np.clip((rest + wait - reaction_ms) / wait, 0, 1)


def detector(formulation: str, setting: Setting, frames: int | None = None) -> Detector:
    """Return how the scores come about: distance between angry and calm, and the low brow's effect."""
    if require(formulation) == "whole frame":
        # The one angry face shares the frame with all others.
        distance, brow = 2.2 / np.sqrt(setting.faces), BROW
    elif formulation == "clip":
        n = scenario.WINDOW_FRAMES if frames is None else frames
        # Frames of one visit are alike (correlation 0.8), so more of them help less and less; but a brow
        # that never moves gives itself away.
        distance, brow = 2.13 * np.sqrt(n / (1 + 0.8 * (n - 1))), BROW / n**1.2
    elif formulation == "angry objects":
        distance, brow = 1.85, BROW
    elif formulation == "intensity":
        # More or less angry is not yet angry: no number stays the same from person to person.
        distance, brow = (2.5 if setting.use == "sort" else 1.6), BROW
    else:
        distance, brow = 2.13, BROW
    if setting.use == "sort" and formulation != "intensity":
        # Trained on yes or no, it leaves the order among the clearly angry to chance.
        distance *= 0.8
    return Detector(float(distance), brow)


@functools.lru_cache(maxsize=1024)
def hour(formulation: str, setting: Setting) -> Outcome:
    """Return what an average hour brings, acting from the probability that costs least.

    There are two actions, to act or not; 120 visits an hour, as in the lobby.
    """
    costs = Costs(setting.missed, setting.needless, distance=max(setting.missed, setting.needless))
    place = Lobby(
        angry=setting.prevalence, low_brow=setting.low_brow, poor_light=0.0, covered=0.0, costs=costs
    )
    chosen = FORMULATIONS[require(formulation)]
    reached = FOUND if chosen.frame_work == FINDER_WORK else 1.0
    if chosen.frames > 1 and setting.pictures != "video":
        reached = 0.0  # The frames that it waits for never come.
    if setting.who and not chosen.says_who:
        reached /= setting.faces  # It turns to anybody.
    reached *= 1 - float(late_share(formulation, setting.faces, setting.speed, setting.reaction_ms))
    return expected(detector(formulation, setting), place, *costs.thresholds(), late=1 - reached)


def euros(setting: Setting) -> pd.Series:
    """Return euros an hour for each formulation; index its name."""
    return pd.Series({name: hour(name, setting).euros_an_hour for name in FORMULATIONS}, name="euros an hour")


class Trials:
    """A limited number of simulated hours: which formulation to try where is yours to choose.

    limit: how many runs there are.
    """

    def __init__(self, limit: int = 8) -> None:
        self.limit = limit
        self._rows: list[dict[str, object]] = []

    def run(self, formulation: str, **changes: object) -> pd.Series:
        """Try a formulation in the lobby at its busiest, with what you change about it.

        Args:
            formulation: one of the five names.
            changes: fields of a `Setting`, for example faces=1, who=False, reaction_ms=600.

        Returns:
            A Series: what was tried, euros an hour, recall in time, needless actions an hour, share late.

        Raises:
            ValueError: for an unknown name, or when all runs are used up.

        """
        if len(self._rows) >= self.limit:
            raise ValueError(f"runs: all {self.limit} are used; .table() shows what they gave.")
        known = [field.name for field in fields(Setting)]
        for name in changes:
            if name not in known:
                raise ValueError(f"changes names {name!r}; accepted are {', '.join(known)}.")
        setting = Setting(**changes)
        out = hour(formulation, setting)
        row = {
            "formulation": formulation,
            "changes": ", ".join(f"{name}={value}" for name, value in changes.items()) or "none",
            "euros an hour": round(out.euros_an_hour, 2),
            "recall": round(out.recall, 2),
            "needless an hour": round(out.needless_an_hour, 1),
            "late": round(
                float(late_share(formulation, setting.faces, setting.speed, setting.reaction_ms)), 2
            ),
        }
        self._rows.append(row)
        return pd.Series(row, name=f"run {len(self._rows)} of {self.limit}")

    def table(self) -> pd.DataFrame:
        """Return all runs so far, one row each."""
        return pd.DataFrame(self._rows, index=pd.RangeIndex(1, len(self._rows) + 1, name="run"))


def require(formulation: object) -> str:
    """Return the name if it is one of the five.

    Raises:
        ValueError: for any other value.

    """
    if not (isinstance(formulation, str) and formulation in FORMULATIONS):
        known = ", ".join(map(repr, FORMULATIONS))
        raise ValueError(f"formulation is {formulation!r}; accepted are {known}.")
    return formulation
