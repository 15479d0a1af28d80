"""The settings of the test session: reproducible property tests, and where the reference files lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# Derandomised: a failure seen once is seen always. Without a deadline: the first call compiles.
settings.register_profile("default", derandomize=True, deadline=None, max_examples=30)
settings.load_profile("default")

_SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the repository; the test is skipped where it is absent."""
    if not _SHARED.is_dir():
        pytest.skip(f"needs the reference files in {_SHARED}, which are not part of the repository")
    return _SHARED
