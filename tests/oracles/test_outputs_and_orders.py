"""Problems of several outputs and of orders 3 and 4 against convex programs over dictionaries, and their laws."""

from __future__ import annotations

import cvxpy
import numpy as np
import pytest
from references import conic

from ridgesplines import (
    AbsoluteLoss,
    ColumnGeneration,
    HuberLoss,
    Interpolation,
    LogisticLoss,
    Problem,
    RadonTV,
    RidgeSpline,
    Samples,
    SquaredHingeLoss,
    SquaredLoss,
    Status,
    VectorRadonTV,
    certify,
    solve,
)
from ridgesplines.oracles import Neurons
from ridgesplines.polynomials import monomials

GAP = 1e-6
# What Clarabel leaves, relative.
CONIC = 1e-7
VECTOR_LOSSES = [
    SquaredLoss(),
    HuberLoss(0.3),
    LogisticLoss(),
    SquaredHingeLoss(),
    AbsoluteLoss(),
    Interpolation(),
]


def draw(loss, seed: int, count: int, dimension: int, outputs: int, weighted: bool = False) -> Problem:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, dimension))
    y = np.sin(3 * x @ rng.standard_normal((dimension, outputs))) + 0.2 * rng.standard_normal((count, outputs))
    if not loss.translation_invariant:
        y = np.where(y > 0, 1.0, -1.0)
    weights = rng.uniform(0.5, 2.0, count) if weighted and loss.needs_strength else None
    strength = 0.05 if loss.needs_strength else None
    return Problem(Samples(x), y, loss, VectorRadonTV(), strength, weights)


def program(problem: Problem, neurons: Neurons) -> float:
    """The optimum over `neurons` alone, with the polynomials that are free."""
    columns = problem.measure_neurons(neurons)
    columns = columns[:, np.linalg.norm(columns, axis=0) > 0]
    tail = problem.targets.shape[1:]
    v = cvxpy.Variable((columns.shape[1], *tail))
    # In centred, scaled coordinates, for the sake of the solver.
    x = problem.measurements.points
    free = monomials((x - x.mean(axis=0)) / x.std(axis=0), problem.regularizer.degree)
    c = cvxpy.Variable((free.shape[1], *tail))
    sizes = np.linalg.norm(columns, axis=0)
    scaled = cvxpy.multiply(1 / (sizes[:, None] if tail else sizes), v)
    loss, constraints = problem.loss.cvxpy_expression(problem.targets, columns / sizes @ v + free @ c, problem.weights)
    return conic(loss + problem.dual_limit * problem.regularizer.cvxpy_expression(scaled), constraints)


def at_the_data(x: np.ndarray) -> Neurons:
    """On the line, order 2: knots elsewhere are of no use."""
    return Neurons(np.ones((len(x), 1)), x[:, 0])


@pytest.mark.parametrize("loss", VECTOR_LOSSES, ids=repr)
@pytest.mark.parametrize("weighted", [False, True])
def test_several_outputs_on_the_line_agree_with_a_conic_program(loss, weighted):
    problem = draw(loss, 1, 16, 1, 3, weighted)
    solution = solve(problem)
    optimum = program(problem, at_the_data(problem.measurements.points))
    assert solution.status is Status.CONVERGED
    assert solution.certificate.kind == "exact"
    assert solution.certificate.bound <= optimum * (1 + CONIC)
    assert optimum * (1 - CONIC) <= solution.objective <= optimum * (1 + GAP + CONIC)
    assert solution.spline.outputs == 3
    assert solution.spline.width <= problem.representer_bound


@pytest.mark.parametrize("loss", VECTOR_LOSSES, ids=repr)
@pytest.mark.parametrize("dimension", [2, 3])
def test_several_outputs_are_certified_and_never_above_a_dictionary(loss, dimension):
    problem = draw(loss, 2, 14, dimension, 2)
    solution = solve(problem)
    assert solution.status is Status.CONVERGED
    assert solution.certificate.kind == "exact"
    x = problem.measurements.points
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((200, dimension))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    dictionary = Neurons(weights, np.einsum("kd,kd->k", weights, x[rng.integers(len(x), size=200)]))
    optimum = program(problem, dictionary)
    assert solution.objective <= optimum * (1 + GAP + CONIC)
    # Over the solution's own neurons its coefficients are the best.
    own = program(problem, Neurons(np.asarray(solution.spline.weights), np.asarray(solution.spline.biases)))
    assert solution.certificate.bound <= own * (1 + CONIC)
    assert solution.objective <= own * (1 + GAP + CONIC)
    again = certify(problem, solution.spline, solution.dual)
    assert again.relative_gap <= GAP
    assert solution.spline.width <= problem.representer_bound


@pytest.mark.parametrize("loss", [SquaredLoss(), HuberLoss(0.3), LogisticLoss()], ids=repr)
def test_one_output_as_a_column_is_the_problem_of_one_output(loss):
    problem = draw(loss, 3, 20, 2, 1)
    single = Problem(problem.measurements, problem.targets[:, 0], loss, strength=problem.strength)
    assert solve(problem).objective == pytest.approx(solve(single).objective, rel=2 * GAP)


def test_outputs_that_are_multiples_of_one_share_its_neurons():
    problem = draw(SquaredLoss(), 4, 20, 2, 1)
    y = problem.targets[:, 0]
    both = Problem(problem.measurements, np.column_stack([0.6 * y, 0.8 * y]), strength=0.05)
    single = Problem(problem.measurements, y, strength=0.05)
    # Turning the outputs changes neither loss nor norm.
    assert solve(both).objective == pytest.approx(solve(single).objective, rel=2 * GAP)


def test_default_regularizer_follows_the_targets():
    x, y = Samples(np.arange(6.0)), np.arange(6.0) ** 2
    assert Problem(x, y, strength=1.0).regularizer == RadonTV()
    assert Problem(x, y[:, None], strength=1.0).regularizer == RadonTV()
    assert Problem(x, np.column_stack([y, y]), strength=1.0).regularizer == VectorRadonTV()


# Orders 3 and 4


def smooth(order: int, seed: int, count: int, dimension: int, loss=None, strength: float | None = 1e-3) -> Problem:
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-1, 1, (count, dimension)), axis=0)
    y = np.cos(4 * x @ rng.standard_normal(dimension)) + 0.1 * rng.standard_normal(count)
    return Problem(Samples(x), y, loss, RadonTV(order), strength)


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("loss", [SquaredLoss(), AbsoluteLoss(), HuberLoss(0.1)], ids=repr)
def test_orders_3_and_4_on_the_line_agree_with_a_fine_grid_of_knots(order, loss):
    problem = smooth(order, 5, 15, 1, loss)
    solution = solve(problem)
    assert solution.status is Status.CONVERGED
    assert solution.certificate.kind == "exact"
    x = problem.measurements.points[:, 0]
    knots = np.linspace(x.min(), x.max(), 800)
    optimum = program(problem, Neurons(np.ones((800, 1)), knots))
    assert solution.certificate.bound <= optimum * (1 + CONIC)
    # A knot moved by half a step of the grid changes the fit by its square.
    assert solution.objective <= optimum * (1 + GAP + CONIC)
    assert solution.objective == pytest.approx(optimum, rel=1e-4)
    assert solution.spline.order == order
    assert solution.spline.width <= problem.representer_bound


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("strength", [1e-3, None])
def test_orders_3_and_4_in_the_plane_are_bounded(order, strength):
    loss = None if strength else Interpolation()
    problem = smooth(order, 6, 25, 2, loss, strength)
    solution = solve(problem)
    assert solution.status is Status.CONVERGED
    assert solution.certificate.kind == "bounded"
    assert solution.certificate.proven
    assert solution.spline.width <= problem.representer_bound
    if strength:
        # Interpolation over a dictionary of cubics is beyond Clarabel.
        angles = np.linspace(0, np.pi, 40, endpoint=False)
        weights = np.column_stack([np.cos(angles), np.sin(angles)]).repeat(15, axis=0)
        dictionary = Neurons(weights, np.tile(np.linspace(-1.2, 1.2, 15), 40))
        assert solution.objective <= program(problem, dictionary) * (1 + GAP + CONIC)


@pytest.mark.parametrize("order", [3, 4])
def test_scaling_the_inputs_scales_the_strength_by_its_power(order):
    problem = smooth(order, 7, 15, 1)
    scaled = Problem(
        Samples(8 * problem.measurements.points), problem.targets, None, RadonTV(order), 8.0 ** (order - 1) * 1e-3
    )
    assert solve(scaled).objective == pytest.approx(solve(problem).objective, rel=2 * GAP)


@pytest.mark.parametrize("order", [3, 4])
def test_a_polynomial_of_lower_degree_costs_nothing(order):
    x = np.random.default_rng(8).uniform(-1, 1, (30, 2))
    y = 1 + x[:, 0] - x[:, 1] ** (order - 1)
    solution = solve(Problem(Samples(x), y, None, RadonTV(order), 0.1))
    assert (solution.status, solution.spline.width) == (Status.CONVERGED, 0)


@pytest.mark.parametrize("order", [3, 4])
def test_bounds_of_any_spline_stay_below_the_optimum(order):
    problem = smooth(order, 9, 15, 1)
    optimum = solve(problem, ColumnGeneration(gap=1e-8)).objective
    rng = np.random.default_rng(0)
    for _ in range(10):
        spline = RidgeSpline(rng.standard_normal((3, 1)), rng.standard_normal(3), rng.standard_normal(3), None, order)
        certificate = certify(problem, spline, rng.standard_normal(15))
        assert certificate.bound <= optimum <= certificate.objective
