"""Every restricted problem against convex programs over the same columns: all losses, free polynomials and signs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from references import loss_program

from ridgesplines import Problem, RadonTV, Samples, VectorRadonTV
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
    SquaredLoss,
)
from ridgesplines.norms import sizes
from ridgesplines.polynomials import PolynomialFit
from ridgesplines.solvers.restricted import RestrictedProblem, restrict
from ridgesplines.solvers.restricted.conic import RestrictedConic

LOSSES = [
    SquaredLoss(),
    HuberLoss(0.3),
    LogisticLoss(),
    SquaredHingeLoss(),
    AbsoluteLoss(),
    QuantileLoss(0.25),
    EpsilonInsensitiveLoss(0.1),
    HingeLoss(),
    Interpolation(),
    IntervalConstraint(0.1),
    HardMargin(),
]
# Those without a restricted problem of their own for several outputs, and some that have one.
VECTOR_LOSSES = [SquaredLoss(), HuberLoss(0.3), LogisticLoss(), AbsoluteLoss(), Interpolation(), HardMargin()]
COUNT = 15


@dataclass(frozen=True)
class PositiveRadonTV(RadonTV):
    @property
    def nonnegative(self) -> bool:
        return True


def with_polynomials(problem: Problem, free: str) -> Problem:
    """The problem with no free polynomials at all, or constants only; they must not have been looked at before."""
    if free == "none":
        problem.__dict__["free"] = replace(problem.free, basis=np.zeros((len(problem.targets), 0)))
    elif free == "constants":
        problem.__dict__["free"] = PolynomialFit.at(problem.measurements.points, 0)
    return problem


def draw(loss, seed: int, free: str, regularizer, outputs: int | None = None, weighted=False):
    """A problem and columns; a few of them, with positive coefficients, make an admissible fit."""
    rng = np.random.default_rng(seed)
    columns = rng.standard_normal((COUNT, 4 * COUNT))
    x = rng.uniform(-1, 1, (COUNT, 2))
    truth = columns[:, :5] @ rng.uniform(0.5, 1, (5, outputs or 1))
    y = truth if outputs else truth[:, 0]
    if not loss.translation_invariant:
        y = np.where(y > 0, 1.0, -1.0)
    elif loss.needs_strength:
        y = y + 0.3 * rng.standard_normal(y.shape)
    strength = 1.0 if loss.needs_strength else None
    weights = rng.uniform(0.5, 2, COUNT) if weighted and loss.needs_strength else None
    problem = Problem(Samples(x), y, loss, regularizer, strength, weights)
    return with_polynomials(problem, free), columns


def solve(problem: Problem, restricted: RestrictedProblem, columns: np.ndarray) -> None:
    """Half of the columns first, then, the idle ones of them forgotten and added again, all of them."""
    half = columns.shape[1] // 2
    restricted.add(columns[:, :half])
    restricted.solve()
    kept = restricted.correlations() >= np.median(restricted.correlations())
    kept[restricted.active] = True
    restricted.keep(kept)
    restricted.add(columns[:, half:])
    restricted.add(columns[:, :half][:, ~kept])
    for _ in range(200):
        restricted.solve()
        restricted.satisfied(float(restricted.correlations().max()) / problem.dual_limit - 1)
        if not restricted.advance():
            break


def assert_optimal(problem: Problem, restricted: RestrictedProblem, columns: np.ndarray, accuracy: float) -> None:
    """Primal and dual values agree with the program's, and both are feasible."""
    expected = loss_program(problem, columns, problem.free.basis)
    coefficients, fit = restricted.coefficients, restricted.fit
    if fit is None:
        neurons = restricted.columns @ coefficients
        fit = problem.targets - problem.free.project_off(problem.targets - neurons)
    assert restricted.admissible
    if problem.regularizer.nonnegative:
        assert (coefficients >= 0).all()
    objective = problem.loss_value(fit) + problem.dual_limit * float(sizes(coefficients).sum())
    assert objective == pytest.approx(expected, rel=accuracy)
    # The fit is one of the columns that are there, up to free polynomials.
    off = problem.free.project_off(fit - restricted.columns @ coefficients)
    assert np.abs(off).max() <= 1e-9 * np.abs(fit).max()
    dual = problem.feasible_dual(restricted.dual)
    assert restricted.correlations().max() <= problem.dual_limit * (1 + 1e-7)
    assert np.abs(dual - restricted.dual).max() <= 1e-7 * np.abs(dual).max()
    assert problem.dual_value(dual) == pytest.approx(expected, rel=accuracy)


every_polynomial = pytest.mark.parametrize("free", ["none", "constants", "affine"])


@every_polynomial
@pytest.mark.parametrize(
    ("loss", "weighted"),
    [(loss, weighted) for loss in LOSSES for weighted in (False, True) if loss.needs_strength or not weighted],
    ids=str,
)
@pytest.mark.parametrize("regularizer", [RadonTV(), PositiveRadonTV()], ids=["any", "positive"])
def test_one_output_agrees_with_a_convex_program(loss, free, regularizer, weighted):
    for seed in range(3):
        problem, columns = draw(loss, seed, free, regularizer, weighted=weighted)
        restricted = restrict(problem)
        solve(problem, restricted, columns)
        assert_optimal(problem, restricted, columns, 1e-7)


@every_polynomial
@pytest.mark.parametrize("loss", VECTOR_LOSSES, ids=repr)
def test_several_outputs_agree_with_a_convex_program(loss, free):
    for seed in range(2):
        problem, columns = draw(loss, seed, free, VectorRadonTV(), outputs=2)
        restricted = restrict(problem)
        solve(problem, restricted, columns)
        assert_optimal(problem, restricted, columns, 1e-7)


@every_polynomial
@pytest.mark.parametrize("loss", [AbsoluteLoss(), IntervalConstraint(0.1)], ids=repr)
@pytest.mark.parametrize("regularizer", [RadonTV(), PositiveRadonTV()], ids=["any", "positive"])
def test_the_conic_program_agrees_with_a_convex_program(loss, free, regularizer):
    problem, columns = draw(loss, 0, free, regularizer)
    restricted = RestrictedConic(problem)
    solve(problem, restricted, columns)
    assert_optimal(problem, restricted, columns, 1e-7)
