"""The proof: how far a network is from the best of all networks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from ridgesplines.checks import check_seconds
from ridgesplines.norms import sizes
from ridgesplines.oracles import BranchAndBoundOracle, CertificateKind, Neurons, Oracle
from ridgesplines.problem import Problem, check_problem, check_samples
from ridgesplines.regularizers import AtomicNorm, RadonTV
from ridgesplines.spline import RidgeSpline

# How many times its usual number of starts a heuristic oracle tries before its answer is certified.
THOROUGH = 2
# A prediction this near to a kink of the loss, beside the range of the targets, counts as on it.
_KINK = 1e-7


@dataclass(frozen=True, eq=False)
class Certificate:
    """A lower bound of the optimum over all networks of all widths, beside the objective of one network.

    Attributes:
        objective: J(f); infinite for a spline that misses data under `Interpolation`.
        bound: the dual objective at `dual`: at most the optimum if `kind` is "exact" or "bounded", an estimate of such
            a bound if it is "heuristic".
        kind: "exact" (the supremum over all neurons was computed), "bounded" (an upper bound of it was proven) or
            "heuristic" (it was searched for, and may have been missed).
        loss: the loss part of the objective.
        regularization: R(f), without λ.
        misfit: the largest |ν_n(f) − y_n|.
        width: the neurons of the canonical form.
        dual: z, (N,), scaled to be feasible: sup |p_z| ≤ λ, orthogonal to the free polynomials.
        supremum: sup |p_z| of that z as the oracle gives it (its upper end).
        contacts: neurons found where |p_z| comes within a relative 1e-6 of λ: where the optimum may sit.
        contact_values: p_z at the contacts.
        resolution: objectives below this are rounding.
        problem: what it is a certificate for, not made ready (see `Problem.unprepared`); None if it comes from a file
            that does not hold it: of format version 1, or of a problem with parts of one's own.
    """

    objective: float
    bound: float
    kind: CertificateKind
    loss: float
    regularization: float
    misfit: float
    width: int
    dual: np.ndarray
    supremum: float
    contacts: Neurons
    contact_values: np.ndarray
    resolution: float
    problem: Problem | None = None

    @property
    def gap(self) -> float:
        """Objective − bound: f is within this of the best network (proven unless `kind` is "heuristic")."""
        return max(self.objective - self.bound, 0.0)

    @property
    def relative_gap(self) -> float:
        """The gap as a fraction of the objective; zero where both are rounding."""
        return relative_gap(self.objective, self.bound, self.resolution)

    @property
    def proven(self) -> bool:
        """Whether the bound is a proof."""
        return self.kind != "heuristic"

    def __str__(self) -> str:
        word = "proven" if self.proven else "estimated"
        return (
            f"objective {self.objective:.8g}, {word} bound {self.bound:.8g}, "
            f"relative gap {self.relative_gap:.1e} ({self.kind})"
        )


def same_problem(certificates: Iterable[Certificate]) -> Problem | None:
    """The problem of several certificates if they differ by λ only, in which files store it once; else None."""
    problems = [certificate.problem for certificate in certificates]
    if not problems or any(problem is None for problem in problems):
        return None
    first = problems[0]
    parts = ("measurements", "targets", "loss", "regularizer", "sample_weights")
    same = all(getattr(problem, part) is getattr(first, part) for problem in problems for part in parts)
    return first if same else None


def relative_gap(objective: float, bound: float, resolution: float) -> float:
    """(objective − bound) / |objective|; 0 if the difference is below `resolution`, infinite for no objective."""
    gap = objective - bound
    if gap <= resolution:
        return 0.0
    return gap / abs(objective) if np.isfinite(objective) else np.inf


def certify(
    problem: Problem, spline: RidgeSpline, dual: np.ndarray | None = None, prove: float | None = None
) -> Certificate:
    """How far is J(f) from the minimum over all networks of all widths?

    Any f gives a dual vector z_n = −s_n ∂ℓ (the residual, for the squared loss). Projected off the free polynomials and
    scaled until sup |p_z| ≤ λ it is feasible for the dual problem, whose value bounds the optimum from below. Where ℓ
    has several subgradients (at a kink, or under a constraint), those are taken for which p_z comes nearest, in least
    squares, to λ v_k / |v_k| at the spline's own neurons, as it is at the optimum. No solver is trusted: the objective
    is evaluated on the spline itself, the supremum is computed anew.

    Args:
        problem: the problem.
        spline: any ridge spline of its order, dimension and number of outputs, a trained network included.
        dual: a better z, (N,) or (N, D), if one is known (a `Solution`'s): the bound then says how far f is from the
            optimum, where the z of a poor f would blame some of its poverty on the bound.
        prove: where the supremum would only be searched for, spend up to so many seconds on a proven bound of it, by
            branch and bound: for `RadonTV` of order 2, one output and a few dozen points. However short the time, the
            bound is a proof; a longer time makes it sharper.

    Returns:
        A `Certificate`. Its bound takes rounding into account: in the supremum as the oracle proves it, in the dual
        objective as `Problem.bound` says.

    Raises:
        TypeError: if `problem` is not a Problem, `spline` not a RidgeSpline or `prove` not a number.
        ValueError: if it does not fit the problem, or `dual` has the wrong shape or entries that are not finite; or if
            a proof is asked for and no way to one is known.
    """
    check_problem(problem)
    oracle = problem.oracle if prove is None else _proving(problem, prove)
    spline, predictions = problem.measure(spline)
    loss = problem.loss_value(predictions)
    # Only equal hyperplanes are merged: large neurons on nearly equal ones are the function that was asked about.
    own, coefficients, cost = problem.regularizer.represent(spline, tolerance=0.0)
    dual = problem.checked_dual(dual) if dual is not None else _dual_of(problem, predictions, own, coefficients)
    dual = problem.feasible_dual(dual)
    answer = oracle.supremum(dual, own, effort=THOROUGH)
    bound, scale = problem.bound(dual, answer.upper)
    touching = answer.sizes * scale >= problem.dual_limit * (1 - 1e-6)
    return Certificate(
        objective=loss + problem.dual_limit * cost,
        bound=bound,
        kind=oracle.kind,
        loss=loss,
        regularization=cost,
        misfit=float(np.abs(predictions - problem.targets).max()),
        width=len(own),
        dual=scale * dual,
        supremum=scale * answer.upper,
        contacts=answer.neurons[touching],
        contact_values=scale * answer.values[touching],
        resolution=problem.resolution,
        problem=problem.unprepared(),
    )


def _proving(problem: Problem, seconds: float) -> Oracle:
    """An oracle that proves its answer."""
    check_seconds("prove", seconds)
    if problem.oracle.kind != "heuristic":
        return problem.oracle
    check_samples(problem, "prove")
    regularizer, points = problem.regularizer, problem.points
    oracle: Oracle | None = None
    if problem.targets.ndim == 1 and isinstance(regularizer, RadonTV) and regularizer.order == 2:
        oracle = BranchAndBoundOracle(points, time_limit=seconds)
    elif problem.targets.ndim == 1 and isinstance(regularizer, AtomicNorm):
        oracle = regularizer.proving_oracle(points, seconds)
    if oracle is not None:
        return oracle
    raise ValueError(
        f"no proof is known for {regularizer!r} in dimension {problem.measurements.dimension}, only for one output and "
        "RadonTV(order=2) or AtomicNorm with weight_norm 1 or inf, and in low dimension; leave out prove for an "
        "estimate."
    )


def _dual_of(problem: Problem, predictions: np.ndarray, neurons: Neurons, coefficients: np.ndarray) -> np.ndarray:
    """z among minus the subgradients at `predictions`, with p_z = λ v / |v| at `neurons` in least squares."""
    tolerance = _KINK * (float(np.ptp(problem.targets)) or 1.0)
    least, largest = problem.loss.subdifferential(problem.targets, predictions, tolerance)
    lower, upper = (-(problem.weights * end) for end in (largest, least))
    if (lower == upper).all():
        return lower
    columns = problem.free.project_off(problem.measure_neurons(neurons))
    # Orthogonality counts like a neuron of the same size.
    size = np.linalg.norm(columns, axis=0).max(initial=0.0) or 1.0
    matrix = np.concatenate([columns.T, size * problem.free.basis.T])
    goals = problem.dual_limit * (coefficients.T / sizes(coefficients)).T
    goals = np.concatenate([goals, np.zeros((problem.free.basis.shape[1], *goals.shape[1:]))])
    dual = np.where(lower == upper, lower, 0.0)
    for z, goal, lo, up in zip(*(np.atleast_2d(a.T) for a in (dual, goals, lower, upper)), strict=True):
        open_ = lo < up
        goal = goal - matrix @ z
        if np.isinf(lo[open_]).all() and np.isinf(up[open_]).all():
            z[open_] = np.linalg.lstsq(matrix[:, open_], goal, rcond=None)[0]
        else:
            z[open_] = lsq_linear(matrix[:, open_], goal, (lo[open_], up[open_]), method="bvls").x
    return dual
