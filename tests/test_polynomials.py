"""The free polynomials: the order of the monomials, composition, powers of ridges, gradients and least squares."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import EPS, seeds
from hypothesis import given
from hypothesis import strategies as st

from ridgesplines import Polynomial
from ridgesplines.polynomials import PolynomialFit, describe, monomial_count, monomials, rank_is_at_most, ridge_power

SIZES = [(1, 1), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 3)]  # (dimension, degree)


def random_polynomial(rng: np.random.Generator, dimension: int, degree: int, outputs: int | None = None) -> Polynomial:
    tail = () if outputs is None else (outputs,)
    coefficients = rng.standard_normal((monomial_count(dimension, degree), *tail))
    return Polynomial(coefficients, dimension, degree)


def magnitude(polynomial: Polynomial, points: np.ndarray) -> float:
    """The largest sum of absolute terms: rounding is a modest multiple of epsilon times this."""
    return float((monomials(np.abs(points), polynomial.degree) @ np.abs(polynomial.coefficients)).max())


def test_monomials_are_ordered_by_degree_then_lexicographically():
    x, y = 2.0, 5.0
    expected = [1, x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3]
    np.testing.assert_array_equal(monomials(np.array([[x, y]]), 3)[0], expected)


@pytest.mark.parametrize("xp", [np, jnp])
@pytest.mark.parametrize("outputs", [(), (2,)])
@pytest.mark.parametrize("dimension", [1, 3])
def test_degree_minus_one_is_zero_in_the_shapes_of_any_other(xp, outputs, dimension):
    points = xp.ones((4, dimension))
    nothing, constant = (Polynomial(xp.zeros((d + 1, *outputs)), dimension, d) for d in (-1, 0))
    for found, expected in (
        (nothing(points), constant(points)),
        (nothing.gradient(points), constant.gradient(points)),
    ):
        assert type(found) is type(expected)
        np.testing.assert_array_equal(found, expected, strict=True)


@pytest.mark.parametrize(("dimension", "degree"), SIZES)
def test_monomial_count_counts_the_monomials(dimension, degree):
    assert monomials(np.ones((1, dimension)), degree).shape == (1, monomial_count(dimension, degree))


@pytest.mark.parametrize("outputs", [None, 2])
@pytest.mark.parametrize(("dimension", "degree"), SIZES)
@pytest.mark.parametrize("new_dimension", [1, 2, 4])
def test_compose_is_substitution(dimension, degree, new_dimension, outputs):
    rng = np.random.default_rng(3)
    polynomial = random_polynomial(rng, dimension, degree, outputs)
    matrix, offset = rng.standard_normal((dimension, new_dimension)), rng.standard_normal(dimension)
    t = rng.standard_normal((20, new_dimension))
    composed = polynomial.compose(matrix, offset)
    assert (composed.dimension, composed.degree) == (new_dimension, degree)
    # Multiplied out, no term exceeds those of |p|(|A| |t| + |x0|).
    scale = magnitude(polynomial, np.abs(t) @ np.abs(matrix).T + np.abs(offset))
    np.testing.assert_allclose(composed(t), polynomial(t @ matrix.T + offset), rtol=0, atol=64 * EPS * scale)


@pytest.mark.parametrize(("dimension", "degree"), SIZES)
def test_ridge_power_multiplies_out(dimension, degree):
    rng = np.random.default_rng(4)
    weights, biases = rng.standard_normal((5, dimension)), rng.standard_normal(5)
    x = rng.standard_normal((20, dimension))
    scale = ((np.abs(x) @ np.abs(weights).T + np.abs(biases)) ** degree).max()
    expanded = monomials(x, degree) @ ridge_power(weights, biases, degree).T
    np.testing.assert_allclose(expanded, (x @ weights.T - biases) ** degree, rtol=0, atol=64 * EPS * scale)


@pytest.mark.parametrize("outputs", [None, 2])
@pytest.mark.parametrize(("dimension", "degree"), SIZES)
def test_gradient_agrees_with_finite_differences(dimension, degree, outputs):
    rng = np.random.default_rng(5)
    polynomial = random_polynomial(rng, dimension, degree, outputs)
    x, step = rng.standard_normal((10, dimension)), 2.0**-14
    differences = [(polynomial(x + e) - polynomial(x - e)) / (2 * step) for e in step * np.eye(dimension)]
    gradient = polynomial.gradient(x)
    assert gradient.shape == (10, *polynomial.coefficients.shape[1:], dimension)
    # Rounding over the step, and for degree 3 the step squared times the third derivative.
    tolerance = (64 * EPS / step + 4 * step**2) * magnitude(polynomial, np.abs(x) + 1)
    np.testing.assert_allclose(gradient, np.stack(differences, axis=-1), rtol=0, atol=tolerance)


def test_jax_in_jax_out():
    rng = np.random.default_rng(6)
    polynomial = random_polynomial(rng, 2, 3)
    x = rng.standard_normal((7, 2))
    traced = Polynomial(jnp.asarray(polynomial.coefficients), 2, 3)
    values, gradient = traced(jnp.asarray(x)), traced.gradient(jnp.asarray(x))
    assert isinstance(values, type(jnp.zeros(1)))
    tolerance = 64 * EPS * magnitude(polynomial, np.abs(x) + 1)
    np.testing.assert_allclose(values, polynomial(x), rtol=0, atol=tolerance)
    np.testing.assert_allclose(gradient, polynomial.gradient(x), rtol=0, atol=3 * tolerance)


# Least squares


@given(seeds, st.sampled_from(SIZES), st.sampled_from([1e-6, 1.0, 1e6]), st.sampled_from([0.0, 1e3]))
def test_fit_reproduces_polynomials_at_shifted_and_scaled_points(seed, size, scale, shift):
    dimension, degree = size
    rng = np.random.default_rng(seed)
    points = scale * (rng.uniform(-1, 1, (40, dimension)) + shift)
    local = random_polynomial(rng, dimension, degree)
    values = local(points / scale - shift)
    fit = PolynomialFit.at(points, degree)
    assert fit.basis.shape == (40, monomial_count(dimension, degree))
    residual = fit.project_off(values)
    # Only the coordinates x/scale − shift round, by a relative epsilon of (1 + shift), and the fit is conditioned by
    # the sampled monomials of at most degree 3: below 1e3 at 40 points in the unit cube.
    tolerance = 1e3 * EPS * (1 + shift) * magnitude(local, np.ones((1, dimension)))
    np.testing.assert_allclose(residual, 0, atol=tolerance)
    # Evaluated in global coordinates the monomials cancel as (1 + shift)^degree.
    cancelling = 1e3 * EPS * (1 + shift) ** degree * magnitude(local, np.ones((1, dimension)))
    np.testing.assert_allclose(fit(values)(points), values, rtol=0, atol=tolerance + 100 * cancelling)


@given(seeds, st.sampled_from(SIZES))
def test_projection_is_orthogonal_and_idempotent(seed, size):
    dimension, degree = size
    rng = np.random.default_rng(seed)
    points, values = rng.standard_normal((30, dimension)), rng.standard_normal((30, 2))
    fit = PolynomialFit.at(points, degree)
    remainder = fit.project_off(values)
    # A sum of 30 products of numbers of norm at most ‖values‖, twice.
    tolerance = 64 * EPS * np.linalg.norm(values)
    np.testing.assert_allclose(fit.basis.T @ fit.basis, np.eye(fit.basis.shape[1]), atol=64 * EPS)
    np.testing.assert_allclose(fit.basis.T @ remainder, 0, atol=tolerance)
    np.testing.assert_allclose(fit.project_off(remainder), remainder, atol=tolerance)
    # The fit is the part that the projection takes away.
    cubes = 1e3 * tolerance * np.linalg.cond(monomials(points, degree))
    np.testing.assert_allclose(fit(values)(points), values - remainder, atol=cubes)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(
    ("positions", "degree", "rank"),
    [
        (np.linspace(0, 1, 9), 1, 2),  # on a line, the affine functions are those of its coordinate
        (np.linspace(0, 1, 9), 3, 4),
        (np.repeat([0.0, 0.3, 1.0], 3), 1, 2),
        (np.repeat([0.0, 0.3, 1.0], 3), 3, 3),  # three different points carry three values
        (np.full(9, 0.7), 3, 1),
    ],
)
def test_rank_on_a_line_in_the_plane(positions, degree, rank, scale):
    points = scale * (np.array([0.3, -0.2]) + positions[:, None] * np.array([0.6, 0.8]))
    fit = PolynomialFit.at(points, degree)
    assert fit.basis.shape[1] == rank
    # What is fitted is still the closest: the residual of a polynomial of the position vanishes.
    values = 1 + positions * (2 if rank > 1 else 0)
    np.testing.assert_allclose(fit(values)(points), values, rtol=0, atol=1e3 * EPS * np.abs(values).max())


def test_repeated_points_average_their_values():
    points = np.array([[0.0], [0.0], [1.0], [1.0]])
    polynomial = PolynomialFit.at(points, 1)(np.array([1.0, 3.0, 0.0, 2.0]))
    np.testing.assert_allclose(polynomial(np.array([[0.0], [1.0]])), [2.0, 1.0], atol=32 * EPS)


@pytest.mark.parametrize(
    ("points", "degree", "rank"),
    [
        ([[0.0], [0.0], [0.0]], 1, 1),
        ([[0.0], [5 * EPS], [0.0]], 1, 2),
        ([[0.0, 0.0], [0.5, 1.0], [1.5, 3.0]], 1, 2),
        ([[0.0, 0.0], [0.1, 0.3], [0.2, 0.6]], 1, 2),  # doubling is exact
        ([[0.0, 0.0], [0.1, 0.3], [0.3, 0.9]], 1, 3),  # in binary, 0.1 × 0.9 is not exactly 0.3 × 0.3
        ([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], 1, 3),
        ([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], 2, 4),
        ([[1e300, 0.0], [1e-300, 1.0]], 1, 2),
    ],
)
def test_the_rank_of_sampled_polynomials_is_exact(points, degree, rank):
    points = np.array(points)
    assert rank_is_at_most(rank, points, degree)
    assert not rank_is_at_most(rank - 1, points, degree)


@pytest.mark.parametrize(
    ("coefficients", "dimension", "degree", "text"),
    [
        ([1.0, 1.0, -2.0], 2, 1, "x1 − 2 x2 + 1"),
        ([3.0, 0.0, 0.0], 2, 1, "1"),
        ([0.0, -2.0], 1, 1, "x1"),
        ([1e-12, 0.0, -3.0, 0.0, 1.0, 6.0], 2, 2, "x2 − 0.3333 x1 x2 − 2 x2²"),
        ([2.0, 0.0, 0.0, 4.0], 1, 3, "x1³ + 0.5"),
    ],
)
def test_polynomials_are_described_up_to_a_factor(coefficients, dimension, degree, text):
    assert describe(np.array(coefficients), dimension, degree) == text
