"""The laws of every loss: convexity, Fenchel–Young, the best scale of a dual vector, and its cvxpy form."""

from __future__ import annotations

import cvxpy
import numpy as np
import pytest
from helpers import EPS, seeds
from hypothesis import given
from hypothesis import strategies as st

from ridgesplines import Interpolation, Loss, SquaredLoss

# A new loss gets one row here.
every_loss = pytest.mark.parametrize("loss", [SquaredLoss(), Interpolation(), Interpolation(tolerance=0.0)], ids=repr)

COUNT = 8


def draw_targets(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(COUNT)


def draw_predictions(loss: Loss, targets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Predictions where the loss is finite."""
    if isinstance(loss, Interpolation):
        return targets + 0.9 * loss.tolerance * np.ptp(targets) * rng.uniform(-1, 1, COUNT)
    return targets + rng.standard_normal(COUNT)


def test_every_loss_of_the_package_is_tested():
    tested = {type(loss) for loss in every_loss.args[1]}
    assert {cls for cls in Loss.__subclasses__() if cls.__module__.startswith("ridgesplines")} <= tested


@every_loss
@given(seed=seeds, share=st.floats(0, 1))
def test_value_is_convex_along_segments(loss, seed, share):
    rng = np.random.default_rng(seed)
    targets = draw_targets(rng)
    first, second = draw_predictions(loss, targets, rng), draw_predictions(loss, targets, rng)
    between = loss.value(targets, share * first + (1 - share) * second)
    chord = share * loss.value(targets, first) + (1 - share) * loss.value(targets, second)
    # Sums of COUNT terms of the size of the chord.
    assert between <= chord + 8 * COUNT * EPS * (1 + chord)


@every_loss
def test_value_is_zero_at_the_targets_and_never_negative(loss):
    rng = np.random.default_rng(0)
    targets = draw_targets(rng)
    assert loss.value(targets, targets) == 0.0
    assert loss.value(targets, targets + 1.0) > 0.0


@every_loss
@given(seed=seeds)
def test_fenchel_young_inequality(loss, seed):
    rng = np.random.default_rng(seed)
    targets, dual = draw_targets(rng), 3 * rng.standard_normal(COUNT)
    predictions = draw_predictions(loss, targets, rng)
    value = loss.value(targets, predictions)
    lower = loss.dual_value(dual, targets) - float(dual @ predictions)
    slack = 8 * COUNT * EPS * float(np.abs(dual) @ (np.abs(targets) + np.abs(predictions)) + dual @ dual)
    # Predictions within the tolerance count as interpolating, which costs that much.
    if isinstance(loss, Interpolation):
        slack += float(np.abs(dual).sum()) * loss.allowance(targets)
    assert value >= lower - slack


@every_loss
@given(seed=seeds)
def test_fenchel_young_is_an_equality_at_the_dual(loss, seed):
    rng = np.random.default_rng(seed)
    targets = draw_targets(rng)
    predictions = draw_predictions(loss, targets, rng)
    dual = loss.dual(targets, predictions)
    if dual is None:
        # A constraint: every multiplier attains it at the targets themselves.
        predictions, dual = targets, rng.standard_normal(COUNT)
    value = loss.value(targets, predictions)
    expected = loss.dual_value(dual, targets) - float(dual @ predictions)
    size = float(np.abs(dual) @ (np.abs(targets) + np.abs(predictions)) + dual @ dual)
    assert value == pytest.approx(expected, abs=8 * COUNT * EPS * size)


def test_the_dual_of_the_squared_loss_is_minus_its_derivative():
    rng = np.random.default_rng(1)
    targets, predictions, step = rng.standard_normal(COUNT), rng.standard_normal(COUNT), 2.0**-10
    loss = SquaredLoss()
    for n, e in enumerate(step * np.eye(COUNT)):
        # Central differences of a quadratic are exact but for rounding over the step.
        slope = (loss.value(targets, predictions + e) - loss.value(targets, predictions - e)) / (2 * step)
        size = loss.value(targets, predictions) + 1
        assert -loss.dual(targets, predictions)[n] == pytest.approx(slope, abs=16 * COUNT * EPS * size / step)


@every_loss
@given(seed=seeds, limit=st.floats(1e-3, 1e3))
def test_best_scale_beats_every_other(loss, seed, limit):
    rng = np.random.default_rng(seed)
    targets, dual = draw_targets(rng), rng.standard_normal(COUNT)
    scale = loss.best_scale(dual, targets, limit)
    assert 0 <= scale <= limit
    grid = np.concatenate([np.linspace(0, limit, 201), np.linspace(0.9, 1.1, 41) * min(scale, limit / 1.1)])
    best = max(loss.dual_value(s * dual, targets) for s in grid)
    size = limit * float(np.abs(dual) @ np.abs(targets)) + limit**2 * float(dual @ dual)
    assert loss.dual_value(scale * dual, targets) >= best - 16 * COUNT * EPS * size


@every_loss
@pytest.mark.parametrize("limit", [0.0, 0.5, np.inf])
def test_best_scale_of_the_zero_dual_is_a_finite_number_within_the_limit(loss, limit):
    scale = loss.best_scale(np.zeros(COUNT), np.ones(COUNT), limit)
    assert np.isfinite(scale)
    assert 0 <= scale <= limit


@every_loss
def test_cvxpy_expression_has_the_value_of_the_loss(loss):
    rng = np.random.default_rng(2)
    targets = draw_targets(rng)
    predictions = cvxpy.Variable(COUNT)
    expression, constraints = loss.cvxpy_expression(targets, predictions)
    predictions.value = targets
    assert expression.value == pytest.approx(loss.value(targets, targets), abs=EPS)
    assert all(constraint.violation().max() <= EPS for constraint in constraints)
    predictions.value = off = targets + rng.standard_normal(COUNT)
    if constraints:
        assert loss.value(targets, off) == np.inf
        assert max(constraint.violation().max() for constraint in constraints) > 0
    else:
        assert expression.value == pytest.approx(loss.value(targets, off), rel=16 * COUNT * EPS)


# Interpolation's tolerance


@pytest.mark.parametrize(("miss", "value"), [(0.99e-3, 0.0), (1.01e-3, np.inf)])
def test_interpolation_allows_a_fraction_of_the_range(miss, value):
    targets = np.array([100.0, 102.0])  # the range is 2, wherever it lies
    assert Interpolation(tolerance=0.5e-3).value(targets, targets + np.array([0.0, miss])) == value


def test_interpolation_never_asks_for_more_than_the_targets_hold():
    targets = np.full(4, 1e6)
    assert Interpolation(tolerance=0.0).value(targets, targets * (1 + 4 * EPS)) == 0.0


@pytest.mark.parametrize("tolerance", [-1e-3, 1.0, np.nan, np.inf])
def test_interpolation_refuses_a_senseless_tolerance(tolerance):
    with pytest.raises(ValueError, match=r"tolerance must be in \[0, 1\)"):
        Interpolation(tolerance=tolerance)
