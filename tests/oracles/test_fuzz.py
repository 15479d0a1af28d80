"""Small problems of every awkward kind and scale: what must hold always, holds."""

from __future__ import annotations

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.oracles import Neurons

KINDS = ("uniform", "clustered", "repeated", "lattice", "collinear", "far away", "thin")


def awkward(seed: int) -> rs.Problem:
    """A problem with d ≤ 3 and N ≤ 25, inputs and targets scaled by 1e-6 to 1e6."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    dimension = int(rng.integers(1, 4))
    count = int(rng.integers(dimension + 1, 26))
    x = rng.uniform(-1, 1, (count, dimension))
    match kind:
        case "clustered":
            x = rng.uniform(-1, 1, (3, dimension))[rng.integers(0, 3, count)] + 1e-4 * x
        case "repeated":
            x = x[rng.integers(0, count // 2, count)]
        case "lattice":
            x = rng.integers(0, 4, (count, dimension)).astype(float)
        case "collinear":
            x = np.outer(rng.uniform(-1, 1, count), rng.standard_normal(dimension)) + rng.standard_normal(dimension)
        case "far away":
            x = x + 1e4 * rng.standard_normal(dimension)
        case "thin":
            x = np.outer(rng.uniform(-1, 1, count), rng.standard_normal(dimension)) + 1e-5 * x
    input_scale, target_scale = 10.0 ** rng.uniform(-6, 6, 2)
    y = target_scale * (np.abs(x).sum(axis=1) + rng.standard_normal(count) + rng.choice([0.0, 100.0]))
    x = input_scale * x
    if rng.random() < 0.4:
        first, group = np.unique(x, axis=0, return_index=True, return_inverse=True)[1:]
        return rs.Problem(rs.Samples(x), y[first][group.ravel()], loss=rs.Interpolation())
    return rs.Problem(rs.Samples(x), y, strength=input_scale * target_scale * 10.0 ** rng.uniform(-4, 1))


@pytest.mark.parametrize("seed", range(140))
def test_bounds_stay_below_objectives_and_dual_vectors_feasible(seed):
    problem = awkward(seed)
    solution = rs.solve(problem, rs.ColumnGeneration(iteration_limit=500))
    certificate = solution.certificate
    # Objectives cancel from targets as much as 1e4 times larger, squared.
    assert certificate.bound <= certificate.objective * (1 + 1e-10) + problem.resolution
    assert certificate.width <= problem.representer_bound
    if certificate.proven:
        assert certificate.relative_gap <= 1e-5
        points = problem.measurements.points
        rng = np.random.default_rng(seed)
        weights = rng.standard_normal((2000, points.shape[1]))
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        biases = (points @ weights.T)[rng.integers(0, len(points), 2000), np.arange(2000)]
        columns = problem.measure_neurons(Neurons(weights, biases))
        # Far-away points cost four digits of w·x − b, a thousand large duals another three.
        assert np.abs(certificate.dual @ columns).max() <= problem.dual_limit * (1 + 1e-9)
    if problem.strength is None:
        spread = np.ptp(problem.targets)
        assert certificate.misfit <= 1e-8 * spread + 64 * np.finfo(float).eps * np.abs(problem.targets).max()
