"""The wheel and the source distribution: what they hold, and that the wheel alone fits data away from the clone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import documents
import pytest
from build import ProjectBuilder

import ridgesplines


@pytest.fixture(scope="module")
def distributions(tmp_path_factory) -> dict[str, Path]:
    """Both distributions, built by the tools that are installed: nothing is fetched."""
    folder = tmp_path_factory.mktemp("distributions")
    builder = ProjectBuilder(documents.ROOT, runner=_quietly)
    return {kind: Path(builder.build(kind, folder)) for kind in ("wheel", "sdist")}


def _quietly(command, cwd=None, extra_environ=None):
    subprocess.run(command, cwd=cwd, env={**os.environ, **(extra_environ or {})}, check=True, capture_output=True)


def test_the_version_is_in_one_place(distributions):
    assert "version" not in tomllib.loads(documents.read(documents.ROOT / "pyproject.toml"))["project"]
    assert all(f"ridgesplines-{ridgesplines.__version__}" in path.name for path in distributions.values())


def test_the_wheel_holds_the_package_and_nothing_else(distributions):
    with zipfile.ZipFile(distributions["wheel"]) as archive:
        names = set(archive.namelist())
    sources = {path.relative_to(documents.ROOT).as_posix() for path in (documents.ROOT / "ridgesplines").rglob("*.py")}
    held = {name for name in names if ".dist-info/" not in name}
    assert held == sources | {"ridgesplines/py.typed", "ridgesplines/data/motorcycle.csv"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_source_distribution_holds_what_builds_and_tests_it(distributions):
    with tarfile.open(distributions["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "CITATION.cff",
        "LICENSE",
        "docs/conf.py",
        "papers/README.md",
    }
    wanted |= {"ridgesplines/py.typed", "tests/conftest.py", "experiments/notebooks/first_steps.ipynb"}
    assert wanted <= names
    assert not [name for name in names if name.endswith((".pyc", ".nbi", ".nbc")) or name.startswith("results/")]


def test_the_wheel_fits_data_away_from_the_clone(distributions, tmp_path):
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(distributions["wheel"])], check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    code = "import ridgesplines.cli; print(ridgesplines.__file__); ridgesplines.cli.main()"
    arguments = ["fit", "motorcycle", "--strength", "84", "--json"]
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    place, _, report = run.stdout.partition("\n")
    assert Path(place).is_relative_to(target)
    fit = json.loads(report)
    assert fit["certificate"] == "exact"
    assert fit["relative_gap"] < 1e-6
