"""You don't have enough information: which questions to ask, judged by the design that the facts allow."""

import numpy as np

from autograder import Case, Exercise, Mistake, Unreadable
from course import interview
from course.interview import world


def ask(history):
    """Lead an interview: return the next question to someone who wants to detect anger.

    history: list of dicts, one for each question so far, oldest first:
        question: str, what you asked;
        understood: str, the topic as which it was understood (a key of interview.menu()),
            or None when it was not clear;
        fact: str, the answer.
    Returns the next question as text, in your own words; "" ends the interview.

    Each interview is about another hidden scenario, and each answer is one fact. Twelve
    questions are answered, a repeated one included; one that is not understood is not
    counted, the first six times. Some interviewers have to leave after eight questions.
    Judged over 30 interviews is the best design that your facts allow. Returning
    questions[len(history)] from an ordered list is a fine start.
    """
    facts = " ".join(entry["fact"] for entry in history)
    if "as it stands it is prohibited" in facts:
        return ""
    questions = [
        "What happens after a detection?",
        "Whose faces does it see?",
        "What does a missed angry person cost, and what does a false alarm cost?",
        "How common is anger there?",
        "What hardware does it run on?",
        "How many people are in view at once?",
        "What data and labels do we have?",
        "Is there an existing model that we could buy?",
        "May pictures leave the device?",
        "How fast must the answer come?",
        "What is the light like?",
        "Are faces covered or turned away?",
    ]
    if "at their work" in facts or "pupils" in facts:
        questions.insert(2, "Is that allowed by law?")
    return questions[len(history)] if len(history) < len(questions) else ""


SCENARIOS, EARLY = 30, 8
AFTER_EIGHT, AFTER_TWELVE = (
    "what eight questions are good for",
    "what twelve questions are good for",
)
SCOPE = "finding out whether to build it at all"


def cases(rng):
    """Thirty unseen scenarios, six of each use; the same interviews are judged early and at the end."""
    yield Case(
        hidden=interview.draw_scenarios(rng, SCENARIOS), about="the scenario is hidden"
    )


def run(case, answer):
    """Let the answer lead all interviews; judge the facts as a set, early and at the end."""

    def next_question(history):
        question = answer(history)
        if not isinstance(question, str):
            raise Unreadable(f"`ask` returned a {type(question).__name__}, not a text.")
        return question

    histories = interview.converse(next_question, case.hidden)
    asked = [
        [entry["understood"] for entry in history if entry["understood"]]
        for history in histories
    ]
    truth = [world.expected_costs(dict(scenario.world)) for scenario in case.hidden]
    lost = {
        turns: _lost(case.hidden, truth, asked, turns) for turns in (EARLY, interview.TURNS)
    }
    unclear = sum(entry["understood"] is None for history in histories for entry in history)
    shared = {
        "habit": _habit(asked),
        "asked": asked,
        "scenarios": case.hidden,
        "unclear": unclear,
    }
    return {
        AFTER_EIGHT: shared | {"lost": lost[EARLY][0], "turns": EARLY, "bar": BAR_EIGHT},
        AFTER_TWELVE: shared | {"lost": lost[12][0], "turns": 12, "bar": BAR_TWELVE},
        SCOPE: shared | {"lost": lost[12][1], "turns": 12, "bar": BAR_SCOPE},
    }


def _lost(scenarios, truth, asked, turns):
    """Return what the designs lose of what is at stake, and how often the scope is a wrong one, both 0-1.

    At stake is what all anger costs when nothing is built; a design that loses more counts as 1.
    """
    scope = world.designs()["scope"]
    lost, wrong = [], []
    for scenario, costs, topics in zip(scenarios, truth, asked, strict=True):
        chosen = world.best_design(world.known_levels(scenario.world, topics[:turns]))
        nothing = costs[np.flatnonzero(scope == DECLINED)[0]]
        lost.append(min((costs[chosen] - costs.min()) / nothing, 1.0))
        wrong.append(scope[chosen] != scope[costs.argmin()])
    return float(np.mean(lost)), float(np.mean(wrong))


DECLINED = world.DECISIONS["scope"].index("declined")


def _habit(asked):
    """Name what the interviews have in common that people do wrong, or ""."""
    topics = [topic for one in asked for topic in one]
    if not topics:
        return "asks nothing"
    repeated = len(topics) - sum(len(set(one)) for one in asked)
    if repeated >= 0.25 * len(topics):
        return "same question twice"
    first = [topic for one in asked for topic in one[:3]]
    if np.isin(first, ("model", "tools", "team")).mean() >= 0.6:
        return "model first"
    unasked = (
        ("who is seen", ("people", "law")),
        ("what happens next", ("after", "law")),
        ("what errors cost", ("costs", "success")),
    )
    for habit, names in unasked:
        if np.mean([bool(set(names) & set(one)) for one in asked]) < 0.3:
            return habit
    return ""


# Over 60 seeds right answers lost at most 0.085 with eight questions and 0.012 with twelve, with a wrong
# scope in at most 3 of 30. Least losses of the mistakes: "never what happens next" 0.030 with twelve, "the
# same twice" 0.125 with eight; over 100 seeds of a less even draw, with twelve: "never who is filmed" 0.081,
# "never the costs" 0.036, "model first" 0.225.
BAR_EIGHT, BAR_TWELVE, BAR_SCOPE = 0.13, 0.027, 0.15


def _describe(key, got, expected):
    if key == SCOPE:
        says = f"In {got['lost']:.1%} of the interviews the facts lead to building what should not be built,"
        says += " or to giving up what could be"
    else:
        says = f"With the facts of {got['turns']} questions, {got['lost']:.1%} of what is at stake is lost"
    says = f"{says} (accepted: {got['bar']:.1%})."
    if got["unclear"] > SCENARIOS:
        return f"{says} {got['unclear'] / SCENARIOS:.0f} questions an interview were not understood."
    return f"{says} One more fact would have helped most: {_would_help(got)}."


def _would_help(got, sample=6):
    """Name the topic that would have lowered the regret most, in the first few interviews."""
    gain = {}
    for scenario, topics in zip(got["scenarios"][:sample], got["asked"], strict=False):
        known = topics[: got["turns"]]
        for topic in world.LEVELS:
            if topic not in known:
                gain[topic] = gain.get(topic, 0) - interview.regret(
                    scenario.world, [*known, topic]
                )
            else:
                gain[topic] = gain.get(topic, 0) - interview.regret(scenario.world, known)
    return interview.topic_name(max(gain, key=gain.get))


def _in_order(questions, history):
    return questions[len(history)] if len(history) < len(questions) else ""


def _model_first(history):
    questions = [
        "Which model do you prefer, a CNN or a transformer?",
        "Do you work with PyTorch or TensorFlow?",
        "How many engineers are on the team?",
        "How much training data do we have?",
        "Is there a GPU?",
        "Is there a pretrained model already?",
        "How fast must it run?",
        "How many faces are in the picture at once?",
        "What about the lighting?",
        "Are there masks or glasses?",
        "May I store the images?",
        "Who maintains it later?",
    ]
    return _in_order(questions, history)


def _never_what_follows(history):
    questions = [
        "What is it for?",
        "Who will be in front of the camera?",
        "Which is worse, a false alarm or a miss?",
        "How often are people angry?",
        "What hardware is there?",
        "How fast must it be?",
        "Are there several people at once?",
        "What data do we have?",
        "Are there existing implementations?",
        "What are the lighting conditions?",
        "May images leave the device?",
        "Are faces sometimes covered?",
    ]
    return _in_order(questions, history)


def _never_who_is_filmed(history):
    questions = [
        "What happens after a detection?",
        "What does an error cost?",
        "How rare is anger?",
        "What hardware is there?",
        "How fast must it be?",
        "Are there several people at once?",
        "What data do we have?",
        "Are there existing implementations?",
        "What are the lighting conditions?",
        "May images leave the device?",
        "Are faces sometimes covered?",
        "Who maintains it?",
    ]
    return _in_order(questions, history)


def _the_same_twice(history):
    questions = [
        "What is the use case?",
        "What is it used for?",
        "What happens after a detection?",
        "What do you do once anger is detected?",
        "Who is filmed?",
        "Whose faces are in the picture?",
        "What does a false alarm cost?",
        "How expensive is a miss?",
        "What hardware does it run on?",
        "Which processor is inside?",
        "How common is anger?",
        "What is the base rate?",
    ]
    return _in_order(questions, history)


def _only_the_technical(history):
    questions = [
        "What is the use case?",
        "What happens after a detection?",
        "Who is filmed?",
        "Is that legal?",
        "What hardware is there?",
        "How fast must it be?",
        "Are there several people at once?",
        "What data do we have?",
        "Are there existing implementations?",
        "May images leave the device?",
        "What about lighting conditions?",
        "And occlusion?",
    ]
    return _in_order(questions, history)


def _law_and_target(history):
    """Ask for what sums up others: what the lawyer says, and what counts as success."""
    questions = [
        "Has a lawyer said whether this is allowed?",
        "How do you measure success?",
        "What is the hardware?",
        "Do we have labelled data?",
        "Is there an existing solution?",
        "Can there be several faces in one frame?",
        "What happens when anger is detected?",
        "What is worse, a false positive or a false negative?",
        "What is the base rate of anger?",
        "Can the images be sent to a server?",
        "What is the latency requirement?",
        "What is the lighting like?",
    ]
    return _in_order(questions, history)


def _what_is_open(history):
    """Ask by topic what is not known yet, and stop when there is nothing to be built."""
    known = {entry["understood"]: entry["fact"] for entry in history}
    if "as it stands" in known.get("law", ""):
        return ""
    questions = {
        "law": "Are we allowed to do this?",
        "after": "What happens after somebody was found angry?",
        "costs": "What do errors cost?",
        "rate": "How rare is anger?",
        "hardware": "Which hardware is it running on?",
        "data": "Do we have labelled data?",
        "existing": "Is there an off-the-shelf model?",
        "several": "Are there several people in the picture?",
        "privacy": "Can images be stored or sent away?",
        "speed": "Is there a deadline for the answer in milliseconds?",
        "occlusion": "Do people wear masks or sunglasses?",
        "light": "Is it dark sometimes?",
    }
    return next(
        (question for topic, question in questions.items() if topic not in known), ""
    )


exercise = Exercise(
    title="Ask before you build",
    questions=("1.1", "1.2", "1.5"),
    points=4,
    minutes=12,
    reference=ask,
    cases=cases,
    run=run,
    good=lambda key, got, expected: got["lost"] <= got["bar"],
    same=lambda key, got, other: got["habit"] == other["habit"] != "",
    describe=_describe,
    returns='the next question as text, or "" to end the interview',
    praise="Your questions find out what decides the design, and they find it out early.",
    right=(_law_and_target, _what_is_open),
    mistakes=(
        Mistake(
            "model first",
            _model_first,
            "The first questions are about models, tools or the team; no answer to them says what to build.",
            "Suppose you knew the model already: would you know whom it must not look at?",
        ),
        Mistake(
            "never asks what happens next",
            _never_what_follows,
            "In these interviews you never find out what happens after a detection.",
            "The same alarm makes a robot step back, or goes on an employee's record: is that one design?",
        ),
        Mistake(
            "never asks who is filmed",
            _never_who_is_filmed,
            "In these interviews you never find out who is filmed, nor whether that is allowed.",
            "If it is pupils in a lesson, what use are the answers about hardware?",
        ),
        Mistake(
            "same question twice",
            _the_same_twice,
            "A quarter of the questions or more ask again, in other words, for what was answered already.",
            "You have eight to twelve answers; which of yours told you nothing new?",
        ),
        Mistake(
            "never asks what errors cost",
            _only_the_technical,
            "In these interviews you never find out what errors cost, nor what would count as success.",
            "With all facts on the hardware: at which probability of anger should it act?",
        ),
    ),
    hints=(
        "Before you ask for a fact, ask yourself: which two designs does it decide between?",
        "First what can end the whole project: what happens after a detection, who is seen, and, where these"
        " leave a doubt, what is allowed. Then what sets the threshold: costs of errors, how common anger is."
        " Then what limits the build.",
        "Write twelve questions in that order into a list: after a detection, who is seen, costs of errors,"
        " how common, hardware, several people, data, existing models, where pictures may go, speed, light,"
        ' covered faces. Return questions[len(history)], and "" when the list is used up.',
    ),
)
