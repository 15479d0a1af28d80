"""Small problems of every awkward kind and scale: what must hold always, holds."""

from __future__ import annotations

import numpy as np
import pytest
from references import NoReference, loss_program, pair_columns

import ridgesplines as rs
from ridgesplines.losses import (
    AbsoluteLoss,
    EpsilonInsensitiveLoss,
    HardMargin,
    HingeLoss,
    HuberLoss,
    Interpolation,
    IntervalConstraint,
    LogisticLoss,
    PiecewiseLinearLoss,
    QuantileLoss,
    SquaredHingeLoss,
    SquaredLoss,
)
from ridgesplines.oracles import Neurons
from ridgesplines.polynomials import monomial_count

pytestmark = pytest.mark.thinned(4)

KINDS = ("uniform", "clustered", "repeated", "lattice", "collinear", "far away", "thin")


def awkward(seed: int) -> rs.Problem:
    """A problem with d ≤ 3 and N ≤ 25, inputs and targets scaled by 1e-6 to 1e6."""
    rng = np.random.default_rng(seed)
    dimension = int(rng.integers(1, 4))
    count = int(rng.integers(dimension + 1, 26))
    x = draw_points(rng, KINDS[seed % len(KINDS)], count, dimension)
    input_scale, target_scale = 10.0 ** rng.uniform(-6, 6, 2)
    y = target_scale * (np.abs(x).sum(axis=1) + rng.standard_normal(count) + rng.choice([0.0, 100.0]))
    x = input_scale * x
    if rng.random() < 0.4:
        first, group = np.unique(x, axis=0, return_index=True, return_inverse=True)[1:]
        return rs.Problem(rs.Samples(x), y[first][group.ravel()], loss=rs.Interpolation())
    return rs.Problem(rs.Samples(x), y, strength=input_scale * target_scale * 10.0 ** rng.uniform(-4, 1))


def draw_points(rng: np.random.Generator, kind: str, count: int, dimension: int, far: float = 1e4) -> np.ndarray:
    x = rng.uniform(-1, 1, (count, dimension))
    match kind:
        case "clustered":
            x = rng.uniform(-1, 1, (3, dimension))[rng.integers(0, 3, count)] + x / far
        case "repeated":
            x = x[rng.integers(0, count // 2, count)]
        case "lattice":
            x = rng.integers(0, 4, (count, dimension)).astype(float)
        case "collinear":
            x = np.outer(rng.uniform(-1, 1, count), rng.standard_normal(dimension)) + rng.standard_normal(dimension)
        case "far away":
            x = x + far * rng.standard_normal(dimension)
        case "thin":
            x = np.outer(rng.uniform(-1, 1, count), rng.standard_normal(dimension)) + 0.1 * x / far
    return x


@pytest.mark.parametrize("seed", range(140))
def test_bounds_stay_below_objectives_and_dual_vectors_feasible(seed):
    problem = awkward(seed)
    solution = rs.solve(problem, rs.ColumnGeneration(iteration_limit=500))
    certificate = solution.certificate
    # Objectives cancel from targets as much as 1e4 times larger, squared.
    assert certificate.bound <= certificate.objective * (1 + 1e-10) + problem.resolution
    assert certificate.width <= problem.representer_bound
    if certificate.proven:
        assert certificate.relative_gap <= 1e-5
        points = problem.measurements.points
        rng = np.random.default_rng(seed)
        weights = rng.standard_normal((2000, points.shape[1]))
        weights /= np.linalg.norm(weights, axis=1, keepdims=True)
        biases = (points @ weights.T)[rng.integers(0, len(points), 2000), np.arange(2000)]
        columns = problem.measure_neurons(Neurons(weights, biases))
        # Far-away points cost four digits of w·x − b, a thousand large duals another three.
        assert np.abs(certificate.dual @ columns).max() <= problem.dual_limit * (1 + 1e-9)
    if problem.strength is None:
        spread = np.ptp(problem.targets)
        assert certificate.misfit <= 1e-8 * spread + 64 * np.finfo(float).eps * np.abs(problem.targets).max()


# Every loss

LABELS = (HingeLoss, SquaredHingeLoss, LogisticLoss, HardMargin)


def draw_loss(rng: np.random.Generator, unit: float) -> rs.Loss:
    """A loss whose parameters suit targets of the size of `unit`."""
    share = float(rng.uniform(0.01, 1))
    return [
        SquaredLoss(),
        HuberLoss(share * unit),
        LogisticLoss(),
        SquaredHingeLoss(),
        AbsoluteLoss(),
        QuantileLoss(share * 0.98),
        EpsilonInsensitiveLoss(share * unit),
        HingeLoss(),
        Interpolation(),
        IntervalConstraint(share * unit),
        HardMargin(),
    ][int(rng.integers(11))]


def draw_problem(seed: int) -> rs.Problem:
    """A problem of any loss with d ≤ 3 and N ≤ 20, weighted or not, inputs and targets scaled by 1e-6 to 1e6."""
    rng = np.random.default_rng([seed, 1])
    dimension = int(rng.choice([1, 2, 2, 2, 3]))
    count = int(rng.integers(dimension + 1, 21))
    x = draw_points(rng, KINDS[seed % len(KINDS)], count, dimension)
    input_scale, target_scale = 10.0 ** (rng.uniform(-6, 6, 2) * rng.integers(0, 2, 2))
    loss = draw_loss(rng, target_scale)
    waves = np.sin(3 * (x - x.mean(axis=0)).sum(axis=1)) + rng.choice([0.1, 1.0]) * rng.standard_normal(count)
    if isinstance(loss, LABELS):
        y, target_scale = np.where(waves > 0.2, 1.0, -1.0), 1.0
    else:
        y = target_scale * (waves + rng.choice([0.0, 0.0, 100.0]))
    if not loss.needs_strength:
        first, group = np.unique(x, axis=0, return_index=True, return_inverse=True)[1:]
        return rs.Problem(rs.Samples(input_scale * x), y[first][group.ravel()], loss)
    # A loss of degree p in the targets, and one of degree 1 in λ and the inputs.
    power = 1 if isinstance(loss, (PiecewiseLinearLoss, *LABELS)) else 2
    strength = input_scale * target_scale ** (power - 1) * 10.0 ** rng.uniform(-3, 0.5)
    weights = 10.0 ** rng.uniform(-1, 1, count) if rng.random() < 0.4 else None
    return rs.Problem(rs.Samples(input_scale * x), y, loss, strength=strength, sample_weights=weights)


def standardized(problem: rs.Problem) -> tuple[rs.Problem, float]:
    """The same problem with inputs and targets of order one for a reference program, and the factor of its optimum."""
    regularizer = problem.regularizer
    x, y, loss = problem.measurements.points, problem.targets, problem.loss
    spread = float(np.ptp(x, axis=0).max()) or 1.0
    points = (x - x.mean(axis=0)) / spread
    if isinstance(loss, LABELS):
        unit, moved, scaled = 1.0, y, loss
    else:
        # Losses of t − y do not see a free polynomial in y.
        moved = problem.dual_targets
        unit = float(np.abs(moved).max()) or 1.0
        moved = moved / unit
        match loss:
            case HuberLoss(threshold):
                scaled = HuberLoss(threshold / unit)
            case EpsilonInsensitiveLoss(tolerance):
                scaled = EpsilonInsensitiveLoss(tolerance / unit)
            case IntervalConstraint(tolerance):
                scaled = IntervalConstraint(tolerance / unit)
            case _:
                scaled = loss
    squared = isinstance(loss, SquaredLoss | HuberLoss)
    factor = unit**2 if squared else unit
    # R(f) of the data is R times this of those.
    ratio = unit / spread**regularizer.degree
    if problem.strength is None:
        return rs.Problem(rs.Samples(points), moved, scaled, regularizer), ratio
    strength = problem.strength * ratio / factor
    return rs.Problem(rs.Samples(points), moved, scaled, regularizer, strength, problem.sample_weights), factor


def dictionary_optimum(problem: rs.Problem) -> float:
    """The optimum over knots at the data; in the plane over lines through two data, and a fan at each: an upper bound.

    In space over planes through three data, and random ones through one. For orders 3 and 4 over fine grids.
    """
    x, order = problem.measurements.points, problem.regularizer.order
    match x.shape[1]:
        case 1:
            knots = np.unique(x) if order == 2 else np.linspace(x.min(), x.max(), 200)
            return loss_program(problem, problem.measure_neurons(Neurons(np.ones((len(knots), 1)), knots)))
        case 2 if order == 2:
            return loss_program(problem, pair_columns(x, directions=16))
        case 2:
            angles = np.linspace(0, np.pi, 24, endpoint=False).repeat(16)
            weights = np.column_stack([np.cos(angles), np.sin(angles)])
            ends = np.sort(x @ weights.T, axis=0)[[0, -1]]
            shares = np.tile(np.linspace(0, 1, 17)[:-1], 24)
            biases = (1 - shares) * ends[0] + shares * ends[1]
            return loss_program(problem, problem.measure_neurons(Neurons(weights, biases)))
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((400, 3))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    biases = np.einsum("kd,kd->k", weights, x[rng.integers(0, len(x), 400)])
    return loss_program(problem, np.maximum(x @ weights.T - biases, 0))


def draw_wide(seed: int) -> rs.Problem:
    """One of order 3 or 4, or of several outputs, with d ≤ 2 and N ≤ 14, otherwise as `draw_problem`."""
    rng = np.random.default_rng([seed, 2])
    outputs = int(rng.integers(1, 4))
    dimension = int(rng.integers(1, 3))
    # In the plane several outputs have a proven supremum under order 2 only.
    order = 2 if outputs > 1 and dimension == 2 else int(rng.integers(2 if outputs > 1 else 3, 5))
    free = monomial_count(dimension, order - 1)
    count = int(rng.integers(free, max(free + 1, 15)))
    # Polynomials of every degree lose the same four digits.
    x = draw_points(rng, KINDS[seed % len(KINDS)], count, dimension, far=1e4 ** (1 / (order - 1)))
    input_scale, target_scale = 10.0 ** (rng.uniform(-3, 3, 2) * rng.integers(0, 2, 2))
    loss = draw_loss(rng, target_scale)
    phases = rng.uniform(0, 2, outputs)
    waves = np.sin(3 * (x - x.mean(axis=0)).sum(axis=1)[:, None] + phases)
    waves += rng.choice([0.1, 1.0]) * rng.standard_normal((count, outputs))
    if isinstance(loss, LABELS):
        y, target_scale = np.where(waves > 0.2, 1.0, -1.0), 1.0
    else:
        y = target_scale * (waves + rng.choice([0.0, 0.0, 100.0]))
    regularizer = rs.VectorRadonTV(order)
    if outputs == 1:
        y, regularizer = y[:, 0], rs.RadonTV(order)
    samples = rs.Samples(input_scale * x)
    if not loss.needs_strength:
        first, group = np.unique(x, axis=0, return_index=True, return_inverse=True)[1:]
        return rs.Problem(samples, y[first][group.ravel()], loss, regularizer)
    power = 1 if isinstance(loss, (PiecewiseLinearLoss, *LABELS)) else 2
    strength = input_scale ** (order - 1) * target_scale ** (power - 1) * 10.0 ** rng.uniform(-3, 0.5)
    weights = 10.0 ** rng.uniform(-1, 1, count) if rng.random() < 0.4 else None
    return rs.Problem(samples, y, loss, regularizer, strength, weights)


def check(problem: rs.Problem, seed: int) -> str:
    """Assert what must hold always; says what is amiss with the rest, nothing if all is well."""
    solution = rs.solve(problem, rs.ColumnGeneration(iteration_limit=60))
    certificate = solution.certificate
    rounding = problem.resolution + 1e-10 * abs(solution.objective if np.isfinite(solution.objective) else 0.0)
    assert certificate.bound <= certificate.objective + rounding
    assert certificate.width <= problem.representer_bound
    assert np.isfinite(certificate.dual).all()
    lower, upper = problem.dual_domain
    assert ((lower <= certificate.dual) & (certificate.dual <= upper)).all()
    assert certificate.supremum <= problem.dual_limit * (1 + 1e-12)
    amiss = ""
    if certificate.proven:
        try:
            reference, factor = standardized(problem)
            optimum = factor * dictionary_optimum(reference)
        except NoReference:
            amiss = f"{seed} has no reference, {problem!r}"
        else:
            # The accuracy of the programs is absolute, on problems of order one, and that of exponential cones is poor.
            slack = 1e-6 * optimum + 1e-7 * factor + problem.resolution
            assert certificate.bound <= optimum + slack
            if (
                problem.measurements.dimension == 1
                and problem.regularizer.order == 2
                and solution.status is rs.Status.CONVERGED
            ):
                assert optimum - slack <= certificate.objective <= optimum * (1 + 1e-6) + slack
    if solution.status is rs.Status.CONVERGED:
        assert certificate.relative_gap <= 1e-6
        return amiss
    return f"{seed} {solution.status.name} at {certificate.relative_gap:.1e}, {problem!r}"


# Clarabel on exponential cones (3, 41); separable labels under the logistic loss, whose infimum 0 is no minimum.
AMISS = {3, 41}
# Conic programs of kinked losses of several outputs: slow (63), or inaccurate beside dual vectors of 1e6 (21, 47).
WIDE_AMISS = {21, 47, 63}


# Constraints that polynomials satisfy (221, 881, 274), and cubics on a line, of a rank that is rounding (529).
@pytest.mark.parametrize("seed", [*range(120), 221, 881])
def test_every_loss_is_solved_and_bounded_on_awkward_data(seed):
    assert bool(check(draw_problem(seed), seed)) <= (seed in AMISS)


@pytest.mark.thinned(5)
@pytest.mark.parametrize("seed", [*range(80), 274, 529])
def test_several_outputs_and_higher_orders_are_solved_and_bounded_on_awkward_data(seed):
    assert bool(check(draw_wide(seed), seed)) <= (seed in WIDE_AMISS)


@pytest.mark.long
@pytest.mark.parametrize(("draw", "count", "allowed"), [(draw_problem, 1200, 24), (draw_wide, 800, 60)])
def test_every_loss_is_solved_and_bounded_on_much_awkward_data(draw, count, allowed):
    amiss = [remark for seed in range(200, 200 + count) if (remark := check(draw(seed), seed))]
    assert len(amiss) <= allowed, "\n".join(amiss)
