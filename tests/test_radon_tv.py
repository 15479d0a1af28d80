"""RTV of arbitrary functions: closed forms, laws, what diverges, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Polynomial
from scipy.special import dawsn, ndtr

import ridgesplines as rs
from ridgesplines.radon.refinement import limit_from_below, limit_of
from ridgesplines.radon.total_variation import half_sphere
from tests.helpers import random_spline, rotation, seeds

ORDERS, DIMENSIONS = (2, 3, 4), (1, 2, 3)


def gaussian(x: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * np.sum(x**2, axis=1))


def gaussian_tv(dimension: int, order: int) -> float:
    """RTV^m of exp(−|x|²/2): in odd d a Hermite function's total variation, in even d that of Dawson's."""
    b = np.linspace(-60, 60, 1_200_001)
    half_sphere_area = {1: 1.0, 2: np.pi, 3: 2 * np.pi}[dimension]
    scale = half_sphere_area * (2 * np.pi) ** (-(dimension - 1) / 2)
    if dimension == 2:
        # The Hilbert transform of exp(−b²/2) is 2/√π D(b/√2), and D' = 1 − 2xD.
        x = b / np.sqrt(2)
        derivatives = [dawsn(x), 1 - 2 * x * dawsn(x)]
        for n in range(1, order):
            derivatives.append(-2 * x * derivatives[n] - 2 * n * derivatives[n - 1])
        profile = 2 / np.sqrt(np.pi) * 2.0 ** (-order / 2) * derivatives[order]
    else:
        degree = order - 1 + (dimension - 1)
        profile = np.polynomial.hermite_e.hermeval(b, np.eye(degree + 1)[degree]) * np.exp(-(b**2) / 2)
    return scale * float(np.abs(np.diff(profile)).sum())


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("order", ORDERS)
def test_a_gaussian_has_its_closed_form(dimension, order):
    result = rs.radon_tv(gaussian, dimension=dimension, order=order, resolution=None if dimension < 3 else 64)
    exact = gaussian_tv(dimension, order)
    # The tolerance of the last refinement is 3e-4 of the value; what remains after it is smaller.
    assert result.value == pytest.approx(exact, rel=3e-4)
    assert abs(result.value - exact) <= result.error
    assert not result.diverges
    assert not result.blurred


def test_the_known_values_of_order_two():
    known = {1: 4 * np.exp(-0.5), 2: 4.7685, 3: 7.02006}
    for dimension, value in known.items():
        assert gaussian_tv(dimension, 2) == pytest.approx(value, rel=2e-5)  # the digits of these


@pytest.mark.parametrize(("dimension", "order"), [(2, 2), (2, 3), (3, 2)])
def test_an_anisotropic_gaussian_is_an_average_over_directions(dimension, order):
    # R f(w, ·) is a Gaussian of variance w·Σw, so the density scales with it.
    rng = np.random.default_rng(dimension)
    spread = np.diag([1.5, 0.8, 1.0][:dimension])
    covariance = rotation(rng, dimension) @ spread
    covariance = covariance @ covariance.T
    inverse, centre = np.linalg.inv(covariance), rng.standard_normal(dimension)
    result = rs.radon_tv(
        lambda x: np.exp(-0.5 * np.sum(((x - centre) @ inverse) * (x - centre), axis=1)),
        dimension=dimension,
        order=order,
        resolution=256 if dimension == 2 else 64,
        tolerance=1e-3,
    )
    directions = rng.standard_normal((200_000, dimension))
    if dimension == 2:
        angles = np.pi * np.arange(2000) / 2000
        directions = np.column_stack([np.cos(angles), np.sin(angles)])
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    variances = np.sum((directions @ covariance) * directions, axis=1)
    factor = np.sqrt(np.linalg.det(covariance)) * np.mean(variances ** (-(order + dimension - 1) / 2))
    # In space the average is of random directions: 200,000 of them, a spread of about 1, three standard errors.
    tolerance = 1e-3 if dimension == 2 else 8e-3
    assert result.value == pytest.approx(gaussian_tv(dimension, order) * factor, rel=tolerance)


def bump(power: int):
    return lambda x: np.maximum(0.0, 1.0 - np.sum(x**2, axis=1)) ** power


def bump_tv(power: int, order: int) -> float:
    """RTV^m of (1 − |x|²)_+^p in space: R f(w, b) = π/(p+1) (1 − b²)^(p+1), a polynomial, and its jumps at ±1."""
    profile = Polynomial([1, 0, -1]) ** (power + 1)
    derivative = profile.deriv(order + 1)(np.linspace(-1, 1, 100_001))
    return float(np.abs(np.diff(derivative, prepend=0.0, append=0.0)).sum()) / (2 * (power + 1))


def test_bumps_in_space_have_their_closed_forms():
    smooth = rs.radon_tv(bump(5), dimension=3, region=1.0, resolution=64, tolerance=1e-2)
    assert not smooth.blurred
    assert smooth.value == pytest.approx(bump_tv(5, 2), rel=1e-2)
    # A density that ends in a bend: 64 steps do not resolve it, and the error says so.
    rough = rs.radon_tv(bump(4), dimension=3, region=1.0, resolution=64)
    assert rough.blurred
    assert abs(rough.value - bump_tv(4, 2)) <= rough.error


def test_a_bump_in_the_plane_has_its_closed_form():
    # R f(w, b) = 32/35 (1 − b²)^(7/2) = 32/35 g, and RTV² is half the total variation of the Hilbert transform of the
    # second derivative of g: the integral of the third one, a polynomial over √(1 − t²), with log|b − t|, which
    # Chebyshev's polynomials solve.
    t = Polynomial([0, 1])
    series = np.polynomial.chebyshev.poly2cheb((105 * (t * (1 - t**2) ** 2 - t**3 * (1 - t**2))).coef)
    beyond = 1 + np.geomspace(1e-9, 1e3, 20_001)
    b = np.unique(np.concatenate([np.cos(np.linspace(0, np.pi, 20_001)), beyond, -beyond]))
    inside = np.abs(b) <= 1
    far = np.abs(b[~inside])
    values = np.zeros(len(b))
    for n, coefficient in enumerate(series[1:], start=1):
        values[inside] -= coefficient / n * np.cos(n * np.arccos(b[inside]))
        values[~inside] -= coefficient / n * (np.sign(b[~inside]) / (far + np.sqrt(far**2 - 1))) ** n
    exact = 0.5 * 32 / 35 * np.abs(np.diff(values)).sum()
    result = rs.radon_tv(bump(3), dimension=2, region=1.0, resolution=256, tolerance=2e-3)
    assert result.value == pytest.approx(exact, rel=2e-3)


@pytest.mark.parametrize(
    ("function", "least", "most"),
    [
        # Kinks along segments: each halving adds more than the one before, but slower than any power.
        (lambda x: np.maximum(0.0, 1.0 - np.abs(x).sum(axis=1)), 0.0, 0.5),
        (lambda x: np.maximum(0.0, 1.0 - np.abs(x).max(axis=1)), 0.0, 0.5),
        # A kink along a circle: the density is |b − 1|^(−3/2) there, so width^(−1/2).
        (bump(1), 0.35, 0.65),
    ],
    ids=["pyramid, 1-norm", "pyramid, max-norm", "paraboloid"],
)
def test_what_no_network_of_finite_norm_computes_diverges(function, least, most):
    result = rs.radon_tv(function, dimension=2, region=1.0, resolution=128)
    assert result.diverges
    assert result.value == result.error == np.inf
    assert result.growth is not None
    assert least <= result.growth <= most
    # Blurred values are lower bounds and grow.
    assert (np.diff(result.values) > 0).all()
    assert "infinite" in str(result)


@pytest.mark.parametrize("order", ORDERS)
def test_on_the_line_it_is_that_of_a_ridge_spline(order):
    rng = np.random.default_rng(order)
    spline = rs.RidgeSpline(rng.choice([-1.0, 1.0], (6, 1)), rng.uniform(-1, 1, 6), rng.standard_normal(6), order=order)
    spline = spline + random_spline(rng, order, 1, width=0)
    result = rs.radon_tv(spline, dimension=1, order=order, region=2.0)
    # Divided differences blur a spline's knots by B-splines: exact once no two knots of different sign share cells.
    assert result.value == pytest.approx(spline.radon_tv(), rel=1e-3)
    assert abs(result.value - spline.radon_tv()) <= result.error + 1e-6 * result.value


def test_a_blurred_spline_of_compact_support_tends_to_the_sum_of_its_masses():
    # (1 − |x|)_+ has the masses 1, −2, 1; blurred by s, a neuron is s φ(t/s) + t Φ(t/s). Only on the line is there such
    # a spline: in the plane none vanishes outside of a disc.
    values = []
    for width in (0.8, 0.4, 0.2, 0.1):

        def blurred(x: np.ndarray, width: float = width) -> np.ndarray:
            t = x + np.array([-1.0, 0.0, 1.0])
            neurons = width / np.sqrt(2 * np.pi) * np.exp(-0.5 * (t / width) ** 2) + t * ndtr(t / width)
            return neurons @ np.array([1.0, -2.0, 1.0])

        result = rs.radon_tv(blurred, dimension=1, resolution=2048)
        # Closed form: the density is the three masses blurred.
        b = np.linspace(-8, 8, 100_001)
        density = np.exp(-0.5 * ((b[:, None] - [-1, 0, 1]) / width) ** 2) @ np.array([1.0, -2.0, 1.0])
        exact = np.abs(density).sum() * (b[1] - b[0]) / (width * np.sqrt(2 * np.pi))
        assert result.value == pytest.approx(exact, rel=1e-3)
        values.append(result.value)
    assert (np.diff(values) > 0).all()
    assert values[-1] == pytest.approx(4.0, rel=1e-3)
    assert values[0] < 2.5


@pytest.mark.parametrize("power", [1, 2, 4])
def test_on_the_line_kinks_between_nodes_are_not_taken_for_growth(power):
    # (1 − x²)^k from −1 to 1 and zero elsewhere: kinks of 2 at the ends and f'' = −2 between them for k = 1; where f''
    # is continuous, differences of f' between its zeros.
    def function(x: np.ndarray) -> np.ndarray:
        return np.maximum(1 - x[:, 0] ** 2, 0.0) ** power

    slope = {2: 8 / 3**1.5, 4: 8 / 7**0.5 * (6 / 7) ** 3}.get(power)
    exact = 8.0 if slope is None else 4 * slope
    rng = np.random.default_rng(power)
    for lower, upper in (None, None), *(rng.uniform(1.02, 2.5, (40, 2)) * [-1, 1]):
        region = None if lower is None else ([lower], [upper])
        result = rs.radon_tv(function, dimension=1, region=region)
        assert not result.diverges
        assert result.error <= 0.02 * exact
        # An estimate, and no bound: steps are irregular, and the last one may be the smallest.
        assert abs(result.value - exact) <= 4 * result.error


def test_on_the_line_a_jump_diverges_like_one_over_the_width():
    result = rs.radon_tv(lambda x: (x[:, 0] > 0.1234).astype(float), dimension=1, region=1.0)
    assert result.diverges
    assert result.growth == pytest.approx(1.0, abs=0.01)  # 2/h at every step


def test_on_the_line_a_small_jump_diverges_though_one_refinement_changes_little():
    def function(x: np.ndarray) -> np.ndarray:
        return np.abs(x[:, 0]) + 1e-7 * (x[:, 0] > 0.1234)

    result = rs.radon_tv(function, dimension=1, region=1.0)
    assert result.diverges
    assert result.value == np.inf
    assert result.growth == pytest.approx(1.0, abs=0.01)


def wave(x: np.ndarray) -> np.ndarray:
    """Two bumps of different signs and shapes around a point that is not the origin."""
    first = np.sum((x - 0.3) ** 2 * np.arange(1, x.shape[1] + 1), axis=1)
    second = np.sum((x + 0.5) ** 2, axis=1)
    return np.exp(-first) - 0.6 * np.exp(-second)


@given(seed=seeds, order=st.sampled_from(ORDERS), scale=st.floats(0.5, 2.0))
@settings(max_examples=6)
def test_motions_do_not_change_it_and_scaling_has_its_power(seed, order, scale):
    rng = np.random.default_rng(seed)
    turn, shift = rotation(rng, 2), rng.standard_normal(2)
    options = {"dimension": 2, "order": order, "resolution": 128}
    plain = rs.radon_tv(wave, **options)
    moved = rs.radon_tv(lambda x: wave(scale * x @ turn + shift), **options)
    assert moved.value == pytest.approx(scale ** (order - 1) * plain.value, rel=1e-3)  # refinement of both


@pytest.mark.parametrize(("dimension", "order"), [(1, 2), (1, 3), (1, 4), (2, 2), (2, 3), (2, 4), (3, 2)])
def test_polynomials_and_factors(dimension, order):
    rng = np.random.default_rng(order)
    polynomial = random_spline(rng, order, dimension, width=0).polynomial
    plain = rs.radon_tv(wave, dimension=dimension, order=order, region=6.0, resolution=64)
    more = rs.radon_tv(
        lambda x: -2 * wave(x) + polynomial(x), dimension=dimension, order=order, region=6.0, resolution=64
    )
    # The polynomial is taken off to rounding, on the line by differences.
    assert more.value == pytest.approx(2 * plain.value, rel=1e-6)
    nothing = rs.radon_tv(polynomial, dimension=dimension, order=order, region=1.0)
    assert nothing.value <= nothing.error if dimension == 1 else nothing.value == 0


def test_a_sum_has_at_most_the_sum_of_the_seminorms():
    options = {"dimension": 2, "resolution": 128}
    one = rs.radon_tv(gaussian, **options)
    both = rs.radon_tv(lambda x: gaussian(x) + wave(x), **options)
    other = rs.radon_tv(wave, **options)
    assert both.value <= one.value + other.value + both.error
    # Far apart they hardly meet: in the Radon domain every two bumps do, on lines through both, hence the inequality.
    assert both.value > max(one.value, other.value) - min(one.value, other.value)


def test_values_on_a_grid_serve_as_well_as_the_function():
    grid = rs.GridFunction(np.zeros((97, 121)), -7, [7, 8])
    grid = rs.GridFunction(gaussian(grid.points()).reshape(97, 121), -7, [7, 8])
    result = rs.radon_tv(grid)
    assert result.dimension == 2
    assert result.value == pytest.approx(gaussian_tv(2, 2), rel=1e-3)


def test_the_limits_of_known_sequences():
    widths = 2.0 ** -np.arange(5)
    geometric = limit_of(3 - 2 * widths**1.5)
    assert geometric.value == pytest.approx(3, rel=1e-12)  # Aitken's formula is exact here
    assert geometric.growth is None
    growing = limit_of(1 + widths**-0.7)
    assert growing.growth == pytest.approx(0.7)
    assert limit_of(5 - np.log(widths)).growth == pytest.approx(0, abs=1e-12)
    assert limit_of(np.full(4, 2.0)).value == 2.0
    assert limit_from_below(3 - 2 * widths**1.5).value == pytest.approx(3, rel=1e-12)
    assert limit_from_below(1 + widths**-0.7).growth == pytest.approx(0.7)
    assert limit_from_below(5 - np.log(widths)).growth == pytest.approx(0, abs=1e-12)
    assert limit_from_below(np.full(4, 2.0)).value == 2.0
    # The last step is larger than the one before, as happens at kinks between nodes: no growth.
    irregular = limit_from_below(8 - widths * np.array([3.0, 1.0, 3.0, 3.0, 1.0]))
    assert irregular.growth is None
    assert abs(irregular.value - 8) <= irregular.error


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_directions_integrate_polynomials_over_half_the_sphere(dimension):
    directions, weights = half_sphere(dimension, 32)
    # ∫ w_1⁴ over half of the sphere: π · 3/8, 2π / 5.
    assert weights.sum() == pytest.approx({2: np.pi, 3: 2 * np.pi}[dimension])
    assert weights @ directions[:, 0] ** 4 == pytest.approx({2: 3 * np.pi / 8, 3: 2 * np.pi / 5}[dimension])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dimension": 4}, "dimension must be 1, 2 or 3"),
        ({"dimension": None}, "dimension must be 1, 2 or 3"),
        ({"order": 1}, "order must be 2, 3 or 4"),
        ({"order": True}, "order must be 2, 3 or 4"),
        ({"resolution": 48}, "at least 64 steps"),
        ({"tolerance": 0.0}, "tolerance must be between 0 and 1"),
        ({"region": -1.0}, "lower corner below the upper"),
        ({"region": ([0, 0, 0], [1, 1, 1])}, "a coordinate for each of the 2 inputs"),
        ({"region": 1.0}, "must vanish at the faces of its region"),
        ({"function": lambda x: x}, "must map points"),
        ({"function": lambda x: np.full(len(x), np.nan)}, "must be finite, but is nan at x ="),
        ({"function": lambda x: np.sin(x[:, 0])}, "must decay to a polynomial"),
        ({"function": lambda x: np.maximum(x[:, 0], 0.0)}, "must decay to a polynomial"),
    ],
)
def test_what_cannot_be_answered_is_refused(change, message):
    arguments = {"function": gaussian, "dimension": 2} | change
    with pytest.raises(ValueError, match=message):
        rs.radon_tv(arguments.pop("function"), **arguments)


def test_coarse_grids_and_what_is_no_function_are_refused():
    with pytest.raises(ValueError, match="at least 64 steps along its longest axis"):
        rs.radon_tv(rs.GridFunction(np.zeros((60, 60)), -1, 1))
    with pytest.raises(ValueError, match="a GridFunction has its own"):
        rs.radon_tv(rs.GridFunction(np.zeros((70, 70)), -1, 1), region=1.0)
    with pytest.raises(ValueError, match="must be that of the GridFunction, 2, got 3"):
        rs.radon_tv(rs.GridFunction(np.zeros((70, 70)), -1, 1), dimension=3)
    with pytest.raises(TypeError, match="must map points"):
        rs.radon_tv(np.zeros((70, 70)), dimension=2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must decay within 1024"):
        rs.radon_tv(lambda x: np.abs(x[:, 0]), dimension=1)
