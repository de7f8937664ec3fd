"""In which order to feed the faces: batches that keep a written contract."""

import itertools
from collections import Counter

import numpy as np
import pandas as pd

from autograder import Case, Exercise, Mistake, Unreadable

EPOCHS = 5
CAP = 3


def batches(faces, batch_size, epoch, seed):
    """Deal the faces of one epoch into batches that keep this contract.

    faces: DataFrame, one row per face, columns face (int), person (int), label ("angry" or
        "calm"). There are more angry faces than batches, and nobody has more faces than
        there are batches. batch_size: int, the most faces a batch may hold.
    epoch: int, 0 for the first pass over the data.
    seed: int.

    Returns a list of lists of face numbers:
        - every face is in exactly one batch, and the number of batches is as small as can
          be;
        - fewer than 1 batch in 100 has no angry face;
        - no batch holds more than three faces of one person;
        - every epoch has an order of its own, with other batch mates;
        - the same faces, epoch and seed give the same batches, whoever else draws random
          numbers.
    """
    rng = np.random.default_rng([seed, epoch])
    n_batches = -(-len(faces) // batch_size)
    people = faces["person"].unique()
    turn = pd.Series(rng.permutation(len(people)), index=people)
    mixed = faces.iloc[rng.permutation(len(faces))]
    mixed = mixed.assign(calm=mixed["label"] != "angry", turn=mixed["person"].map(turn))
    # Deal like cards, angry faces first and each person's in a row: neighbours land in different batches.
    dealt = mixed.sort_values(["calm", "turn"], kind="stable")["face"]
    return [
        rng.permutation(dealt[k::n_batches]).tolist() for k in rng.permutation(n_batches)
    ]


def cases(rng):
    """Two collections in which a few people supply many of the faces."""
    # With 500 faces no size in here makes all batches quite full, which would leave no choice at the end.
    for batch_size in (int(rng.integers(26, 30)), int(rng.integers(34, 42))):
        yield Case((_faces(rng), batch_size), hidden=int(rng.integers(1_000_000)))


def _faces(rng, n=500):
    """Faces of many people, seven of whom supply a dozen each; 8 % angry; rows in order of collection."""
    person = np.concatenate([np.repeat(np.arange(7), 12), rng.integers(7, 150, n - 84)])
    angry = np.zeros(n, dtype=bool)
    angry[rng.choice(n, size=int(rng.integers(38, 46)), replace=False)] = True
    numbers = rng.choice(10_000, 150, replace=False)
    # What is collected together stays together in the table: people in turn, anger in two busy weeks.
    order = np.argsort(numbers[person] + 5_000 * angry, kind="stable")
    table = pd.DataFrame(
        {
            "face": np.sort(rng.choice(90_000, n, replace=False)),
            "person": numbers[person[order]],
            "label": np.where(angry[order], "angry", "calm"),
        }
    )
    return table


def run(case, answer):
    """Run five epochs, and one of them a second time.

    Each outcome is (does it hold?, in which way it does not, the same in a sentence).
    """
    faces, batch_size = case.inputs
    seed = case.hidden
    epochs = [
        _dealt(answer(faces, batch_size, epoch, seed), faces) for epoch in range(EPOCHS)
    ]
    again = _dealt(answer(faces, batch_size, 1, seed), faces)
    person = dict(zip(faces["face"], faces["person"], strict=True))
    angry = set(faces["face"][faces["label"] == "angry"])
    least = -(-len(faces) // batch_size)
    hands = [hand for epoch in epochs for hand in epoch]
    dealt = [Counter(itertools.chain(*epoch)) for epoch in epochs]
    repeated = {face for times in dealt for face, count in times.items() if count > 1}
    missing = max(len(faces) - len(times) for times in dealt)
    crowd = max(max(Counter(person[face] for face in hand).values()) for hand in hands)
    n_angry = np.array([sum(face in angry for face in hand) for hand in hands])
    without_angry = (n_angry == 0).sum()
    shared = max(_shared_pairs(epochs[0], other) for other in epochs[1:])

    wrong_faces = ""
    if repeated:
        wrong_faces = "angry repeated" if repeated <= angry else ""
    elif missing and max(map(len, epochs)) < least:
        wrong_faces = "batch dropped"
    # A fair draw makes the number of angry faces in a batch vary as much as it is high; dealing does not.
    dealing = ""
    if all(list(itertools.chain(*epoch)) == faces["face"].tolist() for epoch in epochs):
        dealing = "as collected"
    elif not repeated and not missing:
        spread = n_angry.var() / n_angry.mean()
        dealing = "only labels" if spread <= 0.4 else "by chance" if spread < 2 else ""
    first = set(map(frozenset, epochs[0]))
    unchanged = all(set(map(frozenset, epoch)) == first for epoch in epochs)
    return {
        "every face once an epoch": (
            not repeated and not missing,
            wrong_faces,
            f"up to {missing} faces of an epoch are in no batch, {len(repeated)} more than once",
        ),
        "no more batches than needed, none too large": (
            all(len(epoch) == least for epoch in epochs)
            and max(map(len, hands)) <= batch_size,
            wrong_faces,
            f"an epoch has up to {max(map(len, epochs))} batches of up to {max(map(len, hands))} faces, where"
            f" {least} of at most {batch_size} are asked for",
        ),
        "an angry face in every batch": (
            without_angry < 0.01 * len(hands),
            dealing,
            f"{without_angry} of {len(hands)} batches have no angry face",
        ),
        "at most three faces of a person in a batch": (
            crowd <= CAP,
            dealing,
            f"a batch holds {crowd} faces of one person",
        ),
        "other batch mates every epoch": (
            shared < 3,
            "as collected"
            if dealing == "as collected"
            else "unchanged"
            if unchanged
            else "",
            f"batch mates of the first epoch meet again {shared:.0f} times as often as by chance",
        ),
        "the same batches for the same seed": (
            again == epochs[1],
            "not again",
            "asked twice for the same epoch and seed, it gave different batches",
        ),
    }


def _dealt(output, faces):
    """Return the batches as lists of ints, or say what is wrong with the output."""
    try:
        hands = [[int(face) for face in hand] for hand in output]
    except (TypeError, ValueError):
        raise Unreadable("`batches` must return a list of lists of face numbers.") from None
    hands = [hand for hand in hands if hand]
    unknown = {face for hand in hands for face in hand} - set(faces["face"])
    if unknown or not hands:
        what = (
            f"holds {min(unknown)}, which is no face number"
            if unknown
            else "holds no faces"
        )
        raise Unreadable(f"The list that `batches` returned {what}.")
    return hands


def _shared_pairs(first, second):
    """How many times more often than by chance two faces that were batch mates are so again.

    Right answers stayed below 1.7 in 1,000 collections; a fixed order gives 12 or more.
    """
    batch = {face: k for k, hand in enumerate(second) for face in hand}
    mates = [(a, b) for hand in first for i, a in enumerate(hand) for b in hand[:i]]
    again = np.mean([batch.get(a, -1) == batch.get(b, -2) for a, b in mates])
    return again * len(second)


def _in_rows(numbers, batch_size):
    numbers = [int(number) for number in numbers]
    return [numbers[i : i + batch_size] for i in range(0, len(numbers), batch_size)]


def _as_collected(faces, batch_size, epoch, seed):
    return _in_rows(faces["face"], batch_size)


def _plain_shuffle(faces, batch_size, epoch, seed):
    return _in_rows(
        np.random.default_rng([seed, epoch]).permutation(faces["face"]), batch_size
    )


def _shuffled_once(faces, batch_size, epoch, seed):
    return batches(faces, batch_size, 0, seed)


def _oversampled(faces, batch_size, epoch, seed):
    rng = np.random.default_rng([seed, epoch])
    angry = faces["face"][faces["label"] == "angry"]
    calm = rng.permutation(faces["face"][faces["label"] != "angry"])
    half = batch_size // 2
    return [
        hand + rng.choice(angry, half).tolist()
        for hand in _in_rows(calm, batch_size - half)
    ]


def _global_generator(faces, batch_size, epoch, seed):
    return batches(faces, batch_size, epoch, int(np.random.randint(1_000_000)))  # noqa: NPY002 - the mistake itself


def _people_forgotten(faces, batch_size, epoch, seed):
    rng = np.random.default_rng([seed, epoch])
    n_batches = -(-len(faces) // batch_size)
    angry = (faces["label"] == "angry").to_numpy()
    numbers = faces["face"].to_numpy()
    dealt = np.concatenate(
        [rng.permutation(numbers[angry]), rng.permutation(numbers[~angry])]
    )
    return [dealt[k::n_batches].tolist() for k in range(n_batches)]


def _last_batch_dropped(faces, batch_size, epoch, seed):
    return batches(faces, batch_size, epoch, seed)[:-1]


def _by_hand(faces, batch_size, epoch, seed):
    """Give each face to the emptiest batch that has room for its person, angry faces first."""
    import random

    drawn = random.Random(f"{seed}-{epoch}")
    rows = list(faces[["face", "person", "label"]].itertuples(index=False, name=None))
    drawn.shuffle(rows)
    rows.sort(key=lambda row: row[2] != "angry")
    hands = [[] for _ in range(-(-len(rows) // batch_size))]
    held = [{} for _ in hands]
    for face, person, _ in rows:
        rooms = [k for k in range(len(hands)) if len(hands[k]) < batch_size]
        open_to = [k for k in rooms if held[k].get(person, 0) < 2]
        k = min(open_to or rooms, key=lambda k: (len(hands[k]), drawn.random()))
        hands[k].append(face)
        held[k][person] = held[k].get(person, 0) + 1
    return hands


def _by_drawing_again(faces, batch_size, epoch, seed):
    """Shuffle angry and calm apart, then swap faces between batches until no person has too many."""
    rng = np.random.default_rng(1_000_003 * epoch + seed)
    hands = _people_forgotten(faces, batch_size, epoch, seed)
    facts = {row.face: (row.person, row.label) for row in faces.itertuples()}
    for _ in range(10_000):
        crowded = [
            (k, face)
            for k, hand in enumerate(hands)
            for face in hand
            if sum(facts[other][0] == facts[face][0] for other in hand) > CAP
        ]
        if not crowded:
            break
        k, face = crowded[0]
        other = int(rng.integers(len(hands)))
        partners = [mate for mate in hands[other] if facts[mate][1] == facts[face][1]]
        if other != k and partners:
            mate = partners[int(rng.integers(len(partners)))]
            hands[k][hands[k].index(face)], hands[other][hands[other].index(mate)] = (
                mate,
                face,
            )
    return hands


def _same(key, got, other):
    """Only ways that have a name are the same; a shuffle is one even where chance keeps the contract."""
    if got[0] or (other[0] and got[1] != "by chance"):
        return got[0] == other[0]
    return got[1] == other[1] != ""


exercise = Exercise(
    title="Batches that keep a contract",
    questions=("2.8",),
    points=3,
    minutes=10,
    reference=batches,
    cases=cases,
    run=run,
    good=lambda key, got, expected: bool(got[0]),
    same=_same,
    describe=lambda key, got, expected: f"Over five epochs, {got[2]}.",
    returns="a list of lists of face numbers",
    praise="Every batch can teach both labels, nobody dominates one, and the order is new yet repeatable.",
    right=(_by_hand, _by_drawing_again),
    mistakes=(
        Mistake(
            "people forgotten",
            _people_forgotten,
            "The labels are dealt evenly, but some batches hold four or more faces of one person.",
            "If four faces of a batch are one tired man, whom does this step teach the model to know?",
        ),
        Mistake(
            "shuffled once",
            _shuffled_once,
            "Every epoch has the same batches.",
            "What does a second pass show the model that the first one did not?",
        ),
        Mistake(
            "global random numbers",
            _global_generator,
            "Asked again for the same epoch and seed, it gives other batches.",
            "Tomorrow you want to see the very batch that broke the training: what do you need to draw it?",
        ),
        Mistake(
            "last batch dropped",
            _last_batch_dropped,
            "There is a batch too few, and its faces are left out.",
            "Which faces did the model not see in this epoch?",
        ),
        Mistake(
            "angry faces repeated",
            _oversampled,
            "Angry faces come more than once in an epoch, to even out the labels.",
            "What does the model believe about how common anger is, and who will correct it?",
        ),
        Mistake(
            "plain shuffle",
            _plain_shuffle,
            "A plain shuffle leaves some batches without any angry face.",
            "With 8 % anger and 30 faces a batch, how often does a fair draw find none: 0.92 to which power?",
        ),
        Mistake(
            "as collected",
            _as_collected,
            "The faces come in the order of the table, so neighbours in time are batch mates.",
            "What do the first hundred rows have in common?",
        ),
    ),
    hints=(
        "Count batches first: n = faces / batch_size, rounded up. How could n players get equal hands?",
        "Deal like cards: hand k gets every n-th face, `dealt[k::n]`. Then only the order of `dealt` matters:"
        " which faces must not be in the same hand?",
        "Sort a shuffled table by (is it calm?, a random turn for each person). Angry faces then spread over"
        " all hands, and one person's faces go to neighbouring hands. Seed with"
        " `np.random.default_rng([seed, epoch])`.",
    ),
)
