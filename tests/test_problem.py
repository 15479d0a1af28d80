"""Problems: what is refused and how it is said, the representer bound, the largest strength, and invariances."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import EPS, random_dual, random_spline, seeds
from hypothesis import given
from hypothesis import strategies as st
from references import line_program

from ridgesplines import (
    ColumnGeneration,
    Interpolation,
    Problem,
    RadonTV,
    RidgeSpline,
    Samples,
    SquaredLoss,
    Status,
    certify,
    solve,
)
from ridgesplines.activations import TruncatedPower
from ridgesplines.losses import (
    AbsoluteLoss,
    EpsilonInsensitiveLoss,
    HardMargin,
    HingeLoss,
    HuberLoss,
    IntervalConstraint,
    LogisticLoss,
    QuantileLoss,
    SquaredHingeLoss,
)
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
    parts = samples.of_neurons(Neurons(spline.weights, spline.biases), TruncatedPower(2)) @ spline.coefficients
    parts = parts + spline.polynomial(samples.points)
    np.testing.assert_allclose(samples(spline), parts, rtol=0, atol=1e3 * EPS)


# Problem


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"measurements": X},
            TypeError,
            r"measurements must be a Measurement, got ndarray; wrap the points: Samples\(x\)",
        ),
        ({"measurements": X.tolist()}, TypeError, "measurements must be a Measurement, got list"),
        ({"measurements": Samples}, TypeError, "measurements must be a Measurement, got the class Samples"),
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


# Every loss

REGRESSION = [SquaredLoss(), HuberLoss(0.3), AbsoluteLoss(), QuantileLoss(0.3), EpsilonInsensitiveLoss(0.2)]
CLASSIFICATION = [HingeLoss(), SquaredHingeLoss(), LogisticLoss()]
CONSTRAINTS = [Interpolation(), IntervalConstraint(0.2), HardMargin()]
LABELS = (HingeLoss, SquaredHingeLoss, LogisticLoss, HardMargin)

with_strength = pytest.mark.parametrize("loss", REGRESSION + CLASSIFICATION, ids=repr)
every_loss = pytest.mark.parametrize("loss", REGRESSION + CLASSIFICATION + CONSTRAINTS, ids=repr)


def draw_data(rng: np.random.Generator, loss, count: int = 14, dimension: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Waves with noise, or labels that change sign a few times."""
    x = rng.uniform(-1, 1, (count, dimension))
    y = np.sin(4 * x.sum(axis=1)) + 0.2 * rng.standard_normal(count)
    return x, np.where(y > 0.1, 1.0, -1.0) if isinstance(loss, LABELS) else y


def strength_of(loss, strength: float) -> float | None:
    return strength if loss.needs_strength else None


@with_strength
@pytest.mark.parametrize("dimension", [1, 2])
def test_integer_weights_are_repeated_rows(loss, dimension):
    rng = np.random.default_rng(1)
    x, y = draw_data(rng, loss, dimension=dimension)
    counts = rng.integers(1, 4, len(y))
    weighted = Problem(Samples(x), y, loss, strength=0.05, sample_weights=counts)
    repeated = Problem(Samples(np.repeat(x, counts, axis=0)), np.repeat(y, counts), loss, strength=0.05)
    first, second = solve(weighted), solve(repeated)
    assert first.status is second.status is Status.CONVERGED
    assert first.objective == pytest.approx(second.objective, rel=2.1e-6)
    # The same function costs the same, up to rounding.
    assert repeated.objective(first.spline) == pytest.approx(weighted.objective(first.spline), rel=1e-12)


@with_strength
def test_doubling_all_weights_is_halving_the_strength(loss):
    x, y = draw_data(np.random.default_rng(2), loss, dimension=2)
    plain = solve(Problem(Samples(x), y, loss, strength=0.05))
    doubled = solve(Problem(Samples(x), y, loss, strength=0.1, sample_weights=np.full(len(y), 2.0)))
    assert doubled.objective == pytest.approx(2 * plain.objective, rel=2.1e-6)
    ones = Problem(Samples(x), y, loss, strength=0.05, sample_weights=np.ones(len(y)))
    assert solve(ones).objective == pytest.approx(plain.objective, rel=2.1e-6)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.ones(4), ValueError, "sample_weights must have one entry per measurement, got 4 for 5"),
        ([1, 1, 0, 1, 1], ValueError, "sample_weights must be positive, got 0 in row 2; drop rows of weight zero"),
        ([1, 1, 1, -2, 1], ValueError, "sample_weights must be positive, got -2 in row 3"),
        ([1, np.nan, 1, 1, 1], ValueError, "sample_weights must be finite"),
        ([1, np.inf, 1, 1, 1], ValueError, "sample_weights must be finite"),
        (["a"] * 5, TypeError, "sample_weights must hold real numbers"),
        (np.ones((5, 1)), ValueError, "sample_weights must have 1 axes"),
    ],
)
def test_bad_weights_are_refused(weights, error, message):
    with pytest.raises(error, match=message):
        Problem(Samples(X), Y, strength=1.0, sample_weights=weights)


@pytest.mark.parametrize("loss", CONSTRAINTS, ids=repr)
def test_weights_have_no_meaning_under_a_constraint(loss):
    labels = np.array([1.0, -1.0, 1.0, 1.0, -1.0])
    with pytest.raises(ValueError, match=r"sample_weights have no meaning under .*, which is a constraint"):
        Problem(Samples(X), labels, loss, sample_weights=np.ones(5))
    with pytest.raises(ValueError, match="strength has no meaning under"):
        Problem(Samples(X), labels, loss, strength=1.0)


def test_weights_are_copied_and_locked_and_shown():
    weights = np.ones(5)
    problem = Problem(Samples(X), Y, strength=1.0, sample_weights=weights)
    weights[0] = 7.0
    np.testing.assert_array_equal(problem.weights, np.ones(5))
    assert repr(problem).endswith("strength=1, weighted)")


@pytest.mark.parametrize("loss", [HingeLoss(), SquaredHingeLoss(), LogisticLoss(), HardMargin()], ids=repr)
def test_labels_are_asked_for(loss):
    with pytest.raises(ValueError, match=r"targets must be the labels −1 and \+1 under .*, got 0; use 2 y − 1\."):
        Problem(Samples(X), [0, 1, 1, 0, 1], loss, strength=strength_of(loss, 1.0))


@pytest.mark.parametrize(
    ("loss", "targets", "rows"),
    [
        (Interpolation(), [0.0, 1.0, 2.0, 1.5], "rows 1 and 3 .* targets 1 and 1.5"),
        (IntervalConstraint(0.2), [0.0, 1.0, 2.0, 1.5], "rows 1 and 3 .* targets 1 and 1.5"),
        (IntervalConstraint(0.2), [0.0, 1.5, 2.0, 1.0], "rows 1 and 3 .* targets 1.5 and 1"),
        (HardMargin(), [1.0, 1.0, -1.0, -1.0], "rows 1 and 3 .* targets 1 and -1"),
    ],
)
def test_a_constraint_that_contradicts_itself_is_refused(loss, targets, rows):
    with pytest.raises(ValueError, match=rf"no function satisfies .* {rows}; average such rows, or use"):
        Problem(Samples([0.0, 1.0, 2.0, 1.0]), targets, loss)


def test_intervals_that_touch_can_be_met():
    problem = Problem(Samples([0.0, 1.0, 2.0, 1.0]), [0.0, 1.0, 0.5, 1.5], IntervalConstraint(0.25))
    solution = solve(problem)
    assert solution.status is Status.CONVERGED
    assert solution.spline(np.array([1.0])) == pytest.approx(1.25, abs=1e-7)


@every_loss
@pytest.mark.parametrize("dimension", [1, 2])
def test_from_the_largest_strength_on_no_neuron_comes(loss, dimension):
    rng = np.random.default_rng(3)
    x, y = draw_data(rng, loss, count=20, dimension=dimension)
    weights = rng.uniform(0.5, 2, 20) if loss.needs_strength else None
    if not loss.needs_strength:
        assert 0 < Problem(Samples(x), y, loss).strength_max < np.inf
        return
    top = Problem(Samples(x), y, loss, strength=1.0, sample_weights=weights).strength_max
    above = solve(Problem(Samples(x), y, loss, strength=1.001 * top, sample_weights=weights))
    assert above.spline.width == 0
    assert above.status is Status.CONVERGED
    below = solve(Problem(Samples(x), y, loss, strength=0.5 * top, sample_weights=weights))
    assert below.objective <= above.objective * (1 + 1e-6)
    # With kinks the best polynomial has several dual vectors, and one of them may do with less.
    if loss.smooth:
        assert below.spline.width > 0
        assert below.objective < above.objective


@with_strength
def test_the_best_polynomial_has_no_better_one_beside_it(loss):
    rng = np.random.default_rng(4)
    x, y = draw_data(rng, loss, count=20, dimension=2)
    problem = Problem(Samples(x), y, loss, strength=1.0, sample_weights=rng.uniform(0.5, 2, 20))
    fit, dual = problem.best_polynomial
    least = problem.loss_value(fit)
    np.testing.assert_allclose(problem.free.project_off(fit), 0, atol=1e-13 * np.abs(fit).max())
    for _ in range(50):
        other = fit + problem.free.basis @ rng.standard_normal(3) * 10.0 ** rng.uniform(-4, 0)
        assert problem.loss_value(other) >= least * (1 - 1e-7)
    # Its dual vector proves it: no neuron is bought at an infinite price.
    assert problem.dual_value(dual) == pytest.approx(least, rel=1e-6)


@every_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_any_feasible_dual_of_any_loss_bounds_the_optimum_from_below(loss, weighted):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        x, y = draw_data(rng, loss)
        weights = rng.uniform(0.2, 3, len(y)) if weighted and loss.needs_strength else None
        problem = Problem(Samples(x), y, loss, strength=strength_of(loss, 0.1), sample_weights=weights)
        optimum = line_program(problem)
        solution = solve(problem, ColumnGeneration(gap=1e-8))
        for dual in (
            rng.standard_normal(len(y)),
            100 * rng.standard_normal(len(y)),
            y,
            solution.dual,
            solution.dual * rng.uniform(0.9, 1.1, len(y)),
        ):
            feasible = problem.feasible_dual(dual)
            assert np.isfinite(problem.dual_value(feasible))
            supremum = problem.oracle.supremum(feasible)
            bound, scale = problem.bound(feasible, supremum.upper)
            assert 0 <= bound <= optimum * (1 + 1e-7) + 1e-9
            assert scale * supremum.upper <= problem.dual_limit
            assert bound <= problem.dual_value(scale * feasible)
            lower, upper = problem.dual_domain
            assert ((lower <= scale * feasible) & (scale * feasible <= upper)).all()
        assert solution.certificate.bound >= optimum * (1 - 1e-6)


@pytest.mark.parametrize("gap", [5 * EPS, 1e-13])
def test_labels_that_a_steep_line_parts_are_bounded_by_zero(gap):
    # Near enough together to look like one point: z = (0, 1, −1, 0) is orthogonal to affine functions up to rounding,
    # and D(z) = 2. But this affine function, which costs nothing, has no loss.
    x, y = np.array([0.0, 1.0, 1.0 + gap, 2.0]), np.array([1.0, 1.0, -1.0, -1.0])
    slope = 2.0 ** np.ceil(np.log2(2 / gap))
    parting = RidgeSpline(np.zeros((0, 1)), [], [], [slope + 1, -slope])
    for loss in (HingeLoss(), SquaredHingeLoss(), LogisticLoss()):
        problem = Problem(Samples(x), y, loss, strength=0.1)
        assert problem.objective(parting) <= 1.0
        if not isinstance(loss, LogisticLoss):
            assert problem.objective(parting) <= 1e-2
        dual = np.array([0.0, 1.0, -1.0, 0.0])
        for z in (dual, 0.5 * dual, problem.feasible_dual(dual)):
            bound, _ = problem.bound(z, problem.oracle.supremum(z).upper)
            assert bound == 0.0
        assert certify(problem, parting, dual).bound == 0.0


@pytest.mark.parametrize("loss", [HingeLoss(), SquaredHingeLoss(), HardMargin()], ids=repr)
@pytest.mark.parametrize("dimension", [1, 2])
def test_labels_that_a_plane_parts_cost_nothing(loss, dimension):
    x = np.random.default_rng(5).standard_normal((20, dimension))
    problem = Problem(Samples(x), np.where(x[:, 0] > 0, 1.0, -1.0), loss, strength=strength_of(loss, 0.1))
    solution = solve(problem)
    assert (solution.status, solution.spline.width) == (Status.CONVERGED, 0)
    assert solution.objective <= problem.resolution
    assert solution.certificate.relative_gap == 0.0


@pytest.mark.parametrize("loss", [HingeLoss(), SquaredHingeLoss(), LogisticLoss()], ids=repr)
@pytest.mark.parametrize(
    "x",
    [
        [[0.0, 0.0], [0.0, 0.0], [1.0, 0.3], [0.2, 1.0], [0.4, -1.0]],  # two labels at one point
        [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [5.0, 0.0], [6.0, -1.0]],  # a label between two others
    ],
)
def test_a_dual_vector_on_few_points_of_low_rank_bounds_well(loss, x):
    # The dual vector lives on two coinciding or three collinear points: the free polynomials have a lower rank there.
    y = np.array([1.0, -1.0, 1.0, 1.0, 1.0])
    problem = Problem(Samples(x), y, loss, strength=100.0)
    solution = solve(problem)
    assert solution.objective > 0.5
    assert solution.status is Status.CONVERGED
    assert certify(problem, solution.spline, solution.dual).relative_gap <= 1e-6
