"""Rendered faces on disk: the same pictures, drawn once, rebuilt when damaged, nothing left by a failure."""

import os
import resource
import shutil
import time

import numpy as np
import pytest

from course.faces import cache, render, render_cached, sample_faces
from course.store import CacheError, is_intact, write

FACES = sample_faces(np.random.default_rng(0), 5)


@pytest.fixture
def drawn(monkeypatch):
    """Sizes of the tables that were really drawn."""
    sizes = []

    def counting(faces, *rest):
        sizes.append(len(faces))
        return render(faces, *rest)

    monkeypatch.setattr(cache, "render", counting)
    return sizes


def kept(folder):
    return sorted(folder.iterdir())


def test_the_cache_gives_the_pictures_of_render(tmp_path):
    for color in (False, True):
        pictures = render_cached(FACES, 24, tmp_path, color)
        assert pictures.dtype == np.uint8
        assert (pictures == render(FACES, 24, color)).all()


def test_blocks_are_put_together_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_BLOCK", 2)
    assert (render_cached(FACES, 24, tmp_path) == render(FACES, 24)).all()


def test_pictures_are_mapped_from_the_file_and_cannot_be_changed(tmp_path):
    pictures = render_cached(FACES, 24, tmp_path)
    assert isinstance(pictures, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        pictures[0] = 0


def test_faces_are_drawn_once(tmp_path, drawn):
    render_cached(FACES, 24, tmp_path)
    render_cached(FACES, 24, tmp_path)
    assert [size for size in drawn if size] == [len(FACES)]


def test_names_of_faces_and_order_of_columns_do_not_draw_again(tmp_path, drawn):
    render_cached(FACES, 24, tmp_path)
    renamed = FACES[FACES.columns[::-1]].assign(face=9, person=9, expression="fear", site="atrium")
    render_cached(renamed.set_index("face"), 24, tmp_path)
    assert [size for size in drawn if size] == [len(FACES)]


@pytest.mark.parametrize(
    "change",
    [{"AU04": 0.123}, {"seed": 1}, {"glasses": True}, {"hair_style": "bald"}, {"occlusion": "mask"}],
)
def test_whatever_decides_the_pixels_decides_the_key(change):
    assert cache.content_key(FACES.assign(**change), 24) != cache.content_key(FACES, 24)


def test_size_colour_and_renderer_decide_the_key(monkeypatch):
    keys = {cache.content_key(FACES, 24), cache.content_key(FACES, 25), cache.content_key(FACES, 24, True)}
    monkeypatch.setattr(cache, "fingerprint", lambda *packages: "another")
    keys.add(cache.content_key(FACES, 24))
    assert len(keys) == 4


def test_a_folder_may_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "a" / "b"))
    render_cached(FACES, 24)
    assert len(kept(tmp_path / "a" / "b")) == 1


def test_no_faces_need_no_file(tmp_path):
    assert render_cached(FACES.head(0), 24, tmp_path).shape == (0, 24, 24)
    assert kept(tmp_path) == []


@pytest.mark.parametrize("damage", ["cut short", "header", "one bit", "digest", "longer", "empty"])
def test_a_damaged_file_is_built_again(tmp_path, damage):
    built = render_cached(FACES, 24, tmp_path).copy()
    (file,) = kept(tmp_path)
    content = file.read_bytes()
    middle = len(content) // 2
    file.unlink()
    file.write_bytes(
        {
            "cut short": content[:middle],
            "header": b"\0" + content[1:],
            "one bit": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "digest": content[:-1] + bytes([content[-1] ^ 1]),
            "longer": content + b"\0",
            "empty": b"",
        }[damage]
    )
    assert (render_cached(FACES, 24, tmp_path) == built).all()
    assert kept(tmp_path) == [file]
    assert file.read_bytes() == content


def test_ten_thousand_faces_are_checked_for_damage_within_a_second(tmp_path):
    path = tmp_path / "faces.npy"
    write(path, [bytes(10_000 * 64 * 64)])
    started = time.perf_counter()
    assert is_intact(path)
    assert time.perf_counter() - started < 1.0


def test_an_interrupted_build_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(faces, *rest):
        if len(faces) < 2:
            return render(faces, *rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(cache, "render", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render_cached(FACES, 24, tmp_path)
    assert kept(tmp_path) == []


def assert_refused(folder, *words):
    with pytest.raises(CacheError) as caught:
        render_cached(FACES, 24, folder)
    message = str(caught.value)
    assert all(word in message for word in (str(folder), "COURSE_CACHE", *words)), message
    assert "\n" not in message


def test_a_disk_that_fills_up_is_one_sentence_and_leaves_nothing(tmp_path):
    # The operating system itself refuses to write more than 1,000 bytes to a file.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        assert_refused(tmp_path, "File too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert kept(tmp_path) == []


def test_a_disk_known_to_be_too_small_is_refused_before_anything_is_drawn(tmp_path, monkeypatch, drawn):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    assert_refused(tmp_path, "MB are needed")
    assert not any(drawn)
    assert kept(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_drawn(tmp_path, drawn):
    (tmp_path / "file").write_text("in the way")
    assert_refused(tmp_path / "file" / "cache", "cannot be written")
    assert not any(drawn)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    assert_refused(tmp_path, "Permission denied")


def test_what_is_in_the_files_place_is_named(tmp_path):
    render_cached(FACES, 24, tmp_path)
    (file,) = kept(tmp_path)
    file.unlink()
    file.mkdir()
    assert_refused(tmp_path, file.name, "cannot be read")


def test_bad_faces_are_refused_as_by_render(tmp_path):
    with pytest.raises(ValueError, match="size is 3"):
        render_cached(FACES, 3, tmp_path)
    with pytest.raises(ValueError, match="AU04"):
        render_cached(FACES.drop(columns="AU04"), 24, tmp_path)
    assert kept(tmp_path) == []


def test_long_builds_say_how_far_they_are_and_short_ones_nothing(tmp_path, monkeypatch, capsys):
    render_cached(FACES, 24, tmp_path)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(cache, "_BLOCK", 2)
    monkeypatch.setattr(cache, "_QUIET_SECONDS", -1.0)
    render_cached(FACES, 25, tmp_path)
    said = capsys.readouterr().err
    assert "2 of 5" in said
    assert said.endswith("kept for next time.\n")
