"""Finite networks with random neurons: as ridge splines, fitted, and refused where there is none."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.kernels import GaussianKernel, MaternKernel, UniformKernel, random_features


@pytest.mark.parametrize("kernel", [GaussianKernel(2), GaussianKernel(4), 2.0 * UniformKernel(3)], ids=repr)
def test_a_network_of_the_features_is_a_ridge_spline(kernel):
    features = random_features(kernel, 50, 2, seed=1)
    rng = np.random.default_rng(2)
    x, coefficients = rng.uniform(-0.5, 0.5, (7, 2)), rng.standard_normal((50, 3))
    # Both are sums of 50 terms of size 1 at most.
    np.testing.assert_allclose(features.spline(coefficients)(x), features(x) @ coefficients, rtol=0, atol=1e-12)
    np.testing.assert_allclose(features(jnp.asarray(x)), features(x), rtol=0, atol=1e-14)


@pytest.mark.parametrize("width", [20, 300])
def test_ridge_regression_solves_the_normal_equations(monkeypatch, width):
    # Blocks of seven neurons, so that the last one is smaller.
    monkeypatch.setattr("ridgesplines.kernels.features._BLOCK", 7 * 60)
    features = random_features(GaussianKernel(), width, 2, seed=1)
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-1, 1, (60, 2)), rng.standard_normal(60)
    spline = features.ridge_regression(x, y, 0.1)
    matrix = features(x)
    coefficients = np.linalg.solve(matrix.T @ matrix + 0.1 * np.eye(width), matrix.T @ y)
    # The condition number of either system is some 1e3.
    np.testing.assert_allclose(spline(x), matrix @ coefficients, rtol=0, atol=1e-10)


def test_wide_networks_tend_to_the_kernels_solution():
    rng = np.random.default_rng(0)
    x = rng.uniform(-0.7, 0.7, (40, 2))
    y = np.sin(3 * x[:, 0]) * x[:, 1]
    grid = rng.uniform(-0.6, 0.6, (200, 2))
    kernel = UniformKernel()
    limit = rs.solve_kernel(rs.KernelProblem(x, y, kernel=kernel, value_nugget=1e-2)).spline(grid)
    distances = [
        np.sqrt(np.mean((random_features(kernel, width, 2, seed).ridge_regression(x, y, 1e-2)(grid) - limit) ** 2))
        for width in (100, 10_000)
        for seed in range(8)
    ]
    narrow, wide = np.mean(distances[:8]), np.mean(distances[8:])
    # K^(−1/2) says a factor of 10; means of eight are within some 15%.
    assert 7 < narrow / wide < 14


def test_what_is_no_random_network_is_refused():
    with pytest.raises(TypeError, match="kernel must be one of random neurons"):
        random_features(MaternKernel(), 10, 2)
    with pytest.raises(TypeError, match="kernel must be one of random neurons"):
        random_features(GaussianKernel() + UniformKernel(), 10, 2)
    with pytest.raises(ValueError, match="width must be at least 1"):
        random_features(GaussianKernel(), 0, 2)
    with pytest.raises(ValueError, match="dimension must be at least 1"):
        random_features(GaussianKernel(), 10, 0)
    with pytest.raises(ValueError, match="seed must be zero or"):
        random_features(GaussianKernel(), 10, 2, seed=-1)
    with pytest.raises(TypeError, match="seed must be a whole number"):
        random_features(GaussianKernel(), 10, 2, seed=0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no RidgeSpline"):
        random_features(GaussianKernel(1), 10, 2).spline(np.ones(10))
    features = random_features(GaussianKernel(), 10, 2)
    with pytest.raises(ValueError, match=r"x must be \(N, 2\)"):
        features.ridge_regression(np.ones((4, 3)), np.ones(4), 0.1)
    with pytest.raises(ValueError, match="nugget must be a positive number"):
        features.ridge_regression(np.ones((4, 2)), np.ones(4), 0.0)
