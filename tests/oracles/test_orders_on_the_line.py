"""Orders 3 and 4 on the line: column generation against the optima over refining grids of knots."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.activations import TruncatedPower
from tests.references import loss_program

LOSSES = [rs.SquaredLoss(), rs.HuberLoss(0.3), rs.AbsoluteLoss(), rs.LogisticLoss(), rs.IntervalConstraint(0.2)]


def problem_of(loss: rs.Loss, order: int, seed: int, count: int = 18) -> rs.Problem:
    rng = np.random.default_rng([seed, order])
    x = np.sort(rng.uniform(-1, 1, count))
    y = np.sin(4 * x) + 0.2 * rng.standard_normal(count)
    if isinstance(loss, rs.LogisticLoss):
        y = np.where(rng.random(count) < 1 / (1 + np.exp(-3 * y)), 1.0, -1.0)
        y[[0, -1]], y[count // 2] = 1.0, -1.0
    strength = 0.3 ** (order - 1) * 0.1 if loss.needs_strength else None
    return rs.Problem(rs.Samples(x), y, loss, rs.RadonTV(order), strength)


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_refining_grids_fall_to_the_objective_and_never_below_the_bound(loss, order):
    for seed in (0, 1):
        problem = problem_of(loss, order, seed)
        solution = rs.solve(problem)
        assert solution.certificate.kind == "exact"
        assert solution.certificate.relative_gap <= 1e-6
        x, optima = problem.measurements.points, []
        # Each grid holds the one before. Few knots need not satisfy a constraint.
        for count in (9, 17, 65, 257) if loss.needs_strength else (65, 129, 257):
            knots = np.linspace(x.min(), x.max(), count)
            optima.append(loss_program(problem, TruncatedPower(order)(x - knots)))
        # What Clarabel and HiGHS leave.
        noise = 1e-6 * optima[-1]
        assert min(optima) >= solution.certificate.bound - noise
        assert all(finer <= coarser + noise for coarser, finer in pairwise(optima))
        # A knot that is off by a spacing h costs h²; between constraints that all but fix it, much more.
        assert optima[-1] <= solution.objective * (1 + (1e-3 if loss.needs_strength else 0.2))
        with_knots = np.concatenate([np.linspace(x.min(), x.max(), 65), solution.spline.biases])
        same = loss_program(problem, TruncatedPower(order)(x - with_knots))
        assert same == pytest.approx(solution.objective, rel=2e-6)


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("ratio", [1e-2, 1e-5])
def test_a_thousand_data_are_solved_to_a_small_gap(order, ratio):
    rng = np.random.default_rng(order)
    x = np.sort(rng.uniform(-1, 1, 1000))
    y = np.exp(-2 * x**2) + 0.5 * np.sin(3 * x) + 0.1 * rng.standard_normal(1000)
    problem = rs.Problem(rs.Samples(x), y, regularizer=rs.RadonTV(order), strength=1.0)
    solution = rs.solve(problem.with_strength(ratio * problem.strength_max), rs.ColumnGeneration(gap=1e-8))
    assert solution.certificate.kind == "exact"
    assert solution.certificate.relative_gap <= 1e-8
