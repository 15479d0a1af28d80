"""The formulas that the papers' experiments compare with, against quadrature, searches and known values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

import ridgesplines as rs
from experiments.boursier_flammarion_2023.sparsest import convex_data, interpolant
from experiments.boursier_flammarion_2023.uniqueness import spread
from experiments.debarre_2022.knot_count import knots_by_program
from experiments.debarre_2022.runs import knots_by_formula, sign_runs
from experiments.kumar_haupt_2020.fewest import fewest_knots
from experiments.ongie_2020.radial import Bump, Gaussian, radial_density, radial_tv
from experiments.ongie_2020.radial_functions import random_network
from experiments.parhi_nowak_2021.classical import spline_by_program
from experiments.parhi_nowak_2021.laws import variation
from experiments.parhi_nowak_2021.plain_decay import fewer_neurons, least_decay, quasi_norm
from experiments.savarese_2019.closed_forms import SMOOTH, function_cost, interpolation_cost, programmed_cost
from experiments.statistics import rate_of_means
from tests.helpers import seeds

RADIAL = [Gaussian(), Gaussian(0.6), Bump(3), Bump(4)]


@pytest.mark.parametrize(
    ("function", "dimension", "value"),
    [
        (Gaussian(), 1, 4 * math.exp(-0.5)),
        (Gaussian(0.5), 1, 8 * math.exp(-0.5)),
        (Gaussian(), 3, 7.02006),
        # f' jumps to 2, falls to −2 and jumps back.
        (Bump(1), 1, 8.0),
    ],
)
def test_radial_functions_have_known_seminorms(function, dimension, value):
    assert radial_tv(function, dimension) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("dimension", [1, 3, 5])
@pytest.mark.parametrize("function", RADIAL, ids=repr)
def test_their_seminorm_is_the_integral_of_their_density(function, dimension):
    if isinstance(function, Bump) and function.power + (dimension - 1) // 2 <= dimension:
        pytest.skip("the density has masses")
    reach = function.reach(dimension)
    offsets = np.linspace(-reach, reach, 200_001)
    density = np.abs(radial_density(function, offsets, dimension))
    # The trapezoid rule at kinks of |density|: the square of the step, 1e-8, times slopes.
    assert np.trapezoid(density, offsets) == pytest.approx(radial_tv(function, dimension), rel=1e-5)


@pytest.mark.parametrize("function", RADIAL, ids=repr)
def test_their_radon_transforms_are_integrals_over_planes(function):
    for offset in (0.0, 0.3, 0.7):

        def along(radius, offset=offset):
            value = function(np.array([[offset, radius, 0.0]]))[0]
            return 2 * math.pi * radius * value

        expected = quad(along, 0, 1.0 if isinstance(function, Bump) else 12.0, epsabs=1e-12, limit=200)[0]
        assert function.profile(np.array([offset]), 3, 0)[0] == pytest.approx(expected, rel=1e-8)
        # Derivatives, by a central difference: the square of its step.
        step = 1e-4
        ends = function.profile(np.array([offset - step, offset + step]), 3, 1)
        second = function.profile(np.array([offset]), 3, 2)[0]
        assert np.diff(ends)[0] / (2 * step) == pytest.approx(second, rel=1e-5, abs=1e-5)


def test_bumps_of_too_low_a_power_and_even_dimensions_are_errors():
    with pytest.raises(ValueError, match=r"power must be at least \(d \+ 1\) / 2 = 2, got 1"):
        radial_tv(Bump(1), 3)
    with pytest.raises(ValueError, match="dimension must be odd, got 2"):
        radial_tv(Gaussian(), 2)


def test_random_networks_are_the_function_on_average():
    # In d = 3, 40,000 neurons: the error falls like the square root of their number, to some 3% of the spread.
    rng = np.random.default_rng(0)
    function, points = Gaussian(), rng.standard_normal((300, 3))
    rest = function(points) - random_network(function, 3, 40_000, rng)(points)
    affine = np.column_stack([np.ones(300), points])
    rest = rest - affine @ np.linalg.lstsq(affine, rest, rcond=None)[0]
    assert np.sqrt(np.mean(rest**2)) < 0.1 * np.std(function(points))


@given(seeds, st.integers(4, 9))
@settings(max_examples=40, deadline=None)
def test_the_least_cost_of_interpolants_is_what_a_linear_program_finds(seed, count):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.1, 1.0, count))
    y = rng.standard_normal(count) + rng.normal(scale=4) * x
    # Interpolants bend at data only, for the profile of a dual vector is linear between them.
    assert programmed_cost(x, y, x) == pytest.approx(interpolation_cost(x, y), rel=1e-8)


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_bend_and_tilt_as_stated(name):
    function, bending, slopes = SMOOTH[name]
    grid = np.sinh(np.linspace(-9.5, 9.5, 20_001))
    chords = np.diff(function(grid)) / np.diff(grid)
    # Reaches to ±6,700, at a step of 1e-3 near the origin.
    assert np.abs(np.diff(chords)).sum() == pytest.approx(bending, rel=1e-6)
    assert chords[0] + chords[-1] == pytest.approx(slopes, abs=1e-6)
    assert function_cost(bending, slopes) == max(bending, abs(slopes))


@pytest.mark.parametrize("order", [2, 3, 4])
@given(st.floats(0.05, 5.0), st.floats(0.05, 5.0))
@settings(max_examples=30, deadline=None)
def test_the_quasi_norm_is_the_least_decay_over_scalings(order, coefficient, length):
    mass = np.array([coefficient * length ** (order - 1)])
    assert least_decay(coefficient, length, order) == pytest.approx(quasi_norm(mass, order)[0], rel=1e-10)


def test_the_quasi_norm_of_order_two_is_the_path_norm_and_those_above_favour_one_neuron():
    masses = np.array([0.2, 1.0, 3.0])
    np.testing.assert_allclose(quasi_norm(masses, 2), masses, rtol=1e-14)
    for order in (3, 4):
        assert quasi_norm(masses.sum(keepdims=True), order)[0] < quasi_norm(masses, order).sum()


@pytest.mark.parametrize("order", [2, 3, 4])
def test_variation_counts_the_jumps_of_a_derivative(order):
    rng = np.random.default_rng(order)
    spline = rs.RidgeSpline(
        np.ones((4, 1)), [-0.5, -0.125, 0.25, 0.75], rng.standard_normal(4), rng.standard_normal(order), order=order
    )
    step = 1 / (8 * (order - 1))
    at = np.arange(-1 / step, 1 / step + 0.5) * step
    # Third differences over (1/24)³ magnify rounding to 1e-11.
    assert variation(np.asarray(spline(at)), step, order) == pytest.approx(spline.radon_tv(), rel=1e-9)


def test_runs_of_one_sign_and_their_knots():
    x = np.arange(9.0)
    changes = np.array([1.0, 1.0, 1.0, -1.0, 0.0, -1.0, -1.0])
    y = np.append(0.0, np.cumsum(np.append(0.0, np.cumsum(changes))))
    assert sign_runs(x, y).tolist() == [3, 1, 2]
    assert knots_by_formula(x, y) == 2 + 1 + 1 == knots_by_program(x, y)
    assert sign_runs(x, 3 * x).tolist() == []
    assert knots_by_formula(x[:2], y[:2]) == 0


@given(seeds, st.integers(3, 8))
@settings(max_examples=25, deadline=None)
def test_the_formula_the_program_and_the_construction_count_the_same(seed, count):
    rng = np.random.default_rng(seed)
    x, y = np.cumsum(rng.integers(1, 4, count)).astype(float), rng.integers(-2, 3, count).astype(float)
    problem = rs.Problem(rs.Samples(x[:, None]), y, rs.Interpolation())
    knots = rs.sparsest(problem, rs.solve(problem)).width
    assert knots == knots_by_program(x, y)
    # Data on a lattice have slope changes of zero, which rounding must not make signs of.
    signs = np.sign(np.round(np.diff(np.diff(y) / np.diff(x)), 12))
    steps = np.append(0.0, np.cumsum(np.append(0.0, np.cumsum(signs))))
    assert knots == knots_by_formula(np.arange(float(len(steps))), steps)
    assert fewest_knots(x, y) <= knots


def test_six_points_of_a_parabola_are_outside_of_the_condition():
    x, y = convex_data(6)
    spline, certificate = interpolant(x, y)
    assert sign_runs(x, y).tolist() == [4]
    assert fewest_knots(x, y) == 2
    # Between the two pairs of neighbours, and at the datum in the middle: a third kink is cheaper.
    assert spline.width == 3
    assert certificate.kind == "exact"
    assert certificate.relative_gap < 1e-7


def test_the_spread_of_interpolants_is_a_triangle_if_biases_are_free():
    x, y = np.array([-2.0, -1.0, 1.0, 2.0]), np.array([1.0, 0.0, 0.0, 1.0])
    knots = np.linspace(-2, 2, 41)
    # All between the chord and the lines from the sides, which meet at (0, −1).
    found = spread(x, y, knots, np.ones(41), 2.0, np.array([-0.5, 0.0]))
    np.testing.assert_allclose(found, [0.5, 1.0], atol=1e-6)
    # At √(1 + t²), two kinks at ±1 cost 2 √2, and one at 0, a slope change of 2, costs 2: the only one at that price.
    only = spread(x, y, knots, np.sqrt(1 + knots**2), 2.0 + 1e-9, np.array([0.0]))
    np.testing.assert_allclose(only, [0.0], atol=1e-6)


def test_the_program_over_classical_splines_finds_a_planted_one():
    x = np.linspace(0, 1, 20)
    y = np.maximum(x - 0.5, 0) ** 2 + 0.3 * x
    jumps, free, objective = spline_by_program(x, y, 3, 1e-6, np.linspace(0, 1, 11))
    # At next to no price for the jumps the planted one, which costs 2 λ, is found.
    assert objective <= 2e-6 * (1 + 1e-6)
    assert np.abs(jumps).sum() == pytest.approx(2.0, rel=1e-3)
    assert free[1] == pytest.approx(0.3, abs=1e-2)


def test_rates_of_means_are_those_of_powers():
    sizes = np.array([10.0, 100.0, 1000.0])
    exact = rate_of_means(sizes, np.ones((5, 1)) * sizes**-0.5)
    assert exact.slope == pytest.approx(-0.5, abs=1e-12)
    assert exact.error == pytest.approx(0.0, abs=1e-12)
    # Of many draws with a mean of that power the slope is within four of its standard errors, and these are right.
    rng = np.random.default_rng(0)
    rates = [rate_of_means(sizes, rng.exponential(sizes**-0.5, (50, 3))) for _ in range(200)]
    slopes, errors = np.array([rate.slope for rate in rates]), np.array([rate.error for rate in rates])
    assert abs(slopes.mean() + 0.5) < 4 * slopes.std() / np.sqrt(200)
    # The spread of 200 slopes is known to 1/√400 of it.
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(slopes.std(), rel=0.2)


def test_neurons_are_compared_at_equal_misfits():
    def row(misfit, neurons):
        return {"misfit": np.full(3, misfit), "distinct": np.full(3, neurons)}

    plain, other = [row(0.1, 8.0), row(0.3, 2.0)], [row(0.2, 9.0), row(0.4, 5.0)]
    # From 0.2 to 0.3, where one has 5 to 2 and the other 9 to 7.
    assert fewer_neurons(plain, other, np.arange(3) >= 0) == pytest.approx(4.5)
