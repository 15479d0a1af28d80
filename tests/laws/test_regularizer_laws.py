"""The laws of every regularizer: its gauge, its normalisation, its cost as a seminorm, and the polar inequality."""

from __future__ import annotations

import cvxpy
import numpy as np
import pytest
from helpers import EPS, magnitude, random_dual, seeds, unit_rows
from hypothesis import given
from hypothesis import strategies as st

from ridgesplines import RadonTV, Regularizer, RidgeSpline, VectorRadonTV
from ridgesplines.oracles import Neurons, profile

# A new regularizer gets one row here.
every_regularizer = pytest.mark.parametrize(
    "regularizer", [RadonTV(), RadonTV(order=3), RadonTV(order=4), VectorRadonTV(), VectorRadonTV(order=4)], ids=repr
)
dimensions = st.sampled_from([1, 2, 3])


def draw_neurons(rng: np.random.Generator, dimension: int, count: int = 8) -> Neurons:
    return Neurons(rng.standard_normal((count, dimension)), rng.standard_normal(count))


def draw_spline(regularizer: Regularizer, rng: np.random.Generator, dimension: int) -> RidgeSpline:
    neurons = draw_neurons(rng, dimension)
    coefficients = rng.standard_normal(len(neurons))
    return RidgeSpline(neurons.weights, neurons.biases, coefficients, order=regularizer.order)


def test_every_regularizer_of_the_package_is_tested():
    tested = {type(regularizer) for regularizer in every_regularizer.args[1]}
    members = set(Regularizer.__subclasses__())
    members |= {cls for member in members for cls in member.__subclasses__()}
    assert {cls for cls in members if cls.__module__.startswith("ridgesplines")} <= tested


@every_regularizer
@given(seed=seeds, dimension=dimensions, factor=st.floats(1e-3, 1e3))
def test_the_gauge_is_homogeneous_of_degree_order_minus_one(regularizer, seed, dimension, factor):
    neurons = draw_neurons(np.random.default_rng(seed), dimension)
    scaled = Neurons(factor * neurons.weights, factor * neurons.biases)
    expected = factor**regularizer.degree * regularizer.gauge(neurons)
    np.testing.assert_allclose(regularizer.gauge(scaled), expected, rtol=16 * EPS)


@every_regularizer
@given(seed=seeds, dimension=dimensions)
def test_normalised_neurons_have_gauge_one_and_compute_the_same(regularizer, seed, dimension):
    rng = np.random.default_rng(seed)
    neurons, coefficients = draw_neurons(rng, dimension), rng.standard_normal(8)
    unit, scaled = regularizer.normalize(neurons, coefficients)
    np.testing.assert_allclose(regularizer.gauge(unit), 1, rtol=8 * EPS)
    before = RidgeSpline(neurons.weights, neurons.biases, coefficients, order=regularizer.order)
    after = RidgeSpline(unit.weights, unit.biases, scaled, order=regularizer.order)
    x = rng.standard_normal((30, dimension))
    np.testing.assert_allclose(after(x), before(x), rtol=0, atol=64 * EPS * magnitude(before, x))
    # Again changes nothing but the last digit.
    again, same = regularizer.normalize(unit, scaled)
    np.testing.assert_allclose(again.weights, unit.weights, rtol=8 * EPS)
    np.testing.assert_allclose(again.biases, unit.biases, rtol=8 * EPS)
    np.testing.assert_allclose(same, scaled, rtol=8 * EPS)


@every_regularizer
@given(seed=seeds, dimension=dimensions)
def test_the_cost_is_at_most_the_weighted_gauge_with_equality_for_distinct_neurons(regularizer, seed, dimension):
    rng = np.random.default_rng(seed)
    spline = draw_spline(regularizer, rng, dimension)
    total = float(np.abs(spline.coefficients) @ regularizer.gauge(Neurons(spline.weights, spline.biases)))
    assert regularizer.cost(spline) == pytest.approx(total, rel=32 * EPS)
    # Written wastefully, the same function costs the same, and the sum overstates it.
    split = spline + 0.5 * spline - 0.5 * spline
    wasteful = float(np.abs(split.coefficients) @ regularizer.gauge(Neurons(split.weights, split.biases)))
    assert wasteful == pytest.approx(2 * total, rel=32 * EPS)
    assert regularizer.cost(split) == pytest.approx(total, rel=64 * EPS)


@every_regularizer
@given(seed=seeds, dimension=dimensions, factor=st.floats(-10, 10))
def test_the_cost_is_a_seminorm(regularizer, seed, dimension, factor):
    rng = np.random.default_rng(seed)
    first, second = draw_spline(regularizer, rng, dimension), draw_spline(regularizer, rng, dimension)
    costs = regularizer.cost(first) + regularizer.cost(second)
    assert regularizer.cost(first + second) <= costs * (1 + 64 * EPS)
    # Shared hyperplanes make the inequality strict: f − f/2 costs half of f, not three halves.
    assert regularizer.cost(first - 0.5 * first) == pytest.approx(0.5 * regularizer.cost(first), rel=64 * EPS)
    assert regularizer.cost(factor * first) == pytest.approx(abs(factor) * regularizer.cost(first), rel=64 * EPS)


@every_regularizer
@given(seed=seeds, dimension=st.sampled_from([1, 2]))
def test_polar_inequality(regularizer, seed, dimension):
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((20, dimension))
    dual = random_dual(rng, points, regularizer.degree)
    supremum = regularizer.oracle(points).supremum(dual)
    neurons = draw_neurons(rng, dimension, 500)
    rounding = 64 * EPS * float(np.abs(dual) @ (np.abs(points).sum(axis=1) + 1)) * 4
    values = np.abs(profile(points, dual, neurons, regularizer.order))
    assert np.all(values <= supremum.upper * regularizer.gauge(neurons) + rounding)
    # Summed over a network: the pairing of z with f's values at the data is at most the supremum times the cost.
    spline = draw_spline(regularizer, rng, dimension)
    assert abs(dual @ spline(points)) <= supremum.upper * regularizer.cost(spline) + 10 * rounding


@every_regularizer
def test_cvxpy_expression_is_the_cost_of_normalised_neurons(regularizer):
    rng = np.random.default_rng(3)
    weights = unit_rows(rng, 6, 2)
    neurons, coefficients = regularizer.normalize(Neurons(weights, rng.standard_normal(6)), rng.standard_normal(6))
    variable = cvxpy.Variable(6)
    variable.value = coefficients
    spline = RidgeSpline(neurons.weights, neurons.biases, coefficients, order=regularizer.order)
    assert regularizer.cvxpy_expression(variable).value == pytest.approx(regularizer.cost(spline), rel=32 * EPS)


@pytest.mark.parametrize("order", [1, 5, "2"])
def test_unknown_orders_are_refused(order):
    with pytest.raises(ValueError, match="order must be 2"):
        RadonTV(order=order)
