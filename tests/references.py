"""Optima computed without the package's solvers: convex programs by cvxpy, closed forms on the line."""

from __future__ import annotations

import contextlib
import itertools
import warnings

import cvxpy
import numpy as np
from scipy.optimize import linprog

from ridgesplines import Problem
from ridgesplines.losses import PiecewiseLinearLoss
from ridgesplines.polynomials import monomials


class NoReference(Exception):
    """The reference program found no optimum."""


def conic(objective, constraints=()) -> float:
    """The optimum by Clarabel, to about 1e-9 relative, or to 1e-7 where it gets no further."""
    program = cvxpy.Problem(cvxpy.Minimize(objective), list(constraints))
    for tolerance in (1e-10, 1e-9, 1e-8):
        with warnings.catch_warnings(), contextlib.suppress(cvxpy.SolverError):
            warnings.filterwarnings("ignore", "Solution may be inaccurate")
            program.solve(solver=cvxpy.CLARABEL, tol_gap_abs=tolerance, tol_gap_rel=tolerance, tol_feas=tolerance)
        if program.status == cvxpy.OPTIMAL:
            return float(program.value)
    raise NoReference(f"Clarabel stopped: {program.status}")


def slope_changes(x: np.ndarray, y: np.ndarray) -> float:
    """Σ |Δ slope| of the function that connects the dots: the least RTV² of an interpolant on the line."""
    order = np.argsort(x)
    return float(np.abs(np.diff(np.diff(y[order]) / np.diff(x[order]))).sum())


def trend_filter(x: np.ndarray, y: np.ndarray, strength: float) -> float:
    """min ½ Σ (f(x_n) − y_n)² + λ TV(f') on the line: ℓ1 trend filtering at points that may repeat, in any order."""
    knots, group = np.unique(x, return_inverse=True)
    values = cvxpy.Variable(len(knots))
    fit = 0.5 * cvxpy.sum_squares(values[group.ravel()] - y)
    if len(knots) < 3:
        return conic(fit)
    slopes = cvxpy.multiply(cvxpy.diff(values), 1 / np.diff(knots))
    return conic(fit + strength * cvxpy.norm1(cvxpy.diff(slopes)))


def activation_patterns(points: np.ndarray) -> np.ndarray:
    """The patterns 1[w·x_n ≥ b] in the plane, up to complement, (P, N): the ways in which a line parts the points.

    A line that parts them can be moved until it passes through two of them; which side each of those two (and of
    others that it meets) then falls on is restored by turning and shifting it a little, all ways.
    """
    patterns = {(True,) * len(points)}
    angles = np.array([0.0, 1e-6, -1e-6])
    for i, j in itertools.combinations(range(len(points)), 2):
        along = points[j] - points[i]
        if not along.any():
            continue
        base = np.arctan2(along[0], -along[1])
        middle = (points[i] + points[j]) / 2
        for angle, centre, shift in itertools.product(
            base + angles, (points[i], middle, points[j]), 1e-9 * np.array([-1.0, 1.0])
        ):
            w = np.array([np.cos(angle), np.sin(angle)])
            side = points @ w >= w @ centre + shift
            patterns.add(tuple(bool(s) for s in (side if side[0] else ~side)))
    return np.array(sorted(patterns), dtype=float)


def convex_program(points: np.ndarray, y: np.ndarray, strength: float | None) -> float:
    """The exact finite convex program of Pilanci & Ergen (2020) for RTV² in the plane; strength None interpolates.

    One neuron u·x − b of either sign per activation pattern, in the pattern's cone, at the price ‖u‖₂ and with a free
    bias; affine functions are free, so that a pattern and its complement are the same neuron up to an affine function.
    """
    count, dimension = points.shape
    affine = cvxpy.Variable(dimension + 1)
    fit = np.column_stack([points, np.ones(count)]) @ affine
    costs, constraints = [], []
    for pattern in activation_patterns(points):
        for sign in (1.0, -1.0):
            u, b = cvxpy.Variable(dimension), cvxpy.Variable()
            height = points @ u - b
            fit = fit + sign * cvxpy.multiply(pattern, height)
            constraints.append(cvxpy.multiply(2 * pattern - 1, height) >= 0)
            costs.append(cvxpy.norm2(u))
    cost = cvxpy.sum(cvxpy.hstack(costs))
    if strength is None:
        return conic(cost, [*constraints, fit == y])
    return conic(0.5 * cvxpy.sum_squares(fit - y) + strength * cost, constraints)


def dictionary_program(columns: np.ndarray, free: np.ndarray, y: np.ndarray, strength: float | None) -> float:
    """The optimum over the neurons measured by `columns` (N, K) alone: never below the one over all neurons."""
    v, c = cvxpy.Variable(columns.shape[1]), cvxpy.Variable(free.shape[1])
    fit = columns @ v + free @ c
    if strength is None:
        return conic(cvxpy.norm1(v), [fit == y])
    return conic(0.5 * cvxpy.sum_squares(fit - y) + strength * cvxpy.norm1(v))


def loss_program(problem: Problem, columns: np.ndarray, free: np.ndarray | None = None) -> float:
    """The optimum of `problem` over the neurons measured by `columns` (N, K) alone, whatever its loss and outputs.

    `free` (N, r) measures the free polynomials: by default, all below the order.
    """
    x, regularizer, tail = problem.measurements.points, problem.regularizer, problem.targets.shape[1:]
    centre, spread = x.mean(axis=0), float(np.ptp(x)) or 1.0
    # Columns are scaled to order one for the solver.
    scales = np.abs(columns).max(axis=0, initial=0.0)
    large = scales > 1e-12 * spread**regularizer.degree
    columns, scales = columns[:, large], scales[large]
    if not len(scales):
        columns, scales = np.zeros((len(x), 1)), np.ones(1)
    if free is None:
        # Constants last: on exponential cones Clarabel minds the order.
        free = np.roll(monomials((x - centre) / spread, regularizer.degree), -1, axis=1)
        left, values, _ = np.linalg.svd(free, full_matrices=False)
        if not values[-1] > 1e-12 * values[0]:
            # Of points on a line the solver would fit with what rounding leaves of the other polynomials.
            free = left[:, values > 1e-12 * values[0]]
    if isinstance(problem.loss, PiecewiseLinearLoss) and not tail:
        return _linear_program(problem, problem.loss, columns / scales, problem.dual_limit / scales, free)
    v = cvxpy.Variable((columns.shape[1], *tail))
    fit = (columns / scales) @ v
    # Older cvxpy has no variables without entries.
    if free.shape[1]:
        fit = fit + free @ cvxpy.Variable((free.shape[1], *tail))
    loss, constraints = problem.loss.cvxpy_expression(problem.targets, fit, problem.weights)
    cost = regularizer.cvxpy_expression(cvxpy.multiply(1 / (scales[:, None] if tail else scales), v))
    return conic(loss + problem.dual_limit * cost, [*constraints, *([v >= 0] if regularizer.nonnegative else [])])


def _linear_program(
    problem: Problem, loss: PiecewiseLinearLoss, columns: np.ndarray, prices: np.ndarray, free: np.ndarray
) -> float:
    """The same by HiGHS. Variables: v⁺, v⁻, the polynomial, and how far a fit is below and above its interval."""
    count, width = columns.shape
    lower, upper = loss.interval(problem.targets)
    slopes = np.array(loss.slopes())
    fit = np.column_stack([columns, -columns, free])
    unit, nothing = np.eye(count), np.zeros((count, count))
    matrix = np.concatenate([np.hstack([-fit, -unit, nothing]), np.hstack([fit, nothing, -unit])])
    ends = np.concatenate([-lower, upper])
    prices = np.concatenate([prices, prices, np.zeros(free.shape[1])])
    distances = np.outer(np.where(np.isfinite(slopes), slopes, 0.0), problem.weights).ravel()
    limits = [(0, None)] * width + [(0, 0 if problem.regularizer.nonnegative else None)] * width
    limits += [(None, None)] * free.shape[1]
    limits += [(0, None if np.isfinite(slope) else 0) for slope in slopes for _ in range(count)]
    keep = np.isfinite(ends)
    # Distances on the scale of the targets: the tolerances are absolute.
    size = float(np.abs(ends[keep]).max()) or 1.0
    tolerances = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    result = linprog(
        np.concatenate([prices, distances]), matrix[keep], ends[keep] / size, bounds=limits, options=tolerances
    )
    if result.status != 0:
        raise NoReference(f"HiGHS stopped: {result.message}")
    return float(result.fun) * size


def line_program(problem: Problem) -> float:
    """The optimum on the line, where knots may be taken at the data."""
    x = problem.measurements.points
    return loss_program(problem, np.maximum(x - np.unique(x)[None, :], 0))


def pair_columns(x: np.ndarray, directions: int = 8) -> np.ndarray:
    """The measured neurons of all lines through two of the points in the plane and of a fan of lines through each."""
    normals = [
        (w / np.linalg.norm(w), a)
        for a, b in itertools.combinations(x, 2)
        for w in [np.array([a[1] - b[1], b[0] - a[0]])]
        if w.any()
    ]
    angles = np.linspace(0, np.pi, directions, endpoint=False)
    fan = [(np.array([np.cos(t), np.sin(t)]), pivot) for t in angles for pivot in x]
    return np.maximum(np.array([(x - pivot) @ w for w, pivot in normals + fan]).T, 0)


def plane_program(problem: Problem) -> float:
    """The exact optimum in the plane, of any loss: see `convex_program`."""
    points = problem.measurements.points
    count, dimension = points.shape
    affine = cvxpy.Variable(dimension + 1)
    fit = np.column_stack([points, np.ones(count)]) @ affine
    costs, cones = [], []
    for pattern in activation_patterns(points):
        for sign in (1.0, -1.0):
            u, b = cvxpy.Variable(dimension), cvxpy.Variable()
            height = points @ u - b
            fit = fit + sign * cvxpy.multiply(pattern, height)
            cones.append(cvxpy.multiply(2 * pattern - 1, height) >= 0)
            costs.append(cvxpy.norm2(u))
    loss, constraints = problem.loss.cvxpy_expression(problem.targets, fit, problem.weights)
    return conic(loss + problem.dual_limit * cvxpy.sum(cvxpy.hstack(costs)), [*cones, *constraints])
