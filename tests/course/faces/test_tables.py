"""Rows of faces: documented columns, honest ranges, and draws that follow what was asked for."""

import numpy as np
import pandas as pd
import pytest

from course.faces import (
    ACTION_UNITS,
    COLUMNS,
    EXPRESSIONS,
    NATURAL_MIX,
    SITES,
    sample_expressions,
    sample_faces,
    sample_people,
    sample_scenes,
)
from course.faces.columns import CATEGORIES, EXPRESSION, RENDERED, SCENE, TRAITS
from course.faces.people import LOW_BROW

UNITS = list(ACTION_UNITS)


def rng(seed=0):
    return np.random.default_rng(seed)


FACES = sample_faces(rng(), 6000)


def test_every_column_is_documented_and_of_its_kind():
    assert list(FACES.columns) == list(COLUMNS)
    for name, column in COLUMNS.items():
        assert FACES[name].dtype.kind in {"int": "iu", "float": "f", "bool": "b", "str": "OUT"}[column.dtype]
        assert column.meaning
        assert FACES[name].notna().all()


def test_values_stay_in_the_range_that_their_column_names():
    checked = 0
    for name, column in COLUMNS.items():
        bounds = {"0-1": (0.0, 1.0), "-1..1": (-1.0, 1.0)}.get(column.unit)
        if bounds:
            assert FACES[name].between(*bounds).all(), name
            checked += 1
        elif column.unit == "standard deviations":
            assert abs(FACES[name].mean()) < 0.3
            assert 0.8 < FACES[name].std() < 1.2
            checked += 1
    assert checked > 30
    assert FACES["age"].between(18, 80).all()
    for name, accepted in CATEGORIES.items():
        assert set(FACES[name]) == set(accepted)


def test_names_of_people_expressions_and_places_never_decide_the_pixels():
    assert set(COLUMNS) - set(RENDERED) == {"face", "person", "expression", "intensity", "site"}


def test_the_same_seed_gives_the_same_rows_and_another_others():
    pd.testing.assert_frame_equal(sample_faces(rng(1), 20), sample_faces(rng(1), 20))
    assert (sample_faces(rng(2), 20)["seed"] != sample_faces(rng(1), 20)["seed"]).any()


def test_the_natural_mix_is_kept():
    shares = FACES["expression"].value_counts(normalize=True)
    for name, share in NATURAL_MIX.items():
        error = np.sqrt(share * (1 - share) / len(FACES))
        assert abs(shares.get(name, 0.0) - share) < 4 * error, name
    assert sum(NATURAL_MIX.values()) == pytest.approx(1.0)


def test_a_list_of_expressions_is_kept_in_order():
    names = list(EXPRESSIONS)
    assert sample_faces(rng(), len(names), mix=names)["expression"].tolist() == names


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_shows_its_prototype(name):
    strong = sample_expressions(rng(3), [name] * 300, 1.0)[UNITS].mean()
    rest = sample_expressions(rng(4), ["neutral"] * 300)[UNITS].mean()
    expression = EXPRESSIONS[name]
    for part in expression.parts:
        assert strong[part.unit] - rest[part.unit] > 0.4 * part.level * part.probability, part
    takes_part = {part.unit for part in expression.parts}
    takes_part |= {part.unit for options in expression.choices for parts in options for part in parts}
    for unit in set(UNITS) - takes_part:
        assert abs(strong[unit] - rest[unit]) < 0.06, unit


def test_units_grow_with_intensity_and_neutral_has_none():
    levels = [
        sample_expressions(rng(5), ["anger_closed"] * 200, strength)["AU04"].mean()
        for strength in (0.0, 0.3, 0.6, 1.0)
    ]
    assert (np.diff(levels) > 0.15).all()
    assert levels[0] < 0.05
    assert (sample_expressions(rng(6), ["neutral"] * 5, 1.0)["intensity"] == 0).all()


def test_the_states_that_resemble_anger_share_its_brows_but_not_its_mouth():
    mean = {
        name: sample_expressions(rng(7), [name] * 300, 1.0)[UNITS].mean()
        for name in ("anger_closed", "anger_open", "concentrating", "squinting", "shouting")
    }
    assert mean["concentrating"]["AU04"] > 0.4
    assert mean["squinting"]["AU04"] > 0.4
    for look_alike in ("concentrating", "squinting"):
        pressed = mean[look_alike][["AU23", "AU24"]].max()
        assert pressed < 0.5 * mean["anger_closed"][["AU23", "AU24"]].max()
        assert mean[look_alike]["AU10"] < 0.3 * mean["anger_open"]["AU10"]
    assert mean["shouting"]["AU25"] > 0.8
    assert mean["shouting"]["AU04"] < 0.1


def test_some_people_look_stern_at_rest():
    people = sample_people(rng(8), 5000)
    assert 0.08 < (people["brow_height"] < LOW_BROW).mean() < 0.16
    assert people["person"].tolist() == list(range(5000))


def test_one_person_keeps_the_traits_from_face_to_face():
    people = sample_people(rng(9), 5)
    faces = sample_faces(rng(10), 60, people=people)
    assert set(faces["person"]) == set(range(5))
    for person, group in faces.groupby("person"):
        for name in TRAITS:
            assert (group[name] == people[name][person]).all()
    assert faces["seed"].is_unique


def test_expressive_people_move_more():
    people = sample_people(rng(11), 2)
    people["expressiveness"] = [0.6, 1.4]
    faces = sample_faces(rng(12), 400, people=people, mix=["happiness"] * 400, intensity=0.5)
    mean = faces.groupby("person")["AU12"].mean()
    assert mean[1] > 1.8 * mean[0]


@pytest.mark.parametrize("site", SITES)
def test_a_site_is_what_it_says(site):
    scenes = sample_scenes(rng(13), 1500, site)
    assert list(scenes.columns) == list(SCENE)
    assert (scenes["site"] == site).all()
    for name in ("yaw", "light_x", "ambient", "exposure"):
        middle, spread = getattr(SITES[site], name)
        assert abs(scenes[name].mean() - middle) < 0.25 * spread + 0.02, name
    assert abs((scenes["occlusion"] != "none").mean() - SITES[site].occluded) < 0.03
    assert abs(scenes["glasses"].mean() - SITES[site].glasses) < 0.04


def test_sites_are_mixed_by_their_shares():
    faces = sample_faces(rng(14), 2000, sites={"atrium": 3, "studio": 1})
    assert 0.7 < (faces["site"] == "atrium").mean() < 0.8
    # Rows of different sites alternate; nothing is sorted by site.
    assert faces["site"].ne(faces["site"].shift()).sum() > 300


def test_a_scene_can_be_changed_one_thing_at_a_time():
    dark = sample_faces(rng(15), 300, exposure=(-1.5, 0.1), occluded=1.0)
    assert (dark["exposure"] < -1.0).all()
    assert (dark["occlusion"] != "none").all()
    plain = sample_faces(rng(15), 300, exposure=(-1.5, 0.1))
    assert (plain["yaw"] == dark["yaw"]).all()


def test_no_faces_are_a_table_without_rows():
    assert list(sample_faces(rng(), 0).columns) == list(COLUMNS)
    assert len(sample_people(rng(), 0)) == 0
    assert list(sample_expressions(rng(), []).columns) == list(EXPRESSION)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sample_faces(rng(), -1), ["n is -1", "0 or more"]),
        (lambda: sample_faces(rng(), 2.0), ["n is 2.0", "whole"]),
        (lambda: sample_faces(rng(), 2, mix={"rage": 1}), ["mix holds 'rage'", "anger_open"]),
        (lambda: sample_faces(rng(), 2, mix={"fear": -1}), ["mix is", "0 or more"]),
        (lambda: sample_faces(rng(), 2, mix=["fear"]), ["mix is", "2 expressions"]),
        (lambda: sample_faces(rng(), 2, sites="moon"), ["moon", "atrium"]),
        (lambda: sample_faces(rng(), 2, fog=1), ["fog", "ambient"]),
        (lambda: sample_faces(rng(), 2, people=FACES.head(0)), ["people has no rows"]),
        (lambda: sample_faces(rng(), 2, people=FACES[["person"]]), ["people lacks", "age"]),
        (lambda: sample_people(rng(), "many"), ["n is 'many'"]),
        (lambda: sample_expressions(rng(), ["fear"], 1.5), ["intensity holds 1.5", "0 to 1"]),
        (lambda: sample_expressions(rng(), ["fear"], [0.1, 0.2]), ["intensity has shape", "1 numbers"]),
        (lambda: sample_expressions(rng(), ["rage"]), ["names holds 'rage'"]),
    ],
)
def test_bad_input_is_named_in_one_sentence(call, words):
    with pytest.raises(ValueError, match="accepted") as caught:
        call()
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "\n" not in message
