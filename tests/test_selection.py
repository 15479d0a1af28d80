"""Degrees of freedom against finite differences and covariances, Stein's risk against the true one."""

from __future__ import annotations

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.losses import SquaredLoss


def truth(x: np.ndarray) -> np.ndarray:
    return np.sin(3 * x) + np.abs(x)


def noisy(count: int = 40, noise: float = 0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-1, 1, count))
    return x, truth(x) + noise * rng.standard_normal(count)


def divergence(problem: rs.Problem, solver, step: float) -> float:
    """Σ_n ∂f(x_n)/∂y_n by central differences."""
    total = 0.0
    for n in range(problem.measurements.count):
        values = []
        for sign in (1, -1):
            y = problem.targets.copy()
            y[n] += sign * step
            moved = rs.Problem(
                problem.measurements, y, SquaredLoss(), problem.regularizer, problem.strength, problem.sample_weights
            )
            values.append(float(rs.solve(moved, solver).spline(problem.measurements.points)[n]))
        total += (values[0] - values[1]) / (2 * step)
    return total


@pytest.mark.parametrize("strength", [0.02, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
def test_on_the_line_they_are_the_divergence(strength, weighted):
    x, y = noisy(18)
    if weighted:
        x[1], x[7] = x[0], x[8]
    weights = np.random.default_rng(1).uniform(0.5, 2, len(x)) if weighted else None
    problem = rs.Problem(rs.Samples(x), y, strength=strength, sample_weights=weights)
    solution = rs.solve(problem)
    expected = divergence(problem, rs.LineSpline(), 1e-6)
    # The solution is piecewise linear in y: differences are exact up to rounding divided by the step.
    assert rs.degrees_of_freedom(problem, solution) == pytest.approx(expected, abs=1e-5)
    # Other solutions with the same values have other knots, and the same degrees of freedom.
    assert rs.degrees_of_freedom(problem, rs.sparsest(problem, solution)) == rs.degrees_of_freedom(problem, solution)


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("strength", [1e-4, 1e-3])
def test_knots_that_move_count_in_part(order, strength):
    x, y = noisy(15)
    problem = rs.Problem(rs.Samples(x), y, regularizer=rs.RadonTV(order), strength=strength)
    solver = rs.ColumnGeneration(gap=1e-12)
    solution = rs.solve(problem, solver)
    found = rs.degrees_of_freedom(problem, solution)
    assert found == pytest.approx(divergence(problem, solver, 1e-3), rel=1e-3)
    knots = len({round(b, 2) for b in solution.spline.biases.tolist()})
    assert order + knots < found < order + 2 * knots


# In space the merged neurons are a little off.
@pytest.mark.parametrize(("dimension", "allowed"), [(2, 2e-3), pytest.param(3, 2e-2, marks=pytest.mark.long)])
def test_neurons_that_turn_about_data_count_in_part(dimension, allowed):
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (14, dimension))
    y = np.abs(x[:, 0] + 0.3 * x[:, 1]) + np.abs(x[:, 1]) + 0.1 * rng.standard_normal(14)
    problem = rs.Problem(rs.Samples(x), y, strength=0.05)
    solver = rs.ColumnGeneration(gap=1e-12)
    found = rs.degrees_of_freedom(problem, rs.solve(problem, solver))
    assert found != pytest.approx(round(found), abs=0.01)
    assert found == pytest.approx(divergence(problem, solver, 1e-3), rel=allowed)


def test_elsewhere_they_are_the_rank():
    rng = np.random.default_rng(4)
    x = rng.uniform(-1, 1, (20, 2))
    y = np.abs(x[:, 0]) + 0.1 * rng.standard_normal(20)
    problem = rs.Problem(rs.Samples(x), y, regularizer=rs.AtomicNorm(weight_norm=1), strength=0.2)
    solution = rs.solve(problem)
    assert rs.degrees_of_freedom(problem, solution) == pytest.approx(solution.spline.width + 3)
    huge = problem.with_strength(2 * problem.strength_max)
    assert rs.degrees_of_freedom(huge, rs.solve(huge)) == pytest.approx(3)


def test_the_covariance_with_the_data_is_the_expected_number():
    x, _ = noisy(30)
    rng, noise, repeats = np.random.default_rng(5), 0.3, 200
    products, numbers = [], []
    base = rs.Problem(rs.Samples(x), truth(x), strength=0.2)
    for _ in range(repeats):
        error = noise * rng.standard_normal(len(x))
        problem = rs.Problem(base.measurements, truth(x) + error, strength=0.2)
        solution = rs.solve(problem)
        products.append(float(error @ (solution.spline(x) - truth(x))) / noise**2)
        numbers.append(rs.degrees_of_freedom(problem, solution))
    difference = np.array(products) - np.array(numbers)
    assert abs(difference.mean()) <= 3.5 * difference.std(ddof=1) / np.sqrt(repeats)
    # That says something: the standard error is small beside the number.
    assert difference.std(ddof=1) / np.sqrt(repeats) < 0.1 * np.mean(numbers)


def test_stein_risk_is_the_true_risk_in_expectation():
    x, _ = noisy(30)
    rng, noise, repeats = np.random.default_rng(6), 0.3, 100
    weights = rng.uniform(0.5, 2, 30)
    strengths = [0.05, 0.3, 2.0]
    estimates, risks = np.zeros((repeats, 3)), np.zeros((repeats, 3))
    for i in range(repeats):
        y = truth(x) + noise / np.sqrt(weights) * rng.standard_normal(30)
        problem = rs.Problem(rs.Samples(x), y, strength=1.0, sample_weights=weights)
        path = rs.regularization_path(problem, strengths)
        estimates[i] = rs.stein_risk(problem, path, noise**2).scores
        risks[i] = [np.mean(weights * (solution.spline(x) - truth(x)) ** 2) for solution in path]
    difference = estimates - risks
    errors = difference.std(axis=0, ddof=1) / np.sqrt(repeats)
    assert (np.abs(difference.mean(axis=0)) <= 3.5 * errors).all()
    # Risks differ by more than that, so that a wrong formula would be seen.
    assert np.ptp(risks.mean(axis=0)) > 5 * errors.max()


def test_on_the_exact_path_the_least_scores_are_the_least_of_all():
    x, y = noisy(60)
    problem = rs.Problem(rs.Samples(x), y, strength=1.0)
    exact = rs.exact_path(problem, ratio=1e-3)
    sampled = exact.sample(np.geomspace(exact.strengths[0], exact.strengths[-1], 60))
    for score in (rs.stein_risk, rs.generalized_cross_validation):
        best, others = score(problem, exact), score(problem, sampled)
        assert best.scores.min() <= others.scores.min() * (1 + 1e-9)
        chosen = exact.at(best.strength)
        assert rs.degrees_of_freedom(problem, exact.at(best.strength * 1.0001)) in best.degrees_of_freedom
        error = np.mean((chosen.spline(x) - truth(x)) ** 2)
        assert error < np.mean((y - truth(x)) ** 2) / 2


def test_the_scores_are_their_formulas():
    x, y = noisy(20)
    problem = rs.Problem(rs.Samples(x), y, strength=1.0)
    path = rs.regularization_path(problem, [1e-9, 0.1, 1.0])
    stein, gcv = rs.stein_risk(problem, path, 0.09), rs.generalized_cross_validation(problem, path)
    for i, solution in enumerate(path):
        residual, df = float(np.sum((solution.spline(x) - y) ** 2)), gcv.degrees_of_freedom[i]
        assert stein.scores[i] == pytest.approx(residual / 20 - 0.09 + 2 * 0.09 * df / 20, rel=1e-9)
        if df < 20:
            assert gcv.scores[i] == pytest.approx(20 * residual / (20 - df) ** 2, rel=1e-9)
    # As many degrees of freedom as data leave nothing to judge by.
    assert gcv.degrees_of_freedom[-1] == 20
    assert np.isinf(gcv.scores[-1])
    assert gcv.strength == gcv.strengths[gcv.best]


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_variance_of_the_noise_is_estimated_without_bias_where_the_truth_is_affine(dimension):
    rng, repeats = np.random.default_rng(dimension), 40
    found = []
    for i in range(repeats):
        x = rng.uniform(-1, 1, (60, dimension))
        x[:10] = x[10:20]
        weights = rng.uniform(0.5, 2, 60) if i % 2 else None
        noise = 0.5 * rng.standard_normal(60) / np.sqrt(1.0 if weights is None else weights)
        problem = rs.Problem(rs.Samples(x), 2 + x @ np.ones(dimension) + noise, strength=1.0, sample_weights=weights)
        found.append(rs.noise_variance(problem))
    assert abs(np.mean(found) - 0.25) <= 3.5 * np.std(found, ddof=1) / np.sqrt(repeats)


def test_what_has_no_degrees_of_freedom_is_refused():
    x, y = noisy(12)
    problem = rs.Problem(rs.Samples(x), y, strength=1.0)
    path = rs.regularization_path(problem, [1.0])
    absolute = rs.Problem(rs.Samples(x), y, rs.AbsoluteLoss(), strength=1.0)
    for call in (
        lambda: rs.degrees_of_freedom(absolute, path[0]),
        lambda: rs.stein_risk(absolute, path),
        lambda: rs.generalized_cross_validation(absolute, path),
        lambda: rs.noise_variance(rs.Problem(rs.Samples(x), np.column_stack([y, y]), strength=1.0)),
    ):
        with pytest.raises(ValueError, match="squared loss and one output"):
            call()
    with pytest.raises(ValueError, match="noise_variance must be a number of at least 0"):
        rs.stein_risk(problem, path, -1.0)
    with pytest.raises(TypeError, match="path must be a RegularizationPath"):
        rs.stein_risk(problem, [1.0], 1.0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="pass noise_variance"):
        rs.noise_variance(rs.Problem(rs.Samples([0.0, 1.0]), [0.0, 1.0], strength=1.0))
    with pytest.raises(ValueError, match="pass noise_variance"):
        rs.noise_variance(rs.Problem(rs.Samples(np.eye(4, 2)), np.ones(4), strength=1.0))
