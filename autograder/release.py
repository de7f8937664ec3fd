"""A standard nbgrader course folder for a class: source, release, configuration.

Everything that is written here is nbgrader's own layout; stock `nbgrader generate_assignment`, `validate`,
`autograde`, `generate_feedback` and `export` work on it.
"""

from __future__ import annotations

import json
import os
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from autograder import notebooks
from autograder.exam.seeds import make_secret
from autograder.stage import CLASS_FILE, load_stage

CONFIG = f'''"""nbgrader's settings for this course folder. Add your own below."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "ml_design"
c.ClearSolutions.code_stub = {{"python": "{notebooks.STUB}"}}
c.ClearSolutions.text_stub = "{notebooks.TEXT_STUB}"
# Some demonstrations draw thousands of faces the first time they run.
c.ExecutePreprocessor.timeout = 300
'''


def prepare(course: Path, folders: Iterable[Path], solutions: bool, replace: bool) -> list[str]:
    """Write the course folder and release each stage; return a sentence per stage.

    course: the folder to make or to update.  folders: stage folders.
    solutions: whether `stage.solution` works for this class.
    replace: overwrite a source notebook that someone edited; otherwise ValueError names it.
    """
    plans = []
    for folder in folders:
        notebook = notebooks.build_solved(folder, load_stage(folder))
        file = course / "source" / folder.name / f"{folder.name}.ipynb"
        plans.append((folder.name, notebook, file))
        if file.exists() and not replace and file.read_text("utf-8") != notebooks.to_text(notebook):
            raise ValueError(
                f"course: {file} differs from this version of the course; pass --replace to overwrite it"
            )
    config = course / "nbgrader_config.py"
    course.mkdir(parents=True, exist_ok=True)
    if not config.exists():
        config.write_text(CONFIG, encoding="utf-8")
    make_secret(course)
    said = []
    for name, notebook, file in plans:
        file.parent.mkdir(parents=True, exist_ok=True)
        notebooks.write_notebook(notebook, file)
        settings = json.dumps({"solutions": solutions}) + "\n"
        (file.parent / CLASS_FILE).write_text(settings, encoding="utf-8")
        _generate(course, name)
        said.append(f"{name}: source and release are ready in {course}")
    return said


def _generate(course: Path, name: str) -> None:
    """Let nbgrader make the released version and enter the assignment into its gradebook."""
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    # nbgrader starts alembic by its bare name; here it is also found where no environment is activated.
    os.environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + os.environ.get("PATH", "")
    config = Config(PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config())
    config.CourseDirectory.root = str(course.resolve())
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    result = api.generate_assignment(name, force=True, create=True)
    if not result["success"]:
        last = (result.get("error") or result.get("log") or "no reason given").strip().splitlines()[-1]
        raise ValueError(f"course: nbgrader could not release {name}: {last}")
