"""The problems of the row `peers` against the best objectives that anyone has reached there, in the reference files."""

from __future__ import annotations

import json

import numpy as np
import pytest

import ridgesplines as rs
from experiments.benchmarks.peers import DIABETES, PLANTED, diabetes, planted

FILES = {PLANTED: "a", DIABETES: "c"}


def lowest(folder, problem, lam):
    rows = json.loads((folder / "measured.json").read_text())
    return min(row["objective"] for row in rows if row["problem"] == FILES[problem] and row["lam"] == lam)


@pytest.fixture(scope="module")
def peers(shared):
    return shared / "reference" / "peers"


def test_the_data_are_those_of_the_reference_files(peers):
    with np.load(peers / "a.npz") as archive:
        points, targets = planted()
        np.testing.assert_allclose(np.column_stack([points, np.ones(len(points))]), archive["X"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(targets, archive["y"], rtol=0, atol=1e-12)
    with np.load(peers / "c.npz") as archive:
        points, targets = diabetes()
        np.testing.assert_allclose(points, archive["X"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(targets, archive["y"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("lam", [0.1, 0.01, 0.001])
def test_no_objective_known_for_the_planted_network_is_lower(peers, lam):
    best = lowest(peers, PLANTED, lam)
    solution = rs.solve(PLANTED.build(100, lam), rs.ColumnGeneration(gap=1e-7))
    assert solution.status is rs.Status.CONVERGED
    assert solution.certificate.kind == "exact"
    assert solution.objective / 100 <= best * (1 + 1e-6)
    # The bound is proven, so nobody can have been below it.
    assert solution.certificate.bound / 100 <= best * (1 + 1e-12)


@pytest.mark.parametrize("lam", [0.1, pytest.param(0.01, marks=pytest.mark.long)])
def test_no_objective_known_for_the_diabetes_data_is_lower(peers, lam):
    best = lowest(peers, DIABETES, lam)
    solution = rs.solve(DIABETES.build(442, lam), rs.ColumnGeneration(gap=1e-4))
    assert solution.status is rs.Status.CONVERGED
    assert solution.certificate.kind == "heuristic"
    assert solution.objective / 442 <= best * (1 + 2e-4)
