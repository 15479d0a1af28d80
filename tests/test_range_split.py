"""Sums split by range: brute force and finer grids as oracles, the laws of a symmetric matrix, senseless data."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import seeds
from hypothesis import given, settings

import ridgesplines as rs
from ridgesplines.kernels import RangeSplit, UniformKernel, hermite_sum, spike, value_sum
from ridgesplines.kernels.range_split import _LEVELS

KERNEL = UniformKernel(radius=1.5)
every_dimension = pytest.mark.parametrize("dimension", [2, 3])


def cloud(count: int, dimension: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points of an ellipsoid (an ellipse), and coefficients."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((count, dimension))
    points *= np.array([0.9, 0.7, 0.5])[:dimension] / np.linalg.norm(points, axis=1, keepdims=True)
    return points, rng.standard_normal((count, dimension + 1))


def unit(split: RangeSplit, coefficients: np.ndarray) -> float:
    """The size of the terms at distance R, as the docstring says."""
    values, gradients = split.reach**3 * coefficients[:, 0], split.reach**2 * coefficients[:, 1:]
    factor = spike(2, split.centres.shape[1]) / KERNEL.radius
    return factor * float(np.sqrt(np.sum(values**2) + np.sum(gradients**2)))


def root_mean_square(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.sum(errors**2, axis=-1))))


@every_dimension
@pytest.mark.parametrize("reach", [pytest.param(0.1, marks=pytest.mark.long), 0.2])
def test_each_accuracy_is_kept_against_brute_force_and_refinement_converges(dimension, reach):
    points, coefficients = cloud(400, dimension)
    exact = hermite_sum(KERNEL, points, coefficients, points)
    finest = RangeSplit(KERNEL, points, accuracy=_LEVELS[-1][0], reach=reach)(coefficients).values_and_gradients(points)
    errors = []
    for accuracy, *_ in _LEVELS:
        split = RangeSplit(KERNEL, points, accuracy=accuracy, reach=reach)
        sums = split(coefficients).values_and_gradients(points)
        wrong, size = sums - exact, accuracy * unit(split, coefficients)
        assert root_mean_square(wrong[:, :1]) <= size
        assert root_mean_square(wrong[:, 1:]) <= 10 * size / reach
        errors.append(root_mean_square(wrong[:, :1]))
        # The finest grid tells the error of the coarser ones, as brute force does.
        if accuracy > _LEVELS[-1][0]:
            assert root_mean_square((sums - finest)[:, :1]) == pytest.approx(errors[-1], rel=0.2)
        np.testing.assert_array_equal(split(coefficients).values(points).shape, (400,))
        # The same sums in another order.
        rounding = 64 * np.finfo(float).eps * np.abs(sums[:, 0]).max()
        np.testing.assert_allclose(split(coefficients).values(points), sums[:, 0], rtol=0, atol=rounding)
    assert errors[1] < errors[0] / 8
    assert errors[2] < errors[1] / 4


@every_dimension
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_the_sums_are_linear_and_symmetric_whatever_the_accuracy(dimension, seed):
    points, first = cloud(60, dimension, seed)
    second = np.random.default_rng(seed + 1).standard_normal(first.shape)
    split = RangeSplit(KERNEL, points, accuracy=1e-3, reach=0.15)

    def apply(vector: np.ndarray) -> np.ndarray:
        return split(vector).values_and_gradients(points)

    # Spread and gather are transposes, entry by entry: only roundings of sums of 240 terms are left.
    image, other = apply(first), apply(second)
    size = 1e-13 * (1 + np.abs(image).max() + np.abs(other).max()) * np.abs(first).sum()
    assert abs(np.vdot(second, image) - np.vdot(first, other)) < size * 10
    np.testing.assert_allclose(apply(2 * first - 3 * second), 2 * image - 3 * other, rtol=0, atol=10 * size)


@every_dimension
def test_at_other_points_than_the_centres_and_from_values_alone(dimension):
    points, coefficients = cloud(300, dimension)
    rng = np.random.default_rng(1)
    x = np.concatenate([points[:5], rng.uniform(-1.1, 1.1, (200, dimension))])
    low, high = np.full(dimension, -1.1), np.full(dimension, 1.1)
    split = RangeSplit(KERNEL, points, low, high, accuracy=2e-6)
    size = 20 * 2e-6 * unit(split, coefficients)
    exact = hermite_sum(KERNEL, points, coefficients, x)
    # The largest of 205 errors instead of their mean, and ten times that for gradients.
    np.testing.assert_allclose(split(coefficients).values_and_gradients(x)[:, 0], exact[:, 0], rtol=0, atol=size)
    np.testing.assert_allclose(
        split(coefficients).values_and_gradients(x)[:, 1:], exact[:, 1:], rtol=0, atol=10 * size / split.reach
    )
    alone = coefficients[:, 0].copy()
    np.testing.assert_allclose(split(alone).values(x), value_sum(KERNEL, points, alone, x), rtol=0, atol=size)
    with pytest.raises(ValueError, match="x must lie in the box"):
        split(coefficients).values(np.full((1, dimension), 1.2))


def test_the_measured_error_is_that_of_all_centres():
    points, coefficients = cloud(150, 3)
    split = RangeSplit(KERNEL, points, accuracy=1e-3, reach=0.2)
    wrong = split(coefficients).values_and_gradients(points) - hermite_sum(KERNEL, points, coefficients, points)
    value, gradient = split.error(coefficients)
    assert value == pytest.approx(np.abs(wrong[:, 0]).max(), rel=1e-9)
    assert gradient == pytest.approx(np.linalg.norm(wrong[:, 1:], axis=1).max(), rel=1e-9)


def test_points_that_coincide_or_lie_on_a_line_or_are_one():
    line = np.column_stack([np.linspace(-0.5, 0.5, 50), np.zeros(50), np.zeros(50)])
    for points in (np.repeat(line[:10], 3, axis=0), line, line[:1]):
        coefficients = np.random.default_rng(0).standard_normal((len(points), 4))
        sums = RangeSplit(KERNEL, points, accuracy=2e-6)(coefficients).values_and_gradients(points)
        exact = hermite_sum(KERNEL, points, coefficients, points)
        np.testing.assert_allclose(sums, exact, rtol=0, atol=1e-4 * np.abs(exact).max())


def test_the_range_follows_the_density_and_the_memory():
    few, many = (RangeSplit(KERNEL, cloud(count, 3)[0]) for count in (300, 5000))
    assert many.reach < few.reach
    # With little memory the grid is coarser.
    assert RangeSplit(KERNEL, cloud(5000, 3)[0], memory=1e6).reach > many.reach


def test_what_it_does_not_serve():
    points, coefficients = cloud(10, 3)
    with pytest.raises(ValueError, match="kernel must be a UniformKernel of order 2"):
        RangeSplit(UniformKernel(3), points)
    with pytest.raises(ValueError, match=r"in the plane or in space, .* centres of shape \(10, 1\)"):
        RangeSplit(KERNEL, points[:, :1])
    with pytest.raises(ValueError, match="accuracy must be at least 2e-06, got 1e-12"):
        RangeSplit(KERNEL, points, accuracy=1e-12)
    with pytest.raises(ValueError, match=r"coefficients must have 10 rows, got shape \(4, 4\)"):
        RangeSplit(KERNEL, points)(coefficients[:4])


def test_a_spline_in_a_box_is_the_spline(monkeypatch):
    points, coefficients = cloud(500, 3)
    spline = rs.KernelSpline(KERNEL, points, coefficients)
    x = np.random.default_rng(2).uniform(-1, 1, (50, 3))
    exact = spline.in_box([-1, -1, -1], [1, 1, 1])
    np.testing.assert_array_equal(exact(x), spline(x))
    monkeypatch.setattr("ridgesplines.kernel_spline._ALL_PAIRS", 100)
    fast = spline.in_box([-1, -1, -1], [1, 1, 1])
    assert (fast(x) != spline(x)).any()
    values, gradients = spline.value_and_gradient(x)
    for got, expected in zip(fast.value_and_gradient(x), (values, gradients), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-3 * np.abs(expected).max())
    np.testing.assert_allclose(fast(x), values, rtol=0, atol=2e-4 * np.abs(values).max())
