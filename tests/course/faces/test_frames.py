"""Frames: boxes and overlaps are what the pictures show; the simulated detector keeps its figures."""

import numpy as np
import pandas as pd
import pytest

from course.faces import frames, render


@pytest.fixture(scope="module")
def scene():
    return frames.sample_frames(np.random.default_rng(5), [0, 1, 8, 30], width=400, height=200)


def boxes_of(sides, hidden=0.0):
    """One frame a face, each of one size."""
    sides = np.asarray(sides, dtype=float)
    numbers = np.arange(len(sides))
    columns = {"frame": numbers, "face": numbers, "x": 100.0, "y": 60.0, "side": sides, "depth": 0}
    return pd.DataFrame(columns | {"hidden": hidden})


def test_each_frame_has_the_faces_asked_for_and_every_box_lies_inside(scene):
    boxes = scene.boxes
    assert list(boxes) == list(frames.BOX_COLUMNS)
    assert boxes.groupby("frame").size().to_dict() == {1: 1, 2: 8, 3: 30}
    assert scene.images.shape == (4, 200, 400)
    assert scene.images.dtype == np.uint8
    assert (boxes[["x", "y"]] >= 0).all().all()
    assert (boxes["x"] + boxes["side"] <= 400).all()
    assert (boxes["y"] + boxes["side"] <= 200).all()
    assert sorted(boxes["face"]) == list(range(len(scene.faces)))


def test_nearer_faces_are_larger_and_nothing_hides_the_nearest(scene):
    for _, here in scene.boxes.groupby("frame"):
        by_depth = here.sort_values("depth")
        assert by_depth["depth"].tolist() == list(range(len(here)))
        assert by_depth["side"].is_monotonic_decreasing
        assert by_depth["hidden"].iloc[0] == 0
    assert scene.boxes["hidden"].between(0, 1).all()
    assert scene.boxes["hidden"].max() > 0.1


def test_hidden_share_counts_what_nearer_boxes_cover_once():
    half = [0.0, 0.0, 24.0], [12.0, 0.0, 24.0], [12.0, 0.0, 24.0]
    np.testing.assert_allclose(frames.hidden_shares(np.array(half)), [0.5, 1.0, 0.0])


def test_the_picture_shows_the_face_where_its_box_is(scene):
    box = scene.boxes[scene.boxes["frame"] == 1].iloc[0]
    side, x, y = int(box["side"]), int(box["x"]), int(box["y"])
    face = render(scene.faces.iloc[[int(box["face"])]], side)[0]
    middle = slice(side // 4, 3 * side // 4)
    np.testing.assert_allclose(
        scene.images[1][y : y + side, x : x + side][middle, middle], face[middle, middle]
    )


def test_a_nearer_face_is_painted_over_a_farther_one():
    faces = frames.sample_faces(np.random.default_rng(1), 2, sites="studio")
    boxes = pd.concat([boxes_of([40.0]), boxes_of([40.0])]).assign(frame=0, face=[0, 1], depth=[1, 0])
    picture = frames.draw(np.random.default_rng(2), faces, boxes, 1)[0]
    near = render(faces.iloc[[1]], 40)[0]
    np.testing.assert_allclose(picture[60:100, 100:140][10:30, 10:30], near[10:30, 10:30])


def test_the_same_seed_gives_the_same_frames():
    first, second = (frames.sample_frames(np.random.default_rng(9), [3]) for _ in range(2))
    assert (first.images == second.images).all()
    pd.testing.assert_frame_equal(first.boxes, second.boxes)


@pytest.mark.parametrize(("side", "hidden"), [(12, 0.0), (18, 0.0), (40, 0.0), (40, 0.5), (80, 0.9)])
def test_faces_are_found_as_often_as_size_and_cover_say(side, hidden):
    n = 4000
    found = frames.find_faces(np.random.default_rng(side), boxes_of(np.full(n, side), hidden))
    share = (found["face"] >= 0).mean() * len(found) / n
    chance = float(frames.chance_found(side, hidden))
    assert abs(share - chance) < 4.5 * np.sqrt(chance * (1 - chance) / n)


def test_small_and_hidden_faces_are_found_less_often():
    sides, shares = np.arange(8, 100), np.linspace(0, 1, 20)
    assert (np.diff(frames.chance_found(sides)) > 0).all()
    assert (np.diff(frames.chance_found(50, shares)) < 0).all()
    assert frames.chance_found(frames.HALF_FOUND) == pytest.approx(frames.MOST_FOUND / 2)


def test_boxes_are_a_little_off_and_false_ones_are_few():
    n = 3000
    truth = boxes_of(np.full(n, 40.0))
    found = frames.find_faces(np.random.default_rng(3), truth)
    real = found[found["face"] >= 0]
    squares = real[["x", "y", "side"]].to_numpy()
    overlap = frames.overlaps(squares, truth[["x", "y", "side"]].to_numpy()[:1])[:, 0]
    assert 0.7 < np.median(overlap) < 0.95
    false = (found["face"] < 0).sum()
    assert abs(false - frames.FALSE_BOXES * n) < 4.5 * np.sqrt(frames.FALSE_BOXES * n)
    assert real["score"].median() > found.loc[found["face"] < 0, "score"].median()
    assert found["frame"].is_monotonic_increasing


def test_overlap_of_boxes_is_their_intersection_over_their_union():
    first = [[0, 0, 10]]
    second = [[0, 0, 10], [5, 0, 10], [20, 20, 5], [0, 0, 5]]
    np.testing.assert_allclose(frames.overlaps(first, second), [[1, 1 / 3, 0, 0.25]])


def test_an_outline_changes_only_the_rim_of_its_box(scene):
    picture = scene.images[2]
    drawn = frames.outlined(picture, boxes_of([40.0]))
    changed = np.argwhere(drawn != picture)
    assert len(changed) > 100
    assert (drawn[60, 100:140] == 255).all()
    assert (drawn[63:97, 103:137] == picture[63:97, 103:137]).all()


def test_no_frames_and_no_faces_are_no_trouble():
    empty = frames.sample_frames(np.random.default_rng(0), [])
    assert empty.images.shape == (0, frames.HEIGHT, frames.WIDTH)
    assert len(frames.find_faces(np.random.default_rng(0), empty.boxes)) == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"counts": [2, -1]}, "counts"),
        ({"counts": [1.5]}, "counts"),
        ({"counts": [1], "width": 10}, "width"),
        ({"counts": [1], "overlap": 2.0}, "overlap"),
    ],
)
def test_errors_name_the_argument(arguments, named):
    with pytest.raises(ValueError, match=named):
        frames.place_faces(np.random.default_rng(0), **arguments)


def test_tables_without_their_columns_are_refused():
    with pytest.raises(ValueError, match="hidden"):
        frames.find_faces(np.random.default_rng(0), boxes_of([40.0]).drop(columns="hidden"))
