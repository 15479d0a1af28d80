"""Dual vectors: projections against a quadratic program, exactly feasible always, and the best multiple of one."""

from __future__ import annotations

import cvxpy
import numpy as np
import pytest
from helpers import EPS, seeds
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ridgesplines.duality import best_scale, project_dual
from ridgesplines.polynomials import PolynomialFit

KINDS = ("finite", "mixed", "one-sided", "weights", "labels", "tiny", "spread")


def draw_box(rng: np.random.Generator, kind: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Ends lower ≤ 0 ≤ upper as losses have them."""
    weights = rng.uniform(0.2, 3.0, count)
    labels = rng.choice([-1.0, 1.0], count)
    match kind:
        case "finite":
            return -rng.uniform(0, 1, count), rng.uniform(0, 1, count)
        case "mixed":
            ends = rng.uniform(0, 1, (2, count))
            ends[rng.random((2, count)) < 0.4] = np.inf
            return -ends[0], ends[1]
        case "one-sided":  # squared hinge, hard margin
            return np.where(labels > 0, 0.0, -np.inf), np.where(labels > 0, np.inf, 0.0)
        case "weights":  # absolute, Huber, quantile
            return -0.3 * weights, 0.7 * weights
        case "labels":  # hinge, logistic
            return np.where(labels > 0, 0.0, -weights), np.where(labels > 0, weights, 0.0)
        case "tiny":
            return np.full(count, -1e-8), np.full(count, 1e-8)
        case _:
            weights = 10.0 ** rng.uniform(-6, 6, count)
            return -weights, weights


def draw_points(rng: np.random.Generator, count: int, dimension: int, layout: str) -> np.ndarray:
    points = rng.standard_normal((count, dimension))
    match layout:
        case "repeated":
            return points[rng.integers(0, max(count // 3, 1), count)]
        case "lattice":
            return np.round(points)
        case "far":
            return 1e-3 * points + 1e2
    return points


def assert_feasible(z: np.ndarray, basis: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
    """Exactly in the box, orthogonal to within 1e-12 of its size."""
    assert ((lower <= z) & (z <= upper)).all()
    assert np.linalg.norm(basis.T @ z) <= 1e-12 * np.linalg.norm(z)


def distance(dual: np.ndarray, basis: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """The distance from `dual` to the feasible set, by a quadratic program."""
    z = cvxpy.Variable(len(dual))
    above, below = np.isfinite(lower), np.isfinite(upper)
    constraints = [basis.T @ z == 0]
    if above.any():
        constraints.append(z[above] >= lower[above])
    if below.any():
        constraints.append(z[below] <= upper[below])
    program = cvxpy.Problem(cvxpy.Minimize(0.5 * cvxpy.sum_squares(z - dual)), constraints)
    program.solve(solver=cvxpy.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    assert program.status in (cvxpy.OPTIMAL, cvxpy.OPTIMAL_INACCURATE)
    return float(program.value)


@settings(max_examples=100)
@given(
    seeds,
    st.sampled_from(KINDS),
    st.integers(1, 3),
    st.integers(3, 40),
    st.sampled_from(["plain", "repeated", "lattice", "far"]),
    st.floats(-2, 2),
)
def test_projections_agree_with_a_quadratic_program(seed, kind, dimension, count, layout, exponent):
    rng = np.random.default_rng(seed)
    basis = PolynomialFit.at(draw_points(rng, count, dimension, layout), 1).basis
    lower, upper = draw_box(rng, kind, count)
    unit = 1e-8 if kind == "tiny" else 1.0
    dual = unit * 10.0**exponent * rng.standard_normal(count)
    z = project_dual(dual, basis, lower, upper)
    assert_feasible(z, basis, lower, upper)
    if kind == "spread":
        return
    ours = 0.5 * float(np.sum((z - dual) ** 2)) / unit**2
    theirs = distance(dual / unit, basis, lower / unit, upper / unit)
    # Clarabel's answer may be outside by 1e-12 times multipliers of the size of the dual, and rounds.
    assert ours <= theirs + 1e-9 * (1 + float(dual @ dual) / unit**2)


@settings(max_examples=100)
@given(seeds, st.sampled_from(KINDS), st.integers(1, 3), st.integers(3, 200), st.floats(-8, 8))
def test_projections_are_feasible_at_every_scale(seed, kind, dimension, count, exponent):
    rng = np.random.default_rng(seed)
    basis = PolynomialFit.at(rng.standard_normal((count, dimension)), 1).basis
    lower, upper = draw_box(rng, kind, count)
    dual = 10.0**exponent * rng.standard_normal(count)
    z = project_dual(dual, basis, lower, upper)
    assert_feasible(z, basis, lower, upper)
    again = project_dual(z, basis, lower, upper)
    assert_feasible(again, basis, lower, upper)
    # What is feasible is its own projection.
    np.testing.assert_allclose(again, z, rtol=0, atol=1e-11 * np.abs(z).max())


@settings(max_examples=50)
@given(seeds, st.sampled_from(KINDS), st.integers(1, 2), st.integers(6, 40), st.floats(0, 2))
def test_projections_meet_the_optimality_conditions(seed, kind, dimension, count, exponent):
    # z = clip(dual − Q c): dual − z is Q c where z is inside the box, and beyond it where z is at an end.
    rng = np.random.default_rng(seed)
    basis = PolynomialFit.at(rng.standard_normal((count, dimension)), 1).basis
    lower, upper = draw_box(rng, kind, count)
    size = min(np.abs(lower).max(), np.abs(upper).max(), 1.0)
    dual = size * 10.0**exponent * rng.standard_normal(count)
    z = project_dual(dual, basis, lower, upper)
    inside = (z > lower) & (z < upper)
    if np.linalg.matrix_rank(basis[inside]) < basis.shape[1]:
        return
    c = np.linalg.lstsq(basis[inside], (dual - z)[inside], rcond=None)[0]
    condition = 1 / np.linalg.svd(basis[inside], compute_uv=False)[-1]
    pull = dual - z - basis @ c
    slack = 1e-11 * condition * np.abs(dual).max()
    assert (np.abs(pull[inside]) <= slack).all()
    assert (pull[z == upper] >= -slack).all()
    assert (pull[(z == lower) & (lower < upper)] <= slack).all()


def fit_basis(points) -> np.ndarray:
    return PolynomialFit.at(np.reshape(np.asarray(points, dtype=float), (len(points), -1)), 1).basis


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_an_unbounded_box_is_the_orthogonal_projection(size):
    rng = np.random.default_rng(1)
    basis, dual = fit_basis(rng.standard_normal((20, 2))), size * rng.standard_normal(20)
    everywhere = np.full(20, np.inf)
    z = project_dual(dual, basis, -everywhere, everywhere)
    np.testing.assert_allclose(z, dual - basis @ (basis.T @ dual), rtol=0, atol=16 * EPS * size)


@pytest.mark.parametrize("top", [1.0, np.inf])
def test_separated_labels_allow_zero_alone(top):
    # Labels that a line parts: Σ z_n (a x_n + b) = 0 with z_n y_n ≥ 0 has no other solution.
    x = np.linspace(-1, 1, 10)
    y = np.sign(x)
    lower, upper = np.where(y > 0, 0.0, -top), np.where(y > 0, top, 0.0)
    for seed in range(20):
        dual = np.random.default_rng(seed).standard_normal(10)
        for z in (project_dual(d, fit_basis(x), lower, upper) for d in (dual, np.abs(dual) * y, 100 * y)):
            # Zero up to rounding, and then orthogonal beside itself: exactly zero.
            np.testing.assert_array_equal(z, np.zeros(10))


def test_labels_that_alternate_once_allow_a_ray():
    # + − + at equal distances: z = s (1, −2, 1) with 2 s ≤ 1.
    x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, -1.0, 1.0])
    lower, upper = np.minimum(y, 0), np.maximum(y, 0)
    z = project_dual(np.array([5.0, -7.0, 5.0]), fit_basis(x), lower, upper)
    np.testing.assert_allclose(z, [0.5, -1.0, 0.5], rtol=1e-12)
    assert_feasible(z, fit_basis(x), lower, upper)
    z = project_dual(np.array([0.1, -0.2, 0.1]), fit_basis(x), lower, upper)
    np.testing.assert_allclose(z, [0.1, -0.2, 0.1], rtol=1e-12)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_a_corner_of_the_box_that_is_orthogonal_is_reached(size):
    # + − − + at equal distances is orthogonal to affine functions, all of it at the ends.
    x, signs = np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, -1.0, -1.0, 1.0])
    ends = np.full(4, size)
    for factor in (1.0, 1.5, 100.0):
        z = project_dual(factor * size * signs, fit_basis(x), -ends, ends)
        assert_feasible(z, fit_basis(x), -ends, ends)
        np.testing.assert_allclose(z, size * signs, rtol=1e-12)


def test_a_closed_box_and_a_zero_vector_give_zero():
    basis, nothing = fit_basis(np.arange(5.0)), np.zeros(5)
    np.testing.assert_array_equal(project_dual(np.arange(5.0), basis, nothing, nothing), nothing)
    np.testing.assert_array_equal(project_dual(nothing, basis, nothing - 1, nothing + 1), nothing)
    # As many free polynomials as points.
    square = fit_basis([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    z = project_dual(np.array([1.0, 2.0, 3.0]), square, -np.ones(3), np.ones(3))
    np.testing.assert_array_equal(z, np.zeros(3))


# The best multiple


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(1e-3, 1e3))
def test_the_best_scale_of_a_quadratic_is_its_vertex(rise, bend, factor):
    vertex = rise / bend
    s = best_scale(lambda s: rise - bend * s, factor * vertex)
    assert s == pytest.approx(min(1.0, factor) * vertex, rel=4 * EPS)
    assert s <= factor * vertex
    assert best_scale(lambda s: rise - bend * s, np.inf) == pytest.approx(vertex, rel=4 * EPS)


@given(seeds, st.sampled_from([1.0, 30.0, np.inf]))
@example(0, np.inf)
def test_the_best_scale_of_a_piecewise_linear_function_is_a_breakpoint(seed, limit):
    rng = np.random.default_rng(seed)
    breaks = np.sort(rng.uniform(0, 10, 5))
    heights = -np.sort(-rng.standard_normal(6))
    heights[-1] = -1.0 - rng.random()
    heights = -np.sort(-heights)
    s = best_scale(lambda s: float(heights[np.searchsorted(breaks, s)]), limit)
    assert 0 <= s <= limit
    expected = breaks[np.argmax(heights <= 0) - 1] if heights[0] > 0 else 0.0
    assert s == pytest.approx(min(expected, limit), rel=8 * EPS)


@given(st.floats(1e-3, 1e3), st.floats(1e-8, 1e8))
def test_the_best_scale_of_a_smooth_function_is_where_its_slope_is_zero(rate, peak):
    # log s − s / peak, and one that falls off to −∞ at an end with infinite slope there.
    s = best_scale(lambda s: rate * (1 / s - 1 / peak) if s > 0 else np.inf, np.inf)
    assert s == pytest.approx(peak, rel=1e-12)
    s = best_scale(lambda s: np.log((peak - s) / s) if 0 < s < peak else np.inf * (0.5 * peak - s), peak)
    assert s == pytest.approx(0.5 * peak, rel=1e-12)


@pytest.mark.parametrize("limit", [0.0, 0.5, 7.0, 1e30])
def test_the_best_scale_of_what_rises_is_the_limit_and_of_what_falls_zero(limit):
    assert best_scale(lambda s: 1.0, limit) == limit
    assert best_scale(lambda s: -1.0, limit) == 0.0
    assert best_scale(lambda s: 0.0, limit) == 0.0
    assert best_scale(lambda s: 1.0 if s < limit else 0.0, limit) == limit


def test_the_best_scale_without_a_limit_of_what_rises_for_ever_is_huge():
    assert best_scale(lambda s: 1.0, np.inf) > 1e300
    assert best_scale(lambda s: -1.0, np.inf) == 0.0
