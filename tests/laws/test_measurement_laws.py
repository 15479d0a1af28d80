"""The laws of every kind of measurement: quadrature, linearity, polynomials, gradients, rounding, groups, rows."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import EPS, random_spline, seeds, unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from measuring import by_quadrature, exactly

from ridgesplines import (
    BlurredSamples,
    BoxAverages,
    Derivatives,
    LineIntegrals,
    Measurement,
    Polynomial,
    Problem,
    RadonTV,
    RidgeSpline,
    Samples,
    Stack,
    sparsify,
)
from ridgesplines.activations import LeakyReLU, TruncatedPower
from ridgesplines.oracles import Neurons
from ridgesplines.polynomials import monomial_count, monomials, ridge_power

pytestmark = pytest.mark.thinned(4)


def draw_boxes(rng: np.random.Generator, dimension: int, count: int) -> BoxAverages:
    """Some of them thin, or without thickness, along some axes."""
    widths = rng.uniform(0.1, 1, (count, dimension)) * rng.choice([1, 1, 1, 1e-4, 1e-12, 0], (count, dimension))
    return BoxAverages.around(rng.standard_normal((count, dimension)), widths)


def draw_segments(rng: np.random.Generator, dimension: int, count: int, normalized: bool = False) -> LineIntegrals:
    starts = rng.standard_normal((count, dimension))
    steps = rng.standard_normal((count, dimension)) * rng.choice([1, 1, 1e-3, 1e-9], (count, 1))
    return LineIntegrals(starts, starts + steps, normalized=normalized)


def draw_stack(rng: np.random.Generator, dimension: int, count: int) -> Stack:
    kinds = (Samples, BoxAverages, LineIntegrals)
    return Stack(*(MEMBERS[kind.__name__](rng, dimension, max(1, count // 3)) for kind in kinds))


# A new kind of measurement gets one row here: N random functionals in d dimensions.
MEMBERS = {
    "Samples": lambda rng, dimension, count: Samples(rng.standard_normal((count, dimension))),
    "Derivatives": lambda rng, dimension, count: Derivatives(*rng.standard_normal((2, count, dimension))),
    "LineIntegrals": draw_segments,
    "averages over segments": lambda rng, dimension, count: draw_segments(rng, dimension, count, normalized=True),
    "BoxAverages": draw_boxes,
    "BlurredSamples": lambda rng, dimension, count: BlurredSamples(
        rng.standard_normal((count, dimension)), 10.0 ** rng.uniform(-3, 0, count)
    ),
    "Stack": draw_stack,
    "Stack with derivatives": lambda rng, dimension, count: Stack(
        MEMBERS["Samples"](rng, dimension, count // 2), MEMBERS["Derivatives"](rng, dimension, count - count // 2)
    ),
}
every_kind = pytest.mark.parametrize("kind", MEMBERS)
in_every_dimension = pytest.mark.parametrize("dimension", [1, 2, 3])
dimensions, orders = st.sampled_from([1, 2, 3]), st.sampled_from([2, 3, 4])
few = settings(max_examples=8)


def draw(kind: str, seed: int, dimension: int, count: int = 6) -> tuple[Measurement, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return MEMBERS[kind](rng, dimension, count), rng


def parts(measurement: Measurement) -> list[tuple[Measurement, int]]:
    """Of each functional the measurement and the row that it is."""
    kinds = measurement.measurements if isinstance(measurement, Stack) else (measurement,)
    return [(part, row) for part in kinds for row in range(part.count)]


def draw_neurons(rng: np.random.Generator, measurement: Measurement, count: int = 8) -> Neurons:
    """Neurons of any length, near the functionals."""
    weights = rng.standard_normal((count, measurement.dimension))
    places = measurement.centres[rng.integers(0, measurement.count, count)]
    return Neurons(weights, np.sum(weights * (places + 0.3 * rng.standard_normal(places.shape)), axis=1))


def draw_nasty_neurons(rng: np.random.Generator, measurement: Measurement, count: int = 20) -> Neurons:
    """Weights that vanish or nearly do along some axes or all; hyperplanes through, and by rounding beside, corners."""
    shape = (count, measurement.dimension)
    weights = rng.standard_normal(shape) * 10.0 ** rng.choice([0, 0, 0, -3, -8, -16, -40], shape)
    weights[rng.uniform(size=shape) < 0.15] = 0.0
    centres, radii = measurement.supports()
    rows = rng.integers(0, measurement.count, count)
    signs = rng.choice([-1.0, 0.0, 1.0], shape)
    biases = np.sum(weights * (centres[rows] + signs * radii[rows, None]), axis=1)
    for part, row in parts(measurement):
        if isinstance(part, BoxAverages):
            corners = np.where(signs > 0, part.upper[row], part.lower[row])
            biases = np.where(rng.uniform(size=count) < 0.3, np.sum(weights * corners, axis=1), biases)
        if isinstance(part, LineIntegrals):
            biases = np.where(rng.uniform(size=count) < 0.3, weights @ part.ends[row], biases)
    return Neurons(weights, biases * (1 + EPS * rng.integers(-3, 4, count)))


def test_every_measurement_of_the_package_is_tested():
    tested = {type(draw(kind, 0, 2)[0]) for kind in MEMBERS}
    members = set(Measurement.__subclasses__())
    members |= {cls for member in members for cls in member.__subclasses__()}
    final = {cls for cls in members if not getattr(cls, "__abstractmethods__", None)}
    assert {cls for cls in final if cls.__module__.startswith("ridgesplines")} <= tested


# Neurons


@every_kind
@in_every_dimension
def test_neurons_are_measured_as_quadrature_does(kind, dimension):
    for order in (2, 3, 4, "leaky"):
        activation = LeakyReLU(0.3) if order == "leaky" else TruncatedPower(order)
        measurement, rng = draw(kind, 10 * dimension + activation.order, dimension, 3)
        if activation.order < measurement.least_order:
            continue
        neurons = draw_neurons(rng, measurement, 3)
        measured = measurement.of_neurons(neurons, activation)
        assert isinstance(measured, np.ndarray)
        expected = [
            [by_quadrature(part, row, w, b, activation) for w, b in zip(neurons.weights, neurons.biases, strict=True)]
            for part, row in parts(measurement)
        ]
        # What the quadrature promises, of a functional's size on its support.
        sizes = measurement.masses[:, None] * np.maximum(measurement.heights(neurons), 1.0) ** activation.homogeneity
        assert (np.abs(measured - expected) <= 1e-11 * sizes).all()


@every_kind
@few
@given(seed=seeds, dimension=dimensions, order=orders, shift=st.sampled_from([0.0, 30.0]))
def test_rounding_is_bounded_where_it_is_worst(kind, seed, dimension, order, shift):
    measurement, rng = draw(kind, seed, dimension)
    order = max(order, measurement.least_order)
    neurons = draw_nasty_neurons(rng, measurement, 8)
    neurons = Neurons(neurons.weights, neurons.biases + shift * np.linalg.norm(neurons.weights, axis=1))
    measured, activation = measurement.of_neurons(neurons, TruncatedPower(order)), TruncatedPower(order)
    allowed = measurement.rounding(neurons, activation)
    # What underflows is not of interest.
    allowed = np.maximum(allowed, np.finfo(float).tiny)
    for n, (part, row) in enumerate(parts(measurement)):
        for k in range(len(neurons)):
            exact = exactly(part, row, neurons.weights[k], neurons.biases[k], order)
            assert abs(float(exact - type(exact)(float(measured[n, k])))) <= allowed[n, k]


@every_kind
@given(seed=seeds, dimension=dimensions, order=orders, factor=st.floats(1e-3, 1e3))
def test_neurons_are_homogeneous_and_averages_are_monotone(kind, seed, dimension, order, factor):
    measurement, rng = draw(kind, seed, dimension)
    activation = TruncatedPower(max(order, measurement.least_order))
    neurons = draw_neurons(rng, measurement)
    measured = measurement.of_neurons(neurons, activation)
    scaled = Neurons(factor * neurons.weights, factor * neurons.biases)
    allowed = measurement.rounding(neurons, activation) + EPS * np.abs(measured)
    power = factor ** (activation.order - 1)
    assert (np.abs(measurement.of_neurons(scaled, activation) - power * measured) <= 2 * power * allowed).all()
    if measurement.averaging:
        assert (measured >= 0).all()
        lower = measurement.of_neurons(Neurons(neurons.weights, neurons.biases + 0.1), activation)
        assert (lower <= measured + allowed).all()


@every_kind
@given(seed=seeds, dimension=dimensions, order=orders)
def test_a_functional_sees_its_support_only(kind, seed, dimension, order):
    measurement, rng = draw(kind, seed, dimension)
    order = max(order, measurement.least_order)
    centres, radii = measurement.supports()
    weights = unit_rows(rng, measurement.count, dimension)
    middles = np.sum(weights * centres, axis=1)
    slack = 1e-12 * (1 + np.linalg.norm(centres, axis=1) + radii)
    beyond = measurement.of_neurons(Neurons(weights, middles + radii + slack), TruncatedPower(order))
    # A Gaussian's tail is 1e-18 of its mass.
    assert (np.abs(np.diag(beyond)) <= 1e-17 * measurement.masses * (radii + 1) ** (order - 1)).all()
    # Where the support is on the other side, the neuron is its polynomial.
    whole = np.diag(measurement.of_neurons(Neurons(weights, middles - radii - slack), TruncatedPower(order)))
    powers = ridge_power(weights, middles - radii - slack, order - 1) / math.factorial(order - 1)
    expected = measurement.of_monomials(order - 1, np.zeros(dimension), np.eye(dimension))
    scale = (np.abs(expected) * np.abs(powers)).sum(axis=1)
    assert (np.abs(whole - (expected * powers).sum(axis=1)) <= 64 * EPS * scale + 1e-17).all()


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_steps_and_higher_orders_are_derivatives_and_antiderivatives_of_each_other(order):
    # ∂_b of the measurement of ρ_(m+1) is minus that of ρ_m.
    rng = np.random.default_rng(order)
    x = rng.standard_normal((5, 2))
    turns = rng.uniform(0, 2 * np.pi, 5)
    thick = [
        LineIntegrals(x, x + np.column_stack([np.cos(turns), np.sin(turns)])),
        BoxAverages.around(x, rng.uniform(0.5, 1, (5, 2))),
        BlurredSamples(x, rng.uniform(0.3, 1, 5)),
    ]
    step = 1e-5
    for measurement in thick:
        neurons = draw_neurons(rng, measurement)
        upper, lower = (
            measurement.of_neurons(Neurons(neurons.weights, neurons.biases + s), TruncatedPower(order + 1))
            for s in (-step, step)
        )
        slopes = measurement.of_neurons(neurons, TruncatedPower(order))
        heights = np.maximum(measurement.heights(neurons), 1.0) ** order
        # Steps averaged have bends of size 1 over the rise along the support; the others err by the step squared, and
        # rounding over the step.
        tolerance = 1e3 * step if order == 1 else 1e-8 * heights
        assert (np.abs((upper - lower) / (2 * step) - slopes) <= tolerance).all()


# JAX


# Compiling takes seconds: not every order in every dimension, and stacks in the plane only.
@pytest.mark.parametrize(
    ("kind", "dimension", "order"),
    [
        (kind, dimension, order)
        for dimension, order in [(1, 2), (2, 3), (3, 4)]
        for kind in MEMBERS
        if not (kind.startswith("Stack") and dimension != 2)
    ],
)
def test_jax_agrees_and_differentiates(kind, dimension, order):
    measurement, rng = draw(kind, 100 * order + dimension, dimension, 6)
    order = max(order, measurement.least_order)
    activation, neurons = TruncatedPower(order), draw_neurons(rng, measurement)
    dual = rng.standard_normal((measurement.count, len(neurons)))

    def total(weights, biases):
        return jnp.sum(dual * measurement.of_neurons(Neurons(weights, biases), activation))

    value, (in_weights, in_biases) = jax.jit(jax.value_and_grad(total, (0, 1)))(neurons.weights, neurons.biases)
    allowed = (np.abs(dual) * measurement.rounding(neurons, activation)).sum()
    measured = np.sum(dual * measurement.of_neurons(neurons, activation))
    assert abs(float(value) - measured) <= 2 * allowed
    steps = rng.standard_normal((2, len(neurons), dimension + 1)) * 1e-6
    for step in steps:
        ends = [
            np.sum(
                dual
                * measurement.of_neurons(
                    Neurons(neurons.weights + s * step[:, :-1], neurons.biases + s * step[:, -1]), activation
                )
            )
            for s in (-0.5, 0.5)
        ]
        change = np.sum(in_weights * step[:, :-1]) + np.sum(in_biases * step[:, -1])
        # Rounding, and the step squared by second derivatives of up to the thousandth part of a width.
        sizes = (np.abs(dual) * measurement.masses[:, None] * (1 + measurement.heights(neurons)) ** (order - 1)).sum()
        assert abs(ends[1] - ends[0] - change) <= 4 * allowed + 1e-3 * 1e-6 * sizes


@pytest.mark.parametrize("kind", [kind for kind in MEMBERS if not kind.startswith("Stack")])
@in_every_dimension
def test_gradients_are_finite_where_axes_and_weights_vanish(kind, dimension):
    rng = np.random.default_rng(0)
    at = np.zeros((1, dimension))
    degenerate = {
        "BoxAverages": BoxAverages(
            np.zeros((2, dimension)), np.array([[0.0] * dimension, [1.0] + [0.0] * (dimension - 1)])
        ),
        "LineIntegrals": LineIntegrals(at, at + np.eye(1, dimension)),
        "averages over segments": LineIntegrals(at, at, normalized=True),
    }
    measurement = degenerate.get(kind, MEMBERS[kind](rng, dimension, 4))
    axes = np.eye(dimension)
    weights = np.vstack([np.zeros((1, dimension)), axes, -axes, 1e-200 * axes])
    biases = np.repeat([0.0, -0.5, 0.5, 1.0, 1e-200], len(weights))
    weights = np.tile(weights, (5, 1))
    activation = TruncatedPower(measurement.least_order)

    def total(weights, biases):
        return measurement.of_neurons(Neurons(weights, biases), activation).sum()

    value, gradients = jax.jit(jax.value_and_grad(total, (0, 1)))(weights, biases)
    assert np.isfinite(value)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


# Splines and polynomials


@every_kind
@given(seed=seeds, dimension=dimensions, order=orders, outputs=st.sampled_from([None, 1, 3]))
def test_a_spline_is_measured_as_its_neurons_and_its_polynomial(kind, seed, dimension, order, outputs):
    measurement, rng = draw(kind, seed, dimension)
    order = max(order, measurement.least_order)
    spline = random_spline(rng, order, dimension, outputs)
    neurons = Neurons(np.asarray(spline.weights), np.asarray(spline.biases))
    terms = (
        measurement.of_neurons(neurons, TruncatedPower(order)),
        measurement.of_monomials(order - 1, np.zeros(dimension), np.eye(dimension)),
    )
    expected = terms[0] @ spline.coefficients + terms[1] @ spline.polynomial.coefficients
    measured = measurement(spline)
    assert measured.shape == (measurement.count, *spline.coefficients.shape[1:])
    assert isinstance(measured, np.ndarray)
    scale = np.abs(terms[0]) @ np.abs(spline.coefficients) + np.abs(terms[1]) @ np.abs(spline.polynomial.coefficients)
    heights = (measurement.rounding(neurons, TruncatedPower(order)) @ np.abs(spline.coefficients)).max()
    np.testing.assert_allclose(measured, expected, rtol=0, atol=64 * EPS * scale.max() + 2 * heights)
    # A sum and a multiple of splines.
    both = measurement(2.0 * spline + spline)
    np.testing.assert_allclose(both, 3 * measured, rtol=0, atol=256 * EPS * scale.max() + 6 * heights)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@in_every_dimension
def test_polynomials_are_averaged_exactly(dimension, degree):
    # Gauss and Legendre's rule is exact for them, and Gauss and Hermite's.
    rng = np.random.default_rng(degree)
    coefficients = rng.standard_normal(monomial_count(dimension, degree))
    polynomial = Polynomial(coefficients, dimension, degree)
    t, w = np.polynomial.legendre.leggauss(3)
    z, v = np.polynomial.hermite_e.hermegauss(3)
    segments = LineIntegrals(*rng.standard_normal((2, 4, dimension)))
    boxes, blurs = draw_boxes(rng, dimension, 4), BlurredSamples(rng.standard_normal((4, dimension)), [0.1, 1, 2, 3])
    frame = np.zeros(dimension), np.eye(dimension)
    along = np.einsum(
        "t,tn->n", w / 2, np.stack([polynomial(segments.centres + s * segments.half_axes[:, 0]) for s in t])
    )
    expected = {segments: along * np.linalg.norm(segments.ends - segments.starts, axis=1)}
    for measurement, nodes, weights in ((boxes, t, w / 2), (blurs, z, v / v.sum())):
        grid = np.stack(np.meshgrid(*[nodes] * dimension), axis=-1).reshape(-1, dimension)
        tensor = np.prod(np.stack(np.meshgrid(*[weights] * dimension), axis=-1).reshape(-1, dimension), axis=1)
        values = [polynomial(measurement.centres + np.einsum("i,nij->nj", g, measurement.half_axes)) for g in grid]
        expected[measurement] = tensor @ np.stack(values)
    for measurement, values in expected.items():
        measured = measurement.of_monomials(degree, *frame) @ coefficients
        scale = (
            np.abs(measurement.of_monomials(degree, *frame)) @ np.abs(coefficients) + 27 * np.abs(coefficients).sum()
        )
        assert (np.abs(measured - values) <= 128 * EPS * scale).all()


@every_kind
@given(
    seed=seeds,
    dimension=dimensions,
    degree=st.integers(-1, 3),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
    shift=st.sampled_from([0.0, 100.0]),
)
@few
def test_the_fit_recovers_measured_polynomials(kind, seed, dimension, degree, scale, shift):
    measurement, rng = draw(kind, seed, dimension, 60)
    fit = measurement.fit_polynomials(degree)
    size = fit.basis.shape[1]
    everything = monomial_count(dimension, degree)
    constant = measurement.of_monomials(0, np.zeros(dimension), np.eye(dimension)).any()
    assert size == (everything if constant else max(everything - 1, 0))
    np.testing.assert_allclose(fit.basis.T @ fit.basis, np.eye(size), atol=64 * EPS)
    coefficients = rng.standard_normal(everything)
    values = measurement.of_monomials(degree, np.zeros(dimension), np.eye(dimension)) @ coefficients
    left = fit.project_off(values)
    # Blurred by one unit about unit centres, cubes reach some hundreds.
    np.testing.assert_allclose(left, 0, atol=1e4 * EPS * (np.abs(coefficients).sum() + 1))
    found = fit(values)
    x = rng.standard_normal((9, dimension))
    difference = found(x) - monomials(x, degree) @ coefficients
    # Derivatives alone leave the constant open.
    np.testing.assert_allclose(
        difference - (0 if constant else difference.mean()), 0, atol=1e-9 * (1 + np.abs(coefficients).sum())
    )
    # Far away and in other units, the measured polynomials are the same.
    moved = in_other_units(measurement, scale, shift).fit_polynomials(degree)
    assert moved.basis.shape == fit.basis.shape
    lengths_vary = isinstance(measurement, Stack) and scale != 1
    if not lengths_vary:
        np.testing.assert_allclose(moved.project_off(fit.basis), 0, atol=1e5 * EPS * (1 + shift))


def in_other_units(measurement: Measurement, scale: float, shift: float) -> Measurement:
    def move(x: np.ndarray) -> np.ndarray:
        return scale * (x + shift)

    match measurement:
        case Samples(points=points):
            return Samples(move(points))
        case Derivatives(locations=points, directions=directions):
            return Derivatives(move(points), scale * directions)
        case LineIntegrals(starts=starts, ends=ends, normalized=normalized):
            return LineIntegrals(move(starts), move(ends), normalized=normalized)
        case BoxAverages(lower=lower, upper=upper):
            return BoxAverages(move(lower), move(upper))
        case BlurredSamples(locations=points, width=width):
            return BlurredSamples(move(points), scale * width)
        case Stack(measurements=members):
            return Stack(*(in_other_units(member, scale, shift) for member in members))
    raise NotImplementedError(measurement)


# Groups, rows, masses


@every_kind
@given(seed=seeds, dimension=dimensions)
def test_equal_functionals_share_a_group_and_different_ones_do_not(kind, seed, dimension):
    measurement, rng = draw(kind, seed, dimension)
    rows = rng.integers(0, measurement.count, 12)
    repeated = measurement.select(rows)
    assert repeated.groups.shape == (12,)
    same = rows[:, None] == rows
    np.testing.assert_array_equal(repeated.groups[:, None] == repeated.groups, same)
    assert repeated.distinct == len(np.unique(rows))
    assert measurement.distinct == measurement.count
    assert Stack(measurement, repeated).distinct == measurement.count


@every_kind
@given(seed=seeds, dimension=dimensions)
def test_rows_are_selected_in_their_order(kind, seed, dimension):
    measurement, rng = draw(kind, seed, dimension)
    activation = TruncatedPower(3)
    neurons = draw_neurons(rng, measurement)
    measured, rounding = measurement.of_neurons(neurons, activation), measurement.rounding(neurons, activation)

    def same(chosen: Measurement, rows: np.ndarray) -> None:
        # Products of matrices of other shapes round otherwise.
        assert (np.abs(chosen.of_neurons(neurons, activation) - measured[rows]) <= 2 * rounding[rows]).all()
        np.testing.assert_array_equal(chosen.identities, measurement.identities[rows])

    everything, some = np.arange(measurement.count), rng.integers(0, measurement.count, 9)
    for rows in (some, everything % 2 == 0, slice(1, None), [-1], rng.permutation(measurement.count)):
        chosen = measurement.select(rows)
        assert type(chosen) is type(measurement)
        same(chosen, everything[rows])
        for ours, theirs in zip(chosen.supports(), measurement.supports(), strict=True):
            np.testing.assert_array_equal(ours, theirs[rows])
        # And once more, from what was selected, alone or stacked.
        same(chosen.select(slice(None, None, -1)), everything[rows][::-1])
        same(Stack(chosen, measurement), np.concatenate([everything[rows], everything]))


@every_kind
@given(seed=seeds, dimension=dimensions)
def test_the_kinds_are_all_of_the_rows(kind, seed, dimension):
    measurement, rng = draw(kind, seed, dimension)
    mixed = measurement.select(rng.permutation(measurement.count))
    rows = np.concatenate([rows for _, rows in mixed.kinds()])
    np.testing.assert_array_equal(np.sort(rows), np.arange(mixed.count))
    for part, rows in mixed.kinds():
        assert not isinstance(part, Stack)
        np.testing.assert_array_equal(part.identities, mixed.identities[rows])


@every_kind
def test_rows_that_are_not_there_are_refused(kind):
    measurement = draw(kind, 0, 2)[0]
    for rows in ([measurement.count], np.ones(measurement.count + 1, dtype=bool), [0.5]):
        with pytest.raises(ValueError, match=f"rows must be a slice, a mask or indices below {measurement.count}"):
            measurement.select(rows)
    for rows in ([], slice(0, 0), np.zeros(measurement.count, dtype=bool)):
        with pytest.raises(ValueError, match="rows must select at least one of the"):
            measurement.select(np.array(rows, dtype=int) if isinstance(rows, list) else rows)


@every_kind
@in_every_dimension
def test_masses_are_what_a_constant_measures(kind, dimension):
    measurement, _ = draw(kind, 5, dimension)
    one = RidgeSpline(np.zeros((0, dimension)), np.zeros(0), np.zeros(0), np.eye(1, monomial_count(dimension, 2))[0], 3)
    measured = measurement(one)
    if measurement.averaging:
        np.testing.assert_allclose(measured, measurement.masses, rtol=8 * EPS)
    else:
        assert (np.abs(measured) <= measurement.masses * (1 + 8 * EPS)).all()
    centres, radii = measurement.supports()
    assert centres.shape == (measurement.count, dimension) == (measurement.count, measurement.dimension)
    assert radii.shape == (measurement.count,)
    assert (radii >= 0).all()


@every_kind
def test_splines_of_other_dimensions_are_refused_and_the_shown_form_counts(kind):
    measurement, rng = draw(kind, 0, 2)
    with pytest.raises(ValueError, match=r"must have 2 inputs|x must have shape \(n, 2\)|x must have shape \(n, 3\)"):
        measurement(random_spline(rng, 3, 3))
    assert "in dimension 2" in repr(measurement)
    assert not isinstance(measurement, Stack) or repr(measurement).startswith("Stack(Samples(")


@every_kind
@pytest.mark.parametrize(("dimension", "order"), [(1, 4), (2, 2), (2, 3), (3, 2)])
def test_the_representer_theorem_holds_after_sparsification(kind, dimension, order):
    measurement, rng = draw(kind, dimension, dimension, 24)
    if kind == "Derivatives":
        # Alone they do not see constants.
        measurement = Stack(measurement, MEMBERS["Samples"](rng, dimension, 1))
    order = max(order, measurement.least_order)
    problem = Problem(measurement, np.zeros(measurement.count), regularizer=RadonTV(order), strength=1.0)
    neurons = draw_neurons(rng, measurement, 80)
    wide = RidgeSpline(neurons.weights, neurons.biases, rng.standard_normal(80), order=order)
    sparse = sparsify(problem, wide)
    assert problem.representer_bound == measurement.distinct - monomial_count(dimension, order - 1)
    assert sparse.width <= problem.representer_bound < 80
    assert sparse.radon_tv() <= wide.radon_tv() * (1 + 1e-9)
    # The coefficients solve a linear system in least squares, whose rounding its condition enlarges.
    before = measurement(wide)
    np.testing.assert_allclose(measurement(sparse), before, rtol=0, atol=1e-8 * np.abs(before).max())


@every_kind
@given(seed=seeds, dimension=dimensions, order=orders)
@settings(max_examples=15)
def test_bends_bound_what_a_functional_is_within_a_parallelogram(kind, seed, dimension, order):
    measurement, rng = draw(kind, seed, dimension)
    order = max(order, measurement.least_order)
    assert measurement.has_bends
    # Centre and corners of parallelograms in (w, b), with sides of all sizes.
    sides = 10.0 ** rng.uniform(-6, 0.5, (2, 30, 1)) * rng.standard_normal((2, 30, dimension + 1))
    corners = np.array([sides[0] + sides[1], -sides[0] - sides[1], sides[0] - sides[1], sides[1] - sides[0]])
    centre = rng.standard_normal((30, dimension + 1))
    stencil = np.concatenate([centre[None], centre + corners])

    def values(rows: np.ndarray) -> np.ndarray:
        neurons = Neurons(rows[..., :-1].reshape(-1, dimension), rows[..., -1].ravel())
        found = measurement.of_neurons(neurons, TruncatedPower(order))
        return found.reshape(measurement.count, *rows.shape[:-1])

    at = values(stencil)
    bends = measurement.bends(at, Neurons(stencil[..., :-1], stencil[..., -1]), order)
    assert (bends.rising >= 0).all()
    assert (bends.falling >= 0).all()
    inside = centre + np.einsum("spk,skd->pkd", rng.uniform(-1, 1, (2, 40, 30)), sides)
    found = values(inside)
    # The largest operands of sums and differences, and the rounding of the functionals themselves.
    slack = 16 * measurement.rounding(
        Neurons(np.abs(stencil[..., :-1]).max(axis=0), np.abs(stencil[..., -1]).max(axis=0)), TruncatedPower(order)
    ) + 64 * EPS * np.abs(at).max(axis=1)
    for sign, bent, kappa in ((1, bends.rising, "lift"), (-1, bends.falling, "fall")):
        tops = sign * at
        tops[:, 1:] += np.repeat(bent, 2, axis=1)
        shares: list[np.ndarray | None] = [None]
        if bends.kinks is not None:
            assert (getattr(bends.kinks, kappa) >= 0).all()
            shares += list(np.linspace(0, 1, 5))
        for share in shares:
            bounds = tops.copy()
            if bends.kinks is not None:
                weights = getattr(bends.kinks, kappa)[:, None]
                kinked = weights * np.maximum(bends.kinks.levels, 0)
                if share is None:
                    bounds[:, 1:] += np.repeat(kinked[:, 1::2] - 2 * kinked[:, :1] + kinked[:, 2::2], 2, axis=1)
                else:
                    bounds += kinked - share * weights * bends.kinks.levels
            largest = found.max(axis=1) if sign > 0 else -found.min(axis=1)
            assert (largest <= bounds.max(axis=1) + slack).all()


@every_kind
@given(seed=seeds, dimension=dimensions, order=orders)
@settings(max_examples=10)
def test_limits_bound_unit_neurons_up_to_a_height(kind, seed, dimension, order):
    measurement, rng = draw(kind, seed, dimension)
    order = max(order, measurement.least_order)
    weights = unit_rows(rng, 40, dimension)
    centres, radii = measurement.supports()
    height = float(rng.uniform(0.1, 10))
    # The highest support just reaches the height.
    biases = (weights @ centres.T + radii).max(axis=1) - height
    found = measurement.of_neurons(Neurons(weights, biases), TruncatedPower(order))
    assert (measurement.limits(height, order) * (1 + 1e-12) >= np.abs(found).T).all()
