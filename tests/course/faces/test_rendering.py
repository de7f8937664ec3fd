import numpy as np
import pandas as pd
import pytest

from course.faces import ACTION_UNITS, render, sample_faces
from course.faces.columns import CATEGORIES, RENDERED

EYE_LINE, MIDDLE, SCALE = 0.377, 0.49, 0.37

# Where each action unit shows: (left, right, top, bottom) in distances between the eyes, from the
# point between them.
BROWS = (-0.95, 0.95, -0.75, -0.05)
EYES = (-0.9, 0.9, -0.25, 0.35)
NOSE = (-0.45, 0.45, -0.2, 0.85)
MOUTH = (-0.75, 0.75, 0.65, 1.75)
CHIN = (-0.6, 0.6, 0.85, 1.75)
REGIONS = {
    "AU01": BROWS,
    "AU02": BROWS,
    "AU04": (-0.95, 0.95, -0.8, 0.4),
    "AU05": EYES,
    "AU06": (-1.0, 1.0, -0.2, 0.9),
    "AU07": EYES,
    "AU09": (-0.7, 0.7, -0.5, 1.75),
    "AU10": (-0.8, 0.8, 0.2, 1.4),
    "AU12": (-1.0, 1.0, 0.2, 1.5),
    "AU14": MOUTH,
    "AU15": MOUTH,
    "AU16": MOUTH,
    "AU17": CHIN,
    "AU20": MOUTH,
    "AU22": MOUTH,
    "AU23": MOUTH,
    "AU24": MOUTH,
    "AU25": MOUTH,
    "AU26": (-0.8, 0.8, 0.65, 2.0),
    "AU27": (-0.8, 0.8, 0.65, 2.0),
    "AU38": NOSE,
    "AU43": EYES,
}


@pytest.fixture(scope="module")
def everyday() -> pd.DataFrame:
    return sample_faces(np.random.default_rng(3), 60)


@pytest.fixture(scope="module")
def frontal() -> pd.DataFrame:
    """Ten bare-faced people at rest, looking straight into the camera."""
    names = ["neutral"] * 10
    faces = sample_faces(np.random.default_rng(4), 10, mix=names, sites="studio", frame_scale=(SCALE, 0.0))
    straight = ["yaw", "pitch", "roll", "frame_x", "frame_y", "noise", "blur", "light_x", "laterality"]
    return faces.assign(**dict.fromkeys([*straight, *ACTION_UNITS, "beard"], 0.0), hair_style="short")


def box(region: tuple[float, float, float, float], size: int) -> tuple[slice, slice]:
    """Return rows and columns of a region of a frontal face."""
    left, right, top, bottom = region
    columns = [round((MIDDLE + SCALE * x) * size) for x in (left, right)]
    rows = [round((EYE_LINE + SCALE * y) * size) for y in (top, bottom)]
    return slice(*(max(row, 0) for row in rows)), slice(*(max(column, 0) for column in columns))


def change(before: pd.DataFrame, after: pd.DataFrame) -> np.ndarray:
    """Return the mean absolute change of each pixel over the faces, in grey levels."""
    return np.abs(render(after).astype(float) - render(before)).mean(axis=0)


def test_the_same_row_is_always_the_same_picture(everyday):
    assert (render(everyday) == render(everyday.copy())).all()


def test_a_picture_depends_on_nothing_but_its_row(everyday):
    pictures = render(everyday)
    order = np.random.default_rng(0).permutation(len(everyday))
    assert (render(everyday.iloc[order]) == pictures[order]).all()
    assert (render(everyday.iloc[[41]]) == pictures[[41]]).all()


def test_names_that_only_labels_use_leave_the_pixels_alone(everyday):
    renamed = everyday.assign(face=7, person=7, expression="fear", intensity=0.0, site="studio")
    assert (render(renamed) == render(everyday)).all()


def test_another_seed_is_another_picture(everyday):
    assert (render(everyday.assign(seed=everyday["seed"] + 1)) != render(everyday)).mean() > 0.2


@pytest.mark.parametrize("unit", ACTION_UNITS)
def test_an_action_unit_changes_pixels_where_it_acts_and_hardly_elsewhere(frontal, unit):
    # A lower lip that is pulled down shows only between parted lips.
    rest = frontal.assign(AU25=0.6, AU26=0.3) if unit == "AU16" else frontal
    changed = change(rest, rest.assign(**{unit: 1.0}))
    inside = np.zeros(changed.shape, dtype=bool)
    inside[box(REGIONS[unit], 64)] = True
    assert changed[inside].max() > 5.0
    assert changed[inside].mean() > 2.5 * changed[~inside].mean()


def test_a_stronger_unit_changes_more(frontal):
    weak, strong = (change(frontal, frontal.assign(AU04=level)).mean() for level in (0.3, 1.0))
    assert strong > 1.5 * weak


def test_laterality_weakens_one_side(frontal):
    smile = frontal.assign(AU12=1.0)
    changed = change(smile, smile.assign(laterality=1.0))
    rows, _ = box(MOUTH, 64)
    assert changed[rows, :30].mean() > 1.5 * changed[rows, 34:].mean()


def test_a_frown_darkens_the_space_between_brows_and_eyes(frontal):
    rows, columns = box((-0.45, 0.45, -0.3, 0.0), 64)
    before, after = render(frontal)[:, rows, columns], render(frontal.assign(AU04=1.0))[:, rows, columns]
    assert before.mean() - after.mean() > 10.0


def test_teeth_brighten_a_smile_with_parted_lips(frontal):
    rows, columns = box((-0.3, 0.3, 0.85, 1.15), 64)
    closed = render(frontal.assign(AU12=0.9))[:, rows, columns]
    parted = render(frontal.assign(AU12=0.9, AU25=1.0))[:, rows, columns]
    assert np.percentile(parted, 95) - np.percentile(closed, 95) > 10.0


@pytest.mark.parametrize(
    ("changes", "region"),
    [
        ({"glasses": True}, EYES),
        ({"occlusion": "mask"}, MOUTH),
        ({"occlusion": "scarf"}, CHIN),
        ({"occlusion": "hand"}, CHIN),
    ],
)
def test_what_is_in_the_way_covers_its_part_of_the_face(frontal, changes, region):
    changed = change(frontal, frontal.assign(**changes))
    assert changed[box(region, 64)].mean() > max(3.0, 1.5 * changed.mean())


def test_more_exposure_is_brighter(frontal):
    levels = [render(frontal.assign(exposure=stops)).mean() for stops in (-1.0, 0.0, 1.0)]
    assert levels[0] + 10 < levels[1] < levels[2] - 10


def test_light_from_the_right_brightens_the_right_half(frontal):
    pictures = render(frontal.assign(light_x=0.9, ambient=0.25)).astype(float)
    middle = pictures[:, 20:50]
    assert middle[:, :, 36:52].mean() - middle[:, :, 10:26].mean() > 15.0


def test_blur_and_noise_do_what_they_say(frontal):
    plain = render(frontal).astype(float)
    edges = np.abs(np.diff(plain, axis=2)).mean()
    assert np.abs(np.diff(render(frontal.assign(blur=3.0)).astype(float), axis=2)).mean() < 0.6 * edges
    grain = render(frontal.assign(noise=10.0)) - plain
    assert 7.0 < grain.std() < 11.0


@pytest.mark.parametrize("size", [16, 48, 64, 97])
def test_sizes_and_colour_give_the_promised_shapes(everyday, size):
    few = everyday.head(3)
    grey, colour = render(few, size), render(few, size, color=True)
    assert grey.shape == (3, size, size)
    assert colour.shape == (3, size, size, 3)
    assert grey.dtype == colour.dtype == np.uint8


def test_no_rows_give_no_pictures(everyday):
    assert render(everyday.head(0)).shape == (0, 64, 64)


def test_colour_pictures_have_the_light_of_grey_ones_and_skin_is_warm(frontal):
    colour = render(frontal, color=True).astype(float)
    luminance = colour @ np.array([0.299, 0.587, 0.114])
    assert np.corrcoef(luminance.ravel(), render(frontal).ravel())[0, 1] > 0.97
    rows, columns = box((-0.5, 0.5, -0.2, 0.7), 64)
    assert colour[:, rows, columns, 0].mean() > colour[:, rows, columns, 2].mean() + 15.0


@pytest.mark.parametrize("size", [15, 513, 64.0, "64", True, None])
def test_refused_sizes_are_named(everyday, size):
    with pytest.raises(ValueError, match=r"^size is .*; accepted are whole numbers from 16 to 512 pixels\.$"):
        render(everyday, size)


@pytest.mark.parametrize("column", ["AU04", "hair_style", "seed", "yaw"])
def test_a_missing_column_is_named(everyday, column):
    with pytest.raises(ValueError, match=f"^faces lacks the column '{column}'; accepted are tables made by"):
        render(everyday.drop(columns=column))


def test_what_is_no_table_is_refused():
    with pytest.raises(ValueError, match=r"^faces is a list; accepted is a pandas DataFrame\.$"):
        render([{"AU04": 1.0}])


@pytest.mark.parametrize(("column", "word"), [("hair_style", "mohawk"), ("occlusion", "helmet")])
def test_an_unknown_category_is_named_with_what_is_accepted(everyday, column, word):
    with pytest.raises(ValueError, match=f"^faces holds '{word}' in {column}; accepted are .*, "):
        render(everyday.assign(**{column: word}))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_missing_number_is_named(everyday, value):
    with pytest.raises(ValueError, match=r"^faces holds a missing number in AU04; accepted are numbers\.$"):
        render(everyday.assign(AU04=value))


def test_every_column_that_the_renderer_asks_for_decides_pixels(everyday):
    # With an open mouth, because AU16 shows only there.
    faces = everyday.head(8).assign(AU25=0.8, AU26=0.4)
    base, idle = render(faces), []
    # Expressiveness has already multiplied the action units when a row is drawn.
    for name in set(RENDERED) - {"expressiveness"}:
        values = faces[name]
        if name in CATEGORIES:
            other = np.where(values == CATEGORIES[name][-1], CATEGORIES[name][0], CATEGORIES[name][-1])
        elif name == "glasses":
            other = ~values
        elif name == "seed":
            other = values + 1
        else:
            other = values + (0.7 if values.std() < 3 else 10.0)
        if (render(faces.assign(**{name: other})) == base).all():
            idle.append(name)
    assert not idle
