"""Problems: what is refused and how it is said, the representer bound, the largest strength, and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import EPS, random_dual, random_spline, seeds
from hypothesis import given
from hypothesis import strategies as st

from ridgesplines import ColumnGeneration, Interpolation, Problem, RadonTV, RidgeSpline, Samples, SquaredLoss, solve
from ridgesplines.oracles import Neurons

X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, 0.2]])
Y = np.array([0.0, 1.0, 2.0, 1.0, -1.0])


# Samples


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        (
            [[0.0, np.nan]],
            ValueError,
            r"points must be finite, but 1 of its 2 entries .*index \[0, 1\]\); drop or impute",
        ),
        ([[0.0], [np.inf]], ValueError, r"points must be finite, but 1 of its 2 entries .*index \[1, 0\]"),
        ([0.0, -np.inf], ValueError, r"points must be finite.*index \[1\]"),
        ([["a", "b"]], TypeError, "points must hold real numbers"),
        (["1", "x"], TypeError, "points must hold real numbers"),
        ("text", TypeError, "points must hold real numbers"),
        ([[1j, 0.0]], TypeError, "points must hold real numbers"),
        ([[1.0], [1.0, 2.0]], TypeError, "points must be a rectangular array"),
        ([object()], TypeError, "points must hold real numbers"),
        ([], ValueError, "points must hold at least one point"),
        (np.zeros((0, 2)), ValueError, "points must hold at least one point"),
        (np.zeros((3, 0)), ValueError, "points must hold at least one point of"),
        (np.zeros((2, 2, 2)), ValueError, r"points must have 1 or 2 axes, got an array of shape \(2, 2, 2\)"),
        (1.0, ValueError, r"points must have 1 or 2 axes"),
    ],
)
def test_bad_points_are_refused(points, error, message):
    with pytest.raises(error, match=message):
        Samples(points)


def test_points_are_copied_and_locked():
    points = X.copy()
    samples = Samples(points)
    points[0] = 7.0
    np.testing.assert_array_equal(samples.points, X)
    with pytest.raises(ValueError, match="read-only"):
        samples.points[0] = 7.0


def test_one_axis_is_the_line():
    samples = Samples([3, 1, 2])
    assert (samples.count, samples.dimension, samples.points.dtype) == (3, 1, float)
    assert repr(samples) == "Samples(3 points in dimension 1)"


def test_groups_tell_equal_points():
    samples = Samples([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0], [-0.0, 0.0]])
    groups = samples.groups
    assert samples.distinct == 2
    assert groups[0] == groups[2] != groups[1] == groups[3]


@given(seeds, st.sampled_from([1, 2, 3]))
def test_measuring_a_spline_is_measuring_its_parts(seed, dimension):
    rng = np.random.default_rng(seed)
    spline, samples = random_spline(rng, 2, dimension), Samples(rng.standard_normal((9, dimension)))
    parts = samples.of_neurons(Neurons(spline.weights, spline.biases), 2) @ spline.coefficients
    parts = parts + spline.polynomial(samples.points)
    np.testing.assert_allclose(samples(spline), parts, rtol=0, atol=1e3 * EPS)


# Problem


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"measurements": X}, TypeError, r"measurements must be a Samples, got ndarray; wrap the points: Samples\(x\)"),
        ({"measurements": X.tolist()}, TypeError, "measurements must be a Samples, got list"),
        ({"measurements": Samples}, TypeError, "measurements must be a Samples, got the class Samples"),
        ({"loss": SquaredLoss}, TypeError, "loss must be a Loss, got the class SquaredLoss; pass an instance"),
        ({"loss": "squared"}, TypeError, "loss must be a Loss, got str; pass an instance"),
        ({"regularizer": RadonTV}, TypeError, "regularizer must be a Regularizer, got the class RadonTV"),
        ({"regularizer": 2}, TypeError, "regularizer must be a Regularizer, got int"),
        ({"targets": Y[:3]}, ValueError, "one entry per measurement, got 3 for 5 measurements"),
        ({"targets": np.stack([Y, Y], axis=1), "regularizer": RadonTV()}, ValueError, r"VectorRadonTV\(\), whose"),
        ({"targets": np.zeros((5, 1, 1))}, ValueError, "targets must have 1 or 2 axes"),
        ({"targets": 1.0}, ValueError, "targets must have 1 or 2 axes"),
        ({"targets": [0, 1, np.nan, 0, 0]}, ValueError, r"targets must be finite, but 1 of its 5 .*index \[2\]"),
        ({"targets": [0, 1, 2, 0, np.inf]}, ValueError, r"targets must be finite.*index \[4\]"),
        ({"targets": ["a"] * 5}, TypeError, "targets must hold real numbers"),
        ({"targets": [[1.0], [1.0, 2.0]]}, TypeError, "targets must be a rectangular array"),
        ({"strength": None}, ValueError, r"strength is missing: SquaredLoss\(\) needs a λ > 0"),
        ({"strength": 0.0}, ValueError, "strength must be positive and finite, got 0; for λ → 0 use loss=Interp"),
        ({"strength": -1.0}, ValueError, "strength must be positive and finite, got -1"),
        ({"strength": np.nan}, ValueError, "strength must be positive and finite, got nan"),
        ({"strength": np.inf}, ValueError, "strength must be positive and finite, got inf"),
        ({"strength": "strong"}, TypeError, "strength must be a positive number, got 'strong'"),
        ({"strength": [1.0, 2.0]}, TypeError, "strength must be a positive number"),
        ({"loss": Interpolation()}, ValueError, "strength has no meaning under Interpolation.*leave it out"),
        (
            {"measurements": Samples(X[:2]), "targets": Y[:2]},
            ValueError,
            "2 data in dimension 2 are too few: the polynomials of degree 1, which cost nothing, alone need 3",
        ),
    ],
)
def test_bad_problems_are_refused(arguments, error, message):
    valid = {"measurements": Samples(X), "targets": Y, "strength": 1.0}
    with pytest.raises(error, match=message):
        Problem(**(valid | arguments))


@pytest.mark.parametrize(("dimension", "count"), [(1, 1), (2, 2), (3, 3)])
def test_one_datum_fewer_than_free_polynomials_is_too_few(dimension, count):
    x = np.random.default_rng(0).standard_normal((count + 1, dimension))
    with pytest.raises(ValueError, match=f"{count} data in dimension {dimension} are too few"):
        Problem(Samples(x[:count]), np.zeros(count), strength=1.0)
    assert Problem(Samples(x), np.zeros(count + 1), strength=1.0).representer_bound == 0


@pytest.mark.parametrize(
    ("x", "y", "rows"),
    [
        ([0.0, 1.0, 2.0, 1.0], [0.0, 1.0, 2.0, 1.5], "rows 1 and 3"),
        ([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [0.0, 1.0, 2.0, 1.0], "rows 0 and 3"),
        # Neighbours in the order of targets, not of rows: 1, 1 and 1.5 at one point.
        ([0.0, 1.0, 1.0, 1.0], [0.0, 1.0, 1.5, 1.0], "rows [12] and [23]"),
    ],
)
def test_two_targets_at_one_point_cannot_be_interpolated(x, y, rows):
    with pytest.raises(ValueError, match=rf"no function satisfies Interpolation.* {rows} .*average such rows"):
        Problem(Samples(x), y, loss=Interpolation())
    assert Problem(Samples(x), y, strength=1.0).measurements.distinct < len(y)


def test_equal_rows_can_be_interpolated():
    problem = Problem(Samples([0.0, 1.0, 2.0, 1.0]), [0.0, 1.0, 0.0, 1.0], loss=Interpolation())
    assert problem.representer_bound == 1
    assert problem.strength is None


def test_a_column_of_targets_is_taken_as_one_output():
    problem = Problem(Samples(X), Y[:, None], strength=1)
    np.testing.assert_array_equal(problem.targets, Y)
    assert problem.strength == 1.0


def test_targets_are_copied_and_locked():
    targets = Y.copy()
    problem = Problem(Samples(X), targets, strength=1.0)
    targets[0] = 7.0
    np.testing.assert_array_equal(problem.targets, Y)
    with pytest.raises(ValueError, match="read-only"):
        problem.targets[0] = 7.0


def test_repr_says_the_question():
    assert repr(Problem(Samples(X), Y, strength=0.5)) == (
        "Problem(Samples(5 points in dimension 2), SquaredLoss(), RadonTV(order=2), strength=0.5)"
    )


# The representer bound


@pytest.mark.parametrize(
    ("x", "bound"),
    [
        (np.arange(7.0), 7 - 2),
        (np.arange(8.0) // 2, 4 - 2),  # pairs count once
        (np.random.default_rng(1).standard_normal((7, 2)), 7 - 3),
        (np.repeat(np.random.default_rng(1).standard_normal((7, 2)), 2, axis=0), 7 - 3),
        (np.arange(7.0)[:, None] * [1.0, 2.0], 7 - 2),  # on a line in the plane
        (np.arange(7.0)[:, None] * [0.3, 0.1, 0.7], 7 - 2),  # in space, up to rounding
        (np.ones((7, 2)), 0),
        (np.random.default_rng(1).standard_normal((7, 4)), 7 - 5),
    ],
)
def test_the_representer_bound_counts_different_points_less_free_polynomials(x, bound):
    assert Problem(Samples(x), np.zeros(len(x)), strength=1.0).representer_bound == bound


# Strength


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_the_largest_strength_is_where_the_first_neuron_comes(dimension):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((25, dimension))
    y = np.cos(2 * x).sum(axis=1)
    top = Problem(Samples(x), y, strength=1.0).strength_max
    above, below = (solve(Problem(Samples(x), y, strength=factor * top)) for factor in (1.0001, 0.9))
    assert above.spline.width == 0
    assert above.certificate.relative_gap <= 1e-9
    assert below.spline.width > 0
    # With one neuron v at λ just below λ_max, J falls below the loss of the best polynomial.
    assert below.objective < above.objective


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_largest_strength_scales_with_inputs_and_targets(scale):
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((20, 2)), rng.standard_normal(20)
    top = Problem(Samples(x), y, strength=1.0).strength_max
    # p_z is linear in z, and with the data in x: thousands of roundings of either.
    assert Problem(Samples(scale * x), y, strength=1.0).strength_max == pytest.approx(scale * top, rel=1e-11)
    assert Problem(Samples(x), scale * y, strength=1.0).strength_max == pytest.approx(scale * top, rel=1e-11)


@pytest.mark.parametrize("loss", [SquaredLoss(), Interpolation()], ids=repr)
def test_affine_targets_need_no_strength(loss):
    y = 2 + X @ [3.0, -1.0]
    strength = 1.0 if loss.needs_strength else None
    assert Problem(Samples(X), y, loss=loss, strength=strength).strength_max == 0.0


# Objective and bound


@given(seeds, st.sampled_from([1, 2]))
def test_the_objective_is_the_loss_plus_strength_times_seminorm(seed, dimension):
    rng = np.random.default_rng(seed)
    x, y, spline = rng.standard_normal((9, dimension)), rng.standard_normal(9), random_spline(rng, 2, dimension)
    expected = 0.5 * float(np.sum((spline(x) - y) ** 2)) + 0.3 * spline.radon_tv()
    assert Problem(Samples(x), y, strength=0.3).objective(spline) == pytest.approx(expected, rel=64 * EPS)
    interpolated = Problem(Samples(x), spline(x), loss=Interpolation())
    assert interpolated.objective(spline) == pytest.approx(spline.radon_tv(), rel=64 * EPS)
    constant = RidgeSpline(np.zeros((0, dimension)), [], [], [1.0] + [0.0] * dimension)
    assert interpolated.objective(spline + constant) == np.inf


@given(seeds, st.sampled_from([1, 2]), st.sampled_from([None, 0.05]))
def test_any_dual_bounds_the_optimum_from_below(seed, dimension, strength):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((8, dimension)), rng.standard_normal(8)
    loss = Interpolation() if strength is None else SquaredLoss()
    problem = Problem(Samples(x), y, loss=loss, strength=strength)
    solution = solve(problem, ColumnGeneration(gap=1e-8))
    dual = random_dual(rng, x)
    bound, scale = problem.bound(dual, problem.oracle.supremum(dual).upper)
    assert 0 <= bound <= solution.objective
    assert 0 <= scale <= problem.dual_limit / problem.oracle.supremum(dual).value
