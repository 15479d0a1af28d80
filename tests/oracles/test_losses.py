"""Column generation under every loss, against convex programs on the line and in the plane, and at its limits."""

from __future__ import annotations

import numpy as np
import pytest
from references import line_program, loss_program, pair_columns, plane_program

from ridgesplines import ColumnGeneration, Problem, Samples, Solution, SquaredLoss, Status, certify, solve
from ridgesplines.losses import (
    AbsoluteLoss,
    EpsilonInsensitiveLoss,
    HardMargin,
    HingeLoss,
    HuberLoss,
    Interpolation,
    IntervalConstraint,
    LogisticLoss,
    QuantileLoss,
    SquaredHingeLoss,
)
from ridgesplines.oracles import LineOracle, PlaneOracle

pytestmark = pytest.mark.thinned(4)

GAP = 1e-6  # the default of the solver
# The reference programs are solved to about this.
CONIC = 1e-7

SMOOTH = [SquaredLoss(), HuberLoss(0.3), LogisticLoss(), SquaredHingeLoss()]
KINKED = [AbsoluteLoss(), QuantileLoss(0.25), EpsilonInsensitiveLoss(0.1), HingeLoss()]
CONSTRAINTS = [Interpolation(), IntervalConstraint(0.1), HardMargin()]
LABELS = (HingeLoss, SquaredHingeLoss, LogisticLoss, HardMargin)

every_loss = pytest.mark.parametrize("loss", SMOOTH + KINKED + CONSTRAINTS, ids=repr)
# Constraints have no weights.
every_case = pytest.mark.parametrize(
    ("loss", "weighted"),
    [(loss, weighted) for loss in SMOOTH + KINKED for weighted in (False, True)]
    + [(loss, False) for loss in CONSTRAINTS],
    ids=str,
)
every_constraint = pytest.mark.parametrize("loss", CONSTRAINTS, ids=repr)


def draw(loss, seed: int, count: int, dimension: int, weighted: bool = False, strength: float = 0.03) -> Problem:
    """Waves with noise, or their signs, which no affine function tells."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, dimension))
    y = np.sin(4 * x @ np.linspace(1, 2, dimension) / np.sqrt(dimension)) + 0.2 * rng.standard_normal(count)
    y = np.where(y > 0, 1.0, -1.0) if isinstance(loss, LABELS) else y
    weights = rng.uniform(0.3, 3, count) if weighted else None
    return Problem(Samples(x), y, loss, strength=strength if loss.needs_strength else None, sample_weights=weights)


def assert_solved(problem: Problem, solution: Solution) -> None:
    """Converged within the gap, with at most the promised number of neurons, and admissible."""
    certificate = solution.certificate
    assert solution.status is Status.CONVERGED
    assert certificate.kind == "exact"
    assert certificate.relative_gap <= GAP * (1 + 1e-6) + 1e-9
    assert solution.spline.width <= problem.representer_bound
    assert np.isfinite(solution.objective)


def assert_between(solution: Solution, optimum: float, accuracy: float = CONIC) -> None:
    """Bound ≤ optimum ≤ objective, and not far from each other."""
    assert solution.certificate.bound <= optimum * (1 + accuracy)
    assert optimum * (1 - accuracy) <= solution.objective <= optimum * (1 + GAP + accuracy)


@every_case
@pytest.mark.parametrize("strength", [1e-3, 0.1])
def test_the_line_agrees_with_knots_at_the_data(loss, weighted, strength):
    problem = draw(loss, 1, 25, 1, weighted, strength)
    solution = solve(problem)
    assert_solved(problem, solution)
    # Exponential cones are not solved as far.
    assert_between(solution, line_program(problem), 1e-6 if isinstance(loss, LogisticLoss) else CONIC)


@every_loss
def test_repeated_points_on_the_line_agree_with_knots_at_the_data(loss):
    rng = np.random.default_rng(2)
    x = np.repeat(rng.uniform(-1, 1, 8), 3)
    y = np.where(rng.random(24) < 0.4, -1.0, 1.0) if isinstance(loss, LABELS) else rng.standard_normal(24)
    if not loss.needs_strength:
        y = np.repeat(y[:8], 3)
    problem = Problem(Samples(x), y, loss, strength=0.03 if loss.needs_strength else None)
    solution = solve(problem)
    assert_solved(problem, solution)
    assert_between(solution, line_program(problem))


@every_case
def test_the_plane_agrees_with_the_exact_convex_program(loss, weighted):
    problem = draw(loss, 3, 8, 2, weighted)
    solution = solve(problem)
    assert_solved(problem, solution)
    assert_between(solution, plane_program(problem))


@every_case
def test_the_plane_is_no_worse_than_all_lines_through_two_points(loss, weighted):
    problem = draw(loss, 4, 25, 2, weighted)
    solution = solve(problem)
    assert_solved(problem, solution)
    upper = loss_program(problem, pair_columns(problem.measurements.points, directions=0))
    assert solution.objective <= upper * (1 + GAP + CONIC)
    assert solution.certificate.bound <= upper * (1 + CONIC)
    # Nearly all hyperplanes of an optimum pass through two points.
    assert solution.objective >= 0.97 * upper


@every_loss
def test_a_narrow_gap_is_reached(loss):
    problem = draw(loss, 5, 15, 2)
    solution = solve(problem, ColumnGeneration(gap=1e-8))
    assert solution.status is Status.CONVERGED
    assert solution.certificate.relative_gap <= 1e-8 * (1 + 1e-6) + 1e-9


@every_loss
@pytest.mark.parametrize("dimension", [1, 2])
def test_equal_calls_give_equal_numbers_under_every_loss(loss, dimension):
    first, second = (solve(draw(loss, 6, 15, dimension)) for _ in range(2))
    for name, array in first.spline.to_arrays().items():
        np.testing.assert_array_equal(second.spline.to_arrays()[name], array)
    np.testing.assert_array_equal(second.dual, first.dual)
    assert second.certificate.bound == first.certificate.bound


@every_loss
def test_a_warm_start_reaches_the_same_optimum_under_every_loss(loss):
    problem = draw(loss, 7, 20, 2)
    cold = solve(problem)
    warm = solve(problem, ColumnGeneration(start=cold.spline))
    assert_solved(problem, warm)
    assert warm.objective == pytest.approx(cold.objective, rel=2 * GAP)
    assert len(warm.trace) <= len(cold.trace)


@pytest.mark.parametrize("loss", [SquaredLoss(), AbsoluteLoss(), QuantileLoss(0.25), Interpolation()], ids=repr)
@pytest.mark.parametrize("scale", [1e-5, 1e5])
def test_homogeneous_losses_scale_with_the_targets(loss, scale):
    problem = draw(loss, 8, 20, 2)
    x, y = problem.measurements, problem.targets
    power = 2 if isinstance(loss, SquaredLoss) else 1
    strength = None if problem.strength is None else problem.strength * scale ** (power - 1)
    scaled = Problem(x, scale * y, loss, strength=strength)
    solution = solve(scaled)
    assert_solved(scaled, solution)
    assert solution.objective == pytest.approx(solve(problem).objective * scale**power, rel=3 * GAP)


@pytest.mark.parametrize("scale", [1e-5, 1e5])
@pytest.mark.parametrize("kind", [HuberLoss, EpsilonInsensitiveLoss, IntervalConstraint])
def test_losses_in_the_units_of_the_targets_scale_with_both(kind, scale):
    problem = draw(kind(0.1), 8, 20, 2)
    x, y = problem.measurements, problem.targets
    power = 2 if kind is HuberLoss else 1
    strength = None if problem.strength is None else problem.strength * scale ** (power - 1)
    scaled = Problem(x, scale * y, kind(0.1 * scale), strength=strength)
    solution = solve(scaled)
    assert_solved(scaled, solution)
    assert solution.objective == pytest.approx(solve(problem).objective * scale**power, rel=3 * GAP)


@every_loss
@pytest.mark.parametrize("scale", [1e-5, 1e5])
def test_every_loss_scales_with_the_inputs(loss, scale):
    problem = draw(loss, 9, 20, 2)
    x, y = problem.measurements.points, problem.targets
    strength = None if problem.strength is None else problem.strength * scale
    scaled = Problem(Samples(scale * x), y, loss, strength=strength)
    solution = solve(scaled)
    assert_solved(scaled, solution)
    factor = 1 if loss.needs_strength else 1 / scale
    assert solution.objective == pytest.approx(solve(problem).objective * factor, rel=3 * GAP)


@pytest.mark.parametrize(
    "loss", [loss for loss in SMOOTH + KINKED + CONSTRAINTS if not isinstance(loss, LABELS)], ids=repr
)
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_an_affine_function_added_to_the_targets_costs_nothing_under_any_loss(loss, size):
    problem = draw(loss, 10, 20, 2)
    x, y = problem.measurements, problem.targets
    moved = Problem(x, y + size * (3 * x.points[:, 0] - 2 * x.points[:, 1] + 5), loss, strength=problem.strength)
    solution = solve(moved)
    assert_solved(moved, solution)
    assert solution.objective == pytest.approx(solve(problem).objective, rel=3 * GAP)


@every_loss
@pytest.mark.parametrize("dimension", [1, 2])
def test_what_an_affine_function_fits_needs_no_neuron(loss, dimension):
    x = np.random.default_rng(11).standard_normal((12, dimension))
    y = 2 * x[:, 0] - 0.5 * x.sum(axis=1) + 0.5
    if isinstance(loss, LABELS):
        y = np.where(y > 0, 1.0, -1.0)
    problem = Problem(Samples(x), y, loss, strength=0.1 if loss.needs_strength else None)
    solution = solve(problem)
    assert (solution.status, solution.spline.width) == (Status.CONVERGED, 0)
    # The logistic loss of separated labels comes as near to zero as one likes.
    assert solution.objective <= (1e-20 if isinstance(loss, LogisticLoss) else problem.resolution)
    assert solution.certificate.bound == 0.0


@every_loss
@pytest.mark.parametrize("dimension", [1, 2])
def test_as_few_data_as_free_polynomials_cost_nothing(loss, dimension):
    rng = np.random.default_rng(12)
    x, y = rng.standard_normal((dimension + 1, dimension)), rng.choice([-1.0, 1.0], dimension + 1)
    problem = Problem(Samples(x), y, loss, strength=0.1 if loss.needs_strength else None)
    solution = solve(problem)
    assert (solution.status, solution.spline.width) == (Status.CONVERGED, 0)
    assert solution.objective <= (1e-20 if isinstance(loss, LogisticLoss) else problem.resolution)


@every_loss
def test_points_that_all_coincide_are_fitted_by_a_constant(loss):
    y = np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0])
    if not loss.needs_strength:
        y = np.ones(6)
    problem = Problem(Samples(np.tile([0.3, 0.6], (6, 1))), y, loss, strength=0.1 if loss.needs_strength else None)
    solution = solve(problem)
    assert (solution.status, solution.spline.width) == (Status.CONVERGED, 0)
    constants = np.linspace(-2, 2, 4001)
    best = min(problem.loss_value(np.full(6, c)) for c in constants)
    # The constants are 1e-3 apart, and a loss of six data has a curvature of at most 6.
    assert best - 6 * 1e-6 / 8 - 1e-9 <= solution.objective <= best + 1e-9


# Limits


@every_loss
@pytest.mark.parametrize("dimension", [1, 2])
@pytest.mark.parametrize(
    ("solver", "status"),
    [
        (ColumnGeneration(time_limit=1e-9), Status.TIME_LIMIT),
        (ColumnGeneration(iteration_limit=2), Status.ITERATION_LIMIT),
    ],
    ids=["time", "two-iterations"],
)
def test_a_limit_returns_something_admissible_and_an_honest_bound(loss, dimension, solver, status):
    problem = draw(loss, 13, 20, dimension, strength=1e-3)
    solution = solve(problem, solver)
    assert solution.status in (status, Status.CONVERGED)
    if dimension == 2:
        assert solution.status is status
    assert np.isfinite(solution.objective)
    assert problem.objective(solution.spline) == pytest.approx(solution.objective, rel=1e-12)
    optimum = solve(problem).objective
    assert 0 <= solution.certificate.bound <= optimum * (1 + 1e-12)
    assert solution.objective >= optimum * (1 - GAP)


@every_loss
@pytest.mark.parametrize("calls", [0, 1, 4])
@pytest.mark.parametrize("dimension", [1, 2])
def test_an_interrupt_returns_something_admissible(loss, dimension, calls, monkeypatch):
    problem = draw(loss, 14, 20, dimension, strength=1e-3)
    oracle = LineOracle if dimension == 1 else PlaneOracle
    # The first look of a constraint is for λ_max, before anything can be interrupted.
    problem.strength_max  # noqa: B018
    supremum, made = oracle.supremum, []

    def interrupt(self, *arguments, **options):
        made.append(1)
        if len(made) == calls + 1:
            raise KeyboardInterrupt
        return supremum(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(oracle, "supremum", interrupt)
        try:
            solution = solve(problem)
        except KeyboardInterrupt:
            # All the looks were for the restricted problem's own preparation, or for the final certificate.
            assert len(made) == calls + 1
            return
    assert solution.status in (Status.INTERRUPTED, Status.CONVERGED)
    assert np.isfinite(solution.objective)
    again = certify(problem, solution.spline, solution.dual)
    assert again.objective == solution.objective
    assert 0 <= solution.certificate.bound <= solve(problem).objective * (1 + 1e-12)


@every_constraint
def test_an_unfinished_constraint_is_met_to_its_tolerance(loss):
    for seed in range(5):
        problem = draw(loss, 20 + seed, 25, 2)
        for limit in (1, 2, 4):
            solution = solve(problem, ColumnGeneration(iteration_limit=limit))
            assert np.isfinite(problem.loss_value(solution.spline(problem.measurements.points)))


@every_loss
def test_the_trace_tells_the_run_of_every_loss(loss):
    solution = solve(draw(loss, 15, 20, 2))
    rows = solution.trace
    assert [row.iteration for row in rows] == list(range(1, len(rows) + 1))
    assert np.all(np.diff([row.bound for row in rows]) >= 0)
    if loss.needs_strength:
        assert np.all(np.diff([row.objective for row in rows]) <= 0)
    assert rows[-1].objective == pytest.approx(solution.objective, rel=1e-9)
    assert rows[-1].gap <= GAP
