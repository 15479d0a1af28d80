"""All solutions on the line against linear programs over many knots, and all choices of few."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import ridgesplines as rs
from tests.helpers import seeds


def interpolation(x: np.ndarray, y: np.ndarray) -> tuple[rs.Problem, rs.SolutionSet]:
    problem = rs.Problem(rs.Samples(x), y, rs.Interpolation())
    return problem, rs.solution_set(problem, rs.solve(problem))


def lattice(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Up to eight data on a lattice: runs of one sign, and zeros, are common."""
    count = int(rng.integers(3, 9))
    return np.cumsum(rng.integers(1, 4, count)).astype(float), rng.integers(-2, 3, count).astype(float)


def crossings(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Where the lines through the pairs of neighbours on either side of an interval cross inside it."""
    slopes = np.diff(y) / np.diff(x)
    found = []
    for k in range(1, len(slopes) - 1):
        if slopes[k + 1] != slopes[k - 1]:
            cross = (y[k] - slopes[k - 1] * x[k] - y[k + 1] + slopes[k + 1] * x[k + 1]) / (
                slopes[k + 1] - slopes[k - 1]
            )
            if x[k] < cross < x[k + 1]:
                found.append(float(cross))
    return found


def fewest_knots(x: np.ndarray, y: np.ndarray, least: float) -> int:
    """The smallest subset of data and crossings with an interpolant of RTV `least`, by trying all.

    Kinks in one interval can be moved, without changing the rest, until they are at an end or at a crossing.
    """
    knots = np.array([*x[1:-1], *crossings(x, y)])
    affine = np.column_stack([np.ones_like(x), x])
    for size in range(len(knots) + 1):
        subsets = np.array(list(itertools.combinations(range(len(knots)), size)), dtype=int)
        if not size:
            subsets = np.zeros((1, 0), dtype=int)
        columns = np.maximum(x[None, :, None] - knots[subsets][:, None, :], 0)
        matrix = np.concatenate([np.broadcast_to(affine, (len(subsets), *affine.shape)), columns], axis=2)
        solution = np.linalg.pinv(matrix) @ y
        missed = np.abs(np.einsum("sij,sj->si", matrix, solution) - y).max(axis=1)
        # Where several interpolate, the one of least norm need not have the least RTV; more knots than needed do so.
        costs = np.abs(solution[:, 2:]).sum(axis=1)
        if ((missed < 1e-8) & (costs < least + 1e-8)).any():
            return size
    raise AssertionError("the function that connects the dots is among them")


def test_no_choice_of_fewer_knots_will_do():
    for seed in range(200):
        x, y = lattice(np.random.default_rng(seed))
        problem, solutions = interpolation(x, y)
        least = solutions.canonical.radon_tv()
        sparsest = solutions.sparsest
        assert sparsest.width == fewest_knots(x, y, least), seed
        assert sparsest.width == rs.sparsest(problem, solutions.canonical).width
        np.testing.assert_allclose(sparsest(x), y, atol=1e-12)
        assert sparsest.radon_tv() == pytest.approx(least, abs=1e-12)


def extremes(x: np.ndarray, y: np.ndarray, least: float, at: float) -> tuple[float, float]:
    """The least and the largest value at `at` of interpolants with RTV ≤ `least` and knots on a fine grid."""
    knots = np.unique(np.concatenate([x, crossings(x, y), [at], np.linspace(x[0] - 1, x[-1] + 1, 60)]))

    def rows(points: np.ndarray) -> np.ndarray:
        neurons = np.maximum(points[:, None] - knots, 0)
        return np.hstack([neurons, -neurons, np.ones((len(points), 1)), points[:, None]])

    target = rows(np.array([at]))[0]
    price = np.concatenate([np.ones(2 * len(knots)), np.zeros(2)])
    bounds = [(0, None)] * (2 * len(knots)) + [(None, None)] * 2
    found = []
    for sign in (1, -1):
        result = linprog(sign * target, [price], [least * (1 + 1e-12) + 1e-12], rows(x), y, bounds=bounds)
        assert result.status == 0
        found.append(sign * result.fun)
    return found[0], found[1]


def test_the_envelope_is_what_linear_programs_reach():
    for seed in range(200):
        rng = np.random.default_rng([seed, 1])
        x, y = lattice(rng)
        _, solutions = interpolation(x, y)
        at = float(rng.uniform(x[0] - 0.5, x[-1] + 0.5))
        lower, upper = solutions.envelope(np.array([at]))
        # The budget for rounding moves the extremes by as much times a spacing.
        assert (lower[0], upper[0]) == pytest.approx(extremes(x, y, solutions.canonical.radon_tv(), at), abs=1e-6), seed


@given(seeds, st.integers(2, 200))
def test_every_solution_lies_in_the_envelope_and_costs_the_same(seed, count):
    rng = np.random.default_rng(seed)
    x, y = np.unique(rng.standard_normal(count)), rng.standard_normal(count)
    problem, solutions = interpolation(x, y[: len(x)])
    grid = np.sort(np.concatenate([x, rng.uniform(x[0] - 1, x[-1] + 1, 500)]))
    lower, upper = solutions.envelope(grid)
    # Slope changes are rounded, and each then counts over the length of the grid.
    allowed = 1e-15 * solutions.canonical.radon_tv() * np.ptp(grid) + 1e-12
    for spline in (solutions.canonical, solutions.sparsest, rs.sparsest(problem, solutions.sparsest)):
        assert (spline(grid) >= lower - allowed).all()
        assert (spline(grid) <= upper + allowed).all()
    assert solutions.sparsest.width <= solutions.canonical.width <= max(len(x) - 2, 0)
    # A sparsest one touches the other side of the band from the canonical one, or they are equal.
    assert solutions.unique == (solutions.sparsest.width == solutions.canonical.width)
    assert solutions.unique == (len(solutions.free_intervals) == 0)


def test_the_formula_of_runs():
    # Slope changes + + + 0 − − + : ⌈3/2⌉ + ⌈2/2⌉ + ⌈1/2⌉ = 4 knots.
    changes = np.array([1.0, 2.0, 1.0, 0.0, -2.0, -1.0, 3.0])
    slopes = np.concatenate([[0.0], np.cumsum(changes)])
    x = np.arange(9.0)
    y = np.concatenate([[0.0], np.cumsum(slopes)])
    _, solutions = interpolation(x, y)
    np.testing.assert_allclose(solutions.changes[1:-1], changes, atol=1e-13)
    assert solutions.sparsest.width == 4
    np.testing.assert_allclose(solutions.free_intervals, [[1, 2], [2, 3], [5, 6]])
    assert not solutions.unique
    # Between 1 and 2 the chord is above, the line from the left and that from the right below.
    lower, upper = solutions.envelope([1.5])
    assert upper[0] == pytest.approx(y[1] + 0.5)
    assert lower[0] == pytest.approx(y[1] + 0.5 - min(1.0 * 0.5, 2.0 * 0.5))


def test_solutions_of_smoothing_problems_are_certified_alike():
    rng = np.random.default_rng(11)
    x = np.sort(rng.uniform(-1, 1, 80))
    problem = rs.Problem(rs.Samples(x), np.sin(4 * x) + 0.2 * rng.standard_normal(80), strength=0.05)
    solution = rs.solve(problem)
    solutions = rs.solution_set(problem, solution)
    assert solutions.complete
    for spline in (solutions.canonical, solutions.sparsest):
        certificate = rs.certify(problem, spline, solution.dual)
        assert certificate.objective == pytest.approx(solution.objective, rel=1e-12)
        assert certificate.relative_gap <= 1e-8
    assert not rs.solution_set(
        rs.Problem(rs.Samples(x), problem.targets, rs.AbsoluteLoss(), strength=0.05), solution
    ).complete
    assert "knots" in repr(solutions)


def test_any_spline_is_understood():
    rng = np.random.default_rng(2)
    # Weights of any sign and size, knots outside the data, between them and on them.
    x = np.array([-1.0, 0.0, 1.0, 2.0, 3.0])
    spline = rs.RidgeSpline(
        np.array([[2.0], [-1.0], [0.5], [1.0], [0.0]]), np.array([-6.0, -0.5, 0.5, 5.0, -1.0]),
        rng.standard_normal(5), rng.standard_normal(2),
    )  # fmt: skip
    problem = rs.Problem(rs.Samples(x), np.zeros(5), strength=1.0)
    solutions = rs.solution_set(problem, spline)
    np.testing.assert_allclose(solutions.values, spline(x), atol=1e-13)
    np.testing.assert_allclose(solutions.canonical(x), spline(x), atol=1e-13)
    np.testing.assert_allclose(solutions.sparsest(x), spline(x), atol=1e-13)
    np.testing.assert_allclose(solutions.changes[1:-1], np.diff(np.diff(spline(x))), atol=1e-13)


def test_what_has_no_known_solution_set_is_an_error():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((8, 2)), rng.standard_normal(8)
    plane = rs.Problem(rs.Samples(x), y, strength=1.0)
    with pytest.raises(ValueError, match="one input"):
        rs.solution_set(plane, rs.solve(plane))
    smooth = rs.Problem(rs.Samples(x[:, 0]), y, regularizer=rs.RadonTV(3), strength=1.0)
    with pytest.raises(ValueError, match="order=2"):
        rs.sparsest(smooth, rs.solve(smooth))
    line = rs.Problem(rs.Samples(x[:, 0]), y, strength=1.0)
    with pytest.raises(TypeError, match="RidgeSpline"):
        rs.solution_set(line, x)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="shape"):
        rs.solution_set(line, rs.solve(line)).envelope(x)
