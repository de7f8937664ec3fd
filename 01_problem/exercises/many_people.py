"""Many people in front of the camera: false alarms per frame and per hour, and the rate they leave."""

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable
from course import scenario


def false_alarms(rate, hour, run):
    """How often calm people alarm the robot.

    rate: float 0-1, chance that the detector takes a calm face for an angry one when it
        looks at it afresh; chances of different faces have nothing to do with each other.
    hour: DataFrame of one hour, one row per number of faces, columns
        faces: int, calm faces in view at once;
        frames: int, frames of the hour with so many faces in view; a multiple of `run`.
    run: int, 1 or more. The detector looks at each face afresh in every `run`-th frame; in
        the frames between it repeats itself on that face, mistaken or not. The faces in
        view do not change between two fresh looks.

    Returns three numbers: the share of the hour's frames in which at least one face is taken
    for angry; the expected number of alarms in the hour, where an alarm is a fresh look in
    which at least one face is taken for angry, together with its repetitions; the chance
    that the hour passes without an alarm.
    """
    frame = 1 - (1 - rate) ** hour["faces"]
    looks = hour["frames"] / run
    share = (hour["frames"] * frame).sum() / hour["frames"].sum()
    return share, (looks * frame).sum(), ((1 - frame) ** looks).prod()


def needed_rate(target, hour, run):
    """The largest rate per face that keeps the expected alarms of an hour at the target.

    target: float above 0, alarms in an hour; `hour` and `run`: as for `false_alarms`.

    Returns a float 0-1; 1.0 where even that rate keeps the target.
    """
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        frame = 1 - (1 - middle) ** hour["faces"]
        if (hour["frames"] / run * frame).sum() > target:
            high = middle
        else:
            low = middle
    return high


FRAMES = 3600 * scenario.FRAMES_A_SECOND
SHARE, ALARMS = "the share of frames with a false alarm", "the false alarms of an hour"
QUIET, NEEDED = "the chance of an hour without one", "the rate that is needed"


def cases(rng):
    """Hours that differ in how many faces there are and in how long a mistake lasts."""
    lobby = scenario.VISITS_AN_HOUR * scenario.VISIT_SECONDS / 3600
    target = scenario.FALSE_ALARMS_AN_HOUR
    few = np.arange(scenario.FACES_AT_PEAK + 1)
    ordinary = np.cumprod(np.append(1.0, lobby / few[1:]))
    rate = rng.uniform(0.5, 1.5) * 1e-4
    yield _case(rng, "every frame is a fresh look", rate, few, ordinary, 1, target)
    run = int(rng.integers(10, 41))
    rate = rng.uniform(0.5, 1.5) * 1e-4 * run
    yield _case(rng, "a mistake lasts for many frames", rate, few, ordinary, run, target)
    crowd = np.array([1, 2, scenario.FACES_AT_PEAK, scenario.FACES_AT_AN_EVENT])
    mixed = rng.uniform(0.5, 1.5, 4) * [4, 3, 2, 3]
    rate, run = rng.uniform(0.03, 0.06), int(rng.integers(600, 1000))
    yield _case(rng, "an event fills the lobby", rate, crowd, mixed, run, rng.uniform(3, 5))
    alone = np.array([0, 1])
    run = int(rng.integers(400, 900))
    rate = rng.uniform(0.05, 0.2)
    yield _case(
        rng, "one face at most is in view", rate, alone, np.array([9, 1]), run, 40.0
    )


def _case(rng, about, rate, faces, weights, run, target):
    """Return one hour, and what was counted in simulated hours like it."""
    looks = np.round(weights / weights.sum() * FRAMES / run).astype(int)
    hour = pd.DataFrame({"faces": faces, "frames": looks * run})
    hour = hour[hour["frames"] > 0].reset_index(drop=True)
    return Case((rate, hour, run, target), simulate(rng, rate, hour, run), about)


HOURS = 40


def simulate(rng, rate, hour, run, hours=HOURS):
    """Watch hours look by look; return the share of frames in alarm and the alarms, float [hours] each."""
    in_alarm, alarms = np.zeros(hours), np.zeros(hours)
    for faces, frames in hour.itertuples(index=False):
        mistaken = (rng.binomial(faces, rate, size=(hours, frames // run)) > 0).sum(axis=1)
        alarms += mistaken
        in_alarm += mistaken * run
    return in_alarm / hour["frames"].sum(), alarms


def run(case, false_alarms, needed_rate):
    """Ask for the three figures of an hour and for the rate that is needed."""
    rate, hour, run, target = case.inputs
    got = false_alarms(rate, hour, run)
    values = list(got.values()) if isinstance(got, dict) else got
    values = np.asarray(values, dtype=float).ravel()
    if values.shape != (3,):
        raise Unreadable(f"`false_alarms` returned {values.size} numbers, not three.")
    needed = float(np.asarray(needed_rate(target, hour, run), dtype=float))
    in_alarm, alarms = case.hidden
    brings = _alarms(needed, hour, run) if 0 <= needed <= 1 else np.nan
    return {
        SHARE: (values[0], in_alarm.mean(), case.about),
        ALARMS: (values[1], alarms.mean(), case.about),
        QUIET: (values[2], (alarms == 0).mean(), case.about),
        NEEDED: (needed, brings, case.about),
    }


def _alarms(rate, hour, run):
    return (hour["frames"] / run * (1 - (1 - rate) ** hour["faces"])).sum()


def _near(key, got, expected):
    """One part in a hundred; for the chance of a quiet hour, two in a hundred of it or 0.001."""
    room = max(0.02 * abs(expected[0]), 1e-3) if key == QUIET else 0.01 * abs(expected[0])
    return abs(got[0] - expected[0]) <= room


def _good(key, got, expected):
    """Near the exact value, and for alarms no more than six standard errors from what was counted."""
    if key == ALARMS and abs(got[0] - got[1]) > 6 * np.sqrt(max(got[0], 0.1) / HOURS):
        return False
    return _near(key, got, expected)


def _describe(key, got, expected):
    value, seen, about = got[0], got[1], expected[-1]
    if key == NEEDED and np.isnan(seen):
        return f"When {about}, you ask for a rate of {value:.3g}, which is no chance."
    if key == NEEDED:
        return (
            f"When {about}, your rate of {value:.3g} would bring {seen:.3g} alarms an hour;"
            f" {expected[1]:.3g} was the nearest to the target."
        )
    return f"When {about}, you say {value:.3g} for {key}; {HOURS} simulated hours had {seen:.3g}."


def _rate_times_faces(rate, hour, run):
    faces = hour["faces"] * rate
    looks = hour["frames"] / run
    alarms = (looks * faces).sum()
    return (hour["frames"] * faces).sum() / hour["frames"].sum(), alarms, 1 - alarms


def _capped(rate, hour, run):
    faces = np.minimum(rate * hour["faces"], 1)
    looks = hour["frames"] / run
    alarms = (looks * faces).sum()
    share = (hour["frames"] * faces).sum() / hour["frames"].sum()
    return share, alarms, np.prod((1 - faces) ** looks)


def _target_over_faces(target, hour, run):
    return target / (hour["frames"] / run * hour["faces"]).sum()


def _frames_are_looks(rate, hour, run):
    return false_alarms(rate, hour, 1)


def _rate_if_frames_are_looks(target, hour, run):
    return needed_rate(target, hour, 1)


def _of_the_mean(hour):
    mean = (hour["faces"] * hour["frames"]).sum() / hour["frames"].sum()
    return pd.DataFrame({"faces": [mean], "frames": [hour["frames"].sum()]})


def _mean_number_of_faces(rate, hour, run):
    return false_alarms(rate, _of_the_mean(hour), run)


def _rate_for_the_mean(target, hour, run):
    return needed_rate(target, _of_the_mean(hour), run)


def _one_face(hour):
    return hour.assign(faces=hour["faces"].clip(upper=1))


def _faces_forgotten(rate, hour, run):
    return false_alarms(rate, _one_face(hour), run)


def _rate_of_the_frame(target, hour, run):
    return needed_rate(target, _one_face(hour), run)


def _by_logarithms(rate, hour, run):
    """Add logarithms of the chances that nothing happens, row by row."""
    share = alarms = quiet = 0.0
    for faces, frames in zip(hour["faces"], hour["frames"], strict=True):
        calm = faces * np.log1p(-rate)
        share += frames * -np.expm1(calm)
        alarms += frames / run * -np.expm1(calm)
        quiet += frames / run * calm
    return [share / hour["frames"].sum(), alarms, float(np.exp(quiet))]


def _by_newton(target, hour, run):
    """Climb to the target from below: the curve bends down, so no step leaps over it."""
    looks, faces = (hour["frames"] / run).to_numpy(), hour["faces"].to_numpy()
    if looks[faces > 0].sum() <= target:
        return 1.0
    rate = 0.0
    for _ in range(200):
        missing = target - (looks * (1 - (1 - rate) ** faces)).sum()
        rate += missing / (looks * faces * (1 - rate) ** np.maximum(faces - 1, 0)).sum()
    return float(rate)


def _with_binomials(rate, hour, run):
    """Ask scipy for the chance of no mistaken face in a frame."""
    from scipy.stats import binom

    none = binom.pmf(0, hour["faces"].to_numpy(), rate)
    looks = (hour["frames"] // run).to_numpy()
    share = np.average(1 - none, weights=hour["frames"])
    return {"share": share, "alarms": looks @ (1 - none), "quiet": np.prod(none**looks)}


def _with_brentq(target, hour, run):
    from scipy.optimize import brentq

    looks, faces = (hour["frames"] / run).to_numpy(), hour["faces"].to_numpy()

    def over(rate):
        return looks @ (1 - (1 - rate) ** faces) - target

    return 1.0 if over(1.0) <= 0 else brentq(over, 0.0, 1.0, xtol=1e-12)


exercise = Exercise(
    title="False alarms when many people are in view",
    questions=("1.6",),
    points=3,
    minutes=10,
    reference=(false_alarms, needed_rate),
    cases=cases,
    run=run,
    good=_good,
    same=_near,
    describe=_describe,
    returns="three numbers from `false_alarms`, one from `needed_rate`",
    praise="A frame is quiet only if every face in it is, an alarm counts once however long it lasts, and the"
    " rate that is needed follows from both.",
    right=((_by_logarithms, _by_newton), (_with_binomials, _with_brentq)),
    mistakes=(
        *(
            Mistake(
                "rate times faces",
                (answer, _target_over_faces),
                "The chance of a frame is taken as rate times faces, which counts a frame with two mistaken"
                " faces twice.",
                "With a rate of 0.05 and forty faces, in how many of 100 frames would all forty be left"
                " alone?",
            )
            for answer in (_rate_times_faces, _capped)
        ),
        Mistake(
            "frames as independent looks",
            (_frames_are_looks, _rate_if_frames_are_looks),
            "Every frame is counted as a fresh look, although the detector repeats itself in between.",
            "If somebody is mistaken in one frame and in the next nine, how often has the robot backed off?",
        ),
        Mistake(
            "the mean number of faces",
            (_mean_number_of_faces, _rate_for_the_mean),
            "The hour is treated as if the mean number of faces were in view all the time.",
            "Half an hour with no face and half an hour with forty: does it bring the alarms of twenty?",
        ),
        Mistake(
            "one face per frame",
            (_faces_forgotten, _rate_of_the_frame),
            "The rate of a face is used as the rate of a frame, however many faces are in it.",
            "If eight people are in view, how many chances to be wrong does the detector have?",
        ),
    ),
    hints=(
        "Ask the other way round: what is the chance that *nothing* happens, for a face, for a frame, for an"
        " hour?",
        "A frame with n faces is quiet with chance (1 - rate) ** n. Alarms happen at fresh looks: there are"
        " frames / run of them. Do it row by row, then add (for the quiet hour: multiply).",
        "Alarms: (frames / run * (1 - (1 - rate) ** faces)).sum(). It rises with the rate, so halve the"
        " interval from 0 to 1 sixty times, keeping the half in which the target lies.",
    ),
)
