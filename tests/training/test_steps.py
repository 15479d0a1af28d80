"""One step of training: the objective and its gradient, the proximal operators, penalties and coordinates."""

from __future__ import annotations

import itertools
from functools import partial

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import EPS, seeds
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

import ridgesplines as rs
from ridgesplines.activations import LeakyReLU, TruncatedPower
from ridgesplines.oracles import Neurons
from ridgesplines.solvers.training import PENALTIES
from ridgesplines.solvers.training.layer import network_values
from ridgesplines.solvers.training.merging import sparser, spline_of
from ridgesplines.solvers.training.network import Model, Parameters, data_of, initial, offset_of, rebalanced, scaled
from ridgesplines.solvers.training.proximal import prox_path_norm, prox_product, soft_threshold

pytestmark = pytest.mark.thinned(7)


def problem_of(order=2, dimension=2, outputs=0, loss=None, regularizer=None, weighted=False, offset=50.0):
    """Data in units far from 1, so that the coordinates of training matter."""
    rng = np.random.default_rng([order, dimension, outputs])
    x = 30.0 * rng.standard_normal((25, dimension)) + offset
    y = np.sin(x[:, 0] / 20) * 400 + 1000 + rng.standard_normal(25)
    if outputs:
        y = np.column_stack([y * (k + 1) for k in range(outputs)])
        regularizer = rs.VectorRadonTV(order)
    if loss is not None and not loss.translation_invariant:
        y = np.where(y > np.median(y), 1.0, -1.0)
    weights = rng.uniform(0.5, 2, 25) if weighted else None
    return rs.Problem(rs.Samples(x), y, loss, regularizer or rs.RadonTV(order), 3.0, weights)


def random_parameters(problem, model, data, seed=1):
    parameters = initial(problem, model, data, 6, 2.0, seed, 0)
    # Not balanced, and with a polynomial.
    rng = np.random.default_rng(seed)
    return Parameters(*(leaf + 0.1 * rng.standard_normal(leaf.shape) for leaf in parameters))


ATOMIC = rs.AtomicNorm(weight_norm=1, bias="joint", slope=0.25, skip="none")
CASES = [
    (dict(order=order, dimension=dimension, outputs=outputs, loss=loss), penalty, polynomial)
    for order, dimension, outputs, loss, penalty, polynomial in (
        (2, 1, 0, None, "path norm", "solved"),
        (2, 2, 0, None, "weight decay", "trained"),
        (3, 2, 0, None, "plain weight decay", "solved"),
        (4, 1, 0, None, "path norm", "absent"),
        (4, 2, 3, None, "weight decay", "solved"),
        (2, 3, 2, None, "path norm", "trained"),
        (2, 2, 0, rs.LogisticLoss(), "weight decay with biases", "trained"),
        (2, 2, 0, rs.HuberLoss(100.0), "none", "trained"),
        (3, 1, 0, rs.SquaredHingeLoss(), "path norm", "trained"),
        (2, 2, 0, rs.AbsoluteLoss(), "path norm", "trained"),
    )
] + [(dict(regularizer=ATOMIC), "path norm", "absent"), (dict(regularizer=ATOMIC), "weight decay", "absent")]


@pytest.mark.parametrize(("case", "penalty", "polynomial"), CASES)
def test_the_objective_is_the_problem_s_and_its_gradient_the_central_difference(case, penalty, polynomial):
    problem = problem_of(**case)
    model = Model(problem.loss, problem.regularizer, penalty, polynomial)
    data = data_of(problem, model, float)
    parameters = random_parameters(problem, model, data)
    neurons, coefficients = model.network(data, parameters_jax(parameters))
    neurons, coefficients = Neurons(np.asarray(neurons.weights), np.asarray(neurons.biases)), np.asarray(coefficients)
    # The same network by the package's NumPy code, in the problem's units.
    fit = problem.measure_neurons(neurons) @ coefficients
    if polynomial == "solved":
        fit = fit + problem.targets - fit - problem.free.project_off(problem.targets - fit)
    if polynomial == "trained":
        fit = fit + offset_of(problem, polynomial) + float(data.target) * np.asarray(data.basis) @ parameters.polynomial
    expected = problem.loss_value(fit)
    expected += 3.0 * float(PENALTIES[penalty](problem.regularizer, neurons, coefficients))
    value = float(data.unit) * float(model.objective(data, parameters_jax(parameters)))
    # Numbers of size 1e3 cancel to residuals of size 1, whose squares are summed.
    assert value == pytest.approx(expected, rel=1e7 * EPS)

    flat, back = jax.flatten_util.ravel_pytree(parameters_jax(parameters))
    function = jax.jit(lambda vector: model.objective(data, back(vector)))
    gradient, step = np.asarray(jax.grad(function)(flat)), 1e-6
    differences = [(function(flat + step * e) - function(flat - step * e)) / (2 * step) for e in np.eye(len(flat))]
    # Central differences of a function with third derivatives of order (its size), divided rounding.
    size = 1 + abs(float(function(flat))) + np.abs(gradient).max()
    np.testing.assert_allclose(gradient, differences, rtol=0, atol=1e-8 * size)


@pytest.mark.parametrize("outputs", [None, 3])
@pytest.mark.parametrize("activation", [*map(TruncatedPower, (2, 3, 4)), LeakyReLU(0.25), LeakyReLU(0.0)])
def test_the_gradient_by_hand_is_the_automatic_one(activation, outputs):
    rng = np.random.default_rng(3)
    tail = () if outputs is None else (outputs,)
    points, targets = rng.standard_normal((20, 3)), rng.standard_normal((20, *tail))
    shapes = (5, 3), (5,), (5, *tail)
    network = tuple(jnp.asarray(rng.standard_normal(shape)) for shape in shapes)

    def by_hand(network):
        return jnp.sum((network_values(activation, points, *network) - targets) ** 2)

    def plain(network):
        weights, biases, coefficients = network
        return jnp.sum((activation(points @ weights.T - biases) @ coefficients - targets) ** 2)

    direction = tuple(jnp.asarray(rng.standard_normal(leaf.shape)) for leaf in network)
    for derivative in (jax.grad, lambda f: lambda at: jax.jvp(jax.grad(f), (at,), (direction,))[1]):
        for one, two in zip(derivative(by_hand)(network), derivative(plain)(network), strict=True):
            # Sums of 60 terms of the size of the largest.
            np.testing.assert_allclose(one, two, rtol=0, atol=1e3 * EPS * float(jnp.abs(two).max()))
    assert by_hand(network) == pytest.approx(float(plain(network)), rel=64 * EPS)
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), network)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.grad(lambda n: jnp.sum(
        network_values(activation, jnp.asarray(points, jnp.float32), *n)))(single))  # fmt: skip


def parameters_jax(parameters):
    return jax.tree.map(jnp.asarray, parameters)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_solved_polynomial_is_the_best_one(weighted):
    problem = problem_of(weighted=weighted)
    model = Model(problem.loss, problem.regularizer, "none", "solved")
    data = data_of(problem, model, float)
    parameters = parameters_jax(random_parameters(problem, model, data))
    residual = np.asarray(problem.weights * (data.targets - model.predictions(data, parameters)))
    # The normal equations.
    np.testing.assert_allclose(problem.free.basis.T @ residual, 0, atol=1e3 * EPS * np.abs(problem.targets).sum())
    neurons, coefficients = model.network(data, parameters)
    neurons = Neurons(np.asarray(neurons.weights), np.asarray(neurons.biases))
    spline = spline_of(problem, neurons, np.asarray(coefficients), None)
    missed = problem.targets - spline(problem.measurements.points)
    np.testing.assert_allclose(missed, residual / problem.weights, atol=1e4 * EPS * np.abs(problem.targets).max())


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("penalty", list(PENALTIES))
def test_the_penalties_are_what_they_say(order, penalty):
    rng = np.random.default_rng(order)
    w, b, v = rng.standard_normal((5, 3)), rng.standard_normal(5), rng.standard_normal((5, 2))
    norm, size = np.linalg.norm(w, axis=1), np.linalg.norm(v, axis=1)
    expected = {
        "path norm": np.sum(size * norm ** (order - 1)),
        "weight decay": 0.5 * np.sum(size**2 + norm ** (2 * order - 2)),
        "plain weight decay": 0.5 * np.sum(size**2 + norm**2),
        "weight decay with biases": 0.5 * np.sum(size**2 + (norm**2 + b**2) ** (order - 1)),
        "none": 0.0,
    }[penalty]
    assert float(PENALTIES[penalty](rs.VectorRadonTV(order), Neurons(w, b), v)) == pytest.approx(expected, rel=64 * EPS)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_plain_weight_decay_minimised_over_scalings_is_the_quasi_norm(order):
    v, w = 0.7, np.array([[1.2, -0.5]])
    length = float(np.linalg.norm(w))

    def decay(logarithm):
        s = np.exp(logarithm[0])
        neuron = Neurons(s * w, np.zeros(1))
        return float(PENALTIES["plain weight decay"](rs.RadonTV(order), neuron, np.array([v / s ** (order - 1)])))

    least = minimize(decay, [0.0], tol=1e-12).fun
    quasi = order / (2 * (order - 1)) * ((order - 1) * v**2 * length ** (2 * order - 2)) ** (1 / order)
    assert least == pytest.approx(quasi, rel=1e-10)


# The proximal operators

prox_lengths = partial(jax.jit, static_argnums=3)(prox_product)


@pytest.mark.parametrize("degree", [1, 2, 3])
@given(seed=seeds, logarithm=st.floats(-6, 1))
def test_the_lengths_of_a_proximal_step_are_the_least_on_a_fine_grid_and_nearby(degree, seed, logarithm):
    alpha, beta = np.random.default_rng(seed).uniform(0, 2, 2)
    tau = 10.0**logarithm

    def value(p, q):
        return 0.5 * (p - alpha) ** 2 + 0.5 * (q - beta) ** 2 + tau * p**degree * q

    p, q = (float(part[0]) for part in prox_lengths(jnp.array([alpha]), jnp.array([beta]), jnp.asarray(tau), degree))
    assert p >= 0
    assert q >= 0
    found = value(p, q)
    grid = np.linspace(0, 1, 1001)
    least = value(alpha * grid[:, None], beta * grid).min()
    # Golden sections and Newton steps end within rounding of a local minimum, where the value is flat.
    assert found <= least + 1e3 * EPS
    for move, other in itertools.product((-1e-3, 0, 1e-3), repeat=2):
        assert found <= value(max(p + move, 0), max(q + other, 0)) + 1e3 * EPS


@pytest.mark.parametrize(("order", "outputs"), [(2, 0), (2, 3), (4, 0)])
def test_a_proximal_step_of_networks_minimises_what_defines_it(order, outputs):
    rng = np.random.default_rng(order + outputs)
    tail = (outputs,) if outputs else ()
    shapes = ((4, 2), (4,), (4, *tail), (0,))
    given_ = Parameters(*(jnp.asarray(rng.standard_normal(shape)) for shape in shapes))
    tau = 0.3
    regularizer = rs.VectorRadonTV(order)
    flat, back = jax.flatten_util.ravel_pytree(given_)

    @jax.jit
    def value(vector):
        network = back(vector)
        path_norm = regularizer.path_norm(Neurons(network.weights, network.biases), network.coefficients)
        return 0.5 * jnp.sum((vector - flat) ** 2) + tau * path_norm

    moved = prox_path_norm(given_, jnp.asarray(tau), order - 1)
    found = float(value(jax.flatten_util.ravel_pytree(moved)[0]))
    starts = [flat, 0.5 * flat, flat + rng.standard_normal(len(flat))]
    least = min(minimize(lambda t: float(value(t)), start, method="Powell").fun for start in starts)
    for share in rng.standard_normal((200, len(flat))):
        assert found <= float(value(jax.flatten_util.ravel_pytree(moved)[0] + 1e-2 * share))
    # Powell's method ends a little above.
    assert found <= least + 1e-9
    assert found >= least - 1e-2


def test_a_neuron_whose_coefficient_is_less_than_the_threshold_is_exactly_zero_and_keeps_its_weights():
    network = Parameters(jnp.array([[1.0, 0.0]]), jnp.array([0.5]), jnp.array([0.01]), jnp.zeros(0))
    for degree in (1, 2, 3):
        moved = prox_path_norm(network, jnp.asarray(0.02), degree)
        assert float(moved.coefficients[0]) == 0.0
        np.testing.assert_array_equal(moved.weights, network.weights)


def test_soft_thresholds_shrink_coefficients_by_their_length():
    network = Parameters(jnp.ones((3, 1)), jnp.zeros(3), jnp.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]]), jnp.zeros(0))
    moved = soft_threshold(network, jnp.array([1.0, 1.0, 1.0]))
    np.testing.assert_allclose(moved.coefficients, [[2.4, 3.2], [0, 0], [0, 0]], rtol=8 * EPS)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_balancing_leaves_the_function_as_it_is(order):
    problem = problem_of(order)
    model = Model(problem.loss, problem.regularizer, "weight decay", "solved")
    data = data_of(problem, model, float)
    parameters = parameters_jax(random_parameters(problem, model, data))
    gauges = jnp.linalg.norm(parameters.weights, axis=1) ** (order - 1)
    balanced = scaled(parameters, rebalanced(parameters, gauges, order - 1), order - 1)
    np.testing.assert_allclose(
        model.predictions(data, balanced), model.predictions(data, parameters), rtol=1e4 * EPS, atol=1e-9
    )
    record = model.record(data, balanced)
    # Balanced in the coordinates of training is balanced in the problem's units.
    assert float(record.imbalance) <= 64 * EPS
    assert float(record.penalty) == pytest.approx(3.0 * float(record.path_norm), rel=64 * EPS)


# From networks to splines


@pytest.mark.parametrize("order", [2, 4])
def test_neurons_next_to_each_other_are_merged_as_long_as_the_objective_does_not_rise(order):
    problem = problem_of(order)
    rng = np.random.default_rng(0)
    angles, offsets = np.array([0.3, 1.2, 2.0]), np.array([40.0, 60.0, 5.0])
    weights = np.column_stack([np.cos(angles), np.sin(angles)])
    copies = weights.repeat(5, axis=0) + 1e-6 * rng.standard_normal((15, 2))
    crowd = Neurons(copies, offsets.repeat(5) + 1e-5 * rng.standard_normal(15))
    coefficients = np.array([1.0, -2.0, 0.5]).repeat(5) / 30.0 ** (order - 2)
    spline = spline_of(problem, crowd, coefficients, None)
    assert spline.width == 15
    merged, objective = sparser(problem, spline, refit=True)
    assert merged.width == 3
    assert objective == problem.objective(merged)
    assert objective <= problem.objective(spline) * (1 + 1e-6)
    # Opposite signs are no crowd, and neither are neurons far apart.
    apart = spline_of(problem, Neurons(weights, offsets), np.array([1.0, -2.0, 0.5]), None)
    assert sparser(problem, apart, refit=True)[0].width == 3
    mixed = coefficients * np.tile([1.0, -1.0, 1.0, -1.0, 1.0], 3)
    assert sparser(problem, spline_of(problem, crowd, mixed, None), refit=True)[0].width > 3


def test_neurons_that_cancel_on_the_way_to_being_merged_leave_a_polynomial():
    problem = problem_of()
    weights = np.tile([[0.6, 0.8]], (3, 1))
    pair = Neurons(weights, np.array([40.0, 40.0 + 1e-3, 40.0 + 2e-3]))
    spline = spline_of(problem, pair, np.array([1e-9, -2e-9, 1e-9]), None)
    merged, objective = sparser(problem, spline, refit=True)
    assert merged.width <= 3
    assert objective == problem.objective(merged)


def test_a_spline_without_neurons_has_nothing_to_merge():
    problem = problem_of()
    flat = spline_of(problem, Neurons(np.zeros((0, 2)), np.zeros(0)), np.zeros(0), None)
    merged, objective = sparser(problem, flat, refit=True)
    assert merged.width == 0
    assert objective == problem.objective(flat)
