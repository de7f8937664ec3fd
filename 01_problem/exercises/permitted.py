"""Is it permitted? One model, many deployments: the route each must take in the European Union.

Not legal advice. What is judged strictly is what the text of Regulation (EU) 2024/1689 (AI Act) says in so
many words: Articles 3(39), 5(1)(f), 6(2) with Annex III 1(c), recital 18. Elsewhere "lawyer" is accepted.
"""

import numpy as np

from autograder import Case, Exercise, Mistake, Unreadable


def route(deployment):
    """Say which route a deployment must take in the European Union, and which fact decides it.

    deployment: dict of plain facts,
        seen: list of str, kinds of people in view: "visitors", "callers", "patients",
            "players", "employees", "pupils";
        left_out: list of str, those of them who are left out by design;
        place: str, where it is used;
        infers: str, "anger", "joy", "sadness", "fatigue", "pain" or "attention";
        from: str, "face", "voice" or "text";
        purpose: str, "service", "marketing", "appraisal", "teaching", "safety", "medical"
            or "wellbeing";
        consent: bool, whether everybody in view signed a form.

    Returns (route, fact). route: "prohibited" (AI Act, Article 5(1)(f)), "high-risk"
    (Article 6(2) with Annex III 1(c)), "neither" (of these two; other law still applies),
    or "lawyer" where the text does not settle it. fact: the name of the fact on which the
    route rests: what takes it out of the definition of emotion recognition, who makes it
    prohibited, what lifts that prohibition; otherwise who is seen, or what is in doubt.
    """
    if deployment["from"] == "text":
        return "neither", "from"
    if deployment["infers"] in ("fatigue", "pain"):
        return "neither", "infers"
    if deployment["infers"] == "attention":
        return "lawyer", "infers"
    judged = set(deployment["seen"]) - set(deployment["left_out"])
    protected = judged & {"employees", "pupils"}
    if protected and deployment["purpose"] == "wellbeing":
        return "lawyer", "purpose"
    if protected and deployment["purpose"] not in ("medical", "safety"):
        return "prohibited", "seen"
    return "high-risk", "purpose" if protected else "seen"


ROUTES = ("prohibited", "high-risk", "neither", "lawyer")
OTHERS = {
    "visitors": ("a lobby", "a shop", "a museum"),
    "callers": ("a call centre", "a hotline"),
    "patients": ("a clinic", "a practice"),
    "players": ("an arcade", "a games hall"),
}
PROTECTED = {
    "employees": ("an office", "a warehouse", "a van", "a factory"),
    "pupils": ("a classroom", "a lecture hall"),
}
EMOTIONS, STATES = ("anger", "joy", "sadness"), ("fatigue", "pain")
ORDINARY, EXCEPTED = (
    ("service", "marketing", "appraisal", "teaching"),
    ("medical", "safety"),
)
KEYS = ("seen", "left_out", "place", "infers", "from", "purpose", "consent")
PAIRS = 4


def cases(rng):
    """Draw pairs of deployments that differ in one fact, grouped by that fact; and some that are disputed."""
    kinds = {
        "who is seen": _seen_pair,
        "whether people agreed": _consent_pair,
        "who else walks into view": _bystander_pair,
        "what is inferred": _state_pair,
        "a medical or safety reason": _reason_pair,
        "face, voice or text": _text_pair,
        "where the text leaves room": _disputed_pair,
    }
    for about, draw in kinds.items():
        pairs = [draw(rng, k) for k in range(PAIRS)]
        shown = [
            one for pair in pairs for one in rng.permutation(np.array(pair, dtype=object))
        ]
        yield Case(hidden=shown, about=about)


def _one(rng, people, **facts):
    """Return a deployment that sees one kind of people; the facts given, and the others at random."""
    kind = str(rng.choice(list(people)))
    fresh = {
        "seen": [kind],
        "left_out": [],
        "place": str(rng.choice(people[kind])),
        "infers": str(rng.choice(EMOTIONS)),
        "from": str(rng.choice(["face", "voice"])),
        "purpose": str(rng.choice(ORDINARY[:2])),
        "consent": False,
    }
    return fresh | facts


def _seen_pair(rng, k):
    one, other = _one(rng, PROTECTED), _one(rng, OTHERS)
    return one, one | {name: other[name] for name in ("seen", "place")}


def _consent_pair(rng, k):
    one = _one(rng, PROTECTED, purpose=str(rng.choice(ORDINARY)), consent=True)
    return one, one | {"consent": False}


def _bystander_pair(rng, k):
    """Staff in view, or not; or in view and left out by design, or not."""
    one = _one(rng, OTHERS, **{"from": "face"})
    both = one | {"seen": [*one["seen"], "employees"]}
    return (one, both) if k % 2 else (both | {"left_out": ["employees"]}, both)


def _state_pair(rng, k):
    people = PROTECTED if rng.random() < 0.6 else OTHERS
    one = _one(rng, people, infers=str(rng.choice(STATES)))
    return one, one | {"infers": str(rng.choice(EMOTIONS))}


def _reason_pair(rng, k):
    one = _one(rng, PROTECTED, purpose=str(rng.choice(EXCEPTED)))
    return one, one | {"purpose": str(rng.choice(ORDINARY))}


def _text_pair(rng, k):
    one = _one(rng, PROTECTED if rng.random() < 0.5 else OTHERS)
    return one, one | {"from": "text"}


def _disputed_pair(rng, k):
    """Attention (a feeling, or none?), and a wellbeing purpose at work."""
    facts = {"infers": "attention"} if k % 2 else {"purpose": "wellbeing"}
    one = _one(rng, OTHERS if k % 4 == 1 else PROTECTED, **facts)
    return one, one | {"consent": True}


def _accepted(deployment):
    """Return the routes that are accepted: one where the text says so, else "lawyer" and the careful ones."""
    judged = set(deployment["seen"]) - set(deployment["left_out"])
    settled, _ = route(deployment)
    if settled == "lawyer":
        careful = "prohibited" if judged & set(PROTECTED) else "high-risk"
        return {"lawyer", careful}
    if deployment["left_out"] and settled == "high-risk":
        return {"lawyer", "high-risk"}
    return {settled}


def _rests_on(deployment):
    """Return the facts of which the sentence that settles the route speaks; all where none settles it."""
    emotion, biometric = deployment["infers"] not in STATES, deployment["from"] != "text"
    if not (emotion and biometric):
        return {
            name for name, out in (("infers", not emotion), ("from", not biometric)) if out
        }
    if len(_accepted(deployment)) > 1:
        return set(KEYS)
    judged = set(deployment["seen"]) - set(deployment["left_out"])
    if judged & set(PROTECTED) and deployment["purpose"] in EXCEPTED:
        return {"purpose"}
    return {"seen", "place"}


FACT = "naming the fact on which the route rests"


def run(case, answer):
    """Route every deployment; the routes of one kind of pair are one outcome, the facts named another."""
    given = [_read(answer(deployment)) for deployment in case.hidden]
    routes = [route for route, _ in given]
    facts = [fact for _, fact in given]
    wrong = [k for k, item in enumerate(case.hidden) if routes[k] not in _accepted(item)]
    # A fact decides only for the right route; where most routes are wrong, there is nothing to name.
    lost = len(wrong) > len(given) / 2
    off = (
        wrong
        if lost
        else [
            k
            for k, item in enumerate(case.hidden)
            if k not in wrong and facts[k] not in _rests_on(item)
        ]
    )
    return {
        case.about: {"said": routes, "wrong": wrong, "items": case.hidden},
        FACT: {"said": facts, "wrong": off, "items": case.hidden},
    }


def _read(output):
    output = output.tolist() if isinstance(output, np.ndarray) else output
    if not isinstance(output, (tuple, list)) or len(output) != 2:
        raise Unreadable(f"`route` returned {output!r:.60}, not a pair (route, fact).")
    where, fact = output
    if where not in ROUTES:
        raise Unreadable(
            f"`route` returned the route {where!r:.40}; there are {', '.join(ROUTES)}."
        )
    if not isinstance(fact, str) or fact not in KEYS:
        raise Unreadable(
            f"`route` named the fact {fact!r:.40}; name a key of the deployment."
        )
    return where, fact


def _describe(key, got, expected):
    k = got["wrong"][0]
    item = got["items"][k]
    seen = " and ".join(item["seen"])
    if item["left_out"]:
        seen += f" ({', '.join(item['left_out'])} left out by design)"
    agreed = "with consent" if item["consent"] else "without consent"
    what = (
        f"{item['infers']} of {seen} from {item['from']}, for {item['purpose']}, {agreed}"
    )
    if key == FACT:
        return f"For {what}, `route` names {got['said'][k]!r}: the route rests on another fact."
    return f"For {what}, `route` says {got['said'][k]!r}."


def _by_table(deployment):
    """Read the rules as filters, the narrowest last."""
    seen = [kind for kind in deployment["seen"] if kind not in deployment["left_out"]]
    at_work = "employees" in seen or "pupils" in seen
    emotion = deployment["infers"] in ("anger", "joy", "sadness", "attention")
    biometric = deployment["from"] in ("face", "voice")
    if not biometric:
        return ("neither", "from")
    if not emotion:
        return ("neither", "infers")
    excused = deployment["purpose"] in ("safety", "medical")
    if at_work:
        return ("high-risk", "purpose") if excused else ("prohibited", "seen")
    return ("high-risk", "place")


def _doubts_early(deployment):
    """Send every case with somebody left out, and every unusual word, to a lawyer."""
    if deployment["left_out"]:
        return ["lawyer", "seen"]
    if deployment["from"] != "text" and deployment["infers"] == "attention":
        return ["lawyer", "infers"]
    if deployment["from"] != "text" and deployment["purpose"] == "wellbeing":
        return ["lawyer", "purpose"]
    return list(route(deployment))


def _consent_cures(deployment):
    where, fact = route(deployment)
    return (
        ("high-risk", "consent")
        if where == "prohibited" and deployment["consent"]
        else (where, fact)
    )


def _not_prohibited_is_ordinary(deployment):
    where, fact = route(deployment)
    return ("neither", fact) if where == "high-risk" else (where, fact)


def _main_person_only(deployment):
    return route(deployment | {"seen": deployment["seen"][:1]})


def _left_out_is_seen(deployment):
    return route(deployment | {"left_out": []})


def _states_are_emotions(deployment):
    return route(deployment | {"infers": "anger"})


def _reason_excuses_all(deployment):
    where, fact = route(deployment)
    excused = where == "high-risk" and deployment["purpose"] in ("medical", "safety")
    return ("neither", "purpose") if excused else (where, fact)


def _text_counts(deployment):
    return route(deployment | {"from": "face"})


def _always_a_lawyer(deployment):
    return "lawyer", "infers"


def _always_high_risk(deployment):
    return "high-risk", "seen"


def _same(key, got, other):
    """The same routes; and any one route for everything is like any other, but for the lawyer's."""
    constant = len(set(got["said"])) == len(set(other["said"])) == 1
    if constant and "lawyer" not in (*got["said"], *other["said"]):
        return True
    return got["said"] == other["said"] and got["wrong"] == other["wrong"]


exercise = Exercise(
    title="Is it permitted?",
    questions=("1.1", "1.2"),
    points=3,
    minutes=10,
    reference=route,
    repeatable=True,
    cases=cases,
    run=run,
    good=lambda key, got, expected: not got["wrong"],
    same=_same,
    describe=_describe,
    returns='a pair (route, fact), such as ("high-risk", "seen")',
    praise="The same model is prohibited here, high-risk there and neither elsewhere, and you can say why.",
    right=(_by_table, _doubts_early),
    mistakes=(
        Mistake(
            "consent cures it",
            _consent_cures,
            "A signed form turns what is prohibited into something allowed.",
            "Article 5(1)(f) names two exceptions, medical and safety reasons: where does it name consent?",
        ),
        Mistake(
            "not prohibited is ordinary",
            _not_prohibited_is_ordinary,
            "Whatever is not prohibited is treated as if no duties came with it.",
            "Article 6(2) sends you to Annex III: what stands there in point 1(c)?",
        ),
        Mistake(
            "the receptionist forgotten",
            _main_person_only,
            "Only the people it is meant for are looked at, not those who walk into view besides.",
            "The camera that watches visitors also sees who works there: whose emotions does it infer?",
        ),
        Mistake(
            "left out, and judged all the same",
            _left_out_is_seen,
            "People who are left out by design are treated as if their emotions were inferred.",
            "The receptionist is in view, but nothing is inferred about her: what does `left_out` say?",
        ),
        Mistake(
            "fatigue counted as an emotion",
            _states_are_emotions,
            "Fatigue and pain are treated as emotions.",
            "What does recital 18 say about states such as pain and fatigue?",
        ),
        Mistake(
            "a reason excuses from everything",
            _reason_excuses_all,
            "A medical or safety reason is taken to lift every duty.",
            "The exception is one from the prohibition in Article 5(1)(f): does it reach Annex III?",
        ),
        Mistake(
            "text counted as biometric",
            _text_counts,
            "Written words are treated like a face or a voice.",
            "Article 3(39) speaks of emotions inferred from which kind of data?",
        ),
        Mistake(
            "one route for everything",
            _always_high_risk,
            "Every deployment gets the same route, whatever its facts.",
            "Which of these facts would have to be another before a regulator changed its mind?",
        ),
        Mistake(
            "always a lawyer",
            _always_a_lawyer,
            "Every deployment is sent to a lawyer, also where the text is plain.",
            "Which of these would the lawyer send back, with one sentence of the act under it?",
        ),
    ),
    hints=(
        "Ask in this order: is it emotion recognition at all? Is it prohibited? And if not, what is it then?",
        "It is none when the data are not biometric (Article 3(39)) or the state is no emotion (recital 18)."
        " It is prohibited at work and in education, except for medical or safety reasons (Article 5(1)(f)).",
        'First text -> ("neither", "from"), then fatigue or pain -> ("neither", "infers"). Then'
        " set(seen) - set(left_out): employees or pupils among them, and no medical or safety purpose ->"
        ' ("prohibited", "seen"). The rest is high-risk; attention and wellbeing go to a lawyer.',
    ),
)
