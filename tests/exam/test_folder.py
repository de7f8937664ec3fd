"""Who handed in: names, links and files that are not what they seem."""

import os
import socket
import time

import pytest
from handing_in import LIMITS, STAGE, TIGHT

from autograder.exam.intake import IntakeError, Submission, find_submissions, read_file


@pytest.fixture
def submitted(tmp_path):
    folder = tmp_path / "submitted"
    folder.mkdir()
    hand_in(folder, "alice")
    return folder


def hand_in(submitted, learner, file=f"{STAGE}.ipynb", data=b"{}"):
    folder = submitted / learner / STAGE
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(data)
    return folder / file


def unreadable(submitted, learner, limits=LIMITS):
    with pytest.raises(IntakeError) as caught:
        read_file(submitted, learner, STAGE, limits)
    return str(caught.value)


def test_a_notebook_or_a_zip_is_found_and_read(submitted):
    hand_in(submitted, "bob", "work.zip", b"PK")
    hand_in(submitted, "cem", f"{STAGE} (1).ipynb", b"[]")
    for scratch in ("Untitled.ipynb", "timestamp.txt", ".work.zip", "data.csv"):
        hand_in(submitted, "alice", scratch)
    (submitted / "dora" / "02_other").mkdir(parents=True)
    found, problems = find_submissions(submitted, STAGE)
    assert found == [Submission(name, STAGE) for name in ("alice", "bob", "cem")]
    assert problems == []
    assert [read_file(submitted, each.learner, STAGE) for each in found] == [b"{}", b"PK", b"[]"]


def test_a_hard_link_is_a_file_like_any_other(submitted):
    file = submitted / "alice" / STAGE / f"{STAGE}.ipynb"
    os.link(file, submitted.parent / "other")
    assert read_file(submitted, "alice", STAGE) == b"{}"


def test_links_are_not_followed_on_any_level(submitted):
    secret = submitted.parent / "secret"
    hand_in(secret, "x", data=b"secret")
    hand_in(secret, "x", "other.zip")
    (submitted / "learner").symlink_to(secret / "x")
    (submitted / "stage").mkdir()
    (submitted / "stage" / STAGE).symlink_to(secret / "x" / STAGE)
    (submitted / "file" / STAGE).mkdir(parents=True)
    (submitted / "file" / STAGE / f"{STAGE}.ipynb").symlink_to(secret / "x" / STAGE / f"{STAGE}.ipynb")
    (submitted / "stage2").mkdir()
    (submitted / "stage2" / STAGE).symlink_to("nowhere")
    found, problems = find_submissions(submitted, STAGE)
    # They are listed, so that each gets its zero and its reason.
    assert [each.learner for each in found] == ["alice", "file", "learner", "stage", "stage2"]
    assert problems == []
    for learner in ("learner", "stage", "file", "stage2"):
        assert "links are not followed" in unreadable(submitted, learner)


def test_a_folder_reached_through_a_link_may_hold_the_class(submitted):
    link = submitted.parent / "link"
    link.symlink_to(submitted)
    assert read_file(link, "alice", STAGE) == b"{}"


@pytest.mark.parametrize("kind", ["fifo", "folder", "socket", "device"])
def test_only_regular_files_are_read(submitted, kind, monkeypatch):
    file = hand_in(submitted, "bob")
    file.unlink()
    if kind == "fifo":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind == "socket":
        # A socket's path must be short.
        monkeypatch.chdir(file.parent)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(file.name)
    else:
        try:
            os.mknod(file, 0o600 | 0o020000, os.makedev(1, 5))
        except PermissionError:
            pytest.skip("only root may make devices")
    start = time.monotonic()
    said = unreadable(submitted, "bob")
    assert "not a regular file" in said or "cannot be read" in said
    assert time.monotonic() - start < 5


def test_a_file_of_two_gigabytes_is_refused_unread(submitted, monkeypatch):
    os.truncate(hand_in(submitted, "bob"), 2 << 30)
    monkeypatch.setattr(os, "fdopen", None)
    assert "2,147.5 MB; at most 50 MB" in unreadable(submitted, "bob")


def test_a_file_that_grows_while_it_is_read_is_refused(submitted, monkeypatch):
    file = hand_in(submitted, "bob", data=b"x" * 10)
    dup = os.dup

    def grow(descriptor):
        file.write_bytes(b"x" * (TIGHT.file_bytes + 100))
        return dup(descriptor)

    monkeypatch.setattr(os, "dup", grow)
    assert "at most" in unreadable(submitted, "bob", TIGHT)


def test_reading_leaves_no_descriptor_open(submitted):
    (submitted / "bob" / STAGE).mkdir(parents=True)
    before = os.listdir("/proc/self/fd")
    read_file(submitted, "alice", STAGE)
    unreadable(submitted, "bob")
    unreadable(submitted, "nobody")
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("learner", ["..", ".", "", "a/b", "../submitted/alice", "a\0b"])
def test_a_learner_that_is_a_path_is_refused(submitted, learner):
    assert "not the name of a folder" in unreadable(submitted, learner)


def test_what_is_missing_is_said(submitted):
    (submitted / "bob" / STAGE).mkdir(parents=True)
    assert f"holds no {STAGE}.ipynb and no zip" in unreadable(submitted, "bob")
    assert "'nobody' cannot be read: No such file" in unreadable(submitted, "nobody")
    assert find_submissions(submitted, STAGE)[0][1].learner == "bob"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("eve\u202egpj", "'eve\\u202egpj'"),
        ("eve\nmallory", "'eve\\nmallory'"),
        ("eve\x1b[2J", "'eve\\x1b[2J'"),
        ("eve\u200b", "'eve\\u200b'"),
        (os.fsdecode(b"eve\xff"), "'eve\\udcff'"),
        (".eve", "'.eve'"),
        ("eve..", "'eve..'"),
        ("e" * 101, f"'{'e' * 100}...'"),
    ],
)
def test_a_name_that_could_deceive_is_set_aside_and_shown_escaped(submitted, name, shown):
    hand_in(submitted, name)
    found, (problem,) = find_submissions(submitted, STAGE)
    assert found == [Submission("alice", STAGE)]
    assert problem.startswith(f"learner {shown}: a folder name has 1 to 100 visible characters")
    assert problem.isprintable()


def test_names_in_other_alphabets_and_with_spaces_are_welcome(submitted):
    names = ["José Niño", "Ольга", "李小龍", "o'brien"]
    for name in names:
        hand_in(submitted, name)
    found, problems = find_submissions(submitted, STAGE)
    assert ({each.learner for each in found}, problems) == ({"alice", *names}, [])


@pytest.mark.parametrize("twin", ["Alice", "\uff41lice", "ALICE", "alice "])
def test_two_submissions_of_one_learner_are_both_set_aside(submitted, twin):
    hand_in(submitted, "bob")
    hand_in(submitted, twin)
    found, problems = find_submissions(submitted, STAGE)
    assert found == [Submission("bob", STAGE)]
    assert ["two submissions of one learner" in problem for problem in problems] == [True, True]


def test_a_name_in_decomposed_form_is_set_aside(submitted):
    hand_in(submitted, "Jose\u0301")
    found, (problem,) = find_submissions(submitted, STAGE)
    assert (len(found), "composed form (NFC)" in problem) == (1, True)
    hand_in(submitted, "Jos\u00e9")
    _, problems = find_submissions(submitted, STAGE)
    assert ["two submissions" in problem for problem in problems] == [True, True]


@pytest.mark.parametrize("second", ["work.zip", "WORK.ZIP", f"{STAGE}-Copy1.ipynb", f"{STAGE.upper()}.ipynb"])
def test_two_files_that_could_be_the_submission_are_set_aside(submitted, second):
    hand_in(submitted, "bob")
    hand_in(submitted, "bob", second)
    found, (problem,) = find_submissions(submitted, STAGE)
    assert found == [Submission("alice", STAGE)]
    assert problem.startswith("learner 'bob': 2 files could be the submission")
    assert second in problem
    assert "2 files could be the submission" in unreadable(submitted, "bob")


def test_a_folder_that_leads_to_itself_is_set_aside(submitted):
    (submitted / "loop").symlink_to("loop")
    found, (problem,) = find_submissions(submitted, STAGE)
    assert (len(found), problem.startswith("learner 'loop': the folder cannot be read")) == (1, True)


def test_a_stage_that_is_no_folder_gets_its_reason_when_it_is_read(submitted):
    (submitted / "bob").mkdir()
    (submitted / "bob" / STAGE).write_bytes(b"{}")
    found, problems = find_submissions(submitted, STAGE)
    assert ([each.learner for each in found], problems) == (["alice", "bob"], [])
    assert "cannot be read: Not a directory" in unreadable(submitted, "bob")


def test_a_notebook_beside_the_learners_folders_is_reported(submitted):
    (submitted / "bob.ipynb").write_bytes(b"{}")
    (submitted / "README.md").write_bytes(b"")
    found, (problem,) = find_submissions(submitted, STAGE)
    assert len(found) == 1
    assert "file 'bob.ipynb': it lies in" in problem


def test_an_unknown_layout_is_refused_with_the_one_expected(submitted):
    for folder, stage in ((submitted / "nowhere", STAGE), (submitted, "02_other")):
        with pytest.raises(
            ValueError, match=rf"submitted: .* expected is .*/<learner>/{stage}/{stage}.ipynb"
        ):
            find_submissions(folder, stage)
