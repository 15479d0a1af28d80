"""The oracles of orders 3 and 4, and the branch and bound: against exact arithmetic, dense samples and each other."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from helpers import EPS, random_dual, seeds, unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from ridgesplines.oracles import (
    BranchAndBoundOracle,
    LineOracle,
    Neurons,
    PlaneOracle,
    SearchOracle,
    SubdivisionOracle,
    profile,
)
from ridgesplines.oracles.branch_and_bound import _halves as halve_cones
from ridgesplines.oracles.cones import bound_cones
from ridgesplines.oracles.plane_boxes import bound_boxes
from ridgesplines.oracles.subdivision import _halves as halve_boxes
from ridgesplines.regularizers import AtomicNorm

orders = pytest.mark.parametrize("order", [3, 4])


# The line


def spread(rng):
    return rng.uniform(-1, 1, 24)


def clustered(rng):
    return np.concatenate([1e-6 * np.arange(6), 1 + 1e-3 * np.arange(6), 1e3 * rng.random(8)])


def repeated(rng):
    return rng.integers(-3, 4, 30).astype(float)


def distant(rng):
    return 1e6 + rng.standard_normal(20)


LINES = pytest.mark.parametrize("line", [spread, clustered, repeated, distant], ids=lambda f: f.__name__)


def exactly(x: np.ndarray, dual: np.ndarray, neuron: Neurons, order: int) -> float:
    """‖p_z‖ at one neuron on the line in rational arithmetic."""
    weight, bias = int(neuron.weights[0, 0]), Fraction(float(neuron.biases[0]))
    heights = [max(weight * Fraction(float(t)) - bias, Fraction(0)) ** (order - 1) for t in x]
    sums = [
        sum(Fraction(float(z)) * h for z, h in zip(column, heights, strict=True)) for column in np.atleast_2d(dual.T)
    ]
    return math.sqrt(sum(float(total) ** 2 for total in sums)) / math.factorial(order - 1)


@pytest.mark.parametrize("outputs", [None, 3])
@LINES
@orders
def test_the_line_is_exact(order, line, outputs):
    rng = np.random.default_rng(0)
    x = line(rng)
    columns = [random_dual(rng, x[:, None], order - 1) for _ in range(outputs or 1)]
    dual = np.stack(columns, axis=1) if outputs else columns[0]
    answer = LineOracle(x[:, None], order).supremum(dual)
    assert answer.values.shape == (len(answer.neurons), *dual.shape[1:])
    for k in range(min(len(answer.neurons), 4)):
        # A bias far away rounds, which at an extreme matters to second order only.
        assert exactly(x, dual, answer.neurons[k : k + 1], order) == pytest.approx(answer.sizes[k], rel=1e-12)
    assert answer.value <= answer.upper <= answer.value * (1 + 1e-12)
    knots = np.sort(x)
    biases = (knots[:-1, None] + np.diff(knots)[:, None] * np.linspace(0, 1, 60)).ravel()
    dense = profile(x[:, None], dual.reshape(len(x), -1), Neurons(np.ones((len(biases), 1)), biases), order)
    reach = np.ptp(x) ** (order - 1)
    rounding = 8 * len(x) * EPS * np.abs(dual).sum() * reach * max(1, np.abs(x).max() / np.ptp(x))
    highest = np.linalg.norm(dense, axis=1).max()
    assert highest <= answer.upper + rounding
    assert answer.value == pytest.approx(highest, rel=1e-3)


@settings(max_examples=60)
@given(seeds, st.integers(6, 12), st.sampled_from([3, 4]))
def test_no_place_on_the_line_is_higher(seed, count, order):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.standard_normal(count))
    dual = random_dual(rng, x[:, None], order - 1)
    answer = LineOracle(x[:, None], order).supremum(dual)
    biases = (x[:-1, None] + np.diff(x)[:, None] * np.linspace(0, 1, 400, endpoint=False)).ravel()
    dense = np.abs(profile(x[:, None], dual, Neurons(np.ones((len(biases), 1)), biases), order))
    rounding = 8 * count * EPS * np.abs(dual).sum() * np.ptp(x) ** (order - 1)
    assert dense.max() <= answer.upper + rounding
    # All local maxima are there, not the highest only.
    peaks = np.flatnonzero((dense[1:-1] > dense[:-2] + rounding) & (dense[1:-1] > dense[2:] + rounding))
    found = answer.neurons.biases * answer.neurons.weights[:, 0]
    assert np.abs(biases[peaks + 1][:, None] - found).min(axis=1).max() < np.diff(x).max() / 200


@orders
def test_scaling_the_line_scales_the_supremum_by_its_power(order):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((20, 1))
    dual = random_dual(rng, x, order - 1)
    value = LineOracle(x, order).supremum(dual).value
    assert LineOracle(4 * x, order).supremum(dual).value == value * 4 ** (order - 1)
    assert LineOracle(1e-5 * x, order).supremum(dual).value == pytest.approx(value * 1e-5 ** (order - 1), rel=1e-9)
    assert LineOracle(x + 7, order).supremum(dual).value == pytest.approx(value, rel=1e-9)


def test_a_maximum_at_a_knot_is_found():
    # The B-splines of order 3 and 4 on equal knots: their peaks are between two knots, and at the middle one.
    for order, peak in ((3, 0.75), (4, 2 / 3)):
        x = np.arange(order + 1.0)[:, None]
        dual = np.array([(-1.0) ** j * math.comb(order, j) for j in range(order + 1)])
        answer = LineOracle(x, order).supremum(dual)
        assert answer.value == pytest.approx(peak, rel=4 * EPS)
        assert abs(answer.neurons.biases[0]) == pytest.approx(order / 2, rel=4 * EPS)


def test_one_output_in_a_column_is_one_output():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((15, 1))
    for order in (3, 4):
        dual = random_dual(rng, x, order - 1)
        single, column = LineOracle(x, order).supremum(dual), LineOracle(x, order).supremum(dual[:, None])
        assert column.value == pytest.approx(single.value, rel=4 * EPS)
        np.testing.assert_allclose(column.values[0, 0], single.values[0], rtol=4 * EPS)


@pytest.mark.parametrize("order", [1, 5])
def test_the_line_knows_its_orders(order):
    with pytest.raises(ValueError, match="orders 2, 3 and 4"):
        LineOracle(np.zeros((3, 1)), order)


# The plane


@orders
def test_boxes_hold_the_profile(order):
    rng = np.random.default_rng(3)
    points = rng.uniform(-0.7, 0.7, (15, 2))
    dual = rng.standard_normal(15)
    boxes = np.array([[1.0, 0.3, 0.4, 0.3], [4.0, 0.1, 0.2, 0.05], [2.5, 0.6, 0.05, 0.02], [0.5, 0.2, 1e-3, 2e-3]])
    for _ in range(3):
        boxes = np.concatenate([boxes, halve_boxes(boxes)])
    # Thin ones where all data stay active, so that the bend of the circle of directions is all that there is.
    thin = np.column_stack([rng.uniform(0, 6, 60), np.full(60, -1), rng.uniform(0, 0.3, 60), np.full(60, 1e-6)])
    boxes = np.concatenate([boxes, thin])
    bounds, roundings, values = np.empty(len(boxes)), np.empty(len(boxes)), np.empty(len(boxes))
    bound_boxes(points, dual, order - 1, boxes, 0, len(boxes), bounds, roundings, values)
    excess = []
    for box, bound, rounding, value in zip(boxes, bounds, roundings, values, strict=True):
        offsets = rng.uniform(-1, 1, (400, 2))
        offsets[:9] = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(9, 2)
        theta, b = (box[:2] + offsets * box[2:]).T
        p = profile(points, dual, Neurons(np.column_stack([np.cos(theta), np.sin(theta)]), b), order)
        assert np.abs(p).max() <= bound + rounding
        assert value == pytest.approx(p[4], rel=1e-9, abs=1e-12)
        excess.append(bound - np.abs(p).max())
        assert rounding < 1e-11
    # Boxes a thousandth wide know the profile to third order.
    assert excess[3] < 1e-6


def near(rng):
    """Points in clusters of very different size."""
    centres = rng.uniform(-1, 1, (6, 2))
    return (centres[:, None] + np.geomspace(1e-6, 1, 6)[:, None, None] * rng.standard_normal((6, 5, 2))).reshape(-1, 2)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@orders
def test_clusters_in_the_plane(order, scale):
    rng = np.random.default_rng(4)
    points = scale * near(rng)
    dual = random_dual(rng, points, order - 1)
    answer = SubdivisionOracle(points, order).supremum(dual)
    assert 1 <= answer.upper / answer.value <= 1 + 2e-8
    weights = unit_rows(rng, 20000, 2)
    heights = np.sort(weights @ points.T, axis=1)
    shares = rng.random(20000)
    which = rng.integers(len(points) - 1, size=20000)
    rows = np.arange(20000)
    biases = heights[rows, which] * (1 - shares) + heights[rows, which + 1] * shares
    highest = np.abs(profile(points, dual, Neurons(weights, biases), order)).max()
    assert highest <= answer.upper
    assert highest >= 0.99 * answer.value
    approximate = SubdivisionOracle(points, order).approximate(dual)
    assert approximate.value == pytest.approx(answer.value, rel=1e-9)
    assert approximate.upper == np.inf


@orders
def test_an_oscillating_dual_in_the_plane(order):
    # Many local maxima of much the same height, as at the optimum of an interpolation.
    rng = np.random.default_rng(5)
    points = rng.uniform(-1, 1, (80, 2))
    neurons = Neurons(unit_rows(rng, 60, 2), rng.uniform(-0.7, 0.7, 60))
    signs = np.sign(rng.standard_normal(60))
    columns = np.stack([profile(points, column, neurons, order) for column in np.eye(80)], axis=1)
    dual = random_dual(rng, points, order - 1)
    basis = np.linalg.svd(np.column_stack([np.ones(80), *monomials_of(points, order - 1)]), full_matrices=False)[0]
    projected = columns - (columns @ basis) @ basis.T
    dual = np.linalg.lstsq(projected, signs, rcond=1e-6)[0]
    dual -= basis @ (basis.T @ dual)
    answer = SubdivisionOracle(points, order).supremum(dual)
    assert 1 <= answer.upper / answer.value <= 1 + 5e-8
    assert len(answer.neurons) > 5


def monomials_of(points: np.ndarray, degree: int) -> list[np.ndarray]:
    return [points[:, 0] ** i * points[:, 1] ** j for i in range(degree + 1) for j in range(degree + 1 - i) if i + j]


@orders
def test_out_of_time_the_bound_is_looser_and_holds(order):
    rng = np.random.default_rng(6)
    points = rng.standard_normal((30, 2))
    dual = random_dual(rng, points, order - 1)
    sharp = SubdivisionOracle(points, order).supremum(dual)
    hasty = SubdivisionOracle(points, order, time_limit=0.0).supremum(dual)
    assert hasty.value == pytest.approx(sharp.value, rel=1e-12)
    assert sharp.upper < hasty.upper < np.inf


def test_the_plane_refuses_what_it_does_not_solve():
    with pytest.raises(ValueError, match="orders 3 and 4"):
        SubdivisionOracle(np.zeros((3, 2)), 2)
    with pytest.raises(ValueError, match="one output"):
        SubdivisionOracle(np.eye(3, 2), 3).supremum(np.ones((3, 2)))


def test_an_overflow_is_no_proof():
    rng = np.random.default_rng(11)
    points = rng.standard_normal((12, 2))
    dual = 1e308 * random_dual(rng, points, 2)
    with pytest.raises(FloatingPointError, match="overflows"), np.errstate(all="ignore"):
        SubdivisionOracle(points, 3).supremum(dual)


# Branch and bound


@pytest.mark.parametrize("dimension", [2, 3, 4])
def test_cones_hold_the_profile(dimension):
    rng = np.random.default_rng(7)
    points = rng.standard_normal((12, dimension))
    dual = random_dual(rng, points)
    cones = BranchAndBoundOracle(points)._first_cones()
    for _ in range(5):
        # Split along random coordinates, but not along the face.
        free = cones[:, 2 + dimension :] > 0
        cones[:, 1] = np.argmax(free * rng.random(free.shape), axis=1)
        cones = halve_cones(cones)[rng.permutation(2 * len(cones))[:300]]
    bounds, roundings, values = np.empty(len(cones)), np.empty(len(cones)), np.empty(len(cones))
    bound_cones(points, dual, cones, 0.0, 0, len(cones), bounds, roundings, values)
    assert np.count_nonzero(bounds) > 20
    for cone, bound, rounding in zip(cones, bounds, roundings, strict=True):
        pivot, centre, radii = int(cone[0]), cone[2 : 2 + dimension], cone[2 + dimension :]
        weights = centre + rng.uniform(-1, 1, (100, dimension)) * radii
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        heights = weights @ points.T
        over_biases = np.stack([profile_along(heights, dual, n) for n in range(len(points))], axis=1)
        # Where this pivot has the largest |p| over the bias, the bound must hold; elsewhere it may be dropped.
        best = np.argmax(np.abs(over_biases), axis=1) == pivot
        here = np.abs(over_biases[:, pivot])
        assert np.all(here[best] <= bound + rounding)
        if bound > 0:
            sign = -np.sign(dual[pivot])
            assert np.all(sign * over_biases[:, pivot] <= bound + rounding)


def profile_along(heights: np.ndarray, dual: np.ndarray, pivot: int) -> np.ndarray:
    return np.maximum(heights - heights[:, [pivot]], 0) @ dual


@settings(max_examples=40)
@given(seeds, st.integers(5, 20), st.booleans())
def test_branch_and_bound_brackets_the_exact_supremum(seed, count, lattice):
    rng = np.random.default_rng(seed)
    points = rng.integers(-2, 3, (count, 2)).astype(float) if lattice else rng.standard_normal((count, 2))
    if len(np.unique(points, axis=0)) < 2:
        return
    dual = random_dual(rng, points)
    exact = PlaneOracle(points).supremum(dual)
    answer = BranchAndBoundOracle(points).supremum(dual)
    rounding = 64 * count * EPS * float(np.abs(dual).sum() * np.ptp(points, axis=0).sum())
    assert answer.value <= exact.upper + rounding
    assert exact.value <= answer.upper + rounding
    assert answer.upper <= answer.value * (1 + 1.1e-7) + rounding


@pytest.mark.parametrize(("count", "dimension"), [(20, 3), (14, 4), (10, 5)])
def test_branch_and_bound_closes_in_space(count, dimension):
    rng = np.random.default_rng(8)
    points = rng.standard_normal((count, dimension))
    dual = random_dual(rng, points)
    answer = BranchAndBoundOracle(points).supremum(dual)
    assert SearchOracle(points, starts=2000).supremum(dual).value <= answer.upper
    assert answer.upper <= answer.value * (1 + 1.1e-7)
    p = profile(points, dual, answer.neurons[:1])
    assert abs(p[0]) == pytest.approx(answer.value, rel=1e-12)


def test_branch_and_bound_mends_a_poor_search():
    rng = np.random.default_rng(9)
    points = rng.standard_normal((25, 3))
    dual = random_dual(rng, points)
    full = BranchAndBoundOracle(points).supremum(dual)
    for seed in range(4):
        poor = BranchAndBoundOracle(points, starts=1, seed=seed).supremum(dual)
        assert poor.value == pytest.approx(full.value, rel=2e-7)
        assert poor.upper >= full.value * (1 - 1e-12)


def test_branch_and_bound_out_of_time_still_bounds():
    rng = np.random.default_rng(10)
    points = rng.standard_normal((20, 4))
    dual = random_dual(rng, points)
    sharp = BranchAndBoundOracle(points).supremum(dual)
    hasty = BranchAndBoundOracle(points, time_limit=0.0).supremum(dual)
    assert hasty.value == sharp.value
    assert sharp.upper < hasty.upper < np.inf


def test_branch_and_bound_refuses_what_it_does_not_solve():
    with pytest.raises(ValueError, match="d ≥ 2"):
        BranchAndBoundOracle(np.zeros((3, 1)))
    with pytest.raises(ValueError, match="one output"):
        BranchAndBoundOracle(np.eye(3)).supremum(np.ones((3, 2)))


# Penalised and bounded biases on the line


def highest_penalised(x: np.ndarray, dual: np.ndarray) -> float:
    """The supremum of |p_z| over ‖(w, b)‖₂ = 1, cell by cell, its sums in rational arithmetic."""
    best = abs(float(sum(map(Fraction, dual.tolist()))))
    for side in (1, -1):
        order = np.argsort(side * x)
        points, masses = (list(map(Fraction, values[order].tolist())) for values in (side * x, dual))
        # Active data are those from index k on: p_z = (S₁ − S₀ t) / √(1 + t²) for t = b / w up to the k-th point.
        for k in range(len(x)):
            slope = sum(z * t for z, t in zip(masses[k:], points[k:], strict=True))
            total = sum(masses[k:])
            best = max(best, abs(float(slope - total * points[k])) / math.hypot(1, float(points[k])))
            inside = -total / slope if slope else points[k]
            if inside < points[k] and (k == 0 or inside > points[k - 1]):
                best = max(best, math.hypot(float(slope), float(total)))
    return best


def highest_bounded(x: np.ndarray, dual: np.ndarray, bound: float) -> float:
    """The supremum of |p_z| over |w| = 1, |b| ≤ B: at a datum or an end, in rational arithmetic."""
    kinks = np.append(x[np.abs(x) <= bound], [-bound, bound])
    neurons = [Neurons(np.array([[side]]), np.array([side * kink])) for side in (1.0, -1.0) for kink in kinks]
    return max(exactly(x, dual, neuron, 2) for neuron in neurons)


@pytest.mark.parametrize("bias", ["joint", 0.7])
@settings(max_examples=30)
@given(seeds, st.integers(4, 30), st.integers(0, 8))
def test_bounds_on_the_line_hardly_suffer_from_rounding_however_near_the_data_are(bias, seed, count, digits):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, count)
    x[1] = x[0] + 10.0**-digits * rng.uniform(0.5, 1)
    dual = rng.standard_normal(count)
    # What an interpolant with a slope of 10^digits asks for.
    dual[:2] += 10.0**digits * np.array([1, -1])
    answer = AtomicNorm(bias=bias, skip="none").oracle(x[:, None]).supremum(dual)
    exact = highest_penalised(x, dual) if bias == "joint" else highest_bounded(x, dual, bias)
    size, unit = 4 * np.abs(dual) @ np.hypot(x, 1), np.finfo(np.longdouble).eps
    assert exact * (1 - 4 * EPS) <= answer.upper
    # The value at the best neuron found is computed in double precision, and may be above the supremum by that.
    assert answer.value <= exact + count * EPS * size
    assert answer.upper <= max(exact, answer.value) + 16 * EPS * exact + (count + 16) * unit * size
