"""The laws of every regularizer: its gauge, its normalisation, its cost as a seminorm, and the polar inequality."""

from __future__ import annotations

import itertools

import cvxpy
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import EPS, magnitude, random_dual, seeds, unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from ridgesplines import AtomicNorm, Polynomial, RadonTV, Regularizer, RidgeSpline, VectorRadonTV
from ridgesplines.oracles import Neurons, profile
from ridgesplines.polynomials import PolynomialFit, monomial_count

pytestmark = pytest.mark.thinned(4)

# A new regularizer gets one row here, or in MEMBERS below if not all its polynomials are free.
SEMINORMS = [RadonTV(), RadonTV(order=3), RadonTV(order=4), VectorRadonTV(), VectorRadonTV(order=4)]
# Beyond the data of these tests, which lie within ±1.
BOUND = 3.5
MEMBERS = [
    AtomicNorm(norm, bias, slope, skip, nonnegative)
    for norm, bias, slope, skip, nonnegative in itertools.product(
        (1, 2, np.inf), ("none", "free", "joint", BOUND), (0.0, 0.3), ("none", "constant", "affine"), (False, True)
    )
    if (bias, skip) != ("free", "none")
]


def name(regularizer: Regularizer) -> str:
    if not isinstance(regularizer, AtomicNorm):
        return repr(regularizer)
    parts = (regularizer.weight_norm, regularizer.bias, regularizer.slope, regularizer.skip)
    return "-".join(map(str, parts)) + "-nonnegative" * regularizer.nonnegative


every_regularizer = pytest.mark.parametrize("regularizer", SEMINORMS, ids=name)
everything = pytest.mark.parametrize("regularizer", [*SEMINORMS, *MEMBERS], ids=name)
every_member = pytest.mark.parametrize("regularizer", MEMBERS, ids=name)
every_signed_member = pytest.mark.parametrize("regularizer", [r for r in MEMBERS if not r.nonnegative], ids=name)
dimensions = st.sampled_from([1, 2, 3])
# There are many members, and each function costs a convex program.
few = settings(max_examples=3)
# What the programs of `represent` are accurate to, and a margin.
SHARED = 1e-8


def draw_neurons(rng: np.random.Generator, dimension: int, count: int = 8) -> Neurons:
    return Neurons(rng.standard_normal((count, dimension)), rng.standard_normal(count))


def draw_network(
    regularizer: Regularizer, rng: np.random.Generator, dimension: int, count: int = 6
) -> tuple[Neurons, np.ndarray, RidgeSpline]:
    """Admissible neurons and coefficients, and the function, a random free polynomial included."""
    neurons = regularizer.admit(draw_neurons(rng, dimension, count))
    coefficients = rng.standard_normal(count)
    coefficients = np.abs(coefficients) if regularizer.nonnegative else coefficients
    free = rng.standard_normal(monomial_count(dimension, regularizer.degree))
    polynomial = Polynomial(free, dimension, regularizer.degree)
    return neurons, coefficients, regularizer.spline(neurons, coefficients, polynomial)


def draw_spline(regularizer: Regularizer, rng: np.random.Generator, dimension: int) -> RidgeSpline:
    neurons = draw_neurons(rng, dimension)
    coefficients = rng.standard_normal(len(neurons))
    return RidgeSpline(neurons.weights, neurons.biases, coefficients, order=regularizer.order)


@everything
@given(seed=seeds, dimension=dimensions)
@settings(max_examples=1)  # what JAX does for each shape takes a tenth of a second
def test_the_gradient_of_the_gauge_is_that_of_jax_and_of_differences(regularizer, seed, dimension):
    neurons = draw_neurons(np.random.default_rng(seed), dimension)
    values, weights, biases = regularizer.gauge_gradient(neurons)
    by_jax = Regularizer.gauge_gradient(regularizer, neurons)
    for ours, theirs in zip((values, weights, biases), by_jax, strict=True):
        assert ours == pytest.approx(np.asarray(theirs), rel=16 * EPS, abs=16 * EPS)
    step = 1e-6 * np.random.default_rng(seed + 1).standard_normal((len(neurons), dimension + 1))
    ends = [
        np.asarray(regularizer.gauge(Neurons(neurons.weights + t * step[:, :-1], neurons.biases + t * step[:, -1])))
        for t in (-1, 1)
    ]
    change = np.sum(weights * step[:, :-1], axis=1) + biases * step[:, -1]
    # Central differences: the third derivative, of order one over ‖w‖², by the step cubed, and rounding.
    lengths = np.linalg.norm(neurons.weights, axis=1)
    allowance = 1e-15 * (1 + np.abs(values)) + np.linalg.norm(step, axis=1) ** 3 / np.minimum(lengths, 1) ** 2
    if regularizer.degree == regularizer.order - 1 and not isinstance(regularizer, AtomicNorm):
        assert (np.abs(0.5 * (ends[1] - ends[0]) - change) <= 8 * allowance).all()
    else:
        # Neurons near a kink of ‖·‖₁ or ‖·‖_∞ may cross it.
        assert np.median(np.abs(0.5 * (ends[1] - ends[0]) - change) / allowance) <= 8


def test_every_regularizer_of_the_package_is_tested():
    tested = {type(regularizer) for regularizer in (*SEMINORMS, *MEMBERS)}
    members = set(Regularizer.__subclasses__())
    members |= {cls for member in members for cls in member.__subclasses__()}
    assert {cls for cls in members if cls.__module__.startswith("ridgesplines")} <= tested


@everything
@few
@given(seed=seeds, dimension=dimensions, factor=st.floats(1e-3, 1e3))
def test_the_gauge_is_homogeneous_of_degree_order_minus_one(regularizer, seed, dimension, factor):
    neurons = draw_neurons(np.random.default_rng(seed), dimension)
    scaled = Neurons(factor * neurons.weights, factor * neurons.biases)
    expected = factor ** (regularizer.order - 1) * regularizer.gauge(neurons)
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


# Gauges and normalisation of all


@everything
@few
@given(seed=seeds, dimension=dimensions, share=st.floats(0, 1))
def test_the_gauge_is_even_and_convex(regularizer, seed, dimension, share):
    if regularizer.order > 2:
        # Convex in one homogeneous of degree one: its root.
        share = 1.0
    rng = np.random.default_rng(seed)
    first, second = draw_neurons(rng, dimension), draw_neurons(rng, dimension)
    between = Neurons(
        share * first.weights + (1 - share) * second.weights, share * first.biases + (1 - share) * second.biases
    )
    chord = share * regularizer.gauge(first) + (1 - share) * regularizer.gauge(second)
    assert (regularizer.gauge(between) <= chord * (1 + 16 * EPS)).all()
    np.testing.assert_array_equal(regularizer.gauge(Neurons(-first.weights, -first.biases)), regularizer.gauge(first))


@every_member
@few
@given(seed=seeds, dimension=dimensions)
def test_normalised_networks_are_admissible_and_the_same_function(regularizer, seed, dimension):
    rng = np.random.default_rng(seed)
    neurons, coefficients, spline = draw_network(regularizer, rng, dimension)
    assert regularizer.admits(neurons)
    unit, scaled = regularizer.normalize(neurons, coefficients)
    np.testing.assert_allclose(regularizer.gauge(unit), 1, rtol=8 * EPS)
    assert regularizer.admits(unit)
    again, same = regularizer.normalize(unit, scaled)
    np.testing.assert_allclose(again.weights, unit.weights, rtol=8 * EPS)
    np.testing.assert_allclose(again.biases, unit.biases, rtol=8 * EPS)
    np.testing.assert_allclose(same, scaled, rtol=8 * EPS)
    x = rng.uniform(-1, 1, (30, dimension))
    before = regularizer.activation(x @ neurons.weights.T - neurons.biases) @ coefficients
    after = regularizer.activation(x @ unit.weights.T - unit.biases) @ scaled
    np.testing.assert_allclose(after, before, rtol=0, atol=64 * EPS * magnitude(spline, x))
    # And the spline is the network plus the free polynomial.
    difference = np.asarray(spline(x)) - before
    left = difference if regularizer.degree < 0 else PolynomialFit.at(x, regularizer.degree).project_off(difference)
    np.testing.assert_allclose(left, 0, atol=1e3 * EPS * magnitude(spline, x))


@everything
@few
@given(seed=seeds, dimension=dimensions)
def test_jax_gauges_are_those_of_numpy_and_have_gradients(regularizer, seed, dimension):
    neurons = draw_neurons(np.random.default_rng(seed), dimension)
    weights, biases = jnp.asarray(neurons.weights), jnp.asarray(neurons.biases)
    gauges = regularizer.gauge(Neurons(weights, biases))
    assert isinstance(gauges, jax.Array)
    np.testing.assert_allclose(gauges, regularizer.gauge(neurons), rtol=16 * EPS)
    by_w, by_b = jax.grad(lambda w, b: regularizer.gauge(Neurons(w, b)).sum(), (0, 1))(weights, biases)
    # Euler's identity.
    summed = float((by_w * weights).sum() + (by_b * biases).sum())
    assert summed == pytest.approx((regularizer.order - 1) * float(gauges.sum()), rel=64 * EPS)


@everything
@few
@given(seed=seeds, dimension=dimensions)
def test_cvxpy_gauges_are_those_of_numpy_on_admissible_neurons(regularizer, seed, dimension):
    rng = np.random.default_rng(seed)
    neurons = regularizer.admit(draw_neurons(rng, dimension))
    weights, biases = cvxpy.Variable((8, dimension)), cvxpy.Variable(8)
    weights.value, biases.value = neurons.weights, neurons.biases
    if regularizer.order > 2:
        with pytest.raises(NotImplementedError, match="no convex gauge"):
            regularizer.cvxpy_gauges(weights, biases)
        return
    together = regularizer.cvxpy_gauges(weights, biases)
    assert together.shape == (8,)
    assert together.is_convex()
    expected = regularizer.gauge(neurons)
    np.testing.assert_allclose(together.value, expected, rtol=16 * EPS)
    alone = [regularizer.cvxpy_gauge(weights[k], biases[k]) for k in range(8)]
    assert all(gauge.is_convex() for gauge in alone)
    np.testing.assert_allclose([gauge.value for gauge in alone], expected, rtol=16 * EPS)
    plain = Regularizer.cvxpy_gauges(regularizer, weights, biases)
    np.testing.assert_allclose(plain.value, expected, rtol=16 * EPS)


@everything
@few
@given(seed=seeds, dimension=dimensions)
def test_weight_decay_is_at_least_the_path_norm_with_equality_for_balanced_networks(regularizer, seed, dimension):
    rng = np.random.default_rng(seed)
    neurons, coefficients = draw_neurons(rng, dimension), rng.standard_normal(8)
    path, decay = regularizer.path_norm(neurons, coefficients), regularizer.weight_decay(neurons, coefficients)
    assert path == pytest.approx(float(np.abs(coefficients) @ regularizer.gauge(neurons)), rel=16 * EPS)
    assert path <= decay * (1 + 16 * EPS)
    # |v| = gauge: weights times s, and v divided by s^(m−1).
    scales = (np.abs(coefficients) / regularizer.gauge(neurons)) ** (0.5 / (regularizer.order - 1))
    balanced = Neurons(neurons.weights * scales[:, None], neurons.biases * scales)
    shrunk = coefficients / scales ** (regularizer.order - 1)
    assert regularizer.path_norm(balanced, shrunk) == pytest.approx(path, rel=64 * EPS)
    assert regularizer.weight_decay(balanced, shrunk) == pytest.approx(path, rel=64 * EPS)
    both = np.column_stack([coefficients, np.zeros(8)])
    assert regularizer.path_norm(neurons, both) == pytest.approx(path, rel=16 * EPS)


# Costs of functions under atomic norms


@every_member
@few
@given(seed=seeds, dimension=dimensions)
def test_the_cost_is_at_most_that_of_any_network_and_that_of_the_one_returned(regularizer, seed, dimension):
    rng = np.random.default_rng(seed)
    neurons, coefficients, spline = draw_network(regularizer, rng, dimension)
    price = float(np.abs(coefficients) @ regularizer.gauge(neurons))
    cheapest = regularizer.represent(spline)
    assert cheapest.cost == regularizer.cost(spline) <= price * (1 + SHARED)
    np.testing.assert_allclose(regularizer.gauge(cheapest.neurons), 1, rtol=16 * EPS)
    assert float(np.abs(cheapest.coefficients).sum()) == pytest.approx(cheapest.cost, rel=16 * EPS)
    assert regularizer.admits(cheapest.neurons)
    assert not (regularizer.nonnegative and (cheapest.coefficients < 0).any())
    # The network returned is the function, up to free polynomials.
    x = rng.uniform(-1, 1, (40, dimension))
    heights = x @ cheapest.neurons.weights.T - cheapest.neurons.biases
    difference = np.asarray(spline(x)) - regularizer.activation(heights) @ cheapest.coefficients
    if regularizer.degree >= 0:
        difference = PolynomialFit.at(x, regularizer.degree).project_off(difference)
    size = magnitude(spline, x) + float((np.abs(heights) @ np.abs(cheapest.coefficients)).max())
    np.testing.assert_allclose(difference, 0, atol=1e-11 * size)
    # Every other network is no cheaper, one that says the same wastefully included.
    wasteful = spline + 0.5 * spline - 0.5 * spline
    assert regularizer.cost(wasteful) == pytest.approx(cheapest.cost, rel=SHARED)


@every_signed_member
@few
@given(seed=seeds, dimension=dimensions, factor=st.floats(0.01, 10))
def test_costs_under_atomic_norms_are_seminorms(regularizer, seed, dimension, factor):
    rng = np.random.default_rng(seed)
    first, second = (draw_network(regularizer, rng, dimension, 3)[2] for _ in range(2))
    costs = regularizer.cost(first), regularizer.cost(second)
    assert regularizer.cost(first + second) <= sum(costs) * (1 + SHARED)
    assert regularizer.cost(first - second) >= abs(costs[0] - costs[1]) - SHARED * sum(costs)
    for scale in (factor, -factor):
        assert regularizer.cost(scale * first) == pytest.approx(factor * costs[0], rel=SHARED)


@pytest.mark.parametrize("regularizer", [r for r in MEMBERS if r.nonnegative], ids=name)
@few
@given(seed=seeds, dimension=dimensions, factor=st.floats(0.01, 10))
def test_costs_for_coefficients_of_one_sign_are_convex_and_infinite_for_those_of_the_other(
    regularizer, seed, dimension, factor
):
    rng = np.random.default_rng(seed)
    first, second = (draw_network(regularizer, rng, dimension, 3)[2] for _ in range(2))
    costs = regularizer.cost(first), regularizer.cost(second)
    assert regularizer.cost(first + second) <= sum(costs) * (1 + SHARED)
    assert regularizer.cost(factor * first) == pytest.approx(factor * costs[0], rel=SHARED)
    assert regularizer.cost(-first) == np.inf


@every_member
@few
@given(seed=seeds, dimension=st.sampled_from([1, 2]))
def test_the_polar_inequality_of_atomic_norms(regularizer, seed, dimension):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (12, dimension))
    dual = rng.standard_normal(12)
    dual = dual if regularizer.degree < 0 else PolynomialFit.at(points, regularizer.degree).project_off(dual)
    oracle = regularizer.oracle(points)
    assert oracle.kind == "exact"
    supremum = oracle.supremum(dual)
    neurons = regularizer.admit(draw_neurons(rng, dimension, 500))
    values = profile(points, dual, neurons, slope=regularizer.activation.slope)
    rounding = 64 * EPS * float(np.abs(dual).sum()) * (3 + np.abs(neurons.weights).sum(axis=1) + np.abs(neurons.biases))
    above = values if regularizer.nonnegative else np.abs(values)
    assert np.all(above <= supremum.upper * regularizer.gauge(neurons) + rounding)
    spline = draw_network(regularizer, rng, dimension)[2]
    paired = float(dual @ spline(points))
    paired = paired if regularizer.nonnegative else abs(paired)
    assert paired <= supremum.upper * regularizer.cost(spline) * (1 + SHARED) + 1e3 * EPS * magnitude(spline, points)


@every_signed_member
def test_cvxpy_expression_is_the_sum_of_the_coefficients(regularizer):
    coefficients = np.random.default_rng(4).standard_normal(6)
    variable = cvxpy.Variable(6)
    variable.value = coefficients
    assert regularizer.cvxpy_expression(variable).value == pytest.approx(np.abs(coefficients).sum(), rel=16 * EPS)


# Closed forms on the line


def kinks(spline: RidgeSpline) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Knots, jumps of f', f'(−∞) and f'(∞) of a spline whose weights are ±1."""
    w, b, v = spline.weights[:, 0], spline.biases, spline.coefficients
    slope = float(spline.polynomial.coefficients[1])
    return b / w, v * np.abs(w), slope + float(np.minimum(w, 0) @ v), slope + float(np.maximum(w, 0) @ v)


@pytest.mark.parametrize("slope", [0.0, 0.3])
@given(seed=seeds)
def test_closed_forms_on_the_line(slope, seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 7))
    spline = RidgeSpline(
        rng.choice([-1.0, 1.0], (count, 1)), rng.standard_normal(count), rng.standard_normal(count), rng.normal(size=2)
    )
    knots, jumps, left, right = kinks(spline)
    total = float(np.abs(jumps).sum()) / (1 - slope)
    for p in (1, 2, np.inf):
        assert AtomicNorm(p, "free", slope).cost(spline) == pytest.approx(total, rel=64 * EPS)
        both = max(total, abs(left + right) / (1 + slope))
        assert AtomicNorm(p, "free", slope, "constant").cost(spline) == pytest.approx(both, rel=SHARED)
        lengths = np.linalg.norm(np.column_stack([np.ones(count), knots]), p, axis=1)
        penalised = float(np.abs(jumps) @ lengths) / (1 - slope)
        assert AtomicNorm(p, "joint", slope).cost(spline) == pytest.approx(penalised, rel=64 * EPS)


@pytest.mark.parametrize("exponent", [-310, -300, -201, -160, 150, 200])
@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize(
    "regularizer",
    [
        AtomicNorm(2, "joint", 0.3, "none"),
        AtomicNorm(2, "free", 0.0, "constant"),
        AtomicNorm(1, 0.5, 0.3, "none"),
        AtomicNorm(np.inf, 2.5, 0.0, "constant"),
        AtomicNorm(2, "none", 0.3, "none"),
        AtomicNorm(2, "joint", 0.3, "none", nonnegative=True),
    ],
    ids=repr,
)
def test_the_cost_is_homogeneous_for_tiny_and_huge_functions(regularizer, dimension, exponent):
    rng = np.random.default_rng(0)
    neurons = regularizer.admit(Neurons(rng.standard_normal((3, dimension)), rng.standard_normal(3)))
    network = regularizer.spline(
        neurons, np.abs(rng.standard_normal(3)), Polynomial(np.zeros(dimension + 1), dimension, 1)
    )
    # An affine part that needs neurons of its own, or more where only v ≥ 0 is admissible.
    tilt = 0.0 if regularizer.nonnegative or regularizer.bias == "none" else 0.7
    polynomial = np.array(network.polynomial.coefficients) + tilt
    costs = []
    for scale in (1.0, 10.0**exponent):
        scaled = RidgeSpline(network.weights, network.biases, scale * network.coefficients, scale * polynomial)
        costs.append(regularizer.cost(scaled) / scale)
    # Numbers near the least have few digits.
    assert costs[1] == pytest.approx(costs[0], rel=1e-11 if exponent > -308 else 1e-5)
    assert 0 < costs[0] < np.inf


def cheapest_on_a_grid(spline: RidgeSpline, p: float, slope: float, constants: bool) -> float:
    """The least Σ |v| ‖(w, b)‖_p of networks of neurons at the knots and on a fine grid that are f: a linear program.

    v₊ σ(t) + v₋ σ(−t) with t = x − b is (1 − β) (v₊ + v₋) max(t, 0) + (β v₊ − v₋) t.
    """
    knots, jumps, left, _ = kinks(spline)
    # Tangents of angles, so that neurons of joint gauge 1 are spread evenly; and the constant neuron.
    grid = np.concatenate([knots, np.tan(np.linspace(-1.57, 1.57, 2001))])
    bends = np.append(jumps, np.zeros(2001))
    at_zero = float(spline(np.zeros((1, 1)))[0])
    count = len(grid)
    gauges = np.linalg.norm(np.column_stack([np.ones(count), grid]), p, axis=1)
    bend = (1 - slope) * np.hstack([np.eye(count), np.eye(count), np.zeros((count, 1))])
    steep = np.concatenate([np.full(count, slope), -np.ones(count), [0.0]])
    height = np.concatenate([[n if n > 0 else slope * n for n in sign * -grid] for sign in (1, -1)] + [[1.0]])
    rows, goals = [bend, steep[None]], [bends, [left]]
    if not constants:
        rows, goals = [*rows, height[None]], [*goals, [at_zero]]
    # Units of gauge one.
    prices = np.concatenate([gauges, gauges, [1.0]])
    matrix = np.concatenate(rows) / prices
    v = cvxpy.Variable(2 * count + 1)
    program = cvxpy.Problem(cvxpy.Minimize(cvxpy.norm1(v)), [matrix @ v == np.concatenate(goals)])
    return float(program.solve(solver=cvxpy.CLARABEL))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("skip", ["none", "constant"])
@pytest.mark.parametrize("slope", [0.0, 0.3])
@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_penalised_biases_on_the_line_agree_with_a_linear_program_on_a_grid(p, slope, skip, seed):
    rng = np.random.default_rng(seed)
    spline = RidgeSpline(np.ones((3, 1)), rng.standard_normal(3), rng.standard_normal(3), rng.normal(size=2))
    cost = AtomicNorm(p, "joint", slope, skip).cost(spline)
    on_the_grid = cheapest_on_a_grid(spline, p, slope, skip == "constant")
    # Neighbours on the grid are 0.0016 apart in angle: half of its square, or its half where the gauge has corners.
    assert cost * (1 - 1e-6) <= on_the_grid <= cost * (1 + 2e-3)
