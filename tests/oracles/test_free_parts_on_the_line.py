"""On the line without free affine functions, and with penalised biases: column generation against knots at the data."""

from __future__ import annotations

import numpy as np
import pytest

import ridgesplines as rs

REGULARIZERS = [
    rs.AtomicNorm(skip="constant"),
    rs.AtomicNorm(skip="none", bias=2.0),
    rs.AtomicNorm(skip="affine", bias="joint"),
    rs.AtomicNorm(skip="none", bias="joint"),
    rs.AtomicNorm(skip="none", bias="none"),
]


def problem_of(regularizer: rs.AtomicNorm, count: int) -> rs.Problem:
    rng = np.random.default_rng(count)
    x = np.sort(rng.uniform(-1, 1, count))
    y = np.exp(-2 * x**2) + 0.5 * np.sin(3 * x) + 0.1 * rng.standard_normal(count)
    return rs.Problem(rs.Samples(x), y, regularizer=regularizer, strength=0.016 * np.sqrt(count))


def check(regularizer: rs.AtomicNorm, count: int) -> rs.Solution:
    problem = problem_of(regularizer, count)
    solution = rs.solve(problem)
    assert solution.certificate.kind == "exact"
    assert solution.certificate.relative_gap <= 1e-6
    # Knots at the data need not be the best under penalised biases; few data allow for all patterns.
    form = "knots" if regularizer.bias != "joint" or count > 200 else "arrangement"
    other = rs.ConvexProgram(form=form).solve(problem)
    assert other.objective >= solution.certificate.bound * (1 - 1e-9)
    assert solution.objective == pytest.approx(other.objective, rel=1e-6)
    return solution


@pytest.mark.parametrize("regularizer", REGULARIZERS, ids=repr)
def test_a_hundred_data(regularizer):
    check(regularizer, 100)


@pytest.mark.long
@pytest.mark.parametrize("regularizer", REGULARIZERS, ids=repr)
def test_a_thousand_data(regularizer):
    check(regularizer, 1000)


def test_where_only_constants_are_free_the_cost_is_that_of_the_slopes_at_infinity():
    solution = check(rs.AtomicNorm(skip="constant"), 60)
    # Savarese et al. 2019: R(f) = max(∫ |f''|, |f'(−∞) + f'(∞)|).
    ends = solution.spline.gradient(np.array([-1e6, 1e6]))[:, 0]
    bending = solution.spline.radon_tv()
    assert solution.certificate.regularization == pytest.approx(max(bending, abs(ends.sum())), rel=1e-9)


def test_free_slopes_and_constant_ones_differ_where_the_data_rise():
    x = np.linspace(0, 1, 30)
    y = 3 * x + np.abs(x - 0.5)
    free, constant = (
        rs.solve(rs.Problem(rs.Samples(x), y, regularizer=rs.AtomicNorm(skip=skip), strength=0.01))
        for skip in ("affine", "constant")
    )
    # The slopes of the data are 2 and 4. Where they cost, the function is flat before the data: max(2 + 2, 0 + 4).
    assert free.certificate.regularization == pytest.approx(2, abs=0.1)
    assert constant.certificate.regularization == pytest.approx(4, abs=0.1)
