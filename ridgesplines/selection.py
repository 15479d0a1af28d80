"""Choosing λ without holding data out: degrees of freedom, Stein's unbiased risk, generalised cross-validation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from ridgesplines.activations import TruncatedPower
from ridgesplines.breakpoints import ExactPath
from ridgesplines.checks import check_number
from ridgesplines.losses import SquaredLoss
from ridgesplines.path import RegularizationPath
from ridgesplines.problem import Problem, check_problem, check_samples
from ridgesplines.regularizers import RadonTV, VectorRadonTV
from ridgesplines.solution import Solution
from ridgesplines.solvers.solution_set import solution_set
from ridgesplines.spline import RidgeSpline

# Neurons whose hyperplanes agree to this are one that was not resolved.
_RESOLVED = 1e-3
# A hyperplane passes through data that are this near to it, beside the farthest ones.
_TOUCHING = 1e-7


@dataclass(frozen=True, eq=False)
class StrengthScores:
    """A score of each strength of a path; the least is the best.

    Attributes:
        strengths: λ, (S,), falling.
        scores: (S,).
        degrees_of_freedom: of the fits, (S,).
        noise_variance: what the scores assume, or None.
    """

    strengths: np.ndarray
    scores: np.ndarray
    degrees_of_freedom: np.ndarray
    noise_variance: float | None

    @property
    def best(self) -> int:
        """Which strength has the least score."""
        return int(np.argmin(self.scores))

    @property
    def strength(self) -> float:
        """The λ with the least score."""
        return float(self.strengths[self.best])


def degrees_of_freedom(problem: Problem, solution: Solution | RidgeSpline) -> float:
    """The divergence Σ_n ∂f(x_n)/∂y_n of the fit of the squared loss: how many parameters its values are worth.

    Its expectation over noise is the covariance Σ_n cov(f(x_n), y_n) / σ², the degrees of freedom of a fit.

    On the line, order 2: the number of knots of the solution that connects the dots, plus two, however many knots the
    spline given has. Orders 3 and 4 on the line: the knots move with the data, which adds to the number of knots and
    free polynomials a part of one for each knot, by the implicit function theorem. `RadonTV` of order 2 in more inputs:
    likewise, for neurons whose hyperplanes pass through fewer data than inputs and turn with them. Elsewhere, the rank
    of the measured neurons and free polynomials: what it would be if the neurons stayed where they are.

    Args:
        problem: of the squared loss, with one output.
        solution: what solves it, to a small gap: neurons that do not belong would count.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if the loss is another one, there are several outputs, or the spline does not fit.

    Source: Tibshirani & Taylor 2011 and 2012 (knots, rank); Stein 1981 (divergence).
    """
    _check_squared(problem)
    spline = solution.spline if isinstance(solution, Solution) else solution
    spline = problem.fitting(spline)
    regularizer = problem.regularizer
    on_line = problem.measurements.dimension == 1 and type(regularizer) in (RadonTV, VectorRadonTV)
    if on_line and regularizer.order == 2:
        count = len(np.unique(problem.points))
        return float(min(count, np.count_nonzero(solution_set(problem, spline).changes) + 2))
    if on_line:
        columns, moving, springs = _moving_knots(problem, spline)
    elif type(regularizer) is RadonTV and regularizer.order == 2:
        columns, moving, springs = _turning_neurons(problem, spline)
    else:
        columns = problem.measure_neurons(regularizer.represent(spline, tolerance=_RESOLVED).neurons)
        moving, springs = np.zeros((len(columns), 0)), np.zeros(0)
    return _trace(problem, np.hstack([problem.free.basis, columns]), moving, springs)


def _trace(problem: Problem, columns: np.ndarray, moving: np.ndarray, springs: np.ndarray) -> float:
    """The trace of the derivative of the fit Φ c with respect to the data.

    At the optimum c is stationary, and so are the places of neurons that may move: Φ_kᵀ z is constant, and z is
    orthogonal to the derivatives Ψ of v_k σ_k. The fit then answers to the data as least squares on [Φ Ψ] does, with
    springs: minus the second derivatives of v_k p_z, which are not negative at a maximum of |p_z|.

    Args:
        problem: the problem.
        columns: Φ, (N, K).
        moving: Ψ, (N, M).
        springs: (M,), at least 0.
    """
    roots = np.sqrt(problem.weights)[:, None]
    matrix = roots * np.hstack([columns, moving])
    # A spring is a row that asks for zero; the trace is that of the projection on the columns.
    rows = np.hstack([np.zeros((len(springs), columns.shape[1])), np.diag(np.sqrt(springs))])
    matrix = np.vstack([matrix, rows])
    lengths = np.linalg.norm(matrix, axis=0)
    matrix = matrix[:, lengths > 0] / lengths[lengths > 0]
    if not matrix.shape[1]:
        return 0.0
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    kept = values > values[0] * max(matrix.shape) * np.finfo(float).eps
    return float(np.sum(left[: len(columns), kept] ** 2))


def _moving_knots(problem: Problem, spline: RidgeSpline) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns, derivatives and springs of knots of order 3 or 4, at the peaks of the dual profile."""
    x, order = problem.points, problem.regularizer.order
    neurons, coefficients, _ = problem.regularizer.represent(spline, tolerance=0.0)
    rest = problem.targets - problem.measure_neurons(neurons) @ coefficients
    dual = problem.feasible_dual(problem.weights * (rest - problem.free(rest)(x)))
    answer = problem.oracle.supremum(dual)
    # The oracle's neurons may be flipped, which changes their profile by (−1)^m.
    flips = np.sign(answer.neurons.weights[:, 0])
    peaks, heights = flips * answer.neurons.biases, flips**order * answer.values
    if not len(neurons) or not len(peaks):
        return np.zeros((len(x), 0)), np.zeros((len(x), 0)), np.zeros(0)
    # Several knots about one peak are one knot that was not resolved.
    apart = np.abs(neurons.biases[:, None] - peaks) + np.where(coefficients[:, None] * heights > 0, 0.0, np.inf)
    sums = np.bincount(np.argmin(apart, axis=1), coefficients, minlength=len(peaks))
    b, v = peaks[sums != 0], sums[sums != 0]
    springs = np.maximum(-v * (dual @ TruncatedPower(order - 2)(x - b)), 0.0)
    return TruncatedPower(order)(x - b), -v * TruncatedPower(order - 1)(x - b), springs


def _turning_neurons(problem: Problem, spline: RidgeSpline) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns, derivatives and springs of ReLU neurons, which turn about the data that their hyperplanes pass through.

    While no other datum is met, p_z is a·w for the unit vectors w that keep those data on the hyperplane: its second
    derivative along any of them is −|p_z|.
    """
    x = problem.points
    neurons, coefficients, _ = problem.regularizer.represent(spline, tolerance=_RESOLVED)
    heights = x @ neurons.weights.T - neurons.biases
    touching = np.abs(heights) <= _TOUCHING * np.abs(heights).max(axis=0, initial=0.0)
    moving, springs = [np.zeros((len(x), 0))], [np.zeros(0)]
    for k, v in enumerate(coefficients):
        if not touching[:, k].any():
            continue
        held = x[touching[:, k]]
        fixed = np.vstack([neurons.weights[k], (held[1:] - held[0]) / np.abs(heights[:, k]).max()])
        _, values, rows = np.linalg.svd(fixed)
        turns = rows[int(np.sum(values > _TOUCHING)) :]
        active = (heights[:, k] > 0) & ~touching[:, k]
        moving.append(v * active[:, None] * ((x - held[0]) @ turns.T))
        springs.append(np.full(len(turns), abs(v) * problem.dual_limit))
    return np.maximum(heights, 0.0), np.hstack(moving), np.concatenate(springs)


def noise_variance(problem: Problem) -> float:
    """An estimate of σ², the variance of the noise of a datum of weight one, from how neighbours differ.

    On the line: what data at one point differ by, and what each point differs by from the line through its neighbours
    (Gasser, Sroka & Jennen-Steinmetz 1986). Elsewhere, what each datum differs by from the affine function that fits
    its 2 (d + 1) nearest neighbours best. Exact in expectation where the truth is affine from neighbour to neighbour;
    too large where it bends within the distance of neighbours, as it does in many dimensions.

    Raises:
        TypeError: if `problem` is no `Problem`.
        ValueError: if the loss is not the squared one, there are several outputs, or there are too few data.
    """
    _check_squared(problem)
    x, y, weights = problem.points, problem.targets, problem.weights
    count, dimension = x.shape
    if dimension == 1:
        points, group = np.unique(x[:, 0], return_inverse=True)
        mass = np.bincount(group, weights)
        mean = np.bincount(group, weights * y) / mass
        if len(points) < 3 and count <= len(points):
            raise ValueError("noise needs three points, or several data at one, to be estimated; pass noise_variance.")
        within = float(np.sum(weights * (y - mean[group]) ** 2))
        share = (points[2:] - points[1:-1]) / (points[2:] - points[:-2])
        missed = mean[1:-1] - share * mean[:-2] - (1 - share) * mean[2:]
        spread = 1 / mass[1:-1] + share**2 / mass[:-2] + (1 - share) ** 2 / mass[2:]
        return (within + float(np.sum(missed**2 / spread))) / (count - len(points) + max(len(points) - 2, 0))
    near = 2 * (dimension + 1)
    if count <= near:
        raise ValueError(
            f"noise in {dimension} inputs needs more than {near} data to be estimated, got {count}; "
            "pass noise_variance."
        )
    found = np.asarray(KDTree(x).query(x, near + 1)[1])
    # Where several coincide, the datum itself may not be the first.
    own = found == np.arange(count)[:, None]
    own[~own.any(axis=1), -1] = True
    neighbours = found[~own].reshape(count, near)
    design = np.concatenate([np.ones((count, near, 1)), x[neighbours] - x[:, None]], axis=2)
    rule = np.linalg.pinv(design)[:, 0]
    missed = y - np.sum(rule * y[neighbours], axis=1)
    return float(np.mean(missed**2 / (1 / weights + np.sum(rule**2 / weights[neighbours], axis=1))))


def stein_risk(
    problem: Problem, path: RegularizationPath | ExactPath, noise_variance: float | None = None
) -> StrengthScores:
    """Stein's unbiased estimate of the risk (1/N) Σ_n s_n (f(x_n) − truth(x_n))² of each fit of a path.

    SURE = (1/N) Σ_n s_n (f(x_n) − y_n)² − σ² + 2 σ² df / N, for Gaussian noise of variance σ²/s_n. On the breakpoints
    of an `ExactPath` its least value is the least over all λ: from one to the next the loss falls, and df stays.

    Args:
        problem: the one of the path: squared loss, one output.
        path: of `regularization_path` or `exact_path`.
        noise_variance: σ², by default that of `noise_variance(problem)`.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: as `degrees_of_freedom` does; or if the variance is negative.

    Source: Stein 1981; Tibshirani & Taylor 2012.
    """
    variance = _estimated_variance(problem) if noise_variance is None else noise_variance
    check_number("noise_variance", variance, "a number of at least 0", lambda value: 0 <= value < math.inf)
    losses, freedom = _path_values(problem, path)
    count = problem.measurements.count
    scores = 2 * losses / count - variance + 2 * variance * freedom / count
    return StrengthScores(path.strengths, scores, freedom, float(variance))


# The argument of that name hides the function.
_estimated_variance = noise_variance


def generalized_cross_validation(problem: Problem, path: RegularizationPath | ExactPath) -> StrengthScores:
    """The generalised cross-validation score (1/N) Σ_n s_n (f(x_n) − y_n)² / (1 − df / N)² of each fit of a path.

    It needs no variance of the noise. Infinite where df reaches N. On the breakpoints of an `ExactPath` its least value
    is the least over all λ.

    Args and errors as for `stein_risk`.

    Source: Craven & Wahba 1979.
    """
    losses, freedom = _path_values(problem, path)
    count = problem.measurements.count
    left = 1 - freedom / count
    scores = np.full(len(losses), np.inf)
    np.divide(2 * losses / count, left**2, out=scores, where=left > 1e-9)
    return StrengthScores(path.strengths, scores, freedom, None)


def _path_values(problem: Problem, path: RegularizationPath | ExactPath) -> tuple[np.ndarray, np.ndarray]:
    """Losses and degrees of freedom along a path."""
    _check_squared(problem)
    if isinstance(path, ExactPath):
        return path.losses, path.degrees_of_freedom.astype(float)
    if not isinstance(path, RegularizationPath):
        raise TypeError(f"path must be a RegularizationPath or an ExactPath, got {type(path).__name__}.")
    if not len(path):
        raise ValueError("path must hold at least one solution.")
    return path.losses, np.array([degrees_of_freedom(problem, solution) for solution in path])


def _check_squared(problem: Problem) -> None:
    check_problem(problem)
    check_samples(problem, "degrees_of_freedom")
    if not isinstance(problem.loss, SquaredLoss) or problem.targets.ndim > 1:
        raise ValueError(
            f"degrees of freedom, and what is made of them, are known for the squared loss and one output, got "
            f"{problem!r}; select_strength and held-out data serve others."
        )
