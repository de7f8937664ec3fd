"""The files that install the course do so, from what they say and nothing else."""

import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest

from autograder.notebooks import notebook_file, source_file
from autograder.stage import stage_folders

ROOT = Path(__file__).resolve().parents[2]


def lock():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return dict(line.lower().replace("_", "-").split("==") for line in lines if line.strip())


def pip_section():
    """Return the pip arguments that environment.yml lists."""
    section = (ROOT / "environment.yml").read_text().split("- pip:\n")[1]
    return [word for line in section.splitlines() for word in line.strip().removeprefix("- ").split()]


def test_the_lock_pins_all_that_is_installed_here_and_what_the_ranges_ask():
    from packaging.requirements import Requirement

    locked = lock()
    # Only what pip installed: setuptools puts copies of its own on the path when it is imported.
    found = distributions(path=[sysconfig.get_path("purelib")])
    installed = {d.metadata["Name"].lower().replace("_", "-").replace(".", "-"): d for d in found}
    ours = installed["ml-design-course"]
    for text in ours.requires:
        requirement = Requirement(text)
        name = requirement.name.lower()
        assert name in locked, f"{name} is not in requirements.lock"
        assert requirement.specifier.contains(locked[name]), text
    extra = {"ml-design-course", "pip", "setuptools"}
    missing = installed.keys() - {name.replace(".", "-") for name in locked} - extra
    assert not missing, f"installed but not locked: {missing}"


def test_no_file_names_a_registry_or_a_machine():
    files = ["requirements.lock", "environment.yml", "Makefile", "pyproject.toml", "scripts/system-packages"]
    for name in files:
        text = (ROOT / name).read_text()
        assert not re.search(r"https?://|index-url|/root/|/home/", text), name


def test_the_wheel_carries_the_stages_with_their_exercises(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    for folder in stage_folders().values():
        files = [source_file(folder), notebook_file(folder), *(folder / "exercises").glob("*.py")]
        assert not {f"autograder/stages/{file.relative_to(ROOT)}" for file in files} - set(names)
    data = [
        file for file in (ROOT / "course").rglob("*") if file.suffix in (".csv", ".toml", ".txt", ".json")
    ]
    assert data
    assert not {str(file.relative_to(ROOT)) for file in data} - set(names)


@pytest.mark.slow
def test_the_pip_section_of_the_conda_file_installs_a_working_course(tmp_path):
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "--no-compile", *pip_section()]
    subprocess.run(install, check=True, cwd=ROOT, capture_output=True)
    code = "import course, autograder.stage as s; print(*s.load_stage(s.stage_folder('02_data_metrics')))"
    run = subprocess.run([python, "-c", code], check=True, cwd=tmp_path, capture_output=True, text=True)
    assert "agreement" in run.stdout
