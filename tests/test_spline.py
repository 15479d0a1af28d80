"""Ridge splines: the laws of the canonical form and the seminorm, calculations, networks, arrays and JAX, files."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import EPS, magnitude, random_spline, rotation, seeds, splines, unit_rows
from hypothesis import given
from hypothesis import strategies as st

import ridgesplines.spline as module
from ridgesplines import Polynomial, RidgeSpline
from ridgesplines.activations import TruncatedPower
from ridgesplines.archive import FORMAT_VERSION, write_archive
from ridgesplines.polynomials import monomial_count, ridge_power

SIZES = list(itertools.product((2, 3, 4), (1, 2, 3), (None, 1, 3)))  # (order, dimension, outputs)

every_size = pytest.mark.parametrize(("order", "dimension", "outputs"), SIZES)
every_order = pytest.mark.parametrize("order", [2, 3, 4])


def probes(dimension: int, seed: int = 0, count: int = 50) -> np.ndarray:
    return 2 * np.random.default_rng(seed).standard_normal((count, dimension))


def assert_same_function(first: RidgeSpline, second: RidgeSpline, x: np.ndarray | None = None) -> None:
    """Equal values at many points, to the rounding of multiplying out K neurons and their polynomials of degree < 4."""
    x = probes(first.dimension) if x is None else x
    scale = max(magnitude(first, x), magnitude(second, x))
    np.testing.assert_allclose(first(x), second(x), rtol=0, atol=128 * EPS * scale)


def jumps(spline: RidgeSpline) -> np.ndarray:
    """‖v_k‖ of every neuron."""
    return np.linalg.norm(spline.coefficients.reshape(spline.width, spline.outputs), axis=1)


def mass(spline: RidgeSpline) -> float:
    """Σ |v| ‖w‖^(m−1) before merging: what the rounding of the seminorm is relative to."""
    sizes = jumps(spline)
    return max(float(sizes @ np.linalg.norm(spline.weights, axis=1) ** (spline.order - 1)), 1e-300)


def seminorm_tolerance(spline: RidgeSpline) -> float:
    # Neurons at rest after merging are dropped below 1e-12 of their mass; all else is rounding.
    return 4e-12 * mass(spline)


# Canonical form


@given(splines())
def test_canonical_is_the_same_function(spline):
    assert_same_function(spline.canonical(), spline)


@given(splines())
def test_canonical_has_unit_weights_that_point_one_way_and_no_hyperplane_twice(spline):
    canonical = spline.canonical()
    np.testing.assert_allclose(np.linalg.norm(canonical.weights, axis=1), 1, rtol=4 * EPS)
    leading = [row[np.abs(row) > 1e-12][0] for row in canonical.weights]
    assert all(first > 0 for first in leading)
    assert np.all(jumps(canonical) > 0)
    hyperplanes = np.column_stack([canonical.weights, canonical.biases])
    distances = np.abs(hyperplanes[:, None] - hyperplanes[None]).max(axis=2) + np.eye(canonical.width)
    assert distances.min(initial=1) > 1e-13


@given(splines())
def test_canonical_is_idempotent(spline):
    once = spline.canonical()
    twice = once.canonical()
    for name, array in once.to_arrays().items():
        # Normalising a unit vector again moves it by its last digit, in one order with the first time.
        tolerance = 16 * EPS * max(1.0, float(np.abs(array).max(initial=0)))
        np.testing.assert_allclose(twice.to_arrays()[name], array, rtol=0, atol=tolerance)


@given(splines(), seeds)
def test_canonical_does_not_depend_on_how_the_function_is_written(spline, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(spline.width)
    scales = rng.uniform(0.5, 2, spline.width)
    coefficients = (spline.coefficients.T / scales ** (spline.order - 1)).T
    other = RidgeSpline(
        (spline.weights * scales[:, None])[order],
        (spline.biases * scales)[order],
        coefficients[order],
        spline.polynomial,
        spline.order,
    )
    assert other.canonical().width == spline.canonical().width
    assert other.radon_tv() == pytest.approx(spline.radon_tv(), abs=seminorm_tolerance(spline))
    assert_same_function(other.canonical(), spline.canonical())


@every_size
def test_flipping_a_neuron_changes_only_the_polynomial(order, dimension, outputs):
    spline = random_spline(np.random.default_rng(1), order, dimension, outputs)
    # ρ_m(t) = (−1)^m [ρ_m(−t) − (−1)^(m−1) t^(m−1)/(m−1)!]
    moved = ridge_power(spline.weights, spline.biases, order - 1).T @ spline.coefficients / math.factorial(order - 1)
    polynomial = spline.polynomial.coefficients + moved
    sign = (-1) ** order
    flipped = RidgeSpline(-spline.weights, -spline.biases, sign * spline.coefficients, polynomial, order)
    assert_same_function(flipped, spline)
    ours, theirs = flipped.canonical().to_arrays(), spline.canonical().to_arrays()
    for name, array in ours.items():
        np.testing.assert_allclose(array, theirs[name], rtol=0, atol=128 * EPS * max(1, np.abs(polynomial).max()))


@pytest.mark.parametrize("factor", [2.0, -3.0])
@pytest.mark.parametrize(("added", "width"), [(0.5, 1), (-1.0, 0)])
@every_order
def test_neurons_on_one_hyperplane_merge_in_either_orientation(order, factor, added, width):
    w, b, v = np.array([0.6, -0.8]), 0.3, 1.5
    # The second neuron contributes `added` times the first one's jump, whatever the length and sign of its weight.
    second = added * v / abs(factor) ** (order - 1) * (1 if factor > 0 else (-1) ** order)
    spline = RidgeSpline([w, factor * w], [b, factor * b], [v, second], order=order)
    canonical = spline.canonical()
    assert canonical.width == width
    assert spline.radon_tv() == pytest.approx(v * (1 + added), abs=8 * EPS * v)
    assert_same_function(canonical, spline)


def test_neurons_without_weight_become_constants_and_those_without_coefficient_vanish():
    spline = RidgeSpline([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]], [-2.0, 2.0, 0.0], [3.0, 5.0, 0.0])
    canonical = spline.canonical()
    assert canonical.width == 0
    np.testing.assert_array_equal(canonical.polynomial.coefficients, [6.0, 0.0, 0.0])  # 3·ρ(2) + 5·ρ(−2)
    assert spline.radon_tv() == 0.0


def test_a_looser_tolerance_merges_what_single_precision_blurred():
    spline = RidgeSpline([[1.0, 0.0], [1.0, 1e-7]], [0.5, 0.5 + 1e-7], [1.0, -1.0])
    assert spline.canonical().width == 2
    assert spline.canonical(tolerance=1e-6).width == 0


@pytest.mark.parametrize("far", [1e6, 1e12, 1e20])
@every_order
def test_a_dying_neuron_does_not_make_the_others_one(order, far):
    # Its weight is nearly zero and its bias is not: the hyperplane is far away.
    weights, biases = np.array([[1.0], [1.0], [-1.0], [1 / far]]), np.array([0.1, -0.3, 0.2, 0.4])
    spline = RidgeSpline(weights, biases, [1.0, -2.0, 0.5, 1 / far], order=order)
    canonical = spline.canonical()
    assert canonical.width == 4
    x = np.linspace(-1, 1, 50)
    # Where it is active, powers of its offset cancel.
    np.testing.assert_allclose(canonical(x), spline(x), rtol=0, atol=1e-12)
    lively = RidgeSpline(weights[:3], biases[:3], [1.0, -2.0, 0.5], order=order)
    assert spline.radon_tv() == pytest.approx(lively.radon_tv(), rel=1e-5)


@every_order
def test_vanishing_outputs_of_a_vector_spline_merge_by_vector(order):
    spline = RidgeSpline([[1.0], [1.0], [2.0]], [0.0, 0.0, 1.0], [[1.0, 2.0], [-1.0, 2.0], [0.0, 0.0]], order=order)
    np.testing.assert_array_equal(spline.canonical().coefficients, [[0.0, 4.0]])
    assert spline.radon_tv() == 4.0


# The seminorm


@given(splines(), seeds)
def test_radon_tv_does_not_change_under_rigid_motions(spline, seed):
    rng = np.random.default_rng(seed)
    motion, shift = rotation(rng, spline.dimension), rng.standard_normal(spline.dimension)
    # Offsets move with rounding, which can blur a merger only within the tolerance of 1e-12.
    assert spline.compose(motion, shift).radon_tv() == pytest.approx(spline.radon_tv(), abs=seminorm_tolerance(spline))


@given(splines(), st.floats(0.1, 10))
def test_radon_tv_scales_with_the_inputs(spline, scale):
    scaled = spline.compose(scale * np.eye(spline.dimension), np.zeros(spline.dimension))
    expected = scale ** (spline.order - 1) * spline.radon_tv()
    assert scaled.radon_tv() == pytest.approx(expected, abs=seminorm_tolerance(scaled))


@given(splines(), seeds)
def test_radon_tv_ignores_polynomials(spline, seed):
    coefficients = spline.polynomial.coefficients
    added = np.random.default_rng(seed).standard_normal(coefficients.shape)
    other = RidgeSpline(spline.weights, spline.biases, spline.coefficients, coefficients + added, spline.order)
    assert other.radon_tv() == spline.radon_tv()


@given(splines(), st.floats(-10, 10))
def test_radon_tv_is_a_seminorm(spline, factor):
    assert (factor * spline).radon_tv() == pytest.approx(
        abs(factor) * spline.radon_tv(), abs=seminorm_tolerance(spline) * max(1, abs(factor))
    )
    other = random_spline(np.random.default_rng(2), spline.order, spline.dimension)
    if spline.coefficients.ndim == 1:
        total = spline.radon_tv() + other.radon_tv()
        assert (spline + other).radon_tv() <= total + seminorm_tolerance(spline) + seminorm_tolerance(other)
        assert (spline - spline).radon_tv() == 0.0


@given(splines(dimensions=(1,)), st.integers(1, 4), seeds)
def test_a_ridge_has_the_radon_tv_of_its_profile_in_every_dimension(profile, dimension, seed):
    direction = unit_rows(np.random.default_rng(seed), 1, dimension)
    ridge = profile.compose(direction, np.zeros(1))
    x = probes(dimension)
    scale = magnitude(profile, np.abs(x) @ np.abs(direction).T)
    np.testing.assert_allclose(ridge(x), profile(x @ direction[0]), rtol=0, atol=128 * EPS * scale)
    assert ridge.radon_tv() == pytest.approx(profile.radon_tv(), abs=seminorm_tolerance(profile))


@given(splines(dimensions=(1,)))
def test_in_one_dimension_radon_tv_is_the_total_variation_of_the_last_derivative(spline):
    degree = spline.order - 1
    slopes = spline.weights[:, 0]
    knots = np.unique(np.round(spline.biases[slopes != 0] / slopes[slopes != 0], 9))
    edges = np.concatenate([[-2e2], knots, [2e2]])
    # Between knots f is a polynomial of degree m − 1, whose last derivative is a divided difference of m values.
    derivatives, tolerance = [], 0.0
    for left, right in itertools.pairwise(edges):
        margin = 0.1 * (right - left)
        nodes = np.linspace(left + margin, right - margin, degree + 1)
        step = nodes[1] - nodes[0]
        values = spline(nodes)
        derivatives.append(np.diff(values, degree, axis=0)[0] / step**degree)
        tolerance += 2 * 2**degree * 64 * EPS * magnitude(spline, nodes[:, None]) / step**degree
    jumps = np.diff(np.array(derivatives).reshape(len(derivatives), -1), axis=0)
    total = np.linalg.norm(jumps, axis=1).sum()
    if tolerance < 1e-4 * mass(spline):  # knots too close to tell the slope between them say nothing
        assert spline.radon_tv() == pytest.approx(total, abs=tolerance + seminorm_tolerance(spline))


# Gradient


@every_size
def test_gradient_agrees_with_finite_differences(order, dimension, outputs):
    spline = random_spline(np.random.default_rng(7), order, dimension, outputs)
    step = 2.0**-14
    x = probes(dimension, count=200)
    heights = np.abs(x @ spline.weights.T - spline.biases)
    x = x[(heights > 4 * step * np.abs(spline.weights).max()).all(axis=1)]  # away from the kinks
    assert len(x) > 100
    differences = [(spline(x + e) - spline(x - e)) / (2 * step) for e in step * np.eye(dimension)]
    gradient = spline.gradient(x)
    assert gradient.shape == (len(x), *spline.coefficients.shape[1:], dimension)
    # Rounding over the step; order 4 has a third derivative, of the size of the terms at |x| + 1.
    tolerance = (64 * EPS / step + 4 * step**2) * magnitude(spline, np.abs(x) + 1)
    np.testing.assert_allclose(gradient, np.stack(differences, axis=-1), rtol=0, atol=tolerance)


def test_on_a_kink_the_neuron_counts_as_inactive():
    spline = RidgeSpline([[2.0]], [1.0], [3.0])
    np.testing.assert_array_equal(spline.gradient(np.array([0.4, 0.5, 0.6])), [[0.0], [0.0], [6.0]])


# Algebra


@every_size
def test_calculations_act_on_functions(order, dimension, outputs):
    rng = np.random.default_rng(8)
    f, g = (random_spline(rng, order, dimension, outputs) for _ in range(2))
    x = probes(dimension)
    tolerance = 64 * EPS * (magnitude(f, x) + magnitude(g, x))
    for combined, expected in (
        (f + g, f(x) + g(x)),
        (f - g, f(x) - g(x)),
        (2.5 * f, 2.5 * f(x)),
        (f * 2.5, 2.5 * f(x)),
        (f / 4.0, f(x) / 4.0),
        (-f, -f(x)),
    ):
        np.testing.assert_allclose(combined(x), expected, rtol=0, atol=3 * tolerance)


@pytest.mark.parametrize("other", [{"order": 3}, {"dimension": 3}, {"outputs": 2}, {"outputs": 1}])
def test_only_like_splines_add(other):
    rng = np.random.default_rng(9)
    with pytest.raises(ValueError, match="one order, dimension and number of outputs"):
        random_spline(rng) + random_spline(rng, **other)


@pytest.mark.parametrize("other", [1.0, np.ones(3), "text", None])
def test_a_spline_plus_something_else_is_a_type_error(other):
    spline = random_spline(np.random.default_rng(10))
    with pytest.raises(TypeError):
        spline + other


@pytest.mark.parametrize("factor", [np.ones(2), [1.0, 2.0]])
def test_only_numbers_scale(factor):
    # Left to itself, NumPy multiplies entry by entry and returns an array of splines.
    spline = random_spline(np.random.default_rng(10))
    with pytest.raises(TypeError):
        spline * factor
    with pytest.raises(TypeError):
        spline * spline


@every_size
@pytest.mark.parametrize("new_dimension", [1, 2, 4])
def test_compose_is_a_change_of_variables(order, dimension, outputs, new_dimension):
    rng = np.random.default_rng(11)
    spline = random_spline(rng, order, dimension, outputs)
    matrix, offset = rng.standard_normal((dimension, new_dimension)), rng.standard_normal(dimension)
    t = probes(new_dimension)
    composed = spline.compose(matrix, offset)
    scale = magnitude(spline, np.abs(t) @ np.abs(matrix).T + np.abs(offset))
    np.testing.assert_allclose(composed(t), spline(t @ matrix.T + offset), rtol=0, atol=64 * EPS * scale)


@every_size
def test_restrict_follows_a_line(order, dimension, outputs):
    rng = np.random.default_rng(12)
    spline = random_spline(rng, order, dimension, outputs)
    point, direction = rng.standard_normal((2, dimension))
    t = np.linspace(-2, 2, 41)
    x = point + t[:, None] * direction
    scale = magnitude(spline, np.abs(point) + 2 * np.abs(direction)[None])
    np.testing.assert_allclose(spline.restrict(point, direction)(t), spline(x), rtol=0, atol=64 * EPS * scale)


def test_compose_names_the_shapes_it_needs():
    spline = random_spline(np.random.default_rng(13), dimension=2)
    with pytest.raises(ValueError, match=r"matrix must have shape \(2, r\) and offset \(2,\), got \(3, 1\) and \(2,\)"):
        spline.compose(np.ones((3, 1)), np.zeros(2))


# Networks


@every_size
def test_from_network_computes_the_network(order, dimension, outputs):
    rng = np.random.default_rng(14)
    hidden, biases = rng.standard_normal((5, dimension)), rng.standard_normal(5)
    output = rng.standard_normal(5) if outputs is None else rng.standard_normal((outputs, 5))
    bias = np.zeros((monomial_count(dimension, order - 1), *output.shape[:-1]))
    bias[0] = 0.7
    spline = RidgeSpline.from_network(hidden, biases, output, bias, order)
    x = probes(dimension)
    # Two linear layers as a deep-learning library has them: the hidden bias is added, the output layer is (D, K).
    expected = np.maximum(x @ hidden.T + biases, 0) ** (order - 1) / math.factorial(order - 1) @ output.T + 0.7
    np.testing.assert_allclose(spline(x), expected, rtol=0, atol=64 * EPS * magnitude(spline, x))
    np.testing.assert_array_equal(spline.biases, -biases)


@given(splines())
def test_from_network_undoes_to_network(spline):
    network = spline.to_network()
    again = RidgeSpline.from_network(*network, order=spline.order)
    for name, array in spline.to_arrays().items():
        np.testing.assert_array_equal(again.to_arrays()[name], array)
    if spline.coefficients.ndim == 2:
        assert network.output_weights.shape == (spline.outputs, spline.width)


@given(splines())
def test_balanced_networks_compute_the_same_with_equal_norms(spline):
    network = spline.to_network(balanced=True)
    again = RidgeSpline.from_network(*network, order=spline.order)
    assert_same_function(again, spline)
    hidden = np.linalg.norm(network.hidden_weights, axis=1) ** (spline.order - 1)
    output = np.linalg.norm(network.output_weights.reshape(again.outputs, again.width), axis=0)
    np.testing.assert_allclose(hidden, output, rtol=64 * EPS)
    # Balanced, weight decay ½ Σ (|v|² + ‖w‖^(2m−2)) equals the path norm, which is the seminorm.
    decay = 0.5 * float(np.sum(output**2 + hidden**2))
    assert decay == pytest.approx(spline.radon_tv(), rel=1e-12, abs=seminorm_tolerance(spline))


# Evaluation: shapes, batches, arrays


@pytest.mark.parametrize(
    ("dimension", "outputs", "x", "shape"),
    [
        (2, None, np.zeros((5, 2)), (5,)),
        (2, 3, np.zeros((5, 2)), (5, 3)),
        (2, 1, np.zeros((5, 2)), (5, 1)),
        (2, None, np.zeros(2), ()),
        (2, 3, np.zeros(2), (3,)),
        (1, None, np.zeros((5, 1)), (5,)),
        (1, None, np.zeros(5), (5,)),
        (1, 3, np.zeros(5), (5, 3)),
        (1, None, 0.0, ()),
        (1, 3, 0.0, (3,)),
        (2, None, np.zeros((0, 2)), (0,)),
        (2, 3, np.zeros((0, 2)), (0, 3)),
    ],
)
@pytest.mark.parametrize("width", [0, 4])
def test_shapes_follow_the_points(dimension, outputs, x, shape, width):
    spline = random_spline(np.random.default_rng(15), 2, dimension, outputs, width)
    assert np.shape(spline(x)) == shape
    assert np.shape(spline(jnp.asarray(x))) == shape
    assert np.shape(spline.gradient(x)) == (*shape, dimension)


@pytest.mark.parametrize("x", [np.zeros((5, 3)), np.zeros(3), np.zeros((2, 2, 2)), 0.0])
def test_points_of_another_dimension_are_refused(x):
    with pytest.raises(ValueError, match=r"x must have shape \(n, 2\) or \(2,\), got"):
        random_spline(np.random.default_rng(16), dimension=2)(x)


def assert_blocks_agree(order, dimension, outputs, count, convert, monkeypatch):
    spline = random_spline(np.random.default_rng(17), order, dimension, outputs, width=6)
    x = probes(dimension, count=count)
    values, gradient = spline(x), spline.gradient(x)
    # Seven points at a time.
    monkeypatch.setattr(module, "_BLOCK", 7 * max(6, len(spline.polynomial.coefficients) * dimension))
    batched, slopes = spline(convert(x)), spline.gradient(convert(x))
    assert isinstance(batched, type(convert(x)))
    # Products of other shapes may add in another order.
    tolerance = 64 * EPS * magnitude(spline, np.abs(x) + 1) * 3
    np.testing.assert_allclose(batched, values, rtol=0, atol=tolerance)
    np.testing.assert_allclose(slopes, gradient, rtol=0, atol=tolerance)


@pytest.mark.parametrize("count", [1, 7, 13, 14, 15, 100])
@every_size
def test_batches_beyond_a_block_agree_with_whole_ones(order, dimension, outputs, count, monkeypatch):
    assert_blocks_agree(order, dimension, outputs, count, np.asarray, monkeypatch)


@pytest.mark.parametrize(("order", "outputs", "count"), [(2, None, 15), (2, 3, 14), (4, 3, 100)])
def test_batches_beyond_a_block_agree_on_jax(order, outputs, count, monkeypatch):
    assert_blocks_agree(order, 2, outputs, count, jnp.asarray, monkeypatch)


@every_order
def test_numpy_in_numpy_out_and_jax_in_jax_out(order):
    spline = random_spline(np.random.default_rng(18), order)
    x = probes(2)
    assert isinstance(spline(x), np.ndarray)
    assert isinstance(spline.gradient(x), np.ndarray)
    assert isinstance(spline(jnp.asarray(x)), jax.Array)
    on_jax = jax.tree.map(jnp.asarray, spline)
    assert isinstance(on_jax(x), jax.Array)
    assert on_jax(x).dtype == jnp.float64
    tolerance = 64 * EPS * magnitude(spline, x)
    np.testing.assert_allclose(on_jax(x), spline(x), rtol=0, atol=tolerance)
    assert_same_function(on_jax.canonical(), spline)


def test_integers_evaluate_as_numbers():
    spline = random_spline(np.random.default_rng(19))
    np.testing.assert_array_equal(spline(np.array([[1, 2]])), spline(np.array([[1.0, 2.0]])))
    np.testing.assert_array_equal(spline([[1, 2]]), spline(np.array([[1.0, 2.0]])))


# JAX transformations


@every_order
def test_jit_traces_through_the_pytree(order):
    spline, x = random_spline(np.random.default_rng(20), order), probes(2)
    compiled = jax.jit(lambda f, points: f(points))(spline, x)
    np.testing.assert_allclose(compiled, spline(x), rtol=0, atol=64 * EPS * magnitude(spline, x))
    doubled = jax.jit(lambda f: 2 * f)(spline)
    assert (doubled.order, doubled.dimension, doubled.width) == (order, 2, spline.width)
    np.testing.assert_array_equal(doubled.coefficients, 2 * spline.coefficients)


@every_order
def test_grad_differentiates_in_the_parameters(order):
    spline, x = random_spline(np.random.default_rng(21), order), probes(2)
    gradient = jax.grad(lambda f: f(x).sum())(spline)
    # d/dv_k Σ_n f(x_n) = Σ_n ρ_m(w_k·x_n − b_k), and d/db_k = −v_k Σ_n ρ_(m−1)(w_k·x_n − b_k).
    heights = x @ spline.weights.T - spline.biases
    activation = TruncatedPower(order)
    tolerance = 64 * EPS * len(x) * magnitude(spline, np.abs(x) + 1)
    np.testing.assert_allclose(gradient.coefficients, activation(heights).sum(axis=0), rtol=0, atol=tolerance)
    slopes = -spline.coefficients * activation.derivative(heights).sum(axis=0)
    np.testing.assert_allclose(gradient.biases, slopes, rtol=0, atol=tolerance)


@every_order
def test_grad_in_the_inputs_is_the_gradient(order):
    spline, x = random_spline(np.random.default_rng(22), order), probes(2)
    slopes = jax.vmap(jax.grad(lambda point: spline(point)))(jnp.asarray(x))
    np.testing.assert_allclose(slopes, spline.gradient(x), rtol=0, atol=64 * EPS * magnitude(spline, np.abs(x) + 1))


def test_vmap_evaluates_a_stack_of_splines():
    rng = np.random.default_rng(23)
    family = [random_spline(rng, 2, 2, 3) for _ in range(4)]
    stack = jax.tree.map(lambda *leaves: jnp.stack(leaves), *family)
    x = probes(2)
    values = jax.vmap(lambda f: f(x))(stack)
    assert values.shape == (4, len(x), 3)
    for row, spline in zip(values, family, strict=True):
        np.testing.assert_allclose(row, spline(x), rtol=0, atol=64 * EPS * magnitude(spline, x))


# What people see


def test_repr_says_the_size_and_the_seminorm():
    spline = RidgeSpline([[1.0, 0.0]], [0.0], [[1.0, 0.0], [0.0, 2.0]][:1])
    assert repr(spline) == "RidgeSpline(order=2, dimension=2, outputs=2, width=1, radon_tv=1)"


def test_repr_of_a_traced_spline_needs_no_values():
    seen = []
    jax.jit(lambda f: seen.append(repr(f)) or f)(random_spline(np.random.default_rng(24)))
    assert seen == ["RidgeSpline(order=2, dimension=2, outputs=1, width=6, traced)"]


def test_splines_are_immutable():
    spline = random_spline(np.random.default_rng(25))
    with pytest.raises(AttributeError):
        spline.order = 3


W, B, V = np.ones((2, 3)), np.ones(2), np.ones(2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((W, B, V, None, 1), "order must be 2"),
        ((W, B, V, None, 5), "order must be 2"),
        ((np.ones(3), B, V), "weights must have 2 axes"),
        ((W, W, V), "biases must have 1 axes"),
        ((W, B, np.ones((2, 2, 2))), "coefficients must have 1 or 2 axes"),
        ((np.ones((2, 0)), B, V), "a column for each input"),
        ((W, np.ones(3), V), "must share K"),
        ((W, B, np.ones(3)), "must share K"),
        ((W, B, V, np.ones(3)), r"polynomial must have coefficients of shape \(4,\)"),
        ((W, B, V, np.ones(4), 3), r"coefficients of shape \(10,\) \(degree < 3 in 3 variables\), got \(4,\)"),
        ((W, B, V, np.ones((4, 1))), r"polynomial must have coefficients of shape \(4,\)"),
        ((W, B, np.ones((2, 5)), np.ones(4)), r"polynomial must have coefficients of shape \(4, 5\)"),
        ((W * np.nan, B, V), r"weights must be finite, but 6 of its 6 entries"),
        ((W, B * np.inf, V), r"biases must be finite"),
        ((W, B, V, np.full(4, np.nan)), r"polynomial must be finite"),
        ((jnp.ones(3), B, V), "weights must have 2 axes"),
    ],
)
def test_ill_formed_splines_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RidgeSpline(*arguments)


@pytest.mark.parametrize("weights", [[["a"]], [[1j]], [[1.0], [1.0, 2.0]]])
def test_parameters_that_are_not_numbers_are_refused(weights):
    with pytest.raises(TypeError, match="weights must"):
        RidgeSpline(weights, [0.0] * len(weights), [1.0] * len(weights))


def test_a_polynomial_object_serves_as_its_coefficients():
    polynomial = Polynomial(np.array([1.0, 2.0]), 1, 1)
    assert RidgeSpline(np.zeros((0, 1)), np.zeros(0), np.zeros(0), polynomial)(2.0) == 5.0


# Files


@given(splines())
def test_save_and_load_is_exact(tmp_path_factory, spline):
    path = spline.save(tmp_path_factory.mktemp("spline") / "f")
    assert path.suffix == ".npz"
    again = RidgeSpline.load(path)
    assert again.order == spline.order
    for name, array in spline.to_arrays().items():
        np.testing.assert_array_equal(again.to_arrays()[name], array)
        assert again.to_arrays()[name].dtype == array.dtype


def saved(folder, name="f.npz"):
    return random_spline(np.random.default_rng(26)).save(folder / name)


def missing(path):
    path.unlink()


def emptied(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("not a spline")


def truncated(path):
    # NumPy's own opening of a path leaves the file open when it fails here, which shows as a ResourceWarning.
    path.write_bytes(path.read_bytes()[:-100])


def pickled(path):
    with open(path, "wb") as file:
        np.savez(file, header=np.array({"kind": "RidgeSpline"}, dtype=object))


def bare_array(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))


def without_header(path):
    with open(path, "wb") as file:
        np.savez(file, weights=np.zeros((1, 1)))


def other_kind(path):
    write_archive(path, {}, {"kind": "Recipe"})


def without_weights(path):
    arrays = random_spline(np.random.default_rng(27)).to_arrays()
    write_archive(path, {n: a for n, a in arrays.items() if n != "weights"}, {"kind": "RidgeSpline", "order": 2})


def newer(path):
    arrays = random_spline(np.random.default_rng(28)).to_arrays()
    write_archive(path, arrays, {"kind": "RidgeSpline", "order": 2, "format_version": FORMAT_VERSION + 1})


def shapes_apart(path):
    arrays = random_spline(np.random.default_rng(29)).to_arrays() | {"biases": np.zeros(1)}
    write_archive(path, arrays, {"kind": "RidgeSpline", "order": 2})


def text_inside(path):
    # Damage like any other to the reader, so not a TypeError.
    arrays = random_spline(np.random.default_rng(30), dimension=1).to_arrays() | {"weights": np.array([["a"]] * 6)}
    write_archive(path, arrays, {"kind": "RidgeSpline", "order": 2})


def number_as_header(path):
    # JSON, but no object.
    with open(path, "wb") as file:
        np.savez(file, header=np.array("3"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (missing, "there is no file .*check the path"),
        (emptied, "not a file saved by ridgesplines, or it is damaged"),
        (text, "not a file saved by ridgesplines, or it is damaged"),
        (truncated, "not a file saved by ridgesplines, or it is damaged"),
        (pickled, "not a file saved by ridgesplines, or it is damaged"),
        (bare_array, "not a file saved by ridgesplines, or it is damaged"),
        (without_header, "not a file saved by ridgesplines, or it is damaged"),
        (number_as_header, "not a file saved by ridgesplines, or it is damaged"),
        (other_kind, "holds a Recipe, but a RidgeSpline or Solution is needed"),
        (without_weights, "lacks its weights"),
        (newer, f"format version {FORMAT_VERSION + 1}, newer than this package's {FORMAT_VERSION}; upgrade"),
        (shapes_apart, "must share K"),
        (text_inside, "damaged|must hold real numbers"),
    ],
)
def test_files_that_hold_no_spline_are_refused(tmp_path, spoil, message):
    path = saved(tmp_path)
    spoil(path)
    with pytest.raises(ValueError, match=message):
        RidgeSpline.load(path)


def test_a_damaged_byte_is_harmless_or_refused(tmp_path):
    path = saved(tmp_path)
    whole, expected = path.read_bytes(), RidgeSpline.load(path).to_arrays()
    refused = 0
    for position in range(0, len(whole), 7):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        try:
            arrays = RidgeSpline.load(path).to_arrays()
        except ValueError:  # and never zlib.error, struct.error or another stranger
            refused += 1
            continue
        for name, array in expected.items():
            np.testing.assert_array_equal(arrays[name], array)
    assert refused > len(whole) // 14  # most of the file is guarded


def test_saving_into_a_missing_folder_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"the folder .*nowhere does not exist; create it first"):
        random_spline(np.random.default_rng(31)).save(tmp_path / "nowhere" / "f.npz")


def test_saving_leaves_one_file(tmp_path):
    path = saved(tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    saved(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = saved(tmp_path)
    before = path.read_bytes()

    def break_half_way(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", break_half_way)
    with pytest.raises(OSError, match="disk full"):
        saved(tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


@given(splines(orders=(2,), dimensions=(1,)), seeds)
def test_on_the_line_sorted_knots_give_the_values_of_the_formula(f, seed):
    rng = np.random.default_rng(seed)
    x = np.concatenate([3 * rng.standard_normal(50), np.arange(-4.0, 5.0)])
    terms = np.maximum(x[:, None] * f.weights[:, 0] - f.biases, 0.0)
    expected = terms @ f.coefficients + f.polynomial(x[:, None])
    allowed = 8 * EPS * (f.width + 2) * magnitude(f, x[:, None])
    np.testing.assert_allclose(f(x), expected, atol=allowed)
    np.testing.assert_allclose(np.asarray(f(jnp.asarray(x))), f(x), atol=allowed)
    # One by one as all at once.
    np.testing.assert_array_equal(np.array([f(value) for value in x]), f(x))


def test_a_million_points_of_a_spline_with_many_knots_need_little_memory():
    knots = np.linspace(-1, 1, 20_000)
    spline = RidgeSpline(np.ones((20_000, 1)), knots, np.full(20_000, 1e-4))
    x = np.linspace(-1, 1, 100_001)
    # Σ 1e-4 (x − b_k)₊ over evenly spaced b_k is close to the parabola that it samples.
    np.testing.assert_allclose(spline(x), 0.5 * (x + 1) ** 2, atol=1e-3)


@given(seeds, st.integers(1, 8))
def test_values_on_the_line_are_rounded_sums_wherever_the_knots_are(seed, count):
    rng = np.random.default_rng(seed)
    # Knots from 1e-12 to 1e12, as of neurons of nearly no weight.
    weights = rng.choice([-1.0, 1.0], count) * 10.0 ** rng.integers(-12, 2, count)
    biases, coefficients = rng.standard_normal(count) * rng.integers(0, 2, count), rng.standard_normal(count)
    polynomial = Polynomial(rng.standard_normal(2), 1, 1)
    spline = RidgeSpline(weights[:, None], biases, coefficients, polynomial)
    x = np.concatenate([rng.uniform(-1, 1, 5), 1e3 * rng.standard_normal(2)])
    constant, slope = (Fraction(float(c)) for c in polynomial.coefficients)
    for value, t in zip(spline(x[:, None]), map(Fraction, x.tolist()), strict=True):
        exact, size = constant + slope * t, abs(constant) + abs(slope * t)
        for neuron in zip(weights.tolist(), biases.tolist(), coefficients.tolist(), strict=True):
            w, b, v = map(Fraction, neuron)
            exact += v * max(w * t - b, Fraction(0))
            size += abs(v) * (abs(w * t) + abs(b))
        # One rounding in the end, and those of a longer format; a few more where there is none.
        assert abs(Fraction(float(value)) - exact) <= Fraction(2 * EPS) * size


def test_places_that_are_not_finite_do_not_spoil_the_others_on_the_line():
    spline = RidgeSpline(np.array([[1.0], [0.0], [-2.0]]), np.array([0.3, -1.0, 0.4]), np.array([1.0, 0.5, -1.5]))
    x = np.array([[0.7], [-1.2], [0.1]])
    alone = spline(x)
    np.testing.assert_array_equal(spline(np.concatenate([x, [[np.nan], [np.inf], [-np.inf]]]))[:3], alone)
    np.testing.assert_allclose(alone, [0.4 + 0.5, 0.5 - 1.5 * 2.0, 0.5], rtol=4 * EPS)
    assert np.isnan(spline(np.array([[np.nan]]))).all()
    assert spline(np.zeros((0, 1))).shape == (0,)
