"""The suprema of measurements that are no samples: against brute force, against each other, and as samples' limit."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import EPS, seeds, unit_rows
from hypothesis import given, settings
from segments import SegmentAverages

from ridgesplines import Derivatives, Measurement, Samples, Stack
from ridgesplines.activations import TruncatedPower
from ridgesplines.oracles import ConvexityOracle, MeasuredSearchOracle, Neurons, choose_measured_oracle, choose_oracle
from ridgesplines.oracles.functionals import Slopes, ball, reach


def segments(rng: np.random.Generator, count: int, dimension: int, length: float) -> SegmentAverages:
    return SegmentAverages.about(rng.uniform(-1, 1, (count, dimension)), length, seed=int(rng.integers(1000)))


def hermite(rng: np.random.Generator, count: int, dimension: int) -> Stack:
    """Values, and derivatives along random directions, at as many random points."""
    points = rng.uniform(-1, 1, (count, dimension))
    return Stack(Samples(points), Derivatives(points, rng.standard_normal((count, dimension))))


def dual_of(rng: np.random.Generator, measurement: Measurement, order: int, outputs: int | None = None):
    shape = (measurement.count,) if outputs is None else (measurement.count, outputs)
    return measurement.fit_polynomials(order - 1).project_off(rng.standard_normal(shape))


def grid(dimension: int, reach: float = 1.8) -> Neurons:
    """Neurons of all directions and biases, so dense that next to a smooth maximum there is one."""
    biases = np.linspace(-reach, reach, 4001 if dimension == 1 else 301)
    angles = np.pi * np.arange(400) / 400 if dimension == 2 else np.zeros(1)
    weights = np.column_stack([np.cos(angles), np.sin(angles)])[:, :dimension]
    return Neurons(np.repeat(weights, len(biases), axis=0), np.tile(biases, len(weights)))


def heights(measurement, dual, neurons: Neurons, order: int) -> np.ndarray:
    values = measurement.of_neurons(neurons, TruncatedPower(order)).T @ dual
    return np.abs(values) if values.ndim == 1 else np.linalg.norm(values, axis=1)


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize("length", [0.02, 0.5])
def test_the_bound_is_the_supremum_of_a_dense_grid(dimension, order, length):
    rng = np.random.default_rng(order)
    measurement = segments(rng, 16, dimension, length)
    dual = dual_of(rng, measurement, order)
    answer = ConvexityOracle(measurement, order).supremum(dual)
    highest = heights(measurement, dual, grid(dimension), order).max()
    assert highest <= answer.upper
    # A grid of 4001 biases, or 400 by 301 neurons, misses a maximum by the square of its spacing, or by its spacing
    # times a slope where segments are so short that the profile has kinks.
    assert highest == pytest.approx(answer.value, rel=2e-2 if length < 0.1 else 2e-3)
    assert answer.upper == pytest.approx(answer.value, rel=1.1e-9 if dimension == 1 else 1.1e-7)
    assert heights(measurement, dual, answer.neurons[:1], order)[0] == pytest.approx(answer.value, rel=1e-12)


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("dimension", [1, 2])
def test_the_bound_of_derivatives_is_the_supremum_of_a_dense_grid(dimension, order):
    rng = np.random.default_rng(30 + order)
    measurement = hermite(rng, 10, dimension)
    dual = dual_of(rng, measurement, order)
    answer = ConvexityOracle(measurement, order).supremum(dual)
    highest = heights(measurement, dual, grid(dimension), order).max()
    assert highest <= answer.upper
    # Slopes of order 3 have kinks, from which the grid is as far as its spacing.
    assert highest == pytest.approx(answer.value, rel=(1e-3 if dimension == 1 else 2e-2) if order == 3 else 2e-3)
    assert answer.upper == pytest.approx(answer.value, rel=1.1e-9 if dimension == 1 else 1.1e-7)
    assert heights(measurement, dual, answer.neurons[:1], order)[0] == pytest.approx(answer.value, rel=1e-12)
    searched = MeasuredSearchOracle(measurement, order).supremum(dual)
    assert searched.value <= answer.upper


@pytest.mark.parametrize("dimension", [1, 2])
def test_derivatives_have_the_supremum_of_short_difference_quotients(dimension):
    rng = np.random.default_rng(7)
    points, directions = rng.uniform(-1, 1, (2, 9, dimension))
    slopes = Derivatives(points, directions)
    weights = rng.standard_normal(9)
    step = 1e-4
    ends = np.concatenate([points + step * directions, points - step * directions, points])
    dual = rng.standard_normal(9)
    both = Stack(slopes, Samples(points)).fit_polynomials(3).project_off(np.concatenate([weights, dual]))
    answer = ConvexityOracle(Stack(slopes, Samples(points)), 4).supremum(both)
    quotients = np.concatenate([both[:9] / (2 * step), -both[:9] / (2 * step), both[9:]])
    samples = choose_oracle(ends, 4).supremum(Samples(ends).fit_polynomials(3).project_off(quotients))
    # A difference quotient of ρ_4 differs from its derivative by the square of the step; the quotients are off the
    # orthogonal complement of the cubics by as much; and numbers of size 1/step cancel.
    assert samples.value == pytest.approx(answer.value, rel=1e-4)


def test_a_ridge_along_a_kink_is_bounded_without_many_boxes(monkeypatch):
    rng = np.random.default_rng(11)
    points = rng.uniform(-1, 1, (7, 2))
    # One derivative, so that the supremum is at its kink.
    measurement = Stack(Samples(points), Derivatives(np.zeros((1, 2)), [1.0, 0.5]))
    dual = dual_of(rng, measurement, 3)
    counts = []
    bounds = ConvexityOracle._bounds

    def counted(self, boxes, columns):
        counts.append(len(boxes))
        return bounds(self, boxes, columns)

    monkeypatch.setattr(ConvexityOracle, "_bounds", counted)
    with_kinks = ConvexityOracle(measurement, 3).supremum(dual)
    few = sum(counts)
    counts.clear()
    monkeypatch.setattr("ridgesplines.oracles.convexity._with_kinks", mirrored)
    without = ConvexityOracle(measurement, 3).supremum(dual)
    assert without.upper == pytest.approx(with_kinks.upper, rel=2e-7)
    assert few < 0.7 * sum(counts)


def mirrored(tops, kinks, plus, minus):
    """The bound of kinks that needs no choice: that of any convex function."""
    masses = plus.T[0][:, None] * kinks.lift + minus.T[0][:, None] * kinks.fall
    kinked = np.einsum("nb,npb->pb", masses, np.maximum(kinks.levels, 0))[..., None]
    tops[1:] += np.repeat(kinked[1::2] - 2 * kinked[0] + kinked[2::2], 2, axis=0)
    return tops


@given(seeds)
@settings(max_examples=25)
def test_no_box_is_exceeded_by_what_is_in_it(seed):
    rng = np.random.default_rng(seed)
    dimension, order = int(rng.integers(1, 3)), int(rng.integers(2, 5))
    measurement = segments(rng, 12, dimension, float(rng.uniform(0.01, 1)))
    if rng.uniform() < 0.5:
        measurement = hermite(rng, 6, dimension) if order > 2 else Samples(rng.uniform(-1, 1, (12, dimension)))
    dual = dual_of(rng, measurement, order)[:, None]
    oracle = ConvexityOracle(measurement, order)
    centre, radius = ball(measurement)
    widths = rng.uniform(0, [0.1 * (dimension == 2), 0.2 * radius], (40, 2))
    angles = rng.uniform(0, 2 * np.pi, 40) if dimension == 2 else np.pi * rng.integers(0, 2, 40)
    boxes = np.column_stack([angles, rng.uniform(0, radius, 40), widths])
    bounds, roundings, _ = oracle._bounds(boxes, dual)
    inside = boxes[:, None, :2] + rng.uniform(-1, 1, (40, 50, 2)) * boxes[:, None, 2:]
    theta, bias = inside.reshape(-1, 2).T
    weights = np.column_stack([np.cos(theta), np.sin(theta)])[:, :dimension]
    found = heights(measurement, dual, Neurons(weights, bias + weights @ centre), order).reshape(40, 50)
    assert (found.max(axis=1) <= bounds + roundings).all()


@pytest.mark.parametrize("order", [2, 3, 4])
def test_the_search_finds_the_bounded_supremum(order):
    rng = np.random.default_rng(10 + order)
    measurement = segments(rng, 20, 2, 0.4)
    dual = dual_of(rng, measurement, order)
    bounded = ConvexityOracle(measurement, order).supremum(dual)
    searched = MeasuredSearchOracle(measurement, order).supremum(dual)
    assert searched.value <= bounded.upper
    assert searched.value == pytest.approx(bounded.value, rel=1e-9)
    assert MeasuredSearchOracle(measurement, order).kind == "heuristic"


@pytest.mark.parametrize("order", [2, 3])
def test_the_search_in_space_beats_random_neurons(order):
    rng = np.random.default_rng(20 + order)
    measurement = segments(rng, 30, 3, 0.4)
    dual = dual_of(rng, measurement, order)
    weights = unit_rows(rng, 20000, 3)
    neurons = Neurons(weights, rng.uniform(-1.7, 1.7, 20000))
    assert (
        MeasuredSearchOracle(measurement, order).supremum(dual).value
        >= heights(measurement, dual, neurons, order).max()
    )


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("dimension", [1, 2])
def test_short_segments_have_the_supremum_of_samples(dimension, order):
    rng = np.random.default_rng(order)
    points = rng.uniform(-1, 1, (14, dimension))
    dual = Samples(points).fit_polynomials(order - 1).project_off(rng.standard_normal(14))
    exact = choose_oracle(points, order).supremum(dual)
    length = 1e-6
    answer = ConvexityOracle(SegmentAverages.about(points, length), order, tolerance=1e-5).supremum(dual)
    # Averages over a length differ from samples by that times the slope of a neuron, at most 1.7^(m−2), for each datum.
    assert answer.upper == pytest.approx(exact.value, rel=2e-5, abs=length * 3 * np.abs(dual).sum())


def test_several_outputs_have_the_largest_norm_of_a_grid():
    rng = np.random.default_rng(3)
    measurement = segments(rng, 16, 2, 0.5)
    dual = dual_of(rng, measurement, 2, outputs=3)
    answer = ConvexityOracle(measurement, 2).supremum(dual)
    highest = heights(measurement, dual, grid(2), 2).max()
    assert highest <= answer.upper
    assert highest == pytest.approx(answer.value, rel=2e-3)
    assert answer.values.shape == (len(answer.neurons), 3)
    searched = MeasuredSearchOracle(measurement, 2).supremum(dual)
    assert searched.value == pytest.approx(answer.value, rel=1e-9)


def test_a_time_limit_leaves_a_looser_proof():
    rng = np.random.default_rng(4)
    measurement = segments(rng, 16, 2, 0.5)
    dual = dual_of(rng, measurement, 2)
    exact = ConvexityOracle(measurement, 2).supremum(dual)
    hasty = ConvexityOracle(measurement, 2, time_limit=1e-9).supremum(dual)
    assert hasty.upper > 1.01 * exact.upper


def test_cheap_answers_prove_nothing_and_hints_help():
    rng = np.random.default_rng(5)
    measurement = segments(rng, 16, 2, 0.5)
    dual = dual_of(rng, measurement, 2)
    oracle = ConvexityOracle(measurement, 2)
    answer = oracle.supremum(dual)
    cheap = oracle.approximate(dual, answer.neurons[:3])
    assert cheap.upper == np.inf
    assert cheap.value == pytest.approx(answer.value, rel=1e-9)


def test_slopes_are_those_of_differences():
    rng = np.random.default_rng(6)
    measurement = segments(rng, 10, 3, 0.7)
    neurons, pulls = Neurons(unit_rows(rng, 70, 3), rng.uniform(-1, 1, 70)), rng.standard_normal((10, 70))
    activation, step = TruncatedPower(3), 1e-5
    by_weights, by_biases = Slopes(measurement, activation)(neurons, pulls)

    def pulled(weights, biases):
        return np.sum(pulls * measurement.of_neurons(Neurons(weights, biases), activation), axis=0)

    # Central differences of piecewise smooth functions of size one: the square of the step, and ε over it.
    for i in range(3):
        move = step * np.eye(3)[i]
        ends = [pulled(neurons.weights + sign * move, neurons.biases) for sign in (1, -1)]
        np.testing.assert_allclose(by_weights[:, i], (ends[0] - ends[1]) / (2 * step), atol=1e-4)
    ends = [pulled(neurons.weights, neurons.biases + sign * step) for sign in (1, -1)]
    np.testing.assert_allclose(by_biases, (ends[0] - ends[1]) / (2 * step), atol=1e-4)


def test_the_reach_bounds_measured_neurons():
    rng = np.random.default_rng(7)
    measurement = segments(rng, 30, 2, 0.5)
    centre, radius = ball(measurement)
    ends = np.concatenate([measurement.starts, measurement.ends])
    assert np.linalg.norm(ends - centre, axis=1).max() <= radius * (1 + 8 * EPS)
    weights = unit_rows(rng, 500, 2)
    neurons = Neurons(weights, weights @ centre + rng.uniform(-radius, radius, 500))
    for order in (2, 3, 4):
        columns = measurement.of_neurons(neurons, TruncatedPower(order))
        assert np.linalg.norm(columns, axis=0).max() <= reach(measurement, order)


def test_which_oracle_is_chosen():
    rng = np.random.default_rng(8)
    assert [choose_measured_oracle(segments(rng, 20, d, 0.1)).kind for d in (1, 2, 3)] == [
        "bounded",
        "bounded",
        "heuristic",
    ]
    assert [choose_measured_oracle(hermite(rng, 10, d), 3).kind for d in (1, 2, 3)] == [
        "bounded",
        "bounded",
        "heuristic",
    ]
    with pytest.raises(
        ValueError, match="ConvexityOracle bounds averages and derivatives in dimension 1 or 2, got SegmentAverages"
    ):
        ConvexityOracle(segments(rng, 20, 3, 0.1), 2)
    with pytest.raises(ValueError, match="starts must be at least 1, got 0"):
        MeasuredSearchOracle(segments(rng, 20, 3, 0.1), 2, starts=0)
