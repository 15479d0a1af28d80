"""Kinds of measurement: what they have in common in their limits, beams, grids, kernels, and bad input."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import EPS, random_spline, seeds, unit_rows
from hypothesis import given
from hypothesis import strategies as st
from measuring import _average, blurred

import ridgesplines as rs
from ridgesplines.activations import TruncatedPower
from ridgesplines.measurements.gaussian import gaussian_average
from ridgesplines.measurements.uniform import uniform_average
from ridgesplines.oracles import Neurons

orders = st.sampled_from([2, 3, 4])


# The two kernels


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(seed=seeds, order=st.integers(1, 5))
def test_averages_are_accurate_relative_to_themselves(axes, seed, order):
    rng = np.random.default_rng(seed)
    halves = rng.uniform(0, 1, (axes, 12)) * 10.0 ** rng.choice([0, -1, -3, -8, -16, -200], (axes, 12))
    levels = rng.uniform(-1, 1, 12) * halves.sum(axis=0) * rng.choice([1, 1.5, 1 + 1e-9, 1 - 1e-6], 12)
    averages = uniform_average(levels, list(halves * rng.choice([-1, 1], halves.shape)), order)
    for level, half, average in zip(levels, halves.T, averages, strict=True):
        sides = [Fraction(float(h)) for h in half]
        # Sums of the level and the half widths round: that moves the kink by some ε of their size.
        moved = 4 * Fraction(EPS) * (sum(sides) + abs(Fraction(float(level))))
        low, high = (_average(Fraction(float(level)) + sign * moved, sides, order) for sign in (-1, 1))
        slack = 60 * EPS
        assert (1 - slack) * low - Fraction(1, 10**300) <= Fraction(float(average))
        assert Fraction(float(average)) <= (1 + slack) * high + Fraction(1, 10**300)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("deviation", [1e-60, 1e-3, 1.0, 1e3])
def test_blurred_powers_are_accurate_in_the_far_tails(order, deviation):
    rng = np.random.default_rng(order)
    places = np.concatenate([rng.uniform(-37, 8, 30), [0.0, -3.0, np.nextafter(-3.0, -4.0), 50.0]])
    levels = places * deviation
    values = gaussian_average(levels, np.full_like(levels, deviation), order)
    for level, value in zip(levels, values, strict=True):
        exact = blurred(Fraction(float(level)), Fraction(deviation), order)
        if exact > Fraction(1, 10**290):
            assert abs(float(Fraction(float(value)) / exact - 1)) <= 1e-11
    assert gaussian_average(np.array([-1e300, -50.0]), np.array([1e-300, 1.0]), order).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("axes", [0, 1, 2, 3])
def test_the_step_without_width_is_zero_at_its_kink(axes):
    levels = np.array([-1.0, 0.0, 1.0])
    for array in (np.asarray, jnp.asarray):
        halves = [array(np.zeros(3)) for _ in range(axes)]
        np.testing.assert_array_equal(uniform_average(array(levels), halves, 1), [0, 0, 1])


# Limits and sums


@given(seed=seeds, order=orders, dimension=st.sampled_from([1, 2, 3]))
def test_thin_boxes_short_segments_and_little_blur_are_samples(seed, order, dimension):
    rng = np.random.default_rng(seed)
    x, u = rng.standard_normal((2, 7, dimension))
    neurons = Neurons(rng.standard_normal((9, dimension)), rng.standard_normal(9))
    expected = rs.Samples(x).of_neurons(neurons, TruncatedPower(order))
    for size in (0.0, 1e-300, 1e-14, 1e-7):
        near = [
            rs.BoxAverages.around(x, size),
            rs.LineIntegrals(x, x + size * u, normalized=True),
            rs.BlurredSamples(x, size or 1e-308),
        ]
        for measurement in near:
            measured = measurement.of_neurons(neurons, TruncatedPower(order))
            # Lipschitz in the place, by the slope at the heights that are reached, some tens.
            slopes = (2 + measurement.heights(neurons)) ** (order - 1) * np.linalg.norm(neurons.weights, axis=1)
            assert (
                np.abs(measured - expected) <= (4 * size * (1 + np.abs(u).max()) + 64 * EPS) * slopes + 64 * EPS
            ).all()


@given(seed=seeds, order=orders)
def test_on_the_line_boxes_are_segments(seed, order):
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.standard_normal((2, 8)), axis=0)
    spline = random_spline(rng, order, 1)
    averages, segments = rs.BoxAverages(*ends)(spline), rs.LineIntegrals(*ends, normalized=True)(spline)
    lengths = ends[1] - ends[0]
    np.testing.assert_allclose(averages, segments, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(rs.LineIntegrals(*ends)(spline), lengths * averages, rtol=1e-12, atol=1e-12)


@given(seed=seeds, order=orders, dimension=st.sampled_from([1, 2, 3]))
def test_pixels_average_to_their_box_and_segments_add_up(seed, order, dimension):
    rng = np.random.default_rng(seed)
    spline = random_spline(rng, order, dimension)
    lower, counts = rng.standard_normal(dimension), tuple(int(n) for n in rng.integers(1, 5, dimension))
    upper = lower + rng.uniform(0.5, 2, dimension)
    pixels, box = rs.BoxAverages.grid(lower, upper, counts), rs.BoxAverages(lower[None], upper[None])
    assert pixels.count == math.prod(counts)
    np.testing.assert_allclose(pixels(spline).mean(), box(spline)[0], rtol=1e-11, atol=1e-11)
    stops = lower + np.array([0.0, 0.1, 0.7, 1.0])[:, None] * (upper - lower)
    pieces, whole = rs.LineIntegrals(stops[:-1], stops[1:]), rs.LineIntegrals(stops[:1], stops[-1:])
    np.testing.assert_allclose(pieces(spline).sum(), whole(spline)[0], rtol=1e-11, atol=1e-11)


def test_the_last_coordinate_of_a_grid_runs_fastest():
    pixels = rs.BoxAverages.grid((0, 10), (2, 16), (2, 3))
    np.testing.assert_allclose(pixels.centres, [[0.5, 11], [0.5, 13], [0.5, 15], [1.5, 11], [1.5, 13], [1.5, 15]])
    np.testing.assert_allclose(pixels.upper - pixels.lower, [[1, 2]] * 6)


@given(seed=seeds, order=st.sampled_from([3, 4]), outputs=st.sampled_from([None, 2]))
def test_derivatives_are_those_of_the_gradient(seed, order, outputs):
    rng = np.random.default_rng(seed)
    x, u = rng.standard_normal((2, 9, 2))
    spline = random_spline(rng, order, 2, outputs)
    expected = np.einsum("n...d,nd->n...", spline.gradient(x), u)
    np.testing.assert_allclose(rs.Derivatives(x, u)(spline), expected, rtol=1e-12, atol=1e-12)
    along = rs.Derivatives(x, [1.0, 0.0])(spline)
    np.testing.assert_allclose(along, spline.gradient(x)[..., 0], rtol=1e-12, atol=1e-12)


@given(seed=seeds, order=orders)
def test_blurring_twice_is_blurring_once(seed, order):
    # Against Gauss and Hermite's rule over blurred samples, which are smooth: the variances add up.
    rng = np.random.default_rng(seed)
    spline = random_spline(rng, order, 2)
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    grid = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
    mass = np.outer(weights, weights).ravel() / (2 * np.pi)
    twice = mass @ rs.BlurredSamples(0.3 * grid, 1.0)(spline)
    once = rs.BlurredSamples(np.zeros((1, 2)), math.hypot(1.0, 0.3))(spline)[0]
    np.testing.assert_allclose(twice, once, rtol=1e-9, atol=1e-9)


# Groups across kinds


def test_the_same_functional_of_another_kind_is_the_same():
    x = np.array([[0.0, 1.0], [2.0, 3.0]])
    flat = rs.BoxAverages(x, x + np.array([0.0, 1.0]))
    segments = rs.LineIntegrals(
        np.vstack([x + np.array([0.0, 1.0]), x]), np.vstack([x, x + np.array([0.0, 1.0])]), normalized=True
    )
    stack = rs.Stack(rs.Samples(x), rs.BoxAverages(x, x), rs.LineIntegrals(x, x, normalized=True), flat, segments)
    np.testing.assert_array_equal(stack.groups[[0, 1]] == stack.groups[[2, 3]], True)
    np.testing.assert_array_equal(stack.groups[[0, 1]] == stack.groups[[4, 5]], True)
    assert stack.distinct == 4
    slanted = rs.LineIntegrals(np.vstack([x, x + np.array([1, -2])]), np.vstack([x + np.array([1, -2]), x]))
    assert slanted.distinct == 2
    # An integral is not the average, nor a derivative the one along the opposite direction, nor a blur a sample.
    assert rs.Stack(slanted, rs.LineIntegrals(x, x + np.array([1, -2]), normalized=True)).distinct == 4
    assert rs.Derivatives(np.vstack([x, x]), np.vstack([x + 1, -x - 1])).distinct == 4
    assert rs.Stack(rs.Samples(x), rs.BlurredSamples(x, 0.1), rs.Derivatives(x, [1, 0])).distinct == 6


# Polynomials


def test_a_row_of_pixels_leaves_a_direction_open():
    row = rs.BoxAverages.grid((0, 0), (9, 0.3), (9, 1))
    assert row.fit_polynomials(1).basis.shape[1] == 2
    fit = row.fit_polynomials(1)(2.0 + row.centres[:, 0])
    np.testing.assert_allclose(fit(np.array([[3.0, 0.15], [3.0, 7.0]])), 5.0, atol=1e-12)
    # Thicknesses that differ tell the square from the constant.
    wedge = rs.BoxAverages.around(
        np.column_stack([np.arange(9.0), np.zeros(9)]), [[1, t] for t in np.linspace(0, 2, 9) ** 2]
    )
    assert row.fit_polynomials(2).basis.shape[1] == 3
    assert wedge.fit_polynomials(2).basis.shape[1] == 4


def test_derivatives_at_one_point_determine_the_slopes():
    derivatives = rs.Derivatives(np.full((3, 3), 1e6), np.eye(3))
    assert derivatives.fit_polynomials(0).basis.shape == (3, 0)
    assert derivatives.fit_polynomials(1).basis.shape == (3, 3)
    values = rs.Stack(rs.Samples([[1.0, 0.0]]), rs.Derivatives([[1.0, 0.0]] * 2, np.eye(2)))
    fit = values.fit_polynomials(1)(np.array([5.0, 2.0, 3.0]))
    np.testing.assert_allclose(fit.coefficients, [3.0, 2.0, 3.0], atol=1e-12)


# Beams


@given(seed=seeds)
def test_parallel_rays_lie_on_their_lines_and_end_on_the_boundary(seed):
    rng = np.random.default_rng(seed)
    angles, offsets = rng.uniform(-7, 7, 5), rng.uniform(-0.9, 0.9, 4)
    disc = rs.DiscRegion((0.05, 0.0), 1.0)
    box = rs.BoxRegion((-1.0, -1.5), (1.0, 2.0))
    theta, s = (part.ravel() for part in np.meshgrid(angles, offsets, indexing="ij"))
    normals = np.column_stack([np.cos(theta), np.sin(theta)])
    for region in (disc, box):
        rays = rs.LineIntegrals.parallel_beam(angles, offsets, region)
        assert rays.count == 20
        for ends in (rays.starts, rays.ends):
            np.testing.assert_allclose(np.sum(normals * ends, axis=1), s, atol=1e-14)
            if region is disc:
                np.testing.assert_allclose(np.linalg.norm(ends - disc.centre, axis=1), 1.0, rtol=1e-13)
            else:
                # On a side, and within the others.
                slack = np.minimum(np.abs(ends - box.lower), np.abs(ends - box.upper)).min(axis=1)
                np.testing.assert_allclose(slack, 0, atol=1e-12)
                assert (ends >= box.lower - 1e-12).all()
                assert (ends <= box.upper + 1e-12).all()
    middle = rs.LineIntegrals.parallel_beam(angles, offsets, rs.DiscRegion((0, 0), 1.0))
    np.testing.assert_allclose(middle.masses, 2 * np.sqrt(1 - s**2), rtol=1e-12)
    average = rs.LineIntegrals.parallel_beam(angles, offsets, disc, normalized=True)
    np.testing.assert_array_equal(average.masses, 1.0)


def test_rays_along_the_axes_are_clipped_to_boxes():
    rays = rs.LineIntegrals.parallel_beam([0.0, np.pi / 2], [0.0, 0.5], rs.BoxRegion((-1, -2), (1, 3)))
    np.testing.assert_allclose(rays.masses, [5, 5, 2, 2], rtol=1e-14)


def test_the_rays_of_a_fan_meet_in_their_source():
    angles, fan = np.array([0.0, 1.0, 4.0]), np.array([-0.2, 0.0, 0.2])
    rays = rs.LineIntegrals.fan_beam(angles, fan, 3.0, rs.DiscRegion((0, 0), 1.0))
    sources = 3.0 * np.repeat(np.column_stack([np.cos(angles), np.sin(angles)]), 3, axis=0)
    for ends in (rays.starts, rays.ends):
        to, centred = ends - sources, -sources
        cosines = np.sum(to * centred, axis=1) / np.linalg.norm(to, axis=1) / 3.0
        np.testing.assert_allclose(np.arccos(np.clip(cosines, -1, 1)), np.tile(np.abs(fan), 3), atol=1e-7)
    np.testing.assert_allclose(rays.masses[1::3], 2.0, rtol=1e-13)
    # The nearer end comes first, and a positive fan angle turns counterclockwise.
    assert (np.linalg.norm(rays.starts - sources, axis=1) < np.linalg.norm(rays.ends - sources, axis=1)).all()
    assert rays.ends[2, 1] < 0 < rays.ends[0, 1]


def test_the_sinogram_of_a_ridge_is_its_integral():
    # Through the unit disc, f(x) = max(x1, 0) along the rays x·n = s: those of angle 0 see the constant max(s, 0).
    spline = rs.RidgeSpline([[1.0, 0.0]], [0.0], [1.0])
    offsets = np.linspace(-0.9, 0.9, 7)
    rays = rs.LineIntegrals.parallel_beam([0.0, np.pi / 2], offsets, rs.DiscRegion((0, 0), 1.0))
    chords = np.sqrt(1 - offsets**2)
    expected = np.concatenate([2 * chords * np.maximum(offsets, 0), chords**2 / 2])
    np.testing.assert_allclose(rays(spline), expected, rtol=1e-13, atol=1e-15)


# Bad input

POINTS = np.zeros((3, 2))
DISC = rs.DiscRegion((0.0, 0.0), 1.0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: rs.Derivatives(POINTS, np.ones((2, 2))),
            ValueError,
            "directions must have one row for each of the 3 points",
        ),
        (
            lambda: rs.Derivatives(POINTS, [[1, 0], [0, 0], [0, 1]]),
            ValueError,
            "directions must not be zero, but that at index 1 is",
        ),
        (lambda: rs.Derivatives(POINTS, "up"), TypeError, "directions must hold real numbers"),
        (lambda: rs.Derivatives(POINTS, [np.nan, 0]), ValueError, "directions must be finite"),
        (
            lambda: rs.LineIntegrals(POINTS, np.ones((2, 2))),
            ValueError,
            "starts and ends must have one shape (N, d), got (3, 2) and (2, 2)",
        ),
        (
            lambda: rs.LineIntegrals(POINTS, POINTS),
            ValueError,
            "segments must have a length, but that at index 0 ends where it starts",
        ),
        (
            lambda: rs.LineIntegrals(POINTS, POINTS + 1, normalized=1),
            TypeError,
            "normalized must be True or False, got 1.",
        ),
        (
            lambda: rs.LineIntegrals.parallel_beam([0], [0, 2], DISC),
            ValueError,
            "but 1 of 2 miss it, the first of angle 0 and offset 2",
        ),
        (
            lambda: rs.LineIntegrals.parallel_beam([0], [1], DISC),
            ValueError,
            "rays must pass through the region, but 1 of 1 miss it",
        ),
        (
            lambda: rs.LineIntegrals.parallel_beam([], [1], DISC),
            ValueError,
            "angles must hold at least one number, got none.",
        ),
        (
            lambda: rs.LineIntegrals.parallel_beam([0], [0], (0, 1)),
            TypeError,
            "region must be a BoxRegion or a DiscRegion, got (0, 1).",
        ),
        (
            lambda: rs.LineIntegrals.parallel_beam([0], [1.5], rs.BoxRegion((0, 0), (1, 1))),
            ValueError,
            "miss it, the first of angle 0 and offset 1.5",
        ),
        (
            lambda: rs.LineIntegrals.fan_beam([0], [1.0], 3, DISC),
            ValueError,
            "miss it, the first of angle 0 and fan angle 1",
        ),
        (lambda: rs.LineIntegrals.fan_beam([0], [0.0], 0.5, DISC), ValueError, "sources must lie outside the region"),
        (
            lambda: rs.LineIntegrals.fan_beam([0], [2.0], 3, DISC),
            ValueError,
            "fan_angles must be within ±π/2 (radians), got 2.",
        ),
        (
            lambda: rs.LineIntegrals.fan_beam([0], [0.0], -3, DISC),
            ValueError,
            "distance must be a positive number, got -3.",
        ),
        (lambda: rs.LineIntegrals.fan_beam([0], [0.0], 3, DISC, centre=1.0), ValueError, "centre must have 1 axes"),
        (lambda: rs.DiscRegion((0, 0), 0), ValueError, "radius must be a positive number, got 0."),
        (lambda: rs.DiscRegion((0, 0, 0), 1), ValueError, "centre must be the two coordinates of a point in the plane"),
        (lambda: rs.BoxRegion((0, 1), (1, 1)), ValueError, "lower must be below upper in both coordinates"),
        (
            lambda: rs.BoxAverages([0, 2], [1, 1.5]),
            ValueError,
            "lower must not be above upper, but 1 entries are, the first at index [1, 0]: 2 > 1.5",
        ),
        (
            lambda: rs.BoxAverages(np.zeros((1, 4)), np.ones((1, 4))),
            ValueError,
            "boxes have 1, 2 or 3 dimensions, got 4.",
        ),
        (lambda: rs.BoxAverages.around(POINTS, -1), ValueError, "widths must not be negative, got -1."),
        (
            lambda: rs.BoxAverages.around(POINTS, [1, 2, 3]),
            ValueError,
            "widths must have one row for each of the 3 points",
        ),
        (lambda: rs.BoxAverages.grid((0, 0), (1, 1), 0), ValueError, "counts must be at least 1, got 0."),
        (
            lambda: rs.BoxAverages.grid((0, 0), (1, 1), (2, 2, 2)),
            ValueError,
            "counts must be one number or one for each of the 2 axes",
        ),
        (lambda: rs.BoxAverages.grid((0, 0), (1, 0), 2), ValueError, "lower must be below upper in each coordinate"),
        (lambda: rs.BoxAverages.grid((0, 0), (1, 1), 2.5), TypeError, "counts must be a whole number, got 2.5."),
        (lambda: rs.BlurredSamples(POINTS, -0.1), ValueError, "width must be positive, got -0.1."),
        (
            lambda: rs.BlurredSamples(POINTS, [1, 0, 1]),
            ValueError,
            "width must be positive, got 0; without blur take Samples",
        ),
        (
            lambda: rs.BlurredSamples(POINTS, [1, 2]),
            ValueError,
            "width must be one number or one for each of the 3 points, got 2.",
        ),
        (lambda: rs.Stack(), ValueError, "a Stack needs at least one measurement, got none."),
        (
            lambda: rs.Stack(rs.Samples(POINTS), POINTS),
            TypeError,
            "a Stack holds measurements such as Samples, got array",
        ),
        (
            lambda: rs.Stack(rs.Samples(POINTS), rs.Samples([1.0])),
            ValueError,
            "must share their dimension, got [1, 2].",
        ),
        (
            lambda: rs.BlurredSamples(POINTS, 1).fit_polynomials(4),
            ValueError,
            "polynomials are averaged up to degree 3, got 4.",
        ),
        (lambda: rs.Samples(np.zeros((0, 2))), ValueError, "points must hold at least one point of one coordinate"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(make, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make()


def test_what_cannot_be_measured_is_refused():
    neurons = Neurons(unit_rows(np.random.default_rng(0), 3, 2), np.zeros(3))
    derivatives, blur = rs.Derivatives(POINTS, [1, 0]), rs.BlurredSamples(POINTS, 1.0)
    with pytest.raises(ValueError, match="the derivative of a neuron of order 2 is not continuous in the neuron"):
        derivatives.of_neurons(neurons, TruncatedPower(2))
    with pytest.raises(ValueError, match="derivatives need neurons of order 3 or 4, got order 2"):
        derivatives.rounding(neurons, TruncatedPower(2))
    with pytest.raises(ValueError, match="a step that is off by rounding is off by 1"):
        blur.rounding(neurons, TruncatedPower(1))
    with pytest.raises(TypeError, match="averages are known of TruncatedPower and LeakyReLU neurons"):
        blur.of_neurons(neurons, np.tanh)
    assert derivatives.least_order == rs.Stack(blur, derivatives).least_order == 3
    assert blur.least_order == 2
