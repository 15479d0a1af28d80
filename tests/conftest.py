"""The settings of the test session: reproducible property tests, thinned suites, and where the reference files lie."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

# Of tests side by side each has a processor; linear algebra on several threads would have them wait for each other.
# Libraries read this when they are first imported, which is after this file.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")

# Derandomised: a failure seen once is seen always. Without a deadline: the first call compiles.
settings.register_profile("default", derandomize=True, deadline=None, max_examples=30)
settings.load_profile("default")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Of the cases of a test with the marker `thinned(n)` one in n is ordinary, always the same ones; others are long.

    By a hash of their names, so that no parameter is left out; the first case of each test is always ordinary.
    """
    seen = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        marker = item.get_closest_marker("thinned")
        if marker is not None and test in seen and zlib.crc32(item.nodeid.encode()) % marker.args[0]:
            item.add_marker(pytest.mark.long)
        seen.add(test)


_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the repository; the test is skipped where it is absent."""
    if not _SHARED.is_dir():
        pytest.skip(f"needs the reference files in {_SHARED}, which are not part of the repository")
    return _SHARED


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in an empty folder, by its arguments; returns (exit code, standard output, standard error).

    In this process, as the installed program would, in lines of 200 characters.
    """
    from ridgesplines.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ridgesplines", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return int(exit_.value.code or 0), captured.out, captured.err

    return run
