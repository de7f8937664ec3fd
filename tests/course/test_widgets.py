"""Widgets of the notebooks: real sliders moved, real buttons clicked, and the texts that say the same."""

import re
import subprocess
import sys

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from course import datasets, widgets
from course.crowd import GUIDELINES
from course.faces import ACTION_UNITS, render, sample_faces
from course.widgets.action_units import SLIDERS, STEPS, STORIES
from course.widgets.agreement import agreement, one_annotator
from course.widgets.pictures import image_tag, in_words, png
from course.widgets.tasks import make_task

PERSON = sample_faces(np.random.default_rng(0), 1, mix=["neutral"], sites="studio")
FACES = sample_faces(np.random.default_rng(1), 150)


@pytest.fixture(scope="module")
def lobby():
    return datasets.sample_lobby(np.random.default_rng(2), 500, 24)


@pytest.fixture
def panel():
    return widgets.move_action_units()


def in_a_box(box, *parts):
    """Whether every part can be reached from a box."""
    children = set()
    waiting = [box]
    while waiting:
        child = waiting.pop()
        children.add(child)
        waiting.extend(getattr(child, "children", ()))
    return set(parts) <= children


# ---- move the action units


def test_a_face_at_rest_looks_angry_to_nobody(panel):
    assert panel.votes < 0.5
    assert panel.describe() == (
        "A face at rest: about 0 of 10 annotators would say angry under guideline v2."
    )


def test_anger_appears_as_sliders_move_and_the_line_says_so(panel):
    before = panel.picture.value
    panel.sliders["AU04"].value = 0.8
    alone = panel.votes
    panel.sliders["AU24"].value = 0.6
    assert alone < 3 < 6 < panel.votes
    count = round(panel.votes)
    assert f"Brows lowered 0.8, lips pressed 0.6: about {count} of 10" in panel.line.value
    assert panel.line.value.count("&#9679;") == count
    assert panel.line.value.count("&#9675;") == 10 - count
    assert panel.picture.value != before


@pytest.mark.parametrize("unit", SLIDERS)
def test_every_slider_changes_the_picture(panel, unit):
    before = panel.picture.value
    panel.sliders[unit].value = 0.9
    after = panel.picture.value
    assert after.partition("alt=")[0] != before.partition("alt=")[0]
    assert panel.face[unit].iloc[0] == 0.9


def test_the_picture_is_the_rendered_face(panel):
    panel.sliders["AU26"].value = 0.7
    picture = png(render(panel.face, 192)[0])
    assert panel.picture.value == image_tag(picture, panel.describe(), 192)


def test_the_guideline_changes_who_says_angry(panel):
    panel.sliders["AU04"].value = 1.0
    strict = panel.votes
    panel.guideline.value = "v1"
    assert panel.votes > strict + 2
    assert "guideline v1" in panel.line.value
    assert GUIDELINES["v1"].split(".")[0] in panel.line.value


def test_start_again_brings_the_first_face_back(panel):
    before = panel.picture.value, panel.line.value
    for slider in panel.sliders.values():
        slider.value = 1.0
    assert panel.picture.value != before[0]
    panel.reset.click()
    assert (panel.picture.value, panel.line.value) == before


def test_the_panel_can_be_worked_with_the_keyboard(panel):
    for unit, slider in panel.sliders.items():
        assert isinstance(slider, ipywidgets.FloatSlider)
        assert slider.tabbable is not False
        assert not slider.disabled
        assert slider.description == SLIDERS[unit]
        assert unit in slider.tooltip
        # From end to end with the arrow keys in twenty presses.
        assert slider.step == 0.05
    assert in_a_box(panel.widget, *panel.sliders.values(), panel.guideline, panel.reset, panel.picture)


def test_a_given_face_keeps_what_no_slider_moves():
    face = PERSON.assign(AU01=0.7, AU04=0.4, AU12=0.0)
    panel = widgets.move_action_units(face.iloc[0], guideline="v1")
    assert panel.sliders["AU04"].value == 0.4
    panel.sliders["AU12"].value = 0.5
    assert panel.face["AU01"].iloc[0] == 0.7
    assert panel.face["person"].iloc[0] == face["person"].iloc[0]
    assert "nner brow raised 0.7" in panel.describe()


def test_the_text_says_what_the_panel_says(panel):
    panel.sliders["AU04"].value = 0.8
    panel.sliders["AU10"].value = 0.9
    told = widgets.describe_action_units(levels={"AU04": 0.8, "AU10": 0.9})
    assert told == panel.describe()


def test_the_static_figure_and_its_text_tell_the_same_story():
    figure = widgets.static_action_units()
    told = widgets.describe_action_units()
    assert figure.alt == told
    shown = [axis.texts[-1].get_text() for axis in figure.axes]
    for row, line in enumerate(told.splitlines()[1:]):
        counts = re.findall(r"\d+", line.partition(":")[2])
        assert shown[row * len(STEPS) : (row + 1) * len(STEPS)] == [f"{count} of 10" for count in counts]
    assert len(told.splitlines()) == 1 + len(STORIES)
    # Two units together look angry where neither does alone.
    last = [int(line.rstrip(".").split()[-1]) for line in told.splitlines()[1:]]
    assert max(last[:2]) <= 3
    assert min(last[2:]) >= 6


# ---- label faces


def test_thirty_faces_are_labelled_one_by_one_by_clicks(lobby):
    panel = widgets.label_faces(lobby)
    assert "1 of 30" in panel.progress.value
    shown = []
    for k in range(30):
        assert not panel.finished
        assert panel.agreement is None
        assert f"{k + 1} of 30" in panel.progress.value
        shown.append(panel.picture.value)
        panel.buttons[("angry", "calm", "unsure")[k % 3]].click()
    assert panel.finished
    assert len(set(shown)) == 30
    assert panel.votes.tolist() == ["angry", "calm", "unsure"] * 10
    assert panel.votes.index.name == "face"
    assert panel.votes.index.isin(lobby.faces["face"]).all()
    assert panel.votes.index.is_unique
    assert all(button.disabled for button in panel.buttons.values())


def test_the_face_shown_is_the_one_that_gets_the_vote(lobby):
    panel = widgets.label_faces(lobby, n=3)
    for _ in range(3):
        picture = panel.picture.value.partition("alt=")[0]
        panel.buttons["calm"].click()
        row = int(np.flatnonzero(lobby.faces["face"] == panel.votes.index[-1])[0])
        expected = image_tag(png(lobby.images[row], 192), "", 192).partition("alt=")[0]
        assert picture == expected


def test_undo_takes_back_the_last_answer_even_after_the_end():
    panel = widgets.label_faces(FACES, n=2)
    assert panel.undo.disabled
    first = panel.picture.value
    panel.buttons["angry"].click()
    assert "last answer: angry" in panel.progress.value
    panel.undo.click()
    assert panel.picture.value == first
    assert panel.votes.empty
    panel.buttons["calm"].click()
    panel.buttons["calm"].click()
    assert panel.result.value
    panel.undo.click()
    assert not panel.finished
    assert panel.result.value == ""
    assert not panel.buttons["angry"].disabled
    assert panel.votes.tolist() == ["calm"]


def test_clicks_after_the_end_change_nothing():
    panel = widgets.label_faces(FACES, n=1)
    panel.buttons["calm"].click()
    panel.answer("angry")
    assert panel.votes.tolist() == ["calm"]


def test_saying_what_the_crowd_says_is_perfect_agreement(lobby):
    task = make_task(lobby, 30, 0, "v2")
    panel = widgets.label_faces(lobby)
    for label in task.crowd:
        panel.buttons[label].click()
    assert panel.agreement.kappa == 1.0
    assert panel.agreement.share == 1.0
    assert "100%" in panel.describe()
    assert "no face" in panel.picture.value


def test_faces_on_which_you_and_the_crowd_differ_are_shown_with_both_answers():
    task = make_task(FACES, 12, 3, "v2")
    panel = widgets.label_faces(FACES, n=12, seed=3)
    flipped = {"angry": "calm", "calm": "angry", "unsure": "unsure"}
    wrong = np.flatnonzero(task.crowd != "unsure")[:2]
    for place, label in enumerate(task.crowd):
        panel.buttons[flipped[label] if place in wrong else label].click()
    assert panel.picture.value.count("<img") == 2
    for place in wrong:
        mine, crowd = flipped[task.crowd[place]], task.crowd[place]
        assert f"{place + 1}: you {mine}, crowd {crowd}" in panel.picture.value
        assert f"{place + 1} ({task.count(place)})" in panel.describe()
    assert panel.agreement.same == panel.agreement.compared - 2


def test_the_crowds_label_is_the_majority_of_its_votes_not_the_recorded_label(lobby):
    task = make_task(lobby, 60, 1, "v2")
    for place, face in enumerate(task.faces):
        votes = lobby.votes["vote"][lobby.votes["face"] == face].value_counts()
        angry, calm = votes.get("angry", 0), votes.get("calm", 0)
        assert (task.angry[place], task.calm[place]) == (angry, calm)
        assert task.crowd[place] == ("angry" if angry > calm else "calm" if calm > angry else "unsure")


def test_a_third_of_the_faces_is_angry_to_the_crowd_and_nobody_comes_twice(lobby):
    for seed in range(3):
        task = make_task(lobby, 30, seed, "v2")
        assert (task.crowd == "angry").sum() == 10
        pictures = [image.tobytes() for image in task.images]
        assert len(set(pictures)) == 30
    task = make_task(FACES, 30, 0, "v2")
    people = FACES.set_index("face")["person"][task.faces]
    assert people.is_unique


def test_the_same_seed_asks_for_the_same_faces(lobby):
    one, same, other = (make_task(lobby, 20, seed, "v2").faces.tolist() for seed in (5, 5, 6))
    assert one == same
    assert one != other


def test_few_faces_are_all_asked():
    task = make_task(FACES.head(7), 7, 0, "v2")
    assert sorted(task.faces) == FACES["face"].head(7).tolist()


def test_nothing_tells_the_answer_before_it_is_given(lobby):
    panel = widgets.label_faces(lobby)
    shown = panel.progress.value + panel.picture.value.partition("alt=")[2] + panel.result.value
    assert "crowd" not in shown
    assert not re.search(r"\b(angry|calm)\b", shown)
    assert "you" not in widgets.static_labelling(lobby).axes[0].get_title()


def test_the_panel_and_the_static_way_give_the_same_agreement(lobby):
    panel = widgets.label_faces(lobby, n=9, seed=2)
    answers = ["angry", "calm", "calm"] * 3
    for answer in answers:
        panel.buttons[answer].click()
    assert widgets.describe_labelling(lobby, n=9, seed=2, votes=answers) == panel.describe()
    figure = widgets.static_labelling(lobby, n=9, seed=2, votes=pd.Series(answers))
    assert figure.alt == panel.describe()
    framed = [axis for axis in figure.axes if axis.spines["top"].get_visible()]
    assert len(framed) == panel.picture.value.count("<img")
    assert figure.axes[1].get_title().startswith("2: you calm,\ncrowd ")


def test_a_labelling_figure_without_answers_shows_all_faces_and_describes_them():
    figure = widgets.static_labelling(FACES, n=8)
    assert [axis.get_title() for axis in figure.axes if axis.images] == [str(k) for k in range(1, 9)]
    lines = figure.alt.splitlines()
    assert GUIDELINES["v2"] in lines[0]
    assert len(lines) == 9


def test_corrupt_pictures_are_not_described_by_what_they_should_have_shown():
    clean = datasets.sample_lobby(np.random.default_rng(4), 60, 24, faults=False)
    spoilt = datasets.plant_faults(np.random.default_rng(5), clean, {"corrupt": 5})
    task = make_task(spoilt, len(spoilt), 0, "v2")
    corrupt = spoilt.hidden.faults["face"].tolist()
    words = dict(zip(task.faces.tolist(), task.words, strict=True))
    assert {face for face, text in words.items() if text == "a corrupt picture"} == set(corrupt)


def test_real_data_without_known_rows_can_be_labelled(lobby):
    real = datasets.Dataset(lobby.faces, lobby.votes, lobby.images)
    panel = widgets.label_faces(real, n=4)
    assert 'alt="Face 1 of 4"' in panel.picture.value
    assert widgets.describe_labelling(real, n=4).count("\n") == 0


# ---- agreement


def test_kappa_is_that_of_scikit_learn_on_the_faces_both_decided():
    rng = np.random.default_rng(6)
    for _ in range(20):
        yours, crowd = rng.choice(["angry", "calm", "unsure"], (2, 40), p=[0.3, 0.5, 0.2])
        found = agreement(rng, yours, crowd)
        both = (yours != "unsure") & (crowd != "unsure")
        assert found.kappa == pytest.approx(cohen_kappa_score(yours[both], crowd[both]))
        assert found.compared == both.sum()
        assert found.left_out == 40 - both.sum()
        assert found.share == pytest.approx((yours == crowd)[both].mean())
        assert found.low < found.kappa < found.high


def test_the_interval_covers_the_true_kappa_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    covered = []
    # Labels that agree on 85 % and say angry on half: kappa 0.7.
    for _ in range(300):
        crowd = rng.choice(["angry", "calm"], 60)
        other = np.where(crowd == "angry", "calm", "angry")
        found = agreement(rng, np.where(rng.random(60) < 0.85, crowd, other), crowd)
        covered.append(found.low <= 0.7 <= found.high)
    assert 0.88 <= np.mean(covered) <= 0.99


def test_what_cannot_be_computed_is_said_not_made_up():
    rng = np.random.default_rng(8)
    one_label = agreement(rng, ["calm"] * 5, ["calm"] * 5)
    assert np.isnan(one_label.kappa)
    assert "undefined" in str(one_label)
    nothing = agreement(rng, ["unsure"] * 3, ["angry"] * 3)
    assert np.isnan(nothing.share)
    assert "nothing to compare" in str(nothing)
    lone = agreement(rng, ["angry", *["calm"] * 4], ["angry", *["calm"] * 4])
    assert lone.kappa == 1.0
    assert np.isnan(lone.low)
    assert "too few" in str(lone)


def test_one_label_for_every_face_earns_no_kappa_and_no_interval():
    found = agreement(np.random.default_rng(9), ["calm"] * 20, ["calm"] * 14 + ["angry"] * 6)
    assert found.kappa == pytest.approx(0.0)
    assert np.isnan(found.low)
    assert "kappa is 0.00, with too few" in str(found)


def test_one_annotator_is_compared_with_the_others_without_the_own_vote():
    # 2:1 - each angry vote meets 1:1 (a tie), the calm one 2:0 (differs). 4:0 - all four agree.
    assert one_annotator(np.array([2]), np.array([1])) == 0.0
    assert one_annotator(np.array([2, 4]), np.array([1, 0])) == pytest.approx(4 / 5)
    assert np.isnan(one_annotator(np.array([1]), np.array([0])))


def test_words_name_what_shows_and_what_hides():
    none = dict.fromkeys(ACTION_UNITS, 0.0)
    plain = PERSON.assign(**none)
    assert in_words(plain) == ["a face at rest"]
    masked = plain.assign(AU04=0.8, occlusion="mask", resolution=12.0)
    (words,) = in_words(masked)
    assert words == "brows lowered and drawn together 0.8; partly behind a mask; hard to make out"


# ---- in notebooks


@pytest.mark.parametrize("make", [widgets.move_action_units, lambda: widgets.label_faces(FACES)])
def test_a_panel_shows_as_a_widget_and_as_a_sentence_elsewhere(make):
    panel = make()
    bundle = panel._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.widget.model_id
    assert bundle["text/plain"] == panel.describe()


def test_a_figure_shows_once_with_its_text_for_screen_readers():
    figure = widgets.static_action_units()
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert f'alt="{figure.alt}"' in bundle["text/html"]
    assert figure.png().startswith(b"\x89PNG")


def test_text_for_screen_readers_cannot_break_out_of_its_attribute():
    assert 'alt="&quot;&gt;&lt;b&gt;"' in image_tag(b"", '"><b>')


def test_importing_the_widgets_is_light():
    heavy = {"matplotlib", "ipywidgets", "PIL"}
    code = f"import sys, course.widgets; print({heavy} & set(sys.modules) or 'light')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "light"


def test_a_notebook_with_the_widgets_runs_headless():
    import nbformat
    from nbclient import NotebookClient

    cells = [
        "import numpy as np\nfrom course import widgets\nfrom course.faces import sample_faces",
        "widgets.move_action_units()",
        "widgets.static_action_units()",
        "faces = sample_faces(np.random.default_rng(0), 40)\nmine = widgets.label_faces(faces, n=6)\nmine",
        "mine.votes",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [set(cell.outputs[-1].data) if cell.outputs else set() for cell in notebook.cells]
    assert shown[1] == shown[3] == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert shown[2] >= {"text/html", "text/plain"}
    assert "alt=" in notebook.cells[2].outputs[-1].data["text/html"]


# ---- bad input


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: widgets.move_action_units(guideline="v9"), ["guideline is 'v9'", "v1, v2"]),
        (lambda: widgets.move_action_units(FACES), ["face has 150 rows", "one face"]),
        (lambda: widgets.static_action_units(7), ["face is a int"]),
        (lambda: widgets.describe_action_units(levels={"AU99": 0.1}), ["levels holds 'AU99'", "AU04"]),
        (lambda: widgets.describe_action_units(levels={"AU04": 2}), ["levels holds 2", "0 to 1"]),
        (lambda: widgets.label_faces(FACES, n=151), ["n is 151", "1 to 150"]),
        (lambda: widgets.label_faces(FACES, n=0), ["n is 0", "1 to 150"]),
        (lambda: widgets.label_faces([1, 2]), ["source is a list"]),
        (lambda: widgets.label_faces(FACES, guideline="v9"), ["guideline is 'v9'"]),
        (lambda: widgets.label_faces(FACES, n=1).answer("happy"), ["'happy'", "angry, calm, unsure"]),
        (lambda: widgets.static_labelling(FACES, n=3, votes=["calm"]), ["votes has 1", "accepted are 3"]),
        (lambda: widgets.describe_labelling(FACES, n=1, votes=["sad"]), ["votes holds 'sad'"]),
        (lambda: agreement(np.random.default_rng(0), ["calm"], []), ["yours has 1", "0"]),
    ],
)
def test_bad_input_is_named_in_one_sentence(call, words):
    with pytest.raises(ValueError, match="accepted") as caught:
        call()
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "\n" not in message
