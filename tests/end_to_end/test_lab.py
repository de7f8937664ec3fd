"""Real JupyterLab in a real browser: what a learner sees from the first minute to the last point."""

import os
from pathlib import Path

import pytest
from browser import Notebook, chromium, jupyter_lab

from autograder import notebooks, simulate
from autograder.stage import load_stage, stage_folder

STAGE = "02_data_metrics"
# A folder named here receives the pictures, for people to look at.
PICTURES = os.environ.get("PICTURES")


@pytest.fixture(scope="module")
def exercises():
    return load_stage(stage_folder(STAGE))


@pytest.fixture(scope="module")
def lab(tmp_path_factory, exercises):
    """JupyterLab as `make lab` serves it, with a second notebook in which everything is answered."""
    workspace = tmp_path_factory.mktemp("workspace")
    learner = notebooks.build_learner(stage_folder(STAGE), exercises)
    notebooks.write_notebook(learner, workspace / "learner.ipynb")
    chosen = dict.fromkeys(exercises, simulate.REFERENCE)
    chosen["agreement"] = exercises["agreement"].mistakes[0].name
    answered = simulate.submission(workspace / "learner.ipynb", exercises, chosen)
    notebooks.write_notebook(answered, workspace / "answered.ipynb")
    with jupyter_lab(workspace) as address:
        yield workspace, address


@pytest.fixture
def browser():
    with chromium() as driver:
        yield driver


def look(notebook: Notebook, name: str) -> None:
    if PICTURES:
        notebook.screenshot(Path(PICTURES) / f"{name}.png")


def verdicts_of(notebook: Notebook, count: int) -> list[str]:
    """Return all verdicts on the page; on a busy machine it draws them after the cells are done."""

    def shown() -> list[str]:
        return [text for text in notebook.texts("[role='status']") if " points" in text]

    notebook.wait(lambda: len(shown()) >= count, 30)
    assert len(shown()) == count
    return shown()


def test_make_lab_hands_out_the_notebooks(lab):
    workspace, _ = lab
    handed_out = (workspace / f"{STAGE}.ipynb").read_bytes()
    assert handed_out == (stage_folder(STAGE) / f"{STAGE}.ipynb").read_bytes()


@pytest.mark.slow
def test_run_all_on_the_untouched_notebook_shows_no_error_and_three_live_widgets(lab, browser, exercises):
    _, address = lab
    notebook = Notebook(browser, address % f"{STAGE}.ipynb")
    look(notebook, "notebook")
    notebook.run_all()
    verdicts = verdicts_of(notebook, len(exercises))
    assert all("Not attempted" in text for text in verdicts)

    notebook.cell("widgets.move_action_units()")
    said = ".widget-html [role='status']"
    assert notebook.texts(said)[0].startswith("A face at rest: about 0 of 10 annotators would say angry")
    notebook.move_slider("brows lowered", 20)
    notebook.move_slider("lips pressed", 20)
    notebook.wait(lambda: notebook.texts(said)[0].startswith("Brows lowered 1, lips pressed 1"), 20)
    look(notebook, "action_units")

    notebook.cell("widgets.label_faces(lobby)")
    look(notebook, "labelling")
    for _ in range(30):
        notebook.click("calm")
    notebook.wait(lambda: any("kappa" in text for text in notebook.texts(".widget-html")), 20)
    look(notebook, "labelled")

    notebook.cell("widgets.catch_liars()")
    look(notebook, "liars")


@pytest.mark.slow
def test_the_interviewer_answers_in_words_and_offers_topics_when_it_is_unsure(lab, browser):
    _, address = lab
    notebook = Notebook(browser, address % "01_problem.ipynb")
    notebook.run_all()
    look(notebook, "stage_1")
    notebook.cell("widgets.chat(interview)")
    notebook.type("Ask in your own words", "does it have to run on the device?")
    notebook.wait(lambda: any("Arm processor" in text for text in notebook.texts(".widget-html")), 30)
    notebook.wait(lambda: any("Turns left: 11" in text for text in notebook.texts(".widget-html")), 10)
    notebook.type("Ask in your own words", "what about speed and light?")
    notebook.wait(lambda: any("I am not sure what you mean" in t for t in notebook.texts(".widget-html")), 30)
    assert any("Turns left: 11" in text for text in notebook.texts(".widget-html"))
    look(notebook, "interviewer")


@pytest.mark.slow
def test_answers_earn_points_a_mistake_is_named_and_the_portfolio_is_kept(lab, browser, exercises):
    workspace, address = lab
    notebook = Notebook(browser, address % "answered.ipynb")
    notebook.run_all()
    verdicts = verdicts_of(notebook, len(exercises))
    assert sum("Correct" in text for text in verdicts) == len(exercises) - 1
    named = next(text for text in verdicts if exercises["agreement"].mistakes[0].says in text)
    assert exercises["agreement"].mistakes[0].ask in named
    notebook.cell('stage.check("agreement"')
    look(notebook, "verdict")
    notebook.cell("stage.progress()")
    look(notebook, "progress")
    kept = sorted(path.name for path in (workspace / "portfolio").iterdir())
    assert kept == ["labels.csv", "split.csv"]
