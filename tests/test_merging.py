"""Merged neurons measure the same, cost no more, and part the data differently; on the line they are the fewest."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from references import slope_changes

import ridgesplines as rs
from ridgesplines.solvers import merging

MEMBERS = [
    rs.RadonTV(),
    rs.AtomicNorm(1),
    rs.AtomicNorm(np.inf, "joint"),
    rs.AtomicNorm(2, "joint", 0.3, "none"),
    rs.AtomicNorm(2, "free", 0.0, "constant"),
    rs.AtomicNorm(1, 2.5, 0.3, "none"),
    rs.AtomicNorm(1, 0.3, 0.0, "affine"),
    rs.AtomicNorm(2, "none", 0.3, "none"),
    rs.AtomicNorm(2, "joint", 0.0, "none", nonnegative=True),
]


def clouds(rng: np.random.Generator, dimension: int) -> list[np.ndarray]:
    lattice = np.array(list(itertools.product(range(3), repeat=dimension)), dtype=float)[:12] / 4
    generic = rng.uniform(-1, 1, (9, dimension))
    return [generic, lattice, np.concatenate([generic, generic[:4]]), np.outer(np.arange(8), np.ones(dimension)) / 8]


def through(points: np.ndarray, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Half of the hyperplanes meet d of the points, as those of solutions do."""
    dimension = points.shape[1]
    weights, biases = rng.standard_normal((count, dimension)), 0.7 * rng.standard_normal(count)
    for k in range(0, count, 2):
        chosen = points[rng.choice(len(points), dimension, replace=False)]
        rows = np.column_stack([chosen, -np.ones(dimension)])
        plane = np.linalg.svd(np.concatenate([rows, np.zeros((1, dimension + 1))]))[2][-1]
        if np.abs(plane[:-1]).max() > 1e-9:
            weights[k], biases[k] = plane[:-1], plane[-1]
    return weights, biases


def share_a_cell(points: np.ndarray, neurons: rs.oracles.Neurons) -> bool:
    """Whether two neurons part the data alike, up to flips, for sure: rounding cannot tell touches from near misses."""
    heights = neurons.weights @ points.T - neurons.biases[:, None]
    clear = (np.abs(heights) > 1e-10) | (np.abs(heights) < 1e-16)
    products = heights[0] * heights[1]
    return bool(clear.all() and ((products >= 0).all() or (products <= 0).all()))


@pytest.mark.parametrize("member", MEMBERS, ids=repr)
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_measurements_stay_costs_do_not_rise_and_no_two_neurons_part_the_data_alike(member, dimension):
    rng = np.random.default_rng(dimension)
    for points in clouds(rng, dimension):
        problem = rs.Problem(rs.Samples(points), np.zeros(len(points)), regularizer=member, strength=1.0)
        weights, biases = through(points, rng, 40)
        neurons = member.admit(rs.oracles.Neurons(weights, biases))
        values = np.abs(rng.standard_normal(40)) if member.nonnegative else rng.standard_normal(40)
        spline = problem.spline(neurons, values, np.zeros(len(points)))
        merged = rs.merge_neurons(problem, spline)
        scale = float(np.abs(values).sum())
        np.testing.assert_allclose(merged(points), spline(points), rtol=0, atol=1e-12 * scale)
        before, after = member.cost(spline), member.cost(merged)
        assert after <= before * (1 + 1e-9)
        if member.degree == 1:
            assert merged.width < spline.canonical().width
        # Elsewhere the cheapest network of the function may have others, and sums may not be admissible.
        if member.degree == 1 and member.bias_corners(points) is None:
            found, coefficients, _ = member.represent(merged)
            for i, j in itertools.combinations(range(len(found)), 2):
                alike = coefficients[i] * coefficients[j] > 0 and share_a_cell(points, found[np.array([i, j])])
                assert not alike


def test_the_penalised_interpolant_on_the_line_has_one_knot_between_two_data():
    # The least cost by hand: one kink between the inner two data, where the outer lines cross.
    x, y = np.array([[-2.0], [-1.0], [1.0], [3.0]]), np.array([1.0, 0.0, 0.0, 3.0])
    problem = rs.Problem(rs.Samples(x), y, rs.Interpolation(), rs.AtomicNorm(bias="joint"))
    solution = rs.solve(problem)
    merged = rs.merge_neurons(problem, solution.spline)
    # −(x + 1) = 1.5 (x − 1) at x = 0.2, a slope change of 2.5.
    assert merged.width == 1
    np.testing.assert_allclose(merged.biases, [0.2], atol=1e-12)
    assert rs.certify(problem, merged).objective == pytest.approx(2.5 * np.sqrt(1.04), rel=1e-12)


def test_on_the_line_what_is_left_of_the_canonical_interpolant_has_the_fewest_knots():
    rng = np.random.default_rng(5)
    for count in (3, 8, 20, 60):
        x, y = np.sort(rng.uniform(0, 1, count)), rng.standard_normal(count)
        problem = rs.Problem(rs.Samples(x[:, None]), y, rs.Interpolation())
        solutions = rs.solution_set(problem, rs.solve(problem))
        merged = rs.merge_neurons(problem, solutions.canonical)
        assert merged.width == solutions.sparsest.width
        assert merged.radon_tv() == pytest.approx(slope_changes(x, y), rel=1e-9)
        assert rs.merge_neurons(problem, merged).width == merged.width


def test_many_neurons_are_merged_by_equal_patterns_alone(monkeypatch):
    rng = np.random.default_rng(6)
    points = rng.uniform(-1, 1, (7, 2))
    problem = rs.Problem(rs.Samples(points), np.zeros(7), strength=1.0)
    spline = rs.RidgeSpline(rng.standard_normal((300, 2)), rng.standard_normal(300), rng.standard_normal(300))
    thorough = rs.merge_neurons(problem, spline)
    monkeypatch.setattr(merging, "_MOST_COMPARISONS", 1)
    thrifty = rs.merge_neurons(problem, spline)
    # Random neurons touch no datum, so that it is the same.
    assert thrifty.width == thorough.width < 300
    np.testing.assert_allclose(thrifty(points), spline(points), atol=1e-10)


def test_what_cannot_be_merged_is_left_as_it_is():
    x = np.linspace(-1, 1, 6)[:, None]
    cubic = rs.RidgeSpline([[1.0], [1.0]], [0.1, 0.15], [1.0, 1.0], order=4)
    assert rs.merge_neurons(rs.Problem(rs.Samples(x), x[:, 0], regularizer=rs.RadonTV(4), strength=1.0), cubic) is cubic
    with pytest.raises(TypeError, match="RidgeSpline"):
        rs.merge_neurons(rs.Problem(rs.Samples(x), x[:, 0], strength=1.0), "spline")  # type: ignore[arg-type]


def test_penalised_biases_give_the_sparsest_interpolant_where_no_run_of_curvature_is_long(shared):
    """boursier_flammarion_2023: so it is unless six data in a row are in convex, or concave, position."""
    for case in json.loads((shared / "reference" / "line_order2.json").read_text()):
        x, y = np.array(case["x"]), np.array(case["y"])
        problem = rs.Problem(rs.Samples(x[:, None]), y, rs.Interpolation(), rs.AtomicNorm(bias="joint"))
        solution = rs.solve(problem, rs.ColumnGeneration(gap=1e-7))
        merged = rs.merge_neurons(problem, solution.spline)
        certificate = rs.certify(problem, merged, dual=solution.dual)
        assert certificate.kind == "exact"
        assert certificate.relative_gap <= 1e-6
        signs = np.sign(np.diff(np.diff(y) / np.diff(x)))
        runs = [len(list(group)) for _, group in itertools.groupby(signs)]
        assert merged.width <= solution.spline.width
        assert (merged.width == case["sparsest_knots"]) == (max(runs) < 4)
        assert merged.width >= case["sparsest_knots"]
