"""Kernel regression against other implementations; leave-one-out errors against leaving out; RTV against integrals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.interpolate import RBFInterpolator, make_smoothing_spline
from sklearn.kernel_ridge import KernelRidge

import ridgesplines as rs
from ridgesplines.solvers import kernel_regression
from ridgesplines.solvers.kernel_regression import RadialPower


def problem_of(dimension=1, order=2, outputs=0, weighted=False, count=30, **options):
    rng = np.random.default_rng([dimension, outputs])
    x = 3 * rng.uniform(-1, 1, (count, dimension)) + 10
    y = np.sin(2 * x[:, 0]) + 0.1 * rng.standard_normal(count)
    regularizer = rs.RadonTV(order)
    if outputs:
        y, regularizer = np.column_stack([(k + 1) * y for k in range(outputs)]), rs.VectorRadonTV(order)
    weights = rng.uniform(0.5, 2, count) if weighted else None
    return rs.Problem(rs.Samples(x), y, regularizer=regularizer, strength=0.1, sample_weights=weights, **options)


@pytest.mark.parametrize("outputs", [0, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_cubic_fits_are_those_of_scipy(dimension, weighted, outputs):
    problem = problem_of(dimension, outputs=outputs, weighted=weighted)
    fit = rs.KernelRegression(strength=0.3).solve(problem)
    x, weights = problem.measurements.points, problem.weights.ravel()
    other = RBFInterpolator(x, problem.targets, smoothing=0.3 / weights, kernel="cubic", degree=1)
    new = x.mean(axis=0) + np.random.default_rng(0).standard_normal((40, dimension))
    np.testing.assert_allclose(fit(new), other(new), atol=1e-8)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_on_the_line_smoothing_splines_are_natural(order):
    problem = problem_of(order=order)
    fit = rs.KernelRegression().solve(problem)
    x, y = problem.measurements.points[:, 0], problem.targets
    # Moments of degree < m vanish, so that beyond the data the fit is a polynomial of degree < m.
    powers = (x[:, None] - x.mean()) ** np.arange(order)
    sizes = np.abs(powers).T @ np.abs(fit.coefficients)
    np.testing.assert_allclose(powers.T @ fit.coefficients / sizes, 0, atol=1e-9)
    if order == 2:
        # ∫ f''² is 12 αᵀKα, and λ ∫ f''² + Σ (y − f)² is what scipy minimises.
        rank = np.argsort(x)
        spline = make_smoothing_spline(x[rank], y[rank], lam=fit.strength / 12)
        grid = np.linspace(x.min(), x.max(), 100)
        np.testing.assert_allclose(fit(grid), spline(grid), atol=1e-7)


def test_positive_definite_kernels_are_served_as_scikit_learn_does():
    problem = problem_of(2)

    def gaussian(x, y):
        return np.exp(-((x[:, None] - y[None]) ** 2).sum(axis=2))

    fit = rs.KernelRegression(gaussian, strength=0.01).solve(problem)
    x = problem.measurements.points
    other = KernelRidge(alpha=0.01, kernel="rbf", gamma=1.0).fit(x, problem.targets)
    new = x[:10] + 0.1
    np.testing.assert_allclose(fit(new), other.predict(new), atol=1e-9)
    assert fit.radon_tv() is None


@pytest.mark.parametrize("weighted", [False, True])
def test_the_strength_is_that_of_the_least_error_on_data_left_out(weighted, monkeypatch):
    problem = problem_of(2, count=14, weighted=weighted)
    x, y, s = problem.measurements.points, problem.targets, problem.weights
    errors = {}
    for tried in np.logspace(-8, 2, 6):
        monkeypatch.setattr(kernel_regression, "_STRENGTHS", np.array([tried]))
        strength = rs.KernelRegression().solve(problem).strength
        missed = []
        for n in range(14):
            rest = np.arange(14) != n
            part = rs.Problem(rs.Samples(x[rest]), y[rest], strength=1.0, sample_weights=s[rest])
            missed.append(rs.KernelRegression(strength=strength).solve(part)(x[n : n + 1])[0] - y[n])
        errors[strength] = float(s @ np.square(missed))
    monkeypatch.setattr(kernel_regression, "_STRENGTHS", np.logspace(-8, 2, 6))
    assert rs.KernelRegression().solve(problem).strength == pytest.approx(min(errors, key=errors.get))


def test_the_seminorm_of_a_cubic_spline_is_the_integral_of_its_bend():
    problem = problem_of()
    fit = rs.KernelRegression(strength=0.1).solve(problem)
    x = np.sort(problem.measurements.points[:, 0])

    def bend(t, step=1e-3):
        return abs(fit(np.array([t - step]))[0] - 2 * fit(np.array([t]))[0] + fit(np.array([t + step]))[0]) / step**2

    total = sum(quad(bend, a, b, limit=100)[0] for a, b in itertools.pairwise(x))
    assert fit.radon_tv() == pytest.approx(total, rel=1e-3)
    # And no network with these values at the data has less than the best one.
    same = rs.Problem(problem.measurements, fit(problem.measurements.points), loss=rs.Interpolation())
    assert fit.radon_tv() >= rs.solve(same).certificate.bound
    assert rs.KernelRegression(strength=0.1).solve(problem_of(2)).radon_tv() is None


def test_interpolation_interpolates():
    problem = problem_of(2)
    problem = rs.Problem(problem.measurements, problem.targets, loss=rs.Interpolation())
    fit = rs.KernelRegression().solve(problem)
    assert fit.strength == 0
    np.testing.assert_allclose(fit(problem.measurements.points), problem.targets, atol=1e-8)


def test_repeated_points_are_fine():
    x, y = rs.datasets.motorcycle()
    fit = rs.KernelRegression().solve(rs.Problem(rs.Samples(x), y, strength=84.0))
    assert 15 < np.std(fit(x) - y) < 30


def test_what_is_no_kernel_is_refused():
    problem = problem_of(2)
    with pytest.raises(TypeError, match="kernel must be a function of two arrays of points, got int"):
        rs.KernelRegression(3)
    with pytest.raises(ValueError, match="degree must be a whole number from −1"):
        rs.KernelRegression(degree=-2)
    with pytest.raises(ValueError, match="strength must be positive and finite"):
        rs.KernelRegression(strength=0.0)
    with pytest.raises(ValueError, match=r"finite values of shape \(30, 30\) here, got \(30,\)"):
        rs.KernelRegression(lambda x, y: x[:, 0]).solve(problem)
    with pytest.raises(ValueError, match="not positive definite on these points"):
        rs.KernelRegression(RadialPower(2)).solve(problem)
    with pytest.raises(TypeError, match="problem must be a Problem"):
        rs.KernelRegression().solve(problem.targets)
