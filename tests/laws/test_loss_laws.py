"""The laws of every loss: convexity, Fenchel–Young, derivatives and their jumps, and its cvxpy form."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import NamedTuple

import cvxpy
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import EPS, seeds
from hypothesis import given
from hypothesis import strategies as st

import ridgesplines.losses
from ridgesplines.losses import (
    AbsoluteLoss,
    EpsilonInsensitiveLoss,
    HardMargin,
    HingeLoss,
    HuberLoss,
    Interpolation,
    IntervalConstraint,
    LogisticLoss,
    Loss,
    QuantileLoss,
    SquaredHingeLoss,
    SquaredLoss,
)


class Row(NamedTuple):
    """A loss and what it says it is: ℓ(y, t) in other words, and the t where its slope or its curvature jumps."""

    loss: Loss
    formula: Callable[[float, float], float]
    kinks: Callable[[float], list[float]] = lambda y: []
    jumps: Callable[[float], list[float]] = lambda y: []
    labels: bool = False

    def __repr__(self) -> str:
        return repr(self.loss)


def huber(r: float, d: float) -> float:
    return 0.5 * r * r if abs(r) <= d else d * (abs(r) - 0.5 * d)


# A new loss gets one row here. Parameters are short binary fractions, as the targets are: kinks are met exactly.
ROWS = [
    Row(SquaredLoss(), lambda y, t: (t - y) ** 2 / 2),
    Row(HuberLoss(0.25), lambda y, t: huber(t - y, 0.25), jumps=lambda y: [y - 0.25, y + 0.25]),
    Row(HuberLoss(2.0), lambda y, t: huber(t - y, 2.0), jumps=lambda y: [y - 2.0, y + 2.0]),
    Row(LogisticLoss(), lambda y, t: np.log(1 + np.exp(-y * t)), labels=True),
    Row(SquaredHingeLoss(), lambda y, t: max(1 - y * t, 0) ** 2 / 2, jumps=lambda y: [y], labels=True),
    Row(AbsoluteLoss(), lambda y, t: abs(t - y), lambda y: [y]),
    Row(QuantileLoss(), lambda y, t: abs(t - y) / 2, lambda y: [y]),
    Row(QuantileLoss(0.125), lambda y, t: max((y - t) / 8, 7 * (t - y) / 8), lambda y: [y]),
    Row(QuantileLoss(0.75), lambda y, t: max(3 * (y - t) / 4, (t - y) / 4), lambda y: [y]),
    Row(EpsilonInsensitiveLoss(0.25), lambda y, t: max(abs(t - y) - 0.25, 0), lambda y: [y - 0.25, y + 0.25]),
    Row(EpsilonInsensitiveLoss(0.0), lambda y, t: abs(t - y), lambda y: [y]),
    Row(HingeLoss(), lambda y, t: max(1 - y * t, 0), lambda y: [y], labels=True),
    Row(Interpolation(), lambda y, t: 0 if t == y else np.inf, lambda y: [y]),
    Row(Interpolation(tolerance=0.0), lambda y, t: 0 if t == y else np.inf, lambda y: [y]),
    Row(IntervalConstraint(0.25), lambda y, t: 0 if abs(t - y) <= 0.25 else np.inf, lambda y: [y - 0.25, y + 0.25]),
    Row(IntervalConstraint(0.0), lambda y, t: 0 if t == y else np.inf, lambda y: [y]),
    Row(HardMargin(), lambda y, t: 0 if y * t >= 1 else np.inf, lambda y: [y], labels=True),
]

every_row = pytest.mark.parametrize("row", ROWS, ids=repr)
every_finite_row = pytest.mark.parametrize("row", [r for r in ROWS if r.loss.needs_strength], ids=repr)
every_smooth_row = pytest.mark.parametrize("row", [r for r in ROWS if r.loss.smooth], ids=repr)

COUNT = 8
# Spacing of the grid that suprema are taken over; a function of curvature ≤ c is missed by at most c STEP² / 8 there.
STEP = 2.0**-6
GRID = np.arange(-8, 8 + STEP, STEP)


def draw_targets(row: Row, rng: np.random.Generator) -> np.ndarray:
    """Labels, or multiples of 1/64 in ±2."""
    return rng.choice([-1.0, 1.0], COUNT) if row.labels else rng.integers(-128, 129, COUNT) / 64


def draw_predictions(row: Row, targets: np.ndarray, rng: np.random.Generator, spread: float = 1.0) -> np.ndarray:
    """Predictions where the loss is finite: some at kinks, the others at random."""
    loose = targets + spread * rng.standard_normal(COUNT)
    kinks = np.array([rng.choice(row.kinks(y) or row.jumps(y) or [y]) for y in targets])
    mixed = np.where(rng.random(COUNT) < 0.25, kinks, loose)
    finite = np.isfinite([row.formula(y, t) for y, t in zip(targets, mixed, strict=True)])
    return np.where(finite, mixed, kinks)


def draw_slopes(row: Row, targets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Slopes in the domain of the conjugate, at most 2 in size, some at its ends and some zero."""
    least, largest = (np.clip(end, -2.0, 2.0) for end in row.loss.conjugate_domain(targets))
    slopes = least + (largest - least) * rng.random(COUNT)
    which = rng.integers(0, 8, COUNT)
    return np.select([which == 0, which == 1, which == 2], [least, largest, np.zeros(COUNT)], slopes)


def away(points: list[float], t: float, distance: float) -> bool:
    return all(abs(point - t) > distance for point in points)


def allowance(row: Row, targets: np.ndarray) -> float:
    """How far outside its interval a constraint counts as met; zero for what is no constraint."""
    return 0.0 if row.loss.needs_strength else row.loss.allowance(targets)


def test_every_loss_of_the_package_is_tested():
    def concrete(cls: type) -> set[type]:
        below = set().union(*(concrete(sub) for sub in cls.__subclasses__()))
        return below | (set() if inspect.isabstract(cls) else {cls})

    package = {cls for cls in concrete(Loss) if cls.__module__.startswith("ridgesplines")}
    assert package == {type(row.loss) for row in ROWS}
    assert {cls.__name__ for cls in package} <= set(ridgesplines.losses.__all__)


# The value


@every_row
@given(seed=seeds)
def test_the_value_is_the_formula(row, seed):
    rng = np.random.default_rng(seed)
    targets = draw_targets(row, rng)
    predictions = draw_predictions(row, targets, rng, spread=2.0)
    value = row.loss.value(targets, predictions)
    expected = [row.formula(y, t) for y, t in zip(targets, predictions, strict=True)]
    # A few operations on numbers of the size of y − t.
    size = 1 + np.abs(targets) + np.abs(predictions)
    np.testing.assert_array_less(np.abs(value - expected), 16 * EPS * size**2)
    assert (value >= 0).all()
    assert (
        row.loss.needs_strength == np.isfinite(row.loss.value(targets, targets + 100 * np.sign(-targets - 0.5))).all()
    )


@every_row
@given(seed=seeds, share=st.floats(0, 1))
def test_the_value_is_convex_along_segments(row, seed, share):
    rng = np.random.default_rng(seed)
    targets = draw_targets(row, rng)
    first, second = (draw_predictions(row, targets, rng) for _ in range(2))
    between = row.loss.value(targets, share * first + (1 - share) * second)
    chord = share * row.loss.value(targets, first) + (1 - share) * row.loss.value(targets, second)
    size = 1 + np.abs(targets) + np.maximum(np.abs(first), np.abs(second))
    assert (between <= chord + 16 * EPS * size**2).all()


@every_row
def test_methods_act_on_each_entry_of_a_table(row):
    rng = np.random.default_rng(1)
    targets = draw_targets(row, rng)
    predictions, slopes = draw_predictions(row, targets, rng), draw_slopes(row, targets, rng)
    names = ["value", "derivative", "subdifferential", *(["curvature"] if row.loss.smooth else [])]
    calls = [(name, predictions) for name in names] + [("conjugate", slopes), ("conjugate_derivative", slopes)]
    for name, argument in calls:
        flat = np.array(getattr(row.loss, name)(targets, argument))
        table = np.array(getattr(row.loss, name)(targets.reshape(4, 2), argument.reshape(4, 2)))
        np.testing.assert_array_equal(table, flat.reshape(*flat.shape[:-1], 4, 2), err_msg=name)
    flat, table = (np.array(row.loss.conjugate_domain(y)) for y in (targets, targets.reshape(4, 2)))
    np.testing.assert_array_equal(table, flat.reshape(2, 4, 2))


@every_row
def test_the_value_in_jax_is_that_in_numpy_and_has_the_derivative(row):
    rng = np.random.default_rng(3)
    targets = draw_targets(row, rng)
    predictions = draw_predictions(row, targets, rng)
    value = row.loss.value(targets, predictions)
    # Exponentials and logarithms of the two libraries differ by a few units in the last place.
    again = jax.jit(lambda t: row.loss.value(targets, t))(predictions)
    np.testing.assert_allclose(again, value, rtol=64 * EPS, atol=0)
    if row.loss.needs_strength:
        # Nothing is trained under a constraint, whose allowance needs the targets' range in NumPy.
        np.testing.assert_array_equal(jax.jit(row.loss.value)(targets, predictions), again)
        smooth = [away(row.kinks(y), t, 0.0) for y, t in zip(targets, predictions, strict=True)]
        slope = np.asarray(jax.grad(lambda t: jnp.sum(row.loss.value(jnp.asarray(targets), t)))(predictions))
        expected = row.loss.derivative(targets, predictions)
        np.testing.assert_allclose(slope[smooth], expected[smooth], rtol=64 * EPS, atol=64 * EPS)


@every_row
def test_the_claim_of_translation_invariance_is_true(row):
    rng = np.random.default_rng(2)
    targets = draw_targets(row, rng)
    predictions = draw_predictions(row, targets, rng)
    before = row.loss.value(targets, predictions)
    after = [row.loss.value(targets + shift, predictions + shift) for shift in (-3, 3)]
    same = [np.allclose(before, moved, rtol=0, atol=1e3 * EPS) for moved in after]
    assert all(same) == row.loss.translation_invariant


@every_row
@pytest.mark.parametrize("t", [-1e300, -1e3, 1e3, 1e300])
def test_huge_predictions_give_no_warning_and_no_nan(row, t):
    if isinstance(row.loss, SquaredLoss | SquaredHingeLoss) and abs(t) > 1e150:
        t = np.sign(t) * 1e150
    for y in (-1.0, 1.0):
        targets, predictions = np.array([y, -y]), np.array([t, t])
        assert not np.isnan(row.loss.value(targets, predictions)).any()
        assert np.isfinite(row.loss.derivative(targets, predictions)).all()
        least, largest = row.loss.subdifferential(targets, predictions, 1e-7)
        assert (least <= largest).all()


# Derivatives


@every_finite_row
@given(seed=seeds)
def test_the_derivative_is_the_central_difference_away_from_kinks(row, seed):
    rng = np.random.default_rng(seed)
    targets = draw_targets(row, rng)
    predictions, step = draw_predictions(row, targets, rng), 2.0**-10
    slope = row.loss.derivative(targets, predictions)
    ahead, behind = (row.loss.value(targets, predictions + shift) for shift in (step, -step))
    difference = (ahead - behind) / (2 * step)
    smooth = [away(row.kinks(y), t, step) for y, t in zip(targets, predictions, strict=True)]
    # Differences are off by half a step at most where the curvature, which is ≤ 1, jumps; by step² / 6 times a third
    # derivative ≤ 1 elsewhere; rounding is divided by the step.
    level = [away(row.jumps(y), t, step) for y, t in zip(targets, predictions, strict=True)]
    slack = np.where(level, step**2 / 6, step / 2) + 16 * EPS * (1 + ahead + behind) / step
    assert (np.abs(slope - difference) <= slack)[smooth].all()


@every_row
@given(seed=seeds)
def test_the_subdifferential_lies_between_the_differences_on_either_side(row, seed):
    rng = np.random.default_rng(seed)
    targets = draw_targets(row, rng)
    predictions = draw_predictions(row, targets, rng)
    least, largest = row.loss.subdifferential(targets, predictions)
    slope = row.loss.derivative(targets, predictions)
    assert ((least <= slope) & (slope <= largest)).all()
    step = 2.0**-10
    for n, (y, t) in enumerate(zip(targets, predictions, strict=True)):
        at = row.formula(y, t)
        left, right = (at - row.formula(y, t - step)) / step, (row.formula(y, t + step) - at) / step
        if not away(row.kinks(y), t, 0.0):
            # On a kink the ends are the slopes on its sides; pieces are linear there.
            np.testing.assert_allclose([least[n], largest[n]], [left, right], rtol=1e-9, atol=1e-9)
        else:
            assert least[n] == largest[n]
            # Curvature ≤ 1 turns the slope by a step at most; a kink within the step changes the difference.
            assert left - step - 1e-9 <= least[n] <= right + step + 1e-9


@every_row
@given(seed=seeds, exponent=st.floats(-6, 0))
def test_a_tolerance_takes_in_the_subgradients_of_kinks_nearby(row, seed, exponent):
    rng = np.random.default_rng(seed)
    targets, tolerance = draw_targets(row, rng), 10.0**exponent
    predictions = draw_predictions(row, targets, rng)
    least, largest = row.loss.subdifferential(targets, predictions, tolerance)
    narrow = row.loss.subdifferential(targets, predictions)
    assert ((least <= narrow[0]) & (narrow[1] <= largest)).all()
    if row.loss.smooth:
        return
    for n, (y, t) in enumerate(zip(targets, predictions, strict=True)):
        reached = [k for k in row.kinks(y) if abs(k - t) <= tolerance * (1 - 1e-9)]
        ends = [row.loss.subdifferential(targets[n : n + 1], np.array([k])) for k in reached]
        assert all(least[n] <= low and high <= largest[n] for (low,), (high,) in ends)
        if away(row.kinks(y), t, tolerance * (1 + 1e-9)):
            assert least[n] == largest[n] == narrow[0][n]


@every_row
def test_a_constraint_that_is_violated_pulls_back(row):
    if row.loss.needs_strength:
        return
    targets = np.array([-1.0, 1.0])
    for predictions in (targets - 3.0, targets + 3.0):
        least, largest = row.loss.subdifferential(targets, predictions)
        for y, t, low, high in zip(targets, predictions, least, largest, strict=True):
            if np.isfinite(row.formula(y, t)):
                assert low == high == 0
            elif isinstance(row.loss, IntervalConstraint | HardMargin) and len(row.kinks(y)) + row.labels >= 2:
                # As at the end that is nearest: one side is free, the other is barred.
                assert (low, high) == ((-np.inf, 0) if t < y else (0, np.inf))
            else:
                assert (low, high) == (-np.inf, np.inf)


@every_smooth_row
@given(seed=seeds)
def test_the_curvature_is_the_difference_of_the_derivative(row, seed):
    rng = np.random.default_rng(seed)
    targets = draw_targets(row, rng)
    predictions, step = draw_predictions(row, targets, rng), 2.0**-10
    curvature = row.loss.curvature(targets, predictions)
    ahead, behind = (row.loss.derivative(targets, predictions + shift) for shift in (step, -step))
    level = [away(row.jumps(y), t, step) for y, t in zip(targets, predictions, strict=True)]
    # Fourth derivatives of these losses are below ½ in size.
    slack = step**2 / 12 + 16 * EPS * (1 + np.abs(ahead)) / step
    assert (np.abs(curvature - (ahead - behind) / (2 * step)) <= slack)[level].all()
    assert ((curvature >= 0) & (curvature <= 1)).all()


@every_row
def test_smooth_losses_have_one_subgradient_and_a_curvature_and_no_other_has(row):
    assert row.loss.smooth == (not row.kinks(1.0))
    if not row.loss.smooth:
        with pytest.raises(TypeError, match="has no second derivative"):
            row.loss.curvature(np.ones(2), np.ones(2))


# The conjugate


@every_row
@given(seed=seeds)
def test_the_conjugate_is_the_supremum_over_a_grid(row, seed):
    rng = np.random.default_rng(seed)
    targets = draw_targets(row, rng)
    slopes = draw_slopes(row, targets, rng)
    conjugate = row.loss.conjugate(targets, slopes)
    for y, u, value in zip(targets, slopes, conjugate, strict=True):
        # With kinks, and far points for suprema that are approached only.
        grid = [*GRID.tolist(), *row.kinks(y), *row.jumps(y), -50.0, 50.0]
        supremum = max(u * t - row.formula(y, t) for t in grid)
        rounding = 64 * EPS * (1 + abs(u) * 50)
        # Curvature is at most 1. The logistic loss attains its supremum beyond the grid if u is near the ends.
        beyond = np.exp(-8) if isinstance(row.loss, LogisticLoss) and min(abs(u), 1 - abs(u)) < np.exp(-8) else 0.0
        assert supremum - rounding <= value <= supremum + STEP**2 / 8 + rounding + beyond


@every_row
@given(seed=seeds)
def test_fenchel_young_inequality(row, seed):
    rng = np.random.default_rng(seed)
    targets = draw_targets(row, rng)
    predictions, slopes = draw_predictions(row, targets, rng), draw_slopes(row, targets, rng)
    excess = row.loss.value(targets, predictions) + row.loss.conjugate(targets, slopes) - slopes * predictions
    size = 1 + np.abs(targets) + np.abs(predictions)
    assert (excess >= -16 * EPS * size**2 * (1 + np.abs(slopes))).all()
    # Predictions that miss a constraint by its tolerance are let through, which costs that much.
    off = predictions + allowance(row, targets) * rng.uniform(-0.9, 0.9, COUNT)
    excess = row.loss.value(targets, off) + row.loss.conjugate(targets, slopes) - slopes * off
    assert (excess >= -np.abs(slopes) * allowance(row, targets) - 16 * EPS * size**2 * (1 + np.abs(slopes))).all()


@every_row
@given(seed=seeds)
def test_fenchel_young_is_an_equality_at_the_derivative(row, seed):
    rng = np.random.default_rng(seed)
    targets = draw_targets(row, rng)
    predictions = draw_predictions(row, targets, rng)
    least, largest = row.loss.subdifferential(targets, predictions)
    ends = (np.where(np.isfinite(end), end, np.clip(end, -2.0, 2.0)) for end in (least, largest))
    for slopes in (row.loss.derivative(targets, predictions), *ends):
        value, conjugate = row.loss.value(targets, predictions), row.loss.conjugate(targets, slopes)
        size = 1 + np.abs(targets) + np.abs(predictions)
        np.testing.assert_array_less(np.abs(value + conjugate - slopes * predictions), 64 * EPS * size**2)


@every_row
@given(seed=seeds)
def test_the_derivative_of_the_conjugate_attains_the_supremum(row, seed):
    rng = np.random.default_rng(seed)
    targets = draw_targets(row, rng)
    slopes = draw_slopes(row, targets, rng)
    attained = row.loss.conjugate_derivative(targets, slopes)
    conjugate = row.loss.conjugate(targets, slopes)
    assert not np.isnan(attained).any()
    never = np.isinf(attained)
    if isinstance(row.loss, LogisticLoss):
        np.testing.assert_array_equal(never, (slopes == 0) | (np.abs(slopes) == 1))
        # Towards the end where the supremum is.
        assert (attained[never] == (targets * np.where(slopes == 0, np.inf, -np.inf))[never]).all()
        attained = np.where(never, 0.0, attained)
    else:
        assert not never.any()
    reached = slopes * attained - row.loss.value(targets, attained)
    size = 1 + np.abs(targets) + np.abs(attained)
    assert (np.abs(reached - conjugate) <= 64 * EPS * size**2)[~never].all()


@every_row
@given(seed=seeds)
def test_the_domain_of_the_conjugate_holds_zero_and_ends_where_it_says(row, seed):
    rng = np.random.default_rng(seed)
    targets = draw_targets(row, rng)
    least, largest = row.loss.conjugate_domain(targets)
    assert ((least <= 0) & (largest >= 0) & (least < largest)).all()
    # ℓ ≥ 0 touches zero somewhere, or comes near.
    np.testing.assert_array_equal(row.loss.conjugate(targets, np.zeros(COUNT)), np.zeros(COUNT))
    for end, sign in ((least, -1.0), (largest, 1.0)):
        finite = np.isfinite(end)
        edge = np.where(finite, end, sign * 1e3)
        assert np.isfinite(row.loss.conjugate(targets, edge)).all()
        beyond = np.where(finite, edge + sign * (1e-9 + np.abs(edge) * 1e-9), edge)
        np.testing.assert_array_equal(np.isinf(row.loss.conjugate(targets, beyond)), finite)
        far = sign * 1e15
        # Where it is infinite, u t − ℓ(t) goes on growing.
        for n in np.flatnonzero(finite):
            assert beyond[n] * far - row.loss.value(targets[n : n + 1], np.array([far]))[0] > 1e5


# The cvxpy form


@every_row
@pytest.mark.parametrize("weighted", [False, True])
def test_the_cvxpy_form_has_the_value_of_the_weighted_sum(row, weighted):
    rng = np.random.default_rng(4)
    targets = draw_targets(row, rng)
    weights = rng.uniform(0.1, 3.0, COUNT) if weighted else 1.0
    predictions = cvxpy.Variable(COUNT)
    expression, constraints = row.loss.cvxpy_expression(targets, predictions, weights)
    assert bool(constraints) != row.loss.needs_strength
    for values in (targets, draw_predictions(row, targets, rng), targets - 2 * np.sign(targets + 0.5)):
        predictions.value = values
        expected = float(np.sum(weights * row.loss.value(targets, values)))
        violation = max((float(np.max(c.violation())) for c in constraints), default=0.0)
        if np.isinf(expected):
            assert violation >= 1.0
        else:
            assert violation <= 4 * EPS
            assert expression.value == pytest.approx(expected, rel=16 * COUNT * EPS, abs=16 * COUNT * EPS)


@every_row
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("columns", [None, 2])
def test_the_cvxpy_form_has_the_optimum_of_the_weighted_sum(row, weighted, columns):
    rng = np.random.default_rng(5)
    targets, centres = draw_targets(row, rng), 2 * rng.standard_normal(COUNT)
    weights = rng.uniform(0.1, 3.0, COUNT) if weighted else np.ones(COUNT)
    shape = (COUNT,) if columns is None else (COUNT // columns, columns)
    predictions = cvxpy.Variable(shape)
    expression, constraints = row.loss.cvxpy_expression(
        targets.reshape(shape), predictions, weights.reshape(shape) if weighted else 1.0
    )
    proximity = 0.5 * cvxpy.sum_squares(predictions - centres.reshape(shape))
    program = cvxpy.Problem(cvxpy.Minimize(expression + proximity), constraints)
    program.solve(solver=cvxpy.CLARABEL)
    grid = [np.concatenate([GRID, row.kinks(y), row.jumps(y)]) for y in targets]
    optima = [
        min(s * row.formula(y, t) + 0.5 * (t - c) ** 2 for t in ts)
        for y, s, c, ts in zip(targets, weights, centres, grid, strict=True)
    ]
    # Curvature ≤ 1 + s ≤ 4 on the grid; Clarabel stops at a relative gap of 1e-8.
    assert program.value == pytest.approx(sum(optima), abs=COUNT * 4 * STEP**2 / 8 + 1e-7 * (1 + sum(optima)))


# Targets and constructors


@every_row
def test_labels_are_asked_for_where_they_are_needed(row):
    if not row.labels:
        row.loss.check_targets(np.array([0.0, 1.5, -3.0]))
        return
    row.loss.check_targets(np.array([-1.0, 1.0, 1.0]))
    row.loss.check_targets(np.array([1.0, 1.0]))
    with pytest.raises(ValueError, match=r"targets must be the labels −1 and \+1 under .*, got 0; use 2 y − 1\."):
        row.loss.check_targets(np.array([0.0, 1.0, 1.0]))
    with pytest.raises(ValueError, match=r"got -0.5, 0, 2, …\."):
        row.loss.check_targets(np.array([0.0, 1.0, 2.0, 3.0, -0.5]))
    with pytest.raises(ValueError, match=r"got 0, 2\.$"):
        row.loss.check_targets(np.array([[0.0, 1.0], [2.0, 1.0]]))


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 2.0, np.nan])
def test_a_quantile_lies_between_0_and_1(level):
    with pytest.raises(ValueError, match="level must be a fraction between 0 and 1, got"):
        QuantileLoss(level)


@pytest.mark.parametrize("tolerance", [-1e-3, np.nan, np.inf])
@pytest.mark.parametrize("kind", [EpsilonInsensitiveLoss, IntervalConstraint])
def test_a_tolerance_is_a_number_in_the_targets_units(kind, tolerance):
    with pytest.raises(ValueError, match="tolerance must be a number ≥ 0, in the targets' units, got"):
        kind(tolerance)


@pytest.mark.parametrize("threshold", [0.0, -1.0, np.nan, np.inf])
def test_a_huber_threshold_is_positive_and_finite(threshold):
    with pytest.raises(ValueError, match="threshold must be positive and finite, in the targets' units, got"):
        HuberLoss(threshold)


@pytest.mark.parametrize("tolerance", [-1e-3, 1.0, np.nan, np.inf])
def test_interpolation_refuses_a_senseless_tolerance(tolerance):
    with pytest.raises(ValueError, match=r"tolerance must be in \[0, 1\)"):
        Interpolation(tolerance=tolerance)


# Tolerances of constraints


@pytest.mark.parametrize(("miss", "value"), [(0.99e-3, 0.0), (1.01e-3, np.inf)])
def test_interpolation_allows_a_fraction_of_the_range(miss, value):
    targets = np.array([100.0, 102.0])  # the range is 2, wherever it lies
    loss = Interpolation(tolerance=0.5e-3)
    np.testing.assert_array_equal(loss.value(targets, targets + np.array([0.0, miss])), [0.0, value])


def test_constraints_never_ask_for_more_than_the_targets_hold():
    targets = np.full(4, 1e6)
    for loss in (Interpolation(tolerance=0.0), IntervalConstraint(0.0)):
        assert (loss.value(targets, targets * (1 + 4 * EPS)) == 0.0).all()


@pytest.mark.parametrize(("miss", "value"), [(0.9e-8, 0.0), (1.1e-8, np.inf)])
def test_intervals_and_margins_allow_for_rounding(miss, value):
    targets = np.array([3.0, 4.0])
    interval = IntervalConstraint(0.5).value(targets, targets + np.array([0.0, 0.5 + miss]))
    np.testing.assert_array_equal(interval, [0.0, value])
    labels = np.array([1.0, -1.0])
    margin = HardMargin().value(labels, labels * (1 - np.array([0.0, miss])))
    np.testing.assert_array_equal(margin, [0.0, value])
